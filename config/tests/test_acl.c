// SPDX-License-Identifier: Apache-2.0
#include "config/tests/verdicts.h"

static void test_acl_verdicts(void **state)
{
    static const struct verdict rows[] = {
        {" acl x path /", true, false},
        {" acl x", false, false},
        {" acl or path /", false, false},
        {" acl if path /\n http-request deny if if", true, false},
        {" acl a/b path /", false, false},
        {" acl TRUE path /\n http-request deny if TRUE", true, false},
        {" acl x path", true, false},
        {" acl x path -m", false, false},
        {" acl x path -m foo a", false, false},
        {" acl x path -i -m beg a", true, false},
        {" acl x path -m beg -m end a", true, false},
        {" acl x path -f", false, false},
        {" acl x path -f /dev/null", true, false},
        {" acl x path -f /dev/null -m beg", false, false},
        {" acl x path -M -f /dev/null", true, false},
        {" acl x path -z a", false, false},
        {" acl x path -mbeg a", false, false},
        {" acl x path -- -i", true, false},
        {" acl x path -i -- -i", true, false},
        {" acl x path -u 5 a", true, false},
        {" acl x path -u a a", false, false},
        {" acl x -i path a", false, false},
        {" acl x path \"\"", true, false},
        // Numbers.
        {" acl x dst_port 80:443 gt 5 lt 4", true, false},
        {" acl x dst_port gt 5 7", true, false},
        {" acl x dst_port gt", true, false},
        {" acl x dst_port a", false, false},
        {" acl x dst_port foo 5", false, false},
        {" acl x dst_port 5:", true, false},
        {" acl x dst_port :5", true, false},
        {" acl x dst_port :", false, false},
        {" acl x dst_port 9:5", false, false},
        {" acl x dst_port -5", false, false},
        {" acl x dst_port 1.5", false, false},
        {" acl x dst_port eq 0x10", false, false},
        {" acl x dst_port 99999999999999999999", false, false},
        {" acl x dst_port gt 9223372036854775807", false, false},
        {" acl x dst_port ne 5", false, true},    // HAProxy reads it as eq
        {" acl x dst_port gt 5:6", false, true},  // discouraged by the manual
        {" acl x dst_port -- -5:-1", true, true}, // the manual has negative numbers
        {" acl x req.ssl_ver 3:3.1", true, false},
        {" acl x req.ssl_ver gt 3.1", true, false},
        {" acl x path -m len lt 5", true, false},
        {" acl x path -m int 5", true, false},
        {" acl x hdr_cnt(a) eq 5 eq 6", true, false},
        // Addresses.
        {" acl x src ::/0 10.1 10.0.0.0/255.0.0.0", true, false},
        {" acl x src 10.0.0.0/33", false, false},
        {" acl x src 1.2.3.4/", false, false},
        {" acl x src 1.2.3.4.5", false, false},
        {" acl x src 1", true, false},
        {" acl x src -n foo.bar", false, false},
        {" acl x src localhost", true, false}, // looked up by the node
        {" acl x src -n localhost", false, false},
        {" acl x hdr_ip(a) 1.2.3.4", true, false},
        {" acl x ipv6(::1) ::1", true, false},
        {" acl x src,ipmask(24) 1.2.3.0", true, false},
        // Types and methods.
        {" acl x req.body a", false, false},
        {" acl x req.body -m bin zz", false, false},
        {" acl x req.body -m bin 001", false, false},
        {" acl x req.body -m bin 0011", true, false},
        {" acl x payload(0,5) 00", true, false},
        {" acl x path,sha1 x", false, false},
        {" acl x var(txn.a) b", false, false},
        {" acl x var(txn.a) -m str b", true, false},
        {" acl x src -m str a", true, false},
        {" acl x src -m bool", true, false},
        {" acl x ipv6(::1) -m bool", false, false},
        {" acl x bool(true) -m ip ::1", false, false},
        {" acl x bin(00) -m int 5", false, false},
        {" acl x method -m int 5", false, false},
        {" acl x method GET", true, false},
        {" acl x method -m reg G", true, false},
        {" acl x always_true", true, false},
        {" acl x always_true 1", true, false},
        {" acl x path -m found a", true, false},
        {" acl x path -m bool", true, false},
        {" acl x path_beg,lower a", true, false},
        {" acl x path_beg,length 5", true, false},
        {" acl x path_beg,length a", false, false},
        {" acl x path_beg -m end a", true, false},
        {" acl x hdr(host),lower,map(/dev/null) a", true, false},
        {" acl x hdr_beg(host) www.", true, false},
        {" acl x scook(a) b", true, false},
        {" acl x http_auth_group(users) g", true, false},
        {" acl x src_conn_cnt 5", false, false},
        {" acl x nbsrv(bk) lt 1\n monitor fail if x", true, false},
    };
    CHECK_VERDICTS(IN_FRONT, rows);
}

