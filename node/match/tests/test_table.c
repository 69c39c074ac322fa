// SPDX-License-Identifier: Apache-2.0
// Stick tables on one node: entries, columns, expiry, eviction, walking, memory. Time is an argument throughout.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "node/match/table.h"

static mono_t at_ms(int64_t ms)
{
    return (mono_t){1000000000 + ms * 1000};
}

static struct cfg_table ip_table(uint64_t size, int64_t expire_ms)
{
    struct cfg_table c = {.key = TKEY_IPV4, .size = size, .expire_ms = expire_ms};
    c.data[TD_GPC0].on = true;
    c.data[TD_HTTP_REQ_CNT].on = true;
    return c;
}

struct key4 {
    uint32_t n;
};
static struct str key4(const struct key4 *k)
{
    return str_make((const char *)&k->n, 4);
}

static bool held(struct table *t, uint32_t n, mono_t now)
{
    struct table_entry *e = table_find(t, key4(&(struct key4){n}), now);
    bool found = e != NULL;
    table_release(t, &e);
    return found;
}

static bool put(struct table *t, uint32_t n, mono_t now)
{
    struct table_entry *e = table_get(t, key4(&(struct key4){n}), now);
    bool made = e != NULL;
    table_release(t, &e);
    return made;
}

static int64_t value(struct table *t, struct table_entry *e, enum table_data d, mono_t now)
{
    int64_t v = -1;
    return table_read(t, e, d, 0, now, &v) ? v : -1;
}

static void counters_count(void **state)
{
    struct cfg_table cfg = ip_table(100, 1000);
    cfg.data[TD_CONN_CUR].on = cfg.data[TD_BYTES_IN_CNT].on = true;
    struct table *t = table_create(STR("front"), &cfg);
    mono_t now = at_ms(0);
    struct key4 k = {7};
    assert_null(table_find(t, key4(&k), now));
    struct table_entry *e = table_get(t, key4(&k), now);
    assert_int_equal(value(t, e, TD_GPC0, now), 0);
    assert_true(table_add(t, e, TD_GPC0, 0, 3, now));
    assert_false(table_add(t, e, TD_SESS_CNT, 0, 1, now));
    assert_int_equal(value(t, e, TD_SESS_CNT, now), -1);
    struct table_delta many[] = {{TD_GPC0, 0, 2}, {TD_HTTP_REQ_CNT, 0, 1}, {TD_CONN_CUR, 0, 1}};
    table_add_many(t, e, many, 3, now);
    assert_int_equal(value(t, e, TD_GPC0, now), 5);
    assert_int_equal(value(t, e, TD_HTTP_REQ_CNT, now), 1);
    table_add(t, e, TD_CONN_CUR, 0, -1, now);
    table_add(t, e, TD_CONN_CUR, 0, -1, now); // never below zero
    table_add(t, e, TD_CONN_CUR, 0, 1, now);
    assert_int_equal(value(t, e, TD_CONN_CUR, now), 1);
    table_add(t, e, TD_GPC0, 0, INT64_MAX, now); // 32 bits, sticks
    assert_int_equal(value(t, e, TD_GPC0, now), UINT32_MAX);
    table_add(t, e, TD_BYTES_IN_CNT, 0, 1LL << 40, now);
    assert_int_equal(value(t, e, TD_BYTES_IN_CNT, now), 1LL << 40);
    assert_true(table_set(t, e, TD_GPC0, 0, 9, now));
    assert_true(table_set(t, e, TD_CONN_CUR, 0, 4, now));
    assert_int_equal(value(t, e, TD_GPC0, now), 9);
    assert_int_equal(value(t, e, TD_CONN_CUR, now), 4);
    assert_int_equal(table_entry_uses(t, e), 0);
    table_release(t, &e);
    assert_null(e);
    assert_int_equal(table_count(t), 1);
    table_unref(&t);
}

static void rates_fade(void **state)
{
    struct cfg_table cfg = ip_table(100, 0);
    cfg.data[TD_HTTP_REQ_RATE].on = cfg.data[TD_BYTES_OUT_RATE].on = true;
    cfg.data[TD_HTTP_REQ_RATE].period_ms = cfg.data[TD_BYTES_OUT_RATE].period_ms = 1000;
    struct table *t = table_create(STR("rates"), &cfg);
    struct table_entry *e = table_get(t, STR("abcd"), at_ms(0));
    table_add(t, e, TD_HTTP_REQ_RATE, 0, 10, at_ms(0));
    table_add(t, e, TD_BYTES_OUT_RATE, 0, 10LL << 32, at_ms(0));
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(999)), 10);
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(1500)), 5); // half of the period before counts
    assert_int_equal(value(t, e, TD_BYTES_OUT_RATE, at_ms(1500)), 5LL << 32);
    table_add(t, e, TD_HTTP_REQ_RATE, 0, 4, at_ms(1500));
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(1500)), 9);
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(1750)), 6); // 4 + 10 / 4
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(2500)), 2);
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(4000)), 0);
    assert_true(table_set(t, e, TD_HTTP_REQ_RATE, 0, 3, at_ms(4000)));
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, at_ms(4000)), 3);
    table_release(t, &e);
    table_unref(&t);
}

