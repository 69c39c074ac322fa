// SPDX-License-Identifier: Apache-2.0
// Slices: a pointer and a length that borrow somebody else's bytes, not NUL-terminated. Whoever hands one out says how
// long the bytes live.
#ifndef PHX_BASE_STR_H
#define PHX_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
// For printf: printf("%.*s", STR_ARG(s))
#define STR_ARG(s) ((int)(s).len), ((s).ptr ? (s).ptr : "")

static inline struct str str_of(const char *cstr)
{
    return cstr ? (struct str){cstr, strlen(cstr)} : STR_NONE;
}

static inline struct str str_make(const char *ptr, size_t len)
{
    return (struct str){ptr, len};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct str a, const char *cstr)
{
    return str_eq(a, str_of(cstr));
}

// ASCII case only, as HTTP and the configuration language want it.
bool str_eq_nocase(struct str a, struct str b);
bool str_is_nocase(struct str a, const char *cstr);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_ends_nocase(struct str s, struct str suffix);
int str_cmp(struct str a, struct str b);

// Index of the first match, or -1.
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_find_nocase(struct str s, struct str needle);

// Sub-slice clamped to s.
struct str str_slice(struct str s, size_t from, size_t len);
// Without SP and HTAB on both ends.
struct str str_trim(struct str s);
// Cuts the next piece before `sep` off *rest. False when *rest is used up (ptr NULL).
bool str_split(struct str *rest, char sep, struct str *piece);

// Whole slice must be a decimal number in range; false and *out untouched otherwise.
bool str_to_u64(struct str s, uint64_t *out);
bool str_to_i64(struct str s, int64_t *out);

// Copies at most size-1 bytes and terminates; returns dst.
char *str_copy(char *dst, size_t size, struct str s);
// malloc'd, NUL-terminated; never NULL.
char *str_dup(struct str s);

extern const unsigned char str_lower_table[256];
static inline char str_lower(char c)
{
    return (char)str_lower_table[(unsigned char)c];
}

#endif
