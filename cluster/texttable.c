// SPDX-License-Identifier: Apache-2.0
// Aligned tables: cells are kept until all widths are known.
#include "cluster/texttable.h"

#include <stdlib.h>

#include "node/base/arena.h"
#include "node/base/panic.h"

#define COLUMN_GAP 2

struct cell {
    struct str text;
    enum text_colour colour;
};

struct texttable {
    struct arena *arena;
    unsigned columns;
    struct cell *cells; // row by row, the heads first
    unsigned count, cap;
    const char *const *heads;
};

static void add_cell(struct texttable *t, struct cell cell)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->cells = realloc(t->cells, t->cap * sizeof(*t->cells));
        ASSERT(t->cells != NULL);
    }
    t->cells[t->count++] = cell;
}

static bool to_the_right(const struct texttable *t, unsigned column)
{
    return t->heads[column][0] == '>';
}

struct texttable *texttable_create(const char *const *heads, unsigned columns)
{
    struct texttable *t = calloc(1, sizeof(*t));
    ASSERT(t != NULL && columns > 0);
    t->arena = arena_create(4096);
    t->columns = columns;
    t->heads = heads;
    for (unsigned i = 0; i < columns; i++)
        add_cell(t, (struct cell){str_of(heads[i] + to_the_right(t, i)), TEXT_BOLD});
    return t;
}

void texttable_cell(struct texttable *t, enum text_colour colour, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_cell(t, (struct cell){arena_vprintf(t->arena, fmt, ap), colour});
    va_end(ap);
}

void text_add(struct buf *out, bool use, enum text_colour colour, struct str text)
{
    static const char *const codes[] = {
        [TEXT_PLAIN] = "",         [TEXT_BOLD] = "\033[1m",    [TEXT_DIM] = "\033[2m",
        [TEXT_GREEN] = "\033[32m", [TEXT_YELLOW] = "\033[33m", [TEXT_RED] = "\033[31m",
    };
    bool wrapped = use && colour != TEXT_PLAIN;
    if (wrapped)
        buf_add_cstr(out, codes[colour]);
    buf_add_str(out, text);
    if (wrapped)
        buf_add_cstr(out, "\033[0m");
}

static void add_blanks(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_add_char(out, ' ');
}

static void write_row(const struct texttable *t, const struct cell *row, const size_t *widths, bool colour,
                      struct buf *out)
{
    size_t blanks = 0; // owed before the next text, so that none trails
    for (unsigned i = 0; i < t->columns; i++) {
        size_t pad = widths[i] - row[i].text.len;
        if (to_the_right(t, i))
            blanks += pad;
        if (row[i].text.len > 0) {
            add_blanks(out, blanks);
            text_add(out, colour, row[i].colour, row[i].text);
            blanks = 0;
        }
        if (!to_the_right(t, i))
            blanks += pad;
        blanks += COLUMN_GAP;
    }
    buf_add_char(out, '\n');
}

void texttable_finish(struct texttable **table, bool colour, struct buf *out)
{
    struct texttable *t = *table;
    *table = NULL;
    ASSERT(t->count % t->columns == 0);
    size_t *widths = ARENA_ARRAY(t->arena, size_t, t->columns);
    for (unsigned i = 0; i < t->count; i++)
        if (t->cells[i].text.len > widths[i % t->columns])
            widths[i % t->columns] = t->cells[i].text.len;
    for (unsigned i = 0; i < t->count; i += t->columns)
        write_row(t, &t->cells[i], widths, colour, out);
    free(t->cells);
    arena_destroy(&t->arena);
    free(t);
}
