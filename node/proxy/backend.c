// SPDX-License-Identifier: Apache-2.0
// Choosing a server: persistence first, then the balancing algorithm, then the queue. The common path (roundrobin,
// hashes, servers without maxconn) takes no lock: one atomic step of the cursor and one of the server's count.
#include "node/proxy/backend.h"

#include <stdlib.h>

#include "node/base/panic.h"
#include "node/http/uri.h"
#include "node/proxy/proxy.h"
#include "node/proxy/queue.h"
#include "node/proxy/schedule.h"

struct backend_state *backend_state_create(struct str name)
{
    struct backend_state *b = aligned_alloc(64, (sizeof(*b) + 63) / 64 * 64);
    ASSERT(b != NULL);
    memset(b, 0, sizeof(*b));
    b->magic = BACKEND_MAGIC;
    atomic_init(&b->refs, 1);
    b->name = str_dup(name);
    pthread_mutex_init(&b->lock, NULL);
    list_init(&b->queue);
    atomic_init(&b->changed_us, mono_now().us);
    b->worker_slots = snapshot_worker_slots(NULL);
    b->counters = aligned_alloc(64, sizeof(struct counters) * b->worker_slots);
    ASSERT(b->counters != NULL);
    memset(b->counters, 0, sizeof(struct counters) * b->worker_slots);
    return b;
}

struct backend_state *backend_state_ref(struct backend_state *b)
{
    CHECK_OBJ(b, BACKEND_MAGIC);
    atomic_fetch_add(&b->refs, 1);
    return b;
}

void backend_state_unref(struct backend_state **slot)
{
    struct backend_state *b = *slot;
    *slot = NULL;
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1)
        return;
    ASSERT(atomic_load(&b->schedule) == NULL);
    pthread_mutex_destroy(&b->lock);
    b->magic = 0;
    free(b->counters);
    free(b->name);
    free(b);
}

int backend_server_capacity(const struct server_state *s)
{
    int max = atomic_load_explicit(&s->maxconn, memory_order_relaxed);
    int min = atomic_load_explicit(&s->minconn, memory_order_relaxed);
    int full = atomic_load_explicit(&s->backend->fullconn, memory_order_relaxed);
    if (max == 0 || min == 0 || min >= max || full == 0)
        return max;
    int64_t load = atomic_load_explicit(&s->backend->conns, memory_order_relaxed);
    if (load >= full)
        return max;
    int64_t now = max * load / full;
    return now > min ? (int)now : min;
}

// ---- reserving a slot

static void note_served(struct server_state *s, int served)
{
    int max = atomic_load_explicit(&s->served_max, memory_order_relaxed);
    while (served > max && !atomic_compare_exchange_weak(&s->served_max, &max, served))
        ;
}

// Lock-free: the count never passes the capacity, and whoever finds it full goes on to the locked path, where nothing
// is missed. A slot that somebody waits for is never seen free here: backend_release() hands it over.
static bool reserve(struct server_state *s)
{
    int capacity = backend_server_capacity(s);
    int served = atomic_load_explicit(&s->served, memory_order_relaxed);
    if (capacity == 0) {
        note_served(s, atomic_fetch_add(&s->served, 1) + 1);
        return true;
    }
    do {
        if (served >= capacity)
            return false;
    } while (!atomic_compare_exchange_weak(&s->served, &served, served + 1));
    note_served(s, served + 1);
    return true;
}

void backend_release(struct server_state *s)
{
    struct backend_state *b = s->backend;
    if (!atomic_load_explicit(&b->leastconn, memory_order_relaxed) &&
        atomic_load_explicit(&s->maxconn, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&b->queued, memory_order_relaxed) == 0) {
        atomic_fetch_sub(&s->served, 1);
        return;
    }
    pthread_mutex_lock(&b->lock);
    if (!queue_pass_slot(s))
        atomic_fetch_sub(&s->served, 1);
    while (queue_grant(s)) // minconn: the capacity grows with the load
        ;
    struct schedule *schedule = atomic_load(&b->schedule);
    schedule_heap_update(schedule, s);
    pthread_mutex_unlock(&b->lock);
}

