// SPDX-License-Identifier: Apache-2.0
// Expressions: a fetch and its converters, compiled to a flat list of calls with resolved arguments.
#include "node/match/expr.h"

#include "node/base/panic.h"
#include "node/match/compile.h"

// ---- compiling

// An omitted table is the current proxy's, but for sc_*(): there it is the one that the tracked entry lives in.
static bool fill_table(struct compile *c, const struct cfg_arg *cfg, struct str word, const struct cfg_src *src,
                       struct arg *a)
{
    if (!cfg->ref && str_starts(word, STR("sc_")))
        return true;
    const struct cfg_proxy *owner = cfg->ref ? cfg->ref : c->self;
    a->ref = owner;
    a->table = owner ? c->o.find_table(c->o.arg, owner) : NULL;
    if (!a->table)
        diag_add(c->o.diag, DIAG_ALERT, src, "'%.*s' needs a table: '%.*s' has no 'stick-table'", STR_ARG(word),
                 STR_ARG(owner ? owner->name : STR("(none)")));
    return a->table != NULL;
}

static bool fill_arg(struct compile *c, const struct cfg_arg *cfg, struct str word, const struct cfg_src *src,
                     struct arg *a)
{
    *a = (struct arg){.kind = cfg->kind,
                      .num = cfg->num,
                      .text = cfg->text,
                      .scope = cfg->scope,
                      .var_index = cfg->var_index,
                      .ref = cfg->ref};
    switch (cfg->kind) {
    case ARG_PROXY:
        a->ref = cfg->ref || c->self ? c->o.find_proxy(c->o.arg, cfg->ref ? cfg->ref : c->self) : NULL;
        return true;
    case ARG_SERVER:
        a->ref = cfg->ref ? c->o.find_server(c->o.arg, cfg->ref) : NULL;
        return true;
    case ARG_TABLE:
        a->ref = NULL;
        return fill_table(c, cfg, word, src, a);
    case ARG_REGEX:
        a->regex = regex_compile(c, cfg->text, cfg->num & 1, src);
        return a->regex != NULL;
    default:
        return true;
    }
}

static const struct arg *fill_args(struct compile *c, const struct cfg_arg *cfg, unsigned count, const char *word,
                                   const struct cfg_src *src)
{
    struct arg *args = ARENA_ARRAY(c->o.arena, struct arg, count ? count : 1);
    for (unsigned i = 0; i < count; i++)
        if (!fill_arg(c, &cfg[i], str_of(word), src, &args[i]))
            return NULL;
    return args;
}

static bool fill_map(struct compile *c, const struct cfg_conv *cfg, const struct cfg_src *src, struct arg *args)
{
    struct pattern_options kind;
    if (!conv_map_kind(cfg->id, &kind))
        return true;
    ASSERT(cfg->nargs >= 1 && cfg->args[0].kind == ARG_FILE);
    args[0].map = compile_file(c, &kind, cfg->args[0].text, src);
    args[0].ref = conv_map_default(c->o.arena, cfg);
    return args[0].map != NULL;
}

static bool fill_conv(struct compile *c, const struct cfg_conv *cfg, const struct cfg_src *src, struct conv_step *step)
{
    const struct arg *args = fill_args(c, cfg->args, cfg->nargs, conv_rows[cfg->id].name, src);
    step->fn = conv_bound(cfg->id);
    step->args = args;
    step->nargs = cfg->nargs;
    step->in = (uint8_t)cfg->in;
    if (!step->fn)
        diag_add(c->o.diag, DIAG_ALERT, src, "converter '%s' is not available", conv_rows[cfg->id].name);
    return step->fn && args && fill_map(c, cfg, src, (struct arg *)args);
}

bool expr_fill(struct compile *c, const struct cfg_expr *cfg, struct expr *e)
{
    struct conv_step *convs = ARENA_ARRAY(c->o.arena, struct conv_step, cfg->nconvs ? cfg->nconvs : 1);
    bool ok = true;
    *e = (struct expr){.fetch = fetch_bound(cfg->id),
                       .args = fill_args(c, cfg->args, cfg->nargs, fetch_rows[cfg->id].name, &cfg->src),
                       .convs = convs,
                       .nargs = cfg->nargs,
                       .nconvs = cfg->nconvs,
                       .type = (uint8_t)cfg->type};
    if (!e->fetch)
        diag_add(c->o.diag, DIAG_ALERT, &cfg->src, "sample fetch '%s' is not available", fetch_rows[cfg->id].name);
    for (unsigned i = 0; i < cfg->nconvs; i++)
        ok &= fill_conv(c, &cfg->convs[i], &cfg->src, &convs[i]);
    return ok && e->fetch && e->args;
}

struct expr *expr_compile(struct compile *c, const struct cfg_expr *cfg)
{
    struct expr *e = ARENA_NEW(c->o.arena, struct expr);
    return expr_fill(c, cfg, e) ? e : NULL;
}

enum sample_type expr_type(const struct expr *e)
{
    return e->type;
}

// ---- evaluating

enum eval_result expr_eval(const struct expr *e, struct match_ctx *c, enum sample_type want, struct sample *out)
{
    enum eval_result result = e->fetch(c, e->args, e->nargs, out);
    bool final = match_is_final(c);
    if (result != EVAL_FOUND)
        return result == EVAL_MORE && final ? EVAL_NONE : result;
    bool may_change = out->may_change && !final;
    for (unsigned i = 0; i < e->nconvs; i++) {
        const struct conv_step *step = &e->convs[i];
        if (!sample_cast(c, out, step->in) || !step->fn(c, step->args, step->nargs, out))
            return may_change ? EVAL_MORE : EVAL_NONE;
    }
    if (!sample_cast(c, out, want))
        return may_change ? EVAL_MORE : EVAL_NONE;
    out->may_change = may_change;
    return EVAL_FOUND;
}
