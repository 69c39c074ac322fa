// SPDX-License-Identifier: Apache-2.0
// A connection to a server: used by one stream at a time, idle in its worker's pool in between (server_worker.idle). An
// idle one is watched by its loop, so that its death is known at once.
#ifndef PHX_PROXY_SERVER_CONN_H
#define PHX_PROXY_SERVER_CONN_H

#include "node/io/conn.h"
#include "node/io/timer.h"
#include "node/proxy/server.h"

struct stream;
struct session;

struct server_conn {
    uint32_t magic;    // SERVER_CONN_MAGIC
    uint32_t requests; // sent on it so far
    struct conn conn;
    struct list link;            // server_worker.idle while idle
    struct list aged;            // of all idle ones of the worker
    struct server_state *server; // counted
    struct server_worker *pool;  // this worker's
    struct worker *worker;
    struct stream *stream;   // its user, NULL while idle
    struct session *session; // http-reuse never: kept for this one only
    mono_t idle_since;
    uint32_t addr_serial; // of the server's address when it was made: not reused after a change
    bool delays;          // Nagle's algorithm is on, as the kernel made it
    bool wrote;           // something was sent
    bool purge;           // close instead of keeping
    bool reset;           // and with RST
    bool dead;            // closed, freed at the end of the turn
    int purge_ms;         // how long it may be idle
};
#define SERVER_CONN_MAGIC 0x53434f4eu

// Starts a connection to a chosen server for a stream. NULL with errno when the kernel refuses at once. conn.flags has
// CONN_CONNECTING while it is under way.
struct server_conn *server_conn_open(struct stream *st, struct server *srv);
// Before each write while sc->delays. The first one cannot be delayed, since nothing is under way; before the second,
// Nagle's algorithm is switched off. So a connection for one exchange costs no setsockopt().
void server_conn_will_write(struct server_conn *sc);
// An idle one that the stream may use by its backend's http-reuse, or NULL.
struct server_conn *server_conn_take(struct stream *st, struct server *srv);
// The stream is done with it. Keeps it if `reusable` and limits allow, else closes. Clears the pointer.
void server_conn_put(struct server_conn **sc, bool reusable);
void server_conn_close(struct server_conn **sc, bool reset);
// A session that ends gives up the connection that was kept for it.
void server_conn_disown(struct session *s);
// Closes this worker's idle connections of a server (it went down, was deleted; NULL = of all, at exit).
void server_conn_purge(struct worker *w, struct server_state *s);
// The worker's timer that closes what was idle too long.
void server_conn_on_purge(struct timer *t);

#endif
