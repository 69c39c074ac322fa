// SPDX-License-Identifier: Apache-2.0
// Control messages as msgpack. Writing goes through msgpack-c's packer, reading through base's bounded cursor. Each
// record is a map from the small integers below to values; a reader takes absent keys as zero and skips those it does
// not know.
#include "cluster/wire.h"

#include <msgpack/pack.h>

#include "cluster/transport.h"
#include "node/base/msgscan.h"
#include "node/base/panic.h"

enum message_key {
    KEY_VERSION,
    KEY_KIND,
    KEY_FROM,
    KEY_SEQ,
    KEY_ASKER,
    KEY_TARGET,
    KEY_WANT_REPLY,
    KEY_ADMIN_DIGEST,
    KEY_SELF,
    KEY_ENTRIES,
    KEY_BOOT,
    KEY_REPORTS,
    KEY_REGISTERS,
};

enum entry_key {
    ENTRY_NODE,
    ENTRY_DECLARED,
    ENTRY_ACCUSED,
    ENTRY_AGE_MS,
    ENTRY_BOOT,
    ENTRY_REFUTATION,
    ENTRY_INFO_SEQ,
    ENTRY_CONNS,
    ENTRY_ISOLATED,
    ENTRY_KEYS
};

enum report_key {
    REPORT_NAME,
    REPORT_VERDICT,
    REPORT_FAILING,
    REPORT_SEQ,
    REPORT_AGE_MS,
    REPORT_INTER_MS,
    REPORT_KEYS
};

enum register_key { REGISTER_NAME, REGISTER_FIELD, REGISTER_VALUE, REGISTER_STAMP, REGISTER_KEYS };

// message → array of entries → entry
static const struct msgscan_limits limits = {.bytes = CLUSTER_MESSAGE_MAX, .depth = 3, .items = 4096};

void wire_names_init(struct wire_names *names, const char *const *nodes, uint32_t count)
{
    *names = (struct wire_names){.nodes = nodes, .count = count};
    for (uint32_t i = 0; i < count; i++)
        strmap_put(&names->numbers, str_of(nodes[i]), (void *)(uintptr_t)(i + 1));
}

void wire_names_free(struct wire_names *names)
{
    strmap_free(&names->numbers);
}

static uint32_t number_of(const struct wire_names *names, struct str name)
{
    uintptr_t found = name.ptr ? (uintptr_t)strmap_get(&names->numbers, name) : 0;
    return found ? (uint32_t)(found - 1) : CLUSTER_NO_NODE;
}

// ---- writing ----

struct writer {
    msgpack_packer packer;
    const struct wire_names *names;
};

static int write_bytes(void *arg, const char *bytes, size_t len)
{
    buf_add(arg, bytes, len);
    return 0;
}

static void put_map(struct writer *w, unsigned count)
{
    msgpack_pack_map(&w->packer, count);
}

static void put_key(struct writer *w, unsigned key)
{
    msgpack_pack_uint64(&w->packer, key);
}

static void put_uint(struct writer *w, unsigned key, uint64_t value)
{
    put_key(w, key);
    msgpack_pack_uint64(&w->packer, value);
}

static void put_int(struct writer *w, unsigned key, int64_t value)
{
    put_key(w, key);
    msgpack_pack_int64(&w->packer, value);
}

static void put_bool(struct writer *w, unsigned key, bool value)
{
    put_key(w, key);
    value ? msgpack_pack_true(&w->packer) : msgpack_pack_false(&w->packer);
}

static void put_str(struct writer *w, unsigned key, struct str value)
{
    put_key(w, key);
    msgpack_pack_str(&w->packer, value.len);
    msgpack_pack_str_body(&w->packer, value.ptr, value.len);
}

static void put_node(struct writer *w, unsigned key, uint32_t node)
{
    ASSERT(node < w->names->count);
    put_str(w, key, str_of(w->names->nodes[node]));
}

static void put_array(struct writer *w, unsigned key, unsigned count)
{
    put_key(w, key);
    msgpack_pack_array(&w->packer, count);
}

