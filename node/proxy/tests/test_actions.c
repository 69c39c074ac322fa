// SPDX-License-Identifier: Apache-2.0
// Actions that edit a message or count, run from compiled rules on a stream that has no connection.
#include "node/proxy/tests/running.h"

#include "node/proxy/reply.h"

static struct stream st;
static struct session session;
static struct arena *arena;
static struct proxy *front;

// The frontend f with these rules.
static void load(const char *rules)
{
    char lines[2048];
    snprintf(lines, sizeof(lines), "frontend f\n%s", rules);
    running_load(lines);
    front = snapshot_find(snapshot_current(), STR("f"), CAP_FRONT);
    st.front = front;
    st.front_counters = &front->front->counters[0];
    st.ctx.front = front;
}

static enum step run(enum ruleset set)
{
    static const unsigned where[RULESET_COUNT] = {
        [RULES_TCP_REQ_CONN] = WHERE_FRONT_CONN,
        [RULES_TCP_REQ_SESS] = WHERE_FRONT_CONN,
        [RULES_TCP_REQ_CONT] = WHERE_FRONT_REQ,
        [RULES_HTTP_REQ] = WHERE_FRONT_REQ,
        [RULES_HTTP_RES] = WHERE_RES,
        [RULES_HTTP_AFTER_RES] = WHERE_RES,
    };
    st.ctx.where = where[set];
    st.run.list = NULL;
    return rules_run(&st, &front->rules[set], &st.run);
}

static void request(const char *target)
{
    http_msg_init(&st.req, arena, false, 8);
    st.req.target = str_of(target);
    st.req.method = METHOD_GET;
    st.req.method_text = STR("GET");
    st.ctx.req = &st.req;
}

static const char *header(const char *name)
{
    unsigned pos = 0;
    struct http_hdr *h = http_hdr_next_name(&st.req, str_of(name), &pos);
    return h ? arena_str(arena, h->value).ptr : NULL;
}

static const char *target(void)
{
    return arena_str(arena, st.req.target).ptr;
}

// As HAProxy 2.6 was seen to do it: what matches goes with the blanks around it, the rest stays as it came.
static void test_replace_value(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } cases[] = {{"a1, zz, a2", "b1, zz,b2"}, {"zz , yy", "zz , yy"}, {"zz, a1 , yy", "zz,b1, yy"},     {"a1", "b1"},
                 {"x,,a1", "x,,b1"},          {"a1,a2,", "b1,b2,"},   {"\"a1,a2\", a3", "\"a1,a2\",b3"}};
    load(" http-request replace-value X-L ^a(.)$ b\\1\n");
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request("/");
        http_hdr_add(&st.req, STR("X-L"), str_of(cases[i].before));
        http_hdr_add(&st.req, STR("x-l"), STR("a9")); // each field of that name
        assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
        assert_string_equal(header("x-l"), cases[i].after);
        assert_true(str_is(st.req.hdrs[1].value, "b9"));
    }
}

// A client's list of thousands of values costs memory in proportion.
static void test_replace_value_of_a_long_list(void **state)
{
    (void)state;
    struct buf list = BUF_INIT;
    for (unsigned i = 0; i < 5000; i++)
        buf_add_cstr(&list, "a1,");
    load(" http-request replace-value X-L ^a(.)$ b\\1\n");
    request("/");
    http_hdr_add(&st.req, STR("x-l"), buf_str(&list));
    assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
    assert_int_equal(strlen(header("x-l")), list.len);
    assert_int_equal(strncmp(header("x-l"), "b1,b1,b1,", 9), 0);
    buf_free(&list);
}

