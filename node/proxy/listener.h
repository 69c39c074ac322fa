// SPDX-License-Identifier: Apache-2.0
// Listening sockets: one shared descriptor a bind line, waited for by all workers with EPOLLEXCLUSIVE. A listener is
// counted and survives reloads: identity is address and owner. Binding happens while a snapshot is built (through the
// keeper); accepting starts when it is published.
#ifndef PHX_PROXY_LISTENER_H
#define PHX_PROXY_LISTENER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "config/diag.h"
#include "config/model.h"
#include "node/io/sock.h"
#include "node/proxy/counters.h"

struct snapshot;
struct proxy;
struct worker;

struct listener_slot;

enum listener_state { LISTENER_BOUND, LISTENER_ACCEPTING, LISTENER_CLOSED };

struct listener {
    uint32_t magic; // LISTENER_MAGIC
    _Atomic int refs;
    struct addr addr; // one address: ranges give several listeners
    char *owner;      // proxy name
    char *name;       // bind name, NULL = none
    unsigned index;   // 1.. in its proxy: the default name's number
    int fd;
    _Atomic uint32_t id; // bind's id
    _Atomic int maxconn; // of the bind line, 0 = none
    _Atomic int conns;
    _Atomic int state; // enum listener_state
    _Atomic uint64_t accepted;
    _Atomic int maxaccept;              // tune.maxaccept: sockets taken in a row
    struct frontend_state *front_state; // counted; the frontend keeps it over reloads
    _Atomic unsigned leaving;           // workers that have yet to take it out of their loops
    struct listener_slot *slots;        // one a worker: its registration there
    unsigned nslots;
};
#define LISTENER_MAGIC 0x4c53544eu

// ---- for snapshot.c ------------------------------------------------------------------------------------------------
// Fills s->listeners: those of `old` (NULL at start) with the same address and owner are taken over (counted), new ones
// are bound, through the keeper. False: messages in diag, everything that was new is closed again. Builder thread.
bool listener_prepare(struct snapshot *s, struct snapshot *old, struct diag *diag);
// Once `s` is published: starts what is new, stops what `old` had and s has not. Control thread; workers are told by
// message. NULL old = start.
void listener_start(struct snapshot *s, struct snapshot *old);
// Soft stop: no listener accepts any more; descriptors are closed once all workers left them.
void listener_stop_all(struct snapshot *s);
bool listener_is_stopping(void); // the soft stop began; any thread
// The snapshot's references go (also after a failed build).
void listener_release(struct snapshot *s);

struct listener *listener_ref(struct listener *l);
void listener_unref(struct listener **l); // any thread

// ---- limits --------------------------------------------------------------------------------------------------------
// global maxconn; before threads run or at a reload.
void listener_set_maxconn(int global_maxconn);
int listener_conns(void); // client connections of the process
int listener_maxconn(void);
uint64_t listener_conns_total(void);
// A session ended: counts it out of frontend and process, and goes on accepting where a limit had stopped it.
void listener_session_end(struct listener *l, struct worker *w);
// The frontend's limit was raised, or it was enabled again (runtime API).
void listener_resume(struct frontend_state *f);
// The worker's timer that tries paused listeners again.
struct timer;
void listener_on_resume(struct timer *t);

#endif
