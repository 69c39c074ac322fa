// SPDX-License-Identifier: Apache-2.0
// Connections to servers and the idle ones among them: see server_conn.h.
#include "node/proxy/server_conn.h"

#include <errno.h>

#include "node/proxy/local.h"
#include "node/proxy/stream.h"

#define PURGE_DELAY_MS 5000 // pool-purge-delay when the configuration gives none

static void on_event(struct conn *c)
{
    struct server_conn *sc = CONTAINER_OF(c, struct server_conn, conn);
    if (sc->stream) {
        stream_on_server(sc->stream);
        return;
    }
    // Idle: a byte, an end or an error all mean that it cannot carry another request.
    if (c->flags & (CONN_READABLE | CONN_HUP | CONN_FAILED))
        server_conn_close(&sc, false);
}

static void leave_pool(struct server_conn *sc)
{
    if (sc->session) {
        sc->session->own = NULL;
        sc->session = NULL;
        return;
    }
    if (list_empty(&sc->link))
        return;
    list_remove(&sc->link);
    list_remove(&sc->aged);
    sc->pool->idle_count--;
    atomic_fetch_sub_explicit(&sc->server->idle_total, 1, memory_order_relaxed);
}

void server_conn_close(struct server_conn **slot, bool reset)
{
    struct server_conn *sc = *slot;
    *slot = NULL;
    if (!sc || sc->dead)
        return;
    CHECK_OBJ(sc, SERVER_CONN_MAGIC);
    sc->dead = true;
    sc->stream = NULL;
    leave_pool(sc);
    conn_close(&sc->conn, reset);
    atomic_fetch_sub_explicit(&sc->server->conns_total, 1, memory_order_relaxed);
    server_state_unref(&sc->server);
    path_bury(sc->worker, &path_local(sc->worker)->dead_server_conns, &sc->link);
}

// ---- opening -------------------------------------------------------------------------------------------------------

// `server … source`, else the backend's.
static const struct inet_addr *source_of(const struct server *srv)
{
    return srv->source.sa.sa_family ? &srv->source : NULL;
}

// The address to connect to: port offsets are relative to the port that the client used.
static struct addr target_of(struct stream *st, struct server *srv)
{
    struct addr a = server_addr(srv->state);
    const struct cfg_addr *cfg = &srv->cfg->addr;
    if (a.kind != ADDR_INET)
        return a;
    if (cfg->port_relative || (cfg->port == 0 && inet_port(&a.inet) == 0)) {
        const struct inet_addr *dst = match_dst(&st->ctx);
        if (dst)
            inet_set_port(&a.inet, (uint16_t)(inet_port(dst) + cfg->port_offset));
    }
    return a;
}

struct server_conn *server_conn_open(struct stream *st, struct server *srv)
{
    struct worker *w = st->worker;
    bool in_progress;
    struct addr a = target_of(st, srv);
    int fd = sock_connect(&a, source_of(srv), &in_progress);
    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    uint64_t both = st->front->cfg->options | st->back->cfg->options;
    if (both & (1ull << OPT_SRVTCPKA | 1ull << OPT_TCPKA))
        sock_set_keepalive(fd);
    if (srv->cfg->tcp_ut > 0)
        sock_set_user_timeout(fd, (unsigned)srv->cfg->tcp_ut);
    struct server_conn *sc = pool_take_zero(&path_local(w)->server_conns);
    sc->magic = SERVER_CONN_MAGIC;
    sc->worker = w;
    sc->pool = &srv->state->per_worker[w->id];
    sc->stream = st;
    list_init(&sc->link);
    list_init(&sc->aged);
    int rc = conn_open(&sc->conn, w->loop, fd, &conn_plain, in_progress ? CONN_CONNECTING : 0, on_event);
    if (rc < 0) {
        pool_put(&path_local(w)->server_conns, sc);
        errno = -rc;
        return NULL;
    }
    sc->server = server_state_ref(srv->state);
    sc->delays = a.kind == ADDR_INET;
    sc->addr_serial = atomic_load_explicit(&srv->state->addr_serial, memory_order_relaxed);
    atomic_fetch_add_explicit(&srv->state->conns_total, 1, memory_order_relaxed);
    return sc;
}

void server_conn_will_write(struct server_conn *sc)
{
    if (!sc->wrote) {
        sc->wrote = true;
        return;
    }
    sock_set_nodelay(sc->conn.lf.fd, true);
    sc->delays = false;
}

// ---- reuse (configuration.txt "http-reuse") ------------------------------------------------------------------------

// May this request be sent on a connection that carried others'? A first request of a client cannot be repeated by that
// client if the server closes just now: `safe` lets it only open new connections, `aggressive` use those that have
// proved to be kept.
static bool may_share(const struct stream *st, const struct server_conn *sc)
{
    switch (st->back->cfg->reuse) {
    case REUSE_NEVER:
        return false;
    case REUSE_SAFE:
        return st->session->flags & SESSION_REQUEST_SENT;
    case REUSE_AGGRESSIVE:
        return sc->requests > 1 || st->session->flags & SESSION_REQUEST_SENT;
    default:
        return true;
    }
}

