// SPDX-License-Identifier: Apache-2.0
// Joins the pure parts: an event goes into the part it concerns, and its actions become bytes for other nodes,
// decisions for this one, or events for the other parts.
#include "cluster/core.h"

#include <stdlib.h>

#include "cluster/wire.h"
#include "node/base/panic.h"

enum {
    // Registers are compared with each ping. Two that differ twice in a row are sent whole, but not more often than
    // this.
    ADMIN_MISMATCHES = 2,
    ADMIN_RESEND_MS = 2000,
};

struct peer {
    unsigned admin_mismatches;
    mono_t admin_sent_at;
};

struct core {
    struct core_ports ports;
    struct wire_names names;
    uint32_t self;
    struct membership *membership;
    struct health *health;
    struct admin_state *admin;
    struct peer peers[CLUSTER_NODES_MAX];
    uint32_t conns;
    struct cluster_msg msg; // scratch: too large for a stack that others share
    struct buf bytes;       // scratch
    struct member_actions member_actions;
    struct health_actions health_actions;
};

struct core *core_create(const struct core_options *o, const struct core_ports *ports, struct core_time now)
{
    struct core *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    c->ports = *ports;
    c->self = o->self;
    wire_names_init(&c->names, o->names, o->node_count);
    struct membership_options mo = {.node_count = o->node_count, .self = o->self, .boot = o->boot, .seed = o->seed};
    c->membership = membership_create(&mo, now.mono);
    c->health = health_create(o->self, o->health, o->boot);
    c->admin = admin_state_create();
    return c;
}

void core_destroy(struct core **core)
{
    struct core *c = *core;
    *core = NULL;
    membership_destroy(&c->membership);
    health_destroy(&c->health);
    admin_state_destroy(&c->admin);
    wire_names_free(&c->names);
    member_actions_free(&c->member_actions);
    health_actions_free(&c->health_actions);
    buf_free(&c->bytes);
    free(c);
}

// ---- sending ----

static void send_to(struct core *c, uint32_t node)
{
    buf_clear(&c->bytes);
    c->msg.from = c->self;
    wire_encode(&c->msg, &c->names, &c->bytes);
    c->ports.send(c->ports.arg, node, buf_str(&c->bytes));
}

static bool wants_news(const struct core *c, uint32_t node)
{
    struct member_info info;
    if (node == c->self)
        return false;
    membership_get(c->membership, node, &info);
    return !info.forgotten && info.state != MEMBER_LEFT;
}

// The scratch message to one node, or to all (CLUSTER_NO_NODE). It is encoded once.
static void send_news(struct core *c, uint32_t node)
{
    if (node != CLUSTER_NO_NODE) {
        send_to(c, node);
        return;
    }
    buf_clear(&c->bytes);
    c->msg.from = c->self;
    wire_encode(&c->msg, &c->names, &c->bytes);
    for (uint32_t i = 0; i < membership_count(c->membership); i++)
        if (wants_news(c, i))
            c->ports.send(c->ports.arg, i, buf_str(&c->bytes));
}

static void send_all_registers(struct core *c, uint32_t node, mono_t now)
{
    unsigned cursor = 0;
    c->msg.kind = CMSG_ADMIN;
    while (admin_state_fill(c->admin, &cursor, &c->msg.admin))
        send_to(c, node);
    c->peers[node].admin_sent_at = now;
    c->peers[node].admin_mismatches = 0;
}

// ---- running the parts ----

static void run_health(struct core *c, const struct health_event *ev, mono_t now);

static void on_member_state(struct core *c, const struct member_action *a, mono_t now)
{
    bool ended = a->state.to == MEMBER_DEAD || a->state.to == MEMBER_LEFT;
    if (a->node != c->self && (ended || a->state.new_life)) {
        struct health_event life = {.kind = HEALTH_EV_LIFE, .node = a->node, .boot = a->state.boot};
        run_health(c, &life, now);
    }
    c->ports.node_state(c->ports.arg, a->node, a->state.boot, a->state.from, a->state.to, a->state.why);
}

