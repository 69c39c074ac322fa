// SPDX-License-Identifier: Apache-2.0
// ACL tests (configuration.txt 7.1): criterion, flags, patterns, brought to the form that struct cfg_acl_test
// documents.
#include <arpa/inet.h>
#include <string.h>

#include "config/resolve.h"
#include "node/base/panic.h"

// ---- patterns ------------------------------------------------------------------------------------------------------
static struct str *add_pattern(struct parse *p, struct cfg_acl_test *t)
{
    return PARSE_PUSH(p->arena, t->patterns, t->npatterns, struct str);
}

// A number, or for TLS versions MAJOR[.MINOR] as major << 16 | minor.
static bool parse_number(struct str s, bool version, int64_t *out)
{
    struct str major;
    int64_t high, low = 0;
    if (!version)
        return str_to_i64(s, out);
    if (!str_split(&s, '.', &major) || !str_to_i64(major, &high) || high < 0 || high > 0xffff)
        return false;
    if (s.ptr && (!str_to_i64(s, &low) || low < 0 || low > 0xffff))
        return false;
    *out = high << 16 | low;
    return true;
}

struct range {
    int64_t low, high;
    bool has_low, has_high;
};

static bool parse_range(struct str s, bool version, struct range *r)
{
    ptrdiff_t colon = str_find_char(s, ':');
    if (colon < 0) {
        r->has_low = r->has_high = true;
        bool good = parse_number(s, version, &r->low);
        r->high = r->low;
        return good;
    }
    struct str low = str_slice(s, 0, (size_t)colon), high = str_slice(s, (size_t)colon + 1, s.len);
    r->has_low = low.len > 0;
    r->has_high = high.len > 0;
    if (!r->has_low && !r->has_high)
        return false;
    if ((r->has_low && !parse_number(low, version, &r->low)) || (r->has_high && !parse_number(high, version, &r->high)))
        return false;
    return !r->has_low || !r->has_high || r->low <= r->high;
}

enum operator{ OP_NONE, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT };

static enum operator find_operator(struct str s)
{
    static const char names[][3] = {"eq", "ge", "gt", "le", "lt"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(s, names[i]))
            return (enum operator)(i + OP_EQ);
    return OP_NONE;
}

// False: no integer lies there.
static bool apply_operator(enum operator op, struct range *r)
{
    if ((op == OP_GT && r->low == INT64_MAX) || (op == OP_LT && r->high == INT64_MIN))
        return false;
    r->has_low = op == OP_EQ || op == OP_GE || op == OP_GT;
    r->has_high = op == OP_EQ || op == OP_LE || op == OP_LT;
    r->low += op == OP_GT;
    r->high -= op == OP_LT;
    return true;
}

static struct str range_text(struct arena *a, const struct range *r)
{
    if (r->has_low && r->has_high)
        return arena_printf(a, "%lld:%lld", (long long)r->low, (long long)r->high);
    if (r->has_low)
        return arena_printf(a, "%lld:", (long long)r->low);
    return arena_printf(a, ":%lld", (long long)r->high);
}

static bool parse_int_patterns(struct parse *p, unsigned word, unsigned end, struct cfg_acl_test *t)
{
    bool version = t->expr.id == FETCH_REQ_SSL_VER && t->expr.nconvs == 0;
    enum operator op = OP_NONE;
    for (; word < end && p->words[word].len > 0; word++) {
        struct str s = p->words[word];
        struct range r = {0};
        if (find_operator(s)) {
            op = find_operator(s);
            continue;
        }
        if (str_is(s, "ne"))
            return parse_error(p, word, "there is no operator 'ne': use eq and negate the ACL with '!'");
        if (!parse_range(s, version, &r))
            return parse_error(p, word, "'%.*s' is not a %s%s", STR_ARG(s), version ? "version" : "number",
                               str_find_char(s, ':') >= 0 ? " range" : "");
        if (op && str_find_char(s, ':') >= 0)
            return parse_error(p, word, "an operator compares with a number, not with the range '%.*s'", STR_ARG(s));
        if (op && !apply_operator(op, &r))
            return parse_error(p, word, "'%.*s' is out of range", STR_ARG(s));
        *add_pattern(p, t) = range_text(p->arena, &r);
    }
    return true;
}

