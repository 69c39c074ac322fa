// SPDX-License-Identifier: Apache-2.0
#include "node/match/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

static struct arena *arena;
static struct match_ctx ctx;

static struct sample make(enum sample_type type, const char *text)
{
    struct sample s;
    sample_set_str(&s, str_of(text));
    if (type == TYPE_BIN)
        s.type = TYPE_BIN;
    else if (!sample_cast(&ctx, &s, type))
        fail_msg("cannot make a %s of '%s'", sample_type_name(type), text);
    return s;
}

// `want` NULL = the cast fails.
static void casts(enum sample_type from, const char *text, enum sample_type to, const char *want)
{
    struct sample s = make(from, text);
    s.may_change = true;
    bool ok = sample_cast(&ctx, &s, to);
    if (ok != (want != NULL))
        fail_msg("%s '%s' to %s: %s", sample_type_name(from), text, sample_type_name(to), ok ? "cast" : "not cast");
    if (!ok)
        return;
    assert_true(s.may_change);
    struct str out;
    assert_true(sample_text(&ctx, &s, &out));
    char copy[100];
    assert_string_equal(str_copy(copy, sizeof(copy), out), want);
}

// As HAProxy 2.6 was seen to answer.
static void test_numbers(void **state)
{
    (void)state;
    casts(TYPE_STR, "12abc", TYPE_INT, "12");
    casts(TYPE_STR, " 12", TYPE_INT, "0");
    casts(TYPE_STR, "", TYPE_INT, NULL);
    casts(TYPE_STR, "-5", TYPE_INT, "-5");
    casts(TYPE_STR, "+5", TYPE_INT, "5");
    casts(TYPE_STR, "12.5", TYPE_INT, "12");
    casts(TYPE_STR, "99999999999999999999", TYPE_INT, "9223372036854775807");
    casts(TYPE_STR, "9223372036854775808", TYPE_INT, "9223372036854775807");
    casts(TYPE_STR, "-9223372036854775808", TYPE_INT, "-9223372036854775808");
    casts(TYPE_STR, "-99999999999999999999", TYPE_INT, "-9223372036854775808");
    casts(TYPE_STR, "abc", TYPE_BOOL, "0");
    casts(TYPE_STR, "10", TYPE_BOOL, "1");
    casts(TYPE_BOOL, "1", TYPE_INT, "1");
    casts(TYPE_INT, "7", TYPE_BOOL, "1");
    casts(TYPE_INT, "-7", TYPE_STR, "-7");
    casts(TYPE_IPV4, "1.2.3.4", TYPE_INT, "16909060");
    casts(TYPE_IPV6, "::1", TYPE_INT, NULL);
    casts(TYPE_METH, "GET", TYPE_INT, NULL);
}

static void test_addresses(void **state)
{
    (void)state;
    casts(TYPE_INT, "2130706433", TYPE_ADDR, "127.0.0.1");
    casts(TYPE_STR, "1.2.3.4", TYPE_ADDR, "1.2.3.4");
    casts(TYPE_STR, "::ffff:1.2.3.4", TYPE_ADDR, "::ffff:1.2.3.4");
    casts(TYPE_STR, "::ffff:1.2.3.4", TYPE_IPV4, "1.2.3.4");
    casts(TYPE_STR, "2002:0102:0304::", TYPE_IPV4, "1.2.3.4");
    casts(TYPE_STR, "fe80::1", TYPE_IPV4, NULL);
    casts(TYPE_STR, "1.2.3.4", TYPE_IPV6, "::ffff:1.2.3.4");
    casts(TYPE_STR, "x", TYPE_ADDR, NULL);
    casts(TYPE_STR, "", TYPE_ADDR, NULL);
    casts(TYPE_STR, "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20", TYPE_ADDR, NULL);
    casts(TYPE_BOOL, "1", TYPE_ADDR, NULL);
    casts(TYPE_IPV6, "fe80::1", TYPE_STR, "fe80::1");
    casts(TYPE_IPV4, "255.100.99.0", TYPE_STR, "255.100.99.0");
    casts(TYPE_IPV4, "0.9.10.249", TYPE_STR, "0.9.10.249");
}

static void test_bytes(void **state)
{
    (void)state;
    struct sample s = make(TYPE_INT, "258");
    assert_true(sample_cast(&ctx, &s, TYPE_BIN));
    assert_int_equal(s.str.len, 8);
    assert_memory_equal(s.str.ptr, "\0\0\0\0\0\0\1\2", 8);
    s = make(TYPE_IPV4, "1.2.3.4");
    assert_true(sample_cast(&ctx, &s, TYPE_BIN));
    assert_int_equal(s.str.len, 4);
    assert_memory_equal(s.str.ptr, "\1\2\3\4", 4);
    assert_true(sample_cast(&ctx, &s, TYPE_ADDR));
    assert_int_equal(s.type, TYPE_IPV4);
    casts(TYPE_METH, "GET", TYPE_BIN, "GET");
    casts(TYPE_METH, "FOO", TYPE_STR, "FOO");
    casts(TYPE_STR, "PUT", TYPE_METH, "PUT");
    casts(TYPE_STR, "a", TYPE_BIN, "a");
    casts(TYPE_BIN, "a", TYPE_STR, "a");
}

static void test_set_addr(void **state)
{
    (void)state;
    struct inet_addr a;
    struct sample s;
    assert_true(inet_parse(STR("::ffff:9.8.7.6"), &a));
    sample_set_addr(&s, &a);
    assert_int_equal(s.type, TYPE_IPV4);
    assert_int_equal(ntohl(s.ip4.s_addr), 0x09080706);
    assert_true(inet_parse(STR("2001:db8::1"), &a));
    sample_set_addr(&s, &a);
    assert_int_equal(s.type, TYPE_IPV6);
}

static void test_dst_closed(void **state)
{
    (void)state;
    struct client_facts client = {.fd = -1};
    struct match_ctx c = {.client = &client};
    assert_int_equal(match_dst(&c)->sa.sa_family, AF_UNSPEC);
    assert_true(client.dst_known);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_create(4096);
    ctx.arena = arena;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),  cmocka_unit_test(test_addresses),  cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_set_addr), cmocka_unit_test(test_dst_closed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
