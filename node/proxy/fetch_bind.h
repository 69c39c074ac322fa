// SPDX-License-Identifier: Apache-2.0
// Fetches and converters that look at proxies, servers and the running stream (configuration.txt 7.3): what node/match
// cannot know. Before threads run.
#ifndef PHX_PROXY_FETCH_BIND_H
#define PHX_PROXY_FETCH_BIND_H

#include "node/match/sample.h"

void proxy_fetch_bind(void); // all of the below

void fetch_bind_state(void);  // fetch_state.c: process, frontends, backends, servers
void fetch_bind_stream(void); // fetch_stream.c: the stream's times, bytes, choices
void fetch_bind_conn(void);   // fetch_conn.c: the two connections

// Defines the function of one fetch; binds it in the list at the end of the file.
#define PROXY_FETCH(name)                                                                                              \
    static enum eval_result name(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)

struct fetch_binding {
    enum fetch_id id;
    fetch_fn *fn;
};

static inline enum eval_result give_int(struct sample *out, int64_t value)
{
    sample_set_int(out, value);
    return EVAL_FOUND;
}
static inline enum eval_result give_bool(struct sample *out, bool value)
{
    sample_set_bool(out, value);
    return EVAL_FOUND;
}
static inline enum eval_result give_str(struct sample *out, struct str value)
{
    sample_set_str(out, value);
    out->constant = true;
    return EVAL_FOUND;
}

#endif
