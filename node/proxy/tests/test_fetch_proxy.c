// SPDX-License-Identifier: Apache-2.0
// Fetches of proxies, servers and streams: what they say of states that the test sets.
#include "node/proxy/tests/running.h"

#include "node/match/expr.h"
#include "node/proxy/fetch_bind.h"

static struct worker *worker;
static struct arena *arena;
static struct session session;
static struct stream st;

static const char config[] = "frontend web\n id 7\n bind 127.0.0.1:80\n default_backend app\n"
                             "frontend other\n bind 127.0.0.1:81\n"
                             "backend app\n timeout queue 300\n timeout tunnel 5s\n retries 2\n"
                             " server s1 127.0.0.1:1 weight 20 maxconn 10 maxqueue 5\n"
                             " server s2 127.0.0.1:2 weight 10 maxconn 10 maxqueue 7\n"
                             " server s3 127.0.0.1:3 backup maxconn 10 maxqueue 7\n"
                             "backend free\n id 42\n server s1 127.0.0.1:1\n"
                             "backend none\n server s1 127.0.0.1:1 disabled\n";

// ---- a stream that is nobody's

static struct proxy *front(const char *name)
{
    return snapshot_find(snapshot_current(), str_of(name), CAP_FRONT);
}

static void begin_stream(void)
{
    memset(&st, 0, sizeof(st));
    memset(&session, 0, sizeof(session));
    st.magic = STREAM_MAGIC;
    st.session = &session;
    st.loop = worker->loop;
    st.worker = worker;
    st.arena = arena;
    st.front = front("web");
    st.timeout_client = 1000;
    st.timeout_server = 1000;
    st.timeout_tunnel = -1;
    st.ctx = (struct match_ctx){.arena = arena, .worker = worker, .where = WHERE_LOG, .front = st.front, .stream = &st};
}

static void choose(const char *backend, const char *server)
{
    st.back = running_backend(backend);
    st.ctx.back = st.back;
    st.server = server ? proxy_find_server(st.back, str_of(server)) : NULL;
}

// The text of a fetch, "-" without a value. The argument is a backend, frontend or server of the current snapshot.
static const char *value_of(enum fetch_id id, const void *argument)
{
    static char text[200];
    struct arg arg = {.kind = argument ? ARG_PROXY : ARG_NONE, .ref = argument};
    struct sample s;
    struct str out;
    if (fetch_bound(id)(&st.ctx, &arg, fetch_rows[id].args[0] ? 1 : 0, &s) != EVAL_FOUND)
        return "-";
    assert_true(sample_text(&st.ctx, &s, &out));
    return str_copy(text, sizeof(text), out);
}

static const char *of_server(enum fetch_id id, const char *backend, const char *server)
{
    return value_of(id, proxy_find_server(running_backend(backend), str_of(server)));
}

static const char *of_backend(enum fetch_id id, const char *backend)
{
    return value_of(id, running_backend(backend));
}

// ---- tests

static void test_backends(void **state)
{
    (void)state;
    begin_stream();
    struct server_state *s1 = running_server(running_backend("app"), "s1");
    struct backend_state *b = running_backend("app")->back;
    assert_string_equal(of_backend(FETCH_NBSRV, "app"), "2");
    assert_string_equal(of_backend(FETCH_NBSRV, "none"), "0");
    assert_string_equal(of_backend(FETCH_BE_CONN_FREE, "app"), "20");
    assert_string_equal(of_backend(FETCH_CONNSLOTS, "app"), "49"); // HAProxy counts the backup server here
    assert_string_equal(of_backend(FETCH_BE_CONN_FREE, "free"), "-1");
    assert_string_equal(of_backend(FETCH_CONNSLOTS, "free"), "-1");
    assert_string_equal(of_backend(FETCH_BE_CONN_FREE, "none"), "0");
    atomic_store(&s1->served, 4);
    atomic_store(&s1->queued, 2);
    assert_string_equal(of_backend(FETCH_BE_CONN_FREE, "app"), "16");
    assert_string_equal(of_backend(FETCH_CONNSLOTS, "app"), "43");
    atomic_store(&s1->served, 0);
    atomic_store(&s1->queued, 0);
    atomic_store(&b->queued, 3);
    assert_string_equal(of_backend(FETCH_QUEUE, "app"), "3");
    assert_string_equal(of_backend(FETCH_AVG_QUEUE, "app"), "2");
    atomic_store(&b->queued, 0);
    atomic_store(&running_backend("none")->back->queued, 3);
    assert_string_equal(of_backend(FETCH_AVG_QUEUE, "none"), "6"); // nobody serves: twice as long
    atomic_store(&running_backend("none")->back->queued, 0);
    atomic_store(&b->conns, 8);
    assert_string_equal(of_backend(FETCH_BE_CONN, "app"), "8");
    atomic_store(&b->conns, 0);
}

