// SPDX-License-Identifier: Apache-2.0
// Connections: readiness as the kernel reported it, and the plain transport. Each read or write is one system call, and
// none is made whose answer is known: a read that did not fill its buffer has emptied the socket, a write that was cut
// short has filled it, and the edge-triggered event tells when that changes.
#include "node/io/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "node/base/list.h"
#include "node/base/panic.h"

_Static_assert(sizeof(struct conn) <= 56, "an idle connection is mostly this");

// Nothing more will be read or written.
static ssize_t fail(struct conn *c, int error)
{
    c->flags = (uint16_t)((c->flags & ~(CONN_READABLE | CONN_WRITABLE)) | CONN_FAILED);
    c->error = (int16_t)error;
    return CONN_ERROR;
}

// A peer that reset may have answered before: what it sent stays readable.
static ssize_t fail_write(struct conn *c, int error)
{
    c->flags = (uint16_t)((c->flags & ~CONN_WRITABLE) | CONN_FAILED);
    c->error = (int16_t)error;
    return CONN_ERROR;
}

// What a call on a connection that cannot carry bytes now returns; 0 = it can.
static ssize_t refuse(const struct conn *c, unsigned ready)
{
    if (c->flags & CONN_FAILED)
        return ready && c->flags & ready ? 0 : CONN_ERROR;
    return c->flags & (CONN_CONNECTING | CONN_HANDSHAKE) ? CONN_AGAIN : 0;
}

// The peer's end is known already.
static ssize_t end_again(struct conn *c)
{
    c->flags &= (uint16_t)~CONN_READABLE;
    return CONN_CLOSED;
}

static ssize_t plain_recv(struct conn *c, void *dst, size_t len)
{
    ssize_t n;
    do
        n = recv(c->lf.fd, dst, len, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        if ((size_t)n == len)
            return n;
        // A short read has emptied the queue. If the peer's end was there before, the next read can only say that, and
        // needs no system call. After another HUP no further event will come: read on until the end is seen.
        if (c->flags & CONN_FIN)
            c->flags |= CONN_EOF;
        else if (!(c->flags & CONN_HUP))
            c->flags &= (uint16_t)~CONN_READABLE;
        return n;
    }
    if (n == 0) {
        c->flags = (uint16_t)((c->flags & ~CONN_READABLE) | CONN_EOF);
        return CONN_CLOSED;
    }
    if (errno != EAGAIN)
        return fail(c, errno);
    c->flags &= (uint16_t)~CONN_READABLE;
    return CONN_AGAIN;
}

static size_t iov_total(const struct iovec *iov, int n)
{
    size_t total = 0;
    for (int i = 0; i < n; i++)
        total += iov[i].iov_len;
    return total;
}

static ssize_t plain_sendv(struct conn *c, const struct iovec *iov, int n, bool more)
{
    int send_flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    ssize_t sent;
    do {
        if (n == 1) {
            sent = send(c->lf.fd, iov->iov_base, iov->iov_len, send_flags);
        } else {
            struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};
            sent = sendmsg(c->lf.fd, &msg, send_flags);
        }
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        if (errno != EAGAIN)
            return fail_write(c, errno);
        c->flags &= (uint16_t)~CONN_WRITABLE;
        return CONN_AGAIN;
    }
    if ((size_t)sent < iov_total(iov, n))
        c->flags &= (uint16_t)~CONN_WRITABLE;
    return sent;
}

static void plain_shut_write(struct conn *c)
{
    shutdown(c->lf.fd, SHUT_WR);
}

const struct conn_transport conn_plain = {
    .name = "plain",
    .recv = plain_recv,
    .sendv = plain_sendv,
    .shut_write = plain_shut_write,
    .can_splice = true,
};

// The answer to connect() is here. The kernel reports a refused one with ERR or HUP, so that success needs no
// getsockopt().
static void finish_connect(struct conn *c, uint32_t events)
{
    int error = events & (EPOLLERR | EPOLLHUP) ? sock_error(c->lf.fd) : 0;
    c->flags &= (uint16_t)~CONN_CONNECTING;
    if (error)
        fail(c, error);
}

static void drive_handshake(struct conn *c)
{
    int rc = c->transport->handshake(c);
    if (rc == CONN_AGAIN)
        return;
    c->flags &= (uint16_t)~CONN_HANDSHAKE;
    if (rc < 0 && !(c->flags & CONN_FAILED))
        fail(c, c->error ? c->error : EPROTO);
}

