// SPDX-License-Identifier: Apache-2.0
// Tracked counters and the fetches and converters that read tables.
#include "node/match/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/io/sock.h"

static struct match_ctx ctx;
static struct client_facts client;
static struct track tracks[TRACK_MAX];
static struct table *table, *names;
static mono_t now;

static struct table *make(const char *name, enum table_key key)
{
    struct cfg_table cfg = {.key = key, .key_len = 8, .size = 100, .expire_ms = 60000};
    const enum table_data columns[] = {TD_CONN_CNT,     TD_CONN_CUR, TD_CONN_RATE,    TD_GPC0,
                                       TD_HTTP_REQ_CNT, TD_GPC,      TD_BYTES_IN_CNT, TD_SERVER_KEY};
    for (unsigned i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
        cfg.data[columns[i]].on = true;
        cfg.data[columns[i]].elements = columns[i] == TD_GPC ? 3 : 1;
        cfg.data[columns[i]].period_ms = 10000;
    }
    return table_create(str_of(name), &cfg);
}

static struct str source_key(struct table_key_buf *buf)
{
    struct sample s;
    sample_set_addr(&s, &client.src);
    assert_true(table_key_make(&ctx, table, &s, buf));
    return buf->key;
}

static int64_t ask(enum fetch_id id, const struct arg *args, unsigned nargs)
{
    struct sample s;
    if (fetch_bound(id)(&ctx, args, nargs, &s) != EVAL_FOUND)
        return -1;
    return s.num;
}

static int64_t sc(enum fetch_id id, unsigned counter, struct table *other)
{
    struct arg args[] = {{.kind = ARG_INT, .num = counter}, {.kind = ARG_TABLE, .table = other}};
    return ask(id, args, 2);
}

static int64_t src(enum fetch_id id)
{
    struct arg args[] = {{.kind = ARG_TABLE, .table = table}};
    return ask(id, args, 1);
}

static int64_t conv(enum conv_id id, const char *value, struct table *t)
{
    struct arg args[] = {{.kind = ARG_TABLE, .table = t}, {.kind = ARG_NONE}};
    struct sample s;
    sample_set_str(&s, str_of(value));
    return conv_bound(id)(&ctx, args, 2, &s) ? s.num : -1;
}

static void test_keys(void **state)
{
    (void)state;
    struct table_key_buf key;
    struct sample s;
    sample_set_str(&s, STR("10.0.0.1"));
    assert_true(table_key_make(&ctx, table, &s, &key));
    assert_int_equal(key.key.len, 4);
    assert_memory_equal(key.key.ptr, "\x0a\0\0\1", 4);
    sample_set_str(&s, STR("x"));
    assert_false(table_key_make(&ctx, table, &s, &key));
    sample_set_str(&s, STR("0123456789"));
    assert_true(table_key_make(&ctx, names, &s, &key));
    assert_true(str_is(key.key, "01234567"));
    sample_set_str(&s, STR(""));
    assert_false(table_key_make(&ctx, names, &s, &key));
    struct table *bin = make("bin", TKEY_BIN), *num = make("num", TKEY_INT), *v6 = make("v6", TKEY_IPV6);
    sample_set_str(&s, STR("ab"));
    assert_true(table_key_make(&ctx, bin, &s, &key));
    assert_int_equal(key.key.len, 8);
    assert_memory_equal(key.key.ptr, "ab\0\0\0\0\0\0", 8);
    sample_set_str(&s, STR("7"));
    assert_true(table_key_make(&ctx, num, &s, &key));
    assert_memory_equal(key.key.ptr, &(int64_t){7}, 8);
    sample_set_str(&s, STR("1.2.3.4"));
    assert_true(table_key_make(&ctx, v6, &s, &key));
    assert_memory_equal(key.key.ptr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16);
    table_unref(&bin);
    table_unref(&num);
    table_unref(&v6);
}

