// SPDX-License-Identifier: Apache-2.0
// Messages as bytes. Head: {version, origin, boot, seq, ack, kind, body}. An update is an array, of which the last ones
// may be missing:
//
//     [key, remaining ms or -1, [row …], [register …], deleted]
//     row = [node << 2 | has target << 1 | fold, birth, columns, (target), value …]
//     register = [data, index, stamp, value or server's name]
//
// Stamps are differences to the frame's base, which keeps an update of two counters below 40 bytes.
#include "peers/message.h"

#include <msgpack.h>
#include <stdlib.h>

#include "node/base/panic.h"

enum { KEY_VERSION, KEY_ORIGIN, KEY_BOOT, KEY_SEQ, KEY_ACK, KEY_KIND, KEY_BODY, KEY_COUNT };

#define NODE_FOLD   1u
#define NODE_TARGET 2u
#define NODE_SHIFT  2

// ---- writing

static int write_buf(void *data, const char *bytes, size_t len)
{
    buf_add(data, bytes, len);
    return 0;
}

static msgpack_packer packer(struct message_writer *w)
{
    msgpack_packer p;
    msgpack_packer_init(&p, w->out, write_buf);
    return p;
}

static void put_uint(struct message_writer *w, uint64_t v)
{
    msgpack_packer p = packer(w);
    msgpack_pack_uint64(&p, v);
}

static void put_int(struct message_writer *w, int64_t v)
{
    msgpack_packer p = packer(w);
    msgpack_pack_int64(&p, v);
}

static void put_str(struct message_writer *w, struct str s)
{
    msgpack_packer p = packer(w);
    msgpack_pack_str(&p, s.len);
    msgpack_pack_str_body(&p, s.ptr, s.len);
}

static void put_bin(struct message_writer *w, struct str s)
{
    msgpack_packer p = packer(w);
    msgpack_pack_bin(&p, s.len);
    msgpack_pack_bin_body(&p, s.ptr, s.len);
}

static void put_array(struct message_writer *w, size_t n)
{
    msgpack_packer p = packer(w);
    msgpack_pack_array(&p, n);
}

// A number of fixed width, so that it can be set later. Returns where its bytes are.
static size_t put_later(struct message_writer *w, char head, unsigned bytes)
{
    buf_add_char(w->out, head);
    size_t at = w->out->len;
    buf_add(w->out, "\0\0\0\0\0\0\0\0", bytes);
    return at;
}

static void set_later(struct message_writer *w, size_t at, unsigned bytes, uint64_t v)
{
    for (unsigned i = bytes; i-- > 0; v >>= 8)
        w->out->data[at + i] = (char)v;
}

void message_write(struct message_writer *w, struct buf *out, const struct message_head *h)
{
    *w = (struct message_writer){.out = out};
    buf_clear(out);
    msgpack_packer p = packer(w);
    msgpack_pack_map(&p, KEY_COUNT);
    put_uint(w, KEY_VERSION);
    put_uint(w, MESSAGE_VERSION);
    put_uint(w, KEY_ORIGIN);
    put_str(w, h->origin);
    put_uint(w, KEY_BOOT);
    put_uint(w, h->boot);
    put_uint(w, KEY_SEQ);
    put_uint(w, h->seq);
    put_uint(w, KEY_ACK);
    w->ack_at = put_later(w, (char)0xcf, 8);
    message_set_ack(w, h->ack);
    put_uint(w, KEY_KIND);
    put_uint(w, h->kind);
    put_uint(w, KEY_BODY);
    if (h->kind == MESSAGE_ALIVE || h->kind == MESSAGE_SYNCED)
        msgpack_pack_nil(&p);
}

void message_set_ack(struct message_writer *w, uint64_t ack)
{
    set_later(w, w->ack_at, 8, ack);
}

static void put_shape(struct message_writer *w, const struct table_shape *shape)
{
    unsigned n = 0;
    for (unsigned d = 0; d < TD_COUNT; d++)
        n += shape->data[d].elements > 0;
    put_array(w, n);
    for (unsigned d = 0; d < TD_COUNT; d++) {
        if (shape->data[d].elements == 0)
            continue;
        put_array(w, 3);
        put_uint(w, d);
        put_uint(w, shape->data[d].elements);
        put_uint(w, shape->data[d].period_ms);
    }
}

