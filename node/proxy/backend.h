// SPDX-License-Identifier: Apache-2.0
// Choosing a server and waiting for one. The state of a backend survives reloads; its schedule (which server is next)
// is an immutable object replaced whole whenever servers or weights change, read by workers without lock through an
// atomic cursor, so that the order is exact over all workers. leastconn and queues take backend_state.lock.
#ifndef PHX_PROXY_BACKEND_H
#define PHX_PROXY_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>

#include "node/io/timer.h"
#include "node/match/sample.h"
#include "node/proxy/server.h"

struct proxy;
struct schedule;

struct backend_state {
    uint32_t magic; // BACKEND_MAGIC
    _Atomic int refs;
    char *name;
    pthread_mutex_t lock; // leastconn order, queues, changes of server state
    _Atomic(struct schedule *) schedule;
    _Atomic uint64_t cursor;                       // next position in the schedule
    _Atomic(struct proxy *) current;               // the newest snapshot's proxy, for rebuilding; valid under lock
    _Atomic int conns, conns_max;                  // streams now in this backend
    _Atomic int queued, queued_max;                // streams waiting, servers' queues included
    struct list queue;                             // entries that any server may take; under lock
    _Atomic bool leastconn;                        // every slot changes under lock, to keep the order
    _Atomic int fullconn;                          // load at which servers with minconn reach their maxconn
    _Atomic unsigned usable_active, usable_backup; // servers
    _Atomic int64_t changed_us;                    // last time it gained its first or lost its last server
    _Atomic int64_t down_ms;
    counter_t down_count;
    unsigned worker_slots;
    struct counters *counters; // per worker
};
#define BACKEND_MAGIC 0x4241434bu

// Slots of a server now: maxconn, or between minconn and maxconn by the backend's load. 0 = unlimited.
int backend_server_capacity(const struct server_state *s);
// Under lock: gives free slots to waiting streams; with `all_retry` everybody is woken to pick again.
void backend_queue_process(struct backend_state *b);
void backend_queue_retry_all(struct backend_state *b);
void backend_queue_retry_bound(struct server_state *s);

struct backend_state *backend_state_create(struct str name);
struct backend_state *backend_state_ref(struct backend_state *b);
void backend_state_unref(struct backend_state **b);
// A new snapshot's proxy is current: schedule and leastconn order are rebuilt from its servers.
void backend_publish(struct backend_state *b, struct proxy *p);
void backend_rebuild(struct backend_state *b); // under lock

// ---- picking
// A stream's place in a queue. Embedded in the stream. Protected by backend->lock until it was woken.
struct queue_entry {
    struct list link;
    struct worker *worker; // whose inbox gets MSG_QUEUE_WAKE
    struct backend_state *backend;
    struct server_state *bound;   // waits for this server only; NULL = any
    struct server_state *granted; // set by the waker: a slot of this server is reserved
    bool waiting;
    int16_t priority_class; // lower goes first; 0 by default (set-priority-class)
    int priority_offset_ms; // added to the time of queueing (set-priority-offset)
    int64_t since_us;
    unsigned position;                      // entries before it when it queued, for the log's %sq/%bq
    struct queue_wake *wake;                // message on its way
    void (*on_wake)(struct queue_entry *q); // on the entry's own worker
};

enum pick_result {
    PICK_SERVER, // *out has a slot reserved: give it back with backend_release()
    PICK_QUEUED, // *q waits; on_wake() will be called with q->granted set (slot reserved)
    PICK_NONE    // no server can serve this: 503
};
struct pick {
    struct proxy *proxy;
    struct match_ctx *ctx;            // for hash balancing
    struct server *preferred;         // persistence (cookie, stick, use-server); NULL = none
    bool force;                       // force-persist: even if the preferred one is down
    const struct server_state *avoid; // the server that just failed, when there is another
    struct queue_entry *q;            // NULL: never queue
};
// Any worker.
enum pick_result backend_pick(struct pick *p, struct server **out);
// The stream is done with its server (or gives up a reserved slot): frees the slot and wakes the next waiter.
void backend_release(struct server_state *s);
// Leaves the queue. If the wake-up is already on its way, its slot is given back.
void backend_queue_cancel(struct queue_entry *q);
// The snapshot's server for a state (same name), NULL when it was deleted.
struct server *proxy_server_of(struct proxy *p, const struct server_state *s);
// By name / cookie value.
struct server *proxy_find_server(struct proxy *p, struct str name);
struct server *proxy_find_server_cookie(struct proxy *p, struct str value);
unsigned backend_usable(const struct backend_state *b); // nbsrv

#endif
