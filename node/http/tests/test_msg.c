// SPDX-License-Identifier: Apache-2.0
// Field look-ups, list values and edits; names, methods and reasons.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/http/msg.h"
#include "node/http/scan.h"

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

static void test_names(void **state)
{
    for (int id = 1; id < HDR_ID_COUNT; id++) {
        struct str name = http_hdr_name((enum hdr_id)id);
        char other[32];
        assert_true(name.len > 1);
        assert_int_equal(http_hdr_id(name), id);
        for (size_t i = 0; i < name.len; i++)
            other[i] = i % 2 ? str_lower(name.ptr[i]) : (char)(name.ptr[i] & (name.ptr[i] == '-' ? 0x7f : 0x5f));
        assert_int_equal(http_hdr_id(str_make(other, name.len)), id);
        other[name.len / 2] = '~';
        assert_int_equal(http_hdr_id(str_make(other, name.len)), HDR_OTHER);
        assert_int_equal(http_hdr_id(str_make(name.ptr, name.len - 1)), HDR_OTHER);
    }
    assert_int_equal(http_hdr_id(STR("")), HDR_OTHER);
    assert_int_equal(http_hdr_id(STR("X")), HDR_OTHER);
    assert_int_equal(http_hdr_id(STR("keep\ralive")), HDR_OTHER);
    assert_int_equal(http_hdr_id(STR("HOST")), HDR_HOST);
}

static void test_methods(void **state)
{
    for (int i = METHOD_GET; i <= METHOD_PATCH; i++)
        assert_int_equal(http_method_of(http_method_name((enum http_method)i)), i);
    assert_int_equal(http_method_of(STR("get")), METHOD_OTHER);
    assert_int_equal(http_method_of(STR("GETS")), METHOD_OTHER);
    assert_int_equal(http_method_of(STR("")), METHOD_OTHER);
}

static void test_reasons(void **state)
{
    assert_string_equal(http_reason(200), "OK");
    assert_string_equal(http_reason(503), "Service Unavailable");
    assert_string_equal(http_reason(299), "Success");
    assert_string_equal(http_reason(599), "Server Error");
    assert_string_equal(http_reason(600), "Other");
}

// Every byte against the grammar (RFC 9110 5.6.2 and what scan.h says).
static void test_scan_classes(void **state)
{
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool token = alnum || (c && c < 0x80 && strchr("!#$%&'*+-.^_`|~", c));
        bool host = c > ' ' && c != 0x7f && !strchr("\"#,/<>?@\\^`{|}", c);
        assert_int_equal(!!(scan_classes[c] & SCAN_TOKEN), token);
        assert_int_equal(!!(scan_classes[c] & SCAN_NAME_END), c <= ' ' || c == ':');
        assert_int_equal(!!(scan_classes[c] & SCAN_VALUE_END), c == '\r' || c == '\n' || c == 0);
        assert_int_equal(!!(scan_classes[c] & SCAN_TARGET_END), c <= ' ' || c == '#' || c >= 0x7f);
        assert_int_equal(!(scan_classes[c] & SCAN_NOT_HOST), host);
        // The wide steps agree with the table wherever the byte stands.
        for (int at = 0; at < 33; at++) {
            char bytes[33];
            memset(bytes, 'a', sizeof(bytes));
            bytes[at] = (char)c;
            const char *hit = scan_classes[c] & SCAN_NAME_END ? bytes + at : NULL;
            assert_ptr_equal(scan_name(bytes, bytes + sizeof(bytes)), hit);
            hit = scan_classes[c] & SCAN_VALUE_END ? bytes + at : NULL;
            assert_ptr_equal(scan_value(bytes, bytes + sizeof(bytes)), hit);
            hit = scan_classes[c] & SCAN_TARGET_END ? bytes + at : NULL;
            assert_ptr_equal(scan_target(bytes, bytes + sizeof(bytes)), hit);
        }
    }
}