void message_write_tables(struct message_writer *w, const struct message_table *tables, unsigned count)
{
    put_array(w, count);
    for (unsigned i = 0; i < count; i++) {
        put_array(w, 6);
        put_uint(w, tables[i].id);
        put_str(w, tables[i].name);
        put_uint(w, tables[i].key_type);
        put_uint(w, tables[i].key_len);
        put_uint(w, tables[i].entries);
        put_shape(w, &tables[i].shape);
    }
}

void message_begin_updates(struct message_writer *w, uint32_t table, struct table *t, const struct table_shape *shape)
{
    unsigned nodes = table_node_count(t);
    w->shape = shape;
    w->count = 0;
    put_array(w, 4);
    put_uint(w, table);
    put_array(w, nodes);
    for (unsigned i = 0; i < nodes; i++)
        put_str(w, table_node_name(t, i));
    w->base = 0; // taken from the first row; its bytes come before
    w->count_at = put_later(w, (char)0xcf, 8);
    put_later(w, (char)0xdd, 4);
}

static void put_stamp(struct message_writer *w, uint64_t stamp)
{
    if (w->base == 0) {
        w->base = stamp;
        set_later(w, w->count_at, 8, stamp);
    }
    put_int(w, (int64_t)(stamp - w->base));
}

static unsigned count_values(const struct table_shape *shape, uint32_t columns)
{
    unsigned n = 0;
    for (unsigned d = 0; d < TD_COUNT; d++)
        if (columns >> d & 1)
            n += table_data_values(d) * shape->data[d].elements;
    return n;
}

static void put_row(struct message_writer *w, const struct table_row *r)
{
    unsigned values = count_values(w->shape, r->columns);
    put_array(w, 3u + (r->target != 0) + values);
    put_uint(w, r->node << NODE_SHIFT | (r->target ? NODE_TARGET : 0) | (r->fold ? NODE_FOLD : 0));
    put_stamp(w, r->birth);
    put_uint(w, r->columns);
    if (r->target)
        put_stamp(w, r->target);
    for (unsigned i = 0; i < values; i++)
        put_uint(w, r->values[i]);
}

static void put_register(struct message_writer *w, const struct table_register *r)
{
    put_array(w, 4);
    put_uint(w, r->data);
    put_uint(w, r->index);
    put_stamp(w, r->stamp);
    if (r->data == TD_SERVER_KEY)
        put_str(w, r->server);
    else
        put_uint(w, r->value);
}

void message_add_update(struct message_writer *w, const struct table_update *u)
{
    w->count++;
    put_array(w, u->deleted ? 5 : u->register_count ? 4 : 3);
    put_bin(w, u->key);
    put_int(w, u->remaining_ms);
    put_array(w, u->row_count);
    for (uint32_t i = 0; i < u->row_count; i++)
        put_row(w, &u->rows[i]);
    if (!u->deleted && !u->register_count)
        return;
    put_array(w, u->register_count);
    for (uint32_t i = 0; i < u->register_count; i++)
        put_register(w, &u->registers[i]);
    if (u->deleted)
        put_stamp(w, u->deleted);
}

void message_end_updates(struct message_writer *w)
{
    set_later(w, w->count_at + 8 + 1, 4, w->count);
}

void message_write_digests(struct message_writer *w, const struct message_digests *d)
{
    msgpack_packer p = packer(w);
    put_array(w, 5);
    put_uint(w, d->table);
    put_uint(w, d->span);
    put_uint(w, d->first);
    if (d->last)
        msgpack_pack_true(&p);
    else
        msgpack_pack_false(&p);
    put_bin(w, str_make(d->digests, (size_t)d->count * 8));
}

// ---- reading

