// SPDX-License-Identifier: Apache-2.0
// Conditional blocks (configuration.txt 2.4): .if, .elif, .else, .endif and what may stand between them, and the
// messages .diag, .notice, .warning, .alert. Internal to config/.
#ifndef PHX_CONFIG_COND_H
#define PHX_CONFIG_COND_H

#include <stdbool.h>

#include "config/env.h"
#include "config/parse.h"

#define COND_MAX_DEPTH 200 // blocks inside blocks, parentheses inside parentheses

struct cond_level {
    enum { COND_TAKE, COND_SKIP, COND_DONE } state; // reading; waiting for a true .elif or .else; one was read already
    bool in_else;
    struct cfg_src src; // of .if
};
struct cond_stack {
    struct cond_level levels[COND_MAX_DEPTH];
    unsigned depth;
};

struct cond_error {
    unsigned at; // byte of the expression, from 0
    const char *text;
};

// 1 true, 0 false, -1 not an expression.
int cond_value(struct str expr, const struct env *env, struct cond_error *error);

// Lines are not read at all when inside a block that is not taken.
bool cond_skipping(const struct cond_stack *stack);
// The line in p is a directive (its first word starts with a dot).
void cond_directive(struct parse *p, struct cond_stack *stack);
// At the end of a file: blocks must be closed.
void cond_finish(struct parse *p, struct cond_stack *stack);

#endif
