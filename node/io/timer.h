// SPDX-License-Identifier: Apache-2.0
// Timers of one loop: a hierarchical wheel of 1 ms ticks. Arming, moving and cancelling are O(1). Moving a timer to a
// later time only writes a field (the wheel looks again when the old slot comes up), so that timeouts cost nothing a
// request.
#ifndef PHX_IO_TIMER_H
#define PHX_IO_TIMER_H

#include <stdbool.h>

#include "node/base/clock.h"
#include "node/base/list.h"

struct timer_wheel;

struct timer {
    struct list link; // in a slot; empty list or NULL pointers when not armed
    mono_t due;       // MONO_NEVER when not armed
    mono_t slot_due;  // when the wheel looks at it next
    void (*on_due)(struct timer *t);
};

void timer_init(struct timer *t, void (*on_due)(struct timer *t));
// Arms or moves. Never fires early; fires at most one tick plus the loop's lateness late.
void timer_set(struct timer_wheel *w, struct timer *t, mono_t due);
void timer_cancel(struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
    return mono_is_set(t->due);
}

struct timer_wheel *timer_wheel_create(mono_t now);
void timer_wheel_destroy(struct timer_wheel **w);
// Runs what is due. Callbacks may arm and cancel any timer.
void timer_wheel_run(struct timer_wheel *w, mono_t now);
// Milliseconds until the wheel must be run again (an upper bound that is never late), -1 = nothing armed.
int timer_wheel_wait_ms(const struct timer_wheel *w, mono_t now);

#endif
