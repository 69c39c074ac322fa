// SPDX-License-Identifier: Apache-2.0
// The cluster's end: the service of cluster/ on a thread of its own, and its hooks.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster.h"
#include "config/model.h"
#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "node/join.h"
#include "node/process.h"
#include "node/proxy/listener.h"

#define ADDRESS_MAX   300
#define LAST_WORDS_MS 100 // time that the links get to carry the good-bye

static struct {
    struct cluster *service; // NULL: no section `cluster`
    struct worker *thread;
    struct timer last_words;
    char names[CLUSTER_NODES_MAX][CLUSTER_NODE_NAME_MAX]; // by number
} join;

// ---- The proxy's words

static void on_verdict(struct str backend, struct str server, enum join_verdict v, bool failing, bool usable,
                       unsigned inter_ms)
{
    static const enum verdict verdicts[] = {
        [JOIN_UNCHECKED] = VERDICT_NONE, [JOIN_UP] = VERDICT_UP, [JOIN_DOWN] = VERDICT_DOWN};
    cluster_post_verdict(join.service, backend, server,
                         (struct cluster_local_verdict){verdicts[v], failing, usable, inter_ms});
}

static void on_gone(struct str backend, struct str server)
{
    cluster_post_server_gone(join.service, backend, server);
}

static void on_admin(struct str backend, struct str server, enum join_admin state, int weight)
{
    static const enum admin_server_state states[] = {
        [JOIN_READY] = ADMIN_READY, [JOIN_DRAIN] = ADMIN_DRAIN, [JOIN_MAINT] = ADMIN_MAINT};
    cluster_post_admin(join.service, backend, server, ADMIN_STATE, states[state]);
    cluster_post_admin(join.service, backend, server, ADMIN_WEIGHT, weight);
}

static bool on_show(struct str args, struct buf *out)
{
    return show_cluster(join.service, &join_node_providers, args, mono_now(), out);
}

static const struct join_sink sink = {.verdict = on_verdict, .gone = on_gone, .admin = on_admin, .show = on_show};

// ---- The cluster's words, on its thread

static void on_voted_down(void *arg, struct str backend, struct str server, bool down)
{
    join_node_voted_down(backend, server, down);
}

static void on_check_now(void *arg, struct str backend, struct str server)
{
    join_node_check_now(backend, server);
}

static void on_admin_set(void *arg, struct str backend, struct str server, enum admin_field field, int32_t value)
{
    if (field == ADMIN_WEIGHT)
        join_node_weight(backend, server, value);
    else if (field == ADMIN_STATE)
        join_node_admin(backend, server,
                        value == ADMIN_MAINT   ? JOIN_MAINT
                        : value == ADMIN_DRAIN ? JOIN_DRAIN
                                               : JOIN_READY);
}

static void on_isolated(void *arg, bool isolated)
{
    log_warning("cluster : this node is %s",
                isolated ? "isolated: all its servers are down, other nodes see some up" : "no longer isolated");
}

static unsigned on_conns(void *arg)
{
    return (unsigned)listener_conns();
}

// ---- The links

// No link carries anything yet: the service takes each as down.
static bool on_send(void *arg, unsigned node, struct str bytes)
{
    return false;
}

static const struct cluster_transport transport = {.send = on_send};

// ---- Making, starting, ending

static const struct cluster_hooks hooks = {
    .voted_down = on_voted_down,
    .check_now = on_check_now,
    .admin_set = on_admin_set,
    .isolated = on_isolated,
    .conns = on_conns,
};

static enum health_mode health_mode_of(const struct cfg_cluster *c)
{
    switch (c->health) {
    case CLUSTER_HEALTH_LOCAL:
        return HEALTH_LOCAL;
    case CLUSTER_HEALTH_ANY:
        return HEALTH_ANY;
    default:
        return HEALTH_QUORUM;
    }
}

// "HOST:PORT" as one would write it; empty when none was given.
static void address_text(const struct cfg_addr *a, char *dst, size_t size)
{
    bool bracketed = str_find_char(a->host, ':') >= 0;
    if (a->kind == CFG_ADDR_NONE)
        *dst = '\0';
    else
        snprintf(dst, size, bracketed ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(a->host), a->port);
}

bool join_prepare(const struct config *c)
{
    if (c->nclusters == 0)
        return true;
    const struct cfg_cluster *cfg = &c->clusters[0];
    struct cluster_node_options *nodes = calloc(cfg->nnodes, sizeof(*nodes));
    struct arena *texts = arena_create(4096);
    if (!nodes)
        PANIC("out of memory");
    for (unsigned i = 0; i < cfg->nnodes; i++) {
        char *link = arena_alloc(texts, ADDRESS_MAX), *addr = arena_alloc(texts, ADDRESS_MAX);
        address_text(&cfg->nodes[i].link, link, ADDRESS_MAX);
        address_text(&cfg->nodes[i].addr, addr, ADDRESS_MAX);
        str_copy(join.names[i], sizeof(join.names[i]), cfg->nodes[i].name);
        nodes[i] = (struct cluster_node_options){join.names[i], link, addr};
    }
    const struct cluster_options options = {
        .name = arena_str(texts, cfg->name).ptr,
        .nodes = nodes,
        .node_count = cfg->nnodes,
        .self = (unsigned)cfg->self,
        .health = health_mode_of(cfg),
        .boot = (uint64_t)wall_now_us(),
        .seed = worker_random(process_control()),
    };
    join.thread = worker_create(THREAD_CLUSTER, worker_count + 1);
    if (join.thread) {
        join.service = cluster_create(&options, &hooks, &transport);
        join_node_connect(&sink);
    } else {
        log_alert("[phalanx.main()] Cannot create the cluster's event loop: %s.", strerror(errno));
    }
    arena_destroy(&texts);
    free(nodes);
    return join.thread != NULL;
}

static void setup(struct worker *w)
{
    cluster_attach(join.service, w);
}

bool join_start(void)
{
    int rc = join.thread ? worker_start(join.thread, setup) : 0;
    if (rc < 0)
        log_alert("[phalanx.main()] Cannot start the cluster's thread: %s.", strerror(-rc));
    return rc == 0;
}

static void on_last_words_said(struct timer *t)
{
    cluster_detach(join.service);
    loop_stop(join.thread->loop);
}

static void leave(struct msg *m)
{
    cluster_leave(join.service);
    timer_init(&join.last_words, on_last_words_said);
    timer_set(loop_timers(join.thread->loop), &join.last_words,
              mono_add_ms(loop_now(join.thread->loop), LAST_WORDS_MS));
}

void join_stop(void)
{
    static struct msg last = {.kind = MSG_CALL, .fn = leave};
    if (!join.thread)
        return;
    inbox_send(loop_inbox(join.thread->loop), &last);
    worker_join(join.thread);
}

void join_shutdown(void)
{
    if (!join.service)
        return;
    join_node_disconnect();
    worker_destroy(&join.thread);
    cluster_destroy(&join.service);
}
