// SPDX-License-Identifier: Apache-2.0
// The loop: edges, dropped events, deferred work, timers, listeners. One thread.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/io/inbox.h"
#include "node/io/loop.h"
#include "node/io/timer.h"

static struct loop *loop;

static int setup(void **state)
{
    loop = loop_create();
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    loop_destroy(&loop);
    return loop ? -1 : 0;
}

static void call_stop(struct msg *m)
{
    free(m);
    loop_stop(loop);
}

// Lets the loop make one turn that finds all that is ready.
static void turn(void)
{
    struct msg *m = calloc(1, sizeof(*m));
    m->fn = call_stop;
    inbox_send(loop_inbox(loop), m);
    loop_run(loop);
}

struct end {
    struct loop_fd lf;
    int calls;
    uint32_t events;
    struct end *kill; // deleted when this one is called
};

static void on_ready(struct loop_fd *lf, uint32_t events)
{
    struct end *e = CONTAINER_OF(lf, struct end, lf);
    e->calls++;
    e->events = events;
    if (e->kill)
        loop_del(loop, &e->kill->lf, false);
}

static void events_are_edges(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct end e = {0};
    assert_int_equal(loop_add(loop, &e.lf, pair[0], on_ready), 0);
    turn();
    assert_int_equal(e.calls, 1);
    assert_int_equal(e.events, EPOLLOUT);
    turn();
    assert_int_equal(e.calls, 1);
    assert_int_equal(write(pair[1], "x", 1), 1);
    turn();
    turn();
    assert_int_equal(e.calls, 2);
    assert_true(e.events & EPOLLIN);
    close(pair[1]);
    turn();
    assert_int_equal(e.calls, 3);
    assert_true(e.events & EPOLLRDHUP);
    loop_del(loop, &e.lf, true);
    assert_int_equal(e.lf.fd, -1);
    loop_del(loop, &e.lf, true); // again: nothing
    close(pair[0]);
}

static void later_events_of_a_deleted_descriptor_are_dropped(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct end a = {0}, b = {.kill = &a};
    a.kill = &b;
    assert_int_equal(loop_add(loop, &a.lf, pair[0], on_ready), 0);
    assert_int_equal(loop_add(loop, &b.lf, pair[1], on_ready), 0);
    turn();
    assert_int_equal(a.calls + b.calls, 1);
    loop_del(loop, &a.lf, false);
    loop_del(loop, &b.lf, false);
    close(pair[0]);
    close(pair[1]);
}

static void bad_descriptor_is_an_error(void **state)
{
    struct end e = {.lf.fd = -1};
    int fd = open("/dev/null", O_RDONLY); // epoll refuses files
    assert_true(loop_add(loop, &e.lf, fd, on_ready) < 0);
    assert_int_equal(e.lf.fd, -1);
    close(fd);
}

static int order[8], order_len;
static struct loop_defer d1, d2, d3;

static void deferred3(struct loop_defer *d)
{
    order[order_len++] = 3;
}
static void deferred2(struct loop_defer *d)
{
    order[order_len++] = 2;
    loop_defer(loop, &d3, deferred3);
}
static void deferred1(struct loop_defer *d)
{
    order[order_len++] = 1;
}
static void on_turn(void *arg)
{
    order[order_len++] = *(int *)arg;
}

static void deferred_work_runs_in_its_turn(void **state)
{
    int nine = 9;
    order_len = 0;
    loop_on_turn(loop, on_turn, &nine);
    loop_defer(loop, &d1, deferred1);
    loop_defer(loop, &d2, deferred2);
    assert_true(d1.queued);
    loop_defer_cancel(&d1);
    loop_defer_cancel(&d1);
    turn();
    const int expected[] = {9, 2, 3};
    assert_int_equal(order_len, 3);
    assert_memory_equal(order, expected, sizeof(expected));
    assert_false(d2.queued || d3.queued);
}

static void on_due(struct timer *t)
{
    loop_stop(loop);
}

static void timers_end_the_sleep(void **state)
{
    struct timer t;
    timer_init(&t, on_due);
    mono_t due = mono_add_ms(mono_now(), 20);
    timer_set(loop_timers(loop), &t, due);
    loop_run(loop);
    assert_false(mono_before(loop_now(loop), due));
    assert_true(loop_wall_us(loop) > 0);
    assert_int_equal(loop_wall_us(loop), loop_wall_us(loop));
    assert_true(loop_stats(loop)->turns > 0);
    assert_true(loop_stats(loop)->idle_us > 0);
}

static struct msg *received[4];
static int received_len;

static void on_call(struct msg *m)
{
    received[received_len++] = m;
}

static void undelivered(struct msg *m)
{
    received_len = 77;
}

static void inbox_keeps_order_and_discards_what_is_left(void **state)
{
    struct msg m[3] = {{.kind = MSG_CHECK_NOW}, {.kind = MSG_CHECK_NOW}, {.kind = MSG_VERDICT}};
    inbox_handle(MSG_CHECK_NOW, on_call);
    inbox_discard(MSG_VERDICT, undelivered);
    received_len = 0;
    inbox_send(loop_inbox(loop), &m[0]);
    inbox_send(loop_inbox(loop), &m[1]);
    turn();
    assert_int_equal(received_len, 2);
    assert_ptr_equal(received[0], &m[0]);
    assert_ptr_equal(received[1], &m[1]);
    inbox_send(loop_inbox(loop), &m[2]);
    loop_destroy(&loop);
    assert_int_equal(received_len, 77);
    loop = loop_create();
    assert_string_equal(msg_kind_name(MSG_VERDICT), "verdict");
    for (int kind = 0; kind < MSG_KIND_COUNT; kind++)
        assert_string_not_equal(msg_kind_name((enum msg_kind)kind), "?");
}

static void accept_all(struct loop_fd *lf, uint32_t events)
{
    on_ready(lf, events);
    int fd = accept(lf->fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
}

static void listener_is_level_triggered(void **state)
{
    struct sockaddr_un {
        sa_family_t family;
        char path[8];
    } name = {AF_UNIX, ""};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(sa_family_t)), 0); // kernel picks a name
    assert_int_equal(listen(listener, 8), 0);
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    getsockname(listener, (struct sockaddr *)&at, &len);
    struct end e = {0};
    assert_int_equal(loop_add_listener(loop, &e.lf, listener, accept_all), 0);
    int c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(c[i], (struct sockaddr *)&at, len), 0);
    }
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(e.calls, 3);
    for (int i = 0; i < 3; i++)
        close(c[i]);
    loop_del(loop, &e.lf, false);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_are_edges, setup, teardown),
        cmocka_unit_test_setup_teardown(later_events_of_a_deleted_descriptor_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_descriptor_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(deferred_work_runs_in_its_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(timers_end_the_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(inbox_keeps_order_and_discards_what_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(listener_is_level_triggered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
