// SPDX-License-Identifier: Apache-2.0
// Replication of stick tables, on the sync thread: what changed here goes to all other nodes, what they counted is
// merged, and tables are compared by digests when a node comes (back), when it fell behind, and now and then. A node
// that starts learns all from the live ones in the same way.
//
// Nothing is kept for a node that cannot be reached: when it can, the digests tell what it misses. So memory is bounded
// by the tables themselves and the queues of the links.
#ifndef PHX_PEERS_REPLICATE_H
#define PHX_PEERS_REPLICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/match/table.h"
#include "peers/link.h"

struct replicate;
struct worker;

struct replicate_options {
    struct link_options link; // of the bulk links; copied
    void *arg;
    // Once, on the sync thread: all that the first reachable node has was learned. May be NULL.
    void (*synced)(void *arg);
};

// Before threads run. The links belong to it; the gate needs them.
struct replicate *replicate_create(const struct replicate_options *options);
struct links *replicate_links(struct replicate *r);
// On the sync thread, from its setup function, and before it ends.
void replicate_attach(struct replicate *r, struct worker *w);
void replicate_detach(struct replicate *r);
// After the thread ended.
void replicate_destroy(struct replicate **r);

// ---- from any thread; done on the sync thread, dropped when it ended

// All tables that are replicated from now on; references are taken. Called at start and after each reload.
void replicate_set_tables(struct replicate *r, struct table *const *tables, unsigned count);
// What the cluster found out about another node: dead ones' links are remade, their current connections do not count.
void replicate_post_node(struct replicate *r, unsigned node, bool alive, uint64_t boot);
// This node's life is a later one than thought: some node remembers.
void replicate_post_boot(struct replicate *r, uint64_t boot);

// ---- from any thread: counters, read without waiting

struct replicate_peer_status {
    bool up, synced;   // synced: it sent all it had since the link is up
    uint64_t sent;     // messages to it
    uint64_t unacked;  // of these, not acknowledged yet
    uint64_t received; // messages from it
    uint64_t resyncs;  // how often it fell behind and was compared anew
};
bool replicate_peer_status(struct replicate *r, unsigned node, struct replicate_peer_status *out);
struct replicate_status {
    uint64_t updates_out, updates_in; // entries
    uint64_t bytes_out, bytes_in;     // of messages
    uint64_t bad;                     // messages that ended their carrier
    uint64_t pending;                 // changed entries that wait to be sent
    int64_t lag_ms;                   // how long a reachable node has not acknowledged what was sent to it, 0 = at once
};
struct replicate_status replicate_status(struct replicate *r);

#endif
