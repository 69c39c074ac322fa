// SPDX-License-Identifier: Apache-2.0
// Hierarchical timer wheel. A tick is 1 ms since the wheel's creation. A timer that is to fire at tick T lies at the
// level of the highest group of six bits in which T differs from the wheel's own tick, in the slot that this group of T
// names. So all timers of a level lie ahead of the wheel within the same turn of that level, nothing wraps, and the
// first occupied slot of the lowest occupied level is the next to look at. A slot of level 0 holds what fires at its
// tick; a slot of a higher level is spread over the lower ones when its first tick comes.
#include "node/io/timer.h"

#include <stdlib.h>

#include "node/base/panic.h"

#define LEVEL_BITS 6
#define SLOTS      (1 << LEVEL_BITS)
#define LEVELS     7
#define TICK_MAX   ((UINT64_C(1) << (LEVEL_BITS * LEVELS)) - 1) // 139 years
#define TICK_NONE  UINT64_MAX

struct timer_wheel {
    mono_t start;              // tick 0
    uint64_t tick;             // all before and at it is done
    uint64_t next;             // no slot needs a look before this tick; TICK_NONE = none ever
    uint64_t occupied[LEVELS]; // a bit a slot; may be set for a slot that cancelling emptied
    struct list slots[LEVELS][SLOTS];
};

static uint64_t tick_done(const struct timer_wheel *w, mono_t now)
{
    int64_t us = mono_diff_us(now, w->start);
    return us < 0 ? 0 : (uint64_t)us / 1000;
}

// The first tick that does not begin before `due`.
static uint64_t tick_of(const struct timer_wheel *w, mono_t due)
{
    int64_t us = mono_diff_us(due, w->start);
    if (us <= 0)
        return 0;
    uint64_t tick = ((uint64_t)us + 999) / 1000;
    return tick < TICK_MAX ? tick : TICK_MAX;
}

static mono_t tick_time(const struct timer_wheel *w, uint64_t tick)
{
    return mono_add_ms(w->start, (int64_t)tick);
}

// First tick of a slot, in the turn of its level in which the wheel is.
static uint64_t slot_tick(const struct timer_wheel *w, unsigned level, unsigned slot)
{
    unsigned shift = level * LEVEL_BITS;
    uint64_t turn = w->tick >> (shift + LEVEL_BITS) << (shift + LEVEL_BITS);
    return turn | (uint64_t)slot << shift;
}

static void insert(struct timer_wheel *w, struct timer *t)
{
    uint64_t tick = tick_of(w, t->due);
    if (tick <= w->tick)
        tick = w->tick + 1;
    unsigned level = (63u - (unsigned)__builtin_clzll(tick ^ w->tick)) / LEVEL_BITS;
    unsigned slot = tick >> (level * LEVEL_BITS) & (SLOTS - 1);
    ASSERT(level < LEVELS);
    t->slot_due = tick_time(w, tick);
    list_push(&w->slots[level][slot], &t->link);
    w->occupied[level] |= UINT64_C(1) << slot;
    uint64_t look = slot_tick(w, level, slot);
    if (look < w->next)
        w->next = look;
}

// Finds the next slot with timers and forgets the bits of empty ones before it. False: the wheel is empty.
static bool find_next(struct timer_wheel *w, unsigned *level, unsigned *slot)
{
    for (*level = 0; *level < LEVELS; ++*level) {
        uint64_t *bits = &w->occupied[*level];
        while (*bits) {
            *slot = (unsigned)__builtin_ctzll(*bits);
            if (!list_empty(&w->slots[*level][*slot]))
                return true;
            *bits &= *bits - 1;
        }
    }
    return false;
}

static void run_slot(struct timer_wheel *w, unsigned level, unsigned slot)
{
    struct list due;
    list_init(&due);
    list_splice(&due, &w->slots[level][slot]);
    w->occupied[level] &= ~(UINT64_C(1) << slot);
    // Callbacks may take timers off this local list, or set those on it to a later time.
    for (struct list *e; (e = list_pop(&due)) != NULL;) {
        struct timer *t = LIST_ENTRY(e, struct timer, link);
        if (tick_of(w, t->due) > w->tick) {
            insert(w, t);
            continue;
        }
        t->due = MONO_NEVER;
        t->on_due(t);
    }
}

void timer_wheel_run(struct timer_wheel *w, mono_t now)
{
    uint64_t now_tick = tick_done(w, now);
    while (w->next <= now_tick) {
        unsigned level, slot;
        w->next = TICK_NONE;
        if (!find_next(w, &level, &slot))
            break;
        uint64_t look = slot_tick(w, level, slot);
        if (look > now_tick) {
            w->next = look;
            break;
        }
        w->tick = look;
        run_slot(w, level, slot);
        w->next = look; // look again: callbacks have armed timers, other slots remain
    }
    if (w->tick < now_tick)
        w->tick = now_tick;
}

int timer_wheel_wait_ms(const struct timer_wheel *w, mono_t now)
{
    if (w->next == TICK_NONE)
        return -1;
    int64_t us = mono_diff_us(tick_time(w, w->next), now);
    if (us <= 0)
        return 0;
    const int64_t longest = 24 * 3600 * 1000;
    int64_t ms = (us + 999) / 1000;
    return (int)(ms < longest ? ms : longest);
}

void timer_init(struct timer *t, void (*on_due)(struct timer *t))
{
    list_init(&t->link);
    t->due = t->slot_due = MONO_NEVER;
    t->on_due = on_due;
}

void timer_set(struct timer_wheel *w, struct timer *t, mono_t due)
{
    ASSERT(mono_is_set(due) && t->link.next != NULL);
    t->due = due;
    if (!list_empty(&t->link)) {
        // Not before the tick of its slot: the wheel sees the new time when the slot comes up.
        if (mono_diff_us(due, t->slot_due) > -1000)
            return;
        list_remove(&t->link);
    }
    insert(w, t);
}

void timer_cancel(struct timer *t)
{
    if (t->link.next != NULL)
        list_remove(&t->link);
    t->due = MONO_NEVER;
}

struct timer_wheel *timer_wheel_create(mono_t now)
{
    struct timer_wheel *w = calloc(1, sizeof(*w));
    if (!w)
        PANIC("out of memory");
    w->start = now;
    w->next = TICK_NONE;
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned slot = 0; slot < SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    return w;
}

void timer_wheel_destroy(struct timer_wheel **w)
{
    free(*w);
    *w = NULL;
}
