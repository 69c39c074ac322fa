// SPDX-License-Identifier: Apache-2.0
// Integer patterns: ranges with inclusive bounds.
#include <stdlib.h>

#include "node/match/pattern_index.h"

static bool parse_bound(struct str text, int64_t when_empty, int64_t *out)
{
    if (text.len == 0) {
        *out = when_empty;
        return true;
    }
    return str_to_i64(text, out);
}

bool range_parse(struct str text, int64_t *low, int64_t *high)
{
    ptrdiff_t colon = str_find_char(text, ':');
    if (text.len == 0)
        return false;
    if (colon < 0) {
        *low = 0;
        bool ok = str_to_i64(text, low);
        *high = *low;
        return ok;
    }
    return parse_bound(str_slice(text, 0, (size_t)colon), INT64_MIN, low) &&
           parse_bound(str_slice(text, (size_t)colon + 1, text.len), INT64_MAX, high) && *low <= *high;
}

static int by_low(const void *a, const void *b)
{
    const struct range_key *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

static int by_entry(const void *a, const void *b)
{
    const struct range_key *x = a, *y = b;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

void range_index_build(struct range_index *x, struct range_key *keys, unsigned count)
{
    *x = (struct range_index){.keys = keys, .count = count, .sorted = count > PATTERN_FEW};
    if (!x->sorted)
        return;
    qsort(keys, count, sizeof(*keys), by_low);
    unsigned kept = 0;
    for (unsigned i = 0; i < count && x->sorted; i++) {
        struct range_key *last = kept ? &keys[kept - 1] : NULL;
        if (last && keys[i].low == last->low && keys[i].high == last->high)
            continue; // the first of equal ones counts
        x->sorted = !last || keys[i].low > last->high;
        keys[kept++] = keys[i];
    }
    if (x->sorted)
        x->count = kept;
    else // ranges overlap: the first of the text counts
        qsort(keys, x->count, sizeof(*keys), by_entry);
}

int64_t range_index_find(const struct range_index *x, int64_t v)
{
    if (!x->sorted) {
        for (unsigned i = 0; i < x->count; i++)
            if (v >= x->keys[i].low && v <= x->keys[i].high)
                return x->keys[i].entry;
        return PATTERN_NONE;
    }
    unsigned from = 0, to = x->count; // the last range that begins at or below v is in front of `to`
    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        if (x->keys[middle].low <= v)
            from = middle + 1;
        else
            to = middle;
    }
    return from && v <= x->keys[from - 1].high ? (int64_t)x->keys[from - 1].entry : PATTERN_NONE;
}
