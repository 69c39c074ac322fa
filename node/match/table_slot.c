// SPDX-License-Identifier: Apache-2.0
// What the rows of a stick-table entry mean, and how they stay right when nodes restart, forget and disagree.
//
// Only its own node writes a row's values, and they only grow, so of two copies the greater number is right. A node
// that begins to count for a key (first use, after a restart, after it evicted the entry) begins a birth with values at
// zero: it could not know what it had told others before.
//
// A fold (node, birth, target) names an amount of that birth which counts elsewhere, and only grows, too. The owner
// folds its closed births into its open one: what it adds there, it names in the fold, so that a copy of the closed
// birth with a higher number still counts for the difference, and an amount that was folded into two births by two
// lives which did not know of each other counts once. Whoever clears a counter folds what it sees of it to target 0:
// events that it did not see yet survive, and two who clear at once clear once.
//
//     sum of a node = Σ over births of max(value, folds of that birth) − Σ of all folds
//
// A closed birth that is folded whole needs no row any more, only its fold. Of each node the newest TABLE_BIRTHS_MAX
// births are remembered; older ones are void everywhere. The row that is open (ENTRY_OPEN) is always the first.
#include <stdlib.h>
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

// ---- births

struct births {
    uint64_t newest[TABLE_BIRTHS_MAX]; // in falling order, 0 = none
};

static void note_birth(struct births *b, uint64_t birth)
{
    for (unsigned i = 0; i < TABLE_BIRTHS_MAX && birth; i++) {
        if (b->newest[i] == birth)
            return;
        if (b->newest[i] < birth) {
            uint64_t next = b->newest[i];
            b->newest[i] = birth;
            birth = next;
        }
    }
}

static struct births births_of(const struct layout *l, const struct table_entry *e, unsigned node)
{
    struct births b = {0};
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) == node)
            note_birth(&b, ROW_BIRTH(id));
    }
    for (unsigned f = 0; f < e->folds; f++) {
        uint64_t id = words_get64(entry_fold(l, e, f));
        if (ROW_NODE(id) == node)
            note_birth(&b, ROW_BIRTH(id));
    }
    return b;
}

bool slot_is_void(const struct layout *l, const struct table_entry *e, unsigned node, uint64_t birth)
{
    if (e->rows + e->folds < TABLE_BIRTHS_MAX)
        return false;
    return birth < births_of(l, e, node).newest[TABLE_BIRTHS_MAX - 1];
}

static uint64_t newest_row(const struct layout *l, const struct table_entry *e, unsigned node)
{
    uint64_t newest = 0;
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) == node && ROW_BIRTH(id) > newest)
            newest = ROW_BIRTH(id);
    }
    return newest;
}

// What folds say of one cell of a birth.
struct folded {
    uint64_t sum, most;
};

static struct folded folded(const struct layout *l, const struct table_entry *e, uint64_t id, const struct column *c,
                            unsigned index)
{
    struct folded f = {0};
    for (unsigned i = 0; i < e->folds; i++) {
        uint32_t *fold = entry_fold(l, e, i);
        if (words_get64(fold) != id)
            continue;
        uint64_t v = cell_get(c, fold_cell(fold, c, index), 0);
        f.sum += v;
        f.most = v > f.most ? v : f.most;
    }
    return f;
}

// Whether a birth was folded into another one.
static bool is_moved(const struct layout *l, const struct table_entry *e, uint64_t id)
{
    for (unsigned i = 0; i < e->folds; i++)
        if (words_get64(entry_fold(l, e, i)) == id && fold_target(entry_fold(l, e, i)) != 0)
            return true;
    return false;
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

// Brings what a closed birth holds beyond its folds to the open row. Rates move when the birth is folded first.
static void fold_row(const struct layout *l, struct table_entry *e, uint32_t *from, uint32_t *fold, bool first,
                     mono_t now)
{
    uint32_t *open = entry_row(l, e, 0);
    uint64_t id = words_get64(from);
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        for (unsigned i = 0; i < c->elements; i++) {
            if (column_is_rate(c) && first)
                fold_rate(c, row_cell(from, c, i), row_cell(open, c, i), now);
            if (!column_is_counter(c))
                continue;
            uint64_t v = cell_get(c, row_cell(from, c, i), 0), f = folded(l, e, id, c, i).sum;
            if (v > f) {
                cell_raise(c, row_cell(open, c, i), v - f);
                cell_raise(c, fold_cell(fold, c, i), v - f);
            }
        }
    }
}

// Folds our closed births into the open row, which is the first.
static void fold_own(struct table *t, struct shard *s, struct table_entry *e, mono_t now)
{
    const struct layout *l = s->layout;
    uint64_t target = ROW_BIRTH(words_get64(entry_row(l, e, 0)));
    for (unsigned r = 1; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) != 0)
            continue;
        bool first = !is_moved(l, e, id);
        uint32_t *fold = entry_fold_by_id(l, e, id, target);
        if (!fold && !(fold = entry_add_fold(s, e, id, target)))
            return;
        fold_row(l, e, entry_row(l, e, r), fold, first, now);
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
static int64_t node_sum(const struct layout *l, const struct table_entry *e, unsigned node, const struct column *c,
                        unsigned index);

