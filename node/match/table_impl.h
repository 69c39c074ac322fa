// SPDX-License-Identifier: Apache-2.0
// Private to node/match/table*.c: how a stick table lies in memory.
//
// A table has 1 to 64 shards by the top bits of the key's hash, each with a mutex, chains of entries, and a wheel of
// lists by last use. Entries are cells of fixed size in chunks and name each other by 32-bit numbers within their
// shard. What an entry stores lies in a block of 32-bit words of its own, since it grows when more nodes write:
//
//     [floor] [server] [tags] row row … fold fold …
//
// A row is what one node counted within one birth: identity (node and birth), one cell a column. A fold says how much
// of a birth is not to be counted there. See table_slot.c for what they mean.
#ifndef PHX_MATCH_TABLE_IMPL_H
#define PHX_MATCH_TABLE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "node/base/hash.h"
#include "node/match/table.h"
#include "node/match/table_merge.h"

#define TABLE_MAGIC       0x5441424cu
#define TABLE_SHARDS_MAX  64
#define TABLE_WHEEL_SLOTS 64
#define TABLE_CHUNK_CELLS 32
#define TABLE_NIL         UINT32_MAX
// Rows and folds an entry keeps, and births it remembers of one node.
#define TABLE_ROWS_MAX   250
#define TABLE_BIRTHS_MAX 4

enum column_kind {
    COLUMN_NONE,
    COLUMN_COUNTER, // one word; sticks at its maximum
    COLUMN_WIDE,    // two words: bytes
    COLUMN_GAUGE,   // conn_cur: opened and closed, two words each
    COLUMN_RATE,    // current, previous, start of the period: one word each
    COLUMN_BYTES,   // a rate of bytes: two words, two words, one word
    COLUMN_TAG,     // a register of the entry, not in rows
    COLUMN_SERVER   // likewise
};

struct column {
    uint8_t kind;
    uint8_t words;      // of one element
    uint16_t elements;  // 1 but for arrays
    uint16_t at;        // first word in a row; COLUMN_TAG: first tag
    uint16_t fold_at;   // first word in a fold; counters only
    uint32_t period_ms; // rates
};

// What the table's columns take in memory. Immutable; a reload makes a new one and moves shard after shard to it.
struct layout {
    struct column columns[TD_COUNT];
    uint16_t row_words;  // with the identity
    uint16_t fold_words; // with identity and target
    uint16_t tags;
    bool summed; // reads sum over all nodes
};

enum entry_flag {
    ENTRY_FLOOR = 1 << 0,   // the block begins with a floor stamp
    ENTRY_SERVER = 1 << 1,  // … has a server register
    ENTRY_TAGS = 1 << 2,    // … has tag registers
    ENTRY_OPEN = 1 << 3,    // the newest own row is being counted into
    ENTRY_DELETED = 1 << 4, // a tombstone: only its floor counts
    ENTRY_DIRTY = 1 << 5,   // in the shard's list of changes
    ENTRY_ZOMBIE = 1 << 6,  // removed, waits for that list to let it go
};

// Protected by its shard's mutex, but for refs.
struct table_entry {
    uint32_t next;         // in its chain; in the free list
    uint32_t newer, older; // in its list of the wheel; at the ends WHEEL_END | slot
    uint32_t dirty_next;
    int64_t used_us;       // last use
    uint32_t *words;       // the block, NULL = nothing stored
    _Atomic uint32_t refs; // pins; raised under the mutex only
    uint32_t changed;      // columns to replicate, a bit each of enum table_data, and CHANGED_*
    uint32_t hash;         // upper half
    uint32_t index;        // of this cell
    uint16_t key_len;
    uint8_t flags;
    uint8_t rows, folds;
    uint8_t key[];
};
_Static_assert(offsetof(struct table_entry, key) <= 56, "a cell for an IPv4 key fits 64 bytes");

