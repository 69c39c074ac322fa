// SPDX-License-Identifier: Apache-2.0
// Fetches of parameters: NAME=VALUE in the query and in form bodies.
#include "node/match/fetch.h"

// The next parameter of that name (of any when it is empty) from *rest on.
static bool next_param(struct str *rest, struct str name, char delim, bool nocase, struct str *value)
{
    while (rest->ptr != NULL) {
        const char *p = rest->ptr, *end = p + rest->len, *stop = p;
        while (stop < end && *stop != '&' && *stop != ';' && *stop != delim)
            stop++;
        *rest = stop < end ? str_make(stop + 1, (size_t)(end - stop - 1)) : STR_NONE;

        struct str param = str_make(p, (size_t)(stop - p));
        ptrdiff_t equals = str_find_char(param, '=');
        if (equals < 0)
            continue;
        struct str key = str_make(p, (size_t)equals);
        if (name.len == 0 || (nocase ? str_eq_nocase(key, name) : str_eq(key, name))) {
            *value = str_slice(param, (size_t)equals + 1, SIZE_MAX);
            return true;
        }
    }
    return false;
}

// The first one, and for an ACL the next.
static enum eval_result give_param(struct match_ctx *c, struct str params, struct str name, char delim, bool nocase,
                                   struct sample *out)
{
    struct value_cursor *cursor = c->cursor;
    struct str value, *rest = &params;
    if (cursor != NULL) {
        if (cursor->pos == 0)
            cursor->rest = params;
        cursor->pos = 1;
        rest = &cursor->rest;
    }
    bool found = next_param(rest, name, delim, nocase, &value);
    if (cursor != NULL)
        cursor->more = found && rest->ptr != NULL;
    if (!found)
        return EVAL_NONE;
    sample_set_str(out, value);
    return EVAL_FOUND;
}

// Parameters begin behind the first question mark, or behind the delimiter that was given instead.
FETCH(urlp)
{
    struct http_msg *m;
    enum eval_result r = fetch_request(c, &m);
    if (r != EVAL_FOUND)
        return r;
    struct str delimiter = arg_text(args, nargs, 1);
    char delim = delimiter.len != 0 ? delimiter.ptr[0] : '?';
    ptrdiff_t start = str_find_char(m->target, delim);
    if (start < 0)
        return EVAL_NONE;
    struct str params = str_slice(m->target, (size_t)start + 1, SIZE_MAX);
    return give_param(c, params, arg_text(args, nargs, 0), delim, arg_text(args, nargs, 2).len != 0, out);
}

FETCH(urlp_val)
{
    enum eval_result r = fetch_urlp(c, args, nargs, out);
    if (r == EVAL_FOUND && !sample_cast(c, out, TYPE_INT))
        sample_set_int(out, 0);
    return r;
}

// Without waiting for more than has arrived: "option http-buffer-request" and "wait-for-body" are for that.
FETCH(req_body_param)
{
    struct http_msg *m;
    enum eval_result r = fetch_request(c, &m);
    if (r != EVAL_FOUND)
        return r;
    if (c->req == NULL || c->req_bytes.len == 0)
        return EVAL_NONE;
    r = give_param(c, c->req_bytes, arg_text(args, nargs, 0), '&', arg_text(args, nargs, 1).len != 0, out);
    if (r == EVAL_FOUND)
        out->type = TYPE_BIN;
    return r;
}
