// SPDX-License-Identifier: Apache-2.0
// Messages of the bulk links: tables, updates, digests. msgpack maps of small integers to values; nodes and servers go
// by name, tables by the sender's number for a name, columns by their number in enum table_data (which only grows).
// Reading is bounded before anything is built, keeps nothing, and passes over keys of later versions. Pure.
#ifndef PHX_PEERS_MESSAGE_H
#define PHX_PEERS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/buf.h"
#include "node/base/msgscan.h"
#include "node/match/table_merge.h"

#define MESSAGE_VERSION 1
// A frame is sent when it is longer than this; it then has room for one more entry.
#define MESSAGE_FULL (64 * 1024)
#define MESSAGE_MAX  (256 * 1024)

enum message_kind {
    MESSAGE_ALIVE = 1, // nothing but its head: acknowledges, shows life
    MESSAGE_TABLES,    // the tables of the sender
    MESSAGE_UPDATES,   // entries of one table
    MESSAGE_DIGESTS,   // of buckets of one table
    MESSAGE_SYNCED,    // all that was asked for so far was sent
};

struct message_head {
    enum message_kind kind;
    struct str origin; // name of the sending node
    uint64_t boot;     // its life
    uint64_t seq;      // grows with each message of that life
    uint64_t ack;      // last seq that it has of the receiver
};

// ---- writing, into a buffer of its own

struct message_writer {
    struct buf *out;
    size_t ack_at, count_at; // of numbers that are known later
    uint32_t count;
    uint64_t base; // stamps are written as differences to it
    const struct table_shape *shape;
};

void message_write(struct message_writer *w, struct buf *out, const struct message_head *head);
// The same frame goes to several nodes.
void message_set_ack(struct message_writer *w, uint64_t ack);

struct message_table {
    uint32_t id;
    struct str name;
    uint32_t key_type, key_len;
    uint64_t entries;
    struct table_shape shape;
};
void message_write_tables(struct message_writer *w, const struct message_table *tables, unsigned count);

// Updates follow; `t` names the nodes in them.
void message_begin_updates(struct message_writer *w, uint32_t table, struct table *t, const struct table_shape *shape);
void message_add_update(struct message_writer *w, const struct table_update *u);
void message_end_updates(struct message_writer *w);

struct message_digests {
    uint32_t table;
    uint32_t span; // buckets that each digest sums: TABLE_BUCKETS / 64 or 1
    uint32_t first;
    bool last; // no more buckets of this table are asked for
    uint32_t count;
    const char *digests; // 8 bytes each, little-endian
};
#define MESSAGE_SPAN        (TABLE_BUCKETS / 64)
#define MESSAGE_DIGESTS_MAX 64
void message_write_digests(struct message_writer *w, const struct message_digests *d);
static inline uint64_t message_digest(const struct message_digests *d, uint32_t i)
{
    uint64_t v = 0;
    for (unsigned b = 8; b-- > 0;)
        v = v << 8 | (unsigned char)d->digests[i * 8 + b];
    return v;
}

// ---- reading: slices of the message

struct message {
    struct message_head head;
    struct msgscan body;
};

// False: malformed, or of a version that is not known.
bool message_read(struct str bytes, struct message *m);
uint32_t message_read_table_count(struct message *m);
bool message_read_table(struct message *m, struct message_table *t);
bool message_read_digests(struct message *m, struct message_digests *d);

#define MESSAGE_NODES_MAX 64
struct message_updates {
    uint32_t table;
    uint32_t node_count;
    struct str nodes[MESSAGE_NODES_MAX];
    uint64_t base;
    uint32_t count; // updates left to read
};
bool message_read_updates(struct message *m, struct message_updates *u);
// Memory for one update, reused.
struct message_scratch;
struct message_scratch *message_scratch_create(void);
void message_scratch_destroy(struct message_scratch **s);
// Nodes in the update are numbers in `nodes`. False: malformed.
bool message_read_update(struct message *m, struct message_updates *us, const struct table_shape *shape,
                         struct message_scratch *s, struct table_update *u);

#endif