// ---- keys of the hash algorithms

static bool key_uri(const struct cfg_proxy *cfg, struct http_msg *req, struct str *key)
{
    if (!req)
        return false;
    struct uri uri;
    uri_parse(req->target, &uri);
    struct str k = uri.path;
    if (cfg->balance_arg.whole) {
        k = req->target;
        if (cfg->balance_arg.path_only && uri.query.ptr)
            k = str_make(uri.path.ptr, (size_t)(uri.query.ptr + uri.query.len - uri.path.ptr));
    }
    if (cfg->balance_arg.len > 0 && k.len > (size_t)cfg->balance_arg.len)
        k.len = (size_t)cfg->balance_arg.len;
    int depth = cfg->balance_arg.depth;
    for (size_t i = 0, slashes = 0; depth > 0 && i < k.len; i++) {
        if (k.ptr[i] == '/' && slashes++ == (size_t)depth)
            k.len = i;
    }
    *key = k;
    return k.len > 0;
}

// "www.example.com" → "example", as the manual describes use_domain_only.
static struct str domain_only(struct str host)
{
    struct str h = uri_host(host);
    size_t end = h.len;
    while (end > 0 && h.ptr[end - 1] != '.')
        end--;
    if (end == 0)
        return h;
    size_t from = --end;
    while (from > 0 && h.ptr[from - 1] != '.')
        from--;
    return str_slice(h, from, end - from);
}

static bool key_source(struct match_ctx *c, struct str *key)
{
    const struct inet_addr *a = &c->client->src;
    if (a->sa.sa_family == AF_INET)
        *key = str_make((const char *)&a->in.sin_addr, 4);
    else if (a->sa.sa_family == AF_INET6)
        *key = str_make((const char *)&a->in6.sin6_addr, 16);
    else
        return false;
    return true;
}

// False: the request has no such key and is balanced by roundrobin.
static bool hash_key(struct pick *p, struct str *key)
{
    const struct cfg_proxy *cfg = p->proxy->cfg;
    struct match_ctx *c = p->ctx;
    struct sample sample;
    struct uri uri;
    switch (cfg->balance) {
    case BALANCE_SOURCE:
        return key_source(c, key);
    case BALANCE_URI:
        return key_uri(cfg, c->req, key);
    case BALANCE_URL_PARAM:
        if (!c->req)
            return false;
        uri_parse(c->req->target, &uri);
        return uri_param(uri.query, cfg->balance_arg.name, '&', false, key) && key->len > 0;
    case BALANCE_HDR:
        if (!c->req || !http_hdr_value(c->req, cfg->balance_arg.name, 1, true, key) || key->len == 0)
            return false;
        if (cfg->balance_arg.use_domain_only)
            *key = domain_only(*key);
        return key->len > 0;
    case BALANCE_HASH:
        return p->proxy->balance_expr && expr_eval(p->proxy->balance_expr, c, TYPE_ANY, &sample) == EVAL_FOUND &&
               sample_text(c, &sample, key) && key->len > 0;
    default:
        return false;
    }
}

// ---- the algorithms

// hash-balance-factor, in percent: the streams that a server may have at most, of the average over all. 0 = no limit.
static int64_t share_limit(const struct pick *p, const struct schedule *s)
{
    int64_t factor = p->proxy->cfg->hash_balance_factor, total = 1;
    if (factor <= 0)
        return 0;
    for (unsigned i = 0; i < s->count; i++)
        total += atomic_load_explicit(&s->servers[i]->served, memory_order_relaxed);
    return (total * factor + 100 * s->count - 1) / (100 * (int64_t)s->count);
}

