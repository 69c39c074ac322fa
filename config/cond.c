// SPDX-License-Identifier: Apache-2.0
// Conditions: OR of ANDs of possibly negated terms; a term is an integer, a predicate with arguments, or a condition in
// parentheses. The whole is always read to its end, so that a mistake shows even where it would not be evaluated.
#include "config/cond.h"

#include "config/config.h"

struct eval {
    struct str in;
    size_t at;
    unsigned depth;
    const struct env *env;
    struct cond_error *error;
    char args[2][1024]; // of the predicate being read, quotes and escapes resolved
};

static int or_list(struct eval *e);

static int fail(struct eval *e, size_t at, const char *text)
{
    *e->error = (struct cond_error){(unsigned)at, text};
    return -1;
}

static char peek(const struct eval *e)
{
    return e->at < e->in.len ? e->in.ptr[e->at] : '\0';
}

static void skip_blanks(struct eval *e)
{
    while (peek(e) == ' ' || peek(e) == '\t')
        e->at++;
}

static bool accept(struct eval *e, const char *token)
{
    skip_blanks(e);
    if (!str_starts(str_slice(e->in, e->at, e->in.len), str_of(token)))
        return false;
    e->at += strlen(token);
    return true;
}

// ---- Versions ------------------------------------------------------------------------------------------------------
static unsigned number(struct str s, size_t *at)
{
    unsigned value = 0;
    for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at)
        if (value < 100000)
            value = value * 10 + (unsigned)(s.ptr[*at] - '0');
    return value;
}

// "2.6", "2.6-dev3", "2.6.12-anything" → a number that orders them: a development version lies before its release.
static uint64_t version_rank(struct str s)
{
    size_t at = 0;
    uint64_t major = number(s, &at), minor = 0, last = 0, release = 1;
    if (at < s.len && s.ptr[at] == '.') {
        at++;
        minor = number(s, &at);
    }
    if (str_starts(str_slice(s, at, s.len), STR("-dev"))) {
        at += 4;
        release = 0;
        last = number(s, &at);
    } else if (at < s.len && s.ptr[at] == '.') {
        at++;
        last = number(s, &at);
    }
    return major << 44 | minor << 24 | release << 20 | (last & 0xfffff);
}

// ---- Predicates ----------------------------------------------------------------------------------------------------
// What `feature()` and `phalanx -vv` know, in HAProxy's words. A feature appears here when the keywords that go with it
// are accepted.
const struct config_feature config_features[] = {
    {"ACCEPT4", true},   {"EPOLL", true},        {"GETADDRINFO", true}, {"KQUEUE", false}, {"LINUX_SPLICE", true},
    {"LUA", false},      {"NS", false},          {"OPENSSL", false},    {"PCRE", false},   {"PCRE2", true},
    {"PCRE2_JIT", true}, {"PHALANX", true},      {"PROMEX", false},     {"QUIC", false},   {"SLZ", false},
    {"SSL", false},      {"STATIC_PCRE", false}, {"SYSTEMD", true},     {"TFO", true},     {"THREAD", true},
    {"WURFL", false},    {"ZLIB", false},        {NULL, false},
};

static bool pred_defined(const struct eval *e)
{
    struct str value;
    return env_get(e->env, str_of(e->args[0]), &value);
}

static bool pred_feature(const struct eval *e)
{
    for (const struct config_feature *f = config_features; f->name; f++)
        if (strcmp(f->name, e->args[0]) == 0)
            return f->present;
    return false;
}

static bool pred_streq(const struct eval *e)
{
    return strcmp(e->args[0], e->args[1]) == 0;
}

static bool pred_strneq(const struct eval *e)
{
    return strcmp(e->args[0], e->args[1]) != 0;
}

static bool pred_strstr(const struct eval *e)
{
    return strstr(e->args[0], e->args[1]) != NULL;
}

static bool pred_enabled(const struct eval *e)
{
    static const char *const on[] = {"EPOLL", "SPLICE", "GETADDRINFO", "REUSEPORT", "FAST-FORWARD"};
    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
        if (strcmp(on[i], e->args[0]) == 0)
            return true;
    return false;
}

static bool pred_version_atleast(const struct eval *e)
{
    return version_rank(STR(CONFIG_LANGUAGE_VERSION)) >= version_rank(str_of(e->args[0]));
}

static bool pred_version_before(const struct eval *e)
{
    return version_rank(STR(CONFIG_LANGUAGE_VERSION)) < version_rank(str_of(e->args[0]));
}

