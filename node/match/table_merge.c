// SPDX-License-Identifier: Apache-2.0
// Stick tables between nodes: changes go out as updates, updates of others come in. What the numbers mean is in
// table_slot.c.
#include "node/match/table_merge.h"

#include <stdlib.h>
#include <string.h>

#include "node/match/table_impl.h"

// ---- out

#define REGISTERS_MAX 101 // a gpt array and a server

struct table_scratch {
    uint64_t *values;
    size_t count, cap;
    struct table_row rows[2 * TABLE_ROWS_MAX];
    size_t first_value[2 * TABLE_ROWS_MAX]; // while values may move
    struct table_register registers[REGISTERS_MAX];
    struct table_update update;
};

struct table_scratch *table_scratch_create(void)
{
    struct table_scratch *s = calloc(1, sizeof(*s));
    if (!s)
        PANIC("out of memory");
    return s;
}

void table_scratch_destroy(struct table_scratch **s)
{
    if (*s)
        free((*s)->values);
    free(*s);
    *s = NULL;
}

static uint64_t *scratch_values(struct table_scratch *x, size_t more)
{
    if (x->count + more > x->cap) {
        x->cap = (x->cap + more) * 2;
        x->values = realloc(x->values, x->cap * sizeof(*x->values));
        if (!x->values)
            PANIC("out of memory");
    }
    x->count += more;
    return x->values + x->count - more;
}

static void put_cell_values(struct table_scratch *x, const struct column *c, const uint32_t *cell, mono_t now)
{
    uint64_t *v = scratch_values(x, column_values(c));
    if (column_is_rate(c)) {
        struct rate r = rate_load(c, cell);
        rate_rotate(&r, c->period_ms, now);
        v[0] = r.current;
        v[1] = r.previous;
        v[2] = rate_age_ms(r, now);
    } else {
        v[0] = cell_get(c, cell, 0);
        if (c->kind == COLUMN_GAUGE)
            v[1] = cell_get(c, cell, 1);
    }
}

static bool column_in_rows(const struct column *c, bool fold)
{
    return column_is_counter(c) || (!fold && (column_is_rate(c) || c->kind == COLUMN_GAUGE));
}

static void put_row(struct table_scratch *x, const struct layout *l, uint32_t *words, bool fold, uint32_t columns,
                    mono_t now)
{
    uint64_t id = words_get64(words);
    struct table_row *row = &x->rows[x->update.row_count];
    *row = (struct table_row){.node = ROW_NODE(id), .fold = fold, .birth = ROW_BIRTH(id)};
    row->target = fold ? fold_target(words) : 0;
    x->first_value[x->update.row_count] = x->count;
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        if (!(columns >> d & 1) || !column_in_rows(c, fold))
            continue;
        row->columns |= 1u << d;
        for (unsigned i = 0; i < c->elements; i++)
            put_cell_values(x, c, fold ? fold_cell(words, c, i) : row_cell(words, c, i), now);
    }
    if (row->columns || fold)
        x->update.row_count++;
}

static void put_registers(struct table *t, struct table_scratch *x, const struct layout *l, struct table_entry *e,
                          uint32_t columns)
{
    struct table_update *u = &x->update;
    uint32_t *server = columns >> TD_SERVER_KEY & 1 ? entry_server(e) : NULL;
    if (server)
        x->registers[u->register_count++] = (struct table_register){
            .data = TD_SERVER_KEY, .server = dict_name(&t->dict, server[2]), .stamp = words_get64(server)};
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        for (unsigned i = 0; c->kind == COLUMN_TAG && i < c->elements && (columns >> d & 1); i++) {
            uint32_t *tag = entry_tag(l, e, c->at + i);
            if (tag && words_get64(tag) && u->register_count < REGISTERS_MAX)
                x->registers[u->register_count++] = (struct table_register){
                    .data = (uint8_t)d, .index = (uint8_t)i, .value = tag[2], .stamp = words_get64(tag)};
        }
    }
}

