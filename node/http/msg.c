// SPDX-License-Identifier: Apache-2.0
// Header fields of a message: look-ups, comma-separated values, edits. A deleted field keeps its place in the array
// with no name, so that indexes and pointers into the array stay good while somebody iterates.
#include "node/http/msg.h"

#include "node/base/panic.h"
#include "node/http/fields.h"
#include "node/http/names.h"
#include "node/http/scan.h"

enum { HDRS_MIN = 8 };

void http_msg_init(struct http_msg *m, struct arena *arena, bool response, uint16_t hdrs_hint)
{
    memset(m, 0, sizeof(*m));
    m->arena = arena;
    m->response = response;
    m->version = 11;
    m->keep_alive = true;
    if (hdrs_hint != 0) {
        m->hdrs = arena_alloc(arena, hdrs_hint * sizeof(m->hdrs[0]));
        m->hdrs_cap = hdrs_hint;
    }
}

static inline uint64_t id_bit(unsigned id)
{
    return (uint64_t)1 << id;
}

bool fields_grow(struct http_msg *m)
{
    if (m->hdrs_cap == UINT16_MAX)
        return false;
    unsigned cap = m->hdrs_cap < HDRS_MIN ? HDRS_MIN : m->hdrs_cap * 2u;
    if (cap > UINT16_MAX)
        cap = UINT16_MAX;
    struct http_hdr *hdrs = arena_alloc(m->arena, cap * sizeof(hdrs[0]));
    if (m->nhdrs != 0)
        memcpy(hdrs, m->hdrs, m->nhdrs * sizeof(hdrs[0]));
    m->hdrs = hdrs;
    m->hdrs_cap = (uint16_t)cap;
    return true;
}

// --- look-ups ------------------------------------------------------------------------------------------------------

struct http_hdr *http_hdr_next(struct http_msg *m, enum hdr_id id, unsigned *pos)
{
    if (!(m->ids & id_bit(id)))
        return NULL;
    for (unsigned i = *pos; i < m->nhdrs; i++) {
        struct http_hdr *h = &m->hdrs[i];
        if (h->id == id && h->name.ptr != NULL) {
            *pos = i + 1;
            return h;
        }
    }
    *pos = m->nhdrs;
    return NULL;
}

struct http_hdr *http_hdr_next_name(struct http_msg *m, struct str name, unsigned *pos)
{
    enum hdr_id id = http_hdr_id(name);
    if (id != HDR_OTHER)
        return http_hdr_next(m, id, pos);
    for (unsigned i = *pos; i < m->nhdrs; i++) {
        struct http_hdr *h = &m->hdrs[i];
        if (h->id == HDR_OTHER && h->name.ptr != NULL && str_eq_nocase(h->name, name)) {
            *pos = i + 1;
            return h;
        }
    }
    *pos = m->nhdrs;
    return NULL;
}

bool http_hdr_has(struct http_msg *m, enum hdr_id id)
{
    unsigned pos = 0;
    return http_hdr_next(m, id, &pos) != NULL;
}

struct str http_hdr_get(struct http_msg *m, enum hdr_id id)
{
    unsigned pos = 0;
    struct http_hdr *h = http_hdr_next(m, id, &pos);
    return h ? h->value : STR_NONE;
}

// --- comma-separated values ----------------------------------------------------------------------------------------

// The next comma outside of a quoted string (RFC 9110 5.6.4), or `end`.
static const char *list_piece_end(const char *p, const char *end)
{
    bool quoted = false;
    for (; p < end; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p + 1 < end)
            p++;
        else if (*p == ',' && !quoted)
            return p;
    }
    return end;
}

// Next piece, an empty one too. A list has one piece more than commas. *rest has no pointer once it is used up.
static bool next_piece(struct str *rest, struct str *piece)
{
    if (rest->ptr == NULL)
        return false;
    const char *end = rest->ptr + rest->len, *stop = list_piece_end(rest->ptr, end);
    *piece = str_trim(str_make(rest->ptr, (size_t)(stop - rest->ptr)));
    *rest = stop == end ? STR_NONE : str_make(stop + 1, (size_t)(end - stop - 1));
    return true;
}

