// SPDX-License-Identifier: Apache-2.0
// Aligned tables for people: rows of cells, each column as wide as its widest cell. Colours are ANSI sequences that
// count for no width; without colour none is written.
#ifndef PHX_CLUSTER_TEXTTABLE_H
#define PHX_CLUSTER_TEXTTABLE_H

#include <stdbool.h>

#include "node/base/buf.h"

enum text_colour { TEXT_PLAIN, TEXT_BOLD, TEXT_DIM, TEXT_GREEN, TEXT_YELLOW, TEXT_RED };

struct texttable;

// `heads` has `columns` names; one that begins with '>' is aligned to the right. Borrowed.
struct texttable *texttable_create(const char *const *heads, unsigned columns);
// The next cell of the row, copied. A row ends when its columns are full.
void texttable_cell(struct texttable *t, enum text_colour colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// Appends the table and frees it. No trailing blanks.
void texttable_finish(struct texttable **t, bool colour, struct buf *out);

// One text in a colour.
void text_add(struct buf *out, bool use, enum text_colour colour, struct str text);

#endif
