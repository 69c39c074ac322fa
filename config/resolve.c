// SPDX-License-Identifier: Apache-2.0
// Names in expressions, conditions and rules → pointers, once all sections are read: backends, servers, tables,
// userlists; and the checks that need them.
#include "config/resolve.h"

struct resolve {
    struct parse *p;
    struct config *config;
    struct name_map fronts, backs;
    bool good;
};

__attribute__((format(printf, 3, 4))) static void fail(struct resolve *r, const struct cfg_src *src, const char *fmt,
                                                       ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(r->p->diag, DIAG_ALERT, src, fmt, ap);
    va_end(ap);
    r->good = false;
}

static void index_proxies(struct resolve *r)
{
    for (unsigned i = 0; i < r->config->nproxies; i++) {
        struct cfg_proxy *px = r->config->proxies[i];
        if ((px->caps & CAP_FRONT) && !name_map_get(&r->fronts, px->name))
            name_map_put(r->p->arena, &r->fronts, px->name, px);
        if ((px->caps & CAP_BACK) && !name_map_get(&r->backs, px->name))
            name_map_put(r->p->arena, &r->backs, px->name, px);
    }
}

// The proxy of this name that has a table; a frontend and a backend may share the name.
static struct cfg_proxy *find_table(const struct resolve *r, struct str name)
{
    struct cfg_proxy *back = name_map_get(&r->backs, name), *front = name_map_get(&r->fronts, name);
    if (back && back->table)
        return back;
    return front && front->table ? front : NULL;
}

// ---- ACLs ----------------------------------------------------------------------------------------------------------
static void lay_out(struct cfg_proxy *px, struct acl_node *nodes)
{
    for (struct acl_node *n = nodes; n; n = n->next) {
        n->acl.index = px->nacls;
        n->acl.where = ~0u;
        for (unsigned i = 0; i < n->acl.ntests; i++)
            n->acl.where &= fetch_rows[n->acl.tests[i].expr.id].where;
        px->acls[px->nacls++] = n->acl;
    }
}

// Named ACLs, then anonymous ones, in one array; the terms of conditions follow.
static void resolve_acls(struct resolve *r, struct acl_scope *scope)
{
    struct cfg_proxy *px = scope->proxy;
    unsigned count = 0;
    for (struct acl_node *n = scope->named; n; n = n->next)
        count++;
    for (struct acl_node *n = scope->anonymous; n; n = n->next)
        count++;
    px->acls = ARENA_ARRAY(r->p->arena, struct cfg_acl, count);
    px->nacls = 0;
    lay_out(px, scope->named);
    lay_out(px, scope->anonymous);
    for (struct pending_cond *c = scope->conds; c; c = c->next)
        for (unsigned i = 0; i < c->cond->count; i++)
            for (unsigned j = 0; j < c->cond->ands[i].count; j++) {
                struct cfg_term *term = &c->cond->ands[i].terms[j];
                term->acl = &px->acls[term->acl->index];
            }
}

// ---- arguments -----------------------------------------------------------------------------------------------------
static void resolve_proxy_arg(struct resolve *r, struct pending_arg *a)
{
    bool front = a->letter == 'O';
    const char *kind = front ? "frontend" : "backend";
    if (a->arg->text.len == 0) {
        if (a->proxy && !(a->proxy->caps & (front ? CAP_FRONT : CAP_BACK)))
            fail(r, &a->src, "proxy '%.*s' is no %s, which %.*s needs: name one", STR_ARG(a->proxy->name), kind,
                 STR_ARG(a->what));
        return;
    }
    a->arg->ref = name_map_get(front ? &r->fronts : &r->backs, a->arg->text);
    if (!a->arg->ref)
        fail(r, &a->src, "unable to find %s '%.*s' referenced in %.*s", kind, STR_ARG(a->arg->text), STR_ARG(a->what));
}

static void resolve_server_arg(struct resolve *r, struct pending_arg *a)
{
    struct cfg_proxy *px = a->proxy;
    struct str server = a->arg->text;
    ptrdiff_t slash = str_find_char(server, '/');
    if (slash >= 0) {
        px = name_map_get(&r->backs, str_slice(server, 0, (size_t)slash));
        server = str_slice(server, (size_t)slash + 1, server.len);
        if (!px)
            fail(r, &a->src, "unable to find backend '%.*s' referenced in %.*s", (int)slash, a->arg->text.ptr,
                 STR_ARG(a->what));
    }
    if (!px)
        return;
    a->arg->ref = config_find_server(px, server);
    if (!a->arg->ref)
        fail(r, &a->src, "unable to find server '%.*s' in proxy '%.*s', referenced in %.*s", STR_ARG(server),
             STR_ARG(px->name), STR_ARG(a->what));
}

