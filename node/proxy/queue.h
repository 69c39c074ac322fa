// SPDX-License-Identifier: Apache-2.0
// Queues of streams that wait for a server: the part that only backend.c uses. All under backend->lock.
#ifndef PHX_PROXY_QUEUE_H
#define PHX_PROXY_QUEUE_H

#include "node/proxy/backend.h"

// `bound` NULL: any server will do.
void queue_enter(struct queue_entry *q, struct backend_state *b, struct server_state *bound);
// The caller's slot of s goes to the first who waits for it. False: the caller gives it back itself, since nobody waits
// or s has more streams than it should.
bool queue_pass_slot(struct server_state *s);
// Reserves a free slot of s for the first who waits for it. False: no slot or nobody waits.
bool queue_grant(struct server_state *s);

#endif
