// SPDX-License-Identifier: Apache-2.0
// Inbox: senders push onto one atomic stack, the receiver takes the whole stack at once and turns it round, so a
// message costs one compare-and-swap and the receiver one exchange a batch. The flag `sleeping` and the stack's head
// form the usual pair: the receiver sets the flag and then looks at the head, a sender sets the head and then looks at
// the flag, all sequentially consistent, so one of them sees the other.
#include "node/io/inbox.h"

#include <stdbool.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/io/loop.h"

struct inbox {
    struct msg *_Atomic newest;
    atomic_bool sleeping;
    struct loop *loop; // to wake
};

static msg_fn *handlers[MSG_KIND_COUNT];
static msg_fn *discards[MSG_KIND_COUNT];

static const char *const kind_names[MSG_KIND_COUNT] = {
    [MSG_CALL] = "call",
    [MSG_ACCEPTED] = "accepted",
    [MSG_QUEUE_WAKE] = "queue-wake",
    [MSG_SNAPSHOT] = "snapshot",
    [MSG_STOP_LISTEN] = "stop-listen",
    [MSG_STOP] = "stop",
    [MSG_SERVER_EVENT] = "server-event",
    [MSG_CHECK_NOW] = "check-now",
    [MSG_SHUT_SESSIONS] = "shut-sessions",
    [MSG_ACTION_DONE] = "action-done",
    [MSG_LINK_UP] = "link-up",
    [MSG_VERDICT] = "verdict",
    [MSG_CLUSTER_EVENT] = "cluster-event",
    [MSG_RELOAD_DONE] = "reload-done",
};

const char *msg_kind_name(enum msg_kind kind)
{
    const char *name = (unsigned)kind < MSG_KIND_COUNT ? kind_names[kind] : NULL;
    return name ? name : "?";
}

void inbox_handle(enum msg_kind kind, msg_fn *fn)
{
    ASSERT((unsigned)kind < MSG_KIND_COUNT);
    handlers[kind] = fn;
}

void inbox_discard(enum msg_kind kind, msg_fn *fn)
{
    ASSERT((unsigned)kind < MSG_KIND_COUNT);
    discards[kind] = fn;
}

void inbox_send(struct inbox *box, struct msg *m)
{
    struct msg *newest = atomic_load_explicit(&box->newest, memory_order_relaxed);
    do
        atomic_store_explicit(&m->next, newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&box->newest, &newest, m));
    // The first of several senders wakes; the plain look spares the others the exchange.
    if (atomic_load(&box->sleeping) && atomic_exchange(&box->sleeping, false))
        loop_wake(box->loop);
}

// All messages that are there, oldest first.
static struct msg *take_all(struct inbox *box)
{
    if (!atomic_load_explicit(&box->newest, memory_order_relaxed))
        return NULL;
    struct msg *m = atomic_exchange(&box->newest, NULL), *oldest = NULL;
    while (m) {
        struct msg *next = atomic_load_explicit(&m->next, memory_order_relaxed);
        atomic_store_explicit(&m->next, oldest, memory_order_relaxed);
        oldest = m;
        m = next;
    }
    return oldest;
}

void inbox_drain(struct inbox *box)
{
    for (struct msg *m = take_all(box), *next; m; m = next) {
        next = atomic_load_explicit(&m->next, memory_order_relaxed);
        msg_fn *fn = m->fn ? m->fn : handlers[m->kind];
        if (!fn)
            PANIC("nobody handles messages of kind %s", msg_kind_name(m->kind));
        fn(m);
    }
}

_Bool inbox_prepare_sleep(struct inbox *box)
{
    atomic_store(&box->sleeping, true);
    if (!atomic_load(&box->newest))
        return true;
    atomic_store_explicit(&box->sleeping, false, memory_order_relaxed);
    return false;
}

void inbox_woke(struct inbox *box)
{
    atomic_store_explicit(&box->sleeping, false, memory_order_relaxed);
}

struct inbox *inbox_create(struct loop *loop)
{
    struct inbox *box = calloc(1, sizeof(*box));
    if (!box)
        PANIC("out of memory");
    box->loop = loop;
    return box;
}

void inbox_destroy(struct inbox **box)
{
    if (!*box)
        return;
    for (struct msg *m = take_all(*box), *next; m; m = next) {
        next = atomic_load_explicit(&m->next, memory_order_relaxed);
        if (discards[m->kind])
            discards[m->kind](m);
    }
    free(*box);
    *box = NULL;
}
