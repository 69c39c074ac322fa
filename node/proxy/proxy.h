// SPDX-License-Identifier: Apache-2.0
// Snapshots: one configuration compiled for running. Built aside by one thread, immutable once published, replaced
// whole between two turns of each worker's loop. What must survive a reload (counters, tables, servers' state, sockets)
// hangs off it in counted state objects that the next snapshot finds again by name.
#ifndef PHX_PROXY_PROXY_H
#define PHX_PROXY_PROXY_H

#include <stdatomic.h>

#include "config/diag.h"
#include "config/model.h"
#include "node/io/worker.h"
#include "node/match/expr.h"
#include "node/match/table.h"
#include "node/proxy/backend.h"
#include "node/proxy/counters.h"
#include "node/proxy/server.h"

struct snapshot;
struct listener;
struct log_target;

// A frontend's side that survives reloads, by proxy name.
struct frontend_state {
    uint32_t magic; // FRONTEND_MAGIC
    _Atomic int refs;
    char *name;
    _Atomic int conns, conns_max;
    _Atomic bool disabled; // runtime: disable frontend, soft stop
    _Atomic int maxconn;
    _Atomic int rate_limit; // rate-limit sessions: new ones a second, 0 = none
    counter_t rate_max, req_rate_max;
    counter_t log_lines; // log's %lc
    unsigned worker_slots;
    struct counters *counters; // per worker
};
#define FRONTEND_MAGIC 0x46524e54u
struct frontend_state *frontend_state_ref(struct frontend_state *f);
void frontend_state_unref(struct frontend_state **f);

struct action; // compiled: see rules.h
struct rule {
    struct cond *cond; // NULL = always
    const struct cfg_rule *cfg;
    struct action *action;
};
struct rule_list {
    struct rule *rules;
    unsigned count;
};
struct switch_rule {
    struct cond *cond;
    struct proxy *backend; // static
    struct server *server; // use-server
    struct format *format; // dynamic name
};
struct stick_rule {
    unsigned kinds;
    struct expr *expr;
    struct table *table;
    struct cond *cond;
};

struct proxy { // in the snapshot's arena
    const struct cfg_proxy *cfg;
    struct snapshot *snapshot;
    unsigned index;
    struct frontend_state *front; // caps & CAP_FRONT
    struct backend_state *back;   // caps & CAP_BACK
    struct table *table;          // its stick table, or NULL
    struct server **servers;
    unsigned nservers;
    struct rule_list rules[RULESET_COUNT];
    struct rule_list redirects;
    struct switch_rule *use_backends, *use_servers;
    unsigned nuse_backends, nuse_servers;
    struct proxy *default_backend;
    struct stick_rule *stick_rules;
    unsigned nstick_rules;
    struct cond **monitor_fail, **force_persist, **ignore_persist;
    struct expr *balance_expr; // balance hash, hdr()
    struct format *log_format, *log_format_sd, *unique_id_format;
    struct log_target **logs; // see access_log.h
    unsigned nlogs;
    struct str error_pages[20]; // complete HTTP/1 messages by error_page_index(), ptr NULL = built in
    unsigned capture_req_count, capture_res_count;
    bool needs_tables;   // tracks or sticks: pays for it
    bool needs_req_wait; // content rules or inspect-delay
};

struct snapshot {
    uint32_t magic; // SNAPSHOT_MAGIC
    // Held by: publication, each worker that has it, the builder. Streams count in their worker's snapshot_use.
    _Atomic int refs;
    uint64_t serial;
    struct config *config;
    struct arena *arena;
    struct compiled *compiled;
    struct proxy **proxies;
    unsigned nproxies;
    struct strmap by_name[2]; // [0] frontends, [1] backends
    struct listener **listeners;
    unsigned nlisteners;
    struct start_var *start_vars; // set-var of the global section, see start_vars.c
    unsigned nstart_vars;
};
#define SNAPSHOT_MAGIC 0x534e4150u

// Threads that serve traffic: nbthread, or one a core. Fixed by the first configuration that is asked for; states have
// a slot for each.
unsigned snapshot_worker_slots(const struct config *c); // c may be NULL later
// Builds from a model: compiles, finds the states of `old` again by name, opens what must be opened (through the
// keeper), binds new addresses. Nothing is visible to workers yet. NULL: messages in diag, everything undone.
// `check_only`: -c, binds nothing. Takes over the caller's reference of config in any case.
struct snapshot *snapshot_build(struct config **config, struct snapshot *old, bool check_only, struct diag *diag);
// Variables of scope proc that the global section sets. False: message given.
bool start_vars_compile(struct snapshot *s, struct compile *c);
void start_vars_run(struct snapshot *s); // by snapshot_publish()
// Makes it current: workers take it between two turns; listeners and checks are started, kept or drained. Control
// thread or start.
void snapshot_publish(struct snapshot *s);
struct snapshot *snapshot_current(void);           // borrowed; control thread, or a worker for its own
struct snapshot *snapshot_ref(struct snapshot *s); // any thread
void snapshot_unref(struct snapshot **s);
// At exit, after all workers are joined.
void snapshot_shutdown(void);
// The service thread that frees dead snapshots, so that no worker stalls; NULL = whoever drops the last reference. Set
// before threads run.
extern struct worker *snapshot_reaper;

// Worker side: the snapshot that new sessions use, with a plain counter a worker so that streams cost no atomic.
struct snapshot_use {
    struct snapshot *snapshot;
    unsigned count;
    bool current;
};
struct snapshot_use *snapshot_use_take(struct worker *w);    // the current one
struct snapshot_use *snapshot_use_current(struct worker *w); // to look at, not counted
void snapshot_use_put(struct snapshot_use **u);

struct proxy *snapshot_find(struct snapshot *s, struct str name, unsigned caps);

// An address of the text as one to connect to or listen on: names are resolved (blocking). False: the name is not
// known.
bool addr_from_cfg(const struct cfg_addr *cfg, int family, struct addr *a);

// ---- the steps of building, one file each

// states.c: frontend, backend, server states and tables, of `old` by name or new. False: message given.
bool states_prepare(struct snapshot *s, struct snapshot *old, struct diag *diag);
// At publication: what the new text changed is applied to the states that were kept; checks are started and stopped.
void states_publish(struct snapshot *s, struct snapshot *old);
// The snapshot dies: schedules that borrow from it go, references are given back.
void states_release(struct snapshot *s);
// proxy_compile.c: rules, formats, expressions and error pages of all proxies.
bool proxies_compile(struct snapshot *s, struct diag *diag);

// Frees an object once every worker has passed a turn, so that lock-free readers of it are gone. Any thread.
void retire(void *obj, void (*destroy)(void *obj));
void retire_now_single_threaded(void); // workers are joined: runs what is left, later calls act at once

#endif
