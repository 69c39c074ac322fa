// SPDX-License-Identifier: Apache-2.0
// Words of lines, as configuration.txt 2.2 and 2.3 say and haproxy 2.6 does.
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>

#include "config/lex.h"

struct fixture {
    struct lex lex;
    struct env *env;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct arena *arena = arena_create(4096);
    f->env = env_create(arena);
    f->lex = (struct lex){.arena = arena, .env = f->env, .file = STR("a.cfg"), .section = STR("web"), .line = 7};
    env_set(f->env, STR("HOST"), STR("h1"));
    env_set(f->env, STR("LIST"), STR("a b  c"));
    env_set(f->env, STR("EMPTY"), STR(""));
    env_unset(f->env, STR("NONE"));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    lex_free(&f->lex);
    env_destroy(&f->env);
    arena_destroy(&f->lex.arena);
    free(f);
    return 0;
}

// Words joined by '|'; "!text@column" for a mistake.
static void expect(struct fixture *f, const char *line, const char *expected)
{
    struct buf got = BUF_INIT;
    struct str *words;
    struct lex_error error;
    unsigned n;
    buf_add_cstr(&got, "");
    if (!lex_line(&f->lex, str_of(line), &words, &n, &error))
        buf_printf(&got, "!%s@%u", error.text, error.col);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(words[i].ptr[words[i].len], '\0');
        buf_printf(&got, "%s%s", i ? "|" : "", words[i].ptr);
    }
    assert_string_equal(got.data ? got.data : "", expected);
    buf_free(&got);
}

static void test_words(void **state)
{
    expect(*state, "", "");
    expect(*state, "   \t ", "");
    expect(*state, "# all", "");
    expect(*state, "  maxconn\t10  ", "maxconn|10");
    expect(*state, "maxconn 10 # ten", "maxconn|10");
    expect(*state, "maxconn#10", "maxconn");
    expect(*state, "a b\r", "a|b");
    expect(*state, "a \"\" b ''", "a||b|");
}

static void test_quotes(void **state)
{
    expect(*state, "abc\"def\"'ghi'xyz", "abcdefghixyz");
    expect(*state, "\"a b\" 'c \"d\"' \"e'f\"", "a b|c \"d\"|e'f");
    expect(*state, "'a\\tb$HOST'", "a\\tb$HOST");
    expect(*state, "\"a#b\" 'c#d' e", "a#b|c#d|e");
    expect(*state, "x \"abc", "!unmatched quote@2");
    expect(*state, "x 'abc", "!unmatched quote@2");
    expect(*state, "\"abc\\", "!unmatched quote@0");
}

static void test_escapes(void **state)
{
    expect(*state, "a\\tb|\\q|\\$|\\\\|\\\"|\\x41|\\#|\\'|\\ z", "a\tb|\\q|\\$|\\|\"|A|#|'| z");
    expect(*state, "\"a\\tb|\\q|\\$|\\\\|\\\"|\\x41|\\#\"", "a\tb|\\q|$|\\|\"|A|#");
    expect(*state, "a\\r\\nb", "a\r\nb");
    expect(*state, "abc\\", "abc\\");
    expect(*state, "a \\x4", "!truncated or invalid hexadecimal sequence@2");
    expect(*state, "a \\x00", "!a word cannot contain the character NUL@2");
}

static void test_variables(void **state)
{
    expect(*state, "$HOST '$HOST'", "$HOST|$HOST");
    expect(*state, "\"$HOST:80\" \"${HOST}x\"", "h1:80|h1x");
    expect(*state, "\"${NONE-dflt}\" \"${NONE}\" \"$NONE\"", "dflt||");
    expect(*state, "\"${EMPTY-dflt}\" \"${HOST-dflt}\"", "|h1");
    expect(*state, "\"x${LIST[*]}y\" z", "xa|b|cy|z");
    expect(*state, "\"${LIST}\"", "a b  c");
    expect(*state, "\"${NONE[*]}\" a", "|a");
    expect(*state, "\"${.FILE}:${.LINE} ${.SECTION}\"", "a.cfg:7 web");
    expect(*state, "\"${.FOO}\"", "!unknown pseudo-variable: expected .FILE, .LINE or .SECTION@1");
    expect(*state, "\"$1\"", "!forbidden first char in environment variable name@2");
    expect(*state, "\"a$\"", "!forbidden first char in environment variable name@3");
    expect(*state, "\"${HOST\"", "!unmatched brace in environment variable name@1");
    expect(*state, "\"${HO ST}\"", "!unmatched brace in environment variable name@1");
}

static void test_find_word(void **state)
{
    unsigned col, len;
    (void)state;
    struct str line = STR("  server \"a b\"c x\\ y # z");
    assert_true(lex_find_word(line, 0, &col, &len));
    assert_int_equal(col, 2);
    assert_int_equal(len, 6);
    assert_true(lex_find_word(line, 1, &col, &len));
    assert_int_equal(col, 9);
    assert_int_equal(len, 6);
    assert_true(lex_find_word(line, 2, &col, &len));
    assert_int_equal(col, 16);
    assert_int_equal(len, 4);
    assert_false(lex_find_word(line, 3, &col, &len));
}

static void test_environment(void **state)
{
    struct fixture *f = *state;
    struct str value;
    setenv("PHX_TEST_LEX", "outside", 1);
    assert_true(env_get(f->env, STR("PHX_TEST_LEX"), &value));
    assert_true(str_is(value, "outside"));
    struct str keep[] = {STR("HOST")};
    env_reset(f->env, keep, 1);
    assert_false(env_get(f->env, STR("PHX_TEST_LEX"), &value));
    assert_true(env_get(f->env, STR("HOST"), &value));
    assert_false(env_get(f->env, STR("LIST"), &value));
    env_set(f->env, STR("HOST"), STR("h2"));
    expect(f, "\"$HOST\"", "h2");
    assert_string_equal(getenv("PHX_TEST_LEX"), "outside");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quotes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_variables, setup, teardown),
        cmocka_unit_test(test_find_word),
        cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
