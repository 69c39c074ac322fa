// SPDX-License-Identifier: Apache-2.0
// Chunked bodies against a table, in pieces of every size.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/base/buf.h"
#include "node/http/h1.h"
#include "node/http/tests/h1_cases.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

// Feeds pieces of `step` bytes; collects the data; *used counts the body's bytes.
static enum h1_result decode(const char *text, size_t len, size_t step, struct buf *data, size_t *used)
{
    struct h1_chunked c;
    h1_chunked_init(&c);
    *used = 0;
    while (*used < len) {
        size_t piece = len - *used < step ? len - *used : step, skip, n;
        enum h1_chunk_event e = h1_chunked_next(&c, text + *used, piece, &skip, &n);
        if (e == H1_CHUNK_BAD)
            return H1_BAD;
        buf_add(data, text + *used + skip, n);
        *used += skip + n;
        if (e == H1_CHUNK_END)
            return H1_DONE;
        assert_true(skip + n > 0);
    }
    return H1_MORE;
}

static enum h1_result scan(const char *text, size_t len, size_t step, size_t *used)
{
    struct h1_chunked c;
    h1_chunked_init(&c);
    *used = 0;
    while (*used < len) {
        size_t piece = len - *used < step ? len - *used : step, n;
        bool end;
        enum h1_result r = h1_chunked_scan(&c, text + *used, piece, &n, &end);
        *used += n;
        assert_int_equal(end, r == H1_DONE);
        if (r != H1_MORE)
            return r;
        assert_int_equal(n, piece);
    }
    return H1_MORE;
}

static void test_table(void **state)
{
    for (size_t i = 0; i < COUNT(chunk_cases); i++) {
        const struct chunk_case *c = &chunk_cases[i];
        for (size_t step = 1; step <= c->len + 1; step++) {
            struct buf data = BUF_INIT;
            size_t used, scanned;
            enum h1_result r = decode(c->text, c->len, step, &data, &used);
            if (r != c->result)
                fail_msg("%s in steps of %zu: %d", c->text, step, r);
            assert_int_equal(scan(c->text, c->len, step, &scanned), c->result);
            if (r == H1_DONE) {
                assert_true(str_is(buf_str(&data), c->data) || (data.len == 0 && c->data[0] == '\0'));
                assert_int_equal(c->len - used, c->after);
                assert_int_equal(scanned, used);
            }
            buf_free(&data);
        }
    }
}

static void test_bounded_lines(void **state)
{
    struct buf line = BUF_INIT;
    size_t used;
    buf_add_cstr(&line, "3;");
    while (line.len < H1_CHUNK_LINE_MAX - 2)
        buf_add_char(&line, 'x');
    buf_add_cstr(&line, "\r\nabc\r\n0\r\n\r\n");
    assert_int_equal(scan(line.data, line.len, line.len, &used), H1_DONE);
    buf_clear(&line);
    while (line.len < H1_CHUNK_LINE_MAX + 1)
        buf_add_char(&line, '0');
    assert_int_equal(scan(line.data, line.len, line.len, &used), H1_BAD);

    buf_clear(&line);
    buf_add_cstr(&line, "0\r\n");
    while (line.len < H1_TRAILERS_MAX + 4)
        buf_add_cstr(&line, "A: b\r\n");
    assert_int_equal(scan(line.data, line.len, line.len, &used), H1_BAD);
    buf_free(&line);
}

static void test_advance(void **state)
{
    struct h1_chunked c;
    size_t skip, n;
    h1_chunked_init(&c);
    assert_false(h1_chunked_in_data(&c));
    assert_int_equal(h1_chunked_next(&c, "ff\r\nab", 6, &skip, &n), H1_CHUNK_DATA);
    assert_int_equal(skip, 4);
    assert_int_equal(n, 2);
    assert_true(h1_chunked_in_data(&c));
    assert_int_equal(c.left, 253);
    h1_chunked_advance(&c, 253);
    assert_false(h1_chunked_in_data(&c));
    assert_int_equal(h1_chunked_next(&c, "\r\n0\r\n\r\n", 7, &skip, &n), H1_CHUNK_END);
    assert_int_equal(skip, 7);
    assert_int_equal(h1_chunked_next(&c, "x", 1, &skip, &n), H1_CHUNK_END);
    assert_int_equal(skip, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_bounded_lines),
        cmocka_unit_test(test_advance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
