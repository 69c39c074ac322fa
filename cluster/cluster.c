// SPDX-License-Identifier: Apache-2.0
// The cluster service: drives core.c on the cluster thread. Here are its timer, the messages that other threads post,
// the hooks into this node, and the publishing of views; no decision is made here.
#include "cluster/cluster.h"

#include <pthread.h>
#include <stdlib.h>

#include "cluster/core.h"
#include "cluster/view.h"
#include "node/base/arena.h"
#include "node/base/list.h"
#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"

enum {
    DRAIN_MS = 10,    // after a late wake: time for the links to deliver what waited
    PUBLISH_MS = 200, // a view is at most this old; changes of state are published at once
    SAVE_MS = 1000,   // administrative changes go to disk at most so often
};

// ---- messages to the service ----

enum post_kind { POST_VERDICT, POST_GONE, POST_ADMIN, POST_READY, POST_DECLARE };

// One allocation, with the server's name behind it.
struct post {
    struct msg msg;
    struct cluster *cluster;
    struct post *next_early;
    enum post_kind kind;
    union {
        struct cluster_local_verdict verdict;
        struct {
            enum admin_field field;
            int32_t value;
        } admin;
        enum member_state state;
    };
    size_t name_len;
    char name[];
};

struct cluster {
    struct cluster_options options; // with copies of all strings
    struct arena *strings;
    struct cluster_hooks hooks;
    struct cluster_transport transport;
    struct core *core;
    struct view_publisher *views;
    struct loop *loop; // NULL while not attached
    struct timer tick;
    mono_t tick_due;
    mono_t next_publish, next_save, ready_by;
    bool holding;   // woke late, waiting for the links to drain
    bool news;      // a view is to be published at the end of the call
    uint64_t saved; // digest of the administrative state as saved last

    pthread_mutex_t posts;           // protects `inbox`, `closed` and `early`
    struct inbox *inbox;             // NULL while not attached
    bool closed;                     // detached: posts are dropped
    struct post *early, **early_end; // posted before it was attached
};

static struct core_time core_now(struct cluster *c)
{
    if (c->loop == NULL)
        return (struct core_time){mono_now(), wall_now_us()};
    return (struct core_time){loop_now(c->loop), loop_wall_us(c->loop)};
}

// ---- hooks: from the core to this node and to the links ----

static bool split_name(struct str name, struct str *backend, struct str *server)
{
    ptrdiff_t slash = str_find_char(name, '/');
    if (slash < 0)
        return false;
    *backend = str_slice(name, 0, (size_t)slash);
    *server = str_slice(name, (size_t)slash + 1, name.len);
    return true;
}

static void on_send(void *arg, uint32_t node, struct str bytes)
{
    struct cluster *c = arg;
    if (c->transport.send)
        c->transport.send(c->transport.arg, node, bytes); // a lost message is asked for again
}

static void on_remake(void *arg, uint32_t node)
{
    struct cluster *c = arg;
    if (c->transport.remake)
        c->transport.remake(c->transport.arg, node);
}

static void on_node_state(void *arg, uint32_t node, uint64_t boot, enum member_state from, enum member_state to,
                          const char *why)
{
    struct cluster *c = arg;
    c->news = true;
    enum log_level level = to == MEMBER_DEAD ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE;
    log_write(level, "cluster %s: node %s: %s -> %s (%s)", c->options.name, c->options.nodes[node].name,
              member_state_name(from), member_state_name(to), why);
    if (c->hooks.node_state)
        c->hooks.node_state(c->hooks.arg, node, boot, from, to);
}

static void on_boot_raised(void *arg, uint64_t boot)
{
    struct cluster *c = arg;
    if (c->hooks.boot_raised)
        c->hooks.boot_raised(c->hooks.arg, boot);
}

static void on_voted_down(void *arg, struct str name, bool down)
{
    struct cluster *c = arg;
    struct str backend, server;
    c->news = true;
    if (c->hooks.voted_down && split_name(name, &backend, &server))
        c->hooks.voted_down(c->hooks.arg, backend, server, down);
}

