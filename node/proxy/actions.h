// SPDX-License-Identifier: Apache-2.0
// The functions behind config's action rows, by family. Only rules.c, which has the table, includes this.
#ifndef PHX_PROXY_ACTIONS_H
#define PHX_PROXY_ACTIONS_H

#include "node/proxy/rules.h"
#include "node/proxy/stream.h"

// act_flow.c: what ends or delays the stream
action_fn act_accept, act_deny, act_reject, act_tarpit, act_return, act_redirect, act_auth, act_silent_drop, act_close,
    act_pause, act_wait_for_body, act_test_wait;
// act_header.c: header fields and the start line
action_fn act_add_header, act_set_header, act_del_header, act_replace_header, act_replace_value, act_set_status,
    act_set_method;
// act_uri.c: the request-target
action_fn act_set_path, act_set_pathq, act_set_query, act_set_uri, act_replace_path, act_replace_pathq, act_replace_uri;
// act_state.c: variables, counters, facts of the connection
action_fn act_set_var, act_set_var_fmt, act_unset_var, act_track_sc, act_sc_add_gpc, act_sc_inc_gpc, act_sc_inc_gpc0,
    act_sc_inc_gpc1, act_sc_set_gpt, act_sc_set_gpt0, act_capture, act_set_log_level, act_set_timeout, act_set_src,
    act_set_src_port, act_set_dst, act_set_dst_port, act_set_mark, act_set_tos, act_set_priority_class,
    act_set_priority_offset, act_strict_mode, act_no_retry, act_nothing;

// The message that a header action edits here: the response in response rules, else the request. NULL before it is
// parsed.
static inline struct http_msg *action_message(struct stream *st)
{
    return st->ctx.where == WHERE_RES ? st->ctx.res : st->ctx.req;
}
// Could not rewrite: in strict mode the stream fails with 500 (STEP_FINAL), else the rule is passed over.
enum step action_failed(struct stream *st);

#endif
