// SPDX-License-Identifier: Apache-2.0
// The engine that reads a line by the rows: prefix, place, status, number of arguments, bounds, target.
#include "config/keyword.h"

#include <limits.h>
#include <stdio.h>

#include "config/load.h"

const struct kw_table *const kw_tables[TABLE_COUNT] = {
    [TABLE_SECTIONS] = &kw_sections,
    [TABLE_GLOBAL] = &kw_global,
    [TABLE_GLOBAL_STATS] = &kw_global_stats,
    [TABLE_PROXY] = &kw_proxy,
    [TABLE_OPTION] = &kw_option,
    [TABLE_TIMEOUT] = &kw_timeout,
    [TABLE_PROXY_STATS] = &kw_proxy_stats,
    [TABLE_BIND] = &kw_bind,
    [TABLE_SERVER] = &kw_server,
    [TABLE_CLUSTER] = &kw_cluster,
    [TABLE_USERLIST] = &kw_userlist,
};

const char *section_name(enum section s)
{
    static const char *const names[SECTION_COUNT] = {"",        "global", "defaults", "frontend",
                                                     "backend", "listen", "cluster",  "userlist"};
    return names[s];
}

static const struct kw_table *section_table(enum section s)
{
    static const struct kw_table *const tables[SECTION_COUNT] = {
        [SECTION_GLOBAL] = &kw_global,    [SECTION_DEFAULTS] = &kw_proxy, [SECTION_FRONTEND] = &kw_proxy,
        [SECTION_BACKEND] = &kw_proxy,    [SECTION_LISTEN] = &kw_proxy,   [SECTION_CLUSTER] = &kw_cluster,
        [SECTION_USERLIST] = &kw_userlist};
    return tables[s];
}

// What the rows of a section's table have their offsets in.
static void *section_target(struct parse *p)
{
    switch (p->section) {
    case SECTION_GLOBAL:
        return &p->config->global;
    case SECTION_CLUSTER:
        return p->cluster;
    default:
        return p->proxy;
    }
}

const struct kw_row *kw_find(const struct parse *p, const struct kw_table *table, struct str name)
{
    return strmap_get(&p->loader->tables[table->id], name);
}

// ---- Messages ------------------------------------------------------------------------------------------------------
// A row of that name in the table of another section.
static const struct kw_row *find_elsewhere(const struct parse *p, struct str name)
{
    for (enum section s = SECTION_GLOBAL; s < SECTION_COUNT; s++) {
        const struct kw_row *row = kw_find(p, section_table(s), name);
        if (row)
            return row;
    }
    return NULL;
}

static enum section first_section(unsigned bits)
{
    return bits ? (enum section)__builtin_ctz(bits) : SECTION_NONE;
}

