// SPDX-License-Identifier: Apache-2.0
// Limits and the way down from root, each in a child process. What needs root is skipped without.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/daemon.h"
#include "node/privileges.h"

static struct cfg_global g;

// Runs fn in a child; its exit status.
static int in_child(int (*fn)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        log_set_quiet(true);
        close(STDERR_FILENO);
        _exit(fn());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void start_values(void)
{
    memset(&g, 0, sizeof(g));
    g.uid = g.gid = -1;
    g.strict_limits = true;
}

static int maxconn_follows_the_limit(void)
{
    struct rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_NOFILE, &limit);
    start_values();
    if (!privileges_limit_descriptors(&g, 100))
        return 1;
    if (g.maxconn < 300 || g.maxpipes < g.maxconn / 4 - 1)
        return 2;
    return g.maxconn * 2 + g.maxpipes * 2 + 100 <= 1000 ? 0 : 3;
}

// Only pipes give way to a low limit.
static int pipes_take_what_is_left(void)
{
    struct rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_NOFILE, &limit);
    if (geteuid() == 0 && setuid(65534) < 0)
        return 1;
    start_values();
    g.maxconn = 430;
    if (!privileges_limit_descriptors(&g, 100))
        return 2;
    return g.maxconn == 430 && g.maxpipes == 20 ? 0 : 3;
}

static int too_much_is_refused(void)
{
    struct rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_NOFILE, &limit);
    if (setuid(65534) < 0)
        return 1;
    start_values();
    g.maxconn = 100000;
    if (privileges_limit_descriptors(&g, 100))
        return 2;
    g.strict_limits = false;
    return privileges_limit_descriptors(&g, 100) ? 0 : 3;
}

static int soft_limit_is_raised(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &limit);
    start_values();
    g.maxconn = 100;
    if (!privileges_limit_descriptors(&g, 10))
        return 1;
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= 260 ? 0 : 2;
}

static int everything_is_dropped(void)
{
    start_values();
    g.user = STR("nobody");
    g.group = STR("nogroup");
    g.chroot = STR("/tmp");
    if (!privileges_resolve(&g) || !privileges_will_drop(&g) || !privileges_chroot(&g) || !privileges_drop(&g))
        return 1;
    if (getuid() != 65534 || geteuid() != 65534 || getegid() != 65534)
        return 2;
    if (setuid(0) == 0 || getgroups(0, NULL) != 0)
        return 3;
    return access("/etc", F_OK) == 0 ? 4 : 0;
}

static int unknown_names_are_refused(void)
{
    start_values();
    g.user = STR("no-such-user");
    if (privileges_resolve(&g))
        return 1;
    start_values();
    g.group = STR("no-such-group");
    if (privileges_resolve(&g))
        return 2;
    start_values();
    g.chroot = STR("/no/such/folder");
    if (privileges_chroot(&g))
        return 3;
    start_values();
    return privileges_will_drop(&g) ? 4 : 0;
}

static void limits(void **state)
{
    assert_int_equal(in_child(maxconn_follows_the_limit), 0);
    assert_int_equal(in_child(soft_limit_is_raised), 0);
    assert_int_equal(in_child(pipes_take_what_is_left), 0);
    assert_int_equal(in_child(unknown_names_are_refused), 0);
}

static void from_root(void **state)
{
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    assert_int_equal(in_child(too_much_is_refused), 0);
    assert_int_equal(in_child(everything_is_dropped), 0);
}

static void pid_file_is_written(void **state)
{
    char path[] = "/tmp/phx-pid-XXXXXX", text[32] = "";
    close(mkstemp(path));
    int fd = daemon_open_pidfile(path);
    assert_true(fd >= 0);
    daemon_write_pid(&fd);
    assert_int_equal(fd, -1);
    daemon_write_pid(&fd);
    fd = open(path, O_RDONLY);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_int_equal(atoi(text), getpid());
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(from_root),
        cmocka_unit_test(pid_file_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