static void arrays_answer_for_gpc0(void **state)
{
    struct cfg_table cfg = {.key = TKEY_STR, .key_len = 8, .size = 10};
    cfg.data[TD_GPC].on = cfg.data[TD_GPT].on = true;
    cfg.data[TD_GPC].elements = 3;
    cfg.data[TD_GPT].elements = 2;
    struct table *t = table_create(STR("arrays"), &cfg);
    mono_t now = at_ms(0);
    struct table_entry *e = table_get(t, STR("a key too long"), now);
    assert_true(str_is(table_entry_key(e), "a key to"));
    int64_t v;
    assert_true(table_add(t, e, TD_GPC1, 0, 2, now));
    assert_true(table_add(t, e, TD_GPC, 2, 5, now));
    assert_false(table_add(t, e, TD_GPC, 3, 5, now));
    assert_true(table_read(t, e, TD_GPC, 1, now, &v));
    assert_int_equal(v, 2);
    assert_true(table_set(t, e, TD_GPT0, 0, 77, now));
    assert_true(table_read(t, e, TD_GPT, 0, now, &v));
    assert_int_equal(v, 77);
    assert_false(table_add(t, e, TD_GPT, 0, 1, now));
    assert_true(table_read(t, e, TD_GPC, 2, now, &v));
    assert_int_equal(v, 5);
    table_release(t, &e);
    table_unref(&t);
}

static void servers_are_names(void **state)
{
    struct cfg_table cfg = ip_table(10, 1000);
    struct table *t = table_create(STR("sticky"), &cfg);
    mono_t now = at_ms(0);
    char name[16];
    struct table_entry *e = table_get(t, STR("abcd"), now);
    assert_false(table_get_server(t, e, name, sizeof(name), now));
    table_add(t, e, TD_GPC0, 0, 1, now);
    table_set_server(t, e, STR("web1"), now);
    assert_true(table_get_server(t, e, name, sizeof(name), now));
    assert_string_equal(name, "web1");
    assert_int_equal(value(t, e, TD_GPC0, now), 1);
    table_set_server(t, e, STR(""), now);
    assert_false(table_get_server(t, e, name, sizeof(name), now));
    table_release(t, &e);
    table_unref(&t);
}

static void entries_expire(void **state)
{
    struct cfg_table cfg = ip_table(200000, 1000);
    struct table *t = table_create(STR("expiring"), &cfg);
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(put(t, i, at_ms(i)));
    assert_true(held(t, 0, at_ms(999)));
    assert_false(held(t, 0, at_ms(1000))); // exact, whether reclaimed or not
    assert_int_equal(table_count(t), 999);
    struct key4 k = {500};
    struct table_entry *e = table_find(t, key4(&k), at_ms(1100));
    assert_int_equal(table_entry_expires_ms(t, e, at_ms(1100)), 400);
    table_touch(t, e, at_ms(1200));
    table_release(t, &e);
    assert_int_equal(table_expire(t, 10000, at_ms(1000)), 0);
    unsigned gone = table_expire(t, 100000, at_ms(1550));
    assert_in_range(gone, 480, 549); // what the wheel's grain leaves is not found all the same
    assert_true(held(t, 500, at_ms(1550)));
    while (table_expire(t, 10000, at_ms(2190)))
        ;
    assert_int_equal(table_count(t), 1);
    k.n = 500;
    e = table_find(t, key4(&k), at_ms(2199));
    assert_non_null(e);
    assert_int_equal(table_expire(t, 10000, at_ms(9000)), 0); // pinned
    assert_true(held(t, 500, at_ms(9000)));
    table_release(t, &e);
    assert_false(held(t, 500, at_ms(9000)));
    assert_int_equal(table_count(t), 0);
    table_unref(&t);
}

