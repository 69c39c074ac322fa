// SPDX-License-Identifier: Apache-2.0
// Growing byte buffers. Room for a terminating NUL is always kept.
#include "node/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void buf_reserve(struct buf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need <= b->len)
        PANIC("buffer of %zu bytes asked for %zu more", b->len, more);
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *data = realloc(b->data, cap);
    if (!data)
        PANIC("out of memory: %zu bytes", cap);
    b->data = data;
    b->cap = cap;
}

void buf_add(struct buf *b, const void *src, size_t len)
{
    buf_reserve(b, len);
    if (len)
        memcpy(b->data + b->len, src, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_add_cstr(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    buf_reserve(b, 0);
    int len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
    ASSERT(len >= 0);
    if ((size_t)len >= b->cap - b->len) {
        buf_reserve(b, (size_t)len);
        vsnprintf(b->data + b->len, b->cap - b->len, fmt, again);
    }
    va_end(again);
    b->len += (size_t)len;
}

void buf_consume(struct buf *b, size_t n)
{
    ASSERT(n <= b->len);
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->data, b->data + n, b->len + 1);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf)BUF_INIT;
}
