// SPDX-License-Identifier: Apache-2.0
// Conditions and conditional blocks (configuration.txt 2.4).
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>

#include "config/config.h"

static void test_expressions(void **state)
{
    static const struct {
        const char *text;
        int value; // -1 = not an expression
    } rows[] = {
        {"", 0},
        {"1", 1},
        {"0", 0},
        {"-1", 1},
        {"007", 1},
        {"!1", 0},
        {"!!0", 0},
        {"! (1)", 0},
        {"(1)", 1},
        {"((0) || (1))", 1},
        {"2 && 3", 1},
        {"1||0", 1},
        {"1 && 0 || 1 && 1", 1},
        {"1 && (0 || 0)", 0},
        {"defined(PHX_TEST_COND)", 1},
        {"defined(PHX_TEST_NOT)", 0},
        {"defined()", -1},
        {"streq(a,a)", 1},
        {"streq(a,b)", 0},
        {"streq(\"a\",'a')", 1},
        {"streq(a b,a b)", 1},
        {"streq(a, a)", 0},
        {"streq(\",\",\\,)", 1},
        {"streq(,)", 1},
        {"strneq(a,b)", 1},
        {"strstr(abc,b)", 1},
        {"strstr(abc,d)", 0},
        {"feature(EPOLL)", 1},
        {"feature(PHALANX)", 1},
        {"feature(QUIC)", 0},
        {"feature(NOSUCH)", 0},
        {"enabled(EPOLL)", 1},
        {"enabled(KQUEUE)", 0},
        {"version_atleast(2.6)", 1},
        {"version_atleast(2.4-dev19)", 1},
        {"version_atleast(2.6.12-1)", 1},
        {"version_atleast(3.0)", 1},
        {"version_atleast(3.0-dev9)", 1},
        {"version_atleast(3.0.1)", 0},
        {"version_atleast(3.1)", 0},
        {"version_before(3.0)", 0},
        {"version_before(3.1-dev1)", 1},
        {"openssl_version_atleast(1.1.1)", 0},
        {"awslc_api_atleast(1)", 0},
        {"fips_mode()", 0},
        {"foo", -1},
        {"foo(1)", -1},
        {"1 1", -1},
        {"1x", -1},
        {"-", -1},
        {"1 &&", -1},
        {"|| 1", -1},
        {"(1", -1},
        {"1)", -1},
        {"streq", -1},
        {"streq(a", -1},
        {"streq(a)", -1},
        {"streq(a,b,c)", -1},
        {"streq(\"a,b)", -1},
        {"1 || foo", -1}, // read to its end although the first term decides
    };
    (void)state;
    setenv("PHX_TEST_COND", "", 1);
    unsetenv("PHX_TEST_NOT");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diag *diag = diag_create();
        int value = config_eval_condition(rows[i].text, diag);
        if (value != rows[i].value)
            fail_msg("'%s' is %d, not %d", rows[i].text, value, rows[i].value);
        assert_int_equal(diag_count(diag, DIAG_ALERT), rows[i].value < 0);
        diag_destroy(&diag);
    }
}

static void test_depth(void **state)
{
    struct buf text = BUF_INIT;
    struct diag *diag = diag_create();
    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        buf_add_char(&text, '(');
    assert_int_equal(config_eval_condition(text.data, diag), -1);
    diag_destroy(&diag);
    buf_free(&text);
}

// Notices of a text, joined by spaces; "!" for each alert.
static void expect_blocks(const char *text, const char *expected)
{
    struct config_options options = {.local_peer = "n1"};
    struct diag *diag = diag_create();
    struct buf out = BUF_INIT, got = BUF_INIT;
    struct config *c = config_load_text("t.cfg", str_of(text), &options, diag);
    config_unref(&c);
    diag_render(diag, &out, DIAG_DIAG);
    struct str rest = buf_str(&out), line;
    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t quote = str_find(line, STR(" : '"));
        if (str_starts(line, STR("[ALERT]")))
            buf_add_char(&got, '!');
        else if (str_starts(line, STR("[NOTICE]")) && quote >= 0)
            buf_add(&got, line.ptr + quote + 4, 1);
    }
    assert_string_equal(got.data ? got.data : "", expected);
    buf_free(&got);
    buf_free(&out);
    diag_destroy(&diag);
}

static void test_blocks(void **state)
{
    (void)state;
    expect_blocks(".if 1\n.notice a\n.else\n.notice b\n.endif\n", "a");
    expect_blocks(".if 0\n.notice a\n.elif 1\n.notice b\n.elif 1\n.notice c\n.else\n.notice d\n.endif\n", "b");
    expect_blocks(".if 0\n.if 1\n.notice a\n.else\n.notice b\n.endif\n.else\n.notice c\n.endif\n", "c");
    expect_blocks(".if 1\n.if 0\n.notice a\n.else\n.notice b\n.endif\n.endif\n.notice c\n", "bc");
    // Not evaluated where it does not matter.
    expect_blocks(".if 0\n.if foo\n.endif\nfoo bar\n.endif\n", "");
    expect_blocks(".if 1\n.notice a\n.elif foo\n.endif\n", "a");
    // Mistakes.
    expect_blocks(".else\n", "!");
    expect_blocks(".elif 1\n", "!");
    expect_blocks(".endif\n", "!");
    expect_blocks(".if 1\n", "!");
    expect_blocks(".if 1\n.else\n.else\n.endif\n", "!");
    expect_blocks(".if 1\n.else\n.elif 1\n.endif\n", "!");
    expect_blocks(".if 1\n.endif foo\n", "!");
    expect_blocks(".if 0\n \"\n.endif\n", "!");
    expect_blocks(".foo\n", "!");
    expect_blocks(".notice a b\n", "!");
    expect_blocks(".alert a\n", "!");
}

static void test_environment(void **state)
{
    (void)state;
    expect_blocks("global\n setenv A x\n.if streq(\"$A\",x)\n.notice a\n.endif\n presetenv A y\n"
                  ".if streq(\"$A\",y)\n.notice b\n.endif\n unsetenv A\n.if !defined(A)\n.notice c\n.endif\n",
                  "ac");
    expect_blocks(".if streq(\"${HAPROXY_LOCALPEER}\",n1)\n.notice a\n.endif\n", "a");
    expect_blocks(".if streq(\"${HAPROXY_CFGFILES}\",t.cfg)\n.notice a\n.endif\n", "a");
    expect_blocks(".if streq(\"${HAPROXY_BRANCH}\"," CONFIG_LANGUAGE_VERSION ")\n.notice a\n.endif\n", "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
