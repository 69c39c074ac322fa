// SPDX-License-Identifier: Apache-2.0
// What the tables tell a reader: `phalanx help KEYWORD` and the reference of all keywords. Both walk over the same rows
// as the parser.
#include <stdlib.h>

#include "config/config.h"
#include "config/keyword.h"

struct entry {
    const char *kind;   // "keyword of global, …", "option of bind lines" …
    const char *prefix; // "timeout " …
    const char *name;
    const char *form; // arguments; may be ""
    enum kw_status status;
    const char *help;
};
typedef void entry_fn(void *arg, const struct entry *e);

// ---- Words for types, places, arguments ----------------------------------------------------------------------------
static void form_of(const struct kw_row *row, struct buf *out)
{
    buf_clear(out);
    if (row->type == KW_CHOICE)
        for (const struct kw_choice *c = row->choices; c->name; c++)
            buf_printf(out, "%s%s", c == row->choices ? "" : "|", c->name);
    else if (row->type == KW_INT && row->max < INT32_MAX)
        buf_printf(out, "<number %lld to %lld>", (long long)row->min, (long long)row->max);
    else if (row->type == KW_TIME)
        buf_add_cstr(out, "<time>");
    else if (row->type == KW_OPTION || row->type == KW_FLAG)
        buf_add_cstr(out, "");
    else if (row->args)
        buf_add_cstr(out, row->args);
    else if (row->type == KW_WORDS && row->max_args)
        buf_add_cstr(out, "…");
}

static void sections_of(const struct kw_row *row, const char *otherwise, struct buf *out)
{
    buf_clear(out);
    for (enum section s = SECTION_GLOBAL; s < SECTION_COUNT; s++)
        if (row->sections & IN(s))
            buf_printf(out, "%s%s", out->len ? ", " : "", section_name(s));
    if (out->len == 0)
        buf_add_cstr(out, otherwise);
}

static void table_entries(entry_fn *fn, void *arg)
{
    static const struct {
        const char *prefix, *kind;
    } places[TABLE_COUNT] = {
        [TABLE_SECTIONS] = {"", "a section"},
        [TABLE_GLOBAL] = {"", ""},
        [TABLE_GLOBAL_STATS] = {"stats ", ""},
        [TABLE_PROXY] = {"", ""},
        [TABLE_OPTION] = {"option ", ""},
        [TABLE_TIMEOUT] = {"timeout ", ""},
        [TABLE_PROXY_STATS] = {"stats ", ""},
        [TABLE_BIND] = {"bind … ", "bind lines"},
        [TABLE_SERVER] = {"server … ", "server and default-server lines"},
    };
    struct buf form = BUF_INIT, kind = BUF_INIT;
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        for (unsigned i = 0; i < kw_tables[t]->count; i++) {
            const struct kw_row *row = &kw_tables[t]->rows[i];
            form_of(row, &form);
            sections_of(row, places[t].kind ? places[t].kind : "", &kind);
            fn(arg, &(struct entry){kind.data, places[t].prefix ? places[t].prefix : "", row->name,
                                    form.len ? form.data : "", row->status, row->help});
        }
    buf_free(&form);
    buf_free(&kind);
}

static void rulesets_of(unsigned bits, struct buf *out)
{
    static const char *const names[RULESET_COUNT] = {
        "tcp-request connection", "tcp-request session", "tcp-request content", "tcp-response content",
        "http-request",           "http-response",       "http-after-response"};
    buf_clear(out);
    for (unsigned r = 0; r < RULESET_COUNT; r++)
        if (bits >> r & 1)
            buf_printf(out, "%s%s", out->len ? ", " : "action of ", names[r]);
    buf_add_cstr(out, "");
}

// Names of rows that exist for tests alone are not told.
static bool shown(const char *name)
{
    return name && name[0];
}

