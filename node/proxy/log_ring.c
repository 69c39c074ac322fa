// SPDX-License-Identifier: Apache-2.0
// Rings of log records, and the sleep of the thread that empties them.
#include "node/proxy/log_ring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/io/worker.h"

#define RING_BYTES   ((size_t)1 << 20) // untouched pages cost nothing
#define RING_SHARED  (LOG_RINGS - 1)   // of threads that are no workers
#define FILLER_BYTES 8                 // of a filler that matter: size and ntarget
_Static_assert(LOG_RINGS == WORKER_MAX + 1, "one ring a worker and one for the rest");

// Positions count bytes since the start; the ring holds [head, tail).
struct ring {
    _Atomic size_t tail; // producer's
    char pad[64 - sizeof(size_t)];
    _Atomic size_t head; // sender's
    _Atomic uint64_t dropped;
    char *bytes;
};

static _Atomic(struct ring *) rings[LOG_RINGS];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER; // held from log_reserve() to log_commit()
static _Atomic bool sleeping;                                   // the sender wants a byte in wake_fd
static int wake_fd = -1;

static unsigned own_index(void)
{
    bool worker = worker_self && worker_self->role == THREAD_WORKER && worker_self->id < RING_SHARED;
    return worker ? worker_self->id : RING_SHARED;
}

static struct ring *ring_get(unsigned index)
{
    struct ring *r = atomic_load_explicit(&rings[index], memory_order_relaxed);
    if (r)
        return r;
    r = calloc(1, sizeof(*r));
    if (!r || !(r->bytes = malloc(RING_BYTES)))
        PANIC("out of memory: log ring");
    atomic_store_explicit(&rings[index], r, memory_order_release);
    return r;
}

// ---- producers

static struct log_record *at(struct ring *r, size_t position)
{
    return (struct log_record *)(void *)(r->bytes + (position & (RING_BYTES - 1)));
}

static struct log_record *reserve(struct ring *r, size_t size)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    size_t room = RING_BYTES - (tail - atomic_load_explicit(&r->head, memory_order_acquire));
    size_t to_end = RING_BYTES - (tail & (RING_BYTES - 1));
    size_t filler = size > to_end ? to_end : 0;
    if (size + filler > room)
        return NULL;
    if (filler) {
        at(r, tail)->size = (uint32_t)filler;
        at(r, tail)->ntarget = 0;
        atomic_store_explicit(&r->tail, tail + filler, memory_order_release);
    }
    return at(r, tail + filler);
}
_Static_assert(offsetof(struct log_record, ntarget) + sizeof(uint16_t) <= FILLER_BYTES, "fits the shortest end");

struct log_record *log_reserve(size_t size)
{
    unsigned index = own_index();
    if (index == RING_SHARED)
        pthread_mutex_lock(&shared_lock);
    struct ring *r = ring_get(index);
    size = (size + 7) & ~(size_t)7;
    struct log_record *record = size <= RING_BYTES / 2 ? reserve(r, size) : NULL;
    if (record)
        return record;
    atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
    if (index == RING_SHARED)
        pthread_mutex_unlock(&shared_lock);
    return NULL;
}

void log_commit(struct log_record *record, size_t size)
{
    unsigned index = own_index();
    struct ring *r = ring_get(index);
    record->size = (uint32_t)((size + 7) & ~(size_t)7);
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    ASSERT(record == at(r, tail));
    // Sequentially consistent against the sender, which sets `sleeping` and then looks at the tail.
    atomic_store(&r->tail, tail + record->size);
    if (index == RING_SHARED)
        pthread_mutex_unlock(&shared_lock);
    if (atomic_load(&sleeping) && atomic_exchange(&sleeping, false))
        log_ring_wake();
}

// ---- sender

struct log_record *log_ring_first(unsigned index)
{
    struct ring *r = atomic_load_explicit(&rings[index], memory_order_acquire);
    if (!r)
        return NULL;
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    while (head != atomic_load(&r->tail)) {
        struct log_record *record = at(r, head);
        if (record->ntarget)
            return record;
        head += record->size;
        atomic_store_explicit(&r->head, head, memory_order_release);
    }
    return NULL;
}

void log_ring_next(unsigned index, const struct log_record *record)
{
    struct ring *r = atomic_load_explicit(&rings[index], memory_order_relaxed);
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    atomic_store_explicit(&r->head, head + record->size, memory_order_release);
}

static bool all_empty(void)
{
    for (unsigned i = 0; i < LOG_RINGS; i++)
        if (log_ring_first(i))
            return false;
    return true;
}

void log_ring_wait(void)
{
    uint64_t count;
    atomic_store(&sleeping, true);
    if (all_empty()) {
        struct pollfd p = {.fd = wake_fd, .events = POLLIN};
        poll(&p, 1, 1000);
    }
    atomic_store(&sleeping, false);
    if (read(wake_fd, &count, sizeof(count)) < 0)
        ASSERT(errno == EAGAIN || errno == EINTR);
}

void log_ring_wake(void)
{
    uint64_t one = 1;
    if (write(wake_fd, &one, sizeof(one)) < 0)
        ASSERT(errno == EAGAIN || errno == EINTR);
}

// ---- life

int log_rings_open(void)
{
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wake_fd < 0 ? -errno : 0;
}

void log_rings_close(void)
{
    for (unsigned i = 0; i < LOG_RINGS; i++) {
        struct ring *r = atomic_exchange(&rings[i], NULL);
        if (r)
            free(r->bytes);
        free(r);
    }
    if (wake_fd >= 0)
        close(wake_fd);
    wake_fd = -1;
}

uint64_t log_rings_dropped(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < LOG_RINGS; i++) {
        struct ring *r = atomic_load_explicit(&rings[i], memory_order_acquire);
        if (r)
            sum += atomic_load_explicit(&r->dropped, memory_order_relaxed);
    }
    return sum;
}
