// SPDX-License-Identifier: Apache-2.0
// The request path, last part: bodies, tunnels and TCP exchanges until both directions are over, and what their ends
// mean; inactivity timeouts; the end.
#include "node/proxy/stream_steps.h"

// ---- phases and failures -------------------------------------------------------------------------------------------

char stream_phase(const struct stream *st)
{
    if (st->step < STEP_BALANCE)
        return 'R';
    if (st->step == STEP_BALANCE)
        return 'Q';
    if (st->step == STEP_CONNECT)
        return 'C';
    if (st->step < STEP_SEND_RESPONSE && stream_is_http(st))
        return 'H';
    // The server has left, and its last bytes are on their way.
    bool last =
        stream_is_http(st) && st->down.complete && (!st->sconn || stream_server(st)->flags & (CONN_EOF | CONN_HUP));
    return last ? 'L' : 'D';
}

void stream_fail(struct stream *st, int status, char who, char when)
{
    if (!stream_is_http(st) || st->status != 0) {
        stream_abort(st, who, when);
        return;
    }
    stream_set_term(st, who, when);
    reply_error(st, status);
    if (!(st->flags & (STREAM_RUNNING | STREAM_DEAD))) {
        stream_goto(st, STEP_AFTER_RESPONSE);
        stream_wake(st);
    }
}

bool stream_client_gone(const struct stream *st)
{
    return st->up.source_end || stream_client(st)->flags & (CONN_EOF | CONN_HUP | CONN_FAILED);
}

// ---- uploads while a response is awaited ---------------------------------------------------------------------------

static void note_activity(struct stream *st, const bool moved[2], unsigned source, unsigned sink)
{
    unsigned who = (moved[0] ? source : 0) | (moved[1] ? sink : 0);
    if (who)
        stream_active(st, who);
}

// The server takes no more of the request: its answer decides. What the client still sends is dropped.
static void drop_upload(struct stream *st)
{
    struct flow *up = &st->up;
    up->drop = true;
    up->nhead = 0;
    up->discarded = true;
    if (up->buf)
        up->buf->head = up->clear;
    st->flags |= STREAM_CLOSE_SERVER | STREAM_CLOSE_CLIENT;
}

static enum relay_result relay(struct stream *st, struct flow *f, struct conn *from, struct conn *to, bool moved[2])
{
    enum relay_result r = relay_run(st->worker, f, from, to, moved);
    if (r != RELAY_YIELD)
        return r;
    stream_wake_later(st);
    return RELAY_BLOCKED;
}

// Upwards, with Nagle's algorithm off from the second write on.
static enum relay_result relay_up(struct stream *st, bool moved[2])
{
    struct flow *up = &st->up;
    struct server_conn *sc = st->sconn;
    struct conn *client = stream_client(st);
    uint64_t before = up->total;
    if (sc->delays && sc->wrote && (client->flags & CONN_READABLE || flow_has_pending(up)))
        server_conn_will_write(sc);
    enum relay_result r = relay(st, up, client, &sc->conn, moved);
    if (sc->delays && moved[1]) {
        sc->wrote = true;
        if (up->total - before >= worker_bufsize() / 2) // perhaps more than one write: what waits goes out now
            server_conn_will_write(sc);
    }
    return r;
}

bool stream_relay_request(struct stream *st)
{
    struct flow *up = &st->up;
    if (!st->sconn || (up->complete && !flow_has_pending(up)))
        return true;
    bool moved[2] = {false, false};
    enum relay_result r = relay_up(st, moved);
    note_activity(st, moved, WATCH_CLIENT, WATCH_SERVER);
    switch (r) {
    case RELAY_SINK_ERROR:
        if (!stream_is_http(st))
            break; // the relay step deals with it
        drop_upload(st);
        break;
    case RELAY_SOURCE_SHORT:
    case RELAY_SOURCE_ERROR:
        if (stream_is_http(st)) {
            stream_abort(st, 'C', 'D');
            return false;
        }
        break;
    case RELAY_BAD_FRAMING:
        stream_fail(st, 400, 'P', st->status ? 'D' : 'R');
        return false;
    default:
        break;
    }
    return true;
}

// ---- both directions -----------------------------------------------------------------------------------------------

static enum step gone(struct stream *st, char who)
{
    counter_t *c = NULL;
    if (who == 'C')
        c = st->back_counters ? &st->back_counters->client_aborts : NULL;
    else if (st->server_counters)
        c = &st->server_counters->server_aborts;
    if (c)
        counter_add(c, 1);
    if (who == 'C' && st->sconn)
        st->sconn->reset = true; // the server learns that nobody listens any more
    stream_abort(st, who, stream_phase(st));
    return STEP_FINAL;
}

static bool is_raw(const struct stream *st)
{
    return !stream_is_http(st) || st->flags & STREAM_TUNNEL;
}

