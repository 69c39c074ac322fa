// SPDX-License-Identifier: Apache-2.0
#include "config/tests/verdicts.h"

static void test_http_request(void **state)
{
    // differs: files and regexes are read when the snapshot is built, some numbers have bounds, and what changes maps
    // and ACLs is not here yet.
    static const struct verdict rows[] = {
        {" http-request return", true, false},
        {" http-request return status 100", false, false},
        {" http-request return status 299", true, false},
        {" http-request return string a", false, false},
        {" http-request return content-type a string b", true, false},
        {" http-request return lf-string %[zz] content-type a", false, false},
        {" http-request return hdr a b", true, false},
        {" http-request return errorfile /x", true, true},
        {" http-request return file /dev/null", true, false},
        {" http-request return file /etc/hostname", true, true},
        {" http-request return status 299 default-errorfiles", false, false},
        {" http-request return foo", false, false},
        {" http-request return errorfiles foo", false, false},
        {" http-request return string a string b content-type x", false, false},
        {" http-request deny status 400", true, false},
        {" http-request deny deny_status 499", false, false},
        {" http-request deny deny_status 700", false, false},
        {" http-request deny string x", false, false},
        {" http-request deny content-type a string x hdr a b", true, false},
        {" http-request return deny_status 400", false, false},
        {" http-request tarpit deny_status 400", true, false},
        {" http-request auth", true, false},
        {" http-request auth realm", false, false},
        {" http-request auth realm x", true, false},
        {" http-request auth foo", false, false},
        {" http-request redirect", false, false},
        {" http-request redirect location", false, false},
        {" http-request redirect location /x code 300", false, false},
        {" http-request redirect prefix /x code 301 drop-query append-slash set-cookie a=b ignore-empty", true, false},
        {" http-request redirect location /x clear-cookie a", true, false},
        {" http-request redirect location /x clear-cookie a=", true, false},
        {" http-request redirect foo", false, false},
        {" http-request redirect location /x foo", false, false},
        {" http-request redirect scheme https if !{ ssl_fc }", true, false},
        {" http-request redirect location /x prefix /y", true, false},
        {" http-request redirect location %[path]", true, false},
        {" http-request set-header a", false, false},
        {" http-request set-header a b c", false, false},
        {" http-request set-header a %[foo]", false, false},
        {" http-request del-header a", true, false},
        {" http-request del-header a -m", false, false},
        {" http-request del-header a -m len", false, false},
        {" http-request del-header a -m reg b", false, false},
        {" http-request replace-header a b", false, false},
        {" http-request replace-header a b c", true, false},
        {" http-request replace-header a ( c", true, true},
        {" http-request replace-path a b", true, false},
        {" http-request set-path", false, false},
        {" http-request set-path a b", false, false},
        {" http-request set-var(x) path", false, false},
        {" http-request set-var(txn.x) path", true, false},
        {" http-request set-var txn.x path", false, false},
        {" http-request set-var(txn.x,ifexists,ifset) path", true, false},
        {" http-request set-var(txn.x,foo) path", false, false},
        {" http-request set-var(txn.x)", false, false},
        {" http-request set-var(txn.x) path foo", false, false},
        {" http-request unset-var(txn.x)", true, false},
        {" http-request unset-var(txn.x) a", false, false},
        {" http-request sc-inc-gpc0(0)", true, false},
        {" http-request sc-inc-gpc0", true, false},
        {" http-request sc-inc-gpc0(3)", false, false},
        {" http-request sc-inc-gpc(0,0)", true, false},
        {" http-request sc-inc-gpc(100,0)", false, true},
        {" http-request sc-set-gpt0(0) 5", true, false},
        {" http-request sc-set-gpt0(0) foo", false, false},
        {" http-request sc-set-gpt0(0) rand", true, false},
        {" http-request sc-set-gpt0(0) -5", true, false},
        {" http-request capture path len 5", true, false},
        {" http-request capture path len 0", false, false},
        {" http-request capture path id 0", false, false},
        {" http-request capture path", false, false},
        {" http-request capture status len 5", false, false},
        {" http-request set-log-level foo", false, false},
        {" http-request set-log-level silent", true, false},
        {" http-request set-log-level err x", false, false},
        {" http-request set-nice 5000", false, true},
        {" http-request set-nice x", false, true},
        {" http-request set-mark 0x10", true, false},
        {" http-request set-mark foo", false, false},
        {" http-request set-tos 256", false, true},
        {" http-request set-src src", true, false},
        {" http-request set-src hdr(x)", true, false},
        {" http-request set-src-port int(5)", true, false},
        {" http-request set-dst foo", false, false},
        {" http-request set-timeout server 5s", false, false},
        {" http-request set-timeout foo 5s", false, false},
        {" http-request set-timeout server 0", false, false},
        {" http-request set-timeout tunnel hdr(x)", false, false},
        {" http-request wait-for-body time 5s", true, false},
        {" http-request wait-for-body", false, false},
        {" http-request wait-for-body time 5s at-least 10k", true, false},
        {" http-request wait-for-body at-least 5", false, false},
        {" http-request silent-drop", true, false},
        {" http-request silent-drop x", false, false},
        {" http-request reject", true, false},
        {" http-request accept", false, false},
        {" http-request early-hint a b", false, true},
        {" http-request cache-use x", false, false},
        {" http-request lua.foo", false, false},
        {" http-request add-acl(x) y", false, true},
        {" http-request set-map(/dev/null) a b", false, true},
        {" http-request set-map(x) a b", false, true},
        {" http-request del-map(x) a", false, true},
        {" http-request strict-mode on", true, false},
        {" http-request strict-mode x", false, false},
        {" http-request set-priority-class int(1)", true, false},
        {" http-request allow foo", false, false},
        {" http-request allow(x)", false, false},
        {" http-request allow", true, false},
        {" http-request set-method GET", true, false},
        {" http-request set-query a", true, false},
        {" http-request set-status 200", false, false},
        {" http-request disable-l7-retry", true, false},
        {" http-request use-service foo", false, false},
        {" http-request do-resolve(txn.a,b) src", false, false},
        {" http-request track-sc0", false, false},
        {" http-request track-sc src", false, false},
        {" http-request track-sc0 src foo", false, false},
        {" http-request set-method", false, false},
        {" http-request return content-type \"\" string b", false, false},
        {" http-request return content-type a string \"\"", false, false},
        {" http-request return status 200 content-type text/plain", true, false},
    };
    CHECK_VERDICTS(IN_FRONT, rows);
}