static void the_oldest_gives_way(void **state)
{
    struct cfg_table cfg = ip_table(3, 60000);
    struct table *t = table_create(STR("small"), &cfg);
    for (uint32_t i = 0; i < 3; i++)
        put(t, i, at_ms(i));
    struct key4 k = {0};
    struct table_entry *e = table_find(t, key4(&k), at_ms(5));
    table_touch(t, e, at_ms(5));
    assert_true(put(t, 3, at_ms(6)));
    assert_false(held(t, 1, at_ms(6)));
    assert_true(held(t, 0, at_ms(6)));
    table_touch(t, e, at_ms(7));
    assert_true(put(t, 4, at_ms(200000000))); // long after: still only one goes
    assert_int_equal(table_count(t), 3);
    assert_true(put(t, 5, at_ms(200000001)));
    assert_true(held(t, 0, at_ms(200000001))); // pinned
    assert_true(held(t, 5, at_ms(200000001)));
    table_release(t, &e);
    table_unref(&t);
}

static void a_full_table_may_refuse(void **state)
{
    struct cfg_table cfg = ip_table(2, 1000);
    cfg.nopurge = true;
    struct table *t = table_create(STR("nopurge"), &cfg);
    assert_true(put(t, 1, at_ms(0)));
    assert_true(put(t, 2, at_ms(500)));
    assert_false(put(t, 3, at_ms(900)));
    assert_true(put(t, 3, at_ms(1100))); // 1 has expired
    assert_int_equal(table_count(t), 2);
    table_unref(&t);
}

static void all_pinned_is_full(void **state)
{
    struct cfg_table cfg = ip_table(2, 0);
    struct table *t = table_create(STR("pinned"), &cfg);
    struct table_entry *a = table_get(t, STR("aaaa"), at_ms(0)), *b = table_get(t, STR("bbbb"), at_ms(0));
    assert_null(table_get(t, STR("cccc"), at_ms(0)));
    assert_false(table_delete(t, STR("aaaa"), at_ms(0)));
    table_release(t, &a);
    assert_true(table_delete(t, STR("aaaa"), at_ms(0)));
    a = table_get(t, STR("cccc"), at_ms(0));
    assert_non_null(a);
    table_release(t, &a);
    table_release(t, &b);
    table_unref(&t);
}

static void lru_among_many(void **state)
{
    // Without lifetime, over hours: what was used lately stays.
    struct cfg_table cfg = ip_table(5000, 0);
    struct table *t = table_create(STR("lru"), &cfg);
    for (uint32_t i = 0; i < 5000; i++)
        put(t, i, at_ms(i * 10000LL));
    for (uint32_t i = 0; i < 100; i++) {
        struct key4 k = {i};
        struct table_entry *e = table_find(t, key4(&k), at_ms(50000000));
        table_touch(t, e, at_ms(50000000));
        table_release(t, &e);
    }
    for (uint32_t i = 5000; i < 8000; i++)
        assert_true(put(t, i, at_ms(50000001)));
    for (uint32_t i = 0; i < 100; i++)
        assert_true(held(t, i, at_ms(50000002)));
    unsigned kept = 0;
    for (uint32_t i = 4000; i < 5000; i++)
        kept += held(t, i, at_ms(50000002));
    assert_in_range(kept, 990, 1000);
    table_unref(&t);
}

struct seen {
    uint8_t times[3000];
    unsigned stop_after, visits;
};

static bool see(void *arg, struct table *t, struct table_entry *e)
{
    struct seen *s = arg;
    uint32_t n;
    memcpy(&n, table_entry_key(e).ptr, 4);
    assert_int_equal(table_entry_uses(t, e), 0);
    s->times[n]++;
    return s->stop_after == 0 || ++s->visits % s->stop_after != 0;
}

static void walks_see_each_once(void **state)
{
    struct cfg_table cfg = ip_table(100000, 0);
    struct table *t = table_create(STR("walk"), &cfg);
    for (uint32_t i = 0; i < 3000; i++)
        put(t, i, at_ms(0));
    for (unsigned stop = 0; stop < 4; stop++) {
        struct seen s = {.stop_after = stop};
        uint64_t cursor = 0;
        uint32_t extra = 100000;
        while (table_walk(t, &cursor, 17, at_ms(0), see, &s)) {
            struct key4 k = {extra + 1}; // entries that come and go between the steps
            put(t, ++extra, at_ms(0));
            table_delete(t, key4(&k), at_ms(0));
        }
        for (unsigned i = 0; i < 3000; i++)
            assert_int_equal(s.times[i], 1);
    }
    table_unref(&t);
}

