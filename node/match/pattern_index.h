// SPDX-License-Identifier: Apache-2.0
// The structures behind pattern.h: text, number ranges, address prefixes. Each is built once from keys that carry the
// number of their entry, and then only read. Internal to node/match.
#ifndef PHX_MATCH_PATTERN_INDEX_H
#define PHX_MATCH_PATTERN_INDEX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/types.h"
#include "node/base/arena.h"
#include "node/base/str.h"

// Few keys are compared one by one: cheaper than hashing up to here.
#define PATTERN_FEW  8
#define PATTERN_NONE (-1)

// ---- text (pattern_text.c)

struct text_key {
    const char *ptr;
    uint32_t len;
    uint32_t entry;
};

struct text_slot {
    uint32_t hash; // other half than the one that chose the slot: spares most look-ups the key
    uint32_t key;  // + 1, 0 = free
};

struct text_index {
    enum match_method method;
    bool nocase; // then keys are in lower case
    struct text_key *keys;
    unsigned count;
    // STR, BEG, END with many keys: a hash table over the keys, probed once for each length that occurs.
    struct text_slot *slots;
    uint32_t mask;
    uint32_t *lens; // distinct, longest first
    unsigned nlens;
};

// `keys` in order of the text, in the arena; is reordered.
void text_index_build(struct text_index *x, struct arena *arena, enum match_method method, bool nocase,
                      struct text_key *keys, unsigned count);
// The entry, or PATTERN_NONE.
int64_t text_index_find(const struct text_index *x, struct str subject);

// ---- integers (pattern_range.c)

struct range_key {
    int64_t low, high;
    uint32_t entry;
};
struct range_index {
    struct range_key *keys;
    unsigned count;
    bool sorted; // and free of overlaps: binary search
};

bool range_parse(struct str text, int64_t *low, int64_t *high);
void range_index_build(struct range_index *x, struct range_key *keys, unsigned count);
int64_t range_index_find(const struct range_index *x, int64_t v);

// ---- addresses (pattern_ip.c)

typedef unsigned __int128 u128;

struct ip_key {
    u128 first, last; // IPv4: the 32 low bits
    uint32_t entry;
    bool v6;
};
// Nested prefixes cut into the intervals in which one of them is the finest: starts ascending, and for each interval
// the entry + 1, 0 = none.
struct ip_index {
    uint32_t *start4, *entry4;
    unsigned count4;
    u128 *start6;
    uint32_t *entry6;
    unsigned count6;
};

// "1.2.3.4", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "127.1" (short form, see the manual), "2001:db8::/32". No names.
bool ip_parse(struct str text, struct ip_key *out);
void ip_index_build(struct ip_index *x, struct arena *arena, struct ip_key *keys, unsigned count);
int64_t ip_index_find4(const struct ip_index *x, struct in_addr a);
int64_t ip_index_find6(const struct ip_index *x, const struct in6_addr *a);

// IPv4 inside IPv6: ::ffff:A, ::A, 2002:A:: (sample.c).
bool ip_v4_in_v6(const struct in6_addr *a, struct in_addr *out);

#endif
