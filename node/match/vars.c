// SPDX-License-Identifier: Apache-2.0
// Variables: per scope an array by index; per process a map by name behind one lock.
#include "node/match/vars.h"

#include <pthread.h>
#include <stdlib.h>

#include "node/base/hash.h"
#include "node/base/panic.h"

struct slot {
    struct sample value; // type TYPE_ANY = not set
    char *bytes;         // own copy of a text, kept for the next value that fits: a session's variable that every
    size_t cap;          // request sets anew must not grow the session's arena
};

struct vars {
    unsigned count;
    struct slot slots[];
};

static bool has_text(const struct sample *s)
{
    return s->type == TYPE_STR || s->type == TYPE_BIN || (s->type == TYPE_METH && s->meth.id == METHOD_OTHER);
}

static struct str *text_of(struct sample *s)
{
    return s->type == TYPE_METH ? &s->meth.text : &s->str;
}

static void make_room(struct vars **vars, unsigned count, struct arena *arena)
{
    struct vars *bigger = arena_zalloc(arena, sizeof(*bigger) + count * sizeof(struct slot));
    bigger->count = count;
    if (*vars)
        memcpy(bigger->slots, (*vars)->slots, (*vars)->count * sizeof(struct slot));
    *vars = bigger;
}

void vars_set(struct vars **vars, unsigned count, struct arena *arena, unsigned index, const struct sample *s)
{
    if (count <= index)
        count = index + 1;
    if (!*vars || (*vars)->count <= index) // a session may outlive the configuration it began with
        make_room(vars, count, arena);
    struct slot *slot = &(*vars)->slots[index];
    struct sample value = *s;
    value.may_change = false;
    if (has_text(&value)) {
        struct str *text = text_of(&value);
        if (text->len > slot->cap || !slot->bytes) {
            slot->cap = text->len * 2 > 32 ? text->len * 2 : 32;
            slot->bytes = arena_alloc(arena, slot->cap);
        }
        if (text->len)
            memmove(slot->bytes, text->ptr, text->len); // the new value may be a part of the old one
        text->ptr = slot->bytes;
        value.constant = true;
    }
    slot->value = value;
}

bool vars_get(const struct vars *vars, unsigned index, struct sample *out)
{
    if (!vars || index >= vars->count || vars->slots[index].value.type == TYPE_ANY)
        return false;
    *out = vars->slots[index].value;
    return true;
}

void vars_unset(struct vars *vars, unsigned index)
{
    if (vars && index < vars->count)
        vars->slots[index].value.type = TYPE_ANY;
}

// ---- by scope

static struct vars **scope_of(struct match_ctx *c, enum var_scope scope)
{
    switch (scope) {
    case VAR_SESS:
        return &c->sess_vars;
    case VAR_TXN:
        return &c->txn_vars;
    case VAR_REQ:
        return &c->req_vars;
    case VAR_RES:
        return &c->res_vars;
    default:
        return NULL;
    }
}

bool vars_read(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index, struct sample *out)
{
    if (scope == VAR_PROC)
        return proc_vars_get(c, name, out);
    struct vars **vars = scope_of(c, scope);
    return vars && vars_get(*vars, index, out);
}

void vars_remove(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index)
{
    struct vars **vars = scope_of(c, scope);
    if (scope == VAR_PROC)
        proc_vars_unset(name);
    else if (vars)
        vars_unset(*vars, index);
}

// configuration.txt, converter "set-var". A variable that was unset exists no more; those of scope proc always do.
static bool conds_hold(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index, unsigned conds,
                       const struct sample *s)
{
    struct sample old;
    bool set = vars_read(c, scope, name, index, &old);
    bool exists = set || scope == VAR_PROC;
    bool empty = (s->type == TYPE_STR || s->type == TYPE_BIN) && s->str.len == 0;
    bool integers = set && old.type == TYPE_INT && s->type == TYPE_INT;
    return !((conds & VAR_IF_EXISTS && !exists) || (conds & VAR_IF_NOT_EXISTS && exists) ||
             (conds & VAR_IF_EMPTY && !empty) || (conds & VAR_IF_NOT_EMPTY && empty) || (conds & VAR_IF_SET && !set) ||
             (conds & VAR_IF_NOT_SET && set) || (conds & VAR_IF_GREATER && integers && old.num <= s->num) ||
             (conds & VAR_IF_LESS && integers && old.num >= s->num));
}

bool vars_assign(struct match_ctx *c, enum var_scope scope, struct str name, unsigned index, unsigned conds,
                 const struct sample *s)
{
    if (conds && !conds_hold(c, scope, name, index, conds, s))
        return false;
    if (scope == VAR_PROC) {
        proc_vars_set(name, s);
        return true;
    }
    struct vars **vars = scope_of(c, scope);
    if (!vars)
        return false;
    struct arena *arena = scope == VAR_SESS && c->sess_arena ? c->sess_arena(c) : c->arena;
    vars_set(vars, 0, arena, index, s);
    return true;
}

bool arg_int(struct match_ctx *c, const struct arg *a, int64_t *out)
{
    if (a->kind != ARG_VAR) {
        *out = a->num;
        return a->kind != ARG_NONE;
    }
    struct sample s;
    if (!vars_read(c, a->scope, a->text, a->var_index, &s) || !sample_cast(c, &s, TYPE_INT))
        return false;
    *out = s.num;
    return true;
}

// ---- proc.*

struct proc_var {
    struct sample value;
    char *name;  // NUL-terminated, the map's key
    char *bytes; // malloc'd copy of a text
};

static pthread_rwlock_t proc_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct strmap proc_vars; // under proc_lock

void proc_vars_set(struct str name, const struct sample *s)
{
    char *bytes = NULL;
    struct sample value = *s;
    value.may_change = false;
    if (has_text(&value)) {
        struct str *text = text_of(&value);
        bytes = str_dup(*text);
        text->ptr = bytes;
        value.constant = true;
    }
    pthread_rwlock_wrlock(&proc_lock);
    struct proc_var *v = strmap_get(&proc_vars, name);
    if (!v) {
        v = calloc(1, sizeof(*v));
        if (!v)
            PANIC("out of memory");
        v->name = str_dup(name);
        strmap_put(&proc_vars, str_make(v->name, name.len), v);
    }
    free(v->bytes);
    v->bytes = bytes;
    v->value = value;
    pthread_rwlock_unlock(&proc_lock);
}

bool proc_vars_get(struct match_ctx *c, struct str name, struct sample *out)
{
    pthread_rwlock_rdlock(&proc_lock);
    const struct proc_var *v = strmap_get(&proc_vars, name);
    if (v) {
        *out = v->value;
        if (has_text(out))
            *text_of(out) = arena_str(c->arena, *text_of(out));
    }
    pthread_rwlock_unlock(&proc_lock);
    return v != NULL;
}

static void proc_var_free(struct proc_var *v)
{
    free(v->name);
    free(v->bytes);
    free(v);
}

void proc_vars_unset(struct str name)
{
    pthread_rwlock_wrlock(&proc_lock);
    struct proc_var *v = strmap_remove(&proc_vars, name);
    pthread_rwlock_unlock(&proc_lock);
    if (v)
        proc_var_free(v);
}

void proc_vars_free(void)
{
    pthread_rwlock_wrlock(&proc_lock);
    for (size_t i = 0; i < proc_vars.cap; i++)
        if (proc_vars.slots[i].key.ptr)
            proc_var_free(proc_vars.slots[i].value);
    strmap_free(&proc_vars);
    pthread_rwlock_unlock(&proc_lock);
}
