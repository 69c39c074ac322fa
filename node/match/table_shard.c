// SPDX-License-Identifier: Apache-2.0
// One shard of a stick table: its cells, the chains that find them, and the wheel that knows which were not used for
// long. All under the shard's mutex.
//
// The wheel has 64 lists of entries by the time of their last use. Using an entry only writes that time; the entry
// moves when its old list comes up, to be expired or to give way. So both cost O(1) an entry.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "node/match/table_impl.h"

#define HEADS_LOG2_MIN 4
#define HEADS_LOG2_MAX 26
// Entries of the oldest list that are compared when one must give way.
#define EVICT_SAMPLE 16
#define EVICT_TRIES  64

static void *must(void *memory)
{
    if (!memory)
        PANIC("out of memory");
    return memory;
}

static int64_t granularity(const struct table *t)
{
    // Expiring tables: the lists but a few span the lifetime. Others: some hours, what is older shares a list.
    int64_t gran = t->expire_us ? t->expire_us / (TABLE_WHEEL_SLOTS - 8) : 60 * 1000000LL;
    return gran > 0 ? gran : 1;
}

static void wheel_init(struct table *t, struct shard *s)
{
    s->gran_us = granularity(t);
    s->wheel_base = 0;
    s->due_us = INT64_MAX;
    for (uint32_t i = 0; i < TABLE_WHEEL_SLOTS; i++)
        s->wheel[i] = (struct wheel_slot){WHEEL_END | i, WHEEL_END | i};
}

void shard_init(struct table *t, struct shard *s)
{
    pthread_mutex_init(&s->lock, NULL);
    s->layout = t->layout;
    s->heads_log2 = HEADS_LOG2_MIN;
    s->heads = must(malloc(sizeof(uint32_t) << HEADS_LOG2_MIN));
    memset(s->heads, 0xff, sizeof(uint32_t) << HEADS_LOG2_MIN);
    s->free = s->dirty_first = s->dirty_last = TABLE_NIL;
    wheel_init(t, s);
}

void shard_free(struct table *t, struct shard *s)
{
    for (uint32_t i = 0; i < s->fresh; i++)
        free(shard_cell(t, s, i)->words); // NULL in cells that are free
    for (uint32_t i = 0; i < s->chunk_count; i++)
        free(s->chunks[i]);
    free(s->chunks);
    free(s->heads);
    pthread_mutex_destroy(&s->lock);
}

struct table_entry *shard_cell(const struct table *t, const struct shard *s, uint32_t index)
{
    char *chunk = s->chunks[index / TABLE_CHUNK_CELLS];
    return (void *)(chunk + (size_t)(index % TABLE_CHUNK_CELLS) * t->cell_size);
}

static struct table_entry *take_cell(const struct table *t, struct shard *s)
{
    if (s->free != TABLE_NIL) {
        struct table_entry *e = shard_cell(t, s, s->free);
        s->free = e->next;
        return e;
    }
    if (s->fresh == s->chunk_count * TABLE_CHUNK_CELLS) {
        if (s->chunk_count == s->chunk_cap) {
            s->chunk_cap = s->chunk_cap ? s->chunk_cap * 2 : 4;
            s->chunks = must(realloc(s->chunks, s->chunk_cap * sizeof(*s->chunks)));
        }
        s->chunks[s->chunk_count++] = must(malloc((size_t)t->cell_size * TABLE_CHUNK_CELLS));
    }
    struct table_entry *e = shard_cell(t, s, s->fresh);
    e->index = s->fresh++;
    return e;
}

static void put_cell(struct shard *s, struct table_entry *e)
{
    e->words = NULL;
    e->next = s->free;
    s->free = e->index;
}

// ---- chains

static uint32_t *chain_of(const struct table *t, const struct shard *s, uint32_t hash)
{
    return &s->heads[(uint32_t)(hash << t->shards_log2) >> (32 - s->heads_log2)];
}

