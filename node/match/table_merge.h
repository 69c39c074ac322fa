// SPDX-License-Identifier: Apache-2.0
// Stick tables between nodes: what changed goes out as neutral updates, what other nodes counted is merged, digests of
// buckets tell where two tables differ. Called by peers/ and by the simulator; no clock, socket or thread inside. Any
// order, repetition and loss of updates ends in the same sums once the digests agree.
//
// Nodes are small numbers of this table; the sender's numbers are replaced by way of names (table_node_index()).
#ifndef PHX_MATCH_TABLE_MERGE_H
#define PHX_MATCH_TABLE_MERGE_H

#include "node/match/table.h"

#define TABLE_BUCKETS_LOG2 12
#define TABLE_BUCKETS      (1u << TABLE_BUCKETS_LOG2) // by the top bits of the key's hash, the same on all nodes
#define TABLE_NO_NODE      UINT32_MAX
// A stamp further ahead of the local clock than this is refused.
#define TABLE_AHEAD_MAX_US (24LL * 3600 * 1000000)

// ---- Identity
// This node's name and life. `boot` (µs since 1970) must be above that of every earlier life; `wall_us` is the wall
// clock at `now` and makes stamps comparable between nodes. From then on changes are queued for table_drain(). May be
// repeated: to set the clock, to raise boot.
void table_set_identity(struct table *t, struct str self, uint64_t boot, mono_t now, int64_t wall_us);
// The number of a node, given at first use. TABLE_NO_NODE when there are too many or the name is empty.
unsigned table_node_index(struct table *t, struct str name);
struct str table_node_name(const struct table *t, unsigned node);
unsigned table_node_count(const struct table *t);
// Of another node. A dead one's current connections do not count, nor those of lives before `boot` (0 = unchanged).
void table_set_node(struct table *t, unsigned node, bool alive, uint64_t boot);

// ---- Updates
// The columns behind the values of an update: the sender's, which need not be the receiver's.
struct table_shape {
    struct {
        uint16_t elements; // 0 = not stored
        uint32_t period_ms;
    } data[TD_COUNT];
};
void table_get_shape(struct table *t, struct table_shape *out);
// Values one element of a column takes in an update: counters 1; conn_cur 2 (opened, closed); rates 3 (events in the
// current period, in the previous one, age of the current one in ms). 0: not in rows (tags, server).
unsigned table_data_values(enum table_data d);

// What one node counted within one birth. Of a fold: how much of that birth is counted in a later birth of the same
// node (`target`), or was cleared (target 0).
struct table_row {
    uint32_t node;
    bool fold;
    uint64_t birth;
    uint64_t target;        // folds
    uint32_t columns;       // a bit each of enum table_data
    const uint64_t *values; // of these columns in order of the enum, all elements
};
struct table_register {
    uint8_t data; // TD_GPT0, TD_GPT or TD_SERVER_KEY
    uint8_t index;
    uint32_t value;
    struct str server;
    uint64_t stamp;
};
struct table_update {
    struct str key;
    int64_t remaining_ms; // until it expires; -1 = never
    uint64_t deleted;     // stamp of a deletion: all that is not newer is void. 0 = none
    const struct table_register *registers;
    uint32_t register_count;
    const struct table_row *rows;
    uint32_t row_count;
};

// Called with a shard's lock held: only copies. The update dies on return.
typedef void table_update_fn(void *arg, const struct table_update *u);

// Memory that updates are built in; one thread at a time.
struct table_scratch;
struct table_scratch *table_scratch_create(void);
void table_scratch_destroy(struct table_scratch **s);

// Hands over at most `max` changed entries, only their changed columns, and forgets that they changed. Returns how
// many.
unsigned table_drain(struct table *t, struct table_scratch *s, unsigned max, mono_t now, table_update_fn *fn,
                     void *arg);
uint64_t table_dirty_count(const struct table *t);
// All entries of one bucket, whole.
unsigned table_dump_bucket(struct table *t, struct table_scratch *s, unsigned bucket, mono_t now, table_update_fn *fn,
                           void *arg);
// False: nothing of it was news, or the table is full.
bool table_merge(struct table *t, const struct table_shape *shape, const struct table_update *u, mono_t now);

// ---- Digests
// Of a bucket's counters, tags and servers (not of rates and lifetimes, which pass by themselves). 0 = empty.
uint64_t table_digest(struct table *t, unsigned bucket, mono_t now);

#endif
