// SPDX-License-Identifier: Apache-2.0
// A stream: one request with its answer (HTTP), or one connection's exchange (TCP), from the first byte to the log
// line. It owns everything that rules, fetches and logs look at; all of it dies with the stream's arena. One worker's
// thread; other threads reach it only through stream_wait tokens. The request path itself is listed at the top of
// stream.c.
#ifndef PHX_PROXY_STREAM_H
#define PHX_PROXY_STREAM_H

#include "node/base/buf.h"
#include "node/http/h1.h"
#include "node/match/track.h"
#include "node/proxy/rules.h"
#include "node/proxy/session.h"

struct server_conn;
struct stream_wait;
struct stick_store;

// ---- one direction of bytes ---------------------------------------------------------------------------------------
enum flow_framing {
    FLOW_NONE,    // nothing follows the head
    FLOW_LENGTH,  // `left` more bytes
    FLOW_CHUNKED, // passed through as framed, only scanned for its end
    FLOW_RAW      // until the source's end (TCP, tunnels, close-delimited answers)
};
struct flow {
    struct iobuf *buf;      // NULL when nothing is held
    struct pipe_pair *pipe; // while splicing
    uint32_t pinned;        // first bytes of buf that stay: the message head, referenced by slices
    uint32_t clear;         // offset behind the bytes known to belong to this message: [buf->head, clear) may be sent
    uint8_t framing;        // enum flow_framing
    uint8_t full_reads;     // consecutive reads that filled the buffer: bulk shows itself
    bool source_end;        // the source's end of connection was read
    bool complete;          // every byte of the message was read from the source
    bool sent_end;          // ... and given to the sink (its end too, where the end is the connection's)
    bool discarded;         // bytes sent are no longer there: the request cannot be sent again
    bool hold;              // bytes sent stay while there is room: the request may be sent again
    bool no_splice;         // somebody must see the bytes, or splicing was refused
    bool drop;              // bytes are read and thrown away (rest of a request that was answered already)
    uint64_t left;          // FLOW_LENGTH
    struct h1_chunked chunked;
    uint64_t total;     // bytes given to the sink, heads included
    uint64_t taken;     // body bytes taken from the source
    struct iovec *head; // rest of a head that was not written at once; in the arena
    int nhead;
};

// ---- times, in the order they are set; 0 = not reached (configuration.txt 8.4) -------------------------------------
struct stream_times {
    mono_t accept; // connection accepted; for later requests of a connection: end of the one before
    mono_t start;  // first byte of the request (TCP: accept)
    int64_t start_wall_us;
    mono_t request;       // head complete (TCP: content rules passed)
    mono_t queue_end;     // a server and a slot were got
    mono_t connected;     // connection to the server ready
    mono_t response;      // response head complete (TCP: = connected)
    mono_t end;           // last byte
    int64_t handshake_ms; // PROXY protocol, TLS
};

enum stream_flag {
    STREAM_HTTP = 1 << 0,
    STREAM_DENIED = 1 << 1,         // by a rule, with what term[] says
    STREAM_TARPIT = 1 << 2,         // answered late
    STREAM_LOCAL_REPLY = 1 << 3,    // answered here
    STREAM_REDISPATCHED = 1 << 4,   // log's '+' before the retries
    STREAM_FORCE_PERSIST = 1 << 5,  // force-persist matched
    STREAM_IGNORE_PERSIST = 1 << 6, // ignore-persist matched
    STREAM_PERSISTED = 1 << 7,      // the server was found by cookie or stick
    STREAM_ASSIGNED = 1 << 8,       // use-server or persistence has set `preferred`
    STREAM_REUSED = 1 << 9,         // the server connection had carried a request before
    STREAM_CONN_COUNTED = 1 << 10,  // in back->conns
    STREAM_SLOT = 1 << 11,          // holds a slot of server->state
    STREAM_MONITOR = 1 << 12,       // monitor-uri: not logged
    STREAM_NO_LOG = 1 << 13,        // http-request set-log-level silent
    STREAM_LOGGED = 1 << 14,        // option logasap wrote it already
    STREAM_CLOSE_CLIENT = 1 << 15,  // the client connection closes after this
    STREAM_CLOSE_SERVER = 1 << 16,
    STREAM_TUNNEL = 1 << 17,        // upgraded or CONNECT: raw both ways
    STREAM_RUNNING = 1 << 18,       // inside stream_run()
    STREAM_DEAD = 1 << 19,          // ended; freed at the end of the turn
    STREAM_CONTINUE_SENT = 1 << 20, // 100-continue was answered here
    STREAM_TCP_ACCEPTED = 1 << 21,  // content rules said accept
    STREAM_ADDED_COOKIE = 1 << 22,  // persistence cookie was inserted in the answer
    STREAM_AGAIN = 1 << 23,         // woken while running: look again before leaving
    STREAM_LAX_REWRITE = 1 << 24,   // strict-mode off: a rewrite that fails is passed over
    STREAM_NO_L7_RETRY = 1 << 25    // disable-l7-retry
};

// Whom the stream waits for: bits of stream.watched.
enum stream_watch { WATCH_CLIENT = 1, WATCH_SERVER = 2 };

struct stream {
    uint32_t magic;   // STREAM_MAGIC
    uint32_t flags;   // enum stream_flag
    uint8_t step;     // index into the list of steps, see stream.c
    uint8_t sub;      // a step's own place, zero at its beginning
    uint8_t attempts; // connection attempts made
    uint8_t nice;
    int8_t log_level;    // set-log-level; -1 = as configured
    char term[2];        // termination: who, when (configuration.txt 8.5); '-' '-'
    char term_cookie[2]; // persistence cookie: what the client sent, what was done; '-' '-'
    uint16_t status;     // answered to the client; 0 = none
    uint16_t server_status;
    uint16_t error_status; // of the error page that answers, for logs and counters; 0 = none

