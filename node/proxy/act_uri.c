// SPDX-License-Identifier: Apache-2.0
// Actions that edit the request-target: set-path, set-query … and their replace- forms.
#include "node/http/uri.h"
#include "node/match/regex.h"
#include "node/proxy/actions.h"

// A target goes into the start line: no space, no control character.
static bool target_ok(struct str t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.ptr[i] <= ' ' || t.ptr[i] == 0x7f)
            return false;
    return t.len > 0;
}

static enum step set_target(struct stream *st, struct str target)
{
    if (!target_ok(target))
        return action_failed(st);
    st->req.target = target;
    return STEP_DONE;
}

// Scheme and authority of the absolute form, as far as the path.
static struct str before_path(const struct stream *st, const struct uri *uri)
{
    return str_make(st->req.target.ptr, (size_t)(uri->path.ptr - st->req.target.ptr));
}

static enum step rebuild(struct stream *st, struct str front, struct str path, struct str query, bool has_query)
{
    return set_target(st, arena_printf(st->arena, "%.*s%.*s%s%.*s", STR_ARG(front), STR_ARG(path), has_query ? "?" : "",
                                       STR_ARG(query)));
}

enum step act_set_path(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct uri uri;
    uri_parse(st->req.target, &uri);
    return rebuild(st, before_path(st, &uri), format_text(a->format, &st->ctx), uri.query, uri.query.ptr != NULL);
}

enum step act_set_pathq(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct uri uri;
    uri_parse(st->req.target, &uri);
    return rebuild(st, before_path(st, &uri), format_text(a->format, &st->ctx), STR_NONE, false);
}

enum step act_set_query(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct uri uri;
    uri_parse(st->req.target, &uri);
    struct str query = format_text(a->format, &st->ctx);
    return rebuild(st, before_path(st, &uri), uri.path, query, query.len > 0);
}

enum step act_set_uri(struct stream *st, const struct action *a, struct rule_run *run)
{
    return set_target(st, format_text(a->format, &st->ctx));
}

enum step act_replace_path(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct uri uri;
    struct str path;
    uri_parse(st->req.target, &uri);
    if (!regex_expand(a->regex, uri.path, format_text(a->format, &st->ctx), st->arena, &path))
        return STEP_DONE;
    return rebuild(st, before_path(st, &uri), path, uri.query, uri.query.ptr != NULL);
}

enum step act_replace_pathq(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct uri uri;
    struct str pathq;
    uri_parse(st->req.target, &uri);
    struct str front = before_path(st, &uri);
    struct str subject = str_slice(st->req.target, front.len, st->req.target.len);
    if (!regex_expand(a->regex, subject, format_text(a->format, &st->ctx), st->arena, &pathq))
        return STEP_DONE;
    return rebuild(st, front, pathq, STR_NONE, false);
}

enum step act_replace_uri(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct str target;
    if (!regex_expand(a->regex, st->req.target, format_text(a->format, &st->ctx), st->arena, &target))
        return STEP_DONE;
    return set_target(st, target);
}
