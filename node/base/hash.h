// SPDX-License-Identifier: Apache-2.0
// Hashes over bytes (XXH3, from libxxhash) and a string map for names. The map borrows its keys; not thread safe.
#ifndef PHX_BASE_HASH_H
#define PHX_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "node/base/str.h"

uint64_t hash64(const void *data, size_t len, uint64_t seed);
// Spreads an integer; a bijection.
uint64_t hash_mix64(uint64_t x);

struct strmap_slot {
    struct str key; // ptr NULL = free
    void *value;
};
struct strmap {
    struct strmap_slot *slots;
    size_t count, cap;
    bool nocase;
};

void *strmap_get(const struct strmap *m, struct str key); // NULL when absent
// Replaces; returns the old value or NULL. The key's bytes must outlive the map. value must not be NULL.
void *strmap_put(struct strmap *m, struct str key, void *value);
void *strmap_remove(struct strmap *m, struct str key);
void strmap_free(struct strmap *m);

#endif
