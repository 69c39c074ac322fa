// SPDX-License-Identifier: Apache-2.0
// Bulk messages: updates come back as they were, sizes are as promised, bad ones are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <string.h>

#include "peers/message.h"

static struct table *new_table(void)
{
    struct cfg_table cfg = {.key = TKEY_IPV4, .size = 1000, .expire_ms = 1800000};
    cfg.data[TD_GPC0].on = cfg.data[TD_HTTP_REQ_CNT].on = cfg.data[TD_GPT0].on = true;
    struct table *t = table_create(STR("app"), &cfg);
    table_set_identity(t, STR("n1"), 1600000000000000, (mono_t){1000000}, 1700000000000000);
    table_node_index(t, STR("n2"));
    return t;
}

static struct message_head head(enum message_kind kind)
{
    return (struct message_head){.kind = kind, .origin = STR("n1"), .boot = 1600000000000000, .seq = 7, .ack = 3};
}

static void updates_come_back(void **state)
{
    struct table *t = new_table();
    struct table_shape shape;
    table_get_shape(t, &shape);
    uint64_t values[] = {5, 1ULL << 40, 3, 2};
    struct table_row rows[] = {
        {.node = 0, .birth = 1700000000000005, .columns = 1u << TD_GPC0 | 1u << TD_HTTP_REQ_CNT, .values = values},
        {.node = 1,
         .fold = true,
         .birth = 1600000000000001,
         .target = 1700000000000001,
         .columns = 1u << TD_GPC0,
         .values = values + 2},
        {.node = 1, .fold = true, .birth = 1700000000000001, .columns = 1u << TD_GPC0, .values = values + 3},
    };
    struct table_register regs[] = {
        {.data = TD_GPT0, .value = 77, .stamp = 1690000000000000},
        {.data = TD_SERVER_KEY, .server = STR("web1"), .stamp = 1700000000000009},
    };
    struct table_update in[2] = {{.key = STR("abcd"), .remaining_ms = -1, .rows = rows, .row_count = 3},
                                 {.key = STR("efgh"),
                                  .remaining_ms = 1800000,
                                  .deleted = 1690000000000001,
                                  .registers = regs,
                                  .register_count = 2}};
    struct buf b = BUF_INIT;
    struct message_writer w;
    struct message_head h = head(MESSAGE_UPDATES);
    message_write(&w, &b, &h);
    message_begin_updates(&w, 4, t, &shape);
    message_add_update(&w, &in[0]);
    message_add_update(&w, &in[1]);
    message_end_updates(&w);
    message_set_ack(&w, 12345678901234);

    struct message m;
    struct message_updates us;
    struct table_update u;
    struct message_scratch *x = message_scratch_create();
    assert_true(message_read(buf_str(&b), &m));
    assert_int_equal(m.head.kind, MESSAGE_UPDATES);
    assert_true(str_is(m.head.origin, "n1"));
    assert_int_equal(m.head.seq, 7);
    assert_int_equal(m.head.ack, 12345678901234);
    assert_true(message_read_updates(&m, &us));
    assert_int_equal(us.table, 4);
    assert_int_equal(us.node_count, 2);
    assert_true(str_is(us.nodes[1], "n2"));
    assert_true(message_read_update(&m, &us, &shape, x, &u));
    assert_true(str_is(u.key, "abcd"));
    assert_int_equal(u.remaining_ms, -1);
    assert_int_equal(u.row_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(u.rows[i].node, rows[i].node);
        assert_int_equal(u.rows[i].fold, rows[i].fold);
        assert_int_equal(u.rows[i].birth, rows[i].birth);
        assert_int_equal(u.rows[i].target, rows[i].target);
        assert_int_equal(u.rows[i].columns, rows[i].columns);
        assert_int_equal(u.rows[i].values[0], rows[i].values[0]);
    }
    assert_int_equal(u.rows[0].values[1], 1ULL << 40);
    assert_true(message_read_update(&m, &us, &shape, x, &u));
    assert_int_equal(u.remaining_ms, 1800000);
    assert_int_equal(u.deleted, 1690000000000001);
    assert_int_equal(u.register_count, 2);
    assert_int_equal(u.registers[0].value, 77);
    assert_int_equal(u.registers[0].stamp, 1690000000000000);
    assert_true(str_is(u.registers[1].server, "web1"));
    assert_int_equal(us.count, 0);
    message_scratch_destroy(&x);
    buf_free(&b);
    table_unref(&t);
}