// An IPv4 mask behind the slash: a bit count or a dotted mask of leading ones.
static int prefix_of(struct str s, int max)
{
    char text[INET_ADDRSTRLEN + 1];
    struct in_addr mask;
    int64_t bits;
    if (str_to_i64(s, &bits))
        return bits >= 0 && bits <= max ? (int)bits : -1;
    if (max != 32 || s.len >= sizeof text || inet_pton(AF_INET, str_copy(text, sizeof text, s), &mask) != 1)
        return -1;
    uint32_t zeros = ~ntohl(mask.s_addr);
    return zeros & (zeros + 1) ? -1 : 32 - __builtin_popcount(zeros);
}

// Also the short forms of inet_aton(): 10.12 is 10.0.0.12.
static bool parse_network(struct parse *p, struct str s, struct str *out)
{
    char text[INET6_ADDRSTRLEN + 1], canonical[INET6_ADDRSTRLEN + 1];
    unsigned char bytes[sizeof(struct in6_addr)];
    struct str host, mask = s;
    if (!str_split(&mask, '/', &host) || host.len == 0 || host.len >= sizeof text)
        return false;
    str_copy(text, sizeof text, host);
    int family = strchr(text, ':') ? AF_INET6 : AF_INET, max = family == AF_INET ? 32 : 128;
    if (strspn(text, "0123456789abcdefABCDEF.:") != host.len)
        return false;
    if (family == AF_INET ? !inet_aton(text, (struct in_addr *)(void *)bytes) : inet_pton(family, text, bytes) != 1)
        return false;
    int prefix = mask.ptr ? prefix_of(mask, max) : max;
    if (prefix < 0)
        return false;
    *out = arena_printf(p->arena, "%s/%d", inet_ntop(family, bytes, canonical, sizeof canonical), prefix);
    return true;
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789abcdefABCDEF", s.ptr[i]))
            return false;
    return s.len % 2 == 0;
}

