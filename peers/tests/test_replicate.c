// SPDX-License-Identifier: Apache-2.0
// Replication between nodes in one process over loopback: changes arrive, a node that starts learns all, restarts and
// lost links leave the sums exact. Waits are for conditions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "peers/replicate.h"

#define NODES 3
#define BOUND 20000000 // µs for any condition: generous

struct node {
    struct worker *worker;
    struct replicate *replicate;
    struct gate *gate;
    struct table *table;
    _Atomic unsigned synced;
};

static char dir[100];
static struct node world[NODES];
static const char *const names[NODES] = {"n1", "n2", "n3"};
static uint16_t ports[NODES];
static struct cfg_table config;

static void on_synced(void *arg)
{
    ((struct node *)arg)->synced++;
}

static void attach(struct worker *w)
{
    struct node *n = w->owner;
    replicate_attach(n->replicate, w);
    gate_attach(n->gate, w->loop);
}

static void start(unsigned i)
{
    struct node *n = &world[i];
    static uint64_t boots;
    struct link_node nodes[NODES];
    if (boots == 0)
        boots = (uint64_t)wall_now_us();
    memset(n, 0, sizeof(*n));
    for (unsigned j = 0; j < NODES; j++) {
        nodes[j] = (struct link_node){.name = names[j], .addr.kind = ADDR_INET};
        inet_parse(STR("127.0.0.1"), &nodes[j].addr.inet);
        inet_set_port(&nodes[j].addr.inet, ports[j]);
    }
    struct replicate_options o = {.arg = n, .synced = on_synced};
    o.link = (struct link_options){
        .cluster = "edge", .nodes = nodes, .node_count = NODES, .self = i, .boot = ++boots, .dir = dir};
    n->replicate = replicate_create(&o);
    struct gate_options g = {
        .addrs = &nodes[i].addr, .addr_count = 1, .links = {[LINK_BULK] = replicate_links(n->replicate)}};
    n->gate = gate_create(&g, NULL);
    assert_non_null(n->gate);
    struct inet_addr a;
    assert_true(gate_addr(n->gate, 0, &a));
    ports[i] = inet_port(&a);
    n->table = table_create(STR("app"), &config);
    replicate_set_tables(n->replicate, &n->table, 1);
    n->worker = worker_create(THREAD_SYNC, i);
    n->worker->owner = n;
    assert_int_equal(worker_start(n->worker, attach), 0);
}

struct call {
    struct msg msg;
    struct node *node;
    unsigned to;
    _Atomic bool done;
};

static void run(unsigned node, struct call *c, msg_fn *fn)
{
    c->msg = (struct msg){.kind = MSG_CALL, .fn = fn};
    c->node = &world[node];
    inbox_send(loop_inbox(world[node].worker->loop), &c->msg);
    while (!c->done)
        usleep(100);
}

static void do_stop(struct msg *m)
{
    struct call *c = (void *)m;
    struct node *n = c->node;
    replicate_detach(n->replicate);
    gate_detach(n->gate);
    loop_stop(n->worker->loop);
    c->done = true;
}

static void do_remake(struct msg *m)
{
    struct call *c = (void *)m;
    links_remake(replicate_links(c->node->replicate), c->to);
    c->done = true;
}

static void stop(unsigned i)
{
    struct call c = {.to = 0};
    run(i, &c, do_stop);
    worker_join(world[i].worker);
    gate_destroy(&world[i].gate);
    replicate_destroy(&world[i].replicate);
    worker_destroy(&world[i].worker);
    table_unref(&world[i].table);
}

