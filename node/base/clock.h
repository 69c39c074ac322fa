// SPDX-License-Identifier: Apache-2.0
// Times. Monotonic time is a type of its own, so that it cannot be mixed with wall-clock time or a plain number.
#ifndef PHX_BASE_CLOCK_H
#define PHX_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t us; // microseconds since an arbitrary start; 0 = never
} mono_t;

#define MONO_NEVER ((mono_t){0})

mono_t mono_now(void);
static inline bool mono_is_set(mono_t t)
{
    return t.us != 0;
}
static inline mono_t mono_add_ms(mono_t t, int64_t ms)
{
    return (mono_t){t.us + ms * 1000};
}
static inline mono_t mono_add_us(mono_t t, int64_t us)
{
    return (mono_t){t.us + us};
}
static inline int64_t mono_diff_us(mono_t later, mono_t earlier)
{
    return later.us - earlier.us;
}
static inline int64_t mono_diff_ms(mono_t later, mono_t earlier)
{
    return (later.us - earlier.us) / 1000;
}
static inline bool mono_before(mono_t a, mono_t b)
{
    return a.us < b.us;
}

// Wall clock, µs since 1970.
int64_t wall_now_us(void);

#endif
