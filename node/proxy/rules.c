// SPDX-License-Identifier: Apache-2.0
// The rule engine: running lists from a remembered position, the table from config's action rows to functions, and the
// compilation of a rule's action.
#include "node/proxy/rules.h"

#include "node/base/panic.h"
#include "node/proxy/actions.h"
#include "node/proxy/reply.h"
#include "node/proxy/stream_steps.h"

// What a row's action needs compiled, and whether it ends the list.
enum { NEED_EXPR = 1, NEED_FORMAT = 2, NEED_REGEX = 4, NEED_REPLY = 8, NEED_TABLE = 16, STOPS = 32, LOWER_NAME = 64 };

static const struct {
    action_fn *fn;
    unsigned flags;
    int default_status; // NEED_REPLY
} functions[ACT_ID_COUNT] = {
    [ACT_ACCEPT] = {act_accept, STOPS, 0},
    [ACT_ALLOW] = {act_accept, STOPS, 0},
    [ACT_ADD_HEADER] = {act_add_header, NEED_FORMAT | LOWER_NAME, 0},
    [ACT_AUTH] = {act_auth, 0, 0},
    [ACT_CAPTURE] = {act_capture, NEED_EXPR, 0},
    [ACT_CLOSE] = {act_close, 0, 0},
    [ACT_DEL_HEADER] = {act_del_header, NEED_REGEX, 0},
    [ACT_DENY] = {act_deny, NEED_REPLY, 403},
    [ACT_DISABLE_L7_RETRY] = {act_no_retry, 0, 0},
    [ACT_PAUSE] = {act_pause, NEED_EXPR, 0},
    [ACT_REDIRECT] = {act_redirect, NEED_FORMAT, 0},
    [ACT_REJECT] = {act_reject, 0, 0},
    [ACT_REPLACE_HEADER] = {act_replace_header, NEED_FORMAT | NEED_REGEX, 0},
    [ACT_REPLACE_PATH] = {act_replace_path, NEED_FORMAT | NEED_REGEX, 0},
    [ACT_REPLACE_PATHQ] = {act_replace_pathq, NEED_FORMAT | NEED_REGEX, 0},
    [ACT_REPLACE_URI] = {act_replace_uri, NEED_FORMAT | NEED_REGEX, 0},
    [ACT_REPLACE_VALUE] = {act_replace_value, NEED_FORMAT | NEED_REGEX, 0},
    [ACT_RETURN] = {act_return, NEED_REPLY, 200},
    [ACT_SC_ADD_GPC] = {act_sc_add_gpc, NEED_EXPR, 0},
    [ACT_SC_INC_GPC] = {act_sc_inc_gpc, 0, 0},
    [ACT_SC_INC_GPC0] = {act_sc_inc_gpc0, 0, 0},
    [ACT_SC_INC_GPC1] = {act_sc_inc_gpc1, 0, 0},
    [ACT_SC_SET_GPT] = {act_sc_set_gpt, NEED_EXPR, 0},
    [ACT_SC_SET_GPT0] = {act_sc_set_gpt0, NEED_EXPR, 0},
    [ACT_SET_DST] = {act_set_dst, NEED_EXPR, 0},
    [ACT_SET_DST_PORT] = {act_set_dst_port, NEED_EXPR, 0},
    [ACT_SET_FC_MARK] = {act_set_mark, 0, 0},
    [ACT_SET_FC_TOS] = {act_set_tos, 0, 0},
    [ACT_SET_HEADER] = {act_set_header, NEED_FORMAT | LOWER_NAME, 0},
    [ACT_SET_LOG_LEVEL] = {act_set_log_level, 0, 0},
    [ACT_SET_MARK] = {act_set_mark, 0, 0},
    [ACT_SET_METHOD] = {act_set_method, NEED_FORMAT, 0},
    [ACT_SET_NICE] = {act_nothing, 0, 0},
    [ACT_SET_PATH] = {act_set_path, NEED_FORMAT, 0},
    [ACT_SET_PATHQ] = {act_set_pathq, NEED_FORMAT, 0},
    [ACT_SET_PRIORITY_CLASS] = {act_set_priority_class, NEED_EXPR, 0},
    [ACT_SET_PRIORITY_OFFSET] = {act_set_priority_offset, NEED_EXPR, 0},
    [ACT_SET_QUERY] = {act_set_query, NEED_FORMAT, 0},
    [ACT_SET_SRC] = {act_set_src, NEED_EXPR, 0},
    [ACT_SET_SRC_PORT] = {act_set_src_port, NEED_EXPR, 0},
    [ACT_SET_STATUS] = {act_set_status, 0, 0},
    [ACT_SET_TIMEOUT] = {act_set_timeout, NEED_EXPR, 0},
    [ACT_SET_TOS] = {act_set_tos, 0, 0},
    [ACT_SET_URI] = {act_set_uri, NEED_FORMAT, 0},
    [ACT_SET_VAR] = {act_set_var, NEED_EXPR, 0},
    [ACT_SET_VAR_FMT] = {act_set_var_fmt, NEED_FORMAT, 0},
    [ACT_SILENT_DROP] = {act_silent_drop, 0, 0},
    [ACT_STRICT_MODE] = {act_strict_mode, 0, 0},
    [ACT_TARPIT] = {act_tarpit, NEED_REPLY, 500},
    [ACT_TRACK_SC] = {act_track_sc, NEED_EXPR | NEED_TABLE, 0},
    [ACT_UNSET_VAR] = {act_unset_var, 0, 0},
    [ACT_WAIT_FOR_BODY] = {act_wait_for_body, 0, 0},
    [ACT_WAIT_FOR_HANDSHAKE] = {act_nothing, 0, 0},
    [ACT_TEST_WAIT] = {act_test_wait, 0, 0},
};