static void test_condition_verdicts(void **state)
{
    static const struct verdict rows[] = {
        {" http-request deny if TRUE FALSE", true, false},
        {" http-request deny if TRUE || FALSE", true, false},
        {" http-request deny unless TRUE or FALSE", true, false},
        {" http-request deny if foo", false, false},
        {" http-request deny if TRUE FOO", false, false},
        {" acl a path /\n http-request deny if a or", true, false},
        {" http-request deny if a\n acl a path /", false, false},
        {" http-request deny if", true, false},
        {" http-request deny if || TRUE", true, false},
        {" http-request deny if TRUE || || TRUE", true, false},
        {" http-request deny if TRUE !", true, false},
        {" http-request deny if ! TRUE", true, false},
        {" http-request deny if !TRUE", true, false},
        {" http-request deny if !!TRUE", true, false},
        {" http-request deny if ! ! TRUE", true, false},
        {" http-request deny if !{ path / }", true, false},
        {" http-request deny if ! { path / }", true, false},
        {" http-request deny if { path / } { method GET }", true, false},
        {" http-request deny if { path / ", false, false},
        {" http-request deny if {path /}", false, false},
        {" http-request deny if { }", false, false},
        {" http-request deny foo", false, false},
        {" http-request deny if HTTP HTTP_1.0 HTTP_1.1 HTTP_2.0 HTTP_CONTENT HTTP_URL_ABS HTTP_URL_SLASH HTTP_URL_STAR",
         true, false},
        {" http-request deny if LOCALHOST METH_CONNECT METH_DELETE METH_GET METH_HEAD METH_OPTIONS METH_POST METH_PUT "
         "METH_TRACE",
         true, false},
        {" tcp-request content accept if RDP_COOKIE or REQ_CONTENT or WAIT_END", true, false},
        {" tcp-request connection reject if { path / }", true, false}, // with a warning
        {" http-request deny if { status 200 }", true, false},
    };
    CHECK_VERDICTS(IN_FRONT, rows);
}

static const struct cfg_acl *acl_of(const struct config *c, const char *name)
{
    const struct cfg_proxy *px = proxy_named(c, "a");
    for (unsigned i = 0; i < px->nacls; i++)
        if (str_is(px->acls[i].name, name))
            return &px->acls[i];
    fail_msg("no acl %s", name);
    return NULL;
}

