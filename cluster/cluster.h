// SPDX-License-Identifier: Apache-2.0
// The cluster service: what the nodes decide together, run on the "cluster" thread. Owns membership, shared health and
// administrative state; talks to other nodes through transport.h and to this node through the hooks below, which main.c
// connects. Other threads send it messages with cluster_post_*() and read what it published with cluster_view_get().
#ifndef PHX_CLUSTER_CLUSTER_H
#define PHX_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/health.h"
#include "cluster/messages.h"
#include "cluster/transport.h"
#include "node/base/clock.h"
#include "node/base/str.h"

struct cluster;
struct worker;

struct cluster_node_options {
    const char *name;
    const char *link; // "IP:port" of its peer link, for display
    const char *addr; // where clients reach it; "" = not given
};

struct cluster_options {
    const char *name;
    const struct cluster_node_options *nodes; // copied
    unsigned node_count;
    unsigned self; // which of them this node is
    enum health_mode health;
    uint64_t boot;     // this process life: greater than every earlier one (saved + 1, or wall-clock µs)
    uint64_t seed;     // for choosing whom to probe
    bool wait_ready;   // stay `joining` until cluster_post_ready() …
    unsigned ready_ms; // … or for so long at most
};

// From the service to the node. Called on the cluster thread; must not block. Names are valid during the call only. Any
// may be NULL.
struct cluster_hooks {
    void *arg;
    // The other nodes' votes take the server down, or no longer do. Effective down = the node's own verdict is down, or
    // this.
    void (*voted_down)(void *arg, struct str backend, struct str server, bool down);
    // A failure was seen elsewhere: check at once.
    void (*check_now)(void *arg, struct str backend, struct str server);
    // An administrator's word from another node, newer than what was set here.
    void (*admin_set)(void *arg, struct str backend, struct str server, enum admin_field field, int32_t value);
    // A node changed state or began a new life (from == to then possible).
    void (*node_state)(void *arg, unsigned node, uint64_t boot, enum member_state from, enum member_state to);
    // Another node remembers a later life of this one: boot was raised. To be saved.
    void (*boot_raised)(void *arg, uint64_t boot);
    // This node became isolated or stopped being so.
    void (*isolated)(void *arg, bool isolated);
    // Administrative state changed: the bytes to keep on disk for cluster_load_admin().
    void (*save_admin)(void *arg, struct str bytes);
    // Client connections open now.
    unsigned (*conns)(void *arg);
};

// Before threads run. Never NULL.
struct cluster *cluster_create(const struct cluster_options *options, const struct cluster_hooks *hooks,
                               const struct cluster_transport *transport);
// What save_admin gave in an earlier life. Before cluster_attach(). False when the bytes are damaged.
bool cluster_load_admin(struct cluster *c, struct str bytes);
// On the cluster thread, from its setup function: begins to tick on w's loop.
void cluster_attach(struct cluster *c, struct worker *w);
// On the cluster thread: says good-bye to all nodes (state `left`). The links need a moment to carry it.
void cluster_leave(struct cluster *c);
// On the cluster thread: stops ticking. Posted messages that arrive later are dropped.
void cluster_detach(struct cluster *c);
// After the thread ended.
void cluster_destroy(struct cluster **c);

// ---- from any thread: messages to the service; they cost one allocation and are dropped when it is not attached ----

struct cluster_local_verdict {
    enum verdict verdict; // NONE: not checked here (any more)
    bool failing;         // the last check failed, but fewer than `fall`
    bool usable;          // takes traffic when up: neither maintenance nor drain
    uint32_t inter_ms;    // the check interval in force
};
// On each change; a verdict stands until replaced. Repeating it after each check is allowed and cheap. The first one
// makes the server known.
void cluster_post_verdict(struct cluster *c, struct str backend, struct str server, struct cluster_local_verdict v);
// The server is gone from the configuration.
void cluster_post_server_gone(struct cluster *c, struct str backend, struct str server);
// An administrator's word given to this node.
void cluster_post_admin(struct cluster *c, struct str backend, struct str server, enum admin_field field,
                        int32_t value);
// Tables are learned: joining → up.
void cluster_post_ready(struct cluster *c);
// up, draining, drained, maintenance.
void cluster_post_declare(struct cluster *c, enum member_state state);

// ---- from any thread: what was published last ----

struct cluster_view_node {
    const char *name, *link, *addr;
    enum member_state state;
    bool isolated;
    bool self;
    uint64_t boot;  // 0 = unknown
    int64_t rtt_us; // -1 = unknown; 0 for self
    mono_t seen_at; // last message from it; MONO_NEVER = none
    int64_t conns;  // -1 = unknown
};

struct cluster_votes; // the servers of a view, shared by views while nothing changes

// Immutable; counted.
struct cluster_view {
    const char *cluster;
    unsigned self;
    unsigned node_count;
    const struct cluster_view_node *nodes;
    bool majority; // this node sees more than half of the members
    bool isolated;
    struct cluster_votes *votes; // see cluster_view_votes()
};

const struct cluster_view *cluster_view_get(struct cluster *c);
void cluster_view_put(const struct cluster_view **view);
// Fresh votes on a server: node_count values of enum verdict, valid while the view is held. NULL when it is unknown.
const uint8_t *cluster_view_votes(const struct cluster_view *view, struct str backend, struct str server);

#endif
