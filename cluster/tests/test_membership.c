// SPDX-License-Identifier: Apache-2.0
// Membership in virtual time: a few nodes, messages delivered at once unless a link is cut or a node is stopped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdlib.h>

#include "cluster/membership.h"

#define NODES 24

static struct net {
    unsigned count;
    struct membership *node[NODES];
    bool stopped[NODES];
    bool cut[NODES][NODES]; // from, to
    mono_t now;
    unsigned remakes[NODES];
    uint64_t raised_boot[NODES];
    unsigned deaths; // seen by anybody
} net;

struct packet {
    uint32_t from, to;
    struct member_msg msg;
};
static struct packet queue[65536];
static unsigned queue_head, queue_tail;

static void take_actions(uint32_t from, struct member_actions *acts)
{
    for (unsigned i = 0; i < acts->count; i++) {
        const struct member_action *a = &acts->items[i];
        if (a->kind == MEMBER_ACT_SEND && !net.cut[from][a->node]) {
            queue[queue_tail++ % 65536] = (struct packet){from, a->node, a->msg};
            assert_true(queue_tail - queue_head < 65536);
        } else if (a->kind == MEMBER_ACT_REMAKE) {
            net.remakes[a->node]++;
        } else if (a->kind == MEMBER_ACT_BOOT) {
            net.raised_boot[from] = a->boot;
        } else if (a->kind == MEMBER_ACT_STATE && a->state.to == MEMBER_DEAD) {
            net.deaths++;
        }
    }
    member_actions_free(acts);
}

static void step(uint32_t node, struct member_event ev)
{
    struct member_actions acts = {0};
    membership_step(net.node[node], &ev, net.now, &acts);
    take_actions(node, &acts);
}

static void deliver(void)
{
    while (queue_head != queue_tail) {
        struct packet p = queue[queue_head++ % 65536];
        if (net.node[p.to] != NULL && !net.stopped[p.to])
            step(p.to, (struct member_event){.kind = MEMBER_EV_MESSAGE, .node = p.from, .msg = &p.msg});
    }
}

static void run_ms(unsigned ms)
{
    for (unsigned t = 0; t < ms; t += 10) {
        net.now = mono_add_ms(net.now, 10);
        if (net.now.us / 1000 % MEMBERSHIP_TICK_MS == 0)
            for (unsigned i = 0; i < net.count; i++)
                if (net.node[i] != NULL && !net.stopped[i])
                    step(i, (struct member_event){.kind = MEMBER_EV_TICK});
        deliver();
    }
}

static void start_node(unsigned i, uint64_t boot)
{
    struct membership_options o = {.node_count = net.count, .self = i, .boot = boot, .seed = i + 1};
    if (net.node[i] != NULL)
        membership_destroy(&net.node[i]);
    net.node[i] = membership_create(&o, net.now);
    net.stopped[i] = false;
    step(i, (struct member_event){.kind = MEMBER_EV_DECLARE, .state = MEMBER_UP});
}

static void start(unsigned count)
{
    net = (struct net){.count = count, .now = {1000000}};
    queue_head = queue_tail = 0;
    for (unsigned i = 0; i < count; i++)
        start_node(i, 100);
}

static int stop(void **state)
{
    for (unsigned i = 0; i < NODES; i++)
        if (net.node[i] != NULL)
            membership_destroy(&net.node[i]);
    return 0;
}

static enum member_state seen(unsigned by, unsigned node)
{
    return membership_state(net.node[by], node);
}

static void cut_both(unsigned a, unsigned b, bool cut)
{
    net.cut[a][b] = net.cut[b][a] = cut;
}

static void all_find_each_other(void **state)
{
    start(3);
    assert_int_equal(seen(0, 1), MEMBER_UNKNOWN);
    assert_int_equal(seen(0, 0), MEMBER_UP);
    assert_false(membership_majority(net.node[0]));
    run_ms(500);
    for (unsigned a = 0; a < 3; a++)
        for (unsigned b = 0; b < 3; b++)
            assert_int_equal(seen(a, b), MEMBER_UP);
    assert_true(membership_majority(net.node[0]));
    struct member_info info;
    membership_get(net.node[0], 1, &info);
    assert_int_equal(info.boot, 100);
    assert_int_equal(info.rtt_us, 0);
}

static void a_crash_is_known_in_time(void **state)
{
    start(3);
    run_ms(1000);
    net.stopped[2] = true;
    run_ms(500);
    assert_int_equal(seen(0, 2), MEMBER_UP);
    run_ms(350);
    assert_int_equal(seen(0, 2), MEMBER_SUSPECT);
    assert_int_equal(seen(1, 2), MEMBER_SUSPECT);
    run_ms(550);
    assert_int_equal(seen(0, 2), MEMBER_DEAD);
    assert_int_equal(seen(1, 2), MEMBER_DEAD);
    assert_true(net.remakes[2] >= 2);
    assert_true(membership_majority(net.node[0]));
    net.stopped[1] = true;
    run_ms(1500);
    assert_false(membership_majority(net.node[0]));
}