static void test_other_rule_sets(void **state)
{
    static const struct verdict front[] = {
        {" http-request set-timeout client 5s", true, true}, // 2.6 knows server and tunnel
        {" http-request set-header if TRUE", true, false},
        {" http-response deny", true, false},
        {" http-response deny status 500", true, false},
        {" http-response set-status 503 reason \"a b\"", true, false},
        {" http-response set-status 99", false, false},
        {" http-response set-status", false, false},
        {" http-response tarpit", false, false},
        {" http-response redirect location /", true, false},
        {" http-response set-header x y unless { status 200 }", true, false},
        {" http-response set-header x %[res.hdr(y)]", true, false},
        {" http-response capture res.hdr(y) id 0", false, false},
        {" declare capture response len 5\n http-response capture res.hdr(y) id 0", true, false},
        {" http-response capture res.hdr(y) len 5", false, false},
        {" declare capture request len 5\n http-request capture path id 0", true, false},
        {" http-response track-sc0 src table tb", true, false},
        {" http-response cache-store x", false, false},
        {" http-response wait-for-body time 1s", true, false},
        {" http-after-response set-header x y", true, false},
        {" http-after-response deny", false, false},
        {" http-after-response set-status 200", true, false},
        {" http-request", false, false},
        {" tcp-request", false, false},
        {" tcp-request foo", false, false},
        {" tcp-request inspect-delay 5s", true, false},
        {" tcp-request inspect-delay", false, false},
        {" tcp-request inspect-delay x", false, false},
        {" tcp-request connection accept", true, false},
        {" tcp-request connection reject if { src 10.0.0.0/8 }", true, false},
        {" tcp-request connection set-log-level err", false, false},
        {" tcp-request connection track-sc0 src table tb", true, false},
        {" tcp-request connection track-sc0 hdr(x) table tb", false, false},
        {" tcp-request connection set-var(sess.x) src", true, false},
        {" tcp-request connection silent-drop", true, false},
        {" tcp-request connection set-mark 1", true, false},
        {" tcp-request connection set-src src,ipmask(24)", true, false},
        {" tcp-request connection close", false, false},
        {" tcp-request session accept", true, false},
        {" tcp-request session reject if { src -f /dev/null }", true, false},
        {" tcp-request session track-sc1 src ipmask(24) table tb", true, false},
        {" tcp-request content accept if HTTP", true, false},
        {" tcp-request content reject", true, false},
        {" tcp-request content track-sc0 src table tb", true, false},
        {" tcp-request content capture req.payload(0,5) len 5", true, false},
        {" tcp-request content capture req.payload(0,5) len 0", false, false},
        {" tcp-request content set-priority-class int(1)", true, false},
        {" tcp-request content set-dst dst", true, false},
        {" tcp-request content sc-inc-gpc0(0)", true, false},
        {" tcp-request content sc-set-gpt0(0) 5", true, false},
        {" tcp-request content switch-mode http", false, true},
        {" tcp-request content close", false, false},
        {" redirect location /x", true, false},
        {" redirect prefix /x code 301 if TRUE", true, false},
        {" redirect scheme https if !{ ssl_fc }", true, false},
        {" redirect", false, false},
        {" redirect location", false, false},
        {" redirect location /x foo", false, false},
        {" use_backend", false, false},
        {" use_backend nope if TRUE", false, false},
        {" use_backend a if TRUE", false, false},
        {" use_backend bk", true, false},
        {" use_backend bk if { path /x } or { hdr(host) y }", true, false},
        {" use_backend bk foo", false, false},
        {" use_backend %[path]", true, false},
        {" use_backend %[path", false, false},
        {" monitor fail if { nbsrv(bk) lt 1 }", true, false},
        {" monitor fail", false, false},
        {" tcp-response content accept", true, true}, // a warning: ignored without backend capability
        {" http-request track-sc0 hdr(x)", false, false},
        {" http-request track-sc0 bool(true) table tb", false, false},
        {" http-request track-sc0 hdr(x) table tb", true, false},
    };
    static const struct verdict back[] = {
        {" use-server s1", false, false},
        {" use-server s1 if TRUE", true, false},
        {" use-server nope if TRUE", false, false},
        {" use-server %[path] if TRUE", true, false},
        {" tcp-request connection accept", false, false},
        {" tcp-request content accept", true, false},
        {" tcp-response content accept", true, false},
        {" tcp-response content close if { res.len gt 5 }", true, false},
        {" tcp-response content reject", true, false},
        {" tcp-response content track-sc0 src table tb", false, false},
        {" tcp-response inspect-delay 5s", true, false},
        {" tcp-response foo", false, false},
        {" http-request set-timeout server 5s", true, false},
        {" http-request set-timeout tunnel hdr(x)", true, false},
        {" http-request set-timeout foo 5s", false, false},
        {" http-request capture path len 5", false, false},
        {" http-request capture path id 5", true, false},
        {" http-request set-header x %[be_name]", true, false},
        {" http-request deny if { nbsrv lt 1 }", true, false},
    };
    CHECK_VERDICTS(IN_FRONT, front);
    CHECK_VERDICTS(IN_BACK, back);
}