// Questions about a TLS library: there is none as long as feature(OPENSSL) is false.
static bool pred_no_tls(const struct eval *e)
{
    (void)e;
    return false;
}

static const struct predicate {
    const char *name;
    unsigned nargs;
    bool (*test)(const struct eval *e);
} predicates[] = {
    {"defined", 1, pred_defined},
    {"feature", 1, pred_feature},
    {"streq", 2, pred_streq},
    {"strneq", 2, pred_strneq},
    {"strstr", 2, pred_strstr},
    {"enabled", 1, pred_enabled},
    {"version_atleast", 1, pred_version_atleast},
    {"version_before", 1, pred_version_before},
    {"openssl_version_atleast", 1, pred_no_tls},
    {"openssl_version_before", 1, pred_no_tls},
    {"ssllib_name_startswith", 1, pred_no_tls},
    {"awslc_api_atleast", 1, pred_no_tls},
    {"awslc_api_before", 1, pred_no_tls},
    {"fips_mode", 0, pred_no_tls},
};

// One argument up to an unprotected ',' or ')'. Blanks belong to it.
static bool argument(struct eval *e, char *out, size_t size)
{
    size_t len = 0;
    char quote = '\0';
    for (; e->at < e->in.len; e->at++) {
        char c = peek(e);
        if (quote == '\0' && (c == ',' || c == ')'))
            break;
        if (c == '\\' && quote != '\'' && e->at + 1 < e->in.len) {
            c = e->in.ptr[++e->at];
        } else if (c == quote) {
            quote = '\0';
            continue;
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
            continue;
        }
        if (len + 1 == size)
            return fail(e, e->at, "argument too long") >= 0;
        out[len++] = c;
    }
    out[len] = '\0';
    return quote == '\0' || fail(e, e->at, "unmatched quote in an argument") >= 0;
}

static int predicate(struct eval *e)
{
    size_t start = e->at;
    while ((peek(e) >= 'a' && peek(e) <= 'z') || peek(e) == '_')
        e->at++;
    struct str name = str_slice(e->in, start, e->at - start);
    const struct predicate *found = NULL;
    for (size_t i = 0; i < sizeof(predicates) / sizeof(predicates[0]); i++)
        if (str_is(name, predicates[i].name))
            found = &predicates[i];
    if (!found || peek(e) != '(')
        return fail(e, start, "expected an integer, '(', '!' or a predicate with its arguments in parentheses");
    e->at++;
    if (found->nargs > 0 && peek(e) == ')')
        return fail(e, e->at, "missing arguments of the predicate");
    for (unsigned i = 0; i < found->nargs; i++) {
        if (i > 0 && !accept(e, ","))
            return fail(e, e->at, "missing arguments of the predicate");
        if (!argument(e, e->args[i], sizeof(e->args[i])))
            return -1;
    }
    if (peek(e) != ')')
        return fail(e, e->at, "expected ')' behind the arguments of the predicate");
    e->at++;
    return found->test(e);
}

// ---- The grammar ---------------------------------------------------------------------------------------------------
static int integer(struct eval *e)
{
    bool value = false;
    if (peek(e) == '-')
        e->at++;
    if (peek(e) < '0' || peek(e) > '9')
        return fail(e, e->at, "expected an integer");
    for (; peek(e) >= '0' && peek(e) <= '9'; e->at++)
        value |= peek(e) != '0';
    return value;
}

static int term(struct eval *e)
{
    bool negate = false;
    while (accept(e, "!"))
        negate = !negate;
    int value;
    if (accept(e, "(")) {
        if (++e->depth > COND_MAX_DEPTH)
            return fail(e, e->at, "too many parentheses");
        value = or_list(e);
        if (value >= 0 && !accept(e, ")"))
            return fail(e, e->at, "missing ')'");
        e->depth--;
    } else if (peek(e) == '-' || (peek(e) >= '0' && peek(e) <= '9')) {
        value = integer(e);
    } else {
        value = predicate(e);
    }
    return value < 0 ? value : value ^ negate;
}

static int and_list(struct eval *e)
{
    int all = term(e);
    while (all >= 0 && accept(e, "&&")) {
        int next = term(e);
        all = next < 0 ? next : all & next;
    }
    return all;
}

static int or_list(struct eval *e)
{
    int any = and_list(e);
    while (any >= 0 && accept(e, "||")) {
        int next = and_list(e);
        any = next < 0 ? next : any | next;
    }
    return any;
}

