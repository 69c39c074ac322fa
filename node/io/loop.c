// SPDX-License-Identifier: Apache-2.0
// Event loop over epoll. A turn makes one system call, epoll_wait; the clock is read in the vDSO. The eventfd by which
// other threads end a sleep is edge-triggered and never read: each write to it is an event of its own.
#include "node/io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"

#define BATCH_MAX 200 // events a turn: bounds the age of loop_now()

struct loop {
    int epoll_fd;
    int wake_fd; // eventfd, the only field other threads use
    bool stopping;
    bool wall_read;
    mono_t now;
    int64_t wall_us; // valid in this turn if wall_read
    struct timer_wheel *timers;
    struct inbox *inbox;
    struct list deferred;
    struct list later; // deferred to the turn after this one
    void (*on_turn)(void *arg);
    void *on_turn_arg;
    int batch_len, batch_at; // events[batch_at] is being dispatched
    struct loop_stats stats;
    struct epoll_event batch[BATCH_MAX];
};

struct loop *loop_create(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        PANIC("out of memory");
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    // data.ptr NULL stands for the eventfd.
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &ev) < 0) {
        int error = errno;
        if (loop->epoll_fd >= 0)
            close(loop->epoll_fd);
        if (loop->wake_fd >= 0)
            close(loop->wake_fd);
        free(loop);
        errno = error;
        return NULL;
    }
    loop->now = mono_now();
    loop->timers = timer_wheel_create(loop->now);
    loop->inbox = inbox_create(loop);
    list_init(&loop->deferred);
    list_init(&loop->later);
    return loop;
}

static void run_deferred(struct loop *loop)
{
    for (struct list *e; (e = list_pop(&loop->deferred)) != NULL;) {
        struct loop_defer *d = LIST_ENTRY(e, struct loop_defer, link);
        d->queued = false;
        d->run(d);
    }
}

void loop_destroy(struct loop **loop)
{
    struct loop *l = *loop;
    if (!l)
        return;
    list_splice(&l->deferred, &l->later);
    run_deferred(l);
    inbox_destroy(&l->inbox);
    timer_wheel_destroy(&l->timers);
    close(l->epoll_fd);
    close(l->wake_fd);
    free(l);
    *loop = NULL;
}

// One writer: no locked instruction.
static void add_stat(_Atomic uint64_t *stat, int64_t n)
{
    uint64_t old = atomic_load_explicit(stat, memory_order_relaxed);
    atomic_store_explicit(stat, old + (uint64_t)n, memory_order_relaxed);
}

// Sleeps until something happens; leaves the events in the batch and the new time in `now`.
static void wait_for_events(struct loop *loop)
{
    mono_t before = mono_now();
    add_stat(&loop->stats.busy_us, mono_diff_us(before, loop->now));

    int timeout_ms = 0;
    if (list_empty(&loop->deferred) && inbox_prepare_sleep(loop->inbox))
        timeout_ms = timer_wheel_wait_ms(loop->timers, before);
    int n = epoll_wait(loop->epoll_fd, loop->batch, BATCH_MAX, timeout_ms);
    if (n < 0 && errno != EINTR)
        PANIC("epoll_wait: errno %d", errno);
    inbox_woke(loop->inbox);

    loop->now = mono_now();
    loop->wall_read = false;
    loop->batch_len = n < 0 ? 0 : n;
    int64_t slept_us = mono_diff_us(loop->now, before);
    add_stat(&loop->stats.idle_us, slept_us);
    if (n == 0 && timeout_ms >= 0)
        atomic_store_explicit(&loop->stats.last_late_us, slept_us - (int64_t)timeout_ms * 1000, memory_order_relaxed);
    add_stat(&loop->stats.turns, 1);
}

static void dispatch(struct loop *loop)
{
    for (loop->batch_at = 0; loop->batch_at < loop->batch_len; loop->batch_at++) {
        struct epoll_event *ev = &loop->batch[loop->batch_at];
        struct loop_fd *lf = ev->data.ptr;
        if (lf)
            lf->on_ready(lf, ev->events);
    }
    loop->batch_len = 0;
}

void loop_run(struct loop *loop)
{
    loop->now = mono_now();
    loop->stopping = false;
    while (!loop->stopping) {
        list_splice(&loop->deferred, &loop->later);
        wait_for_events(loop);
        dispatch(loop);
        inbox_drain(loop->inbox);
        timer_wheel_run(loop->timers, loop->now);
        if (loop->on_turn)
            loop->on_turn(loop->on_turn_arg);
        run_deferred(loop);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    // Cannot fail but by overflow, after 2^64 wakes.
    ssize_t n = write(loop->wake_fd, &one, sizeof(one));
    ASSERT(n == (ssize_t)sizeof(one));
}

mono_t loop_now(const struct loop *loop)
{
    return loop->now;
}

int64_t loop_wall_us(struct loop *loop)
{
    if (!loop->wall_read) {
        loop->wall_us = wall_now_us();
        loop->wall_read = true;
    }
    return loop->wall_us;
}

struct timer_wheel *loop_timers(struct loop *loop)
{
    return loop->timers;
}

struct inbox *loop_inbox(struct loop *loop)
{
    return loop->inbox;
}

static int add(struct loop *loop, struct loop_fd *lf, int fd, loop_ready_fn *on_ready, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = lf};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
        return -errno;
    lf->fd = fd;
    lf->on_ready = on_ready;
    return 0;
}

int loop_add(struct loop *loop, struct loop_fd *lf, int fd, loop_ready_fn *on_ready)
{
    return add(loop, lf, fd, on_ready, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

int loop_add_listener(struct loop *loop, struct loop_fd *lf, int fd, loop_ready_fn *on_ready)
{
    return add(loop, lf, fd, on_ready, EPOLLIN | EPOLLEXCLUSIVE);
}

void loop_del(struct loop *loop, struct loop_fd *lf, bool closing)
{
    if (lf->fd < 0)
        return;
    if (!closing)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, lf->fd, NULL);
    lf->fd = -1;
    for (int i = loop->batch_at + 1; i < loop->batch_len; i++)
        if (loop->batch[i].data.ptr == lf)
            loop->batch[i].data.ptr = NULL;
}

void loop_defer(struct loop *loop, struct loop_defer *d, void (*run)(struct loop_defer *d))
{
    ASSERT(!d->queued);
    d->run = run;
    d->queued = true;
    list_push(&loop->deferred, &d->link);
}

void loop_defer_next(struct loop *loop, struct loop_defer *d, void (*run)(struct loop_defer *d))
{
    ASSERT(!d->queued);
    d->run = run;
    d->queued = true;
    list_push(&loop->later, &d->link);
}

void loop_defer_cancel(struct loop_defer *d)
{
    if (!d->queued)
        return;
    list_remove(&d->link);
    d->queued = false;
}

void loop_on_turn(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    loop->on_turn = fn;
    loop->on_turn_arg = arg;
}

const struct loop_stats *loop_stats(const struct loop *loop)
{
    return &loop->stats;
}
