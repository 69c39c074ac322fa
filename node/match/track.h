// SPDX-License-Identifier: Apache-2.0
// Sticky counters: the table entries that a session or a stream tracks (track-sc0 … track-sc2), and table keys made
// from samples. Owned by node/proxy, read by the sc* fetches. One thread; the tables behind it have locks of their own.
#ifndef PHX_MATCH_TRACK_H
#define PHX_MATCH_TRACK_H

#include <stdbool.h>

#include "node/match/sample.h"
#include "node/match/table.h"

// All zero = nothing tracked.
struct track {
    struct table *table;       // counted reference
    struct table_entry *entry; // pinned
    bool borrowed;             // a stream's view of its session's track: the session stops it
};

static inline bool track_active(const struct track *k)
{
    return k->entry != NULL;
}

// The value as a key of this table. False when it does not convert. Bytes live in the buffer, the sample or the arena.
bool table_key_make(struct match_ctx *c, const struct table *t, const struct sample *s, struct table_key_buf *out);

// Begins to track: the entry is made when absent, and counts one connection (conn_cnt, conn_rate, conn_cur), and one
// request (http_req_cnt, http_req_rate) with `request`. A track that is active already stays as it is. False when no
// entry could be made (table full).
bool track_start(struct track *k, struct table *t, struct str key, bool request, mono_t now);
// conn_cur falls, the entry's expiry restarts. Does nothing to an inactive track; a borrowed one is only forgotten.
void track_stop(struct track *k, mono_t now);
// A new stream of a session: sees the session's tracks without owning them.
void track_borrow(struct track *to, const struct track *from);
// Adds to the entry's columns that the table stores, and restarts its expiry.
void track_add(struct track *k, const struct table_delta *deltas, unsigned count, mono_t now);
// To all tracks of an array of TRACK_MAX.
void tracks_add(struct track *tracks, const struct table_delta *deltas, unsigned count, mono_t now);
void tracks_stop(struct track *tracks, mono_t now);

#endif
