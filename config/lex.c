// SPDX-License-Identifier: Apache-2.0
// The lexer: one pass over the bytes of a line, in one of three quoting states. Words are collected in a scratch buffer
// and moved to the arena in one piece.
#include "config/lex.h"

#include <stdio.h>

enum quote { QUOTE_NONE, QUOTE_WEAK, QUOTE_STRONG };

struct scan {
    const struct lex *lex;
    struct str in;
    size_t at;
    enum quote quote;
    size_t quote_at;
    bool in_word;       // also true behind an empty pair of quotes
    struct buf *text;   // words, each followed by a NUL
    struct buf *starts; // size_t offsets into text
    unsigned nwords;
    struct lex_error *error;
};

static bool fail(struct scan *s, size_t col, size_t len, const char *text)
{
    *s->error = (struct lex_error){(unsigned)col, (unsigned)len, text};
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char peek(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->in.len ? s->in.ptr[s->at + ahead] : '\0';
}

static bool begin_word(struct scan *s)
{
    if (s->in_word)
        return true;
    if (s->nwords == LEX_MAX_WORDS)
        return fail(s, s->at, 1, "too many words on this line");
    s->in_word = true;
    s->nwords++;
    buf_add(s->starts, &s->text->len, sizeof(s->text->len));
    return true;
}

static bool put(struct scan *s, struct str bytes)
{
    if (s->text->len + bytes.len > LEX_MAX_LINE)
        return fail(s, s->at, 1, "line too long once its variables are expanded");
    buf_add_str(s->text, bytes);
    return true;
}

static void end_word(struct scan *s)
{
    if (s->in_word)
        buf_add_char(s->text, '\0');
    s->in_word = false;
}

// ---- Escapes -------------------------------------------------------------------------------------------------------
// A backslash at s->at. What is not an escape keeps its backslash.
static bool escape(struct scan *s)
{
    char c = peek(s, 1), out = '\0';
    size_t used = 2;
    switch (c) {
    case ' ':
    case '\t':
    case '\\':
    case '#':
    case '"':
    case '\'':
        out = s->at + 1 < s->in.len ? c : '\0';
        break;
    case '$':
        out = s->quote == QUOTE_WEAK ? '$' : '\0';
        break;
    case 'n':
        out = '\n';
        break;
    case 'r':
        out = '\r';
        break;
    case 't':
        out = '\t';
        break;
    case 'x': {
        int high = hex_value(peek(s, 2)), low = hex_value(peek(s, 3));
        if (high < 0 || low < 0)
            return fail(s, s->at, 2, "truncated or invalid hexadecimal sequence");
        out = (char)(high * 16 + low);
        used = 4;
        if (out == '\0')
            return fail(s, s->at, 4, "a word cannot contain the character NUL");
        break;
    }
    default:
        break;
    }
    if (out == '\0') { // the backslash alone; the next character is read as usual
        out = '\\';
        used = 1;
    }
    s->at += used;
    return put(s, str_make(&out, 1));
}

// ---- Variables -----------------------------------------------------------------------------------------------------
struct variable {
    struct str name, fallback;
    bool has_fallback, spread; // [*]
};

static bool pseudo_variable(const struct lex *lex, struct str name, char *room, size_t size, struct str *value)
{
    if (str_is(name, ".FILE")) {
        *value = lex->file;
    } else if (str_is(name, ".SECTION")) {
        *value = lex->section;
    } else if (str_is(name, ".LINE")) {
        snprintf(room, size, "%u", lex->line);
        *value = str_of(room);
    } else {
        return false;
    }
    return true;
}

// "$NAME", "${NAME}", "${NAME-default}", "${NAME[*]}" at s->at; moves behind it.
static bool scan_variable(struct scan *s, struct variable *v)
{
    size_t dollar = s->at++;
    bool braces = peek(s, 0) == '{';
    if (braces)
        s->at++;
    size_t from = s->at;
    if (peek(s, 0) == '.')
        s->at++;
    else if (!is_name(peek(s, 0)) || is_digit(peek(s, 0)))
        return fail(s, s->at < s->in.len ? s->at : dollar, 1, "forbidden first char in environment variable name");
    while (is_name(peek(s, 0)))
        s->at++;
    *v = (struct variable){.name = str_make(s->in.ptr + from, s->at - from)};
    if (!braces)
        return true;
    if (peek(s, 0) == '[' && peek(s, 1) == '*' && peek(s, 2) == ']') {
        v->spread = true;
        s->at += 3;
    }
    if (peek(s, 0) == '-') {
        size_t start = ++s->at;
        while (s->at < s->in.len && peek(s, 0) != '}' && peek(s, 0) != '"' && !is_blank(peek(s, 0)))
            s->at++;
        v->fallback = str_make(s->in.ptr + start, s->at - start);
        v->has_fallback = true;
    }
    if (peek(s, 0) != '}')
        return fail(s, dollar, s->at - dollar, "unmatched brace in environment variable name");
    s->at++;
    return true;
}

static bool put_spread(struct scan *s, struct str value)
{
    struct str piece;
    bool first = true;
    while (str_split(&value, ' ', &piece)) {
        if (piece.len == 0)
            continue;
        if (!first) {
            end_word(s);
            if (!begin_word(s))
                return false;
        }
        first = false;
        if (!put(s, piece))
            return false;
    }
    return true;
}

static bool expand(struct scan *s)
{
    struct variable v;
    struct str value = STR_NONE;
    size_t dollar = s->at;
    char number[16];
    if (!scan_variable(s, &v))
        return false;
    bool found;
    if (v.name.ptr[0] == '.') {
        found = pseudo_variable(s->lex, v.name, number, sizeof(number), &value);
        if (!found)
            return fail(s, dollar, s->at - dollar, "unknown pseudo-variable: expected .FILE, .LINE or .SECTION");
    } else {
        found = env_get(s->lex->env, v.name, &value);
    }
    if (!found && v.has_fallback)
        value = v.fallback;
    return v.spread ? put_spread(s, value) : put(s, value);
}

// ---- The line ------------------------------------------------------------------------------------------------------
// Bytes that do not mean themselves, by quoting state.
static const bool special[3][256] = {
    [QUOTE_NONE] = {['\0'] = true,
                    [' '] = true,
                    ['\t'] = true,
                    ['"'] = true,
                    ['\''] = true,
                    ['\\'] = true,
                    ['#'] = true,
                    ['\r'] = true},
    [QUOTE_WEAK] = {['\0'] = true, ['"'] = true, ['\\'] = true, ['$'] = true},
    [QUOTE_STRONG] = {['\0'] = true, ['\''] = true},
};

// Copies the bytes from here that mean themselves; at least the one at s->at.
static bool put_run(struct scan *s)
{
    const bool *stop = special[s->quote];
    size_t from = s->at++;
    while (s->at < s->in.len && !stop[(unsigned char)s->in.ptr[s->at]])
        s->at++;
    return put(s, str_make(s->in.ptr + from, s->at - from));
}

static bool step_unquoted(struct scan *s, char c)
{
    if (is_blank(c)) {
        end_word(s);
        s->at++;
        return true;
    }
    if (!begin_word(s))
        return false;
    if (c == '"' || c == '\'') {
        s->quote = c == '"' ? QUOTE_WEAK : QUOTE_STRONG;
        s->quote_at = s->at++;
        return true;
    }
    return c == '\\' ? escape(s) : put_run(s);
}

static bool step_quoted(struct scan *s, char c)
{
    char end = s->quote == QUOTE_WEAK ? '"' : '\'';
    if (c == end) {
        s->quote = QUOTE_NONE;
        s->at++;
        return true;
    }
    if (s->quote == QUOTE_WEAK && c == '\\')
        return escape(s);
    if (s->quote == QUOTE_WEAK && c == '$')
        return expand(s);
    return put_run(s);
}

static bool scan_words(struct scan *s)
{
    while (s->at < s->in.len) {
        char c = s->in.ptr[s->at];
        if (c == '\0')
            return fail(s, s->at, 1, "unexpected character NUL");
        if (s->quote == QUOTE_NONE && (c == '#' || c == '\r'))
            break;
        if (s->quote == QUOTE_NONE ? !step_unquoted(s, c) : !step_quoted(s, c))
            return false;
    }
    if (s->quote != QUOTE_NONE)
        return fail(s, s->quote_at, 1, "unmatched quote");
    end_word(s);
    return true;
}

bool lex_line(struct lex *lex, struct str line, struct str **words, unsigned *nwords, struct lex_error *error)
{
    struct scan s = {.lex = lex, .in = line, .text = &lex->text, .starts = &lex->starts, .error = error};
    buf_clear(s.text);
    buf_clear(s.starts);
    *words = NULL;
    *nwords = 0;
    if (!scan_words(&s))
        return false;
    if (s.nwords == 0)
        return true;
    char *text = arena_memdup(lex->arena, s.text->data, s.text->len);
    const size_t *starts = (const size_t *)(const void *)s.starts->data;
    *words = arena_alloc(lex->arena, s.nwords * sizeof(**words));
    *nwords = s.nwords;
    for (unsigned i = 0; i < s.nwords; i++) {
        size_t end = i + 1 < s.nwords ? starts[i + 1] : s.text->len;
        (*words)[i] = str_make(text + starts[i], end - starts[i] - 1);
    }
    return true;
}

bool lex_expand(struct lex *lex, struct str text, struct str *out, struct lex_error *error)
{
    *out = text;
    if (str_find_char(text, '$') < 0)
        return true;
    struct scan s = {
        .lex = lex, .in = text, .quote = QUOTE_WEAK, .text = &lex->text, .starts = &lex->starts, .error = error};
    buf_clear(s.text);
    bool ok = true;
    while (ok && s.at < s.in.len)
        ok = s.in.ptr[s.at] == '$' ? expand(&s) : put_run(&s);
    if (ok)
        *out = arena_str(lex->arena, buf_str(s.text));
    return ok;
}

void lex_free(struct lex *lex)
{
    buf_free(&lex->text);
    buf_free(&lex->starts);
}

bool lex_find_word(struct str line, unsigned word, unsigned *col, unsigned *len)
{
    unsigned count = 0;
    size_t at = 0;
    for (;;) {
        while (at < line.len && is_blank(line.ptr[at]))
            at++;
        if (at == line.len || line.ptr[at] == '#' || line.ptr[at] == '\r')
            return false;
        size_t start = at;
        char quote = '\0';
        for (; at < line.len; at++) {
            char c = line.ptr[at];
            if (quote == '\0' && (is_blank(c) || c == '#' || c == '\r'))
                break;
            if (c == '\\' && quote != '\'' && at + 1 < line.len)
                at++;
            else if (quote == c)
                quote = '\0';
            else if (quote == '\0' && (c == '"' || c == '\''))
                quote = c;
        }
        if (count++ == word) {
            *col = (unsigned)start;
            *len = (unsigned)(at - start);
            return true;
        }
    }
}
