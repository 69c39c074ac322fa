// SPDX-License-Identifier: Apache-2.0
// XXH3 over bytes, and a string map with linear probing whose deletions move the followers back, so that it has no
// tombstones.
#include "node/base/hash.h"

#include <stdlib.h>
#include <xxhash.h>

#include "node/base/panic.h"

uint64_t hash64(const void *data, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, len, seed);
}

uint64_t hash_mix64(uint64_t x)
{
    // The finalizer of splitmix64: each step is invertible.
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    x ^= x >> 31;
    return x;
}

static uint64_t hash_nocase(struct str key)
{
    uint64_t hash = 0;
    char lower[64];
    for (size_t at = 0; at < key.len; at += sizeof(lower)) {
        struct str part = str_slice(key, at, sizeof(lower));
        for (size_t i = 0; i < part.len; i++)
            lower[i] = str_lower(part.ptr[i]);
        hash = hash64(lower, part.len, hash);
    }
    return hash;
}

static size_t home_of(const struct strmap *m, struct str key)
{
    uint64_t hash = m->nocase ? hash_nocase(key) : hash64(key.ptr ? key.ptr : "", key.len, 0);
    return (size_t)hash & (m->cap - 1);
}

// The slot of key, or the free one where it belongs. The map has at least one free slot.
static struct strmap_slot *find_slot(const struct strmap *m, struct str key)
{
    for (size_t i = home_of(m, key);; i = (i + 1) & (m->cap - 1)) {
        struct strmap_slot *slot = &m->slots[i];
        if (!slot->value || (m->nocase ? str_eq_nocase(slot->key, key) : str_eq(slot->key, key)))
            return slot;
    }
}

void *strmap_get(const struct strmap *m, struct str key)
{
    return m->cap ? find_slot(m, key)->value : NULL;
}

static void grow(struct strmap *m)
{
    struct strmap old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = calloc(m->cap, sizeof(*m->slots));
    if (!m->slots)
        PANIC("out of memory: map of %zu slots", m->cap);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            *find_slot(m, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

void *strmap_put(struct strmap *m, struct str key, void *value)
{
    ASSERT(value != NULL);
    if ((m->count + 1) * 4 > m->cap * 3)
        grow(m);
    struct strmap_slot *slot = find_slot(m, key);
    void *old = slot->value;
    if (!old)
        m->count++;
    // An empty key may come without a pointer, which would mark the slot free for those who walk over the slots.
    slot->key = key.ptr ? key : STR("");
    slot->value = value;
    return old;
}

void *strmap_remove(struct strmap *m, struct str key)
{
    if (m->cap == 0)
        return NULL;
    struct strmap_slot *slot = find_slot(m, key);
    void *old = slot->value;
    if (!old)
        return NULL;
    m->count--;
    size_t mask = m->cap - 1, hole = (size_t)(slot - m->slots);
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        // An entry may move into the hole unless its home lies behind the hole.
        size_t home = home_of(m, m->slots[i].key);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct strmap_slot){STR_NONE, NULL};
    return old;
}

void strmap_free(struct strmap *m)
{
    free(m->slots);
    *m = (struct strmap){.nocase = m->nocase};
}