static void on_check_now(void *arg, struct str name)
{
    struct cluster *c = arg;
    struct str backend, server;
    if (c->hooks.check_now && split_name(name, &backend, &server))
        c->hooks.check_now(c->hooks.arg, backend, server);
}

static void on_isolated(void *arg, bool isolated)
{
    struct cluster *c = arg;
    c->news = true;
    if (c->hooks.isolated)
        c->hooks.isolated(c->hooks.arg, isolated);
}

static void on_admin_set(void *arg, const struct admin_register *r)
{
    struct cluster *c = arg;
    struct str backend, server;
    if (c->hooks.admin_set && split_name(r->name, &backend, &server))
        c->hooks.admin_set(c->hooks.arg, backend, server, r->field, r->value);
}

static const struct core_ports port_functions = {
    .send = on_send,
    .remake = on_remake,
    .node_state = on_node_state,
    .boot_raised = on_boot_raised,
    .voted_down = on_voted_down,
    .check_now = on_check_now,
    .isolated = on_isolated,
    .admin_set = on_admin_set,
};

// ---- life of the service ----

static void copy_options(struct cluster *c, const struct cluster_options *o)
{
    struct cluster_node_options *nodes = ARENA_ARRAY(c->strings, struct cluster_node_options, o->node_count);
    for (unsigned i = 0; i < o->node_count; i++) {
        nodes[i].name = arena_strdup(c->strings, o->nodes[i].name);
        nodes[i].link = arena_strdup(c->strings, o->nodes[i].link ? o->nodes[i].link : "");
        nodes[i].addr = arena_strdup(c->strings, o->nodes[i].addr ? o->nodes[i].addr : "");
    }
    c->options = *o;
    c->options.name = arena_strdup(c->strings, o->name);
    c->options.nodes = nodes;
}

static struct core *make_core(struct cluster *c)
{
    const char **names = ARENA_ARRAY(c->strings, const char *, c->options.node_count);
    for (unsigned i = 0; i < c->options.node_count; i++)
        names[i] = c->options.nodes[i].name;
    struct core_ports ports = port_functions;
    ports.arg = c;
    struct core_options o = {
        .names = names,
        .node_count = c->options.node_count,
        .self = c->options.self,
        .health = c->options.health,
        .boot = c->options.boot,
        .seed = c->options.seed,
    };
    return core_create(&o, &ports, core_now(c));
}

static void drop_post(struct msg *m)
{
    free(CONTAINER_OF(m, struct post, msg));
}

struct cluster *cluster_create(const struct cluster_options *options, const struct cluster_hooks *hooks,
                               const struct cluster_transport *transport)
{
    struct cluster *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    c->strings = arena_create(4096);
    copy_options(c, options);
    c->hooks = *hooks;
    c->transport = *transport;
    c->core = make_core(c);
    c->views = view_publisher_create(&c->options);
    pthread_mutex_init(&c->posts, NULL);
    c->early_end = &c->early;
    inbox_discard(MSG_VERDICT, drop_post);
    inbox_discard(MSG_CLUSTER_EVENT, drop_post);
    view_publish(c->views, c->core);
    return c;
}

bool cluster_load_admin(struct cluster *c, struct str bytes)
{
    ASSERT(c->loop == NULL);
    bool whole = core_load_admin(c->core, bytes, core_now(c));
    c->saved = admin_state_digest(core_admin_state(c->core));
    return whole;
}

static void publish_news(struct cluster *c)
{
    if (!c->news)
        return;
    c->news = false;
    c->next_publish = mono_add_ms(loop_now(c->loop), PUBLISH_MS);
    view_publish(c->views, c->core);
}

static void save_sometimes(struct cluster *c, mono_t now)
{
    uint64_t digest = admin_state_digest(core_admin_state(c->core));
    if (c->hooks.save_admin == NULL || digest == c->saved || mono_before(now, c->next_save))
        return;
    struct buf bytes = BUF_INIT;
    core_save_admin(c->core, &bytes);
    c->hooks.save_admin(c->hooks.arg, buf_str(&bytes));
    buf_free(&bytes);
    c->saved = digest;
    c->next_save = mono_add_ms(now, SAVE_MS);
}