static void test_tracking(void **state)
{
    (void)state;
    struct table_key_buf key;
    assert_int_equal(sc(FETCH_SC_TRACKED, 0, NULL), 0);
    assert_int_equal(sc(FETCH_SC_CONN_CNT, 0, NULL), -1); // nothing tracked, no value
    assert_int_equal(src(FETCH_SRC_CONN_CNT), 0);         // no entry: zero
    assert_true(track_start(&tracks[0], table, source_key(&key), true, now));
    assert_true(track_start(&tracks[0], table, source_key(&key), true, now)); // again: nothing happens
    assert_int_equal(sc(FETCH_SC_TRACKED, 0, NULL), 1);
    assert_int_equal(sc(FETCH_SC_TRACKED, 1, NULL), 0);
    assert_int_equal(sc(FETCH_SC_CONN_CNT, 0, NULL), 1);
    assert_int_equal(sc(FETCH_SC_CONN_CUR, 0, NULL), 1);
    assert_int_equal(sc(FETCH_SC_HTTP_REQ_CNT, 0, NULL), 1);
    assert_int_equal(sc(FETCH_SC_SESS_CNT, 0, NULL), -1); // not stored
    assert_int_equal(sc(FETCH_SC_TRACKERS, 0, NULL), 1);
    struct track second = {0};
    assert_true(track_start(&second, table, source_key(&key), false, now));
    assert_int_equal(sc(FETCH_SC_TRACKERS, 0, NULL), 2);
    assert_int_equal(sc(FETCH_SC_CONN_CUR, 0, NULL), 2);
    assert_int_equal(conv(CONV_TABLE_TRACKERS, "127.0.0.1", table), 2);
    track_stop(&second, now);
    track_stop(&second, now);
    assert_int_equal(sc(FETCH_SC_CONN_CUR, 0, NULL), 1);
    assert_int_equal(sc(FETCH_SC_CONN_CNT, 0, NULL), 2);
    struct track borrowed;
    track_borrow(&borrowed, &tracks[0]);
    track_stop(&borrowed, now);
    assert_int_equal(sc(FETCH_SC_CONN_CUR, 0, NULL), 1);
    struct table_delta bytes = {.data = TD_BYTES_IN_CNT, .n = 5000};
    tracks_add(tracks, &bytes, 1, now);
    assert_int_equal(sc(FETCH_SC_KBYTES_IN, 0, NULL), 4);
    assert_int_equal(src(FETCH_SRC_KBYTES_IN), 4);
    struct sample s;
    struct arg counter = {.kind = ARG_INT};
    assert_int_equal(fetch_bound(FETCH_SC_KEY)(&ctx, &counter, 1, &s), EVAL_FOUND);
    assert_int_equal(s.type, TYPE_IPV4);
    tracks_stop(tracks, now);
    assert_int_equal(src(FETCH_SRC_CONN_CUR), 0);
    assert_int_equal(src(FETCH_SRC_CONN_CNT), 2);
}

static void test_changes(void **state)
{
    (void)state;
    struct table_key_buf key;
    assert_int_equal(src(FETCH_SRC_INC_GPC0), 1); // makes the entry
    assert_int_equal(src(FETCH_SRC_INC_GPC0), 2);
    assert_int_equal(src(FETCH_SRC_UPDT_CONN_CNT), 1);
    assert_true(track_start(&tracks[2], table, source_key(&key), false, now));
    assert_int_equal(sc(FETCH_SC_INC_GPC0, 2, NULL), 3);
    assert_int_equal(sc(FETCH_SC_CLR_GPC0, 2, NULL), 3);
    assert_int_equal(sc(FETCH_SC_GET_GPC0, 2, NULL), 0);
    struct arg args[] = {{.num = 2}, {.num = 2}, {.kind = ARG_TABLE}};
    assert_int_equal(ask(FETCH_SC_INC_GPC, args, 3), 1);
    assert_int_equal(ask(FETCH_SC_GET_GPC, args, 3), 1);
    args[0].num = 50; // no such element
    assert_int_equal(ask(FETCH_SC_GET_GPC, args, 3), 0);
    struct table *other = make("other", TKEY_IPV4);
    assert_int_equal(sc(FETCH_SC_GET_GPC0, 2, other), 0);
    assert_int_equal(table_count(other), 0);
    assert_int_equal(sc(FETCH_SC_INC_GPC0, 2, other), 1);
    assert_int_equal(table_count(other), 1);
    assert_int_equal(sc(FETCH_SC_TRACKED, 2, other), 1);
    table_unref(&other);
    tracks_stop(tracks, now);
}

static void test_converters(void **state)
{
    (void)state;
    assert_int_equal(conv(CONV_IN_TABLE, "abc", names), 0);
    assert_int_equal(conv(CONV_TABLE_CONN_CNT, "abc", names), 0);
    assert_int_equal(conv(CONV_TABLE_EXPIRE, "abc", names), -1);
    assert_int_equal(conv(CONV_TABLE_INC_GPC0, "abc", names), 1);
    assert_int_equal(conv(CONV_TABLE_GPC0, "abc", names), 1);
    assert_int_equal(conv(CONV_IN_TABLE, "abc", names), 1);
    assert_true(conv(CONV_TABLE_EXPIRE, "abc", names) > 0);
    assert_int_equal(conv(CONV_TABLE_CLR_GPC0, "abc", names), 1);
    assert_int_equal(conv(CONV_TABLE_GPC0, "abc", names), 0);
    assert_int_equal(conv(CONV_TABLE_SERVER_ID, "abc", names), 0);
    assert_int_equal(conv(CONV_IN_TABLE, "nonsense", table), -1);
    struct arg arg = {.kind = ARG_TABLE, .table = names};
    assert_int_equal(ask(FETCH_TABLE_CNT, &arg, 1), 1);
    assert_int_equal(ask(FETCH_TABLE_AVL, &arg, 1), 99);
}

static int setup(void **state)
{
    (void)state;
    now = mono_now();
    client = (struct client_facts){.fd = -1};
    assert_true(inet_parse(STR("127.0.0.1"), &client.src));
    ctx = (struct match_ctx){.arena = arena_create(4096), .client = &client, .tracks = tracks};
    table = make("addresses", TKEY_IPV4);
    names = make("names", TKEY_STR);
    fetch_bind_table();
    conv_bind_table();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    table_unref(&table);
    table_unref(&names);
    arena_destroy(&ctx.arena);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_keys), TEST(test_tracking), TEST(test_changes), TEST(test_converters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