// Servers that failed just now or have more than their share are passed over.
static struct server_state *pick_hash(struct pick *p, const struct schedule *s, uint32_t hash)
{
    unsigned first = schedule_place(s, hash), places = schedule_places(s);
    int64_t limit = share_limit(p, s);
    for (unsigned i = 0; i < places; i++) {
        struct server_state *server = schedule_at(s, (first + i) % places);
        bool over = limit && atomic_load_explicit(&server->served, memory_order_relaxed) >= limit;
        if (!over && (server != p->avoid || s->count == 1))
            return server;
    }
    return schedule_at(s, first);
}

static struct server_state *pick_round(struct pick *p, const struct schedule *s)
{
    struct backend_state *b = p->proxy->back;
    for (unsigned tries = 0; tries < s->order_len; tries++) {
        uint64_t at = atomic_fetch_add_explicit(&b->cursor, 1, memory_order_relaxed) % s->order_len;
        struct server_state *server = s->servers[s->order[at]];
        if ((server != p->avoid || s->count == 1) && reserve(server))
            return server;
    }
    return NULL;
}

static struct server_state *pick_first(struct pick *p, const struct schedule *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if ((s->servers[i] != p->avoid || s->count == 1) && reserve(s->servers[i]))
            return s->servers[i];
    return NULL;
}

// The least loaded of `draws` servers drawn by weight.
static struct server_state *pick_random(struct pick *p, const struct schedule *s)
{
    struct server_state *best = NULL;
    int draws = p->proxy->cfg->balance_arg.draws > 0 ? p->proxy->cfg->balance_arg.draws : 2;
    for (int i = 0; i < draws; i++) {
        struct server_state *server = s->servers[s->order[worker_random(p->ctx->worker) % s->order_len]];
        if (server == p->avoid && s->count > 1)
            continue;
        int64_t left = best ? (int64_t)atomic_load(&server->served) * server_effective_weight(best) : 0;
        int64_t right = best ? (int64_t)atomic_load(&best->served) * server_effective_weight(server) : 0;
        if (!best || left < right)
            best = server;
    }
    return best && reserve(best) ? best : pick_first(p, s);
}

// Under lock. The heap's top may be full or to be avoided: then the least loaded of the others.
static struct server_state *pick_least(struct pick *p, struct schedule *s)
{
    struct server_state *best = schedule_heap_top(s);
    if (!best)
        return NULL;
    if ((best == p->avoid && s->count > 1) || !reserve(best)) {
        best = NULL;
        for (unsigned i = 0; i < s->count; i++) {
            struct server_state *server = s->servers[i];
            int capacity = backend_server_capacity(server);
            if (server == p->avoid || (capacity && atomic_load(&server->served) >= capacity))
                continue;
            if (!best || (int64_t)atomic_load(&server->served) * server_effective_weight(best) <
                             (int64_t)atomic_load(&best->served) * server_effective_weight(server))
                best = server;
        }
        if (!best || !reserve(best))
            return NULL;
    }
    best->last_pick = ++s->picks;
    schedule_heap_update(s, best);
    return best;
}

// A server with a slot reserved, or NULL. *bound: the hash chose this one, which is full: wait for it and no other.
static struct server_state *balance(struct pick *p, struct schedule *s, struct server_state **bound)
{
    struct str key;
    switch (p->proxy->cfg->balance) {
    case BALANCE_LEASTCONN:
        return NULL; // under lock only
    case BALANCE_FIRST:
        return pick_first(p, s);
    case BALANCE_RANDOM:
        return pick_random(p, s);
    case BALANCE_ROUNDROBIN:
    case BALANCE_STATIC_RR:
        return pick_round(p, s);
    default:
        if (!hash_key(p, &key))
            return pick_round(p, s);
        *bound = pick_hash(p, s, schedule_hash(p->proxy->cfg, key));
        return reserve(*bound) ? *bound : NULL;
    }
}

// A persistent client's server takes it while it drains, but not when down or in maintenance, unless forced.
static bool preferred_serves(const struct pick *p)
{
    const struct server_state *s = p->preferred->state;
    if (p->force)
        return true;
    if (server_is_down(s))
        return false;
    int max = p->preferred->cfg->maxqueue;
    return max == 0 || atomic_load(&s->queued) < max;
}

