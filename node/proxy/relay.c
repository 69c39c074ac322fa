// SPDX-License-Identifier: Apache-2.0
// The relay: see relay.h. A direction starts in a buffer. Two reads in a row that fill it mark it as bulk, and from
// then on whole pages go through a pipe without being looked at, as far as the framing allows (a length, a chunk's
// data, or everything). Going back is only needed where framing must be read.
#include "node/proxy/relay.h"

#include <errno.h>

#include "node/io/worker.h"

#define BULK_READS   2            // full buffers in a row; one where the length is known to be worth it
#define SPLICE_WORTH (64u * 1024) // remaining bytes of known length that are worth a pipe
#define SPLICE_MAX   (1u << 20)   // asked from the kernel at a time
#define HEAD_IOV_MAX 64
#define FLAT_MAX     2048
#define SHARE        32 // reads in a row before others have their turn

// ---- framing -------------------------------------------------------------------------------------------------------

bool flow_scan(struct flow *f)
{
    struct iobuf *b = f->buf;
    uint32_t fresh = b->tail - f->clear;
    if (fresh == 0 || f->complete)
        return true;
    size_t used = fresh;
    bool end = false;
    switch (f->framing) {
    case FLOW_NONE:
        used = 0;
        end = true;
        break;
    case FLOW_LENGTH:
        if (used >= f->left) {
            used = f->left;
            end = true;
        }
        f->left -= used;
        break;
    case FLOW_CHUNKED:
        if (h1_chunked_scan(&f->chunked, b->data + f->clear, fresh, &used, &end) == H1_BAD)
            return false;
        break;
    default:
        break;
    }
    f->clear += (uint32_t)used;
    f->taken += used;
    f->complete = end;
    return true;
}

void flow_begin(struct flow *f, enum flow_framing framing, uint64_t length, uint32_t at)
{
    f->framing = (uint8_t)framing;
    f->left = length;
    f->complete = framing == FLOW_NONE || (framing == FLOW_LENGTH && length == 0);
    f->sent_end = false;
    if (framing == FLOW_CHUNKED)
        h1_chunked_init(&f->chunked);
    if (f->buf) {
        f->pinned = at;
        f->buf->head = at;
        f->clear = at;
    }
}

void flow_note_read(struct flow *f, bool full)
{
    f->full_reads = full ? (uint8_t)(f->full_reads + (f->full_reads < BULK_READS)) : 0;
}

void flow_begin_tunnel(struct flow *f)
{
    f->framing = FLOW_RAW;
    f->complete = f->source_end;
    if (f->buf)
        f->clear = f->buf->tail;
}

// Bytes that may go from the source without being looked at; 0 = framing comes next, or it is not worth a pipe.
static size_t splice_span(const struct flow *f)
{
    uint64_t span = 0;
    if (f->framing == FLOW_RAW)
        span = SPLICE_MAX;
    else if (f->framing == FLOW_LENGTH)
        span = f->left;
    else if (f->framing == FLOW_CHUNKED && h1_chunked_in_data(&f->chunked))
        span = f->chunked.left;
    return span > SPLICE_MAX ? SPLICE_MAX : (size_t)span;
}

static void spliced(struct flow *f, size_t n)
{
    f->discarded = true;
    f->taken += n;
    if (f->framing == FLOW_LENGTH) {
        f->left -= n;
        f->complete = f->left == 0;
    } else if (f->framing == FLOW_CHUNKED) {
        h1_chunked_advance(&f->chunked, n);
    }
}

bool flow_wants_bytes(const struct flow *f)
{
    if (f->complete || f->source_end)
        return false;
    if (f->pipe && f->pipe->level > 0)
        return f->pipe->level < f->pipe->capacity;
    return !f->buf || f->drop || iobuf_room(f->buf) > 0 || f->buf->head > f->pinned;
}

void flow_end(struct worker *w, struct flow *f)
{
    if (f->buf)
        worker_buf_put(w, &f->buf);
    if (f->pipe)
        pipe_put(w, &f->pipe);
}

// ---- buffer --------------------------------------------------------------------------------------------------------

