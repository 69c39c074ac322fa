// SPDX-License-Identifier: Apache-2.0
// Fetches of bytes: bodies in HTTP, buffers in TCP, the RDP cookie (configuration.txt 7.3.5).
#include "node/match/fetch.h"

static void give_bytes(struct str bytes, bool final, struct sample *out)
{
    *out = (struct sample){.type = TYPE_BIN, .may_change = !final, .constant = true};
    out->str = bytes.ptr != NULL ? bytes : STR("");
}

static void give_count(int64_t n, bool final, struct sample *out)
{
    sample_set_int(out, n);
    out->may_change = !final;
}

// ---- bodies, as far as they have arrived

FETCH(req_body)
{
    if (c->req == NULL)
        return EVAL_NONE;
    give_bytes(c->req_bytes, true, out);
    return EVAL_FOUND;
}

FETCH(res_body)
{
    if (c->res == NULL)
        return EVAL_NONE;
    give_bytes(c->res_bytes, true, out);
    return EVAL_FOUND;
}

FETCH(req_body_len)
{
    if (c->req == NULL)
        return EVAL_NONE;
    sample_set_int(out, (int64_t)c->req_bytes.len);
    return EVAL_FOUND;
}

FETCH(res_body_len)
{
    if (c->res == NULL)
        return EVAL_NONE;
    sample_set_int(out, (int64_t)c->res_bytes.len);
    return EVAL_FOUND;
}

// What is announced; of a chunked body only what has arrived is known.
static enum eval_result body_size(const struct http_msg *m, struct str bytes, struct sample *out)
{
    if (m == NULL)
        return EVAL_NONE;
    sample_set_int(out, m->body == BODY_LENGTH ? (int64_t)m->content_length : (int64_t)bytes.len);
    return EVAL_FOUND;
}

FETCH(req_body_size)
{
    return body_size(c->req, c->req_bytes, out);
}

FETCH(res_body_size)
{
    return body_size(c->res, c->res_bytes, out);
}

// ---- buffers. An HTTP proxy has none that would make sense here.

struct buffer {
    struct str bytes;
    bool final;
};

static bool buffer_of(const struct match_ctx *c, bool response, struct buffer *b)
{
    if (c->req != NULL || c->res != NULL)
        return false;
    *b = response ? (struct buffer){c->res_bytes, c->res_final} : (struct buffer){c->req_bytes, c->req_final};
    return true;
}

static enum eval_result buffer_len(const struct match_ctx *c, bool response, struct sample *out)
{
    struct buffer b;
    if (!buffer_of(c, response, &b))
        return EVAL_NONE;
    give_count((int64_t)b.bytes.len, b.final, out);
    return EVAL_FOUND;
}

FETCH(req_len)
{
    return buffer_len(c, false, out);
}

FETCH(res_len)
{
    return buffer_len(c, true, out);
}

static enum eval_result give_part(const struct buffer *b, uint64_t offset, uint64_t len, bool whole, struct sample *out)
{
    if (offset > b->bytes.len || len > b->bytes.len - offset)
        return b->final ? EVAL_NONE : EVAL_MORE;
    give_bytes(str_make(b->bytes.ptr + offset, (size_t)len), b->final || !whole, out);
    return EVAL_FOUND;
}

// Length 0: all from the offset on, which may still grow.
static enum eval_result payload(const struct match_ctx *c, bool response, const struct arg *args, struct sample *out)
{
    struct buffer b;
    if (!buffer_of(c, response, &b))
        return EVAL_NONE;
    uint64_t offset = (uint64_t)args[0].num, len = (uint64_t)args[1].num;
    bool whole = len == 0;
    if (whole && offset < b.bytes.len)
        len = b.bytes.len - offset;
    if (len == 0)
        return b.final ? EVAL_NONE : EVAL_MORE;
    return give_part(&b, offset, len, whole, out);
}

FETCH(payload)
{
    return payload(c, fetch_is_response(c), args, out);
}

FETCH(req_payload)
{
    return payload(c, false, args, out);
}

FETCH(res_payload)
{
    return payload(c, true, args, out);
}

