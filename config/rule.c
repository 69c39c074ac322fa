// SPDX-License-Identifier: Apache-2.0
// Lines of rules: tcp-request, tcp-response, http-request, http-response, http-after-response, redirect, and set-var of
// the global section. The row of actions.def says where an action is allowed; its parser reads the words behind.
#include "config/action.h"

// clang-format off
static action_parse_fn *const parsers[ACT_ID_COUNT] = {
    [ACT_ACCEPT] = action_none, [ACT_ALLOW] = action_none, [ACT_REJECT] = action_none, [ACT_CLOSE] = action_none,
    [ACT_DISABLE_L7_RETRY] = action_none, [ACT_WAIT_FOR_HANDSHAKE] = action_none,
    [ACT_SILENT_DROP] = action_silent_drop,

    [ACT_RETURN] = action_reply, [ACT_DENY] = action_reply, [ACT_TARPIT] = action_reply, [ACT_AUTH] = action_auth,
    [ACT_REDIRECT] = action_redirect,

    [ACT_ADD_HEADER] = action_set_header, [ACT_SET_HEADER] = action_set_header,
    [ACT_DEL_HEADER] = action_del_header, [ACT_REPLACE_HEADER] = action_replace_header,
    [ACT_REPLACE_VALUE] = action_replace_header, [ACT_REPLACE_PATH] = action_replace_uri,
    [ACT_REPLACE_PATHQ] = action_replace_uri, [ACT_REPLACE_URI] = action_replace_uri,
    [ACT_SET_PATH] = action_format, [ACT_SET_PATHQ] = action_format, [ACT_SET_QUERY] = action_format,
    [ACT_SET_URI] = action_format, [ACT_SET_METHOD] = action_format, [ACT_SET_STATUS] = action_set_status,

    [ACT_SET_VAR] = action_set_var, [ACT_SET_VAR_FMT] = action_set_var_fmt, [ACT_UNSET_VAR] = action_unset_var,
    [ACT_TRACK_SC] = action_track, [ACT_SC_INC_GPC] = action_sc_inc, [ACT_SC_INC_GPC0] = action_sc_inc,
    [ACT_SC_INC_GPC1] = action_sc_inc, [ACT_SC_ADD_GPC] = action_sc_set, [ACT_SC_SET_GPT] = action_sc_set,
    [ACT_SC_SET_GPT0] = action_sc_set, [ACT_CAPTURE] = action_capture,
    [ACT_SET_SRC] = action_expr, [ACT_SET_SRC_PORT] = action_expr, [ACT_SET_DST] = action_expr,
    [ACT_SET_DST_PORT] = action_expr, [ACT_SET_PRIORITY_CLASS] = action_expr, [ACT_SET_PRIORITY_OFFSET] = action_expr,
    [ACT_SET_LOG_LEVEL] = action_log_level, [ACT_SET_NICE] = action_nice, [ACT_SET_MARK] = action_mark,
    [ACT_SET_FC_MARK] = action_mark, [ACT_SET_TOS] = action_tos, [ACT_SET_FC_TOS] = action_tos,
    [ACT_SET_TIMEOUT] = action_set_timeout, [ACT_PAUSE] = action_pause, [ACT_WAIT_FOR_BODY] = action_wait_for_body,
    [ACT_STRICT_MODE] = action_strict_mode, [ACT_TEST_WAIT] = action_test_wait,
};
// clang-format on

// ---- words of an action --------------------------------------------------------------------------------------------
bool action_need(struct action_parse *ap, const char *what)
{
    return ap->word < ap->p->nwords ||
           parse_error(ap->p, ap->p->nwords - 1, "'%.*s' expects %s here", STR_ARG(ap->name), what);
}

struct str action_take(struct action_parse *ap)
{
    return ap->p->words[ap->word++];
}

