// SPDX-License-Identifier: Apache-2.0
// Membership: who is there. Pure: membership_step() takes an event and the time and returns actions; no clock, socket,
// thread or random source inside (the seed is passed in), so that the simulator runs hundreds of these in virtual time.
//
// SWIM with Lifeguard's local health, cut for small clusters of long links: up to MEMBERSHIP_MESH members everybody
// pings everybody and judges by silence; beyond, each node pings a few in random rotation and judges by unanswered
// pings.
#ifndef PHX_CLUSTER_MEMBERSHIP_H
#define PHX_CLUSTER_MEMBERSHIP_H

#include "cluster/messages.h"
#include "node/base/clock.h"

enum {
    MEMBERSHIP_TICK_MS = 50,      // how often MEMBER_EV_TICK is wanted
    MEMBERSHIP_PING_MS = 200,     // a round of pings
    MEMBERSHIP_INDIRECT_MS = 400, // silence after which others are asked to ping
    MEMBERSHIP_SUSPECT_MS = 600,  // silence after which it is suspect
    MEMBERSHIP_DEAD_MS = 500,     // suspicion after which it is dead, ×1 to ×2 by own lateness
    MEMBERSHIP_LATE_MS = 100,     // a loop that woke so late reads its messages before it judges
    MEMBERSHIP_REDIAL_MS = 1000,  // links of a node that was given up come back within this
    MEMBERSHIP_MESH = 16,         // most members that all ping each other
    MEMBERSHIP_FANOUT = 5,        // pings a round beyond that
    MEMBERSHIP_RELAYS = 2,        // nodes asked for an indirect probe
    MEMBERSHIP_PUSH = 4,          // nodes told of news at once
};

struct membership;

enum member_event_kind {
    MEMBER_EV_TICK,
    MEMBER_EV_MESSAGE,   // from `node`
    MEMBER_EV_LINK_UP,   // to `node`
    MEMBER_EV_LINK_DOWN, // to `node`: probed at once, not judged
    MEMBER_EV_LATE,      // the loop woke `late_ms` too late: nothing is judged until …
    MEMBER_EV_DRAINED,   // … all messages that waited were delivered
    MEMBER_EV_DECLARE,   // this node's own `state`: joining, up, draining, drained, maintenance, left
    MEMBER_EV_INFO,      // this node's connections and isolation
};

struct member_event {
    enum member_event_kind kind;
    uint32_t node;
    union {
        const struct member_msg *msg;
        unsigned late_ms;
        enum member_state state;
        struct {
            uint32_t conns;
            bool isolated;
        } info;
    };
};

enum member_action_kind {
    MEMBER_ACT_SEND,   // `msg` to `node`; may be lost
    MEMBER_ACT_STATE,  // `node` went `from` → `to`, because `why`; a new life (`boot`) may keep its state
    MEMBER_ACT_REMAKE, // the link to `node` is of no use any more
    MEMBER_ACT_BOOT,   // this node's own boot was raised to `boot`
};

struct member_action {
    enum member_action_kind kind;
    uint32_t node;
    union {
        struct member_msg msg;
        struct {
            enum member_state from, to;
            uint64_t boot;
            bool new_life;
            const char *why; // static text, for the trace
        } state;
        uint64_t boot;
    };
};

// Filled by a step, emptied by the caller; memory is kept for the next step.
struct member_actions {
    struct member_action *items;
    unsigned count, cap;
};
void member_actions_free(struct member_actions *actions);

struct membership_options {
    uint32_t node_count; // members 0..node_count-1, 1..CLUSTER_NODES_MAX
    uint32_t self;
    uint64_t boot; // > 0
    uint64_t seed;
};

// The node begins in state `joining`. Never NULL.
struct membership *membership_create(const struct membership_options *options, mono_t now);
void membership_destroy(struct membership **m);
// Appends to `out`. Events that come from outside (messages) never assert.
void membership_step(struct membership *m, const struct member_event *event, mono_t now, struct member_actions *out);

// A further member, e.g. after a reload; its number. CLUSTER_NO_NODE when there are too many.
uint32_t membership_add(struct membership *m, mono_t now);
// The member is no longer configured: it counts for nothing and is ignored. Not self.
void membership_forget(struct membership *m, uint32_t node);

struct member_info {
    enum member_state state;
    uint64_t boot; // 0 = unknown
    bool isolated;
    bool forgotten;
    int64_t rtt_us; // smoothed; -1 = unknown, 0 for self
    int64_t conns;  // -1 = unknown
    mono_t seen_at; // last message from it
};
void membership_get(const struct membership *m, uint32_t node, struct member_info *info);
enum member_state membership_state(const struct membership *m, uint32_t node);
uint32_t membership_count(const struct membership *m);
// Joining, up, suspect, draining, drained, maintenance.
bool member_state_is_live(enum member_state state);
// More than half of the members that have not left or been forgotten are live; this node counts.
bool membership_majority(const struct membership *m);
// Messages that made no sense so far.
uint64_t membership_bad_messages(const struct membership *m);

#endif
