// SPDX-License-Identifier: Apache-2.0
// The one source of chance in a simulation: splitmix64 from the seed, so that a seed is a whole run.
#ifndef PHX_SIM_RANDOM_H
#define PHX_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/hash.h"

struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
    c->state += 0x9e3779b97f4a7c15ULL;
    return hash_mix64(c->state);
}
// 0 … n-1
static inline uint64_t chance_below(struct chance *c, uint64_t n)
{
    return chance_next(c) % n;
}
static inline int64_t chance_between(struct chance *c, int64_t low, int64_t high)
{
    return low + (int64_t)chance_below(c, (uint64_t)(high - low + 1));
}
static inline bool chance_of(struct chance *c, double probability)
{
    return (double)(chance_next(c) >> 11) < probability * (double)(1ULL << 53);
}

#endif
