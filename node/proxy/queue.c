// SPDX-License-Identifier: Apache-2.0
// Waiting for a slot of a server. The thread that frees a slot reserves it for the first waiter and sends the waiter's
// worker a message; the waiter may have left by then, and the slot goes back. All lists are under the backend's lock.
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/proxy/backend.h"
#include "node/proxy/queue.h"
#include "node/proxy/schedule.h"

// A wake-up on its way. `entry` is cleared by the entry's own worker when it leaves meanwhile.
struct queue_wake {
    struct msg msg;
    struct queue_entry *entry;
    struct server_state *granted; // counted; NULL = pick again
};

static void on_queue_wake(struct msg *m)
{
    struct queue_wake *wake = (struct queue_wake *)(void *)m;
    struct queue_entry *q = wake->entry;
    struct server_state *granted = wake->granted;
    free(wake);
    if (!q) {
        if (granted)
            backend_release(granted);
    } else {
        q->wake = NULL;
        q->granted = granted;
        q->on_wake(q);
    }
    server_state_unref(&granted);
}

// Under lock. The slot, if any, is already counted in `granted`.
static void wake_entry(struct queue_entry *q, struct server_state *granted)
{
    struct backend_state *b = q->backend;
    struct queue_wake *wake = calloc(1, sizeof(*wake));
    ASSERT(wake != NULL);
    list_remove(&q->link);
    q->waiting = false;
    atomic_fetch_sub(&b->queued, 1);
    if (q->bound)
        atomic_fetch_sub(&q->bound->queued, 1);
    wake->msg.kind = MSG_QUEUE_WAKE;
    wake->msg.fn = on_queue_wake;
    wake->entry = q;
    wake->granted = granted ? server_state_ref(granted) : NULL;
    q->wake = wake;
    inbox_send(loop_inbox(q->worker->loop), &wake->msg);
}

static void raise_max(_Atomic int *max, int value)
{
    int old = atomic_load_explicit(max, memory_order_relaxed);
    while (value > old && !atomic_compare_exchange_weak(max, &old, value))
        ;
}

// By class, then by time of queueing plus offset. Nearly always the end.
static bool goes_before(const struct queue_entry *a, const struct queue_entry *b)
{
    if (a->priority_class != b->priority_class)
        return a->priority_class < b->priority_class;
    return a->since_us + a->priority_offset_ms * INT64_C(1000) < b->since_us + b->priority_offset_ms * INT64_C(1000);
}

static void insert_in_order(struct list *list, struct queue_entry *q)
{
    struct list *at = list->prev;
    while (at != list && goes_before(q, LIST_ENTRY(at, struct queue_entry, link)))
        at = at->prev;
    list_add_after(at, &q->link);
}

void queue_enter(struct queue_entry *q, struct backend_state *b, struct server_state *bound)
{
    struct list *list = bound ? &bound->queue : &b->queue;
    q->backend = b;
    q->bound = bound;
    q->granted = NULL;
    q->wake = NULL;
    q->waiting = true;
    q->since_us = mono_now().us;
    int before = atomic_fetch_add(&b->queued, 1);
    raise_max(&b->queued_max, before + 1);
    if (bound) {
        before = atomic_fetch_add(&bound->queued, 1);
        raise_max(&bound->queued_max, before + 1);
    }
    q->position = (unsigned)before;
    insert_in_order(list, q);
}

void backend_queue_cancel(struct queue_entry *q)
{
    if (!q->backend)
        return;
    struct backend_state *b = q->backend;
    pthread_mutex_lock(&b->lock);
    if (q->waiting) {
        list_remove(&q->link);
        q->waiting = false;
        atomic_fetch_sub(&b->queued, 1);
        if (q->bound)
            atomic_fetch_sub(&q->bound->queued, 1);
    } else if (q->wake) {
        q->wake->entry = NULL; // the message gives the slot back when it arrives
        q->wake = NULL;
    }
    pthread_mutex_unlock(&b->lock);
}

// The one who waited longer, of the server's own queue and the backend's. A server that drains or is down takes only
// those who are bound to it.
static struct queue_entry *next_for(struct server_state *s)
{
    struct backend_state *b = s->backend;
    struct queue_entry *own = list_empty(&s->queue) ? NULL : LIST_ENTRY(s->queue.next, struct queue_entry, link);
    if (list_empty(&b->queue) || !server_usable(s))
        return own;
    struct queue_entry *any = LIST_ENTRY(b->queue.next, struct queue_entry, link);
    return own && !goes_before(any, own) ? own : any;
}

bool queue_pass_slot(struct server_state *s)
{
    int capacity = backend_server_capacity(s);
    struct queue_entry *q = next_for(s);
    if (!q || (capacity && atomic_load(&s->served) > capacity))
        return false;
    wake_entry(q, s);
    return true;
}

bool queue_grant(struct server_state *s)
{
    int capacity = backend_server_capacity(s);
    if (capacity && atomic_load(&s->served) >= capacity)
        return false;
    struct queue_entry *q = next_for(s);
    if (!q)
        return false;
    raise_max(&s->served_max, atomic_fetch_add(&s->served, 1) + 1);
    wake_entry(q, s);
    return true;
}

void backend_queue_process(struct backend_state *b)
{
    struct schedule *schedule = atomic_load(&b->schedule);
    bool granted = true;
    while (granted && atomic_load(&b->queued) > 0) {
        granted = false;
        for (unsigned i = 0; schedule && i < schedule->count; i++) {
            if (queue_grant(schedule->servers[i])) {
                schedule_heap_update(schedule, schedule->servers[i]);
                granted = true;
            }
        }
    }
}

void backend_queue_retry_bound(struct server_state *s)
{
    while (!list_empty(&s->queue))
        wake_entry(LIST_ENTRY(s->queue.next, struct queue_entry, link), NULL);
}

void backend_queue_retry_all(struct backend_state *b)
{
    while (!list_empty(&b->queue))
        wake_entry(LIST_ENTRY(b->queue.next, struct queue_entry, link), NULL);
}
