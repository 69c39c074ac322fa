// SPDX-License-Identifier: Apache-2.0
// What rules ask stick tables: sc_*() about a tracked entry, src_*() about the entry of the client's address, table_*()
// converters about the entry of any value. One list of columns and operations makes all three (configuration.txt 7.3.1
// to 7.3.3). An absent entry counts as zero; a column that the table does not store gives no value.
#include <stddef.h>

#include "node/match/track.h"

enum op {
    OP_READ,
    OP_KBYTES, // bytes / 1024
    OP_INC,    // counts one event, in the counter and its rate; gives the counter
    OP_CLEAR   // gives the counter as it was
};

// An entry for the time of one call.
struct use {
    struct table *table;
    struct table_entry *entry; // NULL: absent
    bool pinned;               // by us
};

static void use_end(struct use *u)
{
    if (u->pinned)
        table_release(u->table, &u->entry);
}

static void use_find(struct use *u, struct str key, bool make, mono_t now)
{
    u->entry = make ? table_get(u->table, key, now) : table_find(u->table, key, now);
    u->pinned = u->entry != NULL;
}

static bool is_change(enum op op)
{
    return op == OP_INC || op == OP_CLEAR;
}

static enum table_data rate_of(enum table_data counter)
{
    switch (counter) {
    case TD_GPC0:
        return TD_GPC0_RATE;
    case TD_GPC1:
        return TD_GPC1_RATE;
    case TD_CONN_CNT:
        return TD_COUNT; // none: src_updt_conn_cnt leaves conn_rate to connections
    default:
        return TD_GPC_RATE;
    }
}

// A table may store the counter, its rate, or both.
static bool count_event(const struct use *u, enum table_data d, unsigned index, mono_t now, int64_t *out)
{
    enum table_data rate = rate_of(d);
    bool rated = rate != TD_COUNT && table_add(u->table, u->entry, rate, index, 1, now);
    bool counted = table_add(u->table, u->entry, d, index, 1, now);
    table_touch(u->table, u->entry, now);
    if (counted)
        return table_read(u->table, u->entry, d, index, now, out);
    return rated && table_read(u->table, u->entry, rate, index, now, out);
}

static bool apply(const struct use *u, enum op op, enum table_data d, unsigned index, mono_t now, int64_t *out)
{
    bool array = d == TD_GPC || d == TD_GPC_RATE || d == TD_GPT;
    *out = 0;
    if (!table_config(u->table)->data[d].on && op != OP_INC)
        return array;
    if (!u->entry)
        return true;
    if (op == OP_INC)
        return count_event(u, d, index, now, out) || array;
    if (!table_read(u->table, u->entry, d, index, now, out))
        return array;
    if (op == OP_KBYTES)
        *out >>= 10;
    if (op == OP_CLEAR)
        table_set(u->table, u->entry, d, index, 0, now);
    return true;
}

// ---- finding the entry

// The tracked entry of counter args[0], or in the table given behind it the entry of the same key.
static bool use_tracked(struct match_ctx *c, const struct arg *args, unsigned nargs, bool make, mono_t now,
                        struct use *u)
{
    const struct track *k = c->tracks ? &c->tracks[args[0].num] : NULL;
    if (!k || !track_active(k))
        return false;
    *u = (struct use){.table = k->table, .entry = k->entry};
    if (nargs < 2 || !args[1].table || args[1].table == k->table)
        return true;
    u->table = args[1].table;
    u->entry = NULL;
    if (table_config(u->table)->key == table_config(k->table)->key)
        use_find(u, table_entry_key(k->entry), make, now);
    return true;
}

static bool use_value(struct match_ctx *c, const struct sample *s, struct table *t, bool make, mono_t now,
                      struct use *u)
{
    struct table_key_buf key;
    *u = (struct use){.table = t};
    if (!table_key_make(c, t, s, &key))
        return false;
    use_find(u, key.key, make, now);
    return true;
}

