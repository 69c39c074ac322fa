// SPDX-License-Identifier: Apache-2.0
// Persistence: a client comes back to the server it had, found by a cookie or by a stick table; and what is remembered
// of it in the answer. Behaviour: configuration.txt "cookie", "stick …", "force-persist", "ignore-persist";
// letters: 8.5.
#include "node/proxy/stream_steps.h"

#include "node/http/cookie.h"

#define STAMP_LEN 5 // 30 bits in base64: wall-clock seconds / 4

// An entry to be written once the server is known.
struct stick_store {
    struct table *table;
    struct str key; // in the arena
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// ---- time stamps of maxidle and maxlife ----------------------------------------------------------------------------

static void write_stamp(char *dst, int64_t seconds)
{
    uint32_t v = (uint32_t)((seconds + 3) >> 2);
    for (int i = STAMP_LEN - 1; i >= 0; i--, v >>= 6)
        dst[i] = base64[v & 63];
}

// Seconds, or -1.
static int64_t read_stamp(struct str s)
{
    uint32_t v = 0;
    if (s.len != STAMP_LEN)
        return -1;
    for (size_t i = 0; i < STAMP_LEN; i++) {
        const char *p = s.ptr[i] ? strchr(base64, s.ptr[i]) : NULL;
        if (!p)
            return -1;
        v = v << 6 | (uint32_t)(p - base64);
    }
    return (int64_t)v << 2;
}

// "VALUE|LAST SEEN|FIRST SEEN": too old?
static char age_letter(const struct cfg_cookie *cfg, struct str stamps, int64_t now, int64_t *first)
{
    struct str last_text, first_text = STR_NONE;
    *first = -1;
    if (!str_split(&stamps, '|', &last_text))
        return 'V';
    str_split(&stamps, '|', &first_text);
    int64_t last = read_stamp(last_text);
    *first = read_stamp(first_text);
    if (cfg->maxidle && last >= 0 && last + cfg->maxidle < now)
        return 'E';
    if (cfg->maxlife && *first >= 0 && *first + cfg->maxlife < now)
        return 'O';
    return 'V';
}

// ---- the request's cookie ------------------------------------------------------------------------------------------

// A server that is named by the client serves it unless it is down or in maintenance; it may be draining.
static bool can_serve(const struct stream *st, const struct server *srv)
{
    const struct server_state *s = srv->state;
    if (st->flags & STREAM_FORCE_PERSIST || cfg_option(st->back->cfg, OPT_PERSIST))
        return true;
    return atomic_load(&s->effective_up) && !(atomic_load(&s->admin) & ~ADMIN_PERSISTENT);
}

static void prefer(struct stream *st, struct server *srv)
{
    st->preferred = srv;
    st->flags |= STREAM_PERSISTED | STREAM_ASSIGNED;
}

// What the application behind must not see: our prefix, or the whole cookie.
static void hide_cookie(struct stream *st, const struct cfg_cookie *cfg, struct str value)
{
    if (cfg->flags & COOKIE_PREFIX) {
        ptrdiff_t mark = str_find_char(value, '~');
        if (mark >= 0)
            cookie_rewrite(&st->req, cfg->name, str_slice(value, (size_t)mark + 1, value.len));
    } else if (cfg->flags & COOKIE_INSERT && cfg->flags & COOKIE_INDIRECT) {
        cookie_remove(&st->req, cfg->name);
    }
}

static void look_at_cookie(struct stream *st)
{
    const struct cfg_cookie *cfg = &st->back->cfg->cookie;
    struct str value;
    st->term_cookie[0] = 'N';
    if (!cookie_get(&st->req, cfg->name, 0, &value))
        return;
    ptrdiff_t end = str_find_char(value, cfg->flags & COOKIE_PREFIX ? '~' : '|');
    struct str id = end < 0 ? value : str_slice(value, 0, (size_t)end);
    struct server *srv = end < 0 && cfg->flags & COOKIE_PREFIX ? NULL : proxy_find_server_cookie(st->back, id);
    st->term_cookie[0] = 'I';
    st->cookie_first = -1;
    if (srv && !(cfg->flags & COOKIE_PREFIX) && (cfg->maxidle || cfg->maxlife)) {
        struct str stamps = end < 0 ? STR_NONE : str_slice(value, (size_t)end + 1, value.len);
        char letter = age_letter(cfg, stamps, loop_wall_us(st->loop) / 1000000, &st->cookie_first);
        st->term_cookie[0] = letter;
        if (letter != 'V')
            srv = NULL;
    }
    if (srv && st->flags & STREAM_ASSIGNED && !(st->flags & STREAM_PERSISTED))
        st->term_cookie[0] = 'U'; // use-server has decided
    else if (srv && can_serve(st, srv))
        st->term_cookie[0] = 'V', prefer(st, srv);
    else if (srv)
        st->term_cookie[0] = 'D';
    hide_cookie(st, cfg, arena_str(st->arena, value));
}

// ---- stick tables --------------------------------------------------------------------------------------------------

static bool stick_key(struct stream *st, const struct stick_rule *r, struct table_key_buf *buf)
{
    struct sample s;
    return cond_eval(r->cond, &st->ctx) == COND_TRUE && expr_eval(r->expr, &st->ctx, TYPE_ANY, &s) == EVAL_FOUND &&
           table_key_make(&st->ctx, r->table, &s, buf);
}

static void stick_match(struct stream *st, const struct stick_rule *r, struct str key)
{
    char name[256];
    mono_t now = loop_now(st->loop);
    struct table_entry *e = table_find(r->table, key, now);
    if (!e)
        return;
    if (table_get_server(r->table, e, name, sizeof(name), now)) {
        struct server *srv = proxy_find_server(st->back, str_of(name));
        if (srv && can_serve(st, srv))
            prefer(st, srv);
    }
    table_touch(r->table, e, now);
    table_release(r->table, &e);
}

static void remember(struct stream *st, const struct stick_rule *r, struct str key)
{
    if (!st->stores)
        st->stores = ARENA_ARRAY(st->arena, struct stick_store, st->back->nstick_rules * 2);
    st->stores[st->nstores++] = (struct stick_store){r->table, arena_str(st->arena, key)};
}

static void stick_request(struct stream *st)
{
    const struct proxy *p = st->back;
    bool ignore = st->flags & STREAM_IGNORE_PERSIST;
    for (unsigned i = 0; i < p->nstick_rules; i++) {
        const struct stick_rule *r = &p->stick_rules[i];
        struct table_key_buf buf;
        if (!(r->kinds & (STICK_MATCH | STICK_STORE_REQ)) || !stick_key(st, r, &buf))
            continue;
        if (r->kinds & STICK_MATCH && !(st->flags & STREAM_ASSIGNED) && !ignore)
            stick_match(st, r, buf.key);
        if (r->kinds & STICK_STORE_REQ)
            remember(st, r, buf.key);
    }
}

static void stick_response(struct stream *st)
{
    const struct proxy *p = st->back;
    for (unsigned i = 0; i < p->nstick_rules; i++) {
        const struct stick_rule *r = &p->stick_rules[i];
        struct table_key_buf buf;
        if (r->kinds & STICK_STORE_RES && stick_key(st, r, &buf))
            remember(st, r, buf.key);
    }
}

static void write_stores(struct stream *st)
{
    mono_t now = loop_now(st->loop);
    char known[256];
    for (unsigned i = 0; i < st->nstores; i++) {
        struct stick_store *store = &st->stores[i];
        struct table_entry *e = table_get(store->table, store->key, now);
        if (!e)
            continue;
        struct str name = st->server->cfg->name;
        if (!table_get_server(store->table, e, known, sizeof(known), now) || !str_eq(str_of(known), name))
            table_set_server(store->table, e, name, now);
        table_touch(store->table, e, now);
        table_release(store->table, &e);
    }
}

// ---- steps ---------------------------------------------------------------------------------------------------------

static bool any_holds(struct stream *st, struct cond **conds, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (cond_eval(conds[i], &st->ctx) == COND_TRUE)
            return true;
    return false;
}

static bool wants_cookie(const struct stream *st)
{
    return stream_is_http(st) && st->back->cfg->cookie.name.len > 0;
}

enum step step_persistence(struct stream *st)
{
    struct proxy *p = st->back;
    const struct cfg_proxy *cfg = p->cfg;
    if (p->nstick_rules == 0 && !wants_cookie(st) && !cfg_option(cfg, OPT_PREFER_LAST_SERVER))
        return STEP_DONE;
    st->ctx.where = WHERE_BACK_REQ;
    st->ctx.req_final = true;
    stream_show_bytes(st);
    if (any_holds(st, p->force_persist, cfg->force_persist.count))
        st->flags |= STREAM_FORCE_PERSIST;
    else if (any_holds(st, p->ignore_persist, cfg->ignore_persist.count))
        st->flags |= STREAM_IGNORE_PERSIST;
    if (wants_cookie(st) && !(st->flags & STREAM_IGNORE_PERSIST))
        look_at_cookie(st);
    if (p->nstick_rules > 0)
        stick_request(st);
    struct server_conn *own = st->session->own;
    if (cfg_option(cfg, OPT_PREFER_LAST_SERVER) && !(st->flags & STREAM_ASSIGNED) && own)
        st->preferred = proxy_server_of(p, own->server);
    return STEP_DONE;
}

// A cache would give one client's cookie to others.
static void forbid_caching(struct stream *st)
{
    static const char *const private_words[] = {"private", "no-cache", "no-store", "max-age=0", "s-maxage=0"};
    if (!http_hdr_has(&st->res, HDR_CACHE_CONTROL))
        return;
    for (unsigned i = 0; i < sizeof(private_words) / sizeof(private_words[0]); i++)
        if (http_hdr_has_token(&st->res, HDR_CACHE_CONTROL, str_of(private_words[i])))
            return;
    http_hdr_add(&st->res, STR("cache-control"), STR("private"));
}

static struct str cookie_text(struct stream *st, const struct cfg_cookie *cfg, struct str value)
{
    char stamps[2 * (STAMP_LEN + 1)];
    size_t n = 0;
    int64_t now = loop_wall_us(st->loop) / 1000000;
    if (cfg->maxidle || cfg->maxlife) {
        stamps[n] = '|';
        write_stamp(stamps + n + 1, now);
        n += STAMP_LEN + 1;
    }
    if (cfg->maxlife) {
        stamps[n] = '|';
        write_stamp(stamps + n + 1, st->term_cookie[0] == 'V' && st->cookie_first >= 0 ? st->cookie_first : now);
        n += STAMP_LEN + 1;
    }
    return arena_printf(st->arena, "%.*s=%.*s%.*s; path=/%s%.*s%s%s%s%.*s", STR_ARG(cfg->name), STR_ARG(value), (int)n,
                        stamps, cfg->domain.len ? "; domain=" : "", STR_ARG(cfg->domain),
                        cfg->flags & COOKIE_HTTPONLY ? "; HttpOnly" : "", cfg->flags & COOKIE_SECURE ? "; Secure" : "",
                        cfg->attr.len ? "; " : "", STR_ARG(cfg->attr));
}

// Does the client hold a cookie that is still right?
static bool cookie_is_current(const struct stream *st, const struct cfg_cookie *cfg)
{
    return st->term_cookie[0] == 'V' && st->preferred == st->server && !(cfg->maxidle || cfg->maxlife);
}

// The server's own Set-Cookie of that name: rewritten, given a prefix, removed, or let pass.
static void server_set_cookie(struct stream *st, const struct cfg_cookie *cfg, struct str value)
{
    struct str id = st->server->cfg->cookie;
    if (cfg->flags & COOKIE_INSERT) {
        if (!(cfg->flags & COOKIE_PRESERVE) && (cfg->flags & COOKIE_INDIRECT)) {
            cookie_remove_set(&st->res, cfg->name);
            st->term_cookie[1] = 'D';
        }
    } else if (cfg->flags & COOKIE_REWRITE) {
        cookie_rewrite(&st->res, cfg->name, id);
        st->term_cookie[1] = 'R';
    } else if (cfg->flags & COOKIE_PREFIX) {
        cookie_rewrite(&st->res, cfg->name, arena_printf(st->arena, "%.*s~%.*s", STR_ARG(id), STR_ARG(value)));
        st->term_cookie[1] = 'R';
    }
}

static void answer_cookie(struct stream *st)
{
    const struct cfg_cookie *cfg = &st->back->cfg->cookie;
    struct str id = st->server->cfg->cookie, value;
    bool has = cookie_get(&st->res, cfg->name, 0, &value);
    st->term_cookie[1] = has ? 'P' : 'N';
    if (id.len == 0)
        return;
    if (has)
        server_set_cookie(st, cfg, value);
    bool kept = has && cfg->flags & COOKIE_PRESERVE;
    bool wanted = cfg->flags & COOKIE_INSERT && !kept && !cookie_is_current(st, cfg) &&
                  (!(cfg->flags & COOKIE_POSTONLY) || st->req.method == METHOD_POST);
    if (wanted) {
        http_hdr_add(&st->res, STR("set-cookie"), cookie_text(st, cfg, id));
        bool renewed = st->term_cookie[0] == 'V' && st->preferred == st->server;
        st->term_cookie[1] = renewed ? 'U' : 'I';
        st->flags |= STREAM_ADDED_COOKIE;
    }
    if (cfg->flags & COOKIE_NOCACHE && st->term_cookie[1] != 'N' && st->term_cookie[1] != 'P')
        forbid_caching(st);
}

enum step step_store(struct stream *st)
{
    if (st->back->nstick_rules > 0) {
        st->ctx.where = WHERE_RES;
        stick_response(st);
        write_stores(st);
    }
    if (wants_cookie(st) && !(st->flags & STREAM_IGNORE_PERSIST))
        answer_cookie(st);
    return STEP_DONE;
}
