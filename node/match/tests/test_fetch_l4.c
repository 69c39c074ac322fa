// SPDX-License-Identifier: Apache-2.0
// Fetches of constants, the process, the client's connection and of raw bytes.
#include "node/match/tests/eval.h"

#include <time.h>
#include <unistd.h>

static struct arena *arena;
static const char *const none[EVAL_ARGS_MAX];

static int setup(void **state)
{
    arena = arena_create(4096);
    fetch_bind_http();
    fetch_bind_l4();
    return 0;
}

static int teardown(void **state)
{
    arena_destroy(&arena);
    return 0;
}

struct fetch_case {
    enum fetch_id id;
    const char *args[EVAL_ARGS_MAX];
    const char *want; // NULL = nothing found
};
#define F(id, want, ...)                                                                                               \
    {                                                                                                                  \
        FETCH_##id, {__VA_ARGS__}, want                                                                                \
    }

static void run(struct match_ctx *c, const struct fetch_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sample s;
        enum eval_result r = eval_fetch(c, cases[i].id, cases[i].args, &s);
        if (r != (cases[i].want ? EVAL_FOUND : EVAL_NONE))
            fail_msg("%s: result %d", fetch_rows[cases[i].id].name, r);
        if (r == EVAL_FOUND)
            eval_assert_text(c, fetch_rows[cases[i].id].name, &s, str_of(cases[i].want));
    }
}
#define RUN(c, cases) run(c, cases, sizeof(cases) / sizeof((cases)[0]))

static void test_constants(void **state)
{
    static const struct fetch_case cases[] = {
        F(ALWAYS_TRUE, "1"),   F(ALWAYS_FALSE, "0"),
        F(INT, "-5", "-5"),    F(BOOL, "1", "1"),
        F(STR, "x y", "x y"),  F(IPV4, "1.2.3.4", "1.2.3.4"),
        F(IPV6, "::1", "::1"), F(METH, "POST", "POST"),
        F(METH, "FOO", "FOO"), F(NBPROC, "1"),
        F(PROC, "1"),          F(TGROUP, "0"),
        F(THREAD, "0"),        F(ENV, "value", "value"), // the configuration has looked it up
        F(ENV, NULL),          F(QUIC_ENABLED, "0"),
        F(SSL_FC, "0"),        F(BIN, "raw", "raw"),
    };
    struct match_ctx c = {.arena = arena};
    RUN(&c, cases);
}

static void test_process(void **state)
{
    static const char *const ms[EVAL_ARGS_MAX] = {"0", "ms"}, *const us[EVAL_ARGS_MAX] = {"1000", "us"},
                             *const ten[EVAL_ARGS_MAX] = {"10"}, *const seven[EVAL_ARGS_MAX] = {"7"};
    struct match_ctx c = {.arena = arena};
    struct sample a, b;
    char name[256];
    assert_int_equal(eval_fetch(&c, FETCH_PID, none, &a), EVAL_FOUND);
    assert_int_equal(a.num, getpid());
    assert_int_equal(eval_fetch(&c, FETCH_HOSTNAME, none, &a), EVAL_FOUND);
    assert_int_equal(gethostname(name, sizeof(name)), 0);
    eval_assert_text(&c, "hostname", &a, str_of(name));
    assert_int_equal(eval_fetch(&c, FETCH_UPTIME, none, &a), EVAL_FOUND);
    assert_true(a.num >= 0);

    int64_t before = wall_now_us();
    assert_int_equal(eval_fetch(&c, FETCH_DATE, none, &a), EVAL_FOUND);
    assert_true(a.num >= before / 1000000 && a.num <= wall_now_us() / 1000000);
    assert_int_equal(eval_fetch(&c, FETCH_DATE, ms, &a), EVAL_FOUND);
    assert_true(a.num >= before / 1000 && a.num <= wall_now_us() / 1000);
    assert_int_equal(eval_fetch(&c, FETCH_DATE, us, &a), EVAL_FOUND);
    assert_true(a.num >= before + 1000 && a.num <= wall_now_us() + 1000);
    assert_int_equal(eval_fetch(&c, FETCH_DATE_US, none, &a), EVAL_FOUND);
    assert_true(a.num >= 0 && a.num < 1000000);

    for (int i = 0; i < 100; i++) {
        assert_int_equal(eval_fetch(&c, FETCH_RAND, ten, &a), EVAL_FOUND);
        assert_true(a.num >= 0 && a.num < 10);
        assert_int_equal(eval_fetch(&c, FETCH_RAND, none, &a), EVAL_FOUND);
        assert_true(a.num >= 0 && a.num <= UINT32_MAX);
    }
    assert_int_equal(eval_fetch(&c, FETCH_UUID, none, &a), EVAL_FOUND);
    assert_int_equal(eval_fetch(&c, FETCH_UUID, seven, &b), EVAL_FOUND);
    assert_int_equal(a.str.len, 36);
    assert_int_equal(b.str.len, 36);
    assert_true(a.str.ptr[14] == '4' && b.str.ptr[14] == '7');
    assert_true(strchr("89ab", a.str.ptr[19]) && strchr("89ab", b.str.ptr[19]));
    assert_false(str_eq(a.str, b.str));
}

