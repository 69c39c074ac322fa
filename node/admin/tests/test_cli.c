// SPDX-License-Identifier: Apache-2.0
// Sessions of the runtime API over a socket pair: lines, words, levels, prompt, payload, long answers. The control
// thread is a real one; the tests are its clients.
#include "node/proxy/tests/running.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/admin/cli_session.h"
#include "node/match/table.h"

static struct worker *control;
static int last_fd; // of the session that the end of the process ends

struct start_msg {
    struct msg msg;
    int fd;
    enum cli_level level;
    int64_t timeout_ms;
};

static void on_start(struct msg *m)
{
    struct start_msg *start = (struct start_msg *)(void *)m;
    cli_session_start(control, start->fd, start->level, start->timeout_ms);
    free(start);
}

// The client's end of a new session.
static int session(enum cli_level level, int64_t timeout_ms)
{
    int fds[2];
    struct timeval limit = {.tv_sec = 20};
    struct start_msg *m = calloc(1, sizeof(*m));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    m->msg.kind = MSG_CALL;
    m->msg.fn = on_start;
    m->fd = fds[1];
    m->level = level;
    m->timeout_ms = timeout_ms;
    inbox_send(loop_inbox(control->loop), &m->msg);
    return fds[0];
}

static void tell(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

// All until the end of the session, which is closed. Freed by the next call.
static const char *hear(int fd)
{
    static char *text;
    struct buf b = BUF_INIT;
    char chunk[4096];
    ssize_t n;
    while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
        buf_add(&b, chunk, (size_t)n);
    assert_int_equal(n, 0);
    close(fd);
    buf_add_char(&b, '\0');
    free(text);
    text = b.data;
    return text;
}

static const char *ask_as(enum cli_level level, const char *input)
{
    int fd = session(level, 0);
    tell(fd, input);
    shutdown(fd, SHUT_WR);
    return hear(fd);
}

static const char *ask(const char *input)
{
    return ask_as(CLI_ADMIN, input);
}

#define assert_asked(input, want) assert_string_equal(ask(input), want)
static void assert_has(const char *text, const char *piece)
{
    if (!text || !strstr(text, piece))
        fail_msg("no \"%s\" in \"%.300s\"", piece, text ? text : "");
}

// ---- lines and words

static void test_lines_and_words(void **state)
{
    (void)state;
    assert_asked("show version\n", PHX_VERSION "\n\n");
    assert_asked("show version\r\n", PHX_VERSION "\n\n");
    assert_asked("show version", PHX_VERSION "\n\n"); // the end of input ends a line too
    assert_asked("  show \t version  \n", PHX_VERSION "\n\n");
    assert_asked("\n", "");
    assert_asked("", "");
    assert_asked("show version\nshow version\n", PHX_VERSION "\n\n"); // one line a session without prompt
    assert_asked("show version;show cli level\n", PHX_VERSION "\n\nadmin\n\n");
    assert_asked(";; show version ;;\n", PHX_VERSION "\n\n");
    assert_asked("sh\\ow version\n", PHX_VERSION "\n\n");
    assert_has(ask("show\\ version\n"), "Unknown command: 'show version'");
    assert_has(ask("bogus\n"), "Unknown command: 'bogus'");
    assert_has(ask("bogus\n"), "  show version ");
    assert_has(ask("show\n"), "Unknown command"); // half of one
    assert_has(ask("get weight b/nope;show version\n"), "No such server.\n\n" PHX_VERSION "\n\n");
}

static void test_escapes_reach_the_command(void **state)
{
    (void)state;
    assert_asked("set table t key a\\ b\\;c data.gpc0 7\n", "\n");
    assert_has(ask("show table t key a\\ b\\;c\n"), "key=a b;c use=0");
    assert_has(ask("show table t key a\\ b\\;c\n"), "gpc0=7");
    assert_asked("clear table t\n", "\n");
}

static void test_too_many_words(void **state)
{
    (void)state;
    struct buf line = BUF_INIT;
    buf_add_cstr(&line, "show version");
    for (unsigned i = 0; i < 1000; i++)
        buf_add_cstr(&line, " x");
    buf_add_cstr(&line, ";show cli level\n");
    buf_add_char(&line, '\0');
    assert_asked(line.data, PHX_VERSION "\n\nadmin\n\n");
    buf_free(&line);
}

static void test_too_long(void **state)
{
    (void)state;
    int fd = session(CLI_ADMIN, 0);
    char block[8192];
    memset(block, 'x', sizeof(block));
    for (unsigned i = 0; i < 140; i++) // over 1 MiB without an end of line
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
            break;
    char text[64] = "";
    ssize_t n = recv(fd, text, sizeof(text) - 1, 0); // what was not read of us may reset the connection behind this
    assert_true(n > 0);
    assert_string_equal(text, "The command is too long.\n");
    close(fd);
}

// ---- payload

static bool take(const char *input, bool eof, const char *line, const char *payload, size_t used)
{
    struct buf in = BUF_INIT;
    char *got_line = NULL, *got_payload = NULL;
    size_t got_used = 0;
    buf_add_cstr(&in, input);
    bool complete = cli_take_line(&in, eof, &got_line, &got_payload, &got_used);
    buf_free(&in);
    if (!complete)
        return false;
    assert_string_equal(got_line, line);
    if (payload)
        assert_string_equal(got_payload, payload);
    else
        assert_null(got_payload);
    assert_int_equal(got_used, used);
    free(got_line);
    return true;
}

static void test_payload(void **state)
{
    (void)state;
    assert_false(take("show inf", false, "", NULL, 0));
    assert_true(take("show info\nrest", false, "show info", NULL, 10));
    assert_true(take("show info", true, "show info", NULL, 9));
    assert_false(take("", true, "", NULL, 0));
    assert_false(take("add map m <<\na b\nc d\n", false, "", NULL, 0)); // the empty line is still to come
    assert_true(take("add map m <<\na b\nc d\n\nshow", false, "add map m ", "a b\nc d\n", 22));
    assert_true(take("add map m <<\r\na b\n\n", false, "add map m ", "a b\n", 19));
    assert_true(take("add map m <<\n\nshow", false, "add map m ", "", 14));
    assert_true(take("add map m <<\na b", true, "add map m ", "a b", 16));
    assert_true(take("a << b\n", false, "a << b", NULL, 7));
}

// ---- sessions

static void test_prompt(void **state)
{
    (void)state;
    int fd = session(CLI_ADMIN, 0);
    tell(fd, "prompt\nshow version\n\nshow cli level;show version\nbogus-command\nquit\nshow version\n");
    const char *text = hear(fd);
    const char *want = "\n> " PHX_VERSION "\n\n> > admin\n\n" PHX_VERSION "\n\n> Unknown command: 'bogus-command'.";
    assert_memory_equal(text, want, strlen(want));
    const char *end = "disconnect\n\n> \n";
    assert_string_equal(text + strlen(text) - strlen(end), end); // after quit nothing is run
    fd = session(CLI_ADMIN, 0);
    tell(fd, "prompt\nprompt\nshow version\n"); // off again: that line was the last
    assert_string_equal(hear(fd), "\n> \n");
}

static void test_levels(void **state)
{
    (void)state;
    assert_string_equal(ask_as(CLI_USER, "show cli level\n"), "user\n\n");
    assert_string_equal(ask_as(CLI_USER, "disable server b/s1\n"), "Permission denied\n\n");
    assert_string_equal(ask_as(CLI_OPERATOR, "disable server b/s1\n"), "Permission denied\n\n");
    assert_string_equal(ask_as(CLI_USER, "clear table t\n"), "Permission denied\n\n");
    assert_string_equal(ask("operator;show cli level;operator;user;show cli level;operator;show cli level\n"),
                        "\noperator\n\n\n\nuser\n\n\nuser\n\n"); // only down
    assert_null(strstr(ask_as(CLI_USER, "help\n"), "disable server"));
    assert_has(ask("help\n"), "disable server");
    const char *some = ask("help show serv\n");
    assert_has(some, "show servers state");
    assert_null(strstr(some, "show table"));
}

static void test_changes_a_server(void **state)
{
    (void)state;
    struct server_state *s = running_server(running_backend("b"), "s1");
    assert_asked("set server b/s1 weight 50%\n", "\n");
    assert_int_equal(atomic_load(&s->weight), 5);
    assert_asked("get weight b/s1\n", "5 (initial 10)\n\n");
    assert_asked("set weight b/s1 257\n", "Absolute weight can only be between 0 and 256 inclusive.\n\n");
    assert_asked("disable server b/s1\n", "\n");
    assert_int_equal(atomic_load(&s->admin), ADMIN_MAINT);
    assert_asked("set server b/s1 state drain\n", "\n");
    assert_int_equal(atomic_load(&s->admin), ADMIN_DRAIN);
    assert_asked("set server b/s1 state ready\n", "\n");
    assert_int_equal(atomic_load(&s->admin), 0);
    assert_asked("set server b/s1 addr 127.0.0.9 port 99\n",
                 "address changed to '127.0.0.9:99' by 'stats socket command'\n\n");
    assert_asked("set server b/s1 state up\n", "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n");
    assert_asked("enable server s1\n", "Require 'backend/server'.\n\n");
    assert_asked("enable server x/s1\n", "No such backend.\n\n");
}

// Monitors read these lines by name; `typed` gives HAProxy's positions.
static void test_show_info(void **state)
{
    (void)state;
    static const char *const hatop_wants[] = {
        "Name: ",    "Version: ",   "Release_date: ", "Nbproc: ",    "Process_num: ", "Pid: ",       "Uptime: ",
        "Maxconn: ", "CurrConns: ", "Maxpipes: ",     "PipesUsed: ", "Tasks: ",       "Run_queue: ", "node: "};
    const char *text = ask("show info\n");
    for (unsigned i = 0; i < sizeof(hatop_wants) / sizeof(hatop_wants[0]); i++)
        assert_has(text, hatop_wants[i]);
    text = ask("show info typed\n");
    assert_has(text, "0.Name.1:POS:str:Phalanx\n");
    assert_has(text, "17.CurrConns.1:MGP:u32:0\n");
    assert_has(text, "50.node.1:COS:str:");
    assert_has(text, "70.Start_time_sec.1:MDP:u32:");
    text = ask("show info json\n");
    assert_int_equal(strncmp(text, "[{\"field\":{\"pos\":0,\"name\":\"Name\"},\"processNum\":1,", 49), 0);
    assert_string_equal(text + strlen(text) - 5, "}}]\n\n");
}

// ---- long answers

static void fill_table(unsigned n)
{
    struct table *t = running_backend("big")->table;
    for (unsigned i = 0; i < n; i++) {
        char key[32];
        struct str k = {key, (size_t)snprintf(key, sizeof(key), "some-long-key-%07u", i)};
        struct table_entry *e = table_get(t, k, mono_now());
        assert_non_null(e);
        table_release(t, &e);
    }
}

static void test_long_answers_in_slices(void **state)
{
    (void)state;
    enum { N = 20000 };
    fill_table(N);
    const char *text = ask("show table big;show version\n");
    unsigned lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 1 + N + 1 + 2); // title, entries, empty line; version, empty line
    assert_string_equal(text + strlen(text) - strlen(PHX_VERSION "\n\n"), PHX_VERSION "\n\n");
    assert_asked("clear table big\n", "\n");
    assert_has(ask("show table\n"), "# table: big, type: string, size:30720, used:0\n");
}

