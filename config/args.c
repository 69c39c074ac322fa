// SPDX-License-Identifier: Apache-2.0
// Argument lists of fetches, converters and actions: "(a,b,c)" cut at commas with quotes and escapes of their own
// (configuration.txt 2.2, "second level of quoting"), each argument checked against its letter (exprs.h).
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "config/resolve.h"
#include "node/base/panic.h"

// ---- cutting -------------------------------------------------------------------------------------------------------
#define ARGS_RAW_MAX 16

struct raw_args {
    struct str args[ARGS_RAW_MAX];
    unsigned count;
};

// The character that an escape stands for; 0 when the backslash is an ordinary character.
static char escaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case ' ':
    case '\\':
    case '"':
    case '\'':
        return c;
    default:
        return 0;
    }
}

// One argument from *pos to the comma or parenthesis that ends it, which stays. False: a quote is not closed.
static bool cut_arg(struct arena *a, struct str text, size_t *pos, struct str *out)
{
    char *copy = arena_alloc(a, text.len - *pos + 1);
    size_t n = 0, i = *pos;
    char quote = 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (quote && c == quote) {
            quote = 0;
        } else if (!quote && (c == ',' || c == ')')) {
            break;
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.len && escaped(text.ptr[i + 1])) {
            copy[n++] = escaped(text.ptr[++i]);
        } else {
            copy[n++] = c;
        }
    }
    copy[n] = 0;
    *out = str_make(copy, n);
    *pos = i;
    return !quote;
}

static bool cut_args(struct parse *p, unsigned word, const struct args_spec *spec, struct str text, size_t *pos,
                     struct raw_args *raw)
{
    size_t at = *pos + 1;
    for (;;) {
        if (raw->count == ARGS_RAW_MAX)
            return parse_error(p, word, "too many arguments for %.*s", STR_ARG(spec->what));
        if (!cut_arg(p->arena, text, &at, &raw->args[raw->count++]))
            return parse_error(p, word, "unclosed quote in the arguments of %.*s", STR_ARG(spec->what));
        if (at == text.len)
            return parse_error(p, word, "expected ')' after the arguments of %.*s", STR_ARG(spec->what));
        if (text.ptr[at++] == ')')
            break;
    }
    *pos = at;
    return true;
}

// ---- single arguments ----------------------------------------------------------------------------------------------
static const char *letter_name(char letter)
{
    switch (letter) {
    case 'I':
    case 'C':
    case 'K':
        return "integer";
    case 'A':
        return "integer or variable";
    case 'Q':
        return "base64 text or variable";
    case 'G':
        return "boolean";
    case 'H':
        return "hexadecimal";
    case 'D':
        return "unit";
    case 'E':
        return "variable";
    case 'M':
        return "IPv4 mask";
    case 'N':
        return "IPv6 mask";
    case '4':
        return "IPv4 address";
    case '6':
        return "IPv6 address";
    case 'P':
        return "address";
    case 'B':
        return "backend";
    case 'O':
        return "frontend";
    case 'V':
        return "server";
    case 'X':
    case 'Y':
        return "table";
    case 'U':
        return "user list";
    case 'R':
        return "regex";
    case 'F':
        return "map file";
    default:
        return "string";
    }
}

// An IPv4 mask as a prefix length: a bit count or a dotted mask.
static bool mask4(struct str s, int64_t *bits)
{
    char text[INET_ADDRSTRLEN + 1];
    struct in_addr mask;
    int64_t n;
    if (str_to_i64(s, &n)) {
        *bits = n;
        return n >= 0 && n <= 32;
    }
    if (s.len >= sizeof text || inet_pton(AF_INET, str_copy(text, sizeof text, s), &mask) != 1)
        return false;
    uint32_t m = ntohl(mask.s_addr);
    *bits = __builtin_popcount(m);
    return (~m & (~m + 1)) == 0;
}

