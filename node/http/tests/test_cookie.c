// SPDX-License-Identifier: Apache-2.0
// Cookies: finding, counting, removing, rewriting. The values were compared with HAProxy 2.6's req.cook.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/http/cookie.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int setup(void **state)
{
    *state = arena_create(4096);
    return 0;
}

static int teardown(void **state)
{
    struct arena *a = *state;
    arena_destroy(&a);
    return 0;
}

static void fill(struct http_msg *m, struct arena *a, bool response, const char *const fields[3])
{
    http_msg_init(m, a, response, 4);
    for (int i = 0; i < 3 && fields[i]; i++)
        http_hdr_add(m, response ? STR("Set-Cookie") : STR("Cookie"), str_of(fields[i]));
}

static void test_request(void **state)
{
    static const struct {
        const char *fields[3];
        unsigned named, all;
        const char *first, *last;
    } cases[] = {
        {{"s=1; t=2; s=3", "s=4"}, 3, 4, "1", "4"},
        {{"s = \"1;2\" , t=2; s"}, 1, 2, "\"1;2\"", "\"1;2\""},
        {{"s=; t"}, 1, 1, "", ""},
        {{"$Version=1; s=a,b;t=1"}, 1, 2, "a", "a"},
        {{"s==x=y ;a"}, 1, 1, "=x=y", "=x=y"},
        {{"ss=1;xs=2; S=3"}, 0, 3, NULL, NULL},
        {{";;, s=1 ;"}, 1, 1, "1", "1"},
        {{""}, 0, 0, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_msg m;
        struct str v;
        fill(&m, *state, false, cases[i].fields);
        assert_int_equal(cookie_count(&m, STR("s")), cases[i].named);
        assert_int_equal(cookie_count(&m, STR("")), cases[i].all);
        assert_int_equal(cookie_get(&m, STR("s"), 0, &v), cases[i].first != NULL);
        if (cases[i].first == NULL)
            continue;
        assert_true(str_is(v, cases[i].first));
        assert_true(cookie_get(&m, STR("s"), -1, &v));
        assert_true(str_is(v, cases[i].last));
        assert_false(cookie_get(&m, STR("s"), (int)cases[i].named + 1, &v));
    }
}

static void test_response(void **state)
{
    static const char *const fields[3] = {"s=1; path=/; t=9", "t=2; Secure", "s=3"};
    struct http_msg m;
    struct str v;
    fill(&m, *state, true, fields);
    assert_int_equal(cookie_count(&m, STR("s")), 2);
    assert_true(cookie_get(&m, STR("t"), 1, &v) && str_is(v, "2"));
    assert_false(cookie_get(&m, STR("path"), 1, &v));
    assert_true(cookie_rewrite(&m, STR("s"), STR("srv1~1")));
    assert_true(str_is(http_hdr_get(&m, HDR_SET_COOKIE), "s=srv1~1; path=/; t=9"));
    assert_int_equal(cookie_remove_set(&m, STR("s")), 2);
    assert_true(str_is(http_hdr_get(&m, HDR_SET_COOKIE), "t=2; Secure"));
}

static void test_remove(void **state)
{
    static const struct {
        const char *field, *want; // NULL: the field goes
        bool removed;
    } cases[] = {
        {"s=1", NULL, true},
        {"s=1; t=2", "t=2", true},
        {"t=2; s=1", "t=2", true},
        {"t=2;s=1;u=3", "t=2; u=3", true},
        {"s=1; t; s=2; u", "t; u", true},
        {"t=2;u=3", "t=2;u=3", false},
        {"s", "s", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_msg m;
        const char *fields[3] = {cases[i].field};
        fill(&m, *state, false, fields);
        assert_int_equal(cookie_remove(&m, STR("s")), cases[i].removed);
        assert_int_equal(http_hdr_has(&m, HDR_COOKIE), cases[i].want != NULL);
        if (cases[i].want)
            assert_true(str_is(http_hdr_get(&m, HDR_COOKIE), cases[i].want));
    }
}

static void test_rewrite(void **state)
{
    struct http_msg m;
    const char *fields[3] = {"t=1", "a=b; s=old; c=d"};
    fill(&m, *state, false, fields);
    assert_true(cookie_rewrite(&m, STR("s"), STR("newer")));
    assert_true(str_is(m.hdrs[1].value, "a=b; s=newer; c=d"));
    assert_true(cookie_rewrite(&m, STR("s"), STR("")));
    assert_true(str_is(m.hdrs[1].value, "a=b; s=; c=d"));
    assert_false(cookie_rewrite(&m, STR("x"), STR("1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_rewrite),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