bool kw_unknown(struct parse *p, const struct kw_table *table, unsigned word, const char *where)
{
    const char *names[512];
    unsigned n = 0;
    for (unsigned i = 0; i < table->count && n < sizeof(names) / sizeof(names[0]); i++) {
        const struct kw_row *row = &table->rows[i];
        if (row->status != KW_REFUSED && (row->sections == 0 || row->sections & IN(p->section)))
            names[n++] = row->name;
    }
    const char *near = parse_nearest(p->words[word], names, n, sizeof(names[0]));
    if (!near && *where) // perhaps the header of a new section
        near = parse_nearest(p->words[word], kw_sections.rows, kw_sections.count, sizeof(kw_sections.rows[0]));
    const struct kw_row *elsewhere = *where ? find_elsewhere(p, p->words[word]) : NULL;
    if (elsewhere)
        return parse_error(p, word, "unknown keyword '%.*s'%s: it belongs to the section '%s'.",
                           STR_ARG(p->words[word]), where, section_name(first_section(elsewhere->sections)));
    return parse_error(p, word, "unknown %s '%.*s'%s%s%s%s", table->what, STR_ARG(p->words[word]), where,
                       near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
}

static bool refused(struct parse *p, unsigned word, const struct kw_row *row)
{
    return parse_error(p, word, "'%.*s' is known to HAProxy but not supported yet: %s.", STR_ARG(p->words[word]),
                       row->help);
}

bool kw_arity(struct parse *p, const struct kw_row *row, unsigned word, unsigned min, unsigned max)
{
    unsigned have = p->nwords - word;
    if (have < min || (min > 0 && p->words[word].len == 0))
        return parse_error(p, have ? p->nwords - 1 : word, "'%s' expects %s.", row->name,
                           row->args ? row->args : "an argument");
    if (max != KW_ANY && have > max)
        return parse_error(p, word + max, "'%s' cannot handle unexpected argument '%.*s'.", row->name,
                           STR_ARG(p->words[word + max]));
    return true;
}

static void add_choices(struct buf *out, const struct kw_choice *choices)
{
    for (const struct kw_choice *c = choices; c->name; c++)
        buf_printf(out, "%s'%s'", c == choices ? "" : c[1].name ? ", " : " or ", c->name);
}

// ---- One value -----------------------------------------------------------------------------------------------------
static bool set_choice(struct parse *p, const struct kw_row *row, unsigned word, void *field)
{
    struct buf expected = BUF_INIT;
    if (word < p->nwords)
        for (const struct kw_choice *c = row->choices; c->name; c++)
            if (str_is(p->words[word], c->name)) {
                memcpy(field, &c->value, sizeof(c->value));
                return true;
            }
    add_choices(&expected, row->choices);
    unsigned n = 0;
    while (row->choices[n].name)
        n++;
    struct str given = word < p->nwords ? p->words[word] : STR("");
    const char *near = parse_nearest(given, row->choices, n, sizeof(row->choices[0]));
    parse_error(p, word, "'%s' expects %s (got '%.*s')%s%s%s", row->name, expected.data, STR_ARG(given),
                near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
    buf_free(&expected);
    return false;
}

// The field was set already by this section, not only inherited.
static bool set_before(const struct parse *p, const struct kw_row *row, const void *field)
{
    struct cfg_proxy initial;
    const struct cfg_proxy *base = p->loader->base ? &p->loader->base->proxy : &initial;
    proxy_init(&initial);
    return memcmp(field, (const char *)base + row->offset, sizeof(int)) != 0;
}

static bool set_number(struct parse *p, const struct kw_row *row, unsigned word, void *field)
{
    int64_t value = 0, max = row->max ? row->max : INT_MAX;
    uint64_t size;
    if (row->type == KW_INT) {
        if (!parse_int(p, word, row->min, max, &value))
            return false;
    } else if (row->type == KW_TIME) {
        if (!parse_time_ms(p, word, &value))
            return false;
    } else {
        if (!parse_size(p, word, &size))
            return false;
        value = size > INT_MAX ? INT_MAX : (int64_t)size;
    }
    if (value < row->min || value > max)
        return parse_error(p, word, "value '%.*s' of '%s' is out of range: expected %lld to %lld.",
                           STR_ARG(p->words[word]), row->name, (long long)row->min, (long long)max);
    if (row->once && p->section != SECTION_DEFAULTS && set_before(p, row, field))
        parse_warning(p, word - 1, "overwriting '%.*s %s' which was already specified", STR_ARG(p->words[0]),
                      row->name);
    int number = (int)value;
    memcpy(field, &number, sizeof(number));
    return true;
}

static void set_option(struct parse *p, const struct kw_row *row)
{
    uint64_t bit = (uint64_t)1 << row->max;
    p->proxy->options &= ~bit;
    if (p->prefix == PREFIX_NONE)
        p->proxy->options |= bit;
}

// How many words an argument list of this row takes at most.
static unsigned args_of(const struct kw_row *row)
{
    switch (row->type) {
    case KW_FLAG:
    case KW_OPTION:
        return 0;
    case KW_WORDS:
    case KW_VALUE:
        return row->max_args;
    default:
        return 1;
    }
}

static bool apply(struct parse *p, const struct kw_row *row, unsigned word, void *target)
{
    char *field = (char *)target + row->offset;
    switch (row->type) {
    case KW_FLAG: {
        bool on = row->max != 0 && p->prefix == PREFIX_NONE;
        memcpy(field, &on, sizeof(on));
        return true;
    }
    case KW_INT:
    case KW_TIME:
    case KW_SIZE:
        return set_number(p, row, word, field);
    case KW_STRING:
        memcpy(field, &p->words[word], sizeof(p->words[word]));
        return true;
    case KW_CHOICE:
        return set_choice(p, row, word, field);
    case KW_OPTION:
        set_option(p, row);
        return true;
    case KW_VALUE:
        return row->value(p, word, target);
    default:
        return true;
    }
}

// ---- A line --------------------------------------------------------------------------------------------------------
static void strip_prefix(struct parse *p)
{
    p->prefix = PREFIX_NONE;
    if (str_is(p->words[0], "no"))
        p->prefix = PREFIX_NO;
    else if (str_is(p->words[0], "default"))
        p->prefix = PREFIX_DEFAULT;
    if (p->prefix == PREFIX_NONE || p->nwords < 2) {
        p->prefix = PREFIX_NONE;
        return;
    }
    p->words++;
    p->nwords--;
    p->word_base++;
}

// Finds the row of the line, descending into groups; *depth is the word that names it.
static const struct kw_row *find_row(struct parse *p, unsigned *depth)
{
    const struct kw_table *table = section_table(p->section);
    char where[64];
    snprintf(where, sizeof(where), " in '%s' section", section_name(p->section));
    for (*depth = 0;; ++*depth) {
        const struct kw_row *row = kw_find(p, table, p->words[*depth]);
        if (!row) {
            kw_unknown(p, table, *depth, *depth == 0 ? where : "");
            return NULL;
        }
        if (row->type != KW_GROUP)
            return row;
        table = row->group;
        if (*depth + 1 == p->nwords) {
            parse_error(p, *depth + 1, "'%s' expects the name of %s %s.", row->name,
                        strchr("aeiou", table->what[0]) ? "an" : "a", table->what);
            return NULL;
        }
    }
}

// The keyword exists, but not here. False: do not read the line.
static bool allowed_here(struct parse *p, const struct kw_row *row, unsigned depth)
{
    if (row->sections & IN(p->section)) {
        if (row->rules && p->section == SECTION_DEFAULTS && p->loader->current_defaults->name.len == 0)
            return parse_error(p, depth, "'%.*s' not allowed in anonymous 'defaults' section.",
                               STR_ARG(p->words[depth]));
        return true;
    }
    if (p->section == SECTION_FRONTEND || p->section == SECTION_BACKEND) {
        bool front = p->section == SECTION_FRONTEND;
        const char *hint = "";
        if (strcmp(row->name, "maxconn") == 0)
            hint = " Maybe you want 'fullconn' instead ?";
        else if (strcmp(row->name, "fullconn") == 0)
            hint = " Maybe you want 'maxconn' instead ?";
        struct str group = depth ? arena_printf(p->arena, "%.*s ", STR_ARG(p->words[0])) : STR("");
        if (row->strict)
            return parse_error(p, depth, "'%s' not allowed because %s '%.*s' has no %s capability.", row->name,
                               section_name(p->section), STR_ARG(p->proxy->name), front ? "backend" : "frontend");
        parse_warning(p, depth, "'%.*s%s' ignored because %s '%.*s' has no %s capability.%s", STR_ARG(group), row->name,
                      section_name(p->section), STR_ARG(p->proxy->name), front ? "backend" : "frontend", hint);
        return false;
    }
    return parse_error(p, depth, "'%s' not allowed in '%s' section.", row->name, section_name(p->section));
}

// A line of a named defaults section that each proxy reads for itself.
static void save_line(struct parse *p)
{
    struct defaults *d = p->loader->current_defaults;
    *PARSE_PUSH(p->arena, d->rules, d->nrules, struct saved_line) =
        (struct saved_line){p->words, p->nwords, parse_src(p, 0)};
}

void kw_line(struct parse *p)
{
    unsigned depth;
    strip_prefix(p);
    const struct kw_row *row = find_row(p, &depth);
    if (!row)
        return;
    if (p->prefix != PREFIX_NONE && !row->negatable) {
        parse_error(p, 0,
                    depth > 0 ? "negation/default is not supported for %s '%s'."
                              : "negation/default is not supported for %s '%s', only for options and 'log'.",
                    depth > 0 ? p->words[0].ptr : "keyword", row->name);
        return;
    }
    if (row->status == KW_REFUSED) {
        refused(p, depth, row);
        return;
    }
    if (!allowed_here(p, row, depth))
        return;
    if (row->rules && p->section == SECTION_DEFAULTS)
        save_line(p);
    if (row->type == KW_LINE) {
        row->line(p);
        return;
    }
    unsigned max = args_of(row), min = row->type == KW_WORDS || row->type == KW_VALUE ? row->min_args : max;
    if (kw_arity(p, row, depth + 1, min, max))
        apply(p, row, depth + 1, section_target(p));
}

bool kw_options(struct parse *p, const struct kw_table *table, unsigned word, void *target)
{
    bool ok = true;
    while (word < p->nwords) {
        const struct kw_row *row = kw_find(p, table, p->words[word]);
        if (!row)
            return kw_unknown(p, table, word, "");
        unsigned n = args_of(row), left = p->nwords - word - 1;
        if (row->status == KW_REFUSED)
            return refused(p, word, row);
        if (n == KW_ANY)
            n = left;
        if (left < n)
            return parse_error(p, word, "'%s' expects %s.", row->name, row->args ? row->args : "an argument");
        ok &= apply(p, row, word + 1, target);
        word += 1 + n;
    }
    return ok;
}
