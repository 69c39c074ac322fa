// SPDX-License-Identifier: Apache-2.0
// Fetches of cookies: of Cookie in requests, of Set-Cookie in responses.
#include "node/http/cookie.h"
#include "node/match/fetch.h"

typedef enum eval_result message_fn(struct match_ctx *c, struct http_msg **m);

// The last cookie of that name (the first of all when none is named); for an ACL the next.
static bool next_cookie(struct match_ctx *c, struct http_msg *m, struct str name, struct str *value)
{
    struct value_cursor *cursor = c->cursor;
    if (cursor == NULL)
        return cookie_get(m, name, name.len != 0 ? -1 : 1, value);
    struct cookie_pair pair;
    cursor->more = cookie_next_value(m, name, &cursor->pos, &cursor->rest, &pair);
    *value = pair.value;
    return cursor->more;
}

static enum eval_result give_cookie(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                    struct sample *out)
{
    struct http_msg *m;
    struct str value;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    if (!next_cookie(c, m, arg_text(args, nargs, 0), &value))
        return EVAL_NONE;
    sample_set_str(out, value);
    return EVAL_FOUND;
}

FETCH(cookie)
{
    return give_cookie(c, fetch_message, args, nargs, out);
}

FETCH(req_cook)
{
    return give_cookie(c, fetch_request, args, nargs, out);
}

FETCH(res_cook)
{
    return give_cookie(c, fetch_response, args, nargs, out);
}

static enum eval_result give_number(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                    struct sample *out)
{
    enum eval_result r = give_cookie(c, message, args, nargs, out);
    if (r == EVAL_FOUND && !sample_cast(c, out, TYPE_INT))
        sample_set_int(out, 0);
    return r;
}

FETCH(req_cook_val)
{
    return give_number(c, fetch_request, args, nargs, out);
}

FETCH(res_cook_val)
{
    return give_number(c, fetch_response, args, nargs, out);
}

static enum eval_result give_count(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                   struct sample *out)
{
    struct http_msg *m;
    enum eval_result r = message(c, &m);
    if (r == EVAL_FOUND)
        sample_set_int(out, cookie_count(m, arg_text(args, nargs, 0)));
    return r;
}

FETCH(req_cook_cnt)
{
    return give_count(c, fetch_request, args, nargs, out);
}

FETCH(res_cook_cnt)
{
    return give_count(c, fetch_response, args, nargs, out);
}

// Names joined by the delimiter's first character, a comma by default.
static enum eval_result give_names(struct match_ctx *c, message_fn *message, const struct arg *args, unsigned nargs,
                                   struct sample *out)
{
    struct http_msg *m;
    enum eval_result r = message(c, &m);
    if (r != EVAL_FOUND)
        return r;
    struct str delim = arg_text(args, nargs, 0), rest = STR_NONE;
    struct cookie_pair pair;
    size_t size = 0, n = 0;
    unsigned pos = 0;
    while (cookie_next_value(m, STR_NONE, &pos, &rest, &pair))
        size += pair.name.len + 1;
    if (size == 0)
        return EVAL_NONE;

    char *names = arena_alloc(c->arena, size);
    for (pos = 0, rest = STR_NONE; cookie_next_value(m, STR_NONE, &pos, &rest, &pair); n += pair.name.len) {
        if (n != 0)
            names[n++] = delim.len != 0 ? delim.ptr[0] : ',';
        memcpy(names + n, pair.name.ptr, pair.name.len);
    }
    *out = (struct sample){.type = TYPE_STR, .str = str_make(names, n)};
    return EVAL_FOUND;
}

FETCH(req_cook_names)
{
    return give_names(c, fetch_request, args, nargs, out);
}

FETCH(res_cook_names)
{
    return give_names(c, fetch_response, args, nargs, out);
}
