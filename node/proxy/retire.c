// SPDX-License-Identifier: Apache-2.0
// Freeing what lock-free readers may still hold: a message goes to every worker, and the last one to handle it frees
// the object. A worker handles messages between callbacks, where it holds no borrowed pointer.
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/proxy/proxy.h"

struct retired;
struct retire_msg {
    struct msg msg;
    struct retired *retired;
};
struct retired {
    struct list link; // in `pending`, under pending_lock
    void *obj;
    void (*destroy)(void *obj);
    _Atomic unsigned left;
    struct retire_msg msgs[];
};

static pthread_mutex_t pending_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list pending = LIST_INIT(pending);
static _Atomic bool single_threaded;

static void on_worker_passed(struct msg *m)
{
    struct retired *r = ((struct retire_msg *)(void *)m)->retired;
    if (atomic_fetch_sub(&r->left, 1) != 1)
        return;
    pthread_mutex_lock(&pending_lock);
    list_remove(&r->link);
    pthread_mutex_unlock(&pending_lock);
    r->destroy(r->obj);
    free(r);
}

void retire(void *obj, void (*destroy)(void *obj))
{
    if (!obj)
        return;
    unsigned n = worker_count;
    if (n == 0 || atomic_load(&single_threaded)) {
        destroy(obj);
        return;
    }
    struct retired *r = calloc(1, sizeof(*r) + n * sizeof(r->msgs[0]));
    ASSERT(r != NULL);
    r->obj = obj;
    r->destroy = destroy;
    atomic_init(&r->left, n);
    pthread_mutex_lock(&pending_lock);
    list_push(&pending, &r->link);
    pthread_mutex_unlock(&pending_lock);
    for (unsigned i = 0; i < n; i++) {
        r->msgs[i].msg.kind = MSG_CALL;
        r->msgs[i].msg.fn = on_worker_passed;
        r->msgs[i].retired = r;
        inbox_send(loop_inbox(workers[i]->loop), &r->msgs[i].msg);
    }
}

void retire_now_single_threaded(void)
{
    atomic_store(&single_threaded, true);
    struct list *e;
    while ((e = list_pop(&pending)) != NULL) {
        struct retired *r = LIST_ENTRY(e, struct retired, link);
        r->destroy(r->obj);
        free(r);
    }
}