static void expression_entries(entry_fn *fn, void *arg)
{
    struct buf kind = BUF_INIT, form = BUF_INIT;
    for (unsigned i = 0; i < FETCH_ID_COUNT; i++) {
        const struct fetch_row *r = &fetch_rows[i];
        buf_clear(&form);
        buf_printf(&form, "→ %s", sample_type_name(r->type));
        if (shown(r->name))
            fn(arg, &(struct entry){"sample fetch", "", r->name, form.data, r->status, r->help});
    }
    for (unsigned i = 0; i < CONV_ID_COUNT; i++) {
        const struct conv_row *r = &conv_rows[i];
        buf_clear(&form);
        buf_printf(&form, "%s → %s", sample_type_name(r->in), sample_type_name(r->out));
        if (shown(r->name))
            fn(arg, &(struct entry){"converter", "", r->name, form.data, r->status, r->help});
    }
    for (unsigned i = 0; i < ALIAS_ID_COUNT; i++)
        if (shown(alias_rows[i].name))
            fn(arg, &(struct entry){"log-format alias", "%", alias_rows[i].name, "", alias_rows[i].status,
                                    alias_rows[i].help});
    for (unsigned i = 0; i < ACT_ID_COUNT; i++) {
        rulesets_of(action_rows[i].rulesets, &kind);
        if (shown(action_rows[i].name))
            fn(arg,
               &(struct entry){kind.data, "", action_rows[i].name, "", action_rows[i].status, action_rows[i].help});
    }
    buf_free(&kind);
    buf_free(&form);
}

static const char *status_name(enum kw_status s)
{
    static const char *const names[] = {"supported", "accepted, without effect", "not supported yet"};
    return names[s];
}

// ---- phalanx help --------------------------------------------------------------------------------------------------
struct question {
    struct str word;
    struct buf *out;
    bool found;
};

static bool matches(const struct question *q, const struct entry *e)
{
    if (str_is(q->word, e->name))
        return true;
    size_t len = strlen(e->prefix);
    return len && str_starts(q->word, str_make(e->prefix, len)) &&
           str_is(str_slice(q->word, len, q->word.len), e->name);
}

static void answer(void *arg, const struct entry *e)
{
    struct question *q = arg;
    if (q->word.len > 0 && !matches(q, e))
        return;
    q->found = true;
    if (q->word.len == 0) {
        buf_printf(q->out, "%-44s %s\n", e->name, e->status == KW_SUPPORTED ? e->kind : status_name(e->status));
        return;
    }
    buf_printf(q->out, "%s%s%s%s\n    %s; %s\n    %s%s\n", e->prefix, e->name, e->form[0] ? " " : "", e->form, e->kind,
               status_name(e->status), e->status == KW_REFUSED ? "needs: " : "", e->help);
}

struct names {
    const char **list;
    unsigned count, room;
};

static void collect(void *arg, const struct entry *e)
{
    struct names *n = arg;
    if (n->count == n->room) {
        n->room = n->room ? n->room * 2 : 1024;
        n->list = realloc(n->list, n->room * sizeof(*n->list));
        if (!n->list)
            PANIC("out of memory: %u names", n->room);
    }
    n->list[n->count++] = e->name; // rows are static
}

bool config_help(const char *keyword, struct buf *out)
{
    struct question q = {.word = str_of(keyword), .out = out};
    table_entries(answer, &q);
    expression_entries(answer, &q);
    if (q.found)
        return true;
    struct names names = {NULL, 0, 0};
    table_entries(collect, &names);
    expression_entries(collect, &names);
    const char *near = parse_nearest(q.word, names.list, names.count, sizeof(*names.list));
    buf_printf(out, "no keyword '%s'%s%s%s\n", keyword, near ? "; did you mean '" : "", near ? near : "",
               near ? "' maybe ?" : "");
    free(names.list);
    return false;
}

// ---- The reference -------------------------------------------------------------------------------------------------
static void reference_row(void *arg, const struct entry *e)
{
    buf_printf(arg, "%s%s\t%s\t%s\t%s\t%s\n", e->prefix, e->name, e->form, e->kind, status_name(e->status), e->help);
}

void config_reference(struct buf *out)
{
    buf_add_cstr(out, "keyword\targuments\twhere\tstatus\tmeaning\n");
    table_entries(reference_row, out);
    expression_entries(reference_row, out);
}
