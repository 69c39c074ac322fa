// SPDX-License-Identifier: Apache-2.0
#include "config/tests/verdicts.h"

#define HDR(expr) " http-request set-header x '%[" expr "]'"

static void test_verdicts(void **state)
{
    static const struct verdict rows[] = {
        {HDR("path"), true, false},
        {HDR("foo"), false, false},
        {HDR("path,foo"), false, false},
        {HDR("path,lower"), true, false},
        {HDR("path,,lower"), true, false},
        {HDR("path,lower,"), false, false},
        {HDR("path,json"), true, false},
        {HDR("path,url_enc"), true, false},
        {HDR("path,concat"), true, false},
        {HDR("path,concat()"), true, false},
        {HDR("path,word"), false, false},
        {HDR("path,word(1,/)"), true, false},
        {HDR("path,word(0,/)"), false, false},
        {HDR("path,word(a,b)"), false, false},
        {HDR("path,bytes(1,2,3)"), false, false},
        {HDR("int(3),add(txn.x)"), true, false},
        {HDR("int(3),add(tx.1)"), false, false},
        {HDR("int(a)"), false, false},
        {HDR("int(-5)"), true, false},
        {HDR("int()"), false, false},
        {HDR("int( 1)"), false, false},
        {HDR("int(0x10)"), false, false},
        {HDR("str()"), true, false},
        {HDR("str(a\\,b)"), false, false},
        {HDR("str(\"a,b\")"), true, false},
        {HDR("str(\"a)b]\")"), true, false},
        {HDR("str(a]b)"), true, false},
        {HDR("str(a\"b)"), false, false},
        {HDR("src()"), true, false},
        {HDR("src(1)"), false, false},
        {HDR("hdr(,1)"), true, false},
        {HDR("hdr(a,)"), true, false},
        {HDR("hdr(a,-11)"), false, false},
        {HDR("hdr(a,b)"), false, false},
        {HDR("var(txn.a.b)"), true, false},
        {HDR("var(txn.a-b)"), false, false},
        {HDR("var(tx.a)"), false, false},
        {HDR("bool(yes)"), false, false},
        {HDR("bin(0)"), false, false},
        {HDR("bin(zz)"), false, false},
        {HDR("ipv4(1.2.3)"), false, false},
        {HDR("ipv6(::1)"), true, false},
        {HDR("date(1,x)"), false, false},
        {HDR("date(1,ms)"), true, false},
        {HDR("date,http_date(1,x)"), false, false},
        {HDR("str(x),regsub(a,b,q)"), false, false},
        {HDR("str(x),regsub(a,b,gi)"), true, false},
        {HDR("str(x),sha2(5)"), false, false},
        {HDR("str(x),json(utf9)"), false, false},
        {HDR("str(x),url_enc(foo)"), false, false},
        {HDR("str(x),set-var(txn.a,ifexists)"), true, false},
        {HDR("str(x),set-var(txn.a,foo)"), false, false},
        {HDR("str(x),concat(a,b,c)"), false, false},
        {HDR("str(x),concat(a,txn.b,c)"), true, false},
        {HDR("str(x),map_str_int(/dev/null,a)"), false, false},
        {HDR("str(x),map_str_ip(/dev/null,::1)"), true, false},
        {HDR("src,ipmask(33)"), false, false},
        {HDR("src,ipmask(24,64)"), true, false},
        {HDR("src,ipmask(255.255.0.0)"), true, false},
        {HDR("payload(0)"), false, false},
        {HDR("req.payload_lv(0,2,-4)"), false, false},
        {HDR("uuid(5)"), false, false},
        {HDR("uuid(4)"), true, false},
        {HDR("str(x),hmac(sha256,a2V5)"), true, false},
        {HDR("str(x),hmac(sha256,txn.key)"), true, false},
        {HDR("str(x),be2dec(:,9)"), false, false},
        {HDR("nbsrv"), false, false},
        {HDR("nbsrv(bk)"), true, false},
        {HDR("nbsrv(nn)"), false, false},
        {HDR("fe_conn"), true, false},
        {HDR("fe_conn(bk)"), false, false},
        {HDR("srv_conn(bk/s1)"), true, false},
        {HDR("srv_conn(bk/s2)"), false, false},
        {HDR("srv_conn(s1)"), false, false},
        {HDR("srv_conn(nn/s1)"), false, false},
        {HDR("src_conn_cnt"), false, false},
        {HDR("src_conn_cnt(tb)"), true, false},
        {HDR("src_conn_cnt(bk)"), false, false},
        {HDR("sc0_conn_cnt"), true, false},
        {HDR("sc0_conn_cnt(tb)"), true, false},
        {HDR("sc_conn_cnt(0,tb)"), true, false},
        {HDR("sc_conn_cnt(0,a)"), false, false},
        {HDR("src,table_conn_cnt(tb)"), true, false},
        {HDR("src,table_conn_cnt(a)"), false, false},
        {HDR("http_auth(users)"), true, false},
        {HDR("http_auth(foo)"), false, false},
        {HDR("status"), false, false},
        {HDR("srv_name"), false, false},
        {HDR("bc_src"), false, false},
        {HDR("res.hdr(x)"), false, false},
        {" http-response set-header x %[status]", true, false},
        {" http-response set-header x %[path]", false, false},
        {" http-response set-header x %[capture.req.uri]", true, false},
        {" log-format %[path]", false, false},
        {" log-format %[fe_conn]", true, false},
        // Types through the chain.
        {HDR("bool(true),iif(a,b)"), true, false},
        {HDR("bool(true),ipmask(24)"), false, false},
        {HDR("int(1),ipmask(24)"), true, false},
        {HDR("src,iif(a,b)"), false, false},
        {HDR("ipv6(::1),add(1)"), false, false},
        {HDR("bin(00),add(1)"), false, false},
        {HDR("bin(00),lower"), true, false},
        {HDR("method,add(1)"), false, false},
        {HDR("method,lower"), true, false},
        // Words of their own.
        {" http-request set-var(txn.a) path lower if TRUE", true, false},
        {" http-request set-var(txn.a) path,lower,upper", true, false},
        {" http-request set-var(txn.a) path foo", false, false},
        // Newer than 2.6.
        {HDR("uptime"), true, true},
        {HDR("path,reverse"), true, true},
        {HDR("sc0_key"), true, true},
        {HDR("urlp(a,,i)"), true, true},
    };
    CHECK_VERDICTS(IN_FRONT, rows);
}

