// SPDX-License-Identifier: Apache-2.0
// The request path, second part: which server, a slot of it, a connection to it, and the request on its way; with the
// retries that failures on the way allow (configuration.txt "retries", "retry-on", "option redispatch").
#include "node/proxy/check.h"
#include "node/proxy/stream_steps.h"

#include <errno.h>

#define TURN_AROUND_MS 1000 // pause before the same server is tried again

// ---- the server ----------------------------------------------------------------------------------------------------

enum step step_use_server(struct stream *st)
{
    const struct proxy *p = st->back;
    st->ctx.where = WHERE_BACK_REQ;
    for (unsigned i = 0; i < p->nuse_servers; i++) {
        const struct switch_rule *r = &p->use_servers[i];
        if (cond_eval(r->cond, &st->ctx) != COND_TRUE)
            continue;
        struct server *srv = r->server;
        if (!srv && r->format)
            srv = proxy_find_server(st->back, format_text(r->format, &st->ctx));
        if (srv && server_usable(srv->state)) {
            st->preferred = srv;
            st->flags |= STREAM_ASSIGNED;
            return STEP_DONE;
        }
    }
    return STEP_DONE;
}

static void got_server(struct stream *st, struct server *srv)
{
    st->server = srv;
    st->flags |= STREAM_SLOT;
    st->times.queue_end = loop_now(st->loop);
    st->server_counters = &srv->state->per_worker[st->worker->id].counters;
    counter_add(&st->server_counters->sessions, 1);
    counters_rate_event(&st->server_counters->rate_now, &st->server_counters->rate_before,
                        &st->server_counters->rate_second, (uint64_t)loop_now(st->loop).us / 1000000);
    if (!(st->flags & STREAM_ASSIGNED) || srv != st->preferred) {
        counter_add(&st->server_counters->selected, 1);
        counter_add(&st->back_counters->selected, 1);
    }
    atomic_store_explicit(&srv->state->last_session_us, loop_now(st->loop).us, memory_order_relaxed);
}

// Places inside STEP_BALANCE. The queue's own fields are another worker's until its message has come.
enum { BALANCE_PICK, BALANCE_QUEUED, BALANCE_WOKEN };

static void on_queue_wake(struct queue_entry *q)
{
    struct stream *st = CONTAINER_OF(q, struct stream, queue);
    st->sub = BALANCE_WOKEN;
    stream_wake(st);
}

static enum step queue_over(struct stream *st)
{
    struct server_state *granted = st->queue.granted;
    st->queue.granted = NULL;
    st->sub = BALANCE_PICK;
    if (!granted)
        return step_balance(st);
    struct server *srv = proxy_server_of(st->back, granted);
    if (!srv) {
        backend_release(granted);
        return step_balance(st);
    }
    got_server(st, srv);
    return STEP_DONE;
}

static enum step no_server(struct stream *st, char who, char when)
{
    backend_queue_cancel(&st->queue);
    if (when == 'Q')
        st->times.queue_end = loop_now(st->loop);
    counter_add(&st->back_counters->connect_errors, 1);
    stream_fail(st, 503, who, when);
    return STEP_FINAL;
}

bool stream_client_left(const struct stream *st)
{
    uint64_t both = st->front->cfg->options | st->back->cfg->options;
    return both & (1ull << OPT_ABORTONCLOSE) && stream_client_gone(st);
}

static enum step waiting_in_queue(struct stream *st)
{
    if (st->sub == BALANCE_WOKEN)
        return queue_over(st);
    if (stream_client_left(st)) {
        st->times.queue_end = loop_now(st->loop);
        stream_abort(st, 'C', 'Q');
        return STEP_FINAL;
    }
    return stream_deadline_passed(st) ? no_server(st, 's', 'Q') : STEP_WAIT;
}

// For the log: how many leave the queue until it is served, itself included.
static void remember_position(struct stream *st)
{
    if (st->queue.bound)
        st->queue_srv_pos = (int)st->queue.position + 1;
    else
        st->queue_back_pos = (int)st->queue.position + 1;
}

enum step step_balance(struct stream *st)
{
    if (st->sub != BALANCE_PICK)
        return waiting_in_queue(st);
    st->ctx.where = WHERE_BACK_REQ;
    struct pick pick = {
        .proxy = st->back,
        .ctx = &st->ctx,
        .preferred = st->preferred,
        .force = st->flags & STREAM_FORCE_PERSIST,
        .avoid = st->avoid,
        .q = &st->queue,
    };
    st->queue.worker = st->worker;
    st->queue.on_wake = on_queue_wake;
    struct server *srv;
    switch (backend_pick(&pick, &srv)) {
    case PICK_SERVER:
        got_server(st, srv);
        return STEP_DONE;
    case PICK_QUEUED: {
        const struct cfg_timeouts *t = &st->back->cfg->timeout;
        st->sub = BALANCE_QUEUED;
        remember_position(st);
        stream_deadline(st, st->timeout_queue ? st->timeout_queue : t->queue >= 0 ? t->queue : t->connect);
        return STEP_WAIT;
    }
    default:
        return no_server(st, 'S', 'C');
    }
}

