// SPDX-License-Identifier: Apache-2.0
// What the process may use: descriptor and memory limits, and the way down from root (`chroot`, `user`, `group`). All
// at start, single-threaded.
#ifndef PHX_NODE_PRIVILEGES_H
#define PHX_NODE_PRIVILEGES_H

#include <stdbool.h>

#include "config/model.h"

// Raises the descriptor limit to what the configuration needs and decides what it leaves open: global.maxconn and
// global.maxpipes are set if they were not. `others` = descriptors besides connections and pipes (listeners, loops,
// logs). False: complained, must not start.
bool privileges_limit_descriptors(struct cfg_global *g, unsigned others);
// -m. False: complained.
bool privileges_limit_memory(long mb);

// Finds the numbers of `user` and `group`. False: complained. Before the chroot.
bool privileges_resolve(struct cfg_global *g);
// True when privileges_drop() will take something away, so that a keeper is needed.
bool privileges_will_drop(const struct cfg_global *g);
// The two steps of giving up, in this order. False: complained, must not run.
bool privileges_chroot(const struct cfg_global *g);
bool privileges_drop(const struct cfg_global *g); // supplementary groups, group, user

#endif
