// SPDX-License-Identifier: Apache-2.0
// Lines of a backend about the choice of a server: balance, hash-type, cookie.
#include "config/load.h"
#include "config/proxy_lines.h"

static bool unexpected(struct parse *p, unsigned word)
{
    return parse_error(p, word, "'%.*s' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[0]),
                       STR_ARG(p->words[word]));
}

static const char *choice_near(struct parse *p, unsigned word, const struct kw_choice *choices)
{
    unsigned n = 0;
    while (choices[n].name)
        n++;
    return parse_nearest(p->words[word], choices, n, sizeof(*choices));
}

static const struct kw_choice *find_choice(struct str word, const struct kw_choice *choices)
{
    for (; choices->name; choices++)
        if (str_is(word, choices->name))
            return choices;
    return NULL;
}

// ---- balance -------------------------------------------------------------------------------------------------------
static const struct kw_choice algorithms[] = {{"roundrobin", BALANCE_ROUNDROBIN},
                                              {"static-rr", BALANCE_STATIC_RR},
                                              {"leastconn", BALANCE_LEASTCONN},
                                              {"first", BALANCE_FIRST},
                                              {"source", BALANCE_SOURCE},
                                              {"uri", BALANCE_URI},
                                              {"url_param", BALANCE_URL_PARAM},
                                              {"hdr", BALANCE_HDR},
                                              {"random", BALANCE_RANDOM},
                                              {"hash", BALANCE_HASH},
                                              {NULL, 0}};

// "name(argument)" → both; *argument has no pointer when there are no parentheses.
static bool split_call(struct parse *p, unsigned word, struct str *name, struct str *argument)
{
    struct str text = p->words[word];
    ptrdiff_t open = str_find_char(text, '(');
    *name = text;
    *argument = STR_NONE;
    if (open < 0)
        return true;
    if (text.ptr[text.len - 1] != ')')
        return parse_error(p, word, "missing ')' in '%.*s'.", STR_ARG(text));
    *name = str_slice(text, 0, (size_t)open);
    *argument = arena_str(p->arena, str_slice(text, (size_t)open + 1, text.len - (size_t)open - 2));
    return true;
}

static bool balance_uri(struct parse *p)
{
    struct cfg_proxy *px = p->proxy;
    int64_t value;
    for (unsigned word = 2; word < p->nwords; word++) {
        struct str name = p->words[word];
        if (str_is(name, "whole")) {
            px->balance_arg.whole = true;
        } else if (str_is(name, "path-only")) {
            px->balance_arg.path_only = true;
        } else if (str_is(name, "len") || str_is(name, "depth")) {
            if (!parse_int(p, ++word, 1, 65535, &value))
                return false;
            *(str_is(name, "len") ? &px->balance_arg.len : &px->balance_arg.depth) = (int)value;
        } else {
            return parse_error(p, word,
                               "'balance uri' only supports 'len', 'depth', 'whole' and 'path-only' (got "
                               "'%.*s').",
                               STR_ARG(name));
        }
    }
    return true;
}

static bool balance_url_param(struct parse *p)
{
    if (p->nwords < 3)
        return parse_error(p, 2, "'balance url_param' expects the parameter's name.");
    p->proxy->balance_arg.name = p->words[2];
    if (p->nwords > 3 && str_is(p->words[3], "check_post"))
        return parse_error(p, 3, "'check_post' is known to HAProxy but not supported yet: parameters in bodies.");
    return p->nwords <= 3 || unexpected(p, 3);
}

static bool balance_random(struct parse *p, struct str argument)
{
    uint64_t draws = 2;
    if (argument.ptr && (!str_to_u64(argument, &draws) || draws == 0 || draws > 65535))
        return parse_error(p, 1, "'random' expects a number of draws from 1 to 65535.");
    p->proxy->balance_arg.draws = (int)draws;
    return p->nwords <= 2 || unexpected(p, 2);
}

static bool balance_hdr(struct parse *p, struct str argument)
{
    struct cfg_proxy *px = p->proxy;
    if (argument.len == 0)
        return parse_error(p, 1, "'balance hdr(<name>)' expects the header's name.");
    px->balance_arg.name = argument;
    px->balance_arg.use_domain_only = p->nwords > 2 && str_is(p->words[2], "use_domain_only");
    unsigned known = 2 + px->balance_arg.use_domain_only;
    return p->nwords <= known || unexpected(p, known);
}

