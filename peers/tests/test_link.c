// SPDX-License-Identifier: Apache-2.0
// Links between nodes in one process over loopback: messages arrive, lost carriers are remade, strangers do no harm.
// Waits are for conditions; nothing sleeps for a fixed time.
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

#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "peers/link.h"

#define NODES   3
#define BOUND   10000000 // µs for any condition: generous
#define BIGGEST LINK_MESSAGE_MAX

struct node {
    unsigned self;
    struct worker *worker;
    struct links *links;
    struct gate *gate;
    uint64_t boot;
    _Atomic unsigned ups[NODES], downs[NODES], received[NODES], refused_sends;
    _Atomic uint64_t peer_boot[NODES], bytes;
    _Atomic bool damaged, reject;
    struct link_node nodes[NODES];
};

static char dir[100];
static struct node world[NODES];
static const char *const names[NODES] = {"n1", "n2", "n3"};

static void on_up(void *arg, unsigned node, uint64_t boot, uint64_t received)
{
    struct node *n = arg;
    n->peer_boot[node] = boot;
    n->ups[node]++;
}

static void on_down(void *arg, unsigned node)
{
    ((struct node *)arg)->downs[node]++;
}

static bool on_message(void *arg, unsigned node, struct str bytes)
{
    struct node *n = arg;
    for (size_t i = 1; i < bytes.len; i++)
        n->damaged |= bytes.ptr[i] != bytes.ptr[0];
    n->bytes += bytes.len;
    n->received[node]++;
    return !n->reject;
}

static void attach(struct worker *w)
{
    struct node *n = w->owner;
    links_attach(n->links, w->loop);
    if (n->gate)
        gate_attach(n->gate, w->loop);
}

static uint16_t ports[NODES];

static void start(unsigned i)
{
    struct node *n = &world[i];
    static uint64_t boots = 1000;
    memset(n, 0, sizeof(*n));
    n->self = i;
    n->boot = ++boots;
    for (unsigned j = 0; j < NODES; j++) {
        n->nodes[j] = (struct link_node){.name = names[j], .addr.kind = ADDR_INET};
        inet_parse(STR("127.0.0.1"), &n->nodes[j].addr.inet);
        inet_set_port(&n->nodes[j].addr.inet, ports[j]);
    }
    struct link_options o = {
        .cluster = "edge", .nodes = n->nodes, .node_count = NODES, .self = i, .boot = n->boot, .dir = dir};
    struct link_events e = {.arg = n, .up = on_up, .down = on_down, .message = on_message};
    n->links = links_create(&o, LINK_CONTROL, &e);
    struct gate_options g = {.addrs = &n->nodes[i].addr, .addr_count = 1, .links = {[LINK_CONTROL] = n->links}};
    n->gate = gate_create(&g, NULL);
    assert_non_null(n->gate);
    struct inet_addr a;
    assert_true(gate_addr(n->gate, 0, &a));
    ports[i] = inet_port(&a);
    n->worker = worker_create(THREAD_CLUSTER, i);
    n->worker->owner = n;
    assert_int_equal(worker_start(n->worker, attach), 0);
}

struct call {
    struct msg msg;
    struct node *node;
    unsigned to;
    struct str bytes;
    unsigned count;
    bool reset;
    _Atomic bool done;
};

static void run(struct node *n, struct call *c, msg_fn *fn)
{
    c->msg = (struct msg){.kind = MSG_CALL, .fn = fn};
    c->node = n;
    c->done = false;
    inbox_send(loop_inbox(n->worker->loop), &c->msg);
    while (!c->done)
        usleep(100);
}

static void do_stop(struct msg *m)
{
    struct call *c = (void *)m;
    struct node *n = c->node;
    links_detach(n->links);
    if (n->gate)
        gate_detach(n->gate);
    loop_stop(n->worker->loop);
    c->done = true;
}

static void stop(unsigned i)
{
    struct call c = {.count = 0};
    run(&world[i], &c, do_stop);
    worker_join(world[i].worker);
    gate_destroy(&world[i].gate);
    links_destroy(&world[i].links);
    worker_destroy(&world[i].worker);
}

