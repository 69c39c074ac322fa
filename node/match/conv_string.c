// SPDX-License-Identifier: Apache-2.0
// Converters of text: case, cutting, joining, comparing (configuration.txt 7.3.1).
#include "node/match/conv.h"
#include "node/match/regex.h"
#include "node/match/vars.h"

bool conv_var_text(struct match_ctx *c, const struct arg *a, struct str *out)
{
    struct sample value;
    return vars_read(c, a->scope, a->text, a->var_index, &value) && sample_text(c, &value, out);
}

static char *put(char *dst, struct str s)
{
    if (s.len != 0)
        memcpy(dst, s.ptr, s.len);
    return dst + s.len;
}

// ---- case

CONV(lower)
{
    char *out = arena_alloc(c->arena, s->str.len);
    for (size_t i = 0; i < s->str.len; i++)
        out[i] = str_lower(s->str.ptr[i]);
    conv_give_made(s, TYPE_STR, out, s->str.len);
    return true;
}

CONV(upper)
{
    char *out = arena_alloc(c->arena, s->str.len);
    for (size_t i = 0; i < s->str.len; i++) {
        char byte = s->str.ptr[i];
        out[i] = byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
    }
    conv_give_made(s, TYPE_STR, out, s->str.len);
    return true;
}

// ---- parts

CONV(length)
{
    conv_give_int(s, (int64_t)s->str.len);
    return true;
}

// An offset outside gives no bytes.
CONV(bytes)
{
    int64_t offset, length = INT64_MAX;
    if (!arg_int(c, &args[0], &offset) || (arg_given(args, nargs, 1) && !arg_int(c, &args[1], &length)))
        return false;
    if (offset < 0 || length < 0 || (uint64_t)offset >= s->str.len)
        s->str.len = 0;
    else
        s->str = str_slice(s->str, (size_t)offset, (size_t)length);
    return true;
}

static bool is_one_of(char byte, struct str set)
{
    return str_find_char(set, byte) >= 0;
}

CONV(ltrim)
{
    while (s->str.len != 0 && is_one_of(s->str.ptr[0], args[0].text))
        s->str = str_make(s->str.ptr + 1, s->str.len - 1);
    return true;
}

CONV(rtrim)
{
    while (s->str.len != 0 && is_one_of(s->str.ptr[s->str.len - 1], args[0].text))
        s->str.len--;
    return true;
}

CONV(cut_crlf)
{
    for (size_t i = 0; i < s->str.len; i++)
        if (s->str.ptr[i] == '\r' || s->str.ptr[i] == '\n')
            s->str.len = i;
    return true;
}

CONV(reverse)
{
    char *out = arena_alloc(c->arena, s->str.len);
    for (size_t i = 0; i < s->str.len; i++)
        out[i] = s->str.ptr[s->str.len - 1 - i];
    conv_give_made(s, TYPE_STR, out, s->str.len);
    return true;
}

// ---- joining

static void join(struct match_ctx *c, struct sample *s, struct str a, struct str b, struct str last)
{
    struct str first = s->str;
    size_t len = first.len + a.len + b.len + last.len;
    char *out = arena_alloc(c->arena, len);
    put(put(put(put(out, first), a), b), last);
    conv_give_made(s, TYPE_STR, out, len);
}

static struct str optional_var(struct match_ctx *c, const struct arg *args, unsigned nargs, unsigned i)
{
    struct str text;
    return arg_given(args, nargs, i) && conv_var_text(c, &args[i], &text) ? text : STR_NONE;
}

CONV(concat)
{
    join(c, s, arg_text(args, nargs, 0), optional_var(c, args, nargs, 1), arg_text(args, nargs, 2));
    return true;
}

// The delimiter goes between two things only.
CONV(add_item)
{
    struct str item = optional_var(c, args, nargs, 1), suffix = arg_text(args, nargs, 2);
    bool both = s->str.len != 0 && (item.len != 0 || suffix.len != 0);
    join(c, s, both ? args[0].text : STR_NONE, item, suffix);
    return true;
}

CONV(iif)
{
    conv_give_const(s, s->num ? args[0].text : args[1].text);
    return true;
}

// ---- comparing

CONV(regsub)
{
    struct str out;
    bool global = args[0].num & 2;
    if (regex_replace(args[0].regex, s->str, args[1].text, global, c->arena, &out))
        conv_give_made(s, TYPE_STR, out.ptr, out.len);
    return true;
}

// As strcmp() does, the result is the difference of the first bytes that differ, else of the lengths.
CONV(strcmp)
{
    struct str other;
    if (!conv_var_text(c, &args[0], &other))
        return false;
    size_t common = s->str.len < other.len ? s->str.len : other.len;
    int64_t diff = 0;
    for (size_t i = 0; i < common && diff == 0; i++)
        diff = (unsigned char)s->str.ptr[i] - (unsigned char)other.ptr[i];
    if (diff == 0)
        diff = (int64_t)s->str.len - (int64_t)other.len;
    conv_give_int(s, diff);
    return true;
}

// The time depends on the lengths only.
CONV(secure_memcmp)
{
    struct str other;
    if (!conv_var_text(c, &args[0], &other))
        return false;
    unsigned char diff = s->str.len != other.len;
    for (size_t i = 0; i < s->str.len && i < other.len; i++)
        diff |= (unsigned char)(s->str.ptr[i] ^ other.ptr[i]);
    conv_give_bool(s, diff == 0);
    return true;
}

// Bits 0 to 31 of the mask stand for the characters of these numbers, bit 32 for DEL.
static bool control_mask(struct str text, uint64_t *mask)
{
    static const uint64_t any = 0x1ffffffff, http = 0x2401, but_tab = any & ~((uint64_t)1 << '\t');
    if (text.len == 0) {
        *mask = but_tab;
    } else if (str_is(text, "any")) {
        *mask = any;
    } else if (str_is(text, "http")) {
        *mask = http;
    } else if (str_starts_nocase(text, STR("0x"))) {
        *mask = 0;
        for (size_t i = 2; i < text.len; i++) {
            char digit = str_lower(text.ptr[i]);
            bool letter = digit >= 'a' && digit <= 'f';
            if (!letter && (digit < '0' || digit > '9'))
                return false;
            *mask = *mask << 4 | (uint64_t)(letter ? digit - 'a' + 10 : digit - '0');
        }
    } else {
        return str_to_u64(text, mask);
    }
    return true;
}

CONV(has_ctl)
{
    uint64_t mask;
    bool found = false;
    if (!control_mask(arg_text(args, nargs, 0), &mask))
        return false;
    for (size_t i = 0; i < s->str.len && !found; i++) {
        unsigned char byte = (unsigned char)s->str.ptr[i];
        found = byte < 32 ? mask >> byte & 1 : byte == 0x7f && mask >> 32 & 1;
    }
    conv_give_bool(s, found);
    return true;
}

// ---- captures: the value goes on and is kept in the slot

CONV(capture_req)
{
    if (c->req_caps == NULL)
        return false;
    c->req_caps[args[0].num] = arena_str(c->arena, s->str);
    return true;
}

CONV(capture_res)
{
    if (c->res_caps == NULL)
        return false;
    c->res_caps[args[0].num] = arena_str(c->arena, s->str);
    return true;
}
