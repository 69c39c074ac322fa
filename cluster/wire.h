// SPDX-License-Identifier: Apache-2.0
// Control messages as bytes: msgpack maps of small integers to values, nodes by name. Decoding scans sizes, depth and
// count before it reads, allocates nothing, and passes over keys it does not know, so that versions can live together.
#ifndef PHX_CLUSTER_WIRE_H
#define PHX_CLUSTER_WIRE_H

#include "cluster/messages.h"
#include "node/base/buf.h"
#include "node/base/hash.h"

#define WIRE_VERSION 1

// The names behind the numbers.
struct wire_names {
    const char *const *nodes; // borrowed
    uint32_t count;
    struct strmap numbers; // name → 1 + number, as a pointer
};
void wire_names_init(struct wire_names *names, const char *const *nodes, uint32_t count);
void wire_names_free(struct wire_names *names);

// Appends the message.
void wire_encode(const struct cluster_msg *msg, const struct wire_names *names, struct buf *out);

enum wire_error {
    WIRE_OK,
    WIRE_MALFORMED, // not msgpack, too large, too deep, or a value of the wrong kind
    WIRE_VERSION_UNKNOWN,
    WIRE_KIND_UNKNOWN, // of a later version: to be ignored
    WIRE_NODE_UNKNOWN, // the sender, or whom the message is about, is not configured here: to be ignored
};
// Entries about nodes that are not configured here are left out. Strings in *msg borrow `bytes`.
enum wire_error wire_decode(struct str bytes, const struct wire_names *names, struct cluster_msg *msg);

#endif