static bool use_source(struct match_ctx *c, struct table *t, bool make, mono_t now, struct use *u)
{
    struct sample s;
    if (!c->client || c->client->src.sa.sa_family == AF_UNIX || c->client->src.sa.sa_family == AF_UNSPEC)
        return false;
    sample_set_addr(&s, &c->client->src);
    return use_value(c, &s, t, make, now, u);
}

// ---- columns

// The array forms have the index in front of the other arguments.
static enum eval_result sc_column(struct match_ctx *c, const struct arg *args, unsigned nargs, bool array, enum op op,
                                  enum table_data d, struct sample *out)
{
    mono_t now = match_now(c);
    struct use u;
    int64_t value;
    if (!use_tracked(c, args + array, nargs - array, is_change(op), now, &u))
        return EVAL_NONE;
    bool known = apply(&u, op, d, array ? (unsigned)args[0].num : 0, now, &value);
    use_end(&u);
    sample_set_int(out, value);
    return known ? EVAL_FOUND : EVAL_NONE;
}

static enum eval_result src_column(struct match_ctx *c, const struct arg *args, bool array, enum op op,
                                   enum table_data d, struct sample *out)
{
    mono_t now = match_now(c);
    struct use u;
    int64_t value;
    if (!use_source(c, args[array].table, is_change(op), now, &u))
        return EVAL_NONE;
    bool known = apply(&u, op, d, array ? (unsigned)args[0].num : 0, now, &value);
    use_end(&u);
    sample_set_int(out, value);
    return known ? EVAL_FOUND : EVAL_NONE;
}

static bool table_column(struct match_ctx *c, const struct arg *args, bool array, enum op op, enum table_data d,
                         struct sample *s)
{
    mono_t now = match_now(c);
    struct use u;
    int64_t value;
    if (!use_value(c, s, args[array].table, is_change(op), now, &u))
        return false;
    bool known = apply(&u, op, d, array ? (unsigned)args[0].num : 0, now, &value);
    use_end(&u);
    sample_set_int(s, value);
    return known;
}

// X(name of sc_ and src_, name of table_, has an index, operation, column)
#define COLUMNS(X)                                                                                                     \
    X(BYTES_IN_RATE, BYTES_IN_RATE, 0, OP_READ, TD_BYTES_IN_RATE)                                                      \
    X(BYTES_OUT_RATE, BYTES_OUT_RATE, 0, OP_READ, TD_BYTES_OUT_RATE)                                                   \
    X(CLR_GPC, CLR_GPC, 1, OP_CLEAR, TD_GPC)                                                                           \
    X(CLR_GPC0, CLR_GPC0, 0, OP_CLEAR, TD_GPC0)                                                                        \
    X(CLR_GPC1, CLR_GPC1, 0, OP_CLEAR, TD_GPC1)                                                                        \
    X(CONN_CNT, CONN_CNT, 0, OP_READ, TD_CONN_CNT)                                                                     \
    X(CONN_CUR, CONN_CUR, 0, OP_READ, TD_CONN_CUR)                                                                     \
    X(CONN_RATE, CONN_RATE, 0, OP_READ, TD_CONN_RATE)                                                                  \
    X(GET_GPC, GPC, 1, OP_READ, TD_GPC)                                                                                \
    X(GET_GPC0, GPC0, 0, OP_READ, TD_GPC0)                                                                             \
    X(GET_GPC1, GPC1, 0, OP_READ, TD_GPC1)                                                                             \
    X(GET_GPT, GPT, 1, OP_READ, TD_GPT)                                                                                \
    X(GET_GPT0, GPT0, 0, OP_READ, TD_GPT0)                                                                             \
    X(GPC_RATE, GPC_RATE, 1, OP_READ, TD_GPC_RATE)                                                                     \
    X(GPC0_RATE, GPC0_RATE, 0, OP_READ, TD_GPC0_RATE)                                                                  \
    X(GPC1_RATE, GPC1_RATE, 0, OP_READ, TD_GPC1_RATE)                                                                  \
    X(HTTP_ERR_CNT, HTTP_ERR_CNT, 0, OP_READ, TD_HTTP_ERR_CNT)                                                         \
    X(HTTP_ERR_RATE, HTTP_ERR_RATE, 0, OP_READ, TD_HTTP_ERR_RATE)                                                      \
    X(HTTP_FAIL_CNT, HTTP_FAIL_CNT, 0, OP_READ, TD_HTTP_FAIL_CNT)                                                      \
    X(HTTP_FAIL_RATE, HTTP_FAIL_RATE, 0, OP_READ, TD_HTTP_FAIL_RATE)                                                   \
    X(HTTP_REQ_CNT, HTTP_REQ_CNT, 0, OP_READ, TD_HTTP_REQ_CNT)                                                         \
    X(HTTP_REQ_RATE, HTTP_REQ_RATE, 0, OP_READ, TD_HTTP_REQ_RATE)                                                      \
    X(INC_GPC, INC_GPC, 1, OP_INC, TD_GPC)                                                                             \
    X(INC_GPC0, INC_GPC0, 0, OP_INC, TD_GPC0)                                                                          \
    X(INC_GPC1, INC_GPC1, 0, OP_INC, TD_GPC1)                                                                          \
    X(KBYTES_IN, KBYTES_IN, 0, OP_KBYTES, TD_BYTES_IN_CNT)                                                             \
    X(KBYTES_OUT, KBYTES_OUT, 0, OP_KBYTES, TD_BYTES_OUT_CNT)                                                          \
    X(SESS_CNT, SESS_CNT, 0, OP_READ, TD_SESS_CNT)                                                                     \
    X(SESS_RATE, SESS_RATE, 0, OP_READ, TD_SESS_RATE)