int cond_value(struct str expr, const struct env *env, struct cond_error *error)
{
    struct eval e = {.in = expr, .env = env, .error = error};
    skip_blanks(&e);
    if (e.at == e.in.len)
        return 0;
    int value = or_list(&e);
    skip_blanks(&e);
    if (value >= 0 && e.at < e.in.len)
        return fail(&e, e.at, "unexpected character at the end of the expression");
    return value;
}

// ---- Blocks --------------------------------------------------------------------------------------------------------
bool cond_skipping(const struct cond_stack *stack)
{
    return stack->depth > 0 && stack->levels[stack->depth - 1].state != COND_TAKE;
}

// The words behind the directive, joined by one space.
static bool condition(struct parse *p)
{
    struct buf text = BUF_INIT;
    for (unsigned i = 1; i < p->nwords; i++) {
        if (i > 1)
            buf_add_char(&text, ' ');
        buf_add_str(&text, p->words[i]);
    }
    struct cond_error error;
    int value = cond_value(buf_str(&text), p->env, &error);
    if (value < 0)
        parse_error(p, 1, "unparsable conditional expression '%.*s' in '%.*s' at position %u: %s.",
                    STR_ARG(buf_str(&text)), STR_ARG(p->words[0]), error.at + 1, error.text);
    buf_free(&text);
    return value > 0;
}

static void begin_block(struct parse *p, struct cond_stack *stack)
{
    bool outside = cond_skipping(stack);
    if (stack->depth == COND_MAX_DEPTH) {
        parse_error(p, 0, "too many nested '.if' blocks: at most %d.", COND_MAX_DEPTH);
        return;
    }
    struct cond_level *level = &stack->levels[stack->depth];
    *level = (struct cond_level){.state = COND_DONE, .src = p->src};
    if (!outside)
        level->state = condition(p) ? COND_TAKE : COND_SKIP;
    stack->depth++;
}

static void no_arguments(struct parse *p)
{
    if (p->nwords > 1)
        parse_error(p, 1, "Unexpected argument '%.*s' for '%.*s'.", STR_ARG(p->words[1]), STR_ARG(p->words[0]));
}

static void continue_block(struct parse *p, struct cond_level *level, bool is_else)
{
    if (level->in_else) {
        parse_error(p, 0, "'%.*s' after '.else' is not permitted.", STR_ARG(p->words[0]));
        return;
    }
    level->in_else = is_else;
    if (is_else)
        no_arguments(p);
    if (level->state == COND_TAKE)
        level->state = COND_DONE;
    else if (level->state == COND_SKIP && (is_else || condition(p)))
        level->state = COND_TAKE;
}

static void message(struct parse *p, enum diag_level level)
{
    if (p->nwords > 2)
        parse_error(p, 2, "Unexpected argument '%.*s' for '%.*s'. Use quotes if the message should contain spaces.",
                    STR_ARG(p->words[2]), STR_ARG(p->words[0]));
    else
        diag_add(p->diag, level, &p->src, "'%.*s'.", STR_ARG(p->nwords > 1 ? p->words[1] : STR("")));
}

void cond_directive(struct parse *p, struct cond_stack *stack)
{
    struct str word = p->words[0];
    bool is_else = str_is(word, ".else"), is_end = str_is(word, ".endif");
    if (str_is(word, ".if")) {
        begin_block(p, stack);
    } else if (is_else || is_end || str_is(word, ".elif")) {
        if (stack->depth == 0) {
            parse_error(p, 0, "lone '%.*s' with no matching '.if'.", STR_ARG(word));
            return;
        }
        if (!is_end) {
            continue_block(p, &stack->levels[stack->depth - 1], is_else);
            return;
        }
        no_arguments(p);
        stack->depth--;
    } else if (cond_skipping(stack)) {
        return;
    } else if (str_is(word, ".diag")) {
        message(p, DIAG_DIAG);
    } else if (str_is(word, ".notice")) {
        message(p, DIAG_NOTICE);
    } else if (str_is(word, ".warning")) {
        message(p, DIAG_WARNING);
    } else if (str_is(word, ".alert")) {
        message(p, DIAG_ALERT);
    } else {
        parse_error(p, 0,
                    "unknown directive '%.*s': expected .if, .elif, .else, .endif, .diag, .notice, .warning or "
                    ".alert.",
                    STR_ARG(word));
    }
}

void cond_finish(struct parse *p, struct cond_stack *stack)
{
    for (; stack->depth > 0; stack->depth--)
        diag_add(p->diag, DIAG_ALERT, &stack->levels[stack->depth - 1].src, "non-terminated '.if' block.");
}
