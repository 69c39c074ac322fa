// SPDX-License-Identifier: Apache-2.0
// The %-variables of log formats (configuration.txt 8.2.6): one short function each. Where there is no stream, or no
// such thing in it, the value is missing.
#include "node/proxy/log_alias.h"

#include <time.h>
#include <unistd.h>

#include "node/io/worker.h"
#include "node/match/expr.h"
#include "node/proxy/log_target.h"
#include "node/proxy/server_conn.h"
#include "node/proxy/stream.h"

#define BADREQ STR("<BADREQ>")

// Defines the alias NAME with the body that follows, in which `st`, `o` and `options` are known.
#define ALIAS_FN(name)                                                                                                 \
    static void of_##name(struct fmt_out *o, struct stream *st, unsigned options);                                     \
    static void alias_##name(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)                 \
    {                                                                                                                  \
        struct stream *st = stream_of(c);                                                                              \
        if (st)                                                                                                        \
            of_##name(o, st, options);                                                                                 \
        else                                                                                                           \
            fmt_str(o, STR_NONE);                                                                                      \
    }                                                                                                                  \
    static void of_##name(struct fmt_out *o, struct stream *st, unsigned options)

// ---- dates

// The text of a second, made once for all lines of it. A thread's own.
struct date {
    time_t second;
    size_t len;
    char text[40];
};
static _Thread_local struct date local_date, local_zone_date, gmt_date;

static struct str date_text(struct date *d, time_t second, bool local, bool zone)
{
    if (d->second != second || d->len == 0) {
        struct tm tm;
        if (local)
            localtime_r(&second, &tm);
        else
            gmtime_r(&second, &tm);
        d->second = second;
        d->len = strftime(d->text, sizeof(d->text), zone ? "%d/%b/%Y:%H:%M:%S %z" : "%d/%b/%Y:%H:%M:%S", &tm);
    }
    return str_make(d->text, d->len);
}

static void put_date_ms(struct fmt_out *o, int64_t wall_us)
{
    struct str date = date_text(&local_date, wall_us / 1000000, true, false);
    unsigned ms = (unsigned)(wall_us / 1000 % 1000);
    char tail[4] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10)};
    fmt_raw(o, date);
    fmt_raw(o, str_make(tail, sizeof(tail)));
}

static void put_date_zone(struct fmt_out *o, int64_t wall_us, bool local)
{
    fmt_raw(o, date_text(local ? &local_zone_date : &gmt_date, wall_us / 1000000, local, true));
}

// Accept; for later requests of a connection the end of the one before.
static int64_t accept_wall(const struct stream *st)
{
    const struct client_facts *client = &st->session->client;
    return client->accept_wall_us + mono_diff_us(st->times.accept, client->accept_mono);
}

static int64_t request_wall(const struct stream *st)
{
    return st->times.start_wall_us ? st->times.start_wall_us : accept_wall(st);
}

ALIAS_FN(t)
{
    put_date_ms(o, accept_wall(st));
}

ALIAS_FN(tr)
{
    put_date_ms(o, request_wall(st));
}

ALIAS_FN(T)
{
    put_date_zone(o, accept_wall(st), false);
}

ALIAS_FN(Tl)
{
    put_date_zone(o, accept_wall(st), true);
}

ALIAS_FN(trg)
{
    put_date_zone(o, request_wall(st), false);
}

ALIAS_FN(trl)
{
    put_date_zone(o, request_wall(st), true);
}

ALIAS_FN(Ts)
{
    int64_t second = accept_wall(st) / 1000000;
    if (options & FMT_OPT_HEXA)
        fmt_printf(o, "%08X", (unsigned)second);
    else
        fmt_int(o, second);
}

ALIAS_FN(ms)
{
    fmt_printf(o, "%03d", (int)(accept_wall(st) / 1000 % 1000));
}

// ---- timers (8.4): -1 = that point was not reached

static int64_t span(mono_t from, mono_t to)
{
    return mono_is_set(from) && mono_is_set(to) ? mono_diff_ms(to, from) : -1;
}

static bool is_early(const struct stream *st) // option logasap: totals are not final
{
    return !mono_is_set(st->times.end);
}

static mono_t end_of(const struct stream *st)
{
    return is_early(st) ? loop_now(st->loop) : st->times.end;
}

static int64_t timer_idle(const struct stream *st)
{
    int64_t ms = span(st->times.accept, st->times.start);
    return ms < 0 ? -1 : ms > st->times.handshake_ms ? ms - st->times.handshake_ms : 0;
}

