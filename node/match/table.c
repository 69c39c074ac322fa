// SPDX-License-Identifier: Apache-2.0
// Stick tables: life of a table, and what rules do with entries. Each function finds the entry's shard, takes its mutex
// and leaves the work to table_shard.c (where entries are) and table_slot.c (what they hold). Other nodes' part is in
// table_merge.c.
#include "node/match/table.h"

#include <stdlib.h>
#include <string.h>

#include "node/match/table_impl.h"

static void lock(struct shard *s)
{
    pthread_mutex_lock(&s->lock);
}

static void unlock(struct shard *s)
{
    pthread_mutex_unlock(&s->lock);
}

static unsigned shard_count(const struct table *t)
{
    return 1u << t->shards_log2;
}

// ---- life

static uint32_t key_max(enum table_key type, uint32_t key_len)
{
    static const uint8_t fixed[] = {[TKEY_IPV4] = 4, [TKEY_IPV6] = 16, [TKEY_INT] = 8};
    if (type == TKEY_STR || type == TKEY_BIN)
        return key_len ? key_len : 32;
    return fixed[type];
}

static void copy_config(struct table *t, const struct cfg_table *cfg)
{
    free(t->peers);
    t->peers = str_dup(cfg->peers);
    t->config = *cfg;
    t->config.peers = str_make(t->peers, cfg->peers.len);
    t->config.cluster = NULL; // belongs to a snapshot
    t->config.key_len = t->key_len;
    t->size = cfg->size ? cfg->size : 1;
    t->expire_us = cfg->expire_ms > 0 ? cfg->expire_ms * 1000 : 0;
    t->nopurge = cfg->nopurge;
}

struct table *table_create(struct str name, const struct cfg_table *cfg)
{
    // Small tables have few shards: less memory, and the one that gives way is the oldest of all.
    unsigned shards_log2 = 0;
    while (1u << shards_log2 < TABLE_SHARDS_MAX && cfg->size >> (10 + shards_log2) > 0)
        shards_log2++;
    size_t bytes = sizeof(struct table) + (sizeof(struct shard) << shards_log2);
    struct table *t = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!t)
        PANIC("out of memory");
    memset(t, 0, bytes);
    t->magic = TABLE_MAGIC;
    t->refs = 1;
    t->name = str_dup(name);
    t->key_type = cfg->key;
    t->key_len = key_max(cfg->key, cfg->key_len);
    t->cell_size = (uint32_t)(offsetof(struct table_entry, key) + t->key_len + 7) & ~7u;
    if (t->cell_size < sizeof(struct table_entry))
        t->cell_size = sizeof(struct table_entry);
    t->seed = hash64(name.ptr, name.len, 0); // the same on all nodes
    t->shards_log2 = shards_log2;
    copy_config(t, cfg);
    t->layout = layout_create(cfg);
    memset(t->stale, 0xff, sizeof(t->stale));
    pthread_mutex_init(&t->nodes_lock, NULL);
    t->nodes[0].name = str_dup(STR_NONE);
    t->node_count = 1;
    dict_init(&t->dict);
    for (unsigned i = 0; i < shard_count(t); i++)
        shard_init(t, &t->shards[i]);
    return t;
}

struct table *table_ref(struct table *t)
{
    CHECK_OBJ(t, TABLE_MAGIC);
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void table_unref(struct table **tp)
{
    struct table *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    CHECK_OBJ(t, TABLE_MAGIC);
    if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    t->magic = 0;
    for (unsigned i = 0; i < shard_count(t); i++)
        shard_free(t, &t->shards[i]);
    for (unsigned i = 0; i < t->node_count; i++)
        free(t->nodes[i].name);
    pthread_mutex_destroy(&t->nodes_lock);
    dict_free(&t->dict);
    free(t->digests);
    free(t->layout);
    free(t->peers);
    free(t->name);
    free(t);
}

struct migration {
    struct shard *shard;
    const struct layout *to;
};

static void migrate(void *arg, struct table_entry *e)
{
    struct migration *m = arg;
    layout_migrate(m->shard, e, m->to);
}

bool table_reconfigure(struct table *t, const struct cfg_table *cfg)
{
    CHECK_OBJ(t, TABLE_MAGIC);
    if (cfg->key != t->key_type || key_max(cfg->key, cfg->key_len) != t->key_len)
        return false;
    struct layout *old = t->layout;
    t->layout = layout_create(cfg);
    copy_config(t, cfg);
    for (unsigned i = 0; i < shard_count(t); i++) {
        struct shard *s = &t->shards[i];
        uint32_t span = UINT32_MAX >> t->shards_log2;
        lock(s);
        shard_each(t, s, i * (span + 1u), i * (span + 1u) + span, migrate, &(struct migration){s, t->layout});
        s->layout = t->layout;
        shard_rewheel(t, s);
        unsigned words = TABLE_BUCKETS / 64 >> t->shards_log2; // of the buckets of this shard
        memset(t->stale + i * words, 0xff, words * sizeof(*t->stale));
        unlock(s);
    }
    free(old);
    return true;
}

struct str table_name(const struct table *t)
{
    return str_of(t->name);
}

const struct cfg_table *table_config(const struct table *t)
{
    return &t->config;
}

uint64_t table_count(const struct table *t)
{
    return atomic_load_explicit(&t->count, memory_order_relaxed);
}

uint64_t table_size(const struct table *t)
{
    return t->size;
}

uint64_t table_memory(const struct table *t)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < shard_count(t); i++) {
        struct shard *s = (struct shard *)&t->shards[i];
        lock(s);
        bytes += s->block_bytes + (sizeof(uint32_t) << s->heads_log2) + s->chunk_cap * sizeof(*s->chunks);
        bytes += (uint64_t)s->chunk_count * TABLE_CHUNK_CELLS * t->cell_size;
        unlock(s);
    }
    return bytes;
}

