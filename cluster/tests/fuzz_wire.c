// SPDX-License-Identifier: Apache-2.0
// Whatever other nodes send, in whatever order: one node's core neither asserts nor reads out of bounds, and what
// decodes is written and read again. Input: records of a length byte, a byte that says who sends and how to build the
// message, and data.
#include <stdlib.h>

#include "cluster/core.h"
#include "cluster/wire.h"
#include "node/base/panic.h"

#define NODES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const node_names[NODES] = {"n1", "n2", "n3"};

static void on_send(void *arg, uint32_t node, struct str bytes)
{
    ASSERT(node < NODES && bytes.len > 0);
}
static void on_remake(void *arg, uint32_t node)
{
}
static void on_node_state(void *arg, uint32_t node, uint64_t boot, enum member_state from, enum member_state to,
                          const char *why)
{
}
static void on_boot(void *arg, uint64_t boot)
{
}
static void on_voted(void *arg, struct str server, bool down)
{
}
static void on_check(void *arg, struct str server)
{
}
static void on_isolated(void *arg, bool isolated)
{
}
static void on_admin(void *arg, const struct admin_register *r)
{
}

static const struct core_ports ports = {
    .send = on_send,
    .remake = on_remake,
    .node_state = on_node_state,
    .boot_raised = on_boot,
    .voted_down = on_voted,
    .check_now = on_check,
    .isolated = on_isolated,
    .admin_set = on_admin,
};

static uint8_t take(const uint8_t **at, const uint8_t *end)
{
    return *at < end ? *(*at)++ : 0;
}

// A message that decodes, with fields as wild as the format can say.
static void build(const uint8_t *at, const uint8_t *end, uint32_t from, struct cluster_msg *msg)
{
    *msg = (struct cluster_msg){.from = from, .kind = (enum cluster_msg_kind)(CMSG_PING + take(&at, end) % 5)};
    struct member_msg *m = &msg->member;
    m->kind = msg->kind;
    m->asker = take(&at, end) % NODES;
    m->target = take(&at, end) % NODES;
    m->want_reply = m->asker & 1;
    m->count = take(&at, end) % 4;
    for (uint32_t i = 0; i <= m->count; i++) {
        struct member_entry *e = i == m->count ? &m->self : &m->entries[i];
        e->node = i == m->count ? from : take(&at, end) % NODES;
        e->declared = (enum member_state)(take(&at, end) % 11);
        e->accused = (enum accusation)(take(&at, end) % 3);
        e->boot = take(&at, end) == 255 ? UINT64_MAX : 1 + take(&at, end) % 4;
        e->refutation = take(&at, end) == 255 ? UINT32_MAX : take(&at, end) % 8;
        e->age_ms = take(&at, end) == 255 ? UINT32_MAX : take(&at, end);
    }
}

static void feed(struct core *c, const struct wire_names *names, const uint8_t *at, const uint8_t *end,
                 struct core_time now)
{
    struct cluster_msg msg, again;
    struct buf bytes = BUF_INIT;
    uint8_t how = take(&at, end);
    uint32_t from = how % NODES;
    if (how & 0x80) {
        build(at, end, from, &msg);
        wire_encode(&msg, names, &bytes);
    } else {
        buf_add(&bytes, at, (size_t)(end - at));
    }
    if (wire_decode(buf_str(&bytes), names, &msg) == WIRE_OK) {
        struct buf copy = BUF_INIT;
        wire_encode(&msg, names, &copy);
        ASSERT(wire_decode(buf_str(&copy), names, &again) == WIRE_OK && again.kind == msg.kind);
        buf_free(&copy);
    }
    core_receive(c, from, buf_str(&bytes), now);
    buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct core_time now = {.mono = {1000000}, .wall_us = 1000000};
    struct core_options o = {
        .names = node_names, .node_count = NODES, .self = 0, .health = HEALTH_QUORUM, .boot = 2, .seed = 1};
    struct wire_names names;
    wire_names_init(&names, node_names, NODES);
    struct core *c = core_create(&o, &ports, now);
    core_declare(c, MEMBER_UP, now);
    struct verdict_report own = {.name = STR("a/b"), .verdict = VERDICT_UP, .inter_ms = 1000};
    core_verdict(c, &own, true, now);
    const uint8_t *end = data + size;
    while (data < end) {
        size_t len = *data++;
        if (len > (size_t)(end - data))
            len = (size_t)(end - data);
        feed(c, &names, data, data + len, now);
        data += len;
        now.mono = mono_add_ms(now.mono, MEMBERSHIP_TICK_MS * (int64_t)(1 + len % 8));
        core_tick(c, now);
    }
    core_load_admin(c, str_make((const char *)end - size, size), now);
    core_destroy(&c);
    wire_names_free(&names);
    return 0;
}
