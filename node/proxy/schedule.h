// SPDX-License-Identifier: Apache-2.0
// The order in which a backend's servers are taken: an immutable object built from the usable servers and their
// weights. Workers read it without lock; only the heap of leastconn changes, under the backend's lock.
#ifndef PHX_PROXY_SCHEDULE_H
#define PHX_PROXY_SCHEDULE_H

#include "node/proxy/proxy.h"

struct hash_point {
    uint32_t hash;
    uint16_t server;
};

struct schedule {
    struct server_state **servers; // counted; active ones, or backups when no active one is left
    unsigned count;
    uint16_t *order;           // one smooth weighted round of indexes into servers
    unsigned order_len;        // 0 when count is 0
    struct hash_point *points; // hash-type consistent: sorted ring
    unsigned npoints;
    struct server_state **heap; // leastconn: by load, then by longest unused; under backend->lock
    uint64_t picks;             // under backend->lock
};

// Under backend->lock.
struct schedule *schedule_build(struct proxy *p);
void schedule_destroy(void *schedule);

// A hash belongs to the server at its place (on the ring, or in the round); those at the places behind it, in order and
// around the end, are its substitutes. Of a schedule that is not empty.
unsigned schedule_places(const struct schedule *s);
unsigned schedule_place(const struct schedule *s, uint32_t hash);
struct server_state *schedule_at(const struct schedule *s, unsigned place);
// Effective weight: user weight times slow start, in 1/100.
unsigned server_effective_weight(const struct server_state *s);

// leastconn, under backend->lock: the server's load changed. `s` may be NULL: the backend was deleted meanwhile.
void schedule_heap_update(struct schedule *s, struct server_state *server);
struct server_state *schedule_heap_top(const struct schedule *s);

// The hash of a key as `hash-type` says.
uint32_t schedule_hash(const struct cfg_proxy *p, struct str key);

#define HEAP_NONE ((unsigned)-1)

#endif
