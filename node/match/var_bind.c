// SPDX-License-Identifier: Apache-2.0
// Variables in expressions: the fetch var() and the converters set-var and unset-var.
#include "node/match/vars.h"

static enum eval_result fetch_var(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    if (vars_read(c, args[0].scope, args[0].text, args[0].var_index, out)) {
        // Setting the variable anew overwrites its bytes, and the sample may live on in a header.
        if (out->type == TYPE_STR || out->type == TYPE_BIN)
            out->str = arena_str(c->arena, out->str);
        return EVAL_FOUND;
    }
    if (nargs < 2 || args[1].kind == ARG_NONE)
        return EVAL_NONE;
    sample_set_str(out, args[1].text);
    return EVAL_FOUND;
}

static bool conv_set_var(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    unsigned conds = nargs > 1 ? (unsigned)args[1].num : 0;
    vars_assign(c, args[0].scope, args[0].text, args[0].var_index, conds, s);
    return true; // the value goes on in any case
}

static bool conv_unset_var(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    vars_remove(c, args[0].scope, args[0].text, args[0].var_index);
    return true;
}

void var_bind(void)
{
    fetch_bind(FETCH_VAR, fetch_var);
    conv_bind(CONV_SET_VAR, conv_set_var);
    conv_bind(CONV_UNSET_VAR, conv_unset_var);
}
