// SPDX-License-Identifier: Apache-2.0
// Fetches of header fields: values by occurrence or one after the other for ACLs, counts, names, the whole block.
#include "node/match/fetch.h"

typedef enum eval_result message_fn(struct match_ctx *c, struct http_msg **m);

// ---- values

// The value that the arguments (name, occurrence) mean: without an occurrence the last one, and for an ACL the next.
static bool next_value(struct match_ctx *c, struct http_msg *m, const struct arg *args, unsigned nargs, bool full,
                       struct str *value)
{
    struct str name = arg_text(args, nargs, 0);
    int64_t occurrence = arg_num(args, nargs, 1, 0);
    struct value_cursor *cursor = c->cursor;
    if (occurrence != 0 || cursor == NULL) {
        if (cursor != NULL)
            cursor->more = false;
        return http_hdr_value(m, name, occurrence != 0 ? (int)occurrence : -1, full, value);
    }
    cursor->more = http_hdr_next_value(m, name, full, &cursor->pos, &cursor->rest, value);
    return cursor->more;
}

static enum eval_result give_value(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                   bool full, struct sample *out)
{
    struct http_msg *m;
    struct str value;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    if (!next_value(c, m, args, nargs, full, &value))
        return EVAL_NONE;
    sample_set_str(out, value);
    return EVAL_FOUND;
}

FETCH(hdr)
{
    return give_value(c, fetch_message, args, nargs, false, out);
}

FETCH(req_hdr)
{
    return give_value(c, fetch_request, args, nargs, false, out);
}

FETCH(res_hdr)
{
    return give_value(c, fetch_response, args, nargs, false, out);
}

FETCH(req_fhdr)
{
    return give_value(c, fetch_request, args, nargs, true, out);
}

FETCH(res_fhdr)
{
    return give_value(c, fetch_response, args, nargs, true, out);
}

// An empty value counts as 0.
static enum eval_result give_number(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                    struct sample *out)
{
    enum eval_result r = give_value(c, message, args, nargs, false, out);
    if (r == EVAL_FOUND && !sample_cast(c, out, TYPE_INT))
        sample_set_int(out, 0);
    return r;
}

FETCH(req_hdr_val)
{
    return give_number(c, fetch_request, args, nargs, out);
}

FETCH(res_hdr_val)
{
    return give_number(c, fetch_response, args, nargs, out);
}

// ---- addresses

// "1.2.3.4", "1.2.3.4:80", "::1", "[::1]", "[::1]:80", also in quotes (RFC 7239 6).
static bool parse_node(struct str s, struct inet_addr *addr)
{
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        s = str_slice(s, 1, s.len - 2);
    if (s.len == 0)
        return false;
    if (s.ptr[0] == '[') {
        ptrdiff_t end = str_find_char(s, ']');
        struct str port = str_slice(s, (size_t)(end + 1), SIZE_MAX);
        uint64_t number;
        return end > 0 && inet_parse(str_slice(s, 1, (size_t)end - 1), addr) && addr->sa.sa_family == AF_INET6 &&
               (port.len == 0 ||
                (port.ptr[0] == ':' && str_to_u64(str_slice(port, 1, SIZE_MAX), &number) && number < 65536));
    }
    if (inet_parse(s, addr))
        return true;
    ptrdiff_t colon = str_find_char(s, ':');
    uint64_t port;
    return colon > 0 && str_to_u64(str_slice(s, (size_t)colon + 1, SIZE_MAX), &port) && port < 65536 &&
           inet_parse(str_slice(s, 0, (size_t)colon), addr) && addr->sa.sa_family == AF_INET;
}

// Values that are no addresses are passed over by an ACL.
static enum eval_result give_address(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                     struct sample *out)
{
    struct http_msg *m;
    struct str value;
    struct inet_addr addr;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    do {
        if (!next_value(c, m, args, nargs, false, &value))
            return EVAL_NONE;
        if (parse_node(value, &addr)) {
            sample_set_addr(out, &addr);
            return EVAL_FOUND;
        }
    } while (c->cursor != NULL && c->cursor->more);
    return EVAL_NONE;
}

FETCH(req_hdr_ip)
{
    return give_address(c, fetch_request, args, nargs, out);
}

FETCH(res_hdr_ip)
{
    return give_address(c, fetch_response, args, nargs, out);
}

// ---- counts

static enum eval_result give_count(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                   bool full, struct sample *out)
{
    struct http_msg *m;
    enum eval_result r = message(c, &m);
    if (r == EVAL_FOUND)
        sample_set_int(out, http_hdr_count(m, arg_text(args, nargs, 0), full));
    return r;
}

