// SPDX-License-Identifier: Apache-2.0
// Control messages: what is written is read; what is bent is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include "cluster/wire.h"

static const char *const ours[] = {"n1", "n2", "n3"};
static const char *const theirs[] = {"n3", "n9", "n1", "n2"}; // another order, and one that we do not know
static struct wire_names a, b;
static struct buf bytes;
static struct cluster_msg in, out;

static int setup(void **state)
{
    wire_names_init(&a, ours, 3);
    wire_names_init(&b, theirs, 4);
    buf_clear(&bytes);
    return 0;
}

static int teardown(void **state)
{
    wire_names_free(&a);
    wire_names_free(&b);
    buf_free(&bytes);
    return 0;
}

static struct cluster_msg ping(uint32_t from)
{
    struct cluster_msg msg = {.kind = CMSG_PING, .from = from};
    msg.member = (struct member_msg){
        .kind = CMSG_PING,
        .seq = 1ULL << 40,
        .asker = 0,
        .target = 2,
        .want_reply = true,
        .admin_digest = UINT64_MAX,
        .self = {.node = from, .declared = MEMBER_UP, .boot = 1700000000000000, .refutation = 3, .conns = 12},
        .count = 2,
    };
    msg.member.entries[0] = (struct member_entry){
        .node = 1, .declared = MEMBER_DRAINED, .accused = ACCUSED_SUSPECT, .age_ms = 250, .boot = 9, .isolated = true};
    msg.member.entries[1] = (struct member_entry){.node = 2, .declared = MEMBER_JOINING, .boot = 8, .info_seq = 77};
    return msg;
}

static void members_survive(void **state)
{
    in = ping(0);
    wire_encode(&in, &a, &bytes);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_OK);
    assert_int_equal(out.kind, CMSG_PING);
    assert_int_equal(out.from, 0);
    assert_true(out.member.seq == 1ULL << 40);
    assert_true(out.member.want_reply);
    assert_true(out.member.admin_digest == UINT64_MAX);
    assert_int_equal(out.member.target, 2);
    assert_true(out.member.self.boot == 1700000000000000);
    assert_int_equal(out.member.self.conns, 12);
    assert_int_equal(out.member.count, 2);
    assert_int_equal(out.member.entries[0].declared, MEMBER_DRAINED);
    assert_int_equal(out.member.entries[0].accused, ACCUSED_SUSPECT);
    assert_int_equal(out.member.entries[0].age_ms, 250);
    assert_true(out.member.entries[0].isolated);
    assert_int_equal(out.member.entries[1].info_seq, 77);
}

static void numbers_follow_names(void **state)
{
    in = ping(0);
    in.member.target = 2;
    in.member.entries[0].node = 1; // n9, unknown at the receiver
    in.member.entries[1].node = 3; // n2
    wire_encode(&in, &b, &bytes);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_OK);
    assert_int_equal(out.from, 2);
    assert_int_equal(out.member.self.node, 2);
    assert_int_equal(out.member.target, 0);
    assert_int_equal(out.member.count, 1);
    assert_int_equal(out.member.entries[0].node, 1);
    buf_clear(&bytes);
    in = ping(1);
    wire_encode(&in, &b, &bytes);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_NODE_UNKNOWN);
}

static void verdicts_and_registers_survive(void **state)
{
    in = (struct cluster_msg){.kind = CMSG_VERDICTS, .from = 1};
    in.verdicts = (struct verdict_msg){.boot = 5, .count = VERDICT_MSG_REPORTS};
    for (unsigned i = 0; i < VERDICT_MSG_REPORTS; i++)
        in.verdicts.reports[i] = (struct verdict_report){STR("app/s1"), VERDICT_DOWN, true, i, 10, 2000};
    wire_encode(&in, &a, &bytes);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_OK);
    assert_int_equal(out.verdicts.count, VERDICT_MSG_REPORTS);
    assert_int_equal(out.verdicts.reports[63].seq, 63);
    assert_true(str_is(out.verdicts.reports[63].name, "app/s1"));
    assert_true(out.verdicts.reports[63].failing);

    buf_clear(&bytes);
    in = (struct cluster_msg){.kind = CMSG_ADMIN, .from = 2};
    in.admin.count = 1;
    in.admin.registers[0] = (struct admin_register){STR("app/s2"), ADMIN_WEIGHT, -7, UINT64_MAX};
    wire_encode(&in, &a, &bytes);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_OK);
    assert_int_equal(out.admin.registers[0].value, -7);
    assert_true(out.admin.registers[0].stamp == UINT64_MAX);
}

static void every_cut_is_malformed(void **state)
{
    in = ping(0);
    wire_encode(&in, &a, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(wire_decode(str_make(bytes.data, len), &a, &out), WIRE_MALFORMED);
    buf_add_char(&bytes, 0);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_MALFORMED);
}

static void later_versions_and_kinds_are_told_apart(void **state)
{
    assert_int_equal(wire_decode(STR("\x82\x00\x02\x01\x01"), &a, &out), WIRE_VERSION_UNKNOWN);
    assert_int_equal(wire_decode(STR("\x82\x00\x01\x01\x63"), &a, &out), WIRE_KIND_UNKNOWN);
    assert_int_equal(wire_decode(STR("\x82\x01\x01\x00\x01"), &a, &out), WIRE_MALFORMED);
    assert_int_equal(wire_decode(STR("\x80"), &a, &out), WIRE_MALFORMED);
    assert_int_equal(wire_decode(STR("\x01"), &a, &out), WIRE_MALFORMED);
    // A gossip message without its own entry says nothing.
    assert_int_equal(wire_decode(STR("\x83\x00\x01\x01\x04\x02\xa2n1"), &a, &out), WIRE_NODE_UNKNOWN);
    // Unknown keys are passed over, with all they contain.
    assert_int_equal(wire_decode(STR("\x84\x00\x01\x01\x07\x2a\x92\x01\xa1x\x02\xa2n2"), &a, &out), WIRE_OK);
    assert_int_equal(out.from, 1);
    assert_int_equal(out.admin.count, 0);
}

static void too_many_records_are_malformed(void **state)
{
    // verdicts: [65 × {}]
    static const char head[] = "\x83\x00\x01\x01\x06\x0b\xdc\x00\x41";
    buf_add(&bytes, head, sizeof(head) - 1);
    for (int i = 0; i < 65; i++)
        buf_add_char(&bytes, (char)0x80);
    assert_int_equal(wire_decode(buf_str(&bytes), &a, &out), WIRE_MALFORMED);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_survive),
        TEST(numbers_follow_names),
        TEST(verdicts_and_registers_survive),
        TEST(every_cut_is_malformed),
        TEST(later_versions_and_kinds_are_told_apart),
        TEST(too_many_records_are_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
