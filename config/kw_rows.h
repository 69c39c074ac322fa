// SPDX-License-Identifier: Apache-2.0
// Rows of the options that follow the fixed words of `bind` and `server`. Who includes this says with FIELD(name) where
// a field lies. Internal to config/.
#ifndef PHX_CONFIG_KW_ROWS_H
#define PHX_CONFIG_KW_ROWS_H

#include "config/keyword.h"

#define INT(keyword, field, low, high, text)                                                                           \
    {                                                                                                                  \
        .name = keyword, .type = KW_INT, .offset = FIELD(field), .min = (low), .max = (high), .args = "<number>",      \
        .help = text                                                                                                   \
    }
#define STRING(keyword, field, what, text)                                                                             \
    {                                                                                                                  \
        .name = keyword, .type = KW_STRING, .offset = FIELD(field), .args = what, .help = text                         \
    }
#define VALUE(keyword, function, syntax, text)                                                                         \
    {                                                                                                                  \
        .name = keyword, .type = KW_VALUE, .value = (function), .min_args = 1, .max_args = 1, .args = syntax,          \
        .help = text                                                                                                   \
    }
#define NO_EFFECT(keyword, nargs, text)                                                                                \
    {                                                                                                                  \
        .name = keyword, .status = KW_NO_EFFECT, .max_args = (nargs), .help = text                                     \
    }
#define REFUSED(keyword, reason)                                                                                       \
    {                                                                                                                  \
        .name = keyword, .status = KW_REFUSED, .help = reason                                                          \
    }
// As in HAProxy these mean nothing on a line without `ssl` or `check-ssl`, which are refused.
#define TLS(keyword, nargs) NO_EFFECT(keyword, nargs, "concerns TLS only; `ssl` itself is not supported yet")

#endif
