// SPDX-License-Identifier: Apache-2.0
// Client connections: see session.h. A connection in TCP mode, or with connection rules, gets its stream when it is
// accepted; in HTTP a stream begins with the first byte of a request.
#include "node/proxy/session.h"

#include <unistd.h>

#include "node/proxy/listener.h"
#include "node/proxy/local.h"
#include "node/proxy/server_conn.h"
#include "node/proxy/stream.h"

#define LINGER_MS        2000 // how long an answered client may still send
#define LINGER_MAX_BYTES (1u << 20)

static void on_event(struct conn *c);
static void on_due(struct timer *t);

// ---- end -----------------------------------------------------------------------------------------------------------

static void end_extra(struct session *s)
{
    struct session_extra *x = s->extra;
    s->extra = NULL;
    if (!x)
        return;
    if (x->tracks)
        tracks_stop(x->tracks, loop_now(s->conn.loop));
    struct arena *arena = x->arena;
    arena_destroy(&arena);
}

static void session_close(struct session *s, bool reset)
{
    if (s->flags & SESSION_DEAD)
        return;
    s->flags |= SESSION_DEAD;
    struct worker *w = worker_self;
    timer_cancel(&s->timer);
    server_conn_disown(s);
    end_extra(s);
    conn_close(&s->conn, reset);
    s->client.fd = -1;
    list_remove(&s->link);
    path_local(w)->session_count--;
    listener_session_end(s->listener, w);
    listener_unref(&s->listener);
    path_bury(w, &path_local(w)->dead_sessions, &s->link);
}

// Our end is said, the client's is awaited: closing now, with bytes of the client unread, would destroy the answer on
// its way (RFC 9112 9.6).
static void linger(struct session *s)
{
    s->flags |= SESSION_LINGER | SESSION_CLOSING;
    s->requests = 0; // counts dropped bytes from here on
    conn_shut_write(&s->conn);
    timer_set(loop_timers(s->conn.loop), &s->timer, mono_add_ms(loop_now(s->conn.loop), LINGER_MS));
}

static void linger_read(struct session *s)
{
    char scratch[4096];
    while (s->conn.flags & CONN_READABLE) {
        ssize_t n = conn_recv(&s->conn, scratch, sizeof(scratch));
        if (n == CONN_AGAIN)
            return;
        s->requests += n > 0 ? (unsigned)n : 0;
        if (n < 0 || s->requests > LINGER_MAX_BYTES) {
            session_close(s, false);
            return;
        }
    }
}

// ---- between requests ----------------------------------------------------------------------------------------------

// The frontend of the worker's current snapshot: NULL when a reload removed it.
static struct proxy *current_front(struct session *s)
{
    struct snapshot *now = snapshot_use_current(worker_self)->snapshot;
    if (s->serial != now->serial) {
        s->front = snapshot_find(now, str_of(s->listener->owner), CAP_FRONT);
        s->serial = now->serial;
    }
    return s->front;
}

// Whichever is over first: `timeout client`, or the one for what is awaited (keep-alive falls back to http-request).
static int idle_timeout_ms(const struct session *s, const struct cfg_timeouts *t)
{
    int awaited = s->requests > 0 && t->http_keep_alive >= 0 ? t->http_keep_alive : t->http_request;
    if (awaited < 0 || t->client < 0)
        return awaited < 0 ? t->client : awaited;
    return awaited < t->client ? awaited : t->client;
}

static void arm_idle(struct session *s)
{
    int ms = idle_timeout_ms(s, &s->front->cfg->timeout);
    if (ms >= 0)
        timer_set(loop_timers(s->conn.loop), &s->timer, mono_add_ms(s->idle_since, ms));
}

static void begin_stream(struct session *s, struct iobuf **rest, bool now)
{
    s->stream = stream_create(s, rest);
    s->requests++;
    if (now)
        stream_wake(s->stream);
    else
        stream_wake_later(s->stream);
}

// A connection that ends before a request came: the first one is a bad request to be logged, a later one just ends.
static void ended_idle(struct session *s)
{
    if (s->requests == 0 && !(s->flags & SESSION_LOGGED) && current_front(s) &&
        !cfg_option(s->front->cfg, OPT_HTTP_IGNORE_PROBES)) {
        begin_stream(s, NULL, true); // meets the end by itself
        return;
    }
    session_close(s, false);
}

