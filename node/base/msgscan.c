// SPDX-License-Identifier: Apache-2.0
// Bounded reading of msgpack: the format's table of first bytes is here, once, and both the check and the cursor use
// it. https://github.com/msgpack/msgpack/blob/master/spec.md
#include "node/base/msgscan.h"

#include "node/base/panic.h"

static uint64_t read_be(const unsigned char *p, unsigned len)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < len; i++)
        value = value << 8 | p[i];
    return value;
}

// Big-endian unsigned number of `len` bytes; false when they are not there.
static bool take_be(struct msgscan *s, unsigned len, uint64_t *value)
{
    if ((size_t)(s->end - s->at) < len)
        return false;
    *value = read_be(s->at, len);
    s->at += len;
    return true;
}

static bool take_bytes(struct msgscan *s, uint64_t len, enum msgscan_type type, struct msgscan_token *t)
{
    if ((uint64_t)(s->end - s->at) < len)
        return false;
    t->type = type;
    t->bytes = str_make((const char *)s->at, (size_t)len);
    s->at += len;
    return true;
}

static bool take_sized(struct msgscan *s, unsigned len_size, enum msgscan_type type, struct msgscan_token *t)
{
    uint64_t len;
    return take_be(s, len_size, &len) && take_bytes(s, len, type, t);
}

static bool take_ext(struct msgscan *s, uint64_t len, struct msgscan_token *t)
{
    uint64_t type;
    if (!take_be(s, 1, &type))
        return false;
    t->ext = (int8_t)(uint8_t)type;
    return take_bytes(s, len, MSGSCAN_EXT, t);
}

static bool take_count(struct msgscan *s, unsigned len_size, enum msgscan_type type, struct msgscan_token *t)
{
    uint64_t count;
    if (!take_be(s, len_size, &count))
        return false;
    t->type = type;
    t->count = (uint32_t)count;
    return true;
}

static bool take_uint(struct msgscan *s, unsigned len, struct msgscan_token *t)
{
    t->type = MSGSCAN_UINT;
    return take_be(s, len, &t->u);
}

// Signed formats carry non-negative numbers too; those become MSGSCAN_UINT so that a reader sees one form.
static bool take_int(struct msgscan *s, unsigned len, struct msgscan_token *t)
{
    uint64_t raw;
    if (!take_be(s, len, &raw))
        return false;
    unsigned shift = 64 - 8 * len;
    int64_t value = (int64_t)(raw << shift) >> shift;
    if (value >= 0) {
        t->type = MSGSCAN_UINT;
        t->u = (uint64_t)value;
    } else {
        t->type = MSGSCAN_INT;
        t->i = value;
    }
    return true;
}

static bool take_float(struct msgscan *s, unsigned len, struct msgscan_token *t)
{
    uint64_t raw;
    if (!take_be(s, len, &raw))
        return false;
    t->type = MSGSCAN_FLOAT;
    if (len == 4) {
        uint32_t bits = (uint32_t)raw;
        float single;
        memcpy(&single, &bits, sizeof(single));
        t->f = single;
    } else {
        memcpy(&t->f, &raw, sizeof(t->f));
    }
    return true;
}

// First bytes 0xc0 to 0xdf.
static bool take_tagged(struct msgscan *s, unsigned tag, struct msgscan_token *t)
{
    uint64_t len;
    switch (tag) {
    case 0xc0:
        t->type = MSGSCAN_NIL;
        return true;
    case 0xc2:
    case 0xc3:
        t->type = MSGSCAN_BOOL;
        t->truth = tag == 0xc3;
        return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(s, 1u << (tag - 0xc4), MSGSCAN_BIN, t);
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return take_be(s, 1u << (tag - 0xc7), &len) && take_ext(s, len, t);
    case 0xca:
    case 0xcb:
        return take_float(s, 4u << (tag - 0xca), t);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_uint(s, 1u << (tag - 0xcc), t);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_int(s, 1u << (tag - 0xd0), t);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take_ext(s, 1u << (tag - 0xd4), t);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(s, 1u << (tag - 0xd9), MSGSCAN_STR, t);
    case 0xdc:
    case 0xdd:
        return take_count(s, 2u << (tag - 0xdc), MSGSCAN_ARRAY, t);
    case 0xde:
    case 0xdf:
        return take_count(s, 2u << (tag - 0xde), MSGSCAN_MAP, t);
    default: // 0xc1
        return false;
    }
}

