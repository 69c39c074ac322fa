// SPDX-License-Identifier: Apache-2.0
// Tracked entries, and keys of stick tables made from samples.
#include "node/match/track.h"

#include <netinet/in.h>

#include "node/base/panic.h"

// Strings are cut at the table's length, binary keys also padded with zeros to it.
static struct str text_key(struct match_ctx *c, const struct cfg_table *cfg, struct str text)
{
    size_t max = cfg->key_len ? cfg->key_len : 32;
    if (text.len > max)
        text.len = max;
    if (cfg->key != TKEY_BIN || text.len == max)
        return text;
    char *padded = arena_zalloc(c->arena, max);
    if (text.len)
        memcpy(padded, text.ptr, text.len);
    return str_make(padded, max);
}

static struct str fixed_key(struct table_key_buf *out, const void *bytes, size_t len)
{
    memcpy(out->bytes, bytes, len);
    return str_make((const char *)out->bytes, len);
}

bool table_key_make(struct match_ctx *c, const struct table *t, const struct sample *s, struct table_key_buf *out)
{
    static const uint8_t type_of[] = {
        [TKEY_IPV4] = TYPE_IPV4, [TKEY_IPV6] = TYPE_IPV6, [TKEY_INT] = TYPE_INT,
        [TKEY_STR] = TYPE_STR,   [TKEY_BIN] = TYPE_BIN,
    };
    const struct cfg_table *cfg = table_config(t);
    struct sample value = *s;
    if (!sample_cast(c, &value, type_of[cfg->key]))
        return false;
    switch (cfg->key) {
    case TKEY_IPV4:
        out->key = fixed_key(out, &value.ip4, 4);
        return true;
    case TKEY_IPV6:
        out->key = fixed_key(out, &value.ip6, 16);
        return true;
    case TKEY_INT:
        out->key = fixed_key(out, &value.num, 8);
        return true;
    default:
        out->key = text_key(c, cfg, value.str);
        return value.str.len > 0; // no value, no entry
    }
}

bool track_start(struct track *k, struct table *t, struct str key, bool request, mono_t now)
{
    static const struct table_delta start[] = {
        {.data = TD_CONN_CNT, .n = 1},     {.data = TD_CONN_RATE, .n = 1},     {.data = TD_CONN_CUR, .n = 1},
        {.data = TD_HTTP_REQ_CNT, .n = 1}, {.data = TD_HTTP_REQ_RATE, .n = 1},
    };
    if (track_active(k))
        return true;
    struct table_entry *e = table_get(t, key, now);
    if (!e)
        return false;
    *k = (struct track){.table = table_ref(t), .entry = e};
    table_add_many(t, e, start, request ? 5 : 3, now);
    return true;
}

void track_stop(struct track *k, mono_t now)
{
    static const struct table_delta stop = {.data = TD_CONN_CUR, .n = -1};
    if (track_active(k) && !k->borrowed) {
        table_add_many(k->table, k->entry, &stop, 1, now);
        table_touch(k->table, k->entry, now);
        table_release(k->table, &k->entry);
        table_unref(&k->table);
    }
    *k = (struct track){0};
}

void track_borrow(struct track *to, const struct track *from)
{
    *to = *from;
    to->borrowed = track_active(from);
}

void track_add(struct track *k, const struct table_delta *deltas, unsigned count, mono_t now)
{
    if (!track_active(k))
        return;
    table_add_many(k->table, k->entry, deltas, count, now);
    table_touch(k->table, k->entry, now);
}

void tracks_add(struct track *tracks, const struct table_delta *deltas, unsigned count, mono_t now)
{
    for (unsigned i = 0; i < TRACK_MAX; i++)
        track_add(&tracks[i], deltas, count, now);
}

void tracks_stop(struct track *tracks, mono_t now)
{
    for (unsigned i = 0; i < TRACK_MAX; i++)
        track_stop(&tracks[i], now);
}
