// SPDX-License-Identifier: Apache-2.0
// A server: what the configuration says of it (struct server, in a snapshot, immutable) and what is going on with it
// (struct server_state, counted, kept over reloads by backend and server name).
#ifndef PHX_PROXY_SERVER_H
#define PHX_PROXY_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "config/model.h"
#include "node/base/clock.h"
#include "node/base/list.h"
#include "node/io/inbox.h"
#include "node/io/sock.h"
#include "node/io/worker.h"
#include "node/proxy/counters.h"

struct backend_state;
struct proxy;
struct health_check;

// Why a server gets no traffic. Bits of server_state.admin.
enum server_admin {
    ADMIN_MAINT = 1,       // `disabled`, disable server, set server state maint
    ADMIN_DRAIN = 2,       // set server state drain, weight 0 by command
    ADMIN_TRACK_MAINT = 4, // the tracked server is in maintenance
    ADMIN_UNRESOLVED = 8,  // its name does not resolve
    ADMIN_NOLB = 16,       // its check answered 404 (http-check disable-on-404)
};

// With these, clients that are bound to the server still come.
#define ADMIN_PERSISTENT ((unsigned)(ADMIN_DRAIN | ADMIN_NOLB))
// With these it is in maintenance.
#define ADMIN_OUT ((unsigned)(ADMIN_MAINT | ADMIN_TRACK_MAINT | ADMIN_UNRESOLVED))

// Idle connections and counters that one worker has with one server. Touched by that worker alone.
struct server_worker {
    struct list idle; // struct server_conn, newest first
    unsigned idle_count;
    struct counters counters;
    char pad[0] __attribute__((aligned(64)));
};

struct server_state {
    uint32_t magic; // SERVER_MAGIC
    _Atomic int refs;
    char *backend_name, *name;     // own copies
    struct backend_state *backend; // its owner, counted

    // Read by workers without lock, written under backend->lock.
    _Atomic unsigned admin;    // enum server_admin bits
    _Atomic bool health_up;    // what this node's checks say (true without checks)
    _Atomic bool effective_up; // after the cluster's votes
    _Atomic int weight;        // user weight now (0..256)
    _Atomic int weight_initial;
    _Atomic unsigned slow_percent; // slowstart: 1..100 of the weight
    _Atomic int maxconn;           // 0 = none
    _Atomic int minconn;           // 0 = none
    _Atomic bool usable;           // gets new traffic: up, no maint, no drain, weight > 0
    _Atomic bool agent_up;

    // The address may be changed by the runtime API; under addr_lock.
    pthread_mutex_t addr_lock;
    struct addr addr;
    _Atomic uint32_t addr_serial; // goes up with each change: older connections are not used again

    // Load. `served` counts streams that hold a slot; `queued` those waiting for this very server. Without maxconn both
    // are plain atomics; with it they change under backend->lock.
    _Atomic int served, served_max, queued, queued_max;
    struct list queue;       // struct queue_entry waiting for this server (persistence); under backend->lock
    _Atomic int idle_total;  // kept connections over all workers
    _Atomic int conns_total; // open connections, used and idle

    struct server_state **trackers; // servers that follow this one's state; counted, under backend->lock
    unsigned ntrackers;
    bool backup;               // under backend->lock
    bool shut_when_down;       // on-marked-down shutdown-sessions; under backend->lock
    bool marked_down;          // down or in maintenance, not only draining; under backend->lock
    bool shut_backups_when_up; // on-marked-up shutdown-backup-sessions; under backend->lock
    _Atomic int slowstart_ms;  // 0 = none

    // Checks: written by the worker that checks it.
    struct health_check *check; // NULL without
    _Atomic int check_status;   // enum check_status
    _Atomic int check_code;     // HTTP status
    _Atomic int64_t check_duration_ms;
    _Atomic int check_health; // 0..rise+fall-1, as show servers state prints
    counter_t check_fails, check_downs;
    _Atomic int64_t changed_us;      // mono µs of the last up/down transition
    _Atomic int64_t down_ms;         // total time down
    _Atomic int64_t last_session_us; // mono µs
    _Atomic int observed_errors;     // consecutive, seen in traffic
    char last_check_text[128];       // under addr_lock
    _Atomic int cluster_votes;       // shown only

    // Scheduling, under backend->lock.
    _Atomic unsigned index_hint; // its place in the newest snapshot
    unsigned heap_pos;           // leastconn, under backend->lock
    uint64_t last_pick;

    unsigned worker_slots;
    struct server_worker *per_worker; // worker_slots of them
};
#define SERVER_MAGIC 0x53525652u

struct server { // in the snapshot's arena
    const struct cfg_server *cfg;
    struct proxy *proxy;
    struct server_state *state; // counted
    unsigned index;
    struct inet_addr source;  // family 0 = any
    struct addr initial_addr; // as this text resolved
};

struct server_state *server_state_create(struct backend_state *b, const struct cfg_server *cfg);
struct server_state *server_state_ref(struct server_state *s);
void server_state_unref(struct server_state **s);

// ---- Changes of state: any thread; each takes backend->lock, recomputes `usable`, rebuilds the schedule, wakes
// queues, and logs the transition as HAProxy's "Server be/s1 is DOWN, reason: …" lines.
void server_set_admin(struct server_state *s, unsigned set, unsigned clear, const char *why);
void server_set_weight(struct server_state *s, int weight);
void server_set_maxconn(struct server_state *s, int maxconn);
bool server_set_addr(struct server_state *s, const struct addr *a, const char *why);
// The verdict of this node's own checks changed. `why` is a check result text.
void server_set_health(struct server_state *s, bool up, const char *why);
// The cluster's effective verdict (see hooks.h); `up` equals the own one in a node alone.
void server_set_effective(struct server_state *s, bool up, const char *why);

// The part of its weight that a server gets while it starts slowly, 1..100.
void server_set_slow_percent(struct server_state *s, unsigned percent);
// Begins the ramp (check.c): timers live on the worker that checks the server.
void server_slowstart_begin(struct server_state *s);
void server_slowstart_shutdown(void); // after workers are joined

// Ends the streams of all workers that use the server (`shutdown sessions server`: who = 'K', on-marked-down: 'D'; as
// in logs). Any thread.
void server_shut_sessions(struct server_state *s, char who);
// ... that use a backup server of the backend (on-marked-up).
void server_shut_backup_sessions(struct backend_state *b);
// Its idle connections go: it is down, they are suspect.
void server_shut_idle(struct server_state *s);
void server_shut_bind(void); // by stream_init()

static inline bool server_usable(const struct server_state *s)
{
    return atomic_load_explicit(&s->usable, memory_order_acquire);
}
// Down or in maintenance. One that only drains is not.
static inline bool server_is_down(const struct server_state *s)
{
    return !atomic_load(&s->effective_up) || !atomic_load(&s->agent_up) || atomic_load(&s->admin) & ~ADMIN_PERSISTENT;
}
// "UP", "DOWN", "MAINT", "DRAIN", "UP 1/3", "no check" … as show stat prints.
void server_status_text(const struct server_state *s, const struct cfg_server *cfg, char *dst, size_t size);
struct addr server_addr(struct server_state *s); // copy

#endif