uint64_t table_stamp(struct table *t, mono_t now)
{
    int64_t wall = now.us + t->clock_offset_us;
    uint64_t stamp = wall > 0 ? (uint64_t)wall : 0, last = t->last_stamp;
    do {
        if (stamp <= last)
            stamp = last + 1;
    } while (!atomic_compare_exchange_weak(&t->last_stamp, &last, stamp));
    return stamp & STAMP_MAX;
}

// ---- entries

static struct str fit_key(const struct table *t, struct str key)
{
    return str_slice(key, 0, t->key_len);
}

static void pin(struct table_entry *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
}

// The live entry of a key. One that is past its time is removed on the way; a tombstone stays and is none.
static struct table_entry *find_live(struct table *t, struct shard *s, uint64_t hash, struct str key, mono_t now,
                                     struct table_entry **tombstone)
{
    struct table_entry *e = shard_find(t, s, hash, key);
    if (e && entry_expired(t, e, now.us)) {
        shard_remove(t, s, e);
        e = NULL;
    }
    if (e && (e->flags & ENTRY_DELETED)) {
        *tombstone = e;
        e = NULL;
    }
    return e;
}

struct table_entry *table_find(struct table *t, struct str key, mono_t now)
{
    key = fit_key(t, key);
    uint64_t hash = table_hash(t, key);
    struct shard *s = table_shard(t, hash);
    struct table_entry *tombstone = NULL;
    lock(s);
    struct table_entry *e = find_live(t, s, hash, key, now, &tombstone);
    if (e)
        pin(e);
    unlock(s);
    return e;
}

bool table_make_room(struct table *t, struct shard *own, mono_t now)
{
    for (unsigned i = 0; i < shard_count(t); i++) {
        struct shard *s = &t->shards[((unsigned)(own - t->shards) + i) % shard_count(t)];
        lock(s);
        bool gone = t->expire_us && shard_expire(t, s, 1, now.us) > 0;
        if (!gone && !t->nopurge)
            gone = shard_evict(t, s, now.us);
        unlock(s);
        if (gone)
            return true;
    }
    return false;
}

static void revive(struct table *t, struct shard *s, struct table_entry *e)
{
    e->flags &= (uint8_t)~ENTRY_DELETED;
    s->tombstones--;
    atomic_fetch_add_explicit(&t->count, 1, memory_order_relaxed);
}

struct table_entry *table_get(struct table *t, struct str key, mono_t now)
{
    key = fit_key(t, key);
    uint64_t hash = table_hash(t, key);
    struct shard *s = table_shard(t, hash);
    for (bool room = false;; room = true) {
        struct table_entry *tombstone = NULL;
        lock(s);
        struct table_entry *e = find_live(t, s, hash, key, now, &tombstone);
        if (!e && (room || table_count(t) < t->size)) {
            e = tombstone;
            if (e)
                revive(t, s, e);
            else
                e = shard_insert(t, s, hash, key, now.us);
            e->used_us = now.us;
            shard_mark(t, s, e, CHANGED_USE);
        }
        if (e)
            pin(e);
        unlock(s);
        if (e || !table_make_room(t, s, now))
            return e;
    }
}

void table_release(struct table *t, struct table_entry **ep)
{
    struct table_entry *e = *ep;
    *ep = NULL;
    if (!e)
        return;
    unsigned before = atomic_fetch_sub_explicit(&e->refs, 1, memory_order_release);
    ASSERT(before > 0);
}

// Last use is told to other nodes when it moved by more than this part of the lifetime.
#define USE_STEPS 8

