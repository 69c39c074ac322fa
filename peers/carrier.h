// SPDX-License-Identifier: Apache-2.0
// A carrier: one connection to another machine and the one nanomsg socket whose bytes it carries. nanomsg's end is
// bound to a fresh ipc endpoint; the carrier connects to it and passes bytes between it and the network, blindly, both
// ways. So what nanomsg does not have comes from node/io: time limits, authentication, encryption. Both are made
// together and closed together, since a nanomsg pair that lost its partner half-way stays locked. One loop's thread.
#ifndef PHX_PEERS_CARRIER_H
#define PHX_PEERS_CARRIER_H

#include <stdbool.h>

#include "node/base/str.h"
#include "node/io/conn.h"
#include "peers/hello.h"

struct carrier;

struct carrier_options {
    struct loop *loop;
    const struct conn_transport *transport;
    const char *dir;  // of ipc endpoints
    const char *name; // of the link, for endpoint names
    size_t queue_max; // bytes that may wait to be sent
    struct str hello; // ours, sent first
    void *arg;
    // The other side's hello came. False closes.
    bool (*on_hello)(void *arg, const struct hello *h);
    void (*on_up)(void *arg); // messages can be sent
    bool (*on_message)(void *arg, struct str bytes);
    void (*on_writable)(void *arg);
    // The carrier is lost; it frees itself at the end of the turn. Not called for carrier_close().
    void (*on_lost)(void *arg);
};

// Takes over fd (connecting, or accepted). With `heard` the other's hello was read already: it only answers. NULL: fd
// is closed.
struct carrier *carrier_open(const struct carrier_options *o, int fd, bool connecting, bool heard);
void carrier_close(struct carrier **c);
bool carrier_is_up(const struct carrier *c);
bool carrier_send(struct carrier *c, struct str bytes);

#endif
