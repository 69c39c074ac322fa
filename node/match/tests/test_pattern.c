// SPDX-License-Identifier: Apache-2.0
#include "node/match/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/match/pattern_index.h"
#include "node/match/regex.h"

static struct arena *arena;
static struct match_ctx ctx;

static struct pattern_set *make(enum match_method method, bool nocase, bool map, const char *file)
{
    struct pattern_options o = {.method = method, .nocase = nocase, .map = map, .no_dns = true, .value = TYPE_STR};
    struct pattern_set *p = pattern_set_create(&o);
    char err[200] = "";
    unsigned line;
    if (!pattern_add_file(p, str_of(file), &line, err, sizeof(err)))
        fail_msg("line %u: %s", line, err);
    pattern_seal(p);
    return p;
}

// What the value finds: the map's value, or the pattern itself.
static const char *look(struct pattern_set *p, const char *value)
{
    static char text[400];
    struct sample s;
    sample_set_str(&s, str_of(value));
    if (!sample_cast(&ctx, &s, pattern_input(pattern_set_options(p)->method)))
        return "(cast)";
    const struct pattern_entry *e = pattern_match(p, &s);
    if (!e)
        return NULL;
    return str_copy(text, sizeof(text), pattern_set_options(p)->map ? e->value : e->text);
}

static void finds(enum match_method method, bool nocase, const char *file, const char *value, const char *want)
{
    struct pattern_set *p = make(method, nocase, false, file);
    const char *found = look(p, value);
    if (want)
        assert_string_equal(found ? found : "(none)", want);
    else
        assert_null(found);
    // The same with many patterns around, so that the index answers.
    char many[4000];
    size_t len = (size_t)snprintf(many, sizeof(many), "%s\n", file);
    bool number = method == MATCH_INT || method == MATCH_LEN;
    for (unsigned i = 0; i < 30; i++)
        len += (size_t)snprintf(many + len, sizeof(many) - len,
                                number                ? "99999%u\n"
                                : method == MATCH_IP  ? "203.0.113.%u\n"
                                : method == MATCH_BIN ? "ffff%04u\n"
                                                      : "Zq%uzzz\n",
                                i);
    struct pattern_set *q = make(method, nocase, false, many);
    found = look(q, value);
    if (want)
        assert_string_equal(found ? found : "(none)", want);
    else
        assert_null(found);
    pattern_set_unref(&p);
    pattern_set_unref(&q);
}

static void test_text(void **state)
{
    (void)state;
    finds(MATCH_STR, false, "foo\nbar", "bar", "bar");
    finds(MATCH_STR, false, "foo\nbar", "BAR", NULL);
    finds(MATCH_STR, false, "foo\nbar", "", NULL);
    finds(MATCH_STR, true, "foo\nBaR", "bAr", "BaR");
    finds(MATCH_BEG, false, "/a\n/ab\n/abc/", "/abcd", "/ab"); // the finest
    finds(MATCH_BEG, false, "/a\n/ab", "/", NULL);
    finds(MATCH_BEG, true, "/A\n/aB", "/ABc", "/aB");
    finds(MATCH_END, false, "com\nx.com", "www.x.com", "com"); // the first
    finds(MATCH_END, false, "x.com\ncom", "www.x.com", "x.com");
    finds(MATCH_END, true, ".GIF\n.png", "/a.gif", ".GIF");
    finds(MATCH_SUB, false, "bc\ncd", "abcd", "bc");
    finds(MATCH_SUB, true, "BC", "abcd", "BC");
    finds(MATCH_SUB, false, "bcde", "abcd", NULL);
    finds(MATCH_REG, false, "^/a\nb$", "/b", "b$");
    finds(MATCH_REG, true, "^/A", "/a", "^/A");
    finds(MATCH_BIN, false, "616263\n00FF", "abc", "616263");
    finds(MATCH_BIN, false, "616263", "ABC", NULL);
}

