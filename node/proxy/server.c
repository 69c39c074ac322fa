// SPDX-License-Identifier: Apache-2.0
// What is going on with a server: its state object, and every way in which that state changes. All changes go through
// apply_change(), which recomputes whether the server is usable, replaces the schedule, moves the queue and tells the
// log.
#include "node/proxy/server.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/proxy/event_log.h"
#include "node/proxy/hooks.h"
#include "node/proxy/proxy.h"
#include "node/proxy/schedule.h"

struct node_hooks node_hooks;

struct server_state *server_state_create(struct backend_state *b, const struct cfg_server *cfg)
{
    struct server_state *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->magic = SERVER_MAGIC;
    atomic_init(&s->refs, 1);
    s->backend_name = strdup(b->name);
    s->name = str_dup(cfg->name);
    s->backend = backend_state_ref(b);
    atomic_init(&s->admin, cfg->disabled ? ADMIN_MAINT : 0);
    atomic_init(&s->health_up, true);
    atomic_init(&s->effective_up, true);
    atomic_init(&s->agent_up, true);
    atomic_init(&s->weight, cfg->weight);
    atomic_init(&s->weight_initial, cfg->weight);
    atomic_init(&s->slow_percent, 100);
    atomic_init(&s->changed_us, mono_now().us);
    atomic_init(&s->last_session_us, 0);
    pthread_mutex_init(&s->addr_lock, NULL);
    list_init(&s->queue);
    s->heap_pos = HEAP_NONE;
    s->worker_slots = snapshot_worker_slots(NULL);
    size_t size = sizeof(struct server_worker) * s->worker_slots;
    s->per_worker = aligned_alloc(64, size);
    ASSERT(s->per_worker != NULL);
    memset(s->per_worker, 0, size);
    for (unsigned i = 0; i < s->worker_slots; i++)
        list_init(&s->per_worker[i].idle);
    return s;
}

struct server_state *server_state_ref(struct server_state *s)
{
    CHECK_OBJ(s, SERVER_MAGIC);
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void server_state_unref(struct server_state **slot)
{
    struct server_state *s = *slot;
    *slot = NULL;
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < s->ntrackers; i++)
        server_state_unref(&s->trackers[i]);
    pthread_mutex_destroy(&s->addr_lock);
    backend_state_unref(&s->backend);
    s->magic = 0;
    free(s->trackers);
    free(s->per_worker);
    free(s->backend_name);
    free(s->name);
    free(s);
}

struct addr server_addr(struct server_state *s)
{
    pthread_mutex_lock(&s->addr_lock);
    struct addr a = s->addr;
    pthread_mutex_unlock(&s->addr_lock);
    return a;
}

// ---- transitions

static bool compute_usable(const struct server_state *s)
{
    return atomic_load(&s->effective_up) && atomic_load(&s->agent_up) && atomic_load(&s->admin) == 0 &&
           server_effective_weight(s) > 0;
}

// Under lock: on-marked-down and on-marked-up.
static void note_mark(struct server_state *s)
{
    bool down = server_is_down(s);
    if (down == s->marked_down)
        return;
    s->marked_down = down;
    if (down && s->shut_when_down)
        server_shut_sessions(s, 'D');
    else if (down)
        server_shut_idle(s);
    else if (s->shut_backups_when_up && !s->backup && server_effective_weight(s) > 0)
        server_shut_backup_sessions(s->backend);
}

// What of a server's state logs speak of.
struct standing {
    bool up;
    unsigned admin;
};

static struct standing standing_of(const struct server_state *s)
{
    return (struct standing){atomic_load(&s->effective_up), atomic_load(&s->admin)};
}

// HAProxy's words for a change; NULL: it says nothing. *reason: whether the cause belongs to them; *online: the tail is
// that of a server that works.
static const char *change_words(const struct standing *was, const struct standing *is, bool *reason, bool *online)
{
    unsigned gained = is->admin & ~was->admin, lost = was->admin & ~is->admin;
    *reason = false;
    *online = true;
    if (is->admin & ADMIN_OUT) {
        *online = false;
        return was->admin & ADMIN_OUT ? NULL : "is going DOWN for maintenance";
    }
    if (lost & ADMIN_OUT)
        return is->up ? "is UP/READY (leaving forced maintenance)" : "is DOWN/READY (leaving forced maintenance)";
    if (gained & ADMIN_DRAIN)
        return "enters drain state";
    if (lost & ADMIN_DRAIN)
        return is->up ? "is UP (leaving forced drain)" : "is DOWN (leaving forced drain)";
    *reason = true;
    *online = is->up;
    if (was->up != is->up)
        return is->up ? "is UP" : "is DOWN";
    return gained & ADMIN_NOLB ? "is stopping" : lost & ADMIN_NOLB ? "is UP" : NULL;
}

