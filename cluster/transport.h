// SPDX-License-Identifier: Apache-2.0
// What the cluster service wants of the control links between nodes. main.c connects it to peers/link. Nodes are
// numbered as in cluster_options.nodes. All calls in both directions are made on the cluster thread.
#ifndef PHX_CLUSTER_TRANSPORT_H
#define PHX_CLUSTER_TRANSPORT_H

#include <stdbool.h>

#include "node/base/str.h"

struct cluster;

// Longest control message that is ever sent; a longer one that arrives is refused.
#define CLUSTER_MESSAGE_MAX 65536

// From the service to the links.
struct cluster_transport {
    void *arg;
    // One whole message, copied before it returns. False when the link is down or its queue is full: the message is
    // lost, and the service lives with that (membership asks again, verdicts are repeated, administration is compared).
    bool (*send)(void *arg, unsigned node, struct str bytes);
    // Closes the link's carrier and dials anew: the node was declared dead. May be NULL.
    void (*remake)(void *arg, unsigned node);
};

// From the links to the service.
void cluster_on_link_up(struct cluster *c, unsigned node);
void cluster_on_link_down(struct cluster *c, unsigned node);
// False when the message is malformed or claims another sender: the link must be closed. Bytes are not kept.
bool cluster_on_message(struct cluster *c, unsigned node, struct str bytes);

#endif
