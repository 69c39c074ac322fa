// SPDX-License-Identifier: Apache-2.0
// Actions that edit messages: header fields, the start line, the URI; and those on maps and sets of ACLs.
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

bool action_normalize(struct action_parse *ap)
{
    static const struct {
        const char *name, *option; // option: sets number2
    } rows[] = {
        [NORMALIZE_FRAGMENT_ENCODE] = {"fragment-encode", NULL},
        [NORMALIZE_FRAGMENT_STRIP] = {"fragment-strip", NULL},
        [NORMALIZE_MERGE_SLASHES] = {"path-merge-slashes", NULL},
        [NORMALIZE_STRIP_DOT] = {"path-strip-dot", NULL},
        [NORMALIZE_STRIP_DOTDOT] = {"path-strip-dotdot", "full"},
        [NORMALIZE_DECODE_UNRESERVED] = {"percent-decode-unreserved", "strict"},
        [NORMALIZE_TO_UPPERCASE] = {"percent-to-uppercase", "strict"},
        [NORMALIZE_SORT_QUERY] = {"query-sort-by-name", NULL},
    };
    if (!action_need(ap, "the name of a normalizer"))
        return false;
    struct str name = action_take(ap);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!str_is(name, rows[i].name))
            continue;
        ap->a->number = (int)i;
        ap->a->number2 = rows[i].option && action_skip(ap, rows[i].option);
        return true;
    }
    const char *near = parse_nearest(name, rows, sizeof rows / sizeof *rows, sizeof *rows);
    return parse_error(ap->p, ap->word - 1, "unknown normalizer '%.*s'%s%s%s", STR_ARG(name),
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

// ---- maps and ACL files --------------------------------------------------------------------------------------------
// "(file)" behind the name.
static bool take_file(struct action_parse *ap)
{
    struct cfg_arg *args;
    uint8_t n;
    if (!action_args(ap, "F", &args, &n))
        return false;
    ap->a->name = args[0].text;
    return true;
}

bool action_acl(struct action_parse *ap)
{
    return take_file(ap) && action_take_format(ap, "a key", &ap->a->format);
}

bool action_map(struct action_parse *ap)
{
    return take_file(ap) && action_take_format(ap, "a key", &ap->a->format) &&
           action_take_format(ap, "a value", &ap->a->format2);
}