static bool balance_hash(struct parse *p)
{
    unsigned word = 2;
    if (p->nwords < 3)
        return parse_error(p, 2, "'balance hash' expects an expression.");
    if (!parse_balance_expr(p, &word, &p->proxy->balance_arg.expr))
        return false;
    return word >= p->nwords || unexpected(p, word);
}

bool balance_line(struct parse *p)
{
    struct cfg_proxy *px = p->proxy, initial;
    struct str name, argument;
    if (p->nwords < 2) // as in HAProxy: the default
        return px->balance = BALANCE_ROUNDROBIN, true;
    if (!split_call(p, 1, &name, &argument))
        return false;
    const struct kw_choice *algorithm = find_choice(name, algorithms);
    if (!algorithm) {
        const char *near = choice_near(p, 1, algorithms);
        if (str_is(name, "rdp-cookie") || str_is(name, "sticky") || str_is(name, "log-hash"))
            return parse_error(p, 1, "'balance %.*s' is known to HAProxy but not supported yet.", STR_ARG(name));
        return parse_error(p, 1, "unknown balancing algorithm '%.*s'%s%s%s", STR_ARG(name),
                           near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
    }
    proxy_init(&initial);
    px->balance = (enum cfg_balance)algorithm->value;
    px->balance_arg = initial.balance_arg;
    switch (px->balance) {
    case BALANCE_URI:
        return balance_uri(p);
    case BALANCE_URL_PARAM:
        return balance_url_param(p);
    case BALANCE_HDR:
        return balance_hdr(p, argument);
    case BALANCE_RANDOM:
        return balance_random(p, argument);
    case BALANCE_HASH:
        return balance_hash(p);
    default:
        return p->nwords <= 2 || unexpected(p, 2);
    }
}

bool balance_factor(struct parse *p, unsigned word, void *target)
{
    struct cfg_proxy *px = target;
    int64_t value;
    if (!parse_int(p, word, 0, 65535, &value))
        return false;
    px->hash_balance_factor = (int)value;
    return value == 0 || value > 100 || parse_error(p, word, "'hash-balance-factor' must be 0 or greater than 100.");
}

bool hash_type_line(struct parse *p)
{
    static const struct kw_choice functions[] = {{"sdbm", HASH_FN_SDBM},   {"djb2", HASH_FN_DJB2}, {"wt6", HASH_FN_WT6},
                                                 {"crc32", HASH_FN_CRC32}, {"none", HASH_FN_NONE}, {NULL, 0}};
    struct cfg_proxy *px = p->proxy;
    unsigned word = 2;
    bool consistent = p->nwords > 1 && str_is(p->words[1], "consistent");
    if (!consistent && !(p->nwords > 1 && str_is(p->words[1], "map-based")))
        return parse_error(p, 1, "'hash-type' expects 'map-based' or 'consistent'.");
    px->hash_type = consistent ? HASH_CONSISTENT : HASH_MAP_BASED;
    px->hash_fn = HASH_FN_SDBM;
    // Without a function a consistent hash is scrambled, since sdbm spreads poorly over a ring.
    px->hash_avalanche = consistent && p->nwords == 2;
    const struct kw_choice *function = word < p->nwords ? find_choice(p->words[word], functions) : NULL;
    if (function) {
        px->hash_fn = function->value;
        word++;
    }
    if (function && word < p->nwords && str_is(p->words[word], "avalanche")) {
        px->hash_avalanche = true;
        word++;
    }
    if (word < p->nwords)
        return parse_error(p, word,
                           "unknown hash function '%.*s': expected sdbm, djb2, wt6, crc32 or none, and "
                           "'avalanche'.",
                           STR_ARG(p->words[word]));
    return true;
}

// ---- cookie --------------------------------------------------------------------------------------------------------
static const struct kw_choice cookie_flags[] = {{"rewrite", COOKIE_REWRITE},
                                                {"insert", COOKIE_INSERT},
                                                {"prefix", COOKIE_PREFIX},
                                                {"indirect", COOKIE_INDIRECT},
                                                {"nocache", COOKIE_NOCACHE},
                                                {"postonly", COOKIE_POSTONLY},
                                                {"preserve", COOKIE_PRESERVE},
                                                {"httponly", COOKIE_HTTPONLY},
                                                {"secure", COOKIE_SECURE},
                                                {"dynamic", COOKIE_DYNAMIC},
                                                {NULL, 0}};

static bool cookie_seconds(struct parse *p, unsigned word, int64_t *seconds)
{
    int64_t us;
    if (word >= p->nwords || !time_from_text(p->words[word], 1000000, &us))
        return parse_error(p, word, "'%.*s' expects a time (in seconds, or with a unit).", STR_ARG(p->words[word - 1]));
    *seconds = us / 1000000 + (us % 1000000 != 0);
    return true;
}

// domain, attr, maxidle, maxlife at `word`: an option with an argument.
static bool cookie_value(struct parse *p, unsigned word, struct cfg_cookie *c)
{
    static const struct kw_choice names[] = {{"domain", 0}, {"attr", 0}, {"maxidle", 0}, {"maxlife", 0}, {NULL, 0}};
    struct str name = p->words[word];
    if (!find_choice(name, names)) {
        const char *near = choice_near(p, word, cookie_flags);
        if (!near)
            near = choice_near(p, word, names);
        return parse_error(p, word,
                           "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', "
                           "'preserve', 'httponly', 'secure', 'domain', 'maxidle', 'maxlife' and 'attr' (got "
                           "'%.*s')%s%s%s",
                           STR_ARG(name), near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
    }
    if (word + 1 == p->nwords)
        return parse_error(p, word, "'%.*s' expects an argument.", STR_ARG(name));
    struct str value = p->words[word + 1];
    if (str_is(name, "maxidle"))
        return cookie_seconds(p, word + 1, &c->maxidle);
    if (str_is(name, "maxlife"))
        return cookie_seconds(p, word + 1, &c->maxlife);
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == ';')
            return parse_error(p, word + 1, "character %d is not permitted in a cookie's attribute.", value.ptr[i]);
    if (str_is(name, "domain") && str_find_char(str_slice(value, 1, value.len), '.') < 0)
        parse_warning(p, word + 1,
                      "domain '%.*s' contains no embedded dot, this configuration may not work properly (see RFC 6265, "
                      "5.2.3).",
                      STR_ARG(value));
    if (str_is(name, "domain"))
        c->domain =
            c->domain.len ? arena_printf(p->arena, "%.*s; domain=%.*s", STR_ARG(c->domain), STR_ARG(value)) : value;
    else
        c->attr = c->attr.len ? arena_printf(p->arena, "%.*s; %.*s", STR_ARG(c->attr), STR_ARG(value)) : value;
    return true;
}

bool cookie_line(struct parse *p)
{
    struct cfg_cookie c = {.name = STR_NONE};
    if (p->nwords < 2 || p->words[1].len == 0)
        return parse_error(p, 1, "'cookie' expects <cookie_name> as argument.");
    c.name = p->words[1];
    for (unsigned word = 2; word < p->nwords; word++) {
        const struct kw_choice *flag = find_choice(p->words[word], cookie_flags);
        if (flag)
            c.flags |= (unsigned)flag->value;
        else if (!cookie_value(p, word++, &c))
            return false;
    }
    unsigned kinds = c.flags & (COOKIE_REWRITE | COOKIE_INSERT | COOKIE_PREFIX);
    if (kinds & (kinds - 1))
        return parse_error(p, 2, "cookie 'rewrite', 'insert' and 'prefix' modes are exclusive.");
    if ((c.flags & COOKIE_DYNAMIC))
        return parse_error(p, 2,
                           "'dynamic' is known to HAProxy but not supported yet: cookies computed from server "
                           "addresses.");
    if ((c.flags & COOKIE_PRESERVE) && !(c.flags & (COOKIE_INSERT | COOKIE_INDIRECT)))
        return parse_error(p, 0, "cookie 'preserve' requires at least 'insert' or 'indirect'.");
    p->proxy->cookie = c;
    return true;
}
