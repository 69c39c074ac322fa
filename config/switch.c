// SPDX-License-Identifier: Apache-2.0
// Lines that choose a backend, a server or an entry of a table: use_backend, use-server, stick.
#include "config/resolve.h"

// The name at word 1: static, or a log-format when it holds a '%'.
static bool parse_name(struct parse *p, unsigned where, struct cfg_switch_rule *rule)
{
    struct str text = p->words[1];
    if (!parse_format(p, 1, text, where, &rule->format))
        return false;
    if (rule->format.constant && rule->format.count == 1)
        rule->name = rule->format.nodes[0].text;
    return text.len > 0 || parse_error(p, 1, "'%.*s' expects a name", STR_ARG(p->words[0]));
}

bool parse_use_backend_line(struct parse *p)
{
    struct cfg_switch_rule rule = {.src = parse_src(p, 1)};
    unsigned word = 2;
    if (p->nwords < 2)
        return parse_error(p, 0, "'use_backend' expects a backend name");
    if (!parse_name(p, WHERE_FRONT_REQ, &rule) || !parse_cond(p, &word, WHERE_FRONT_REQ, &rule.cond))
        return false;
    *PARSE_PUSH(p->arena, p->proxy->use_backends, p->proxy->nuse_backends, struct cfg_switch_rule) = rule;
    return true;
}

bool parse_use_server_line(struct parse *p)
{
    struct cfg_switch_rule rule = {.src = parse_src(p, 1)};
    unsigned word = 2;
    if (p->nwords < 3)
        return parse_error(p, p->nwords - 1,
                           "'use-server' expects a server name, and 'if' or 'unless' followed by a "
                           "condition");
    if (!parse_name(p, WHERE_BACK_REQ, &rule) || !parse_cond(p, &word, WHERE_BACK_REQ, &rule.cond))
        return false;
    *PARSE_PUSH(p->arena, p->proxy->use_servers, p->proxy->nuse_servers, struct cfg_switch_rule) = rule;
    return true;
}

static bool stick_kind(struct parse *p, unsigned *kinds, unsigned *where)
{
    struct str kind = p->words[1];
    *where = WHERE_BACK_REQ;
    if (str_is(kind, "on"))
        *kinds = STICK_MATCH | STICK_STORE_REQ;
    else if (str_is(kind, "match"))
        *kinds = STICK_MATCH;
    else if (str_is(kind, "store-request"))
        *kinds = STICK_STORE_REQ;
    else if (str_is(kind, "store-response"))
        *kinds = STICK_STORE_RES;
    else
        return parse_error(p, 1, "'stick' expects 'on', 'match', 'store-request' or 'store-response', not '%.*s'",
                           STR_ARG(kind));
    if (*kinds == STICK_STORE_RES)
        *where = WHERE_RES;
    return true;
}

bool parse_stick_line(struct parse *p)
{
    struct cfg_stick_rule rule = {.src = parse_src(p, 0)};
    unsigned word = 2, where;
    if (p->nwords < 3)
        return parse_error(p, p->nwords - 1,
                           "'stick' expects 'on', 'match', 'store-request' or 'store-response', and "
                           "an expression");
    if (!stick_kind(p, &rule.kinds, &where) || !parse_expr(p, &word, where, &rule.expr))
        return false;
    if (word < p->nwords && str_is(p->words[word], "table")) {
        if (++word >= p->nwords)
            return parse_error(p, word - 1, "'table' expects the name of a table");
        rule.table_name = p->words[word++];
    }
    if (!parse_cond(p, &word, where, &rule.cond))
        return false;
    *PARSE_PUSH(p->arena, p->proxy->stick_rules, p->proxy->nstick_rules, struct cfg_stick_rule) = rule;
    return true;
}
