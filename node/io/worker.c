// SPDX-License-Identifier: Apache-2.0
// Threads: creation, start, join, and the receive buffers of each.
#include "node/io/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "node/base/buf.h"
#include "node/base/panic.h"
#include "node/io/pipe_pool.h"

#define BUFS_KEPT 64 // free receive buffers a thread keeps: 1 MiB with the default size

_Thread_local struct worker *worker_self;
struct worker *workers[WORKER_MAX];
unsigned worker_count;

static uint32_t bufsize = 16384;

void worker_set_bufsize(uint32_t bytes)
{
    ASSERT(bytes > 0);
    bufsize = bytes;
}

uint32_t worker_bufsize(void)
{
    return bufsize;
}

struct worker *worker_create(enum thread_role role, unsigned id)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        PANIC("out of memory");
    w->loop = loop_create();
    if (!w->loop) {
        int error = errno;
        free(w);
        errno = error;
        return NULL;
    }
    w->magic = WORKER_MAGIC;
    w->role = role;
    w->id = id;
    w->bufs = (struct pool){.name = "bufs", .size = sizeof(struct iobuf) + bufsize, .keep = BUFS_KEPT};
    if (getrandom(&w->random, sizeof(w->random), GRND_NONBLOCK) != sizeof(w->random))
        w->random = (uint64_t)wall_now_us() ^ (uint64_t)(uintptr_t)w;
    w->random |= 1; // xorshift must not start at 0
    return w;
}

// What the new thread needs before it knows its worker.
struct start {
    struct worker *worker;
    void (*setup)(struct worker *w);
};

static void *thread_main(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    worker_self = start.worker;
    if (start.setup)
        start.setup(start.worker);
    loop_run(start.worker->loop);
    return NULL;
}

static void name_thread(const struct worker *w)
{
    static const char *const roles[] = {
        [THREAD_WORKER] = "worker",
        [THREAD_CONTROL] = "control",
        [THREAD_CLUSTER] = "cluster",
        [THREAD_SYNC] = "sync",
    };
    char name[16];
    if (w->role == THREAD_WORKER)
        snprintf(name, sizeof(name), "worker-%u", w->id);
    else
        snprintf(name, sizeof(name), "%s", roles[w->role]);
    pthread_setname_np(w->thread, name);
}

int worker_start(struct worker *w, void (*setup)(struct worker *w))
{
    CHECK_OBJ(w, WORKER_MAGIC);
    struct start *start = malloc(sizeof(*start));
    if (!start)
        PANIC("out of memory");
    *start = (struct start){w, setup};
    // Signals belong to the main thread; the new thread inherits the blocked mask. SIGPIPE too, which splice() raises.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&w->thread, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        free(start);
        return -rc;
    }
    name_thread(w);
    return 0;
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
}

void worker_destroy(struct worker **worker)
{
    struct worker *w = *worker;
    if (!w)
        return;
    CHECK_OBJ(w, WORKER_MAGIC);
    // Deferred work that is left may ask for its worker.
    struct worker *self = worker_self;
    worker_self = w;
    loop_destroy(&w->loop);
    worker_self = self;
    pipe_pool_destroy(&w->pipes);
    pool_drain(&w->bufs);
    w->magic = 0;
    free(w);
    *worker = NULL;
}

struct iobuf *worker_buf_take(struct worker *w)
{
    struct iobuf *b = pool_take(&w->bufs);
    b->size = bufsize;
    b->head = b->tail = 0;
    return b;
}

void worker_buf_put(struct worker *w, struct iobuf **b)
{
    pool_put(&w->bufs, *b);
    *b = NULL;
}

uint64_t worker_random(struct worker *w)
{
    uint64_t x = w->random; // xorshift64*, Marsaglia and Vigna
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    w->random = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}
