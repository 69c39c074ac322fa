// SPDX-License-Identifier: Apache-2.0
// Registers by (server, field) that merge by stamp. They are few (what an administrator touched), so they live in one
// array, with a map from names to their place.
#include "cluster/admin_state.h"

#include <stdlib.h>

#include "node/base/hash.h"
#include "node/base/panic.h"

#define WEIGHT_MAX 256

struct entry {
    char *name;
    struct admin_register fields[ADMIN_FIELD_COUNT]; // stamp 0 = never set
};

struct admin_state {
    struct hlc clock;
    struct entry **entries; // each its own allocation: names are keys of the map
    unsigned count, cap;    // of entries
    unsigned registers;
    uint64_t digest;
    struct strmap by_name;
};

struct admin_state *admin_state_create(void)
{
    struct admin_state *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    return s;
}

void admin_state_destroy(struct admin_state **state)
{
    struct admin_state *s = *state;
    *state = NULL;
    for (unsigned i = 0; i < s->count; i++) {
        free(s->entries[i]->name);
        free(s->entries[i]);
    }
    free(s->entries);
    strmap_free(&s->by_name);
    free(s);
}

static struct entry *add_entry(struct admin_state *s, struct str name)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->entries = realloc(s->entries, s->cap * sizeof(struct entry *));
        ASSERT(s->entries != NULL);
    }
    struct entry *e = calloc(1, sizeof(*e));
    ASSERT(e != NULL);
    e->name = str_dup(name);
    s->entries[s->count++] = e;
    strmap_put(&s->by_name, str_make(e->name, name.len), e);
    return e;
}

// The digest is a sum over registers, so that it does not depend on their order and is updated by one.
static uint64_t register_hash(const struct admin_register *r)
{
    uint64_t h = hash64(r->name.ptr, r->name.len, (uint64_t)r->field);
    return hash_mix64(h ^ hash_mix64(r->stamp) ^ (uint64_t)(uint32_t)r->value << 1);
}

static bool register_sane(const struct admin_register *r)
{
    if (r->name.len == 0 || r->name.len > CLUSTER_SERVER_NAME_MAX || r->stamp == 0)
        return false;
    switch (r->field) {
    case ADMIN_STATE:
        return r->value >= ADMIN_READY && r->value <= ADMIN_MAINT;
    case ADMIN_WEIGHT:
        return r->value >= 0 && r->value <= WEIGHT_MAX;
    default:
        return false;
    }
}

static void store(struct admin_state *s, struct admin_register *slot, struct str name, const struct admin_register *r)
{
    if (slot->stamp != 0)
        s->digest -= register_hash(slot);
    else
        s->registers++;
    *slot = *r;
    slot->name = name;
    s->digest += register_hash(slot);
}

enum admin_merge admin_state_merge(struct admin_state *s, const struct admin_register *r, int64_t wall_us,
                                   bool *changed)
{
    *changed = false;
    if (!register_sane(r) || !hlc_see(&s->clock, r->stamp, wall_us))
        return ADMIN_REFUSED;
    struct entry *e = strmap_get(&s->by_name, r->name);
    struct admin_register *slot = e ? &e->fields[r->field] : NULL;
    if (slot && (slot->stamp > r->stamp || (slot->stamp == r->stamp && slot->value >= r->value)))
        return ADMIN_OLDER;
    if ((slot == NULL || slot->stamp == 0) && s->registers >= ADMIN_REGISTERS_MAX)
        return ADMIN_REFUSED;
    if (e == NULL)
        e = add_entry(s, r->name);
    slot = &e->fields[r->field];
    *changed = slot->stamp == 0 || slot->value != r->value;
    store(s, slot, str_make(e->name, r->name.len), r);
    return ADMIN_NEWER;
}

enum admin_merge admin_state_set(struct admin_state *s, struct str name, enum admin_field field, int32_t value,
                                 int64_t wall_us, struct admin_register *out)
{
    struct admin_register r = {.name = name, .field = field, .value = value, .stamp = hlc_now(&s->clock, wall_us)};
    bool changed;
    enum admin_merge result = admin_state_merge(s, &r, wall_us, &changed);
    if (result == ADMIN_NEWER)
        ASSERT(admin_state_get(s, name, field, out));
    return result;
}

bool admin_state_get(const struct admin_state *s, struct str name, enum admin_field field, struct admin_register *out)
{
    const struct entry *e = strmap_get(&s->by_name, name);
    if (e == NULL || e->fields[field].stamp == 0)
        return false;
    *out = e->fields[field];
    return true;
}

uint64_t admin_state_digest(const struct admin_state *s)
{
    return s->digest;
}

unsigned admin_state_count(const struct admin_state *s)
{
    return s->registers;
}

bool admin_state_fill(const struct admin_state *s, unsigned *cursor, struct admin_msg *msg)
{
    msg->count = 0;
    for (; *cursor < s->count * ADMIN_FIELD_COUNT && msg->count < ADMIN_MSG_REGISTERS; (*cursor)++) {
        const struct admin_register *r = &s->entries[*cursor / ADMIN_FIELD_COUNT]->fields[*cursor % ADMIN_FIELD_COUNT];
        if (r->stamp != 0)
            msg->registers[msg->count++] = *r;
    }
    return msg->count > 0;
}
