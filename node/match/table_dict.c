// SPDX-License-Identifier: Apache-2.0
// The names of servers that a stick table's entries refer to, each once. Names are never taken back: a table sees as
// many as its configurations had servers. What other nodes may add is bounded by TABLE_DICT_MAX.
#include <stdlib.h>

#include "node/match/table_impl.h"

void dict_init(struct table_dict *d)
{
    *d = (struct table_dict){0};
    pthread_rwlock_init(&d->lock, NULL);
}

void dict_free(struct table_dict *d)
{
    strmap_free(&d->ids);
    for (uint32_t i = 0; i < d->count; i++)
        free(d->names[i]);
    free(d->names);
    pthread_rwlock_destroy(&d->lock);
}

static uint32_t look_up(const struct table_dict *d, struct str name)
{
    return (uint32_t)(uintptr_t)strmap_get(&d->ids, name);
}

static uint32_t add(struct table_dict *d, struct str name)
{
    if (d->count >= TABLE_DICT_MAX)
        return 0;
    if (d->count == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->names = realloc(d->names, d->cap * sizeof(*d->names));
        if (!d->names)
            PANIC("out of memory");
    }
    char *copy = str_dup(name);
    d->names[d->count++] = copy;
    strmap_put(&d->ids, str_make(copy, name.len), (void *)(uintptr_t)d->count);
    return d->count;
}

uint32_t dict_id(struct table_dict *d, struct str name)
{
    if (name.len == 0)
        return 0;
    pthread_rwlock_rdlock(&d->lock);
    uint32_t id = look_up(d, name);
    pthread_rwlock_unlock(&d->lock);
    if (id)
        return id;
    pthread_rwlock_wrlock(&d->lock);
    id = look_up(d, name);
    if (!id)
        id = add(d, name);
    pthread_rwlock_unlock(&d->lock);
    return id;
}

struct str dict_name(struct table_dict *d, uint32_t id)
{
    if (id == 0)
        return STR_NONE;
    pthread_rwlock_rdlock(&d->lock);
    struct str name = id <= d->count ? str_of(d->names[id - 1]) : STR_NONE;
    pthread_rwlock_unlock(&d->lock);
    return name;
}