// Letters, digits, '-', '_' and '.', with a letter: no address has that form.
static bool is_host_name(struct str s)
{
    bool letter = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = str_lower(s.ptr[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-' && c != '.' && c != '_')
            return false;
        letter |= c >= 'a' && c <= 'z';
    }
    return letter;
}

bool acl_parse_patterns(struct parse *p, unsigned word, unsigned end, struct cfg_acl_test *t)
{
    if (t->method == MATCH_FOUND || t->method == MATCH_BOOL)
        return true; // these compare with nothing
    if (t->method == MATCH_INT || t->method == MATCH_LEN)
        return parse_int_patterns(p, word, end, t);
    for (; word < end && p->words[word].len > 0; word++) {
        struct str s = p->words[word];
        bool named = !(t->flags & ACL_FLAG_NO_DNS) && is_host_name(s); // looked up when the node compiles it
        if (t->method == MATCH_IP && !named && !parse_network(p, s, &s))
            return parse_error(p, word, "'%.*s' is not an IPv4 or IPv6 address or network", STR_ARG(p->words[word]));
        if (t->method == MATCH_BIN && !is_hex(s))
            return parse_error(p, word, "an even number of hexadecimal digits is expected, not '%.*s'", STR_ARG(s));
        *add_pattern(p, t) = s;
    }
    return true;
}

// ---- criterion -----------------------------------------------------------------------------------------------------
static bool find_method(struct str name, enum match_method *out)
{
    for (unsigned m = 0; m < MATCH_COUNT; m++) {
        *out = (enum match_method)m;
        if (str_is(name, match_method_name(*out)))
            return true;
    }
    return false;
}

static bool default_method(enum sample_type type, enum match_method *out)
{
    switch (type) {
    case TYPE_BOOL:
        *out = MATCH_BOOL;
        return true;
    case TYPE_INT:
        *out = MATCH_INT;
        return true;
    case TYPE_ADDR:
    case TYPE_IPV4:
    case TYPE_IPV6:
        *out = MATCH_IP;
        return true;
    case TYPE_STR:
    case TYPE_METH:
        *out = MATCH_STR;
        return true;
    default:
        return false;
    }
}

static enum sample_type method_type(enum match_method m)
{
    switch (m) {
    case MATCH_BOOL: // as a number that is not zero
    case MATCH_INT:
        return TYPE_INT;
    case MATCH_IP:
        return TYPE_ADDR;
    default:
        return TYPE_ANY;
    }
}

// The expression; *has_method when the criterion implies one.
static bool parse_criterion(struct parse *p, unsigned word, struct cfg_acl_test *t, unsigned *where, bool *has_method)
{
    struct str text = p->words[word], name = expr_name(text, 0);
    const struct acl_keyword *kw = acl_keyword_find(name);
    size_t pos = 0;
    if (kw) { // hdr_beg(host) is hdr(host) with a method
        struct str rest = str_slice(text, name.len, text.len);
        text = arena_printf(p->arena, "%s%.*s", fetch_rows[kw->fetch].name, STR_ARG(rest));
    }
    if (!expr_parse_acl(p, word, text, &pos, &t->expr, where))
        return false;
    if (pos < text.len)
        return parse_error(p, word, "unexpected '%.*s' behind '%.*s'", STR_ARG(str_slice(text, pos, text.len)),
                           STR_ARG(t->expr.text));
    t->expr.text = p->words[word];
    *has_method = true;
    if (kw && t->expr.nconvs == 0)
        t->method = kw->method;
    else
        *has_method = default_method(t->expr.type, &t->method);
    return true;
}

// ---- flags ---------------------------------------------------------------------------------------------------------
struct flags {
    bool has_method, ended; // ended: by "--"
};

static bool need_value(struct parse *p, unsigned word, unsigned end)
{
    return word + 1 < end || parse_error(p, word, "'%.*s' expects a value", STR_ARG(p->words[word]));
}

// One flag at *word. False: a message was given.
static bool parse_flag(struct parse *p, unsigned *word, unsigned end, struct cfg_acl_test *t, struct flags *f)
{
    struct str flag = p->words[*word];
    char letter = flag.len == 2 ? flag.ptr[1] : 0;
    switch (letter) {
    case 'i':
        if (!(t->flags & ACL_FLAG_NOCASE))
            t->nocase_files = t->nfiles;
        t->flags |= ACL_FLAG_NOCASE;
        break;
    case 'n':
        t->flags |= ACL_FLAG_NO_DNS;
        break;
    case 'M':
        t->flags |= ACL_FLAG_MAP;
        break;
    case '-':
        f->ended = true;
        break;
    case 'f':
        if (!need_value(p, *word, end))
            return false;
        *PARSE_PUSH(p->arena, t->files, t->nfiles, struct str) = p->words[++*word];
        break;
    case 'u': {
        int64_t id;
        if (!need_value(p, *word, end) || !parse_int(p, *word + 1, 0, INT32_MAX, &id))
            return false;
        t->id = p->words[++*word];
        break;
    }
    case 'm':
        if (!need_value(p, *word, end))
            return false;
        if (t->nfiles > 0)
            return parse_error(p, *word, "'-m' must come before patterns and files");
        if (!find_method(p->words[++*word], &t->method))
            return parse_error(p, *word, "unknown matching method '%.*s'", STR_ARG(p->words[*word]));
        f->has_method = true;
        break;
    default:
        return parse_error(p, *word, "'%.*s' is not a valid ACL option; put '--' before patterns that begin with '-'",
                           STR_ARG(flag));
    }
    ++*word;
    return true;
}

bool acl_parse_test(struct parse *p, unsigned *word, unsigned end, struct cfg_acl_test *t, unsigned *where)
{
    struct flags f = {0};
    unsigned criterion = *word;
    if (criterion >= end)
        return parse_error(p, end - 1, "missing fetch method in ACL expression");
    *t = (struct cfg_acl_test){.src = parse_src(p, criterion)};
    if (!parse_criterion(p, criterion, t, where, &f.has_method))
        return false;
    ++*word;
    while (*word < end && !f.ended && p->words[*word].len > 0 && p->words[*word].ptr[0] == '-')
        if (!parse_flag(p, word, end, t, &f))
            return false;
    if (!f.has_method)
        return parse_error(p, criterion, "'%.*s' gives type %s, which needs a matching method: write '-m METHOD' first",
                           STR_ARG(t->expr.text), sample_type_name(t->expr.type));
    if (!sample_type_casts(t->expr.type, method_type(t->method)))
        return parse_error(p, criterion, "matching method '%s' cannot be used with '%.*s' of type %s",
                           match_method_name(t->method), STR_ARG(t->expr.text), sample_type_name(t->expr.type));
    if (!acl_parse_patterns(p, *word, end, t))
        return false;
    if (!t->npatterns && !t->nfiles && !f.ended && t->method != MATCH_FOUND && t->method != MATCH_BOOL)
        parse_warning(p, criterion,
                      "no pattern to match against, so '%.*s' will never match; add '--' if this is wanted, or use "
                      "'-m found' to match existence, '-m bool' to match a number as a boolean",
                      STR_ARG(t->expr.text));
    *word = end;
    return true;
}
