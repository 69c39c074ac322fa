// SPDX-License-Identifier: Apache-2.0
// Single-writer counters and one-second rates: see counters.h.
#include "node/proxy/counters.h"

void counters_rate_event(counter_t *now_cell, counter_t *before, counter_t *second_cell, uint64_t second)
{
    uint64_t current = counter_get(second_cell);
    if (current != second) {
        uint64_t last = counter_get(now_cell);
        atomic_store_explicit(before, current + 1 == second ? last : 0, memory_order_relaxed);
        atomic_store_explicit(now_cell, 0, memory_order_relaxed);
        atomic_store_explicit(second_cell, second, memory_order_relaxed);
    }
    counter_add(now_cell, 1);
}

uint64_t counters_rate(const counter_t *now_cell, const counter_t *before, const counter_t *second_cell,
                       uint64_t now_us)
{
    uint64_t second = now_us / 1000000;
    uint64_t current = counter_get(second_cell);
    uint64_t now = counter_get(now_cell), last = counter_get(before);
    if (current + 1 == second) {
        last = now;
        now = 0;
    } else if (current != second) {
        return 0;
    }
    // The part of the last second that is still within reach counts in proportion.
    return now + last * (1000000 - now_us % 1000000) / 1000000;
}

void counters_sum(struct counters *sum, const struct counters *src)
{
    counter_t *to = (counter_t *)(void *)sum;
    const counter_t *from = (const counter_t *)(const void *)src;
    // Rates are estimates a worker and are summed by counters_rate(), not cell by cell.
    for (size_t i = 0; i < offsetof(struct counters, rate_now) / sizeof(counter_t); i++)
        counter_add(&to[i], counter_get(&from[i]));
}