static int64_t timer_request(const struct stream *st)
{
    return st->flags & STREAM_HTTP ? span(st->times.start, st->times.request) : -1;
}

static int64_t timer_total(const struct stream *st)
{
    return span(st->times.accept, end_of(st));
}

static int64_t positive(int64_t ms)
{
    return ms > 0 ? ms : 0;
}

static void put_total(struct fmt_out *o, const struct stream *st, int64_t ms)
{
    if (is_early(st))
        fmt_raw(o, STR("+"));
    fmt_int(o, positive(ms));
}

ALIAS_FN(Th)
{
    fmt_int(o, st->times.handshake_ms);
}

ALIAS_FN(Ti)
{
    fmt_int(o, timer_idle(st));
}

ALIAS_FN(TR)
{
    fmt_int(o, timer_request(st));
}

ALIAS_FN(Tq)
{
    bool known = timer_idle(st) >= 0 && timer_request(st) >= 0;
    fmt_int(o, known ? st->times.handshake_ms + timer_idle(st) + timer_request(st) : -1);
}

ALIAS_FN(Tw)
{
    fmt_int(o, span(st->times.request, st->times.queue_end));
}

ALIAS_FN(Tc)
{
    fmt_int(o, span(st->times.queue_end, st->times.connected));
}

ALIAS_FN(Tr)
{
    fmt_int(o, span(st->times.connected, st->times.response));
}

ALIAS_FN(Td)
{
    fmt_int(o, span(st->times.response, end_of(st)));
}

ALIAS_FN(Ta)
{
    put_total(o, st, span(st->times.start, end_of(st)));
}

ALIAS_FN(Tt)
{
    put_total(o, st, timer_total(st));
}

ALIAS_FN(Tu)
{
    bool http = st->flags & STREAM_HTTP;
    put_total(o, st, timer_total(st) - (http ? positive(timer_idle(st)) : 0));
}

// ---- addresses

static void put_port(struct fmt_out *o, const struct inet_addr *a)
{
    if (a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6)
        fmt_int(o, inet_port(a));
    else
        fmt_str(o, STR_NONE);
}

ALIAS_FN(ci)
{
    fmt_addr(o, &st->session->client.src);
}

ALIAS_FN(cp)
{
    const struct client_facts *client = &st->session->client;
    if (client->src.sa.sa_family == AF_UNIX) // the manual: the number of the listening socket
        fmt_int(o, client->bind_id);
    else
        put_port(o, &client->src);
}

ALIAS_FN(fi)
{
    fmt_addr(o, match_dst(&st->ctx));
}

ALIAS_FN(fp)
{
    put_port(o, match_dst(&st->ctx));
}

static struct inet_addr server_source(const struct stream *st)
{
    struct inet_addr a = {.sa.sa_family = AF_UNSPEC};
    if (st->sconn && conn_is_open(&st->sconn->conn))
        sock_local_addr(st->sconn->conn.lf.fd, &a);
    return a;
}

static struct inet_addr server_destination(const struct stream *st)
{
    struct inet_addr a = {.sa.sa_family = AF_UNSPEC};
    if (!st->server)
        return a;
    struct addr addr = server_addr(st->server->state);
    if (addr.kind == ADDR_INET)
        return addr.inet;
    a.sa.sa_family = AF_UNIX;
    return a;
}

ALIAS_FN(bi)
{
    struct inet_addr a = server_source(st);
    fmt_addr(o, &a);
}

ALIAS_FN(bp)
{
    struct inet_addr a = server_source(st);
    put_port(o, &a);
}

ALIAS_FN(si)
{
    struct inet_addr a = server_destination(st);
    fmt_addr(o, &a);
}

ALIAS_FN(sp)
{
    struct inet_addr a = server_destination(st);
    put_port(o, &a);
}

// ---- names

ALIAS_FN(f)
{
    fmt_str(o, st->front->cfg->name);
}

ALIAS_FN(ft) // "~" would follow over TLS
{
    fmt_str(o, st->front->cfg->name);
}

ALIAS_FN(b)
{
    fmt_str(o, (st->back ? st->back : st->front)->cfg->name);
}

ALIAS_FN(s)
{
    fmt_str(o, st->server ? st->server->cfg->name : STR("<NOSRV>"));
}

static void alias_H(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)
{
    fmt_str(o, str_of(log_host));
}

static void alias_pid(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)
{
    fmt_int(o, getpid());
}

ALIAS_FN(ID)
{
    fmt_str(o, stream_unique_id(st));
}

static void alias_missing(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)
{
    fmt_str(o, STR_NONE);
}

// ---- counts. At the end of a stream its own connection to the server no longer counts.