bool message_read(struct str bytes, struct message *m)
{
    // An item has a byte at least, so their number is bounded by the length.
    static const struct msgscan_limits limits = {.bytes = MESSAGE_MAX, .depth = 8, .items = MESSAGE_MAX};
    if (msgscan_check(bytes, &limits) != MSGSCAN_OK)
        return false;
    struct msgscan s = msgscan_begin(bytes);
    uint64_t version = 0;
    *m = (struct message){.body = {.failed = true}};
    for (uint32_t n = msgscan_map(&s); n > 0 && !s.failed; n--) {
        switch (msgscan_uint(&s, UINT32_MAX)) {
        case KEY_VERSION:
            version = msgscan_uint(&s, UINT32_MAX);
            break;
        case KEY_ORIGIN:
            m->head.origin = msgscan_str(&s);
            break;
        case KEY_BOOT:
            m->head.boot = msgscan_uint(&s, UINT64_MAX);
            break;
        case KEY_SEQ:
            m->head.seq = msgscan_uint(&s, UINT64_MAX);
            break;
        case KEY_ACK:
            m->head.ack = msgscan_uint(&s, UINT64_MAX);
            break;
        case KEY_KIND:
            m->head.kind = (enum message_kind)msgscan_uint(&s, UINT8_MAX);
            break;
        case KEY_BODY:
            m->body = s;
            msgscan_skip(&s);
            break;
        default:
            msgscan_skip(&s);
        }
    }
    return !s.failed && !m->body.failed && version == MESSAGE_VERSION && m->head.origin.len > 0;
}

uint32_t message_read_table_count(struct message *m)
{
    return msgscan_array(&m->body);
}

static void read_shape(struct msgscan *s, struct table_shape *shape)
{
    *shape = (struct table_shape){0};
    for (uint32_t n = msgscan_array(s); n > 0 && !s->failed; n--) {
        s->failed |= msgscan_array(s) != 3;
        uint64_t d = msgscan_uint(s, UINT32_MAX);
        uint16_t elements = (uint16_t)msgscan_uint(s, 1000);
        uint32_t period_ms = (uint32_t)msgscan_uint(s, UINT32_MAX);
        if (d < TD_COUNT && !s->failed) {
            shape->data[d].elements = elements;
            shape->data[d].period_ms = period_ms;
        }
    }
}

bool message_read_table(struct message *m, struct message_table *t)
{
    struct msgscan *s = &m->body;
    s->failed |= msgscan_array(s) != 6;
    t->id = (uint32_t)msgscan_uint(s, UINT32_MAX);
    t->name = msgscan_str(s);
    t->key_type = (uint32_t)msgscan_uint(s, UINT32_MAX);
    t->key_len = (uint32_t)msgscan_uint(s, UINT32_MAX);
    t->entries = msgscan_uint(s, UINT64_MAX);
    read_shape(s, &t->shape);
    return !s->failed;
}

bool message_read_digests(struct message *m, struct message_digests *d)
{
    struct msgscan *s = &m->body;
    s->failed |= msgscan_array(s) != 5;
    d->table = (uint32_t)msgscan_uint(s, UINT32_MAX);
    d->span = (uint32_t)msgscan_uint(s, TABLE_BUCKETS);
    d->first = (uint32_t)msgscan_uint(s, TABLE_BUCKETS);
    d->last = msgscan_bool(s);
    struct str bytes = msgscan_str(s);
    d->digests = bytes.ptr;
    d->count = (uint32_t)(bytes.len / 8);
    return !s->failed && bytes.len % 8 == 0 && d->count <= MESSAGE_DIGESTS_MAX &&
           (d->span == 1 || d->span == MESSAGE_SPAN) && d->first + d->count * d->span <= TABLE_BUCKETS;
}

// ---- reading updates

struct message_scratch {
    uint64_t *values;
    size_t count, cap;
    struct table_row *rows;
    size_t row_cap;
    struct table_register registers[256];
};

static void *grow(void *memory, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return memory;
    *cap = need * 2;
    memory = realloc(memory, *cap * size);
    if (!memory)
        PANIC("out of memory");
    return memory;
}

struct message_scratch *message_scratch_create(void)
{
    struct message_scratch *x = calloc(1, sizeof(*x));
    if (!x)
        PANIC("out of memory");
    x->values = grow(NULL, &x->cap, 64, sizeof(*x->values));
    x->rows = grow(NULL, &x->row_cap, 16, sizeof(*x->rows));
    return x;
}

void message_scratch_destroy(struct message_scratch **x)
{
    if (*x) {
        free((*x)->values);
        free((*x)->rows);
    }
    free(*x);
    *x = NULL;
}

