// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/base/msgscan.h"

static const struct msgscan_limits limits = {.bytes = 64, .depth = 3, .items = 20};

#define CHECK(literal) msgscan_check(STR(literal), &limits)

static void whole_values_pass(void **state)
{
    assert_int_equal(CHECK("\x05"), MSGSCAN_OK);
    assert_int_equal(CHECK("\xe0"), MSGSCAN_OK);
    assert_int_equal(CHECK("\xc0"), MSGSCAN_OK);
    assert_int_equal(CHECK("\xa3"
                           "abc"),
                     MSGSCAN_OK);
    assert_int_equal(CHECK("\x82\x01\x02\x03\x92\x04\x05"), MSGSCAN_OK);
    assert_int_equal(CHECK("\xc4\x02zz"), MSGSCAN_OK);
    assert_int_equal(CHECK("\xd6\x01"
                           "1234"),
                     MSGSCAN_OK);
    assert_int_equal(CHECK("\xcb\x3f\xf0\0\0\0\0\0\0"), MSGSCAN_OK);
    assert_int_equal(CHECK("\x90"), MSGSCAN_OK);
}

static void limits_hold(void **state)
{
    assert_int_equal(CHECK(""), MSGSCAN_SHORT);
    assert_int_equal(CHECK("\xa3"
                           "ab"),
                     MSGSCAN_SHORT);
    assert_int_equal(CHECK("\xcd\x01"), MSGSCAN_SHORT);
    assert_int_equal(CHECK("\x81\x01"), MSGSCAN_SHORT);
    assert_int_equal(CHECK("\x01\x02"), MSGSCAN_TRAILING);
    assert_int_equal(CHECK("\xc1"), MSGSCAN_TYPE);
    assert_int_equal(CHECK("\x91\x91\x91\x01"), MSGSCAN_OK);
    assert_int_equal(CHECK("\x91\x91\x91\x91\x01"), MSGSCAN_DEEP);
    // Four billion elements claimed by five bytes.
    assert_int_equal(CHECK("\xdd\xff\xff\xff\xff"), MSGSCAN_MANY);
    assert_int_equal(CHECK("\xdf\xff\xff\xff\xff"), MSGSCAN_MANY);
    assert_int_equal(CHECK("\xdb\xff\xff\xff\xff"), MSGSCAN_SHORT);
    char large[65] = {0};
    assert_int_equal(msgscan_check(str_make(large, 65), &limits), MSGSCAN_LARGE);
    char many[22] = "\xdc\x00\x14";
    assert_int_equal(msgscan_check(str_make(many, 22), &limits), MSGSCAN_MANY);
}

static void cursor_reads_in_place(void **state)
{
    struct msgscan s = msgscan_begin(STR("\x84\x01\xcd\x01\x00\x02\xd0\xfe\x03\x92\xa1x\xc3\x04\x81\x01\x90\x07"));
    assert_int_equal(msgscan_map(&s), 4);
    assert_int_equal(msgscan_uint(&s, 99), 1);
    assert_int_equal(msgscan_uint(&s, 256), 256);
    assert_int_equal(msgscan_uint(&s, 99), 2);
    assert_int_equal(msgscan_int(&s), -2);
    assert_int_equal(msgscan_uint(&s, 99), 3);
    assert_int_equal(msgscan_array(&s), 2);
    assert_true(str_is(msgscan_str(&s), "x"));
    assert_true(msgscan_bool(&s));
    assert_int_equal(msgscan_uint(&s, 99), 4);
    msgscan_skip(&s);
    assert_int_equal(msgscan_uint(&s, 99), 7);
    assert_false(s.failed);
    msgscan_skip(&s);
    assert_true(s.failed);
}

static void first_mismatch_sticks(void **state)
{
    struct msgscan s = msgscan_begin(STR("\x05\x05"));
    assert_int_equal(msgscan_uint(&s, 4), 0);
    assert_true(s.failed);
    assert_int_equal(msgscan_uint(&s, 5), 0);
    s = msgscan_begin(STR("\xff"));
    assert_int_equal(msgscan_uint(&s, UINT64_MAX), 0);
    assert_true(s.failed);
    s = msgscan_begin(STR("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(msgscan_int(&s), 0);
    assert_true(s.failed);
}

static void signed_forms_of_small_numbers_are_read(void **state)
{
    struct msgscan s = msgscan_begin(STR("\xd1\x00\x07\xd3\x80\0\0\0\0\0\0\0"));
    assert_int_equal(msgscan_uint(&s, 7), 7);
    assert_true(msgscan_int(&s) == INT64_MIN);
    assert_false(s.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_values_pass),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(cursor_reads_in_place),
        cmocka_unit_test(first_mismatch_sticks),
        cmocka_unit_test(signed_forms_of_small_numbers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
