// SPDX-License-Identifier: Apache-2.0
// Running rules. A list is run from a remembered position, so that a condition that needs more bytes, or an action that
// waits for a message or a timer, goes on at the same rule later. One file a family of actions, see actions.h.
#ifndef PHX_PROXY_RULES_H
#define PHX_PROXY_RULES_H

#include "node/proxy/proxy.h"

struct stream;

// What every step of the request path, rule and action returns.
enum step {
    STEP_DONE, // go on with the next
    STEP_MORE, // call again when more bytes are there (or final)
    STEP_WAIT, // a message or timer will wake the stream, then call again
    STEP_FINAL // the stream has its answer (reply, redirect, reject) or is over: no further rules
};

// Position in a list; all zero at its beginning. Lives in the stream.
struct rule_run {
    const struct rule_list *list;
    unsigned index;
    bool in_action;      // the condition held and the action asked to be called again
    uint64_t state;      // the action's own, zeroed for each rule
    void *data;          // the action's own, in the stream's arena
    unsigned generation; // goes up when the stream gives a wait up: late answers compare
};

// An action's function. `run` is its state when called again after MORE or WAIT.
typedef enum step action_fn(struct stream *st, const struct action *a, struct rule_run *run);

struct action { // compiled; in the snapshot's arena
    action_fn *fn;
    const struct cfg_action *cfg;
    bool stops; // accept, allow: ends the list with STEP_DONE semantics (rest of the list is skipped)
    struct expr *expr;
    struct format *format;
    struct regex *regex;
    struct table *table;
    struct reply *reply; // see reply.h
    struct str text;
};

// Compiles one model rule's action, of request or `response` rules; NULL: message given.
struct action *action_compile(struct compile *c, struct proxy *p, const struct cfg_rule *rule, bool response,
                              struct diag *diag);
// Runs from *run. STEP_DONE at the end of the list (or an action that `stops`).
enum step rules_run(struct stream *st, const struct rule_list *list, struct rule_run *run);
// True when every supported row of config's actions has a function: checked at start.
void actions_check_bound(void);

#endif