#define CHANGED_FOLDS (1u << 30)
#define CHANGED_USE   (1u << 31) // last use, the floor
_Static_assert(TD_COUNT < 30, "columns leave room for the other bits");

// Entries last used in one interval of time, in order of arrival.
struct wheel_slot {
    uint32_t first, last; // WHEEL_END | slot when empty
};
#define WHEEL_END 0x80000000u

struct shard {
    pthread_mutex_t lock;
    const struct layout *layout;
    uint32_t *heads;
    uint8_t heads_log2;
    uint32_t cells;      // in chains, tombstones included
    uint32_t tombstones; // of these
    char **chunks;
    uint32_t chunk_count, chunk_cap;
    uint32_t free;  // first free cell
    uint32_t fresh; // cells of the chunks never used begin here
    uint64_t block_bytes;
    struct wheel_slot wheel[TABLE_WHEEL_SLOTS];
    int64_t gran_us;        // width of a slot
    int64_t wheel_base;     // tick of the oldest slot, which holds all that is older too
    _Atomic int64_t due_us; // nothing expires before
    uint32_t dirty_first, dirty_last;
    _Atomic uint32_t dirty_count;
} __attribute__((aligned(64)));

struct table_node {
    char *name;
    uint64_t name_hash;
    _Atomic uint64_t boot; // its current life: older gauges do not count
    _Atomic bool dead;
};

// Names of servers and their numbers; only grows.
struct table_dict {
    pthread_rwlock_t lock;
    struct strmap ids; // value = number + 1
    char **names;
    uint32_t count, cap;
};
#define TABLE_DICT_MAX 65536

struct table {
    uint32_t magic;
    _Atomic unsigned refs;
    char *name;
    enum table_key key_type;
    uint32_t key_len;
    uint32_t cell_size;
    uint64_t seed;
    struct cfg_table config;   // changed by table_reconfigure() only
    char *peers;               // what config.peers points to
    struct layout *layout;     // the newest
    _Atomic uint64_t size;     // entries
    _Atomic int64_t expire_us; // 0 = never
    _Atomic bool nopurge;
    _Atomic bool replicated;
    _Atomic uint64_t count; // without tombstones
    _Atomic unsigned expire_next;
    _Atomic unsigned drain_next;

    // Stamps: the wall clock as it was set, moved by monotonic time, never behind what was seen.
    _Atomic int64_t clock_offset_us;
    _Atomic uint64_t last_stamp;
    // Keys that are not held and whose stamps are not above it were deleted (tombstones overflowed).
    _Atomic uint64_t floor;

    pthread_mutex_t nodes_lock;               // for adding
    struct table_node nodes[TABLE_NODES_MAX]; // [0] = this one
    _Atomic unsigned node_count;
    struct table_dict dict;

    // Digest of each bucket and whether it must be computed anew; by the mutex of the bucket's shard.
    uint64_t *digests;
    uint64_t stale[TABLE_BUCKETS / 64];
    unsigned shards_log2;
    struct shard shards[];
};

// ---- table_layout.c
struct layout *layout_create(const struct cfg_table *cfg);
// The column that answers for d[index], with *index set in it: gpc0 may live in a gpc array. NULL = not stored.
const struct column *layout_find(const struct layout *l, enum table_data d, unsigned *index);
// Moves an entry's block from one layout to another.
void layout_migrate(struct shard *s, struct table_entry *e, const struct layout *to);
// Number of 64-bit values that one element takes in an update: 1, 2 (gauge) or 3 (rate).
unsigned column_values(const struct column *c);

