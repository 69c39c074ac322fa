// SPDX-License-Identifier: Apache-2.0
// Connections over socket pairs and loopback TCP: flags after each kind of read and write, connect, reset, splice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/io/conn.h"
#include "node/io/inbox.h"
#include "node/io/worker.h"

static struct worker *w;
static struct conn c;
static int other; // the peer's blocking end
static int events;

static void on_event(struct conn *conn)
{
    assert_ptr_equal(conn, &c);
    events++;
}

static void call_stop(struct msg *m)
{
    free(m);
    loop_stop(w->loop);
}

static void turn(void)
{
    struct msg *m = calloc(1, sizeof(*m));
    m->fn = call_stop;
    inbox_send(loop_inbox(w->loop), m);
    loop_run(w->loop);
}

// Turns until all flags of `want` are set.
static void turn_until(unsigned want)
{
    for (int i = 0; i < 10000 && (c.flags & want) != want; i++) {
        turn();
        if ((c.flags & want) != want)
            poll(NULL, 0, 1);
    }
    assert_int_equal(c.flags & want, want);
}

static int listener_at(struct addr *a)
{
    const struct sock_listen_options o = {.backlog = 16, .mode = -1, .uid = -1, .gid = -1};
    *a = (struct addr){.kind = ADDR_INET};
    inet_parse(STR("127.0.0.1"), &a->inet);
    int fd = sock_listen(a, &o);
    assert_true(fd >= 0);
    assert_true(sock_local_addr(fd, &a->inet));
    return fd;
}

// Connects c over TCP; `other` is the accepted end.
static int open_tcp(void **state)
{
    struct addr a;
    bool in_progress;
    w = worker_create(THREAD_WORKER, 0);
    int listener = listener_at(&a);
    int fd = sock_connect(&a, NULL, &in_progress);
    assert_true(fd >= 0);
    events = 0;
    assert_int_equal(conn_open(&c, w->loop, fd, &conn_plain, in_progress ? CONN_CONNECTING : 0, on_event), 0);
    other = accept(listener, NULL, NULL);
    assert_true(other >= 0);
    close(listener);
    turn_until(CONN_WRITABLE);
    assert_false(c.flags & CONN_CONNECTING);
    return 0;
}

static int close_tcp(void **state)
{
    conn_close(&c, false);
    conn_close(&c, false);
    assert_false(conn_is_open(&c));
    if (other >= 0)
        close(other);
    worker_destroy(&w);
    return 0;
}

static void short_read_empties(void **state)
{
    char bytes[100];
    assert_int_equal(send(other, "hello", 5, 0), 5);
    turn_until(CONN_READABLE);
    assert_int_equal(conn_recv(&c, bytes, 2), 2);
    assert_true(c.flags & CONN_READABLE); // filled: there may be more
    assert_int_equal(conn_recv(&c, bytes, sizeof(bytes)), 3);
    assert_false(c.flags & CONN_READABLE);
    assert_int_equal(conn_recv(&c, bytes, sizeof(bytes)), CONN_AGAIN);
}

static void end_of_peer_is_read_after_its_bytes(void **state)
{
    char bytes[100];
    assert_int_equal(send(other, "bye", 3, 0), 3);
    close(other);
    other = -1;
    turn_until(CONN_READABLE | CONN_HUP);
    assert_int_equal(conn_recv(&c, bytes, sizeof(bytes)), 3);
    assert_true(c.flags & CONN_READABLE); // no event will come any more
    assert_int_equal(conn_recv(&c, bytes, sizeof(bytes)), CONN_CLOSED);
    assert_true(c.flags & CONN_EOF);
    assert_false(c.flags & CONN_READABLE);
}

static void slices_are_written_in_order(void **state)
{
    struct iovec iov[3] = {{"GET ", 4}, {"", 0}, {"/ HTTP", 6}};
    char bytes[20] = "";
    assert_int_equal(conn_sendv(&c, iov, 3, false), 10);
    assert_int_equal(conn_sendv(&c, iov, 1, false), 4);
    assert_int_equal(recv(other, bytes, 14, MSG_WAITALL), 14);
    assert_string_equal(bytes, "GET / HTTPGET ");
    conn_shut_write(&c);
    conn_shut_write(&c);
    assert_true(c.flags & CONN_SHUT_WRITE);
    assert_int_equal(recv(other, bytes, 1, 0), 0);
}

static void full_socket_clears_writable_until_the_event(void **state)
{
    static char bytes[1 << 20];
    struct iovec iov = {bytes, sizeof(bytes)};
    size_t sent = 0, got = 0;
    while (c.flags & CONN_WRITABLE) {
        ssize_t n = conn_sendv(&c, &iov, 1, false);
        sent += n > 0 ? (size_t)n : 0;
    }
    events = 0;
    turn();
    assert_false(c.flags & CONN_WRITABLE);
    while (got < sent)
        got += (size_t)recv(other, bytes, sizeof(bytes), 0);
    turn_until(CONN_WRITABLE);
    assert_true(events > 0);
}

static void reset_is_an_error_but_bytes_before_it_are_read(void **state)
{
    char byte;
    struct iovec iov = {"x", 1};
    assert_int_equal(send(other, "y", 1, 0), 1);
    turn_until(CONN_READABLE);
    sock_set_linger_reset(other);
    close(other);
    other = -1;
    turn_until(CONN_HUP);
    assert_int_equal(conn_sendv(&c, &iov, 1, false), CONN_ERROR);
    assert_true(c.flags & CONN_FAILED);
    assert_true(c.error == ECONNRESET || c.error == EPIPE);
    assert_int_equal(conn_recv(&c, &byte, 1), 1);
    assert_true(conn_recv(&c, &byte, 1) < 0);
    assert_int_equal(conn_sendv(&c, &iov, 1, false), CONN_ERROR);
}

