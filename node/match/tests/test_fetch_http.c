// SPDX-License-Identifier: Apache-2.0
// Fetches of HTTP messages. What the manual leaves open was compared with HAProxy 2.6.
#include "node/match/tests/eval.h"

#include "node/http/h1.h"
#include "node/match/hashes.h"

struct fetch_case {
    enum fetch_id id;
    const char *args[EVAL_ARGS_MAX];
    const char *want; // NULL = nothing found
};
#define F(id, want, ...)                                                                                               \
    {                                                                                                                  \
        FETCH_##id, {__VA_ARGS__}, want                                                                                \
    }

static const struct h1_limits limits = {.max_headers = 50};
static struct arena *arena;

static void parse(struct http_msg *m, bool response, const char *text)
{
    struct h1_parser p;
    h1_parser_init(&p);
    http_msg_init(m, arena, response, 8);
    enum h1_result r = response ? h1_parse_response(&p, &limits, text, strlen(text), METHOD_GET, m)
                                : h1_parse_request(&p, &limits, text, strlen(text), m);
    assert_int_equal(r, H1_DONE);
}

static void run(struct match_ctx *c, const struct fetch_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sample s;
        const char *name = fetch_rows[cases[i].id].name;
        enum eval_result r = eval_fetch(c, cases[i].id, cases[i].args, &s);
        if (r != (cases[i].want ? EVAL_FOUND : EVAL_NONE))
            fail_msg("%s(%s): result %d", name, cases[i].args[0] ? cases[i].args[0] : "", r);
        if (r == EVAL_FOUND)
            eval_assert_text(c, name, &s, str_of(cases[i].want));
    }
}
#define RUN(c, cases) run(c, cases, sizeof(cases) / sizeof((cases)[0]))

static int setup(void **state)
{
    arena = arena_create(4096);
    fetch_bind_http();
    fetch_bind_l4();
    return 0;
}

static int teardown(void **state)
{
    arena_destroy(&arena);
    return 0;
}

static void context(struct match_ctx *c, struct http_msg *req, const char *text)
{
    *c = (struct match_ctx){.arena = arena, .where = WHERE_FRONT_REQ, .req_final = true};
    parse(req, false, text);
    c->req = req;
}

static void test_uri(void **state)
{
    static const struct fetch_case origin[] = {
        F(URL, "/a/b?a=1&b=2&a=3"),
        F(PATH, "/a/b"),
        F(PATHQ, "/a/b?a=1&b=2&a=3"),
        F(QUERY, "a=1&b=2&a=3"),
        F(QUERY, "?a=1&b=2&a=3", "with_qm"),
        F(BASE, "Ho:80/a/b"),
        F(BASEQ, "Ho:80/a/b?a=1&b=2&a=3"),
        F(URLP, "1", "a"),
        F(URLP, "2", "b"),
        F(URLP, NULL, "A"),
        F(URLP, "1", "A", NULL, "i"),
        F(URLP, "1"),
        F(URLP, NULL, "a", ";"),
        F(URLP_VAL, "2", "b"),
        F(URL_IP, NULL),
        F(URL_PORT, NULL),
        F(METHOD, "GET"),
        F(REQ_VER, "1.1"),
        F(REQ_PROTO_HTTP, "1"),
        F(HTTP_FIRST_REQ, "1"),
        F(CAPTURE_REQ_METHOD, "GET"),
        F(CAPTURE_REQ_URI, "/a/b?a=1&b=2&a=3"),
        F(CAPTURE_REQ_VER, "HTTP/1.1"),
        F(CAPTURE_RES_VER, NULL),
        F(STATUS, NULL),
        F(RES_VER, NULL),
        F(FC_HTTP_MAJOR, "1"),
    };
    static const struct {
        const char *target, *path, *pathq, *query, *base, *param, *ip, *port;
    } forms[] = {
        {"/x?", "/x", "/x?", "", "h/x", NULL, NULL, NULL},
        {"*", NULL, NULL, NULL, "h", NULL, NULL, NULL},
        {"//x/y?aa=1&a=2", "//x/y", "//x/y?aa=1&a=2", "aa=1&a=2", "h//x/y", "2", NULL, NULL},
        {"/x?a&a=1", "/x", "/x?a&a=1", "a&a=1", "h/x", "1", NULL, NULL},
        {"/a?b?a=1", "/a", "/a?b?a=1", "b?a=1", "h/a", "1", NULL, NULL},
        {"http://h/p?a=5", "/p", "/p?a=5", "a=5", "h/p", "5", NULL, NULL},
        {"http://h", NULL, NULL, NULL, "h", NULL, NULL, NULL},
    };
    struct match_ctx c;
    struct http_msg m;
    context(&c, &m, "GET /a/b?a=1&b=2&a=3 HTTP/1.1\r\nHost: Ho:80\r\n\r\n");
    RUN(&c, origin);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct str text = arena_printf(arena, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", forms[i].target);
        context(&c, &m, text.ptr);
        const struct fetch_case cases[] = {
            F(PATH, forms[i].path),       F(PATHQ, forms[i].pathq), F(QUERY, forms[i].query),   F(BASE, forms[i].base),
            F(URLP, forms[i].param, "a"), F(URL_IP, forms[i].ip),   F(URL_PORT, forms[i].port),
        };
        RUN(&c, cases);
    }
    static const struct fetch_case absolute[] = {F(URL_IP, "1.2.3.4"), F(URL_PORT, "81"), F(PATH, "/")};
    context(&c, &m, "GET http://1.2.3.4:81/ HTTP/1.0\r\n\r\n");
    RUN(&c, absolute);
}