static bool still_good(const struct server_conn *sc)
{
    return !(sc->conn.flags & (CONN_READABLE | CONN_HUP | CONN_EOF | CONN_FAILED)) &&
           sc->addr_serial == atomic_load_explicit(&sc->server->addr_serial, memory_order_relaxed);
}

static struct server_conn *take(struct stream *st, struct server_conn *sc)
{
    leave_pool(sc);
    sc->stream = st;
    return sc;
}

struct server_conn *server_conn_take(struct stream *st, struct server *srv)
{
    struct server_conn *own = st->session->own;
    if (own && own->server == srv->state && still_good(own))
        return take(st, own);
    struct server_worker *pool = &srv->state->per_worker[st->worker->id];
    LIST_FOREACH_SAFE (it, &pool->idle) {
        struct server_conn *sc = LIST_ENTRY(it, struct server_conn, link);
        if (!still_good(sc))
            server_conn_close(&sc, false);
        else if (may_share(st, sc))
            return take(st, sc);
    }
    return NULL;
}

// ---- keeping -------------------------------------------------------------------------------------------------------

// http-reuse never: the connection waits for its own client's next request.
static bool keep_private(struct server_conn *sc, struct session *s)
{
    if (s->own)
        server_conn_close(&s->own, false);
    s->own = sc;
    sc->session = s;
    return true;
}

static bool keep_shared(struct server_conn *sc, const struct cfg_server *cfg, mono_t now)
{
    int max = cfg->pool_max_conn; // -1 = unlimited, 0 = none kept
    struct path_local *local = path_local(sc->worker);
    if (max == 0 || (max > 0 && atomic_load_explicit(&sc->server->idle_total, memory_order_relaxed) >= max))
        return false;
    if (cfg->max_reuse >= 0 && sc->requests > (unsigned)cfg->max_reuse)
        return false;
    sc->idle_since = now;
    sc->purge_ms = cfg->pool_purge_delay > 0 ? cfg->pool_purge_delay : PURGE_DELAY_MS;
    list_push_front(&sc->pool->idle, &sc->link);
    list_push_front(&local->idle_server_conns, &sc->aged);
    sc->pool->idle_count++;
    atomic_fetch_add_explicit(&sc->server->idle_total, 1, memory_order_relaxed);
    if (!timer_is_set(&local->purge))
        timer_set(loop_timers(sc->worker->loop), &local->purge, mono_add_ms(now, sc->purge_ms));
    return true;
}

// A read that took exactly what it wanted (the pipe's do) leaves open whether more is there: then one more tells.
static bool is_silent(struct server_conn *sc)
{
    char byte;
    if (sc->conn.flags & CONN_READABLE && !(sc->conn.flags & CONN_HUP))
        conn_recv(&sc->conn, &byte, 1);
    return still_good(sc);
}

void server_conn_put(struct server_conn **slot, bool reusable)
{
    struct server_conn *sc = *slot;
    *slot = NULL;
    CHECK_OBJ(sc, SERVER_CONN_MAGIC);
    struct stream *st = sc->stream;
    sc->stream = NULL;
    if (reusable && !sc->purge && is_silent(sc) && st->server) {
        bool never = st->back->cfg->reuse == REUSE_NEVER;
        if (never ? keep_private(sc, st->session) : keep_shared(sc, st->server->cfg, loop_now(st->loop)))
            return;
    }
    server_conn_close(&sc, sc->reset);
}

void server_conn_disown(struct session *s)
{
    struct server_conn *sc = s->own;
    if (!sc)
        return;
    server_conn_close(&sc, false);
}

// Runs while there are idle connections, about as often as the shortest delay wants.
void server_conn_on_purge(struct timer *t)
{
    struct path_local *local = CONTAINER_OF(t, struct path_local, purge);
    struct loop *loop = worker_self->loop;
    mono_t now = loop_now(loop);
    int next_ms = PURGE_DELAY_MS;
    LIST_FOREACH_SAFE (it, &local->idle_server_conns) {
        struct server_conn *sc = LIST_ENTRY(it, struct server_conn, aged);
        int64_t left_ms = sc->purge_ms - mono_diff_ms(now, sc->idle_since);
        if (left_ms <= 0)
            server_conn_close(&sc, false);
        else if (left_ms < next_ms)
            next_ms = (int)left_ms;
    }
    if (!list_empty(&local->idle_server_conns))
        timer_set(loop_timers(loop), t, mono_add_ms(now, next_ms));
}

void server_conn_purge(struct worker *w, struct server_state *s)
{
    LIST_FOREACH_SAFE (it, &path_local(w)->idle_server_conns) {
        struct server_conn *sc = LIST_ENTRY(it, struct server_conn, aged);
        if (!s || sc->server == s)
            server_conn_close(&sc, false);
    }
}
