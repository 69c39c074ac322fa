// SPDX-License-Identifier: Apache-2.0
// Log-formats (configuration.txt 8.2.6): compiled to a list of texts, aliases and expressions, rendered in one pass.
// How values are written, as HAProxy 2.6 was seen to do it: in a log a missing value is "-" (two quotes with +Q), an
// alias encodes what section 8.6 names as #XX; in a header or body a control character of an expression becomes %XX. An
// expression in a log keeps its printable characters; control characters become #XX, so that no client can forge a
// line.
#include <arpa/inet.h>
#include <stdio.h>

#include "node/base/panic.h"
#include "node/match/compile.h"

#define TEXT_START 128 // bytes of a text of unknown length at first

struct node {
    uint8_t kind;    // enum cfg_fmt_kind
    uint8_t options; // FMT_OPT_*
    struct str text; // FMT_TEXT; FMT_ALIAS: its argument
    alias_fn *alias;
    const struct expr *expr;
};
struct format {
    unsigned count;
    bool constant;
    struct str text; // of a constant one
    struct node nodes[];
};

struct fmt_out {
    char *start, *at, *end;
    struct arena *grow; // NULL: cut at end
    unsigned options;   // of the node being rendered
    bool log;
};

static alias_fn *aliases[ALIAS_ID_COUNT];

void alias_bind(enum alias_id id, alias_fn *fn)
{
    ASSERT((unsigned)id < ALIAS_ID_COUNT);
    aliases[id] = fn;
}

// ---- compiling

static bool node_fill(struct compile *c, const struct cfg_fmt_node *cfg, const struct cfg_format *whole, struct node *n)
{
    *n = (struct node){.kind = (uint8_t)cfg->kind, .options = cfg->options, .text = cfg->text};
    if (cfg->kind == FMT_ALIAS) {
        n->alias = aliases[cfg->alias];
        if (!n->alias)
            diag_add(c->o.diag, DIAG_ALERT, NULL, "'%%%s' is not available in '%.*s'", alias_rows[cfg->alias].name,
                     STR_ARG(whole->text));
        return n->alias != NULL;
    }
    if (cfg->kind == FMT_EXPR) {
        n->expr = expr_compile(c, cfg->expr);
        return n->expr != NULL;
    }
    return true;
}

struct format *format_compile(struct compile *c, const struct cfg_format *cfg)
{
    struct format *f = arena_zalloc(c->o.arena, sizeof(*f) + cfg->count * sizeof(struct node));
    bool ok = true;
    f->count = cfg->count;
    f->constant = cfg->constant || cfg->count == 0;
    f->text = f->constant && cfg->count ? cfg->nodes[0].text : STR("");
    for (unsigned i = 0; i < cfg->count; i++)
        ok &= node_fill(c, &cfg->nodes[i], cfg, &f->nodes[i]);
    return ok ? f : NULL;
}

bool format_is_constant(const struct format *f, struct str *text)
{
    if (f->constant)
        *text = f->text;
    return f->constant;
}

// ---- writing

// Room for at least one more byte; false when the text is cut here.
static bool room(struct fmt_out *o, size_t need)
{
    if ((size_t)(o->end - o->at) >= need)
        return true;
    if (!o->grow)
        return false;
    size_t len = (size_t)(o->at - o->start);
    size_t size = (len + need) * 2;
    char *bigger = arena_alloc(o->grow, size);
    if (len)
        memcpy(bigger, o->start, len);
    o->start = bigger;
    o->at = bigger + len;
    o->end = bigger + size;
    return true;
}

static void put(struct fmt_out *o, const char *src, size_t len)
{
    if (!room(o, len))
        len = (size_t)(o->end - o->at);
    if (len)
        memcpy(o->at, src, len);
    o->at += len;
}

static void put_char(struct fmt_out *o, char c)
{
    if (room(o, 1))
        *o->at++ = c;
}

static void put_code(struct fmt_out *o, char mark, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    if (!room(o, 3)) {
        o->end = o->at; // no half code at the cut
        return;
    }
    *o->at++ = mark;
    *o->at++ = digits[c >> 4];
    *o->at++ = digits[c & 15];
}

// The kind of text says which characters are written as a code.
enum kind { ALIAS_IN_LOG, CAPTURE_IN_LOG, VALUE_IN_LOG, VALUE_IN_MESSAGE };

static bool is_coded(unsigned char c, enum kind kind)
{
    if (c < 32 || c == 127)
        return kind != VALUE_IN_MESSAGE || c != '\t';
    if (kind >= VALUE_IN_LOG)
        return false;
    bool marked = c > 127 || c == '"' || c == '#';
    return marked || (kind == CAPTURE_IN_LOG && c >= '{' && c <= '}');
}

static bool is_special(char c) // for +E, RFC 5424 6.3.3
{
    return c == '"' || c == '\\' || c == ']';
}

