// SPDX-License-Identifier: Apache-2.0
// Walking over a stick table: in order of the keys' hashes, so that a walk can stop and go on while entries come and
// go and shards grow. A bucket of the digests at a time is collected under the lock and visited outside of it.
#include <stdlib.h>

#include "node/match/table_impl.h"

struct stop { // one entry of a bucket, pinned
    uint64_t hash;
    struct table_entry *entry;
};

struct collection {
    struct table *table;
    mono_t now;
    uint64_t from;
    struct stop *stops;
    size_t count, cap;
};

static void collect(void *arg, struct table_entry *e)
{
    struct collection *c = arg;
    uint64_t hash = table_hash(c->table, entry_key(e));
    if (hash < c->from || (e->flags & ENTRY_DELETED) || entry_expired(c->table, e, c->now.us))
        return;
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->stops = realloc(c->stops, c->cap * sizeof(*c->stops));
        if (!c->stops)
            PANIC("out of memory");
    }
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    c->stops[c->count++] = (struct stop){hash, e};
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct stop *)a)->hash, y = ((const struct stop *)b)->hash;
    return x < y ? -1 : x > y;
}

// *cursor is the least hash not visited yet; 0 also after the last one, which the result tells from the start.
bool table_walk(struct table *t, uint64_t *cursor, unsigned max, mono_t now, table_visit_fn *fn, void *arg)
{
    struct collection c = {.table = t, .now = now};
    bool go_on = true;
    unsigned visited = 0;
    do {
        uint64_t bucket = *cursor >> (64 - TABLE_BUCKETS_LOG2);
        uint32_t last = (uint32_t)(bucket << (32 - TABLE_BUCKETS_LOG2)) | UINT32_MAX >> TABLE_BUCKETS_LOG2;
        struct shard *s = table_shard(t, *cursor);
        c.from = *cursor;
        c.count = 0;
        pthread_mutex_lock(&s->lock);
        shard_each(t, s, (uint32_t)(*cursor >> 32), last, collect, &c);
        pthread_mutex_unlock(&s->lock);
        if (c.count > 1)
            qsort(c.stops, c.count, sizeof(*c.stops), by_hash);
        *cursor = ((uint64_t)last + 1) << 32;
        for (size_t i = 0; i < c.count; i++) {
            if (go_on && visited < max) {
                visited++;
                go_on = fn(arg, t, c.stops[i].entry);
                if ((!go_on || visited == max) && i + 1 < c.count)
                    *cursor = c.stops[i].hash + 1;
            }
            table_release(t, &c.stops[i].entry);
        }
    } while (go_on && visited < max && *cursor != 0);
    free(c.stops);
    return *cursor != 0;
}
