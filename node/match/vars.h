// SPDX-License-Identifier: Apache-2.0
// Variables of a session, transaction, request or response: an array by the dense index that the configuration gave
// each name, made at first use. proc. variables are shared by all threads behind one lock and survive a reload by name.
#ifndef PHX_MATCH_VARS_H
#define PHX_MATCH_VARS_H

#include "node/match/sample.h"

struct vars;

// Copies the value (strings into the scope's own arena). *vars is created with `count` slots at first use. Setting a
// variable again overwrites the bytes that vars_get() handed out before: who keeps them longer copies.
void vars_set(struct vars **vars, unsigned count, struct arena *arena, unsigned index, const struct sample *s);
bool vars_get(const struct vars *vars, unsigned index, struct sample *out);
void vars_unset(struct vars *vars, unsigned index);

void proc_vars_set(struct str name, const struct sample *s);
bool proc_vars_get(struct match_ctx *c, struct str name, struct sample *out); // copy in the arena
void proc_vars_unset(struct str name);
void proc_vars_free(void);

#endif
