// SPDX-License-Identifier: Apache-2.0
// Variables of a session, transaction, request or response: an array by the dense index that the configuration gave
// each name, made at first use. proc. variables are shared by all threads behind one lock and survive a reload by name.
#ifndef PHX_MATCH_VARS_H
#define PHX_MATCH_VARS_H

#include "node/match/sample.h"

struct vars;

// Copies the value (strings into the scope's own arena). *vars is created with `count` slots at first use, and grows.
// Setting a variable again overwrites the bytes that vars_get() handed out before: who keeps them longer copies.
void vars_set(struct vars **vars, unsigned count, struct arena *arena, unsigned index, const struct sample *s);
bool vars_get(const struct vars *vars, unsigned index, struct sample *out);
void vars_unset(struct vars *vars, unsigned index);

// By scope; `name` counts for proc. alone. conds = enum cfg_var_cond bits: false when they forbid it, or when the scope
// does not exist here (VAR_CHECK).
bool vars_assign(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index, unsigned conds,
                 const struct sample *s);
bool vars_read(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index, struct sample *out);
void vars_remove(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index);
// An argument that is a number or a variable (letter A). False when the variable is not set or no number.
bool arg_int(struct match_ctx *c, const struct arg *a, int64_t *out);

void proc_vars_set(struct str name, const struct sample *s);
bool proc_vars_get(struct match_ctx *c, struct str name, struct sample *out); // copy in the arena
void proc_vars_unset(struct str name);
void proc_vars_free(void);

#endif
