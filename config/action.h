// SPDX-License-Identifier: Apache-2.0
// Parsers of actions: one small function a row of actions.def, called with the words behind the action's name. Internal
// to config/.
#ifndef PHX_CONFIG_ACTION_H
#define PHX_CONFIG_ACTION_H

#include "config/resolve.h"

struct action_parse {
    struct parse *p;
    enum ruleset set;
    unsigned where; // of the rule set, in this proxy
    unsigned word;  // next word
    unsigned name_word;
    struct str name; // as written, without "(...)"
    struct str args; // "(...)" behind the name, or empty
    struct cfg_action *a;
};
typedef bool action_parse_fn(struct action_parse *ap);

// action_reply.c: answers
action_parse_fn action_reply, action_redirect, action_auth;
// action_header.c: header fields, start line, URI
action_parse_fn action_set_header, action_del_header, action_replace_header, action_replace_uri, action_format,
    action_set_status;
// action_state.c: variables, counters, facts of the connection, waits
action_parse_fn action_none, action_silent_drop, action_set_var, action_set_var_fmt, action_unset_var, action_track,
    action_sc_inc, action_sc_set, action_capture, action_expr, action_log_level, action_nice, action_mark, action_tos,
    action_set_timeout, action_pause, action_wait_for_body, action_strict_mode, action_test_wait;

// Shared by them. The word at ap->word: false with a message when there is none.
bool action_need(struct action_parse *ap, const char *what);
// Takes the next word, which was checked to be there.
struct str action_take(struct action_parse *ap);
// Is the next word this one? Then it is taken.
bool action_skip(struct action_parse *ap, const char *keyword);
bool action_number(struct action_parse *ap, const char *what, int64_t min, int64_t max, int64_t *out);
bool action_time(struct action_parse *ap, const char *what, int64_t *out_ms);
bool action_take_format(struct action_parse *ap, const char *what, struct cfg_format *out);
bool action_take_expr(struct action_parse *ap, struct cfg_expr **out);
// The "(...)" of the name by argument letters.
bool action_args(struct action_parse *ap, const char *letters, struct cfg_arg **args, uint8_t *n);
// Arguments of `redirect`, as an action and as a keyword.
bool redirect_parse(struct action_parse *ap);

#endif