// Takes n written bytes off the pending head and body.
static void wrote(struct flow *f, size_t n)
{
    f->total += n;
    while (n > 0 && f->nhead > 0) {
        if (n < f->head->iov_len) {
            f->head->iov_base = (char *)f->head->iov_base + n;
            f->head->iov_len -= n;
            return;
        }
        n -= f->head->iov_len;
        f->head++;
        f->nhead--;
    }
    if (n > 0)
        f->buf->head += (uint32_t)n;
}

// All that was cleared is sent: the buffer's room behind the pinned head is free again. What follows the message stays.
static void recycle(struct flow *f)
{
    struct iobuf *b = f->buf;
    if (b->head != b->tail || b->head == f->pinned || f->hold)
        return;
    f->discarded = true;
    b->head = b->tail = f->clear = f->pinned;
}

// Small pieces cost less copied together than listed to the kernel (measured: 0.2 µs of 4.4).
static int flatten(struct iovec *iov, int n, char *flat, size_t room)
{
    size_t total = 0;
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > room - total)
            return n;
        memcpy(flat + total, iov[i].iov_base, iov[i].iov_len);
        total += iov[i].iov_len;
    }
    iov[0] = (struct iovec){flat, total};
    return 1;
}

static enum relay_result push_buffer(struct flow *f, struct conn *to)
{
    struct iovec iov[HEAD_IOV_MAX + 1];
    char flat[FLAT_MAX];
    int n = 0;
    for (; n < f->nhead && n < HEAD_IOV_MAX; n++)
        iov[n] = f->head[n];
    uint32_t body = flow_pending(f);
    if (body > 0 && n == f->nhead)
        iov[n++] = (struct iovec){iobuf_read_ptr(f->buf), body};
    if (n > 1)
        n = flatten(iov, n, flat, sizeof(flat));
    ssize_t sent = conn_sendv(to, iov, n, false);
    if (sent == CONN_AGAIN)
        return RELAY_BLOCKED;
    if (sent < 0)
        return RELAY_SINK_ERROR;
    wrote(f, (size_t)sent);
    if (f->buf && flow_pending(f) == 0)
        recycle(f);
    return RELAY_DONE;
}

enum relay_result relay_send_head(struct flow *f, struct conn *to, struct arena *arena, const struct iovec *head,
                                  int nhead)
{
    struct iovec iov[HEAD_IOV_MAX + 1];
    ASSERT(nhead <= HEAD_IOV_MAX);
    memcpy(iov, head, sizeof(*head) * (size_t)nhead);
    f->head = iov;
    f->nhead = nhead;
    enum relay_result r = push_buffer(f, to);
    f->head = f->nhead ? arena_memdup(arena, f->head, sizeof(*f->head) * (size_t)f->nhead) : NULL;
    return r;
}

static enum relay_result source_ended(struct flow *f)
{
    f->source_end = true;
    if (f->framing != FLOW_RAW)
        return RELAY_SOURCE_SHORT;
    f->complete = true;
    return RELAY_DONE;
}

static enum relay_result pull_buffer(struct worker *w, struct flow *f, struct conn *from)
{
    if (!f->buf) {
        f->buf = worker_buf_take(w);
        f->pinned = f->clear = 0;
    }
    struct iobuf *b = f->buf;
    if (iobuf_room(b) == 0 && b->head > f->pinned) {
        uint32_t gap = b->head - f->pinned;
        memmove(b->data + f->pinned, b->data + b->head, b->tail - b->head);
        b->head -= gap;
        b->tail -= gap;
        f->clear -= gap;
        f->discarded = true;
        f->hold = false;
    }
    uint32_t room = iobuf_room(b);
    if (room == 0)
        return RELAY_BLOCKED;
    ssize_t n = conn_recv(from, iobuf_write_ptr(b), room);
    if (n == CONN_AGAIN)
        return RELAY_BLOCKED;
    if (n == CONN_CLOSED)
        return source_ended(f);
    if (n < 0)
        return RELAY_SOURCE_ERROR;
    iobuf_wrote(b, (uint32_t)n);
    flow_note_read(f, (uint32_t)n == room);
    if (!flow_scan(f))
        return RELAY_BAD_FRAMING;
    if (f->drop) {
        b->head = f->clear;
        recycle(f);
    }
    return RELAY_DONE;
}

