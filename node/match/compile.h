// SPDX-License-Identifier: Apache-2.0
// One build of expressions, conditions and formats: what its compilers share. Builder thread. Internal to node/match.
#ifndef PHX_MATCH_COMPILE_H
#define PHX_MATCH_COMPILE_H

#include "node/base/hash.h"
#include "node/match/expr.h"
#include "node/match/pattern.h"

struct compile {
    struct compile_options o;
    const struct cfg_proxy *self; // proxy of the current rule
    struct compiled *out;
    struct strmap sets; // kind of set and file name → pattern_set, borrowed from `out`
    struct strmap acls; // address of a cfg_acl → its compiled form
};

// A converter that was prepared: cast the value to `in`, call fn.
struct conv_step {
    conv_fn *fn;
    const struct arg *args;
    uint8_t nargs;
    uint8_t in; // enum sample_type
};

// Flat: one fetch and its converters.
struct expr {
    fetch_fn *fetch;
    const struct arg *args;
    const struct conv_step *convs;
    uint8_t nargs, nconvs;
    uint8_t type; // enum sample_type of the result
};

// Fills e. False: message given.
bool expr_fill(struct compile *c, const struct cfg_expr *cfg, struct expr *e);

// No more bytes will come for rules evaluated here: what is missing is not there.
static inline bool match_is_final(const struct match_ctx *c)
{
    if (c->where & WHERE_LOG)
        return true;
    return c->where & WHERE_RES ? c->res_final : c->req_final;
}

// The sealed set of a file, shared by all who ask for the same kind; `name` may carry a prefix (file@, opt@, virt@).
// Borrowed from the build's result. NULL: message given.
struct pattern_set *compile_file(struct compile *c, const struct pattern_options *kind, struct str name,
                                 const struct cfg_src *src);
// Takes over a set that is not shared.
void compile_keep(struct compile *c, struct pattern_set *p);

// The kind of set that a map converter looks into; false when it is none (conv_map.c).
bool conv_map_kind(enum conv_id id, struct pattern_options *out);
// The converter's default as a sample, in the arena: NULL without one.
const struct sample *conv_map_default(struct arena *arena, const struct cfg_conv *cfg);

#endif
