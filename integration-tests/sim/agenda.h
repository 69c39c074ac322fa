// SPDX-License-Identifier: Apache-2.0
// What will happen when: a heap of events by virtual time, and by order of entry among equals, so that a run repeats
// exactly.
#ifndef PHX_SIM_AGENDA_H
#define PHX_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
    EVENT_TICK,        // node a's timer, armed as number `value`
    EVENT_DELIVER,     // packet from a to b
    EVENT_RESUME,      // node a's pause ends
    EVENT_START,       // node a begins a new life
    EVENT_LINK_DOWN,   // node a learns that its link to b is lost
    EVENT_LINK_UP,     // the link between a and b is tried
    EVENT_CUT_NOTICED, // TCP gives up on the link between a and b, if it is still cut
    EVENT_FAULT,       // something breaks
    EVENT_HEAL,        // fault number a ends
    EVENT_HEAL_ALL,
    EVENT_CHECK,     // node a checks server b
    EVENT_CHECK_NOW, // likewise, once
    EVENT_SERVER,    // server a goes up or down
    EVENT_ADMIN,     // an administrator says something to some node
    EVENT_MUST_KNOW, // by now all must know that life `value` of node a is over
    EVENT_KIND_COUNT
};

struct packet {
    size_t len;
    char bytes[];
};

struct event {
    int64_t at_us;
    uint64_t order;
    enum event_kind kind;
    uint32_t a, b;
    uint64_t value;        // the epoch of node a (of b for EVENT_DELIVER) in which it makes sense, where it has one
    struct packet *packet; // EVENT_DELIVER: owned
};

struct agenda {
    struct event *heap;
    size_t count, cap, most;
    uint64_t next_order;
};

void agenda_add(struct agenda *g, struct event ev);
// False when nothing is left.
bool agenda_next(struct agenda *g, struct event *ev);
void agenda_free(struct agenda *g);

#endif