// ---- table_shard.c
static inline struct shard *table_shard(struct table *t, uint64_t hash)
{
    return &t->shards[t->shards_log2 ? hash >> (64 - t->shards_log2) : 0];
}
static inline struct shard *entry_shard(struct table *t, const struct table_entry *e)
{
    return table_shard(t, (uint64_t)e->hash << 32);
}
static inline uint64_t table_hash(const struct table *t, struct str key)
{
    return hash64(key.ptr, key.len, t->seed);
}
static inline struct str entry_key(const struct table_entry *e)
{
    return str_make((const char *)e->key, e->key_len);
}
static inline unsigned entry_bucket(const struct table_entry *e)
{
    return e->hash >> (32 - TABLE_BUCKETS_LOG2);
}
void shard_init(struct table *t, struct shard *s);
void shard_free(struct table *t, struct shard *s);
struct table_entry *shard_cell(const struct table *t, const struct shard *s, uint32_t index);
// Tombstones are found too.
struct table_entry *shard_find(struct table *t, struct shard *s, uint64_t hash, struct str key);
struct table_entry *shard_insert(struct table *t, struct shard *s, uint64_t hash, struct str key, int64_t used_us);
// Out of chain, wheel and memory; not pinned.
void shard_remove(struct table *t, struct shard *s, struct table_entry *e);
// Removes about the least recently used entry. False: none can go.
bool shard_evict(struct table *t, struct shard *s, int64_t now_us);
// At most `max` entries are removed or moved; returns how many were removed.
unsigned shard_expire(struct table *t, struct shard *s, unsigned max, int64_t now_us);
// The wheel anew, after its granularity or the expiry changed.
void shard_rewheel(struct table *t, struct shard *s);
bool entry_expired(const struct table *t, const struct table_entry *e, int64_t now_us);
// The entry's state changed: its digest is stale and, if `changed` is set and the table is replicated, it is queued.
void shard_mark(struct table *t, struct shard *s, struct table_entry *e, uint32_t changed);
struct table_entry *shard_pop_dirty(struct table *t, struct shard *s);
// Entries whose upper half of the hash is in [from, to], in no order; tombstones too. Under the mutex.
typedef void shard_each_fn(void *arg, struct table_entry *e);
void shard_each(struct table *t, struct shard *s, uint32_t from, uint32_t to, shard_each_fn *fn, void *arg);

// ---- table_block.c: the block of an entry and its parts
static inline uint64_t words_get64(const uint32_t *w)
{
    return (uint64_t)w[0] | (uint64_t)w[1] << 32;
}
static inline void words_set64(uint32_t *w, uint64_t v)
{
    w[0] = (uint32_t)v;
    w[1] = (uint32_t)(v >> 32);
}
#define STAMP_MAX     ((1ULL << 56) - 1)
#define ROW_NODE(id)  ((unsigned)((id)&0xff))
#define ROW_BIRTH(id) ((id) >> 8)
static inline uint64_t row_id(unsigned node, uint64_t birth)
{
    return birth << 8 | node;
}
// Words of the block's parts, NULL when the entry has no such part.
uint32_t *entry_floor(const struct table_entry *e);
uint32_t *entry_server(const struct table_entry *e);                                    // stamp (2), number
uint32_t *entry_tag(const struct layout *l, const struct table_entry *e, unsigned tag); // stamp (2), value
uint32_t *entry_row(const struct layout *l, const struct table_entry *e, unsigned row);
uint32_t *entry_row_by_id(const struct layout *l, const struct table_entry *e, uint64_t id);
uint32_t *entry_fold(const struct layout *l, const struct table_entry *e, unsigned fold);
uint32_t *entry_fold_by_id(const struct layout *l, const struct table_entry *e, uint64_t id, uint64_t target);
static inline uint64_t fold_target(const uint32_t *fold)
{
    return words_get64(fold + 2);
}
// Adds a part (zeroed) and returns it; what was returned before moves.
uint32_t *entry_add_floor(struct shard *s, struct table_entry *e);
uint32_t *entry_add_server(struct shard *s, struct table_entry *e);
uint32_t *entry_add_tag(struct shard *s, struct table_entry *e, unsigned tag);
uint32_t *entry_add_row(struct shard *s, struct table_entry *e, uint64_t id);                   // NULL: TABLE_ROWS_MAX
uint32_t *entry_add_fold(struct shard *s, struct table_entry *e, uint64_t id, uint64_t target); // likewise
void entry_remove_row(struct shard *s, struct table_entry *e, unsigned row);
void entry_remove_fold(struct shard *s, struct table_entry *e, unsigned fold);
void entry_remove_server(struct shard *s, struct table_entry *e);
size_t entry_block_words(const struct layout *l, const struct table_entry *e);

