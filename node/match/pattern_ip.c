// SPDX-License-Identifier: Apache-2.0
// Address patterns: prefixes nest, so they are cut once into disjoint intervals, each with the finest prefix that
// covers it. A look-up is one binary search, whatever the mix of lengths.
#include <arpa/inet.h>
#include <stdlib.h>

#include "node/match/pattern_index.h"

// ---- parsing

static u128 key_of4(struct in_addr a)
{
    return ntohl(a.s_addr);
}

static u128 key_of6(const struct in6_addr *a)
{
    u128 key = 0;
    for (int i = 0; i < 16; i++)
        key = key << 8 | a->s6_addr[i];
    return key;
}

// Bits of a dotted mask; false when it has holes.
static bool dotted_mask(const char *text, unsigned *bits)
{
    struct in_addr mask;
    if (inet_pton(AF_INET, text, &mask) != 1)
        return false;
    uint32_t m = ntohl(mask.s_addr);
    *bits = m ? 32 - (unsigned)__builtin_ctz(m) : 0;
    return m == (*bits ? ~0u << (32 - *bits) : 0);
}

static bool mask_parse(const char *text, bool v6, unsigned *bits)
{
    uint64_t n;
    if (str_to_u64(str_of(text), &n) && n <= (v6 ? 128u : 32u)) {
        *bits = (unsigned)n;
        return true;
    }
    return !v6 && dotted_mask(text, bits);
}

bool ip_parse(struct str text, struct ip_key *out)
{
    char copy[INET6_ADDRSTRLEN + 20];
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    str_copy(copy, sizeof(copy), text);
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    bool v6 = strchr(copy, ':') != NULL;
    unsigned width = v6 ? 128 : 32, bits = width;
    if (slash && !mask_parse(slash + 1, v6, &bits))
        return false;
    struct in_addr a4;
    struct in6_addr a6;
    u128 key;
    if (v6) {
        if (inet_pton(AF_INET6, copy, &a6) != 1)
            return false;
        key = key_of6(&a6);
    } else {
        // inet_aton() knows the short forms of the manual, but also octal and hexadecimal, which nobody means.
        if (strspn(copy, "0123456789.") != strlen(copy) || inet_aton(copy, &a4) != 1)
            return false;
        key = key_of4(a4);
    }
    u128 all = v6 ? ~(u128)0 : (u128)UINT32_MAX;
    u128 host = bits == width ? 0 : all >> bits;
    out->first = key & ~host;
    out->last = key | host;
    out->v6 = v6;
    return true;
}

// ---- cutting into intervals

static int outer_first(const void *a, const void *b)
{
    const struct ip_key *x = a, *y = b;
    if (x->v6 != y->v6)
        return x->v6 ? 1 : -1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->last != y->last)
        return x->last > y->last ? -1 : 1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

struct cutter {
    u128 *starts;
    uint32_t *entries;
    unsigned count;
};

static void cut(struct cutter *c, u128 start, uint32_t entry)
{
    if (c->count && c->starts[c->count - 1] == start)
        c->count--;
    if (c->count && c->entries[c->count - 1] == entry)
        return;
    c->starts[c->count] = start;
    c->entries[c->count++] = entry;
}

// Keys of one family, outer prefixes first. The stack holds the prefixes around the current place.
static void cut_all(struct cutter *c, struct arena *arena, const struct ip_key *keys, unsigned count, u128 end)
{
    const struct ip_key **stack = ARENA_ARRAY(arena, const struct ip_key *, count ? count : 1);
    unsigned depth = 0;
    cut(c, 0, 0);
    for (unsigned i = 0; i <= count; i++) {
        while (depth && (i == count || stack[depth - 1]->last < keys[i].first)) {
            u128 last = stack[--depth]->last;
            if (last != end)
                cut(c, last + 1, depth ? stack[depth - 1]->entry + 1 : 0);
        }
        if (i == count)
            break;
        bool duplicate = depth && stack[depth - 1]->first == keys[i].first && stack[depth - 1]->last == keys[i].last;
        if (duplicate)
            continue;
        stack[depth++] = &keys[i];
        cut(c, keys[i].first, keys[i].entry + 1);
    }
}

void ip_index_build(struct ip_index *x, struct arena *arena, struct ip_key *keys, unsigned count)
{
    *x = (struct ip_index){0};
    if (count)
        qsort(keys, count, sizeof(*keys), outer_first);
    unsigned count4 = 0;
    while (count4 < count && !keys[count4].v6)
        count4++;
    unsigned most = 2 * count + 2;
    struct cutter c = {ARENA_ARRAY(arena, u128, most), ARENA_ARRAY(arena, uint32_t, most), 0};
    cut_all(&c, arena, keys, count4, UINT32_MAX);
    x->count4 = c.count;
    x->entry4 = arena_memdup(arena, c.entries, c.count * sizeof(uint32_t));
    x->start4 = ARENA_ARRAY(arena, uint32_t, c.count);
    for (unsigned i = 0; i < c.count; i++)
        x->start4[i] = (uint32_t)c.starts[i];
    c.count = 0;
    cut_all(&c, arena, keys + count4, count - count4, ~(u128)0);
    x->start6 = c.starts;
    x->entry6 = c.entries;
    x->count6 = c.count;
}

// ---- looking up: the last interval that starts at or below the address; the first starts at 0

int64_t ip_index_find4(const struct ip_index *x, struct in_addr a)
{
    uint32_t key = ntohl(a.s_addr);
    unsigned from = 0;
    for (unsigned left = x->count4; left > 1;) {
        unsigned half = left / 2;
        from += x->start4[from + half] <= key ? half : 0;
        left -= half;
    }
    return (int64_t)x->entry4[from] - 1;
}

int64_t ip_index_find6(const struct ip_index *x, const struct in6_addr *a)
{
    u128 key = key_of6(a);
    unsigned from = 0;
    for (unsigned left = x->count6; left > 1;) {
        unsigned half = left / 2;
        from += x->start6[from + half] <= key ? half : 0;
        left -= half;
    }
    return (int64_t)x->entry6[from] - 1;
}
