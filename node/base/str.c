// SPDX-License-Identifier: Apache-2.0
// Slices: comparing, searching, cutting and number reading, all by ASCII rules and without the locale.
#include "node/base/str.h"

#include <stdlib.h>

#include "node/base/panic.h"

#define ROW(a) (a), (a) + 1, (a) + 2, (a) + 3, (a) + 4, (a) + 5, (a) + 6, (a) + 7
const unsigned char str_lower_table[256] = {
    ROW(0),   ROW(8),   ROW(16),  ROW(24),  ROW(32),  ROW(40),  ROW(48),  ROW(56),  '@',      'a',
    'b',      'c',      'd',      'e',      'f',      'g',      ROW('h'), ROW('p'), 'x',      'y',
    'z',      '[',      '\\',     ']',      '^',      '_',      ROW(96),  ROW(104), ROW(112), ROW(120),
    ROW(128), ROW(136), ROW(144), ROW(152), ROW(160), ROW(168), ROW(176), ROW(184), ROW(192), ROW(200),
    ROW(208), ROW(216), ROW(224), ROW(232), ROW(240), ROW(248),
};
#undef ROW

static bool equal_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (str_lower(a[i]) != str_lower(b[i]))
            return false;
    return true;
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.len == b.len && equal_nocase(a.ptr, b.ptr, a.len);
}

bool str_is_nocase(struct str a, const char *cstr)
{
    return str_eq_nocase(a, str_of(cstr));
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_make(s.ptr, prefix.len), prefix);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && equal_nocase(s.ptr, prefix.ptr, prefix.len);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

bool str_ends_nocase(struct str s, struct str suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || equal_nocase(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len));
}

int str_cmp(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t str_find_char(struct str s, char c)
{
    const char *hit = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return hit ? hit - s.ptr : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    const char *hit = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return hit ? hit - s.ptr : -1;
}

ptrdiff_t str_find_nocase(struct str s, struct str needle)
{
    for (size_t at = 0; at + needle.len <= s.len; at++)
        if (needle.len == 0 || equal_nocase(s.ptr + at, needle.ptr, needle.len))
            return (ptrdiff_t)at;
    return -1;
}

struct str str_slice(struct str s, size_t from, size_t len)
{
    if (from >= s.len)
        return str_make(s.ptr ? s.ptr + s.len : NULL, 0);
    if (len > s.len - from)
        len = s.len - from;
    return str_make(s.ptr + from, len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *piece)
{
    if (rest->ptr == NULL)
        return false;
    ptrdiff_t at = str_find_char(*rest, sep);
    if (at < 0) {
        *piece = *rest;
        *rest = STR_NONE;
    } else {
        *piece = str_make(rest->ptr, (size_t)at);
        *rest = str_make(rest->ptr + at + 1, rest->len - (size_t)at - 1);
    }
    return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t magnitude;
    if (!str_to_u64(negative ? str_slice(s, 1, s.len) : s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    // Negated as unsigned, so that INT64_MIN does not overflow on its way.
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

char *str_copy(char *dst, size_t size, struct str s)
{
    ASSERT(size > 0);
    size_t len = s.len < size - 1 ? s.len : size - 1;
    if (len)
        memcpy(dst, s.ptr, len);
    dst[len] = '\0';
    return dst;
}

char *str_dup(struct str s)
{
    char *copy = malloc(s.len + 1);
    if (!copy)
        PANIC("out of memory: %zu bytes", s.len + 1);
    return str_copy(copy, s.len + 1, s);
}