static void put_entry(struct writer *w, const struct member_entry *e)
{
    put_map(w, ENTRY_KEYS);
    put_node(w, ENTRY_NODE, e->node);
    put_uint(w, ENTRY_DECLARED, e->declared);
    put_uint(w, ENTRY_ACCUSED, e->accused);
    put_uint(w, ENTRY_AGE_MS, e->age_ms);
    put_uint(w, ENTRY_BOOT, e->boot);
    put_uint(w, ENTRY_REFUTATION, e->refutation);
    put_uint(w, ENTRY_INFO_SEQ, e->info_seq);
    put_uint(w, ENTRY_CONNS, e->conns);
    put_bool(w, ENTRY_ISOLATED, e->isolated);
}

static void put_member(struct writer *w, const struct member_msg *m)
{
    put_uint(w, KEY_SEQ, m->seq);
    put_node(w, KEY_ASKER, m->asker);
    put_node(w, KEY_TARGET, m->target);
    put_bool(w, KEY_WANT_REPLY, m->want_reply);
    put_uint(w, KEY_ADMIN_DIGEST, m->admin_digest);
    put_key(w, KEY_SELF);
    put_entry(w, &m->self);
    put_array(w, KEY_ENTRIES, m->count);
    for (uint32_t i = 0; i < m->count; i++)
        put_entry(w, &m->entries[i]);
}

static void put_verdicts(struct writer *w, const struct verdict_msg *m)
{
    put_uint(w, KEY_BOOT, m->boot);
    put_array(w, KEY_REPORTS, m->count);
    for (uint32_t i = 0; i < m->count; i++) {
        const struct verdict_report *r = &m->reports[i];
        put_map(w, REPORT_KEYS);
        put_str(w, REPORT_NAME, r->name);
        put_uint(w, REPORT_VERDICT, r->verdict);
        put_bool(w, REPORT_FAILING, r->failing);
        put_uint(w, REPORT_SEQ, r->seq);
        put_uint(w, REPORT_AGE_MS, r->age_ms);
        put_uint(w, REPORT_INTER_MS, r->inter_ms);
    }
}

static void put_admin(struct writer *w, const struct admin_msg *m)
{
    put_array(w, KEY_REGISTERS, m->count);
    for (uint32_t i = 0; i < m->count; i++) {
        const struct admin_register *r = &m->registers[i];
        put_map(w, REGISTER_KEYS);
        put_str(w, REGISTER_NAME, r->name);
        put_uint(w, REGISTER_FIELD, r->field);
        put_int(w, REGISTER_VALUE, r->value);
        put_uint(w, REGISTER_STAMP, r->stamp);
    }
}

void wire_encode(const struct cluster_msg *msg, const struct wire_names *names, struct buf *out)
{
    struct writer w = {.names = names};
    size_t before = out->len;
    unsigned keys = msg->kind == CMSG_VERDICTS ? 2 : msg->kind == CMSG_ADMIN ? 1 : 7;
    msgpack_packer_init(&w.packer, out, write_bytes);
    put_map(&w, 3 + keys);
    put_uint(&w, KEY_VERSION, WIRE_VERSION);
    put_uint(&w, KEY_KIND, msg->kind);
    put_node(&w, KEY_FROM, msg->from);
    if (msg->kind == CMSG_VERDICTS)
        put_verdicts(&w, &msg->verdicts);
    else if (msg->kind == CMSG_ADMIN)
        put_admin(&w, &msg->admin);
    else
        put_member(&w, &msg->member);
    ASSERT(out->len - before <= CLUSTER_MESSAGE_MAX);
}

// ---- reading ----

struct reader {
    struct msgscan in;
    const struct wire_names *names;
};

static uint32_t get_node(struct reader *r)
{
    return number_of(r->names, msgscan_str(&r->in));
}

static uint32_t get_u32(struct reader *r)
{
    return (uint32_t)msgscan_uint(&r->in, UINT32_MAX);
}

// Keys of a later version are passed over, but they are small integers too.
static unsigned get_key(struct reader *r)
{
    return (unsigned)msgscan_uint(&r->in, INT32_MAX);
}