static void columns_migrate(void **state)
{
    struct cfg_table cfg = ip_table(100000, 10000);
    cfg.data[TD_GPT0].on = true;
    struct table *t = table_create(STR("migrate"), &cfg);
    mono_t now = at_ms(0);
    struct key4 k = {1};
    struct table_entry *e = table_get(t, key4(&k), now);
    table_add(t, e, TD_HTTP_REQ_CNT, 0, 11, now);
    table_set(t, e, TD_GPT0, 0, 5, now);
    table_set_server(t, e, STR("s1"), now);
    for (uint32_t i = 2; i < 500; i++)
        put(t, i, now);
    struct cfg_table other = cfg;
    other.data[TD_GPC0].on = false;
    other.data[TD_BYTES_IN_CNT].on = other.data[TD_HTTP_REQ_RATE].on = true;
    other.data[TD_HTTP_REQ_RATE].period_ms = 1000;
    other.expire_ms = 5000;
    assert_true(table_reconfigure(t, &other));
    assert_int_equal(value(t, e, TD_HTTP_REQ_CNT, now), 11);
    assert_int_equal(value(t, e, TD_GPC0, now), -1);
    assert_int_equal(value(t, e, TD_BYTES_IN_CNT, now), 0);
    assert_int_equal(value(t, e, TD_GPT0, now), 5);
    char name[8];
    assert_true(table_get_server(t, e, name, sizeof(name), now));
    assert_string_equal(name, "s1");
    assert_true(table_add(t, e, TD_HTTP_REQ_RATE, 0, 2, now));
    other.data[TD_GPT0].on = false;
    assert_true(table_reconfigure(t, &other));
    assert_int_equal(value(t, e, TD_GPT0, now), -1);
    assert_int_equal(value(t, e, TD_HTTP_REQ_RATE, now), 2);
    table_release(t, &e);
    assert_false(held(t, 2, at_ms(5000)));
    while (table_expire(t, 1000, at_ms(6000)))
        ;
    assert_int_equal(table_count(t), 0);
    struct cfg_table wrong = cfg;
    wrong.key = TKEY_IPV6;
    assert_false(table_reconfigure(t, &wrong));
    table_unref(&t);
}

static void entries_are_small(void **state)
{
    struct cfg_table cfg = ip_table(1000000, 1000);
    struct table *t = table_create(STR("memory"), &cfg);
    for (uint32_t i = 0; i < 100000; i++) {
        struct key4 k = {i};
        struct table_entry *e = table_get(t, key4(&k), at_ms(0));
        table_add(t, e, TD_GPC0, 0, 1, at_ms(0));
        table_add(t, e, TD_HTTP_REQ_CNT, 0, 1, at_ms(0));
        table_release(t, &e);
    }
    // malloc's own 16 bytes a block are not seen here; integration-tests/bench/table_bench.c measures the process.
    assert_in_range(table_memory(t) / 100000, 50, 112);
    table_unref(&t);
}

#define THREADS 4
struct worker_args {
    struct table *table;
    uint32_t seed;
};

static void *pound(void *arg)
{
    struct worker_args *a = arg;
    uint32_t x = a->seed;
    for (int64_t i = 0; i < 20000; i++) {
        x = x * 1664525 + 1013904223;
        struct key4 k = {x >> 24};
        mono_t now = at_ms(i / 10);
        struct table_entry *e = table_get(a->table, key4(&k), now);
        if (!e)
            continue;
        table_add(a->table, e, TD_GPC0, 0, 1, now);
        table_touch(a->table, e, now);
        int64_t v;
        table_read(a->table, e, TD_GPC0, 0, now, &v);
        table_set_server(a->table, e, (x >> 8 & 1) ? STR("a") : STR("b"), now);
        table_release(a->table, &e);
        if ((x >> 9 & 63) == 0)
            table_delete(a->table, key4(&k), now);
        if ((x >> 9 & 63) == 1)
            table_expire(a->table, 10, now);
    }
    return NULL;
}

static void threads_share(void **state)
{
    struct cfg_table cfg = ip_table(200, 100), more = cfg;
    more.data[TD_SESS_CNT].on = true;
    struct table *t = table_create(STR("threads"), &cfg);
    pthread_t threads[THREADS];
    struct worker_args args[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        args[i] = (struct worker_args){t, i * 77777 + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, pound, &args[i]), 0);
    }
    for (unsigned i = 0; i < 20; i++)
        assert_true(table_reconfigure(t, i & 1 ? &cfg : &more));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_in_range(table_count(t), 1, 200);
    table_unref(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_count),          cmocka_unit_test(rates_fade),
        cmocka_unit_test(arrays_answer_for_gpc0),  cmocka_unit_test(servers_are_names),
        cmocka_unit_test(entries_expire),          cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(a_full_table_may_refuse), cmocka_unit_test(all_pinned_is_full),
        cmocka_unit_test(lru_among_many),          cmocka_unit_test(walks_see_each_once),
        cmocka_unit_test(columns_migrate),         cmocka_unit_test(entries_are_small),
        cmocka_unit_test(threads_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
