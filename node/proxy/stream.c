// SPDX-License-Identifier: Apache-2.0
// The request path. A stream goes through the steps below in order; each is one short function that says whether to go
// on (STEP_DONE), to come back when bytes arrive (STEP_MORE) or when something wakes it (STEP_WAIT), or that the
// request has its answer (STEP_FINAL: on to STEP_AFTER_RESPONSE, from where every answer goes out). This file holds the
// list and what drives it: the steps are in stream_request.c, stream_server.c, persist.c, stream_response.c and
// stream_relay.c.
#include "node/proxy/stream_steps.h"

#include <stdlib.h>

#include "node/proxy/local.h"

enum { TCP = 1, HTTP = 2, BOTH = TCP | HTTP };

static const struct {
    const char *name;
    unsigned modes;
    enum step (*run)(struct stream *st);
} steps[STEP_COUNT] = {
    // ---- the request, in the frontend
    [STEP_CONNECTION_RULES] = {"connection rules", BOTH, step_connection_rules},
    [STEP_REQUEST_HEAD] = {"request head", HTTP, step_request_head},
    [STEP_FRONT_CONTENT] = {"frontend tcp-request content", BOTH, step_front_content},
    [STEP_MONITOR] = {"monitor", HTTP, step_monitor},
    [STEP_FRONT_BODY] = {"frontend buffer request", HTTP, step_front_body},
    [STEP_FRONT_REQUEST] = {"frontend http-request", HTTP, step_front_request},
    [STEP_FRONT_REDIRECT] = {"frontend redirect", HTTP, step_front_redirect},
    [STEP_CHOOSE_BACKEND] = {"use_backend", BOTH, step_choose_backend},
    // ---- the request, in the backend
    [STEP_BACK_BODY] = {"backend buffer request", HTTP, step_back_body},
    [STEP_BACK_CONTENT] = {"backend tcp-request content", BOTH, step_back_content},
    [STEP_BACK_REQUEST] = {"backend http-request", HTTP, step_back_request},
    [STEP_BACK_REDIRECT] = {"backend redirect", HTTP, step_back_redirect},
    [STEP_REQUEST_HEADERS] = {"request headers", HTTP, step_request_headers},
    // ---- the server
    [STEP_USE_SERVER] = {"use-server", BOTH, step_use_server},
    [STEP_PERSISTENCE] = {"persistence", BOTH, step_persistence},
    [STEP_BALANCE] = {"balance", BOTH, step_balance},
    [STEP_CONNECT] = {"connect", BOTH, step_connect},
    [STEP_SEND_REQUEST] = {"send request", HTTP, step_send_request},
    // ---- the response (the rest of the request's body goes on meanwhile)
    [STEP_RESPONSE_CONTENT_TCP] = {"tcp-response content", TCP, step_response_content_tcp},
    [STEP_RESPONSE_HEAD] = {"response head", HTTP, step_response_head},
    [STEP_RESPONSE_CONTENT] = {"tcp-response content", HTTP, step_response_content},
    [STEP_BACK_RESPONSE] = {"backend http-response", HTTP, step_back_response},
    [STEP_FRONT_RESPONSE] = {"frontend http-response", HTTP, step_front_response},
    [STEP_STORE] = {"store persistence", BOTH, step_store},
    // ---- every answer, made here or by a server
    [STEP_AFTER_RESPONSE] = {"http-after-response", HTTP, step_after_response},
    [STEP_RESPONSE_HEADERS] = {"response headers", HTTP, step_response_headers},
    [STEP_SEND_RESPONSE] = {"send response", HTTP, step_send_response},
    [STEP_RELAY] = {"relay", BOTH, step_relay},
    [STEP_END] = {"end", BOTH, step_end},
};

void (*stream_log)(struct stream *st);

// ---- driver --------------------------------------------------------------------------------------------------------

