// SPDX-License-Identifier: Apache-2.0
// References to a configuration and look-ups in it.
#include "config/model.h"

#include "node/base/panic.h"

struct config *config_ref(struct config *c)
{
    CHECK_OBJ(c, CONFIG_MAGIC);
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void config_unref(struct config **c)
{
    struct config *config = *c;
    if (!config)
        return;
    *c = NULL;
    CHECK_OBJ(config, CONFIG_MAGIC);
    if (atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct arena *arena = config->arena; // the struct lies in it
    strmap_free(&config->proxy_names);
    config->magic = 0;
    arena_destroy(&arena);
}

struct cfg_proxy *config_find_proxy(const struct config *c, struct str name, unsigned caps)
{
    for (struct cfg_proxy *px = strmap_get(&c->proxy_names, name); px; px = px->same_name)
        if ((px->caps & caps) == caps)
            return px;
    return NULL;
}

struct cfg_server *config_find_server(const struct cfg_proxy *p, struct str name)
{
    for (unsigned i = 0; i < p->nservers; i++)
        if (str_eq(p->servers[i].name, name))
            return &p->servers[i];
    return NULL;
}
