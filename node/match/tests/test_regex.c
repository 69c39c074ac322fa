// SPDX-License-Identifier: Apache-2.0
#include "node/match/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct regex *make(const char *pattern, bool nocase)
{
    char err[200] = "";
    struct regex *r = regex_create(str_of(pattern), nocase, err, sizeof(err));
    if (!r)
        fail_msg("%s", err);
    return r;
}

static void test_match(void **state)
{
    (void)state;
    struct regex *r = make("^/img/.*\\.(png|gif)$", false);
    assert_true(regex_match(r, STR("/img/a.png")));
    assert_false(regex_match(r, STR("/img/a.PNG")));
    assert_false(regex_match(r, STR_NONE));
    regex_destroy(&r);
    assert_null(r);
    r = make("ABC", true);
    assert_true(regex_match(r, STR("xxabcxx")));
    regex_destroy(&r);
    r = make("^$", false);
    assert_true(regex_match(r, STR_NONE));
    regex_destroy(&r);
}

static void test_error(void **state)
{
    (void)state;
    char err[200] = "";
    assert_null(regex_create(STR("a(b"), false, err, sizeof(err)));
    assert_non_null(strstr(err, "a(b"));
    assert_non_null(strstr(err, "character"));
}

static void test_limit(void **state)
{
    (void)state;
    struct regex *r = make("^(a+)+$", false);
    char subject[64];
    memset(subject, 'a', sizeof(subject));
    subject[sizeof(subject) - 1] = '!';
    assert_false(regex_match(r, str_make(subject, sizeof(subject)))); // 2^63 steps without the limit
    regex_destroy(&r);
}

static void replaces(const char *pattern, const char *subject, const char *replacement, bool global, const char *want)
{
    struct arena *arena = arena_create(1024);
    struct regex *r = make(pattern, false);
    struct str out;
    bool matched = regex_replace(r, str_of(subject), str_of(replacement), global, arena, &out);
    assert_int_equal(matched, want != NULL);
    if (want) {
        char text[200];
        assert_string_equal(str_copy(text, sizeof(text), out), want);
    }
    regex_destroy(&r);
    arena_destroy(&arena);
}

static void test_replace(void **state)
{
    (void)state;
    replaces("b+", "abbcb", "x", false, "axcb");
    replaces("b+", "abbcb", "x", true, "axcx");
    replaces("(\\w)(\\w)", "abcd", "\\2\\1", true, "badc");
    replaces("z", "abcd", "x", true, NULL);
    replaces("x*", "ab", "-", true, "-a-b-");
    replaces("^a", "aaa", "", true, "aa");
    replaces("a", "a", "\\x41\\\\\\0\\", false, "A\\a\\");
    replaces("(a)|(b)", "b", "[\\1\\2]", false, "[b]");
    replaces("", "", "x", true, "x");
}

static void test_expand(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct regex *r = make("/x(.*)", false);
    struct str out;
    assert_true(regex_expand(r, STR("abc/xyz"), STR("got\\1-\\2"), arena, &out));
    assert_true(str_is(out, "gotyz-"));
    assert_false(regex_expand(r, STR("abc"), STR("got"), arena, &out));
    regex_destroy(&r);
    arena_destroy(&arena);
}

static int teardown(void **state)
{
    (void)state;
    regex_thread_exit();
    regex_thread_exit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),   cmocka_unit_test(test_error),  cmocka_unit_test(test_limit),
        cmocka_unit_test(test_replace), cmocka_unit_test(test_expand),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
