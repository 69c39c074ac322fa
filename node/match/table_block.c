// SPDX-License-Identifier: Apache-2.0
// What an entry of a stick table stores: one block of words with optional parts in a fixed order, exactly as long as
// these parts, so that an entry costs what it uses.
#include <stdlib.h>
#include <string.h>

#include "node/match/table_impl.h"

#define FLOOR_WORDS  2
#define SERVER_WORDS 3
#define TAG_WORDS    3

static size_t floor_words(const struct table_entry *e)
{
    return e->flags & ENTRY_FLOOR ? FLOOR_WORDS : 0;
}

static size_t server_words(const struct table_entry *e)
{
    return e->flags & ENTRY_SERVER ? SERVER_WORDS : 0;
}

static size_t tag_words(const struct layout *l, const struct table_entry *e)
{
    return e->flags & ENTRY_TAGS ? (size_t)l->tags * TAG_WORDS : 0;
}

static size_t rows_at(const struct layout *l, const struct table_entry *e)
{
    return floor_words(e) + server_words(e) + tag_words(l, e);
}

static size_t folds_at(const struct layout *l, const struct table_entry *e)
{
    return rows_at(l, e) + (size_t)e->rows * l->row_words;
}

size_t entry_block_words(const struct layout *l, const struct table_entry *e)
{
    return folds_at(l, e) + (size_t)e->folds * l->fold_words;
}

uint32_t *entry_floor(const struct table_entry *e)
{
    return e->flags & ENTRY_FLOOR ? e->words : NULL;
}

uint32_t *entry_server(const struct table_entry *e)
{
    return e->flags & ENTRY_SERVER ? e->words + floor_words(e) : NULL;
}

uint32_t *entry_tag(const struct layout *l, const struct table_entry *e, unsigned tag)
{
    return e->flags & ENTRY_TAGS ? e->words + floor_words(e) + server_words(e) + (size_t)tag * TAG_WORDS : NULL;
}

uint32_t *entry_row(const struct layout *l, const struct table_entry *e, unsigned row)
{
    return e->words + rows_at(l, e) + (size_t)row * l->row_words;
}

uint32_t *entry_row_by_id(const struct layout *l, const struct table_entry *e, uint64_t id)
{
    if (e->rows == 0)
        return NULL;
    uint32_t *row = entry_row(l, e, 0);
    for (unsigned r = 0; r < e->rows; r++, row += l->row_words)
        if (words_get64(row) == id)
            return row;
    return NULL;
}

uint32_t *entry_fold(const struct layout *l, const struct table_entry *e, unsigned fold)
{
    return e->words + folds_at(l, e) + (size_t)fold * l->fold_words;
}

uint32_t *entry_fold_by_id(const struct layout *l, const struct table_entry *e, uint64_t id, uint64_t target)
{
    for (unsigned f = 0; f < e->folds; f++) {
        uint32_t *fold = entry_fold(l, e, f);
        if (words_get64(fold) == id && fold_target(fold) == target)
            return fold;
    }
    return NULL;
}

// Makes room for `words` zero words at `at` of a block that has `have`.
static void widen(struct shard *s, struct table_entry *e, size_t have, size_t at, size_t words)
{
    uint32_t *block = realloc(e->words, (have + words) * sizeof(*block));
    if (!block)
        PANIC("out of memory");
    memmove(block + at + words, block + at, (have - at) * sizeof(*block));
    memset(block + at, 0, words * sizeof(*block));
    e->words = block;
    s->block_bytes += words * sizeof(*block);
}

static void narrow(struct shard *s, struct table_entry *e, size_t have, size_t at, size_t words)
{
    memmove(e->words + at, e->words + at + words, (have - at - words) * sizeof(*e->words));
    s->block_bytes -= words * sizeof(*e->words);
    if (have == words) {
        free(e->words);
        e->words = NULL;
        return;
    }
    uint32_t *block = realloc(e->words, (have - words) * sizeof(*block));
    if (block)
        e->words = block;
}

uint32_t *entry_add_floor(struct shard *s, struct table_entry *e)
{
    if (!(e->flags & ENTRY_FLOOR)) {
        widen(s, e, entry_block_words(s->layout, e), 0, FLOOR_WORDS);
        e->flags |= ENTRY_FLOOR;
    }
    return entry_floor(e);
}

uint32_t *entry_add_server(struct shard *s, struct table_entry *e)
{
    if (!(e->flags & ENTRY_SERVER)) {
        widen(s, e, entry_block_words(s->layout, e), floor_words(e), SERVER_WORDS);
        e->flags |= ENTRY_SERVER;
    }
    return entry_server(e);
}

uint32_t *entry_add_tag(struct shard *s, struct table_entry *e, unsigned tag)
{
    if (!(e->flags & ENTRY_TAGS)) {
        size_t at = floor_words(e) + server_words(e);
        widen(s, e, entry_block_words(s->layout, e), at, (size_t)s->layout->tags * TAG_WORDS);
        e->flags |= ENTRY_TAGS;
    }
    return entry_tag(s->layout, e, tag);
}

uint32_t *entry_add_row(struct shard *s, struct table_entry *e, uint64_t id)
{
    if (e->rows >= TABLE_ROWS_MAX)
        return NULL;
    widen(s, e, entry_block_words(s->layout, e), folds_at(s->layout, e), s->layout->row_words);
    uint32_t *row = entry_row(s->layout, e, e->rows++);
    words_set64(row, id);
    return row;
}

uint32_t *entry_add_fold(struct shard *s, struct table_entry *e, uint64_t id, uint64_t target)
{
    if (e->folds >= TABLE_ROWS_MAX)
        return NULL;
    size_t have = entry_block_words(s->layout, e);
    widen(s, e, have, have, s->layout->fold_words);
    uint32_t *fold = entry_fold(s->layout, e, e->folds++);
    words_set64(fold, id);
    words_set64(fold + 2, target);
    return fold;
}

void entry_remove_row(struct shard *s, struct table_entry *e, unsigned row)
{
    size_t have = entry_block_words(s->layout, e), words = s->layout->row_words;
    narrow(s, e, have, rows_at(s->layout, e) + row * words, words);
    e->rows--;
}

void entry_remove_fold(struct shard *s, struct table_entry *e, unsigned fold)
{
    size_t have = entry_block_words(s->layout, e), words = s->layout->fold_words;
    narrow(s, e, have, folds_at(s->layout, e) + fold * words, words);
    e->folds--;
}

void entry_remove_server(struct shard *s, struct table_entry *e)
{
    if (!(e->flags & ENTRY_SERVER))
        return;
    narrow(s, e, entry_block_words(s->layout, e), floor_words(e), SERVER_WORDS);
    e->flags &= (uint8_t)~ENTRY_SERVER;
}
