// SPDX-License-Identifier: Apache-2.0
// The proxy's end of the cluster. A server takes traffic while this node's own check passes and the other nodes' votes
// do not take it down; the votes stand here by name, since they outlive snapshots.
#include <pthread.h>
#include <stdlib.h>

#include "node/base/hash.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/join.h"
#include "node/process.h"
#include "node/proxy/check.h"
#include "node/proxy/hooks.h"
#include "node/proxy/proxy.h"

// A server that the cluster was told of.
struct known {
    bool voted_down;
    size_t backend_len;
    uint64_t seen; // serial of the newest snapshot that has it
    struct str key;
    char text[]; // "backend/server"
};

static struct join_sink sink;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // servers; and the order of effective verdicts
static struct strmap servers;                            // "backend/server" → struct known

// ---- Names

static struct known *find_known(struct str backend, struct str server, bool create)
{
    struct buf key = BUF_INIT;
    buf_printf(&key, "%.*s/%.*s", STR_ARG(backend), STR_ARG(server));
    struct known *k = strmap_get(&servers, buf_str(&key));
    if (!k && create) {
        k = calloc(1, sizeof(*k) + key.len + 1);
        if (!k)
            PANIC("out of memory");
        memcpy(k->text, key.data, key.len);
        k->key = str_make(k->text, key.len);
        k->backend_len = backend.len;
        strmap_put(&servers, k->key, k);
    }
    buf_free(&key);
    return k;
}

static struct server_state *find_server(struct str backend, struct str server)
{
    struct proxy *p = snapshot_find(snapshot_current(), backend, CAP_BACK);
    struct cfg_server *cfg = p ? config_find_server(p->cfg, server) : NULL;
    return cfg ? p->servers[cfg->index]->state : NULL;
}

// ---- What the proxy tells

// Own verdict and votes together. Under the lock, so that the last word is that of the last change.
static void settle(struct server_state *s, const char *why)
{
    pthread_mutex_lock(&lock);
    const struct known *k = find_known(str_of(s->backend_name), str_of(s->name), false);
    bool voted_down = k && k->voted_down;
    server_set_effective(s, atomic_load(&s->health_up) && !voted_down, why);
    pthread_mutex_unlock(&lock);
}

static void on_verdict(struct server_state *s, bool up, unsigned inter_ms, const char *why)
{
    settle(s, why);
    bool usable = atomic_load(&s->admin) == 0 && atomic_load(&s->weight) > 0;
    bool failing = up && !check_status_passes((enum check_status)atomic_load(&s->check_status));
    sink.verdict(str_of(s->backend_name), str_of(s->name), up ? JOIN_UP : JOIN_DOWN, failing, usable, inter_ms);
}

static void on_admin(struct server_state *s, unsigned admin, int weight)
{
    enum join_admin state = admin & ADMIN_MAINT ? JOIN_MAINT : admin & ADMIN_DRAIN ? JOIN_DRAIN : JOIN_READY;
    sink.admin(str_of(s->backend_name), str_of(s->name), state, weight);
}

static void forget_unseen(uint64_t serial)
{
    for (size_t i = 0; i < servers.cap;) {
        struct known *k = servers.slots[i].value;
        if (!k || k->seen == serial) {
            i++;
            continue;
        }
        sink.gone(str_slice(k->key, 0, k->backend_len), str_slice(k->key, k->backend_len + 1, SIZE_MAX));
        strmap_remove(&servers, k->key); // moves another one into this slot: look at it again
        free(k);
    }
}

// The tables of this snapshot that a cluster shares.
static void tell_tables(const struct snapshot *s)
{
    struct table **tables = calloc(s->nproxies + 1, sizeof(*tables));
    unsigned count = 0;
    if (!tables)
        PANIC("out of memory");
    for (unsigned i = 0; i < s->nproxies; i++) {
        const struct proxy *p = s->proxies[i];
        if (p->table && p->cfg->table->cluster)
            tables[count++] = p->table;
    }
    sink.tables(tables, count);
    free(tables);
}

static void on_snapshot(struct snapshot *s)
{
    tell_tables(s);
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < s->nproxies; i++) {
        const struct proxy *p = s->proxies[i];
        for (unsigned j = 0; j < p->nservers; j++) {
            struct str backend = p->cfg->name, server = p->servers[j]->cfg->name;
            struct known *k = find_known(backend, server, false);
            if (!k) {
                k = find_known(backend, server, true);
                sink.verdict(backend, server, JOIN_UNCHECKED, false, true, (unsigned)p->servers[j]->cfg->inter);
            }
            k->seen = s->serial;
        }
    }
    forget_unseen(s->serial);
    pthread_mutex_unlock(&lock);
}

static bool on_show(struct str args, struct buf *out)
{
    return sink.show(args, out);
}

// ---- What the cluster tells: one message a word, done on the control thread

