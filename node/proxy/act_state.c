// SPDX-License-Identifier: Apache-2.0
// Actions that change what is known of a stream and its connection: variables, sticky counters, captures, timeouts,
// addresses, marks.
#include <netinet/in.h>
#include <sys/socket.h>

#include "node/match/track.h"
#include "node/match/vars.h"
#include "node/proxy/actions.h"

// ---- variables

static void set_var(struct stream *st, const struct cfg_action *cfg, const struct sample *s)
{
    vars_assign(&st->ctx, cfg->scope, cfg->name, cfg->var_index, (unsigned)cfg->number2, s);
}

enum step act_set_var(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct sample s;
    enum eval_result r = expr_eval(a->expr, &st->ctx, TYPE_ANY, &s);
    if (r == EVAL_WAIT)
        return STEP_WAIT;
    if (r == EVAL_FOUND)
        set_var(st, a->cfg, &s);
    return STEP_DONE;
}

enum step act_set_var_fmt(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct sample s;
    sample_set_str(&s, format_text(a->format, &st->ctx));
    set_var(st, a->cfg, &s);
    return STEP_DONE;
}

enum step act_unset_var(struct stream *st, const struct action *a, struct rule_run *run)
{
    vars_remove(&st->ctx, a->cfg->scope, a->cfg->name, a->cfg->var_index);
    return STEP_DONE;
}

// ---- sticky counters

// What tcp-request connection and session rules track lasts as long as the session; the stream only looks at it.
static struct track *track_to_start(struct stream *st, unsigned number)
{
    if (!st->ctx.tracks)
        st->ctx.tracks = ARENA_ARRAY(st->arena, struct track, TRACK_MAX);
    if (st->ctx.where != WHERE_FRONT_CONN)
        return &st->ctx.tracks[number];
    struct session_extra *extra = session_extra(st->session);
    if (!extra->tracks)
        extra->tracks = ARENA_ARRAY(extra->arena, struct track, TRACK_MAX);
    return &extra->tracks[number];
}

// A request's head is known: tracking it counts it. Before that the request path counts for what is tracked by then.
enum step act_track_sc(struct stream *st, const struct action *a, struct rule_run *run)
{
    unsigned number = (unsigned)a->cfg->number;
    struct track *k = track_to_start(st, number);
    struct table_key_buf key;
    struct sample s;
    if (track_active(k))
        return STEP_DONE;
    enum eval_result r = expr_eval(a->expr, &st->ctx, TYPE_ANY, &s);
    if (r == EVAL_MORE)
        return STEP_MORE;
    if (r == EVAL_WAIT)
        return STEP_WAIT;
    if (r == EVAL_FOUND && table_key_make(&st->ctx, a->table, &s, &key))
        track_start(k, a->table, key.key, st->ctx.req != NULL, loop_now(st->loop));
    if (k != &st->ctx.tracks[number] && track_active(k))
        track_borrow(&st->ctx.tracks[number], k);
    return STEP_DONE;
}

static void count(struct stream *st, int counter, const struct table_delta *deltas, unsigned n)
{
    struct track *k = st->ctx.tracks ? &st->ctx.tracks[counter] : NULL;
    if (k && track_active(k))
        track_add(k, deltas, n, loop_now(st->loop));
}

// Counter `index` of the gpc array, which is gpc0 and gpc1 where a table stores those instead.
static void add_gpc(struct stream *st, int counter, int index, int32_t n)
{
    struct table_delta deltas[4] = {{TD_GPC, (uint8_t)index, n}, {TD_GPC_RATE, (uint8_t)index, n}};
    unsigned used = 2;
    if (index < 2) {
        deltas[used++] = (struct table_delta){index ? TD_GPC1 : TD_GPC0, 0, n};
        deltas[used++] = (struct table_delta){index ? TD_GPC1_RATE : TD_GPC0_RATE, 0, n};
    }
    count(st, counter, deltas, used);
}

static int64_t operand(struct stream *st, const struct action *a)
{
    struct sample s;
    if (!a->expr)
        return a->cfg->value;
    return expr_eval(a->expr, &st->ctx, TYPE_INT, &s) == EVAL_FOUND ? s.num : 0;
}

enum step act_sc_add_gpc(struct stream *st, const struct action *a, struct rule_run *run)
{
    add_gpc(st, a->cfg->number2, a->cfg->number, (int32_t)operand(st, a));
    return STEP_DONE;
}

enum step act_sc_inc_gpc(struct stream *st, const struct action *a, struct rule_run *run)
{
    add_gpc(st, a->cfg->number2, a->cfg->number, 1);
    return STEP_DONE;
}

enum step act_sc_inc_gpc0(struct stream *st, const struct action *a, struct rule_run *run)
{
    add_gpc(st, a->cfg->number2, 0, 1);
    return STEP_DONE;
}

enum step act_sc_inc_gpc1(struct stream *st, const struct action *a, struct rule_run *run)
{
    add_gpc(st, a->cfg->number2, 1, 1);
    return STEP_DONE;
}

static enum step set_gpt(struct stream *st, const struct action *a, enum table_data column)
{
    struct track *k = st->ctx.tracks ? &st->ctx.tracks[a->cfg->number2] : NULL;
    if (k && track_active(k))
        table_set(k->table, k->entry, column, column == TD_GPT ? (unsigned)a->cfg->number : 0, operand(st, a),
                  loop_now(st->loop));
    return STEP_DONE;
}

enum step act_sc_set_gpt(struct stream *st, const struct action *a, struct rule_run *run)
{
    return set_gpt(st, a, TD_GPT);
}

