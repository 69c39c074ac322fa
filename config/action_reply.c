// SPDX-License-Identifier: Apache-2.0
// Actions that answer: return, deny, tarpit, auth, redirect.
#include "config/action.h"

// ---- return, deny, tarpit ------------------------------------------------------------------------------------------
struct reply_parse {
    struct action_parse *ap;
    struct cfg_reply *reply;
    bool has_body;
};

static bool take_body(struct reply_parse *rp, int kind, const char *what)
{
    struct action_parse *ap = rp->ap;
    if (rp->has_body)
        return parse_error(ap->p, ap->word - 1, "'%.*s': the answer's body was given before",
                           STR_ARG(ap->p->words[ap->word - 1]));
    rp->has_body = true;
    rp->reply->body = kind;
    if (kind == REPLY_DEFAULT)
        return true;
    if (kind == REPLY_FORMAT)
        return action_take_format(ap, what, &rp->reply->format);
    if (!action_need(ap, what))
        return false;
    rp->reply->text = action_take(ap);
    return rp->reply->text.len > 0 ||
           parse_error(ap->p, ap->word - 1, "'%.*s' expects %s", STR_ARG(ap->p->words[ap->word - 2]), what);
}

static bool take_header(struct reply_parse *rp)
{
    struct action_parse *ap = rp->ap;
    if (!action_need(ap, "the name of a header"))
        return false;
    struct cfg_header_fmt *h = PARSE_PUSH(ap->p->arena, rp->reply->headers, rp->reply->nheaders, struct cfg_header_fmt);
    h->name = action_take(ap);
    if (str_is_nocase(h->name, "content-type") || str_is_nocase(h->name, "content-length") ||
        str_is_nocase(h->name, "transfer-encoding"))
        return parse_error(ap->p, ap->word - 1, "header '%.*s' is set by the answer's body, not by 'hdr'",
                           STR_ARG(h->name));
    return action_take_format(ap, "a header value", &h->value);
}

static bool take_status(struct reply_parse *rp)
{
    int64_t status;
    if (!action_number(rp->ap, "a status", 200, 599, &status))
        return false;
    rp->reply->status = (int)status;
    return true;
}

// One parameter. *more false: the next word is none.
static bool take_parameter(struct reply_parse *rp, bool *more)
{
    struct action_parse *ap = rp->ap;
    if (action_skip(ap, "status") || (ap->a->id != ACT_RETURN && action_skip(ap, "deny_status")))
        return take_status(rp);
    if (action_skip(ap, "content-type")) {
        if (!action_need(ap, "a content type"))
            return false;
        rp->reply->content_type = action_take(ap);
        return rp->reply->content_type.len > 0 || parse_error(ap->p, ap->word - 1, "a content type cannot be empty");
    }
    if (action_skip(ap, "default-errorfiles"))
        return take_body(rp, REPLY_DEFAULT, "");
    if (action_skip(ap, "errorfiles"))
        return take_body(rp, REPLY_ERRORFILES, "the name of an http-errors section");
    if (action_skip(ap, "errorfile"))
        return take_body(rp, REPLY_ERRORFILE, "a file");
    if (action_skip(ap, "file"))
        return take_body(rp, REPLY_FILE, "a file");
    if (action_skip(ap, "lf-file"))
        return take_body(rp, REPLY_FORMAT_FILE, "a file");
    if (action_skip(ap, "string"))
        return take_body(rp, REPLY_STRING, "a string");
    if (action_skip(ap, "lf-string"))
        return take_body(rp, REPLY_FORMAT, "a log-format string");
    if (action_skip(ap, "hdr"))
        return take_header(rp);
    *more = false;
    return true;
}

static bool has_error_page(int status)
{
    static const int statuses[] = {200, 400, 401, 403, 404, 405, 407, 408, 410, 413,
                                   414, 425, 429, 431, 500, 501, 502, 503, 504};
    for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i] == status)
            return true;
    return false;
}

static bool check_reply(struct action_parse *ap, const struct reply_parse *rp)
{
    const struct cfg_reply *r = rp->reply;
    bool string = r->body == REPLY_STRING || r->body == REPLY_FORMAT;
    bool page = r->body == REPLY_DEFAULT || r->body == REPLY_ERRORFILES || r->body == REPLY_ERRORFILE;
    if (r->body == REPLY_ERRORFILES)
        return parse_error(ap->p, ap->name_word,
                           "'errorfiles' names an http-errors section, which is not in Phalanx "
                           "yet; use 'errorfile'");
    if (string && !r->content_type.ptr && (r->text.len > 0 || r->format.count > 0))
        return parse_error(ap->p, ap->name_word, "a body from a string needs 'content-type'");
    if (page && r->status && !has_error_page(r->status))
        return parse_error(ap->p, ap->name_word, "there is no error page for status %d", r->status);
    if (r->nheaders > 0 && page)
        parse_warning(ap->p, ap->name_word, "'hdr' has no effect on an answer that is an error file");
    return true;
}

