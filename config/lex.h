// SPDX-License-Identifier: Apache-2.0
// One line of text → words: quotes, escapes, comments and environment variables (configuration.txt 2.2, 2.3). Words are
// NUL-terminated and live in the arena. Internal to config/.
#ifndef PHX_CONFIG_LEX_H
#define PHX_CONFIG_LEX_H

#include <stdbool.h>

#include "config/env.h"
#include "node/base/arena.h"
#include "node/base/buf.h"
#include "node/base/str.h"

// What a line's variables may refer to. file, line and section are the pseudo-variables .FILE, .LINE and .SECTION.
struct lex {
    struct arena *arena;
    const struct env *env;
    struct str file, section;
    unsigned line;
    struct buf text, starts; // scratch, kept from line to line; lex_free() gives it back
};
void lex_free(struct lex *lex);

struct lex_error {
    unsigned col, len; // bytes of the line, from 0
    const char *text;
};

#define LEX_MAX_WORDS 4096
#define LEX_MAX_LINE  (1u << 20) // bytes a line may have once variables are expanded

// `line` has no line feed. Words of *words live in the arena; none for an empty line or a comment.
bool lex_line(struct lex *lex, struct str line, struct str **words, unsigned *nwords, struct lex_error *error);

// Where word N stands in a line as written; false when there is no such word. Words that come from "${NAME[*]}" are
// counted as one, since the environment is not looked at.
bool lex_find_word(struct str line, unsigned word, unsigned *col, unsigned *len);

// A text outside quotes in which variables are expanded nevertheless: addresses.
bool lex_expand(struct lex *lex, struct str text, struct str *out, struct lex_error *error);

#endif
