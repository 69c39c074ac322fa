// SPDX-License-Identifier: Apache-2.0
// The string map against a plain array, with many removals, and keys that differ by case only.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "node/base/hash.h"

enum { KEYS = 300 };

static void map_agrees_with_an_array(void **state)
{
    static char names[KEYS][16];
    void *expected[KEYS] = {0};
    struct strmap m = {0};
    uint64_t random = 42;
    for (int i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof(names[i]), "key-%d", i);
    for (uintptr_t step = 1; step < 20000; step++) {
        random = hash_mix64(random + step);
        size_t i = random % KEYS;
        struct str key = str_of(names[i]);
        assert_ptr_equal(strmap_get(&m, key), expected[i]);
        if (random >> 32 & 1) {
            assert_ptr_equal(strmap_put(&m, key, (void *)step), expected[i]);
            expected[i] = (void *)step;
        } else {
            assert_ptr_equal(strmap_remove(&m, key), expected[i]);
            expected[i] = NULL;
        }
    }
    size_t count = 0;
    for (int i = 0; i < KEYS; i++)
        count += expected[i] != NULL;
    assert_int_equal(m.count, count);
    for (size_t i = 0; i < m.cap; i++)
        assert_int_equal(m.slots[i].key.ptr != NULL, m.slots[i].value != NULL);
    strmap_free(&m);
}

static void case_is_ignored_when_asked(void **state)
{
    struct strmap m = {.nocase = true};
    char longer[201];
    memset(longer, 'A', 200);
    longer[200] = '\0';
    strmap_put(&m, STR("Host"), (void *)1);
    strmap_put(&m, str_of(longer), (void *)2);
    assert_ptr_equal(strmap_get(&m, STR("hOST")), (void *)1);
    memset(longer, 'a', 150);
    assert_ptr_equal(strmap_get(&m, str_of(longer)), (void *)2);
    strmap_free(&m);
    assert_true(m.nocase);
}

static void empty_map_and_empty_key(void **state)
{
    struct strmap m = {0};
    assert_null(strmap_get(&m, STR("x")));
    assert_null(strmap_remove(&m, STR("x")));
    strmap_put(&m, STR_NONE, (void *)1);
    assert_ptr_equal(strmap_get(&m, STR("")), (void *)1);
    strmap_free(&m);
}

static void mixing_is_a_bijection_on_a_sample(void **state)
{
    for (uint64_t i = 1; i < 1000; i++)
        assert_true(hash_mix64(i) != hash_mix64(i - 1));
    assert_true(hash64("a", 1, 0) != hash64("a", 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_agrees_with_an_array),
        cmocka_unit_test(case_is_ignored_when_asked),
        cmocka_unit_test(empty_map_and_empty_key),
        cmocka_unit_test(mixing_is_a_bijection_on_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
