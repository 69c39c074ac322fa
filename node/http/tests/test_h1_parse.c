// SPDX-License-Identifier: Apache-2.0
// The head parser against tables, whole and byte by byte, in place and with bytes that move between calls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/http/h1.h"
#include "node/http/tests/h1_cases.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct h1_limits strict = {.max_headers = 101};
static const struct h1_limits lenient = {.max_headers = 101, .accept_invalid = true};

struct parsed {
    struct arena *arena;
    struct h1_parser parser;
    struct http_msg m;
    char *data; // malloc'd copy, exactly as long as what the parser may read
};

static enum h1_result parse(struct parsed *p, const struct h1_limits *limits, bool response, const char *data,
                            size_t len)
{
    return response ? h1_parse_response(&p->parser, limits, data, len, METHOD_GET, &p->m)
                    : h1_parse_request(&p->parser, limits, data, len, &p->m);
}

static void begin(struct parsed *p, bool response)
{
    p->arena = arena_create(4096);
    p->data = NULL;
    h1_parser_init(&p->parser);
    http_msg_init(&p->m, p->arena, response, 0);
}

static void finish(struct parsed *p)
{
    free(p->data);
    arena_destroy(&p->arena);
}

static char *copy_bytes(const char *data, size_t len)
{
    char *copy = malloc(len + (len == 0));
    memcpy(copy, data, len);
    return copy;
}

// All bytes at once.
static enum h1_result parse_whole(struct parsed *p, const struct h1_limits *l, bool response, const char *d, size_t n)
{
    begin(p, response);
    p->data = copy_bytes(d, n);
    return parse(p, l, response, p->data, n);
}

// One more byte a call, each time in fresh memory of exactly that size.
static enum h1_result parse_bytes(struct parsed *p, const struct h1_limits *l, bool response, const char *d, size_t n)
{
    begin(p, response);
    for (size_t i = 0; i <= n; i++) {
        char *moved = copy_bytes(d, i);
        free(p->data);
        p->data = moved;
        enum h1_result r = parse(p, l, response, p->data, i);
        if (r != H1_MORE)
            return r;
    }
    return H1_MORE;
}

static void check(const struct head_case *c, const struct parsed *p, enum h1_result r, const char *how)
{
    const struct http_msg *m = &p->m;
    bool good = r == c->result;
    if (good && r == H1_BAD)
        good = p->parser.error == c->error && p->parser.error_pos < c->len;
    if (good && r == H1_DONE)
        good = m->body == c->body && m->content_length == c->length && m->keep_alive == c->keep_alive;
    if (!good)
        fail_msg(
            "%s: %s\n  result %d (want %d), error %s (want %s), body %d (%d), length %llu (%llu), keep-alive %d (%d)",
            how, c->text, r, c->result, h1_error_text(p->parser.error), h1_error_text(c->error), m->body, c->body,
            (unsigned long long)m->content_length, (unsigned long long)c->length, m->keep_alive, c->keep_alive);
}

static void assert_same_fields(const struct http_msg *a, const struct http_msg *b)
{
    assert_int_equal(a->nhdrs, b->nhdrs);
    assert_int_equal(a->head_len, b->head_len);
    for (unsigned i = 0; i < a->nhdrs; i++) {
        assert_int_equal(a->hdrs[i].id, b->hdrs[i].id);
        assert_true(str_eq(a->hdrs[i].name, b->hdrs[i].name));
        assert_true(str_eq(a->hdrs[i].value, b->hdrs[i].value));
    }
    assert_true(str_eq(a->method_text, b->method_text));
    assert_true(str_eq(a->target, b->target));
    assert_true(str_eq(a->reason, b->reason));
}

static void run_cases(const struct head_case *cases, size_t n, bool response)
{
    for (size_t i = 0; i < n; i++) {
        const struct head_case *c = &cases[i];
        struct parsed whole, bytes;
        check(c, &whole, parse_whole(&whole, &strict, response, c->text, c->len), "whole");
        check(c, &bytes, parse_bytes(&bytes, &strict, response, c->text, c->len), "byte by byte");
        if (c->result == H1_DONE)
            assert_same_fields(&whole.m, &bytes.m);
        finish(&whole);
        finish(&bytes);
    }
}

static void test_requests(void **state)
{
    run_cases(request_cases, COUNT(request_cases), false);
}

static void test_responses(void **state)
{
    run_cases(response_cases, COUNT(response_cases), true);
}

