// SPDX-License-Identifier: Apache-2.0
// Which columns a stick table stores and where their cells lie in a row.
#include <stdlib.h>
#include <string.h>

#include "node/match/table_impl.h"

// How each kind of data is kept. The manual's counters are of 32 bits, those of bytes of 64.
static const uint8_t kinds[TD_COUNT] = {
    [TD_SERVER_ID] = COLUMN_SERVER,
    [TD_SERVER_KEY] = COLUMN_SERVER,
    [TD_GPT0] = COLUMN_TAG,
    [TD_GPT] = COLUMN_TAG,
    [TD_GPC0] = COLUMN_COUNTER,
    [TD_GPC0_RATE] = COLUMN_RATE,
    [TD_GPC1] = COLUMN_COUNTER,
    [TD_GPC1_RATE] = COLUMN_RATE,
    [TD_GPC] = COLUMN_COUNTER,
    [TD_GPC_RATE] = COLUMN_RATE,
    [TD_CONN_CNT] = COLUMN_COUNTER,
    [TD_CONN_RATE] = COLUMN_RATE,
    [TD_CONN_CUR] = COLUMN_GAUGE,
    [TD_SESS_CNT] = COLUMN_COUNTER,
    [TD_SESS_RATE] = COLUMN_RATE,
    [TD_HTTP_REQ_CNT] = COLUMN_COUNTER,
    [TD_HTTP_REQ_RATE] = COLUMN_RATE,
    [TD_HTTP_ERR_CNT] = COLUMN_COUNTER,
    [TD_HTTP_ERR_RATE] = COLUMN_RATE,
    [TD_HTTP_FAIL_CNT] = COLUMN_COUNTER,
    [TD_HTTP_FAIL_RATE] = COLUMN_RATE,
    [TD_BYTES_IN_CNT] = COLUMN_WIDE,
    [TD_BYTES_IN_RATE] = COLUMN_BYTES,
    [TD_BYTES_OUT_CNT] = COLUMN_WIDE,
    [TD_BYTES_OUT_RATE] = COLUMN_BYTES,
};
static const uint8_t kind_words[] = {
    [COLUMN_NONE] = 0, [COLUMN_COUNTER] = 1, [COLUMN_WIDE] = 2, [COLUMN_GAUGE] = 4,
    [COLUMN_RATE] = 3, [COLUMN_BYTES] = 5,   [COLUMN_TAG] = 0,  [COLUMN_SERVER] = 0,
};
static const uint8_t kind_values[] = {
    [COLUMN_NONE] = 0, [COLUMN_COUNTER] = 1, [COLUMN_WIDE] = 1, [COLUMN_GAUGE] = 2,
    [COLUMN_RATE] = 3, [COLUMN_BYTES] = 3,   [COLUMN_TAG] = 0,  [COLUMN_SERVER] = 0,
};

// The manual's bound on gpc, gpc_rate and gpt arrays.
#define ELEMENTS_MAX 100

unsigned column_values(const struct column *c)
{
    return kind_values[c->kind];
}

unsigned table_data_values(enum table_data d)
{
    return kind_values[kinds[d]];
}

struct layout *layout_create(const struct cfg_table *cfg)
{
    struct layout *l = calloc(1, sizeof(*l));
    if (!l)
        PANIC("out of memory");
    unsigned at = 2, fold_at = 4; // behind identity; behind identity and target
    for (unsigned d = 0; d < TD_COUNT; d++) {
        if (!cfg->data[d].on)
            continue;
        struct column *c = &l->columns[d];
        unsigned elements = cfg->data[d].elements ? cfg->data[d].elements : 1;
        c->kind = kinds[d];
        c->words = kind_words[c->kind];
        c->elements = (uint16_t)(elements < ELEMENTS_MAX ? elements : ELEMENTS_MAX);
        c->period_ms = cfg->data[d].period_ms;
        if (c->kind == COLUMN_TAG) {
            c->at = l->tags;
            l->tags = (uint16_t)(l->tags + c->elements);
        } else {
            c->at = (uint16_t)at;
            at += (unsigned)c->words * c->elements;
        }
        if (column_is_counter(c)) {
            c->fold_at = (uint16_t)fold_at;
            fold_at += (unsigned)c->words * c->elements;
        }
    }
    l->row_words = (uint16_t)at;
    l->fold_words = (uint16_t)fold_at;
    l->summed = !cfg->aggregate_local;
    return l;
}

