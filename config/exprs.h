// SPDX-License-Identifier: Apache-2.0
// The words of expressions: one table row a sample fetch, converter, log-format alias and action. The node binds a
// function to each by its enum; the grammar, `phalanx help`, "did you mean" and the compatibility list read the rows.
#ifndef PHX_CONFIG_EXPRS_H
#define PHX_CONFIG_EXPRS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/types.h"
#include "node/base/str.h"

enum kw_status {
    KW_SUPPORTED,
    KW_NO_EFFECT, // accepted: the wanted behaviour is what Phalanx does anyway, the help line says why
    KW_REFUSED    // known to HAProxy, not here: an error with the reason
};

// Argument lists are strings of letters, lower case = optional from here on:
//   S string            I integer           G boolean word       H hexadecimal bytes (decoded)
//   D unit: s, ms, us   E variable          A integer or variable                Q base64 text or variable
//   M IPv4 mask         N IPv6 mask         4 6 P IPv4, IPv6, any address
//   B backend           O frontend          V "[backend/]server"   U userlist
//   X stick table       Y stick table of another key than the tracked one's: ARG_NONE when omitted
//   C sticky counter, 0 to 2; some synonyms imply it               K index of an array, 0 to 99
//   R regex, whose flags stand last in the list (REGEX.num)        F file of a map
//   W all that is left: conditions of set-var, as one INT of enum cfg_var_cond
// An omitted proxy (b, o) or table (x) means the current one: its argument is there with ref NULL.

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
// Other names of fetches, with the first argument that the name implies (-1 = none).
struct fetch_synonym {
    const char *name;
    enum fetch_id id;
    int lead;
};
// Words that only ACLs know: a fetch and how its value is matched.
struct acl_keyword {
    const char *name;
    enum fetch_id fetch;
    enum match_method method;
};

extern const struct fetch_row fetch_rows[FETCH_ID_COUNT];
extern const struct conv_row conv_rows[CONV_ID_COUNT];
extern const struct alias_row alias_rows[ALIAS_ID_COUNT];
extern const struct action_row action_rows[ACT_ID_COUNT];
extern const struct fetch_synonym fetch_synonyms[];
extern const unsigned fetch_synonym_count;
extern const struct acl_keyword acl_keywords[];
extern const unsigned acl_keyword_count;

// By name, -1 when there is no such row. fetch_find() knows synonyms: *lead is the argument that the name implies, -1 =
// none. action_find() takes names as written: "track-sc0" and "track-sc" are the same row.
int fetch_find(struct str name, int *lead);
int conv_find(struct str name);
int alias_find(struct str name);
int action_find(struct str name);
const struct acl_keyword *acl_keyword_find(struct str name); // NULL when absent

// Gives the asynchronous test action its name "test-wait". Called by tests before anything is parsed.
void action_enable_test_rows(void);

#endif
