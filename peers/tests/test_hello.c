// SPDX-License-Identifier: Apache-2.0
// Hello: round trip, pieces, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include "peers/hello.h"

static struct hello sample(void)
{
    return (struct hello){.version = HELLO_VERSION,
                          .cluster = STR("edge"),
                          .from = STR("n1"),
                          .to = STR("n2"),
                          .class = 1,
                          .boot = 1700000000000000,
                          .received = 42};
}

static void comes_back(void **state)
{
    struct hello in = sample(), out;
    struct buf b = BUF_INIT;
    size_t used = 0;
    hello_encode(&in, &b);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(hello_parse(str_make(b.data, len), &out, &used), HELLO_MORE);
    buf_add_cstr(&b, "carrier bytes");
    assert_int_equal(hello_parse(buf_str(&b), &out, &used), HELLO_OK);
    assert_int_equal(used + 13, b.len);
    assert_true(str_is(out.cluster, "edge") && str_is(out.from, "n1") && str_is(out.to, "n2"));
    assert_int_equal(out.class, 1);
    assert_int_equal(out.boot, in.boot);
    assert_int_equal(out.received, 42);
    buf_free(&b);
}

static void refuses(struct hello h)
{
    struct buf b = BUF_INIT;
    size_t used;
    hello_encode(&h, &b);
    assert_int_equal(hello_parse(buf_str(&b), &h, &used), HELLO_BAD);
    buf_free(&b);
}

static void bad_ones_are_refused(void **state)
{
    struct hello h = sample();
    size_t used;
    h.version = 99;
    refuses(h);
    h = sample();
    h.from = STR_NONE;
    refuses(h);
    char big[600];
    memset(big, 'a', sizeof(big));
    h = sample();
    h.from = str_make(big, HELLO_NAME_MAX + 1);
    refuses(h);
    h.from = str_make(big, sizeof(big));
    refuses(h);
    assert_int_equal(hello_parse(STR("GET / HTTP/1.1\r\n"), &h, &used), HELLO_BAD);
    assert_int_equal(hello_parse(STR("P"), &h, &used), HELLO_MORE);
    assert_int_equal(hello_parse(STR("PHXL\0\1\xc1"), &h, &used), HELLO_BAD);
    assert_int_equal(hello_parse(STR("PHXL\0\5\xdd\xff\xff\xff\xff"), &h, &used), HELLO_BAD);
    assert_int_equal(hello_parse(STR("PHXL\xff\xff"), &h, &used), HELLO_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(bad_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
