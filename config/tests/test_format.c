// SPDX-License-Identifier: Apache-2.0
#include "config/tests/verdicts.h"

#define SET(text) " http-request set-header x \"" text "\""

static void test_verdicts(void **state)
{
    static const struct verdict rows[] = {
        {SET("%[path],x"), true, false},
        {SET("%{+Q}[path]"), true, false},
        {SET("%{+Q,-X}[path]"), true, false},
        {SET("%{+Q,+E}ci"), true, false},
        {SET("%{+M}ci"), true, false},
        {SET("%{+Z}[path]"), false, true}, // HAProxy lets unknown options pass
        {SET("%{+Q}o %ci"), true, false},
        {SET("%{Q}o"), true, false},
        {SET("%{+Q}"), false, false},
        {SET("%{}ci"), true, false},
        {SET("%{"), false, false},
        {SET("%"), false, false},
        {SET("50%"), false, false},
        {SET("100% sure"), false, false},
        {SET("%%"), true, false},
        {SET("%[path"), false, false},
        {SET("%[ path]"), false, false},
        {SET("%[path ]"), false, false},
        {SET("%[path,lower upper]"), false, false},
        {SET("%zz"), false, false},
        {SET("%Q"), false, false},
        {SET("%cix"), false, false},
        {SET("%ci%cp"), true, false},
        {SET("%ci_x"), true, false},
        {SET("%Ts.%ms"), true, false},
        {SET("%s %B %sslc"), true, false},
        {SET("%[src]%[dst]"), true, false},
        {SET("%(name)ci"), true, false},
        {" log-format \"%{+Q}o %{-Q}ci %hrl %hsl %H %sslc %HM %HU %HP %HQ %HV %ID %ST %Ta %Tq %tsc %trl\"", true,
         false},
        {" log-format \"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq "
         "%hr %hs %{+Q}r\"",
         true, false},
        {" log-format %[rand,foo]", false, false},
        {" log-format %[path]", false, false},
    };
    static const struct verdict tcp[] = {
        {" log-format %HM", false, false},
        {" log-format \"%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq\"", true, false},
        {" log-format %[capture.req.uri]", true, false},
    };
    CHECK_VERDICTS(IN_FRONT, rows);
    CHECK_VERDICTS(IN_TCP_FRONT, tcp);
}

static const struct cfg_format *header_format(const struct config *c)
{
    return &proxy_named(c, "a")->rules[RULES_HTTP_REQ].rules[0].action.format;
}

static void test_nodes(void **state)
{
    struct config *c = load_good(IN_FRONT, SET("a  %%%{+Q}ci b%[path,lower]%{+X}o%cp%{-X,+Q}fp%{+E}[src]"));
    const struct cfg_format *f = header_format(c);
    assert_int_equal(f->count, 7);
    assert_false(f->constant);
    assert_str(f->nodes[0].text, "a  %");
    assert_int_equal(f->nodes[1].kind, FMT_ALIAS);
    assert_int_equal(f->nodes[1].alias, ALIAS_ci);
    assert_int_equal(f->nodes[1].options, FMT_OPT_QUOTE);
    assert_str(f->nodes[2].text, " b");
    assert_int_equal(f->nodes[3].kind, FMT_EXPR);
    assert_int_equal(f->nodes[3].expr->nconvs, 1);
    assert_int_equal(f->nodes[3].options, 0);
    assert_int_equal(f->nodes[4].options, FMT_OPT_HEXA);
    assert_int_equal(f->nodes[5].options, FMT_OPT_QUOTE);
    assert_int_equal(f->nodes[6].options, FMT_OPT_HEXA | FMT_OPT_ESCAPE);
    config_unref(&c);

    c = load_good(IN_FRONT, SET("plain %% text"));
    f = header_format(c);
    assert_true(f->constant);
    assert_int_equal(f->count, 1);
    assert_str(f->nodes[0].text, "plain % text");
    config_unref(&c);
}

// Log lines: "-" for what is empty, spaces merged.
static void test_log_format(void **state)
{
    struct config *c = load_good(IN_FRONT, " log-format \"%ci   %{+Q}b  x\"");
    const struct cfg_format *f = &proxy_named(c, "a")->log_format;
    assert_int_equal(f->count, 4);
    assert_str(f->nodes[1].text, " ");
    assert_str(f->nodes[3].text, " x");
    assert_int_equal(f->nodes[0].options, FMT_OPT_MANDATORY);
    assert_int_equal(f->nodes[2].options, FMT_OPT_MANDATORY | FMT_OPT_QUOTE);
    config_unref(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_log_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