enum step act_sc_set_gpt0(struct stream *st, const struct action *a, struct rule_run *run)
{
    return set_gpt(st, a, TD_GPT0);
}

// ---- captures, log, timeouts

enum step act_capture(struct stream *st, const struct action *a, struct rule_run *run)
{
    bool response = st->ctx.where == WHERE_RES;
    const struct cfg_proxy *front = st->front->cfg;
    unsigned slot = (unsigned)a->cfg->number, slots = response ? front->nres_captures : front->nreq_captures;
    struct str *caps = response ? st->ctx.res_caps : st->ctx.req_caps, text;
    struct sample s;
    enum eval_result r = expr_eval(a->expr, &st->ctx, TYPE_ANY, &s);
    if (r == EVAL_MORE)
        return STEP_MORE;
    if (r != EVAL_FOUND || slot >= slots || !caps || !sample_text(&st->ctx, &s, &text))
        return STEP_DONE;
    caps[slot] =
        arena_str(st->arena, str_slice(text, 0, (response ? front->res_captures : front->req_captures)[slot].len));
    return STEP_DONE;
}

enum step act_set_log_level(struct stream *st, const struct action *a, struct rule_run *run)
{
    if (a->cfg->number < 0) {
        st->flags |= STREAM_NO_LOG;
    } else {
        st->flags &= ~(unsigned)STREAM_NO_LOG;
        st->log_level = (int8_t)a->cfg->number;
    }
    return STEP_DONE;
}

enum step act_set_timeout(struct stream *st, const struct action *a, struct rule_run *run)
{
    int64_t ms = operand(st, a);
    if (ms <= 0 || ms > INT32_MAX)
        return STEP_DONE;
    switch ((enum cfg_timeout_kind)a->cfg->number) {
    case TIMEOUT_KIND_CLIENT:
        st->timeout_client = (int)ms;
        break;
    case TIMEOUT_KIND_SERVER:
        st->timeout_server = (int)ms;
        break;
    case TIMEOUT_KIND_TUNNEL:
        st->timeout_tunnel = (int)ms;
        break;
    case TIMEOUT_KIND_CONNECT:
        st->timeout_connect = (int)ms;
        break;
    case TIMEOUT_KIND_QUEUE:
        st->timeout_queue = (int)ms;
        break;
    case TIMEOUT_KIND_TARPIT:
        st->timeout_tarpit = (int)ms;
        break;
    }
    return STEP_DONE;
}

enum step act_strict_mode(struct stream *st, const struct action *a, struct rule_run *run)
{
    if (a->cfg->number)
        st->flags &= ~(unsigned)STREAM_LAX_REWRITE;
    else
        st->flags |= STREAM_LAX_REWRITE;
    return STEP_DONE;
}

enum step act_no_retry(struct stream *st, const struct action *a, struct rule_run *run)
{
    st->flags |= STREAM_NO_L7_RETRY;
    return STEP_DONE;
}

// ---- addresses, marks, priorities

static void set_addr(struct stream *st, const struct action *a, struct inet_addr *addr)
{
    struct sample s;
    if (expr_eval(a->expr, &st->ctx, TYPE_ADDR, &s) != EVAL_FOUND)
        return;
    uint16_t port = inet_port(addr);
    memset(addr, 0, sizeof(*addr));
    if (s.type == TYPE_IPV4) {
        addr->in.sin_family = AF_INET;
        addr->in.sin_addr = s.ip4;
    } else {
        addr->in6.sin6_family = AF_INET6;
        addr->in6.sin6_addr = s.ip6;
    }
    inet_set_port(addr, port);
}

static void set_port(struct stream *st, const struct action *a, struct inet_addr *addr)
{
    struct sample s;
    if (expr_eval(a->expr, &st->ctx, TYPE_INT, &s) == EVAL_FOUND && s.num >= 0 && s.num <= 65535)
        inet_set_port(addr, (uint16_t)s.num);
}

enum step act_set_src(struct stream *st, const struct action *a, struct rule_run *run)
{
    set_addr(st, a, &st->ctx.client->src);
    return STEP_DONE;
}

enum step act_set_src_port(struct stream *st, const struct action *a, struct rule_run *run)
{
    set_port(st, a, &st->ctx.client->src);
    return STEP_DONE;
}

enum step act_set_dst(struct stream *st, const struct action *a, struct rule_run *run)
{
    match_dst(&st->ctx); // so that the port is known
    set_addr(st, a, &st->ctx.client->dst);
    return STEP_DONE;
}

enum step act_set_dst_port(struct stream *st, const struct action *a, struct rule_run *run)
{
    match_dst(&st->ctx);
    set_port(st, a, &st->ctx.client->dst);
    return STEP_DONE;
}

enum step act_set_mark(struct stream *st, const struct action *a, struct rule_run *run)
{
    int mark = a->cfg->number;
    setsockopt(st->session->conn.lf.fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    return STEP_DONE;
}

enum step act_set_tos(struct stream *st, const struct action *a, struct rule_run *run)
{
    int tos = a->cfg->number, fd = st->session->conn.lf.fd;
    if (st->ctx.client->src.sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
    setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    return STEP_DONE;
}

static int clamp(int64_t v, int limit)
{
    return v < -limit ? -limit : v > limit ? limit : (int)v;
}

enum step act_set_priority_class(struct stream *st, const struct action *a, struct rule_run *run)
{
    st->queue.priority_class = (int16_t)clamp(operand(st, a), 2047);
    return STEP_DONE;
}

enum step act_set_priority_offset(struct stream *st, const struct action *a, struct rule_run *run)
{
    st->queue.priority_offset_ms = clamp(operand(st, a), 524287);
    return STEP_DONE;
}
