// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked circular lists. A list is a `struct list` head; members embed a `struct list`.
#ifndef PHX_BASE_LIST_H
#define PHX_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)                                                                                                \
    {                                                                                                                  \
        &(name), &(name)                                                                                               \
    }
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline void list_add_after(struct list *at, struct list *e)
{
    e->next = at->next;
    e->prev = at;
    at->next->prev = e;
    at->next = e;
}
static inline void list_push(struct list *head, struct list *e) // to the end
{
    list_add_after(head->prev, e);
}
static inline void list_push_front(struct list *head, struct list *e)
{
    list_add_after(head, e);
}
// Leaves e as an empty list, so that a second removal does no harm.
static inline void list_remove(struct list *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    list_init(e);
}
static inline struct list *list_pop(struct list *head) // NULL when empty
{
    struct list *e = head->next;
    if (e == head)
        return NULL;
    list_remove(e);
    return e;
}
static inline void list_splice(struct list *to, struct list *from) // all of from to the end of to
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define LIST_ENTRY(ptr, type, member) CONTAINER_OF(ptr, type, member)
#define LIST_FOREACH(it, head)        for (struct list *it = (head)->next; it != (head); it = it->next)
// The current element may be removed.
#define LIST_FOREACH_SAFE(it, head)                                                                                    \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)

#endif
