// SPDX-License-Identifier: Apache-2.0
// Rows of `show stat`: the columns are HAProxy's, in its order; and what they say of servers in each state.
#include "node/proxy/tests/running.h"

#include "node/admin/stats.h"

// The first columns of HAProxy 2.6, as it prints them. Programs such as hatop go by place.
static const char columns[] =
    "pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,"
    "bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,"
    "check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,"
    "req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,"
    "rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,"
    "agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,"
    "wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,"
    "idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,";

static void test_columns(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < STAT_COUNT; i++)
        buf_printf(&b, "%s,", stat_names[i].name);
    buf_add_char(&b, '\0');
    assert_string_equal(b.data, columns);
    buf_free(&b);
    for (unsigned i = 0; i < STAT_COUNT; i++) {
        assert_int_equal(strlen(stat_names[i].tags), 3);
        assert_non_null(strchr("MSKCP", stat_names[i].tags[0]));
        assert_non_null(strchr("PSC", stat_names[i].tags[2]));
    }
}

static struct stat_row row;

static const char *server_status(struct proxy *p, const char *name)
{
    stats_server(&row, proxy_find_server(p, str_of(name)));
    return row.values[STAT_STATUS].text;
}

static uint64_t number(enum stat_field f)
{
    assert_int_not_equal(row.values[f].kind, STAT_NONE);
    assert_int_not_equal(row.values[f].kind, STAT_STR);
    return row.values[f].num;
}

static void test_status_of_a_server(void **state)
{
    (void)state;
    running_load("backend b\n server plain 127.0.0.1:1\n server s 127.0.0.1:2 check rise 2 fall 3\n"
                 " server t 127.0.0.1:3 track b/s\n server off 127.0.0.1:4 disabled\n");
    struct proxy *p = running_backend("b");
    struct server_state *s = running_server(p, "s");
    assert_string_equal(server_status(p, "plain"), "no check");
    assert_string_equal(server_status(p, "off"), "MAINT");
    static const struct {
        bool up;
        int health;
        const char *status;
    } checks[] = {
        {true, 4, "UP"}, {true, 3, "UP 2/3"}, {true, 2, "UP 1/3"}, {false, 0, "DOWN"}, {false, 1, "DOWN 1/2"}};
    for (unsigned i = 0; i < 5; i++) {
        atomic_store(&s->check_health, checks[i].health);
        server_set_health(s, checks[i].up, "test");
        assert_string_equal(server_status(p, "s"), checks[i].status);
        assert_string_equal(server_status(p, "t"), checks[i].up ? "UP" : "DOWN");
    }
    server_set_health(s, true, "test");
    atomic_store(&s->check_health, 4);
    server_set_admin(s, ADMIN_NOLB, 0, "test");
    assert_string_equal(server_status(p, "s"), "NOLB");
    server_set_admin(s, ADMIN_DRAIN, ADMIN_NOLB, "test");
    assert_string_equal(server_status(p, "s"), "DRAIN");
    server_set_admin(s, ADMIN_MAINT, ADMIN_DRAIN, "test");
    assert_string_equal(server_status(p, "s"), "MAINT");
    assert_string_equal(server_status(p, "t"), "MAINT (via b/s)");
    server_set_weight(running_server(p, "plain"), 0);
    assert_string_equal(server_status(p, "plain"), "DRAIN");
}

static void test_rows(void **state)
{
    (void)state;
    running_load("frontend f\n maxconn 77\n default_backend b\n"
                 "backend b\n cookie SRV insert\n balance leastconn\n server s1 127.0.0.1:1 weight 10 cookie one\n"
                 " server s2 127.0.0.1:2 weight 20 maxconn 5 maxqueue 3\n server s3 127.0.0.1:3 backup\n");
    struct proxy *p = running_backend("b"), *f = snapshot_find(snapshot_current(), STR("f"), CAP_FRONT);
    counter_add(&f->front->counters[0].requests, 3);
    counter_add(&f->front->counters[1].requests, 4); // of another worker
    counter_add(&f->front->counters[1].responses[2], 6);
    atomic_store(&f->front->conns, 2);
    stats_frontend(&row, f);
    assert_int_equal(row.type, 'F');
    assert_string_equal(row.values[STAT_PXNAME].text, "f");
    assert_string_equal(row.values[STAT_SVNAME].text, "FRONTEND");
    assert_string_equal(row.values[STAT_STATUS].text, "OPEN");
    assert_int_equal(number(STAT_SCUR), 2);
    assert_int_equal(number(STAT_SLIM), 77);
    assert_int_equal(number(STAT_REQ_TOT), 7);
    assert_int_equal(number(STAT_HRSP_2XX), 6);
    assert_int_equal(number(STAT_TYPE), 0);
    assert_int_equal(row.values[STAT_QCUR].kind, STAT_NONE); // a frontend has no queue
    assert_int_equal(row.values[STAT_WEIGHT].kind, STAT_NONE);

    counter_add(&running_server(p, "s2")->per_worker[0].counters.selected, 9);
    stats_server(&row, proxy_find_server(p, STR("s2")));
    assert_string_equal(row.values[STAT_SVNAME].text, "s2");
    assert_int_equal(number(STAT_LBTOT), 9);
    assert_int_equal(number(STAT_WEIGHT), 20);
    assert_int_equal(number(STAT_SLIM), 5);
    assert_int_equal(number(STAT_QLIMIT), 3);
    assert_int_equal(number(STAT_ACT), 1);
    assert_int_equal(number(STAT_BCK), 0);
    assert_int_equal((int64_t)number(STAT_LASTSESS), -1);
    assert_string_equal(row.values[STAT_ADDR].text, "127.0.0.1:2");
    stats_server(&row, proxy_find_server(p, STR("s3")));
    assert_int_equal(number(STAT_BCK), 1);

    stats_backend(&row, p);
    assert_int_equal(row.type, 'B');
    assert_string_equal(row.values[STAT_STATUS].text, "UP");
    assert_int_equal(number(STAT_WEIGHT), 30); // of those that are taken now
    assert_int_equal(number(STAT_ACT), 2);
    assert_int_equal(number(STAT_BCK), 1);
    assert_string_equal(row.values[STAT_ALGO].text, "leastconn");
    assert_string_equal(row.values[STAT_COOKIE].text, "SRV");
    for (unsigned i = 0; i < 3; i++)
        server_set_health(p->servers[i]->state, false, "test");
    stats_backend(&row, p);
    assert_string_equal(row.values[STAT_STATUS].text, "DOWN");
    assert_int_equal(number(STAT_CHKDOWN), 1);
}

// What happened stays counted over a reload, under the same names.
static void test_reload_keeps_counters(void **state)
{
    (void)state;
    running_load("frontend f\nbackend b\n server s1 127.0.0.1:1\n server s2 127.0.0.1:2\n");
    counter_add(&running_server(running_backend("b"), "s2")->per_worker[0].counters.sessions, 5);
    running_load("frontend f\nbackend b\n server s0 127.0.0.1:9\n server s2 127.0.0.1:2\n");
    struct proxy *p = running_backend("b");
    stats_server(&row, proxy_find_server(p, STR("s2")));
    assert_int_equal(number(STAT_STOT), 5);
    stats_server(&row, proxy_find_server(p, STR("s0")));
    assert_int_equal(number(STAT_STOT), 0);
    assert_null(proxy_find_server(p, STR("s1")));
}

static int teardown(void **state)
{
    (void)state;
    running_end();
    return 0;
}

#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_columns), TEST(test_status_of_a_server), TEST(test_rows),
                                       TEST(test_reload_keeps_counters)};
    running_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
