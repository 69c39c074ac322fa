// SPDX-License-Identifier: Apache-2.0
// Cookie and Set-Cookie fields, see cookie.h.
#include "node/http/cookie.h"

// The end of a pair: ';' or ',' outside of a quoted string.
static const char *pair_end(const char *p, const char *end)
{
    bool quoted = false;
    for (; p < end; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p + 1 < end)
            p++;
        else if ((*p == ';' || *p == ',') && !quoted)
            return p;
    }
    return end;
}

bool cookie_next(struct str *rest, struct cookie_pair *pair)
{
    while (rest->ptr != NULL) {
        const char *end = rest->ptr + rest->len, *stop = pair_end(rest->ptr, end);
        pair->whole = str_trim(str_make(rest->ptr, (size_t)(stop - rest->ptr)));
        *rest = stop == end ? STR_NONE : str_make(stop + 1, (size_t)(end - stop - 1));
        if (pair->whole.len == 0)
            continue;
        ptrdiff_t equals = str_find_char(pair->whole, '=');
        pair->name = equals < 0 ? pair->whole : str_trim(str_make(pair->whole.ptr, (size_t)equals));
        pair->value = equals < 0 ? STR_NONE : str_trim(str_slice(pair->whole, (size_t)equals + 1, SIZE_MAX));
        return true;
    }
    return false;
}

static enum hdr_id field_of(const struct http_msg *m)
{
    return m->response ? HDR_SET_COOKIE : HDR_COOKIE;
}

// Walks over the cookies of one name in all fields: all pairs of Cookie, the first pair of each Set-Cookie. RFC 2109's
// "$Version" and the like are no cookies.
static bool walk(struct http_msg *m, struct str name, unsigned *pos, struct str *rest, struct cookie_pair *pair,
                 struct http_hdr **field)
{
    for (;;) {
        while (cookie_next(rest, pair)) {
            if (m->response)
                *rest = STR_NONE;
            bool named = name.len == 0 ? pair->name.len != 0 && pair->name.ptr[0] != '$' : str_eq(pair->name, name);
            if (named && pair->value.ptr != NULL)
                return true;
        }
        *field = http_hdr_next(m, field_of(m), pos);
        if (*field == NULL)
            return false;
        *rest = (*field)->value;
    }
}

bool cookie_next_value(struct http_msg *m, struct str name, unsigned *pos, struct str *rest, struct cookie_pair *pair)
{
    struct http_hdr *field;
    return walk(m, name, pos, rest, pair, &field);
}

unsigned cookie_count(struct http_msg *m, struct str name)
{
    struct str rest = STR_NONE;
    struct cookie_pair pair;
    unsigned pos = 0, n = 0;
    while (cookie_next_value(m, name, &pos, &rest, &pair))
        n++;
    return n;
}

bool cookie_get(struct http_msg *m, struct str name, int occurrence, struct str *value)
{
    if (occurrence < 0) {
        unsigned count = cookie_count(m, name), back = 0u - (unsigned)occurrence;
        if (back > count)
            return false;
        occurrence = (int)(count - back) + 1;
    }
    struct str rest = STR_NONE;
    struct cookie_pair pair;
    unsigned pos = 0;
    while (cookie_next_value(m, name, &pos, &rest, &pair)) {
        if (--occurrence <= 0) {
            *value = pair.value;
            return true;
        }
    }
    return false;
}

// The field's other pairs, joined anew in the arena.
static struct str without_cookie(struct http_msg *m, struct str field, struct str name)
{
    char *out = arena_alloc(m->arena, field.len * 2); // ";" may become "; "
    size_t n = 0;
    struct cookie_pair pair;
    while (cookie_next(&field, &pair)) {
        if (pair.value.ptr != NULL && str_eq(pair.name, name))
            continue;
        if (n != 0) {
            out[n++] = ';';
            out[n++] = ' ';
        }
        memcpy(out + n, pair.whole.ptr, pair.whole.len);
        n += pair.whole.len;
    }
    return str_make(out, n);
}

bool cookie_remove(struct http_msg *m, struct str name)
{
    bool removed = false;
    unsigned pos = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, HDR_COOKIE, &pos)) != NULL;) {
        struct str rest = h->value;
        struct cookie_pair pair;
        bool here = false;
        while (!here && cookie_next(&rest, &pair))
            here = pair.value.ptr != NULL && str_eq(pair.name, name);
        if (!here)
            continue;
        removed = true;
        h->value = without_cookie(m, h->value, name);
        if (h->value.len == 0)
            http_hdr_remove(h);
    }
    return removed;
}

bool cookie_rewrite(struct http_msg *m, struct str name, struct str value)
{
    struct str rest = STR_NONE;
    struct cookie_pair pair;
    struct http_hdr *field = NULL;
    unsigned pos = 0;
    if (!walk(m, name, &pos, &rest, &pair, &field))
        return false;
    struct str old = field->value;
    size_t before = (size_t)(pair.value.ptr - old.ptr), after = old.len - before - pair.value.len;
    char *out = arena_alloc(m->arena, before + value.len + after);
    memcpy(out, old.ptr, before);
    if (value.len != 0)
        memcpy(out + before, value.ptr, value.len);
    memcpy(out + before + value.len, pair.value.ptr + pair.value.len, after);
    field->value = str_make(out, before + value.len + after);
    return true;
}

unsigned cookie_remove_set(struct http_msg *m, struct str name)
{
    unsigned pos = 0, n = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, HDR_SET_COOKIE, &pos)) != NULL;) {
        struct str rest = h->value;
        struct cookie_pair pair;
        if (!cookie_next(&rest, &pair) || pair.value.ptr == NULL || !str_eq(pair.name, name))
            continue;
        http_hdr_remove(h);
        n++;
    }
    return n;
}
