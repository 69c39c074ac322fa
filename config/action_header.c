// SPDX-License-Identifier: Apache-2.0
// Actions that edit messages: header fields, the start line, the URI.
#include "config/action.h"

static bool take_name(struct action_parse *ap)
{
    if (!action_need(ap, "the name of a header"))
        return false;
    ap->a->name = action_take(ap);
    return ap->a->name.len > 0 || parse_error(ap->p, ap->word - 1, "a header name cannot be empty");
}

bool action_set_header(struct action_parse *ap)
{
    return take_name(ap) && action_take_format(ap, "a header value", &ap->a->format);
}

bool action_del_header(struct action_parse *ap)
{
    ap->a->match = MATCH_STR;
    if (!take_name(ap))
        return false;
    if (!action_skip(ap, "-m"))
        return true;
    if (!action_need(ap, "a matching method"))
        return false;
    static const enum match_method methods[] = {MATCH_STR, MATCH_BEG, MATCH_END, MATCH_SUB, MATCH_REG};
    struct str name = action_take(ap);
    for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_is(name, match_method_name(methods[i]))) {
            ap->a->match = methods[i];
            return true;
        }
    return parse_error(ap->p, ap->word - 1, "unknown matching method '%.*s', expected str, beg, end, sub or reg",
                       STR_ARG(name));
}

static bool take_replacement(struct action_parse *ap)
{
    if (!action_need(ap, "a regular expression"))
        return false;
    ap->a->text = action_take(ap);
    return action_take_format(ap, "a replacement", &ap->a->format);
}

bool action_replace_header(struct action_parse *ap)
{
    return take_name(ap) && take_replacement(ap);
}

bool action_replace_uri(struct action_parse *ap)
{
    return take_replacement(ap);
}

bool action_format(struct action_parse *ap)
{
    return action_take_format(ap, "a log-format string", &ap->a->format);
}

bool action_set_status(struct action_parse *ap)
{
    int64_t status;
    if (!action_number(ap, "a status", 100, 999, &status))
        return false;
    ap->a->number = (int)status;
    if (!action_skip(ap, "reason"))
        return true;
    if (!action_need(ap, "a reason"))
        return false;
    ap->a->text = action_take(ap);
    return true;
}
