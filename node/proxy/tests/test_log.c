// SPDX-License-Identifier: Apache-2.0
// Log targets, rings and the sender thread: records in, datagrams and bytes out.
#include "node/proxy/log_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "node/proxy/access_log.h"
#include "node/proxy/log_ring.h"

#define WALL_US (1795385907 * (int64_t)1000000 + 289709) // 2026-11-22 22:18:27.289709 UTC

static struct diag *diag;

static bool put(struct log_target *t, int level, const char *text)
{
    size_t len = strlen(text);
    struct log_record *r = log_reserve(sizeof(*r) + sizeof(t) + 7 + len);
    if (!r)
        return false;
    *r = (struct log_record){.ntarget = 1, .level = (uint8_t)level, .tag_len = 7, .text_len = (uint32_t)len};
    r->wall_us = WALL_US;
    r->targets[0] = t;
    memcpy(log_record_bytes(r), "phalanx", 7);
    memcpy(log_record_bytes(r) + 7, text, len);
    log_commit(r, sizeof(*r) + sizeof(t) + 7 + len);
    return true;
}

static struct log_target *target(enum cfg_log_target kind, int fd, enum cfg_log_format format, int len)
{
    struct cfg_log cfg = {.target = kind, .fd = fd, .format = format, .len = len, .facility = 16, .level = 7};
    struct log_target *t = log_target_get(&cfg, diag);
    assert_non_null(t);
    return t;
}

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        enum cfg_log_format format;
        const char *want; // %d = process id
    } cases[] = {
        {LOG_FMT_LOCAL, "<134>Nov 22 22:18:27 phalanx[%d]: "},
        {LOG_FMT_RFC3164, "<134>Nov 22 22:18:27 localhost phalanx[%d]: "},
        {LOG_FMT_RFC5424, "<134>1 2026-11-22T22:18:27.289709+00:00 - phalanx %d - - "},
        {LOG_FMT_PRIORITY, "<134>"},
        {LOG_FMT_SHORT, "<6>"},
        {LOG_FMT_TIMED, "<6>2026-11-22T22:18:27.289709+00:00 "},
        {LOG_FMT_ISO, "2026-11-22T22:18:27.289709+00:00 "},
        {LOG_FMT_RAW, ""},
    };
    char space[200] = {0}, got[200], want[200];
    struct log_record *r = (struct log_record *)(void *)space;
    *r = (struct log_record){.ntarget = 0, .level = 6, .tag_len = 7, .wall_us = WALL_US};
    memcpy(log_record_bytes(r), "phalanx", 7);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct log_target *t = target(LOG_TO_STDERR, 2, cases[i].format, 1024);
        got[log_target_header(t, r, got, sizeof(got))] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(want, sizeof(want), cases[i].want, (int)getpid());
#pragma GCC diagnostic pop
        assert_string_equal(got, want);
    }
    r->host_len = 2;
    memcpy(log_record_bytes(r) + 7, "h1", 2);
    got[log_target_header(target(LOG_TO_STDERR, 2, LOG_FMT_LOCAL, 1024), r, got, sizeof(got))] = '\0';
    snprintf(want, sizeof(want), "<134>Nov 22 22:18:27 h1 phalanx[%d]: ", (int)getpid());
    assert_string_equal(got, want);
}

static void test_filters(void **state)
{
    (void)state;
    struct cfg_log cfg = {.target = LOG_TO_STDERR, .level = 4, .sample_from = 2, .sample_to = 3, .sample_size = 4};
    struct log_target *t = log_target_get(&cfg, diag);
    assert_ptr_equal(log_target_get(&cfg, diag), t);
    assert_false(log_target_takes(t, 5));
    const bool turns[] = {false, true, true, false, false, true};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(log_target_takes(t, 4), turns[i]);
}

static void test_stream(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log_target *t = target(LOG_TO_FD, fds[1], LOG_FMT_SHORT, 20);
    assert_true(t->fifo);
    assert_int_equal(log_start(), 0);
    assert_true(put(t, 6, "hello"));
    assert_true(put(t, 3, "0123456789012345678901234567890123456789"));
    log_stop();
    char got[100] = {0};
    assert_true(read(fds[0], got, sizeof(got) - 1) > 0);
    assert_string_equal(got, "<6>hello\n<3>0123456789012345\n"); // cut at 20 bytes with the line's end
    close(fds[0]);
    close(fds[1]);
}

// Many more lines than the ring holds at once; all arrive but those counted as dropped.
static void test_many(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct log_target *t = target(LOG_TO_FD, fileno(f), LOG_FMT_RAW, 1024);
    uint64_t dropped = log_dropped();
    char text[301];
    memset(text, 'x', 300);
    text[300] = '\0';
    assert_int_equal(log_start(), 0);
    for (unsigned i = 0; i < 50000; i++)
        put(t, 6, text);
    log_stop();
    dropped = log_dropped() - dropped;
    assert_int_equal(lseek(fileno(f), 0, SEEK_END), (50000 - (off_t)dropped) * 301);
    fclose(f);
}

// Nobody reads: lines are dropped, nothing hangs.
static void test_stuck(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log_target *t = target(LOG_TO_FD, fds[1], LOG_FMT_ISO, 1024);
    uint64_t dropped = log_dropped();
    assert_int_equal(log_start(), 0);
    for (unsigned i = 0; i < 3000; i++)
        put(t, 6, "a line that nobody will read, since the pipe is full long before the last of them was written");
    log_stop();
    assert_true(log_dropped() > dropped);
    close(fds[0]);
    close(fds[1]);
}

static void test_datagram(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    struct cfg_log cfg = {.target = LOG_TO_UDP, .format = LOG_FMT_PRIORITY, .facility = 1, .level = 7};
    cfg.addr = (struct cfg_addr){.kind = CFG_ADDR_INET, .host = STR("127.0.0.1"), .port = ntohs(in.sin_port)};
    struct log_target *t = log_target_get(&cfg, diag);
    assert_non_null(t);
    assert_int_equal(log_start(), 0);
    assert_true(put(t, 5, "one"));
    assert_true(put(t, 0, "two"));
    log_stop();
    char got[100] = {0};
    assert_int_equal(recv(fd, got, sizeof(got), 0), 8);
    assert_string_equal(got, "<13>one\n");
    assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
    assert_memory_equal(got, "<8>two\n", 7);
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    diag = diag_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_shutdown();
    diag_destroy(&diag);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_headers), TEST(test_filters), TEST(test_stream),
                                       TEST(test_many),    TEST(test_stuck),   TEST(test_datagram)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