static void run_membership(struct core *c, const struct member_event *ev, mono_t now)
{
    // Sends are encoded at once, so the list can be walked while health runs; membership itself is not entered again.
    struct member_actions *acts = &c->member_actions;
    acts->count = 0;
    membership_step(c->membership, ev, now, acts);
    for (unsigned i = 0; i < acts->count; i++) {
        const struct member_action *a = &acts->items[i];
        switch (a->kind) {
        case MEMBER_ACT_SEND:
            c->msg.kind = a->msg.kind;
            c->msg.member = a->msg;
            c->msg.member.admin_digest = admin_state_digest(c->admin);
            send_to(c, a->node);
            break;
        case MEMBER_ACT_STATE:
            on_member_state(c, a, now);
            break;
        case MEMBER_ACT_REMAKE:
            c->ports.remake(c->ports.arg, a->node);
            break;
        case MEMBER_ACT_BOOT:
            run_health(c, &(struct health_event){.kind = HEALTH_EV_LIFE, .node = c->self, .boot = a->boot}, now);
            c->ports.boot_raised(c->ports.arg, a->boot);
            break;
        }
    }
}

static void tell_info(struct core *c, mono_t now)
{
    struct member_event info = {.kind = MEMBER_EV_INFO,
                                .info = {.conns = c->conns, .isolated = health_isolated(c->health)}};
    run_membership(c, &info, now);
}

static void run_health(struct core *c, const struct health_event *ev, mono_t now)
{
    struct health_actions *acts = &c->health_actions;
    bool isolation_changed = false;
    acts->count = 0;
    health_step(c->health, ev, now, acts);
    for (unsigned i = 0; i < acts->count; i++) {
        const struct health_action *a = &acts->items[i];
        switch (a->kind) {
        case HEALTH_ACT_SEND:
            c->msg.kind = CMSG_VERDICTS;
            c->msg.verdicts = a->msg;
            send_news(c, a->node);
            break;
        case HEALTH_ACT_VOTED:
            c->ports.voted_down(c->ports.arg, a->voted.name, a->voted.down);
            break;
        case HEALTH_ACT_CHECK:
            c->ports.check_now(c->ports.arg, a->check);
            break;
        case HEALTH_ACT_ISOLATED:
            isolation_changed = true;
            c->ports.isolated(c->ports.arg, a->isolated);
            break;
        }
    }
    if (isolation_changed)
        tell_info(c, now);
}

// ---- time ----

void core_tick(struct core *c, struct core_time now)
{
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_TICK}, now.mono);
    run_health(c, &(struct health_event){.kind = HEALTH_EV_TICK}, now.mono);
}

void core_late(struct core *c, unsigned late_ms, struct core_time now)
{
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_LATE, .late_ms = late_ms}, now.mono);
}

void core_drained(struct core *c, struct core_time now)
{
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_DRAINED}, now.mono);
}

// ---- from other nodes ----

static void compare_registers(struct core *c, uint32_t from, uint64_t digest, mono_t now)
{
    struct peer *p = &c->peers[from];
    if (digest == admin_state_digest(c->admin)) {
        p->admin_mismatches = 0;
        return;
    }
    if (++p->admin_mismatches < ADMIN_MISMATCHES || admin_state_count(c->admin) == 0)
        return;
    if (!mono_is_set(p->admin_sent_at) || mono_diff_ms(now, p->admin_sent_at) >= ADMIN_RESEND_MS)
        send_all_registers(c, from, now);
}

static void receive_member(struct core *c, uint32_t from, mono_t now)
{
    struct member_msg m = c->msg.member; // sending uses the scratch message
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_MESSAGE, .node = from, .msg = &m}, now);
    if (m.kind == CMSG_PING || m.kind == CMSG_ACK)
        compare_registers(c, from, m.admin_digest, now);
}

// A report's check-now and the like end in the ports, never in a message: the scratch message stays whole.
static void receive_verdicts(struct core *c, uint32_t from, mono_t now)
{
    for (uint32_t i = 0; i < c->msg.verdicts.count; i++) {
        struct health_event ev = {
            .kind = HEALTH_EV_REPORT, .node = from, .boot = c->msg.verdicts.boot, .report = c->msg.verdicts.reports[i]};
        run_health(c, &ev, now);
    }
}