static void do_send(struct msg *m)
{
    struct call *c = (void *)m;
    for (unsigned i = 0; i < c->count; i++)
        if (!links_send(c->node->links, c->to, c->bytes))
            c->node->refused_sends++;
    c->done = true;
}

static void send_to(unsigned from, unsigned to, struct str bytes, unsigned count)
{
    struct call c = {.to = to, .bytes = bytes, .count = count};
    run(&world[from], &c, do_send);
}

static void do_remake(struct msg *m)
{
    struct call *c = (void *)m;
    links_remake(c->node->links, c->to);
    c->done = true;
}

#define WAIT_FOR(cond)                                                                                                 \
    do {                                                                                                               \
        int64_t limit = mono_now().us + BOUND;                                                                         \
        while (!(cond) && mono_now().us < limit)                                                                       \
            usleep(1000);                                                                                              \
        if (!(cond))                                                                                                   \
            fail_msg("never came true: %s", #cond);                                                                    \
    } while (0)

static void start_all(void)
{
    // Ports are chosen by the kernel: the first start only finds free ones.
    memset(ports, 0, sizeof(ports));
    for (unsigned i = 0; i < NODES; i++)
        start(i);
    for (unsigned i = 0; i < NODES; i++)
        stop(i);
    for (unsigned i = 0; i < NODES; i++)
        start(i);
}

static void wait_for_mesh(void)
{
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned j = 0; j < NODES; j++)
            if (i != j)
                WAIT_FOR(world[i].ups[j] > world[i].downs[j]);
}

static int begin(void **state)
{
    assert_int_equal(link_dir_create(NULL, dir, sizeof(dir)), 0);
    start_all();
    wait_for_mesh();
    return 0;
}

static int end(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        if (world[i].worker)
            stop(i);
    link_dir_remove(dir);
    assert_int_not_equal(access(dir, F_OK), 0); // no endpoint was left behind
    return 0;
}

static void messages_arrive(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned j = 0; j < NODES; j++)
            if (i != j) {
                assert_int_equal(world[i].peer_boot[j], world[j].boot);
                send_to(i, j, STR("aaaaa"), 100);
                WAIT_FOR(world[j].received[i] == 100);
            }
    char *big = malloc(BIGGEST);
    memset(big, 'x', BIGGEST);
    send_to(0, 2, str_make(big, BIGGEST), 1);
    WAIT_FOR(world[2].received[0] == 101);
    assert_false(world[2].damaged);
    free(big);
}

static void a_full_queue_refuses(void **state)
{
    char bytes[8192];
    memset(bytes, 'y', sizeof(bytes));
    send_to(0, 1, str_make(bytes, sizeof(bytes)), 10000); // 80 MB at once
    assert_in_range(world[0].refused_sends, 1, 9999);
    unsigned sent = 10000 - world[0].refused_sends;
    WAIT_FOR(world[1].received[0] == sent);
    assert_false(world[1].damaged);
}

static void a_restart_is_noticed(void **state)
{
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 2; i++) { // one that dials, one that is dialed
            uint64_t before = world[i].boot;
            unsigned other = i + 1;
            stop(i);
            WAIT_FOR(world[other].downs[i] == world[other].ups[i]);
            start(i);
            WAIT_FOR(world[other].ups[i] > world[other].downs[i]);
            assert_int_not_equal(world[other].peer_boot[i], before);
            wait_for_mesh();
            unsigned had = world[other].received[i];
            send_to(i, other, STR("bbb"), 5);
            WAIT_FOR(world[other].received[i] == had + 5);
        }
    }
}

static void a_link_is_remade(void **state)
{
    for (unsigned i = 0; i < 2; i++) { // by either end
        unsigned ups = world[0].ups[1];
        struct call c = {.to = 1 - i};
        run(&world[i], &c, do_remake);
        WAIT_FOR(world[0].ups[1] == ups + 1);
        wait_for_mesh();
        send_to(1, 0, STR("zz"), 1);
    }
}

static void a_bad_message_ends_the_carrier(void **state)
{
    unsigned ups = world[1].ups[0];
    world[1].reject = true;
    send_to(0, 1, STR("ccc"), 1);
    WAIT_FOR(world[1].downs[0] >= 1);
    world[1].reject = false;
    WAIT_FOR(world[1].ups[0] > ups);
    wait_for_mesh();
}

// ---- strangers