static void announce(struct server_state *s, const struct standing *was, const char *why)
{
    struct backend_state *b = s->backend;
    struct standing is = standing_of(s);
    bool reason, online;
    char tail[128];
    const char *words = change_words(was, &is, &reason, &online);
    if (!words)
        return;
    unsigned active = atomic_load(&b->usable_active), backup = atomic_load(&b->usable_backup);
    if (online)
        snprintf(tail, sizeof(tail), "0 sessions requeued, %d total in queue.", atomic_load(&b->queued));
    else
        snprintf(tail, sizeof(tail), "%d sessions active, 0 requeued, %d remaining in queue.", atomic_load(&s->served),
                 atomic_load(&b->queued));
    const struct proxy *p = atomic_load(&b->current);
    bool told = p && cfg_option(p->cfg, OPT_LOG_HEALTH_CHECKS) && str_starts(str_of(why ? why : ""), STR("reason: "));
    reason = reason && why && *why && !told; // its check has just said so
    event_log(b, is.up && online ? EVENT_NOTICE : EVENT_ALERT,
              "%sServer %s/%s %s%s%s. %u active and %u backup servers %s.%s %s", s->backup ? "Backup " : "",
              s->backend_name, s->name, words, reason ? ", " : "", reason ? why : "", active, backup,
              online ? "online" : "left", active == 0 && backup > 0 ? " Running on backup." : "", tail);
}

// Under lock: time spent down or in maintenance.
static void note_transition(struct server_state *s, const struct standing *before)
{
    struct standing now = standing_of(s);
    bool was = before->up && !(before->admin & ADMIN_OUT), is = now.up && !(now.admin & ADMIN_OUT);
    if (was == is)
        return;
    int64_t now_us = mono_now().us;
    if (is)
        atomic_fetch_add(&s->down_ms, (now_us - atomic_load(&s->changed_us)) / 1000);
    else
        counter_add(&s->check_downs, 1);
    atomic_store(&s->changed_us, now_us);
}

// Under lock: the state's parts were changed by the caller.
static void apply_change(struct server_state *s, const struct standing *before, const char *why)
{
    struct backend_state *b = s->backend;
    bool was = atomic_load(&s->usable), is = compute_usable(s);
    bool had_servers = backend_usable(b) > 0;
    if (was != is && is && atomic_load(&s->slowstart_ms) > 0)
        server_slowstart_begin(s);
    atomic_store_explicit(&s->usable, is, memory_order_release);
    backend_rebuild(b);
    note_transition(s, before);
    announce(s, before, why);
    if (had_servers && backend_usable(b) == 0)
        event_log(b, EVENT_EMERGENCY, "backend %s has no server available!", b->name);
    note_mark(s);
    if (!is)
        backend_queue_retry_bound(s);
    if (backend_usable(b) == 0)
        backend_queue_retry_all(b);
    else
        backend_queue_process(b);
}

// The servers that track this one follow its own state, each under its own backend's lock, never two locks at once.
static void pass_on(struct server_state *s, const char *why)
{
    pthread_mutex_lock(&s->backend->lock);
    unsigned n = s->ntrackers;
    struct server_state **followers = calloc(n + 1, sizeof(*followers));
    ASSERT(followers != NULL);
    for (unsigned i = 0; i < n; i++)
        followers[i] = server_state_ref(s->trackers[i]);
    pthread_mutex_unlock(&s->backend->lock);
    bool up = atomic_load(&s->effective_up);
    bool maint = atomic_load(&s->admin) & ADMIN_OUT;
    for (unsigned i = 0; i < n; i++) {
        server_set_effective(followers[i], up, why);
        server_set_admin(followers[i], maint ? ADMIN_TRACK_MAINT : 0, maint ? 0 : ADMIN_TRACK_MAINT, why);
        server_state_unref(&followers[i]);
    }
    free(followers);
}

