// SPDX-License-Identifier: Apache-2.0
// Whole cores that talk in bytes: two or three nodes in virtual time, with health and administration.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cluster/core.h"

#define NODES 3
#define WALL  1700000000000000LL

static const char *const names[NODES] = {"n1", "n2", "n3"};

struct side {
    uint32_t number;
    struct core *core;
    bool voted_down, isolated;
    unsigned checks;
    int32_t admin[ADMIN_FIELD_COUNT];
    uint64_t raised;
};

static struct side sides[NODES];
static struct core_time now;
static bool cut; // node 0 from the others

struct packet {
    uint32_t from, to;
    size_t len;
    char bytes[4096];
};
static struct packet queue[1024];
static unsigned head, tail;

static void on_send(void *arg, uint32_t to, struct str bytes)
{
    struct side *s = arg;
    if (cut && (s->number == 0 || to == 0))
        return;
    struct packet *p = &queue[tail++ % 1024];
    assert_true(tail - head < 1024 && bytes.len <= sizeof(p->bytes));
    p->from = s->number;
    p->to = to;
    p->len = bytes.len;
    memcpy(p->bytes, bytes.ptr, bytes.len);
}
static void on_remake(void *arg, uint32_t node)
{
}
static void on_node_state(void *arg, uint32_t node, uint64_t boot, enum member_state from, enum member_state to,
                          const char *why)
{
}
static void on_boot(void *arg, uint64_t boot)
{
    ((struct side *)arg)->raised = boot;
}
static void on_voted(void *arg, struct str server, bool down)
{
    assert_true(str_is(server, "app/s1"));
    ((struct side *)arg)->voted_down = down;
}
static void on_check(void *arg, struct str server)
{
    ((struct side *)arg)->checks++;
}
static void on_isolated(void *arg, bool isolated)
{
    ((struct side *)arg)->isolated = isolated;
}
static void on_admin(void *arg, const struct admin_register *r)
{
    ((struct side *)arg)->admin[r->field] = r->value;
}

static void start_node(uint32_t i, uint64_t boot)
{
    struct core_ports ports = {&sides[i], on_send,  on_remake,   on_node_state, on_boot,
                               on_voted,  on_check, on_isolated, on_admin};
    struct core_options o = {
        .names = names, .node_count = NODES, .self = i, .health = HEALTH_QUORUM, .boot = boot, .seed = i};
    sides[i] = (struct side){.number = i, .core = core_create(&o, &ports, now), .admin = {-1, -1}};
    core_declare(sides[i].core, MEMBER_UP, now);
}

static int setup(void **state)
{
    now = (struct core_time){.mono = {1000000}, .wall_us = WALL};
    head = tail = 0;
    cut = false;
    for (uint32_t i = 0; i < NODES; i++)
        start_node(i, 100);
    return 0;
}

static int teardown(void **state)
{
    for (uint32_t i = 0; i < NODES; i++)
        core_destroy(&sides[i].core);
    return 0;
}

static void deliver(void)
{
    for (; head != tail; head++) {
        struct packet *p = &queue[head % 1024];
        assert_true(core_receive(sides[p->to].core, p->from, str_make(p->bytes, p->len), now));
    }
}

static void run_ms(unsigned ms)
{
    for (unsigned t = 0; t < ms; t += MEMBERSHIP_TICK_MS) {
        now.mono = mono_add_ms(now.mono, MEMBERSHIP_TICK_MS);
        now.wall_us += MEMBERSHIP_TICK_MS * 1000;
        for (uint32_t i = 0; i < NODES; i++)
            core_tick(sides[i].core, now);
        deliver();
    }
}

static void own(uint32_t node, const char *server, enum verdict v)
{
    struct verdict_report r = {.name = str_of(server), .verdict = v, .inter_ms = 1000};
    core_verdict(sides[node].core, &r, true, now);
}

static void verdicts_reach_all(void **state)
{
    for (uint32_t i = 0; i < NODES; i++) {
        own(i, "app/s1", VERDICT_UP);
        own(i, "app/s2", VERDICT_UP);
    }
    run_ms(1000);
    own(1, "app/s1", VERDICT_DOWN);
    run_ms(150);
    assert_int_equal(sides[0].checks, 1);
    assert_false(sides[0].voted_down);
    own(2, "app/s1", VERDICT_DOWN);
    run_ms(150);
    assert_true(sides[0].voted_down);
    assert_true(health_effective_down(core_health(sides[0].core), STR("app/s1")));
}