static void test_url_hashes(void **state)
{
    static const char *const none[EVAL_ARGS_MAX];
    struct match_ctx c;
    struct http_msg m;
    struct sample s;
    struct client_facts client = {.fd = -1};
    context(&c, &m, "GET /p?q HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(eval_fetch(&c, FETCH_BASE32, none, &s), EVAL_FOUND);
    assert_int_equal(s.num, hash_avalanche(hash_sdbm(STR("h/p"))));
    assert_int_equal(eval_fetch(&c, FETCH_URL32, none, &s), EVAL_FOUND);
    uint32_t hash = hash_avalanche(hash_sdbm(STR("h/p?q")));
    assert_int_equal(s.num, hash);
    assert_int_equal(eval_fetch(&c, FETCH_URL32_SRC, none, &s), EVAL_NONE);
    assert_true(inet_parse(STR("1.2.3.4"), &client.src));
    c.client = &client;
    assert_int_equal(eval_fetch(&c, FETCH_URL32_SRC, none, &s), EVAL_FOUND);
    unsigned char want[] = {(unsigned char)(hash >> 24),
                            (unsigned char)(hash >> 16),
                            (unsigned char)(hash >> 8),
                            (unsigned char)hash,
                            1,
                            2,
                            3,
                            4};
    assert_int_equal(s.str.len, sizeof(want));
    assert_memory_equal(s.str.ptr, want, sizeof(want));
}

static void test_headers(void **state)
{
    static const struct fetch_case cases[] = {
        F(REQ_HDR, "c", "x"),
        F(REQ_HDR, "a", "X", "1"),
        F(REQ_HDR, "", "x", "2"),
        F(REQ_HDR, "b", "x", "3"),
        F(REQ_HDR, "c", "x", "4"),
        F(REQ_HDR, NULL, "x", "5"),
        F(REQ_HDR, "b", "x", "-2"),
        F(REQ_HDR, NULL, "x", "-9"),
        F(HDR, "c", "x"),
        F(REQ_FHDR, "c", "x"),
        F(REQ_FHDR, "a,,b", "x", "1"),
        F(REQ_HDR_CNT, "4", "x"),
        F(REQ_HDR_CNT, "9"),
        F(REQ_FHDR_CNT, "2", "x"),
        F(REQ_FHDR_CNT, "6"),
        F(HDR_CNT, "4", "x"),
        F(REQ_HDR_CNT, "0", "none"),
        F(REQ_HDR, NULL, "none"),
        F(REQ_HDR_IP, "5.6.7.8", "X-Forwarded-For"),
        F(REQ_HDR_IP, "1.2.3.4", "X-Forwarded-For", "1"),
        F(REQ_HDR_IP, "2001:db8::1", "ip6"),
        F(REQ_HDR_IP, NULL, "x"),
        F(REQ_HDR_VAL, "12", "num"),
        F(REQ_HDR_VAL, "0", "x", "2"),
        F(REQ_HDR_NAMES, "host,x,x,x-forwarded-for,num,ip6"),
        F(REQ_HDR_NAMES, "host|x|x|x-forwarded-for|num|ip6", "|"),
        F(REQ_HDRS, "host: h\r\nx: a,,b\r\nx: c\r\nx-forwarded-for: 1.2.3.4, 5.6.7.8:80\r\nnum: 12abc\r\n"
                    "ip6: [2001:db8::1]:80\r\n\r\n"),
        F(RES_HDR, NULL, "x"),
    };
    struct match_ctx c;
    struct http_msg m;
    context(&c, &m,
            "GET / HTTP/1.1\r\nHost: h\r\nX: a,,b\r\nX: c\r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8:80\r\n"
            "Num: 12abc\r\nIp6: [2001:db8::1]:80\r\n\r\n");
    RUN(&c, cases);
}

static void test_headers_in_binary(void **state)
{
    static const char *const none[EVAL_ARGS_MAX];
    struct match_ctx c;
    struct http_msg m;
    struct sample s;
    char head[512] = "GET / HTTP/1.1\r\nA: b\r\nLong: ";
    size_t n = strlen(head);
    memset(head + n, 'x', 300);
    strcpy(head + n + 300, "\r\n\r\n");
    context(&c, &m, head);
    assert_int_equal(eval_fetch(&c, FETCH_REQ_HDRS_BIN, none, &s), EVAL_FOUND);
    // 300 = 240 + 60: low four bits 12 in the first byte, 3 in the second
    static const char start[] = "\1a\1b\4long\xfc\3xxx";
    assert_memory_equal(s.str.ptr, start, sizeof(start) - 1);
    assert_int_equal(s.str.len, 4 + 5 + 2 + 300 + 2);
    assert_memory_equal(s.str.ptr + s.str.len - 2, "\0\0", 2);
}

// All values one after the other, as ACLs ask for them.
static void assert_iterates(struct match_ctx *c, enum fetch_id id, const char *arg, const char *want)
{
    const char *const args[EVAL_ARGS_MAX] = {arg};
    struct value_cursor cursor = {0};
    struct str rest = str_of(want), one;
    struct sample s;
    c->cursor = &cursor;
    do {
        enum eval_result r = eval_fetch(c, id, args, &s);
        if (r == EVAL_NONE)
            break;
        assert_int_equal(r, EVAL_FOUND);
        assert_true(str_split(&rest, '|', &one));
        eval_assert_text(c, fetch_rows[id].name, &s, one);
    } while (cursor.more);
    c->cursor = NULL;
    assert_null(rest.ptr);
}

static void test_iteration(void **state)
{
    struct match_ctx c;
    struct http_msg m;
    context(&c, &m,
            "GET /?a=1&b=2&a=3 HTTP/1.1\r\nX: a,,b\r\nCookie: s=1; t=2; s=3\r\nX: c\r\n"
            "Ip: 1.1.1.1, x, 2.2.2.2\r\nCookie: s=4\r\n\r\n");
    assert_iterates(&c, FETCH_REQ_HDR, "x", "a||b|c");
    assert_iterates(&c, FETCH_REQ_FHDR, "x", "a,,b|c");
    assert_iterates(&c, FETCH_REQ_HDR_IP, "ip", "1.1.1.1|2.2.2.2");
    assert_iterates(&c, FETCH_REQ_COOK, "s", "1|3|4");
    assert_iterates(&c, FETCH_REQ_COOK, NULL, "1|2|3|4");
    assert_iterates(&c, FETCH_URLP, "a", "1|3");
    assert_iterates(&c, FETCH_URLP, NULL, "1|2|3");
    assert_iterates(&c, FETCH_REQ_HDR, "none", NULL);
}

static void test_cookies(void **state)
{
    static const struct fetch_case cases[] = {
        F(REQ_COOK, "4", "s"),        F(REQ_COOK, "1"),
        F(REQ_COOK, NULL, "x"),       F(REQ_COOK_CNT, "3", "s"),
        F(REQ_COOK_CNT, "4"),         F(REQ_COOK_VAL, "4", "s"),
        F(REQ_COOK_NAMES, "s,t,s,s"), F(REQ_COOK_NAMES, "s;t;s;s", ";"),
        F(COOKIE, "4", "s"),          F(RES_COOK, "8", "r"),
        F(RES_COOK_CNT, "2"),         F(RES_COOK_VAL, "8", "r"),
        F(RES_COOK_NAMES, "q,r"),     F(RES_COOK, NULL, "path"),
    };
    struct match_ctx c;
    struct http_msg m, res;
    struct sample s;
    context(&c, &m, "GET / HTTP/1.1\r\nCookie: s=1; t=2; s=3\r\nCookie: s=4\r\n\r\n");
    parse(&res, true, "HTTP/1.1 200 OK\r\nSet-Cookie: q=7; path=/\r\nSet-Cookie: r=8\r\nContent-Length: 0\r\n\r\n");
    c.res = &res;
    RUN(&c, cases);
    c.where = WHERE_RES;
    const char *const name[EVAL_ARGS_MAX] = {"r"};
    assert_int_equal(eval_fetch(&c, FETCH_COOKIE, name, &s), EVAL_FOUND);
    eval_assert_text(&c, "cookie", &s, STR("8"));
}

static void test_response(void **state)
{
    static const struct fetch_case cases[] = {
        F(STATUS, "404"),
        F(RES_VER, "1.0"),
        F(CAPTURE_RES_VER, "HTTP/1.0"),
        F(RES_HDR, "b", "x"),
        F(RES_HDR, "a", "x", "1"),
        F(RES_HDR_CNT, "2", "x"),
        F(RES_FHDR, "a, b", "x"),
        F(HDR, "b", "x"),
        F(RES_HDR_NAMES, "x,content-length"),
        F(RES_BODY, "xyz"),
        F(RES_BODY_LEN, "3"),
        F(RES_BODY_SIZE, "9"),
        F(RES_HDR_VAL, "9", "content-length"),
    };
    struct match_ctx c;
    struct http_msg m, res;
    context(&c, &m, "GET / HTTP/1.1\r\nX: request\r\n\r\n");
    parse(&res, true, "HTTP/1.0 404 N\r\nX: a, b\r\nContent-Length: 9\r\n\r\n");
    c.res = &res;
    c.res_bytes = STR("xyz");
    c.where = WHERE_RES;
    RUN(&c, cases);
}

static void test_body(void **state)
{
    static const struct fetch_case cases[] = {
        F(REQ_BODY, "a=1&B=2"),         F(REQ_BODY_LEN, "7"),
        F(REQ_BODY_SIZE, "20"),         F(REQ_BODY_PARAM, "1", "a"),
        F(REQ_BODY_PARAM, NULL, "b"),   F(REQ_BODY_PARAM, "2", "b", "i"),
        F(REQ_BODY_PARAM, "1"),         F(REQ_LEN, NULL),
        F(REQ_PAYLOAD, NULL, "0", "1"),
    };
    struct match_ctx c;
    struct http_msg m;
    context(&c, &m, "POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n");
    c.req_bytes = STR("a=1&B=2");
    RUN(&c, cases);
}

static void test_auth(void **state)
{
    struct str groups[] = {STR("staff"), STR("admins")};
    struct cfg_user users[] = {
        {.name = STR("joe"), .password = STR("se:cret"), .insecure = true, .groups = groups, .ngroups = 2},
        {.name = STR("ann"), .password = STR("$5$saltsalt$OIdfjX.u4Y3SJ4I2bX8w5BMf1VAUhHABNUirScDzZi3")},
    };
    const struct cfg_userlist list = {.users = users, .nusers = 2};
    const struct arg arg = {.kind = ARG_USERLIST, .ref = &list};
    static const struct fetch_case parts[] = {F(HTTP_AUTH_USER, "joe"), F(HTTP_AUTH_PASS, "se:cret"),
                                              F(HTTP_AUTH_TYPE, "Basic"), F(HTTP_AUTH_BEARER, NULL)};
    static const struct {
        const char *credentials;
        bool good;
    } cases[] = {
        {"Basic am9lOnNlOmNyZXQ=", true},
        {"basic am9lOnNlOmNyZXQ=", true},
        {"Basic am9lOnNlOmNyZXM=", false},
        {"Basic am9lOnNlOmNyZXR0", false},
        {"Basic am9l", false},
        {"Basic !", false},
        {"Bearer am9lOnNlOmNyZXQ=", false},
        {"Basic", false},
        {"Basic Ym9iOnNlY3JldA==", false},
        {"Basic YW5uOmh1bnRlcg==", false},
        {"Basic YW5uOmh1bnRlcjI=", true},
    };
    struct match_ctx c;
    struct http_msg m;
    struct sample s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str text = arena_printf(arena, "GET / HTTP/1.1\r\nAuthorization: %s\r\n\r\n", cases[i].credentials);
        context(&c, &m, text.ptr);
        assert_int_equal(fetch_bound(FETCH_HTTP_AUTH)(&c, &arg, 1, &s), EVAL_FOUND);
        if (s.num != cases[i].good)
            fail_msg("%s: %d", cases[i].credentials, (int)s.num);
        assert_int_equal(fetch_bound(FETCH_HTTP_AUTH_GROUP)(&c, &arg, 1, &s), cases[i].good ? EVAL_FOUND : EVAL_NONE);
    }
    context(&c, &m, "GET / HTTP/1.1\r\nAuthorization: Basic am9lOnNlOmNyZXQ=\r\n\r\n");
    RUN(&c, parts);
    assert_int_equal(fetch_bound(FETCH_HTTP_AUTH_GROUP)(&c, &arg, 1, &s), EVAL_FOUND);
    eval_assert_text(&c, "http_auth_group", &s, STR("joe"));
    struct value_cursor cursor = {0};
    c.cursor = &cursor;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fetch_bound(FETCH_HTTP_AUTH_GROUP)(&c, &arg, 1, &s), EVAL_FOUND);
        eval_assert_text(&c, "http_auth_group", &s, groups[i]);
        assert_int_equal(cursor.more, i == 0);
    }
    static const struct fetch_case bearer[] = {F(HTTP_AUTH_BEARER, "tok.en"), F(HTTP_AUTH_BEARER, "other", "x-auth")};
    context(&c, &m, "GET / HTTP/1.1\r\nAuthorization: Bearer  tok.en\r\nX-Auth: bearer other\r\n\r\n");
    RUN(&c, bearer);
}