static void read_idle(struct session *s, bool may_run)
{
    if (!(s->conn.flags & (CONN_READABLE | CONN_FAILED)))
        return;
    if (!current_front(s)) {
        session_close(s, false);
        return;
    }
    struct worker *w = worker_self;
    struct iobuf *b = worker_buf_take(w);
    ssize_t n = conn_recv(&s->conn, iobuf_write_ptr(b), iobuf_room(b));
    if (n > 0) {
        iobuf_wrote(b, (uint32_t)n);
        begin_stream(s, &b, may_run);
        return;
    }
    worker_buf_put(w, &b);
    if (n != CONN_AGAIN)
        ended_idle(s);
}

static void on_event(struct conn *c)
{
    struct session *s = CONTAINER_OF(c, struct session, conn);
    if (s->stream)
        stream_on_client(s->stream);
    else if (s->flags & SESSION_LINGER)
        linger_read(s);
    else
        read_idle(s, true);
}

static void on_due(struct timer *t)
{
    struct session *s = CONTAINER_OF(t, struct session, timer);
    if (s->stream)
        stream_on_timer(s->stream);
    else if (s->flags & SESSION_LINGER || s->requests > 0)
        session_close(s, false);
    else
        ended_idle(s); // nothing came: the stream finds its deadline passed
}

void session_stream_done(struct session *s, struct iobuf **rest, bool keep_alive, bool lingering)
{
    CHECK_OBJ(s, SESSION_MAGIC);
    struct worker *w = worker_self;
    s->stream = NULL;
    s->idle_since = loop_now(s->conn.loop);
    if (!keep_alive || s->flags & SESSION_CLOSING || !current_front(s) || !conn_is_open(&s->conn)) {
        if (rest && *rest)
            worker_buf_put(w, rest);
        if (lingering && conn_is_open(&s->conn) && !(s->conn.flags & (CONN_EOF | CONN_FAILED)))
            linger(s);
        else
            session_close(s, false);
        return;
    }
    if (rest && *rest) {
        begin_stream(s, rest, false);
        return;
    }
    arm_idle(s);
    read_idle(s, false);
}

void session_set_timer(struct session *s, mono_t due)
{
    if (mono_is_set(due))
        timer_set(loop_timers(s->conn.loop), &s->timer, due);
    else
        timer_cancel(&s->timer);
}

// ---- beginning -----------------------------------------------------------------------------------------------------

static bool needs_stream_at_once(const struct proxy *front)
{
    return front->cfg->mode == MODE_TCP || front->rules[RULES_TCP_REQ_CONN].count ||
           front->rules[RULES_TCP_REQ_SESS].count;
}

void session_accept(struct worker *w, struct listener *l, int fd, const struct inet_addr *peer)
{
    struct path_local *local = path_local(w);
    struct session *s = pool_take_zero(&local->sessions);
    s->magic = SESSION_MAGIC;
    s->listener = l; // counted by the caller for us
    list_push(&local->session_list, &s->link);
    local->session_count++;
    timer_init(&s->timer, on_due);
    s->idle_since = loop_now(w->loop);
    s->client.src = *peer;
    s->client.fd = fd;
    s->client.bind_id = l->id;
    s->client.accept_mono = s->idle_since;
    s->client.accept_wall_us = loop_wall_us(w->loop);
    if (conn_open(&s->conn, w->loop, fd, &conn_plain, 0, on_event) < 0 || !current_front(s)) {
        session_close(s, false);
        return;
    }
    if (cfg_option(s->front->cfg, OPT_CLITCPKA) || cfg_option(s->front->cfg, OPT_TCPKA))
        sock_set_keepalive(fd);
    if (needs_stream_at_once(s->front)) {
        begin_stream(s, NULL, true);
        return;
    }
    arm_idle(s);
}

struct session_extra *session_extra(struct session *s)
{
    if (!s->extra) {
        struct arena *arena = arena_create(1024);
        s->extra = ARENA_NEW(arena, struct session_extra);
        s->extra->arena = arena;
    }
    return s->extra;
}

// ---- all of a worker -----------------------------------------------------------------------------------------------

void session_close_idle(struct worker *w, struct listener *l)
{
    LIST_FOREACH_SAFE (it, &path_local(w)->session_list) {
        struct session *s = LIST_ENTRY(it, struct session, link);
        if (l && s->listener != l)
            continue;
        s->flags |= SESSION_CLOSING;
        if (!s->stream && !(s->flags & SESSION_LINGER))
            session_close(s, false);
    }
}

void session_kill_all(struct worker *w)
{
    LIST_FOREACH_SAFE (it, &path_local(w)->session_list) {
        struct session *s = LIST_ENTRY(it, struct session, link);
        if (s->stream)
            stream_abort(s->stream, 'K', 'D');
        else
            session_close(s, false);
    }
}

unsigned session_count(const struct worker *w)
{
    return path_local(w)->session_count;
}
