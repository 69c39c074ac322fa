// SPDX-License-Identifier: Apache-2.0
// A client connection: from accept to close. Between two requests it is all that exists (no buffer, no arena, no
// stream), so it stays small; the snapshot is pinned only while a stream runs. One worker's thread.
#ifndef PHX_PROXY_SESSION_H
#define PHX_PROXY_SESSION_H

#include "node/io/conn.h"
#include "node/io/timer.h"
#include "node/proxy/proxy.h"

struct stream;
struct server_conn;
struct iobuf;

// What only some sessions need: `tcp-request connection|session` rules that track or set variables.
struct session_extra {
    struct arena *arena;
    struct vars *vars;    // scope sess
    struct track *tracks; // TRACK_MAX of them, or NULL
};

enum session_flag {
    SESSION_LINGER = 1 << 0,       // answered and shut down: what still comes is read and dropped until the peer closes
    SESSION_LOGGED = 1 << 1,       // something was logged for this connection
    SESSION_RULES_DONE = 1 << 2,   // connection and session rules passed
    SESSION_REQUEST_SENT = 1 << 3, // a request of this connection reached a server (http-reuse safe)
    SESSION_CLOSING = 1 << 4,      // no further request will be read
    SESSION_DEAD = 1 << 5          // closed, freed at the end of the turn
};

struct session {
    uint32_t magic; // SESSION_MAGIC
    uint16_t flags; // enum session_flag
    struct conn conn;
    struct timer timer;          // idle, first request, lingering; a running stream has its own
    struct list link;            // of its worker's sessions: shut down at a hard stop, counted by show info
    struct listener *listener;   // counted
    struct proxy *front;         // valid while `serial` is that of the worker's current snapshot
    uint64_t serial;             // of front->snapshot
    struct stream *stream;       // the request being served, NULL when idle
    struct session_extra *extra; // NULL for most
    struct server_conn *own;     // http-reuse never: the idle server connection that serves nobody else
    mono_t idle_since;           // accept, or end of the last request
    unsigned requests;           // streams started
    struct client_facts client;
};
#define SESSION_MAGIC 0x53455353u

// An accepted socket becomes a session of the calling worker. Takes over fd. The caller has counted it in the
// frontend's and the process's connections and holds a reference of `l` for us; the session's end gives both back.
void session_accept(struct worker *w, struct listener *l, int fd, const struct inet_addr *peer);

// The stream is done. Left-over bytes (pipelined requests) come in *rest (may be NULL, taken over); keep_alive: wait
// for another request, else close (lingering if `linger`).
void session_stream_done(struct session *s, struct iobuf **rest, bool keep_alive, bool linger);

// The timer of a session without several streams is lent to its stream. MONO_NEVER cancels.
void session_set_timer(struct session *s, mono_t due);

struct session_extra *session_extra(struct session *s); // made at first use
// Closes the idle sessions of this worker; those with a stream end after their answer (soft stop, drain, reload that
// removed their listener). NULL = of all listeners.
void session_close_idle(struct worker *w, struct listener *l);
// Ends all at once (hard stop).
void session_kill_all(struct worker *w);
unsigned session_count(const struct worker *w);

#endif