static void a_new_life_replaces_the_dead(void **state)
{
    start(3);
    run_ms(1000);
    net.stopped[2] = true;
    run_ms(2000);
    start_node(2, 200);
    run_ms(1500);
    for (unsigned a = 0; a < 3; a++)
        assert_int_equal(seen(a, 2), MEMBER_UP);
    struct member_info info;
    membership_get(net.node[0], 2, &info);
    assert_int_equal(info.boot, 200);
}

static void a_forgotten_boot_is_raised(void **state)
{
    start(3);
    run_ms(1000);
    start_node(2, 7); // its saved boot was lost and its clock is wrong
    run_ms(1000);
    assert_int_equal(net.raised_boot[2], 101);
    assert_int_equal(seen(0, 2), MEMBER_UP);
    assert_int_equal(net.deaths, 0);
}

static void a_short_pause_is_no_death(void **state)
{
    start(3);
    run_ms(1000);
    for (unsigned n = 0; n < 20; n++) {
        net.stopped[n % 3] = true;
        run_ms(500);
        net.stopped[n % 3] = false;
        run_ms(200);
    }
    run_ms(1000);
    assert_int_equal(net.deaths, 0);
    assert_int_equal(seen(0, 1), MEMBER_UP);
}

static void one_broken_link_is_no_death(void **state)
{
    start(3);
    run_ms(1000);
    cut_both(0, 1, true);
    run_ms(10000);
    assert_int_equal(net.deaths, 0);
    assert_int_equal(seen(0, 1), MEMBER_UP);
    assert_int_equal(seen(1, 0), MEMBER_UP);
}

static void a_link_that_carries_one_way_is_no_death(void **state)
{
    start(3);
    run_ms(1000);
    net.cut[0][1] = true;
    run_ms(10000);
    assert_int_equal(net.deaths, 0);
}

static void a_healed_cut_ends_in_agreement(void **state)
{
    start(5);
    run_ms(1000);
    for (unsigned a = 0; a < 2; a++)
        for (unsigned b = 2; b < 5; b++)
            cut_both(a, b, true);
    run_ms(3000);
    assert_int_equal(seen(0, 4), MEMBER_DEAD);
    assert_int_equal(seen(4, 0), MEMBER_DEAD);
    assert_int_equal(seen(4, 3), MEMBER_UP);
    assert_false(membership_majority(net.node[0]));
    assert_true(membership_majority(net.node[4]));
    for (unsigned a = 0; a < 2; a++)
        for (unsigned b = 2; b < 5; b++)
            cut_both(a, b, false);
    run_ms(3000);
    for (unsigned a = 0; a < 5; a++)
        for (unsigned b = 0; b < 5; b++)
            assert_int_equal(seen(a, b), MEMBER_UP);
}

static void leaving_is_not_dying(void **state)
{
    start(3);
    run_ms(1000);
    step(1, (struct member_event){.kind = MEMBER_EV_DECLARE, .state = MEMBER_LEFT});
    deliver();
    net.stopped[1] = true;
    run_ms(100);
    assert_int_equal(seen(0, 1), MEMBER_LEFT);
    run_ms(5000);
    assert_int_equal(seen(0, 1), MEMBER_LEFT);
    assert_int_equal(net.deaths, 0);
    assert_true(membership_majority(net.node[0]));
    start_node(1, 300);
    run_ms(1000);
    assert_int_equal(seen(0, 1), MEMBER_UP);
}

static void own_states_are_told(void **state)
{
    static const enum member_state states[] = {MEMBER_DRAINING, MEMBER_DRAINED, MEMBER_MAINTENANCE, MEMBER_UP};
    start(3);
    run_ms(1000);
    for (unsigned i = 0; i < 4; i++) {
        step(2, (struct member_event){.kind = MEMBER_EV_DECLARE, .state = states[i]});
        deliver();
        assert_int_equal(seen(0, 2), states[i]);
        assert_int_equal(seen(1, 2), states[i]);
        assert_true(membership_majority(net.node[0]));
    }
    step(2, (struct member_event){.kind = MEMBER_EV_INFO, .info = {.conns = 77, .isolated = true}});
    run_ms(400);
    struct member_info info;
    membership_get(net.node[0], 2, &info);
    assert_int_equal(info.conns, 77);
    assert_true(info.isolated);
}