bool http_list_next(struct str *rest, struct str *piece)
{
    while (next_piece(rest, piece))
        if (piece->len != 0)
            return true;
    return false;
}

static struct http_hdr *next_field(struct http_msg *m, struct str name, unsigned *pos)
{
    if (name.len != 0)
        return http_hdr_next_name(m, name, pos);
    while (*pos < m->nhdrs) {
        struct http_hdr *h = &m->hdrs[(*pos)++];
        if (h->name.ptr != NULL)
            return h;
    }
    return NULL;
}

bool http_hdr_next_value(struct http_msg *m, struct str name, bool full, unsigned *pos, struct str *rest,
                         struct str *value)
{
    if (next_piece(rest, value))
        return true;
    struct http_hdr *h = next_field(m, name, pos);
    if (h == NULL)
        return false;
    if (full) {
        *value = h->value;
        return true;
    }
    *rest = h->value;
    return next_piece(rest, value);
}

unsigned http_hdr_count(struct http_msg *m, struct str name, bool full)
{
    struct str rest = STR_NONE, value;
    unsigned pos = 0, n = 0;
    while (http_hdr_next_value(m, name, full, &pos, &rest, &value))
        n++;
    return n;
}

bool http_hdr_value(struct http_msg *m, struct str name, int occ, bool full, struct str *value)
{
    if (occ == 0)
        return false;
    if (occ < 0) { // from the end: the (count + occ + 1)th from the start
        unsigned count = http_hdr_count(m, name, full), back = 0u - (unsigned)occ;
        if (back > count)
            return false;
        occ = (int)(count - back) + 1;
    }
    struct str rest = STR_NONE, v;
    unsigned pos = 0;
    while (http_hdr_next_value(m, name, full, &pos, &rest, &v)) {
        if (--occ == 0) {
            *value = v;
            return true;
        }
    }
    return false;
}

bool http_hdr_has_token(struct http_msg *m, enum hdr_id id, struct str token)
{
    unsigned pos = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, id, &pos)) != NULL;) {
        struct str rest = h->value, piece;
        while (http_list_next(&rest, &piece))
            if (str_eq_nocase(piece, token))
                return true;
    }
    return false;
}

// --- edits ---------------------------------------------------------------------------------------------------------

void http_hdr_add(struct http_msg *m, struct str name, struct str value)
{
    ASSERT(name.len != 0);
    if (m->nhdrs == m->hdrs_cap && !fields_grow(m))
        return; // 65535 fields: configuration cannot add that many
    enum hdr_id id = http_hdr_id(name);
    if (value.ptr == NULL)
        value = STR("");
    m->hdrs[m->nhdrs++] = (struct http_hdr){name, value, (uint16_t)id};
    m->ids |= id_bit(id);
}

void http_hdr_set(struct http_msg *m, struct str name, struct str value)
{
    http_hdr_del(m, name);
    http_hdr_add(m, name, value);
}

void http_hdr_remove(struct http_hdr *h)
{
    h->name = h->value = STR_NONE;
}

unsigned http_hdr_del(struct http_msg *m, struct str name)
{
    unsigned pos = 0, n = 0;
    for (struct http_hdr *h; (h = http_hdr_next_name(m, name, &pos)) != NULL; n++)
        http_hdr_remove(h);
    return n;
}

unsigned http_hdr_del_id(struct http_msg *m, enum hdr_id id)
{
    unsigned pos = 0, n = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, id, &pos)) != NULL; n++)
        http_hdr_remove(h);
    if (id != HDR_OTHER)
        m->ids &= ~id_bit(id);
    return n;
}

bool http_value_ok(struct str value)
{
    return value.len == 0 || scan_value(value.ptr, value.ptr + value.len) == NULL;
}

bool http_name_ok(struct str name)
{
    return name.len != 0 && scan_token(name.ptr, name.ptr + name.len) == name.ptr + name.len;
}