static void test_tables(void **state)
{
    static const struct verdict rows[] = {
        {" stick-table type ip size 1m", true, false},
        {" stick-table type ip", false, false},
        {" stick-table size 1m", false, false},
        {" stick-table type string len 5 size 1", true, false},
        {" stick-table type string size 1 len 5", false, false},
        {" stick-table type string size 1", true, false},
        {" stick-table type binary len 0 size 1", false, false},
        {" stick-table type ip len 5 size 1", false, false},
        {" stick-table type ip size 0", false, false},
        {" stick-table type ip size 1 expire 10", true, false},
        {" stick-table type ip size 1 expire x", false, false},
        {" stick-table type ip size 1 nopurge", true, false},
        {" stick-table type ip size 1 peers foo", false, false},
        {" stick-table type ip size 1 store foo", false, false},
        {" stick-table type ip size 1 store conn_cur,conn_rate(10s)", true, false},
        {" stick-table type ip size 1 store conn_rate", false, false},
        {" stick-table type ip size 1 store conn_rate()", false, false},
        {" stick-table type ip size 1 store conn_cnt(1)", false, false},
        {" stick-table type ip size 1 store conn_cnt store conn_cnt", true, false},
        {" stick-table type ip size 1 store gpc(2),gpc0", false, false},
        {" stick-table type ip size 1 store gpc(101)", false, false},
        {" stick-table type ip size 1 store gpc(2),gpc_rate(2,10s)", true, false},
        {" stick-table type ip size 1 store gpc_rate(2)", false, false},
        {" stick-table type ip size 1 store gpt(2),gpt0", false, false},
        {" stick-table type ip size 1 store conn_cnt conn_cur", false, false},
        {" stick-table type ip size 1 store conn_rate(0)", false, true}, // a rate needs a period
        {" stick-table type ip size 1 store http_req_rate(50d)", false, false},
        {" stick-table type ip size 1 srvkey name", true, false},
        {" stick-table type ip size 1 srvkey addr", false, true}, // servers go by their names
        {" stick-table type ip size 1 write-to x", false, false},
        {" stick-table type ip size 1 foo", false, false},
        {" stick-table type ipv4 size 1 aggregate local", true, true},
        {" stick-table type integer size 100k expire 24d", true, false},
        {" stick-table type ip size 1\n stick-table type ip size 1", false, false},
        {" stick on src", false, false},
        {" stick on src table tb", true, false},
        {" stick on src\n stick-table type string size 1", true, false},
        {" stick-table type ipv6 size 1\n stick on path", true, false},
        {" stick-table type integer size 1\n stick match bin(00)", false, false},
        {" stick-table type ip size 1\n stick store-response hdr(a)\n stick match src if TRUE", true, false},
        {" stick store-request src table nope", false, false},
        {" stick src", false, false},
        {" stick on src foo", false, false},
    };
    CHECK_VERDICTS(IN_BACK, rows);
}