// After a long sleep the first thing a node sees is silence: it must read before it judges.
static void a_late_loop_reads_before_it_judges(void **state)
{
    start(3);
    run_ms(1000);
    net.stopped[0] = true;
    run_ms(3000);
    net.stopped[0] = false;
    step(0, (struct member_event){.kind = MEMBER_EV_LATE, .late_ms = 3000});
    net.deaths = 0;
    step(0, (struct member_event){.kind = MEMBER_EV_TICK});
    assert_int_equal(seen(0, 1), MEMBER_UP);
    deliver();
    step(0, (struct member_event){.kind = MEMBER_EV_DRAINED});
    run_ms(1000);
    assert_int_equal(net.deaths, 0);
    assert_int_equal(seen(1, 0), MEMBER_UP);
}

static void a_lost_carrier_asks_at_once(void **state)
{
    start(3);
    run_ms(1000);
    struct member_actions acts = {0};
    membership_step(net.node[0], &(struct member_event){.kind = MEMBER_EV_LINK_DOWN, .node = 1}, net.now, &acts);
    unsigned pings = 0, indirect = 0;
    for (unsigned i = 0; i < acts.count; i++) {
        assert_int_equal(acts.items[i].kind, MEMBER_ACT_SEND);
        pings += acts.items[i].msg.kind == CMSG_PING;
        indirect += acts.items[i].msg.kind == CMSG_PING_REQ;
    }
    assert_int_equal(pings, 1);
    assert_int_equal(indirect, 1); // there is but one other
    assert_int_equal(seen(0, 1), MEMBER_UP);
    member_actions_free(&acts);
}

static void many_nodes_probe_at_random(void **state)
{
    start(NODES);
    run_ms(8000);
    for (unsigned a = 0; a < NODES; a++)
        for (unsigned b = 0; b < NODES; b++)
            assert_int_equal(seen(a, b), MEMBER_UP);
    assert_int_equal(net.deaths, 0);
    net.stopped[5] = true;
    run_ms(1500);
    for (unsigned a = 0; a < NODES; a++)
        if (a != 5)
            assert_int_equal(seen(a, 5), MEMBER_DEAD);
    start_node(5, 101);
    run_ms(3000);
    for (unsigned a = 0; a < NODES; a++)
        for (unsigned b = 0; b < NODES; b++)
            assert_int_equal(seen(a, b), MEMBER_UP);
}

static void nonsense_is_counted_not_believed(void **state)
{
    start(3);
    run_ms(1000);
    struct member_msg msg = {
        .kind = CMSG_GOSSIP, .self = {.node = 1, .declared = MEMBER_UP, .boot = 100, .refutation = 50}, .count = 3};
    msg.entries[0] = (struct member_entry){.node = 99, .declared = MEMBER_UP, .boot = 1};
    msg.entries[1] = (struct member_entry){.node = 2, .declared = MEMBER_DEAD, .boot = 100};
    msg.entries[2] =
        (struct member_entry){.node = 2, .declared = MEMBER_JOINING, .boot = 100, .refutation = 9}; // was up
    step(0, (struct member_event){.kind = MEMBER_EV_MESSAGE, .node = 1, .msg = &msg});
    assert_int_equal(membership_bad_messages(net.node[0]), 3);
    assert_int_equal(seen(0, 2), MEMBER_UP);
    msg.self.node = 2; // another's name
    step(0, (struct member_event){.kind = MEMBER_EV_MESSAGE, .node = 1, .msg = &msg});
    assert_int_equal(membership_bad_messages(net.node[0]), 4);
}

static void a_forgotten_member_counts_for_nothing(void **state)
{
    start(3);
    run_ms(1000);
    net.stopped[1] = net.stopped[2] = true;
    run_ms(2000);
    assert_false(membership_majority(net.node[0]));
    membership_forget(net.node[0], 1);
    membership_forget(net.node[0], 2);
    assert_true(membership_majority(net.node[0]));
    assert_int_equal(membership_add(net.node[0], net.now), 3);
    assert_false(membership_majority(net.node[0]));
    run_ms(400);
}

#define TEST(fn) cmocka_unit_test_teardown(fn, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_find_each_other),
        TEST(a_crash_is_known_in_time),
        TEST(a_new_life_replaces_the_dead),
        TEST(a_forgotten_boot_is_raised),
        TEST(a_short_pause_is_no_death),
        TEST(one_broken_link_is_no_death),
        TEST(a_link_that_carries_one_way_is_no_death),
        TEST(a_healed_cut_ends_in_agreement),
        TEST(leaving_is_not_dying),
        TEST(own_states_are_told),
        TEST(a_late_loop_reads_before_it_judges),
        TEST(a_lost_carrier_asks_at_once),
        TEST(many_nodes_probe_at_random),
        TEST(nonsense_is_counted_not_believed),
        TEST(a_forgotten_member_counts_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
