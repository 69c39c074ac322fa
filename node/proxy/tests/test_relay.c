// SPDX-License-Identifier: Apache-2.0
// The relay over socket pairs: where messages end, what stays behind them, and the way through a pipe.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on

#include <sys/socket.h>
#include <unistd.h>

#include "node/io/worker.h"
#include "node/proxy/relay.h"

static struct worker *w;
static struct conn from, to;
static int source, sink; // the test's ends
static struct flow f;
static bool moved[2];

static void on_event(struct conn *c)
{
}

static int set_up(void **state)
{
    int a[2], b[2];
    w = worker_create(THREAD_WORKER, 0);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b);
    source = a[0];
    sink = b[0];
    conn_open(&from, w->loop, a[1], &conn_plain, 0, on_event);
    conn_open(&to, w->loop, b[1], &conn_plain, 0, on_event);
    f = (struct flow){0};
    return 0;
}

static int tear_down(void **state)
{
    flow_end(w, &f);
    conn_close(&from, false);
    conn_close(&to, false);
    close(source);
    close(sink);
    worker_destroy(&w);
    return 0;
}

static void send_text(const char *text)
{
    assert_int_equal(send(source, text, strlen(text), 0), (int)strlen(text));
}

static enum relay_result run(void)
{
    from.flags |= CONN_READABLE;
    to.flags |= CONN_WRITABLE;
    return relay_run(w, &f, &from, &to, moved);
}

static void assert_received(const char *text)
{
    char bytes[1000];
    ssize_t n = recv(sink, bytes, sizeof(bytes), 0);
    assert_int_equal(n, (int)strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

static void raw_bytes_go_until_the_end(void **state)
{
    flow_begin(&f, FLOW_RAW, 0, 0);
    send_text("some");
    assert_int_equal(run(), RELAY_BLOCKED);
    assert_null(f.buf); // nothing is held while nothing comes
    assert_received("some");
    send_text("more");
    close(source);
    source = -1;
    assert_int_equal(run(), RELAY_BLOCKED); // a short read: only the next event tells of the end
    assert_int_equal(run(), RELAY_DONE);
    assert_true(f.complete && f.source_end);
    assert_received("more");
    assert_int_equal(f.total, 8);
}

static void a_length_ends_before_what_follows(void **state)
{
    flow_begin(&f, FLOW_LENGTH, 6, 0);
    send_text("abc");
    assert_int_equal(run(), RELAY_BLOCKED);
    send_text("defNEXT");
    assert_int_equal(run(), RELAY_DONE);
    assert_received("abcdef");
    assert_memory_equal(f.buf->data + f.clear, "NEXT", 4);
    assert_int_equal(f.buf->tail - f.clear, 4);
}

static void a_length_that_is_not_reached_is_short(void **state)
{
    flow_begin(&f, FLOW_LENGTH, 6, 0);
    send_text("abc");
    close(source);
    source = -1;
    assert_int_equal(run(), RELAY_BLOCKED);
    assert_int_equal(run(), RELAY_SOURCE_SHORT);
    assert_received("abc");
}

static void chunks_pass_as_they_are(void **state)
{
    flow_begin(&f, FLOW_CHUNKED, 0, 0);
    send_text("3\r\nabc\r");
    assert_int_equal(run(), RELAY_BLOCKED);
    send_text("\n0\r\n\r\nNEXT");
    assert_int_equal(run(), RELAY_DONE);
    assert_received("3\r\nabc\r\n0\r\n\r\n");
    assert_int_equal(f.buf->tail - f.clear, 4);
}

static void bad_chunks_are_refused(void **state)
{
    flow_begin(&f, FLOW_CHUNKED, 0, 0);
    send_text("zz\r\n");
    assert_int_equal(run(), RELAY_BAD_FRAMING);
}

static void a_head_goes_out_with_the_body_behind_it(void **state)
{
    struct arena *arena = arena_create(1024);
    struct iovec head[2] = {{"HEAD ", 5}, {"LINES ", 6}};
    f.buf = worker_buf_take(w);
    memcpy(f.buf->data, "pinnedabcdef", 12);
    f.buf->tail = 12;
    flow_begin(&f, FLOW_LENGTH, 4, 6);
    assert_true(flow_scan(&f));
    assert_int_equal(relay_send_head(&f, &to, arena, head, 2), RELAY_DONE);
    assert_received("HEAD LINES abcd");
    assert_memory_equal(f.buf->data, "pinned", 6); // slices into it stay good
    assert_false(f.discarded);                     // and so the message could be sent again
    arena_destroy(&arena);
}

static void dropped_bytes_reach_nobody(void **state)
{
    flow_begin(&f, FLOW_LENGTH, 3, 0);
    f.drop = true;
    send_text("abc");
    assert_int_equal(run(), RELAY_DONE);
    char byte;
    assert_int_equal(recv(sink, &byte, 1, 0), -1);
}

// Both ends are fed and drained in small steps, so that every way of being blocked comes up.
static void bulk_changes_over_to_a_pipe_and_back(void **state)
{
    enum { TOTAL = 3 << 20 };
    char *sent = malloc(TOTAL), *got = malloc(TOTAL + 100);
    size_t at = 0, have = 0;
    bool spliced = false;
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (char)(i * 7 + i / 251);
    flow_begin(&f, FLOW_LENGTH, TOTAL, 0);
    enum relay_result r = RELAY_BLOCKED;
    while (have < TOTAL) {
        ssize_t n = send(source, sent + at, TOTAL - at < 70000 ? TOTAL - at : 70000, 0);
        at += n > 0 ? (size_t)n : 0;
        if (at == TOTAL)
            send(source, "REST", 4, 0);
        if (r != RELAY_DONE)
            r = run();
        spliced |= f.pipe != NULL;
        n = recv(sink, got + have, 50000, 0);
        have += n > 0 ? (size_t)n : 0;
        assert_true(have <= TOTAL);
    }
    assert_int_equal(r, RELAY_DONE);
    assert_true(spliced);
    assert_int_equal(f.total, TOTAL);
    assert_memory_equal(sent, got, TOTAL);
    free(sent);
    free(got);
}

int main(void)
{
#define RELAY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RELAY_TEST(raw_bytes_go_until_the_end),
        RELAY_TEST(a_length_ends_before_what_follows),
        RELAY_TEST(a_length_that_is_not_reached_is_short),
        RELAY_TEST(chunks_pass_as_they_are),
        RELAY_TEST(bad_chunks_are_refused),
        RELAY_TEST(a_head_goes_out_with_the_body_behind_it),
        RELAY_TEST(dropped_bytes_reach_nobody),
        RELAY_TEST(bulk_changes_over_to_a_pipe_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
