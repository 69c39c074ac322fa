// SPDX-License-Identifier: Apache-2.0
// show, set and clear table, in HAProxy's line format. Counters are the cluster's sums. Long tables are walked in
// slices.
#include <arpa/inet.h>
#include <stdlib.h>

#include "node/admin/commands.h"
#include "node/base/panic.h"
#include "node/match/table.h"

#define FILTERS_MAX 4

enum op { OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT };
struct filter {
    enum table_data column;
    unsigned index;
    enum op op;
    int64_t value;
};
struct table_walk {
    struct snapshot *snapshot;
    struct proxy *proxy; // its table
    struct filter filters[FILTERS_MAX];
    unsigned nfilters;
    bool clear;
    struct buf keys; // to be removed after the step: a walk holds the entries that it shows
    struct buf *out;
    mono_t now;
    uint64_t cursor;
};

// The columns in the order in which HAProxy prints them.
static const enum table_data print_order[] = {
    TD_SERVER_ID,     TD_GPT0,           TD_GPC0,          TD_GPC0_RATE,    TD_CONN_CNT,
    TD_CONN_RATE,     TD_CONN_CUR,       TD_SESS_CNT,      TD_SESS_RATE,    TD_HTTP_REQ_CNT,
    TD_HTTP_REQ_RATE, TD_HTTP_ERR_CNT,   TD_HTTP_ERR_RATE, TD_BYTES_IN_CNT, TD_BYTES_IN_RATE,
    TD_BYTES_OUT_CNT, TD_BYTES_OUT_RATE, TD_GPC1,          TD_GPC1_RATE,    TD_SERVER_KEY,
    TD_HTTP_FAIL_CNT, TD_HTTP_FAIL_RATE, TD_GPT,           TD_GPC,          TD_GPC_RATE,
};

// ---- keys

static void print_key(struct buf *out, const struct cfg_table *cfg, struct str key)
{
    char text[INET6_ADDRSTRLEN];
    int64_t number;
    switch (cfg->key) {
    case TKEY_IPV4:
        buf_add_cstr(out, inet_ntop(AF_INET, key.ptr, text, sizeof(text)));
        return;
    case TKEY_IPV6:
        buf_add_cstr(out, inet_ntop(AF_INET6, key.ptr, text, sizeof(text)));
        return;
    case TKEY_INT:
        memcpy(&number, key.ptr, sizeof(number));
        buf_printf(out, "%lld", (long long)number);
        return;
    case TKEY_STR:
        buf_add_str(out, key);
        return;
    case TKEY_BIN:
        for (size_t i = 0; i < key.len; i++)
            buf_printf(out, "%02X", (unsigned char)key.ptr[i]);
        return;
    }
}

// False: not a key of this type; said.
static bool parse_key(struct cli *c, const struct cfg_table *cfg, struct str text, char *bytes, size_t size,
                      struct str *key)
{
    int64_t number;
    bool ok = false;
    *key = str_make(bytes, 0);
    switch (cfg->key) {
    case TKEY_IPV4:
        ok = inet_pton(AF_INET, text.ptr, bytes) == 1;
        key->len = 4;
        break;
    case TKEY_IPV6:
        ok = inet_pton(AF_INET6, text.ptr, bytes) == 1;
        key->len = 16;
        break;
    case TKEY_INT:
        ok = str_to_i64(text, &number);
        memcpy(bytes, &number, sizeof(number));
        key->len = sizeof(number);
        break;
    case TKEY_STR:
        ok = text.len > 0;
        *key = str_slice(text, 0, cfg->key_len);
        break;
    case TKEY_BIN:
        memset(bytes, 0, size);
        for (key->len = 0; key->len * 2 + 1 < text.len && key->len < cfg->key_len && key->len < size; key->len++) {
            char pair[3] = {text.ptr[key->len * 2], text.ptr[key->len * 2 + 1], 0};
            bytes[key->len] = (char)strtoul(pair, NULL, 16);
        }
        key->len = cfg->key_len;
        ok = text.len > 0 && cfg->key_len <= size;
        break;
    }
    if (!ok)
        cli_say(c, "Invalid key\n");
    return ok;
}