static void take_registers(struct core *c, const struct admin_msg *m, int64_t wall_us)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct admin_register r;
        bool changed;
        if (admin_state_merge(c->admin, &m->registers[i], wall_us, &changed) != ADMIN_NEWER || !changed)
            continue;
        ASSERT(admin_state_get(c->admin, m->registers[i].name, m->registers[i].field, &r));
        c->ports.admin_set(c->ports.arg, &r);
    }
}

bool core_receive(struct core *c, uint32_t from, struct str bytes, struct core_time now)
{
    enum wire_error error = wire_decode(bytes, &c->names, &c->msg);
    if (error == WIRE_MALFORMED)
        return false;
    if (error != WIRE_OK)
        return true; // of a newer version or another configuration
    if (c->msg.from != from || from == c->self)
        return false;
    if (c->msg.kind == CMSG_VERDICTS)
        receive_verdicts(c, from, now.mono);
    else if (c->msg.kind == CMSG_ADMIN)
        take_registers(c, &c->msg.admin, now.wall_us);
    else
        receive_member(c, from, now.mono);
    return true;
}

void core_link_up(struct core *c, uint32_t node, struct core_time now)
{
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_LINK_UP, .node = node}, now.mono);
    run_health(c, &(struct health_event){.kind = HEALTH_EV_GREET, .node = node}, now.mono);
    send_all_registers(c, node, now.mono);
}

void core_link_down(struct core *c, uint32_t node, struct core_time now)
{
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_LINK_DOWN, .node = node}, now.mono);
}

// ---- from this node ----

void core_declare(struct core *c, enum member_state state, struct core_time now)
{
    run_membership(c, &(struct member_event){.kind = MEMBER_EV_DECLARE, .state = state}, now.mono);
}

void core_conns(struct core *c, uint32_t conns, struct core_time now)
{
    c->conns = conns;
    tell_info(c, now.mono);
}

void core_verdict(struct core *c, const struct verdict_report *report, bool usable, struct core_time now)
{
    struct health_event ev = {.kind = HEALTH_EV_LOCAL, .usable = usable, .report = *report};
    run_health(c, &ev, now.mono);
}

void core_server_gone(struct core *c, struct str name, struct core_time now)
{
    struct health_event ev = {.kind = HEALTH_EV_GONE, .report = {.name = name}};
    run_health(c, &ev, now.mono);
}

void core_admin(struct core *c, struct str name, enum admin_field field, int32_t value, struct core_time now)
{
    c->msg.kind = CMSG_ADMIN;
    if (admin_state_set(c->admin, name, field, value, now.wall_us, &c->msg.admin.registers[0]) != ADMIN_NEWER)
        return;
    c->msg.admin.count = 1;
    send_news(c, CLUSTER_NO_NODE);
}

// ---- queries and the disk ----

const struct membership *core_membership(const struct core *c)
{
    return c->membership;
}

const struct health *core_health(const struct core *c)
{
    return c->health;
}

const struct admin_state *core_admin_state(const struct core *c)
{
    return c->admin;
}

void core_save_admin(const struct core *c, struct buf *out)
{
    struct cluster_msg msg = {.kind = CMSG_ADMIN, .from = c->self};
    struct buf bytes = BUF_INIT;
    unsigned cursor = 0;
    while (admin_state_fill(c->admin, &cursor, &msg.admin)) {
        buf_clear(&bytes);
        wire_encode(&msg, &c->names, &bytes);
        for (int shift = 24; shift >= 0; shift -= 8)
            buf_add_char(out, (char)(bytes.len >> shift));
        buf_add_str(out, buf_str(&bytes));
    }
    buf_free(&bytes);
}

bool core_load_admin(struct core *c, struct str bytes, struct core_time now)
{
    while (bytes.len >= 4) {
        size_t len = 0;
        for (int i = 0; i < 4; i++)
            len = len << 8 | (unsigned char)bytes.ptr[i];
        struct str record = str_slice(bytes, 4, len);
        if (record.len != len || wire_decode(record, &c->names, &c->msg) != WIRE_OK || c->msg.kind != CMSG_ADMIN)
            return false;
        take_registers(c, &c->msg.admin, now.wall_us);
        bytes = str_slice(bytes, 4 + len, bytes.len);
    }
    return bytes.len == 0;
}
