// SPDX-License-Identifier: Apache-2.0
// Threads. A worker serves client traffic; a service thread (cluster, sync, control) has the same kind of loop. Created
// and joined by the main thread.
#ifndef PHX_IO_WORKER_H
#define PHX_IO_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "node/base/pool.h"
#include "node/io/loop.h"

#define WORKER_MAX 64

enum thread_role { THREAD_WORKER, THREAD_CONTROL, THREAD_CLUSTER, THREAD_SYNC };

struct pipe_pool; // kernel pipes for splice, kept open between uses
struct iobuf;

struct worker {
    uint32_t magic; // WORKER_MAGIC
    enum thread_role role;
    unsigned id; // workers: 0..nbthread-1; service threads follow
    pthread_t thread;
    struct loop *loop;
    struct pool bufs;        // iobufs of worker_bufsize() bytes
    struct pipe_pool *pipes; // created at first use
    _Atomic unsigned conns;  // client connections, read by others to find the least loaded
    uint64_t random;         // xorshift state, see worker_random()
    void *proxy;             // node/proxy's own state of this worker
    void *owner;             // what a service thread serves
};

#define WORKER_MAGIC 0x574f524bu

// The worker that runs the calling thread; NULL on a thread that is none.
extern _Thread_local struct worker *worker_self;

// Allocates with its loop; the thread starts with worker_start(). `setup` runs on the new thread before the first turn.
struct worker *worker_create(enum thread_role role, unsigned id);
int worker_start(struct worker *w, void (*setup)(struct worker *w));
// Waits until the loop was stopped.
void worker_join(struct worker *w);
void worker_destroy(struct worker **w);

// Fixed before the first worker exists: tune.bufsize.
void worker_set_bufsize(uint32_t bytes);
uint32_t worker_bufsize(void);
// Empty, of worker_bufsize() capacity.
struct iobuf *worker_buf_take(struct worker *w);
void worker_buf_put(struct worker *w, struct iobuf **b);
uint64_t worker_random(struct worker *w);

// The process's workers in order, for handing over and for sums. Set before threads run, constant after.
extern struct worker *workers[WORKER_MAX];
extern unsigned worker_count;

#endif