// ---- columns

// "data.gpc0", "data.gpc[3]"
static bool parse_column(struct cli *c, const struct cfg_table *cfg, struct str text, enum table_data *column,
                         unsigned *index)
{
    struct str name = str_slice(text, 5, text.len);
    ptrdiff_t bracket = str_find_char(name, '[');
    uint64_t n = 0;
    if (bracket >= 0) {
        str_to_u64(str_slice(name, (size_t)bracket + 1, name.len - (size_t)bracket - 2), &n);
        name = str_slice(name, 0, (size_t)bracket);
    }
    for (unsigned d = 0; d < TD_COUNT; d++) {
        if (!str_is(name, table_data_name((enum table_data)d)))
            continue;
        *column = (enum table_data)d;
        *index = (unsigned)n;
        if (cfg->data[d].on && (n == 0 || n < cfg->data[d].elements))
            return true;
        cli_say(c, "Data type not stored in this table\n");
        return false;
    }
    cli_say(c, "Unknown data type\n");
    return false;
}

static struct server *server_named(struct proxy *p, const char *name)
{
    struct proxy *back = p->back ? p : NULL;
    return back ? proxy_find_server(back, str_of(name)) : NULL;
}

// server_id is this node's number of the server whose name is stored.
static bool read_column(const struct table_walk *w, struct table_entry *e, enum table_data d, unsigned index,
                        int64_t *value)
{
    char name[256];
    if (d != TD_SERVER_ID)
        return table_read(w->proxy->table, e, d, index, w->now, value);
    struct server *srv =
        table_get_server(w->proxy->table, e, name, sizeof(name), w->now) ? server_named(w->proxy, name) : NULL;
    *value = srv ? srv->cfg->id : 0;
    return true;
}

static void print_column(const struct table_walk *w, struct table_entry *e, const struct cfg_table *cfg,
                         enum table_data d)
{
    const char *name = table_data_name(d);
    char server[256];
    int64_t value;
    if (d == TD_SERVER_KEY) {
        bool has = table_get_server(w->proxy->table, e, server, sizeof(server), w->now) && server[0];
        buf_printf(w->out, " %s=%s", name, has ? server : "-");
        return;
    }
    unsigned n = cfg->data[d].elements ? cfg->data[d].elements : 1;
    bool array = d == TD_GPT || d == TD_GPC || d == TD_GPC_RATE;
    for (unsigned i = 0; i < n; i++) {
        if (!read_column(w, e, d, i, &value))
            continue;
        buf_printf(w->out, " %s", name);
        if (array)
            buf_printf(w->out, "[%u]", i);
        if (table_data_is_rate(d))
            buf_printf(w->out, "(%u)", cfg->data[d].period_ms);
        buf_printf(w->out, "=%lld", (long long)value);
    }
}

static void print_entry(const struct table_walk *w, struct table_entry *e)
{
    struct table *t = w->proxy->table;
    const struct cfg_table *cfg = table_config(t);
    buf_printf(w->out, "%p: key=", (void *)e);
    print_key(w->out, cfg, table_entry_key(e));
    buf_printf(w->out, " use=%u exp=%lld", table_entry_uses(t, e), (long long)table_entry_expires_ms(t, e, w->now));
    for (size_t i = 0; i < sizeof(print_order) / sizeof(print_order[0]); i++)
        if (cfg->data[print_order[i]].on)
            print_column(w, e, cfg, print_order[i]);
    buf_add_char(w->out, '\n');
}

static void print_header(struct buf *out, struct proxy *p)
{
    static const char *types[] = {"ip", "ipv6", "integer", "string", "binary"};
    const struct cfg_table *cfg = table_config(p->table);
    buf_printf(out, "# table: %.*s, type: %s, size:%llu, used:%llu\n", STR_ARG(p->cfg->name), types[cfg->key],
               (unsigned long long)table_size(p->table), (unsigned long long)table_count(p->table));
}

