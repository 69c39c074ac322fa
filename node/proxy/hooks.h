// SPDX-License-Identifier: Apache-2.0
// What node/ offers to whoever makes it a cluster. main.c connects these to peers/ and cluster/; node/ itself includes
// neither. Unset hooks cost nothing. Set before threads run.
#ifndef PHX_PROXY_HOOKS_H
#define PHX_PROXY_HOOKS_H

#include <stdbool.h>

#include "node/base/buf.h"
#include "node/base/str.h"

struct table;
struct snapshot;
struct server_state;

struct node_hooks {
    // This node's own verdict on a server, after every check that changed it and at least once every `inter`. Worker
    // thread. While set, the cluster answers with server_set_effective(); it must do so also when it agrees.
    void (*on_verdict)(struct server_state *s, bool up, unsigned inter_ms, const char *why);
    // The administrative state or weight was changed here by the runtime API. Control thread.
    void (*on_admin)(struct server_state *s, unsigned admin, int weight);
    // A snapshot was published: tables, servers and cluster sections may have come or gone. Control thread.
    void (*on_snapshot)(struct snapshot *s);
    // `show cluster ARGS` of the runtime API: appends the answer. Control thread. Returns false when ARGS are wrong
    // (out has the message).
    bool (*show_cluster)(struct str args, struct buf *out);
};
extern struct node_hooks node_hooks;

// For the cluster: run the server's check at once (any thread); no-op without a check.
void server_check_now(struct server_state *s);

#endif
