// SPDX-License-Identifier: Apache-2.0
// What main.c starts of the runtime API.
#ifndef PHX_ADMIN_ADMIN_H
#define PHX_ADMIN_ADMIN_H

#include "config/diag.h"
#include "config/model.h"
#include "node/io/worker.h"

// Binds the stats sockets of a configuration that are not bound yet (through the keeper); those that it no longer has
// are closed by admin_publish(). Control thread, or at start before threads. False: messages in diag, nothing changed.
bool admin_prepare(const struct config *c, struct diag *diag);
// The sockets that admin_prepare() bound begin to accept on this loop; old ones go. Control thread, or before it runs.
void admin_publish(struct worker *control, const struct config *c);
// Monotonic µs of the process's start: set by the first admin_publish().
extern int64_t admin_started_us;
// What the reload command calls, set by main.c: asks for a reload, answers at once.
extern void (*admin_reload)(void);
// The result of the last reload, for `show startup-logs`. Copied.
void admin_set_startup_log(struct str text);
struct str admin_startup_log(void);
// After the control thread is joined: closes all.
void admin_shutdown(void);

#endif