// `changed` as in the entry. Our own open row carries the changed columns; rows of others are sent by `whole` alone.
static const struct table_update *describe(struct table *t, const struct shard *s, struct table_scratch *x,
                                           struct table_entry *e, uint32_t changed, bool whole, mono_t now)
{
    const struct layout *l = s->layout;
    struct table_update *u = &x->update;
    int64_t left = t->expire_us ? (e->used_us + t->expire_us - now.us) / 1000 : -1;
    *u = (struct table_update){.key = entry_key(e), .registers = x->registers, .rows = x->rows};
    u->remaining_ms = t->expire_us && e->refs ? t->expire_us / 1000 : t->expire_us && left < 0 ? 0 : left;
    u->deleted = e->flags & ENTRY_FLOOR ? words_get64(entry_floor(e)) : 0;
    x->count = 0;
    put_registers(t, x, l, e, changed);
    for (unsigned r = 0; r < e->rows; r++) {
        uint32_t *words = entry_row(l, e, r);
        bool own = r == 0 && (e->flags & ENTRY_OPEN);
        if (whole || (own && changed != CHANGED_USE))
            put_row(x, l, words, false, whole ? ~0u : changed, now);
    }
    for (unsigned f = 0; f < e->folds && (whole || (changed & CHANGED_FOLDS)); f++)
        put_row(x, l, entry_fold(l, e, f), true, ~0u, now);
    for (unsigned r = 0; r < u->row_count; r++)
        x->rows[r].values = x->values + x->first_value[r];
    return u;
}

static unsigned drain_shard(struct table *t, struct shard *s, struct table_scratch *x, unsigned max, mono_t now,
                            table_update_fn *fn, void *arg)
{
    unsigned taken = 0;
    if (atomic_load_explicit(&s->dirty_count, memory_order_relaxed) == 0)
        return 0;
    pthread_mutex_lock(&s->lock);
    for (struct table_entry *e; taken < max && (e = shard_pop_dirty(t, s)) != NULL; taken++) {
        fn(arg, describe(t, s, x, e, e->changed, false, now));
        e->changed = 0;
    }
    pthread_mutex_unlock(&s->lock);
    return taken;
}

unsigned table_drain(struct table *t, struct table_scratch *x, unsigned max, mono_t now, table_update_fn *fn, void *arg)
{
    unsigned shards = 1u << t->shards_log2, taken = 0, i;
    for (i = 0; i < shards && taken < max; i++)
        taken += drain_shard(t, &t->shards[(t->drain_next + i) % shards], x, max - taken, now, fn, arg);
    t->drain_next = (t->drain_next + i) % shards;
    return taken;
}

uint64_t table_dirty_count(const struct table *t)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 1u << t->shards_log2; i++)
        n += atomic_load_explicit(&t->shards[i].dirty_count, memory_order_relaxed);
    return n;
}

struct dump {
    struct table *table;
    struct shard *shard;
    struct table_scratch *scratch;
    mono_t now;
    table_update_fn *fn;
    void *arg;
    unsigned count;
};

static void dump_entry(void *arg, struct table_entry *e)
{
    struct dump *d = arg;
    if (entry_expired(d->table, e, d->now.us))
        return;
    d->fn(d->arg, describe(d->table, d->shard, d->scratch, e, ~0u, true, d->now));
    d->count++;
}

unsigned table_dump_bucket(struct table *t, struct table_scratch *x, unsigned bucket, mono_t now, table_update_fn *fn,
                           void *arg)
{
    ASSERT(bucket < TABLE_BUCKETS);
    uint32_t from = (uint32_t)bucket << (32 - TABLE_BUCKETS_LOG2), to = from | UINT32_MAX >> TABLE_BUCKETS_LOG2;
    struct shard *s = table_shard(t, (uint64_t)from << 32);
    struct dump d = {t, s, x, now, fn, arg, 0};
    pthread_mutex_lock(&s->lock);
    shard_each(t, s, from, to, dump_entry, &d);
    pthread_mutex_unlock(&s->lock);
    return d.count;
}

// ---- in

// Stamps of others move our clock, so that what is done after seeing them is newer. Far ahead: refused.
static bool see_stamp(struct table *t, uint64_t stamp, mono_t now)
{
    int64_t limit = now.us + t->clock_offset_us + TABLE_AHEAD_MAX_US;
    if (stamp == 0 || stamp >= STAMP_MAX || (int64_t)stamp > limit)
        return false;
    uint64_t last = t->last_stamp;
    while (last < stamp && !atomic_compare_exchange_weak(&t->last_stamp, &last, stamp))
        ;
    return true;
}

static bool merge_rate(const struct column *c, uint32_t *cell, const uint64_t *v, mono_t now)
{
    struct rate r = rate_load(c, cell);
    uint32_t age = v[2] > UINT32_MAX ? UINT32_MAX : (uint32_t)v[2];
    bool news = rate_merge(&r, v[0], v[1], age, c->period_ms, now);
    rate_store(c, cell, &r);
    return news;
}

