// SPDX-License-Identifier: Apache-2.0
// set-var and set-var-fmt of the global section: compiled with the snapshot, run when it is published, so that a wrong
// file changes nothing. A reload runs them again, as a new HAProxy process would.
#include "node/match/vars.h"
#include "node/proxy/proxy.h"

struct start_var {
    struct str name;
    struct expr *expr; // or
    struct format *format;
};

bool start_vars_compile(struct snapshot *s, struct compile *c)
{
    const struct cfg_rules *rules = &s->config->global.set_vars;
    bool ok = true;
    s->start_vars = ARENA_ARRAY(s->arena, struct start_var, rules->count + 1);
    s->nstart_vars = rules->count;
    for (unsigned i = 0; i < rules->count; i++) {
        const struct cfg_action *a = &rules->rules[i].action;
        struct start_var *v = &s->start_vars[i];
        v->name = a->name;
        if (a->id == ACT_SET_VAR_FMT)
            v->format = format_compile(c, &a->format);
        else
            v->expr = expr_compile(c, a->expr);
        ok = ok && (v->format || v->expr);
    }
    return ok;
}

void start_vars_run(struct snapshot *s)
{
    if (s->nstart_vars == 0)
        return;
    struct arena *arena = arena_create(4096);
    struct match_ctx ctx = {.arena = arena, .where = WHERE_INIT, .req_final = true, .res_final = true};
    ctx.front = s->nproxies > 0 ? s->proxies[0] : NULL; // for functions that look for other proxies
    for (unsigned i = 0; i < s->nstart_vars; i++) {
        struct start_var *v = &s->start_vars[i];
        struct sample value;
        if (v->format)
            sample_set_str(&value, format_text(v->format, &ctx));
        else if (expr_eval(v->expr, &ctx, TYPE_ANY, &value) != EVAL_FOUND)
            continue;
        proc_vars_set(v->name, &value);
    }
    arena_destroy(&arena);
}
