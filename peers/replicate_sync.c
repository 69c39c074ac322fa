// SPDX-License-Identifier: Apache-2.0
// Resync: which buckets two nodes differ in, and sending them. Digests of groups of buckets are told first; for groups
// that differ the other one answers with the digests of their buckets; what differs there is sent whole. Each side
// asks, so both learn. A node that has nothing is sent everything at once. Outside of a resync the same is done group
// by group.
#include <string.h>

#include "peers/replicate_impl.h"

static uint64_t group_digest(struct table *t, unsigned first, unsigned span, mono_t now)
{
    uint64_t sum = 0;
    for (unsigned b = first; b < first + span; b++) {
        uint64_t d = table_digest(t, b, now);
        sum += span == 1 ? d : hash_mix64(d + b);
    }
    return sum;
}

static void send_digests(struct replicate *r, struct rep_peer *p, unsigned local, unsigned first, unsigned span,
                         unsigned count, bool last)
{
    char bytes[MESSAGE_DIGESTS_MAX * 8];
    for (unsigned i = 0; i < count; i++) {
        uint64_t d = group_digest(r->tables[local].table, first + i * span, span, rep_now(r));
        for (unsigned b = 0; b < 8; b++)
            bytes[i * 8 + b] = (char)(d >> (8 * b));
    }
    message_write_digests(rep_frame(r, MESSAGE_DIGESTS),
                          &(struct message_digests){r->tables[local].id, span, first, last, count, bytes});
    rep_send(r, p);
}

static void want(struct rep_peer *p, unsigned local, unsigned bucket)
{
    struct rep_dump *d = &p->dumps[local];
    uint64_t bit = 1ULL << (bucket % 64);
    d->left += !(d->buckets[bucket / 64] & bit);
    d->buckets[bucket / 64] |= bit;
}

void sync_reset(struct rep_peer *p)
{
    p->awaited = 0;
    p->window_count = 0;
    memset(p->dumps, 0, p->owner->table_count * sizeof(*p->dumps));
}

void sync_ask(struct replicate *r, struct rep_peer *p, unsigned local, unsigned first, unsigned count)
{
    send_digests(r, p, local, first, 1, count, false);
}

void sync_compare(struct replicate *r, struct rep_peer *p, unsigned local, uint64_t entries)
{
    if (table_count(r->tables[local].table) == 0)
        return;
    if (entries == 0) {
        for (unsigned b = 0; b < TABLE_BUCKETS; b++)
            want(p, local, b);
        return;
    }
    p->awaited++;
    send_digests(r, p, local, 0, MESSAGE_SPAN, TABLE_BUCKETS / MESSAGE_SPAN, true);
}

// The other one asks: the buckets of each group that differs, and that these are all.
static void answer(struct replicate *r, struct rep_peer *p, const struct message_digests *d, unsigned local)
{
    for (unsigned i = 0; i < d->count; i++) {
        unsigned first = d->first + i * MESSAGE_SPAN;
        if (group_digest(r->tables[local].table, first, MESSAGE_SPAN, rep_now(r)) != message_digest(d, i))
            send_digests(r, p, local, first, 1, MESSAGE_SPAN, false);
    }
    send_digests(r, p, local, 0, 1, 0, true);
}

void sync_on_digests(struct replicate *r, struct rep_peer *p, const struct message_digests *d, unsigned local)
{
    if (d->span == MESSAGE_SPAN) {
        answer(r, p, d, local);
        return;
    }
    unsigned room = p->awaited > 0 ? d->count : REPAIR_BUCKETS, start = p->repair_at++;
    for (unsigned n = 0; n < d->count && room > 0; n++) {
        unsigned i = (start + n) % d->count;
        if (table_digest(r->tables[local].table, d->first + i, rep_now(r)) == message_digest(d, i))
            continue;
        want(p, local, d->first + i);
        room--;
    }
    if (d->last && p->awaited > 0)
        p->awaited--;
}

// ---- sending

struct dumping {
    struct replicate *r;
    struct rep_peer *p;
    struct rep_table *t;
    bool open; // a frame is being filled
};

static void end_frame(struct dumping *d)
{
    struct rep_peer *p = d->p;
    message_end_updates(&d->r->writer);
    if (rep_send(d->r, p))
        p->window[(p->window_first + p->window_count++) % WINDOW_FRAMES] = p->sent;
    else
        rep_fall_behind(p);
    d->open = false;
}

static void add_entry(void *arg, const struct table_update *u)
{
    struct dumping *d = arg;
    struct replicate *r = d->r;
    if (d->open && r->frame.len > MESSAGE_FULL && d->p->window_count < WINDOW_FRAMES - 1)
        end_frame(d);
    if (!d->open) {
        message_begin_updates(rep_frame(r, MESSAGE_UPDATES), d->t->id, d->t->table, &d->t->shape);
        d->open = true;
    }
    size_t before = r->frame.len;
    message_add_update(&r->writer, u);
    r->updates_out++;
    if (r->frame.len > MESSAGE_MAX) { // more nodes and columns than a message holds: this entry is not repaired
        r->frame.len = before;
        r->writer.count--;
    }
}

static unsigned next_bucket(struct rep_dump *d)
{
    unsigned w = 0;
    while (d->buckets[w] == 0)
        w++;
    unsigned bucket = w * 64 + (unsigned)__builtin_ctzll(d->buckets[w]);
    d->buckets[w] &= d->buckets[w] - 1;
    d->left--;
    return bucket;
}

static void dump_table(struct replicate *r, struct rep_peer *p, unsigned local)
{
    struct rep_dump *d = &p->dumps[local];
    struct dumping dumping = {r, p, &r->tables[local], false};
    while (d->left > 0 && p->up && !p->behind && p->window_count < WINDOW_FRAMES / 2) {
        unsigned bucket = next_bucket(d);
        table_dump_bucket(dumping.t->table, r->out_scratch, bucket, rep_now(r), add_entry, &dumping);
    }
    if (dumping.open)
        end_frame(&dumping);
}

void sync_acked(struct rep_peer *p)
{
    while (p->window_count > 0 && p->window[p->window_first] <= p->acked) {
        p->window_first = (p->window_first + 1) % WINDOW_FRAMES;
        p->window_count--;
    }
}

void sync_pump(struct replicate *r, struct rep_peer *p)
{
    uint32_t left = 0;
    for (unsigned i = 0; i < r->table_count && p->up && !p->behind; i++) {
        dump_table(r, p, i);
        left += p->dumps[i].left;
    }
    if (!p->up || p->behind || left > 0 || p->awaited > 0 || !p->owed)
        return;
    p->owed = false;
    rep_frame(r, MESSAGE_SYNCED);
    rep_send(r, p);
}
