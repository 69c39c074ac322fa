// SPDX-License-Identifier: Apache-2.0
// Sample expressions: fetch(args),converter(args),… (configuration.txt 7.3). The chain is checked for types as it is
// read; names of other objects are left to resolve_exprs().
#include "config/env.h"
#include "config/resolve.h"
#include "node/base/panic.h"

#define CONVS_MAX 255

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '+';
}

struct str expr_name(struct str text, size_t pos)
{
    size_t end = pos;
    while (end < text.len && is_name_char(text.ptr[end]))
        end++;
    return str_slice(text, pos, end - pos);
}

// What fetches of such a WHERE set need: the one that the place at hand lacks.
const char *where_needs(unsigned where)
{
    if (where & WHERE_FRONT_CONN)
        return "the client's connection";
    if ((where & WHERE_FRONT_REQ) && (where & WHERE_RES))
        return "the contents or facts of a stream";
    if (where & WHERE_FRONT_REQ)
        return "the contents of the request";
    if (where & WHERE_BACK_REQ)
        return "the backend";
    if (where & WHERE_LOG)
        return "the server or its response";
    return "the contents of the response";
}

const char *where_name(unsigned where)
{
    static const char *const names[] = {
        "rules of connections",
        "request rules of frontends",
        "request rules of backends",
        "response rules",
        "log formats",
        "health checks",
        "the runtime API",
        "the global section",
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (where & (1u << i))
            return names[i];
    return "this place";
}

static bool unknown_name(struct parse *p, unsigned word, const char *kind, struct str name, const void *rows,
                         unsigned n, size_t stride)
{
    const char *near = parse_nearest(name, rows, n, stride);
    if (near)
        return parse_error(p, word, "unknown %s '%.*s'; did you mean '%s'?", kind, STR_ARG(name), near);
    return parse_error(p, word, "unknown %s '%.*s'", kind, STR_ARG(name));
}

// ---- fetch ---------------------------------------------------------------------------------------------------------
// env() is read here, once: what this file set counts, and no thread asks the process's environment later.
static void read_env(struct parse *p, struct cfg_arg *name)
{
    struct str value;
    name->text = p->env && env_get(p->env, name->text, &value) ? arena_str(p->arena, value) : STR_NONE;
}

static bool parse_fetch(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *e)
{
    struct str name = expr_name(text, *pos);
    int lead;
    if (name.len == 0)
        return parse_error(p, word, "missing fetch method at '%.*s'", STR_ARG(str_slice(text, *pos, text.len)));
    int id = fetch_find(name, &lead);
    if (id < 0)
        return unknown_name(p, word, "fetch method", name, fetch_rows, FETCH_ID_COUNT, sizeof *fetch_rows);
    const struct fetch_row *row = &fetch_rows[id];
    if (row->status == KW_REFUSED)
        return parse_error(p, word, "fetch method '%.*s' is not supported: %s", STR_ARG(name), row->help);
    *pos += name.len;
    e->id = (enum fetch_id)id;
    e->type = row->type;
    struct args_spec spec = {row->args, lead, arena_printf(p->arena, "sample fetch '%.*s'", STR_ARG(name))};
    if (!args_parse(p, word, &spec, text, pos, &e->args, &e->nargs) ||
        !args_check_fetch(p, word, e->id, e->args, e->nargs))
        return false;
    if (e->id == FETCH_ENV)
        read_env(p, e->args);
    return true;
}

// ---- converters ----------------------------------------------------------------------------------------------------
static bool parse_conv(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *e,
                       struct cfg_conv *out)
{
    struct str name = expr_name(text, *pos);
    if (name.len == 0)
        return parse_error(p, word, "missing converter at '%.*s'", STR_ARG(str_slice(text, *pos, text.len)));
    int id = conv_find(name);
    if (id < 0)
        return unknown_name(p, word, "converter", name, conv_rows, CONV_ID_COUNT, sizeof *conv_rows);
    const struct conv_row *row = &conv_rows[id];
    if (row->status == KW_REFUSED)
        return parse_error(p, word, "converter '%.*s' is not supported: %s", STR_ARG(name), row->help);
    if (!sample_type_casts(e->type, row->in))
        return parse_error(p, word, "converter '%.*s' cannot be applied: it takes type %s, not %s", STR_ARG(name),
                           sample_type_name(row->in), sample_type_name(e->type));
    *pos += name.len;
    *out = (struct cfg_conv){.id = (enum conv_id)id, .in = row->in};
    out->out = row->out == TYPE_SAME ? e->type : row->out;
    e->type = out->out;
    struct args_spec spec = {row->args, -1, arena_printf(p->arena, "converter '%.*s'", STR_ARG(name))};
    return args_parse(p, word, &spec, text, pos, &out->args, &out->nargs) &&
           args_check_conv(p, word, out->id, out->args, out->nargs);
}

static bool add_conv(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *e)
{
    struct cfg_conv conv;
    unsigned count = e->nconvs;
    if (count == CONVS_MAX)
        return parse_error(p, word, "more than %d converters", CONVS_MAX);
    if (!parse_conv(p, word, text, pos, e, &conv))
        return false;
    *PARSE_PUSH(p->arena, e->convs, count, struct cfg_conv) = conv;
    e->nconvs = (uint8_t)count;
    return true;
}

bool expr_parse_convs(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *e)
{
    while (*pos < text.len && text.ptr[*pos] == ',') {
        ++*pos;
        if (*pos < text.len && text.ptr[*pos] == ',') // empty: "path,,lower"
            continue;
        if (!add_conv(p, word, text, pos, e))
            return false;
    }
    return true;
}

// ---- whole expressions ---------------------------------------------------------------------------------------------
bool expr_parse_acl(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *out, unsigned *found)
{
    size_t start = *pos;
    *out = (struct cfg_expr){.src = parse_src(p, word)};
    if (!parse_fetch(p, word, text, pos, out))
        return false;
    *found = fetch_rows[out->id].where;
    if (!expr_parse_convs(p, word, text, pos, out))
        return false;
    out->text = str_slice(text, start, *pos - start);
    return true;
}

bool expr_parse_text(struct parse *p, unsigned word, struct str text, size_t *pos, unsigned where, struct cfg_expr *out)
{
    unsigned found;
    if (!expr_parse_acl(p, word, text, pos, out, &found))
        return false;
    if (found & where)
        return true;
    return parse_error(p, word, "sample fetch '%s' needs %s, which is not available in %s", fetch_rows[out->id].name,
                       where_needs(found), where_name(where));
}

// Converters may also follow as words of their own ("stick on src ipmask(24)").
static bool is_conv_word(struct str word)
{
    struct str name = expr_name(word, 0);
    return name.len > 0 && (name.len == word.len || word.ptr[name.len] == '(' || word.ptr[name.len] == ',') &&
           conv_find(name) >= 0;
}

bool parse_expr(struct parse *p, unsigned *word, unsigned where, struct cfg_expr *out)
{
    if (*word >= p->nwords)
        return parse_error(p, p->nwords - 1, "expected a sample expression behind '%.*s'",
                           STR_ARG(p->words[p->nwords - 1]));
    struct str text = p->words[*word];
    size_t pos = 0;
    if (!expr_parse_text(p, *word, text, &pos, where, out))
        return false;
    for (;;) {
        if (pos < text.len)
            return parse_error(p, *word, "unexpected '%.*s' behind sample expression '%.*s'",
                               STR_ARG(str_slice(text, pos, text.len)), STR_ARG(out->text));
        ++*word;
        if (*word >= p->nwords || !is_conv_word(p->words[*word]))
            return true;
        text = p->words[*word];
        pos = 0;
        if (!add_conv(p, *word, text, &pos, out) || !expr_parse_convs(p, *word, text, &pos, out))
            return false;
        out->text = arena_printf(p->arena, "%.*s,%.*s", STR_ARG(out->text), STR_ARG(text));
    }
}

bool parse_balance_expr(struct parse *p, unsigned *word, struct cfg_expr **out)
{
    *out = ARENA_NEW(p->arena, struct cfg_expr);
    return parse_expr(p, word, WHERE_BACK_REQ, *out);
}
