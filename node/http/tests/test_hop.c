// SPDX-License-Identifier: Apache-2.0
// What is left of a message for the next hop, and what the proxy says about its own connection.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/base/buf.h"
#include "node/http/h1.h"
#include "node/http/hop.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct h1_limits limits = {.max_headers = 101};

static void assert_fields(const struct http_msg *m, const char *input, const char *want)
{
    char out[1024];
    size_t n = h1_write_head(m, out, sizeof(out));
    struct str head = str_make(out, n);
    ptrdiff_t start = str_find(head, STR("\r\n"));
    struct str fields = str_slice(head, (size_t)start + 2, n - (size_t)start - 4);
    if (!str_is(fields, want))
        fail_msg("%s\n  gave: %.*s\n  want: %s", input, STR_ARG(fields), want);
}

static void parse(struct http_msg *m, struct arena *a, const char *text)
{
    struct h1_parser p;
    bool response = text[0] == 'H';
    h1_parser_init(&p);
    http_msg_init(m, a, response, 8);
    enum h1_result r = response ? h1_parse_response(&p, &limits, text, strlen(text), METHOD_GET, m)
                                : h1_parse_request(&p, &limits, text, strlen(text), m);
    assert_int_equal(r, H1_DONE);
}

static void test_strip(void **state)
{
    static const struct {
        const char *fields, *want;
    } cases[] = {
        {"X: y\r\n", "X: y\r\n"},
        {"Connection: close\r\n", ""},
        {"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nX: y\r\n", "X: y\r\n"},
        {"Proxy-Connection: keep-alive\r\n", ""},
        {"Connection: X-A, x-b\r\nX-a: 1\r\nX-B: 2\r\nX-A: 3\r\nX-C: 4\r\n", "X-C: 4\r\n"},
        {"Connection: host, authorization\r\nHost: a\r\nAuthorization: b\r\n", "Host: a\r\nAuthorization: b\r\n"},
        {"TE: trailers\r\n", "TE: trailers\r\n"},
        {"TE: gzip\r\n", ""},
        {"TE: gzip, trailers\r\nTE: trailers\r\n", "TE: trailers\r\n"},
        {"Connection: TE\r\nTE: trailers;q=1\r\n", ""},
        {"Connection: TE\r\nTE: trailers\r\n", "TE: trailers\r\n"},
        {"Upgrade: h2c\r\n", ""},
        {"Connection: Upgrade\r\n", ""},
        {"Connection: Upgrade\r\nUpgrade: h2c\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n"},
        {"Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n",
         "Connection: Upgrade,HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n"},
        {"Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: x\r\n", "Connection: upgrade\r\nUpgrade: x\r\n"},
        {"Trailer: x\r\nExpect: 100-continue\r\n", "Trailer: x\r\nExpect: 100-continue\r\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_create(4096);
        struct http_msg m;
        struct str text = arena_printf(a, "GET / HTTP/1.1\r\n%s\r\n", cases[i].fields);
        parse(&m, a, text.ptr);
        http_strip_hop_by_hop(&m);
        assert_fields(&m, cases[i].fields, cases[i].want);
        arena_destroy(&a);
    }
}

// Seen on HAProxy 2.6's wire for each pair of versions.
static void test_set_connection(void **state)
{
    static const struct {
        const char *head;
        bool keep_alive;
        uint8_t peer_version;
        const char *want;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", true, 11, ""},
        {"GET / HTTP/1.1\r\n\r\n", false, 11, "Connection: close\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", true, 10, "Connection: keep-alive\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", false, 10, ""},
        {"HTTP/1.1 200 OK\r\n\r\n", true, 11, ""},
        {"HTTP/1.1 200 OK\r\n\r\n", false, 11, "Connection: close\r\n"},
        {"HTTP/1.1 200 OK\r\n\r\n", true, 10, "Connection: keep-alive\r\n"},
        {"HTTP/1.1 200 OK\r\n\r\n", false, 10, "Connection: close\r\n"},
        {"HTTP/1.0 200 OK\r\n\r\n", true, 11, "Connection: keep-alive\r\n"},
        {"HTTP/1.0 200 OK\r\n\r\n", true, 10, "Connection: keep-alive\r\n"},
        {"HTTP/1.0 200 OK\r\n\r\n", false, 11, ""},
        {"HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false, 11,
         "Connection: Upgrade\r\nUpgrade: x\r\n"},
        {"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false, 11,
         "Connection: Upgrade\r\nUpgrade: x\r\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *a = arena_create(4096);
        struct http_msg m;
        parse(&m, a, cases[i].head);
        http_set_connection(&m, cases[i].keep_alive, cases[i].peer_version);
        assert_fields(&m, cases[i].head, cases[i].want);
        arena_destroy(&a);
    }
}

static void test_websocket(void **state)
{
    struct arena *a = arena_create(4096);
    struct http_msg m;
    parse(&m, a, "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n\r\n");
    assert_true(m.upgrade && http_is_websocket(&m));
    parse(&m, a, "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    assert_true(m.upgrade && !http_is_websocket(&m));
    parse(&m, a, "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_false(m.upgrade || http_is_websocket(&m));
    arena_destroy(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strip),
        cmocka_unit_test(test_set_connection),
        cmocka_unit_test(test_websocket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