static void test_connection(void **state)
{
    static const struct fetch_case known[] = {
        F(SRC, "1.2.3.4"),
        F(SRC_PORT, "1234"),
        F(DST, "::1"),
        F(DST_PORT, "80"),
        F(FC_SRC, "1.2.3.4"),
        F(FC_DST_PORT, "80"),
        F(DST_IS_LOCAL, "1"),
        F(SRC_IS_LOCAL, "0"),
        F(ACCEPT_DATE, "1"),
        F(ACCEPT_DATE, "1500", "ms"),
        F(ACCEPT_DATE, "1500000", "us"),
        F(FC_RTT, NULL),
        F(FC_HTTP_MAJOR, "1"),
    };
    static const struct fetch_case unix_peer[] = {F(SRC, NULL), F(SRC_PORT, NULL), F(SRC_IS_LOCAL, NULL), F(DST, NULL)};
    struct client_facts client = {.fd = -1, .dst_known = true, .accept_wall_us = 1500000};
    struct match_ctx c = {.arena = arena, .client = &client};
    assert_true(inet_parse(STR("1.2.3.4"), &client.src));
    inet_set_port(&client.src, 1234);
    assert_true(inet_parse(STR("::1"), &client.dst));
    inet_set_port(&client.dst, 80);
    RUN(&c, known);
    assert_true(inet_parse(STR("::ffff:9.8.7.6"), &client.src)); // a mapped address is IPv4
    static const struct fetch_case mapped[] = {F(SRC, "9.8.7.6")};
    RUN(&c, mapped);
    client.src = (struct inet_addr){.sa.sa_family = AF_UNIX};
    client.dst = (struct inet_addr){.sa.sa_family = AF_UNIX};
    RUN(&c, unix_peer);
    c.client = NULL;
    RUN(&c, unix_peer);
}

static void test_waiting(void **state)
{
    struct match_ctx c = {.arena = arena, .where = WHERE_FRONT_REQ};
    struct sample s;
    assert_int_equal(eval_fetch(&c, FETCH_WAIT_END, none, &s), EVAL_MORE);
    c.req_final = true;
    assert_int_equal(eval_fetch(&c, FETCH_WAIT_END, none, &s), EVAL_FOUND);
}

// ---- raw bytes

