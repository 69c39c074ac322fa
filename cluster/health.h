// SPDX-License-Identifier: Apache-2.0
// Shared health: every node's verdict on every server, and what follows for this node. Pure: health_step() takes an
// event and the time and returns actions. Effective down = the node's own verdict says down, or the votes do (by
// `mode`).
#ifndef PHX_CLUSTER_HEALTH_H
#define PHX_CLUSTER_HEALTH_H

#include "cluster/messages.h"
#include "node/base/clock.h"

// `health local | any | quorum` of the section `cluster`: whether others' votes take a server down: never, one is
// enough, or a strict majority of the fresh reports.
enum health_mode { HEALTH_LOCAL, HEALTH_ANY, HEALTH_QUORUM };

enum {
    HEALTH_FRESH_INTERS = 3,   // a report counts for so many check intervals
    HEALTH_INTER_MIN_MS = 100, // shorter and longer intervals are taken as these
    HEALTH_INTER_MAX_MS = 3600000,
};

struct health;

enum health_event_kind {
    HEALTH_EV_TICK,   // every MEMBERSHIP_TICK_MS: ages reports, repeats own verdicts, counts votes, sends news
    HEALTH_EV_LOCAL,  // this node's verdict on `report.name`; makes the server known
    HEALTH_EV_GONE,   // the server `report.name` is not configured any more
    HEALTH_EV_REPORT, // `node`'s verdict; ignored when the server is unknown
    HEALTH_EV_LIFE,   // `node` began a new life, died or left: its reports are void; of self: its boot
    HEALTH_EV_GREET,  // `node` became reachable: it wants all own verdicts
};

struct health_event {
    enum health_event_kind kind;
    uint32_t node;
    uint64_t boot; // REPORT: the sender's life; LIFE: the new one
    bool usable;   // LOCAL: takes traffic when up (neither maintenance nor drain)
    struct verdict_report report;
};

enum health_action_kind {
    HEALTH_ACT_SEND,     // `msg` to `node`; CLUSTER_NO_NODE = to all
    HEALTH_ACT_VOTED,    // the votes take `name` down, or no longer do
    HEALTH_ACT_CHECK,    // check `name` now
    HEALTH_ACT_ISOLATED, // this node became isolated or stopped being so
};

// Names point into the health object and are valid until its next step.
struct health_action {
    enum health_action_kind kind;
    uint32_t node;
    union {
        struct verdict_msg msg;
        struct {
            struct str name;
            bool down;
        } voted;
        struct str check;
        bool isolated;
    };
};

struct health_actions {
    struct health_action *items;
    unsigned count, cap;
};
void health_actions_free(struct health_actions *actions);

struct health *health_create(uint32_t self, enum health_mode mode, uint64_t boot);
void health_destroy(struct health **h);
void health_step(struct health *h, const struct health_event *event, mono_t now, struct health_actions *out);

bool health_isolated(const struct health *h);
// Effective state; false for an unknown server.
bool health_effective_down(const struct health *h, struct str name);
// One more at each change of what health_each() would tell.
uint64_t health_version(const struct health *h);
unsigned health_server_count(const struct health *h);
// Every server with the votes as counted last: votes[node] for nodes below `nodes`, enum verdict.
typedef void health_each_fn(void *arg, struct str name, const uint8_t *votes);
void health_each(const struct health *h, uint32_t nodes, health_each_fn *fn, void *arg);

#endif