static void test_http_check(void **state)
{
    static const struct verdict rows[] = {
        {" option httpchk\n http-check send meth HEAD uri /x ver HTTP/1.1 hdr host a body b", true, false},
        {" option httpchk\n http-check send meth", false, false},
        {" option httpchk\n http-check send foo x", false, false},
        {" option httpchk\n http-check expect status 200-299,401", true, false},
        {" option httpchk\n http-check expect ! status 500", true, false},
        {" option httpchk\n http-check expect status 20x", false, false},
        {" option httpchk\n http-check expect status", false, false},
        {" option httpchk\n http-check expect rstring ok.*", true, false},
        {" option httpchk\n http-check expect foo x", false, false},
        {" option httpchk\n http-check disable-on-404", true, false},
        {" option httpchk\n http-check foo", false, false},
    };
    CHECK_VERDICTS(IN_BACK, rows);
    struct config *c = load_good(IN_BACK, " option httpchk\n http-check send meth HEAD hdr x %[hostname]\n"
                                          " http-check expect ! rstatus ^5");
    const struct cfg_http_check *check = &proxy_named(c, "bk")->http_check;
    assert_str(check->method, "HEAD");
    assert_int_equal(check->nheaders, 1);
    assert_int_equal(check->expect, EXPECT_RSTATUS);
    assert_true(check->expect_not);
    assert_str(check->expect_text, "^5");
    config_unref(&c);
}

static const struct cfg_action *action_of(const struct config *c, unsigned i)
{
    return &proxy_named(c, "a")->rules[RULES_HTTP_REQ].rules[i].action;
}

static void test_action_model(void **state)
{
    struct config *c = load_good(
        IN_FRONT, " http-request track-sc2 src table tb\n http-request sc-inc-gpc0(1)\n"
                  " http-request sc-set-gpt(3,2) 7\n http-request sc-add-gpc(1,0) rand\n"
                  " http-request set-var(txn.x,ifnotset) path,lower\n http-request del-header x -m beg\n"
                  " http-request replace-header h ^(.*)$ \\1x\n http-request wait-for-body time 2s at-least 1k\n"
                  " http-request set-log-level silent\n http-request set-mark 0xff\n http-request capture path len 9\n"
                  " http-request auth realm r");
    assert_int_equal(action_of(c, 0)->number, 2);
    assert_ptr_equal(action_of(c, 0)->table, proxy_named(c, "tb"));
    assert_int_equal(action_of(c, 0)->expr->id, FETCH_SRC);
    assert_int_equal(action_of(c, 1)->number2, 1);
    assert_int_equal(action_of(c, 2)->number, 3);
    assert_int_equal(action_of(c, 2)->number2, 2);
    assert_int_equal(action_of(c, 2)->value, 7);
    assert_null(action_of(c, 2)->expr);
    assert_int_equal(action_of(c, 3)->expr->id, FETCH_RAND);
    assert_int_equal(action_of(c, 4)->scope, VAR_TXN);
    assert_int_equal(action_of(c, 4)->number2, VAR_IF_NOT_SET);
    assert_int_equal(action_of(c, 5)->match, MATCH_BEG);
    assert_str(action_of(c, 6)->text, "^(.*)$");
    assert_str(action_of(c, 6)->format.nodes[0].text, "\\1x");
    assert_int_equal(action_of(c, 7)->value, 2000);
    assert_int_equal(action_of(c, 7)->number, 1024);
    assert_int_equal(action_of(c, 8)->number, -1);
    assert_int_equal(action_of(c, 9)->number, 255);
    assert_int_equal(action_of(c, 10)->number, 0);
    assert_int_equal(proxy_named(c, "a")->req_captures[0].len, 9);
    assert_str(action_of(c, 11)->text, "r");
    config_unref(&c);
}