static void enter_step(struct stream *st, unsigned step)
{
    st->step = (uint8_t)step;
    st->sub = 0;
    st->step_due = MONO_NEVER;
    st->run.list = NULL;
}

void stream_goto(struct stream *st, enum stream_step_id step)
{
    enter_step(st, step);
    st->flags |= STREAM_AGAIN;
}

static void run_steps(struct stream *st)
{
    unsigned mode = st->flags & STREAM_HTTP ? HTTP : TCP;
    while (!(st->flags & STREAM_DEAD)) {
        unsigned step = st->step;
        enum step r = steps[step].modes & mode ? steps[step].run(st) : STEP_DONE;
        if (r == STEP_DONE)
            enter_step(st, step + 1);
        else if (r == STEP_FINAL && !(st->flags & STREAM_DEAD))
            enter_step(st, STEP_AFTER_RESPONSE);
        else
            return;
    }
}

static void finish(struct stream *st);

static void run(struct stream *st)
{
    if (st->flags & (STREAM_RUNNING | STREAM_DEAD)) {
        st->flags |= STREAM_AGAIN;
        return;
    }
    st->flags |= STREAM_RUNNING;
    do {
        st->flags &= ~(uint32_t)STREAM_AGAIN;
        run_steps(st);
    } while ((st->flags & (STREAM_AGAIN | STREAM_DEAD)) == STREAM_AGAIN);
    st->flags &= ~(uint32_t)STREAM_RUNNING;
    if (st->flags & STREAM_DEAD)
        finish(st);
    else
        stream_arm(st);
}

void stream_wake(struct stream *st)
{
    CHECK_OBJ(st, STREAM_MAGIC);
    run(st);
}

static void on_deferred(struct loop_defer *d)
{
    run(CONTAINER_OF(d, struct stream, defer));
}

void stream_wake_later(struct stream *st)
{
    if (!st->defer.queued && !(st->flags & STREAM_DEAD))
        loop_defer_next(st->loop, &st->defer, on_deferred);
}

void stream_on_client(struct stream *st)
{
    run(st);
}

void stream_on_server(struct stream *st)
{
    run(st);
}

void stream_on_timer(struct stream *st)
{
    if (!stream_timed_out(st))
        run(st);
}

// ---- life ----------------------------------------------------------------------------------------------------------

static struct arena *session_arena(struct match_ctx *c)
{
    return session_extra(stream_of(c)->session)->arena;
}

static void fill_context(struct stream *st)
{
    struct session *s = st->session;
    struct session_extra *x = s->extra;
    struct match_ctx *c = &st->ctx;
    c->arena = st->arena;
    c->worker = st->worker;
    c->where = WHERE_FRONT_REQ;
    c->client = &s->client;
    c->request_count = s->requests;
    c->front = st->front;
    c->stream = st;
    c->sess_arena = session_arena;
    if (!x)
        return;
    c->sess_vars = x->vars;
    if (x->tracks) {
        c->tracks = ARENA_ARRAY(st->arena, struct track, TRACK_MAX);
        for (unsigned i = 0; i < TRACK_MAX; i++)
            track_borrow(&c->tracks[i], &x->tracks[i]);
    }
}

static void set_times(struct stream *st)
{
    struct session *s = st->session;
    st->times.accept = s->idle_since;
    st->times.start = loop_now(st->loop);
    st->times.start_wall_us = loop_wall_us(st->loop);
    if (!(st->flags & STREAM_HTTP) || !st->up.buf) {
        st->times.start = s->client.accept_mono;
        st->times.start_wall_us = s->client.accept_wall_us;
    }
}

