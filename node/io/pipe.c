// SPDX-License-Identifier: Apache-2.0
// Kernel pipes for splice: opened once, made as large as the kernel lets us, and kept by the worker between uses. The
// limit counts the pipes of all workers, free ones too, since each costs descriptors.
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/io/conn.h"
#include "node/io/pipe_pool.h"
#include "node/io/worker.h"

#define FREE_KEPT 64 // free pipes a worker keeps

struct pipe_pool {
    struct pipe_pair *free_list;
    unsigned free_count;
};

// Constant once threads run.
static unsigned max_pipes = 1024;
static size_t wanted_bytes = PIPE_BYTES_DEFAULT;

// Over all workers.
static atomic_uint count_open; // used and free
static atomic_uint count_free;

void pipe_set_limits(unsigned max, size_t bytes)
{
    max_pipes = max;
    wanted_bytes = bytes;
}

unsigned pipe_count_used(void)
{
    unsigned free_now = atomic_load_explicit(&count_free, memory_order_relaxed);
    unsigned open_now = atomic_load_explicit(&count_open, memory_order_relaxed);
    return open_now > free_now ? open_now - free_now : 0;
}

unsigned pipe_count_free(void)
{
    return atomic_load_explicit(&count_free, memory_order_relaxed);
}

static struct pipe_pair *pipe_open(void)
{
    if (atomic_fetch_add(&count_open, 1) >= max_pipes)
        goto refused;
    int fds[2];
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        goto refused;
    // Refused without privilege beyond the user's share of pipe pages: the default size does, if not as well.
    int capacity = fcntl(fds[1], F_SETPIPE_SZ, (int)wanted_bytes);
    if (capacity < 0)
        capacity = fcntl(fds[1], F_GETPIPE_SZ);
    struct pipe_pair *p = malloc(sizeof(*p));
    if (!p)
        PANIC("out of memory");
    *p = (struct pipe_pair){.rd = fds[0], .wr = fds[1], .capacity = capacity > 0 ? (size_t)capacity : 4096};
    return p;
refused:
    atomic_fetch_sub(&count_open, 1);
    return NULL;
}

static void pipe_close(struct pipe_pair *p)
{
    close(p->rd);
    close(p->wr);
    free(p);
    atomic_fetch_sub(&count_open, 1);
}

struct pipe_pair *pipe_take(struct worker *w)
{
    struct pipe_pool *pool = w->pipes;
    if (!pool || !pool->free_list)
        return pipe_open();
    struct pipe_pair *p = pool->free_list;
    pool->free_list = p->next_free;
    p->next_free = NULL;
    pool->free_count--;
    atomic_fetch_sub_explicit(&count_free, 1, memory_order_relaxed);
    return p;
}

void pipe_put(struct worker *w, struct pipe_pair **pipe)
{
    struct pipe_pair *p = *pipe;
    if (!p)
        return;
    *pipe = NULL;
    if (!w->pipes) {
        w->pipes = calloc(1, sizeof(*w->pipes));
        if (!w->pipes)
            PANIC("out of memory");
    }
    struct pipe_pool *pool = w->pipes;
    if (p->level > 0 || pool->free_count >= FREE_KEPT) {
        pipe_close(p);
        return;
    }
    p->next_free = pool->free_list;
    pool->free_list = p;
    pool->free_count++;
    atomic_fetch_add_explicit(&count_free, 1, memory_order_relaxed);
}

void pipe_pool_destroy(struct pipe_pool **pool)
{
    if (!*pool)
        return;
    while ((*pool)->free_list) {
        struct pipe_pair *p = (*pool)->free_list;
        (*pool)->free_list = p->next_free;
        atomic_fetch_sub_explicit(&count_free, 1, memory_order_relaxed);
        pipe_close(p);
    }
    free(*pool);
    *pool = NULL;
}
