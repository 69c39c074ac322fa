// SPDX-License-Identifier: Apache-2.0
// Private to fetches and converters: arguments that may have been left out.
#ifndef PHX_MATCH_ARGS_H
#define PHX_MATCH_ARGS_H

#include "node/match/sample.h"

static inline bool arg_given(const struct arg *args, unsigned nargs, unsigned i)
{
    return i < nargs && args[i].kind != ARG_NONE;
}
static inline struct str arg_text(const struct arg *args, unsigned nargs, unsigned i)
{
    return arg_given(args, nargs, i) ? args[i].text : STR_NONE;
}
static inline int64_t arg_num(const struct arg *args, unsigned nargs, unsigned i, int64_t otherwise)
{
    return arg_given(args, nargs, i) ? args[i].num : otherwise;
}

#endif
