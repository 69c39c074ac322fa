// SPDX-License-Identifier: Apache-2.0
// Private to peers/link*.c and gate.c: how an accepted carrier gets from the gate to the loop of its links.
#ifndef PHX_PEERS_LINK_IMPL_H
#define PHX_PEERS_LINK_IMPL_H

#include "peers/hello.h"
#include "peers/link.h"

// Whether the hello is for this node and class, from a node that may call. Any thread: reads what never changes.
bool links_expect(const struct links *l, const struct hello *h);
// Any thread. Takes over fd, whose hello was read and expected.
void links_give(struct links *l, int fd, const struct hello *h);

#endif
