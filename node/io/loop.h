// SPDX-License-Identifier: Apache-2.0
// Event loop: one a thread, over epoll, edge-triggered. Descriptors are registered once and never modified, so that a
// request costs no epoll_ctl. All functions but loop_wake() are for the loop's own thread.
#ifndef PHX_IO_LOOP_H
#define PHX_IO_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/base/clock.h"
#include "node/base/list.h"

struct loop;
struct loop_fd;
struct timer_wheel;
struct inbox;

// `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll gives them.
typedef void loop_ready_fn(struct loop_fd *lf, uint32_t events);

// Embedded in whatever owns the descriptor. Never freed inside the batch of events that is being dispatched: see
// loop_defer().
struct loop_fd {
    int fd; // -1 when not registered
    loop_ready_fn *on_ready;
};

struct loop *loop_create(void);
void loop_destroy(struct loop **loop);

// Turns until loop_stop(). One turn: wait, dispatch descriptors, drain the inbox, run due timers, run `on_turn`, run
// deferred work.
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
// From any thread: the loop begins a turn soon.
void loop_wake(struct loop *loop);

// Time read once a turn, after the wait.
mono_t loop_now(const struct loop *loop);
// Wall clock in µs read once a turn at first use.
int64_t loop_wall_us(struct loop *loop);
struct timer_wheel *loop_timers(struct loop *loop);
struct inbox *loop_inbox(struct loop *loop);

// Registers for EPOLLIN | EPOLLOUT | EPOLLRDHUP, edge-triggered. 0 or -errno.
int loop_add(struct loop *loop, struct loop_fd *lf, int fd, loop_ready_fn *on_ready);
// A shared listening descriptor: EPOLLIN | EPOLLEXCLUSIVE, level-triggered.
int loop_add_listener(struct loop *loop, struct loop_fd *lf, int fd, loop_ready_fn *on_ready);
// Unregisters; events of this batch that are still to come for lf are dropped. Does not close the descriptor.
// Pass `closing` when close() follows at once and nobody else holds the descriptor: saves the epoll_ctl.
void loop_del(struct loop *loop, struct loop_fd *lf, bool closing);

// Work to be done at the end of this turn (freeing objects that contain a loop_fd, resuming a stream). Once queued it
// must not be queued again before it ran (see `queued`); may be queued from inside a deferred call, then runs in the
// same turn.
struct loop_defer {
    struct list link;
    void (*run)(struct loop_defer *d);
    bool queued;
};
void loop_defer(struct loop *loop, struct loop_defer *d, void (*run)(struct loop_defer *d));
// Likewise at the end of the next turn, which begins at once: for work that has had its share and lets others go first.
void loop_defer_next(struct loop *loop, struct loop_defer *d, void (*run)(struct loop_defer *d));
void loop_defer_cancel(struct loop_defer *d);

// Called once a turn before the deferred work; one a loop.
void loop_on_turn(struct loop *loop, void (*fn)(void *arg), void *arg);

// Written by the loop's thread (relaxed), read by any.
struct loop_stats {
    _Atomic uint64_t turns;
    _Atomic uint64_t busy_us; // time spent outside epoll_wait
    _Atomic uint64_t idle_us;
    _Atomic int64_t last_late_us; // how much later than asked the last wait returned
};
const struct loop_stats *loop_stats(const struct loop *loop);

#endif