static void get_entry(struct reader *r, struct member_entry *e)
{
    *e = (struct member_entry){.node = CLUSTER_NO_NODE};
    for (uint32_t n = msgscan_map(&r->in); n > 0 && !r->in.failed; n--) {
        switch (get_key(r)) {
        case ENTRY_NODE:
            e->node = get_node(r);
            break;
        case ENTRY_DECLARED:
            e->declared = (enum member_state)msgscan_uint(&r->in, UINT8_MAX);
            break;
        case ENTRY_ACCUSED:
            e->accused = (enum accusation)msgscan_uint(&r->in, ACCUSED_DEAD);
            break;
        case ENTRY_AGE_MS:
            e->age_ms = get_u32(r);
            break;
        case ENTRY_BOOT:
            e->boot = msgscan_uint(&r->in, UINT64_MAX);
            break;
        case ENTRY_REFUTATION:
            e->refutation = get_u32(r);
            break;
        case ENTRY_INFO_SEQ:
            e->info_seq = get_u32(r);
            break;
        case ENTRY_CONNS:
            e->conns = get_u32(r);
            break;
        case ENTRY_ISOLATED:
            e->isolated = msgscan_bool(&r->in);
            break;
        default:
            msgscan_skip(&r->in);
        }
    }
}

static void get_entries(struct reader *r, struct member_msg *m)
{
    uint32_t n = msgscan_array(&r->in);
    r->in.failed |= n > MEMBER_MSG_ENTRIES;
    for (m->count = 0; n > 0 && !r->in.failed; n--) {
        get_entry(r, &m->entries[m->count]);
        if (m->entries[m->count].node != CLUSTER_NO_NODE)
            m->count++;
    }
}

static void get_report(struct reader *r, struct verdict_report *report)
{
    *report = (struct verdict_report){0};
    for (uint32_t n = msgscan_map(&r->in); n > 0 && !r->in.failed; n--) {
        switch (get_key(r)) {
        case REPORT_NAME:
            report->name = msgscan_str(&r->in);
            break;
        case REPORT_VERDICT:
            report->verdict = (enum verdict)msgscan_uint(&r->in, VERDICT_DOWN);
            break;
        case REPORT_FAILING:
            report->failing = msgscan_bool(&r->in);
            break;
        case REPORT_SEQ:
            report->seq = msgscan_uint(&r->in, UINT64_MAX);
            break;
        case REPORT_AGE_MS:
            report->age_ms = get_u32(r);
            break;
        case REPORT_INTER_MS:
            report->inter_ms = get_u32(r);
            break;
        default:
            msgscan_skip(&r->in);
        }
    }
}

static void get_reports(struct reader *r, struct verdict_msg *m)
{
    uint32_t n = msgscan_array(&r->in);
    r->in.failed |= n > VERDICT_MSG_REPORTS;
    for (m->count = 0; n > 0 && !r->in.failed; n--)
        get_report(r, &m->reports[m->count++]);
}

static void get_register(struct reader *r, struct admin_register *reg)
{
    *reg = (struct admin_register){0};
    for (uint32_t n = msgscan_map(&r->in); n > 0 && !r->in.failed; n--) {
        switch (get_key(r)) {
        case REGISTER_NAME:
            reg->name = msgscan_str(&r->in);
            break;
        case REGISTER_FIELD:
            reg->field = (enum admin_field)msgscan_uint(&r->in, UINT8_MAX);
            break;
        case REGISTER_VALUE: {
            int64_t value = msgscan_int(&r->in);
            r->in.failed |= value < INT32_MIN || value > INT32_MAX;
            reg->value = (int32_t)value;
            break;
        }
        case REGISTER_STAMP:
            reg->stamp = msgscan_uint(&r->in, UINT64_MAX);
            break;
        default:
            msgscan_skip(&r->in);
        }
    }
}

static void get_registers(struct reader *r, struct admin_msg *m)
{
    uint32_t n = msgscan_array(&r->in);
    r->in.failed |= n > ADMIN_MSG_REGISTERS;
    for (m->count = 0; n > 0 && !r->in.failed; n--)
        get_register(r, &m->registers[m->count++]);
}