static void test_edits(void **state)
{
    struct http_msg m;
    unsigned pos = 0;
    http_msg_init(&m, *state, false, 0);
    for (int i = 0; i < 20; i++)
        http_hdr_add(&m, STR("X-A"), STR("1"));
    http_hdr_add(&m, STR("host"), STR("h"));
    http_hdr_add(&m, STR("Via"), STR_NONE);
    assert_int_equal(http_hdr_count(&m, STR("x-a"), false), 20);
    assert_true(http_hdr_has(&m, HDR_HOST));
    assert_false(http_hdr_has(&m, HDR_DATE));
    assert_true(str_is(http_hdr_get(&m, HDR_HOST), "h"));
    http_hdr_set(&m, STR("X-a"), STR("2"));
    assert_int_equal(http_hdr_count(&m, STR("X-A"), true), 1);
    assert_int_equal(http_hdr_count(&m, STR("via"), true), 1);
    struct http_hdr *h = http_hdr_next_name(&m, STR("X-A"), &pos);
    assert_true(str_is(h->value, "2"));
    assert_null(http_hdr_next_name(&m, STR("X-A"), &pos));
    assert_int_equal(http_hdr_del(&m, STR("x-a")), 1);
    assert_int_equal(http_hdr_del(&m, STR("x-a")), 0);
    assert_int_equal(http_hdr_del_id(&m, HDR_HOST), 1);
    assert_false(http_hdr_has(&m, HDR_HOST));
    assert_null(http_hdr_get(&m, HDR_HOST).ptr);
    http_hdr_add(&m, STR("Host"), STR("i"));
    assert_true(str_is(http_hdr_get(&m, HDR_HOST), "i"));
}

static void test_list_values(void **state)
{
    static const struct {
        const char *fields[3];
        const char *values; // joined with '|'
    } cases[] = {
        {{"a,b"}, "a|b"},
        {{"a,,b"}, "a||b"},
        {{" a , b ", "c"}, "a|b|c"},
        {{"\"a,b\", c"}, "\"a,b\"|c"},
        {{"\"a\\\",b\",c"}, "\"a\\\",b\"|c"},
        {{"\"a,b"}, "\"a,b"},
        {{""}, ""},
        {{","}, "|"},
        {{"x", "", "y"}, "x||y"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_msg m;
        http_msg_init(&m, *state, false, 4);
        unsigned fields = 0;
        for (size_t f = 0; f < 3 && cases[i].fields[f]; f++, fields++)
            http_hdr_add(&m, STR("X"), str_of(cases[i].fields[f]));
        struct str rest = str_of(cases[i].values), want, value;
        int n = 0;
        while (str_split(&rest, '|', &want)) {
            assert_true(http_hdr_value(&m, STR("x"), ++n, false, &value));
            assert_true(str_eq(value, want));
        }
        assert_int_equal(http_hdr_count(&m, STR("x"), false), n);
        assert_int_equal(http_hdr_count(&m, STR("x"), true), fields);
        assert_false(http_hdr_value(&m, STR("x"), n + 1, false, &value));
        assert_false(http_hdr_value(&m, STR("x"), -n - 1, false, &value));
        assert_false(http_hdr_value(&m, STR("x"), 0, false, &value));
        assert_true(http_hdr_value(&m, STR("x"), -1, false, &value));
        assert_true(str_eq(value, want));
        assert_true(http_hdr_value(&m, STR("x"), 1, true, &value));
        assert_true(str_is(value, cases[i].fields[0]));
    }
}

static void test_tokens(void **state)
{
    struct http_msg m;
    struct str rest = STR(", a ,, \"b,c\" ,"), piece;
    assert_true(http_list_next(&rest, &piece));
    assert_true(str_is(piece, "a"));
    assert_true(http_list_next(&rest, &piece));
    assert_true(str_is(piece, "\"b,c\""));
    assert_false(http_list_next(&rest, &piece));

    http_msg_init(&m, *state, false, 4);
    http_hdr_add(&m, STR("Connection"), STR("x, Upgrade"));
    http_hdr_add(&m, STR("Connection"), STR("close"));
    assert_true(http_hdr_has_token(&m, HDR_CONNECTION, STR("upgrade")));
    assert_true(http_hdr_has_token(&m, HDR_CONNECTION, STR("CLOSE")));
    assert_false(http_hdr_has_token(&m, HDR_CONNECTION, STR("up")));
}

static void test_checks(void **state)
{
    assert_true(http_value_ok(STR("a \t\x01\xff")));
    assert_true(http_value_ok(STR_NONE));
    assert_false(http_value_ok(STR("a\rb")));
    assert_false(http_value_ok(STR("a\n")));
    assert_false(http_value_ok(STR("a\0b")));
    assert_true(http_name_ok(STR("X-a!")));
    assert_false(http_name_ok(STR("X a")));
    assert_false(http_name_ok(STR("X:")));
    assert_false(http_name_ok(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_methods), cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_scan_classes), cmocka_unit_test(test_edits),   cmocka_unit_test(test_list_values),
        cmocka_unit_test(test_tokens),       cmocka_unit_test(test_checks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
