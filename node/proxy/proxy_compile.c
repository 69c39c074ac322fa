// SPDX-License-Identifier: Apache-2.0
// Compiling the proxies of a snapshot: rules, switching, stick rules, formats, error pages, log targets. A step of
// building; everything wrong is reported before it gives up.
#include <errno.h>

#include "node/io/keeper.h"
#include "node/proxy/access_log.h"
#include "node/proxy/reply.h"
#include "node/proxy/rules.h"

#define ERRORFILE_MAX (64 * 1024)

struct build {
    struct snapshot *snapshot;
    struct compile *compile;
    struct diag *diag;
    bool ok;
};

static struct proxy *proxy_of(const struct snapshot *s, const struct cfg_proxy *cfg)
{
    return cfg ? strmap_get(&s->by_name[cfg->caps & CAP_BACK ? 1 : 0], cfg->name) : NULL;
}

static struct table *find_table(void *arg, const struct cfg_proxy *owner)
{
    struct proxy *p = proxy_of(arg, owner);
    return p ? p->table : NULL;
}

static const void *find_proxy(void *arg, const struct cfg_proxy *cfg)
{
    return proxy_of(arg, cfg);
}

static const void *find_server(void *arg, const struct cfg_server *cfg)
{
    struct proxy *p = proxy_of(arg, cfg->proxy);
    return p && cfg->index < p->nservers ? p->servers[cfg->index] : NULL;
}

static struct cond *cond(struct build *b, const struct cfg_cond *cfg)
{
    struct cond *c = cond_compile(b->compile, cfg);
    if (cfg && !c)
        b->ok = false;
    return c;
}

static struct format *format(struct build *b, const struct cfg_format *cfg)
{
    struct format *f = format_compile(b->compile, cfg);
    if (!f)
        b->ok = false;
    return f;
}

static void compile_rules(struct build *b, struct proxy *p, const struct cfg_rules *cfg, bool response,
                          struct rule_list *out)
{
    out->rules = ARENA_ARRAY(b->snapshot->arena, struct rule, cfg->count + 1);
    out->count = cfg->count;
    for (unsigned i = 0; i < cfg->count; i++) {
        struct rule *r = &out->rules[i];
        r->cfg = &cfg->rules[i];
        r->cond = cond(b, r->cfg->cond);
        r->action = action_compile(b->compile, p, r->cfg, response, b->diag);
        if (!r->action)
            b->ok = false;
    }
}

static struct switch_rule *compile_switches(struct build *b, struct proxy *p, const struct cfg_switch_rule *cfg,
                                            unsigned count)
{
    struct switch_rule *rules = ARENA_ARRAY(b->snapshot->arena, struct switch_rule, count + 1);
    for (unsigned i = 0; i < count; i++) {
        rules[i].cond = cond(b, cfg[i].cond);
        rules[i].backend = proxy_of(b->snapshot, cfg[i].backend);
        if (cfg[i].server && cfg[i].server->index < p->nservers)
            rules[i].server = p->servers[cfg[i].server->index];
        if (!rules[i].backend && !rules[i].server)
            rules[i].format = format(b, &cfg[i].format);
    }
    return rules;
}

static void compile_sticks(struct build *b, struct proxy *p)
{
    p->nstick_rules = p->cfg->nstick_rules;
    p->stick_rules = ARENA_ARRAY(b->snapshot->arena, struct stick_rule, p->nstick_rules + 1);
    for (unsigned i = 0; i < p->nstick_rules; i++) {
        const struct cfg_stick_rule *cfg = &p->cfg->stick_rules[i];
        struct stick_rule *r = &p->stick_rules[i];
        struct proxy *owner = cfg->table ? proxy_of(b->snapshot, cfg->table) : p;
        r->kinds = cfg->kinds;
        r->table = owner ? owner->table : NULL;
        r->expr = expr_compile(b->compile, &cfg->expr);
        r->cond = cond(b, cfg->cond);
        if (!r->table)
            diag_add(b->diag, DIAG_ALERT, &cfg->src, "'stick' needs a 'stick-table' in '%.*s'",
                     STR_ARG(cfg->table ? cfg->table->name : p->cfg->name));
        if (!r->expr || !r->table)
            b->ok = false;
    }
}

static struct cond **compile_conds(struct build *b, const struct cfg_cond_list *cfg)
{
    struct cond **conds = ARENA_ARRAY(b->snapshot->arena, struct cond *, cfg->count + 1);
    for (unsigned i = 0; i < cfg->count; i++)
        conds[i] = cond(b, cfg->conds[i]);
    return conds;
}

