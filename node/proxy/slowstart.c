// SPDX-License-Identifier: Apache-2.0
// slowstart: a server that comes back gets a growing part of its weight, in twenty steps over the configured time.
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/io/timer.h"
#include "node/proxy/server.h"

#define RAMP_STEPS 20

struct ramp {
    struct msg msg; // carries it to a worker's loop
    struct list link;
    struct timer timer;
    struct worker *worker;
    struct server_state *server; // counted
    int ms;
    unsigned step;
};

static struct list ramps[WORKER_MAX];

static void ramp_free(struct ramp *r)
{
    timer_cancel(&r->timer);
    list_remove(&r->link);
    server_state_unref(&r->server);
    free(r);
}

static void on_ramp(struct timer *t)
{
    struct ramp *r = CONTAINER_OF(t, struct ramp, timer);
    if (++r->step < RAMP_STEPS && server_usable(r->server)) {
        server_set_slow_percent(r->server, r->step * 100 / RAMP_STEPS);
        timer_set(loop_timers(r->worker->loop), t, mono_add_ms(loop_now(r->worker->loop), r->ms / RAMP_STEPS + 1));
        return;
    }
    server_set_slow_percent(r->server, 100);
    ramp_free(r);
}

static void on_ramp_begins(struct msg *m)
{
    struct ramp *r = (struct ramp *)(void *)m;
    r->worker = worker_self;
    timer_init(&r->timer, on_ramp);
    if (!ramps[r->worker->id].next)
        list_init(&ramps[r->worker->id]);
    list_push(&ramps[r->worker->id], &r->link);
    timer_set(loop_timers(r->worker->loop), &r->timer, mono_add_ms(loop_now(r->worker->loop), r->ms / RAMP_STEPS + 1));
}

void server_slowstart_begin(struct server_state *s)
{
    if (worker_count == 0)
        return;
    struct ramp *r = calloc(1, sizeof(*r));
    ASSERT(r != NULL);
    list_init(&r->link);
    r->msg.kind = MSG_SERVER_EVENT;
    r->msg.fn = on_ramp_begins;
    r->server = server_state_ref(s);
    r->ms = atomic_load(&s->slowstart_ms);
    atomic_store(&s->slow_percent, 100 / RAMP_STEPS);
    inbox_send(loop_inbox(workers[0]->loop), &r->msg);
}

void server_slowstart_shutdown(void)
{
    for (unsigned i = 0; i < WORKER_MAX; i++) {
        while (ramps[i].next && !list_empty(&ramps[i]))
            ramp_free(LIST_ENTRY(ramps[i].next, struct ramp, link));
    }
}