void stream_release_server(struct stream *st, bool reusable)
{
    if (st->sconn) {
        bool clean = reusable && stream_is_http(st) && st->ctx.res && st->res.keep_alive && st->up.complete &&
                     st->down.complete && !(st->flags & (STREAM_CLOSE_SERVER | STREAM_TUNNEL | STREAM_LOCAL_REPLY)) &&
                     !flow_has_pending(&st->up) && (!st->down.buf || st->down.clear == st->down.buf->tail);
        // An exchange that is over on both sides: a reset spares us the TIME_WAIT that would use up local ports.
        struct server_conn *sc = st->sconn;
        sc->reset |= !clean && stream_is_http(st) && st->up.complete && st->down.complete && reusable &&
                     !(sc->conn.flags & (CONN_HUP | CONN_EOF));
        server_conn_put(&st->sconn, clean);
    }
    if (st->flags & STREAM_SLOT) {
        st->flags &= ~(uint32_t)STREAM_SLOT;
        backend_release(st->server->state);
    }
}

// ---- retries -------------------------------------------------------------------------------------------------------

// Would balancing choose anew, or does a cookie, a rule or a hash name the server?
static bool is_bound(const struct stream *st)
{
    switch (st->back->cfg->balance) {
    case BALANCE_SOURCE:
    case BALANCE_URI:
    case BALANCE_URL_PARAM:
    case BALANCE_HDR:
    case BALANCE_HASH:
        return true;
    default:
        return st->flags & (STREAM_PERSISTED | STREAM_ASSIGNED);
    }
}

// Which retries go to another server (configuration.txt "option redispatch"): n > 0 every nth, n < 0 the nth before
// the end, that is -1 the last, 0 none. Where nothing binds the request to its server all of them do.
static bool redispatches(const struct stream *st)
{
    const struct cfg_proxy *cfg = st->back->cfg;
    int n = cfg->redispatch_interval, retries = (int)st->retries;
    if (!cfg_option(cfg, OPT_REDISPATCH) || !is_bound(st))
        return cfg_option(cfg, OPT_REDISPATCH);
    return n > 0 ? retries % n == 0 : n < 0 && retries == cfg->retries + 1 + n;
}

bool stream_retry(struct stream *st, unsigned cause)
{
    const struct cfg_proxy *cfg = st->back->cfg;
    if ((int)st->retries >= cfg->retries || !(cfg->retry_on & cause) || st->up.discarded)
        return false;
    if (cause != RETRY_CONN_FAILURE && st->flags & STREAM_NO_L7_RETRY)
        return false;
    st->retries++;
    counter_add(&st->back_counters->retries, 1);
    counter_add(&st->server_counters->retries, 1);
    if (st->sconn)
        server_conn_close(&st->sconn, false);
    st->up.nhead = 0;
    st->no_reuse |= cause != RETRY_CONN_FAILURE;
    if (!redispatches(st)) {
        stream_goto(st, STEP_CONNECT);
        st->sub = cause == RETRY_CONN_FAILURE ? CONNECT_TURN_AROUND : CONNECT_BEGIN;
        return true;
    }
    st->flags |= STREAM_REDISPATCHED;
    counter_add(&st->back_counters->redispatches, 1);
    counter_add(&st->server_counters->redispatches, 1);
    st->avoid = st->server->state;
    st->preferred = NULL;
    if (st->flags & STREAM_PERSISTED)
        st->term_cookie[0] = 'D';
    stream_release_server(st, false);
    stream_goto(st, STEP_BALANCE);
    return true;
}

// ---- observing -----------------------------------------------------------------------------------------------------

// A success counts for layer4 alone: answers may be wrong all the same.
void stream_observe_connect(struct stream *st, bool ok)
{
    int observe = st->server->cfg->observe;
    if (observe == OBSERVE_LAYER4 || (observe == OBSERVE_LAYER7 && !ok))
        check_observe(st->server, ok);
}

void stream_observe_response(struct stream *st, bool ok)
{
    if (st->server->cfg->observe == OBSERVE_LAYER7)
        check_observe(st->server, ok);
}

// ---- connecting ----------------------------------------------------------------------------------------------------

