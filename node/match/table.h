// SPDX-License-Identifier: Apache-2.0
// Stick tables: keys with counters, rates, tags and server keys. Instance-based and free of clocks: time comes in with
// every call, so that the cluster simulator runs the production code in virtual time. 64 shards with a mutex each; all
// functions may be called from any thread. Counters merge between nodes: a slot a (node, birth), sums over slots
// (README.md, "Stick tables").
#ifndef PHX_MATCH_TABLE_H
#define PHX_MATCH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/model.h"
#include "node/base/buf.h"
#include "node/base/clock.h"
#include "node/base/str.h"

struct table;
struct table_entry;

#define TABLE_NODES_MAX 64

// Counted: snapshots of different age share a table.
struct table *table_create(struct str name, const struct cfg_table *cfg);
struct table *table_ref(struct table *t);
void table_unref(struct table **t);
// A reload changed columns, size, expire or period under the same name and key type: entries are kept, columns
// migrated.
bool table_reconfigure(struct table *t, const struct cfg_table *cfg);

struct str table_name(const struct table *t);
const struct cfg_table *table_config(const struct table *t); // valid until the next reconfigure; copy
uint64_t table_count(const struct table *t);
uint64_t table_size(const struct table *t);
uint64_t table_memory(const struct table *t); // bytes of entries

// Key bytes for a sample's value: 4 or 16 address bytes, 8 bytes integer (host order), text, binary (cut or padded to
// key_len).
struct table_key_buf {
    uint8_t bytes[16];
    struct str key; // points into bytes or to the sample's bytes
};

// An entry stays valid (pinned, never evicted) until table_release().
struct table_entry *table_find(struct table *t, struct str key, mono_t now); // NULL when absent
// Created when absent; NULL when full and nothing can go.
struct table_entry *table_get(struct table *t, struct str key, mono_t now);
void table_release(struct table *t, struct table_entry **e);
void table_touch(struct table *t, struct table_entry *e, mono_t now); // restarts its expiry
struct str table_entry_key(const struct table_entry *e);

// Counters: adds to this node's slot. Rates: adds to this node's window. `index` for gpc/gpt arrays, else 0. False:
// column not stored.
bool table_add(struct table *t, struct table_entry *e, enum table_data d, unsigned index, int64_t n, mono_t now);
// Several columns under one lock.
struct table_delta {
    uint8_t data;
    uint8_t index;
    int32_t n;
};
void table_add_many(struct table *t, struct table_entry *e, const struct table_delta *deltas, unsigned count,
                    mono_t now);
// Sum over nodes (or own value with aggregate local); rates: events in the last period as HAProxy estimates it.
bool table_read(struct table *t, struct table_entry *e, enum table_data d, unsigned index, mono_t now, int64_t *out);
// Registers: gpt; and clearing a counter (sets the sum to `value`, stamped: older births drop out).
bool table_set(struct table *t, struct table_entry *e, enum table_data d, unsigned index, int64_t value, mono_t now);
// Sticky server: its name ("server" key). Empty = none. Copied into dst (≤ 255 bytes).
void table_set_server(struct table *t, struct table_entry *e, struct str server_name, mono_t now);
bool table_get_server(struct table *t, struct table_entry *e, char *dst, size_t size, mono_t now);

// Runtime API. The visitor sees one pinned entry at a time, outside of locks; return false to stop. *cursor = 0 at
// first, resumes where it stopped after at most `max` entries; true when there is more.
typedef bool table_visit_fn(void *arg, struct table *t, struct table_entry *e);
bool table_walk(struct table *t, uint64_t *cursor, unsigned max, mono_t now, table_visit_fn *fn, void *arg);
unsigned table_entry_uses(struct table *t, struct table_entry *e); // pins but the caller's
int64_t table_entry_expires_ms(struct table *t, struct table_entry *e, mono_t now);
bool table_delete(struct table *t, struct str key, mono_t now); // leaves a tombstone in a replicated table
// O(expired): frees what is due, at most `max`; passes over shards that are in use. Called now and then.
unsigned table_expire(struct table *t, unsigned max, mono_t now);

#endif