// A TCP proxy finds a request in its bytes.
static void test_raw_request(void **state)
{
    static const char *const none[EVAL_ARGS_MAX];
    static const char text[] = "GET /raw HTTP/1.1\r\nHost: h\r\n\r\n";
    struct sample s;
    for (size_t n = 0; n < sizeof(text); n++) {
        struct match_ctx c = {.arena = arena, .where = WHERE_FRONT_REQ, .req_bytes = str_make(text, n)};
        bool whole = n == sizeof(text) - 1;
        assert_int_equal(eval_fetch(&c, FETCH_REQ_PROTO_HTTP, none, &s), whole ? EVAL_FOUND : EVAL_MORE);
        c.req_final = true;
        assert_int_equal(eval_fetch(&c, FETCH_PATH, none, &s), whole ? EVAL_FOUND : EVAL_NONE);
    }
    struct match_ctx c = {.arena = arena, .req_bytes = STR("\x16\x03\x01")};
    assert_int_equal(eval_fetch(&c, FETCH_REQ_PROTO_HTTP, none, &s), EVAL_NONE);
}

static void test_captured_headers(void **state)
{
    static const struct fetch_case cases[] = {F(CAPTURE_REQ_HDR, "one", "0"), F(CAPTURE_REQ_HDR, NULL, "1"),
                                              F(CAPTURE_RES_HDR, NULL, "0")};
    struct str caps[] = {STR("one"), STR_NONE};
    struct match_ctx c;
    struct http_msg m;
    context(&c, &m, "GET / HTTP/1.1\r\n\r\n");
    c.req_caps = caps;
    RUN(&c, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_url_hashes),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_headers_in_binary),
        cmocka_unit_test(test_iteration),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_auth),
        cmocka_unit_test(test_raw_request),
        cmocka_unit_test(test_captured_headers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
