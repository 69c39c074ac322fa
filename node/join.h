// SPDX-License-Identifier: Apache-2.0
// Where this proxy joins its cluster: the only place that knows both. join_node.c is the proxy's end (verdicts and
// administration go out, votes and other nodes' words come in), join_cluster.c the cluster's and the peers' end. The
// two speak in the neutral terms below, so that neither side's headers meet the other's.
#ifndef PHX_NODE_JOIN_H
#define PHX_NODE_JOIN_H

#include <stdbool.h>

#include "cluster/show.h"
#include "config/diag.h"
#include "config/model.h"
#include "node/base/buf.h"
#include "node/base/str.h"
#include "node/io/sock.h"

struct table;

// ---- for main.c

// Makes the service of the configuration's `cluster` section, if there is one, and connects the hooks of node/proxy.
// After process_create(), before the chroot, since names are resolved. False: complained.
bool join_prepare(const struct config *c);
// Binds the address for other nodes and makes the folder for the links' endpoints, which the process must find after it
// gave up its rights: inside the chroot, before the user changes. False: complained.
bool join_open(const struct cfg_global *g);
// Starts its threads, after the last fork and before the snapshot is published. False: complained.
bool join_start(void);
// At a reload: says so when the section changed, which takes a new process. Any thread.
void join_check_reload(const struct config *c, struct diag *diag);
// The last words to the other nodes, then the end of its threads. The workers still run.
void join_stop(void);
// After all threads are joined.
void join_shutdown(void);

// ---- between the two ends

enum join_verdict { JOIN_UNCHECKED, JOIN_UP, JOIN_DOWN };
enum join_admin { JOIN_READY, JOIN_DRAIN, JOIN_MAINT };

// What the proxy tells; set by the cluster's end. Worker and control threads.
struct join_sink {
    void (*verdict)(struct str backend, struct str server, enum join_verdict v, bool failing, bool usable,
                    unsigned inter_ms);
    void (*gone)(struct str backend, struct str server);
    void (*tables)(struct table *const *tables, unsigned count); // all that are replicated from now on; borrowed
    void (*admin)(struct str backend, struct str server, enum join_admin state, int weight);
    bool (*show)(struct str args, struct buf *out);
};
void join_node_connect(const struct join_sink *sink);
void join_node_disconnect(void);

// What the cluster tells. Any thread; done on the control thread. Names are copied.
void join_node_voted_down(struct str backend, struct str server, bool down);
void join_node_check_now(struct str backend, struct str server);
void join_node_admin(struct str backend, struct str server, enum join_admin state);
void join_node_weight(struct str backend, struct str server, int weight);
// An address of the text to connect to or listen on; names are resolved.
bool join_node_address(const struct cfg_addr *text, struct addr *out);
// For `show cluster`, control thread.
extern const struct show_providers join_node_providers;

#endif