static bool merge_cell(const struct column *c, uint32_t *cell, const uint64_t *v, mono_t now)
{
    if (column_is_rate(c))
        return merge_rate(c, cell, v, now);
    bool news = false;
    for (unsigned part = 0; part < column_values(c); part++) {
        if (v[part] > cell_get(c, cell, part)) {
            cell_set(c, cell, part, v[part]);
            news = true;
        }
    }
    // A gauge that says more closed than opened is a lie; its difference must not wrap.
    if (c->kind == COLUMN_GAUGE && cell_get(c, cell, 1) > cell_get(c, cell, 0))
        cell_set(c, cell, 1, cell_get(c, cell, 0));
    return news;
}

static bool merge_cells(const struct layout *l, const struct table_shape *shape, uint32_t *words,
                        const struct table_row *row, mono_t now)
{
    const uint64_t *v = row->values;
    bool news = false;
    for (unsigned d = 0; d < TD_COUNT; d++) {
        if (!(row->columns >> d & 1))
            continue;
        const struct column *c = &l->columns[d];
        unsigned step = table_data_values(d), elements = shape->data[d].elements;
        bool same = column_in_rows(c, row->fold) && (!column_is_rate(c) || c->period_ms == shape->data[d].period_ms);
        for (unsigned i = 0; same && i < elements && i < c->elements; i++)
            news |=
                merge_cell(c, row->fold ? fold_cell(words, c, i) : row_cell(words, c, i), v + (size_t)i * step, now);
        v += (size_t)elements * step;
    }
    return news;
}

static uint32_t *find_or_add(struct shard *s, struct table_entry *e, const struct table_row *row, bool *added)
{
    uint64_t id = row_id(row->node, row->birth);
    uint32_t *words = row->fold ? entry_fold_by_id(s->layout, e, id, row->target) : entry_row_by_id(s->layout, e, id);
    if (words || slot_is_void(s->layout, e, row->node, row->birth))
        return words;
    *added = true;
    return row->fold ? entry_add_fold(s, e, id, row->target) : entry_add_row(s, e, id);
}

static bool merge_row(struct table *t, struct shard *s, struct table_entry *e, const struct table_shape *shape,
                      const struct table_row *row, mono_t now)
{
    uint32_t *floor = entry_floor(e);
    bool added = false;
    if (row->node >= t->node_count || !see_stamp(t, row->birth, now) || (floor && row->birth <= words_get64(floor)))
        return false;
    if (row->fold && row->target && (row->target <= row->birth || !see_stamp(t, row->target, now)))
        return false;
    uint32_t *words = find_or_add(s, e, row, &added);
    if (!words)
        return false;
    return merge_cells(s->layout, shape, words, row, now) || added;
}

static bool merge_server(struct table *t, struct shard *s, struct table_entry *e, const struct table_register *r)
{
    uint32_t *w = entry_server(e), id = dict_id(&t->dict, str_slice(r->server, 0, 255));
    if (w && (words_get64(w) > r->stamp ||
              (words_get64(w) == r->stamp && str_cmp(dict_name(&t->dict, w[2]), r->server) >= 0)))
        return false;
    w = entry_add_server(s, e);
    words_set64(w, r->stamp);
    w[2] = id;
    return true;
}

static bool merge_tag(struct shard *s, struct table_entry *e, const struct table_register *r)
{
    unsigned index = r->index;
    const struct column *c = layout_find(s->layout, r->data, &index);
    if (!c || c->kind != COLUMN_TAG)
        return false;
    uint32_t *w = entry_add_tag(s, e, c->at + index);
    if (words_get64(w) > r->stamp || (words_get64(w) == r->stamp && w[2] >= r->value))
        return false;
    words_set64(w, r->stamp);
    w[2] = r->value;
    return true;
}

static bool merge_register(struct table *t, struct shard *s, struct table_entry *e, const struct table_register *r,
                           mono_t now)
{
    uint32_t *floor = entry_floor(e);
    if (r->data >= TD_COUNT || !see_stamp(t, r->stamp, now) || (floor && r->stamp <= words_get64(floor)))
        return false;
    return r->data == TD_SERVER_KEY ? merge_server(t, s, e, r) : merge_tag(s, e, r);
}

// ---- deletions

// Tombstones a shard keeps at least; beyond that an eighth of its share of the table.
#define TOMBSTONES_MIN 128

static void become_tombstone(struct table *t, struct shard *s, struct table_entry *e)
{
    e->flags |= ENTRY_DELETED;
    s->tombstones++;
    atomic_fetch_sub_explicit(&t->count, 1, memory_order_relaxed);
}

// Too many deletions to remember each: from now on keys that are not held and not newer than this one are refused.
static void forget_tombstone(struct table *t, struct shard *s, struct table_entry *e, uint64_t stamp)
{
    uint64_t floor = t->floor;
    while (floor < stamp && !atomic_compare_exchange_weak(&t->floor, &floor, stamp))
        ;
    shard_remove(t, s, e);
}