FETCH(req_hdr_cnt)
{
    return give_count(c, fetch_request, args, nargs, false, out);
}

FETCH(res_hdr_cnt)
{
    return give_count(c, fetch_response, args, nargs, false, out);
}

FETCH(req_fhdr_cnt)
{
    return give_count(c, fetch_request, args, nargs, true, out);
}

FETCH(res_fhdr_cnt)
{
    return give_count(c, fetch_response, args, nargs, true, out);
}

// ---- all fields. Names are written in lower case, as HAProxy's users know them.

static char *put_lower(char *dst, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        *dst++ = str_lower(s.ptr[i]);
    return dst;
}

static char *put(char *dst, struct str s)
{
    if (s.len != 0)
        memcpy(dst, s.ptr, s.len);
    return dst + s.len;
}

// Room for all fields with `extra` bytes each.
static char *room_for_fields(struct match_ctx *c, const struct http_msg *m, size_t extra)
{
    size_t size = extra;
    for (unsigned i = 0; i < m->nhdrs; i++)
        size += m->hdrs[i].name.len + m->hdrs[i].value.len + extra;
    return arena_alloc(c->arena, size);
}

static void set_made(struct sample *out, enum sample_type type, const char *from, const char *to)
{
    *out = (struct sample){.type = type, .str = str_make(from, (size_t)(to - from))};
}

static enum eval_result give_names(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                   struct sample *out)
{
    struct http_msg *m;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    struct str delim = arg_text(args, nargs, 0);
    char *names = room_for_fields(c, m, 1), *end = names;
    for (unsigned i = 0; i < m->nhdrs; i++) {
        if (m->hdrs[i].name.ptr == NULL)
            continue;
        if (end != names)
            *end++ = delim.len != 0 ? delim.ptr[0] : ',';
        end = put_lower(end, m->hdrs[i].name);
    }
    set_made(out, TYPE_STR, names, end);
    return EVAL_FOUND;
}

FETCH(req_hdr_names)
{
    return give_names(c, fetch_request, args, nargs, out);
}

FETCH(res_hdr_names)
{
    return give_names(c, fetch_response, args, nargs, out);
}

static enum eval_result give_block(struct match_ctx *c, message_fn *message, struct sample *out)
{
    struct http_msg *m;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    char *block = room_for_fields(c, m, 4), *end = block;
    for (unsigned i = 0; i < m->nhdrs; i++) {
        if (m->hdrs[i].name.ptr == NULL)
            continue;
        end = put(put_lower(end, m->hdrs[i].name), STR(": "));
        end = put(put(end, m->hdrs[i].value), STR("\r\n"));
    }
    end = put(end, STR("\r\n"));
    set_made(out, TYPE_BIN, block, end);
    return EVAL_FOUND;
}

FETCH(req_hdrs)
{
    return give_block(c, fetch_request, out);
}

FETCH(res_hdrs)
{
    return give_block(c, fetch_response, out);
}

// The variable-length integer of the SPOE protocol: below 240 one byte; else 4 bits in the first and 7 in each further
// byte, the first one's high bits set.
enum { VARINT_MAX = 10 };

static char *put_varint(char *dst, uint64_t v)
{
    if (v < 240) {
        *dst++ = (char)v;
        return dst;
    }
    *dst++ = (char)(v | 240);
    v = (v - 240) >> 4;
    while (v >= 128) {
        *dst++ = (char)(v | 128);
        v = (v - 128) >> 7;
    }
    *dst++ = (char)v;
    return dst;
}

static enum eval_result give_binary_block(struct match_ctx *c, message_fn *message, struct sample *out)
{
    struct http_msg *m;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    char *block = room_for_fields(c, m, 2 * VARINT_MAX), *end = block;
    for (unsigned i = 0; i < m->nhdrs; i++) {
        const struct http_hdr *h = &m->hdrs[i];
        if (h->name.ptr == NULL)
            continue;
        end = put_lower(put_varint(end, h->name.len), h->name);
        end = put(put_varint(end, h->value.len), h->value);
    }
    end = put_varint(put_varint(end, 0), 0);
    set_made(out, TYPE_BIN, block, end);
    return EVAL_FOUND;
}

FETCH(req_hdrs_bin)
{
    return give_binary_block(c, fetch_request, out);
}

FETCH(res_hdrs_bin)
{
    return give_binary_block(c, fetch_response, out);
}
