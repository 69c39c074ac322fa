// SPDX-License-Identifier: Apache-2.0
// Shared health: votes, freshness, the last passing server, isolation.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdio.h>

#include "cluster/health.h"

static struct health *h;
static struct health_actions acts;
static mono_t now;
static uint64_t seq;

static void start(enum health_mode mode)
{
    now = (mono_t){1000000};
    h = health_create(0, mode, 10);
}

static int stop(void **state)
{
    health_actions_free(&acts);
    health_destroy(&h);
    return 0;
}

static void step(struct health_event ev)
{
    acts.count = 0;
    health_step(h, &ev, now, &acts);
}

static void tick(unsigned ms)
{
    now = mono_add_ms(now, ms);
    // All backends age within ten ticks.
    for (int i = 0; i < 11; i++)
        step((struct health_event){.kind = HEALTH_EV_TICK});
}

static void own(const char *name, enum verdict v)
{
    step((struct health_event){
        .kind = HEALTH_EV_LOCAL, .usable = true, .report = {.name = str_of(name), .verdict = v, .inter_ms = 1000}});
}

static void report(uint32_t node, const char *name, enum verdict v)
{
    step((struct health_event){.kind = HEALTH_EV_REPORT,
                               .node = node,
                               .boot = 5,
                               .report = {.name = str_of(name), .verdict = v, .inter_ms = 1000, .seq = ++seq}});
}

static bool down(const char *name)
{
    return health_effective_down(h, str_of(name));
}

static unsigned count_acts(enum health_action_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < acts.count; i++)
        n += acts.items[i].kind == kind;
    return n;
}

static void quorum_is_a_strict_majority(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_UP);
    own("app/s2", VERDICT_UP);
    report(1, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_false(down("app/s1")); // a tie: own verdict
    report(2, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_true(down("app/s1"));
    assert_false(down("app/s2"));
    report(3, "app/s1", VERDICT_UP);
    tick(0);
    assert_false(down("app/s1"));
    own("app/s1", VERDICT_DOWN); // its own word is enough
    assert_true(down("app/s1"));
}

static void any_needs_one_and_local_none(void **state)
{
    start(HEALTH_ANY);
    own("app/s1", VERDICT_UP);
    own("app/s2", VERDICT_UP);
    report(1, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_true(down("app/s1"));
    report(1, "app/s1", VERDICT_UP);
    tick(0);
    assert_false(down("app/s1"));
    stop(NULL);
    start(HEALTH_LOCAL);
    own("app/s1", VERDICT_UP);
    own("app/s2", VERDICT_UP);
    for (uint32_t n = 1; n < 5; n++)
        report(n, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_false(down("app/s1"));
}

static void unchecked_servers_follow_the_others(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_NONE);
    assert_false(down("app/s1"));
    report(1, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_true(down("app/s1"));
    report(2, "app/s1", VERDICT_UP);
    tick(0);
    assert_false(down("app/s1")); // a tie, and no own verdict: up
}

static void old_reports_fade(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_UP);
    own("app/s2", VERDICT_UP);
    report(1, "app/s1", VERDICT_DOWN);
    report(2, "app/s1", VERDICT_DOWN);
    tick(2900);
    assert_true(down("app/s1"));
    tick(200);
    assert_false(down("app/s1"));
}

static void the_last_passing_server_is_spared(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_UP);
    own("app/s2", VERDICT_UP);
    for (uint32_t n = 1; n <= 3; n++) {
        report(n, "app/s1", VERDICT_DOWN);
        if (n < 3)
            report(n, "app/s2", VERDICT_DOWN);
    }
    tick(0);
    assert_true(down("app/s1"));
    assert_false(down("app/s2")); // fewer accuse it
    own("app/s2", VERDICT_DOWN);
    tick(0);
    assert_false(down("app/s1")); // now the last one that passes here
    assert_true(down("app/s2"));
    // One in maintenance is not one that remains.
    own("app/s3", VERDICT_UP);
    tick(0);
    assert_true(down("app/s1"));
    step((struct health_event){.kind = HEALTH_EV_LOCAL,
                               .usable = false,
                               .report = {.name = STR("app/s3"), .verdict = VERDICT_UP, .inter_ms = 1000}});
    tick(0);
    assert_false(down("app/s1"));
}

static void a_failure_elsewhere_asks_for_a_check(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_UP);
    report(1, "app/s1", VERDICT_UP);
    assert_int_equal(count_acts(HEALTH_ACT_CHECK), 0);
    report(1, "app/s1", VERDICT_DOWN);
    assert_int_equal(count_acts(HEALTH_ACT_CHECK), 1);
    assert_true(str_is(acts.items[0].check, "app/s1"));
    report(1, "app/s1", VERDICT_DOWN); // a repetition
    assert_int_equal(count_acts(HEALTH_ACT_CHECK), 0);
    struct health_event failing = {.kind = HEALTH_EV_REPORT, .node = 2, .boot = 5};
    failing.report = (struct verdict_report){STR("app/s1"), VERDICT_UP, true, ++seq, 0, 1000};
    step(failing);
    assert_int_equal(count_acts(HEALTH_ACT_CHECK), 1);
    step(failing); // a duplicate
    assert_int_equal(count_acts(HEALTH_ACT_CHECK), 0);
}

