// SPDX-License-Identifier: Apache-2.0
// What every parser of a line uses: messages on a word, numbers with bounds and units, the nearest known word, and
// arena arrays that grow.
#include <stdio.h>
#include <string.h>

#include "config/parse.h"
#include "node/base/panic.h"

// ---- Messages ------------------------------------------------------------------------------------------------------
struct cfg_src parse_src(const struct parse *p, unsigned word)
{
    struct cfg_src src = p->src;
    word += p->word_base;
    src.word = (uint16_t)(word > UINT16_MAX ? UINT16_MAX : word);
    return src;
}

bool parse_error(struct parse *p, unsigned word, const char *fmt, ...)
{
    struct cfg_src src = parse_src(p, word);
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(p->diag, DIAG_ALERT, &src, fmt, ap);
    va_end(ap);
    return false;
}

void parse_warning(struct parse *p, unsigned word, const char *fmt, ...)
{
    struct cfg_src src = parse_src(p, word);
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(p->diag, DIAG_WARNING, &src, fmt, ap);
    va_end(ap);
}

// ---- Did you mean --------------------------------------------------------------------------------------------------
#define NEAR_MAX 48 // longer words are not compared

// Edits (insert, delete, replace, swap of neighbours) that turn a into b.
static unsigned edit_distance(struct str a, struct str b)
{
    unsigned char rows[3][NEAR_MAX + 1];
    unsigned char *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = (unsigned char)j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned cost = str_lower(a.ptr[i - 1]) != str_lower(b.ptr[j - 1]);
            unsigned best = last[j - 1] + cost;
            if (last[j] + 1u < best)
                best = last[j] + 1u;
            if (now[j - 1] + 1u < best)
                best = now[j - 1] + 1u;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] && before[j - 2] < best)
                best = before[j - 2] + 1u;
            now[j] = (unsigned char)best;
        }
        unsigned char *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b.len];
}

const char *parse_nearest(struct str word, const void *rows, unsigned n, size_t stride)
{
    const char *best = NULL;
    // One edit for short words, then one more for every three letters.
    unsigned limit = (unsigned)(word.len / 3 + 1);
    if (word.len == 0 || word.len > NEAR_MAX)
        return NULL;
    for (unsigned i = 0; i < n; i++) {
        const char *name;
        memcpy(&name, (const char *)rows + i * stride, sizeof(name));
        struct str candidate = str_of(name);
        if (candidate.len == 0 || candidate.len > NEAR_MAX)
            continue;
        size_t gap = candidate.len > word.len ? candidate.len - word.len : word.len - candidate.len;
        if (gap >= limit)
            continue;
        unsigned distance = edit_distance(word, candidate);
        if (distance < limit && distance < word.len) {
            limit = distance;
            best = name;
        }
    }
    return best;
}

// ---- Numbers -------------------------------------------------------------------------------------------------------
static bool digits(struct str s, size_t *len, uint64_t *out)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    *len = n;
    return str_to_u64(str_make(s.ptr, n), out);
}

bool time_from_text(struct str s, int64_t default_unit_us, int64_t *out_us)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000ll}, {"d", 86400000000ll}};
    uint64_t value;
    size_t len;
    if (!digits(s, &len, &value))
        return false;
    struct str unit = str_slice(s, len, s.len);
    int64_t factor = unit.len == 0 ? default_unit_us : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (str_is(unit, units[i].name))
            factor = units[i].us;
    return factor != 0 && !__builtin_mul_overflow(value, factor, out_us);
}

bool size_from_text(struct str s, uint64_t *out)
{
    uint64_t value;
    size_t len;
    if (!digits(s, &len, &value))
        return false;
    struct str unit = str_slice(s, len, s.len);
    unsigned shift = 0;
    if (unit.len == 1 && str_lower(unit.ptr[0]) == 'k')
        shift = 10;
    else if (unit.len == 1 && str_lower(unit.ptr[0]) == 'm')
        shift = 20;
    else if (unit.len == 1 && str_lower(unit.ptr[0]) == 'g')
        shift = 30;
    else if (unit.len != 0)
        return false;
    return !__builtin_mul_overflow(value, (uint64_t)1 << shift, out);
}

