// SPDX-License-Identifier: Apache-2.0
// Hybrid logical clock: stamps that grow on one node, follow what was seen from others, and stay near wall-clock time.
// A stamp is µs since 1970 shifted left by HLC_SHIFT; the low bits count within a microsecond and may carry into it.
// Pure.
#ifndef PHX_CLUSTER_HLC_H
#define PHX_CLUSTER_HLC_H

#include <stdbool.h>
#include <stdint.h>

#define HLC_SHIFT 10
// A stamp further ahead of the wall clock than this is refused.
#define HLC_AHEAD_MAX_US (24LL * 3600 * 1000000)

struct hlc {
    uint64_t last; // greatest stamp made or seen; saved with the state
};

// A stamp greater than all made or seen before.
uint64_t hlc_now(struct hlc *clock, int64_t wall_us);
// Takes note of a stamp from elsewhere. False when it is over 24 h ahead: it was ignored, its sender's clock is wrong.
bool hlc_see(struct hlc *clock, uint64_t stamp, int64_t wall_us);
static inline int64_t hlc_wall_us(uint64_t stamp)
{
    return (int64_t)(stamp >> HLC_SHIFT);
}

#endif