#define FUNCTIONS(name, table_name, array, op, column)                                                                 \
    static enum eval_result sc_##name(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out) \
    {                                                                                                                  \
        return sc_column(c, args, nargs, array, op, column, out);                                                      \
    }                                                                                                                  \
    static enum eval_result src_##name(struct match_ctx *c, const struct arg *args, unsigned nargs,                    \
                                       struct sample *out)                                                             \
    {                                                                                                                  \
        return src_column(c, args, array, op, column, out);                                                            \
    }                                                                                                                  \
    static bool table_##name(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)            \
    {                                                                                                                  \
        return table_column(c, args, array, op, column, s);                                                            \
    }
COLUMNS(FUNCTIONS)

// ---- the rest of sc_*

static enum eval_result sc_tracked(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    struct use u = {0};
    bool tracked = use_tracked(c, args, nargs, false, match_now(c), &u) && u.entry;
    use_end(&u);
    sample_set_bool(out, tracked);
    return EVAL_FOUND;
}

static enum eval_result sc_trackers(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    struct use u;
    if (!use_tracked(c, args, nargs, false, match_now(c), &u))
        return EVAL_NONE;
    // The uses do not count the caller's pin: the track's own is one of those asked for.
    unsigned uses = u.entry ? table_entry_uses(u.table, u.entry) + !u.pinned : 0;
    use_end(&u);
    sample_set_int(out, uses);
    return EVAL_FOUND;
}

static enum eval_result sc_key(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    struct use u;
    if (!use_tracked(c, args, 1, false, match_now(c), &u))
        return EVAL_NONE;
    struct str key = table_entry_key(u.entry);
    *out = (struct sample){.constant = true};
    switch (table_config(u.table)->key) {
    case TKEY_IPV4:
        out->type = TYPE_IPV4;
        memcpy(&out->ip4, key.ptr, sizeof(out->ip4));
        break;
    case TKEY_IPV6:
        out->type = TYPE_IPV6;
        memcpy(&out->ip6, key.ptr, sizeof(out->ip6));
        break;
    case TKEY_INT:
        out->type = TYPE_INT;
        memcpy(&out->num, key.ptr, sizeof(out->num));
        break;
    case TKEY_STR:
    case TKEY_BIN:
        out->type = table_config(u.table)->key == TKEY_STR ? TYPE_STR : TYPE_BIN;
        out->str = arena_str(c->arena, key); // the entry may go before the sample
        break;
    }
    return EVAL_FOUND;
}

// ---- the rest of src_* and of tables