static void become_ready(struct cluster *c)
{
    if (membership_state(core_membership(c->core), c->options.self) == MEMBER_JOINING)
        core_declare(c->core, MEMBER_UP, core_now(c));
}

// A loop that slept too long has messages waiting in the kernel. The core is told before it sees the first of them,
// judges nothing, and goes on when the links had further turns to deliver the rest.
static void watch_lateness(struct cluster *c, struct core_time now)
{
    int64_t late_ms = mono_diff_ms(now.mono, c->tick_due);
    if (late_ms <= MEMBERSHIP_LATE_MS)
        return;
    core_late(c->core, (unsigned)late_ms, now);
    c->holding = true;
    c->tick_due = now.mono; // the tick itself comes later in this turn
}

static void end_lateness(struct cluster *c, struct core_time now)
{
    if (!c->holding || !mono_before(c->tick_due, now.mono))
        return;
    core_drained(c->core, now);
    c->holding = false;
}

static void arm_tick(struct cluster *c, mono_t now, int ms)
{
    c->tick_due = mono_add_ms(now, ms);
    timer_set(loop_timers(c->loop), &c->tick, c->tick_due);
}

static void on_tick(struct timer *t)
{
    struct cluster *c = CONTAINER_OF(t, struct cluster, tick);
    struct core_time now = core_now(c);
    watch_lateness(c, now);
    end_lateness(c, now);
    if (mono_is_set(c->ready_by) && !mono_before(now.mono, c->ready_by)) {
        c->ready_by = MONO_NEVER;
        become_ready(c);
    }
    core_tick(c->core, now);
    save_sometimes(c, now.mono);
    if (!mono_before(now.mono, c->next_publish)) {
        if (c->hooks.conns)
            core_conns(c->core, c->hooks.conns(c->hooks.arg), now);
        c->news = true;
    }
    publish_news(c);
    arm_tick(c, now.mono, c->holding ? DRAIN_MS : MEMBERSHIP_TICK_MS);
}

void cluster_attach(struct cluster *c, struct worker *w)
{
    ASSERT(c->loop == NULL && !c->closed);
    c->loop = w->loop;
    pthread_mutex_lock(&c->posts);
    c->inbox = loop_inbox(w->loop);
    for (struct post *p = c->early, *next; p != NULL; p = next) {
        next = p->next_early;
        inbox_send(c->inbox, &p->msg);
    }
    c->early = NULL;
    pthread_mutex_unlock(&c->posts);

    mono_t now = mono_now(); // the loop has not turned yet
    if (c->options.wait_ready)
        c->ready_by = mono_add_ms(now, c->options.ready_ms);
    else
        become_ready(c);
    timer_init(&c->tick, on_tick);
    arm_tick(c, now, MEMBERSHIP_TICK_MS);
}

void cluster_leave(struct cluster *c)
{
    if (c->loop == NULL)
        return;
    core_declare(c->core, MEMBER_LEFT, core_now(c));
    publish_news(c);
}

void cluster_detach(struct cluster *c)
{
    pthread_mutex_lock(&c->posts);
    c->inbox = NULL;
    c->closed = true;
    pthread_mutex_unlock(&c->posts);
    if (c->loop != NULL)
        timer_cancel(&c->tick);
    c->loop = NULL;
}

void cluster_destroy(struct cluster **cluster)
{
    struct cluster *c = *cluster;
    if (c == NULL) // a node without a cluster, or a mere check
        return;
    *cluster = NULL;
    for (struct post *p = c->early, *next; p != NULL; p = next) {
        next = p->next_early;
        free(p);
    }
    view_publisher_destroy(&c->views);
    core_destroy(&c->core);
    pthread_mutex_destroy(&c->posts);
    arena_destroy(&c->strings);
    free(c);
}

// ---- from the links ----

void cluster_on_link_up(struct cluster *c, unsigned node)
{
    if (c->loop == NULL)
        return;
    core_link_up(c->core, node, core_now(c));
    publish_news(c);
}