static bool take_token(struct msgscan *s, struct msgscan_token *t)
{
    if (s->at == s->end)
        return false;
    unsigned tag = *s->at++;
    if (tag < 0x80) {
        t->type = MSGSCAN_UINT;
        t->u = tag;
        return true;
    }
    if (tag < 0xa0) {
        t->type = tag < 0x90 ? MSGSCAN_MAP : MSGSCAN_ARRAY;
        t->count = tag & 0x0f;
        return true;
    }
    if (tag < 0xc0)
        return take_bytes(s, tag & 0x1f, MSGSCAN_STR, t);
    if (tag < 0xe0)
        return take_tagged(s, tag, t);
    t->type = MSGSCAN_INT;
    t->i = (int8_t)(uint8_t)tag;
    return true;
}

// Values that follow a token and belong to it.
static uint64_t token_children(const struct msgscan_token *t)
{
    return t->type == MSGSCAN_ARRAY ? t->count : t->type == MSGSCAN_MAP ? 2 * (uint64_t)t->count : 0;
}

enum msgscan_error msgscan_check(struct str bytes, const struct msgscan_limits *limits)
{
    ASSERT(limits->depth <= MSGSCAN_DEPTH_MAX);
    if (bytes.len > limits->bytes)
        return MSGSCAN_LARGE;
    struct msgscan s = msgscan_begin(bytes);
    uint64_t open[MSGSCAN_DEPTH_MAX + 1] = {1}; // values still to come at each level
    unsigned depth = 0, items = 0;
    while (open[0] > 0 || depth > 0) {
        if (open[depth] == 0) {
            depth--;
            continue;
        }
        open[depth]--;
        if (++items > limits->items)
            return MSGSCAN_MANY;
        struct msgscan_token t;
        bool unused_byte = s.at < s.end && *s.at == 0xc1;
        if (!take_token(&s, &t))
            return unused_byte ? MSGSCAN_TYPE : MSGSCAN_SHORT;
        if (t.type != MSGSCAN_ARRAY && t.type != MSGSCAN_MAP)
            continue;
        if (depth == limits->depth)
            return MSGSCAN_DEEP;
        open[++depth] = token_children(&t);
        if (open[depth] > limits->items - items)
            return MSGSCAN_MANY;
    }
    return s.at == s.end ? MSGSCAN_OK : MSGSCAN_TRAILING;
}

struct msgscan msgscan_begin(struct str bytes)
{
    static const unsigned char nothing[1];
    const unsigned char *at = bytes.len ? (const unsigned char *)bytes.ptr : nothing;
    return (struct msgscan){.at = at, .end = at + bytes.len};
}

bool msgscan_next(struct msgscan *s, struct msgscan_token *token)
{
    if (s->failed || !take_token(s, token)) {
        s->failed = true;
        return false;
    }
    return true;
}

static bool next_is(struct msgscan *s, enum msgscan_type type, struct msgscan_token *t)
{
    if (!msgscan_next(s, t))
        return false;
    s->failed = t->type != type;
    return !s->failed;
}

uint64_t msgscan_uint(struct msgscan *s, uint64_t max)
{
    struct msgscan_token t;
    if (!next_is(s, MSGSCAN_UINT, &t))
        return 0;
    s->failed = t.u > max;
    return s->failed ? 0 : t.u;
}

int64_t msgscan_int(struct msgscan *s)
{
    struct msgscan_token t;
    if (!msgscan_next(s, &t))
        return 0;
    if (t.type == MSGSCAN_INT)
        return t.i;
    s->failed = t.type != MSGSCAN_UINT || t.u > INT64_MAX;
    return s->failed ? 0 : (int64_t)t.u;
}

bool msgscan_bool(struct msgscan *s)
{
    struct msgscan_token t;
    return next_is(s, MSGSCAN_BOOL, &t) && t.truth;
}

struct str msgscan_str(struct msgscan *s)
{
    struct msgscan_token t;
    if (!msgscan_next(s, &t))
        return STR_NONE;
    s->failed = t.type != MSGSCAN_STR && t.type != MSGSCAN_BIN;
    return s->failed ? STR_NONE : t.bytes;
}

uint32_t msgscan_array(struct msgscan *s)
{
    struct msgscan_token t;
    return next_is(s, MSGSCAN_ARRAY, &t) ? t.count : 0;
}

uint32_t msgscan_map(struct msgscan *s)
{
    struct msgscan_token t;
    return next_is(s, MSGSCAN_MAP, &t) ? t.count : 0;
}

void msgscan_skip(struct msgscan *s)
{
    // A count of values still to pass over needs no stack. It cannot wrap: each addend is below 2^33 and costs a byte.
    for (uint64_t left = 1; left > 0; left--) {
        struct msgscan_token t;
        if (!msgscan_next(s, &t))
            return;
        left += token_children(&t);
    }
}
