// SPDX-License-Identifier: Apache-2.0
// Accepting: see listener.h. A slot is a listener's place in one worker's loop. A slot that a limit refuses leaves the
// loop (a level-triggered descriptor that nobody may accept from would spin) and comes back when a session ends.
#include "node/proxy/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/keeper.h"
#include "node/proxy/local.h"
#include "node/proxy/proxy.h"
#include "node/proxy/session.h"

#define RETRY_MS      100 // after the kernel refused (descriptors are used up)
#define RATE_PAUSE_MS 10  // until rate-limit sessions is looked at again
#define HAND_OVER_AT  8   // connections more than the least loaded worker has

struct listener_slot {
    struct loop_fd lf;
    struct listener *listener;
    struct list paused; // in path_local.paused_listeners
    int batch;          // sockets to take at the next event
    uint64_t turn;      // of the loop at the last event
};

// Connections of the process; maxconn 0 = unlimited.
static _Atomic int maxconn, conns;
static _Atomic uint64_t conns_total;
static _Atomic uint64_t paused_workers; // bit a worker that has paused slots

// ---- life ----------------------------------------------------------------------------------------------------------

struct listener *listener_ref(struct listener *l)
{
    CHECK_OBJ(l, LISTENER_MAGIC);
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void listener_unref(struct listener **slot)
{
    struct listener *l = *slot;
    *slot = NULL;
    if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    if (l->fd >= 0)
        close(l->fd);
    frontend_state_unref(&l->front_state);
    l->magic = 0;
    free(l->slots);
    free(l->owner);
    free(l->name);
    free(l);
}

static struct listener *create(struct proxy *p, const struct cfg_bind *cfg, const struct addr *a, int fd)
{
    struct listener *l = calloc(1, sizeof(*l));
    ASSERT(l != NULL);
    l->magic = LISTENER_MAGIC;
    atomic_init(&l->refs, 1);
    l->addr = *a;
    l->fd = fd;
    l->owner = str_dup(p->cfg->name);
    l->name = cfg->name.len ? str_dup(cfg->name) : NULL;
    l->front_state = frontend_state_ref(p->front);
    l->nslots = snapshot_worker_slots(NULL);
    l->slots = calloc(l->nslots, sizeof(*l->slots));
    ASSERT(l->slots != NULL);
    for (unsigned i = 0; i < l->nslots; i++) {
        l->slots[i].listener = l;
        l->slots[i].lf.fd = -1;
        l->slots[i].batch = 1;
        list_init(&l->slots[i].paused);
    }
    return l;
}

// ---- limits --------------------------------------------------------------------------------------------------------

void listener_set_maxconn(int global_maxconn)
{
    atomic_store(&maxconn, global_maxconn);
}

int listener_conns(void)
{
    return atomic_load_explicit(&conns, memory_order_relaxed);
}

int listener_maxconn(void)
{
    return atomic_load_explicit(&maxconn, memory_order_relaxed);
}

uint64_t listener_conns_total(void)
{
    return atomic_load_explicit(&conns_total, memory_order_relaxed);
}

static void note_max(_Atomic int *max, int value)
{
    int old = atomic_load_explicit(max, memory_order_relaxed);
    while (value > old && !atomic_compare_exchange_weak(max, &old, value))
        ;
}

// One more of them, if the limit (0 = none) allows.
static bool count_in(_Atomic int *count, int limit, _Atomic int *max)
{
    int now = atomic_fetch_add(count, 1) + 1;
    if (limit > 0 && now > limit) {
        atomic_fetch_sub(count, 1);
        return false;
    }
    if (max)
        note_max(max, now);
    return true;
}

// rate-limit sessions: may the frontend take one more in this second?
static bool within_rate(const struct frontend_state *f, mono_t now)
{
    int limit = atomic_load_explicit(&f->rate_limit, memory_order_relaxed);
    if (limit <= 0)
        return true;
    uint64_t rate = 0;
    for (unsigned i = 0; i < f->worker_slots; i++)
        rate += counters_rate(&f->counters[i].rate_now, &f->counters[i].rate_before, &f->counters[i].rate_second,
                              (uint64_t)now.us);
    return rate < (uint64_t)limit;
}

static bool reserve(struct listener *l)
{
    struct frontend_state *f = l->front_state;
    if (atomic_load_explicit(&f->disabled, memory_order_relaxed))
        return false;
    if (!count_in(&conns, listener_maxconn(), NULL))
        return false;
    if (count_in(&f->conns, atomic_load_explicit(&f->maxconn, memory_order_relaxed), &f->conns_max)) {
        if (count_in(&l->conns, l->maxconn, NULL))
            return true;
        atomic_fetch_sub(&f->conns, 1);
    }
    atomic_fetch_sub(&conns, 1);
    return false;
}

static void unreserve(struct listener *l)
{
    atomic_fetch_sub(&l->conns, 1);
    atomic_fetch_sub(&l->front_state->conns, 1);
    atomic_fetch_sub(&conns, 1);
}

// ---- pausing -------------------------------------------------------------------------------------------------------

static void on_acceptable(struct loop_fd *lf, uint32_t events);

static void pause_slot(struct worker *w, struct listener_slot *s)
{
    loop_del(w->loop, &s->lf, false);
    list_push(&path_local(w)->paused_listeners, &s->paused);
    atomic_fetch_or(&paused_workers, UINT64_C(1) << w->id);
}

// Nobody's end will wake it: it is tried again after a while.
static void pause_slot_ms(struct worker *w, struct listener_slot *s, int ms)
{
    pause_slot(w, s);
    if (!timer_is_set(&path_local(w)->resume))
        timer_set(loop_timers(w->loop), &path_local(w)->resume, mono_add_ms(loop_now(w->loop), ms));
}

static void watch(struct worker *w, struct listener_slot *s)
{
    int rc = loop_add_listener(w->loop, &s->lf, s->listener->fd, on_acceptable);
    if (rc < 0)
        log_alert("listener of '%s': cannot be watched: %s", s->listener->owner, strerror(-rc));
}

static void resume_paused(struct worker *w)
{
    struct list *paused = &path_local(w)->paused_listeners;
    for (struct list *e; (e = list_pop(paused)) != NULL;) {
        struct listener_slot *s = LIST_ENTRY(e, struct listener_slot, paused);
        if (atomic_load(&s->listener->state) == LISTENER_ACCEPTING)
            watch(w, s);
    }
}

void listener_on_resume(struct timer *t)
{
    resume_paused(worker_self);
}

static void on_resume_message(struct msg *m)
{
    free(m);
    resume_paused(worker_self);
}

// Every worker with paused slots tries again: the shared descriptor goes to whoever is first.
static void resume_all(void)
{
    uint64_t mask = atomic_exchange(&paused_workers, 0);
    for (unsigned i = 0; mask && i < worker_count; i++) {
        if (!(mask >> i & 1))
            continue;
        if (workers[i] == worker_self) {
            resume_paused(worker_self);
            continue;
        }
        struct msg *m = calloc(1, sizeof(*m));
        ASSERT(m != NULL);
        m->kind = MSG_CALL;
        m->fn = on_resume_message;
        inbox_send(loop_inbox(workers[i]->loop), m);
    }
}

void listener_resume(struct frontend_state *f)
{
    resume_all();
}

void listener_session_end(struct listener *l, struct worker *w)
{
    unreserve(l);
    atomic_fetch_sub_explicit(&w->conns, 1, memory_order_relaxed);
    if (atomic_load_explicit(&paused_workers, memory_order_relaxed))
        resume_all();
}

// ---- accepting -----------------------------------------------------------------------------------------------------

struct accepted_msg {
    struct msg msg;
    struct listener *listener; // counted
    int fd;
    struct inet_addr peer;
};

static void on_handed_over(struct msg *m)
{
    struct accepted_msg *a = (struct accepted_msg *)(void *)m;
    session_accept(worker_self, a->listener, a->fd, &a->peer);
    free(a);
}

// The worker that should serve it: the one that accepted, unless another has notably fewer connections.
static struct worker *choose_worker(struct worker *self)
{
    struct worker *best = self;
    unsigned own = atomic_load_explicit(&self->conns, memory_order_relaxed), least = own;
    for (unsigned i = 0; i < worker_count; i++) {
        unsigned n = atomic_load_explicit(&workers[i]->conns, memory_order_relaxed);
        if (n < least) {
            least = n;
            best = workers[i];
        }
    }
    return own > least + HAND_OVER_AT + least / 8 ? best : self;
}

static void serve(struct worker *self, struct listener *l, int fd, const struct inet_addr *peer)
{
    struct counters *c = &l->front_state->counters[self->id];
    counter_add(&c->sessions, 1);
    counters_rate_event(&c->rate_now, &c->rate_before, &c->rate_second, (uint64_t)loop_now(self->loop).us / 1000000);
    atomic_fetch_add_explicit(&conns_total, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->accepted, 1, memory_order_relaxed);
    listener_ref(l);
    struct worker *w = worker_count > 1 ? choose_worker(self) : self;
    atomic_fetch_add_explicit(&w->conns, 1, memory_order_relaxed);
    if (w == self) {
        session_accept(self, l, fd, peer);
        return;
    }
    struct accepted_msg *a = calloc(1, sizeof(*a));
    ASSERT(a != NULL);
    a->msg.kind = MSG_ACCEPTED;
    a->msg.fn = on_handed_over;
    a->listener = l;
    a->fd = fd;
    a->peer = *peer;
    inbox_send(loop_inbox(w->loop), &a->msg);
}

// Takes one socket. False: nothing to take, or not allowed.
static bool accept_one(struct worker *w, struct listener_slot *s)
{
    struct listener *l = s->listener;
    struct inet_addr peer;
    if (!within_rate(l->front_state, loop_now(w->loop))) {
        pause_slot_ms(w, s, RATE_PAUSE_MS);
        return false;
    }
    if (!reserve(l)) {
        pause_slot(w, s);
        return false;
    }
    int fd = sock_accept(l->fd, &peer);
    if (fd >= 0) {
        serve(w, l, fd, &peer);
        return true;
    }
    int error = errno;
    unreserve(l);
    if (error == ECONNABORTED || error == EINTR || error == EPROTO)
        return true;
    if (error != EAGAIN) {
        log_warning("'%s': accept: %s", l->owner, strerror(error));
        pause_slot_ms(w, s, RETRY_MS);
    }
    return false;
}

static void on_acceptable(struct loop_fd *lf, uint32_t events)
{
    struct listener_slot *s = CONTAINER_OF(lf, struct listener_slot, lf);
    struct worker *w = worker_self;
    // One too many is a system call that only says EAGAIN: as many as came last time, and more while the next event
    // follows at once.
    uint64_t turn = loop_stats(w->loop)->turns;
    int most = atomic_load_explicit(&s->listener->maxaccept, memory_order_relaxed);
    if (turn == s->turn + 1 && s->batch < most)
        s->batch *= 2;
    s->turn = turn;
    int taken = 0;
    while (taken < s->batch && taken < most && accept_one(w, s))
        taken++;
    if (taken < s->batch)
        s->batch = taken > 1 ? taken : 1;
}

// ---- starting and stopping -----------------------------------------------------------------------------------------

struct slot_msg {
    struct msg msg;
    struct listener *listener; // counted
};

static void tell_workers(struct listener *l, enum msg_kind kind, msg_fn *fn)
{
    for (unsigned i = 0; i < worker_count && i < l->nslots; i++) {
        struct slot_msg *m = calloc(1, sizeof(*m));
        ASSERT(m != NULL);
        m->msg.kind = kind;
        m->msg.fn = fn;
        m->listener = listener_ref(l);
        inbox_send(loop_inbox(workers[i]->loop), &m->msg);
    }
}

static void on_start(struct msg *m)
{
    struct slot_msg *start = (struct slot_msg *)(void *)m;
    struct listener *l = start->listener;
    if (atomic_load(&l->state) == LISTENER_ACCEPTING)
        watch(worker_self, &l->slots[worker_self->id]);
    listener_unref(&start->listener);
    free(start);
}

// What had connected before the descriptor closes is still served.
static void drain_backlog(struct worker *w, struct listener *l)
{
    struct inet_addr peer;
    while (reserve(l)) {
        int fd = sock_accept(l->fd, &peer);
        if (fd < 0) {
            unreserve(l);
            return;
        }
        serve(w, l, fd, &peer);
    }
}

static void on_stop(struct msg *m)
{
    struct slot_msg *stop = (struct slot_msg *)(void *)m;
    struct listener *l = stop->listener;
    struct worker *w = worker_self;
    struct listener_slot *s = &l->slots[w->id];
    if (s->lf.fd >= 0)
        loop_del(w->loop, &s->lf, false);
    list_remove(&s->paused);
    if (atomic_fetch_sub(&l->leaving, 1) == 1) {
        drain_backlog(w, l);
        close(l->fd);
        l->fd = -1;
    }
    session_close_idle(w, l);
    listener_unref(&stop->listener);
    free(stop);
}

static void stop(struct listener *l)
{
    if (atomic_exchange(&l->state, LISTENER_CLOSED) != LISTENER_ACCEPTING)
        return;
    atomic_store(&l->leaving, worker_count);
    tell_workers(l, MSG_STOP_LISTEN, on_stop);
}

static bool has_listener(const struct snapshot *s, const struct listener *l)
{
    for (unsigned i = 0; i < s->nlisteners; i++)
        if (s->listeners[i] == l)
            return true;
    return false;
}

static bool has_address(const struct snapshot *s, const struct addr *a)
{
    for (unsigned i = 0; i < s->nlisteners; i++)
        if (addr_equal(&s->listeners[i]->addr, a))
            return true;
    return false;
}

void listener_start(struct snapshot *s, struct snapshot *old)
{
    for (unsigned i = 0; i < s->nlisteners; i++) {
        struct listener *l = s->listeners[i];
        int bound = LISTENER_BOUND;
        if (atomic_compare_exchange_strong(&l->state, &bound, LISTENER_ACCEPTING))
            tell_workers(l, MSG_CALL, on_start);
    }
    for (unsigned i = 0; old && i < old->nlisteners; i++) {
        struct listener *l = old->listeners[i];
        if (has_listener(s, l))
            continue;
        stop(l);
        if (l->addr.kind == ADDR_UNIX && !has_address(s, &l->addr))
            keeper_unlink(l->addr.path);
    }
}

static atomic_bool stopping;

bool listener_is_stopping(void)
{
    return atomic_load_explicit(&stopping, memory_order_relaxed);
}

void listener_stop_all(struct snapshot *s)
{
    atomic_store(&stopping, true);
    // Paths of UNIX sockets stay, as with HAProxy: a successor (-sf) has put its own socket there already.
    for (unsigned i = 0; i < s->nlisteners; i++)
        stop(s->listeners[i]);
}

void listener_release(struct snapshot *s)
{
    for (unsigned i = 0; i < s->nlisteners; i++)
        listener_unref(&s->listeners[i]);
    free(s->listeners);
    s->listeners = NULL;
    s->nlisteners = 0;
}

// ---- preparing -----------------------------------------------------------------------------------------------------

struct prepare {
    struct snapshot *s, *old;
    struct diag *diag;
    unsigned cap;
    bool ok;
};

static void add(struct prepare *b, struct listener *l, struct proxy *p, const struct cfg_bind *cfg)
{
    const struct cfg_global *g = &b->s->config->global;
    if (b->s->nlisteners == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 16;
        b->s->listeners = realloc(b->s->listeners, b->cap * sizeof(struct listener *));
        ASSERT(b->s->listeners != NULL);
    }
    atomic_store(&l->id, (uint32_t)cfg->id);
    atomic_store(&l->maxconn, cfg->maxconn);
    int most = g->tune.maxaccept;
    atomic_store(&l->maxaccept, most > 0 ? most : most < 0 ? INT32_MAX : 64);
    b->s->listeners[b->s->nlisteners++] = l;
}

// The listener of that address: of this owner it is kept, of another its socket goes over.
static struct listener *find(const struct snapshot *s, const struct addr *a, const struct str *owner)
{
    for (unsigned i = 0; s && i < s->nlisteners; i++) {
        struct listener *l = s->listeners[i];
        if (addr_equal(&l->addr, a) && l->fd >= 0 && (!owner || str_is(*owner, l->owner)))
            return l;
    }
    return NULL;
}

static int open_socket(struct prepare *b, struct proxy *p, const struct cfg_bind *cfg, const struct addr *a)
{
    struct listener *same = find(b->old, a, NULL);
    if (same)
        return dup(same->fd);
    char *interface = cfg->interface.len ? arena_strdup(b->s->arena, arena_str(b->s->arena, cfg->interface).ptr) : NULL;
    int backlog = cfg->backlog > 0 ? cfg->backlog : p->cfg->backlog > 0 ? p->cfg->backlog : p->cfg->maxconn;
    struct sock_listen_options o = {
        .backlog = backlog > 0 ? backlog : SOMAXCONN,
        .v6only = cfg->v6only,
        .v4v6 = cfg->v4v6,
        .transparent = cfg->transparent,
        .defer_accept = cfg->defer_accept,
        .tfo = cfg->tfo,
        .interface = interface,
        .mss = cfg->mss > 0 ? cfg->mss : 0,
        .mode = cfg->mode,
        .uid = cfg->uid,
        .gid = cfg->gid,
    };
    int fd = keeper_listen(a, &o);
    // What is accepted inherits it: no system call a connection.
    if (fd >= 0 && a->kind != ADDR_UNIX && a->kind != ADDR_ABSTRACT)
        sock_set_nodelay(fd, true);
    return fd;
}

static void prepare_one(struct prepare *b, struct proxy *p, const struct cfg_bind *cfg, const struct addr *a)
{
    struct listener *kept = find(b->old, a, &p->cfg->name);
    if (kept && !has_listener(b->s, kept)) {
        add(b, listener_ref(kept), p, cfg);
        return;
    }
    int fd = open_socket(b, p, cfg, a);
    if (fd < 0) {
        char text[160];
        diag_add(b->diag, DIAG_ALERT, &cfg->src, "Starting frontend %.*s: cannot bind socket (%s) for [%s]",
                 STR_ARG(p->cfg->name), strerror(-fd), addr_format(a, text, sizeof(text)));
        b->ok = false;
        return;
    }
    add(b, create(p, cfg, a, fd), p, cfg);
}

static bool resolve_host(struct prepare *b, const struct cfg_bind *cfg, struct addr *a)
{
    const struct cfg_addr *c = &cfg->addr;
    bool any = c->host.len == 0 || str_is(c->host, "*");
    if (any) {
        a->inet.sa.sa_family = c->family == AF_INET6 ? AF_INET6 : AF_INET;
        return true;
    }
    if (inet_parse(c->host, &a->inet))
        return true;
    char *host = arena_strdup(b->s->arena, arena_str(b->s->arena, c->host).ptr);
    if (addr_resolve(host, c->family, &a->inet) == 0)
        return true;
    diag_add(b->diag, DIAG_ALERT, &cfg->src, "the address '%s' cannot be resolved", host);
    return false;
}

static void prepare_bind(struct prepare *b, struct proxy *p, const struct cfg_bind *cfg)
{
    struct addr a = {.kind = ADDR_INET};
    switch (cfg->addr.kind) {
    case CFG_ADDR_UNIX:
    case CFG_ADDR_ABSTRACT:
        a.kind = cfg->addr.kind == CFG_ADDR_UNIX ? ADDR_UNIX : ADDR_ABSTRACT;
        str_copy(a.path, sizeof(a.path), cfg->addr.host);
        prepare_one(b, p, cfg, &a);
        break;
    case CFG_ADDR_FD:
        a.kind = ADDR_FD;
        a.fd = cfg->addr.fd;
        prepare_one(b, p, cfg, &a);
        break;
    case CFG_ADDR_INET: {
        if (!resolve_host(b, cfg, &a)) {
            b->ok = false;
            return;
        }
        unsigned last = cfg->addr.port_end > cfg->addr.port ? cfg->addr.port_end : cfg->addr.port;
        for (unsigned port = cfg->addr.port; port <= last; port++) {
            inet_set_port(&a.inet, (uint16_t)port);
            prepare_one(b, p, cfg, &a);
        }
        break;
    }
    default:
        break;
    }
}

bool listener_prepare(struct snapshot *s, struct snapshot *old, struct diag *diag)
{
    struct prepare b = {.s = s, .old = old, .diag = diag, .ok = true};
    for (unsigned i = 0; i < s->nproxies; i++) {
        struct proxy *p = s->proxies[i];
        if (!(p->cfg->caps & CAP_FRONT) || p->cfg->disabled)
            continue;
        unsigned before = s->nlisteners;
        for (unsigned j = 0; j < p->cfg->nbinds; j++)
            prepare_bind(&b, p, &p->cfg->binds[j]);
        for (unsigned j = before; j < s->nlisteners; j++)
            s->listeners[j]->index = j - before + 1;
    }
    return b.ok;
}