static bool is_address(struct str s, int family)
{
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char bytes[16];
    return s.len < sizeof text && inet_pton(family, str_copy(text, sizeof text, s), bytes) == 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(struct arena *a, struct str s, struct str *out)
{
    char *bytes = arena_alloc(a, s.len / 2 + 1);
    for (size_t i = 0; i + 1 < s.len; i += 2) {
        int high = hex_digit(s.ptr[i]), low = hex_digit(s.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (char)(high << 4 | low);
    }
    *out = str_make(bytes, s.len / 2);
    return s.len % 2 == 0;
}

static bool is_boolean(struct str s, int64_t *out)
{
    *out = str_is(s, "1") || str_is_nocase(s, "true");
    return *out || str_is(s, "0") || str_is_nocase(s, "false");
}

static const struct {
    const char *name;
    enum cfg_var_cond bit;
} var_conds[] = {
    {"ifexists", VAR_IF_EXISTS}, {"ifnotexists", VAR_IF_NOT_EXISTS},
    {"ifempty", VAR_IF_EMPTY},   {"ifnotempty", VAR_IF_NOT_EMPTY},
    {"ifset", VAR_IF_SET},       {"ifnotset", VAR_IF_NOT_SET},
    {"ifgt", VAR_IF_GREATER},    {"iflt", VAR_IF_LESS},
};

bool var_cond_find(struct str name, int *bits)
{
    for (unsigned i = 0; i < sizeof var_conds / sizeof *var_conds; i++) {
        if (!str_is(name, var_conds[i].name))
            continue;
        *bits |= (int)var_conds[i].bit;
        return true;
    }
    return false;
}

// Remembers a name for resolve_exprs().
static void add_pending(struct parse *p, unsigned word, const struct args_spec *spec, char letter, unsigned n,
                        struct cfg_arg *arg)
{
    struct resolver *r = resolver_of(p);
    struct pending_arg *pending = ARENA_NEW(p->arena, struct pending_arg);
    pending->arg = arg;
    pending->letter = letter;
    pending->proxy = p->section == SECTION_DEFAULTS ? NULL : p->proxy;
    pending->src = parse_src(p, word);
    pending->what = arena_printf(p->arena, "argument %u of %.*s", n + 1, STR_ARG(spec->what));
    *r->args_end = pending;
    r->args_end = &pending->next;
}

static enum cfg_arg_kind kind_of(char letter)
{
    switch (letter) {
    case 'I':
    case 'C':
    case 'K':
    case 'G':
        return ARG_INT;
    case 'M':
        return ARG_IPV4_MASK;
    case 'N':
        return ARG_IPV6_MASK;
    case 'B':
    case 'O':
        return ARG_PROXY;
    case 'V':
        return ARG_SERVER;
    case 'X':
    case 'Y':
        return ARG_TABLE;
    case 'U':
        return ARG_USERLIST;
    case 'R':
        return ARG_REGEX;
    case 'E':
        return ARG_VAR;
    case 'F':
        return ARG_FILE;
    default:
        return ARG_STR;
    }
}

static bool bad_arg(struct parse *p, unsigned word, const struct args_spec *spec, unsigned n, char letter,
                    struct str raw)
{
    return parse_error(p, word, "failed to parse '%.*s' as type '%s' at position %u in the arguments of %.*s",
                       STR_ARG(raw), letter_name(letter), n + 1, STR_ARG(spec->what));
}

// A value whose text decides alone; names of other things are looked up later.
static bool parse_value(struct parse *p, unsigned word, const struct args_spec *spec, char letter, unsigned n,
                        struct str raw, struct cfg_arg *arg)
{
    bool good = true;
    switch (letter) {
    case 'I':
        good = str_to_i64(raw, &arg->num);
        break;
    case 'C':
        good = str_to_i64(raw, &arg->num) && arg->num >= 0;
        if (good && arg->num > 2)
            return parse_error(p, word, "%.*s: there are three sticky counters, 0 to 2, not %lld", STR_ARG(spec->what),
                               (long long)arg->num);
        break;
    case 'K':
        good = str_to_i64(raw, &arg->num) && arg->num >= 0;
        if (good && arg->num > 99)
            return parse_error(p, word, "%.*s: an array index is at most 99, not %lld", STR_ARG(spec->what),
                               (long long)arg->num);
        break;
    case 'G':
        good = is_boolean(raw, &arg->num);
        break;
    case 'H':
        good = decode_hex(p->arena, raw, &arg->text);
        break;
    case 'D':
        good = str_is(raw, "s") || str_is(raw, "ms") || str_is(raw, "us");
        break;
    case 'M':
        good = mask4(raw, &arg->num);
        break;
    case 'N':
        good = str_to_i64(raw, &arg->num) && arg->num >= 0 && arg->num <= 128;
        break;
    case '4':
        good = is_address(raw, AF_INET);
        break;
    case '6':
        good = is_address(raw, AF_INET6);
        break;
    case 'P':
        good = is_address(raw, AF_INET) || is_address(raw, AF_INET6);
        break;
    default:
        break;
    }
    return good || bad_arg(p, word, spec, n, letter, raw);
}

static bool parse_arg(struct parse *p, unsigned word, const struct args_spec *spec, char letter, unsigned n,
                      struct str raw, struct cfg_arg *arg)
{
    arg->text = raw;
    if (letter == 'A') {
        arg->kind = str_to_i64(raw, &arg->num) ? ARG_INT : ARG_VAR;
        if (arg->kind == ARG_INT)
            return true;
        if (str_find_char(raw, '.') < 0)
            return bad_arg(p, word, spec, n, letter, raw);
    } else if (letter == 'Q') { // base64 text has no dot
        arg->kind = str_find_char(raw, '.') < 0 ? ARG_STR : ARG_VAR;
    } else {
        arg->kind = kind_of(letter);
    }
    switch (arg->kind) {
    case ARG_VAR:
        return parse_var_name(p, word, raw, &arg->scope, &arg->text, &arg->var_index);
    case ARG_PROXY:
    case ARG_SERVER:
    case ARG_TABLE:
    case ARG_USERLIST:
        add_pending(p, word, spec, letter, n, arg);
        return true;
    default:
        return parse_value(p, word, spec, letter, n, raw, arg);
    }
}

static bool parse_regex_flags(struct parse *p, unsigned word, const struct args_spec *spec, struct str raw,
                              struct cfg_arg *regex)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == 'i')
            regex->num |= 1;
        else if (raw.ptr[i] == 'g')
            regex->num |= 2;
        else
            return parse_error(p, word, "invalid regex flag '%c' in %.*s, only 'i' and 'g' are supported", raw.ptr[i],
                               STR_ARG(spec->what));
    }
    return true;
}

