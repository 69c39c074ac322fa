// SPDX-License-Identifier: Apache-2.0
// ACLs and conditions (configuration.txt 7.1, 7.2). A condition is an OR of ANDs of ACLs; an ACL is an OR of tests; a
// test compares the values of an expression with patterns. Nothing is remembered between evaluations: fetches may have
// effects (sc_inc_gpc0), so what decides earlier keeps the rest from running.
#include "node/base/panic.h"
#include "node/match/compile.h"

struct acl_test {
    struct expr expr;
    uint8_t method; // enum match_method
    uint8_t input;  // enum sample_type that the patterns want
    uint16_t where; // enum cfg_where bits at which its fetch means something
    uint16_t nsets;
    struct pattern_set **sets;
};
struct acl {
    unsigned ntests;
    struct acl_test *tests;
};
struct term {
    const struct acl *acl;
    bool negate;
};
struct conjunction {
    unsigned nterms;
    struct term *terms;
};
struct cond {
    bool unless;
    unsigned count;
    struct conjunction ands[];
};

// ---- compiling

static struct pattern_set *words_compile(struct compile *c, const struct cfg_acl_test *cfg,
                                         const struct pattern_options *kind)
{
    struct pattern_set *set = pattern_set_create(kind);
    char err[300];
    compile_keep(c, set);
    for (unsigned i = 0; i < cfg->npatterns; i++)
        if (!pattern_add(set, cfg->patterns[i], STR_NONE, 0, err, sizeof(err))) {
            diag_add(c->o.diag, DIAG_ALERT, &cfg->src, "%s", err);
            return NULL;
        }
    pattern_seal(set);
    return set;
}

// Files keep their own sets, so that they are shared and can be shown by name; the words of the line make one more.
static bool sets_compile(struct compile *c, const struct cfg_acl_test *cfg, struct acl_test *t)
{
    struct pattern_options kind = {.method = cfg->method, .no_dns = cfg->flags & ACL_FLAG_NO_DNS, .value = TYPE_STR};
    bool nocase = cfg->flags & ACL_FLAG_NOCASE;
    t->sets = ARENA_ARRAY(c->o.arena, struct pattern_set *, cfg->nfiles + 1);
    for (unsigned i = 0; i < cfg->nfiles; i++) {
        struct pattern_options of_file = kind;
        of_file.nocase = nocase && i >= cfg->nocase_files;
        of_file.map = cfg->flags & ACL_FLAG_MAP;
        t->sets[t->nsets] = compile_file(c, &of_file, cfg->files[i], &cfg->src);
        if (!t->sets[t->nsets++])
            return false;
    }
    if (cfg->npatterns == 0)
        return true;
    kind.nocase = nocase;
    kind.name = STR_NONE;
    t->sets[t->nsets] = words_compile(c, cfg, &kind);
    return t->sets[t->nsets++] != NULL;
}

static const struct acl *acl_compile(struct compile *c, const struct cfg_acl *cfg)
{
    struct str key = arena_str(c->o.arena, str_make((const char *)&cfg, sizeof(cfg)));
    const struct acl *known = strmap_get(&c->acls, key);
    if (known)
        return known;
    struct acl *acl = ARENA_NEW(c->o.arena, struct acl);
    bool ok = true;
    acl->ntests = cfg->ntests;
    acl->tests = ARENA_ARRAY(c->o.arena, struct acl_test, cfg->ntests + 1);
    for (unsigned i = 0; i < cfg->ntests; i++) {
        struct acl_test *t = &acl->tests[i];
        t->method = (uint8_t)cfg->tests[i].method;
        t->input = (uint8_t)pattern_input(cfg->tests[i].method);
        t->where = (uint16_t)fetch_rows[cfg->tests[i].expr.id].where;
        ok &= expr_fill(c, &cfg->tests[i].expr, &t->expr);
        ok &= sets_compile(c, &cfg->tests[i], t);
    }
    if (!ok)
        return NULL;
    strmap_put(&c->acls, key, acl);
    return acl;
}

