// SPDX-License-Identifier: Apache-2.0
// Links between nodes: whole messages to and from every other node of the cluster, in order, while a carrier connection
// to it stands. Two classes, each with links of its own to every node, so that bulk cannot delay a heartbeat. All links
// of one class live on one loop; all calls and callbacks but links_create() and links_destroy() are on its thread.
//
// nanomsg never listens on the network: a carrier (carrier.h) brings its bytes to the other machine. This header is
// what another transport would have to provide.
#ifndef PHX_PEERS_LINK_H
#define PHX_PEERS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/str.h"
#include "node/io/conn.h"
#include "node/io/sock.h"

struct links;
struct gate;
struct loop;

enum link_class { LINK_CONTROL, LINK_BULK, LINK_CLASS_COUNT };

struct link_node {
    const char *name;
    struct addr addr; // its peer address
};

struct link_options {
    const char *cluster;
    const struct link_node *nodes; // copied
    unsigned node_count;
    unsigned self;
    uint64_t boot;
    const char *dir; // of the ipc endpoints: see link_dir_create()
    // What carries the bytes under mutual TLS. NULL: plain, and then loopback addresses only.
    const struct conn_transport *transport;
};

struct link_events {
    void *arg;
    // `boot` = the other node's life; `received` = the last sequence number it has of ours, as it said.
    void (*up)(void *arg, unsigned node, uint64_t boot, uint64_t received);
    void (*down)(void *arg, unsigned node);
    // False: the message is malformed, the carrier is to be closed. Bytes are not kept. The link may be down on return.
    bool (*message)(void *arg, unsigned node, struct str bytes);
    // links_send() was refused and may succeed now. May be NULL.
    void (*writable)(void *arg, unsigned node);
    // Last sequence number received from the node, for the hello. May be NULL.
    uint64_t (*received)(void *arg, unsigned node);
};

// Longest message of a class; a longer one that arrives ends its carrier.
#define LINK_MESSAGE_MAX (256 * 1024)

// Makes a private folder (0700) for endpoints, below `base` (NULL: a folder for temporary files). Before privileges are
// dropped; inside the chroot. 0 or -errno; `out` gets its path.
int link_dir_create(const char *base, char *out, size_t size);
void link_dir_remove(const char *dir);

// Without TLS a link goes over loopback and UNIX sockets only.
bool link_addr_is_safe(const struct addr *a);

struct links *links_create(const struct link_options *options, enum link_class class, const struct link_events *events);
// On the thread of `loop`, after the last fork: begins to dial.
void links_attach(struct links *l, struct loop *loop);
// Closes all; no callback comes any more.
void links_detach(struct links *l);
void links_destroy(struct links **l); // after its thread ended

// Copied. False: no carrier, or its queue is full.
bool links_send(struct links *l, unsigned node, struct str bytes);
// Closes the carrier (down is called if it was up) and dials anew if dialing is ours.
void links_remake(struct links *l, unsigned node);
// Another life was decided on; carriers made from now on say so.
void links_set_boot(struct links *l, uint64_t boot);

// ---- The gate: where carriers of other nodes come in. One for both classes; on any one loop.
struct gate_options {
    const struct addr *addrs; // one node's peer address, or the addresses of `bind` lines
    unsigned addr_count;
    struct links *links[LINK_CLASS_COUNT]; // NULL: refused
    const struct conn_transport *transport;
};
// Listens. NULL with errno, and *failed (may be NULL) = which address.
struct gate *gate_create(const struct gate_options *options, unsigned *failed);
void gate_attach(struct gate *g, struct loop *loop);
void gate_detach(struct gate *g); // on its thread
void gate_destroy(struct gate **g);
// The address it listens on: a port that the kernel chose.
bool gate_addr(const struct gate *g, unsigned i, struct inet_addr *out);

struct gate_stats {    // since the start; read from any thread
    uint64_t accepted; // carriers handed on
    uint64_t refused;  // strangers: bad, foreign or late hellos, not from a safe address
    uint64_t crowded;  // strangers dropped because too many waited
};
struct gate_stats gate_stats(const struct gate *g);

#endif