static void close_with_reset_sends_one(void **state)
{
    char byte;
    conn_close(&c, true);
    assert_int_equal(recv(other, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void detached_descriptor_stays_open(void **state)
{
    int fd = conn_detach(&c);
    assert_false(conn_is_open(&c));
    assert_int_equal(send(other, "x", 1, 0), 1);
    events = 0;
    turn();
    assert_int_equal(events, 0);
    assert_int_equal(conn_open(&c, w->loop, fd, &conn_plain, 0, on_event), 0);
    turn_until(CONN_READABLE);
}

static void refused_connect_fails(void **state)
{
    struct addr a;
    bool in_progress;
    w = worker_create(THREAD_WORKER, 0);
    close(listener_at(&a));
    int fd = sock_connect(&a, NULL, &in_progress);
    if (fd >= 0) {
        char byte;
        events = 0;
        assert_int_equal(conn_open(&c, w->loop, fd, &conn_plain, CONN_CONNECTING, on_event), 0);
        turn_until(CONN_FAILED);
        assert_int_equal(c.error, ECONNREFUSED);
        assert_int_equal(events, 1);
        assert_int_equal(conn_recv(&c, &byte, 1), CONN_ERROR);
        conn_close(&c, false);
    }
    worker_destroy(&w);
}

static void splice_moves_bytes(void **state)
{
    char bytes[16] = "";
    struct pipe_pair *p = pipe_take(w);
    assert_int_equal(conn_splice_in(&c, p, 1000), CONN_AGAIN);
    assert_int_equal(send(other, "through", 7, 0), 7);
    turn_until(CONN_READABLE);
    assert_int_equal(conn_splice_in(&c, p, 1000), 7);
    assert_int_equal(p->level, 7);
    assert_int_equal(conn_splice_out(&c, p, false), 7);
    assert_int_equal(p->level, 0);
    assert_int_equal(recv(other, bytes, 7, MSG_WAITALL), 7);
    assert_string_equal(bytes, "through");
    assert_int_equal(conn_splice_in(&c, p, 1000), CONN_AGAIN);
    assert_false(c.flags & CONN_READABLE);
    shutdown(other, SHUT_WR);
    turn_until(CONN_HUP);
    assert_int_equal(conn_splice_in(&c, p, 1000), CONN_CLOSED);
    pipe_put(w, &p);
    assert_int_equal(pipe_count_free(), 1);
}

static void splice_out_to_a_closed_peer_is_an_error(void **state)
{
    struct pipe_pair *p = pipe_take(w);
    assert_int_equal(send(other, "x", 1, 0), 1);
    turn_until(CONN_READABLE);
    assert_int_equal(conn_splice_in(&c, p, 10), 1);
    sock_set_linger_reset(other);
    close(other);
    other = -1;
    turn_until(CONN_HUP);
    assert_int_equal(conn_splice_out(&c, p, false), CONN_ERROR);
    pipe_put(w, &p);
    assert_int_equal(pipe_count_used(), 0);
}

static int handshakes;
static int two_step_handshake(struct conn *conn)
{
    char byte;
    handshakes++;
    ssize_t n = conn_plain.recv(conn, &byte, 1);
    return n == 1 && byte == '!' ? 0 : n == CONN_AGAIN ? CONN_AGAIN : CONN_ERROR;
}

static void handshake_comes_before_events(void **state)
{
    struct conn_transport slow = conn_plain;
    slow.handshake = two_step_handshake;
    char byte;
    int fd = conn_detach(&c);
    events = handshakes = 0;
    assert_int_equal(conn_open(&c, w->loop, fd, &slow, 0, on_event), 0);
    turn();
    assert_int_equal(events, 0);
    assert_true(handshakes > 0);
    assert_int_equal(conn_recv(&c, &byte, 1), CONN_AGAIN);
    assert_int_equal(send(other, "!z", 2, 0), 2);
    for (int i = 0; i < 1000 && c.flags & CONN_HANDSHAKE; i++)
        turn();
    assert_int_equal(events, 1);
    assert_int_equal(conn_recv(&c, &byte, 1), 1);
    assert_int_equal(byte, 'z');
    conn_close(&c, false);
}

#define OVER_TCP(test) cmocka_unit_test_setup_teardown(test, open_tcp, close_tcp)

int main(void)
{
    signal(SIGPIPE, SIG_IGN); // splice() raises it
    const struct CMUnitTest tests[] = {
        OVER_TCP(short_read_empties),
        OVER_TCP(end_of_peer_is_read_after_its_bytes),
        OVER_TCP(slices_are_written_in_order),
        OVER_TCP(full_socket_clears_writable_until_the_event),
        OVER_TCP(reset_is_an_error_but_bytes_before_it_are_read),
        OVER_TCP(close_with_reset_sends_one),
        OVER_TCP(detached_descriptor_stays_open),
        cmocka_unit_test(refused_connect_fails),
        OVER_TCP(splice_moves_bytes),
        OVER_TCP(splice_out_to_a_closed_peer_is_an_error),
        OVER_TCP(handshake_comes_before_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