// ---- filters

static bool passes(const struct table_walk *w, struct table_entry *e)
{
    for (unsigned i = 0; i < w->nfilters; i++) {
        const struct filter *f = &w->filters[i];
        int64_t v;
        if (!read_column(w, e, f->column, f->index, &v))
            return false;
        bool held = f->op == OP_EQ   ? v == f->value
                    : f->op == OP_NE ? v != f->value
                    : f->op == OP_LE ? v <= f->value
                    : f->op == OP_GE ? v >= f->value
                    : f->op == OP_LT ? v < f->value
                                     : v > f->value;
        if (!held)
            return false;
    }
    return true;
}

static bool parse_filter(struct cli *c, const struct cfg_table *cfg, unsigned at, struct filter *f)
{
    static const char *ops[] = {"eq", "ne", "le", "ge", "lt", "gt"};
    if (!parse_column(c, cfg, cli_arg(c, at), &f->column, &f->index))
        return false;
    struct str op = cli_arg(c, at + 1);
    for (unsigned i = 0; i < 6; i++) {
        if (!str_is(op, ops[i]))
            continue;
        f->op = (enum op)i;
        if (str_to_i64(cli_arg(c, at + 2), &f->value))
            return true;
        cli_say(c, "Require a valid integer value to compare against\n");
        return false;
    }
    cli_say(c, "Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"\n");
    return false;
}

// ---- the walk

static void walk_free(void *state)
{
    struct table_walk *w = state;
    snapshot_unref(&w->snapshot);
    buf_free(&w->keys);
    free(w);
}

// NULL: said why.
static struct proxy *find_table(struct cli *c, struct str name)
{
    struct snapshot *s = snapshot_current();
    for (unsigned i = 0; i < s->nproxies; i++)
        if (s->proxies[i]->table && str_eq(s->proxies[i]->cfg->name, name))
            return s->proxies[i];
    cli_say(c, "No such table\n");
    return NULL;
}

static bool on_entry(void *arg, struct table *t, struct table_entry *e)
{
    struct table_walk *w = arg;
    if (!passes(w, e))
        return true;
    if (w->clear) {
        struct str key = table_entry_key(e);
        buf_add(&w->keys, &key.len, sizeof(key.len));
        buf_add_str(&w->keys, key);
    } else {
        print_entry(w, e);
    }
    return true;
}

static void remove_noted(struct table_walk *w)
{
    for (size_t at = 0; at < w->keys.len;) {
        struct str key;
        memcpy(&key.len, w->keys.data + at, sizeof(key.len));
        key.ptr = w->keys.data + at + sizeof(key.len);
        at += sizeof(key.len) + key.len;
        table_delete(w->proxy->table, key, w->now);
    }
    buf_clear(&w->keys);
}

static enum cli_result one_key(struct cli *c, struct proxy *p, bool clear)
{
    struct cli_request *r = cli_request(c);
    struct table_walk w = {.proxy = p, .out = &r->out, .now = r->now};
    char bytes[512];
    struct str key;
    if (!parse_key(c, table_config(p->table), cli_arg(c, 2), bytes, sizeof(bytes), &key))
        return CLI_DONE;
    struct table_entry *e = table_find(p->table, key, r->now);
    if (!clear)
        print_header(&r->out, p);
    if (!e)
        return clear ? cli_say(c, "Key not found.\n") : CLI_DONE;
    if (!clear)
        print_entry(&w, e);
    table_release(p->table, &e);
    if (clear && !table_delete(p->table, key, r->now))
        cli_say(c, "Entry currently in use, cannot remove\n");
    return CLI_DONE;
}

static enum cli_result walk(struct cli *c, bool clear)
{
    struct cli_request *r = cli_request(c);
    struct table_walk *w = r->state;
    if (!w) {
        struct proxy *p = find_table(c, cli_arg(c, 0));
        if (!p)
            return CLI_DONE;
        if (str_is(cli_arg(c, 1), "key"))
            return one_key(c, p, clear);
        w = r->state = calloc(1, sizeof(*w));
        ASSERT(w != NULL);
        r->free_state = walk_free;
        w->snapshot = snapshot_ref(snapshot_current());
        w->proxy = p;
        w->clear = clear;
        w->out = &r->out;
        for (unsigned at = 1; at < cli_nargs(c); at += 3) {
            if (!str_starts(cli_arg(c, at), STR("data.")))
                return cli_say(c, "Optional argument only supports \"data.<store_data_type>\" and key <key>\n");
            if (w->nfilters == FILTERS_MAX)
                return cli_say(c, "At most %d filters\n", FILTERS_MAX);
            if (!parse_filter(c, table_config(p->table), at, &w->filters[w->nfilters++]))
                return CLI_DONE;
        }
        if (!clear)
            print_header(&r->out, p);
    }
    w->now = r->now = mono_now();
    bool more;
    while ((more = table_walk(w->proxy->table, &w->cursor, 256, w->now, on_entry, w)) && !clear)
        if (r->out.len > CLI_SLICE)
            return CLI_AGAIN;
    remove_noted(w);
    return more ? CLI_AGAIN : CLI_DONE;
}

enum cli_result cmd_show_table(struct cli *c)
{
    struct snapshot *s = snapshot_current();
    if (cli_nargs(c) > 0)
        return walk(c, false);
    for (unsigned i = 0; i < s->nproxies; i++)
        if (s->proxies[i]->table)
            print_header(&cli_request(c)->out, s->proxies[i]);
    return CLI_DONE;
}

enum cli_result cmd_clear_table(struct cli *c)
{
    if (!cli_allowed(c, CLI_OPERATOR))
        return CLI_DONE;
    if (cli_nargs(c) == 0)
        return cli_say(c, "\"table name\" expected\n");
    return walk(c, true);
}

enum cli_result cmd_set_table(struct cli *c)
{
    struct cli_request *r = cli_request(c);
    char bytes[512];
    struct str key;
    if (!cli_allowed(c, CLI_OPERATOR))
        return CLI_DONE;
    struct proxy *p = find_table(c, cli_arg(c, 0));
    if (!p)
        return CLI_DONE;
    if (!str_is(cli_arg(c, 1), "key") || cli_nargs(c) < 3)
        return cli_say(c, "Required arguments: <table> \"key\" <key>\n");
    const struct cfg_table *cfg = table_config(p->table);
    if (!parse_key(c, cfg, cli_arg(c, 2), bytes, sizeof(bytes), &key))
        return CLI_DONE;
    for (unsigned at = 3; at < cli_nargs(c); at += 2) { // all checked before anything is changed
        enum table_data d;
        unsigned index;
        int64_t v;
        if (!str_starts(cli_arg(c, at), STR("data.")))
            return cli_say(c, "\"data.<type>\" followed by a value expected\n");
        if (!parse_column(c, cfg, cli_arg(c, at), &d, &index))
            return CLI_DONE;
        if (d != TD_SERVER_KEY && !str_to_i64(cli_arg(c, at + 1), &v))
            return cli_say(c, "Require a valid integer value to store\n");
    }
    struct table_entry *e = table_get(p->table, key, r->now);
    if (!e)
        return cli_say(c, "Unable to allocate a new entry\n");
    for (unsigned at = 3; at < cli_nargs(c); at += 2) {
        enum table_data d;
        unsigned index;
        int64_t v = 0;
        parse_column(c, cfg, cli_arg(c, at), &d, &index);
        str_to_i64(cli_arg(c, at + 1), &v);
        if (d == TD_SERVER_KEY)
            table_set_server(p->table, e, cli_arg(c, at + 1), r->now);
        else
            table_set(p->table, e, d, index, v, r->now);
    }
    table_touch(p->table, e, r->now);
    table_release(p->table, &e);
    return CLI_DONE;
}