struct stream *stream_create(struct session *s, struct iobuf **rest)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    struct worker *w = worker_self;
    struct path_local *local = path_local(w);
    struct stream *st = pool_take_zero(&local->streams);
    local->stream_count++;
    st->magic = STREAM_MAGIC;
    st->session = s;
    st->worker = w;
    st->loop = w->loop;
    st->use = snapshot_use_take(w);
    st->front = s->front;
    const struct cfg_proxy *cfg = st->front->cfg;
    st->flags = cfg->mode == MODE_HTTP ? STREAM_HTTP : 0;
    st->step = s->flags & SESSION_RULES_DONE ? STEP_REQUEST_HEAD : STEP_CONNECTION_RULES;
    st->front_counters = &st->front->front->counters[w->id];
    st->arena = arena_create(4096);
    st->log_level = -1;
    st->term[0] = st->term[1] = st->term_cookie[0] = st->term_cookie[1] = '-';
    st->timeout_client = cfg->timeout.client;
    st->timeout_server = cfg->timeout.server;
    st->timeout_tunnel = cfg->timeout.tunnel;
    if (rest && *rest) {
        st->up.buf = *rest;
        *rest = NULL;
        st->up.clear = st->up.buf->tail;
    }
    fill_context(st);
    set_times(st);
    if (st->flags & STREAM_HTTP) {
        http_msg_init(&st->req, st->arena, false, 32);
        h1_parser_init(&st->parser);
    } else {
        flow_begin(&st->up, FLOW_RAW, 0, 0);
        flow_begin(&st->down, FLOW_RAW, 0, 0);
    }
    return st;
}

void stream_set_term(struct stream *st, char who, char when)
{
    if (st->term[0] != '-')
        return;
    st->term[0] = who;
    st->term[1] = when;
}

enum step stream_finished(struct stream *st)
{
    st->flags |= STREAM_DEAD;
    return STEP_FINAL;
}

void stream_abort(struct stream *st, char who, char when)
{
    CHECK_OBJ(st, STREAM_MAGIC);
    if (st->flags & STREAM_DEAD)
        return;
    stream_set_term(st, who, when);
    st->flags |= STREAM_CLOSE_CLIENT;
    stream_finished(st);
    if (!(st->flags & STREAM_RUNNING))
        finish(st);
}

// Bytes behind the request that was served: the next one's beginning. They move to the buffer's front.
static struct iobuf *take_rest(struct stream *st)
{
    struct iobuf *b = st->up.buf;
    if (!b || !(st->flags & STREAM_HTTP) || st->up.clear == b->tail)
        return NULL;
    st->up.buf = NULL;
    b->head = st->up.clear;
    iobuf_compact(b);
    return b;
}

static void cancel_waits(struct stream *st)
{
    loop_defer_cancel(&st->defer);
    backend_queue_cancel(&st->queue);
    if (st->wait) {
        struct stream_wait *w = stream_wait_result(st);
        stream_wait_free(&w);
    }
    st->run.generation++;
}

// Closing with bytes of the client unread, or that come later, would reset the connection under what was sent last. A
// client that asked for keep-alive may have sent its next request already (RFC 9112 9.6).
static bool wants_linger(const struct stream *st)
{
    bool unread = stream_client(st)->flags & CONN_READABLE;
    if (st->term[0] == 'K')
        return false;
    return stream_is_http(st) ? st->status != 0 && (unread || !st->up.complete || st->req.keep_alive)
                              : unread && st->term[0] != 'P';
}

// `option nolinger`: what ends before its time is closed with a reset, so that the kernel keeps nothing of it.
static void reset_if_cut_off(const struct stream *st)
{
    if (st->step == STEP_END)
        return;
    if (cfg_option(st->front->cfg, OPT_NOLINGER) && conn_is_open(stream_client(st)))
        sock_set_linger_reset(stream_client(st)->lf.fd);
    if (st->sconn && cfg_option(st->back->cfg, OPT_NOLINGER) && conn_is_open(stream_server(st)))
        sock_set_linger_reset(stream_server(st)->lf.fd);
}