// ---- table_slot.c: what rows mean
// Adds to this node's row, which begins a birth when none is open.
bool slot_add(struct table *t, struct shard *s, struct table_entry *e, const struct column *c, unsigned index,
              int64_t n, mono_t now);
int64_t slot_read(struct table *t, const struct layout *l, const struct table_entry *e, const struct column *c,
                  unsigned index, mono_t now);
bool slot_set(struct table *t, struct shard *s, struct table_entry *e, const struct column *c, unsigned index,
              int64_t value, mono_t now);
// After rows of `node` came from elsewhere: drops what is superseded, folds our closed births.
void slot_settle(struct table *t, struct shard *s, struct table_entry *e, unsigned node, mono_t now);
// Begins a new birth of this node's row, its values kept, the old one folded into it.
void slot_rebirth(struct table *t, struct shard *s, struct table_entry *e, mono_t now);
// Whether the birth is older than those that the entry remembers of its node: it says nothing any more.
bool slot_is_void(const struct layout *l, const struct table_entry *e, unsigned node, uint64_t birth);
// Drops rows, folds and registers that are not newer than the stamp.
void slot_drop_until(struct shard *s, struct table_entry *e, uint64_t stamp);
// Counters and gauges, as unsigned numbers that only grow; `part` 0 or 1 of a gauge.
uint64_t cell_get(const struct column *c, const uint32_t *cell, unsigned part);
void cell_set(const struct column *c, uint32_t *cell, unsigned part, uint64_t v);
static inline uint32_t *row_cell(uint32_t *row, const struct column *c, unsigned index)
{
    return row + c->at + (size_t)index * c->words;
}
static inline uint32_t *fold_cell(uint32_t *fold, const struct column *c, unsigned index)
{
    return fold + c->fold_at + (size_t)index * c->words;
}
static inline bool column_is_rate(const struct column *c)
{
    return c->kind == COLUMN_RATE || c->kind == COLUMN_BYTES;
}
static inline bool column_is_counter(const struct column *c)
{
    return c->kind == COLUMN_COUNTER || c->kind == COLUMN_WIDE;
}

// ---- table_rate.c: event rates as HAProxy estimates them, in ms of the table's life modulo 2^32
struct rate {
    uint64_t current, previous;
    uint32_t start_ms;
};
struct rate rate_load(const struct column *c, const uint32_t *cell);
void rate_store(const struct column *c, uint32_t *cell, const struct rate *r);
void rate_rotate(struct rate *r, uint32_t period_ms, mono_t now);
// Events of the last period.
uint64_t rate_estimate(struct rate r, uint32_t period_ms, mono_t now);
uint32_t rate_age_ms(struct rate r, mono_t now);
// One that came from elsewhere, `age_ms` into its period. True when something changed.
bool rate_merge(struct rate *r, uint64_t current, uint64_t previous, uint32_t age_ms, uint32_t period_ms, mono_t now);

// ---- table_dict.c
void dict_init(struct table_dict *d);
void dict_free(struct table_dict *d);
uint32_t dict_id(struct table_dict *d, struct str name); // 0 = empty name, or the dictionary is full
struct str dict_name(struct table_dict *d, uint32_t id); // lives as long as the table

// ---- table_merge.c
// Leaves a tombstone in the entry's place; it is not pinned.
void table_bury(struct table *t, struct shard *s, struct table_entry *e, uint64_t stamp);

// ---- table.c
// One entry fewer, near the given shard first. False: none can go. No lock is held.
bool table_make_room(struct table *t, struct shard *own, mono_t now);
// A stamp above all made or seen before.
uint64_t table_stamp(struct table *t, mono_t now);

#endif
