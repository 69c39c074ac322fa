// SPDX-License-Identifier: Apache-2.0
// A stream connection of one loop: a non-blocking socket with remembered readiness, behind a transport (plain here; TLS
// takes the same place). Knows nothing of HTTP. Its user is told once when something became ready and then reads and
// writes until CONN_AGAIN.
#ifndef PHX_IO_CONN_H
#define PHX_IO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "node/io/loop.h"
#include "node/io/sock.h"

struct conn;
struct pipe_pair;
struct worker;

// Results below zero of conn_recv() and the like.
enum { CONN_AGAIN = -1, CONN_CLOSED = -2 /* orderly end */, CONN_ERROR = -3 /* see conn->error */ };

enum conn_flag {
    CONN_READABLE = 1 << 0,   // the last read did not empty the socket, or an event came since
    CONN_WRITABLE = 1 << 1,   // likewise for writing
    CONN_CONNECTING = 1 << 2, // connect() not finished
    CONN_HANDSHAKE = 1 << 3,  // transport not ready
    CONN_EOF = 1 << 4,        // the peer's end was read
    CONN_HUP = 1 << 5,        // kernel reported RDHUP or HUP: bytes may still be there to read
    CONN_FAILED = 1 << 6,     // error seen; after a failed write, bytes that came before stay readable
    CONN_SHUT_WRITE = 1 << 7, // we sent our end
    CONN_FIN = 1 << 8,        // the peer's end has arrived: behind the bytes that are still to be read
};

typedef void conn_event_fn(struct conn *c);

struct conn_transport {
    const char *name;
    ssize_t (*recv)(struct conn *c, void *dst, size_t len);
    ssize_t (*sendv)(struct conn *c, const struct iovec *iov, int n, bool more);
    int (*handshake)(struct conn *c); // 0 done, CONN_AGAIN, CONN_ERROR
    void (*shut_write)(struct conn *c);
    void (*close)(struct conn *c);
    bool can_splice;
};

extern const struct conn_transport conn_plain;

// Embedded in the session or the server connection. Compact: an idle client connection is mostly this.
struct conn {
    struct loop_fd lf;
    struct loop *loop;
    const struct conn_transport *transport;
    void *transport_state;
    conn_event_fn *on_event; // something became ready: called at most once a batch entry
    uint16_t flags;
    int16_t error; // errno of the failure
};

// Takes over fd. flags: CONN_CONNECTING if connect() is in progress. 0 or -errno (fd closed then).
int conn_open(struct conn *c, struct loop *loop, int fd, const struct conn_transport *t, uint16_t flags,
              conn_event_fn *on_event);
// Closes at once; `reset` sends RST. The memory of c must live to the end of the turn (loop_defer).
void conn_close(struct conn *c, bool reset);
// Leaves the loop with the descriptor open, to be given to another worker; returns the descriptor.
int conn_detach(struct conn *c);
static inline bool conn_is_open(const struct conn *c)
{
    return c->lf.fd >= 0;
}

// Bytes read, or CONN_*. A short read clears CONN_READABLE unless HUP is set, so that no second system call is made to
// hear EAGAIN.
ssize_t conn_recv(struct conn *c, void *dst, size_t len);
// Bytes written (maybe fewer), or CONN_*. `more`: MSG_MORE.
ssize_t conn_sendv(struct conn *c, const struct iovec *iov, int n, bool more);
// Sends our end (FIN or the transport's word for it).
void conn_shut_write(struct conn *c);

// Zero copy, plain transport only. Bytes moved or CONN_*. p->level says what is inside.
ssize_t conn_splice_in(struct conn *c, struct pipe_pair *p, size_t max);
ssize_t conn_splice_out(struct conn *c, struct pipe_pair *p, bool more);

struct pipe_pair {
    int rd, wr;
    size_t level;    // bytes inside
    size_t capacity; // bytes
    struct pipe_pair *next_free;
};
// From the worker's pool; NULL when global maxpipes are in use or the kernel refuses: the caller copies instead.
struct pipe_pair *pipe_take(struct worker *w);
// A pipe with bytes inside is closed, not kept.
void pipe_put(struct worker *w, struct pipe_pair **p);
#define PIPE_BYTES_DEFAULT ((size_t)256 * 1024)
void pipe_set_limits(unsigned max_pipes, size_t bytes); // before threads run
unsigned pipe_count_used(void);
unsigned pipe_count_free(void);

#endif