// The last look at everything, then all is given back.
static void finish(struct stream *st)
{
    struct session *s = st->session;
    struct path_local *local = path_local(st->worker);
    st->times.end = loop_now(st->loop);
    cancel_waits(st);
    stream_account(st);
    if (stream_log && !(st->flags & (STREAM_MONITOR | STREAM_NO_LOG | STREAM_LOGGED)))
        stream_log(st);
    bool keep = stream_is_http(st) && !(st->flags & (STREAM_CLOSE_CLIENT | STREAM_TUNNEL));
    bool linger = !keep && wants_linger(st);
    reset_if_cut_off(st);
    stream_release_server(st, st->step == STEP_END);
    if (st->flags & STREAM_CONN_COUNTED)
        atomic_fetch_sub_explicit(&st->back->back->conns, 1, memory_order_relaxed);
    if (st->ctx.tracks)
        tracks_stop(st->ctx.tracks, st->times.end);
    if (s->extra)
        s->extra->vars = st->ctx.sess_vars;
    struct iobuf *rest = keep ? take_rest(st) : NULL;
    flow_end(st->worker, &st->up);
    flow_end(st->worker, &st->down);
    arena_destroy(&st->arena);
    snapshot_use_put(&st->use);
    st->magic = 0;
    local->stream_count--;
    list_init(&st->queue.link);
    path_bury(st->worker, &local->dead_streams, &st->queue.link);
    session_stream_done(s, &rest, keep, linger);
}

// ---- waiting -------------------------------------------------------------------------------------------------------

void stream_deadline(struct stream *st, int64_t ms)
{
    st->step_due = ms < 0 ? MONO_NEVER : mono_add_ms(loop_now(st->loop), ms);
}

bool stream_deadline_passed(const struct stream *st)
{
    return mono_is_set(st->step_due) && !mono_before(loop_now(st->loop), st->step_due);
}

void stream_wait_ms(struct stream *st, int64_t ms)
{
    st->wait_due = mono_add_ms(loop_now(st->loop), ms);
}

struct stream_wait *stream_wait_begin(struct stream *st, int64_t ms)
{
    struct stream_wait *w = calloc(1, sizeof(*w));
    ASSERT(w != NULL && st->wait == NULL);
    w->msg.kind = MSG_ACTION_DONE;
    w->stream = st;
    w->worker = st->worker;
    w->generation = st->run.generation;
    st->wait = w;
    stream_wait_ms(st, ms);
    return w;
}

void stream_wait_done(struct stream_wait *w)
{
    inbox_send(loop_inbox(w->worker->loop), &w->msg);
}

void stream_wait_free(struct stream_wait **wait)
{
    struct stream_wait *w = *wait;
    *wait = NULL;
    if (!w)
        return;
    if (w->free_data && w->data)
        w->free_data(w->data);
    free(w);
}

static void on_action_done(struct msg *m)
{
    struct stream_wait *w = CONTAINER_OF(m, struct stream_wait, msg);
    struct stream *st = w->stream;
    if (!st || w->generation != st->run.generation) {
        stream_wait_free(&w);
        return;
    }
    w->done = true;
    run(st);
}

static void on_action_discarded(struct msg *m)
{
    struct stream_wait *w = CONTAINER_OF(m, struct stream_wait, msg);
    stream_wait_free(&w);
}

struct stream_wait *stream_wait_result(struct stream *st)
{
    struct stream_wait *w = st->wait;
    st->wait_due = MONO_NEVER;
    st->wait = NULL;
    if (w && !w->done) {
        w->stream = NULL; // the answer will find nobody
        st->run.generation++;
        return NULL;
    }
    return w;
}

// ---- process -------------------------------------------------------------------------------------------------------

void stream_init(void)
{
    path_locals_init();
    server_shut_bind();
    inbox_handle(MSG_ACTION_DONE, on_action_done);
    inbox_discard(MSG_ACTION_DONE, on_action_discarded);
}

void stream_worker_end(struct worker *w)
{
    path_local_end(w);
}

void stream_shutdown(void)
{
    path_locals_drain();
}

unsigned stream_count(const struct worker *w)
{
    return path_local(w)->stream_count;
}