void server_set_admin(struct server_state *s, unsigned set, unsigned clear, const char *why)
{
    pthread_mutex_lock(&s->backend->lock);
    unsigned old = atomic_load(&s->admin);
    unsigned now = (old & ~clear) | set;
    struct standing before = standing_of(s);
    atomic_store(&s->admin, now);
    if (now != old)
        apply_change(s, &before, why);
    pthread_mutex_unlock(&s->backend->lock);
    if (now != old)
        pass_on(s, why);
}

void server_set_weight(struct server_state *s, int weight)
{
    pthread_mutex_lock(&s->backend->lock);
    struct standing before = standing_of(s);
    if (atomic_exchange(&s->weight, weight) != weight)
        apply_change(s, &before, NULL);
    pthread_mutex_unlock(&s->backend->lock);
}

void server_set_slow_percent(struct server_state *s, unsigned percent)
{
    pthread_mutex_lock(&s->backend->lock);
    if (atomic_exchange(&s->slow_percent, percent) != percent)
        backend_rebuild(s->backend);
    pthread_mutex_unlock(&s->backend->lock);
}

void server_set_maxconn(struct server_state *s, int maxconn)
{
    pthread_mutex_lock(&s->backend->lock);
    atomic_store(&s->maxconn, maxconn);
    backend_queue_process(s->backend);
    pthread_mutex_unlock(&s->backend->lock);
}

bool server_set_addr(struct server_state *s, const struct addr *a, const char *why)
{
    char before[160], after[160];
    pthread_mutex_lock(&s->addr_lock);
    bool changed = !addr_equal(&s->addr, a);
    addr_format(&s->addr, before, sizeof(before));
    s->addr = *a;
    if (changed)
        atomic_fetch_add(&s->addr_serial, 1);
    pthread_mutex_unlock(&s->addr_lock);
    if (changed && why)
        event_log(s->backend, EVENT_NOTICE, "%s/%s changed its address from %s to %s by %s", s->backend_name, s->name,
                  before, addr_format(a, after, sizeof(after)), why);
    return changed;
}

void server_set_effective(struct server_state *s, bool up, const char *why)
{
    pthread_mutex_lock(&s->backend->lock);
    struct standing before = standing_of(s);
    bool changed = atomic_exchange(&s->effective_up, up) != up;
    if (changed)
        apply_change(s, &before, why);
    pthread_mutex_unlock(&s->backend->lock);
    if (changed)
        pass_on(s, why);
}

void server_set_health(struct server_state *s, bool up, const char *why)
{
    atomic_store(&s->health_up, up);
    if (!node_hooks.on_verdict)
        server_set_effective(s, up, why);
}

// ---- words

void server_status_text(const struct server_state *s, const struct cfg_server *cfg, char *dst, size_t size)
{
    unsigned admin = atomic_load(&s->admin);
    bool up = atomic_load(&s->effective_up);
    int health = atomic_load(&s->check_health), rise = cfg->rise, fall = cfg->fall;
    if (admin & ADMIN_MAINT)
        snprintf(dst, size, "MAINT");
    else if (admin & ADMIN_TRACK_MAINT)
        snprintf(dst, size, "MAINT (via %.*s)", STR_ARG(cfg->track));
    else if (admin & ADMIN_UNRESOLVED)
        snprintf(dst, size, "MAINT (resolution)");
    else if (!up && cfg->check && health > 0 && health < rise)
        snprintf(dst, size, "DOWN %d/%d", health, rise);
    else if (!up)
        snprintf(dst, size, "DOWN");
    else if (admin & ADMIN_DRAIN || atomic_load(&s->weight) == 0)
        snprintf(dst, size, "DRAIN");
    else if (admin & ADMIN_NOLB)
        snprintf(dst, size, "NOLB");
    else if (!cfg->check && cfg->track.len == 0)
        snprintf(dst, size, "no check");
    else if (cfg->check && health >= rise && health < rise + fall - 1)
        snprintf(dst, size, "UP %d/%d", health - rise + 1, fall);
    else
        snprintf(dst, size, "UP");
}
