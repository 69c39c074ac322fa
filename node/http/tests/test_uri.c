// SPDX-License-Identifier: Apache-2.0
// Request-targets, query parameters and percent-decoding.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/http/uri.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_part(const char *target, struct str got, const char *want)
{
    if (want == NULL ? got.ptr != NULL : !str_is(got, want))
        fail_msg("%s: got '%.*s', want '%s'", target, STR_ARG(got), want ? want : "(none)");
}

static void test_parse(void **state)
{
    static const struct {
        const char *target, *scheme, *authority, *path, *query;
    } cases[] = {
        {"/", NULL, NULL, "/", NULL},
        {"/a/b?c=d?e", NULL, NULL, "/a/b", "c=d?e"},
        {"/?", NULL, NULL, "/", ""},
        {"//x/y", NULL, NULL, "//x/y", NULL},
        {"*", NULL, NULL, "*", NULL},
        {"http://h/p?q", "http", "h", "/p", "q"},
        {"http://h", "http", "h", "", NULL},
        {"http://h?q", "http", "h", "", "q"},
        {"http://u@h:80/", "http", "u@h:80", "/", NULL},
        {"a+b-c.1://h/", "a+b-c.1", "h", "/", NULL},
        {"h:443", NULL, "h:443", "", NULL},
        {"h/p", NULL, "h", "/p", NULL},
        {"1://x", NULL, "1:", "//x", NULL},
        {"", NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct uri u;
        uri_parse(str_of(cases[i].target), &u);
        assert_part(cases[i].target, u.scheme, cases[i].scheme);
        assert_part(cases[i].target, u.authority, cases[i].authority);
        assert_part(cases[i].target, u.path, cases[i].path);
        assert_part(cases[i].target, u.query, cases[i].query);
    }
}

static void test_host(void **state)
{
    static const char *const cases[][2] = {
        {"h", "h"},       {"h:80", "h"}, {"u:p@h:80", "h"}, {"[::1]", "[::1]"},     {"[::1]:80", "[::1]"},
        {"[::1", "[::1"}, {"", ""},      {":80", ""},       {"u@[::1]:1", "[::1]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_part(cases[i][0], uri_host(str_of(cases[i][0])), cases[i][1]);
}

static void test_param(void **state)
{
    static const struct {
        const char *query, *name;
        char delim;
        bool nocase;
        const char *want;
    } cases[] = {
        {"a=1&b=2", "a", '&', false, "1"}, {"a=1&b=2", "b", '&', false, "2"},     {"aa=1&a=2", "a", '&', false, "2"},
        {"a&a=1", "a", '&', false, "1"},   {"A=5", "a", '&', false, NULL},        {"A=5", "a", '&', true, "5"},
        {"a=", "a", '&', false, ""},       {"b=1;a=2&a=3", "a", '&', false, "2"}, {"b?a=1", "a", '?', false, "1"},
        {"b,a=1", "a", ',', false, "1"},   {"", "a", '&', false, NULL},           {"&&a=x=y&", "a", '&', false, "x=y"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str value = STR_NONE;
        bool found = uri_param(str_of(cases[i].query), str_of(cases[i].name), cases[i].delim, cases[i].nocase, &value);
        assert_int_equal(found, cases[i].want != NULL);
        assert_part(cases[i].query, value, cases[i].want);
    }
    struct str value;
    assert_false(uri_param(STR_NONE, STR("a"), '&', false, &value));
}

static void test_decode(void **state)
{
    static const struct {
        const char *in;
        bool plus;
        const char *want; // NULL: refused
    } cases[] = {
        {"abc", true, "abc"},        {"a+b", true, "a b"}, {"a+b", false, "a+b"},
        {"%41%6a%2F", false, "Aj/"}, {"%", false, NULL},   {"%4", false, NULL},
        {"%zz", false, NULL},        {"", false, ""},      {"%e9%", false, NULL},
    };
    struct arena *a = arena_create(1024);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str out = STR_NONE;
        assert_int_equal(uri_decode(str_of(cases[i].in), cases[i].plus, a, &out), cases[i].want != NULL);
        assert_part(cases[i].in, out, cases[i].want);
    }
    arena_destroy(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_param),
        cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
