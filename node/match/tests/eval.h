// SPDX-License-Identifier: Apache-2.0
// For tests of fetches and converters: arguments made from text by the letters of their row, and values as text.
#ifndef PHX_MATCH_TESTS_EVAL_H
#define PHX_MATCH_TESTS_EVAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/exprs.h"
#include "node/match/regex.h"
#include "node/match/sample.h"
#include "node/match/vars.h"

enum { EVAL_ARGS_MAX = 4 };

// Variables of the tests, by index in the scope txn.
static const char *const eval_vars[] = {"txn.none", "txn.a", "txn.n", "txn.key"};
enum { EVAL_VAR_COUNT = sizeof(eval_vars) / sizeof(eval_vars[0]) };

static inline void eval_set_var(struct match_ctx *c, const char *name, const struct sample *value)
{
    for (unsigned i = 0; i < EVAL_VAR_COUNT; i++)
        if (strcmp(name, eval_vars[i]) == 0)
            vars_set(&c->txn_vars, EVAL_VAR_COUNT, c->arena, i, value);
}

static inline void eval_var_arg(const char *name, struct arg *a)
{
    a->kind = ARG_VAR;
    a->scope = VAR_TXN;
    a->text = str_of(name);
    for (unsigned i = 0; i < EVAL_VAR_COUNT; i++)
        if (strcmp(name, eval_vars[i]) == 0)
            a->var_index = i;
}

// One argument; NULL = left out.
static inline void eval_arg(char letter, const char *text, struct arg *a)
{
    *a = (struct arg){.kind = ARG_NONE};
    if (text == NULL)
        return;
    *a = (struct arg){.kind = ARG_STR, .text = str_of(text)};
    bool is_var = strncmp(text, "txn.", 4) == 0;
    switch (letter & ~0x20) {
    case 'E':
        eval_var_arg(text, a);
        break;
    case 'A':
    case 'Q':
        if (is_var)
            eval_var_arg(text, a);
        else if ((letter & ~0x20) == 'A')
            *a = (struct arg){.kind = ARG_INT, .num = atoll(text)};
        break;
    case 'I':
    case 'G':
    case 'M':
    case 'N':
        *a = (struct arg){.kind = ARG_INT, .num = atoll(text)};
        break;
    case 'R': {
        char err[200];
        a->kind = ARG_REGEX;
        a->regex = regex_create(a->text, false, err, sizeof(err));
        assert_non_null(a->regex);
        break;
    }
    default:
        break;
    }
}

static inline unsigned eval_args(const char *letters, const char *const texts[EVAL_ARGS_MAX], struct arg *args)
{
    unsigned n = 0;
    for (unsigned i = 0; i < EVAL_ARGS_MAX && letters[i] != '\0'; i++) {
        eval_arg(letters[i], texts[i], &args[i]);
        if (texts[i] != NULL)
            n = i + 1;
    }
    return n;
}

static inline void eval_args_free(struct arg *args, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (args[i].kind == ARG_REGEX)
            regex_destroy(&args[i].regex);
}

static inline enum eval_result eval_fetch(struct match_ctx *c, enum fetch_id id, const char *const texts[EVAL_ARGS_MAX],
                                          struct sample *out)
{
    struct arg args[EVAL_ARGS_MAX];
    unsigned n = eval_args(fetch_rows[id].args, texts, args);
    assert_non_null(fetch_bound(id));
    enum eval_result r = fetch_bound(id)(c, args, n, out);
    eval_args_free(args, n);
    return r;
}

static inline bool eval_conv(struct match_ctx *c, enum conv_id id, const char *const texts[EVAL_ARGS_MAX],
                             struct sample *s)
{
    struct arg args[EVAL_ARGS_MAX];
    unsigned n = eval_args(conv_rows[id].args, texts, args);
    assert_non_null(conv_bound(id));
    bool found = sample_cast(c, s, conv_rows[id].in) && conv_bound(id)(c, args, n, s);
    eval_args_free(args, n);
    return found;
}

static inline void eval_assert_text(struct match_ctx *c, const char *what, const struct sample *s, struct str want)
{
    struct str text;
    assert_true(sample_text(c, s, &text));
    if (!str_eq(text, want))
        fail_msg("%s: got '%.*s', want '%.*s'", what, STR_ARG(text), STR_ARG(want));
}

#endif