static enum eval_result src_updt_conn_cnt(struct match_ctx *c, const struct arg *args, unsigned nargs,
                                          struct sample *out)
{
    return src_column(c, args, false, OP_INC, TD_CONN_CNT, out);
}

static enum eval_result table_cnt(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    sample_set_int(out, (int64_t)table_count(args[0].table));
    return EVAL_FOUND;
}

static enum eval_result table_avl(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    uint64_t used = table_count(args[0].table), size = table_size(args[0].table);
    sample_set_int(out, used < size ? (int64_t)(size - used) : 0);
    return EVAL_FOUND;
}

static bool conv_in_table(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    struct use u;
    if (!use_value(c, s, args[0].table, false, match_now(c), &u))
        return false;
    bool found = u.entry != NULL;
    use_end(&u);
    sample_set_bool(s, found);
    return true;
}

static bool conv_table_trackers(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    struct use u;
    if (!use_value(c, s, args[0].table, false, match_now(c), &u))
        return false;
    unsigned uses = u.entry ? table_entry_uses(u.table, u.entry) : 0;
    use_end(&u);
    sample_set_int(s, uses);
    return true;
}

// The server's number in the backend that owns the table; 0 = none.
static bool conv_table_server_id(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    struct use u;
    char name[256];
    mono_t now = match_now(c);
    if (!use_value(c, s, args[0].table, false, now, &u))
        return false;
    bool named = u.entry && table_get_server(u.table, u.entry, name, sizeof(name), now);
    use_end(&u);
    const struct cfg_server *server = named && args[0].ref ? config_find_server(args[0].ref, str_of(name)) : NULL;
    sample_set_int(s, server ? server->id : 0);
    return true;
}

// Milliseconds to an entry's expiry, or since its last use; the default when there is no entry.
static bool entry_age(struct match_ctx *c, const struct arg *args, unsigned nargs, bool idle, struct sample *s)
{
    struct use u;
    mono_t now = match_now(c);
    if (!use_value(c, s, args[0].table, false, now, &u))
        return false;
    if (!u.entry) {
        bool otherwise = nargs > 1 && args[1].kind == ARG_INT;
        sample_set_int(s, otherwise ? args[1].num : 0);
        return otherwise;
    }
    int64_t left = table_entry_expires_ms(u.table, u.entry, now);
    int64_t lifetime = table_config(u.table)->expire_ms;
    use_end(&u);
    sample_set_int(s, !idle ? left : lifetime > left ? lifetime - left : 0);
    return true;
}

static bool conv_table_expire(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    return entry_age(c, args, nargs, false, s);
}

static bool conv_table_idle(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    return entry_age(c, args, nargs, true, s);
}

// ---- binding

void fetch_bind_table(void)
{
#define BIND_FETCHES(name, table_name, array, op, column)                                                              \
    fetch_bind(FETCH_SC_##name, sc_##name);                                                                            \
    fetch_bind(FETCH_SRC_##name, src_##name);
    COLUMNS(BIND_FETCHES)
#undef BIND_FETCHES
    fetch_bind(FETCH_SC_TRACKED, sc_tracked);
    fetch_bind(FETCH_SC_TRACKERS, sc_trackers);
    fetch_bind(FETCH_SC_KEY, sc_key);
    fetch_bind(FETCH_SRC_UPDT_CONN_CNT, src_updt_conn_cnt);
    fetch_bind(FETCH_TABLE_CNT, table_cnt);
    fetch_bind(FETCH_TABLE_AVL, table_avl);
}

void conv_bind_table(void)
{
#define BIND_CONVS(name, table_name, array, op, column) conv_bind(CONV_TABLE_##table_name, table_##name);
    COLUMNS(BIND_CONVS)
#undef BIND_CONVS
    conv_bind(CONV_IN_TABLE, conv_in_table);
    conv_bind(CONV_TABLE_TRACKERS, conv_table_trackers);
    conv_bind(CONV_TABLE_SERVER_ID, conv_table_server_id);
    conv_bind(CONV_TABLE_EXPIRE, conv_table_expire);
    conv_bind(CONV_TABLE_IDLE, conv_table_idle);
}