const struct column *layout_find(const struct layout *l, enum table_data d, unsigned *index)
{
    // "All 'gpc0' and 'gpc1' related fetches and actions will apply to the two first elements of this array."
    static const struct {
        uint8_t from, to, index;
    } in_array[] = {{TD_GPC0, TD_GPC, 0},
                    {TD_GPC1, TD_GPC, 1},
                    {TD_GPC0_RATE, TD_GPC_RATE, 0},
                    {TD_GPC1_RATE, TD_GPC_RATE, 1},
                    {TD_GPT0, TD_GPT, 0}};
    const struct column *c = &l->columns[d];
    for (size_t i = 0; c->kind == COLUMN_NONE && i < sizeof(in_array) / sizeof(in_array[0]); i++) {
        if (in_array[i].from == d) {
            c = &l->columns[in_array[i].to];
            *index = in_array[i].index;
        }
    }
    return c->kind != COLUMN_NONE && *index < c->elements ? c : NULL;
}

static void migrate_row(const struct layout *from, const struct layout *to, const uint32_t *src, uint32_t *dst)
{
    memcpy(dst, src, 2 * sizeof(*dst));
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *a = &from->columns[d], *b = &to->columns[d];
        // Events of one period say nothing about another.
        if (a->kind != b->kind || a->period_ms != b->period_ms)
            continue;
        unsigned n = a->elements < b->elements ? a->elements : b->elements;
        memcpy(dst + b->at, src + a->at, (size_t)n * b->words * sizeof(*dst));
    }
}

static void migrate_fold(const struct layout *from, const struct layout *to, const uint32_t *src, uint32_t *dst)
{
    memcpy(dst, src, 4 * sizeof(*dst));
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *a = &from->columns[d], *b = &to->columns[d];
        unsigned n = a->elements < b->elements ? a->elements : b->elements;
        if (a->kind == b->kind && column_is_counter(a))
            memcpy(dst + b->fold_at, src + a->fold_at, (size_t)n * b->words * sizeof(*dst));
    }
}

static void migrate_tags(const struct layout *from, const struct layout *to, const uint32_t *src, uint32_t *dst)
{
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *a = &from->columns[d], *b = &to->columns[d];
        unsigned n = a->elements < b->elements ? a->elements : b->elements;
        if (a->kind == COLUMN_TAG && b->kind == COLUMN_TAG)
            memcpy(dst + b->at * 3, src + a->at * 3, (size_t)n * 3 * sizeof(*dst));
    }
}

void layout_migrate(struct shard *s, struct table_entry *e, const struct layout *to)
{
    const struct layout *from = s->layout;
    struct table_entry new = {.flags = e->flags, .rows = e->rows, .folds = e->folds};
    if (to->tags == 0)
        new.flags &= (uint8_t)~ENTRY_TAGS;
    size_t words = entry_block_words(to, &new), had = entry_block_words(from, e);
    new.words = words ? calloc(words, sizeof(uint32_t)) : NULL;
    if (words && !new.words)
        PANIC("out of memory");
    if (e->flags & ENTRY_FLOOR)
        memcpy(entry_floor(&new), entry_floor(e), 2 * sizeof(uint32_t));
    if (e->flags & ENTRY_SERVER)
        memcpy(entry_server(&new), entry_server(e), 3 * sizeof(uint32_t));
    if ((e->flags & ENTRY_TAGS) && (new.flags &ENTRY_TAGS))
        migrate_tags(from, to, entry_tag(from, e, 0), entry_tag(to, &new, 0));
    for (unsigned r = 0; r < e->rows; r++)
        migrate_row(from, to, entry_row(from, e, r), entry_row(to, &new, r));
    for (unsigned f = 0; f < e->folds; f++)
        migrate_fold(from, to, entry_fold(from, e, f), entry_fold(to, &new, f));
    free(e->words);
    e->words = new.words;
    e->flags = new.flags;
    s->block_bytes += (words - had) * sizeof(uint32_t);
}

void table_get_shape(struct table *t, struct table_shape *out)
{
    *out = (struct table_shape){0};
    pthread_mutex_lock(&t->shards[0].lock);
    const struct layout *l = t->shards[0].layout;
    for (unsigned d = 0; d < TD_COUNT; d++) {
        out->data[d].elements = l->columns[d].kind == COLUMN_NONE ? 0 : l->columns[d].elements;
        out->data[d].period_ms = l->columns[d].period_ms;
    }
    pthread_mutex_unlock(&t->shards[0].lock);
}