// One direction of TCP is over: the end is passed on, unless the other one is over too and closing does it. From now on
// other timeouts count.
static void pass_end(struct stream *st, struct flow *f, const struct flow *other, struct conn *to)
{
    if (f->sent_end)
        return;
    f->sent_end = true;
    if (!other->complete || flow_has_pending(other))
        conn_shut_write(to);
    stream_active(st, WATCH_CLIENT | WATCH_SERVER);
}

static enum step relay_raw(struct stream *st)
{
    struct conn *client = stream_client(st), *server = stream_server(st);
    bool up_moved[2] = {false, false}, down_moved[2] = {false, false};
    enum relay_result up = relay_up(st, up_moved);
    enum relay_result down = relay(st, &st->down, server, client, down_moved);
    note_activity(st, up_moved, WATCH_CLIENT, WATCH_SERVER);
    note_activity(st, down_moved, WATCH_SERVER, WATCH_CLIENT);
    if (down == RELAY_SINK_ERROR || up == RELAY_SOURCE_ERROR)
        return gone(st, 'C');
    if (down == RELAY_SOURCE_ERROR || up == RELAY_SINK_ERROR)
        return gone(st, 'S');
    if (up == RELAY_DONE && down == RELAY_DONE)
        return STEP_DONE;
    if (up == RELAY_DONE)
        pass_end(st, &st->up, &st->down, server);
    if (down == RELAY_DONE)
        pass_end(st, &st->down, &st->up, client);
    return STEP_MORE;
}

static enum step relay_http(struct stream *st)
{
    struct conn *client = stream_client(st);
    if (!stream_relay_request(st))
        return STEP_FINAL;
    bool moved[2] = {false, false};
    struct conn *server = st->sconn ? stream_server(st) : client;
    enum relay_result down = relay(st, &st->down, server, client, moved);
    note_activity(st, moved, WATCH_SERVER, WATCH_CLIENT);
    switch (down) {
    case RELAY_SINK_ERROR:
        return gone(st, 'C');
    case RELAY_SOURCE_ERROR:
    case RELAY_SOURCE_SHORT:
    case RELAY_BAD_FRAMING:
        return gone(st, 'S');
    case RELAY_DONE:
        break;
    default:
        // A client that has left will not read the rest.
        return client->flags & CONN_FAILED ? gone(st, 'C') : STEP_MORE;
    }
    if (st->flags & STREAM_LOCAL_REPLY || st->up.drop)
        return STEP_DONE; // the rest of the request is of no use
    return st->up.complete && !flow_has_pending(&st->up) ? STEP_DONE : STEP_MORE;
}

enum step step_relay(struct stream *st)
{
    bool logged = st->flags & (STREAM_LOGGED | STREAM_NO_LOG | STREAM_MONITOR);
    if (stream_log && !logged && cfg_option(st->front->cfg, OPT_LOGASAP))
        stream_log(st);
    return is_raw(st) ? relay_raw(st) : relay_http(st);
}

enum step step_end(struct stream *st)
{
    return stream_finished(st);
}

// ---- inactivity ----------------------------------------------------------------------------------------------------

static int either(int special, int normal)
{
    return special >= 0 ? special : normal;
}

static int client_timeout_ms(const struct stream *st)
{
    const struct cfg_timeouts *t = &st->front->cfg->timeout;
    if (is_raw(st) && (st->up.complete || st->down.sent_end))
        return either(t->client_fin, st->timeout_client);
    if (is_raw(st) && st->step == STEP_RELAY)
        return either(st->timeout_tunnel, st->timeout_client);
    return st->timeout_client;
}

static int server_timeout_ms(const struct stream *st)
{
    const struct cfg_timeouts *t = &(st->back ? st->back : st->front)->cfg->timeout;
    if (is_raw(st) && (st->down.complete || st->up.sent_end))
        return either(t->server_fin, st->timeout_server);
    if (is_raw(st) && st->step == STEP_RELAY)
        return either(st->timeout_tunnel, st->timeout_server);
    return st->timeout_server;
}

// Who is it that keeps the stream waiting?
static unsigned watched(const struct stream *st)
{
    unsigned who = 0;
    if (st->step < STEP_RESPONSE_CONTENT_TCP)
        return 0;
    if (flow_wants_bytes(&st->up) || flow_has_pending(&st->down))
        who |= WATCH_CLIENT;
    bool answer_due = is_raw(st) || st->up.complete || st->step > STEP_RESPONSE_HEAD;
    if (st->sconn && ((answer_due && flow_wants_bytes(&st->down)) || flow_has_pending(&st->up)))
        who |= WATCH_SERVER;
    return who;
}

static mono_t due_in(const struct stream *st, int ms)
{
    return ms < 0 ? MONO_NEVER : mono_add_ms(loop_now(st->loop), ms);
}

