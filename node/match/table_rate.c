// SPDX-License-Identifier: Apache-2.0
// Event rates of stick tables: events counted in the current period and in the one before it. The estimate over the
// last period is the current count and that part of the previous one which still lies within the period, as if its
// events had come evenly.
#include <string.h>

#include "node/match/table_impl.h"

// Times are ms modulo 2^32: a cell that nobody touched for 49 days may look young once.
static uint32_t now_ms(mono_t now)
{
    return (uint32_t)(now.us / 1000);
}

struct rate rate_load(const struct column *c, const uint32_t *cell)
{
    if (c->kind == COLUMN_BYTES)
        return (struct rate){words_get64(cell), words_get64(cell + 2), cell[4]};
    return (struct rate){cell[0], cell[1], cell[2]};
}

static uint32_t clamp32(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

void rate_store(const struct column *c, uint32_t *cell, const struct rate *r)
{
    if (c->kind == COLUMN_BYTES) {
        words_set64(cell, r->current);
        words_set64(cell + 2, r->previous);
        cell[4] = r->start_ms;
        return;
    }
    cell[0] = clamp32(r->current);
    cell[1] = clamp32(r->previous);
    cell[2] = r->start_ms;
}

void rate_rotate(struct rate *r, uint32_t period_ms, mono_t now)
{
    uint32_t age = rate_age_ms(*r, now);
    if (r->current == 0 && r->previous == 0) {
        r->start_ms = now_ms(now); // nothing to remember: a period begins with its first event
        return;
    }
    if (age < period_ms)
        return;
    if (age - period_ms < period_ms) {
        r->previous = r->current;
        r->start_ms += period_ms;
    } else {
        r->previous = 0;
        r->start_ms = now_ms(now);
    }
    r->current = 0;
}

uint64_t rate_estimate(struct rate r, uint32_t period_ms, mono_t now)
{
    if (period_ms == 0 || (r.current == 0 && r.previous == 0))
        return 0;
    rate_rotate(&r, period_ms, now);
    uint32_t remaining = period_ms - rate_age_ms(r, now);
    return r.current + (uint64_t)((unsigned __int128)r.previous * remaining / period_ms);
}

uint32_t rate_age_ms(struct rate r, mono_t now)
{
    uint32_t age = now_ms(now) - r.start_ms;
    return age > INT32_MAX ? 0 : age; // a start a little ahead: a merge that overtook the clock of this turn
}

// Both describe what one node counted, so the later period is right, and within one period the higher counts are. A
// period has begun anew when the starts differ by more than half of it; less is the time that the update travelled.
bool rate_merge(struct rate *r, uint64_t current, uint64_t previous, uint32_t age_ms, uint32_t period_ms, mono_t now)
{
    if (age_ms >= 2 * (uint64_t)period_ms || (current == 0 && previous == 0))
        return false;
    struct rate in = {current, previous, now_ms(now) - age_ms};
    if (r->current == 0 && r->previous == 0) {
        *r = in;
        return true;
    }
    rate_rotate(r, period_ms, now);
    rate_rotate(&in, period_ms, now);
    int32_t ahead = (int32_t)(in.start_ms - r->start_ms);
    if (ahead < -(int32_t)(period_ms / 2))
        return false;
    if (ahead > (int32_t)(period_ms / 2)) {
        *r = in;
        return true;
    }
    bool news = in.current > r->current || in.previous > r->previous;
    if (in.current > r->current)
        r->current = in.current;
    if (in.previous > r->previous)
        r->previous = in.previous;
    if (ahead < 0)
        r->start_ms = in.start_ms;
    return news;
}
