// SPDX-License-Identifier: Apache-2.0
// Rings between the threads that log and the one that sends: one a worker, written without lock by that worker alone,
// and one with a mutex for all other threads. A full ring drops the line and counts it. Internal to the access log.
#ifndef PHX_PROXY_LOG_RING_H
#define PHX_PROXY_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_target;

// A line on its way. The bytes follow the targets: tag, host name, structured data, text.
struct log_record {
    uint32_t size;    // of the record with its bytes, a multiple of 8; set by log_commit()
    uint16_t ntarget; // 0 = filler up to the ring's end
    uint8_t level;
    uint8_t tag_len;
    uint8_t host_len; // 0 = no host name is sent
    uint16_t sd_len;
    uint32_t text_len;
    int64_t wall_us;
    struct log_target *targets[];
};

static inline char *log_record_bytes(struct log_record *r)
{
    return (char *)(r->targets + r->ntarget);
}

// Room for a record of at most `size` bytes; NULL: dropped. log_commit() must follow on the same thread.
struct log_record *log_reserve(size_t size);
void log_commit(struct log_record *r, size_t size);

// ---- the sender's side, one thread
// The oldest record of ring `index` (0 … LOG_RINGS - 1), NULL when it is empty. Stays until log_ring_next().
#define LOG_RINGS 65
struct log_record *log_ring_first(unsigned index);
void log_ring_next(unsigned index, const struct log_record *r);
// Blocks until something was logged, or for a second, or until log_ring_wake().
void log_ring_wait(void);
void log_ring_wake(void);

int log_rings_open(void); // 0 or -errno
void log_rings_close(void);
uint64_t log_rings_dropped(void);

#endif