// ---- pipe ----------------------------------------------------------------------------------------------------------

// Is this the moment to go over to a pipe? Only with an empty buffer, so that order is kept.
static bool begin_splice(struct worker *w, struct flow *f, const struct conn *from, const struct conn *to)
{
    unsigned reads = f->framing == FLOW_LENGTH ? 1 : BULK_READS;
    if (f->no_splice || f->full_reads < reads || f->drop || f->nhead > 0)
        return false;
    if (f->buf && f->buf->head != f->buf->tail)
        return false;
    if (splice_span(f) < SPLICE_WORTH)
        return false;
    if (!f->pipe) {
        if (from->transport->can_splice && to->transport->can_splice)
            f->pipe = pipe_take(w);
        if (!f->pipe) {
            f->no_splice = true;
            return false;
        }
        if (f->buf && f->pinned == 0)
            worker_buf_put(w, &f->buf);
    }
    return true;
}

static enum relay_result pull_pipe(struct flow *f, struct conn *from)
{
    size_t span = splice_span(f);
    if (span == 0)
        return RELAY_BLOCKED;
    ssize_t n = conn_splice_in(from, f->pipe, span);
    if (n == CONN_AGAIN)
        return RELAY_BLOCKED;
    if (n == CONN_CLOSED)
        return source_ended(f);
    if (n < 0) {
        if (from->error != EINVAL)
            return RELAY_SOURCE_ERROR;
        // This kind of socket does not splice.
        from->flags = (uint16_t)((from->flags & ~CONN_FAILED) | CONN_READABLE);
        f->no_splice = true;
        return RELAY_DONE;
    }
    spliced(f, (size_t)n);
    return RELAY_DONE;
}

static enum relay_result push_pipe(struct flow *f, struct conn *to)
{
    ssize_t n = conn_splice_out(to, f->pipe, false);
    if (n == CONN_AGAIN)
        return RELAY_BLOCKED;
    if (n < 0)
        return RELAY_SINK_ERROR;
    f->total += (uint64_t)n;
    return RELAY_DONE;
}

// ---- one direction -------------------------------------------------------------------------------------------------

static enum relay_result push(struct flow *f, struct conn *to)
{
    return f->pipe && f->pipe->level > 0 ? push_pipe(f, to) : push_buffer(f, to);
}

// One read, if there is anything to read and room for it.
static enum relay_result pull(struct worker *w, struct flow *f, struct conn *from, struct conn *to)
{
    if (f->complete || f->source_end)
        return RELAY_BLOCKED;
    if (!(from->flags & CONN_READABLE))
        return from->flags & CONN_FAILED ? RELAY_SOURCE_ERROR : RELAY_BLOCKED;
    if (f->pipe && f->pipe->level > 0)
        return pull_pipe(f, from);
    return begin_splice(w, f, from, to) ? pull_pipe(f, from) : pull_buffer(w, f, from);
}

enum relay_result relay_run(struct worker *w, struct flow *f, struct conn *from, struct conn *to, bool moved[2])
{
    for (unsigned rounds = 0; rounds < SHARE; rounds++) {
        bool progress = false;
        if (flow_has_pending(f) && (to->flags & (CONN_WRITABLE | CONN_FAILED))) {
            enum relay_result r = push(f, to);
            if (r == RELAY_SINK_ERROR)
                return r;
            progress |= r == RELAY_DONE;
            moved[1] |= r == RELAY_DONE;
        }
        if (f->complete && !flow_has_pending(f))
            return RELAY_DONE;
        enum relay_result r = pull(w, f, from, to);
        if (r > RELAY_DONE && !(r == RELAY_SOURCE_SHORT && flow_has_pending(f)))
            return r;
        progress |= r == RELAY_DONE;
        moved[0] |= r == RELAY_DONE;
        if (progress)
            continue;
        if (f->source_end && !f->complete && !flow_has_pending(f))
            return RELAY_SOURCE_SHORT;
        if (f->buf && f->buf->tail == 0 && f->pinned == 0)
            worker_buf_put(w, &f->buf); // nothing is held while nothing comes
        return RELAY_BLOCKED;
    }
    return RELAY_YIELD;
}