static void test_servers(void **state)
{
    (void)state;
    begin_stream();
    struct server_state *s1 = running_server(running_backend("app"), "s1");
    assert_string_equal(of_server(FETCH_SRV_CONN_FREE, "app", "s1"), "10");
    assert_string_equal(of_server(FETCH_SRV_CONN_FREE, "free", "s1"), "-1");
    assert_string_equal(of_server(FETCH_SRV_IS_UP, "app", "s1"), "1");
    assert_string_equal(of_server(FETCH_SRV_IS_UP, "none", "s1"), "0");
    atomic_store(&s1->served, 3);
    assert_string_equal(of_server(FETCH_SRV_CONN, "app", "s1"), "3");
    assert_string_equal(of_server(FETCH_SRV_CONN_FREE, "app", "s1"), "7");
    atomic_store(&s1->served, 0);
    server_set_weight(s1, 15);
    assert_string_equal(of_server(FETCH_SRV_IWEIGHT, "app", "s1"), "20");
    assert_string_equal(of_server(FETCH_SRV_UWEIGHT, "app", "s1"), "15");
    server_set_slow_percent(s1, 20);
    assert_string_equal(of_server(FETCH_SRV_UWEIGHT, "app", "s1"), "15");
    assert_string_equal(of_server(FETCH_SRV_WEIGHT, "app", "s1"), "3");
    server_set_slow_percent(s1, 100);
    server_set_admin(s1, ADMIN_DRAIN, 0, NULL);
    assert_string_equal(of_server(FETCH_SRV_IS_UP, "app", "s1"), "1");
    assert_string_equal(of_backend(FETCH_NBSRV, "app"), "1");
    server_set_admin(s1, ADMIN_MAINT, ADMIN_DRAIN, NULL);
    assert_string_equal(of_server(FETCH_SRV_IS_UP, "app", "s1"), "0");
    assert_string_equal(of_backend(FETCH_CONNSLOTS, "app"), "34");
    server_set_admin(s1, 0, ADMIN_MAINT, NULL);
}

// Before a backend was chosen the frontend stands in its place; its limits towards servers are none.
static void test_current_backend(void **state)
{
    (void)state;
    begin_stream();
    assert_string_equal(value_of(FETCH_BE_NAME, NULL), "web");
    assert_string_equal(value_of(FETCH_BE_ID, NULL), "7");
    assert_string_equal(value_of(FETCH_BE_SERVER_TIMEOUT, NULL), "0");
    assert_string_equal(value_of(FETCH_CUR_SERVER_TIMEOUT, NULL), "0");
    assert_string_equal(value_of(FETCH_SRV_NAME, NULL), "-");
    choose("app", "s2");
    assert_string_equal(value_of(FETCH_BE_NAME, NULL), "app");
    assert_string_equal(value_of(FETCH_BE_SERVER_TIMEOUT, NULL), "1000");
    assert_string_equal(value_of(FETCH_BE_QUEUE_TIMEOUT, NULL), "300");
    assert_string_equal(value_of(FETCH_BE_TUNNEL_TIMEOUT, NULL), "5000");
    assert_string_equal(value_of(FETCH_BE_TARPIT_TIMEOUT, NULL), "0");
    assert_string_equal(value_of(FETCH_BE_MAX_RETRIES, NULL), "2");
    assert_string_equal(value_of(FETCH_SRV_NAME, NULL), "s2");
    assert_string_equal(value_of(FETCH_SRV_ID, NULL), "2");
    choose("free", NULL);
    assert_string_equal(value_of(FETCH_BE_ID, NULL), "42");
}

static void test_frontends(void **state)
{
    (void)state;
    begin_stream();
    atomic_store(&front("web")->front->conns, 5);
    assert_string_equal(value_of(FETCH_FE_CONN, front("web")), "5");
    assert_string_equal(value_of(FETCH_FE_CONN, front("other")), "0");
    atomic_store(&front("web")->front->conns, 0);
    assert_string_equal(value_of(FETCH_FE_NAME, NULL), "web");
    assert_string_equal(value_of(FETCH_FE_ID, NULL), "7");
    assert_string_equal(value_of(FETCH_FE_DEFBE, NULL), "app");
    assert_string_equal(value_of(FETCH_FE_CLIENT_TIMEOUT, NULL), "1000");
    st.front = front("other");
    st.ctx.front = st.front;
    assert_string_equal(value_of(FETCH_FE_DEFBE, NULL), "-");
}

