// SPDX-License-Identifier: Apache-2.0
// Fetches of a TLS hello that passes through a TCP proxy (RFC 8446 4.1.2, 5.1): read where it lies, never trusted. A
// hello that spans several records is not followed beyond the first.
#include "node/match/fetch.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_HEADER_LEN = 5,
    HANDSHAKE_HEADER_LEN = 4,
    HELLO_CLIENT = 1,
    HELLO_SERVER = 2,
    RANDOM_LEN = 32,
    EXT_SERVER_NAME = 0,
    EXT_SUPPORTED_GROUPS = 10,
    EXT_ALPN = 16,
    EXT_SESSION_TICKET = 35,
};

// A bounded walk over bytes; `bad` sticks.
struct reader {
    const unsigned char *p, *end;
    bool bad;
};

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

static unsigned read_int(struct reader *r, size_t bytes)
{
    unsigned v = 0;
    if (left(r) < bytes) {
        r->bad = true;
        return 0;
    }
    while (bytes-- > 0)
        v = v << 8 | *r->p++;
    return v;
}

// A vector with its length in `bytes` bytes in front.
static struct reader read_vector(struct reader *r, size_t bytes)
{
    size_t len = read_int(r, bytes);
    if (left(r) < len) {
        r->bad = true;
        len = 0;
    }
    struct reader v = {r->p, r->p + len, r->bad};
    r->p += len;
    return v;
}

struct hello {
    unsigned type;
    unsigned version; // as the record or the hello says, whichever is higher
    struct reader body;
};

// The record's handshake message. EVAL_MORE until all of it is here.
static enum eval_result read_hello(struct str bytes, bool final, struct hello *h)
{
    enum eval_result incomplete = final ? EVAL_NONE : EVAL_MORE;
    struct reader r = {(const unsigned char *)bytes.ptr, (const unsigned char *)bytes.ptr + bytes.len, false};
    if (bytes.len != 0 && *r.p != RECORD_HANDSHAKE)
        return EVAL_NONE;
    if (bytes.len < RECORD_HEADER_LEN + HANDSHAKE_HEADER_LEN)
        return incomplete;
    r.p++;
    h->version = read_int(&r, 2);
    unsigned record_len = read_int(&r, 2);
    if (h->version >> 8 != 3 || record_len < HANDSHAKE_HEADER_LEN)
        return EVAL_NONE;
    if (left(&r) < record_len)
        return incomplete;
    r.end = r.p + record_len;
    h->type = read_int(&r, 1);
    h->body = read_vector(&r, 3);
    return h->body.bad ? EVAL_NONE : EVAL_FOUND;
}

static enum eval_result request_hello(const struct match_ctx *c, struct hello *h)
{
    return c->req != NULL ? EVAL_NONE : read_hello(c->req_bytes, c->req_final, h);
}

static enum eval_result client_hello(const struct match_ctx *c, struct hello *h)
{
    enum eval_result r = request_hello(c, h);
    return r == EVAL_FOUND && h->type != HELLO_CLIENT ? EVAL_NONE : r;
}

// The data of an extension of the client's hello.
static enum eval_result find_extension(const struct match_ctx *c, unsigned wanted, struct reader *data)
{
    struct hello h;
    enum eval_result got = client_hello(c, &h);
    if (got != EVAL_FOUND)
        return got;
    struct reader *r = &h.body;
    if (left(r) < 2 + RANDOM_LEN)
        return EVAL_NONE;
    r->p += 2 + RANDOM_LEN;
    read_vector(r, 1); // session id
    read_vector(r, 2); // ciphers
    read_vector(r, 1); // compression
    struct reader extensions = read_vector(r, 2);
    if (r->bad)
        return EVAL_NONE;
    while (left(&extensions) >= 4) {
        unsigned type = read_int(&extensions, 2);
        *data = read_vector(&extensions, 2);
        if (data->bad)
            return EVAL_NONE;
        if (type == wanted)
            return EVAL_FOUND;
    }
    return EVAL_NONE;
}