static void grow_heads(const struct table *t, struct shard *s)
{
    uint32_t *old = s->heads, count = 1u << s->heads_log2++;
    s->heads = must(malloc(sizeof(uint32_t) << s->heads_log2));
    memset(s->heads, 0xff, sizeof(uint32_t) << s->heads_log2);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t at = old[i], next; at != TABLE_NIL; at = next) {
            struct table_entry *e = shard_cell(t, s, at);
            uint32_t *head = chain_of(t, s, e->hash);
            next = e->next;
            e->next = *head;
            *head = at;
        }
    }
    free(old);
}

struct table_entry *shard_find(struct table *t, struct shard *s, uint64_t hash, struct str key)
{
    uint32_t upper = (uint32_t)(hash >> 32);
    for (uint32_t at = *chain_of(t, s, upper); at != TABLE_NIL;) {
        struct table_entry *e = shard_cell(t, s, at);
        if (e->hash == upper && str_eq(entry_key(e), key))
            return e;
        at = e->next;
    }
    return NULL;
}

void shard_each(struct table *t, struct shard *s, uint32_t from, uint32_t to, shard_each_fn *fn, void *arg)
{
    uint32_t *last = chain_of(t, s, to);
    for (uint32_t *head = chain_of(t, s, from); head <= last; head++) {
        for (uint32_t at = *head, next; at != TABLE_NIL; at = next) {
            struct table_entry *e = shard_cell(t, s, at);
            next = e->next;
            if (e->hash >= from && e->hash <= to)
                fn(arg, e);
        }
    }
}

// ---- wheel

static void wheel_unlink(struct table *t, struct shard *s, struct table_entry *e)
{
    if (e->older & WHEEL_END)
        s->wheel[e->older & ~WHEEL_END].first = e->newer;
    else
        shard_cell(t, s, e->older)->newer = e->newer;
    if (e->newer & WHEEL_END)
        s->wheel[e->newer & ~WHEEL_END].last = e->older;
    else
        shard_cell(t, s, e->newer)->older = e->older;
}

static uint32_t slot_of(int64_t tick)
{
    return (uint32_t)tick & (TABLE_WHEEL_SLOTS - 1);
}

// All of list `from` in front of list `to`.
static void wheel_splice(struct table *t, struct shard *s, uint32_t from, uint32_t to)
{
    struct wheel_slot *a = &s->wheel[from], *b = &s->wheel[to];
    if (a->first & WHEEL_END)
        return;
    if (b->first & WHEEL_END) {
        b->last = a->last;
        shard_cell(t, s, a->last)->newer = WHEEL_END | to;
    } else {
        shard_cell(t, s, a->last)->newer = b->first;
        shard_cell(t, s, b->first)->older = a->last;
    }
    b->first = a->first;
    shard_cell(t, s, a->first)->older = WHEEL_END | to;
    *a = (struct wheel_slot){WHEEL_END | from, WHEEL_END | from};
}

// Makes room for `tick`: lists that are too old by then join the next one.
static void wheel_advance(struct table *t, struct shard *s, int64_t tick)
{
    int64_t base = tick - (TABLE_WHEEL_SLOTS - 1);
    for (int i = 0; i < TABLE_WHEEL_SLOTS && s->wheel_base < base; i++) {
        wheel_splice(t, s, slot_of(s->wheel_base), slot_of(s->wheel_base + 1));
        s->wheel_base++;
    }
    if (s->wheel_base < base) {
        wheel_splice(t, s, slot_of(s->wheel_base), slot_of(base));
        s->wheel_base = base;
    }
}

static int64_t tick_of(const struct shard *s, int64_t us)
{
    return us > 0 ? us / s->gran_us : 0;
}