static void on_ready(struct loop_fd *lf, uint32_t events)
{
    struct conn *c = CONTAINER_OF(lf, struct conn, lf);
    unsigned flags = c->flags;
    if (events & EPOLLIN)
        flags |= CONN_READABLE;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        flags |= CONN_READABLE | CONN_HUP;
    if ((events & (EPOLLRDHUP | EPOLLERR)) == EPOLLRDHUP)
        flags |= CONN_FIN;
    // On an error a write must be tried to learn of it.
    if (events & (EPOLLOUT | EPOLLERR))
        flags |= CONN_WRITABLE;
    c->flags = (uint16_t)flags;
    if (flags & CONN_CONNECTING) {
        if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
            return;
        finish_connect(c, events);
    }
    if ((c->flags & (CONN_HANDSHAKE | CONN_FAILED)) == CONN_HANDSHAKE) {
        drive_handshake(c);
        if (c->flags & CONN_HANDSHAKE)
            return;
    }
    c->on_event(c);
}

int conn_open(struct conn *c, struct loop *loop, int fd, const struct conn_transport *t, uint16_t flags,
              conn_event_fn *on_event)
{
    *c = (struct conn){.lf.fd = -1, .loop = loop, .transport = t, .on_event = on_event, .flags = flags};
    if (t->handshake)
        c->flags |= CONN_HANDSHAKE;
    if (!(flags & CONN_CONNECTING))
        c->flags |= CONN_WRITABLE; // nothing was sent yet
    int rc = loop_add(loop, &c->lf, fd, on_ready);
    if (rc < 0)
        close(fd);
    return rc;
}

void conn_close(struct conn *c, bool reset)
{
    if (!conn_is_open(c))
        return;
    int fd = c->lf.fd;
    if (c->transport->close)
        c->transport->close(c);
    if (reset)
        sock_set_linger_reset(fd);
    loop_del(c->loop, &c->lf, true);
    close(fd);
}

int conn_detach(struct conn *c)
{
    int fd = c->lf.fd;
    loop_del(c->loop, &c->lf, false);
    return fd;
}

ssize_t conn_recv(struct conn *c, void *dst, size_t len)
{
    ASSERT(len > 0);
    if (c->flags & CONN_EOF)
        return end_again(c);
    ssize_t refused = refuse(c, CONN_READABLE);
    if (refused)
        return refused;
    return c->transport->recv(c, dst, len);
}

ssize_t conn_sendv(struct conn *c, const struct iovec *iov, int n, bool more)
{
    ASSERT(n > 0);
    ssize_t refused = refuse(c, 0);
    if (refused)
        return refused;
    return c->transport->sendv(c, iov, n, more);
}

void conn_shut_write(struct conn *c)
{
    if (!conn_is_open(c) || c->flags & CONN_SHUT_WRITE)
        return;
    c->flags |= CONN_SHUT_WRITE;
    c->transport->shut_write(c);
}

ssize_t conn_splice_in(struct conn *c, struct pipe_pair *p, size_t max)
{
    ASSERT(c->transport->can_splice && max > 0);
    if (c->flags & CONN_EOF)
        return end_again(c);
    ssize_t n = refuse(c, CONN_READABLE);
    if (n)
        return n;
    do
        n = splice(c->lf.fd, NULL, p->wr, NULL, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        // A short answer leaves open whether the socket is empty or the pipe full: small packets fill a pipe's slots
        // before its bytes. Only the next call tells.
        p->level += (size_t)n;
        return n;
    }
    if (n == 0) {
        c->flags = (uint16_t)((c->flags & ~CONN_READABLE) | CONN_EOF);
        return CONN_CLOSED;
    }
    if (errno != EAGAIN)
        return fail(c, errno);
    if (p->level == 0)
        c->flags &= (uint16_t)~CONN_READABLE;
    return CONN_AGAIN;
}

ssize_t conn_splice_out(struct conn *c, struct pipe_pair *p, bool more)
{
    ASSERT(c->transport->can_splice && p->level > 0);
    ssize_t n = refuse(c, 0);
    if (n)
        return n;
    unsigned how = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0);
    do
        n = splice(p->rd, NULL, c->lf.fd, NULL, p->level, how);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno != EAGAIN)
            return fail_write(c, errno);
        c->flags &= (uint16_t)~CONN_WRITABLE;
        return CONN_AGAIN;
    }
    p->level -= (size_t)n;
    if (p->level > 0)
        c->flags &= (uint16_t)~CONN_WRITABLE;
    return n;
}
