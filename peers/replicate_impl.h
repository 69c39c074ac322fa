// SPDX-License-Identifier: Apache-2.0
// Private to peers/replicate*.c: what the sync thread knows of tables and nodes.
#ifndef PHX_PEERS_REPLICATE_IMPL_H
#define PHX_PEERS_REPLICATE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "node/base/buf.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "peers/message.h"
#include "peers/replicate.h"

#define REPLICATE_MAGIC 0x5245504cu
// Changes are collected for so long before they are sent.
#define TICK_MS 20
// A node hears something at least so often, and is given up when it was silent for as long as SILENT_MS.
#define ALIVE_MS  1000
#define SILENT_MS 5000
// Without a cause, tables are compared bit by bit: some buckets of one table with one node so often, and so many of
// those that differ are repaired. (Under traffic they always differ a little; a step must not keep updates waiting.)
#define COMPARE_MS      100
#define COMPARE_BUCKETS 16
#define REPAIR_BUCKETS  4
// The wall clock may have been set.
#define CLOCK_MS 5000
// Frames of a resync under way to one node.
#define WINDOW_FRAMES 128
// Messages after which an acknowledgement does not wait for the tick.
#define ACK_EVERY 8

// A table of ours.
struct rep_table {
    uint32_t id; // ours, in messages
    struct table *table;
    struct table_shape shape;
};

// What a node calls one of its tables, and ours of that name.
struct rep_remote {
    uint32_t id;
    unsigned local; // index in tables, UINT_MAX = none
    struct table_shape shape;
};

// Buckets of one of our tables that a node is to get.
struct rep_dump {
    uint64_t buckets[TABLE_BUCKETS / 64];
    uint32_t left;
};

struct rep_peer {
    struct replicate *owner;
    unsigned node;
    bool up;
    bool behind; // misses updates: when all is acknowledged, it is compared anew
    bool owed;   // a SYNCED is due when nothing is left to send
    bool synced;
    uint64_t boot;
    uint64_t received, acked_to; // of its messages: last one, and last one that we acknowledged
    uint64_t sent, acked;        // of ours
    unsigned unacked_in;         // since our last acknowledgement
    unsigned awaited;            // tables whose whole comparison it has not answered
    unsigned repair_at;          // where repairs of a group begin: not always at the same bucket
    mono_t heard, spoke;
    uint64_t marked; // a message of ours whose acknowledgement is timed, and when it was sent
    mono_t marked_at;
    struct rep_remote *remotes;
    unsigned remote_count;
    struct rep_dump *dumps;         // by index in tables
    uint64_t window[WINDOW_FRAMES]; // sequence numbers of dump frames under way
    unsigned window_first, window_count;
    // For replicate_peer_status(); written by the sync thread alone.
    _Atomic bool shown_up, shown_synced;
    _Atomic uint64_t shown_unacked, messages_out, messages_in, resyncs;
};

struct replicate {
    uint32_t magic;
    struct worker *worker; // NULL = not attached
    struct links *links;
    void *arg;
    void (*synced)(void *arg);
    bool synced_told;
    char self[80];
    char **names;
    unsigned self_node, node_count;
    uint64_t boot;
    uint64_t seq;
    uint32_t next_table_id;
    struct rep_table *tables;
    unsigned table_count;
    struct rep_peer *peers; // by node
    struct timer tick, compare;
    mono_t clock_set;
    unsigned compare_peer, compare_table, compare_bucket; // next
    struct table_scratch *out_scratch;
    struct message_scratch *in_scratch;
    struct buf frame;
    struct message_writer writer;
    pthread_mutex_t post_lock; // protects `posted` and `open`
    struct list posted;        // before replicate_attach()
    bool open;
    _Atomic uint64_t updates_out, updates_in, bytes_out, bytes_in, bad, pending;
    _Atomic int64_t lag_ms;
};

// ---- replicate.c
mono_t rep_now(const struct replicate *r);
// Begins a frame in r->frame.
struct message_writer *rep_frame(struct replicate *r, enum message_kind kind);
// Sends r->frame with the peer's acknowledgement in it.
bool rep_send(struct replicate *r, struct rep_peer *p);
void rep_send_tables(struct replicate *r, struct rep_peer *p);
void rep_fall_behind(struct rep_peer *p);

// ---- replicate_sync.c: comparing and sending whole buckets
void sync_reset(struct rep_peer *p);
// The peer told its tables; `remote` has `entries` in it.
void sync_compare(struct replicate *r, struct rep_peer *p, unsigned local, uint64_t entries);
// Tells the digests of some buckets, so that the peer sends what it has there and this node has not.
void sync_ask(struct replicate *r, struct rep_peer *p, unsigned local, unsigned first, unsigned count);
void sync_on_digests(struct replicate *r, struct rep_peer *p, const struct message_digests *d, unsigned local);
// Goes on sending what is due, as far as the window allows.
void sync_pump(struct replicate *r, struct rep_peer *p);
void sync_acked(struct rep_peer *p);

#endif
