// SPDX-License-Identifier: Apache-2.0
// The program's messages and the panic line, caught on stderr.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/base/panic.h"

static char text[32768];

// Runs fn in a child with stderr in a file; leaves what it wrote in text; returns its wait status.
static int caught(void (*fn)(void))
{
    FILE *file = tmpfile();
    assert_non_null(file);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(file), STDERR_FILENO);
        fn();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return status;
}

static void say_all(void)
{
    log_alert("one %d", 1);
    log_warning("two\n");
    log_notice("three");
    log_write(LOG_LEVEL_DIAG, "hidden");
}

static void say_quietly(void)
{
    log_set_quiet(true);
    say_all();
}

static void say_diag(void)
{
    log_set_max_level(LOG_LEVEL_DIAG);
    log_write(LOG_LEVEL_DIAG, "shown");
}

static void say_much(void)
{
    log_notice("%20000d", 1);
}

static void fall(void)
{
    signal(SIGABRT, SIG_DFL);
    ASSERT(1 + 1 == 3);
}

static void lines_have_haproxys_form(void **state)
{
    caught(say_all);
    char expected[256];
    int pid;
    assert_int_equal(sscanf(text, "[ALERT]    (%d) : one 1\n", &pid), 1);
    snprintf(expected, sizeof(expected), "[ALERT]    (%d) : one 1\n[WARNING]  (%d) : two\n[NOTICE]   (%d) : three\n",
             pid, pid, pid);
    assert_string_equal(text, expected);
}

static void quiet_leaves_alerts(void **state)
{
    caught(say_quietly);
    assert_non_null(strstr(text, "[ALERT]"));
    assert_null(strstr(text, "two"));
}

static void diag_is_shown_when_asked(void **state)
{
    caught(say_diag);
    assert_non_null(strstr(text, "shown"));
}

static void long_lines_are_cut(void **state)
{
    caught(say_much);
    size_t len = strlen(text);
    assert_true(len < 10000);
    assert_int_equal(text[len - 1], '\n');
}

static void panic_says_where(void **state)
{
    int status = caught(fall);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "test_log.c"));
    assert_non_null(strstr(text, "assertion failed: 1 + 1 == 3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_haproxys_form), cmocka_unit_test(quiet_leaves_alerts),
        cmocka_unit_test(diag_is_shown_when_asked), cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(panic_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
