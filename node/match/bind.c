// SPDX-License-Identifier: Apache-2.0
// Which function computes which row of config/fetches.def and config/converters.def. Filled once at start, before
// threads run; read-only afterwards.
#include "config/exprs.h"
#include "node/base/panic.h"
#include "node/match/sample.h"

static fetch_fn *fetches[FETCH_ID_COUNT];
static conv_fn *convs[CONV_ID_COUNT];

void fetch_bind(enum fetch_id id, fetch_fn *fn)
{
    ASSERT((unsigned)id < FETCH_ID_COUNT);
    fetches[id] = fn;
}

void conv_bind(enum conv_id id, conv_fn *fn)
{
    ASSERT((unsigned)id < CONV_ID_COUNT);
    convs[id] = fn;
}

fetch_fn *fetch_bound(enum fetch_id id)
{
    return fetches[id];
}

conv_fn *conv_bound(enum conv_id id)
{
    return convs[id];
}

void match_check_bound(void)
{
    for (unsigned i = 0; i < FETCH_ID_COUNT; i++)
        if (fetch_rows[i].status == KW_SUPPORTED && !fetches[i])
            PANIC("no function computes the fetch '%s'", fetch_rows[i].name);
    for (unsigned i = 0; i < CONV_ID_COUNT; i++)
        if (conv_rows[i].status == KW_SUPPORTED && !convs[i])
            PANIC("no function computes the converter '%s'", conv_rows[i].name);
}