static int knock(unsigned node)
{
    struct addr a = {.kind = ADDR_INET};
    bool in_progress;
    inet_parse(STR("127.0.0.1"), &a.inet);
    inet_set_port(&a.inet, ports[node]);
    int fd = sock_connect(&a, NULL, &in_progress);
    assert_true(fd >= 0);
    return fd;
}

static void strangers_do_no_harm(void **state)
{
    uint64_t accepted = gate_stats(world[1].gate).accepted;
    int fds[300];
    for (unsigned i = 0; i < 300; i++) // connect and say nothing
        fds[i] = knock(1);
    WAIT_FOR(gate_stats(world[1].gate).crowded + gate_stats(world[1].gate).refused >= 200);
    struct call c = {.to = 1};
    unsigned ups = world[0].ups[1];
    run(&world[0], &c, do_remake); // who is expected still comes in
    WAIT_FOR(world[0].ups[1] > ups);
    for (unsigned i = 0; i < 300; i++)
        close(fds[i]);
    uint64_t refused = gate_stats(world[1].gate).refused;
    for (unsigned i = 0; i < 200; i++) { // connect and close, or talk rubbish
        int fd = knock(1);
        if (i & 1)
            (void)!write(fd, "\0SP\0\0\x10\0\0", 8);
        close(fd);
    }
    WAIT_FOR(gate_stats(world[1].gate).refused >= refused + 100);
    int slow = knock(1); // one byte, then silence
    (void)!write(slow, "P", 1);
    refused = gate_stats(world[1].gate).refused;
    WAIT_FOR(gate_stats(world[1].gate).refused > refused);
    close(slow);
    assert_int_equal(gate_stats(world[1].gate).accepted, accepted + 1);
    wait_for_mesh();
    unsigned had = world[1].received[0];
    send_to(0, 1, STR("ddd"), 3);
    WAIT_FOR(world[1].received[0] == had + 3);
}

#include "peers/hello.h"

// Somebody with the right words but nothing behind them takes the link's place; its node gets it back.
static void an_impostor_is_replaced(void **state)
{
    struct hello h = {.version = HELLO_VERSION,
                      .cluster = STR("edge"),
                      .from = STR("n1"),
                      .to = STR("n2"),
                      .class = LINK_CONTROL,
                      .boot = 5};
    struct buf b = BUF_INIT;
    hello_encode(&h, &b);
    unsigned ups = world[1].ups[0];
    int fd = knock(1);
    while (write(fd, b.data, b.len) < 0)
        usleep(1000);
    WAIT_FOR(world[0].downs[1] > 0);
    WAIT_FOR(world[1].ups[0] > ups);
    wait_for_mesh();
    close(fd);
    h.from = STR("n3"); // has the higher name: is called, does not call
    buf_clear(&b);
    hello_encode(&h, &b);
    uint64_t refused = gate_stats(world[1].gate).refused;
    fd = knock(1);
    while (write(fd, b.data, b.len) < 0)
        usleep(1000);
    WAIT_FOR(gate_stats(world[1].gate).refused > refused);
    close(fd);
    buf_free(&b);
}

static void only_loopback_without_tls(void **state)
{
    struct addr a = {.kind = ADDR_INET};
    inet_parse(STR("127.1.2.3"), &a.inet);
    assert_true(link_addr_is_safe(&a));
    inet_parse(STR("::1"), &a.inet);
    assert_true(link_addr_is_safe(&a));
    inet_parse(STR("0.0.0.0"), &a.inet);
    assert_false(link_addr_is_safe(&a));
    inet_parse(STR("192.0.2.1"), &a.inet);
    assert_false(link_addr_is_safe(&a));
    unsigned failed = 9;
    assert_null(gate_create(&(struct gate_options){.addrs = &a, .addr_count = 1}, &failed));
    assert_int_equal(failed, 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_arrive, begin, end),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses, begin, end),
        cmocka_unit_test_setup_teardown(a_restart_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(a_link_is_remade, begin, end),
        cmocka_unit_test_setup_teardown(a_bad_message_ends_the_carrier, begin, end),
        cmocka_unit_test_setup_teardown(strangers_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(an_impostor_is_replaced, begin, end),
        cmocka_unit_test(only_loopback_without_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
