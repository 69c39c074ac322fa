// SPDX-License-Identifier: Apache-2.0
// One node's part in the cluster, whole but for threads: membership, health and administration joined with the wire
// format. Bytes, time and the node's own news go in; bytes and decisions come out through core_ports. No clock, socket
// or random source inside: cluster.c drives it on a thread, the simulator drives hundreds in virtual time.
#ifndef PHX_CLUSTER_CORE_H
#define PHX_CLUSTER_CORE_H

#include "cluster/admin_state.h"
#include "cluster/health.h"
#include "cluster/membership.h"
#include "node/base/buf.h"

struct core;

// Called from inside core_*(); must not call back into the core. All are set.
struct core_ports {
    void *arg;
    void (*send)(void *arg, uint32_t node, struct str bytes);
    void (*remake)(void *arg, uint32_t node);
    void (*node_state)(void *arg, uint32_t node, uint64_t boot, enum member_state from, enum member_state to,
                       const char *why);
    void (*boot_raised)(void *arg, uint64_t boot);
    void (*voted_down)(void *arg, struct str server, bool down);
    void (*check_now)(void *arg, struct str server);
    void (*isolated)(void *arg, bool isolated);
    void (*admin_set)(void *arg, const struct admin_register *r);
};

struct core_options {
    const char *const *names; // of the nodes; must outlive the core
    uint32_t node_count;
    uint32_t self;
    enum health_mode health;
    uint64_t boot;
    uint64_t seed;
};

// Time comes in with each call: monotonic, and the wall clock for stamps of administration.
struct core_time {
    mono_t mono;
    int64_t wall_us;
};

struct core *core_create(const struct core_options *options, const struct core_ports *ports, struct core_time now);
void core_destroy(struct core **c);

// Every MEMBERSHIP_TICK_MS.
void core_tick(struct core *c, struct core_time now);
// The loop woke late; then, when all waiting messages were delivered, core_drained(). See membership.h.
void core_late(struct core *c, unsigned late_ms, struct core_time now);
void core_drained(struct core *c, struct core_time now);
// False when the bytes are malformed or `from` is not their sender.
bool core_receive(struct core *c, uint32_t from, struct str bytes, struct core_time now);
void core_link_up(struct core *c, uint32_t node, struct core_time now);
void core_link_down(struct core *c, uint32_t node, struct core_time now);

void core_declare(struct core *c, enum member_state state, struct core_time now);
void core_conns(struct core *c, uint32_t conns, struct core_time now);
void core_verdict(struct core *c, const struct verdict_report *report, bool usable, struct core_time now);
void core_server_gone(struct core *c, struct str name, struct core_time now);
void core_admin(struct core *c, struct str name, enum admin_field field, int32_t value, struct core_time now);

const struct membership *core_membership(const struct core *c);
const struct health *core_health(const struct core *c);
const struct admin_state *core_admin_state(const struct core *c);
// All administrative registers as bytes for the disk (a sequence of CMSG_ADMIN messages, each behind a 4-byte length),
// and back.
void core_save_admin(const struct core *c, struct buf *out);
bool core_load_admin(struct core *c, struct str bytes, struct core_time now);

#endif