    struct session *session;
    struct worker *worker;
    struct loop *loop;
    struct snapshot_use *use;
    struct proxy *front, *back; // back is NULL before it was chosen; may equal front (listen)
    struct server *server;      // chosen one; NULL before, or when answered here
    struct server *preferred;   // persistence or use-server
    struct server_state *avoid; // the server that failed: another one is wanted
    bool no_reuse;              // a retry wants a connection of its own
    struct server_conn *sconn;  // connection to it, NULL when none
    struct counters *front_counters, *back_counters, *server_counters; // this worker's

    struct arena *arena;
    struct match_ctx ctx; // for all expressions, conditions, formats; ctx.stream is this stream
    struct http_msg req, res;
    struct h1_parser parser; // of the head being received
    uint16_t parse_error;    // enum h1_error of the message that was refused
    struct flow up, down;    // client → server, server → client

    struct rule_run run;               // where the current list stands
    const struct cfg_rule *final_rule; // the last one that ended a list, NULL = none
    mono_t step_due;                   // of the current wait: inspect-delay, pause, queue, connect, tarpit …
    mono_t wait_due;                   // of an action's wait
    mono_t client_due, server_due;     // inactivity; valid while watched
    uint8_t watched;                   // enum stream_watch
    int timeout_server, timeout_tunnel, timeout_client; // ms, -1 = none; rules may change them
    int timeout_connect, timeout_queue, timeout_tarpit; // ms set by a rule; 0 = the proxy's
    struct stream_wait *wait;                           // answer to come from elsewhere, NULL = none
    struct queue_entry queue;
    struct loop_defer defer;

    struct stream_times times;
    struct stick_store *stores; // stick entries to be written once the server is known
    unsigned nstores;
    unsigned retries;                  // made so far
    int queue_srv_pos, queue_back_pos; // log's %sq, %bq
    uint64_t bytes_in;                 // from the client: heads and bodies
    struct str reply_body;             // of an answer made here; arena or configuration
    struct str log_uri;                // request line as the log shows it
    struct str cookie_captures[2];     // log's %CC and %CS, see access_log.h
    unsigned log_serial;               // log's %rt, given at first use; 0 = none yet
    int64_t cookie_first;              // when the persistence cookie was first given out, seconds; -1 = unknown
};
#define STREAM_MAGIC 0x5354524du

// ---- life ---------------------------------------------------------------------------------------------------------
// A stream of a session; takes over *rest (bytes received already, may be NULL). Runs at the end of the turn or at
// once.
struct stream *stream_create(struct session *s, struct iobuf **rest);
// Goes on where it stopped. From the stream's own worker. Safe from inside rules and callbacks: runs after them.
void stream_wake(struct stream *st);
void stream_wake_later(struct stream *st); // in the loop's next turn: others go first
// Events of the two connections.
void stream_on_client(struct stream *st);
void stream_on_server(struct stream *st);
void stream_on_timer(struct stream *st);

// Ends with nothing sent (TCP reject, client gone): closes both connections. `who`, `when` as in term[].
void stream_abort(struct stream *st, char who, char when);
// First cause wins.
void stream_set_term(struct stream *st, char who, char when);

// ---- waiting -------------------------------------------------------------------------------------------------------
// For an action that returns STEP_WAIT and only wants time to pass (or to be woken by stream_wake()); it is called
// again after `ms`, or earlier: compare loop_now().
void stream_wait_ms(struct stream *st, int64_t ms);
// For an answer from another thread: a token that the answering side owns until stream_wait_done(). Returned once per
// wait; the stream is called again when the answer came or the deadline passed (then the token is cut off and a late
// answer does nothing). `data`/`free_data`: the answer, freed with the token if nobody took it.
struct stream_wait {
    struct msg msg;        // MSG_ACTION_DONE
    struct stream *stream; // NULL: gave up. Own worker only
    struct worker *worker;
    unsigned generation; // of run.generation when it began
    bool done;
    void *data;
    void (*free_data)(void *data);
};
struct stream_wait *stream_wait_begin(struct stream *st, int64_t ms);
void stream_wait_done(struct stream_wait *w); // any thread; w is gone after
// In the action that is called again: the finished token (free it with stream_wait_free()), or NULL if the deadline
// passed.
struct stream_wait *stream_wait_result(struct stream *st);
void stream_wait_free(struct stream_wait **w);

// ---- for actions and fetches ---------------------------------------------------------------------------------------
static inline struct stream *stream_of(const struct match_ctx *c)
{
    return c->stream;
}
// Request body bytes received so far are ctx.req_bytes. Returns true when `want` bytes (0 = all) are there, or no more
// will come, or the buffer is full; else asks for more: return STEP_MORE.
bool stream_body_ready(struct stream *st, uint64_t want);
// By unique-id-format, made at first use and kept; empty without one.
struct str stream_unique_id(struct stream *st);
// Chooses the backend (use_backend, default_backend call it; also actions).
void stream_set_backend(struct stream *st, struct proxy *p);
// True once the client's end is seen and nothing more can be read.
bool stream_client_gone(const struct stream *st);

// ---- binding -------------------------------------------------------------------------------------------------------
// Writes the log line of an ended stream (or at response head with `option logasap`). Set before threads run.
extern void (*stream_log)(struct stream *st);
// Binds the message handlers (MSG_QUEUE_WAKE is queue.c's). Before threads run.
void stream_init(void);
// For each worker after all are joined, with worker_self set to it: ends sessions, streams and server connections.
void stream_worker_end(struct worker *w);
// Then once: frees what pools kept.
void stream_shutdown(void);
unsigned stream_count(const struct worker *w);

#endif