static enum step connect_failed(struct stream *st, bool timed_out)
{
    stream_observe_connect(st, false);
    counter_add(&st->server_counters->connect_errors, 1);
    if (st->sconn)
        server_conn_close(&st->sconn, false);
    if (stream_retry(st, RETRY_CONN_FAILURE)) {
        if (timed_out && st->step == STEP_CONNECT)
            st->sub = CONNECT_BEGIN; // it has waited already
        return STEP_WAIT;
    }
    counter_add(&st->back_counters->connect_errors, 1);
    stream_fail(st, 503, timed_out ? 's' : 'S', 'C');
    return STEP_FINAL;
}

static enum step begin_connect(struct stream *st)
{
    const struct cfg_proxy *cfg = st->back->cfg;
    st->attempts++;
    counter_add(&st->server_counters->connects, 1);
    counter_add(&st->back_counters->connects, 1);
    st->sconn = server_conn_open(st, st->server);
    if (!st->sconn)
        return connect_failed(st, false);
    st->sub = CONNECT_WAIT;
    stream_deadline(st, st->timeout_connect ? st->timeout_connect : cfg->timeout.connect);
    return stream_server(st)->flags & CONN_CONNECTING ? STEP_WAIT : STEP_DONE;
}

static bool take_idle(struct stream *st)
{
    if (!stream_is_http(st) || st->no_reuse)
        return false;
    st->sconn = server_conn_take(st, st->server);
    if (!st->sconn)
        return false;
    st->flags |= STREAM_REUSED;
    counter_add(&st->server_counters->reuses, 1);
    counter_add(&st->back_counters->reuses, 1);
    return true;
}

static enum step connected(struct stream *st)
{
    if (!(st->flags & STREAM_REUSED))
        stream_observe_connect(st, true);
    st->times.connected = loop_now(st->loop);
    st->step_due = MONO_NEVER;
    return STEP_DONE;
}

enum step step_connect(struct stream *st)
{
    switch (st->sub) {
    case CONNECT_BEGIN:
        st->flags &= ~(uint32_t)STREAM_REUSED;
        if (take_idle(st))
            return connected(st);
        if (begin_connect(st) == STEP_FINAL)
            return STEP_FINAL;
        break;
    case CONNECT_TURN_AROUND: {
        int connect_ms = st->back->cfg->timeout.connect;
        st->sub = CONNECT_PAUSE;
        stream_deadline(st, connect_ms >= 0 && connect_ms < TURN_AROUND_MS ? connect_ms : TURN_AROUND_MS);
        return STEP_WAIT;
    }
    case CONNECT_PAUSE:
        if (stream_client_left(st)) {
            stream_abort(st, 'C', 'C');
            return STEP_FINAL;
        }
        if (!stream_deadline_passed(st))
            return STEP_WAIT;
        st->sub = CONNECT_BEGIN;
        return step_connect(st);
    }
    if (!st->sconn)
        return STEP_WAIT; // a retry is prepared
    unsigned flags = stream_server(st)->flags;
    if (flags & CONN_FAILED)
        return connect_failed(st, false);
    if (!(flags & (CONN_CONNECTING | CONN_HANDSHAKE)))
        return connected(st);
    if (stream_client_left(st)) {
        stream_abort(st, 'C', 'C');
        return STEP_FINAL;
    }
    return stream_deadline_passed(st) ? connect_failed(st, true) : STEP_WAIT;
}

// ---- sending -------------------------------------------------------------------------------------------------------

int stream_head_iov(struct stream *st, struct http_msg *m, struct iovec *iov)
{
    int n = h1_head_iov(m, iov, STREAM_HEAD_IOV);
    if (n >= 0)
        return n;
    size_t len = h1_head_len(m);
    char *flat = arena_alloc(st->arena, len);
    iov[0] = (struct iovec){flat, h1_write_head(m, flat, len)};
    return 1;
}

enum step step_send_request(struct stream *st)
{
    struct iovec iov[STREAM_HEAD_IOV];
    struct flow *up = &st->up;
    if (up->buf)
        up->buf->head = up->pinned; // a retry sends the body's beginning again
    int n = stream_head_iov(st, &st->req, iov);
    // What a failed answer may have sent again stays in the buffer.
    up->hold = st->back->cfg->retry_on & ~(unsigned)RETRY_CONN_FAILURE && !(st->flags & STREAM_NO_L7_RETRY);
    st->sconn->requests++;
    st->session->flags |= SESSION_REQUEST_SENT;
    counter_add(&st->server_counters->requests, 1);
    counter_add(&st->back_counters->requests, 1);
    stream_active(st, WATCH_SERVER);
    if (st->sconn->delays)
        server_conn_will_write(st->sconn);
    relay_send_head(up, stream_server(st), st->arena, iov, n);
    return STEP_DONE; // what failed is seen by the reader of the response: it may be there already
}