static void put_encoded(struct fmt_out *o, struct str s, enum kind kind)
{
    bool escape = o->options & FMT_OPT_ESCAPE;
    char mark = kind == VALUE_IN_MESSAGE ? '%' : '#';
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool special = escape && is_special((char)c);
        if (!special && !is_coded(c, kind))
            continue;
        put(o, s.ptr + from, i - from);
        from = i + 1;
        if (special) {
            put_char(o, '\\');
            put_char(o, (char)c);
        } else {
            put_code(o, mark, c);
        }
    }
    put(o, s.ptr + from, s.len - from);
}

static void put_missing(struct fmt_out *o)
{
    if (o->options & FMT_OPT_QUOTE)
        put(o, "\"\"", 2);
    else if (o->options & FMT_OPT_MANDATORY)
        put_char(o, '-');
}

static void put_quoted(struct fmt_out *o, struct str s, enum kind kind)
{
    bool quote = o->options & FMT_OPT_QUOTE;
    if (quote)
        put_char(o, '"');
    put_encoded(o, s, kind);
    if (quote)
        put_char(o, '"');
}

void fmt_str(struct fmt_out *o, struct str s)
{
    if (s.len)
        put_quoted(o, s, ALIAS_IN_LOG);
    else
        put_missing(o);
}

void fmt_raw(struct fmt_out *o, struct str s)
{
    put(o, s.ptr, s.len);
}

void fmt_capture(struct fmt_out *o, struct str s)
{
    put_encoded(o, s, CAPTURE_IN_LOG);
}

void fmt_int(struct fmt_out *o, int64_t v)
{
    if (o->options & FMT_OPT_HEXA) {
        fmt_printf(o, "%04llX", (unsigned long long)v);
        return;
    }
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (v < 0)
        *--at = '-';
    put(o, at, (size_t)(digits + sizeof(digits) - at));
}

void fmt_printf(struct fmt_out *o, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len > 0)
        put(o, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

void fmt_addr(struct fmt_out *o, const struct inet_addr *a)
{
    if (o->options & FMT_OPT_HEXA && a->sa.sa_family == AF_INET) {
        fmt_printf(o, "%08X", ntohl(a->in.sin_addr.s_addr));
        return;
    }
    if (o->options & FMT_OPT_HEXA && a->sa.sa_family == AF_INET6) {
        for (int i = 0; i < 16; i++)
            fmt_printf(o, "%02X", a->in6.sin6_addr.s6_addr[i]);
        return;
    }
    char text[INET_TEXT_MAX];
    bool known = a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6 || a->sa.sa_family == AF_UNIX;
    fmt_str(o, known ? str_of(inet_format(a, text, sizeof(text))) : STR_NONE);
}

// ---- rendering

static void render_expr(struct fmt_out *o, const struct expr *e, struct match_ctx *c)
{
    struct sample s;
    struct str text;
    bool found = expr_eval(e, c, TYPE_STR, &s) == EVAL_FOUND && sample_text(c, &s, &text) && text.len;
    if (!o->log) {
        if (found)
            put_encoded(o, text, VALUE_IN_MESSAGE);
    } else if (found) {
        put_quoted(o, text, VALUE_IN_LOG);
    } else {
        put_missing(o);
    }
}

static void render_node(struct fmt_out *o, const struct node *n, struct match_ctx *c, bool behind_blank)
{
    struct str text = n->text;
    o->options = n->options;
    switch ((enum cfg_fmt_kind)n->kind) {
    case FMT_TEXT:
        if (behind_blank && text.len && text.ptr[0] == ' ')
            text = str_slice(text, 1, text.len);
        put(o, text.ptr, text.len);
        break;
    case FMT_ALIAS:
        n->alias(o, c, text, n->options);
        break;
    case FMT_EXPR:
        render_expr(o, n->expr, c);
        break;
    }
}

// In a log a field that writes nothing (%hr without captures) takes the blank behind it along; none leads the line.
static void render(const struct format *f, struct match_ctx *c, struct fmt_out *o)
{
    bool behind_blank = o->log;
    for (unsigned i = 0; i < f->count; i++) {
        const struct node *n = &f->nodes[i];
        size_t before = (size_t)(o->at - o->start);
        render_node(o, n, c, behind_blank);
        if ((size_t)(o->at - o->start) > before)
            behind_blank = o->log && n->kind == FMT_TEXT && o->at[-1] == ' ';
    }
}

size_t format_render(const struct format *f, struct match_ctx *c, char *dst, size_t size, bool log)
{
    struct fmt_out o = {.start = dst, .at = dst, .end = dst + size, .log = log};
    render(f, c, &o);
    return (size_t)(o.at - o.start);
}

struct str format_text(const struct format *f, struct match_ctx *c)
{
    if (f->constant)
        return f->text;
    struct fmt_out o = {.grow = c->arena};
    o.start = o.at = arena_alloc(c->arena, TEXT_START);
    o.end = o.start + TEXT_START;
    render(f, c, &o);
    return str_make(o.start, (size_t)(o.at - o.start));
}