bool action_skip(struct action_parse *ap, const char *keyword)
{
    if (ap->word >= ap->p->nwords || !str_is(ap->p->words[ap->word], keyword))
        return false;
    ap->word++;
    return true;
}

bool action_number(struct action_parse *ap, const char *what, int64_t min, int64_t max, int64_t *out)
{
    return action_need(ap, what) && parse_int(ap->p, ap->word++, min, max, out);
}

bool action_time(struct action_parse *ap, const char *what, int64_t *out_ms)
{
    return action_need(ap, what) && parse_time_ms(ap->p, ap->word++, out_ms);
}

bool action_take_format(struct action_parse *ap, const char *what, struct cfg_format *out)
{
    if (!action_need(ap, what))
        return false;
    unsigned word = ap->word++;
    return parse_format(ap->p, word, ap->p->words[word], ap->where, out);
}

bool action_take_expr(struct action_parse *ap, struct cfg_expr **out)
{
    *out = ARENA_NEW(ap->p->arena, struct cfg_expr);
    return action_need(ap, "a sample expression") && parse_expr(ap->p, &ap->word, ap->where, *out);
}

bool action_args(struct action_parse *ap, const char *letters, struct cfg_arg **args, uint8_t *n)
{
    size_t pos = 0;
    struct args_spec spec = {letters, -1, arena_printf(ap->p->arena, "action '%.*s'", STR_ARG(ap->name))};
    struct str text = ap->args;
    ap->args = STR("");
    if (!args_parse(ap->p, ap->name_word, &spec, text, &pos, args, n))
        return false;
    return pos == text.len || parse_error(ap->p, ap->name_word, "unexpected '%.*s' behind the arguments of '%.*s'",
                                          STR_ARG(str_slice(text, pos, text.len)), STR_ARG(ap->name));
}

// ---- rule sets -----------------------------------------------------------------------------------------------------
static const char *const set_names[RULESET_COUNT] = {
    [RULES_TCP_REQ_CONN] = "tcp-request connection",
    [RULES_TCP_REQ_SESS] = "tcp-request session",
    [RULES_TCP_REQ_CONT] = "tcp-request content",
    [RULES_TCP_RES_CONT] = "tcp-response content",
    [RULES_HTTP_REQ] = "http-request",
    [RULES_HTTP_RES] = "http-response",
    [RULES_HTTP_AFTER_RES] = "http-after-response",
};

static unsigned where_of(const struct parse *p, enum ruleset set)
{
    if (set == RULES_TCP_REQ_CONN || set == RULES_TCP_REQ_SESS)
        return WHERE_FRONT_CONN;
    if (set == RULES_TCP_RES_CONT || set == RULES_HTTP_RES || set == RULES_HTTP_AFTER_RES)
        return WHERE_RES;
    if (p->section == SECTION_DEFAULTS)
        return WHERE_FRONT_REQ | WHERE_BACK_REQ;
    return (p->proxy->caps & CAP_FRONT ? WHERE_FRONT_REQ : 0) | (p->proxy->caps & CAP_BACK ? WHERE_BACK_REQ : 0);
}

// Rule sets run in a fixed order, whatever the order of the lines.
static void warn_order(struct parse *p, enum ruleset set)
{
    const struct cfg_proxy *px = p->proxy;
    const char *later = NULL;
    if (set == RULES_TCP_RES_CONT || set == RULES_HTTP_RES || set == RULES_HTTP_AFTER_RES)
        return;
    for (unsigned i = set + 1; i <= RULES_HTTP_REQ; i++)
        if (i != RULES_TCP_RES_CONT && px->rules[i].count > 0)
            later = set_names[i];
    if (px->redirects.count > 0)
        later = "redirect";
    if (px->nuse_servers > 0)
        later = "use-server";
    if (px->nuse_backends > 0)
        later = "use_backend";
    if (later)
        parse_warning(p, 0, "a '%s' rule placed after a '%s' rule will still be processed before", set_names[set],
                      later);
}