void stream_active(struct stream *st, unsigned who)
{
    // In a tunnel a sign of life of one side is one of both.
    if (is_raw(st) && st->step == STEP_RELAY && st->timeout_tunnel >= 0)
        who = WATCH_CLIENT | WATCH_SERVER;
    if (who & WATCH_CLIENT)
        st->client_due = due_in(st, client_timeout_ms(st));
    if (who & WATCH_SERVER)
        st->server_due = due_in(st, server_timeout_ms(st));
}

static mono_t earlier(mono_t a, mono_t b)
{
    if (!mono_is_set(a) || !mono_is_set(b))
        return mono_is_set(a) ? a : b;
    return mono_before(a, b) ? a : b;
}

void stream_arm(struct stream *st)
{
    unsigned now = watched(st);
    stream_active(st, now & ~(unsigned)st->watched); // time counts from when the wait begins
    st->watched = (uint8_t)now;
    mono_t due = earlier(st->step_due, st->wait_due);
    if (now & WATCH_CLIENT)
        due = earlier(due, st->client_due);
    if (now & WATCH_SERVER)
        due = earlier(due, st->server_due);
    session_set_timer(st->session, due);
}

static bool passed(const struct stream *st, mono_t due)
{
    return mono_is_set(due) && !mono_before(loop_now(st->loop), due);
}

bool stream_timed_out(struct stream *st)
{
    if (passed(st, st->wait_due))
        st->wait_due = MONO_NEVER;
    if (st->watched & WATCH_CLIENT && passed(st, st->client_due)) {
        stream_fail(st, 408, 'c', st->status || !stream_is_http(st) ? stream_phase(st) : 'D');
        return true;
    }
    if (st->watched & WATCH_SERVER && passed(st, st->server_due)) {
        if (stream_is_http(st) && st->step == STEP_RESPONSE_HEAD)
            stream_observe_response(st, false);
        if (stream_is_http(st) && st->step == STEP_RESPONSE_HEAD && stream_retry(st, RETRY_RESPONSE_TIMEOUT))
            return false;
        if (st->server_counters)
            counter_add(&st->server_counters->response_errors, 1);
        char when = st->status || !stream_is_http(st) ? stream_phase(st) : st->up.complete ? 'H' : 'D';
        stream_fail(st, 504, 's', when);
        return true;
    }
    return false;
}

// ---- sums ----------------------------------------------------------------------------------------------------------

static void count_times(struct stream *st, struct counters *c)
{
    const struct stream_times *t = &st->times;
    if (!mono_is_set(t->connected))
        return;
    counter_add(&c->queue_ms, (uint64_t)mono_diff_ms(t->queue_end, t->request));
    counter_add(&c->connect_ms, (uint64_t)mono_diff_ms(t->connected, t->queue_end));
    if (mono_is_set(t->response))
        counter_add(&c->response_ms, (uint64_t)mono_diff_ms(t->response, t->connected));
    counter_add(&c->total_ms, (uint64_t)mono_diff_ms(t->end, t->start));
    counter_add(&c->time_samples, 1);
}

static void count_tracked(struct stream *st)
{
    if (!st->ctx.tracks)
        return;
    struct table_delta deltas[8];
    unsigned n = 0;
    uint64_t in = st->bytes_in, out = st->down.total;
    const int32_t in32 = (int32_t)(in > INT32_MAX ? INT32_MAX : in),
                  out32 = (int32_t)(out > INT32_MAX ? INT32_MAX : out);
    deltas[n++] = (struct table_delta){TD_BYTES_IN_CNT, 0, in32};
    deltas[n++] = (struct table_delta){TD_BYTES_IN_RATE, 0, in32};
    deltas[n++] = (struct table_delta){TD_BYTES_OUT_CNT, 0, out32};
    deltas[n++] = (struct table_delta){TD_BYTES_OUT_RATE, 0, out32};
    // Errors of the client, failures of the server (configuration.txt "stick-table").
    if (stream_is_http(st) && st->status >= 400 && st->status < 500) {
        deltas[n++] = (struct table_delta){TD_HTTP_ERR_CNT, 0, 1};
        deltas[n++] = (struct table_delta){TD_HTTP_ERR_RATE, 0, 1};
    } else if (stream_is_http(st) && st->status >= 500 && st->status != 501 && st->status != 505) {
        deltas[n++] = (struct table_delta){TD_HTTP_FAIL_CNT, 0, 1};
        deltas[n++] = (struct table_delta){TD_HTTP_FAIL_RATE, 0, 1};
    }
    tracks_add(st->ctx.tracks, deltas, n, st->times.end);
}

void stream_account(struct stream *st)
{
    st->bytes_in += st->up.taken;
    struct counters *all[] = {st->front_counters, st->back_counters, st->server_counters};
    for (unsigned i = 0; i < 3; i++) {
        if (!all[i])
            continue;
        counter_add(&all[i]->bytes_in, st->bytes_in);
        counter_add(&all[i]->bytes_out, st->down.total);
    }
    if (st->back_counters)
        count_times(st, st->back_counters);
    if (st->server_counters)
        count_times(st, st->server_counters);
    count_tracked(st);
}
