// SPDX-License-Identifier: Apache-2.0
// Hybrid logical clock: one number that is both time and counter.
#include "cluster/hlc.h"

uint64_t hlc_now(struct hlc *clock, int64_t wall_us)
{
    uint64_t wall = (uint64_t)wall_us << HLC_SHIFT;
    clock->last = clock->last >= wall ? clock->last + 1 : wall;
    return clock->last;
}

bool hlc_see(struct hlc *clock, uint64_t stamp, int64_t wall_us)
{
    if (hlc_wall_us(stamp) > wall_us + HLC_AHEAD_MAX_US)
        return false;
    if (stamp > clock->last)
        clock->last = stamp;
    return true;
}
