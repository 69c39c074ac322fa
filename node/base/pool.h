// SPDX-License-Identifier: Apache-2.0
// Pool of equal objects: a free list over malloc. One thread owns a pool. An object may be put back into another
// thread's pool of the same size (connections that change worker). Free objects beyond `keep` go back to malloc.
#ifndef PHX_BASE_POOL_H
#define PHX_BASE_POOL_H

#include <stddef.h>

struct pool {
    const char *name; // for show pools
    size_t size;      // object bytes, ≥ sizeof(void *)
    unsigned keep;    // free objects kept
    unsigned free_count;
    unsigned used; // taken minus put
    void *free_list;
};

#define POOL_INIT(name_, type, keep_)                                                                                  \
    {                                                                                                                  \
        .name = (name_), .size = sizeof(type), .keep = (keep_)                                                         \
    }

// Contents undefined; never NULL.
void *pool_take(struct pool *pool);
void *pool_take_zero(struct pool *pool);
void pool_put(struct pool *pool, void *obj);
// Frees all kept objects.
void pool_drain(struct pool *pool);

#endif