static void set_floor(struct shard *s, struct table_entry *e, uint64_t stamp)
{
    words_set64(entry_add_floor(s, e), stamp);
    slot_drop_until(s, e, stamp);
}

void table_bury(struct table *t, struct shard *s, struct table_entry *e, uint64_t stamp)
{
    set_floor(s, e, stamp);
    become_tombstone(t, s, e);
    shard_mark(t, s, e, ~0u);
    uint64_t most = (t->size >> t->shards_log2) / 8;
    if (s->tombstones > (most > TOMBSTONES_MIN ? most : TOMBSTONES_MIN))
        forget_tombstone(t, s, e, stamp);
}

static bool merge_deletion(struct table *t, struct shard *s, struct table_entry *e, uint64_t stamp, mono_t now)
{
    uint32_t *floor = entry_floor(e);
    if (!stamp || !see_stamp(t, stamp, now) || (floor && stamp <= words_get64(floor)))
        return false;
    set_floor(s, e, stamp);
    return true;
}

// ---- one update

static bool has_data(const struct table_entry *e)
{
    return e->rows + e->folds > 0 || (e->flags & (ENTRY_SERVER | ENTRY_TAGS));
}

// Whether an update for a key that is not held makes an entry: it must live, and be newer than forgotten deletions.
static bool worth_an_entry(const struct table *t, const struct table_update *u)
{
    if (t->expire_us && u->remaining_ms <= 0)
        return false;
    if (t->floor == 0)
        return true;
    for (uint32_t i = 0; i < u->row_count; i++)
        if (u->rows[i].birth > t->floor)
            return true;
    for (uint32_t i = 0; i < u->register_count; i++)
        if (u->registers[i].stamp > t->floor)
            return true;
    return false;
}

// The time of last use that an update speaks of.
static int64_t used_at(const struct table *t, int64_t remaining_ms, mono_t now)
{
    int64_t full = t->expire_us / 1000;
    if (full == 0 || remaining_ms < 0 || remaining_ms > full)
        return now.us;
    return now.us - (full - remaining_ms) * 1000;
}

static bool merge_into(struct table *t, struct shard *s, struct table_entry *e, const struct table_shape *shape,
                       const struct table_update *u, mono_t now)
{
    bool news = merge_deletion(t, s, e, u->deleted, now);
    for (uint32_t i = 0; i < u->row_count; i++)
        news |= merge_row(t, s, e, shape, &u->rows[i], now);
    // Rows before folds: a fold of ours tells what another life of this node already took over.
    for (uint32_t i = 0; i < u->row_count; i++)
        if (i == 0 || u->rows[i].node != u->rows[i - 1].node)
            slot_settle(t, s, e, u->rows[i].node, now);
    for (uint32_t i = 0; i < u->register_count; i++)
        news |= merge_register(t, s, e, &u->registers[i], now);
    bool deleted = e->flags & ENTRY_DELETED;
    if (!deleted && news && (e->flags & ENTRY_FLOOR) && !has_data(e) && e->refs == 0) {
        become_tombstone(t, s, e);
    } else if (deleted && has_data(e)) {
        e->flags &= (uint8_t)~ENTRY_DELETED;
        s->tombstones--;
        atomic_fetch_add_explicit(&t->count, 1, memory_order_relaxed);
    }
    if (news)
        shard_mark(t, s, e, 0);
    // Its list of the wheel looks at this when it comes up.
    int64_t used = used_at(t, u->remaining_ms, now);
    if (used > e->used_us && (t->expire_us || news))
        e->used_us = used;
    return news;
}

// Others' entries never push out ours: a full table takes none but in place of what expired.
bool table_merge(struct table *t, const struct table_shape *shape, const struct table_update *u, mono_t now)
{
    if (u->key.len > t->key_len || (u->key.len != t->key_len && t->key_type != TKEY_STR))
        return false;
    uint64_t hash = table_hash(t, u->key);
    struct shard *s = table_shard(t, hash);
    bool news = false;
    pthread_mutex_lock(&s->lock);
    struct table_entry *e = shard_find(t, s, hash, u->key);
    if (e && entry_expired(t, e, now.us)) {
        shard_remove(t, s, e);
        e = NULL;
    }
    if (!e && worth_an_entry(t, u)) {
        if (table_count(t) >= t->size && t->expire_us)
            shard_expire(t, s, 8, now.us);
        if (table_count(t) < t->size)
            e = shard_insert(t, s, hash, u->key, used_at(t, u->remaining_ms, now));
        news = e != NULL;
    }
    if (e)
        news |= merge_into(t, s, e, shape, u, now);
    pthread_mutex_unlock(&s->lock);
    return news;
}