static void administration_reaches_all_and_survives_a_cut(void **state)
{
    run_ms(500);
    core_admin(sides[0].core, STR("app/s1"), ADMIN_STATE, ADMIN_DRAIN, now);
    deliver();
    assert_int_equal(sides[1].admin[ADMIN_STATE], ADMIN_DRAIN);
    assert_int_equal(sides[0].admin[ADMIN_STATE], -1); // who said it knows it
    cut = true;
    core_admin(sides[0].core, STR("app/s1"), ADMIN_WEIGHT, 50, now);
    run_ms(2000);
    core_admin(sides[1].core, STR("app/s1"), ADMIN_STATE, ADMIN_MAINT, now);
    run_ms(1000);
    assert_int_equal(sides[1].admin[ADMIN_WEIGHT], -1);
    cut = false;
    run_ms(5000);
    assert_int_equal(sides[0].admin[ADMIN_STATE], ADMIN_MAINT);
    assert_int_equal(sides[1].admin[ADMIN_WEIGHT], 50);
    assert_int_equal(sides[2].admin[ADMIN_WEIGHT], 50);
    assert_true(admin_state_digest(core_admin_state(sides[0].core)) ==
                admin_state_digest(core_admin_state(sides[2].core)));
}

static void isolation_is_told(void **state)
{
    for (uint32_t i = 0; i < NODES; i++)
        own(i, "app/s1", i == 0 ? VERDICT_DOWN : VERDICT_UP);
    run_ms(1500);
    assert_true(sides[0].isolated);
    assert_false(sides[1].isolated);
    struct member_info info;
    membership_get(core_membership(sides[1].core), 0, &info);
    assert_true(info.isolated);
}

static void a_raised_boot_keeps_verdicts_valid(void **state)
{
    for (uint32_t i = 0; i < NODES; i++)
        own(i, "app/s1", VERDICT_UP);
    run_ms(1000);
    core_destroy(&sides[2].core);
    start_node(2, 3);
    run_ms(1000);
    assert_int_equal(sides[2].raised, 101);
    own(2, "app/s1", VERDICT_DOWN);
    run_ms(200);
    assert_int_equal(sides[0].checks, 1);
}

static void registers_survive_on_disk(void **state)
{
    char server[32];
    for (int i = 0; i < 100; i++) {
        snprintf(server, sizeof(server), "app/s%d", i);
        core_admin(sides[0].core, str_of(server), ADMIN_WEIGHT, i, now);
    }
    head = tail; // nobody heard
    struct buf bytes = BUF_INIT;
    core_save_admin(sides[0].core, &bytes);
    uint64_t digest = admin_state_digest(core_admin_state(sides[0].core));
    core_destroy(&sides[0].core);
    start_node(0, 200);
    assert_true(core_load_admin(sides[0].core, buf_str(&bytes), now));
    assert_true(admin_state_digest(core_admin_state(sides[0].core)) == digest);
    assert_false(core_load_admin(sides[1].core, str_slice(buf_str(&bytes), 0, bytes.len - 1), now));
    buf_free(&bytes);
}

static void a_false_sender_is_refused(void **state)
{
    run_ms(50);
    core_tick(sides[1].core, now);
    run_ms(MEMBERSHIP_PING_MS - 50);
    head = tail;
    core_declare(sides[1].core, MEMBER_DRAINING, now);
    assert_true(head != tail);
    struct packet *p = &queue[head % 1024];
    assert_false(core_receive(sides[0].core, 2, str_make(p->bytes, p->len), now));
    assert_false(core_receive(sides[0].core, 1, STR("\xc1"), now));
    assert_true(core_receive(sides[0].core, 1, STR("\x82\x00\x02\x01\x01"), now)); // a later version: ignored
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verdicts_reach_all),        TEST(administration_reaches_all_and_survives_a_cut),
        TEST(isolation_is_told),         TEST(a_raised_boot_keeps_verdicts_valid),
        TEST(registers_survive_on_disk), TEST(a_false_sender_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