// Who asks for much and does not read is cut off after the idle time, and what the command held is given back.
static void test_who_does_not_read_is_cut_off(void **state)
{
    (void)state;
    fill_table(20000);
    int fd = session(CLI_ADMIN, 100);
    tell(fd, "show table big\n");
    usleep(600 * 1000);
    char chunk[65536];
    size_t total = 0;
    ssize_t n;
    while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
        total += (size_t)n;
    assert_int_equal(n, 0);
    assert_true(total < 20000 * 40);
    close(fd);
}

static void test_idle_session_ends(void **state)
{
    (void)state;
    assert_string_equal(hear(session(CLI_ADMIN, 50)), "");
    int fd = session(CLI_ADMIN, 0);
    tell(fd, "prompt\nset timeout cli 1\nset timeout cli x\nset timeout cli 50ms\n");
    assert_has(hear(fd), "Invalid timeout value.");
}

// A session with a prompt lives on between lines, and dies with the process.
static void test_sessions_end_with_the_process(void **state)
{
    (void)state;
    int fd = session(CLI_ADMIN, 0);
    char text[8] = "";
    tell(fd, "prompt\n");
    while (!strstr(text, "> "))
        assert_true(recv(fd, text + strlen(text), 1, 0) == 1);
    last_fd = fd;
}