static void resolve_table_arg(struct resolve *r, struct pending_arg *a)
{
    if (a->arg->text.len == 0) {
        if (a->proxy && !a->proxy->table)
            fail(r, &a->src, "proxy '%.*s' has no stick-table, which %.*s needs: name one", STR_ARG(a->proxy->name),
                 STR_ARG(a->what));
        return;
    }
    a->arg->ref = find_table(r, a->arg->text);
    if (!a->arg->ref)
        fail(r, &a->src, "unable to find table '%.*s' referenced in %.*s", STR_ARG(a->arg->text), STR_ARG(a->what));
}

static void resolve_userlist_arg(struct resolve *r, struct pending_arg *a)
{
    for (unsigned i = 0; i < r->config->nuserlists; i++)
        if (str_eq(r->config->userlists[i].name, a->arg->text))
            a->arg->ref = &r->config->userlists[i];
    if (!a->arg->ref)
        fail(r, &a->src, "unable to find userlist '%.*s' referenced in %.*s", STR_ARG(a->arg->text), STR_ARG(a->what));
}

static void resolve_arg(struct resolve *r, struct pending_arg *a)
{
    switch (a->arg->kind) {
    case ARG_PROXY:
        resolve_proxy_arg(r, a);
        break;
    case ARG_SERVER:
        resolve_server_arg(r, a);
        break;
    case ARG_TABLE:
        resolve_table_arg(r, a);
        break;
    default:
        resolve_userlist_arg(r, a);
        break;
    }
}

// ---- switching -----------------------------------------------------------------------------------------------------
static const char *mode_name(enum cfg_mode mode)
{
    return mode == MODE_HTTP ? "http" : "tcp";
}

static void resolve_use_backend(struct resolve *r, struct cfg_proxy *px, struct cfg_switch_rule *rule)
{
    if (!rule->format.constant)
        return;
    struct cfg_proxy *back = name_map_get(&r->backs, rule->name);
    rule->backend = back;
    if (!back)
        fail(r, &rule->src, "proxy '%.*s': unable to find required use_backend '%.*s'", STR_ARG(px->name),
             STR_ARG(rule->name));
    else if (back->mode != px->mode)
        fail(r, &rule->src, "%s frontend '%.*s' cannot use %s backend '%.*s'", mode_name(px->mode), STR_ARG(px->name),
             mode_name(back->mode), STR_ARG(back->name));
}

static void resolve_use_server(struct resolve *r, struct cfg_proxy *px, struct cfg_switch_rule *rule)
{
    if (!rule->format.constant)
        return;
    rule->server = config_find_server(px, rule->name);
    if (!rule->server)
        fail(r, &rule->src, "backend '%.*s': unable to find server '%.*s' referenced in a 'use-server' rule",
             STR_ARG(px->name), STR_ARG(rule->name));
}

// ---- tables --------------------------------------------------------------------------------------------------------
static enum sample_type key_type(const struct cfg_table *t)
{
    static const enum sample_type types[] = {[TKEY_IPV4] = TYPE_IPV4,
                                             [TKEY_IPV6] = TYPE_IPV6,
                                             [TKEY_INT] = TYPE_INT,
                                             [TKEY_STR] = TYPE_STR,
                                             [TKEY_BIN] = TYPE_BIN};
    return types[t->key];
}

// The owner of the table that `user` means; NULL with a message.
static struct cfg_proxy *resolve_table(struct resolve *r, struct cfg_proxy *px, struct str name,
                                       const struct cfg_expr *key, const struct cfg_src *src, const char *user)
{
    struct cfg_proxy *owner = name.len > 0 ? find_table(r, name) : px->table ? px : NULL;
    if (!owner) {
        struct str wanted = name.len > 0 ? name : px->name;
        fail(r, src, "proxy '%.*s': unable to find stick-table '%.*s' referenced by %s", STR_ARG(px->name),
             STR_ARG(wanted), user);
        return NULL;
    }
    if (!sample_type_casts(key->type, key_type(owner->table)))
        fail(r, src, "proxy '%.*s': stick-table '%.*s' has keys of type %s, which '%.*s' of type %s cannot be for %s",
             STR_ARG(px->name), STR_ARG(owner->name), sample_type_name(key_type(owner->table)), STR_ARG(key->text),
             sample_type_name(key->type), user);
    return owner;
}

