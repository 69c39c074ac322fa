// SPDX-License-Identifier: Apache-2.0
// The first bytes of a carrier, both ways: who calls whom, for which class. Pure.
#ifndef PHX_PEERS_HELLO_H
#define PHX_PEERS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/buf.h"
#include "node/base/str.h"

#define HELLO_VERSION  1
#define HELLO_NAME_MAX 64
// Longest hello, with the six bytes in front.
#define HELLO_MAX 512

struct hello {
    uint32_t version;
    struct str cluster, from, to; // borrow the bytes parsed
    uint32_t class;
    uint64_t boot;
    uint64_t received; // last sequence number that `from` has of `to`
};

void hello_encode(const struct hello *h, struct buf *out);

enum hello_result { HELLO_OK, HELLO_MORE, HELLO_BAD };
// `used` = bytes that the hello took.
enum hello_result hello_parse(struct str bytes, struct hello *h, size_t *used);

#endif