void actions_check_bound(void)
{
    for (unsigned i = 0; i < ACT_ID_COUNT; i++)
        if (action_rows[i].status != KW_REFUSED && !functions[i].fn)
            PANIC("action '%s' is supported by the configuration, but has no function", action_rows[i].name);
}

// last_rule_line: neither connection rules nor the `redirect` keyword are remembered.
static bool tells_where(const struct stream *st)
{
    return st->step != STEP_CONNECTION_RULES && st->step != STEP_FRONT_REDIRECT && st->step != STEP_BACK_REDIRECT;
}

enum step rules_run(struct stream *st, const struct rule_list *list, struct rule_run *run)
{
    if (run->list != list) {
        run->list = list;
        run->index = 0;
        run->in_action = false;
    }
    while (run->index < list->count) {
        const struct rule *r = &list->rules[run->index];
        if (!run->in_action) {
            enum cond_result held = cond_eval(r->cond, &st->ctx);
            if (held == COND_MORE)
                return STEP_MORE;
            if (held == COND_WAIT)
                return STEP_WAIT;
            if (held == COND_FALSE) {
                run->index++;
                continue;
            }
            run->in_action = true;
            run->state = 0;
            run->data = NULL;
        }
        enum step step = r->action->fn(st, r->action, run);
        if (step == STEP_MORE || step == STEP_WAIT)
            return step;
        run->in_action = false;
        run->index++;
        if ((step == STEP_FINAL || r->action->stops) && tells_where(st))
            st->final_rule = r->cfg;
        if (step == STEP_FINAL) {
            run->list = NULL;
            return step;
        }
        if (r->action->stops)
            break;
    }
    run->list = NULL;
    return STEP_DONE;
}

// ---- compiling
// ----------------------------------------------------------------------------------------------------------

static struct str lower_name(struct arena *arena, struct str name)
{
    char *copy = arena_alloc(arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        copy[i] = str_lower(name.ptr[i]);
    copy[name.len] = '\0';
    return str_make(copy, name.len);
}

static struct table *tracked_table(struct proxy *p, const struct cfg_rule *rule, struct diag *diag)
{
    const struct cfg_proxy *owner = rule->action.table ? rule->action.table : p->cfg;
    struct proxy *q = snapshot_find(p->snapshot, owner->name, owner->caps);
    if (q && q->table)
        return q->table;
    diag_add(diag, DIAG_ALERT, &rule->src, "'track-sc' needs a 'stick-table' in '%.*s'", STR_ARG(owner->name));
    return NULL;
}

struct action *action_compile(struct compile *c, struct proxy *p, const struct cfg_rule *rule, bool response,
                              struct diag *diag)
{
    const struct cfg_action *cfg = &rule->action;
    struct arena *arena = p->snapshot->arena;
    struct action *a = ARENA_NEW(arena, struct action);
    unsigned flags = functions[cfg->id].flags;
    bool ok = true;
    a->fn = functions[cfg->id].fn;
    a->cfg = cfg;
    a->stops = flags & STOPS;
    a->text = flags & LOWER_NAME ? lower_name(arena, cfg->name) : cfg->text;
    if ((flags & NEED_EXPR) && cfg->expr)
        ok = (a->expr = expr_compile(c, cfg->expr)) != NULL && ok;
    if (flags & NEED_FORMAT)
        ok = (a->format = format_compile(c, &cfg->format)) != NULL && ok;
    if ((flags & NEED_REGEX) && (cfg->id != ACT_DEL_HEADER || cfg->match == MATCH_REG)) {
        struct str pattern = cfg->id == ACT_DEL_HEADER ? cfg->name : cfg->text;
        ok = (a->regex = regex_compile(c, pattern, cfg->id == ACT_DEL_HEADER, &rule->src)) != NULL && ok;
    }
    if (flags & NEED_TABLE)
        ok = (a->table = tracked_table(p, rule, diag)) != NULL && ok;
    if (flags & NEED_REPLY) {
        int status = cfg->id == ACT_DENY && response ? 502 : functions[cfg->id].default_status;
        ok = (a->reply = reply_compile(c, p, cfg->reply, status, &rule->src, arena, diag)) != NULL && ok;
    }
    return ok ? a : NULL;
}