struct word {
    struct msg msg;
    void (*apply)(const struct word *w, struct server_state *s); // s NULL: not configured here (any more)
    int value;
    struct str backend, server;
    char text[];
};

static void on_word(struct msg *m)
{
    struct word *w = (struct word *)(void *)m;
    w->apply(w, find_server(w->backend, w->server));
    free(w);
}

static void on_word_lost(struct msg *m)
{
    free(m);
}

static void tell(struct str backend, struct str server, int value,
                 void (*apply)(const struct word *w, struct server_state *s))
{
    struct word *w = calloc(1, sizeof(*w) + backend.len + server.len);
    if (!w)
        PANIC("out of memory");
    *w = (struct word){
        .msg = {.kind = MSG_SERVER_EVENT, .fn = on_word},
        .apply = apply,
        .value = value,
        .backend = str_make(w->text, backend.len),
        .server = str_make(w->text + backend.len, server.len),
    };
    memcpy(w->text, backend.ptr, backend.len);
    memcpy(w->text + backend.len, server.ptr, server.len);
    inbox_send(loop_inbox(process_control()->loop), &w->msg);
}

static void apply_vote(const struct word *w, struct server_state *s)
{
    pthread_mutex_lock(&lock);
    struct known *k = find_known(w->backend, w->server, false);
    if (k)
        k->voted_down = w->value;
    pthread_mutex_unlock(&lock);
    if (k && s)
        settle(s, w->value ? "Voted down by the cluster" : "No longer voted down by the cluster");
}

static void apply_check(const struct word *w, struct server_state *s)
{
    if (s)
        server_check_now(s);
}

static void apply_admin(const struct word *w, struct server_state *s)
{
    unsigned set = w->value == JOIN_MAINT ? ADMIN_MAINT : w->value == JOIN_DRAIN ? ADMIN_DRAIN : 0;
    if (s)
        server_set_admin(s, set, (ADMIN_MAINT | ADMIN_DRAIN) & ~set, "set on another node of the cluster");
}

static void apply_weight(const struct word *w, struct server_state *s)
{
    if (s)
        server_set_weight(s, w->value);
}

void join_node_voted_down(struct str backend, struct str server, bool down)
{
    tell(backend, server, down, apply_vote);
}

void join_node_check_now(struct str backend, struct str server)
{
    tell(backend, server, 0, apply_check);
}

void join_node_admin(struct str backend, struct str server, enum join_admin state)
{
    tell(backend, server, (int)state, apply_admin);
}

void join_node_weight(struct str backend, struct str server, int weight)
{
    tell(backend, server, weight, apply_weight);
}

bool join_node_address(const struct cfg_addr *text, struct addr *out)
{
    return addr_from_cfg(text, text->family, out);
}

// ---- For `show cluster`

static void each_table(void *arg, show_table_fn *fn, void *ctx)
{
    const struct snapshot *s = snapshot_current();
    for (unsigned i = 0; i < s->nproxies; i++) {
        const struct table *t = s->proxies[i]->table;
        if (t)
            fn(ctx, &(struct show_table){table_name(t), table_count(t), table_size(t)});
    }
}

static enum show_server_state shown(const struct server *srv, bool up)
{
    unsigned admin = atomic_load(&srv->state->admin);
    if (admin & (ADMIN_MAINT | ADMIN_TRACK_MAINT | ADMIN_UNRESOLVED))
        return SHOW_MAINT;
    if (!up)
        return SHOW_DOWN;
    if (admin & ADMIN_PERSISTENT || atomic_load(&srv->state->weight) == 0)
        return SHOW_DRAIN;
    return srv->cfg->check || srv->cfg->track.len ? SHOW_UP : SHOW_NOCHECK;
}

static void each_server(void *arg, show_server_fn *fn, void *ctx)
{
    const struct snapshot *s = snapshot_current();
    for (unsigned i = 0; i < s->nproxies; i++) {
        const struct proxy *p = s->proxies[i];
        for (unsigned j = 0; j < p->nservers; j++) {
            const struct server *srv = p->servers[j];
            fn(ctx, &(struct show_server){
                        .backend = p->cfg->name,
                        .server = srv->cfg->name,
                        .state = shown(srv, atomic_load(&srv->state->effective_up)),
                        .local = shown(srv, atomic_load(&srv->state->health_up)),
                    });
        }
    }
}

const struct show_providers join_node_providers = {.each_table = each_table, .each_server = each_server};

// ---- Connecting

void join_node_connect(const struct join_sink *s)
{
    sink = *s;
    inbox_discard(MSG_SERVER_EVENT, on_word_lost);
    node_hooks = (struct node_hooks){
        .on_verdict = on_verdict, .on_admin = on_admin, .on_snapshot = on_snapshot, .show_cluster = on_show};
}

void join_node_disconnect(void)
{
    node_hooks = (struct node_hooks){0};
    for (size_t i = 0; i < servers.cap; i++)
        free(servers.slots[i].value);
    strmap_free(&servers);
}