// A block whose length stands in args[1] bytes at args[0]; it starts behind the length, or at args[2]: absolute, or
// with a sign relative to there.
static enum eval_result payload_lv(const struct match_ctx *c, bool response, const struct arg *args, unsigned nargs,
                                   struct sample *out)
{
    struct buffer b;
    if (!buffer_of(c, response, &b))
        return EVAL_NONE;
    uint64_t at = (uint64_t)args[0].num, size = (uint64_t)args[1].num, len = 0;
    if (at > b.bytes.len || size > b.bytes.len - at)
        return b.final ? EVAL_NONE : EVAL_MORE;
    for (uint64_t i = 0; i < size; i++)
        len = len << 8 | (unsigned char)b.bytes.ptr[at + i];
    if (len == 0)
        return EVAL_NONE;

    struct str text = arg_text(args, nargs, 2);
    int64_t start = (int64_t)(at + size), offset;
    if (text.len != 0) {
        bool relative = text.ptr[0] == '+' || text.ptr[0] == '-';
        if (!str_to_i64(text.ptr[0] == '+' ? str_slice(text, 1, SIZE_MAX) : text, &offset))
            return EVAL_NONE;
        start = relative ? start + offset : offset;
    }
    return start < 0 ? EVAL_NONE : give_part(&b, (uint64_t)start, len, false, out);
}

FETCH(payload_lv)
{
    return payload_lv(c, fetch_is_response(c), args, nargs, out);
}

FETCH(req_payload_lv)
{
    return payload_lv(c, false, args, nargs, out);
}

FETCH(res_payload_lv)
{
    return payload_lv(c, true, args, nargs, out);
}

// ---- RDP: TPKT (RFC 2126), an X.224 connection request, then "Cookie: NAME=VALUE\r\n"

enum { TPKT_LEN = 4, X224_LEN = 7, TPKT_VERSION = 3, X224_CONNECT = 0xe0 };

static enum eval_result find_rdp_cookie(const struct match_ctx *c, struct str wanted, struct str *value)
{
    static const struct str prefix = {"Cookie: ", 8};
    struct buffer b;
    if (!buffer_of(c, false, &b))
        return EVAL_NONE;
    enum eval_result incomplete = b.final ? EVAL_NONE : EVAL_MORE;
    const unsigned char *p = (const unsigned char *)b.bytes.ptr;
    if (b.bytes.len < TPKT_LEN + X224_LEN)
        return incomplete;
    size_t len = (size_t)(p[2] << 8 | p[3]);
    if (p[0] != TPKT_VERSION || p[1] != 0 || len < TPKT_LEN + X224_LEN || p[TPKT_LEN + 1] != X224_CONNECT)
        return EVAL_NONE;
    if (b.bytes.len < len)
        return incomplete;
    struct str text = str_make(b.bytes.ptr + TPKT_LEN + X224_LEN, len - TPKT_LEN - X224_LEN);
    ptrdiff_t end = str_find_char(text, '\r');
    if (!str_starts_nocase(text, prefix) || end < 0)
        return EVAL_NONE;
    text = str_make(text.ptr + prefix.len, (size_t)end - prefix.len);
    ptrdiff_t equals = str_find_char(text, '=');
    if (equals < 0 || (wanted.len != 0 && !str_eq_nocase(str_make(text.ptr, (size_t)equals), wanted)))
        return EVAL_NONE;
    *value = str_slice(text, (size_t)equals + 1, SIZE_MAX);
    return EVAL_FOUND;
}

FETCH(rdp_cookie)
{
    struct str value;
    enum eval_result r = find_rdp_cookie(c, arg_text(args, nargs, 0), &value);
    if (r == EVAL_FOUND)
        sample_set_str(out, value);
    return r;
}

// There is at most one.
FETCH(rdp_cookie_cnt)
{
    struct str value;
    enum eval_result r = find_rdp_cookie(c, arg_text(args, nargs, 0), &value);
    if (r == EVAL_MORE)
        return r;
    sample_set_int(out, r == EVAL_FOUND);
    return EVAL_FOUND;
}
