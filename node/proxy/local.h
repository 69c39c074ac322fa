// SPDX-License-Identifier: Apache-2.0
// What the request path keeps for each worker: pools of its objects, the list of its sessions, and the objects that
// died in this turn. Private to node/proxy; touched by its worker alone, and by the main thread after that was joined.
#ifndef PHX_PROXY_LOCAL_H
#define PHX_PROXY_LOCAL_H

#include "node/base/list.h"
#include "node/base/pool.h"
#include "node/io/timer.h"
#include "node/io/worker.h"

struct path_local {
    struct pool sessions, streams, server_conns;
    struct list session_list; // all of this worker's sessions
    unsigned session_count, stream_count;
    struct list idle_server_conns; // of all servers, most recently idle first
    struct timer purge;            // looks for those that were idle too long
    struct list paused_listeners;  // slots that a limit took out of the loop
    struct timer resume;           // tries them again after a refusal of the kernel or a rate limit
    struct list dead_sessions, dead_streams, dead_server_conns; // closed, freed when the turn ends
    struct loop_defer bury;
} __attribute__((aligned(64)));

extern struct path_local path_locals[WORKER_MAX];

static inline struct path_local *path_local(const struct worker *w)
{
    return &path_locals[w->id];
}
// Puts a dead object's link on one of the lists above and sees to it that the lists are emptied when the turn ends:
// callers further up the stack may still look at it.
void path_bury(struct worker *w, struct list *dead, struct list *link);
// Once, before threads run.
void path_locals_init(void);
// After the workers were joined, with worker_self set to it: ends its sessions and server connections.
void path_local_end(struct worker *w);
// After that, for all: frees what the pools kept.
void path_locals_drain(void);

#endif
