// SPDX-License-Identifier: Apache-2.0
// What survives a reload: states of frontends, backends, servers, and stick tables, found again by name or made; and
// the changes that a new text brings to those that were kept.
#include <netdb.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/proxy/check.h"
#include "node/proxy/listener.h"
#include "node/proxy/proxy.h"
#include "node/proxy/schedule.h"

static struct frontend_state *frontend_create(struct str name)
{
    struct frontend_state *f = calloc(1, sizeof(*f));
    ASSERT(f != NULL);
    f->magic = FRONTEND_MAGIC;
    atomic_init(&f->refs, 1);
    f->name = str_dup(name);
    f->worker_slots = snapshot_worker_slots(NULL);
    f->counters = aligned_alloc(64, sizeof(struct counters) * f->worker_slots);
    ASSERT(f->counters != NULL);
    memset(f->counters, 0, sizeof(struct counters) * f->worker_slots);
    return f;
}

struct frontend_state *frontend_state_ref(struct frontend_state *f)
{
    CHECK_OBJ(f, FRONTEND_MAGIC);
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void frontend_state_unref(struct frontend_state **slot)
{
    struct frontend_state *f = *slot;
    *slot = NULL;
    if (!f || atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    f->magic = 0;
    free(f->counters);
    free(f->name);
    free(f);
}

// ---- servers

bool addr_from_cfg(const struct cfg_addr *cfg, int family, struct addr *a)
{
    memset(a, 0, sizeof(*a));
    switch (cfg->kind) {
    case CFG_ADDR_UNIX:
    case CFG_ADDR_ABSTRACT:
        a->kind = cfg->kind == CFG_ADDR_UNIX ? ADDR_UNIX : ADDR_ABSTRACT;
        str_copy(a->path, sizeof(a->path), cfg->host);
        return true;
    case CFG_ADDR_FD:
        a->kind = ADDR_FD;
        a->fd = cfg->fd;
        return true;
    default:
        break;
    }
    a->kind = ADDR_INET;
    char host[NI_MAXHOST];
    str_copy(host, sizeof(host), cfg->host);
    bool any = cfg->host.len == 0 || str_is(cfg->host, "*");
    if (any && !inet_parse(cfg->family == AF_INET6 ? STR("::") : STR("0.0.0.0"), &a->inet))
        return false;
    if (!any && !inet_parse(cfg->host, &a->inet) && addr_resolve(host, family ? family : cfg->family, &a->inet) != 0)
        return false;
    inet_set_port(&a->inet, cfg->port);
    return true;
}

// init-addr without "none" and "last" demands an address at start; a reload keeps the one that the server has.
static bool find_address(struct server *srv, bool known, struct diag *diag)
{
    const struct cfg_server *cfg = srv->cfg;
    struct addr a;
    if (addr_from_cfg(&cfg->addr, cfg->resolve_family, &a)) {
        if (!known)
            srv->state->addr = a;
        srv->initial_addr = a;
        return true;
    }
    if (known) {
        srv->initial_addr = server_addr(srv->state);
        return true;
    }
    if (str_find(cfg->init_addr, STR("none")) >= 0) {
        atomic_fetch_or(&srv->state->admin, ADMIN_UNRESOLVED);
        return true;
    }
    diag_add(diag, DIAG_ALERT, &cfg->src, "server '%.*s/%.*s': could not resolve address '%.*s'",
             STR_ARG(cfg->proxy->name), STR_ARG(cfg->name), STR_ARG(cfg->addr.host));
    return false;
}

static void find_source(struct server *srv)
{
    const struct cfg_addr *source =
        srv->cfg->source.kind == CFG_ADDR_INET ? &srv->cfg->source : &srv->cfg->proxy->source;
    struct addr a;
    if (source->kind == CFG_ADDR_INET && addr_from_cfg(source, AF_UNSPEC, &a))
        srv->source = a.inet;
}

static bool prepare_servers(struct snapshot *s, struct proxy *p, struct proxy *old, struct diag *diag)
{
    bool ok = true;
    struct strmap known = {0};
    for (unsigned i = 0; old && i < old->nservers; i++)
        strmap_put(&known, old->servers[i]->cfg->name, old->servers[i]);
    p->nservers = p->cfg->nservers;
    p->servers = ARENA_ARRAY(s->arena, struct server *, p->nservers + 1);
    for (unsigned i = 0; i < p->nservers; i++) {
        struct server *srv = ARENA_NEW(s->arena, struct server);
        struct server *before = strmap_get(&known, p->cfg->servers[i].name);
        p->servers[i] = srv;
        srv->cfg = &p->cfg->servers[i];
        srv->proxy = p;
        srv->index = i;
        srv->state = before ? server_state_ref(before->state) : server_state_create(p->back, srv->cfg);
        ok = find_address(srv, before != NULL, diag) && ok;
        find_source(srv);
    }
    strmap_free(&known);
    return ok;
}

// ---- tables

static void prepare_table(struct proxy *p, struct proxy *old)
{
    const struct cfg_table *cfg = p->cfg->table;
    if (!cfg)
        return;
    const struct cfg_table *was = old && old->table ? old->cfg->table : NULL;
    if (was && was->key == cfg->key && was->key_len == cfg->key_len)
        p->table = table_ref(old->table);
    else
        p->table = table_create(p->cfg->name, cfg);
}

bool states_prepare(struct snapshot *s, struct snapshot *old, struct diag *diag)
{
    bool ok = true;
    for (unsigned i = 0; i < s->nproxies; i++) {
        struct proxy *p = s->proxies[i];
        struct proxy *front = old ? strmap_get(&old->by_name[0], p->cfg->name) : NULL;
        struct proxy *back = old ? strmap_get(&old->by_name[1], p->cfg->name) : NULL;
        if (p->cfg->caps & CAP_FRONT)
            p->front = front ? frontend_state_ref(front->front) : frontend_create(p->cfg->name);
        if (p->cfg->caps & CAP_BACK) {
            p->back = back ? backend_state_ref(back->back) : backend_state_create(p->cfg->name);
            ok = prepare_servers(s, p, back, diag) && ok;
        }
        prepare_table(p, front && front->cfg->caps == p->cfg->caps ? front : back);
    }
    return ok;
}

// ---- publication

// A setting that the runtime API may have changed is overwritten only when the text changed it.
static void apply_server(struct server *srv, struct server *before)
{
    struct server_state *s = srv->state;
    const struct cfg_server *cfg = srv->cfg, *was = before ? before->cfg : NULL;
    atomic_store(&s->index_hint, srv->index);
    atomic_store(&s->minconn, cfg->minconn);
    atomic_store(&s->slowstart_ms, cfg->slowstart);
    atomic_store(&s->weight_initial, cfg->weight);
    s->backup = cfg->backup;
    s->shut_when_down = cfg->on_marked_down == ON_MARKED_DOWN_SHUTDOWN;
    s->shut_backups_when_up = cfg->on_marked_up == ON_MARKED_UP_SHUTDOWN_BACKUP;
    if (!was || was->maxconn != cfg->maxconn)
        atomic_store(&s->maxconn, cfg->maxconn);
    if (was && was->weight != cfg->weight)
        atomic_store(&s->weight, cfg->weight);
    if (was && was->disabled != cfg->disabled) {
        if (cfg->disabled)
            atomic_fetch_or(&s->admin, ADMIN_MAINT);
        else
            atomic_fetch_and(&s->admin, ~(unsigned)ADMIN_MAINT);
    }
    if (was && !addr_equal(&before->initial_addr, &srv->initial_addr))
        server_set_addr(s, &srv->initial_addr, NULL);
    if (was && was->check && !cfg->check && !cfg->track_server) { // nobody will say that it is up again
        atomic_store(&s->health_up, true);
        atomic_store(&s->effective_up, true);
    }
    atomic_store(&s->usable, atomic_load(&s->effective_up) && atomic_load(&s->agent_up) &&
                                 atomic_load(&s->admin) == 0 && server_effective_weight(s) > 0);
    s->marked_down = server_is_down(s);
}

static void apply_backend(struct proxy *p, struct proxy *old)
{
    struct backend_state *b = p->back;
    struct strmap known = {0};
    for (unsigned i = 0; old && i < old->nservers; i++)
        strmap_put(&known, old->servers[i]->cfg->name, old->servers[i]);
    pthread_mutex_lock(&b->lock);
    int full = p->cfg->fullconn;
    for (unsigned i = 0; i < p->nservers; i++) {
        struct server_state *s = p->servers[i]->state;
        apply_server(p->servers[i], strmap_get(&known, p->servers[i]->cfg->name));
        for (unsigned t = 0; t < s->ntrackers; t++)
            server_state_unref(&s->trackers[t]);
        s->ntrackers = 0;
    }
    atomic_store(&b->fullconn, full > 0 ? full : p->snapshot->config->global.maxconn / 10);
    pthread_mutex_unlock(&b->lock);
    strmap_free(&known);
    backend_publish(b, p);
}

// `track`: the tracked server's state keeps a list of its followers, who take over what it is now.
static void connect_trackers(struct snapshot *s)
{
    for (unsigned i = 0; i < s->nproxies; i++) {
        for (unsigned k = 0; k < s->proxies[i]->nservers; k++) {
            struct server *srv = s->proxies[i]->servers[k];
            const struct cfg_server *track = srv->cfg->track_server;
            if (!track)
                continue;
            struct proxy *p = strmap_get(&s->by_name[1], track->proxy->name);
            struct server_state *t = p->servers[track->index]->state;
            pthread_mutex_lock(&t->backend->lock);
            t->trackers = realloc(t->trackers, sizeof(*t->trackers) * (t->ntrackers + 1));
            ASSERT(t->trackers != NULL);
            t->trackers[t->ntrackers++] = server_state_ref(srv->state);
            pthread_mutex_unlock(&t->backend->lock);
            server_set_effective(srv->state, atomic_load(&t->effective_up), "tracked server");
            if (atomic_load(&t->admin) & (ADMIN_MAINT | ADMIN_TRACK_MAINT))
                server_set_admin(srv->state, ADMIN_TRACK_MAINT, 0, "tracked server");
        }
    }
}

static void stop_deleted(struct snapshot *s, struct snapshot *old)
{
    for (unsigned i = 0; i < old->nproxies; i++) {
        struct proxy *before = old->proxies[i];
        struct proxy *now = before->back ? strmap_get(&s->by_name[1], before->cfg->name) : NULL;
        struct strmap names = {0};
        for (unsigned k = 0; now && k < now->nservers; k++)
            strmap_put(&names, now->servers[k]->cfg->name, now->servers[k]);
        for (unsigned k = 0; k < before->nservers; k++)
            if (!strmap_get(&names, before->servers[k]->cfg->name))
                check_stop(before->servers[k]->state);
        strmap_free(&names);
    }
}

void states_publish(struct snapshot *s, struct snapshot *old)
{
    for (unsigned i = 0; i < s->nproxies; i++) {
        struct proxy *p = s->proxies[i];
        if (p->front) {
            struct proxy *before = old ? strmap_get(&old->by_name[0], p->cfg->name) : NULL;
            if (!before || before->cfg->maxconn != p->cfg->maxconn)
                atomic_store(&p->front->maxconn, p->cfg->maxconn);
            atomic_store(&p->front->rate_limit, p->cfg->rate_limit_sessions);
        }
        if (p->table)
            table_reconfigure(p->table, p->cfg->table);
        if (p->back)
            apply_backend(p, old ? strmap_get(&old->by_name[1], p->cfg->name) : NULL);
    }
    connect_trackers(s);
    for (unsigned i = 0; i < s->nproxies; i++)
        for (unsigned k = 0; k < s->proxies[i]->nservers; k++)
            check_configure(s->proxies[i]->servers[k]);
    if (old)
        stop_deleted(s, old);
}

void backend_rebuild(struct backend_state *b)
{
    struct proxy *p = atomic_load(&b->current);
    if (!p)
        return;
    unsigned active = 0, backup = 0;
    for (unsigned i = 0; i < p->nservers; i++) {
        if (!server_usable(p->servers[i]->state))
            continue;
        if (p->servers[i]->cfg->backup)
            backup++;
        else
            active++;
    }
    bool was = backend_usable(b) > 0;
    atomic_store(&b->usable_active, active);
    atomic_store(&b->usable_backup, backup);
    if (was != (active + backup > 0)) {
        int64_t now = mono_now().us;
        if (was)
            counter_add(&b->down_count, 1);
        else
            atomic_fetch_add(&b->down_ms, (now - atomic_load(&b->changed_us)) / 1000);
        atomic_store(&b->changed_us, now);
    }
    struct schedule *before = atomic_exchange_explicit(&b->schedule, schedule_build(p), memory_order_acq_rel);
    if (before)
        retire(before, schedule_destroy);
}

void backend_publish(struct backend_state *b, struct proxy *p)
{
    pthread_mutex_lock(&b->lock);
    atomic_store(&b->current, p);
    atomic_store(&b->leastconn, p->cfg->balance == BALANCE_LEASTCONN);
    backend_rebuild(b);
    backend_queue_process(b);
    pthread_mutex_unlock(&b->lock);
}

// ---- the end

static void release_backend(struct proxy *p)
{
    struct backend_state *b = p->back;
    pthread_mutex_lock(&b->lock);
    if (atomic_load(&b->current) == p) { // deleted by a reload, or the process ends
        atomic_store(&b->current, NULL);
        struct schedule *schedule = atomic_exchange(&b->schedule, NULL);
        for (unsigned i = 0; i < p->nservers; i++) {
            struct server_state *s = p->servers[i]->state;
            for (unsigned t = 0; t < s->ntrackers; t++)
                server_state_unref(&s->trackers[t]);
            s->ntrackers = 0;
        }
        if (schedule)
            retire(schedule, schedule_destroy);
    }
    pthread_mutex_unlock(&b->lock);
    for (unsigned i = 0; i < p->nservers; i++)
        server_state_unref(&p->servers[i]->state);
    backend_state_unref(&p->back);
}

void states_release(struct snapshot *s)
{
    for (unsigned i = 0; i < s->nproxies; i++) {
        struct proxy *p = s->proxies[i];
        if (p->back)
            release_backend(p);
        frontend_state_unref(&p->front);
        table_unref(&p->table);
    }
}
