// SPDX-License-Identifier: Apache-2.0
// Converters between bytes and their text forms: base64, digits, percent-encoding.
#include <stdio.h>

#include "node/http/uri.h"
#include "node/match/conv.h"

// ---- base64 (RFC 4648)

static const char standard_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(struct str in, const char *alphabet, bool pad, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i += 3) {
        size_t bytes = in.len - i < 3 ? in.len - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < bytes ? (unsigned char)in.ptr[i + k] : 0);
        for (size_t k = 0; k <= bytes; k++)
            out[n++] = alphabet[group >> (18 - 6 * k) & 63];
        for (size_t k = bytes; k < 3 && pad; k++)
            out[n++] = '=';
    }
    return n;
}

static int sextet(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
}

bool base64_decode(struct str in, bool url, char *dst, size_t *n)
{
    if (!url && in.len % 4 != 0)
        return false;
    for (int pads = 0; pads < 2 && in.len != 0 && in.ptr[in.len - 1] == '='; pads++)
        in.len--;
    if (in.len % 4 == 1)
        return false;
    uint32_t bits = 0;
    *n = 0;
    for (size_t i = 0; i < in.len; i++) {
        int v = sextet(in.ptr[i], url);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4 != 0)
            dst[(*n)++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return true;
}

static bool give_encoded(struct match_ctx *c, const char *alphabet, bool pad, struct sample *s)
{
    char *out = arena_alloc(c->arena, s->str.len / 3 * 4 + 4);
    conv_give_made(s, TYPE_STR, out, encode(s->str, alphabet, pad, out));
    return true;
}

static bool give_decoded(struct match_ctx *c, bool url, struct sample *s)
{
    size_t n;
    char *out = arena_alloc(c->arena, s->str.len / 4 * 3 + 3);
    if (!base64_decode(s->str, url, out, &n))
        return false;
    conv_give_made(s, TYPE_BIN, out, n);
    return true;
}

CONV(base64)
{
    return give_encoded(c, standard_alphabet, true, s);
}

CONV(ub64enc)
{
    return give_encoded(c, url_alphabet, false, s);
}

CONV(b64dec)
{
    return give_decoded(c, false, s);
}

CONV(ub64dec)
{
    return give_decoded(c, true, s);
}

// ---- digits

static char *put_hex(char *dst, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    *dst++ = digits[byte >> 4];
    *dst++ = digits[byte & 15];
    return dst;
}

CONV(hex)
{
    char *out = arena_alloc(c->arena, s->str.len * 2), *end = out;
    for (size_t i = 0; i < s->str.len; i++)
        end = put_hex(end, (unsigned char)s->str.ptr[i]);
    conv_give_made(s, TYPE_STR, out, (size_t)(end - out));
    return true;
}

CONV(base2)
{
    char *out = arena_alloc(c->arena, s->str.len * 8), *end = out;
    for (size_t i = 0; i < s->str.len; i++)
        for (int bit = 7; bit >= 0; bit--)
            *end++ = (char)('0' + ((unsigned char)s->str.ptr[i] >> bit & 1));
    conv_give_made(s, TYPE_STR, out, (size_t)(end - out));
    return true;
}

// How bytes are cut into chunks: separator, bytes a chunk (0 = all in one), whether an incomplete last one is dropped.
struct chunking {
    struct str separator;
    size_t size;
    bool truncate;
};

static struct chunking chunking_of(const struct arg *args, unsigned nargs)
{
    return (struct chunking){arg_text(args, nargs, 0), (size_t)arg_num(args, nargs, 1, 0),
                             arg_num(args, nargs, 2, 0) != 0};
}

// The next chunk of *rest; false at the end.
static bool next_chunk(const struct chunking *how, struct str *rest, struct str *chunk)
{
    size_t size = how->size != 0 && how->size < rest->len ? how->size : rest->len;
    if (size == 0 || (how->truncate && size < how->size))
        return false;
    *chunk = str_make(rest->ptr, size);
    *rest = str_make(rest->ptr + size, rest->len - size);
    return true;
}

static char *put_separator(char *dst, const struct chunking *how, bool first)
{
    if (first || how->separator.len == 0)
        return dst;
    memcpy(dst, how->separator.ptr, how->separator.len);
    return dst + how->separator.len;
}

CONV(be2hex)
{
    struct chunking how = chunking_of(args, nargs);
    struct str rest = s->str, chunk;
    char *out = arena_alloc(c->arena, s->str.len * (2 + how.separator.len)), *end = out;
    while (next_chunk(&how, &rest, &chunk)) {
        end = put_separator(end, &how, chunk.ptr == s->str.ptr);
        for (size_t i = 0; i < chunk.len; i++)
            end = put_hex(end, (unsigned char)chunk.ptr[i]);
    }
    conv_give_made(s, TYPE_STR, out, (size_t)(end - out));
    return true;
}

static bool give_decimals(struct match_ctx *c, const struct arg *args, unsigned nargs, bool little, struct sample *s)
{
    enum { DIGITS_MAX = 20 };
    struct chunking how = chunking_of(args, nargs);
    struct str rest = s->str, chunk;
    char *out = arena_alloc(c->arena, s->str.len * (DIGITS_MAX + how.separator.len) + 1), *end = out;
    while (next_chunk(&how, &rest, &chunk)) {
        uint64_t v = 0;
        for (size_t i = 0; i < chunk.len; i++)
            v = v << 8 | (unsigned char)chunk.ptr[little ? chunk.len - 1 - i : i];
        end = put_separator(end, &how, chunk.ptr == s->str.ptr);
        end += snprintf(end, DIGITS_MAX + 1, "%llu", (unsigned long long)v);
    }
    conv_give_made(s, TYPE_STR, out, (size_t)(end - out));
    return true;
}

CONV(be2dec)
{
    return give_decimals(c, args, nargs, false, s);
}

CONV(le2dec)
{
    return give_decimals(c, args, nargs, true, s);
}

// ---- percent-encoding

// '+' is a space in a form; in an URI only behind the question mark.
CONV(url_dec)
{
    bool form = arg_num(args, nargs, 0, 0) != 0;
    ptrdiff_t mark = form ? -1 : str_find_char(s->str, '?');
    size_t plain = form ? 0 : mark < 0 ? s->str.len : (size_t)mark;
    struct str before, after;
    if (!uri_decode(str_slice(s->str, 0, plain), false, c->arena, &before) ||
        !uri_decode(str_slice(s->str, plain, SIZE_MAX), true, c->arena, &after))
        return false;
    char *out = arena_alloc(c->arena, before.len + after.len);
    memcpy(out, before.ptr, before.len);
    memcpy(out + before.len, after.ptr, after.len);
    conv_give_made(s, TYPE_STR, out, before.len + after.len);
    return true;
}

// RFC 3986 2.3
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

CONV(url_enc)
{
    char *out = arena_alloc(c->arena, s->str.len * 3), *end = out;
    for (size_t i = 0; i < s->str.len; i++) {
        char byte = s->str.ptr[i];
        if (is_unreserved(byte)) {
            *end++ = byte;
        } else {
            *end++ = '%';
            end = put_hex(end, (unsigned char)byte);
        }
    }
    conv_give_made(s, TYPE_STR, out, (size_t)(end - out));
    return true;
}