static void set_bytes(struct sample *out, const struct reader *r)
{
    sample_set_str(out, str_make((const char *)r->p, left(r)));
}

FETCH(req_ssl_hello_type)
{
    struct hello h;
    enum eval_result r = request_hello(c, &h);
    if (r == EVAL_FOUND)
        sample_set_int(out, h.type);
    return r;
}

FETCH(res_ssl_hello_type)
{
    struct hello h;
    enum eval_result r = c->res != NULL ? EVAL_NONE : read_hello(c->res_bytes, c->res_final, &h);
    if (r == EVAL_FOUND)
        sample_set_int(out, h.type);
    return r;
}

// Major version in the upper 16 bits, minor below, as HAProxy's "3.1" patterns compare.
FETCH(req_ssl_ver)
{
    struct hello h;
    enum eval_result r = client_hello(c, &h);
    if (r != EVAL_FOUND)
        return r;
    unsigned version = read_int(&h.body, 2);
    if (h.body.bad)
        return EVAL_NONE;
    sample_set_int(out, (int64_t)(version >> 8) << 16 | (version & 0xff));
    return EVAL_FOUND;
}

// RFC 6066 3: the first name of type host_name.
FETCH(req_ssl_sni)
{
    struct reader data;
    enum eval_result r = find_extension(c, EXT_SERVER_NAME, &data);
    if (r != EVAL_FOUND)
        return r;
    struct reader list = read_vector(&data, 2);
    while (left(&list) >= 3) {
        unsigned type = read_int(&list, 1);
        struct reader name = read_vector(&list, 2);
        if (name.bad)
            return EVAL_NONE;
        if (type == 0) {
            set_bytes(out, &name);
            return EVAL_FOUND;
        }
    }
    return EVAL_NONE;
}

// RFC 7301: the protocols, joined with commas; for an ACL one after the other.
FETCH(req_ssl_alpn)
{
    struct reader data;
    enum eval_result r = find_extension(c, EXT_ALPN, &data);
    if (r != EVAL_FOUND)
        return r;
    struct reader list = read_vector(&data, 2);
    char *names = arena_alloc(c->arena, left(&list) + 1);
    size_t n = 0;
    unsigned skip = c->cursor != NULL ? c->cursor->pos++ : 0;
    if (c->cursor != NULL)
        c->cursor->more = false;
    while (left(&list) > 0) {
        struct reader name = read_vector(&list, 1);
        if (name.bad)
            return EVAL_NONE;
        if (c->cursor != NULL) {
            if (skip-- != 0)
                continue;
            c->cursor->more = left(&list) > 0;
            set_bytes(out, &name);
            return EVAL_FOUND;
        }
        if (n != 0)
            names[n++] = ',';
        memcpy(names + n, name.p, left(&name));
        n += left(&name);
    }
    if (c->cursor != NULL)
        return EVAL_NONE;
    *out = (struct sample){.type = TYPE_STR, .str = str_make(names, n)};
    return EVAL_FOUND;
}

FETCH(req_ssl_ec_ext)
{
    struct reader data;
    enum eval_result r = find_extension(c, EXT_SUPPORTED_GROUPS, &data);
    if (r == EVAL_FOUND)
        sample_set_bool(out, true);
    return r;
}

// 0: no ticket extension, 1: a ticket is asked for, 2: one is sent.
FETCH(req_ssl_st_ext)
{
    struct hello h;
    struct reader data;
    enum eval_result r = client_hello(c, &h);
    if (r != EVAL_FOUND)
        return r;
    r = find_extension(c, EXT_SESSION_TICKET, &data);
    sample_set_int(out, r != EVAL_FOUND ? 0 : left(&data) != 0 ? 2 : 1);
    return EVAL_FOUND;
}