static void test_accept_invalid(void **state)
{
    static const struct {
        const char *text;
        enum h1_result result;
    } cases[] = {
        {"GET /a#b HTTP/1.1\r\n\r\n", H1_DONE},
        {"GET /a\x80#\xff HTTP/1.1\r\n\r\n", H1_DONE},
        {"GET /\r\n\r\n", H1_DONE},
        {"DESCRIBE rtsp://x/ RTSP/1.0\r\n\r\n", H1_DONE},
        {"GET / HTTP/1.10\r\n\r\n", H1_DONE},
        {"GET / HTTP/2.0\r\n\r\n", H1_DONE},
        {GET "X()\x80: y\r\n\r\n", H1_DONE},
        {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", H1_DONE},
        {"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", H1_DONE},
        // what decides framing stays strict
        {GET "X : y\r\n\r\n", H1_BAD},
        {GET "Host: b\r\n\r\n", H1_BAD},
        {"GET / HTTP/1.1\nHost: a\n\n", H1_BAD},
        {POST "Content-Length : 3\r\n\r\n", H1_BAD},
        {POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BAD},
        {POST "Transfer-Encoding: gzip\r\n\r\n", H1_BAD},
        {GET "X: y\r\n z\r\n\r\n", H1_BAD},
        {"GET /\x01 HTTP/1.1\r\n\r\n", H1_BAD},
        {"GET / http/1.1\r\n\r\n", H1_BAD},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct parsed p;
        size_t len = strlen(cases[i].text);
        enum h1_result r = parse_whole(&p, &lenient, false, cases[i].text, len);
        if (r != cases[i].result)
            fail_msg("%s: %d", cases[i].text, r);
        finish(&p);
        assert_int_equal(parse_bytes(&p, &lenient, false, cases[i].text, len), cases[i].result);
        finish(&p);
    }
}

static void test_fields(void **state)
{
    static const char text[] =
        "\r\nPOST /p?q=1 HTTP/1.1\r\nhOST: h:80\r\nX-Long-Name-Of-Nobody:  v w \r\nAccept:\r\n"
        "Expect: 100-Continue\r\nContent-Length: 12, 12\r\nX: 2\r\nContent-Length: 12\r\n\r\nbody";
    struct parsed p;
    assert_int_equal(parse_whole(&p, &strict, false, text, sizeof(text) - 1), H1_DONE);
    struct http_msg *m = &p.m;
    assert_int_equal(m->method, METHOD_POST);
    assert_true(str_is(m->target, "/p?q=1"));
    assert_int_equal(m->version, 11);
    assert_true(m->has_host && m->expect_continue && !m->upgrade);
    assert_int_equal(m->head_len, sizeof(text) - 1 - 4);
    assert_true(str_is(http_hdr_get(m, HDR_HOST), "h:80"));
    assert_int_equal(m->hdrs[1].id, HDR_OTHER);
    assert_true(str_is(m->hdrs[1].value, "v w"));
    assert_true(m->hdrs[2].value.ptr != NULL && m->hdrs[2].value.len == 0);
    unsigned pos = 0;
    struct http_hdr *length = http_hdr_next(m, HDR_CONTENT_LENGTH, &pos);
    assert_true(str_is(length->value, "12")); // merged
    assert_null(http_hdr_next(m, HDR_CONTENT_LENGTH, &pos));
    finish(&p);
}

static void test_response_framing_by_method(void **state)
{
    static const struct {
        const char *text;
        enum http_method method;
        enum http_body body;
    } cases[] = {
        {OKAY "Content-Length: 5\r\n\r\n", METHOD_HEAD, BODY_NONE},
        {OKAY "Transfer-Encoding: chunked\r\n\r\n", METHOD_HEAD, BODY_NONE},
        {OKAY "\r\n", METHOD_HEAD, BODY_NONE},
        {OKAY "Content-Length: 5\r\n\r\n", METHOD_CONNECT, BODY_TUNNEL},
        {"HTTP/1.1 404 N\r\nContent-Length: 5\r\n\r\n", METHOD_CONNECT, BODY_LENGTH},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct parsed p;
        begin(&p, true);
        size_t len = strlen(cases[i].text);
        p.data = copy_bytes(cases[i].text, len);
        assert_int_equal(h1_parse_response(&p.parser, &strict, p.data, len, cases[i].method, &p.m), H1_DONE);
        assert_int_equal(p.m.body, cases[i].body);
        if (cases[i].method == METHOD_HEAD && http_hdr_has(&p.m, HDR_CONTENT_LENGTH))
            assert_int_equal(p.m.content_length, 5);
        if (cases[i].body == BODY_TUNNEL)
            assert_false(http_hdr_has(&p.m, HDR_CONTENT_LENGTH));
        finish(&p);
    }
}

static void test_header_limit(void **state)
{
    static const struct h1_limits two = {.max_headers = 2};
    struct parsed p;
    const char *text = "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";
    assert_int_equal(parse_whole(&p, &two, false, text, strlen(text)), H1_DONE);
    finish(&p);
    text = "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
    assert_int_equal(parse_whole(&p, &two, false, text, strlen(text)), H1_BAD);
    assert_int_equal(p.parser.error, H1_TOO_MANY_HEADERS);
    finish(&p);
}

// Long tokens, so that the wide steps of the scanner and its ends are met at every offset.
static void test_long_tokens(void **state)
{
    for (size_t n = 1; n < 70; n++) {
        char text[512], fill[80];
        struct parsed p;
        memset(fill, 'x', n);
        fill[n] = '\0';
        int len = snprintf(text, sizeof(text), "%s /%s HTTP/1.1\r\n%s: %s\r\n\r\n", fill, fill, fill, fill);
        assert_int_equal(parse_whole(&p, &strict, false, text, (size_t)len), H1_DONE);
        assert_int_equal(p.m.target.len, n + 1);
        assert_int_equal(p.m.hdrs[0].name.len, n);
        assert_int_equal(p.m.hdrs[0].value.len, n);
        finish(&p);
        assert_int_equal(parse_bytes(&p, &strict, false, text, (size_t)len), H1_DONE);
        assert_int_equal(p.m.hdrs[0].value.len, n);
        finish(&p);
    }
}

static void test_errors_have_texts(void **state)
{
    for (int e = 0; e < H1_ERROR_COUNT; e++)
        assert_non_null(h1_error_text((enum h1_error)e));
    assert_int_equal(h1_error_status(H1_BAD_HOST), 400);
    assert_int_equal(h1_error_status(H1_BODY_NOT_ALLOWED), 413);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_accept_invalid),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_response_framing_by_method),
        cmocka_unit_test(test_header_limit),
        cmocka_unit_test(test_long_tokens),
        cmocka_unit_test(test_errors_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
