// SPDX-License-Identifier: Apache-2.0
// Digests of a stick table's buckets: equal on two nodes when they hold the same keys with the same counts, tags and
// servers. Computed when asked for, from the entries of buckets that changed since. Rates, lifetimes and local numbers
// of nodes and servers do not enter.
#include <stdlib.h>

#include "node/match/table_impl.h"

struct summing {
    struct table *table;
    const struct layout *layout;
    mono_t now;
    uint64_t sum;
};

static uint64_t mix(uint64_t state, uint64_t word)
{
    return hash_mix64(state ^ word) * 0x9e3779b97f4a7c15ULL;
}

static uint64_t row_digest(const struct table *t, const struct layout *l, uint32_t *row, bool fold)
{
    uint64_t id = words_get64(row);
    uint64_t x = mix(t->nodes[ROW_NODE(id)].name_hash, ROW_BIRTH(id));
    if (fold)
        x = mix(x + 1, fold_target(row));
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        if (!column_is_counter(c) && (fold || c->kind != COLUMN_GAUGE))
            continue;
        for (unsigned i = 0; i < c->elements; i++) {
            uint32_t *cell = fold ? fold_cell(row, c, i) : row_cell(row, c, i);
            uint64_t v = cell_get(c, cell, 0);
            if (c->kind == COLUMN_GAUGE && v)
                v = mix(v, cell_get(c, cell, 1));
            if (v) // so that a column more on one node does no harm while it is zero
                x = mix(x, v ^ (uint64_t)d << 56 ^ (uint64_t)i << 48);
        }
    }
    return x;
}

static void add_entry(void *arg, struct table_entry *e)
{
    struct summing *s = arg;
    const struct layout *l = s->layout;
    if (entry_expired(s->table, e, s->now.us))
        return;
    uint64_t x = 0; // sums of parts, since their order differs between nodes
    for (unsigned r = 0; r < e->rows; r++)
        x += row_digest(s->table, l, entry_row(l, e, r), false);
    for (unsigned f = 0; f < e->folds; f++)
        x += row_digest(s->table, l, entry_fold(l, e, f), true);
    if (e->flags & ENTRY_FLOOR)
        x += mix(1, words_get64(entry_floor(e)));
    if (e->flags & ENTRY_SERVER) {
        struct str name = dict_name(&s->table->dict, entry_server(e)[2]);
        x += mix(hash64(name.ptr, name.len, 2), words_get64(entry_server(e)));
    }
    for (unsigned i = 0; (e->flags & ENTRY_TAGS) && i < l->tags; i++) {
        uint32_t *tag = entry_tag(l, e, i);
        if (words_get64(tag))
            x += mix(mix(3 + i, tag[2]), words_get64(tag));
    }
    struct str key = entry_key(e);
    s->sum += mix(hash64(key.ptr, key.len, 4), x) | 1; // never all zero
}

uint64_t table_digest(struct table *t, unsigned bucket, mono_t now)
{
    ASSERT(bucket < TABLE_BUCKETS);
    uint32_t from = (uint32_t)bucket << (32 - TABLE_BUCKETS_LOG2), to = from | UINT32_MAX >> TABLE_BUCKETS_LOG2;
    struct shard *s = table_shard(t, (uint64_t)from << 32);
    uint64_t bit = 1ULL << (bucket % 64);
    pthread_mutex_lock(&t->nodes_lock);
    if (!t->digests) {
        t->digests = calloc(TABLE_BUCKETS, sizeof(*t->digests));
        if (!t->digests)
            PANIC("out of memory");
    }
    pthread_mutex_unlock(&t->nodes_lock);
    pthread_mutex_lock(&s->lock);
    if (t->stale[bucket / 64] & bit) {
        struct summing sum = {t, s->layout, now, 0};
        shard_each(t, s, from, to, add_entry, &sum);
        t->digests[bucket] = sum.sum;
        t->stale[bucket / 64] &= ~bit;
    }
    uint64_t digest = t->digests[bucket];
    pthread_mutex_unlock(&s->lock);
    return digest;
}