static void test_headers(void **state)
{
    (void)state;
    load(" http-request set-header X-Set new-%[path]\n http-request add-header X-Add two\n"
         " http-request del-header ^x-del -m reg\n http-request del-header gone\n"
         " http-request replace-header X-H (.*)c(.*) \\1-\\2\n");
    request("/p");
    http_hdr_add(&st.req, STR("x-set"), STR("old"));
    http_hdr_add(&st.req, STR("x-add"), STR("one"));
    http_hdr_add(&st.req, STR("X-Del-1"), STR("x"));
    http_hdr_add(&st.req, STR("Gone"), STR("x"));
    http_hdr_add(&st.req, STR("X-H"), STR("1c2, 3c4"));
    assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
    assert_string_equal(header("x-set"), "new-/p");
    assert_string_equal(header("x-add"), "one");
    assert_null(header("x-del-1"));
    assert_null(header("gone"));
    assert_string_equal(header("x-h"), "1c2, 3-4"); // the whole value
}

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *before, *after;
    } cases[] = {
        {"set-path /new", "/old?q=1", "/new?q=1"},
        {"set-path /new", "http://h/old?q=1", "http://h/new?q=1"},
        {"set-pathq /n?y=2", "/old?q=1", "/n?y=2"},
        {"set-query a=%[path]", "/p?old=1", "/p?a=/p"},
        {"set-query %[str()]", "/p?old=1", "/p"},
        {"set-uri /whole?x", "/p", "/whole?x"},
        {"replace-path ^/a/(.*) /b/\\1", "/a/x?q=1", "/b/x?q=1"},
        {"replace-path ^/a/(.*) /b/\\1", "/c/x", "/c/x"},
        {"replace-pathq ^/rp/([^?]*)\\?(.*)$ /\\2?\\1", "/rp/one?two", "/two?one"},
        {"replace-uri ^http://[^/]*/(.*) /\\1", "http://h/x", "/x"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char rule[128];
        snprintf(rule, sizeof(rule), " http-request %s\n", cases[i].rule);
        load(rule);
        request(cases[i].before);
        assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
        assert_string_equal(target(), cases[i].after);
    }
}

// What would break the start line fails the request, or with `strict-mode off` is passed over.
static void test_bad_target(void **state)
{
    (void)state;
    load(" http-request strict-mode off\n http-request set-path \"/a b\"\n http-request set-header x-after 1\n");
    request("/p");
    assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
    assert_string_equal(target(), "/p");
    assert_string_equal(header("x-after"), "1");
}

static void test_statuses(void **state)
{
    (void)state;
    load(" http-request deny\n http-request deny deny_status 429\n http-request tarpit\n http-request return\n"
         " http-response deny\n http-response deny deny_status 403\n http-response return\n");
    static const int request_statuses[] = {403, 429, 500, 200}, response_statuses[] = {502, 403, 200};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(front->rules[RULES_HTTP_REQ].rules[i].action->reply->status, request_statuses[i]);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(front->rules[RULES_HTTP_RES].rules[i].action->reply->status, response_statuses[i]);
}

static void test_variables(void **state)
{
    (void)state;
    load(" http-request set-var(txn.a) path\n http-request set-var(txn.b,ifnotexists) str(first)\n"
         " http-request set-var(txn.b,ifnotexists) str(second)\n http-request set-var-fmt(txn.c) "
         "%[var(txn.a)]-%[var(txn.b)]\n"
         " http-request unset-var(txn.b)\n http-request set-header x %[var(txn.c)]\n"
         " http-request set-header y 1 if { var(txn.b) -m found }\n");
    request("/p");
    assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
    assert_string_equal(header("x"), "/p-first");
    assert_null(header("y"));
}

// What the configuration was warned of: an ACL about the request does not match in response rules.
static void test_acl_in_the_wrong_place(void **state)
{
    (void)state;
    load(" http-response set-header x 1 if { path /p }\n http-response set-header y 1 if !{ path /p }\n"
         " http-response set-header z 1 if { status 200 }\n");
    request("/p");
    http_msg_init(&st.res, arena, true, 8);
    st.res.status = 200;
    st.ctx.res = &st.res;
    assert_int_equal(run(RULES_HTTP_RES), STEP_DONE);
    assert_int_equal(st.res.nhdrs, 2);
    assert_true(str_is(st.res.hdrs[0].name, "y"));
    assert_true(str_is(st.res.hdrs[1].name, "z"));
}

static void test_priorities(void **state)
{
    (void)state;
    load(" http-request set-priority-class int(99999)\n http-request set-priority-offset int(-99999999)\n");
    request("/");
    assert_int_equal(run(RULES_HTTP_REQ), STEP_DONE);
    assert_int_equal(st.queue.priority_class, 2047);
    assert_int_equal(st.queue.priority_offset_ms, -524287);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_create(1024);
    memset(&st, 0, sizeof(st));
    memset(&session, 0, sizeof(session));
    st.magic = STREAM_MAGIC;
    st.session = &session;
    st.arena = arena;
    st.flags = STREAM_HTTP;
    st.ctx = (struct match_ctx){.arena = arena, .stream = &st};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    running_end();
    arena_destroy(&arena);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_replace_value),
        TEST(test_replace_value_of_a_long_list),
        TEST(test_headers),
        TEST(test_targets),
        TEST(test_bad_target),
        TEST(test_statuses),
        TEST(test_variables),
        TEST(test_priorities),
        TEST(test_acl_in_the_wrong_place),
    };
    running_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