static enum pick_result found(struct pick *p, struct server_state *s, struct server **out)
{
    *out = proxy_server_of(p->proxy, s);
    if (*out)
        return PICK_SERVER;
    // A reload published a server that this stream's older snapshot does not know: the first that it does know.
    backend_release(s);
    for (unsigned i = 0; i < p->proxy->nservers; i++) {
        *out = p->proxy->servers[i];
        if (server_usable((*out)->state) && reserve((*out)->state))
            return PICK_SERVER;
    }
    *out = NULL;
    return PICK_NONE;
}

// The server to avoid is still better than to wait or to fail. NULL: it has no free slot.
static struct server_state *pick_avoided(const struct pick *p, const struct schedule *s)
{
    for (unsigned i = 0; p->avoid && i < s->count; i++)
        if (s->servers[i] == p->avoid)
            return reserve(s->servers[i]) ? s->servers[i] : NULL;
    return NULL;
}

// Under lock, so that no slot is freed between the look and the wait. NULL: *queued tells whether the stream waits now.
static struct server_state *pick_or_wait(struct pick *p, struct server_state *bound, bool *queued)
{
    struct backend_state *b = p->proxy->back;
    struct schedule *s = atomic_load(&b->schedule);
    struct server_state *server;
    if (bound)
        server = reserve(bound) ? bound : NULL;
    else if (p->proxy->cfg->balance == BALANCE_LEASTCONN)
        server = pick_least(p, s);
    else
        server = pick_first(p, s);
    if (!server && !bound)
        server = pick_avoided(p, s);
    if (server) {
        schedule_heap_update(s, server);
    } else if (p->q && (bound || s->count > 0)) {
        queue_enter(p->q, b, bound);
        *queued = true;
    }
    return server;
}

enum pick_result backend_pick(struct pick *p, struct server **out)
{
    struct backend_state *b = p->proxy->back;
    struct server_state *bound = NULL, *server = NULL;
    bool leastconn = atomic_load_explicit(&b->leastconn, memory_order_relaxed);
    *out = NULL;
    if (p->preferred && preferred_serves(p)) {
        bound = p->preferred->state;
        if (!leastconn && reserve(bound))
            return found(p, bound, out);
    } else {
        struct schedule *s = atomic_load_explicit(&b->schedule, memory_order_acquire);
        if (!s || s->count == 0)
            return PICK_NONE;
        server = balance(p, s, &bound);
        if (server)
            return found(p, server, out);
    }
    bool queued = false;
    pthread_mutex_lock(&b->lock);
    server = pick_or_wait(p, bound, &queued);
    pthread_mutex_unlock(&b->lock);
    if (server)
        return found(p, server, out);
    return queued ? PICK_QUEUED : PICK_NONE;
}

// ---- names

struct server *proxy_server_of(struct proxy *p, const struct server_state *s)
{
    unsigned hint = atomic_load_explicit(&s->index_hint, memory_order_relaxed);
    if (hint < p->nservers && p->servers[hint]->state == s)
        return p->servers[hint];
    for (unsigned i = 0; i < p->nservers; i++)
        if (p->servers[i]->state == s)
            return p->servers[i];
    return NULL;
}

struct server *proxy_find_server(struct proxy *p, struct str name)
{
    for (unsigned i = 0; i < p->nservers; i++)
        if (str_eq(p->servers[i]->cfg->name, name))
            return p->servers[i];
    return NULL;
}

struct server *proxy_find_server_cookie(struct proxy *p, struct str value)
{
    for (unsigned i = 0; value.len && i < p->nservers; i++)
        if (str_eq(p->servers[i]->cfg->cookie, value))
            return p->servers[i];
    return NULL;
}

unsigned backend_usable(const struct backend_state *b)
{
    unsigned active = atomic_load(&b->usable_active);
    return active ? active : atomic_load(&b->usable_backup);
}