static void wheel_put(struct table *t, struct shard *s, struct table_entry *e, int64_t at_us)
{
    int64_t tick = tick_of(s, at_us);
    if (tick > s->wheel_base + TABLE_WHEEL_SLOTS - 1)
        wheel_advance(t, s, tick);
    if (tick < s->wheel_base)
        tick = s->wheel_base;
    uint32_t slot = slot_of(tick);
    struct wheel_slot *list = &s->wheel[slot];
    e->older = list->last;
    e->newer = WHEEL_END | slot;
    if (list->last & WHEEL_END)
        list->first = e->index;
    else
        shard_cell(t, s, list->last)->newer = e->index;
    list->last = e->index;
    int64_t due = (tick + 1) * s->gran_us + t->expire_us;
    if (t->expire_us && due < s->due_us)
        s->due_us = due;
}

void shard_rewheel(struct table *t, struct shard *s)
{
    uint32_t all = TABLE_NIL, last = TABLE_NIL; // linked by `newer`
    for (int64_t tick = s->wheel_base; tick < s->wheel_base + TABLE_WHEEL_SLOTS; tick++) {
        for (uint32_t at = s->wheel[slot_of(tick)].first; !(at & WHEEL_END);) {
            struct table_entry *e = shard_cell(t, s, at);
            if (last == TABLE_NIL)
                all = at;
            else
                shard_cell(t, s, last)->newer = at;
            last = at;
            at = e->newer;
        }
    }
    if (last != TABLE_NIL)
        shard_cell(t, s, last)->newer = TABLE_NIL;
    wheel_init(t, s);
    for (uint32_t at = all, next; at != TABLE_NIL; at = next) {
        struct table_entry *e = shard_cell(t, s, at);
        next = e->newer;
        wheel_put(t, s, e, e->used_us);
    }
}

// ---- coming and going

struct table_entry *shard_insert(struct table *t, struct shard *s, uint64_t hash, struct str key, int64_t used_us)
{
    if (s->cells >= 1u << s->heads_log2 && s->heads_log2 < HEADS_LOG2_MAX)
        grow_heads(t, s);
    struct table_entry *e = take_cell(t, s);
    uint32_t index = e->index;
    memset(e, 0, sizeof(*e));
    e->index = index;
    e->hash = (uint32_t)(hash >> 32);
    e->used_us = used_us;
    e->key_len = (uint16_t)key.len;
    e->dirty_next = TABLE_NIL;
    memcpy(e->key, key.ptr, key.len);
    uint32_t *head = chain_of(t, s, e->hash);
    e->next = *head;
    *head = index;
    wheel_put(t, s, e, used_us);
    shard_mark(t, s, e, 0);
    s->cells++;
    atomic_fetch_add_explicit(&t->count, 1, memory_order_relaxed);
    return e;
}

void shard_remove(struct table *t, struct shard *s, struct table_entry *e)
{
    ASSERT(e->refs == 0);
    uint32_t *link = chain_of(t, s, e->hash);
    while (*link != e->index)
        link = &shard_cell(t, s, *link)->next;
    *link = e->next;
    wheel_unlink(t, s, e);
    shard_mark(t, s, e, 0);
    s->cells--;
    if (e->flags & ENTRY_DELETED)
        s->tombstones--;
    else
        atomic_fetch_sub_explicit(&t->count, 1, memory_order_relaxed);
    s->block_bytes -= entry_block_words(s->layout, e) * sizeof(uint32_t);
    free(e->words);
    e->words = NULL;
    if (e->flags & ENTRY_DIRTY)
        e->flags |= ENTRY_ZOMBIE;
    else
        put_cell(s, e);
}

bool entry_expired(const struct table *t, const struct table_entry *e, int64_t now_us)
{
    return t->expire_us && e->refs == 0 && e->used_us + t->expire_us <= now_us;
}

