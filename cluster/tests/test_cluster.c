// SPDX-License-Identifier: Apache-2.0
// The service on real threads: two nodes in one process whose links are messages between their loops.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/cluster.h"
#include "node/base/log.h"
#include "node/io/inbox.h"
#include "node/io/worker.h"

#define NODES 2

static struct site {
    unsigned number;
    struct cluster *cluster;
    struct worker *worker;
    atomic_bool voted_down, stopped;
    atomic_int weight;
    atomic_uint saves;
} sites[NODES];

struct carried {
    struct msg msg;
    unsigned from, to;
    size_t len;
    char bytes[];
};

static void on_carried(struct msg *m)
{
    struct carried *p = (struct carried *)m;
    cluster_on_message(sites[p->to].cluster, p->from, str_make(p->bytes, p->len));
    free(p);
}

static bool send_bytes(void *arg, unsigned to, struct str bytes)
{
    struct site *s = arg;
    struct carried *p = malloc(sizeof(*p) + bytes.len);
    *p = (struct carried){.from = s->number, .to = to, .len = bytes.len};
    p->msg.kind = MSG_CALL;
    p->msg.fn = on_carried;
    memcpy(p->bytes, bytes.ptr, bytes.len);
    inbox_send(loop_inbox(sites[to].worker->loop), &p->msg);
    return true;
}

static void drop_carried(struct msg *m)
{
    free(m);
}

static void on_voted_down(void *arg, struct str backend, struct str server, bool down)
{
    struct site *s = arg;
    if (str_is(backend, "app") && str_is(server, "s1"))
        s->voted_down = down;
}

static void on_admin_set(void *arg, struct str backend, struct str server, enum admin_field field, int32_t value)
{
    struct site *s = arg;
    if (field == ADMIN_WEIGHT)
        s->weight = value;
}

static void on_save(void *arg, struct str bytes)
{
    struct site *s = arg;
    s->saves++;
}

static unsigned conns(void *arg)
{
    return 7 + ((struct site *)arg)->number;
}

static void setup_thread(struct worker *w)
{
    struct site *s = w->owner;
    cluster_attach(s->cluster, w);
    cluster_on_link_up(s->cluster, 1 - s->number);
}

static int start(void **state)
{
    static const struct cluster_node_options nodes[NODES] = {{"n1", "127.0.0.1:1", "127.0.0.1:81"},
                                                             {"n2", "127.0.0.1:2", NULL}};
    inbox_discard(MSG_CALL, drop_carried);
    log_set_max_level(LOG_LEVEL_ALERT);
    for (unsigned i = 0; i < NODES; i++) {
        struct site *s = &sites[i];
        *s = (struct site){.number = i, .weight = -1};
        struct cluster_options o = {.name = "edge",
                                    .nodes = nodes,
                                    .node_count = NODES,
                                    .self = i,
                                    .health = HEALTH_QUORUM,
                                    .boot = 1000 + i,
                                    .seed = i,
                                    .wait_ready = i == 1,
                                    .ready_ms = 60000};
        struct cluster_hooks hooks = {
            .arg = s, .voted_down = on_voted_down, .admin_set = on_admin_set, .save_admin = on_save, .conns = conns};
        struct cluster_transport transport = {.arg = s, .send = send_bytes};
        s->cluster = cluster_create(&o, &hooks, &transport);
        s->worker = worker_create(THREAD_CLUSTER, i);
        s->worker->owner = s;
    }
    for (unsigned i = 0; i < NODES; i++)
        assert_int_equal(worker_start(sites[i].worker, setup_thread), 0);
    return 0;
}

static void stop_here(struct msg *m)
{
    struct site *s = worker_self->owner;
    cluster_leave(s->cluster);
    cluster_detach(s->cluster);
    loop_stop(worker_self->loop);
    s->stopped = true;
    free(m);
}

static void stop_site(struct site *s)
{
    struct msg *m = calloc(1, sizeof(*m));
    m->kind = MSG_CALL;
    m->fn = stop_here;
    inbox_send(loop_inbox(s->worker->loop), m);
    worker_join(s->worker);
}

static int stop(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        if (!sites[i].stopped)
            stop_site(&sites[i]);
    for (unsigned i = 0; i < NODES; i++) {
        worker_destroy(&sites[i].worker);
        cluster_destroy(&sites[i].cluster);
    }
    return 0;
}