// The keys of one kind of message; false for a key that it does not have.
static bool get_member_key(struct reader *r, unsigned key, struct member_msg *m)
{
    switch (key) {
    case KEY_SEQ:
        m->seq = msgscan_uint(&r->in, UINT64_MAX);
        return true;
    case KEY_ASKER:
        m->asker = get_node(r);
        return true;
    case KEY_TARGET:
        m->target = get_node(r);
        return true;
    case KEY_WANT_REPLY:
        m->want_reply = msgscan_bool(&r->in);
        return true;
    case KEY_ADMIN_DIGEST:
        m->admin_digest = msgscan_uint(&r->in, UINT64_MAX);
        return true;
    case KEY_SELF:
        get_entry(r, &m->self);
        return true;
    case KEY_ENTRIES:
        get_entries(r, m);
        return true;
    default:
        return false;
    }
}

static bool get_body_key(struct reader *r, unsigned key, struct cluster_msg *msg)
{
    switch (msg->kind) {
    case CMSG_VERDICTS:
        if (key == KEY_BOOT)
            msg->verdicts.boot = msgscan_uint(&r->in, UINT64_MAX);
        else if (key == KEY_REPORTS)
            get_reports(r, &msg->verdicts);
        else
            return false;
        return true;
    case CMSG_ADMIN:
        if (key != KEY_REGISTERS)
            return false;
        get_registers(r, &msg->admin);
        return true;
    default:
        return get_member_key(r, key, &msg->member);
    }
}

static void clear_body(struct cluster_msg *msg)
{
    if (msg->kind == CMSG_VERDICTS) {
        msg->verdicts.boot = 0;
        msg->verdicts.count = 0;
    } else if (msg->kind == CMSG_ADMIN) {
        msg->admin.count = 0;
    } else {
        struct member_msg *m = &msg->member;
        m->kind = msg->kind;
        m->seq = m->admin_digest = 0;
        m->asker = m->target = m->self.node = CLUSTER_NO_NODE;
        m->want_reply = false;
        m->count = 0;
    }
}

// Version and kind come first in every message, so that the rest can be read by kind.
static enum wire_error get_head(struct reader *r, struct cluster_msg *msg)
{
    if (get_key(r) != KEY_VERSION || r->in.failed)
        return WIRE_MALFORMED;
    if (msgscan_uint(&r->in, UINT32_MAX) != WIRE_VERSION)
        return r->in.failed ? WIRE_MALFORMED : WIRE_VERSION_UNKNOWN;
    if (get_key(r) != KEY_KIND || r->in.failed)
        return WIRE_MALFORMED;
    uint64_t kind = msgscan_uint(&r->in, UINT32_MAX);
    if (r->in.failed)
        return WIRE_MALFORMED;
    if (kind < CMSG_PING || kind > CMSG_ADMIN)
        return WIRE_KIND_UNKNOWN;
    msg->kind = (enum cluster_msg_kind)kind;
    return WIRE_OK;
}

static bool nodes_known(const struct cluster_msg *msg)
{
    if (msg->from == CLUSTER_NO_NODE)
        return false;
    if (msg->kind == CMSG_VERDICTS || msg->kind == CMSG_ADMIN)
        return true;
    const struct member_msg *m = &msg->member;
    return m->asker != CLUSTER_NO_NODE && m->target != CLUSTER_NO_NODE && m->self.node != CLUSTER_NO_NODE;
}

enum wire_error wire_decode(struct str bytes, const struct wire_names *names, struct cluster_msg *msg)
{
    if (msgscan_check(bytes, &limits) != MSGSCAN_OK)
        return WIRE_MALFORMED;
    struct reader r = {.in = msgscan_begin(bytes), .names = names};
    uint32_t keys = msgscan_map(&r.in);
    if (keys < 2)
        return WIRE_MALFORMED;
    enum wire_error error = get_head(&r, msg);
    if (error != WIRE_OK)
        return error;
    msg->from = CLUSTER_NO_NODE;
    clear_body(msg);
    for (keys -= 2; keys > 0 && !r.in.failed; keys--) {
        unsigned key = get_key(&r);
        if (key == KEY_FROM)
            msg->from = get_node(&r);
        else if (!get_body_key(&r, key, msg))
            msgscan_skip(&r.in);
    }
    if (r.in.failed)
        return WIRE_MALFORMED;
    return nodes_known(msg) ? WIRE_OK : WIRE_NODE_UNKNOWN;
}
