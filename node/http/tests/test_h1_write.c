// SPDX-License-Identifier: Apache-2.0
// The head writer: I/O vector, flat form and length must agree, and untouched heads must be one run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/base/buf.h"
#include "node/http/h1.h"

enum { IOV_MAX_ENTRIES = 16 };

static const struct h1_limits limits = {.max_headers = 101, .accept_invalid = true};

static void parse(struct http_msg *m, struct arena *arena, bool response, const char *text)
{
    struct h1_parser p;
    h1_parser_init(&p);
    http_msg_init(m, arena, response, 8);
    enum h1_result r = response ? h1_parse_response(&p, &limits, text, strlen(text), METHOD_GET, m)
                                : h1_parse_request(&p, &limits, text, strlen(text), m);
    assert_int_equal(r, H1_DONE);
}

// Returns the number of entries.
static int assert_written(struct http_msg *m, const char *want)
{
    struct iovec iov[IOV_MAX_ENTRIES];
    struct buf out = BUF_INIT;
    int n = h1_head_iov(m, iov, IOV_MAX_ENTRIES);
    assert_true(n > 0);
    for (int i = 0; i < n; i++)
        buf_add(&out, iov[i].iov_base, iov[i].iov_len);
    assert_string_equal(out.data, want);
    assert_int_equal(h1_head_len(m), out.len);

    char *flat = malloc(out.len);
    assert_int_equal(h1_write_head(m, flat, out.len - 1), 0);
    assert_int_equal(h1_write_head(m, flat, out.len), out.len);
    assert_memory_equal(flat, out.data, out.len);
    free(flat);
    buf_free(&out);
    return n;
}

static void test_untouched_is_one_run(void **state)
{
    struct arena *a = arena_create(4096);
    struct http_msg m;
    const char *text = "GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    parse(&m, a, false, text);
    assert_int_equal(assert_written(&m, text), 1);
    text = "GET /x HTTP/1.0\r\n\r\n";
    parse(&m, a, false, text);
    assert_int_equal(assert_written(&m, text), 1);
    text = "HTTP/1.1 200 OK\r\nServer: a\r\nX: y\r\n\r\n"; // the status line is written, the rest one run
    parse(&m, a, true, text);
    assert_int_equal(assert_written(&m, text), 2);
    arena_destroy(&a);
}

static void test_edits_split_runs(void **state)
{
    struct arena *a = arena_create(4096);
    struct http_msg m;
    parse(&m, a, false, "GET /x HTTP/1.1\r\nHost: a\r\nB: 1\r\nC: 2\r\nD: 3\r\n\r\n");
    http_hdr_del(&m, STR("B"));
    assert_int_equal(assert_written(&m, "GET /x HTTP/1.1\r\nHost: a\r\nC: 2\r\nD: 3\r\n\r\n"), 2);
    http_hdr_add(&m, STR("E"), STR("4"));
    http_hdr_add(&m, STR("F"), STR(""));
    assert_int_equal(assert_written(&m, "GET /x HTTP/1.1\r\nHost: a\r\nC: 2\r\nD: 3\r\nE: 4\r\nF: \r\n\r\n"), 3);
    m.target = STR("/y");
    assert_int_equal(assert_written(&m, "GET /y HTTP/1.1\r\nHost: a\r\nC: 2\r\nD: 3\r\nE: 4\r\nF: \r\n\r\n"), 4);
    m.version = 10;
    m.hdrs[0].value = STR("other");
    assert_written(&m, "GET /y HTTP/1.0\r\nHost: other\r\nC: 2\r\nD: 3\r\nE: 4\r\nF: \r\n\r\n");
    arena_destroy(&a);
}

static void test_irregular_lines_are_normalized(void **state)
{
    struct arena *a = arena_create(4096);
    struct http_msg m;
    parse(&m, a, false, "\r\nGET  /x  HTTP/1.1\r\nHost:a\r\nX: \t y \r\nZ: z\r\nN:\r\n\r\n");
    assert_written(&m, "GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\nZ: z\r\nN: \r\n\r\n");
    parse(&m, a, false, "GET /x HTTP/1.7\r\n\r\n");
    assert_written(&m, "GET /x HTTP/1.1\r\n\r\n");
    parse(&m, a, true, "HTTP/1.1 404\r\nX: y\r\n\r\n");
    assert_written(&m, "HTTP/1.1 404 \r\nX: y\r\n\r\n");
    parse(&m, a, false, "PLAY rtsp://h/ RTSP/1.0\r\n\r\n");
    assert_written(&m, "PLAY rtsp://h/ RTSP/1.0\r\n\r\n");
    parse(&m, a, false, "GET /\r\n\r\n");
    assert_written(&m, "GET / HTTP/1.0\r\n\r\n");
    parse(&m, a, false, "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\nHost: a\r\nHost: A\r\n\r\n");
    assert_written(&m, "POST / HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\n\r\n");
    arena_destroy(&a);
}

static void test_made_here(void **state)
{
    struct arena *a = arena_create(4096);
    struct http_msg m;
    http_msg_init(&m, a, true, 0);
    m.status = 503;
    m.reason = str_of(http_reason(503));
    http_hdr_add(&m, STR("Content-Length"), STR("0"));
    assert_int_equal(assert_written(&m, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), 1);
    arena_destroy(&a);
}

static void test_too_few_entries(void **state)
{
    struct arena *a = arena_create(4096);
    struct http_msg m;
    struct iovec iov[2];
    parse(&m, a, false, "GET /x HTTP/1.1\r\nA: a\r\nB:1\r\nC: 2\r\nD:3\r\n\r\n");
    assert_int_equal(h1_head_iov(&m, iov, 2), -1);
    assert_int_equal(h1_head_iov(&m, iov, 0), -1);
    arena_destroy(&a);
}

static void test_chunk_header(void **state)
{
    char out[20];
    assert_int_equal(h1_chunk_header(0, out), 3);
    assert_memory_equal(out, "0\r\n", 3);
    assert_int_equal(h1_chunk_header(0x1a, out), 4);
    assert_memory_equal(out, "1a\r\n", 4);
    assert_int_equal(h1_chunk_header(UINT64_MAX, out), 18);
    assert_memory_equal(out, "ffffffffffffffff\r\n", 18);
    assert_int_equal(h1_chunk_header(0x4000, out), 6);
    assert_memory_equal(out, "4000\r\n", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untouched_is_one_run),
        cmocka_unit_test(test_edits_split_runs),
        cmocka_unit_test(test_irregular_lines_are_normalized),
        cmocka_unit_test(test_made_here),
        cmocka_unit_test(test_too_few_entries),
        cmocka_unit_test(test_chunk_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
