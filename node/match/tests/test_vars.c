// SPDX-License-Identifier: Apache-2.0
#include "node/match/vars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_scope(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct vars *vars = NULL;
    struct sample s;
    assert_false(vars_get(vars, 0, &s));
    vars_unset(vars, 0);
    sample_set_int(&s, 42);
    vars_set(&vars, 3, arena, 1, &s);
    assert_false(vars_get(vars, 0, &s));
    assert_true(vars_get(vars, 1, &s));
    assert_int_equal(s.num, 42);
    char text[] = "hello";
    sample_set_str(&s, str_of(text));
    vars_set(&vars, 3, arena, 1, &s);
    text[0] = 'j';
    assert_true(vars_get(vars, 1, &s));
    assert_true(str_is(s.str, "hello"));
    s.str = str_slice(s.str, 1, 3); // a part of the old value
    vars_set(&vars, 3, arena, 1, &s);
    assert_true(vars_get(vars, 1, &s));
    assert_true(str_is(s.str, "ell"));
    vars_unset(vars, 1);
    assert_false(vars_get(vars, 1, &s));
    arena_destroy(&arena);
}

// A session's variable that is set again and again must not grow the arena.
static void test_bounded(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct vars *vars = NULL;
    struct sample s;
    sample_set_str(&s, STR("0123456789012345678901234567890123456789"));
    vars_set(&vars, 1, arena, 0, &s);
    size_t used = arena_used(arena);
    for (unsigned i = 0; i < 1000; i++)
        vars_set(&vars, 1, arena, 0, &s);
    assert_int_equal(arena_used(arena), used);
    arena_destroy(&arena);
}

static void test_proc(void **state)
{
    (void)state;
    struct match_ctx c = {.arena = arena_create(1024)};
    struct sample s;
    assert_false(proc_vars_get(&c, STR("x"), &s));
    sample_set_str(&s, STR("one"));
    proc_vars_set(STR("x"), &s);
    sample_set_str(&s, STR("two"));
    proc_vars_set(STR("y"), &s);
    proc_vars_set(STR("x"), &s);
    assert_true(proc_vars_get(&c, STR("x"), &s));
    proc_vars_unset(STR("x"));
    proc_vars_unset(STR("x"));
    assert_true(str_is(s.str, "two")); // a copy
    assert_false(proc_vars_get(&c, STR("x"), &s));
    assert_true(proc_vars_get(&c, STR("y"), &s));
    proc_vars_free();
    assert_false(proc_vars_get(&c, STR("y"), &s));
    arena_destroy(&c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_proc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
