// SPDX-License-Identifier: Apache-2.0
// Which nodes count in a stick table, and this node's own life there. Between nodes they go by name; inside, a number
// of seven bits, 0 = this node. Numbers are never taken back: a cluster has few names.
#include <stdlib.h>

#include "node/match/table_impl.h"

static void name_node(struct table_node *n, struct str name)
{
    free(n->name);
    n->name = str_dup(name);
    n->name_hash = hash64(name.ptr, name.len, 1);
}

unsigned table_node_index(struct table *t, struct str name)
{
    if (name.len == 0)
        return TABLE_NO_NODE;
    pthread_mutex_lock(&t->nodes_lock);
    unsigned i = 0, count = t->node_count;
    while (i < count && !str_is(name, t->nodes[i].name))
        i++;
    if (i == count && count < TABLE_NODES_MAX) {
        name_node(&t->nodes[i], name);
        t->node_count = count + 1;
    } else if (i == count) {
        i = TABLE_NO_NODE;
    }
    pthread_mutex_unlock(&t->nodes_lock);
    return i;
}

struct str table_node_name(const struct table *t, unsigned node)
{
    ASSERT(node < t->node_count);
    return str_of(t->nodes[node].name);
}

unsigned table_node_count(const struct table *t)
{
    return t->node_count;
}

static void stale_all(struct table *t)
{
    for (unsigned i = 0; i < 1u << t->shards_log2; i++) {
        unsigned words = TABLE_BUCKETS / 64 >> t->shards_log2;
        pthread_mutex_lock(&t->shards[i].lock);
        for (unsigned w = 0; w < words; w++)
            t->stale[i * words + w] = UINT64_MAX;
        pthread_mutex_unlock(&t->shards[i].lock);
    }
}

void table_set_node(struct table *t, unsigned node, bool alive, uint64_t boot)
{
    ASSERT(node > 0 && node < t->node_count);
    t->nodes[node].dead = !alive;
    if (boot)
        t->nodes[node].boot = boot;
}

struct rebirth {
    struct table *table;
    struct shard *shard;
    mono_t now;
};

static void rebirth(void *arg, struct table_entry *e)
{
    struct rebirth *r = arg;
    slot_rebirth(r->table, r->shard, e, r->now);
}

// What was counted before under another boot or none goes to births of this one.
static void rebirth_all(struct table *t, mono_t now)
{
    for (unsigned i = 0; i < 1u << t->shards_log2; i++) {
        struct shard *s = &t->shards[i];
        uint32_t span = UINT32_MAX >> t->shards_log2;
        pthread_mutex_lock(&s->lock);
        shard_each(t, s, i * (span + 1u), i * (span + 1u) + span, rebirth, &(struct rebirth){t, s, now});
        pthread_mutex_unlock(&s->lock);
    }
}

void table_set_identity(struct table *t, struct str self, uint64_t boot, mono_t now, int64_t wall_us)
{
    CHECK_OBJ(t, TABLE_MAGIC);
    uint64_t last = t->last_stamp, least = boot < STAMP_MAX ? boot : STAMP_MAX - 1;
    bool raised = least > t->nodes[0].boot;
    t->clock_offset_us = wall_us - now.us;
    while (last < least && !atomic_compare_exchange_weak(&t->last_stamp, &last, least))
        ;
    pthread_mutex_lock(&t->nodes_lock);
    if (!str_is(self, t->nodes[0].name))
        name_node(&t->nodes[0], self);
    t->nodes[0].boot = least;
    pthread_mutex_unlock(&t->nodes_lock);
    bool began = !t->replicated;
    t->replicated = true;
    if (began || raised)
        rebirth_all(t, now);
    if (began)
        stale_all(t);
}
