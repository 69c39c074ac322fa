// SPDX-License-Identifier: Apache-2.0
// Published views: one allocation with the nodes, and the servers' votes apart, which are built anew only when they
// changed and shared by the views meanwhile.
#include "cluster/view.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "node/base/arena.h"
#include "node/base/hash.h"
#include "node/base/panic.h"

struct cluster_votes {
    atomic_uint users;
    struct arena *arena; // keys and rows of by_server
    struct strmap by_server;
    unsigned nodes;
};

struct view {
    struct cluster_view public;
    atomic_uint users;
    struct cluster_view_node nodes[];
};

struct view_publisher {
    const struct cluster_options *options;
    pthread_mutex_t lock; // protects `current` between taking the pointer and counting its user
    struct view *current;
    struct cluster_votes *votes; // cluster thread only
    uint64_t votes_version;      // of health when they were built
};

// ---- votes ----

static void votes_put(struct cluster_votes *v)
{
    if (v == NULL || atomic_fetch_sub(&v->users, 1) != 1)
        return;
    strmap_free(&v->by_server);
    arena_destroy(&v->arena);
    free(v);
}

static void add_votes(void *arg, struct str name, const uint8_t *votes)
{
    struct cluster_votes *v = arg;
    strmap_put(&v->by_server, arena_str(v->arena, name), arena_memdup(v->arena, votes, v->nodes));
}

static struct cluster_votes *votes_build(const struct health *h, unsigned nodes)
{
    struct cluster_votes *v = calloc(1, sizeof(*v));
    ASSERT(v != NULL);
    atomic_init(&v->users, 1);
    v->arena = arena_create(16384);
    v->nodes = nodes;
    health_each(h, nodes, add_votes, v);
    return v;
}

const uint8_t *cluster_view_votes(const struct cluster_view *view, struct str backend, struct str server)
{
    char key[CLUSTER_SERVER_NAME_MAX];
    size_t len = backend.len + 1 + server.len;
    if (len > sizeof(key))
        return NULL;
    memcpy(key, backend.ptr, backend.len);
    key[backend.len] = '/';
    memcpy(key + backend.len + 1, server.ptr, server.len);
    return strmap_get(&view->votes->by_server, str_make(key, len));
}

// ---- views ----

void cluster_view_put(const struct cluster_view **view)
{
    struct view *v = (struct view *)(uintptr_t)*view; // `public` comes first
    *view = NULL;
    if (v == NULL || atomic_fetch_sub(&v->users, 1) != 1)
        return;
    votes_put(v->public.votes);
    free(v);
}

const struct cluster_view *view_take(struct view_publisher *p)
{
    pthread_mutex_lock(&p->lock);
    struct view *v = p->current;
    atomic_fetch_add(&v->users, 1);
    pthread_mutex_unlock(&p->lock);
    return &v->public;
}

static void fill_node(struct cluster_view_node *out, const struct cluster_node_options *o, const struct membership *m,
                      uint32_t node, bool self)
{
    struct member_info info;
    membership_get(m, node, &info);
    *out = (struct cluster_view_node){
        .name = o->name,
        .link = o->link,
        .addr = o->addr,
        .state = info.state,
        .isolated = info.isolated,
        .self = self,
        .boot = info.boot,
        .rtt_us = info.rtt_us,
        .seen_at = info.seen_at,
        .conns = info.conns,
    };
}

static struct view *view_build(struct view_publisher *p, const struct core *core)
{
    const struct cluster_options *o = p->options;
    const struct membership *m = core_membership(core);
    struct view *v = calloc(1, sizeof(*v) + o->node_count * sizeof(v->nodes[0]));
    ASSERT(v != NULL);
    atomic_init(&v->users, 1);
    for (uint32_t i = 0; i < o->node_count; i++)
        fill_node(&v->nodes[i], &o->nodes[i], m, i, i == o->self);
    atomic_fetch_add(&p->votes->users, 1);
    v->public = (struct cluster_view){
        .cluster = o->name,
        .self = o->self,
        .node_count = o->node_count,
        .nodes = v->nodes,
        .majority = membership_majority(m),
        .isolated = health_isolated(core_health(core)),
        .votes = p->votes,
    };
    return v;
}

void view_publish(struct view_publisher *p, const struct core *core)
{
    uint64_t version = health_version(core_health(core));
    if (p->votes == NULL || version != p->votes_version) {
        votes_put(p->votes);
        p->votes = votes_build(core_health(core), p->options->node_count);
        p->votes_version = version;
    }
    struct view *fresh = view_build(p, core);
    pthread_mutex_lock(&p->lock);
    struct view *old = p->current;
    p->current = fresh;
    pthread_mutex_unlock(&p->lock);
    if (old != NULL)
        cluster_view_put(&(const struct cluster_view *){&old->public});
}

struct view_publisher *view_publisher_create(const struct cluster_options *options)
{
    struct view_publisher *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    p->options = options;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void view_publisher_destroy(struct view_publisher **publisher)
{
    struct view_publisher *p = *publisher;
    *publisher = NULL;
    if (p->current != NULL)
        cluster_view_put(&(const struct cluster_view *){&p->current->public});
    votes_put(p->votes);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