unsigned shard_expire(struct table *t, struct shard *s, unsigned max, int64_t now_us)
{
    unsigned removed = 0, seen = 0;
    int64_t tick = s->wheel_base, end = tick + TABLE_WHEEL_SLOTS;
    for (; tick < end && (tick + 1) * s->gran_us + t->expire_us <= now_us; tick++) {
        uint32_t slot = slot_of(tick), at;
        while (!((at = s->wheel[slot].first) & WHEEL_END) && seen++ < max) {
            struct table_entry *e = shard_cell(t, s, at);
            if (entry_expired(t, e, now_us)) {
                shard_remove(t, s, e);
                removed++;
                continue;
            }
            wheel_unlink(t, s, e);
            wheel_put(t, s, e, e->refs ? now_us : e->used_us);
            if (s->wheel_base > tick) // the put advanced the wheel: this list is another one now
                return removed;
        }
        if (!(at & WHEEL_END))
            return removed;
    }
    while (tick < end && (s->wheel[slot_of(tick)].first & WHEEL_END))
        tick++;
    s->due_us = tick < end ? (tick + 1) * s->gran_us + t->expire_us : INT64_MAX;
    return removed;
}

// The least recently used of the first entries of a list; those that belong elsewhere by now are moved there.
static struct table_entry *eldest(struct table *t, struct shard *s, uint32_t slot, int64_t tick, int64_t now_us,
                                  unsigned *tries)
{
    struct table_entry *best = NULL;
    uint32_t at = s->wheel[slot].first;
    for (unsigned i = 0, seen = 0; i < EVICT_SAMPLE && seen < EVICT_TRIES && !(at & WHEEL_END); seen++) {
        struct table_entry *e = shard_cell(t, s, at);
        at = e->newer;
        int64_t place = e->refs ? now_us : e->used_us;
        if (tick_of(s, place) > tick && *tries > 0) {
            (*tries)--;
            wheel_unlink(t, s, e);
            wheel_put(t, s, e, place);
            if (s->wheel_base > tick)
                return best;
        } else if (!e->refs) {
            i++;
            if (!best || e->used_us < best->used_us)
                best = e;
        }
    }
    return best;
}

bool shard_evict(struct table *t, struct shard *s, int64_t now_us)
{
    unsigned tries = EVICT_TRIES;
    wheel_advance(t, s, tick_of(s, now_us));
    for (int64_t tick = s->wheel_base; tick < s->wheel_base + TABLE_WHEEL_SLOTS; tick++) {
        struct table_entry *e;
        do {
            e = eldest(t, s, slot_of(tick), tick, now_us, &tries);
        } while (!e && tries > 0 && tick_of(s, now_us) > tick && !(s->wheel[slot_of(tick)].first & WHEEL_END));
        if (e) {
            shard_remove(t, s, e);
            return true;
        }
    }
    return false;
}

// ---- changes

void shard_mark(struct table *t, struct shard *s, struct table_entry *e, uint32_t changed)
{
    unsigned bucket = entry_bucket(e);
    if (changed != CHANGED_USE)
        t->stale[bucket / 64] |= 1ULL << (bucket % 64);
    if (!changed || !t->replicated)
        return;
    e->changed |= changed;
    if (e->flags & ENTRY_DIRTY)
        return;
    e->flags |= ENTRY_DIRTY;
    e->dirty_next = TABLE_NIL;
    if (s->dirty_first == TABLE_NIL)
        s->dirty_first = e->index;
    else
        shard_cell(t, s, s->dirty_last)->dirty_next = e->index;
    s->dirty_last = e->index;
    atomic_fetch_add_explicit(&s->dirty_count, 1, memory_order_relaxed);
}

struct table_entry *shard_pop_dirty(struct table *t, struct shard *s)
{
    while (s->dirty_first != TABLE_NIL) {
        struct table_entry *e = shard_cell(t, s, s->dirty_first);
        s->dirty_first = e->dirty_next;
        atomic_fetch_sub_explicit(&s->dirty_count, 1, memory_order_relaxed);
        e->flags &= (uint8_t)~ENTRY_DIRTY;
        if (!(e->flags & ENTRY_ZOMBIE))
            return e;
        put_cell(s, e);
    }
    s->dirty_last = TABLE_NIL;
    return NULL;
}