// ---- frame

static void on_stop(struct msg *m)
{
    free(m);
    loop_stop(worker_self->loop);
}

static int setup(void **state)
{
    (void)state;
    running_init();
    running_load("backend b\n server s1 127.0.0.1:1 weight 10\n server s2 127.0.0.1:2\n"
                 "backend t\n stick-table type string len 32 size 100 store gpc0\n"
                 "backend big\n stick-table type string len 32 size 30k\n");
    control = worker_create(THREAD_CONTROL, 0);
    return worker_start(control, NULL);
}

static int teardown(void **state)
{
    (void)state;
    struct msg *m = calloc(1, sizeof(*m));
    m->kind = MSG_CALL;
    m->fn = on_stop;
    inbox_send(loop_inbox(control->loop), m);
    worker_join(control);
    assert_int_equal(cli_session_count(), 1); // the last test's; all others are gone
    cli_sessions_end();
    assert_int_equal(cli_session_count(), 0);
    assert_has(hear(last_fd), "");
    worker_destroy(&control);
    running_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_and_words),
        cmocka_unit_test(test_escapes_reach_the_command),
        cmocka_unit_test(test_too_many_words),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_payload),
        cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_changes_a_server),
        cmocka_unit_test(test_show_info),
        cmocka_unit_test(test_long_answers_in_slices),
        cmocka_unit_test(test_who_does_not_read_is_cut_off),
        cmocka_unit_test(test_idle_session_ends),
        cmocka_unit_test(test_sessions_end_with_the_process),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
