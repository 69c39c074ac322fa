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

// The server a hash belongs to. NULL when the schedule is empty.
struct server_state *schedule_by_hash(const struct schedule *s, uint32_t hash);
// Effective weight: user weight times slow start, in 1/100.
unsigned server_effective_weight(const struct server_state *s);

// leastconn, under backend->lock: the server's load changed.
void schedule_heap_update(struct schedule *s, struct server_state *server);
struct server_state *schedule_heap_top(const struct schedule *s);

// hash-type functions over bytes, by enum of the model.
uint32_t schedule_hash(const struct cfg_proxy *p, const void *data, size_t len);
uint32_t schedule_avalanche(uint32_t h);

#define HEAP_NONE ((unsigned)-1)

#endif
