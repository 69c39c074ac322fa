// SPDX-License-Identifier: Apache-2.0
// Reload inside the process: a thread of its own reads and builds while the workers go on; the control thread publishes
// the result. A wrong file changes nothing.
#ifndef PHX_NODE_RELOAD_H
#define PHX_NODE_RELOAD_H

#include <stdbool.h>

#include "config/config.h"

struct snapshot;

struct reload_hooks {
    // Before it is compiled: what was decided at start for good, or by the command line, goes over the new text. False:
    // cannot be done (messages in diag). Builder thread.
    bool (*adapt)(struct config *c, struct diag *diag);
    // What is not part of the snapshot is bound: the last step that may fail. Control thread.
    bool (*prepare)(const struct config *c, struct diag *diag);
    // It is in force. Control thread.
    void (*published)(struct snapshot *s);
    // All messages of one build, as they went to stderr. Control thread.
    void (*report)(struct str text);
};

// Reads, compiles and binds, for the start: prints all messages. NULL: there were errors.
struct snapshot *reload_first(const struct config_options *o, const struct reload_hooks *hooks);

// `o` must live as long as the process. Before threads run.
void reload_init(const struct config_options *o, const struct reload_hooks *hooks);
// Control thread. While one is being built, remembers to build once more.
void reload_request(void);
// At exit, on the control thread: waits for the builder and throws its work away.
void reload_shutdown(void);

#endif
