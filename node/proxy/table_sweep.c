// SPDX-License-Identifier: Apache-2.0
// Expiry of stick tables. Look-ups pass over what has expired, so this only keeps memory and the number of used entries
// true; it does so in small portions, since the shards' locks are those that traffic takes.
#include "node/proxy/table_sweep.h"

#include "node/io/timer.h"
#include "node/proxy/proxy.h"

#define SWEEP_MS 500
#define BUSY_MS  5 // when a table had more than a portion
#define PORTION  1000

static struct timer sweep;

static void on_sweep(struct timer *t)
{
    struct loop *loop = worker_self->loop;
    struct snapshot *s = snapshot_current();
    bool more = false;
    for (unsigned i = 0; s && i < s->nproxies; i++)
        if (s->proxies[i]->table && table_expire(s->proxies[i]->table, PORTION, loop_now(loop)) >= PORTION)
            more = true;
    timer_set(loop_timers(loop), t, mono_add_ms(loop_now(loop), more ? BUSY_MS : SWEEP_MS));
}

void table_sweep_start(struct worker *control)
{
    timer_init(&sweep, on_sweep);
    timer_set(loop_timers(control->loop), &sweep, mono_add_ms(mono_now(), SWEEP_MS));
}
