// SPDX-License-Identifier: Apache-2.0
// The command line: what each option leaves in struct options, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "node/base/log.h"
#include "node/options.h"

static struct options o;

#define PARSE(...) parse((const char *const[]){"phalanx", __VA_ARGS__, NULL})

static bool parse(const char *const argv[])
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return options_parse(argc, (char **)argv, &o);
}

static void files_in_order(void **state)
{
    assert_true(PARSE("-f", "a", "-db", "-f", "b", "--", "c", "-d"));
    assert_int_equal(o.task, TASK_RUN);
    assert_int_equal(o.npaths, 4);
    assert_string_equal(o.paths[0], "a");
    assert_string_equal(o.paths[1], "b");
    assert_string_equal(o.paths[2], "c");
    assert_string_equal(o.paths[3], "-d");
    assert_true(o.foreground);
    assert_false(o.debug);
    options_free(&o);
}

static void tasks(void **state)
{
    assert_true(PARSE("-c", "-V", "-f", "a"));
    assert_int_equal(o.task, TASK_CHECK);
    assert_true(o.verbose);
    options_free(&o);
    assert_true(PARSE("-cc", "defined(A)"));
    assert_int_equal(o.task, TASK_CONDITION);
    assert_string_equal(o.condition, "defined(A)");
    assert_true(PARSE("-v"));
    assert_int_equal(o.task, TASK_VERSION);
    assert_false(o.version_long);
    assert_true(PARSE("-vv"));
    assert_true(o.version_long);
    assert_true(PARSE("help", "bind"));
    assert_int_equal(o.task, TASK_HELP);
    assert_string_equal(o.keyword, "bind");
    assert_true(PARSE("help"));
    assert_string_equal(o.keyword, "");
}

static void what_varnishtest_and_reg_tests_give(void **state)
{
    assert_true(PARSE("-d", "-dM", "-dI", "-dW", "-f", "/tmp/x/cfg"));
    assert_true(o.debug && o.foreground && o.zero_warning);
    assert_int_equal(o.poison, 0x50);
    options_free(&o);
    assert_true(PARSE("-dM0x41,no-merge", "-f", "x"));
    assert_int_equal(o.poison, 0x41);
    options_free(&o);
}

static void values(void **state)
{
    assert_true(PARSE("-q", "-D", "-L", "n2", "-p", "/run/p", "-m", "512", "-n", "1000", "-C", "/tmp", "-dS", "-dR",
                      "-dD", "-f", "x", "-sf", "12", "34", "-Ws"));
    assert_true(o.quiet && o.daemon && o.no_splice && o.no_reuseport && o.diagnostics && o.notify);
    assert_string_equal(o.local_peer, "n2");
    assert_string_equal(o.pidfile, "/run/p");
    assert_string_equal(o.chdir, "/tmp");
    assert_int_equal(o.memory_mb, 512);
    assert_int_equal(o.maxconn, 1000);
    assert_int_equal(o.old_signal, SIGUSR1);
    assert_int_equal(o.nold_pids, 2);
    assert_int_equal(o.old_pids[1], 34);
    options_free(&o);
    assert_true(PARSE("-f", "x", "-st"));
    assert_int_equal(o.nold_pids, 0);
    options_free(&o);
    assert_true(PARSE("-q", "-V", "-f", "x"));
    assert_false(o.quiet);
    options_free(&o);
}

static void refusals(void **state)
{
    log_set_max_level(LOG_LEVEL_ALERT);
    assert_false(PARSE("-f"));
    assert_false(PARSE("-c"));
    assert_false(PARSE("-db"));
    assert_false(PARSE("-Q", "-f", "x"));
    assert_false(PARSE("-n", "many", "-f", "x"));
    assert_false(PARSE("-m", "-1", "-f", "x"));
    assert_false(PARSE("-x", "/run/s", "-f", "x"));
    assert_false(PARSE("-sf", "12a", "-f", "x"));
    assert_false(PARSE("file-without-option"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_in_order),
        cmocka_unit_test(tasks),
        cmocka_unit_test(what_varnishtest_and_reg_tests_give),
        cmocka_unit_test(values),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
