// SPDX-License-Identifier: Apache-2.0
// What the rows of a stick-table entry mean, and how they stay right when nodes restart, forget and disagree.
//
// Only its own node writes a row's values, and they only grow, so of two copies the greater number is right. A node
// that begins to count for a key (first use, after a restart, after it evicted the entry) begins a birth with values at
// zero: it could not know what it had told others before. The sum over all births and nodes is the table's value.
//
// A fold row (same node and birth) says how much of a birth counts no more. It grows only, too. The owner folds its
// closed births: it adds what they hold to its open birth and names that amount in their fold. Whoever clears a counter
// folds what it sees of it: events that it did not see yet survive, and two that clear at once clear once. A closed
// birth with nothing left but its fold makes older births of that node void, so their number stays small.
//
// The row that is open (ENTRY_OPEN) is always the first.
#include <string.h>

#include "node/match/table_impl.h"

uint64_t cell_get(const struct column *c, const uint32_t *cell, unsigned part)
{
    return c->kind == COLUMN_COUNTER ? cell[0] : words_get64(cell + part * 2);
}

void cell_set(const struct column *c, uint32_t *cell, unsigned part, uint64_t v)
{
    if (c->kind == COLUMN_COUNTER)
        cell[0] = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    else
        words_set64(cell + part * 2, v);
}

static void cell_raise(const struct column *c, uint32_t *cell, uint64_t by)
{
    uint64_t v = cell_get(c, cell, 0);
    cell_set(c, cell, 0, v + by < v ? UINT64_MAX : v + by);
}

static uint32_t *fold_of(const struct layout *l, const struct table_entry *e, uint64_t id)
{
    return entry_row_by_id(l, e, id | ROW_FOLD);
}

// ---- our own rows

static void fold_rate(const struct column *c, const uint32_t *from, uint32_t *to, mono_t now)
{
    struct rate a = rate_load(c, from), b = rate_load(c, to);
    rate_rotate(&a, c->period_ms, now);
    rate_rotate(&b, c->period_ms, now);
    if (b.current == 0 && b.previous == 0)
        b.start_ms = a.start_ms;
    b.current += a.current;
    b.previous += a.previous;
    rate_store(c, to, &b);
}

// What a closed birth holds beyond its fold goes to the open row; the fold says so. Rates move when the fold begins.
static void fold_cells(const struct layout *l, uint32_t *from, uint32_t *fold, uint32_t *open, bool begins, mono_t now)
{
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        for (unsigned i = 0; i < c->elements; i++) {
            if (column_is_rate(c) && begins)
                fold_rate(c, row_cell(from, c, i), row_cell(open, c, i), now);
            if (!column_is_counter(c))
                continue;
            uint64_t v = cell_get(c, row_cell(from, c, i), 0), f = cell_get(c, row_cell(fold, c, i), 0);
            if (v > f) {
                cell_raise(c, row_cell(open, c, i), v - f);
                cell_set(c, row_cell(fold, c, i), 0, v);
            }
        }
    }
}

// Folds our closed births into the open row, which is the first.
static void fold_own(struct table *t, struct shard *s, struct table_entry *e, mono_t now)
{
    const struct layout *l = s->layout;
    for (unsigned r = 1; r < e->rows;) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) != 0 || ROW_IS_FOLD(id)) {
            r++;
            continue;
        }
        bool begins = !fold_of(l, e, id);
        if (begins && !entry_add_row(s, e, id | ROW_FOLD))
            return;
        fold_cells(l, entry_row(l, e, r), fold_of(l, e, id), entry_row(l, e, 0), begins, now);
        entry_remove_row(s, e, r);
        shard_mark(t, s, e, ~0u);
    }
}

static void make_first(const struct layout *l, struct table_entry *e, unsigned row)
{
    uint32_t *a = entry_row(l, e, 0), *b = entry_row(l, e, row);
    for (unsigned w = 0; w < l->row_words && a != b; w++) {
        uint32_t word = a[w];
        a[w] = b[w];
        b[w] = word;
    }
}

static void drop_superseded(struct shard *s, struct table_entry *e, unsigned node);

static uint32_t *open_row(struct table *t, struct shard *s, struct table_entry *e, mono_t now)
{
    if (e->flags & ENTRY_OPEN)
        return entry_row(s->layout, e, 0);
    if (!entry_add_row(s, e, row_id(0, false, table_stamp(t, now))))
        return NULL;
    make_first(s->layout, e, e->rows - 1u);
    e->flags |= ENTRY_OPEN;
    if (e->rows > 1) {
        fold_own(t, s, e, now);
        drop_superseded(s, e, 0);
    }
    return entry_row(s->layout, e, 0);
}

