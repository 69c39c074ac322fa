// SPDX-License-Identifier: Apache-2.0
// The words of expressions: one table row a sample fetch, converter, log-format alias and action. The node binds a
// function to each by its enum; the grammar, `phalanx help`, "did you mean" and the compatibility list read the rows.
#ifndef PHX_CONFIG_EXPRS_H
#define PHX_CONFIG_EXPRS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/types.h"

enum kw_status {
    KW_SUPPORTED,
    KW_NO_EFFECT, // accepted: the wanted behaviour is what Phalanx does anyway, the help line says why
    KW_REFUSED    // known to HAProxy, not here: an error with the reason
};

// Argument lists are strings of letters, lower case = optional from here on:
//   S string  I integer  T time (ms)  Z size  M IPv4 mask  N IPv6 mask (after M)  B backend/proxy name  V server
//   "[backend/]srv"  X stick table name  R regex E variable name  U userlist  F file (map)  * the previous letter
//   repeats
#define FETCH(id, name, args, type, where, status, help) FETCH_##id,
enum fetch_id {
#include "config/fetches.def"
    FETCH_ID_COUNT
};
#undef FETCH

#define CONV(id, name, args, in, out, status, help) CONV_##id,
enum conv_id {
#include "config/converters.def"
    CONV_ID_COUNT
};
#undef CONV

// Letters of log-format aliases: "%ci" …
#define ALIAS(id, name, where, status, help) ALIAS_##id,
enum alias_id {
#include "config/aliases.def"
    ALIAS_ID_COUNT
};
#undef ALIAS

#define ACTION(id, name, rulesets, status, help) ACT_##id,
enum action_id {
#include "config/actions.def"
    ACT_ID_COUNT
};
#undef ACTION

struct fetch_row {
    const char *name, *args;
    enum sample_type type;
    unsigned where; // enum cfg_where bits at which it can be used
    enum kw_status status;
    const char *help;
};
struct conv_row {
    const char *name, *args;
    enum sample_type in, out;
    enum kw_status status;
    const char *help;
};
struct alias_row {
    const char *name;
    unsigned where;
    enum kw_status status;
    const char *help;
};
struct action_row {
    const char *name;
    unsigned rulesets; // bits of enum ruleset
    enum kw_status status;
    const char *help;
};
extern const struct fetch_row fetch_rows[FETCH_ID_COUNT];
extern const struct conv_row conv_rows[CONV_ID_COUNT];
extern const struct alias_row alias_rows[ALIAS_ID_COUNT];
extern const struct action_row action_rows[ACT_ID_COUNT];

#endif
