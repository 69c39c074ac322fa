// SPDX-License-Identifier: Apache-2.0
// Snapshots' life: built aside, published, taken by the workers between two turns, freed when the last stream that uses
// one is gone. The steps of building are in states.c, proxy_compile.c and listener.c.
#include <stdlib.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/proxy/hooks.h"
#include "node/proxy/listener.h"
#include "node/proxy/proxy.h"

struct worker *snapshot_reaper;

static _Atomic(struct snapshot *) current;           // the publication's reference
static struct snapshot_use *worker_uses[WORKER_MAX]; // the current one of each worker; its thread's alone once it runs
static _Atomic uint64_t serials;

// ---- references

static void destroy(struct snapshot *s)
{
    states_release(s);
    listener_release(s);
    compiled_free(&s->compiled);
    strmap_free(&s->by_name[0]);
    strmap_free(&s->by_name[1]);
    config_unref(&s->config);
    s->magic = 0;
    arena_destroy(&s->arena);
    free(s);
}

struct reap_msg {
    struct msg msg;
    struct snapshot *snapshot;
};

static void on_reap(struct msg *m)
{
    destroy(((struct reap_msg *)(void *)m)->snapshot);
    free(m);
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    CHECK_OBJ(s, SNAPSHOT_MAGIC);
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void snapshot_unref(struct snapshot **slot)
{
    struct snapshot *s = *slot;
    *slot = NULL;
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    if (!snapshot_reaper || snapshot_reaper == worker_self) {
        destroy(s);
        return;
    }
    struct reap_msg *m = calloc(1, sizeof(*m));
    ASSERT(m != NULL);
    m->msg.kind = MSG_CALL;
    m->msg.fn = on_reap;
    m->snapshot = s;
    inbox_send(loop_inbox(snapshot_reaper->loop), &m->msg);
}

struct snapshot *snapshot_current(void)
{
    return atomic_load_explicit(&current, memory_order_acquire);
}

struct proxy *snapshot_find(struct snapshot *s, struct str name, unsigned caps)
{
    struct proxy *p = caps & CAP_FRONT ? strmap_get(&s->by_name[0], name) : NULL;
    return p || !(caps & CAP_BACK) ? p : strmap_get(&s->by_name[1], name);
}

// ---- building

static void make_proxies(struct snapshot *s)
{
    struct config *c = s->config;
    s->proxies = ARENA_ARRAY(s->arena, struct proxy *, c->nproxies + 1);
    for (unsigned i = 0; i < c->nproxies; i++) {
        struct proxy *p = ARENA_NEW(s->arena, struct proxy);
        p->cfg = c->proxies[i];
        p->snapshot = s;
        p->index = s->nproxies;
        s->proxies[s->nproxies++] = p;
        if (p->cfg->caps & CAP_FRONT)
            strmap_put(&s->by_name[0], p->cfg->name, p);
        if (p->cfg->caps & CAP_BACK)
            strmap_put(&s->by_name[1], p->cfg->name, p);
    }
}

unsigned snapshot_worker_slots(const struct config *c)
{
    static unsigned slots;
    if (slots == 0) {
        long n = c && c->global.nbthread > 0 ? c->global.nbthread : sysconf(_SC_NPROCESSORS_ONLN);
        slots = n < 1 ? 1 : n > WORKER_MAX ? WORKER_MAX : (unsigned)n;
    }
    return slots;
}

struct snapshot *snapshot_build(struct config **config, struct snapshot *old, bool check_only, struct diag *diag)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->magic = SNAPSHOT_MAGIC;
    atomic_init(&s->refs, 1);
    s->serial = atomic_fetch_add(&serials, 1) + 1;
    s->config = *config;
    *config = NULL;
    s->arena = arena_create(64 * 1024);
    snapshot_worker_slots(s->config);
    make_proxies(s);
    bool ok = states_prepare(s, old, diag);
    ok = proxies_compile(s, diag) && ok; // both, so that all messages come in one go
    if (ok && !check_only)
        ok = listener_prepare(s, old, diag);
    if (!ok)
        snapshot_unref(&s);
    return s;
}

// ---- publication

struct snapshot_msg {
    struct msg msg;
    struct snapshot *snapshot; // counted
};

static void use_release(struct snapshot_use *u)
{
    if (u->current || u->count > 0)
        return;
    snapshot_unref(&u->snapshot);
    free(u);
}

// Takes over the reference.
static void worker_takes(unsigned worker_id, struct snapshot *s)
{
    struct snapshot_use *u = calloc(1, sizeof(*u)), *before = worker_uses[worker_id];
    ASSERT(u != NULL);
    u->snapshot = s;
    u->current = true;
    worker_uses[worker_id] = u;
    if (before) {
        before->current = false;
        use_release(before);
    }
}

static void on_snapshot(struct msg *m)
{
    worker_takes(worker_self->id, ((struct snapshot_msg *)(void *)m)->snapshot);
    free(m);
}

static void tell_workers(struct snapshot *s, bool starting)
{
    for (unsigned i = 0; i < worker_count; i++) {
        if (starting) { // no worker runs yet
            worker_takes(i, snapshot_ref(s));
            continue;
        }
        struct snapshot_msg *m = calloc(1, sizeof(*m));
        ASSERT(m != NULL);
        m->msg.kind = MSG_SNAPSHOT;
        m->msg.fn = on_snapshot;
        m->snapshot = snapshot_ref(s);
        inbox_send(loop_inbox(workers[i]->loop), &m->msg);
    }
}

void snapshot_publish(struct snapshot *s)
{
    struct snapshot *old = atomic_exchange_explicit(&current, s, memory_order_acq_rel);
    states_publish(s, old);
    start_vars_run(s);
    tell_workers(s, old == NULL);
    listener_start(s, old);
    if (node_hooks.on_snapshot)
        node_hooks.on_snapshot(s);
    snapshot_unref(&old);
}

struct snapshot_use *snapshot_use_take(struct worker *w)
{
    struct snapshot_use *u = worker_uses[w->id];
    u->count++;
    return u;
}

struct snapshot_use *snapshot_use_current(struct worker *w)
{
    return worker_uses[w->id];
}

void snapshot_use_put(struct snapshot_use **slot)
{
    struct snapshot_use *u = *slot;
    *slot = NULL;
    u->count--;
    use_release(u);
}

void snapshot_shutdown(void)
{
    snapshot_reaper = NULL;
    for (unsigned i = 0; i < WORKER_MAX; i++) {
        struct snapshot_use *u = worker_uses[i];
        worker_uses[i] = NULL;
        if (u) {
            u->current = false;
            use_release(u);
        }
    }
    struct snapshot *s = atomic_exchange(&current, NULL);
    snapshot_unref(&s);
}