#define WAIT_FOR(cond)                                                                                                 \
    do {                                                                                                               \
        int64_t limit = mono_now().us + BOUND;                                                                         \
        while (!(cond) && mono_now().us < limit)                                                                       \
            usleep(1000);                                                                                              \
        if (!(cond))                                                                                                   \
            fail_msg("never came true: %s", #cond);                                                                    \
    } while (0)

static int begin(void **state)
{
    config = (struct cfg_table){.key = TKEY_IPV4, .size = 200000, .expire_ms = 3600000};
    config.data[TD_GPC0].on = config.data[TD_HTTP_REQ_CNT].on = config.data[TD_CONN_CUR].on = true;
    config.data[TD_HTTP_REQ_RATE].on = true;
    config.data[TD_HTTP_REQ_RATE].period_ms = 100000;
    assert_int_equal(link_dir_create(NULL, dir, sizeof(dir)), 0);
    memset(ports, 0, sizeof(ports));
    for (unsigned i = 0; i < NODES; i++) // to learn free ports
        start(i);
    for (unsigned i = 0; i < NODES; i++)
        stop(i);
    return 0;
}

static int end(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        if (world[i].worker)
            stop(i);
    link_dir_remove(dir);
    assert_int_not_equal(access(dir, F_OK), 0);
    return 0;
}

static void add(unsigned node, uint32_t key, enum table_data d, int64_t n)
{
    struct table_entry *e = table_get(world[node].table, str_make((char *)&key, 4), mono_now());
    assert_non_null(e);
    assert_true(table_add(world[node].table, e, d, 0, n, mono_now()));
    table_release(world[node].table, &e);
}

static int64_t sum(unsigned node, uint32_t key, enum table_data d)
{
    int64_t v = -1;
    struct table_entry *e = table_find(world[node].table, str_make((char *)&key, 4), mono_now());
    if (e)
        table_read(world[node].table, e, d, 0, mono_now(), &v);
    table_release(world[node].table, &e);
    return v;
}

static bool linked(unsigned a, unsigned b)
{
    struct replicate_peer_status s;
    return replicate_peer_status(world[a].replicate, b, &s) && s.up && s.synced;
}

static void changes_arrive(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        start(i);
    for (unsigned i = 0; i < NODES; i++) {
        add(i, 1, TD_GPC0, 1 + i);
        add(i, 1, TD_HTTP_REQ_RATE, 5);
    }
    for (unsigned i = 0; i < NODES; i++) {
        WAIT_FOR(sum(i, 1, TD_GPC0) == 6);
        WAIT_FOR(sum(i, 1, TD_HTTP_REQ_RATE) == 15);
        WAIT_FOR(linked(i, (i + 1) % NODES) && linked(i, (i + 2) % NODES));
        WAIT_FOR(world[i].synced == 1);
    }
    uint32_t key = 1;
    struct table_entry *e = table_get(world[2].table, str_make((char *)&key, 4), mono_now());
    table_set_server(world[2].table, e, STR("web7"), mono_now());
    table_release(world[2].table, &e);
    char name[16] = "";
    e = table_get(world[0].table, str_make((char *)&key, 4), mono_now());
    WAIT_FOR(table_get_server(world[0].table, e, name, sizeof(name), mono_now()));
    assert_string_equal(name, "web7");
    table_release(world[0].table, &e);
    assert_true(table_delete(world[1].table, str_make((char *)&key, 4), mono_now()));
    for (unsigned i = 0; i < NODES; i++)
        WAIT_FOR(sum(i, 1, TD_GPC0) == -1);
    for (unsigned i = 0; i < NODES; i++)
        assert_int_equal(replicate_status(world[i].replicate).bad, 0);
}

#define MANY 50000

static void a_node_that_starts_learns_all(void **state)
{
    start(0);
    start(1);
    for (uint32_t k = 0; k < MANY; k++)
        add(k & 1, k, TD_GPC0, k);
    start(2);
    WAIT_FOR(world[2].synced == 1);
    WAIT_FOR(linked(2, 0) && linked(2, 1) && table_count(world[2].table) == MANY);
    for (uint32_t k = 0; k < MANY; k += 97)
        WAIT_FOR(sum(2, k, TD_GPC0) == k);
}

static void restarts_inflate_nothing(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        start(i);
    for (uint32_t k = 0; k < 500; k++) {
        add(0, k, TD_GPC0, 10);
        add(1, k, TD_GPC0, 1);
        add(0, k, TD_CONN_CUR, 1);
    }
    WAIT_FOR(sum(2, 499, TD_GPC0) == 11 && sum(1, 499, TD_GPC0) == 11);
    for (unsigned round = 0; round < 3; round++) {
        stop(0);
        start(0);
        add(0, 3, TD_GPC0, 1); // at once, before it learned
        WAIT_FOR(linked(0, 1) && linked(0, 2));
        for (unsigned i = 0; i < NODES; i++) {
            WAIT_FOR(sum(i, 3, TD_GPC0) == 12 + round);
            WAIT_FOR(sum(i, 4, TD_GPC0) == 11);
            WAIT_FOR(sum(i, 3, TD_CONN_CUR) == 0); // of an earlier life
        }
    }
}

static void lost_links_lose_nothing(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        start(i);
    WAIT_FOR(linked(0, 1));
    for (uint32_t round = 0; round < 20; round++) {
        struct call c = {.to = 1};
        for (uint32_t k = 0; k < 200; k++) {
            add(0, k, TD_GPC0, 1);
            add(1, k, TD_GPC0, 1);
        }
        run(0, &c, do_remake);
    }
    for (unsigned i = 0; i < NODES; i++)
        for (uint32_t k = 0; k < 200; k++)
            WAIT_FOR(sum(i, k, TD_GPC0) == 40);
}

static void the_dead_have_no_connections(void **state)
{
    start(0);
    start(1);
    add(0, 1, TD_CONN_CUR, 2);
    add(1, 1, TD_CONN_CUR, 1);
    WAIT_FOR(sum(1, 1, TD_CONN_CUR) == 3);
    replicate_post_node(world[1].replicate, 0, false, 0);
    WAIT_FOR(sum(1, 1, TD_CONN_CUR) == 1);
    WAIT_FOR(linked(1, 0)); // the link was remade: it lives
    WAIT_FOR(sum(1, 1, TD_CONN_CUR) == 3);
}

static void a_later_life_is_taken_over(void **state)
{
    start(0);
    start(1);
    add(0, 1, TD_GPC0, 4);
    WAIT_FOR(sum(1, 1, TD_GPC0) == 4);
    replicate_post_boot(world[0].replicate, (uint64_t)wall_now_us() + 1000000);
    add(0, 1, TD_GPC0, 1);
    add(0, 2, TD_GPC0, 1);
    WAIT_FOR(sum(1, 2, TD_GPC0) == 1);
    WAIT_FOR(sum(1, 1, TD_GPC0) == 5);
    assert_int_equal(sum(0, 1, TD_GPC0), 5);
}

static void tables_come_and_go(void **state)
{
    start(0);
    start(1);
    struct cfg_table other = {.key = TKEY_STR, .key_len = 20, .size = 100};
    other.data[TD_GPT0].on = true;
    struct table *more[2][2];
    for (unsigned i = 0; i < 2; i++) {
        more[i][0] = table_create(STR("late"), &other);
        more[i][1] = world[i].table;
    }
    struct table_entry *e = table_get(more[0][0], STR("key"), mono_now());
    table_set(more[0][0], e, TD_GPT0, 0, 9, mono_now());
    table_release(more[0][0], &e);
    add(0, 7, TD_GPC0, 1);
    replicate_set_tables(world[0].replicate, more[0], 2);
    replicate_set_tables(world[1].replicate, more[1], 2);
    WAIT_FOR(table_count(more[1][0]) == 1);
    e = table_find(more[1][0], STR("key"), mono_now());
    int64_t v = 0;
    WAIT_FOR(table_read(more[1][0], e, TD_GPT0, 0, mono_now(), &v) && v == 9);
    table_release(more[1][0], &e);
    WAIT_FOR(sum(1, 7, TD_GPC0) == 1);
    for (unsigned i = 0; i < 2; i++) {
        replicate_set_tables(world[i].replicate, &more[i][1], 1);
        table_unref(&more[i][0]);
    }
    add(1, 7, TD_GPC0, 1);
    WAIT_FOR(sum(0, 7, TD_GPC0) == 2);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_arrive, begin, end),
        cmocka_unit_test_setup_teardown(a_node_that_starts_learns_all, begin, end),
        cmocka_unit_test_setup_teardown(restarts_inflate_nothing, begin, end),
        cmocka_unit_test_setup_teardown(lost_links_lose_nothing, begin, end),
        cmocka_unit_test_setup_teardown(the_dead_have_no_connections, begin, end),
        cmocka_unit_test_setup_teardown(a_later_life_is_taken_over, begin, end),
        cmocka_unit_test_setup_teardown(tables_come_and_go, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
