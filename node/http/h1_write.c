// SPDX-License-Identifier: Apache-2.0
// Head writer. A head that nobody touched is one run of the received bytes; each edit splits the run, and what lies
// between two runs is gathered in one piece of arena. The written form is always "name: value", so that the length is
// known without writing, and a received line that looks otherwise is written anew.
#include <stdio.h>

#include "node/http/h1.h"

// --- start line ----------------------------------------------------------------------------------------------------

static struct str version_text(const struct http_msg *m)
{
    if (m->version_text.ptr != NULL)
        return m->version_text;
    return m->version < 11 ? STR("HTTP/1.0") : STR("HTTP/1.1");
}

static size_t start_line_len(const struct http_msg *m)
{
    size_t version = version_text(m).len;
    if (m->response)
        return version + sizeof(" 200 ") - 1 + m->reason.len + 2;
    return m->method_text.len + 1 + m->target.len + 1 + version + 2;
}

static char *put(char *dst, struct str s)
{
    if (s.len != 0)
        memcpy(dst, s.ptr, s.len);
    return dst + s.len;
}

static char *put_start_line(const struct http_msg *m, char *dst)
{
    if (m->response) {
        dst = put(dst, version_text(m));
        *dst++ = ' ';
        *dst++ = (char)('0' + m->status / 100 % 10);
        *dst++ = (char)('0' + m->status / 10 % 10);
        *dst++ = (char)('0' + m->status % 10);
        *dst++ = ' ';
        dst = put(dst, m->reason);
    } else {
        dst = put(dst, m->method_text);
        *dst++ = ' ';
        dst = put(dst, m->target);
        *dst++ = ' ';
        dst = put(dst, version_text(m));
    }
    return put(dst, STR("\r\n"));
}

// --- runs of received bytes ----------------------------------------------------------------------------------------

static inline bool received(const struct http_msg *m, const char *p)
{
    return (uintptr_t)p - (uintptr_t)m->head < m->head_len;
}

// The request line as received is what would be written. (A status line is short and always written: it may have lacked
// its reason.)
static bool start_line_untouched(const struct http_msg *m)
{
    if (m->response || !received(m, m->method_text.ptr) || m->target.ptr != m->method_text.ptr + m->method_text.len + 1)
        return false;
    const char *rest = m->target.ptr + m->target.len;
    struct str version = version_text(m);
    // At least the empty line's CRLF follows in the head, so `rest` has this many bytes or differs before its end.
    return (size_t)(m->head + m->head_len - rest) >= version.len + 3 && rest[0] == ' ' &&
           memcmp(rest + 1, version.ptr, version.len) == 0 && memcmp(rest + 1 + version.len, "\r\n", 2) == 0;
}

// The field's line as received is what would be written.
static inline bool field_untouched(const struct http_msg *m, const struct http_hdr *h)
{
    const char *colon = h->name.ptr + h->name.len, *end = h->value.ptr + h->value.len;
    return received(m, h->name.ptr) && h->value.ptr == colon + 2 && received(m, end + 1) && colon[0] == ':' &&
           colon[1] == ' ' && end[0] == '\r' && end[1] == '\n';
}

static inline size_t field_len(const struct http_hdr *h)
{
    return h->name.len + 2 + h->value.len + 2;
}

static char *put_field(const struct http_hdr *h, char *dst)
{
    dst = put(dst, h->name);
    *dst++ = ':';
    *dst++ = ' ';
    dst = put(dst, h->value);
    *dst++ = '\r';
    *dst++ = '\n';
    return dst;
}

// --- output --------------------------------------------------------------------------------------------------------

size_t h1_head_len(const struct http_msg *m)
{
    size_t len = start_line_len(m) + 2;
    for (unsigned i = 0; i < m->nhdrs; i++)
        if (m->hdrs[i].name.ptr != NULL)
            len += field_len(&m->hdrs[i]);
    return len;
}

size_t h1_write_head(const struct http_msg *m, char *dst, size_t size)
{
    if (h1_head_len(m) > size)
        return 0;
    char *end = put_start_line(m, dst);
    for (unsigned i = 0; i < m->nhdrs; i++)
        if (m->hdrs[i].name.ptr != NULL)
            end = put_field(&m->hdrs[i], end);
    end = put(end, STR("\r\n"));
    return (size_t)(end - dst);
}

struct vec {
    struct iovec *iov;
    int n, max; // n > max: did not fit
};

// Adds bytes, joined to the last entry where they follow it in memory.
static inline void vec_add(struct vec *v, const char *p, size_t len)
{
    if (v->n > 0 && v->n <= v->max) {
        struct iovec *last = &v->iov[v->n - 1];
        if ((const char *)last->iov_base + last->iov_len == p) {
            last->iov_len += len;
            return;
        }
    }
    if (v->n < v->max)
        v->iov[v->n] = (struct iovec){(void *)(uintptr_t)p, len};
    v->n++;
}

// Room for all that has to be written anew, the empty line included.
static size_t written_len(const struct http_msg *m, bool start_kept)
{
    size_t len = 2 + (start_kept ? 0 : start_line_len(m));
    for (unsigned i = 0; i < m->nhdrs; i++) {
        const struct http_hdr *h = &m->hdrs[i];
        if (h->name.ptr != NULL && !field_untouched(m, h))
            len += field_len(h);
    }
    return len;
}

// The last run reaches the received empty line, which then joins it.
static bool ends_with_fields(const struct http_msg *m, const struct vec *v)
{
    if (m->head_len < 2 || v->n == 0 || v->n > v->max)
        return false;
    const struct iovec *last = &v->iov[v->n - 1];
    return (const char *)last->iov_base + last->iov_len == m->head + m->head_len - 2;
}

int h1_head_iov(struct http_msg *m, struct iovec *iov, int max)
{
    struct vec v = {iov, 0, max};
    bool start_kept = start_line_untouched(m);
    char *written = arena_alloc(m->arena, written_len(m, start_kept)), *next = written;

    if (start_kept) {
        vec_add(&v, m->method_text.ptr, start_line_len(m));
    } else {
        next = put_start_line(m, written);
        vec_add(&v, written, (size_t)(next - written));
    }
    for (unsigned i = 0; i < m->nhdrs; i++) {
        const struct http_hdr *h = &m->hdrs[i];
        if (h->name.ptr == NULL)
            continue;
        if (field_untouched(m, h)) {
            vec_add(&v, h->name.ptr, field_len(h));
        } else {
            char *from = next;
            next = put_field(h, from);
            vec_add(&v, from, (size_t)(next - from));
        }
    }
    if (ends_with_fields(m, &v))
        vec_add(&v, m->head + m->head_len - 2, 2);
    else
        vec_add(&v, memcpy(next, "\r\n", 2), 2);
    return v.n <= max ? v.n : -1;
}

size_t h1_chunk_header(uint64_t n, char *dst)
{
    static const char digits[] = "0123456789abcdef";
    unsigned shift = 60;
    size_t len = 0;
    while (shift > 0 && n >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        dst[len++] = digits[n >> shift & 15];
        if (shift == 0)
            break;
    }
    dst[len++] = '\r';
    dst[len++] = '\n';
    return len;
}