static void expect(struct match_ctx *c, enum fetch_id id, const char *const args[EVAL_ARGS_MAX], enum eval_result r,
                   const char *want)
{
    struct sample s;
    enum eval_result got = eval_fetch(c, id, args, &s);
    if (got != r)
        fail_msg("%s: result %d, want %d", fetch_rows[id].name, got, r);
    if (r == EVAL_FOUND)
        eval_assert_text(c, fetch_rows[id].name, &s, str_of(want));
}
#define EXPECT(c, id, r, want, ...)                                                                                    \
    expect(c, FETCH_##id, (const char *const[EVAL_ARGS_MAX]){__VA_ARGS__}, EVAL_##r, want)

static void test_payload(void **state)
{
    struct match_ctx c = {.arena = arena, .where = WHERE_FRONT_REQ, .req_bytes = STR("\0\003abcdef")};
    struct sample s;
    c.req_bytes.len = 8;
    EXPECT(&c, REQ_LEN, FOUND, "8");
    EXPECT(&c, REQ_PAYLOAD, FOUND, "abc", "2", "3");
    EXPECT(&c, REQ_PAYLOAD, FOUND, "cdef", "4", "0");
    EXPECT(&c, REQ_PAYLOAD, MORE, NULL, "4", "5");
    EXPECT(&c, REQ_PAYLOAD, MORE, NULL, "9", "0");
    EXPECT(&c, PAYLOAD, FOUND, "a", "2", "1");
    EXPECT(&c, REQ_PAYLOAD_LV, FOUND, "abc", "0", "2");
    EXPECT(&c, REQ_PAYLOAD_LV, FOUND, "def", "0", "2", "+3");
    EXPECT(&c, REQ_PAYLOAD_LV, FOUND, "bcd", "0", "2", "3");
    EXPECT(&c, REQ_PAYLOAD_LV, FOUND, "def", "0", "2", "5");
    EXPECT(&c, REQ_PAYLOAD_LV, MORE, NULL, "0", "2", "+4");
    EXPECT(&c, REQ_PAYLOAD_LV, NONE, NULL, "0", "2", "-3");
    EXPECT(&c, REQ_PAYLOAD_LV, NONE, NULL, "0", "1");
    EXPECT(&c, REQ_PAYLOAD_LV, MORE, NULL, "7", "2");
    assert_int_equal(eval_fetch(&c, FETCH_REQ_LEN, none, &s), EVAL_FOUND);
    assert_true(s.may_change);
    c.req_final = true;
    EXPECT(&c, REQ_PAYLOAD, NONE, NULL, "4", "5");
    assert_int_equal(eval_fetch(&c, FETCH_REQ_LEN, none, &s), EVAL_FOUND);
    assert_false(s.may_change);
    c.res_bytes = STR("xyz");
    EXPECT(&c, RES_LEN, FOUND, "3");
    EXPECT(&c, RES_PAYLOAD, FOUND, "yz", "1", "2");
    c.where = WHERE_RES;
    EXPECT(&c, PAYLOAD, FOUND, "x", "0", "1");
}

static void test_rdp(void **state)
{
    static const char packet[] = "\x03\x00\x00\x27\x22\xe0\x00\x00\x00\x00\x00"
                                 "Cookie: mstshash=joe\r\n______";
    struct match_ctx c = {.arena = arena, .req_bytes = str_make(packet, sizeof(packet) - 1)};
    EXPECT(&c, REQ_RDP_COOKIE, FOUND, "joe");
    EXPECT(&c, REQ_RDP_COOKIE, FOUND, "joe", "MSTSHASH");
    EXPECT(&c, REQ_RDP_COOKIE, NONE, NULL, "msts");
    EXPECT(&c, REQ_RDP_COOKIE_CNT, FOUND, "1");
    EXPECT(&c, REQ_RDP_COOKIE_CNT, FOUND, "0", "other");
    for (size_t n = 0; n < 0x27; n++) {
        c.req_bytes.len = n;
        EXPECT(&c, REQ_RDP_COOKIE, MORE, NULL);
    }
    c.req_bytes = STR("GET / HTTP/1.1\r\n\r\n");
    EXPECT(&c, REQ_RDP_COOKIE, NONE, NULL);
}

// Client hello of TLS 1.2: SNI "www.example.com", curves, an empty ticket, ALPN h2 and http/1.1.
static const char hello[] = "\x16\x03\x01\x00\x65\x01\x00\x00\x61\x03\x03"
                            "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"
                            "\x00"             // session id
                            "\x00\x02\x13\x01" // ciphers
                            "\x01\x00"         // compression
                            "\x00\x36"
                            "\x00\x00\x00\x14\x00\x12\x00\x00\x0fwww.example.com"
                            "\x00\x0a\x00\x04\x00\x02\x00\x1d"
                            "\x00\x23\x00\x00"
                            "\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1";

static void test_tls_hello(void **state)
{
    struct match_ctx c = {.arena = arena, .req_bytes = str_make(hello, sizeof(hello) - 1)};
    struct value_cursor cursor = {0};
    EXPECT(&c, REQ_SSL_HELLO_TYPE, FOUND, "1");
    EXPECT(&c, REQ_SSL_SNI, FOUND, "www.example.com");
    EXPECT(&c, REQ_SSL_VER, FOUND, "196611"); // 3.3
    EXPECT(&c, REQ_SSL_EC_EXT, FOUND, "1");
    EXPECT(&c, REQ_SSL_ST_EXT, FOUND, "1");
    EXPECT(&c, RES_SSL_HELLO_TYPE, MORE, NULL);
    c.cursor = &cursor;
    EXPECT(&c, REQ_SSL_ALPN, FOUND, "h2");
    assert_true(cursor.more);
    EXPECT(&c, REQ_SSL_ALPN, FOUND, "http/1.1");
    c.cursor = NULL;
    EXPECT(&c, REQ_SSL_ALPN, FOUND, "h2,http/1.1");
}

// Cut anywhere, with any byte changed: never more than MORE or NONE, and never a read outside (the sanitizer watches).
static void test_tls_hello_damaged(void **state)
{
    static const enum fetch_id ids[] = {FETCH_REQ_SSL_SNI, FETCH_REQ_SSL_ALPN, FETCH_REQ_SSL_VER, FETCH_REQ_SSL_ST_EXT};
    for (size_t n = 0; n < sizeof(hello) - 1; n++) {
        char *part = malloc(n + 1);
        memcpy(part, hello, n);
        struct match_ctx c = {.arena = arena, .req_bytes = str_make(part, n)};
        EXPECT(&c, REQ_SSL_SNI, MORE, NULL);
        c.req_final = true;
        EXPECT(&c, REQ_SSL_SNI, NONE, NULL);
        free(part);
    }
    for (size_t at = 0; at < sizeof(hello) - 1; at++) {
        char *copy = malloc(sizeof(hello) - 1);
        memcpy(copy, hello, sizeof(hello) - 1);
        copy[at] = (char)~copy[at];
        struct match_ctx c = {.arena = arena, .req_bytes = str_make(copy, sizeof(hello) - 1), .req_final = true};
        struct sample s;
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
            eval_fetch(&c, ids[i], none, &s);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constants), cmocka_unit_test(test_process),           cmocka_unit_test(test_connection),
        cmocka_unit_test(test_waiting),   cmocka_unit_test(test_payload),           cmocka_unit_test(test_rdp),
        cmocka_unit_test(test_tls_hello), cmocka_unit_test(test_tls_hello_damaged),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
