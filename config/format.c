// SPDX-License-Identifier: Apache-2.0
// Log-format strings (configuration.txt 8.2.6): text, %alias, %{options}alias, %[expression], %%. Headers, bodies and
// log lines are all written in it.
#include "config/resolve.h"
#include "node/base/panic.h"

struct format_parse {
    struct parse *p;
    unsigned word, where;
    struct str text;
    size_t pos;
    uint8_t defaults; // options of %o, which hold for all that follows
    struct buf *literal;
    struct cfg_format *out;
};

static struct cfg_fmt_node *add_node(struct format_parse *f, enum cfg_fmt_kind kind)
{
    struct cfg_fmt_node *node = PARSE_PUSH(f->p->arena, f->out->nodes, f->out->count, struct cfg_fmt_node);
    node->kind = kind;
    return node;
}

static void flush_literal(struct format_parse *f)
{
    if (f->literal->len == 0)
        return;
    add_node(f, FMT_TEXT)->text = arena_str(f->p->arena, buf_str(f->literal));
    buf_clear(f->literal);
}

// Words of a log line are separated by one space each.
static void add_literal(struct format_parse *f, char c)
{
    bool again = c == ' ' && f->literal->len > 0 && f->literal->data[f->literal->len - 1] == ' ';
    if (!again || !(f->where & WHERE_LOG))
        buf_add_char(f->literal, c);
}

// ---- options -------------------------------------------------------------------------------------------------------
static uint8_t option_of(struct str name)
{
    if (str_is(name, "Q"))
        return FMT_OPT_QUOTE;
    if (str_is(name, "X"))
        return FMT_OPT_HEXA;
    if (str_is(name, "M"))
        return FMT_OPT_MANDATORY;
    return str_is(name, "E") ? FMT_OPT_ESCAPE : 0;
}

// "{+Q,-X,argument}": options change *options, anything else is the alias's argument.
static bool parse_options(struct format_parse *f, uint8_t *options, struct str *argument)
{
    ptrdiff_t end = str_find_char(str_slice(f->text, f->pos, f->text.len), '}');
    if (end < 0)
        return parse_error(f->p, f->word, "missing '}' behind '%.*s'",
                           STR_ARG(str_slice(f->text, f->pos, f->text.len)));
    struct str list = str_slice(f->text, f->pos + 1, (size_t)end - 1), item;
    f->pos += (size_t)end + 1;
    while (list.len > 0 && str_split(&list, ',', &item)) {
        item = str_trim(item);
        bool sign = item.len > 0 && (item.ptr[0] == '+' || item.ptr[0] == '-');
        struct str name = sign ? str_slice(item, 1, item.len) : item;
        uint8_t option = option_of(name);
        if (str_is(name, "json") || str_is(name, "cbor") || str_is(name, "bin"))
            return parse_error(f->p, f->word,
                               "log-format option '%.*s' is not supported: encoded logs are not in "
                               "Phalanx yet",
                               STR_ARG(name));
        if (!option && sign)
            return parse_error(f->p, f->word, "unknown log-format option '%.*s', expected Q, X, E or M", STR_ARG(item));
        if (!option)
            *argument = item;
        else if (sign && item.ptr[0] == '-')
            *options &= (uint8_t)~option;
        else
            *options |= option;
    }
    return true;
}

// ---- items ---------------------------------------------------------------------------------------------------------
static bool parse_item_expr(struct format_parse *f, uint8_t options)
{
    struct cfg_expr *e = ARENA_NEW(f->p->arena, struct cfg_expr);
    f->pos++; // [
    if (!expr_parse_text(f->p, f->word, f->text, &f->pos, f->where, e))
        return false;
    if (f->pos == f->text.len)
        return parse_error(f->p, f->word, "missing ']' behind '%.*s'", STR_ARG(e->text));
    if (f->text.ptr[f->pos] != ']')
        return parse_error(f->p, f->word, "expected ']' behind '%.*s', but found '%c'", STR_ARG(e->text),
                           f->text.ptr[f->pos]);
    f->pos++;
    struct cfg_fmt_node *node = add_node(f, FMT_EXPR);
    node->options = options;
    node->expr = e;
    return true;
}

static struct str alias_name(struct str text, size_t pos)
{
    size_t end = pos;
    while (end < text.len &&
           ((text.ptr[end] >= 'a' && text.ptr[end] <= 'z') || (text.ptr[end] >= 'A' && text.ptr[end] <= 'Z')))
        end++;
    return str_slice(text, pos, end - pos);
}

static bool parse_item_alias(struct format_parse *f, uint8_t options, struct str argument)
{
    struct str name = alias_name(f->text, f->pos);
    if (name.len == 0)
        return parse_error(f->p, f->word, "unexpected '%.*s' behind '%%'; to emit a '%%', write '%%%%'",
                           STR_ARG(str_slice(f->text, f->pos, f->text.len)));
    int id = alias_find(name);
    if (id < 0)
        return parse_error(f->p, f->word, "no such format variable '%.*s'; to emit a '%%', write '%%%%'",
                           STR_ARG(name));
    const struct alias_row *row = &alias_rows[id];
    if (row->status == KW_REFUSED)
        return parse_error(f->p, f->word, "format variable '%s' is not supported: %s", row->name, row->help);
    f->pos += name.len;
    if (id == ALIAS_o) {
        f->defaults = options;
        return true;
    }
    struct cfg_fmt_node *node = add_node(f, FMT_ALIAS);
    node->options = options;
    node->alias = (enum alias_id)id;
    node->text = argument;
    return true;
}

// Behind a '%': the name of the item, which only encoded logs show, options, and the item.
static bool parse_item(struct format_parse *f)
{
    uint8_t options = f->defaults;
    struct str argument = STR_NONE;
    if (f->pos < f->text.len && f->text.ptr[f->pos] == '(') {
        ptrdiff_t end = str_find_char(str_slice(f->text, f->pos, f->text.len), ')');
        if (end < 0)
            return parse_error(f->p, f->word, "missing ')' behind '%.*s'",
                               STR_ARG(str_slice(f->text, f->pos, f->text.len)));
        f->pos += (size_t)end + 1;
    }
    if (f->pos < f->text.len && f->text.ptr[f->pos] == '{' && !parse_options(f, &options, &argument))
        return false;
    if (f->pos == f->text.len)
        return parse_error(f->p, f->word, "truncated log-format behind '%%'; to emit a '%%', write '%%%%'");
    flush_literal(f);
    if (f->text.ptr[f->pos] == '[')
        return parse_item_expr(f, options);
    return parse_item_alias(f, options, argument);
}

static bool parse_items(struct format_parse *f)
{
    while (f->pos < f->text.len) {
        char c = f->text.ptr[f->pos++];
        if (c != '%') {
            add_literal(f, c);
        } else if (f->pos < f->text.len && f->text.ptr[f->pos] == '%') {
            f->pos++;
            buf_add_char(f->literal, '%');
        } else if (!parse_item(f)) {
            return false;
        }
    }
    flush_literal(f);
    return true;
}

bool parse_format(struct parse *p, unsigned word, struct str text, unsigned where, struct cfg_format *out)
{
    struct buf literal = BUF_INIT;
    struct format_parse f = {.p = p, .word = word, .where = where, .text = text, .literal = &literal, .out = out};
    *out = (struct cfg_format){.text = text};
    if (where == WHERE_LOG)
        f.defaults = FMT_OPT_MANDATORY; // an empty field of a log line is "-"
    bool good = parse_items(&f);
    buf_free(&literal);
    out->constant = out->count == 0 || (out->count == 1 && out->nodes[0].kind == FMT_TEXT);
    return good;
}