static void test_patterns(void **state)
{
    struct config *c =
        load_good(IN_FRONT, " acl n dst_port 80 81:90 gt 5 7 lt 4 eq 3 ge 8 le 2\n acl v req.ssl_ver 3:3.1 gt 3.2\n"
                            " acl i src 10.1 192.168.0.0/255.255.0.0 ::1 fe80::/10\n"
                            " acl s hdr_beg(host) -i www. -m\n acl s path -f /a -i -f /b c\n acl l path -m len lt 3");
    static const char *const numbers[] = {"80:80", "81:90", "6:", "8:", ":3", "3:3", "8:", ":2"};
    static const char *const networks[] = {"10.0.0.1/32", "192.168.0.0/16", "::1/128", "fe80::/10"};
    const struct cfg_acl_test *t = acl_of(c, "n")->tests;
    assert_int_equal(t->method, MATCH_INT);
    assert_int_equal(t->npatterns, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_str(t->patterns[i], numbers[i]);
    t = acl_of(c, "v")->tests;
    assert_str(t->patterns[0], "196608:196609");
    assert_str(t->patterns[1], "196611:");
    t = acl_of(c, "i")->tests;
    assert_int_equal(t->method, MATCH_IP);
    for (unsigned i = 0; i < 4; i++)
        assert_str(t->patterns[i], networks[i]);

    const struct cfg_acl *s = acl_of(c, "s");
    assert_int_equal(s->ntests, 2);
    assert_int_equal(s->tests[0].expr.id, FETCH_REQ_HDR);
    assert_int_equal(s->tests[0].method, MATCH_BEG);
    assert_int_equal(s->tests[0].flags, ACL_FLAG_NOCASE);
    assert_int_equal(s->tests[0].npatterns, 2);
    assert_int_equal(s->tests[1].nfiles, 2);
    assert_int_equal(s->tests[1].nocase_files, 1);
    assert_str(s->tests[1].patterns[0], "c");
    assert_str(acl_of(c, "l")->tests[0].patterns[0], ":2");
    config_unref(&c);
}

// Named ACLs, predefined ones at their first use, then anonymous ones; terms point into that array.
static void test_condition_model(void **state)
{
    struct config *c = load_good(IN_FRONT, " acl b path /b\n acl a path /a\n"
                                           " http-request deny if a !b or { path /x } !{ path /y } METH_GET\n"
                                           " http-request allow unless METH_GET\n http-request deny");
    const struct cfg_proxy *px = proxy_named(c, "a");
    const struct cfg_rule *rules = px->rules[RULES_HTTP_REQ].rules;
    const struct cfg_cond *cond = rules[0].cond;
    assert_int_equal(px->nacls, 5);
    assert_str(px->acls[2].name, "METH_GET");
    assert_int_equal(px->acls[4].name.len, 0);
    for (unsigned i = 0; i < px->nacls; i++)
        assert_int_equal(px->acls[i].index, i);
    assert_false(cond->unless);
    assert_int_equal(cond->count, 2);
    assert_int_equal(cond->ands[0].count, 2);
    assert_ptr_equal(cond->ands[0].terms[0].acl, &px->acls[1]);
    assert_ptr_equal(cond->ands[0].terms[1].acl, &px->acls[0]);
    assert_true(cond->ands[0].terms[1].negate);
    assert_ptr_equal(cond->ands[1].terms[0].acl, &px->acls[3]);
    assert_true(cond->ands[1].terms[1].negate);
    assert_true(rules[1].cond->unless);
    assert_ptr_equal(rules[1].cond->ands[0].terms[0].acl, &px->acls[2]);
    assert_int_equal(px->acls[2].tests[0].npatterns, 2);
    assert_null(rules[2].cond);
    config_unref(&c);
}

static void test_warnings(void **state)
{
    assert_true(says(IN_FRONT, " acl x path", "no pattern to match against"));
    assert_true(says(IN_FRONT, " http-request deny if { status 200 }",
                     "anonymous acl will never match because it uses keyword 'status'"));
    assert_true(says(IN_FRONT, " acl x status 200\n http-request deny if x",
                     "acl 'x' will never match because it only involves keyword 'status'"));
    // The ACL words are about the request wherever they stand, unlike the fetch hdr().
    assert_true(
        says(IN_FRONT, " http-response set-header x y if { hdr_beg(a) b }", "incompatible with response rules"));
    assert_true(says(IN_FRONT, " http-response set-header x y if { hdr(a) b }", "incompatible with response rules"));
    assert_true(says(IN_FRONT, " http-request deny if nope", "no such ACL: 'nope'"));
    assert_true(says(IN_TCP_FRONT, " http-request deny", "ignored for proxy 'a' as they require HTTP mode"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acl_verdicts), cmocka_unit_test(test_condition_verdicts),
        cmocka_unit_test(test_patterns),     cmocka_unit_test(test_condition_model),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
