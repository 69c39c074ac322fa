// SPDX-License-Identifier: Apache-2.0
// Buffers: growth, printing, consuming, and the read and write ends of an iobuf.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdlib.h>

#include "node/base/buf.h"

static void grows_and_stays_terminated(void **state)
{
    struct buf b = BUF_INIT;
    buf_add_str(&b, STR_NONE);
    assert_int_equal(b.len, 0);
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i);
    assert_true(str_starts(buf_str(&b), STR("0,1,2,")));
    assert_true(str_ends(buf_str(&b), STR(",999,")));
    assert_int_equal(b.data[b.len], 0);
    buf_printf(&b, "%5000s", "x");
    assert_int_equal(b.data[b.len], 0);
    buf_clear(&b);
    assert_string_equal(b.data, "");
    buf_add_cstr(&b, "ab");
    buf_add_char(&b, 'c');
    assert_string_equal(b.data, "abc");
    buf_free(&b);
    assert_null(b.data);
}

static void consumes_from_the_front(void **state)
{
    struct buf b = BUF_INIT;
    buf_consume(&b, 0);
    buf_add_cstr(&b, "hello");
    buf_consume(&b, 2);
    assert_string_equal(b.data, "llo");
    buf_consume(&b, 3);
    assert_int_equal(b.len, 0);
    buf_free(&b);
}

static void iobuf_moves_its_ends(void **state)
{
    struct iobuf *b = malloc(sizeof(*b) + 8);
    *b = (struct iobuf){.size = 8};
    memcpy(iobuf_write_ptr(b), "abcdef", 6);
    iobuf_wrote(b, 6);
    assert_int_equal(iobuf_len(b), 6);
    assert_int_equal(iobuf_room(b), 2);
    iobuf_read(b, 4);
    iobuf_compact(b);
    assert_memory_equal(iobuf_read_ptr(b), "ef", 2);
    assert_int_equal(iobuf_room(b), 6);
    iobuf_read(b, 2); // emptied: begins again at the front
    assert_int_equal(b->head, 0);
    assert_int_equal(b->tail, 0);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(consumes_from_the_front),
        cmocka_unit_test(iobuf_moves_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