static void alias_ac(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < worker_count; i++)
        sum += atomic_load_explicit(&workers[i]->conns, memory_order_relaxed);
    fmt_int(o, sum);
}

ALIAS_FN(fc)
{
    fmt_int(o, atomic_load_explicit(&st->front->front->conns, memory_order_relaxed));
}

ALIAS_FN(bc)
{
    int own = !is_early(st) && st->flags & STREAM_CONN_COUNTED;
    fmt_int(o, st->back && st->back->back
                   ? positive(atomic_load_explicit(&st->back->back->conns, memory_order_relaxed) - own)
                   : 0);
}

ALIAS_FN(sc)
{
    int own = !is_early(st) && st->flags & STREAM_SLOT;
    fmt_int(o, st->server ? positive(atomic_load_explicit(&st->server->state->served, memory_order_relaxed) - own) : 0);
}

ALIAS_FN(rc)
{
    if (st->flags & STREAM_REDISPATCHED)
        fmt_raw(o, STR("+"));
    fmt_int(o, st->retries);
}

ALIAS_FN(sq)
{
    fmt_int(o, st->queue_srv_pos);
}

ALIAS_FN(bq)
{
    fmt_int(o, st->queue_back_pos);
}

ALIAS_FN(rt)
{
    static _Atomic unsigned next;
    if (st->log_serial == 0)
        st->log_serial = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) + 1;
    fmt_int(o, st->log_serial - 1);
}

ALIAS_FN(lc)
{
    // The line being written is counted already; HAProxy's first is 0.
    uint64_t lines = counter_get(&st->front->front->log_lines);
    fmt_int(o, lines ? (int64_t)lines - 1 : 0);
}

// ---- bytes and states

ALIAS_FN(B)
{
    if (is_early(st))
        fmt_raw(o, STR("+"));
    fmt_int(o, (int64_t)st->down.total);
}

ALIAS_FN(U)
{
    if (is_early(st))
        fmt_raw(o, STR("+"));
    fmt_int(o, (int64_t)st->bytes_in);
}

ALIAS_FN(ST)
{
    fmt_int(o, st->status ? st->status : -1);
}

ALIAS_FN(ts)
{
    fmt_raw(o, str_make(st->term, 2)); // never quoted, as with HAProxy
}

ALIAS_FN(tsc)
{
    const struct cfg_proxy *back = (st->back ? st->back : st->front)->cfg;
    char state[4] = {st->term[0], st->term[1], st->term_cookie[0], st->term_cookie[1]};
    for (unsigned i = 2; i < 4; i++)
        if (state[i] == '-' && back->cookie.name.len)
            state[i] = 'N'; // it did not come to looking
    fmt_raw(o, str_make(state, 4));
}

// ---- the request as it came. A request that could not be read is <BADREQ> in all its parts.

struct request_line {
    struct str whole, method, uri, version;
};

static struct request_line line_of(const struct stream *st)
{
    struct request_line l = {BADREQ, BADREQ, BADREQ, BADREQ};
    const struct cfg_global *g = &st->front->snapshot->config->global;
    if (st->log_uri.len == 0)
        return l;
    struct str rest = st->log_uri, method, uri;
    l.whole = str_slice(st->log_uri, 0, g->tune.logurilen > 0 ? (size_t)g->tune.logurilen : 1024);
    if (!str_split(&rest, ' ', &method) || !str_split(&rest, ' ', &uri) || !rest.ptr)
        return l;
    l.method = method;
    l.uri = uri;
    l.version = rest;
    return l;
}

static struct str until_query(struct str uri)
{
    ptrdiff_t query = str_find_char(uri, '?');
    return query < 0 ? uri : str_slice(uri, 0, (size_t)query);
}

ALIAS_FN(r)
{
    fmt_str(o, line_of(st).whole);
}

ALIAS_FN(HM)
{
    fmt_str(o, line_of(st).method);
}

ALIAS_FN(HU)
{
    fmt_str(o, line_of(st).uri);
}

ALIAS_FN(HV)
{
    fmt_str(o, line_of(st).version);
}

ALIAS_FN(HP)
{
    fmt_str(o, until_query(line_of(st).uri));
}

ALIAS_FN(HPO)
{
    struct str path = until_query(line_of(st).uri);
    ptrdiff_t scheme = str_find(path, STR("://"));
    if (scheme > 0) {
        struct str authority = str_slice(path, (size_t)scheme + 3, path.len);
        ptrdiff_t slash = str_find_char(authority, '/');
        path = slash < 0 ? STR("/") : str_slice(authority, (size_t)slash, authority.len);
    }
    fmt_str(o, path);
}