static void own_verdicts_are_told_and_repeated(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_UP);
    step((struct health_event){.kind = HEALTH_EV_TICK});
    assert_int_equal(count_acts(HEALTH_ACT_SEND), 1);
    assert_int_equal(acts.items[0].node, CLUSTER_NO_NODE);
    assert_int_equal(acts.items[0].msg.count, 1);
    assert_int_equal(acts.items[0].msg.boot, 10);
    step((struct health_event){.kind = HEALTH_EV_TICK});
    assert_int_equal(acts.count, 0);
    now = mono_add_ms(now, 1000);
    step((struct health_event){.kind = HEALTH_EV_TICK});
    assert_int_equal(count_acts(HEALTH_ACT_SEND), 1);
    step((struct health_event){.kind = HEALTH_EV_GREET, .node = 2});
    assert_int_equal(acts.items[0].node, 2);
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "b%d/s", i);
        own(name, VERDICT_DOWN);
    }
    step((struct health_event){.kind = HEALTH_EV_TICK});
    assert_int_equal(count_acts(HEALTH_ACT_SEND), 2); // 64 and 36
}

static void isolation_is_found_and_ends(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_DOWN);
    own("app/s2", VERDICT_DOWN);
    tick(0);
    assert_false(health_isolated(h)); // perhaps they are down
    report(1, "app/s2", VERDICT_UP);
    step((struct health_event){.kind = HEALTH_EV_TICK});
    assert_int_equal(count_acts(HEALTH_ACT_ISOLATED), 1);
    assert_true(health_isolated(h));
    own("app/s1", VERDICT_UP);
    tick(0);
    assert_false(health_isolated(h));
}

static void a_new_life_voids_reports(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_NONE);
    report(1, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_true(down("app/s1"));
    step((struct health_event){.kind = HEALTH_EV_LIFE, .node = 1, .boot = 6});
    tick(0);
    assert_false(down("app/s1"));
    report(1, "app/s1", VERDICT_DOWN); // of the old life, late
    tick(0);
    assert_false(down("app/s1"));
}

static void gone_servers_leave_nothing(void **state)
{
    start(HEALTH_QUORUM);
    report(1, "app/s1", VERDICT_DOWN); // unknown: ignored
    own("app/s1", VERDICT_UP);
    own("app/s2", VERDICT_DOWN);
    assert_int_equal(health_server_count(h), 2);
    step((struct health_event){.kind = HEALTH_EV_GONE, .report = {.name = STR("app/s2")}});
    step((struct health_event){.kind = HEALTH_EV_GONE, .report = {.name = STR("app/s1")}});
    step((struct health_event){.kind = HEALTH_EV_GONE, .report = {.name = STR("app/s1")}});
    assert_int_equal(health_server_count(h), 0);
    tick(1000);
    assert_int_equal(acts.count, 0);
}

static void see(void *arg, struct str name, const uint8_t *votes)
{
    assert_true(str_is(name, "app/s1"));
    assert_int_equal(votes[0], VERDICT_UP);
    assert_int_equal(votes[1], VERDICT_NONE);
    assert_int_equal(votes[2], VERDICT_DOWN);
    ++*(int *)arg;
}

static void votes_are_listed(void **state)
{
    start(HEALTH_QUORUM);
    own("app/s1", VERDICT_UP);
    uint64_t version = health_version(h);
    report(2, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_true(health_version(h) != version);
    int seen = 0;
    health_each(h, 3, see, &seen);
    assert_int_equal(seen, 1);
    version = health_version(h);
    report(2, "app/s1", VERDICT_DOWN);
    tick(0);
    assert_true(health_version(h) == version);
    tick(4000);
    assert_true(health_version(h) != version);
}

#define TEST(fn) cmocka_unit_test_teardown(fn, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(quorum_is_a_strict_majority),
        TEST(any_needs_one_and_local_none),
        TEST(unchecked_servers_follow_the_others),
        TEST(old_reports_fade),
        TEST(the_last_passing_server_is_spared),
        TEST(a_failure_elsewhere_asks_for_a_check),
        TEST(own_verdicts_are_told_and_repeated),
        TEST(isolation_is_found_and_ends),
        TEST(a_new_life_voids_reports),
        TEST(gone_servers_leave_nothing),
        TEST(votes_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
