// SPDX-License-Identifier: Apache-2.0
// Administrative registers and their clock: whatever the order of messages, all nodes end with the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdio.h>

#include "cluster/admin_state.h"

#define WALL 1700000000000000LL

static void stamps_grow(void **state)
{
    struct hlc clock = {0};
    uint64_t a = hlc_now(&clock, WALL), b = hlc_now(&clock, WALL), c = hlc_now(&clock, WALL - 5000000);
    assert_true(a < b && b < c);
    assert_true(hlc_wall_us(c) == WALL);
    assert_true(hlc_see(&clock, (uint64_t)(WALL + 1000) << HLC_SHIFT, WALL));
    assert_true(hlc_wall_us(hlc_now(&clock, WALL)) == WALL + 1000);
    uint64_t last = clock.last;
    assert_false(hlc_see(&clock, (uint64_t)(WALL + HLC_AHEAD_MAX_US + 1) << HLC_SHIFT, WALL));
    assert_true(clock.last == last);
    // A thousand stamps in one microsecond carry into the next, and still grow.
    for (int i = 0; i < 3000; i++)
        assert_true(hlc_now(&clock, WALL) > last + (uint64_t)i);
}

static void newest_wins(void **state)
{
    struct admin_state *s = admin_state_create();
    struct admin_register r;
    bool changed;
    assert_int_equal(admin_state_set(s, STR("app/s1"), ADMIN_STATE, ADMIN_DRAIN, WALL, &r), ADMIN_NEWER);
    assert_int_equal(r.value, ADMIN_DRAIN);
    struct admin_register older = {STR("app/s1"), ADMIN_STATE, ADMIN_MAINT, r.stamp - 1};
    assert_int_equal(admin_state_merge(s, &older, WALL, &changed), ADMIN_OLDER);
    struct admin_register newer = {STR("app/s1"), ADMIN_STATE, ADMIN_READY, r.stamp + 1};
    assert_int_equal(admin_state_merge(s, &newer, WALL, &changed), ADMIN_NEWER);
    assert_true(changed);
    assert_true(admin_state_get(s, STR("app/s1"), ADMIN_STATE, &r));
    assert_int_equal(r.value, ADMIN_READY);
    assert_false(admin_state_get(s, STR("app/s1"), ADMIN_WEIGHT, &r));
    // The next local word is newer than what was seen.
    assert_int_equal(admin_state_set(s, STR("app/s1"), ADMIN_STATE, ADMIN_MAINT, WALL - 1000, &r), ADMIN_NEWER);
    assert_true(r.stamp > newer.stamp);
    assert_int_equal(admin_state_count(s), 1);
    admin_state_destroy(&s);
}

static void nonsense_is_refused(void **state)
{
    struct admin_state *s = admin_state_create();
    struct admin_register r, bad[] = {
                                 {STR("a/b"), ADMIN_WEIGHT, 257, 1},
                                 {STR("a/b"), ADMIN_WEIGHT, -1, 1},
                                 {STR("a/b"), ADMIN_STATE, 3, 1},
                                 {STR("a/b"), (enum admin_field)7, 0, 1},
                                 {STR(""), ADMIN_STATE, 0, 1},
                                 {STR("a/b"), ADMIN_STATE, 0, 0},
                                 {STR("a/b"), ADMIN_STATE, 0, UINT64_MAX},
                             };
    bool changed;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(admin_state_merge(s, &bad[i], WALL, &changed), ADMIN_REFUSED);
    assert_int_equal(admin_state_set(s, STR("a/b"), ADMIN_WEIGHT, 300, WALL, &r), ADMIN_REFUSED);
    assert_int_equal(admin_state_count(s), 0);
    admin_state_destroy(&s);
}

static void any_order_gives_the_same(void **state)
{
    struct admin_state *a = admin_state_create(), *b = admin_state_create();
    struct admin_register r[200];
    char names[200][16];
    bool changed;
    for (int i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "app/s%d", i % 70);
        r[i] = (struct admin_register){str_of(names[i]), i % 3 ? ADMIN_WEIGHT : ADMIN_STATE, i % 3,
                                       (uint64_t)(i * 37 % 50 + 1)};
    }
    for (int i = 0; i < 200; i++) {
        admin_state_merge(a, &r[i], WALL, &changed);
        admin_state_merge(b, &r[199 - i], WALL, &changed);
    }
    assert_true(admin_state_digest(a) == admin_state_digest(b));
    assert_int_equal(admin_state_count(a), admin_state_count(b));
    // And by messages.
    struct admin_state *c = admin_state_create();
    struct admin_msg msg;
    unsigned cursor = 0, messages = 0;
    while (admin_state_fill(a, &cursor, &msg)) {
        messages++;
        for (uint32_t i = 0; i < msg.count; i++)
            assert_int_equal(admin_state_merge(c, &msg.registers[i], WALL, &changed), ADMIN_NEWER);
    }
    assert_int_equal(messages, (admin_state_count(a) + ADMIN_MSG_REGISTERS - 1) / ADMIN_MSG_REGISTERS);
    assert_true(admin_state_digest(a) == admin_state_digest(c));
    admin_state_destroy(&a);
    admin_state_destroy(&b);
    admin_state_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_grow),
        cmocka_unit_test(newest_wins),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(any_order_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