void cluster_on_link_down(struct cluster *c, unsigned node)
{
    if (c->loop == NULL)
        return;
    core_link_down(c->core, node, core_now(c));
    publish_news(c);
}

bool cluster_on_message(struct cluster *c, unsigned node, struct str bytes)
{
    if (c->loop == NULL)
        return true;
    struct core_time now = core_now(c);
    watch_lateness(c, now);
    bool sane = core_receive(c->core, node, bytes, now);
    publish_news(c);
    return sane;
}

// ---- from other threads ----

static void on_post(struct msg *m)
{
    struct post *p = CONTAINER_OF(m, struct post, msg);
    struct cluster *c = p->cluster;
    struct str name = str_make(p->name, p->name_len);
    if (c->loop != NULL) { // not detached meanwhile
        struct core_time now = core_now(c);
        switch (p->kind) {
        case POST_VERDICT: {
            struct verdict_report r = {.name = name,
                                       .verdict = p->verdict.verdict,
                                       .failing = p->verdict.failing,
                                       .inter_ms = p->verdict.inter_ms};
            core_verdict(c->core, &r, p->verdict.usable, now);
            break;
        }
        case POST_GONE:
            core_server_gone(c->core, name, now);
            break;
        case POST_ADMIN:
            core_admin(c->core, name, p->admin.field, p->admin.value, now);
            break;
        case POST_READY:
            become_ready(c);
            break;
        case POST_DECLARE:
            core_declare(c->core, p->state, now);
            break;
        }
        publish_news(c);
    }
    free(p);
}

static struct post *make_post(struct cluster *c, enum post_kind kind, struct str backend, struct str server)
{
    bool named = backend.len > 0;
    size_t len = named ? backend.len + 1 + server.len : 0;
    struct post *p = malloc(sizeof(*p) + len);
    ASSERT(p != NULL);
    *p = (struct post){.cluster = c, .kind = kind, .name_len = len};
    p->msg.kind = kind == POST_VERDICT || kind == POST_GONE ? MSG_VERDICT : MSG_CLUSTER_EVENT;
    p->msg.fn = on_post;
    if (named) {
        memcpy(p->name, backend.ptr, backend.len);
        p->name[backend.len] = '/';
        memcpy(p->name + backend.len + 1, server.ptr, server.len);
    }
    return p;
}

static void send_post(struct cluster *c, struct post *p)
{
    pthread_mutex_lock(&c->posts);
    if (c->inbox != NULL) {
        inbox_send(c->inbox, &p->msg);
    } else if (!c->closed) {
        *c->early_end = p;
        c->early_end = &p->next_early;
    } else {
        free(p);
    }
    pthread_mutex_unlock(&c->posts);
}

// A name that is too long for the wire stays a matter of this node.
static bool name_fits(struct str backend, struct str server)
{
    return backend.len > 0 && backend.len + 1 + server.len <= CLUSTER_SERVER_NAME_MAX;
}

void cluster_post_verdict(struct cluster *c, struct str backend, struct str server, struct cluster_local_verdict v)
{
    if (!name_fits(backend, server))
        return;
    struct post *p = make_post(c, POST_VERDICT, backend, server);
    p->verdict = v;
    send_post(c, p);
}

void cluster_post_server_gone(struct cluster *c, struct str backend, struct str server)
{
    if (name_fits(backend, server))
        send_post(c, make_post(c, POST_GONE, backend, server));
}

void cluster_post_admin(struct cluster *c, struct str backend, struct str server, enum admin_field field, int32_t value)
{
    if (!name_fits(backend, server))
        return;
    struct post *p = make_post(c, POST_ADMIN, backend, server);
    p->admin.field = field;
    p->admin.value = value;
    send_post(c, p);
}

void cluster_post_ready(struct cluster *c)
{
    send_post(c, make_post(c, POST_READY, STR_NONE, STR_NONE));
}

void cluster_post_declare(struct cluster *c, enum member_state state)
{
    struct post *p = make_post(c, POST_DECLARE, STR_NONE, STR_NONE);
    p->state = state;
    send_post(c, p);
}

const struct cluster_view *cluster_view_get(struct cluster *c)
{
    return view_take(c->views);
}
