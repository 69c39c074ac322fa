// SPDX-License-Identifier: Apache-2.0
// The thread that sends log lines: takes records out of the rings, puts the headers on, and sends many with one system
// call. It naps while lines come in, so that workers need not wake it, and sleeps when none do. What a target does not
// take at once is dropped and counted.
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/proxy/log_ring.h"
#include "node/proxy/log_target.h"

#define BATCH_LINES  64
#define BATCH_BYTES  ((size_t)256 * 1024)
#define BATCHES      4      // descriptors fed at the same time
#define LONGEST_LINE 65536u // `len` goes up to 65535
#define NAP_US       2000   // how late a line may be
#define STREAM_WAIT  100    // ms that a full pipe may hold the others up

// Lines for one descriptor that were not sent yet.
struct batch {
    int fd; // -1 = unused
    bool datagram, fifo;
    bool stuck; // a stream that took nothing for a while: not waited for again in this round
    unsigned count;
    size_t used;
    struct iovec iov[BATCH_LINES];
    const struct log_target *to[BATCH_LINES];
    char bytes[BATCH_BYTES];
};

static struct batch *batches; // BATCHES of them
static pthread_t thread;
static _Atomic bool stopping, running;
static _Atomic uint64_t dropped;

static void count_dropped(unsigned n)
{
    atomic_fetch_add_explicit(&dropped, n, memory_order_relaxed);
}

// ---- sending

static void send_datagrams(struct batch *b)
{
    struct mmsghdr msgs[BATCH_LINES] = {0};
    for (unsigned i = 0; i < b->count; i++)
        msgs[i].msg_hdr = (struct msghdr){.msg_name = (void *)&b->to[i]->addr,
                                          .msg_namelen = b->to[i]->addr_len,
                                          .msg_iov = &b->iov[i],
                                          .msg_iovlen = 1};
    for (unsigned done = 0; done < b->count;) {
        int n = sendmmsg(b->fd, msgs + done, b->count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            done += (unsigned)n;
        } else if (n < 0 && errno != EINTR) {
            count_dropped(1); // this one is refused (nobody listens, too long): the next may go elsewhere
            done++;
        }
    }
}

// Lines [from, to) lie one behind the other. False: the descriptor takes no more.
static bool write_lines(struct batch *b, unsigned from, unsigned to)
{
    const char *at = b->iov[from].iov_base;
    size_t left = (size_t)((const char *)b->iov[to - 1].iov_base + b->iov[to - 1].iov_len - at);
    while (left) {
        struct pollfd p = {.fd = b->fd, .events = POLLOUT};
        if (poll(&p, 1, b->stuck ? 0 : STREAM_WAIT) <= 0) {
            b->stuck = true;
            return false;
        }
        ssize_t n = write(b->fd, at, left);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
    }
    return true;
}

// A pipe gets at most PIPE_BUF at a time: such a write is not mixed with others' and, after poll(), does not block.
static void send_stream(struct batch *b)
{
    for (unsigned from = 0, to; from < b->count; from = to) {
        size_t bytes = b->iov[from].iov_len;
        for (to = from + 1; to < b->count; to++) {
            if (b->fifo && bytes + b->iov[to].iov_len > PIPE_BUF)
                break;
            bytes += b->iov[to].iov_len;
        }
        if (!write_lines(b, from, to)) {
            count_dropped(b->count - from);
            return;
        }
    }
}

static void flush(struct batch *b)
{
    if (b->count && b->datagram)
        send_datagrams(b);
    else if (b->count)
        send_stream(b);
    b->count = 0;
    b->used = 0;
}

static struct batch *batch_for(const struct log_target *t)
{
    static unsigned victim;
    struct batch *b = NULL;
    for (unsigned i = 0; i < BATCHES && !b; i++)
        if (batches[i].fd == t->fd || batches[i].fd < 0)
            b = &batches[i];
    if (!b) {
        b = &batches[victim++ % BATCHES];
        flush(b);
        b->fd = -1;
    }
    if (b->fd < 0) {
        b->fd = t->fd;
        b->datagram = t->datagram;
        b->fifo = t->fifo;
        b->stuck = false;
    }
    if (b->count == BATCH_LINES || BATCH_BYTES - b->used < LONGEST_LINE)
        flush(b);
    return b;
}

static void add_line(const struct log_target *t, struct log_record *r)
{
    struct batch *b = batch_for(t);
    char *line = b->bytes + b->used;
    size_t max = t->len < LONGEST_LINE ? t->len : LONGEST_LINE;
    size_t len = log_target_header(t, r, line, max);
    size_t text = r->text_len < max - 1 - len ? r->text_len : max - 1 - len;
    memcpy(line + len, log_record_bytes(r) + r->tag_len + r->host_len + r->sd_len, text);
    len += text;
    line[len++] = '\n';
    b->iov[b->count] = (struct iovec){line, len};
    b->to[b->count++] = t;
    b->used += len;
}

// Everything that is in the rings now; false when there was nothing.
static bool drain(void)
{
    bool any = false;
    for (unsigned i = 0; i < LOG_RINGS; i++) {
        struct log_record *r;
        while ((r = log_ring_first(i))) {
            for (unsigned t = 0; t < r->ntarget; t++)
                add_line(r->targets[t], r);
            log_ring_next(i, r);
            any = true;
        }
    }
    for (unsigned i = 0; i < BATCHES; i++) {
        flush(&batches[i]);
        batches[i].fd = -1;
    }
    return any;
}

static void *sender(void *arg)
{
    pthread_setname_np(pthread_self(), "log");
    while (!atomic_load(&stopping)) {
        if (drain())
            usleep(NAP_US);
        else
            log_ring_wait();
    }
    drain();
    return NULL;
}

// ---- life

int log_sender_start(void)
{
    int rc = log_rings_open();
    if (rc < 0)
        return rc;
    batches = calloc(BATCHES, sizeof(*batches));
    if (!batches)
        PANIC("out of memory");
    for (unsigned i = 0; i < BATCHES; i++)
        batches[i].fd = -1;
    atomic_store(&stopping, false);
    rc = pthread_create(&thread, NULL, sender, NULL);
    atomic_store(&running, rc == 0);
    return -rc;
}

void log_sender_stop(void)
{
    if (atomic_exchange(&running, false)) {
        atomic_store(&stopping, true);
        log_ring_wake();
        pthread_join(thread, NULL);
    }
    free(batches);
    batches = NULL;
}

uint64_t log_sender_dropped(void)
{
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}
