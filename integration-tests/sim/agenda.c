// SPDX-License-Identifier: Apache-2.0
// A binary heap.
#include "agenda.h"

#include <stdlib.h>

#include "node/base/panic.h"

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void agenda_add(struct agenda *g, struct event ev)
{
    if (g->count == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 1024;
        g->heap = realloc(g->heap, g->cap * sizeof(*g->heap));
        ASSERT(g->heap != NULL);
    }
    ev.order = g->next_order++;
    size_t i = g->count++;
    for (; i > 0 && earlier(&ev, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = ev;
    if (g->count > g->most)
        g->most = g->count;
}

bool agenda_next(struct agenda *g, struct event *ev)
{
    if (g->count == 0)
        return false;
    *ev = g->heap[0];
    struct event last = g->heap[--g->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < g->count; i = child) {
        if (child + 1 < g->count && earlier(&g->heap[child + 1], &g->heap[child]))
            child++;
        if (!earlier(&g->heap[child], &last))
            break;
        g->heap[i] = g->heap[child];
    }
    g->heap[i] = last;
    return true;
}

void agenda_free(struct agenda *g)
{
    struct event ev;
    while (agenda_next(g, &ev))
        free(ev.packet);
    free(g->heap);
    *g = (struct agenda){0};
}
