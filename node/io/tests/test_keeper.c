// SPDX-License-Identifier: Apache-2.0
// The keeper: each call directly and through the helper must give the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/io/keeper.h"

static char dir[] = "/tmp/phx-keeper-XXXXXX";

static const char *in_dir(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static void files_are_read_replaced_and_removed(void **state)
{
    struct buf text = BUF_INIT;
    struct stat st;
    assert_int_equal(keeper_read_file(in_dir("none"), 100, &text), -ENOENT);
    assert_int_equal(keeper_replace_file(in_dir("a"), 0640, "hello", 5), 0);
    assert_int_equal(stat(in_dir("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(keeper_read_file(in_dir("a"), 100, &text), 0);
    assert_true(str_is(buf_str(&text), "hello"));
    buf_clear(&text);
    assert_int_equal(keeper_read_file(in_dir("a"), 4, &text), -EFBIG);
    assert_int_equal(keeper_replace_file(in_dir("a"), 0600, NULL, 0), 0);
    buf_clear(&text);
    assert_int_equal(keeper_read_file(in_dir("a"), 100, &text), 0);
    assert_int_equal(text.len, 0);
    assert_int_equal(keeper_replace_file(in_dir("no-such-folder/a"), 0600, "x", 1), -ENOENT);
    assert_int_equal(keeper_unlink(in_dir("a")), 0);
    assert_int_equal(keeper_unlink(in_dir("a")), -ENOENT);
    buf_free(&text);

    static char big[3 << 20];
    memset(big, 'b', sizeof(big));
    assert_int_equal(keeper_replace_file(in_dir("big"), 0600, big, sizeof(big)), 0);
    assert_int_equal(keeper_read_file(in_dir("big"), sizeof(big), &text), 0);
    assert_int_equal(text.len, sizeof(big));
    assert_memory_equal(text.data, big, sizeof(big));
    assert_int_equal(keeper_unlink(in_dir("big")), 0);
    buf_free(&text);
}

static void folders_list_regular_files_in_order(void **state)
{
    struct buf names = BUF_INIT;
    assert_int_equal(keeper_read_dir(dir, &names), 0);
    assert_int_equal(names.len, 0);
    const char *const files[] = {"b.cfg", "A.cfg", "a.cfg", ".hidden"};
    for (int i = 0; i < 4; i++)
        assert_int_equal(keeper_replace_file(in_dir(files[i]), 0600, "x", 1), 0);
    assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
    assert_int_equal(symlink("a.cfg", in_dir("link.cfg")), 0);
    assert_int_equal(symlink("nowhere", in_dir("dangling.cfg")), 0);
    assert_int_equal(keeper_read_dir(dir, &names), 0);
    const char expected[] = "A.cfg\0a.cfg\0b.cfg\0link.cfg";
    assert_int_equal(names.len, sizeof(expected));
    assert_memory_equal(names.data, expected, sizeof(expected));
    assert_int_equal(keeper_read_dir(in_dir("none"), &names), -ENOENT);
    for (int i = 0; i < 4; i++)
        assert_int_equal(keeper_unlink(in_dir(files[i])), 0);
    keeper_unlink(in_dir("link.cfg"));
    keeper_unlink(in_dir("dangling.cfg"));
    rmdir(in_dir("folder"));
    buf_free(&names);
}

static void descriptors_are_passed(void **state)
{
    int fd = keeper_open(in_dir("new"), O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    keeper_unlink(in_dir("new"));

    struct addr a = {.kind = ADDR_INET};
    struct sock_listen_options o = {.backlog = 8, .mode = -1, .uid = -1, .gid = -1};
    inet_parse(STR("127.0.0.1"), &a.inet);
    fd = keeper_listen(&a, &o);
    assert_true(fd >= 0);
    struct inet_addr bound;
    assert_true(sock_local_addr(fd, &bound));
    assert_true(inet_port(&bound) > 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
    o.interface = "no-such-if";
    assert_true(keeper_listen(&a, &o) < 0);
}

static void programs_run_and_time_out(void **state)
{
    char *const ok[] = {"/bin/true", NULL};
    char *const fails[] = {"/bin/sh", "-c", "test \"$A\" = b && exit 3", NULL};
    char *const killed[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
    char *const sleeps[] = {"/bin/sleep", "1000", NULL};
    char *const none[] = {"/no/such/program", NULL};
    char *const env[] = {"A=b", NULL};
    assert_int_equal(keeper_run(ok, NULL, 60000), 0);
    assert_int_equal(keeper_run(fails, env, 60000), 3);
    assert_int_equal(keeper_run(killed, NULL, 60000), 128 + SIGKILL);
    assert_int_equal(keeper_run(none, NULL, 60000), -ENOENT);
    assert_int_equal(keeper_run(sleeps, NULL, 20), -ETIMEDOUT);
}

static void *run_slowly(void *arg)
{
    char *const sleeps[] = {"/bin/sleep", "1000", NULL};
    *(int *)arg = keeper_run(sleeps, NULL, 300);
    return NULL;
}

static void slow_program_delays_nobody(void **state)
{
    pthread_t thread;
    int result = 0;
    assert_int_equal(pthread_create(&thread, NULL, run_slowly, &result), 0);
    for (int i = 0; i < 100; i++)
        files_are_read_replaced_and_removed(NULL);
    pthread_join(thread, NULL);
    assert_int_equal(result, -ETIMEDOUT);
}

static int start(void **state)
{
    int rc = keeper_start();
    return rc == 0 && keeper_pid() > 0 ? 0 : -1;
}

static int stop(void **state)
{
    keeper_stop();
    return keeper_pid() == 0 ? 0 : -1;
}

static void helper_ignores_signals(void **state)
{
    assert_int_equal(kill(keeper_pid(), SIGINT), 0);
    assert_int_equal(kill(keeper_pid(), SIGTERM), 0);
    descriptors_are_passed(NULL);
}

static void dead_helper_is_an_error(void **state)
{
    struct buf text = BUF_INIT;
    kill(keeper_pid(), SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)keeper_pid(), &info, WEXITED | WNOWAIT), 0);
    assert_true(keeper_read_file(in_dir("a"), 100, &text) < 0);
    buf_free(&text);
}

static int make_dir(void **state)
{
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    return rmdir(dir);
}

#define HELPED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_replaced_and_removed),
        cmocka_unit_test(folders_list_regular_files_in_order),
        cmocka_unit_test(descriptors_are_passed),
        cmocka_unit_test(programs_run_and_time_out),
        HELPED(files_are_read_replaced_and_removed),
        HELPED(folders_list_regular_files_in_order),
        HELPED(descriptors_are_passed),
        HELPED(programs_run_and_time_out),
        HELPED(slow_program_delays_nobody),
        HELPED(helper_ignores_signals),
        HELPED(dead_helper_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
