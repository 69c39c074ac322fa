// SPDX-License-Identifier: Apache-2.0
// Pool: the first word of a free object links to the next one.
#include "node/base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/asan.h"
#include "node/base/panic.h"

void *pool_take(struct pool *pool)
{
    void **obj = pool->free_list;
    pool->used++;
    if (obj) {
        pool->free_list = *obj;
        pool->free_count--;
        ASAN_UNPOISON(obj, pool->size);
        return obj;
    }
    ASSERT(pool->size >= sizeof(void *));
    obj = malloc(pool->size);
    if (!obj)
        PANIC("out of memory: %zu bytes for %s", pool->size, pool->name);
    return obj;
}

void *pool_take_zero(struct pool *pool)
{
    return memset(pool_take(pool), 0, pool->size);
}

void pool_put(struct pool *pool, void *obj)
{
    // Wraps below zero in a pool that got objects of others; the sum over all pools is right.
    pool->used--;
    if (pool->free_count >= pool->keep) {
        free(obj);
        return;
    }
    *(void **)obj = pool->free_list;
    pool->free_list = obj;
    pool->free_count++;
    ASAN_POISON((char *)obj + sizeof(void *), pool->size - sizeof(void *));
}

void pool_drain(struct pool *pool)
{
    while (pool->free_list) {
        void **obj = pool->free_list;
        pool->free_list = *obj;
        free(obj);
    }
    pool->free_count = 0;
}