static bool parse_var_conds(struct parse *p, unsigned word, const struct args_spec *spec, const struct raw_args *raw,
                            unsigned from, struct cfg_arg *arg)
{
    int bits = 0;
    arg->kind = ARG_INT;
    for (unsigned i = from; i < raw->count; i++)
        if (!var_cond_find(raw->args[i], &bits))
            return parse_error(p, word, "unknown condition '%.*s' in %.*s", STR_ARG(raw->args[i]), STR_ARG(spec->what));
    arg->num = bits;
    return true;
}

// What stands for an argument that was left out. False: it must be there.
static bool default_arg(struct parse *p, unsigned word, const struct args_spec *spec, char letter, unsigned n,
                        unsigned given, struct cfg_arg *arg)
{
    char upper = (char)toupper((unsigned char)letter);
    if (letter == upper)
        return parse_error(p, word, "%.*s: expected type '%s' at position %u, but got nothing", STR_ARG(spec->what),
                           letter_name(letter), n + 1);
    if (upper == 'X' || upper == 'B' || upper == 'O') {
        arg->kind = kind_of(upper);
        add_pending(p, word, spec, upper, n, arg);
    } else if (n < given && kind_of(upper) == ARG_STR) {
        arg->kind = ARG_STR; // written, but empty
        arg->text = STR("");
    }
    return true;
}

// ---- the list ------------------------------------------------------------------------------------------------------
// Argument i of the list from raw->args[*from] on.
static bool take_arg(struct parse *p, unsigned word, const struct args_spec *spec, unsigned i,
                     const struct raw_args *raw, unsigned *from, struct cfg_arg *args)
{
    char letter = spec->letters[i], upper = (char)toupper((unsigned char)letter);
    if (upper == 'C' && spec->lead >= 0) {
        args[i] = (struct cfg_arg){.kind = ARG_INT, .num = spec->lead};
        return true;
    }
    struct str arg = *from < raw->count ? raw->args[*from] : STR_NONE;
    if (upper == 'W') {
        unsigned first = *from;
        *from = raw->count;
        return parse_var_conds(p, word, spec, raw, first, &args[i]);
    }
    (*from)++;
    if (spec->letters[0] == 'R' && i == 2)
        return parse_regex_flags(p, word, spec, arg, &args[0]);
    if (arg.len > 0)
        return parse_arg(p, word, spec, upper, i, arg, &args[i]);
    if (arg.ptr && letter == 'S') {
        args[i] = (struct cfg_arg){.kind = ARG_STR, .text = STR("")};
        return true;
    }
    return default_arg(p, word, spec, letter, i, raw->count, &args[i]);
}

bool args_parse(struct parse *p, unsigned word, const struct args_spec *spec, struct str text, size_t *pos,
                struct cfg_arg **out, uint8_t *nout)
{
    struct raw_args raw = {.count = 0};
    unsigned nletters = (unsigned)strlen(spec->letters), from = 0;
    ASSERT(nletters <= CFG_ARGS_MAX);
    if (*pos < text.len && text.ptr[*pos] == '(' && !cut_args(p, word, spec, text, pos, &raw))
        return false;
    struct cfg_arg *args = ARENA_ARRAY(p->arena, struct cfg_arg, nletters + 1);
    unsigned n = 0; // up to the last argument that is there
    for (unsigned i = 0; i < nletters; i++) {
        if (!take_arg(p, word, spec, i, &raw, &from, args))
            return false;
        if (args[i].kind != ARG_NONE)
            n = i + 1;
    }
    bool empty = raw.count == 1 && raw.args[0].len == 0; // "()"
    if (from < raw.count && !empty)
        return parse_error(p, word, "too many arguments for %.*s: at most %u expected", STR_ARG(spec->what), nletters);
    *out = args;
    *nout = (uint8_t)n;
    return true;
}
