// SPDX-License-Identifier: Apache-2.0
// Workers: setup on the own thread, buffers, pipes, random numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/buf.h"
#include "node/base/panic.h"
#include "node/io/conn.h"
#include "node/io/inbox.h"
#include "node/io/worker.h"

static atomic_uint setups;

static void stop(struct msg *m)
{
    ASSERT(worker_self != NULL);
    loop_stop(worker_self->loop);
}

static void on_setup(struct worker *w)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ASSERT(worker_self == w && sigismember(&mask, SIGTERM) && sigismember(&mask, SIGPIPE));
    struct iobuf *b = worker_buf_take(w);
    memset(iobuf_write_ptr(b), 'x', iobuf_room(b));
    worker_buf_put(w, &b);
    atomic_fetch_add(&setups, 1);
}

static void starts_and_stops(void **state)
{
    enum { N = 3 };
    struct msg stops[N] = {0};
    for (unsigned i = 0; i < N; i++) {
        workers[i] = worker_create(THREAD_WORKER, i);
        assert_non_null(workers[i]);
    }
    worker_count = N;
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(worker_start(workers[i], on_setup), 0);
    for (unsigned i = 0; i < N; i++) {
        stops[i].fn = stop;
        inbox_send(loop_inbox(workers[i]->loop), &stops[i]);
    }
    for (unsigned i = 0; i < N; i++) {
        worker_join(workers[i]);
        worker_destroy(&workers[i]);
        assert_null(workers[i]);
    }
    assert_int_equal(setups, N);
    assert_null(worker_self);
}

static void buffers_have_the_configured_size(void **state)
{
    worker_set_bufsize(1000);
    struct worker *w = worker_create(THREAD_CONTROL, 9);
    struct iobuf *b = worker_buf_take(w);
    assert_int_equal(iobuf_room(b), 1000);
    assert_int_equal(iobuf_len(b), 0);
    struct iobuf *same = b;
    iobuf_wrote(b, 10);
    worker_buf_put(w, &b);
    assert_null(b);
    b = worker_buf_take(w);
    assert_ptr_equal(b, same);
    assert_int_equal(iobuf_room(b), 1000);
    worker_buf_put(w, &b);
    worker_destroy(&w);
    worker_set_bufsize(16384);
}

static void random_numbers_differ(void **state)
{
    struct worker *w = worker_create(THREAD_WORKER, 0);
    uint64_t a = worker_random(w), b = worker_random(w);
    assert_true(a != b);
    worker_destroy(&w);
}

static void pipes_are_reused_and_limited(void **state)
{
    struct worker *w = worker_create(THREAD_WORKER, 0);
    pipe_set_limits(2, 65536);
    struct pipe_pair *a = pipe_take(w), *b = pipe_take(w);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(a->capacity >= 4096);
    assert_null(pipe_take(w));
    assert_int_equal(pipe_count_used(), 2);
    struct pipe_pair *same = a;
    pipe_put(w, &a);
    assert_null(a);
    assert_int_equal(pipe_count_free(), 1);
    assert_int_equal(pipe_count_used(), 1);
    a = pipe_take(w);
    assert_ptr_equal(a, same);

    assert_int_equal(write(a->wr, "x", 1), 1); // with a byte inside it must not be used again
    a->level = 1;
    pipe_put(w, &a);
    assert_int_equal(pipe_count_free(), 0);
    pipe_put(w, &b);
    pipe_put(w, &b); // NULL by now
    worker_destroy(&w);
    assert_int_equal(pipe_count_free() + pipe_count_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_and_stops),
        cmocka_unit_test(buffers_have_the_configured_size),
        cmocka_unit_test(random_numbers_differ),
        cmocka_unit_test(pipes_are_reused_and_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