static struct cfg_expr *expr_of(const struct config *c, unsigned rule)
{
    return proxy_named(c, "a")->rules[RULES_HTTP_REQ].rules[rule].action.format.nodes[0].expr;
}

static void test_model(void **state)
{
    struct config *c = load_good(
        IN_FRONT,
        HDR("path,regsub(\"(a|b)\",x\\1,gi),concat(,sess.v,!)") "\n" HDR("sc1_http_req_rate(tb)") "\n" HDR(
            "sc_get_"
            "gpc0("
            "2)") "\n" HDR("nbsrv(bk)") "\n" HDR("url_param(n),upper") "\n" HDR("src,ipmask(255.255.255."
                                                                                "0,64)") "\n" HDR("bin("
                                                                                                  "00ff"
                                                                                                  ")") "\n" HDR("str(x)"
                                                                                                                ","
                                                                                                                "set-"
                                                                                                                "var("
                                                                                                                "txn.a,"
                                                                                                                "ifset,"
                                                                                                                "ifnote"
                                                                                                                "mp"
                                                                                                                "ty)"));
    struct cfg_expr *e = expr_of(c, 0);
    assert_int_equal(e->id, FETCH_PATH);
    assert_int_equal(e->type, TYPE_STR);
    assert_int_equal(e->nconvs, 2);
    assert_int_equal(e->convs[0].id, CONV_REGSUB);
    assert_int_equal(e->convs[0].nargs, 2);
    assert_int_equal(e->convs[0].args[0].kind, ARG_REGEX);
    assert_int_equal(e->convs[0].args[0].num, 3);
    assert_str(e->convs[0].args[0].text, "(a|b)");
    assert_str(e->convs[0].args[1].text, "x\\1");
    assert_int_equal(e->convs[1].args[1].kind, ARG_VAR);
    assert_int_equal(e->convs[1].args[1].scope, VAR_SESS);
    assert_str(e->convs[1].args[1].text, "v");

    e = expr_of(c, 1);
    assert_int_equal(e->id, FETCH_SC_HTTP_REQ_RATE);
    assert_int_equal(e->args[0].num, 1);
    assert_ptr_equal(e->args[1].ref, proxy_named(c, "tb"));
    e = expr_of(c, 2);
    assert_int_equal(e->nargs, 1); // the table of the tracked key
    assert_int_equal(e->args[0].num, 2);
    assert_ptr_equal(expr_of(c, 3)->args[0].ref, proxy_named(c, "bk"));
    assert_int_equal(expr_of(c, 4)->id, FETCH_URLP);
    e = expr_of(c, 5);
    assert_int_equal(e->convs[0].args[0].num, 24);
    assert_int_equal(e->convs[0].args[1].num, 64);
    assert_int_equal(expr_of(c, 6)->args[0].text.len, 2);
    assert_memory_equal(expr_of(c, 6)->args[0].text.ptr, "\0\xff", 2);
    e = expr_of(c, 7);
    assert_int_equal(e->convs[0].args[1].num, VAR_IF_SET | VAR_IF_NOT_EMPTY);
    assert_int_equal(e->convs[0].out, TYPE_STR);
    config_unref(&c);
}