// ---- rules ---------------------------------------------------------------------------------------------------------
static void check_capture(struct resolve *r, const struct cfg_proxy *px, unsigned set, const struct cfg_rule *rule)
{
    bool request = set == RULES_HTTP_REQ || set == RULES_TCP_REQ_CONT;
    unsigned slots = request ? px->nreq_captures : px->nres_captures;
    if ((px->caps & CAP_FRONT) && (unsigned)rule->action.number >= slots) // a backend's frontend is not known here
        fail(r, &rule->src, "proxy '%.*s': unable to find capture id %d: %u %s captures are declared",
             STR_ARG(px->name), rule->action.number, slots, request ? "request" : "response");
}

static void resolve_rules(struct resolve *r, struct cfg_proxy *px, unsigned set)
{
    for (unsigned i = 0; i < px->rules[set].count; i++) {
        struct cfg_rule *rule = &px->rules[set].rules[i];
        struct cfg_action *a = &rule->action;
        if (a->id == ACT_TRACK_SC)
            a->table = resolve_table(r, px, a->name, a->expr, &rule->src, "track-sc");
        else if (a->id == ACT_CAPTURE)
            check_capture(r, px, set, rule);
    }
}

static void drop_http_rules(struct resolve *r, const struct cfg_proxy *px, struct cfg_rules *rules, const char *name)
{
    if (rules->count == 0)
        return;
    diag_add(r->p->diag, DIAG_WARNING, &rules->rules[0].src,
             "'%s' rules ignored for proxy '%.*s' as they require HTTP mode", name, STR_ARG(px->name));
    rules->count = 0;
}

// A log-format may come from a defaults section, which does not know the mode.
static void check_aliases(struct resolve *r, const struct cfg_proxy *px)
{
    bool logs = px->nlogs > 0 || px->log_global;
    if (px->mode == MODE_HTTP || px->log_line != LOG_LINE_CUSTOM || !logs)
        return;
    for (unsigned i = 0; i < px->log_format.count; i++) {
        const struct cfg_fmt_node *node = &px->log_format.nodes[i];
        if (node->kind == FMT_ALIAS && (alias_rows[node->alias].where & WHERE_HTTP))
            fail(r, &px->log_line_src, "proxy '%.*s': format variable '%s' is reserved for HTTP mode",
                 STR_ARG(px->name), alias_rows[node->alias].name);
    }
}

static void resolve_one_proxy(struct resolve *r, struct cfg_proxy *px)
{
    if (px->mode != MODE_HTTP) {
        drop_http_rules(r, px, &px->rules[RULES_HTTP_REQ], "http-request");
        drop_http_rules(r, px, &px->rules[RULES_HTTP_RES], "http-response");
        drop_http_rules(r, px, &px->rules[RULES_HTTP_AFTER_RES], "http-after-response");
        drop_http_rules(r, px, &px->redirects, "redirect");
    }
    for (unsigned i = 0; i < px->nuse_backends; i++)
        resolve_use_backend(r, px, &px->use_backends[i]);
    for (unsigned i = 0; i < px->nuse_servers; i++)
        resolve_use_server(r, px, &px->use_servers[i]);
    for (unsigned i = 0; i < px->nstick_rules; i++) {
        struct cfg_stick_rule *rule = &px->stick_rules[i];
        rule->table = resolve_table(r, px, rule->table_name, &rule->expr, &rule->src, "stick");
    }
    for (unsigned set = 0; set < RULESET_COUNT; set++)
        resolve_rules(r, px, set);
    check_aliases(r, px);
}

bool resolve_exprs(struct parse *p)
{
    struct resolver *state = resolver_of(p);
    struct resolve r = {.p = p, .config = p->config, .good = true};
    index_proxies(&r);
    for (struct acl_scope *s = state->scopes; s; s = s->next)
        if (s->proxy)
            resolve_acls(&r, s);
    for (struct pending_arg *a = state->args; a; a = a->next)
        resolve_arg(&r, a);
    for (unsigned i = 0; i < p->config->nproxies; i++)
        resolve_one_proxy(&r, p->config->proxies[i]);
    return r.good;
}