ALIAS_FN(HQ)
{
    struct str uri = line_of(st).uri;
    struct str query = str_slice(uri, until_query(uri).len, uri.len);
    if (st->log_uri.len == 0 || str_eq(uri, BADREQ))
        fmt_str(o, BADREQ);
    else if (query.len)
        fmt_str(o, query);
    else
        fmt_raw(o, options & FMT_OPT_QUOTE ? STR("\"\"") : STR("")); // empty, not missing
}

// ---- captures (8.7, 8.8)

ALIAS_FN(CC)
{
    fmt_str(o, st->cookie_captures[0]);
}

ALIAS_FN(CS)
{
    fmt_str(o, st->cookie_captures[1]);
}

// "{a|b}"; nothing at all when nothing is to be captured.
static void put_captures(struct fmt_out *o, const struct str *captures, unsigned count, unsigned options)
{
    if (count == 0)
        return;
    fmt_raw(o, options & FMT_OPT_QUOTE ? STR("\"{") : STR("{"));
    for (unsigned i = 0; i < count; i++) {
        if (i)
            fmt_raw(o, STR("|"));
        if (captures && captures[i].ptr)
            fmt_capture(o, captures[i]);
    }
    fmt_raw(o, options & FMT_OPT_QUOTE ? STR("}\"") : STR("}"));
}

// One field each, in quotes where asked.
static void put_capture_list(struct fmt_out *o, const struct str *captures, unsigned count, unsigned options)
{
    struct str quote = options & FMT_OPT_QUOTE ? STR("\"") : STR("");
    for (unsigned i = 0; i < count; i++) {
        if (i)
            fmt_raw(o, STR(" "));
        if (captures && captures[i].len) {
            fmt_raw(o, quote);
            fmt_capture(o, captures[i]);
            fmt_raw(o, quote);
        } else {
            fmt_str(o, STR_NONE);
        }
    }
}

ALIAS_FN(hr)
{
    put_captures(o, st->ctx.req_caps, st->front->capture_req_count, options);
}

ALIAS_FN(hs)
{
    put_captures(o, st->ctx.res_caps, st->front->capture_res_count, options);
}

ALIAS_FN(hrl)
{
    put_capture_list(o, st->ctx.req_caps, st->front->capture_req_count, options);
}

ALIAS_FN(hsl)
{
    put_capture_list(o, st->ctx.res_caps, st->front->capture_res_count, options);
}

// ---- binding

#define ALIAS(name)                                                                                                    \
    {                                                                                                                  \
        ALIAS_##name, alias_##name                                                                                     \
    }
static const struct {
    enum alias_id id;
    alias_fn *fn;
} bindings[] = {
    ALIAS(B),  ALIAS(CC),  ALIAS(CS), ALIAS(H),   ALIAS(HM),  ALIAS(HP),  ALIAS(HPO), ALIAS(HQ),  ALIAS(HU),
    ALIAS(HV), ALIAS(ID),  ALIAS(ST), ALIAS(T),   ALIAS(TR),  ALIAS(Ta),  ALIAS(Tc),  ALIAS(Td),  ALIAS(Th),
    ALIAS(Ti), ALIAS(Tl),  ALIAS(Tq), ALIAS(Tr),  ALIAS(Ts),  ALIAS(Tt),  ALIAS(Tu),  ALIAS(Tw),  ALIAS(U),
    ALIAS(ac), ALIAS(b),   ALIAS(bc), ALIAS(bi),  ALIAS(bp),  ALIAS(bq),  ALIAS(ci),  ALIAS(cp),  ALIAS(f),
    ALIAS(fc), ALIAS(fi),  ALIAS(fp), ALIAS(ft),  ALIAS(hr),  ALIAS(hrl), ALIAS(hs),  ALIAS(hsl), ALIAS(lc),
    ALIAS(ms), ALIAS(pid), ALIAS(r),  ALIAS(rc),  ALIAS(rt),  ALIAS(s),   ALIAS(sc),  ALIAS(si),  ALIAS(sp),
    ALIAS(sq), ALIAS(t),   ALIAS(tr), ALIAS(trg), ALIAS(trl), ALIAS(ts),  ALIAS(tsc),
};
#undef ALIAS

void log_alias_bind(void)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        alias_bind(bindings[i].id, bindings[i].fn);
    alias_bind(ALIAS_o, alias_missing); // "%o" only sets flags: the grammar leaves no node for it
    alias_bind(ALIAS_sslc, alias_missing);
    alias_bind(ALIAS_sslv, alias_missing);
}