void table_touch(struct table *t, struct table_entry *e, mono_t now)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    int64_t step = t->expire_us / USE_STEPS;
    if (step > 0 && e->used_us / step != now.us / step)
        shard_mark(t, s, e, CHANGED_USE);
    if (now.us > e->used_us)
        e->used_us = now.us;
    unlock(s);
}

struct str table_entry_key(const struct table_entry *e)
{
    return entry_key(e);
}

unsigned table_entry_uses(struct table *t, struct table_entry *e)
{
    unsigned refs = atomic_load_explicit(&e->refs, memory_order_relaxed);
    return refs > 0 ? refs - 1 : 0;
}

int64_t table_entry_expires_ms(struct table *t, struct table_entry *e, mono_t now)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    int64_t left = t->expire_us ? (e->used_us + t->expire_us - now.us) / 1000 : 0;
    unlock(s);
    return left > 0 ? left : 0;
}

// ---- data

static bool add_locked(struct table *t, struct shard *s, struct table_entry *e, enum table_data d, unsigned index,
                       int64_t n, mono_t now)
{
    const struct column *c = layout_find(s->layout, d, &index);
    if (!c || c->kind == COLUMN_TAG || c->kind == COLUMN_SERVER || !slot_add(t, s, e, c, index, n, now))
        return false;
    shard_mark(t, s, e, 1u << (c - s->layout->columns));
    return true;
}

bool table_add(struct table *t, struct table_entry *e, enum table_data d, unsigned index, int64_t n, mono_t now)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    bool ok = add_locked(t, s, e, d, index, n, now);
    unlock(s);
    return ok;
}

void table_add_many(struct table *t, struct table_entry *e, const struct table_delta *deltas, unsigned count,
                    mono_t now)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    for (unsigned i = 0; i < count; i++)
        add_locked(t, s, e, deltas[i].data, deltas[i].index, deltas[i].n, now);
    unlock(s);
}

bool table_read(struct table *t, struct table_entry *e, enum table_data d, unsigned index, mono_t now, int64_t *out)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    const struct column *c = layout_find(s->layout, d, &index);
    if (c)
        *out = slot_read(t, s->layout, e, c, index, now);
    unlock(s);
    return c != NULL;
}

bool table_set(struct table *t, struct table_entry *e, enum table_data d, unsigned index, int64_t value, mono_t now)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    const struct column *c = layout_find(s->layout, d, &index);
    bool ok = c && slot_set(t, s, e, c, index, value, now);
    if (ok)
        shard_mark(t, s, e, 1u << (c - s->layout->columns) | CHANGED_FOLDS);
    unlock(s);
    return ok;
}

void table_set_server(struct table *t, struct table_entry *e, struct str server_name, mono_t now)
{
    struct shard *s = entry_shard(t, e);
    uint32_t id = dict_id(&t->dict, str_slice(server_name, 0, 255));
    lock(s);
    uint32_t *w = entry_server(e);
    if ((w ? w[2] : 0) != id) {
        w = entry_add_server(s, e);
        words_set64(w, table_stamp(t, now));
        w[2] = id;
        shard_mark(t, s, e, 1u << TD_SERVER_KEY);
    }
    unlock(s);
}

bool table_get_server(struct table *t, struct table_entry *e, char *dst, size_t size, mono_t now)
{
    struct shard *s = entry_shard(t, e);
    lock(s);
    uint32_t *w = entry_server(e);
    uint32_t id = w ? w[2] : 0;
    unlock(s);
    str_copy(dst, size, dict_name(&t->dict, id));
    return id != 0;
}

// ---- removal

// Refused while somebody holds the entry, as HAProxy does.
bool table_delete(struct table *t, struct str key, mono_t now)
{
    key = fit_key(t, key);
    uint64_t hash = table_hash(t, key);
    struct shard *s = table_shard(t, hash);
    struct table_entry *tombstone = NULL;
    lock(s);
    struct table_entry *e = find_live(t, s, hash, key, now, &tombstone);
    bool ok = e && e->refs == 0;
    if (ok && t->replicated)
        table_bury(t, s, e, table_stamp(t, now));
    else if (ok)
        shard_remove(t, s, e);
    unlock(s);
    return ok;
}

unsigned table_expire(struct table *t, unsigned max, mono_t now)
{
    unsigned removed = 0, start = atomic_fetch_add_explicit(&t->expire_next, 1, memory_order_relaxed);
    if (t->expire_us == 0)
        return 0;
    for (unsigned i = 0; i < shard_count(t) && removed < max; i++) {
        struct shard *s = &t->shards[(start + i) % shard_count(t)];
        if (s->due_us > now.us || pthread_mutex_trylock(&s->lock) != 0)
            continue;
        removed += shard_expire(t, s, max - removed, now.us);
        unlock(s);
    }
    return removed;
}
