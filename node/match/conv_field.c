// SPDX-License-Identifier: Apache-2.0
// Converters that find a part of structured text: fields, words, parameters, host names, languages.
#include "node/match/conv.h"

static bool is_delim(char byte, struct str delims)
{
    return str_find_char(delims, byte) >= 0;
}

// ---- fields: between any two delimiters there is one, be it empty. Index and count are counted from 1, from the end
// when the index is negative; count 0 = all that follow (precede).

static size_t field_end(struct str s, size_t from, struct str delims)
{
    while (from < s.len && !is_delim(s.ptr[from], delims))
        from++;
    return from;
}

static bool field_forward(struct str s, struct str delims, int64_t index, int64_t count, struct str *out)
{
    size_t start = 0;
    for (; index > 1; index--) {
        start = field_end(s, start, delims);
        if (start == s.len)
            return false;
        start++;
    }
    size_t end = field_end(s, start, delims);
    if (count == 0)
        end = s.len;
    for (; count > 1 && end < s.len; count--)
        end = field_end(s, end + 1, delims);
    *out = str_slice(s, start, end - start);
    return true;
}

// The start of the field that ends before `end`.
static size_t field_start(struct str s, size_t end, struct str delims)
{
    while (end > 0 && !is_delim(s.ptr[end - 1], delims))
        end--;
    return end;
}

static bool field_backward(struct str s, struct str delims, int64_t index, int64_t count, struct str *out)
{
    size_t end = s.len;
    for (; index > 1; index--) {
        end = field_start(s, end, delims);
        if (end == 0)
            return false;
        end--;
    }
    size_t start = field_start(s, end, delims);
    if (count == 0)
        start = 0;
    for (; count > 1 && start > 0; count--)
        start = field_start(s, start - 1, delims);
    *out = str_slice(s, start, end - start);
    return true;
}

CONV(field)
{
    int64_t index = args[0].num, count = arg_num(args, nargs, 2, 1);
    return index > 0 ? field_forward(s->str, args[1].text, index, count, &s->str)
                     : field_backward(s->str, args[1].text, -index, count, &s->str);
}

// ---- words: runs of delimiters are one. What is not there is empty. Count 0 goes to the very end (start), delimiters
// included.

static size_t skip_delims(struct str s, size_t from, struct str delims)
{
    while (from < s.len && is_delim(s.ptr[from], delims))
        from++;
    return from;
}

static struct str word_forward(struct str s, struct str delims, int64_t index, int64_t count)
{
    size_t start = skip_delims(s, 0, delims);
    for (; index > 1; index--)
        start = skip_delims(s, field_end(s, start, delims), delims);
    size_t end = count == 0 ? s.len : field_end(s, start, delims);
    for (; count > 1; count--) {
        size_t next = skip_delims(s, end, delims);
        if (next == s.len)
            break;
        end = field_end(s, next, delims);
    }
    return str_slice(s, start, end - start);
}

static size_t skip_delims_back(struct str s, size_t end, struct str delims)
{
    while (end > 0 && is_delim(s.ptr[end - 1], delims))
        end--;
    return end;
}

static struct str word_backward(struct str s, struct str delims, int64_t index, int64_t count)
{
    size_t end = skip_delims_back(s, s.len, delims);
    for (; index > 1; index--)
        end = skip_delims_back(s, field_start(s, end, delims), delims);
    size_t start = count == 0 ? 0 : field_start(s, end, delims);
    for (; count > 1; count--) {
        size_t next = skip_delims_back(s, start, delims);
        if (next == 0)
            break;
        start = field_start(s, next, delims);
    }
    return str_slice(s, start, end - start);
}

CONV(word)
{
    int64_t index = args[0].num, count = arg_num(args, nargs, 2, 1);
    s->str = index > 0 ? word_forward(s->str, args[1].text, index, count)
                       : word_backward(s->str, args[1].text, -index, count);
    return true;
}

// ---- parameters