static void test_answers(void **state)
{
    struct config *c =
        load_good(IN_FRONT, " http-request return status 404 content-type text/plain lf-string \"%[path] x\" hdr a b\n"
                            " http-request deny deny_status 429\n http-request return\n"
                            " http-request redirect prefix http://x code 301 drop-query append-slash clear-cookie c\n"
                            " redirect scheme https if FALSE");
    const struct cfg_reply *r = action_of(c, 0)->reply;
    assert_int_equal(r->status, 404);
    assert_int_equal(r->body, REPLY_FORMAT);
    assert_str(r->content_type, "text/plain");
    assert_int_equal(r->nheaders, 1);
    assert_str(r->headers[0].name, "a");
    r = action_of(c, 1)->reply;
    assert_int_equal(r->status, 429);
    assert_int_equal(r->body, REPLY_DEFAULT);
    r = action_of(c, 2)->reply;
    assert_int_equal(r->status, 0);
    assert_int_equal(r->body, REPLY_STRING);
    const struct cfg_action *a = action_of(c, 3);
    assert_int_equal(a->redirect, REDIRECT_PREFIX);
    assert_int_equal(a->number, 301);
    assert_true(a->drop_query && a->append_slash && a->clear_cookie);
    assert_str(a->cookie, "c=");
    a = &proxy_named(c, "a")->redirects.rules[0].action;
    assert_int_equal(a->redirect, REDIRECT_SCHEME);
    assert_int_equal(a->number, 302);
    config_unref(&c);
}

static void test_switch_model(void **state)
{
    struct config *c = load_good(IN_FRONT, " use_backend bk if TRUE\n use_backend b-%[path]");
    const struct cfg_proxy *px = proxy_named(c, "a");
    assert_ptr_equal(px->use_backends[0].backend, proxy_named(c, "bk"));
    assert_null(px->use_backends[1].backend);
    assert_int_equal(px->use_backends[1].format.count, 2);
    config_unref(&c);
    c = load_good(IN_BACK, " stick-table type string len 20 size 2k expire 5m store conn_rate(10s),gpc(3)\n"
                           " stick on src\n stick store-response hdr(x) table tb\n use-server s1 if TRUE");
    px = proxy_named(c, "bk");
    assert_int_equal(px->table->key, TKEY_STR);
    assert_int_equal(px->table->key_len, 20);
    assert_int_equal(px->table->size, 2048);
    assert_int_equal(px->table->expire_ms, 300000);
    assert_int_equal(px->table->data[TD_CONN_RATE].period_ms, 10000);
    assert_int_equal(px->table->data[TD_GPC].elements, 3);
    assert_int_equal(px->stick_rules[0].kinds, STICK_MATCH | STICK_STORE_REQ);
    assert_ptr_equal(px->stick_rules[0].table, px);
    assert_ptr_equal(px->stick_rules[1].table, proxy_named(c, "tb"));
    assert_ptr_equal(px->use_servers[0].server, &px->servers[0]);
    config_unref(&c);
}

static void test_messages(void **state)
{
    assert_true(says(IN_FRONT, " http-request denny", "did you mean 'deny'?"));
    assert_true(says(IN_FRONT, " http-request lua.x", "needs Lua, not in Phalanx yet"));
    assert_true(says(IN_FRONT, " use_backend bk\n http-request deny",
                     "a 'http-request' rule placed after a 'use_backend' rule will still be processed before"));
}

// The asynchronous action exists for tests alone.
static void test_test_wait(void **state)
{
    assert_true(says(IN_FRONT, " http-request test-wait 10ms", "'http-request' expects"));
    action_enable_test_rows();
    struct config *c = load_good(IN_FRONT, " http-request test-wait 10ms");
    assert_int_equal(action_of(c, 0)->id, ACT_TEST_WAIT);
    assert_int_equal(action_of(c, 0)->value, 10);
    config_unref(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_request), cmocka_unit_test(test_other_rule_sets), cmocka_unit_test(test_tables),
        cmocka_unit_test(test_http_check),   cmocka_unit_test(test_action_model),    cmocka_unit_test(test_answers),
        cmocka_unit_test(test_switch_model), cmocka_unit_test(test_messages),        cmocka_unit_test(test_test_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