void slot_rebirth(struct table *t, struct shard *s, struct table_entry *e, mono_t now)
{
    if (!(e->flags & ENTRY_OPEN))
        return;
    const struct column *gauge = &s->layout->columns[TD_CONN_CUR];
    uint32_t open_now[4] = {0};
    if (gauge->kind)
        memcpy(open_now, row_cell(entry_row(s->layout, e, 0), gauge, 0), sizeof(open_now));
    e->flags &= (uint8_t)~ENTRY_OPEN;
    uint32_t *row = open_row(t, s, e, now);
    if (row && gauge->kind)
        memcpy(row_cell(row, gauge, 0), open_now, sizeof(open_now));
    shard_mark(t, s, e, ~0u);
}

bool slot_add(struct table *t, struct shard *s, struct table_entry *e, const struct column *c, unsigned index,
              int64_t n, mono_t now)
{
    uint32_t *row = open_row(t, s, e, now);
    if (!row)
        return false;
    uint32_t *cell = row_cell(row, c, index);
    if (column_is_counter(c) && n > 0) {
        cell_raise(c, cell, (uint64_t)n);
    } else if (c->kind == COLUMN_GAUGE) {
        uint64_t opened = cell_get(c, cell, 0), closed = cell_get(c, cell, 1);
        if (n > 0)
            cell_set(c, cell, 0, opened + (uint64_t)n);
        else
            cell_set(c, cell, 1, opened - closed > (uint64_t)-n ? closed + (uint64_t)-n : opened);
    } else if (column_is_rate(c) && n > 0) {
        struct rate r = rate_load(c, cell);
        rate_rotate(&r, c->period_ms, now);
        r.current += (uint64_t)n;
        rate_store(c, cell, &r);
    }
    return true;
}

// ---- reading

static int64_t clamp_int(uint64_t v)
{
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static bool has_folds(const struct layout *l, const struct table_entry *e)
{
    for (unsigned r = 0; r < e->rows; r++)
        if (ROW_IS_FOLD(words_get64(entry_row(l, e, r))))
            return true;
    return false;
}

// The row's birth is its node's newest here, and of that node's present life.
static bool row_is_live(struct table *t, const struct layout *l, const struct table_entry *e, unsigned row)
{
    uint64_t id = words_get64(entry_row(l, e, row));
    unsigned node = ROW_NODE(id);
    if (node == 0)
        return row == 0 && (e->flags & ENTRY_OPEN);
    if (t->nodes[node].dead || ROW_BIRTH(id) < t->nodes[node].boot)
        return false;
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t other = words_get64(entry_row(l, e, r));
        if (ROW_NODE(other) == node && !ROW_IS_FOLD(other) && ROW_BIRTH(other) > ROW_BIRTH(id))
            return false;
    }
    return true;
}

static uint64_t row_value(struct table *t, const struct layout *l, const struct table_entry *e, unsigned r,
                          const struct column *c, unsigned index, bool folds, mono_t now)
{
    uint32_t *row = entry_row(l, e, r), *cell = row_cell(row, c, index);
    if (column_is_rate(c))
        return rate_estimate(rate_load(c, cell), c->period_ms, now);
    if (c->kind == COLUMN_GAUGE)
        return row_is_live(t, l, e, r) ? cell_get(c, cell, 0) - cell_get(c, cell, 1) : 0;
    uint64_t v = cell_get(c, cell, 0);
    uint32_t *fold = folds ? fold_of(l, e, words_get64(row)) : NULL;
    uint64_t f = fold ? cell_get(c, row_cell(fold, c, index), 0) : 0;
    return v > f ? v - f : 0;
}

int64_t slot_read(struct table *t, const struct layout *l, const struct table_entry *e, const struct column *c,
                  unsigned index, mono_t now)
{
    if (c->kind == COLUMN_TAG) {
        uint32_t *tag = entry_tag(l, e, c->at + index);
        return tag ? tag[2] : 0;
    }
    if (c->kind == COLUMN_SERVER)
        return 0;
    bool folds = has_folds(l, e);
    uint64_t sum = 0;
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (!ROW_IS_FOLD(id) && (l->summed || ROW_NODE(id) == 0))
            sum += row_value(t, l, e, r, c, index, folds, now);
    }
    return clamp_int(sum);
}

// ---- setting

static bool set_tag(struct table *t, struct shard *s, struct table_entry *e, unsigned tag, int64_t value, mono_t now)
{
    uint32_t *w = entry_add_tag(s, e, tag);
    words_set64(w, table_stamp(t, now));
    w[2] = value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return true;
}

// What is seen of a counter counts no more.
static bool fold_seen(struct shard *s, struct table_entry *e, const struct column *c, unsigned index)
{
    const struct layout *l = s->layout;
    unsigned rows = e->rows;
    for (unsigned r = 0; r < rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        uint64_t v = ROW_IS_FOLD(id) ? 0 : cell_get(c, row_cell(entry_row(l, e, r), c, index), 0);
        if (v == 0)
            continue;
        uint32_t *fold = fold_of(l, e, id);
        if (!fold && !(fold = entry_add_row(s, e, id | ROW_FOLD)))
            return false;
        if (cell_get(c, row_cell(fold, c, index), 0) < v)
            cell_set(c, row_cell(fold, c, index), 0, v);
    }
    return true;
}

