// SPDX-License-Identifier: Apache-2.0
// Byte buffers. `struct buf` grows and is for building output (CLI answers, messages, files). `struct iobuf` has a
// fixed size, a read end and a write end, and carries what a socket delivered until somebody has consumed it.
#ifndef PHX_BASE_BUF_H
#define PHX_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "node/base/panic.h"
#include "node/base/str.h"

struct buf {
    char *data; // malloc'd, NUL-terminated at data[len] once something was added
    size_t len;
    size_t cap;
};

#define BUF_INIT                                                                                                       \
    {                                                                                                                  \
        0                                                                                                              \
    }

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *src, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
// Drops the first n bytes.
void buf_consume(struct buf *b, size_t n);
void buf_clear(struct buf *b);
void buf_free(struct buf *b);
static inline struct str buf_str(const struct buf *b)
{
    return str_make(b->data, b->len);
}

struct iobuf {
    uint32_t size; // capacity of data
    uint32_t head; // first unread byte
    uint32_t tail; // first free byte; head ≤ tail ≤ size
    char data[];
};

static inline uint32_t iobuf_len(const struct iobuf *b)
{
    return b->tail - b->head;
}
static inline uint32_t iobuf_room(const struct iobuf *b)
{
    return b->size - b->tail;
}
static inline char *iobuf_read_ptr(struct iobuf *b)
{
    return b->data + b->head;
}
static inline char *iobuf_write_ptr(struct iobuf *b)
{
    return b->data + b->tail;
}
static inline void iobuf_wrote(struct iobuf *b, uint32_t n)
{
    ASSERT(n <= b->size - b->tail);
    b->tail += n;
}
static inline void iobuf_read(struct iobuf *b, uint32_t n)
{
    ASSERT(n <= b->tail - b->head);
    b->head += n;
    if (b->head == b->tail)
        b->head = b->tail = 0;
}
// Moves unread bytes to the front. Slices into the buffer become invalid.
static inline void iobuf_compact(struct iobuf *b)
{
    if (b->head == 0)
        return;
    memmove(b->data, b->data + b->head, b->tail - b->head);
    b->tail -= b->head;
    b->head = 0;
}

#endif
