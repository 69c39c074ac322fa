// SPDX-License-Identifier: Apache-2.0
// Pools and graveyards of the request path, one a worker.
#include "node/proxy/local.h"

#include "node/proxy/listener.h"
#include "node/proxy/server_conn.h"
#include "node/proxy/stream.h"

#define SESSIONS_KEPT     256
#define STREAMS_KEPT      128
#define SERVER_CONNS_KEPT 128

struct path_local path_locals[WORKER_MAX];

void path_locals_init(void)
{
    for (unsigned i = 0; i < WORKER_MAX; i++) {
        struct path_local *l = &path_locals[i];
        l->sessions = (struct pool)POOL_INIT("sessions", struct session, SESSIONS_KEPT);
        l->streams = (struct pool)POOL_INIT("streams", struct stream, STREAMS_KEPT);
        l->server_conns = (struct pool)POOL_INIT("server connections", struct server_conn, SERVER_CONNS_KEPT);
        list_init(&l->session_list);
        list_init(&l->idle_server_conns);
        list_init(&l->paused_listeners);
        timer_init(&l->purge, server_conn_on_purge);
        timer_init(&l->resume, listener_on_resume);
        list_init(&l->dead_sessions);
        list_init(&l->dead_streams);
        list_init(&l->dead_server_conns);
    }
}

static void free_dead(struct path_local *l)
{
    struct list *e;
    while ((e = list_pop(&l->dead_streams)))
        pool_put(&l->streams, LIST_ENTRY(e, struct stream, queue.link));
    while ((e = list_pop(&l->dead_server_conns)))
        pool_put(&l->server_conns, LIST_ENTRY(e, struct server_conn, link));
    while ((e = list_pop(&l->dead_sessions)))
        pool_put(&l->sessions, LIST_ENTRY(e, struct session, link));
}

static void on_turn_end(struct loop_defer *d)
{
    free_dead(CONTAINER_OF(d, struct path_local, bury));
}

void path_bury(struct worker *w, struct list *dead, struct list *link)
{
    struct path_local *l = path_local(w);
    list_push(dead, link);
    if (!l->bury.queued)
        loop_defer(w->loop, &l->bury, on_turn_end);
}

void path_local_end(struct worker *w)
{
    struct path_local *l = path_local(w);
    session_kill_all(w);
    server_conn_purge(w, NULL);
    timer_cancel(&l->purge);
    timer_cancel(&l->resume);
    loop_defer_cancel(&l->bury);
    free_dead(l);
    list_init(&l->paused_listeners);
}

void path_locals_drain(void)
{
    for (unsigned i = 0; i < WORKER_MAX; i++) {
        struct path_local *l = &path_locals[i];
        pool_drain(&l->sessions);
        pool_drain(&l->streams);
        pool_drain(&l->server_conns);
    }
}