// A delimiter is one character, or 0xHH.
static char delimiter_of(struct str text)
{
    if (text.len == 4 && str_starts_nocase(text, STR("0x"))) {
        static const char digits[] = "0123456789abcdef";
        const char *high = memchr(digits, str_lower(text.ptr[2]), 16),
                   *low = memchr(digits, str_lower(text.ptr[3]), 16);
        if (high != NULL && low != NULL)
            return (char)((high - digits) << 4 | (low - digits));
    }
    return text.len != 0 ? text.ptr[0] : '&';
}

// A name without '=' has an empty value.
CONV(param)
{
    struct str rest = s->str, item, name = args[0].text;
    char delim = delimiter_of(arg_text(args, nargs, 1));
    while (str_split(&rest, delim, &item)) {
        if (!str_starts(item, name))
            continue;
        if (item.len == name.len || item.ptr[name.len] == '=') {
            s->str = str_slice(item, name.len + 1, SIZE_MAX);
            return true;
        }
    }
    return false;
}

// ---- hosts: "host", "host:80", "[::1]:80"

// The length without ":port"; a colon within brackets belongs to the address.
static size_t host_len(struct str s)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == ':')
            return i - 1;
        if (s.ptr[i - 1] == ']')
            break;
    }
    return s.len;
}

CONV(host_only)
{
    s->str.len = host_len(s->str);
    return conv_lower(c, args, nargs, s);
}

CONV(port_only)
{
    struct str port = str_slice(s->str, host_len(s->str) + 1, SIZE_MAX);
    uint64_t number = 0;
    if (!str_to_u64(port, &number) || number > INT64_MAX)
        number = 0;
    conv_give_int(s, (int64_t)number);
    return true;
}

// "a.b.c" is "c.b.a". A trailing dot is dropped, an empty label is none.
CONV(reverse_dom)
{
    struct str name = s->str, label;
    if (name.len != 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    char *out = arena_alloc(c->arena, name.len), *at = out + name.len;
    if (name.len == 0)
        return false;
    for (struct str rest = name; str_split(&rest, '.', &label);) {
        if (label.len == 0)
            return false;
        at -= label.len;
        memcpy(at, label.ptr, label.len);
        if (rest.ptr != NULL)
            *--at = '.';
    }
    conv_give_made(s, TYPE_STR, out, name.len);
    return true;
}

// ---- languages (RFC 9110 12.5.4)

enum { QUALITY_MAX = 1000 };

// ";q=0.123" in thousandths. What cannot be read counts as 1.
static int quality_of(struct str params)
{
    struct str param;
    while (str_split(&params, ';', &param)) {
        param = str_trim(param);
        if (!str_starts_nocase(param, STR("q=")) || param.len < 3)
            continue;
        struct str q = str_slice(param, 2, SIZE_MAX);
        if (q.ptr[0] != '0')
            return QUALITY_MAX;
        int value = 0, unit = 100;
        for (size_t i = 2; i < q.len && unit > 0 && q.ptr[i] >= '0' && q.ptr[i] <= '9'; i++, unit /= 10)
            value += (q.ptr[i] - '0') * unit;
        return value;
    }
    return QUALITY_MAX;
}

// The wanted language that a range of the field means: the very same one, else that without its variant.
static bool find_language(struct str wanted, struct str range, struct str *out)
{
    ptrdiff_t dash = str_find_char(range, '-');
    struct str base = dash < 0 ? range : str_slice(range, 0, (size_t)dash), one;
    bool found = false;
    while (str_split(&wanted, ';', &one)) {
        if (str_eq(one, range)) {
            *out = one;
            return true;
        }
        if (str_eq(one, base)) {
            *out = one;
            found = true;
        }
    }
    return found;
}

CONV(language)
{
    struct str rest = s->str, item, best = STR_NONE, language;
    int best_quality = 0;
    while (http_list_next(&rest, &item)) {
        struct str params = item, range;
        str_split(&params, ';', &range);
        int quality = quality_of(params);
        if (quality > best_quality && find_language(args[0].text, str_trim(range), &language)) {
            best = language;
            best_quality = quality;
        }
    }
    if (best.ptr == NULL && !arg_given(args, nargs, 1))
        return false;
    conv_give_const(s, best.ptr != NULL ? best : args[1].text);
    return true;
}
