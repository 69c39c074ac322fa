// SPDX-License-Identifier: Apache-2.0
// The cluster's end: the service of cluster/ on a thread of its own, and its hooks.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cluster/cluster.h"
#include "config/diag.h"
#include "config/model.h"
#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "node/join.h"
#include "node/join_folder.h"
#include "node/process.h"
#include "node/proxy/listener.h"
#include "peers/link.h"
#include "peers/replicate.h"

#define READY_MS      2000 // how long a starting node waits for tables at most
#define ADDRESS_MAX   300
#define LAST_WORDS_MS 100 // time that the links get to carry the good-bye

static struct {
    struct cluster *service; // NULL: no section `cluster`
    struct worker *thread;   // of the service, the control links and the gate
    struct links *control;
    struct gate *gate;
    struct replicate *tables;
    struct worker *sync; // its thread, with the bulk links
    struct timer last_words;
    struct cluster_options options; // its texts live in the arena
    struct arena *texts;
    struct link_node *nodes;
    struct addr *gate_addrs;
    unsigned gate_count;
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

static void on_tables(struct table *const *tables, unsigned count)
{
    replicate_set_tables(join.tables, tables, count);
}

static bool on_show(struct str args, struct buf *out)
{
    return show_cluster(join.service, &join_node_providers, args, mono_now(), out);
}

static const struct join_sink sink = {
    .verdict = on_verdict, .gone = on_gone, .tables = on_tables, .admin = on_admin, .show = on_show};

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

static void on_node_state(void *arg, unsigned node, uint64_t boot, enum member_state from, enum member_state to)
{
    bool alive = to != MEMBER_UNKNOWN && to != MEMBER_DEAD && to != MEMBER_LEFT;
    if (node != join.options.self)
        replicate_post_node(join.tables, node, alive, boot);
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

// ---- The control links, on the cluster's thread

static bool on_send(void *arg, unsigned node, struct str bytes)
{
    return links_send(join.control, node, bytes);
}

static void on_remake(void *arg, unsigned node)
{
    links_remake(join.control, node);
}

static const struct cluster_transport transport = {.send = on_send, .remake = on_remake};

static void on_link_up(void *arg, unsigned node, uint64_t boot, uint64_t received)
{
    cluster_on_link_up(join.service, node);
}

static void on_link_down(void *arg, unsigned node)
{
    cluster_on_link_down(join.service, node);
}

static bool on_link_message(void *arg, unsigned node, struct str bytes)
{
    return cluster_on_message(join.service, node, bytes);
}

static const struct link_events control_events = {.up = on_link_up, .down = on_link_down, .message = on_link_message};

static void on_boot_raised(void *arg, uint64_t boot)
{
    links_set_boot(join.control, boot);
    replicate_post_boot(join.tables, boot);
}

// Sync thread: the tables of a live node are here.
static void on_synced(void *arg)
{
    cluster_post_ready(join.service);
}

// ---- Making, starting, ending

static const struct cluster_hooks hooks = {
    .voted_down = on_voted_down,
    .check_now = on_check_now,
    .admin_set = on_admin_set,
    .boot_raised = on_boot_raised,
    .node_state = on_node_state,
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

// The nodes of the section, as the service and as the links want them. False: complained.
static bool read_nodes(const struct cfg_cluster *cfg)
{
    struct cluster_node_options *nodes = ARENA_ARRAY(join.texts, struct cluster_node_options, cfg->nnodes);
    join.nodes = ARENA_ARRAY(join.texts, struct link_node, cfg->nnodes);
    for (unsigned i = 0; i < cfg->nnodes; i++) {
        const struct cfg_node *n = &cfg->nodes[i];
        char *link = arena_alloc(join.texts, ADDRESS_MAX), *addr = arena_alloc(join.texts, ADDRESS_MAX);
        address_text(&n->link, link, ADDRESS_MAX);
        address_text(&n->addr, addr, ADDRESS_MAX);
        nodes[i] = (struct cluster_node_options){arena_str(join.texts, n->name).ptr, link, addr};
        join.nodes[i].name = nodes[i].name;
        if (!join_node_address(&n->link, &join.nodes[i].addr)) {
            log_alert("[phalanx.main()] cluster %.*s: cannot resolve the address %s of node %s.", STR_ARG(cfg->name),
                      link, nodes[i].name);
            return false;
        }
    }
    join.options.nodes = nodes;
    join.options.node_count = cfg->nnodes;
    return true;
}

// Where other nodes reach this one: its own address, or what `bind` says. False: complained.
static bool read_gate(const struct cfg_cluster *cfg)
{
    join.gate_count = cfg->nbinds ? cfg->nbinds : 1;
    join.gate_addrs = ARENA_ARRAY(join.texts, struct addr, join.gate_count);
    join.gate_addrs[0] = join.nodes[cfg->self].addr;
    for (unsigned i = 0; i < cfg->nbinds; i++)
        if (!join_node_address(&cfg->binds[i].addr, &join.gate_addrs[i])) {
            log_alert("[phalanx.main()] cluster %.*s: cannot resolve a bind address.", STR_ARG(cfg->name));
            return false;
        }
    return true;
}

bool join_prepare(const struct config *c)
{
    if (c->nclusters == 0)
        return true;
    const struct cfg_cluster *cfg = &c->clusters[0];
    join.texts = arena_create(4096);
    join.options = (struct cluster_options){
        .name = arena_str(join.texts, cfg->name).ptr,
        .self = (unsigned)cfg->self,
        .health = health_mode_of(cfg),
        .boot = (uint64_t)wall_now_us(),
        .seed = worker_random(process_control()),
        .wait_ready = true,
        .ready_ms = READY_MS,
    };
    if (!read_nodes(cfg) || !read_gate(cfg))
        return false;
    join.thread = worker_create(THREAD_CLUSTER, worker_count + 1);
    join.sync = worker_create(THREAD_SYNC, worker_count + 2);
    if (!join.thread || !join.sync) {
        log_alert("[phalanx.main()] Cannot create the cluster's event loop: %s.", strerror(errno));
        return false;
    }
    join.service = cluster_create(&join.options, &hooks, &transport);
    join_node_connect(&sink);
    return true;
}

bool join_open(const struct cfg_global *g)
{
    if (!join.service)
        return true;
    const char *folder = join_folder_make(g);
    if (!folder)
        return false;
    const struct link_options links = {
        .cluster = join.options.name,
        .nodes = join.nodes,
        .node_count = join.options.node_count,
        .self = join.options.self,
        .boot = join.options.boot,
        .dir = folder,
    };
    join.control = links_create(&links, LINK_CONTROL, &control_events);
    join.tables = replicate_create(&(struct replicate_options){.link = links, .synced = on_synced});

    unsigned failed = 0;
    const struct gate_options gate = {
        .addrs = join.gate_addrs,
        .addr_count = join.gate_count,
        .links = {[LINK_CONTROL] = join.control, [LINK_BULK] = replicate_links(join.tables)},
    };
    join.gate = gate_create(&gate, &failed);
    if (!join.gate) {
        char text[ADDRESS_MAX];
        log_alert("[phalanx.main()] cluster %s: cannot listen on %s: %s.", join.options.name,
                  addr_format(&join.gate_addrs[failed], text, sizeof(text)), strerror(errno));
    }
    return join.gate != NULL;
}

static void setup_sync(struct worker *w)
{
    replicate_attach(join.tables, w);
}

static void setup(struct worker *w)
{
    cluster_attach(join.service, w);
    links_attach(join.control, w->loop);
    gate_attach(join.gate, w->loop);
}

static void stop_sync(struct msg *m)
{
    replicate_detach(join.tables);
    loop_stop(join.sync->loop);
}

static void end_sync(void)
{
    static struct msg stop = {.kind = MSG_CALL, .fn = stop_sync};
    inbox_send(loop_inbox(join.sync->loop), &stop);
    worker_join(join.sync);
}

bool join_start(void)
{
    if (!join.service)
        return true;
    int rc = worker_start(join.sync, setup_sync);
    if (rc == 0) {
        rc = worker_start(join.thread, setup);
        if (rc < 0)
            end_sync();
    }
    if (rc < 0)
        log_alert("[phalanx.main()] Cannot start the cluster's thread: %s.", strerror(-rc));
    return rc == 0;
}

void join_check_reload(const struct config *c, struct diag *diag)
{
    const struct cfg_cluster *cfg = c->nclusters ? &c->clusters[0] : NULL;
    bool same = (cfg != NULL) == (join.service != NULL);
    if (cfg && same) {
        same = str_is(cfg->name, join.options.name) && cfg->nnodes == join.options.node_count &&
               cfg->self == (int)join.options.self && health_mode_of(cfg) == join.options.health;
        for (unsigned i = 0; same && i < cfg->nnodes; i++) {
            char link[ADDRESS_MAX], addr[ADDRESS_MAX];
            address_text(&cfg->nodes[i].link, link, sizeof(link));
            address_text(&cfg->nodes[i].addr, addr, sizeof(addr));
            same = str_is(cfg->nodes[i].name, join.options.nodes[i].name) &&
                   strcmp(link, join.options.nodes[i].link) == 0 && strcmp(addr, join.options.nodes[i].addr) == 0;
        }
    }
    if (!same)
        diag_add(diag, DIAG_WARNING, cfg ? &cfg->src : NULL,
                 "the section `cluster` cannot change while the process runs; the old one is kept");
}

static void on_last_words_said(struct timer *t)
{
    gate_detach(join.gate);
    links_detach(join.control);
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
    if (!join.service)
        return;
    inbox_send(loop_inbox(join.thread->loop), &last);
    worker_join(join.thread);
    end_sync();
}

void join_shutdown(void)
{
    join_node_disconnect();
    gate_destroy(&join.gate);
    links_destroy(&join.control);
    replicate_destroy(&join.tables);
    worker_destroy(&join.thread);
    worker_destroy(&join.sync);
    cluster_destroy(&join.service);
    join_folder_remove();
    arena_destroy(&join.texts);
}