struct cond *cond_compile(struct compile *c, const struct cfg_cond *cfg)
{
    if (!cfg)
        return NULL;
    struct cond *cond = arena_zalloc(c->o.arena, sizeof(*cond) + cfg->count * sizeof(struct conjunction));
    bool ok = true;
    cond->unless = cfg->unless;
    cond->count = cfg->count;
    for (unsigned i = 0; i < cfg->count; i++) {
        struct conjunction *and = &cond->ands[i];
        and->nterms = cfg->ands[i].count;
        and->terms = ARENA_ARRAY(c->o.arena, struct term, and->nterms + 1);
        for (unsigned j = 0; j < and->nterms; j++) {
            and->terms[j].negate = cfg->ands[i].terms[j].negate;
            and->terms[j].acl = acl_compile(c, cfg->ands[i].terms[j].acl);
            ok &= and->terms[j].acl != NULL;
        }
    }
    return ok ? cond : NULL;
}

// ---- evaluating
// Unknown results: MORE when bytes are missing, WAIT when a message is. An OR that is not true is unknown if one part
// is, an AND that is not false likewise; WAIT, which brings its own wake-up, wins over MORE.

static enum cond_result worse(enum cond_result a, enum cond_result b)
{
    return a > b ? a : b;
}
_Static_assert(COND_FALSE < COND_TRUE && COND_TRUE < COND_MORE && COND_MORE < COND_WAIT, "see worse()");

static bool value_matches(const struct acl_test *t, const struct sample *s)
{
    if (t->method == MATCH_FOUND)
        return true;
    if (t->method == MATCH_BOOL)
        return s->num != 0;
    for (unsigned i = 0; i < t->nsets; i++)
        if (pattern_match(t->sets[i], s))
            return true;
    return false;
}

static enum cond_result test_eval(const struct acl_test *t, struct match_ctx *c)
{
    struct value_cursor cursor = {0};
    struct sample s;
    enum cond_result result = COND_FALSE;
    if (!(t->where & c->where)) // as the configuration was warned
        return COND_FALSE;
    c->cursor = &cursor;
    do {
        cursor.more = false;
        switch (expr_eval(&t->expr, c, t->input, &s)) {
        case EVAL_FOUND:
            if (value_matches(t, &s))
                result = COND_TRUE;
            else if (s.may_change)
                result = COND_MORE;
            break;
        case EVAL_NONE:
            break;
        case EVAL_MORE:
            result = COND_MORE;
            break;
        case EVAL_WAIT:
            result = COND_WAIT;
            break;
        }
    } while (cursor.more && result != COND_TRUE && result != COND_WAIT);
    c->cursor = NULL;
    return result;
}

static enum cond_result acl_eval(const struct acl *acl, struct match_ctx *c)
{
    enum cond_result unknown = COND_FALSE;
    for (unsigned i = 0; i < acl->ntests; i++) {
        enum cond_result r = test_eval(&acl->tests[i], c);
        if (r == COND_TRUE)
            return COND_TRUE;
        unknown = worse(unknown, r);
    }
    return unknown;
}

static enum cond_result and_eval(const struct conjunction *and, struct match_ctx *c)
{
    enum cond_result result = COND_TRUE;
    for (unsigned i = 0; i < and->nterms; i++) {
        enum cond_result r = acl_eval(and->terms[i].acl, c);
        if (r <= COND_TRUE && and->terms[i].negate)
            r = r == COND_TRUE ? COND_FALSE : COND_TRUE;
        if (r == COND_FALSE)
            return COND_FALSE;
        result = worse(result, r);
    }
    return result;
}

enum cond_result cond_eval(const struct cond *cond, struct match_ctx *c)
{
    if (!cond)
        return COND_TRUE;
    enum cond_result result = COND_FALSE;
    for (unsigned i = 0; i < cond->count; i++) {
        enum cond_result r = and_eval(&cond->ands[i], c);
        result = worse(result, r);
        if (r == COND_TRUE) {
            result = COND_TRUE;
            break;
        }
    }
    if (result <= COND_TRUE && cond->unless)
        return result == COND_TRUE ? COND_FALSE : COND_TRUE;
    return result;
}