// The word that a value belongs to: "timeout client" is told as 'client'.
static struct str owner(const struct parse *p, unsigned word)
{
    return p->words[word > 0 && word <= p->nwords ? word - 1 : 0];
}

static bool missing(struct parse *p, unsigned word, const char *what)
{
    if (word < p->nwords && p->words[word].len > 0)
        return false;
    parse_error(p, word, "'%.*s' expects %s.", STR_ARG(owner(p, word)), what);
    return true;
}

bool parse_int(struct parse *p, unsigned word, int64_t min, int64_t max, int64_t *out)
{
    if (missing(p, word, "an integer argument"))
        return false;
    struct str text = p->words[word];
    if (text.len > 1 && text.ptr[0] == '+')
        text = str_slice(text, 1, text.len);
    int64_t value;
    if (!str_to_i64(text, &value))
        return parse_error(p, word, "'%.*s' expects an integer argument, got '%.*s'.", STR_ARG(owner(p, word)),
                           STR_ARG(p->words[word]));
    if (value < min || value > max)
        return parse_error(p, word, "value '%.*s' of '%.*s' is out of range: expected %lld to %lld.",
                           STR_ARG(p->words[word]), STR_ARG(owner(p, word)), (long long)min, (long long)max);
    *out = value;
    return true;
}

bool parse_time_ms(struct parse *p, unsigned word, int64_t *out)
{
    if (missing(p, word, "a time (in milliseconds, or with a unit: us, ms, s, m, h, d)"))
        return false;
    int64_t us;
    uint64_t value;
    size_t len;
    struct str text = p->words[word];
    if (!time_from_text(text, 1000, &us)) {
        if (digits(text, &len, &value) && str_slice(text, len, text.len).len > 0 && len > 0)
            return parse_error(p, word,
                               "unexpected character '%c' in the time '%.*s': expected a unit of us, ms, s, m, "
                               "h or d.",
                               text.ptr[len], STR_ARG(text));
        return parse_error(p, word, "'%.*s' is not a time: expected a number and a unit of us, ms, s, m, h or d.",
                           STR_ARG(text));
    }
    // Upwards: a time that was written as non-zero never becomes "none".
    int64_t ms = us / 1000 + (us % 1000 != 0);
    if (ms > INT32_MAX)
        return parse_error(p, word,
                           "timer overflow in argument '%.*s' to '%.*s' (maximum value is 2147483647 ms or ~24.8 days)",
                           STR_ARG(text), STR_ARG(owner(p, word)));
    *out = ms;
    return true;
}

bool parse_size(struct parse *p, unsigned word, uint64_t *out)
{
    if (missing(p, word, "a size (in bytes, or with a suffix k, m or g)"))
        return false;
    if (!size_from_text(p->words[word], out))
        return parse_error(p, word, "'%.*s' is not a size: expected a number with an optional suffix k, m or g.",
                           STR_ARG(p->words[word]));
    return true;
}

// ---- Arrays --------------------------------------------------------------------------------------------------------
void *parse_push(struct arena *a, void **array, unsigned *count, size_t size)
{
    unsigned n = *count;
    if ((n & (n - 1)) == 0) {
        void *grown = arena_alloc(a, size * (n ? (size_t)n * 2 : 1));
        if (n)
            memcpy(grown, *array, size * n);
        *array = grown;
    }
    *count = n + 1;
    void *element = (char *)*array + size * n;
    memset(element, 0, size);
    return element;
}

void *parse_clone(struct arena *a, const void *array, unsigned count, size_t size)
{
    if (count == 0)
        return NULL;
    size_t room = 1;
    while (room < count)
        room *= 2;
    void *copy = arena_alloc(a, size * room);
    memcpy(copy, array, size * count);
    return copy;
}
