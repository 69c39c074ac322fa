// SPDX-License-Identifier: Apache-2.0
// The private folder for the endpoints of the links between nodes (see peers/link.h), and the leftovers of processes
// that were killed. Private to node/join*.c.
#ifndef PHX_NODE_JOIN_FOLDER_H
#define PHX_NODE_JOIN_FOLDER_H

#include "config/model.h"

// Inside the chroot, before the user changes. Path, or NULL: complained. Valid until join_folder_remove().
const char *join_folder_make(const struct cfg_global *g);
void join_folder_remove(void);

#endif
