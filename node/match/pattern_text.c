// SPDX-License-Identifier: Apache-2.0
// Text patterns: exact, prefix and suffix through one hash table that is probed once a length; words between delimiters
// and substrings one by one.
#include <stdlib.h>

#include "node/base/hash.h"
#include "node/match/pattern_index.h"

#define LOWER_MAX 256 // longer subjects are compared key by key when case is ignored

static bool is_delimiter(enum match_method m, char c)
{
    if (c == '/' || c == '?')
        return true;
    return m == MATCH_DOM && (c == '.' || c == ':');
}

// ---- building

static struct text_key strip_delimiters(struct text_key k, enum match_method m)
{
    while (k.len && is_delimiter(m, k.ptr[0])) {
        k.ptr++;
        k.len--;
    }
    while (k.len && is_delimiter(m, k.ptr[k.len - 1]))
        k.len--;
    return k;
}

static const char *lower_copy(struct arena *arena, struct text_key k)
{
    char *copy = arena_alloc(arena, k.len + 1);
    for (uint32_t i = 0; i < k.len; i++)
        copy[i] = str_lower(k.ptr[i]);
    return copy;
}

static int longest_first(const void *a, const void *b)
{
    const struct text_key *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? 1 : -1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static bool key_is(const struct text_key *k, const char *ptr, size_t len)
{
    return k->len == len && memcmp(k->ptr, ptr, len) == 0;
}

// Keys come longest first and, within a length, in order of the text: the first of equal ones is kept.
static void build_table(struct text_index *x, struct arena *arena)
{
    uint32_t size = 16;
    while (size < x->count * 2)
        size *= 2;
    x->mask = size - 1;
    x->slots = ARENA_ARRAY(arena, struct text_slot, size);
    x->lens = ARENA_ARRAY(arena, uint32_t, x->count);
    for (uint32_t i = 0; i < x->count; i++) {
        const struct text_key *k = &x->keys[i];
        if (x->nlens == 0 || x->lens[x->nlens - 1] != k->len)
            x->lens[x->nlens++] = k->len;
        uint64_t hash = hash64(k->ptr, k->len, 0);
        uint32_t at = (uint32_t)hash & x->mask;
        while (x->slots[at].key && !key_is(&x->keys[x->slots[at].key - 1], k->ptr, k->len))
            at = (at + 1) & x->mask;
        if (!x->slots[at].key)
            x->slots[at] = (struct text_slot){(uint32_t)(hash >> 32), i + 1};
    }
}

void text_index_build(struct text_index *x, struct arena *arena, enum match_method method, bool nocase,
                      struct text_key *keys, unsigned count)
{
    *x = (struct text_index){.method = method, .nocase = nocase, .keys = keys, .count = count};
    for (unsigned i = 0; i < count; i++) {
        if (method == MATCH_DIR || method == MATCH_DOM)
            keys[i] = strip_delimiters(keys[i], method);
        if (nocase)
            keys[i].ptr = lower_copy(arena, keys[i]);
    }
    bool hashed = method == MATCH_STR || method == MATCH_BIN || method == MATCH_BEG || method == MATCH_END;
    if (method == MATCH_BEG || (hashed && count > PATTERN_FEW))
        qsort(keys, count, sizeof(*keys), longest_first);
    if (hashed && count > PATTERN_FEW)
        build_table(x, arena);
}

// ---- looking up

// `text` has the key's length.
static bool same(const struct text_key *k, const char *text, bool nocase)
{
    if (!nocase) // most keys differ in the first byte: no call for them
        return k->len == 0 || (k->ptr[0] == text[0] && memcmp(k->ptr, text, k->len) == 0);
    for (uint32_t i = 0; i < k->len; i++)
        if (k->ptr[i] != str_lower(text[i]))
            return false;
    return true;
}

// The key as a word of the subject: between delimiters or the subject's ends.
static bool has_word(const struct text_index *x, const struct text_key *k, struct str s)
{
    bool only_delimiters = true;
    for (size_t at = 0; at < s.len; at++) {
        if (is_delimiter(x->method, s.ptr[at]))
            continue;
        only_delimiters = false;
        if (k->len == 0 || s.len - at < k->len)
            return false;
        bool starts = at == 0 || is_delimiter(x->method, s.ptr[at - 1]);
        if (!starts || !same(k, s.ptr + at, x->nocase))
            continue;
        if (at + k->len == s.len || is_delimiter(x->method, s.ptr[at + k->len]))
            return true;
    }
    return k->len == 0 && only_delimiters;
}

static bool has_part(const struct text_index *x, const struct text_key *k, struct str s)
{
    if (!x->nocase || k->len == 0)
        return str_find(s, str_make(k->ptr, k->len)) >= 0;
    for (size_t at = 0; at + k->len <= s.len; at++)
        if (str_lower(s.ptr[at]) == k->ptr[0] && same(k, s.ptr + at, true))
            return true;
    return false;
}

static bool key_matches(const struct text_index *x, const struct text_key *k, struct str s)
{
    switch (x->method) {
    case MATCH_BEG:
        return k->len <= s.len && same(k, s.ptr, x->nocase);
    case MATCH_END:
        return k->len <= s.len && same(k, s.ptr + s.len - k->len, x->nocase);
    case MATCH_SUB:
        return has_part(x, k, s);
    case MATCH_DIR:
    case MATCH_DOM:
        return has_word(x, k, s);
    default:
        return k->len == s.len && same(k, s.ptr, x->nocase);
    }
}

static int64_t scan(const struct text_index *x, struct str s)
{
    uint32_t best = UINT32_MAX;
    for (unsigned i = 0; i < x->count; i++) {
        const struct text_key *k = &x->keys[i];
        if (k->entry >= best || !key_matches(x, k, s))
            continue;
        if (x->method != MATCH_END)
            return k->entry;
        best = k->entry; // suffixes may have been sorted by length, yet the first of the text counts
    }
    return best == UINT32_MAX ? PATTERN_NONE : (int64_t)best;
}

static int64_t probe(const struct text_index *x, const char *ptr, size_t len)
{
    uint64_t hash = hash64(ptr, len, 0);
    for (uint32_t at = (uint32_t)hash & x->mask; x->slots[at].key; at = (at + 1) & x->mask) {
        const struct text_key *k = &x->keys[x->slots[at].key - 1];
        if (x->slots[at].hash == (uint32_t)(hash >> 32) && key_is(k, ptr, len))
            return k->entry;
    }
    return PATTERN_NONE;
}

static int64_t probe_prefixes(const struct text_index *x, struct str s)
{
    for (unsigned i = 0; i < x->nlens; i++) {
        int64_t found = x->lens[i] <= s.len ? probe(x, s.ptr, x->lens[i]) : PATTERN_NONE;
        if (found >= 0)
            return found;
    }
    return PATTERN_NONE;
}

static int64_t probe_suffixes(const struct text_index *x, struct str s)
{
    int64_t first = PATTERN_NONE;
    for (unsigned i = 0; i < x->nlens; i++) {
        uint32_t len = x->lens[i];
        int64_t found = len <= s.len ? probe(x, s.ptr + s.len - len, len) : PATTERN_NONE;
        if (found >= 0 && (first < 0 || found < first))
            first = found;
    }
    return first;
}

static int64_t look_up(const struct text_index *x, struct str s)
{
    if (x->method == MATCH_BEG)
        return probe_prefixes(x, s);
    if (x->method == MATCH_END)
        return probe_suffixes(x, s);
    bool possible = s.len <= x->lens[0] && s.len >= x->lens[x->nlens - 1];
    return possible ? probe(x, s.ptr, s.len) : PATTERN_NONE;
}

int64_t text_index_find(const struct text_index *x, struct str s)
{
    if (!s.ptr)
        s = STR("");
    if (!x->slots)
        return scan(x, s);
    if (!x->nocase)
        return look_up(x, s);
    char lower[LOWER_MAX];
    if (s.len > sizeof(lower))
        return scan(x, s);
    for (size_t i = 0; i < s.len; i++)
        lower[i] = str_lower(s.ptr[i]);
    return look_up(x, str_make(lower, s.len));
}
