// SPDX-License-Identifier: Apache-2.0
// Slices: every function at its edges, above all the empty slice and the one without a pointer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdlib.h>

#include "node/base/str.h"

static void compares(void **state)
{
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_is(STR("abc"), "abc"));
    assert_false(str_is(STR("abc"), "abd"));
    assert_true(str_eq_nocase(STR("Content-LENGTH"), STR("content-length")));
    assert_false(str_eq_nocase(STR("@"), STR("`"))); // differ by 0x20 and are no letters
    assert_true(str_starts(STR("abc"), STR("")));
    assert_true(str_starts(STR_NONE, STR_NONE));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_starts_nocase(STR("HTTP/1.1"), STR("http/")));
    assert_true(str_ends(STR("a.html"), STR(".html")));
    assert_false(str_ends(STR("html"), STR(".html")));
    assert_true(str_ends_nocase(STR("a.HTML"), STR(".html")));
    assert_int_equal(str_cmp(STR("a"), STR("a")), 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
}

static void lower_table_changes_letters_only(void **state)
{
    for (int c = 0; c < 256; c++)
        assert_int_equal(str_lower_table[c], c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static void finds(void **state)
{
    assert_int_equal(str_find_char(STR("a=b"), '='), 1);
    assert_int_equal(str_find_char(STR_NONE, '='), -1);
    assert_int_equal(str_find(STR("hello"), STR("llo")), 2);
    assert_int_equal(str_find(STR("hello"), STR("")), 0);
    assert_int_equal(str_find(STR_NONE, STR("x")), -1);
    assert_int_equal(str_find_nocase(STR("No-Cache"), STR("cache")), 3);
    assert_int_equal(str_find_nocase(STR("a"), STR("ab")), -1);
}

static void cuts(void **state)
{
    assert_true(str_is(str_slice(STR("hello"), 1, 3), "ell"));
    assert_true(str_is(str_slice(STR("hello"), 4, SIZE_MAX), "o"));
    assert_int_equal(str_slice(STR("hello"), 9, 1).len, 0);
    assert_int_equal(str_slice(STR_NONE, 0, 1).len, 0);
    assert_true(str_is(str_trim(STR(" \t a b\t ")), "a b"));
    assert_int_equal(str_trim(STR("  ")).len, 0);
}

static void splits(void **state)
{
    struct str rest = STR("a,,b"), piece;
    assert_true(str_split(&rest, ',', &piece));
    assert_true(str_is(piece, "a"));
    assert_true(str_split(&rest, ',', &piece));
    assert_int_equal(piece.len, 0);
    assert_true(str_split(&rest, ',', &piece));
    assert_true(str_is(piece, "b"));
    assert_false(str_split(&rest, ',', &piece));

    rest = STR("a,"); // a separator at the end leaves an empty last piece
    assert_true(str_split(&rest, ',', &piece));
    assert_true(str_split(&rest, ',', &piece));
    assert_int_equal(piece.len, 0);
    assert_false(str_split(&rest, ',', &piece));
}

static void reads_numbers(void **state)
{
    uint64_t u = 7;
    int64_t i = 7;
    assert_true(str_to_u64(STR("18446744073709551615"), &u));
    assert_true(u == UINT64_MAX);
    u = 7;
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("99999999999999999999999"), &u));
    assert_false(str_to_u64(STR(""), &u));
    assert_false(str_to_u64(STR("1x"), &u));
    assert_false(str_to_u64(STR("+1"), &u));
    assert_false(str_to_u64(STR("-1"), &u));
    assert_int_equal(u, 7);
    assert_true(str_to_i64(STR("-9223372036854775808"), &i));
    assert_true(i == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &i));
    assert_true(i == INT64_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &i));
    assert_false(str_to_i64(STR("-9223372036854775809"), &i));
    assert_false(str_to_i64(STR("-"), &i));
}

static void copies(void **state)
{
    char dst[4];
    assert_string_equal(str_copy(dst, sizeof(dst), STR("hello")), "hel");
    assert_string_equal(str_copy(dst, sizeof(dst), STR_NONE), "");
    char *copy = str_dup(STR("abc"));
    assert_string_equal(copy, "abc");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares), cmocka_unit_test(lower_table_changes_letters_only),
        cmocka_unit_test(finds),    cmocka_unit_test(cuts),
        cmocka_unit_test(splits),   cmocka_unit_test(reads_numbers),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
