// SPDX-License-Identifier: Apache-2.0
// The state that expressions share while lines are parsed (resolve.h): name maps, the ACL scope of the current proxy,
// and variables, each of which gets a dense index in its scope.
#include "config/resolve.h"
#include "node/base/hash.h"

// ---- name maps: open addressing, at most half full -----------------------------------------------------------------
static struct name_slot *find_slot(const struct name_map *m, struct str name)
{
    unsigned i = (unsigned)hash64(name.ptr, name.len, 0) & (m->cap - 1);
    while (m->slots[i].name.ptr && !str_eq(m->slots[i].name, name))
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void *name_map_get(const struct name_map *m, struct str name)
{
    return m->cap ? find_slot(m, name)->value : NULL;
}

static void grow(struct arena *a, struct name_map *m)
{
    struct name_map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = ARENA_ARRAY(a, struct name_slot, m->cap);
    for (unsigned i = 0; i < old.cap; i++)
        if (old.slots[i].name.ptr)
            *find_slot(m, old.slots[i].name) = old.slots[i];
}

void name_map_put(struct arena *a, struct name_map *m, struct str name, void *value)
{
    if ((m->count + 1) * 2 > m->cap)
        grow(a, m);
    struct name_slot *slot = find_slot(m, name);
    if (!slot->name.ptr)
        m->count++;
    *slot = (struct name_slot){name, value};
}

// ---- resolver ------------------------------------------------------------------------------------------------------
struct resolver *resolver_of(struct parse *p)
{
    if (!p->resolver) {
        struct resolver *r = ARENA_NEW(p->arena, struct resolver);
        r->args_end = &r->args;
        p->resolver = r;
    }
    return p->resolver;
}

struct acl_scope *resolver_acls(struct parse *p)
{
    struct resolver *r = resolver_of(p);
    for (struct acl_scope *s = r->scopes; s; s = s->next)
        if (s->proxy == p->proxy)
            return s;
    struct acl_scope *scope = ARENA_NEW(p->arena, struct acl_scope);
    scope->proxy = p->proxy;
    scope->named_end = &scope->named;
    scope->anonymous_end = &scope->anonymous;
    scope->next = r->scopes;
    r->scopes = scope;
    return scope;
}

// ---- variables -----------------------------------------------------------------------------------------------------
static const char *const scope_names[] = {
    [VAR_PROC] = "proc", [VAR_SESS] = "sess", [VAR_TXN] = "txn",
    [VAR_REQ] = "req",   [VAR_RES] = "res",   [VAR_CHECK] = "check",
};

static bool find_scope(struct str text, enum var_scope *scope, struct str *name)
{
    ptrdiff_t dot = str_find_char(text, '.');
    if (dot < 0)
        return false;
    *name = str_slice(text, (size_t)dot + 1, text.len);
    for (unsigned i = 0; i < sizeof scope_names / sizeof *scope_names; i++) {
        *scope = (enum var_scope)i;
        if (str_is(str_slice(text, 0, (size_t)dot), scope_names[i]))
            return true;
    }
    return false;
}

static bool is_var_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

bool parse_var_name(struct parse *p, unsigned word, struct str text, enum var_scope *scope, struct str *name,
                    unsigned *index)
{
    if (!find_scope(text, scope, name))
        return parse_error(p, word,
                           "invalid variable name '%.*s': it must start with its scope, 'proc', 'sess', 'txn', 'req', "
                           "'res' or 'check', and a dot",
                           STR_ARG(text));
    if (name->len == 0)
        return parse_error(p, word, "variable name '%.*s' is empty behind its scope", STR_ARG(text));
    for (size_t i = 0; i < name->len; i++)
        if (!is_var_char(name->ptr[i]))
            return parse_error(p, word, "character '%c' is not permitted in variable name '%.*s'", name->ptr[i],
                               STR_ARG(text));
    struct cfg_global *g = &p->config->global;
    struct name_map *map = &resolver_of(p)->vars[*scope];
    uintptr_t known = (uintptr_t)name_map_get(map, *name); // index + 1
    if (!known) {
        *name = arena_str(p->arena, *name);
        *PARSE_PUSH(p->arena, g->var_names[*scope], g->var_counts[*scope], struct str) = *name;
        known = g->var_counts[*scope];
        name_map_put(p->arena, map, *name, (void *)known); // NOLINT: an index kept as a pointer
    }
    *index = (unsigned)known - 1;
    return true;
}
