// SPDX-License-Identifier: Apache-2.0
// The environment as a configuration sees it: the process's own, under what setenv, unsetenv, presetenv and resetenv
// of the global section changed. Changes stay in here, since reading a configuration has no side effects; the node
// applies config.global.setenv_* once the configuration is accepted. Internal to config/.
#ifndef PHX_CONFIG_ENV_H
#define PHX_CONFIG_ENV_H

#include <stdbool.h>

#include "node/base/arena.h"
#include "node/base/str.h"

struct env;

struct env *env_create(struct arena *arena);
// The map is malloc'd; names and values live in the arena.
void env_destroy(struct env **env);

bool env_get(const struct env *env, struct str name, struct str *value);
void env_set(struct env *env, struct str name, struct str value); // copies
void env_unset(struct env *env, struct str name);
// Forgets all but the n names.
void env_reset(struct env *env, const struct str *keep, unsigned n);

#endif