// Opening a birth makes our oldest void. What it still adds to our sum, or takes away, goes on in the new one.
static void carry_over(struct shard *s, struct table_entry *e, unsigned column, unsigned index, int64_t before)
{
    const struct column *c = &s->layout->columns[column];
    int64_t lost = before - node_sum(s->layout, e, 0, c, index);
    uint32_t *row = entry_row(s->layout, e, 0);
    if (lost > 0)
        cell_raise(c, row_cell(row, c, index), (uint64_t)lost);
    if (lost >= 0)
        return;
    uint64_t id = words_get64(row);
    uint32_t *fold = entry_fold_by_id(s->layout, e, id, 0);
    if (!fold)
        fold = entry_add_fold(s, e, id, 0);
    if (fold)
        cell_raise(c, fold_cell(fold, c, index), (uint64_t)-lost);
}

static void drop_void(struct shard *s, struct table_entry *e, unsigned node);

static uint32_t *open_row(struct table *t, struct shard *s, struct table_entry *e, mono_t now)
{
    const struct layout *l = s->layout;
    if (e->flags & ENTRY_OPEN)
        return entry_row(l, e, 0);
    if (!entry_add_row(s, e, row_id(0, table_stamp(t, now))))
        return NULL;
    make_first(l, e, e->rows - 1u);
    e->flags |= ENTRY_OPEN;
    if (births_of(l, e, 0).newest[1] == 0)
        return entry_row(l, e, 0);
    // Sums before the oldest birth goes. (refs change without the lock: not copied.)
    struct table_entry had = {.flags = e->flags, .rows = e->rows, .folds = e->folds};
    size_t bytes = entry_block_words(l, e) * sizeof(uint32_t);
    had.words = malloc(bytes);
    if (!had.words)
        PANIC("out of memory");
    memcpy(had.words, e->words, bytes);
    drop_void(s, e, 0);
    for (unsigned d = 0; d < TD_COUNT; d++)
        for (unsigned i = 0; i < l->columns[d].elements && column_is_counter(&l->columns[d]); i++)
            carry_over(s, e, d, i, node_sum(l, &had, 0, &l->columns[d], i));
    free(had.words);
    fold_own(t, s, e, now);
    drop_superseded(s, e, 0);
    return entry_row(l, e, 0);
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

// The row's birth is its node's newest here, and of that node's present life.
static bool row_is_live(struct table *t, const struct layout *l, const struct table_entry *e, unsigned row)
{
    uint64_t id = words_get64(entry_row(l, e, row));
    unsigned node = ROW_NODE(id);
    if (node == 0)
        return row == 0 && (e->flags & ENTRY_OPEN);
    return !t->nodes[node].dead && ROW_BIRTH(id) >= t->nodes[node].boot && ROW_BIRTH(id) == newest_row(l, e, node);
}

// Of one node, or with TABLE_NO_NODE of all.
static int64_t node_sum(const struct layout *l, const struct table_entry *e, unsigned node, const struct column *c,
                        unsigned index)
{
    uint64_t plus = 0, minus = 0;
    for (unsigned r = 0; r < e->rows; r++) {
        uint32_t *row = entry_row(l, e, r);
        if (node == TABLE_NO_NODE || ROW_NODE(words_get64(row)) == node)
            plus += cell_get(c, row_cell(row, c, index), 0);
    }
    for (unsigned f = 0; f < e->folds; f++) {
        uint32_t *fold = entry_fold(l, e, f);
        uint64_t id = words_get64(fold);
        if (node != TABLE_NO_NODE && ROW_NODE(id) != node)
            continue;
        minus += cell_get(c, fold_cell(fold, c, index), 0);
        bool counted = false; // a birth with several folds, or with a row that has less: its value is the greatest
        for (unsigned before = 0; before < f; before++)
            counted |= words_get64(entry_fold(l, e, before)) == id;
        uint32_t *row = entry_row_by_id(l, e, id);
        uint64_t v = row ? cell_get(c, row_cell(row, c, index), 0) : 0, most = folded(l, e, id, c, index).most;
        if (!counted && most > v)
            plus += most - v;
    }
    return (int64_t)(plus - minus);
}

static uint64_t row_value(struct table *t, const struct layout *l, const struct table_entry *e, unsigned r,
                          const struct column *c, unsigned index, mono_t now)
{
    uint32_t *row = entry_row(l, e, r), *cell = row_cell(row, c, index);
    if (c->kind == COLUMN_GAUGE)
        return row_is_live(t, l, e, r) ? cell_get(c, cell, 0) - cell_get(c, cell, 1) : 0;
    if (is_moved(l, e, words_get64(row)))
        return 0;
    return rate_estimate(rate_load(c, cell), c->period_ms, now);
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
    if (column_is_counter(c)) {
        int64_t sum = node_sum(l, e, l->summed ? TABLE_NO_NODE : 0, c, index);
        return sum > 0 ? sum : 0; // below zero while a fold is known and its target is not yet
    }
    uint64_t sum = 0;
    for (unsigned r = 0; r < e->rows; r++)
        if (l->summed || ROW_NODE(words_get64(entry_row(l, e, r))) == 0)
            sum += row_value(t, l, e, r, c, index, now);
    return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
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
static bool clear_seen(struct shard *s, struct table_entry *e, const struct column *c, unsigned index)
{
    const struct layout *l = s->layout;
    for (unsigned r = 0; r < e->rows; r++) {
        uint64_t id = words_get64(entry_row(l, e, r));
        int64_t left = node_sum(l, e, ROW_NODE(id), c, index);
        uint64_t v = cell_get(c, row_cell(entry_row(l, e, r), c, index), 0), gone = folded(l, e, id, c, index).sum;
        if (left <= 0 || v <= gone)
            continue;
        uint32_t *fold = entry_fold_by_id(l, e, id, 0);
        if (!fold && !(fold = entry_add_fold(s, e, id, 0)))
            return false;
        cell_raise(c, fold_cell(fold, c, index), v - gone < (uint64_t)left ? v - gone : (uint64_t)left);
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
        if (!clear_seen(s, e, c, index))
            return false;
    } else {
        memset(row_cell(entry_row(s->layout, e, 0), c, index), 0, c->words * sizeof(uint32_t));
        // Gauges and rates of other nodes are theirs to change: ours makes up the difference if it can.
        value -= slot_read(t, s->layout, e, c, index, now);
    }
    return value <= 0 || slot_add(t, s, e, c, index, value, now);
}

// ---- what others sent

static void remove_row(struct shard *s, struct table_entry *e, unsigned row)
{
    if (row == 0)
        e->flags &= (uint8_t)~ENTRY_OPEN;
    entry_remove_row(s, e, row);
}

// A closed birth that was folded into another one and holds no more than its greatest fold says.
static bool row_is_spent(const struct layout *l, const struct table_entry *e, uint32_t *row)
{
    uint64_t id = words_get64(row);
    if (!is_moved(l, e, id))
        return false;
    for (unsigned d = 0; d < TD_COUNT; d++) {
        const struct column *c = &l->columns[d];
        for (unsigned i = 0; i < c->elements && column_is_counter(c); i++)
            if (cell_get(c, row_cell(row, c, i), 0) > folded(l, e, id, c, i).most)
                return false;
    }
    return true;
}

static void drop_void(struct shard *s, struct table_entry *e, unsigned node)
{
    const struct layout *l = s->layout;
    uint64_t oldest = births_of(l, e, node).newest[TABLE_BIRTHS_MAX - 1];
    for (unsigned r = e->rows; r-- > 0 && oldest;) {
        uint64_t id = words_get64(entry_row(l, e, r));
        if (ROW_NODE(id) == node && ROW_BIRTH(id) < oldest)
            remove_row(s, e, r);
    }
    for (unsigned f = e->folds; f-- > 0 && oldest;) {
        uint64_t id = words_get64(entry_fold(l, e, f));
        if (ROW_NODE(id) == node && ROW_BIRTH(id) < oldest)
            entry_remove_fold(s, e, f);
    }
}

static void drop_superseded(struct shard *s, struct table_entry *e, unsigned node)
{
    const struct layout *l = s->layout;
    drop_void(s, e, node);
    uint64_t newest = newest_row(l, e, node);
    for (unsigned r = e->rows; r-- > 0 && e->folds;) {
        uint32_t *row = entry_row(l, e, r);
        uint64_t id = words_get64(row);
        if (ROW_NODE(id) == node && ROW_BIRTH(id) < newest && row_is_spent(l, e, row))
            remove_row(s, e, r);
    }
}

void slot_settle(struct table *t, struct shard *s, struct table_entry *e, unsigned node, mono_t now)
{
    if (births_of(s->layout, e, node).newest[1] == 0)
        return;
    if (node == 0 && (e->flags & ENTRY_OPEN)) {
        // A birth of ours that is newer than the open one: another life of this node counted with a clock ahead.
        if (newest_row(s->layout, e, 0) > ROW_BIRTH(words_get64(entry_row(s->layout, e, 0))))
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
    for (unsigned f = e->folds; f-- > 0;)
        if (ROW_BIRTH(words_get64(entry_fold(l, e, f))) <= stamp)
            entry_remove_fold(s, e, f);
    if ((e->flags & ENTRY_SERVER) && words_get64(entry_server(e)) <= stamp)
        entry_remove_server(s, e);
    for (unsigned i = 0; (e->flags & ENTRY_TAGS) && i < l->tags; i++) {
        uint32_t *tag = entry_tag(l, e, i);
        if (words_get64(tag) <= stamp)
            memset(tag, 0, 3 * sizeof(*tag));
    }
}
