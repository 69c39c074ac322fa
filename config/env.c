// SPDX-License-Identifier: Apache-2.0
// Environment of a configuration: a map of changes over getenv().
#include "config/env.h"

#include <stdlib.h>

#include "node/base/hash.h"

struct entry {
    struct str value;
    bool unset;
};

struct env {
    struct arena *arena;
    struct strmap changes; // name → entry
    bool cleared;          // the process's environment is out of sight (resetenv)
};

struct env *env_create(struct arena *arena)
{
    struct env *env = ARENA_NEW(arena, struct env);
    env->arena = arena;
    return env;
}

void env_destroy(struct env **env)
{
    strmap_free(&(*env)->changes);
    *env = NULL;
}

bool env_get(const struct env *env, struct str name, struct str *value)
{
    const struct entry *entry = strmap_get(&env->changes, name);
    if (entry) {
        *value = entry->value;
        return !entry->unset;
    }
    char text[256];
    if (env->cleared || name.len >= sizeof(text))
        return false;
    const char *found = getenv(str_copy(text, sizeof(text), name));
    *value = str_of(found);
    return found != NULL;
}

static void change(struct env *env, struct str name, struct str value, bool unset)
{
    struct entry *entry = ARENA_NEW(env->arena, struct entry);
    *entry = (struct entry){arena_str(env->arena, value), unset};
    strmap_put(&env->changes, arena_str(env->arena, name), entry);
}

void env_set(struct env *env, struct str name, struct str value)
{
    change(env, name, value, false);
}

void env_unset(struct env *env, struct str name)
{
    change(env, name, STR(""), true);
}

void env_reset(struct env *env, const struct str *keep, unsigned n)
{
    struct strmap kept = {0};
    for (unsigned i = 0; i < n; i++) {
        struct str value;
        if (!env_get(env, keep[i], &value))
            continue;
        struct entry *entry = ARENA_NEW(env->arena, struct entry);
        entry->value = arena_str(env->arena, value);
        strmap_put(&kept, arena_str(env->arena, keep[i]), entry);
    }
    strmap_free(&env->changes);
    env->changes = kept;
    env->cleared = true;
}