bool message_read_updates(struct message *m, struct message_updates *u)
{
    struct msgscan *s = &m->body;
    s->failed |= msgscan_array(s) != 4;
    u->table = (uint32_t)msgscan_uint(s, UINT32_MAX);
    u->node_count = msgscan_array(s);
    if (u->node_count > MESSAGE_NODES_MAX)
        return false;
    for (uint32_t i = 0; i < u->node_count; i++)
        u->nodes[i] = msgscan_str(s);
    u->base = msgscan_uint(s, UINT64_MAX);
    u->count = msgscan_array(s);
    return !s->failed;
}

static uint64_t read_stamp(struct msgscan *s, uint64_t base)
{
    return base + (uint64_t)msgscan_int(s);
}

// The value count follows from the columns, and must be what the array has: bounded by the message's length.
static bool read_row(struct msgscan *s, const struct message_updates *us, const struct table_shape *shape,
                     struct message_scratch *x, struct table_row *r)
{
    uint32_t items = msgscan_array(s);
    uint64_t node = msgscan_uint(s, UINT32_MAX);
    *r = (struct table_row){.node = (uint32_t)(node >> NODE_SHIFT), .fold = node & NODE_FOLD};
    r->birth = read_stamp(s, us->base);
    r->columns = (uint32_t)msgscan_uint(s, UINT32_MAX);
    bool target = node & NODE_TARGET;
    r->target = target ? read_stamp(s, us->base) : 0;
    if (s->failed || r->node >= us->node_count || r->columns >> TD_COUNT)
        return false;
    unsigned values = count_values(shape, r->columns);
    if (items != 3u + target + values)
        return false;
    x->values = grow(x->values, &x->cap, x->count + values, sizeof(*x->values));
    for (unsigned i = 0; i < values; i++)
        x->values[x->count++] = msgscan_uint(s, UINT64_MAX);
    r->values = (const uint64_t *)(uintptr_t)values; // how many; where they are is known when all were read
    return !s->failed;
}

static bool read_rows(struct msgscan *s, const struct message_updates *us, const struct table_shape *shape,
                      struct message_scratch *x, struct table_update *u)
{
    u->row_count = msgscan_array(s);
    if (s->failed || u->row_count > 1024)
        return false;
    x->rows = grow(x->rows, &x->row_cap, u->row_count, sizeof(*x->rows));
    x->count = 0;
    for (uint32_t i = 0; i < u->row_count; i++)
        if (!read_row(s, us, shape, x, &x->rows[i]))
            return false;
    const uint64_t *at = x->values;
    for (uint32_t i = 0; i < u->row_count; i++) {
        uintptr_t values = (uintptr_t)x->rows[i].values;
        x->rows[i].values = at;
        at += values;
    }
    u->rows = x->rows;
    return true;
}

static bool read_registers(struct msgscan *s, const struct message_updates *us, struct message_scratch *x,
                           struct table_update *u)
{
    u->register_count = msgscan_array(s);
    if (u->register_count > sizeof(x->registers) / sizeof(x->registers[0]))
        return false;
    for (uint32_t i = 0; i < u->register_count && !s->failed; i++) {
        struct table_register *r = &x->registers[i];
        s->failed |= msgscan_array(s) != 4;
        *r = (struct table_register){.data = (uint8_t)msgscan_uint(s, UINT8_MAX)};
        r->index = (uint8_t)msgscan_uint(s, UINT8_MAX);
        r->stamp = read_stamp(s, us->base);
        if (r->data == TD_SERVER_KEY)
            r->server = msgscan_str(s);
        else
            r->value = (uint32_t)msgscan_uint(s, UINT32_MAX);
    }
    u->registers = x->registers;
    return !s->failed;
}

bool message_read_update(struct message *m, struct message_updates *us, const struct table_shape *shape,
                         struct message_scratch *x, struct table_update *u)
{
    struct msgscan *s = &m->body;
    uint32_t items = msgscan_array(s);
    *u = (struct table_update){.key = msgscan_str(s)};
    u->remaining_ms = msgscan_int(s);
    if (s->failed || items < 3 || us->count == 0)
        return false;
    us->count--;
    if (!read_rows(s, us, shape, x, u) || (items > 3 && !read_registers(s, us, x, u)))
        return false;
    if (items > 4)
        u->deleted = read_stamp(s, us->base);
    for (uint32_t i = 5; i < items && !s->failed; i++) // of a later version
        msgscan_skip(s);
    return !s->failed;
}