static bool unknown_action(struct parse *p, unsigned word, enum ruleset set, struct str name)
{
    struct buf list = BUF_INIT;
    const char *near = parse_nearest(name, action_rows, ACT_ID_COUNT, sizeof *action_rows);
    for (unsigned i = 0; i < ACT_ID_COUNT; i++)
        if ((action_rows[i].rulesets >> set & 1) && action_rows[i].status != KW_REFUSED && action_rows[i].name[0])
            buf_printf(&list, "%s'%s'", list.len ? ", " : "", action_rows[i].name);
    parse_error(p, word, "'%s' expects %.*s, but got '%.*s'%s%s%s", set_names[set], STR_ARG(buf_str(&list)),
                STR_ARG(name), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    buf_free(&list);
    return false;
}

// The action at ap->word, with its arguments.
static bool parse_action(struct action_parse *ap)
{
    struct parse *p = ap->p;
    ap->name_word = ap->word;
    ap->name = action_take(ap);
    ptrdiff_t paren = str_find_char(ap->name, '(');
    ap->args = paren < 0 ? STR("") : str_slice(ap->name, (size_t)paren, ap->name.len);
    ap->name = paren < 0 ? ap->name : str_slice(ap->name, 0, (size_t)paren);
    int id = action_find(ap->name);
    if (id < 0)
        return unknown_action(p, ap->name_word, ap->set, ap->name);
    const struct action_row *row = &action_rows[id];
    if (row->status == KW_REFUSED)
        return parse_error(p, ap->name_word, "action '%.*s' is not supported: %s", STR_ARG(ap->name), row->help);
    if (!(row->rulesets >> ap->set & 1))
        return parse_error(p, ap->name_word, "action '%.*s' is not possible in '%s'", STR_ARG(ap->name),
                           set_names[ap->set]);
    ap->a->id = (enum action_id)id;
    if (!parsers[id](ap))
        return false;
    return ap->args.len == 0 ||
           parse_error(p, ap->name_word, "action '%.*s' takes no argument in parentheses", STR_ARG(ap->name));
}

static bool parse_rule(struct parse *p, unsigned word, enum ruleset set)
{
    struct cfg_rule rule = {.src = parse_src(p, word)};
    struct action_parse ap = {.p = p, .set = set, .where = where_of(p, set), .word = word, .a = &rule.action};
    if (word >= p->nwords)
        return parse_error(p, p->nwords - 1, "'%s' expects an action", set_names[set]);
    if (!parse_action(&ap) || !parse_cond(p, &ap.word, ap.where, &rule.cond))
        return false;
    if (p->section != SECTION_DEFAULTS)
        warn_order(p, set);
    *PARSE_PUSH(p->arena, p->proxy->rules[set].rules, p->proxy->rules[set].count, struct cfg_rule) = rule;
    return true;
}

static bool parse_inspect_delay(struct parse *p, int *target)
{
    int64_t ms;
    if (p->nwords != 3)
        return parse_error(p, p->nwords - 1, "'%.*s inspect-delay' expects a time", STR_ARG(p->words[0]));
    if (!parse_time_ms(p, 2, &ms))
        return false;
    if (ms > INT32_MAX)
        return parse_error(p, 2, "a delay is at most 24 days");
    *target = (int)ms;
    return true;
}

static bool parse_tcp_request(struct parse *p)
{
    struct str kind = p->words[1];
    bool front = p->section == SECTION_DEFAULTS || p->proxy->caps & CAP_FRONT;
    if (str_is(kind, "inspect-delay"))
        return parse_inspect_delay(p, &p->proxy->inspect_delay_req);
    if (str_is(kind, "content"))
        return parse_rule(p, 2, RULES_TCP_REQ_CONT);
    if (!str_is(kind, "connection") && !str_is(kind, "session"))
        return parse_error(p, 1,
                           "'tcp-request' expects 'inspect-delay', 'connection', 'session' or 'content', not "
                           "'%.*s'",
                           STR_ARG(kind));
    if (!front)
        return parse_error(p, 1, "'tcp-request %.*s' is not possible in a backend, which accepts no connections",
                           STR_ARG(kind));
    return parse_rule(p, 2, str_is(kind, "session") ? RULES_TCP_REQ_SESS : RULES_TCP_REQ_CONN);
}

static bool parse_tcp_response(struct parse *p)
{
    if (str_is(p->words[1], "inspect-delay"))
        return parse_inspect_delay(p, &p->proxy->inspect_delay_res);
    if (!str_is(p->words[1], "content"))
        return parse_error(p, 1, "'tcp-response' expects 'inspect-delay' or 'content', not '%.*s'",
                           STR_ARG(p->words[1]));
    return parse_rule(p, 2, RULES_TCP_RES_CONT);
}

bool parse_rule_line(struct parse *p)
{
    if (p->nwords < 2)
        return parse_error(p, 0, "'%.*s' expects an action", STR_ARG(p->words[0]));
    if (str_is(p->words[0], "tcp-request"))
        return parse_tcp_request(p);
    if (str_is(p->words[0], "tcp-response"))
        return parse_tcp_response(p);
    if (str_is(p->words[0], "http-request"))
        return parse_rule(p, 1, RULES_HTTP_REQ);
    return parse_rule(p, 1, str_is(p->words[0], "http-response") ? RULES_HTTP_RES : RULES_HTTP_AFTER_RES);
}

bool parse_redirect_line(struct parse *p)
{
    struct cfg_rule rule = {.src = parse_src(p, 0)};
    struct action_parse ap = {.p = p, .set = RULES_HTTP_REQ, .word = 1, .name = STR("redirect"), .a = &rule.action};
    ap.where = where_of(p, RULES_HTTP_REQ);
    if (!redirect_parse(&ap) || !parse_cond(p, &ap.word, ap.where, &rule.cond))
        return false;
    if (p->proxy->nuse_backends > 0)
        parse_warning(p, 0, "a 'redirect' rule placed after a 'use_backend' rule will still be processed before");
    *PARSE_PUSH(p->arena, p->proxy->redirects.rules, p->proxy->redirects.count, struct cfg_rule) = rule;
    return true;
}

// ---- global --------------------------------------------------------------------------------------------------------
// set-var proc.NAME EXPR, set-var-fmt proc.NAME FMT: run once at start.
bool parse_set_var_line(struct parse *p)
{
    struct cfg_rule rule = {.src = parse_src(p, 0)};
    struct cfg_action *a = &rule.action;
    struct action_parse ap = {.p = p, .where = WHERE_INIT, .word = 2, .name = p->words[0], .a = a};
    bool format = str_is(p->words[0], "set-var-fmt");
    if (p->nwords < 3)
        return parse_error(p, p->nwords - 1, "'%.*s' expects a variable and %s", STR_ARG(p->words[0]),
                           format ? "a log-format string" : "an expression");
    if (!parse_var_name(p, 1, p->words[1], &a->scope, &a->name, &a->var_index))
        return false;
    if (a->scope != VAR_PROC)
        return parse_error(p, 1, "'%.*s': only variables of scope 'proc' can be set in the global section",
                           STR_ARG(p->words[1]));
    a->id = format ? ACT_SET_VAR_FMT : ACT_SET_VAR;
    if (format ? !action_take_format(&ap, "a log-format string", &a->format) : !action_take_expr(&ap, &a->expr))
        return false;
    if (ap.word < p->nwords)
        return parse_error(p, ap.word, "unexpected '%.*s'", STR_ARG(p->words[ap.word]));
    struct cfg_rules *rules = &p->config->global.set_vars;
    *PARSE_PUSH(p->arena, rules->rules, rules->count, struct cfg_rule) = rule;
    return true;
}