// Waits for a state, not for a time; the bound is only for a broken build.
static bool wait_for(bool (*cond)(void))
{
    for (int i = 0; i < 3000; i++) {
        if (cond())
            return true;
        usleep(10000);
    }
    return false;
}

static enum member_state seen(unsigned by, unsigned node)
{
    const struct cluster_view *v = cluster_view_get(sites[by].cluster);
    enum member_state state = v->nodes[node].state;
    cluster_view_put(&v);
    return state;
}

static bool joining_is_seen(void)
{
    return seen(0, 1) == MEMBER_JOINING && seen(1, 0) == MEMBER_UP;
}
static bool up_is_seen(void)
{
    return seen(0, 1) == MEMBER_UP;
}
static bool conns_are_seen(void)
{
    const struct cluster_view *v = cluster_view_get(sites[0].cluster);
    bool ok = v->nodes[1].conns == 8 && v->nodes[0].conns == 7 && v->nodes[1].rtt_us >= 0 && v->majority &&
              v->nodes[1].boot == 1001;
    cluster_view_put(&v);
    return ok;
}
static bool vote_is_seen(void)
{
    const struct cluster_view *v = cluster_view_get(sites[0].cluster);
    const uint8_t *votes = cluster_view_votes(v, STR("app"), STR("s1"));
    bool ok = votes && votes[0] == VERDICT_UP && votes[1] == VERDICT_DOWN;
    cluster_view_put(&v);
    return ok;
}
static bool weight_is_set(void)
{
    return sites[1].weight == 33 && sites[0].saves > 0 && sites[1].saves > 0;
}
static bool left_is_seen(void)
{
    return seen(0, 1) == MEMBER_LEFT;
}

static void two_services_find_each_other(void **state)
{
    assert_true(wait_for(joining_is_seen));
    cluster_post_ready(sites[1].cluster);
    assert_true(wait_for(up_is_seen));
    assert_true(wait_for(conns_are_seen));
    const struct cluster_view *v = cluster_view_get(sites[0].cluster);
    assert_string_equal(v->cluster, "edge");
    assert_string_equal(v->nodes[0].addr, "127.0.0.1:81");
    assert_string_equal(v->nodes[1].addr, "");
    assert_null(cluster_view_votes(v, STR("app"), STR("s1")));
    cluster_view_put(&v);
}

static void posts_reach_the_other_node(void **state)
{
    struct cluster_local_verdict up = {.verdict = VERDICT_UP, .usable = true, .inter_ms = 1000};
    struct cluster_local_verdict down = {.verdict = VERDICT_DOWN, .usable = true, .inter_ms = 1000};
    cluster_post_verdict(sites[0].cluster, STR("app"), STR("s1"), up);
    cluster_post_verdict(sites[1].cluster, STR("app"), STR("s1"), down);
    assert_true(wait_for(vote_is_seen));
    assert_false(sites[0].voted_down); // one against one, and the last one
    cluster_post_admin(sites[0].cluster, STR("app"), STR("s1"), ADMIN_WEIGHT, 33);
    assert_true(wait_for(weight_is_set));
    assert_int_equal(sites[0].weight, -1);
    cluster_post_server_gone(sites[0].cluster, STR("app"), STR("s1"));
    cluster_post_ready(sites[1].cluster);
    cluster_post_declare(sites[1].cluster, MEMBER_DRAINING);
}

static void leaving_is_told(void **state)
{
    assert_true(wait_for(joining_is_seen));
    stop_site(&sites[1]);
    assert_true(wait_for(left_is_seen));
    cluster_post_ready(sites[1].cluster); // dropped
}

static void posts_wait_for_the_thread(void **state)
{
    static const struct cluster_node_options node = {"n1", "127.0.0.1:1", ""};
    struct cluster_options o = {.name = "one", .nodes = &node, .node_count = 1, .boot = 1};
    struct cluster *c = cluster_create(&o, &(struct cluster_hooks){0}, &(struct cluster_transport){0});
    cluster_post_declare(c, MEMBER_DRAINED);
    cluster_post_verdict(c, STR("app"), STR("s1"), (struct cluster_local_verdict){.verdict = VERDICT_UP});
    cluster_destroy(&c); // never attached
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_services_find_each_other, start, stop),
        cmocka_unit_test_setup_teardown(posts_reach_the_other_node, start, stop),
        cmocka_unit_test_setup_teardown(leaving_is_told, start, stop),
        cmocka_unit_test(posts_wait_for_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
