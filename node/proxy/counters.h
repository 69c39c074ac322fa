// SPDX-License-Identifier: Apache-2.0
// Statistics. Every object has one `struct counters` a worker; that worker alone writes it (relaxed), readers sum over
// workers. They live with the object's state and so survive a reload.
#ifndef PHX_PROXY_COUNTERS_H
#define PHX_PROXY_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t counter_t;

struct counters {
    counter_t sessions;            // stot: connections of a frontend, streams of a backend or server
    counter_t requests;            // HTTP requests (frontend: received; backend, server: sent)
    counter_t connects;            // connection attempts to servers
    counter_t reuses;              // requests sent on a kept server connection
    counter_t bytes_in, bytes_out; // client's view, as HAProxy: in = from client
    counter_t denied_requests, denied_responses, denied_connections, denied_sessions;
    counter_t request_errors, connect_errors, response_errors;
    counter_t retries, redispatches;
    counter_t client_aborts, server_aborts;
    counter_t selected;     // lbtot: times chosen by balancing
    counter_t responses[6]; // 1xx..5xx at [1..5], other at [0]
    counter_t intercepted;
    counter_t queue_ms, connect_ms, response_ms, total_ms; // sums, with time_samples for averages
    counter_t time_samples;
    // Events of this second (rate_second, monotonic) and of the one before.
    counter_t rate_now, rate_before, rate_second;
    counter_t req_rate_now, req_rate_before, req_rate_second;
} __attribute__((aligned(64)));

static inline void counter_add(counter_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline uint64_t counter_get(const counter_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}
// One event more in the rate that starts at *now_cell.
void counters_rate_event(counter_t *now_cell, counter_t *before, counter_t *second_cell, uint64_t second);
// Events in the last second, estimated as HAProxy does; of one worker's cells.
uint64_t counters_rate(const counter_t *now_cell, const counter_t *before, const counter_t *second_cell,
                       uint64_t now_us);

// Adds src's values to the plain sum (a struct of the same layout that nobody else reads).
void counters_sum(struct counters *sum, const struct counters *src);

#endif