// Every variable has one index in its scope, wherever it is named.
static void test_variables(void **state)
{
    struct config *c = load_good(IN_FRONT, " http-request set-var(txn.a) path\n http-request set-var(txn.b) path\n"
                                           " http-request set-header x %[var(txn.b)]\n"
                                           " http-request set-var(sess.b) src");
    struct cfg_rule *rules = proxy_named(c, "a")->rules[RULES_HTTP_REQ].rules;
    assert_int_equal(c->global.var_counts[VAR_TXN], 2);
    assert_int_equal(c->global.var_counts[VAR_SESS], 1);
    assert_int_equal(rules[1].action.var_index, rules[2].action.format.nodes[0].expr->args[0].var_index);
    assert_str(c->global.var_names[VAR_TXN][rules[1].action.var_index], "b");
    config_unref(&c);
}

static void test_messages(void **state)
{
    assert_true(says(IN_FRONT, HDR("pth"), "unknown fetch method 'pth'; did you mean 'path'?"));
    assert_true(says(IN_FRONT, HDR("path,lowr"), "did you mean 'lower'?"));
    assert_true(says(IN_FRONT, HDR("ssl_fc_cipher"), "not supported: needs TLS termination"));
    assert_true(says(IN_FRONT, HDR("bin(00),add(1)"),
                     "converter 'add' cannot be applied: it takes type integer, not "
                     "binary"));
    assert_true(says(IN_FRONT, HDR("status"),
                     "sample fetch 'status' needs the server or its response, which is not "
                     "available in request rules of frontends"));
}

// Each row of the tables is well formed.
static void test_rows(void **state)
{
    int lead;
    for (unsigned i = 0; i < FETCH_ID_COUNT; i++) {
        assert_int_equal(fetch_find(str_of(fetch_rows[i].name), &lead), i);
        assert_int_equal(lead, -1);
        assert_non_null(fetch_rows[i].help);
        assert_true(strlen(fetch_rows[i].args) <= CFG_ARGS_MAX);
    }
    for (unsigned i = 0; i < CONV_ID_COUNT; i++)
        assert_int_equal(conv_find(str_of(conv_rows[i].name)), i);
    for (unsigned i = 0; i < fetch_synonym_count; i++)
        assert_int_equal(fetch_find(str_of(fetch_synonyms[i].name), &lead), fetch_synonyms[i].id);
    assert_int_equal(alias_find(STR("Tr")), ALIAS_Tr);
    assert_int_equal(alias_find(STR("TR")), ALIAS_TR);
    assert_int_equal(action_find(STR("track-sc1")), ACT_TRACK_SC);
    assert_int_equal(action_find(STR("test-wait")), -1);
    assert_int_equal(action_find(STR("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_model), cmocka_unit_test(test_variables),
        cmocka_unit_test(test_messages), cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