static void test_words(void **state)
{
    (void)state;
    const char *path = "/images/png/logo/32x32.png";
    const char *yes[] = {"/images", "/images/png", "images/png", "/png/logo", "logo/32x32.png", "32x32.png"};
    for (unsigned i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        finds(MATCH_DIR, false, yes[i], path, yes[i]);
    finds(MATCH_DIR, false, "png.\n32x32\nogo", path, NULL);
    finds(MATCH_DIR, true, "/PNG/", path, "/PNG/");
    finds(MATCH_DIR, false, "b", "/a/b?c", "b");
    finds(MATCH_DIR, false, "/", "/zz", NULL);
    finds(MATCH_DIR, false, "/", "/", "/");
    const char *url = "http://www1.dc-eu.example.com:80/blah";
    const char *domains[] = {"http", "www1",          ".www1", "dc-eu",  "example",         "com",
                             "80",   "dc-eu.example", "blah",  ":www1:", "dc-eu.example:80"};
    for (unsigned i = 0; i < sizeof(domains) / sizeof(*domains) - 1; i++)
        finds(MATCH_DOM, false, domains[i], url, domains[i]);
    finds(MATCH_DOM, false, "eu\ndc", url, NULL);
    finds(MATCH_DOM, false, "b", "a?b&c", NULL);
}

static void test_numbers(void **state)
{
    (void)state;
    finds(MATCH_INT, false, "5\n10:20\n:3\n100000000:", "15", "10:20");
    finds(MATCH_INT, false, "5\n10:20\n:3\n100000000:", "5", "5");
    finds(MATCH_INT, false, "5\n10:20\n:3\n100000000:", "-9", ":3");
    finds(MATCH_INT, false, "5\n10:20\n:3\n100000000:", "4", NULL);
    finds(MATCH_INT, false, "5\n10:20\n:3\n100000000:", "9223372036854775807", "100000000:");
    finds(MATCH_INT, false, "10:20\n12\n100:", "12", "10:20"); // ranges overlap: the first
    finds(MATCH_LEN, false, "2\n4:", "ab", "2");
    finds(MATCH_LEN, false, "2\n4:", "abc", NULL);
}

static void test_addresses(void **state)
{
    (void)state;
    const char *nested = "10.0.0.0/8\n10.1.0.0/16\n10.1.2.0/24\n10.1.0.0/16";
    finds(MATCH_IP, false, nested, "10.1.2.3", "10.1.2.0/24");
    finds(MATCH_IP, false, nested, "10.1.3.3", "10.1.0.0/16");
    finds(MATCH_IP, false, nested, "10.2.0.0", "10.0.0.0/8");
    finds(MATCH_IP, false, nested, "10.255.255.255", "10.0.0.0/8");
    finds(MATCH_IP, false, nested, "11.0.0.0", NULL);
    finds(MATCH_IP, false, nested, "9.255.255.255", NULL);
    finds(MATCH_IP, false, nested, "::ffff:10.1.2.3", "10.1.2.0/24");
    finds(MATCH_IP, false, nested, "2002:0a01:0203::", "10.1.2.0/24");
    finds(MATCH_IP, false, nested, "::10.1.2.3", "10.1.2.0/24");
    finds(MATCH_IP, false, nested, "fe80::1", NULL);
    finds(MATCH_IP, false, "0.0.0.0/0", "255.255.255.255", "0.0.0.0/0");
    finds(MATCH_IP, false, "255.255.255.255", "255.255.255.255", "255.255.255.255");
    finds(MATCH_IP, false, "127.1", "127.0.0.1", "127.1");
    finds(MATCH_IP, false, "10.12/8", "10.200.0.1", "10.12/8");
    finds(MATCH_IP, false, "10.0.0.0/255.0.0.0", "10.2.3.4", "10.0.0.0/255.0.0.0");
    finds(MATCH_IP, false, "::/0", "fe80::1", "::/0");
    finds(MATCH_IP, false, "2001:db8::/32\n2001:db8:1::/48", "2001:db8:1::7", "2001:db8:1::/48");
    finds(MATCH_IP, false, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    finds(MATCH_IP, false, "::ffff:127.0.0.0/120", "127.0.0.1", "::ffff:127.0.0.0/120");
}

// Every address of a small space against a plain scan over the prefixes.
static void test_addresses_exhaustive(void **state)
{
    (void)state;
    uint32_t random = 12345;
    for (unsigned round = 0; round < 50; round++) {
        struct ip_key keys[40], copy[40];
        for (unsigned i = 0; i < 40; i++) {
            random = random * 1664525 + 1013904223;
            unsigned bits = 24 + (random >> 28) % 9;
            uint32_t host = bits == 32 ? 0 : ~0u >> bits;
            uint32_t first = (random >> 8 & 0xff) & ~host;
            keys[i] = copy[i] = (struct ip_key){.first = first, .last = first | host, .entry = i};
        }
        struct ip_index x;
        ip_index_build(&x, arena, copy, 40);
        for (uint32_t a = 0; a < 300; a++) {
            int64_t best = PATTERN_NONE;
            for (unsigned i = 0; i < 40; i++)
                if (a >= keys[i].first && a <= keys[i].last &&
                    (best < 0 || keys[i].last - keys[i].first < keys[best].last - keys[best].first))
                    best = i;
            assert_int_equal(ip_index_find4(&x, (struct in_addr){.s_addr = htonl(a)}), best);
        }
    }
}

static void test_map_file(void **state)
{
    (void)state;
    struct pattern_set *p = make(MATCH_STR, false, true, "# comment\n\n  k  v 1  \r\n #d dd\nonly\nq\t\tr\nk second\n");
    assert_int_equal(pattern_count(p), 5);
    assert_string_equal(look(p, "k"), "v 1");
    assert_string_equal(look(p, "#d"), "dd");
    assert_string_equal(look(p, "only"), "");
    assert_string_equal(look(p, "q"), "r");
    assert_int_equal(pattern_entry(p, 0)->line, 3);
    pattern_set_unref(&p);
    struct pattern_set *list = make(MATCH_STR, false, false, "a b\n # x");
    assert_string_equal(look(list, "a b"), "a b");
    assert_string_equal(look(list, "# x"), "# x");
    struct pattern_set *again = pattern_set_ref(list);
    pattern_set_unref(&list);
    pattern_set_unref(&again);
}

static void refuses(enum match_method method, enum sample_type value, const char *file, unsigned at, const char *why)
{
    struct pattern_options o = {.method = method, .map = value != TYPE_ANY, .no_dns = true, .value = value};
    struct pattern_set *p = pattern_set_create(&o);
    char err[300] = "";
    unsigned line = 0;
    assert_false(pattern_add_file(p, str_of(file), &line, err, sizeof(err)));
    assert_int_equal(line, at);
    if (!strstr(err, why))
        fail_msg("'%s' does not say '%s'", err, why);
    pattern_set_unref(&p);
}

static void test_errors(void **state)
{
    (void)state;
    refuses(MATCH_INT, TYPE_ANY, "5\nx", 2, "'x' is not an integer");
    refuses(MATCH_INT, TYPE_ANY, "9:5", 1, "range");
    refuses(MATCH_IP, TYPE_ANY, "1.2.3.4/33", 1, "network");
    refuses(MATCH_IP, TYPE_ANY, "1.2.3.4/255.0.255.0", 1, "network");
    refuses(MATCH_IP, TYPE_ANY, "0x10.1", 1, "network");
    refuses(MATCH_IP, TYPE_ANY, "some.host", 1, "network");
    refuses(MATCH_IP, TYPE_ANY, "::1/129", 1, "network");
    refuses(MATCH_BIN, TYPE_ANY, "616", 1, "hexadecimal");
    refuses(MATCH_BIN, TYPE_ANY, "6g", 1, "hexadecimal");
    refuses(MATCH_REG, TYPE_ANY, "ok\n(", 2, "invalid");
    refuses(MATCH_STR, TYPE_INT, "a 1\nb x", 2, "not an integer");
    refuses(MATCH_STR, TYPE_ADDR, "a 1.2.3.4\nb x", 2, "not an address");
}

// 10,000 entries, each found, neighbours not.
static void test_many(void **state)
{
    (void)state;
    struct pattern_options o = {.method = MATCH_STR, .map = true, .value = TYPE_INT};
    struct pattern_set *p = pattern_set_create(&o);
    char err[100], key[40], value[20];
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(key, sizeof(key), "host%u.example.com", i);
        snprintf(value, sizeof(value), "%u", i);
        assert_true(pattern_add(p, str_of(key), str_of(value), i + 1, err, sizeof(err)));
    }
    pattern_seal(p);
    struct sample s;
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(key, sizeof(key), "host%u.example.com", i);
        sample_set_str(&s, str_of(key));
        assert_int_equal(pattern_match(p, &s)->out.num, i);
    }
    sample_set_str(&s, STR("host10000.example.com"));
    assert_null(pattern_match(p, &s));
    pattern_set_unref(&p);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_create(4096);
    ctx.arena = arena;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    regex_thread_exit();
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_words),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_map_file), cmocka_unit_test(test_addresses_exhaustive),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