struct sizing {
    struct message_writer w;
    struct buf b;
};

static void size_update(void *arg, const struct table_update *u)
{
    message_add_update(&((struct sizing *)arg)->w, u);
}

static void an_update_is_small(void **state)
{
    struct table *t = new_table();
    struct table_shape shape;
    struct table_scratch *x = table_scratch_create();
    table_get_shape(t, &shape);
    for (uint32_t k = 0; k < 500; k++) {
        mono_t now = {2000000 + k * 1000};
        struct table_entry *e = table_get(t, str_make((char *)&k, 4), now);
        table_add(t, e, TD_GPC0, 0, 1000, now);
        table_add(t, e, TD_HTTP_REQ_CNT, 0, 1000, now);
        table_release(t, &e);
    }
    struct sizing s = {.b = BUF_INIT};
    struct message_head h = head(MESSAGE_UPDATES);
    message_write(&s.w, &s.b, &h);
    message_begin_updates(&s.w, 1, t, &shape);
    assert_int_equal(table_drain(t, x, 1000, (mono_t){3000000}, size_update, &s), 500);
    message_end_updates(&s.w);
    assert_in_range(s.b.len / 500, 10, 40);
    table_scratch_destroy(&x);
    buf_free(&s.b);
    table_unref(&t);
}

static void tables_and_digests_come_back(void **state)
{
    struct buf b = BUF_INIT;
    struct message_writer w;
    struct message_head h = head(MESSAGE_TABLES);
    struct message_table in[2] = {{.id = 1, .name = STR("a"), .key_type = TKEY_STR, .key_len = 32, .entries = 5},
                                  {.id = 2, .name = STR("b")}},
                         out;
    in[0].shape.data[TD_GPC].elements = 7;
    in[0].shape.data[TD_GPC_RATE].elements = 3;
    in[0].shape.data[TD_GPC_RATE].period_ms = 10000;
    message_write(&w, &b, &h);
    message_write_tables(&w, in, 2);
    struct message m;
    assert_true(message_read(buf_str(&b), &m));
    assert_int_equal(message_read_table_count(&m), 2);
    assert_true(message_read_table(&m, &out));
    assert_int_equal(out.entries, 5);
    assert_memory_equal(&out.shape, &in[0].shape, sizeof(out.shape));
    assert_true(message_read_table(&m, &out));
    assert_true(str_is(out.name, "b"));
    assert_false(message_read_table(&m, &out));

    h.kind = MESSAGE_DIGESTS;
    message_write(&w, &b, &h);
    message_write_digests(&w, &(struct message_digests){1, 1, 4032, true, 2, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80"});
    struct message_digests d;
    assert_true(message_read(buf_str(&b), &m));
    assert_true(message_read_digests(&m, &d));
    assert_true(d.last);
    assert_int_equal(d.count, 2);
    assert_int_equal(message_digest(&d, 0), 1);
    assert_true(message_digest(&d, 1) == 1ULL << 63);
    message_write(&w, &b, &h);
    message_write_digests(&w, &(struct message_digests){1, MESSAGE_SPAN, 4096, true, 1, "12345678"});
    assert_true(message_read(buf_str(&b), &m));
    assert_false(message_read_digests(&m, &d)); // behind the last bucket
    buf_free(&b);
}

static void every_cut_is_refused(void **state)
{
    struct buf b = BUF_INIT;
    struct message_writer w;
    struct message m;
    struct message_head h = head(MESSAGE_ALIVE);
    message_write(&w, &b, &h);
    assert_true(message_read(buf_str(&b), &m));
    for (size_t len = 0; len < b.len; len++)
        assert_false(message_read(str_make(b.data, len), &m));
    assert_false(message_read(STR("\x80"), &m));                      // says nothing
    assert_false(message_read(STR("\xdd\xff\xff\xff\xff"), &m));      // 4 billion elements
    assert_false(message_read(STR("\x82\x00\x63\x01\xa1x"), &m));     // another version
    assert_false(message_read(STR("\x83\x00\x01\x01\xa1x\x05"), &m)); // no body
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_come_back),
        cmocka_unit_test(an_update_is_small),
        cmocka_unit_test(tables_and_digests_come_back),
        cmocka_unit_test(every_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
