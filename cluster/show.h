// SPDX-License-Identifier: Apache-2.0
// `show cluster [nodes|tables|servers] [json]` of the runtime API: text or JSON from the published view and from what
// this node tells of its tables and servers. Called through a hook of node/admin, on any thread.
#ifndef PHX_CLUSTER_SHOW_H
#define PHX_CLUSTER_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/buf.h"
#include "node/base/clock.h"

struct cluster;

struct show_table {
    struct str name;
    uint64_t entries; // held here
    uint64_t size;    // most that fit
};

enum show_server_state { SHOW_UP, SHOW_DOWN, SHOW_MAINT, SHOW_DRAIN, SHOW_NOCHECK };

struct show_server {
    struct str backend, server;
    enum show_server_state state; // in force, with the cluster's votes
    enum show_server_state local; // as this node alone sees it
};

typedef void show_table_fn(void *ctx, const struct show_table *row);
typedef void show_server_fn(void *ctx, const struct show_server *row);

// What this node knows: each calls fn(ctx, row) for every row in the order of the configuration.
struct show_providers {
    void *arg;
    void (*each_table)(void *arg, show_table_fn *fn, void *ctx);
    void (*each_server)(void *arg, show_server_fn *fn, void *ctx);
};

// `args` are the words behind "show cluster". False when they are not understood: *out then holds the usage.
bool show_cluster(struct cluster *c, const struct show_providers *providers, struct str args, mono_t now,
                  struct buf *out);

#endif