bool slot_set(struct table *t, struct shard *s, struct table_entry *e, const struct column *c, unsigned index,
              int64_t value, mono_t now)
{
    if (c->kind == COLUMN_SERVER)
        return false;
    if (c->kind == COLUMN_TAG)
        return set_tag(t, s, e, c->at + index, value, now);
    if (!open_row(t, s, e, now))
        return false;
    if (column_is_counter(c) && t->replicated) {
        if (!fold_seen(s, e, c, index))
            return false;
    } else {
        memset(row_cell(entry_row(s->layout, e, 0), c, index), 0, c->words * sizeof(uint32_t));
        // Gauges and rates of other nodes are theirs to change: ours makes up the difference if it can.
        value -= slot_read(t, s->layout, e, c, index, now);
    }
    return value <= 0 || slot_add(t, s, e, c, index, value, now);
}

// ---- what others sent

static bool row_exceeds(const struct layout *l, uint32_t *row, uint32_t *fold)
{
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        for (unsigned i = 0; i < c->elements && column_is_counter(c); i++)
            if (cell_get(c, row_cell(row, c, i), 0) > cell_get(c, row_cell(fold, c, i), 0))
                return true;
    }
    return false;
}

struct births {
    uint64_t newest;  // birth that has values
    uint64_t settled; // newest closed birth with nothing left but its fold
    uint64_t oldest;
    unsigned count; // that have values
};

static struct births births_of(const struct layout *l, const struct table_entry *e, unsigned node)
{
    struct births b = {.oldest = UINT64_MAX};
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) != node || ROW_IS_FOLD(id))
            continue;
        b.count++;
        b.newest = ROW_BIRTH(id) > b.newest ? ROW_BIRTH(id) : b.newest;
        b.oldest = ROW_BIRTH(id) < b.oldest ? ROW_BIRTH(id) : b.oldest;
    }
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) == node && ROW_IS_FOLD(id) && ROW_BIRTH(id) < b.newest && ROW_BIRTH(id) > b.settled &&
            !entry_row_by_id(l, e, id & ~(uint64_t)ROW_FOLD))
            b.settled = ROW_BIRTH(id);
    }
    return b;
}

static void remove_row(struct shard *s, struct table_entry *e, unsigned row)
{
    if (row == 0)
        e->flags &= (uint8_t)~ENTRY_OPEN;
    entry_remove_row(s, e, row);
}

static void drop_superseded(struct shard *s, struct table_entry *e, unsigned node)
{
    const struct layout *l = s->layout;
    struct births b = births_of(l, e, node);
    for (unsigned r = e->rows; r-- > 0;) { // closed births that are folded whole
        uint32_t *row = entry_row(l, e, r);
        uint64_t id = words_get64(row);
        uint32_t *fold =
            ROW_NODE(id) == node && !ROW_IS_FOLD(id) && ROW_BIRTH(id) < b.newest ? fold_of(l, e, id) : NULL;
        if (fold && !row_exceeds(l, row, fold))
            remove_row(s, e, r);
    }
    b = births_of(l, e, node);
    if (b.count > TABLE_BIRTHS_MAX && b.oldest + 1 > b.settled)
        b.settled = b.oldest + 1;
    for (unsigned r = e->rows; r-- > 0;) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) == node && ROW_BIRTH(id) < b.settled)
            remove_row(s, e, r);
    }
}

void slot_settle(struct table *t, struct shard *s, struct table_entry *e, unsigned node, mono_t now)
{
    unsigned rows = 0;
    for (unsigned r = 0; r < e->rows; r++)
        rows += ROW_NODE(words_get64(entry_row(s->layout, e, r))) == node;
    if (rows < 2)
        return;
    if (node == 0 && (e->flags & ENTRY_OPEN)) {
        // A birth of ours that is newer than the open one: another life of this node counted with a clock ahead.
        if (births_of(s->layout, e, 0).newest > ROW_BIRTH(words_get64(entry_row(s->layout, e, 0))))
            slot_rebirth(t, s, e, now);
        else
            fold_own(t, s, e, now);
    }
    drop_superseded(s, e, node);
}

void slot_drop_until(struct shard *s, struct table_entry *e, uint64_t stamp)
{
    const struct layout *l = s->layout;
    for (unsigned r = e->rows; r-- > 0;)
        if (ROW_BIRTH(words_get64(entry_row(l, e, r))) <= stamp)
            remove_row(s, e, r);
    if ((e->flags & ENTRY_SERVER) && words_get64(entry_server(e)) <= stamp)
        entry_remove_server(s, e);
    for (unsigned i = 0; (e->flags & ENTRY_TAGS) && i < l->tags; i++) {
        uint32_t *tag = entry_tag(l, e, i);
        if (words_get64(tag) <= stamp)
            memset(tag, 0, 3 * sizeof(*tag));
    }
}
