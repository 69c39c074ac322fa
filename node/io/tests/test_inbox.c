// SPDX-License-Identifier: Apache-2.0
// Messages between running threads: nothing lost, order of each sender kept, no lost wake. Meant for the thread
// sanitizer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/loop.h"
#include "node/io/worker.h"

enum { SENDERS = 4, EACH = 20000 };

struct numbered {
    struct msg msg;
    unsigned sender, number;
};

static struct worker *receiver;
static unsigned next_number[SENDERS];
static unsigned received;

static void on_numbered(struct msg *m)
{
    struct numbered *n = (struct numbered *)m;
    ASSERT(n->number == next_number[n->sender]);
    next_number[n->sender]++;
    free(n);
    if (++received == SENDERS * EACH)
        loop_stop(worker_self->loop);
}

static void *send_numbers(void *arg)
{
    unsigned sender = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < EACH; i++) {
        struct numbered *n = calloc(1, sizeof(*n));
        n->msg.fn = on_numbered;
        n->sender = sender;
        n->number = i;
        inbox_send(loop_inbox(receiver->loop), &n->msg);
        if (i % 100 == sender)
            sched_yield();
    }
    return NULL;
}

static void many_senders_one_receiver(void **state)
{
    pthread_t senders[SENDERS];
    receiver = worker_create(THREAD_WORKER, 0);
    assert_non_null(receiver);
    assert_int_equal(worker_start(receiver, NULL), 0);
    for (uintptr_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&senders[i], NULL, send_numbers, (void *)i), 0);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    worker_join(receiver);
    assert_int_equal(received, SENDERS * EACH);
    worker_destroy(&receiver);
}

enum { ROUNDS = 5000 };

struct ball {
    struct msg msg;
    unsigned rounds;
};
static struct worker *players[2];

// Each side sleeps before each message, so a lost wake would hang the test.
static void on_ball(struct msg *m)
{
    struct ball *b = (struct ball *)m;
    struct worker *other = players[1 - worker_self->id];
    if (++b->rounds >= ROUNDS)
        loop_stop(worker_self->loop);
    if (b->rounds <= ROUNDS)
        inbox_send(loop_inbox(other->loop), m);
}

static void no_wake_is_lost(void **state)
{
    static struct ball ball;
    ball.msg.kind = MSG_ACTION_DONE;
    inbox_handle(MSG_ACTION_DONE, on_ball);
    for (unsigned i = 0; i < 2; i++)
        players[i] = worker_create(THREAD_WORKER, i);
    inbox_send(loop_inbox(players[0]->loop), &ball.msg);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(worker_start(players[i], NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        worker_join(players[i]);
    assert_int_equal(ball.rounds, ROUNDS + 1);
    for (unsigned i = 0; i < 2; i++)
        worker_destroy(&players[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_senders_one_receiver),
        cmocka_unit_test(no_wake_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