static void test_limits_in_force(void **state)
{
    (void)state;
    begin_stream();
    choose("app", NULL);
    assert_string_equal(value_of(FETCH_CUR_SERVER_TIMEOUT, NULL), "1000");
    assert_string_equal(value_of(FETCH_CUR_TUNNEL_TIMEOUT, NULL), "0");
    assert_string_equal(value_of(FETCH_CUR_QUEUE_TIMEOUT, NULL), "300");
    st.timeout_queue = 50; // as set-timeout does
    st.timeout_server = 70;
    assert_string_equal(value_of(FETCH_CUR_QUEUE_TIMEOUT, NULL), "50");
    assert_string_equal(value_of(FETCH_CUR_SERVER_TIMEOUT, NULL), "70");
    assert_string_equal(value_of(FETCH_BE_QUEUE_TIMEOUT, NULL), "300");
}

static void test_times(void **state)
{
    (void)state;
    begin_stream();
    struct stream_times *t = &st.times;
    t->accept = (mono_t){1000000};
    t->start = (mono_t){1030000};
    assert_string_equal(value_of(FETCH_REQ_TIMER_IDLE, NULL), "30");
    assert_string_equal(value_of(FETCH_REQ_TIMER_HDR, NULL), "-"); // the head is not complete
    t->request = (mono_t){1042000};
    t->queue_end = (mono_t){1045000};
    t->connected = (mono_t){1050000};
    t->response = (mono_t){1100000};
    t->end = (mono_t){1300000};
    assert_string_equal(value_of(FETCH_REQ_TIMER_HDR, NULL), "12");
    assert_string_equal(value_of(FETCH_REQ_TIMER_TQ, NULL), "42");
    assert_string_equal(value_of(FETCH_REQ_TIMER_QUEUE, NULL), "3");
    assert_string_equal(value_of(FETCH_BC_TIMER_CONNECT, NULL), "5");
    assert_string_equal(value_of(FETCH_RES_TIMER_HDR, NULL), "50");
    assert_string_equal(value_of(FETCH_RES_TIMER_DATA, NULL), "200");
    assert_string_equal(value_of(FETCH_TXN_TIMER_TOTAL, NULL), "270");
    assert_string_equal(value_of(FETCH_TXN_TIMER_USER, NULL), "270");
    assert_string_equal(value_of(FETCH_FC_TIMER_TOTAL, NULL), "300");
}

// The request's body counts while it comes, and once when the stream was accounted for.
static void test_bytes(void **state)
{
    (void)state;
    begin_stream();
    st.bytes_in = 100;
    st.up.taken = 50;
    st.up.total = 140;
    st.res.head_len = 80;
    st.down.taken = 1000;
    st.down.total = 1070;
    assert_string_equal(value_of(FETCH_REQ_BYTES_IN, NULL), "150");
    assert_string_equal(value_of(FETCH_REQ_BYTES_OUT, NULL), "140");
    assert_string_equal(value_of(FETCH_RES_BYTES_IN, NULL), "1080");
    assert_string_equal(value_of(FETCH_RES_BYTES_OUT, NULL), "1070");
    st.bytes_in += st.up.taken;
    st.times.end = (mono_t){1};
    assert_string_equal(value_of(FETCH_REQ_BYTES_IN, NULL), "150");
    st.flags |= STREAM_LOCAL_REPLY; // the head is ours
    st.down.taken = 0;
    assert_string_equal(value_of(FETCH_RES_BYTES_IN, NULL), "0");
}

// Checks and connection rules have no stream.
static void test_without_a_stream(void **state)
{
    (void)state;
    begin_stream();
    st.ctx.stream = NULL;
    st.ctx.front = NULL;
    for (unsigned i = 0; i < FETCH_ID_COUNT; i++) {
        struct arg args[4] = {{.kind = ARG_NONE}};
        struct sample s;
        bool about_us =
            str_starts(str_of(fetch_rows[i].name), STR("be_")) || str_starts(str_of(fetch_rows[i].name), STR("cur_")) ||
            str_starts(str_of(fetch_rows[i].name), STR("bc_")) || str_starts(str_of(fetch_rows[i].name), STR("txn."));
        if (about_us && fetch_rows[i].status == KW_SUPPORTED && fetch_rows[i].args[0] == '\0')
            assert_int_equal(fetch_bound((enum fetch_id)i)(&st.ctx, args, 0, &s), EVAL_NONE);
    }
}

static int start(void **state)
{
    (void)state;
    running_init();
    proxy_fetch_bind();
    match_check_bound();
    worker = worker_create(THREAD_WORKER, 0);
    running_load(config);
    arena = arena_create(4096);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_destroy(&arena);
    running_end();
    worker_destroy(&worker);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backends),        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_current_backend), cmocka_unit_test(test_frontends),
        cmocka_unit_test(test_limits_in_force), cmocka_unit_test(test_times),
        cmocka_unit_test(test_bytes),           cmocka_unit_test(test_without_a_stream),
    };
    return cmocka_run_group_tests(tests, start, end);
}