// errorfile: a complete HTTP/1 message; errorloc: a redirect made here.
static void load_error_page(struct build *b, struct proxy *p, const struct cfg_errorfile *e)
{
    struct arena *a = b->snapshot->arena;
    struct buf text = BUF_INIT;
    int slot = error_page_index(e->status);
    if (slot < 0) {
        diag_add(b->diag, DIAG_ALERT, &e->src,
                 "status %d has no error page; expected 200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, "
                 "500, 501, 502, 503 or 504",
                 e->status);
        b->ok = false;
        return;
    }
    if (e->location.len) {
        p->error_pages[slot] =
            arena_printf(a, "HTTP/1.1 %d %s\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: %.*s\r\n\r\n",
                         e->redirect_status, e->redirect_status == 303 ? "See Other" : "Found", STR_ARG(e->location));
        return;
    }
    char *path = arena_strdup(a, arena_str(a, e->path).ptr);
    int rc = keeper_read_file(path, ERRORFILE_MAX, &text);
    const char *wrong = rc < 0 ? strerror(-rc) : text.len == 0 ? NULL : error_page_check(buf_str(&text));
    if (wrong) {
        diag_add(b->diag, DIAG_ALERT, &e->src, "error file '%s': %s", path, wrong);
        b->ok = false;
    } else {
        p->error_pages[slot] = arena_str(a, buf_str(&text));
    }
    buf_free(&text);
}

static void compile_formats(struct build *b, struct proxy *p)
{
    if (p->cfg->log_line != LOG_LINE_NONE)
        p->log_format = format(b, &p->cfg->log_format);
    if (p->cfg->log_format_sd.count)
        p->log_format_sd = format(b, &p->cfg->log_format_sd);
    if (p->cfg->unique_id_format.count)
        p->unique_id_format = format(b, &p->cfg->unique_id_format);
    p->nlogs = p->cfg->nlogs;
    p->logs = ARENA_ARRAY(b->snapshot->arena, struct log_target *, p->nlogs + 1);
    for (unsigned i = 0; i < p->nlogs; i++) {
        p->logs[i] = log_target_get(&p->cfg->logs[i], b->diag);
        if (!p->logs[i])
            b->ok = false;
    }
}

static void compile_proxy(struct build *b, struct proxy *p)
{
    const struct cfg_proxy *cfg = p->cfg;
    compile_set_proxy(b->compile, cfg);
    for (unsigned set = 0; set < RULESET_COUNT; set++) {
        bool response = set == RULES_TCP_RES_CONT || set == RULES_HTTP_RES || set == RULES_HTTP_AFTER_RES;
        compile_rules(b, p, &cfg->rules[set], response, &p->rules[set]);
    }
    compile_rules(b, p, &cfg->redirects, false, &p->redirects);
    p->nuse_backends = cfg->nuse_backends;
    p->use_backends = compile_switches(b, p, cfg->use_backends, cfg->nuse_backends);
    p->nuse_servers = cfg->nuse_servers;
    p->use_servers = compile_switches(b, p, cfg->use_servers, cfg->nuse_servers);
    p->default_backend = proxy_of(b->snapshot, cfg->default_backend);
    compile_sticks(b, p);
    p->monitor_fail = compile_conds(b, &cfg->monitor_fail);
    p->force_persist = compile_conds(b, &cfg->force_persist);
    p->ignore_persist = compile_conds(b, &cfg->ignore_persist);
    if (cfg->balance_arg.expr && !(p->balance_expr = expr_compile(b->compile, cfg->balance_arg.expr)))
        b->ok = false;
    compile_formats(b, p);
    for (unsigned i = 0; i < cfg->nerrorfiles; i++)
        load_error_page(b, p, &cfg->errorfiles[i]);
    p->capture_req_count = cfg->nreq_captures;
    p->capture_res_count = cfg->nres_captures;
    p->needs_tables = p->table != NULL || p->nstick_rules > 0;
    p->needs_req_wait = cfg->inspect_delay_req > 0 || cfg->rules[RULES_TCP_REQ_CONT].count > 0;
}

bool proxies_compile(struct snapshot *s, struct diag *diag)
{
    struct compile_options options = {.arena = s->arena,
                                      .diag = diag,
                                      .find_table = find_table,
                                      .find_proxy = find_proxy,
                                      .find_server = find_server,
                                      .read_file = keeper_read_file,
                                      .arg = s};
    struct build b = {.snapshot = s, .diag = diag, .ok = true};
    b.compile = compile_begin(&options);
    for (unsigned i = 0; i < s->nproxies; i++)
        compile_proxy(&b, s->proxies[i]);
    b.ok = start_vars_compile(s, b.compile) && b.ok;
    s->compiled = compile_end(&b.compile);
    return b.ok;
}