bool action_reply(struct action_parse *ap)
{
    struct reply_parse rp = {.ap = ap, .reply = ARENA_NEW(ap->p->arena, struct cfg_reply)};
    bool more = true;
    ap->a->reply = rp.reply;
    while (more)
        if (!take_parameter(&rp, &more))
            return false;
    // A bare `return` has no body; a bare `deny` has the error page of its status.
    if (!rp.has_body && (ap->a->id == ACT_RETURN || rp.reply->nheaders > 0 || rp.reply->content_type.ptr)) {
        rp.reply->body = REPLY_STRING;
        rp.reply->text = STR("");
    }
    if (!rp.reply->status && ap->a->id == ACT_DENY && ap->set == RULES_HTTP_RES)
        rp.reply->status = 502; // what is denied is the server's answer
    return check_reply(ap, &rp);
}

bool action_auth(struct action_parse *ap)
{
    if (!action_skip(ap, "realm"))
        return true;
    if (!action_need(ap, "a realm"))
        return false;
    ap->a->text = action_take(ap);
    return true;
}

// ---- redirect ------------------------------------------------------------------------------------------------------
// The last one given counts.
static bool take_target(struct action_parse *ap, bool *has_target)
{
    const char *kind = ap->a->redirect == REDIRECT_LOCATION ? "a location"
                       : ap->a->redirect == REDIRECT_PREFIX ? "a prefix"
                                                            : "a scheme";
    *has_target = true;
    return action_take_format(ap, kind, &ap->a->format);
}

static bool take_code(struct action_parse *ap)
{
    int64_t code;
    if (!action_number(ap, "a status", 301, 308, &code))
        return false;
    if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308)
        return parse_error(ap->p, ap->word - 1, "a redirect has status 301, 302, 303, 307 or 308, not %lld",
                           (long long)code);
    ap->a->number = (int)code;
    return true;
}

static bool take_cookie(struct action_parse *ap, bool clear)
{
    if (!action_need(ap, "a cookie"))
        return false;
    ap->a->cookie = action_take(ap);
    ap->a->clear_cookie = clear;
    if (clear && str_find_char(ap->a->cookie, '=') < 0)
        ap->a->cookie = arena_printf(ap->p->arena, "%.*s=", STR_ARG(ap->a->cookie));
    return true;
}

static bool take_redirect_option(struct action_parse *ap, bool *has_target, bool *more)
{
    static const char *const kinds[] = {"location", "prefix", "scheme"};
    struct cfg_action *a = ap->a;
    for (int i = 0; i < 3; i++)
        if (action_skip(ap, kinds[i])) {
            a->redirect = (enum cfg_redirect_kind)i;
            return take_target(ap, has_target);
        }
    if (action_skip(ap, "code"))
        return take_code(ap);
    if (action_skip(ap, "set-cookie"))
        return take_cookie(ap, false);
    if (action_skip(ap, "clear-cookie"))
        return take_cookie(ap, true);
    if (action_skip(ap, "drop-query"))
        a->drop_query = true;
    else if (action_skip(ap, "append-slash"))
        a->append_slash = true;
    else if (action_skip(ap, "ignore-empty"))
        a->ignore_empty = true;
    else
        *more = false;
    return true;
}

bool redirect_parse(struct action_parse *ap)
{
    bool has_target = false, more = true;
    struct parse *p = ap->p;
    ap->a->id = ACT_REDIRECT;
    ap->a->number = 302;
    while (more)
        if (!take_redirect_option(ap, &has_target, &more))
            return false;
    if (ap->word < p->nwords && !str_is(p->words[ap->word], "if") && !str_is(p->words[ap->word], "unless"))
        return parse_error(p, ap->word,
                           "'redirect' expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', "
                           "'drop-query', 'ignore-empty' or 'append-slash', not '%.*s'",
                           STR_ARG(p->words[ap->word]));
    return has_target || parse_error(p, ap->name_word,
                                     "'redirect' expects a redirection type: 'prefix', 'location' or "
                                     "'scheme'");
}

bool action_redirect(struct action_parse *ap)
{
    return redirect_parse(ap);
}
