// SPDX-License-Identifier: Apache-2.0
// Stick tables of several nodes: sums stay exact whatever order updates come in, however often, whatever is lost,
// evicted or restarted, once the digests have been compared. Random, but of fixed seeds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/match/table_merge.h"

#define NODES_MAX 4
#define KEYS      40

// A copied update on its way, nodes by the sender's numbers.
struct parcel {
    struct table *from;
    struct table_update u;
    char key[16];
    struct table_row rows[64];
    struct table_register registers[8];
    char server[8][16];
    uint64_t values[64][8];
    struct parcel *next;
};

static struct parcel *copy(struct table *from, const struct table_update *u)
{
    struct parcel *p = calloc(1, sizeof(*p));
    assert_in_range(u->row_count, 0, 64);
    p->from = from;
    p->u = *u;
    memcpy(p->key, u->key.ptr, u->key.len);
    p->u.key.ptr = p->key;
    for (uint32_t i = 0; i < u->row_count; i++) {
        p->rows[i] = u->rows[i];
        unsigned n = 0;
        for (unsigned d = 0; d < TD_COUNT; d++)
            n += u->rows[i].columns >> d & 1 ? table_data_values(d) : 0;
        memcpy(p->values[i], u->rows[i].values, n * sizeof(uint64_t));
        p->rows[i].values = p->values[i];
    }
    for (uint32_t i = 0; i < u->register_count; i++) {
        p->registers[i] = u->registers[i];
        str_copy(p->server[i], sizeof(p->server[i]), u->registers[i].server);
        p->registers[i].server = str_of(p->server[i]);
    }
    p->u.rows = p->rows;
    p->u.registers = p->registers;
    return p;
}

static void deliver(struct table *to, const struct parcel *p, mono_t now)
{
    struct table_shape shape;
    table_get_shape(p->from, &shape);
    struct parcel in = *p;
    for (uint32_t i = 0; i < p->u.row_count; i++)
        in.rows[i].node = table_node_index(to, table_node_name(p->from, p->rows[i].node));
    in.u.rows = in.rows;
    table_merge(to, &shape, &in.u, now);
}

struct world {
    unsigned nodes;
    struct table *tables[NODES_MAX];
    struct table_scratch *scratch;
    struct cfg_table cfg;
    struct parcel *queue[NODES_MAX][NODES_MAX]; // newest first
    struct parcel *bucket;
    uint32_t random;
    mono_t now;
    unsigned sender;
    uint64_t boot;
};

static const char *const names[NODES_MAX] = {"n1", "n2", "n3", "n4"};

static uint32_t dice(struct world *w, uint32_t sides)
{
    w->random = w->random * 1664525 + 1013904223;
    return (w->random >> 8) % sides;
}

static void boot(struct world *w, unsigned node)
{
    w->boot += 1000;
    w->tables[node] = table_create(STR("t"), &w->cfg);
    // Wall clocks differ by hours.
    table_set_identity(w->tables[node], str_of(names[node]), w->boot, w->now,
                       1700000000000000 + w->now.us + node * 3600000000LL);
}

static struct world world(unsigned nodes, uint32_t seed)
{
    struct world w = {.nodes = nodes, .random = seed, .now = {1000000}, .boot = 1600000000000000};
    w.cfg = (struct cfg_table){.key = TKEY_IPV4, .size = 10000, .expire_ms = 3600000};
    w.cfg.data[TD_GPC0].on = w.cfg.data[TD_HTTP_REQ_CNT].on = w.cfg.data[TD_CONN_CUR].on = true;
    w.cfg.data[TD_GPT0].on = true;
    w.scratch = table_scratch_create();
    for (unsigned i = 0; i < nodes; i++)
        boot(&w, i);
    return w;
}

static void drop_queue(struct world *w, unsigned from, unsigned to)
{
    for (struct parcel *p; (p = w->queue[from][to]) != NULL;) {
        w->queue[from][to] = p->next;
        free(p);
    }
}

static void end(struct world *w)
{
    for (unsigned i = 0; i < w->nodes; i++) {
        table_unref(&w->tables[i]);
        for (unsigned j = 0; j < w->nodes; j++)
            drop_queue(w, i, j);
    }
    table_scratch_destroy(&w->scratch);
}

static void send_to_all(void *arg, const struct table_update *u)
{
    struct world *w = arg;
    for (unsigned to = 0; to < w->nodes; to++) {
        if (to == w->sender)
            continue;
        struct parcel *p = copy(w->tables[w->sender], u);
        p->next = w->queue[w->sender][to];
        w->queue[w->sender][to] = p;
    }
}

static void drain(struct world *w, unsigned node)
{
    w->sender = node;
    table_drain(w->tables[node], w->scratch, 1000000, w->now, send_to_all, w);
}

// Delivers what waits, in reverse order, each with a chance of being lost or repeated.
static void deliver_some(struct world *w, unsigned to, unsigned loss, unsigned repeat)
{
    for (unsigned from = 0; from < w->nodes; from++) {
        for (struct parcel *p = w->queue[from][to]; p; p = p->next)
            for (unsigned n = dice(w, 100) >= loss; n > 0; n = dice(w, 100) < repeat)
                deliver(w->tables[to], p, w->now);
        drop_queue(w, from, to);
    }
}

static void collect(void *arg, const struct table_update *u)
{
    struct world *w = arg;
    struct parcel *p = copy(w->tables[w->sender], u);
    p->next = w->bucket;
    w->bucket = p;
}

static void send_bucket(struct world *w, unsigned from, unsigned to, unsigned bucket)
{
    w->sender = from;
    table_dump_bucket(w->tables[from], w->scratch, bucket, w->now, collect, w);
    for (struct parcel *p; (p = w->bucket) != NULL;) {
        w->bucket = p->next;
        deliver(w->tables[to], p, w->now);
        free(p);
    }
}

// As anti-entropy does: buckets that differ are sent whole, both ways. Returns the number of those.
static unsigned repair(struct world *w, unsigned a, unsigned b)
{
    unsigned differ = 0;
    for (unsigned bucket = 0; bucket < TABLE_BUCKETS; bucket++) {
        if (table_digest(w->tables[a], bucket, w->now) == table_digest(w->tables[b], bucket, w->now))
            continue;
        differ++;
        send_bucket(w, a, b, bucket);
        send_bucket(w, b, a, bucket);
    }
    return differ;
}

static void repair_all(struct world *w)
{
    for (unsigned round = 0; round < 8; round++) {
        unsigned differ = 0;
        for (unsigned i = 0; i < w->nodes; i++)
            table_expire(w->tables[i], 1000000, w->now);
        for (unsigned i = 0; i < w->nodes; i++) {
            drain(w, i);
            for (unsigned j = 0; j < i; j++)
                differ += repair(w, i, j);
        }
        for (unsigned i = 0; i < w->nodes; i++)
            deliver_some(w, i, 0, 0);
        if (differ == 0)
            return;
    }
    fail_msg("the digests never agreed");
}

static struct table_entry *get(struct world *w, unsigned node, uint32_t key)
{
    struct table_entry *e = table_get(w->tables[node], str_make((char *)&key, 4), w->now);
    assert_non_null(e);
    return e;
}

static void add(struct world *w, unsigned node, uint32_t key, enum table_data d, int64_t n)
{
    struct table_entry *e = get(w, node, key);
    assert_true(table_add(w->tables[node], e, d, 0, n, w->now));
    table_release(w->tables[node], &e);
}

static int64_t sum(struct world *w, unsigned node, uint32_t key, enum table_data d)
{
    int64_t v = -1;
    struct table_entry *e = table_find(w->tables[node], str_make((char *)&key, 4), w->now);
    if (e)
        table_read(w->tables[node], e, d, 0, w->now, &v);
    table_release(w->tables[node], &e);
    return v;
}

static bool forget(struct world *w, unsigned node, uint32_t key) // as eviction does: nobody is told
{
    struct cfg_table tiny = w->cfg, *was = &w->cfg;
    tiny.expire_ms = 1;
    w->now = mono_add_ms(w->now, 2);
    assert_true(table_reconfigure(w->tables[node], &tiny));
    struct table_entry *e = table_find(w->tables[node], str_make((char *)&key, 4), w->now);
    assert_null(e);
    assert_true(table_reconfigure(w->tables[node], was));
    return true;
}

static void sums_are_exact(void **state)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct world w = world(2 + seed % 3, seed);
        int64_t truth[KEYS] = {0};
        for (unsigned step = 0; step < 400; step++) {
            unsigned node = dice(&w, w.nodes), key = dice(&w, KEYS);
            int64_t n = 1 + dice(&w, 5);
            add(&w, node, key, TD_GPC0, n);
            truth[key] += n;
            w.now = mono_add_ms(w.now, dice(&w, 20));
            if (dice(&w, 4) == 0)
                drain(&w, dice(&w, w.nodes));
            if (dice(&w, 6) == 0)
                deliver_some(&w, dice(&w, w.nodes), 30, 30);
            if (dice(&w, 40) == 0)
                repair(&w, 0, 1 + dice(&w, w.nodes - 1));
        }
        repair_all(&w);
        for (unsigned node = 0; node < w.nodes; node++)
            for (unsigned key = 0; key < KEYS; key++)
                if (truth[key] && sum(&w, node, key, TD_GPC0) != truth[key])
                    fail_msg("seed %u: n%u has %ld for key %u, not %ld", seed, node + 1,
                             (long)sum(&w, node, key, TD_GPC0), key, (long)truth[key]);
        end(&w);
    }
}

// What a node counted and told somebody survives its restarts and evictions; nothing is counted twice.
static void restarts_and_evictions_lose_nothing(void **state)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct world w = world(3, seed);
        int64_t truth[KEYS] = {0};
        for (unsigned step = 0; step < 300; step++) {
            unsigned node = dice(&w, w.nodes), key = dice(&w, KEYS);
            add(&w, node, key, TD_HTTP_REQ_CNT, 1);
            truth[key]++;
            w.now = mono_add_ms(w.now, 1);
            if (dice(&w, 30) == 0) {
                drain(&w, node); // told one of the others for sure
                unsigned other = (node + 1 + dice(&w, 2)) % 3;
                deliver_some(&w, other, 0, 20);
                if (dice(&w, 2)) {
                    forget(&w, node, key);
                } else {
                    table_unref(&w.tables[node]);
                    for (unsigned i = 0; i < 3; i++)
                        drop_queue(&w, node, i);
                    boot(&w, node);
                }
                if (dice(&w, 2))
                    add(&w, node, key, TD_HTTP_REQ_CNT, (truth[key]++, 1)); // before it learned anything
                repair_all(&w);
            }
        }
        repair_all(&w);
        for (unsigned node = 0; node < 3; node++)
            for (unsigned key = 0; key < KEYS; key++)
                if (truth[key] && sum(&w, node, key, TD_HTTP_REQ_CNT) != truth[key])
                    fail_msg("seed %u: n%u has %ld for key %u, not %ld", seed, node + 1,
                             (long)sum(&w, node, key, TD_HTTP_REQ_CNT), key, (long)truth[key]);
        end(&w);
    }
}

static void folds_keep_rows_few(void **state)
{
    struct world w = world(2, 1);
    for (unsigned life = 0; life < 50; life++) {
        add(&w, 0, 1, TD_GPC0, 1);
        repair_all(&w);
        table_unref(&w.tables[0]);
        drop_queue(&w, 0, 1);
        boot(&w, 0);
        w.now = mono_add_ms(w.now, 10);
        repair_all(&w);
    }
    assert_int_equal(sum(&w, 0, 1, TD_GPC0), 50);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), 50);
    assert_in_range(table_memory(w.tables[1]), 0, 40000); // three rows at most, not fifty
    end(&w);
}

static void set(struct world *w, unsigned node, uint32_t key, enum table_data d, int64_t v)
{
    struct table_entry *e = get(w, node, key);
    assert_true(table_set(w->tables[node], e, d, 0, v, w->now));
    table_release(w->tables[node], &e);
}

static void clears_reach_all(void **state)
{
    struct world w = world(3, 1);
    for (unsigned i = 0; i < 3; i++)
        add(&w, i, 1, TD_GPC0, 10);
    add(&w, 0, 1, TD_HTTP_REQ_CNT, 4);
    repair_all(&w);
    assert_int_equal(sum(&w, 2, 1, TD_GPC0), 30);
    set(&w, 0, 1, TD_GPC0, 0);
    set(&w, 1, 1, TD_GPC0, 0); // at once: clears once
    add(&w, 2, 1, TD_GPC0, 1); // not seen by either: survives
    for (unsigned i = 0; i < 3; i++)
        drain(&w, i);
    for (unsigned i = 0; i < 3; i++)
        deliver_some(&w, i, 0, 50);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sum(&w, i, 1, TD_GPC0), 1);
        assert_int_equal(sum(&w, i, 1, TD_HTTP_REQ_CNT), 4);
    }
    set(&w, 1, 1, TD_GPC0, 7);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), 7);
    repair_all(&w);
    table_unref(&w.tables[1]); // the clear outlives who ordered it
    boot(&w, 1);
    repair_all(&w);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sum(&w, i, 1, TD_GPC0), 7);
    end(&w);
}

static void deletions_do_not_come_back(void **state)
{
    struct world w = world(3, 3);
    uint32_t key = 5;
    for (unsigned i = 0; i < 3; i++)
        add(&w, i, key, TD_GPC0, 2);
    repair_all(&w);
    drain(&w, 2);
    add(&w, 2, key, TD_GPC0, 1); // on its way while it is deleted
    drain(&w, 2);
    assert_true(table_delete(w.tables[0], str_make((char *)&key, 4), w.now));
    assert_int_equal(sum(&w, 0, key, TD_GPC0), -1);
    assert_int_equal(table_count(w.tables[0]), 0);
    deliver_some(&w, 0, 0, 50); // stale news about it
    deliver_some(&w, 1, 0, 50);
    assert_int_equal(sum(&w, 0, key, TD_GPC0), -1);
    repair_all(&w);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sum(&w, i, key, TD_GPC0), -1);
        assert_int_equal(table_count(w.tables[i]), 0);
    }
    add(&w, 1, key, TD_GPC0, 1); // begins anew
    repair_all(&w);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sum(&w, i, key, TD_GPC0), 1);
    end(&w);
}

static void deletion_overflow_forgets_old(void **state)
{
    struct world w = world(2, 3);
    for (uint32_t k = 0; k < 4000; k++)
        add(&w, 0, k, TD_GPC0, 1);
    repair_all(&w);
    for (uint32_t k = 0; k < 4000; k++) {
        w.now = mono_add_ms(w.now, 1);
        assert_true(table_delete(w.tables[0], str_make((char *)&k, 4), w.now));
    }
    assert_int_equal(table_count(w.tables[0]), 0);
    uint64_t all = table_memory(w.tables[0]);
    for (unsigned bucket = 0; bucket < TABLE_BUCKETS; bucket++) // the other one never heard of it
        send_bucket(&w, 1, 0, bucket);
    assert_int_equal(table_count(w.tables[0]), 0);
    assert_in_range(table_memory(w.tables[0]), 0, all);
    end(&w);
}

static void registers_take_the_newest(void **state)
{
    struct world w = world(3, 9);
    struct table_entry *e = get(&w, 0, 1);
    table_set_server(w.tables[0], e, STR("old"), w.now);
    table_release(w.tables[0], &e);
    set(&w, 0, 1, TD_GPT0, 1);
    repair_all(&w);
    // n1's clock is two hours behind n3's; having seen n3's stamp, its own is newer all the same.
    set(&w, 2, 1, TD_GPT0, 2);
    repair_all(&w);
    set(&w, 0, 1, TD_GPT0, 3);
    e = get(&w, 1, 1);
    table_set_server(w.tables[1], e, STR("new"), w.now);
    table_release(w.tables[1], &e);
    for (unsigned i = 0; i < 3; i++)
        drain(&w, i);
    for (unsigned i = 0; i < 3; i++)
        deliver_some(&w, i, 0, 50);
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        e = get(&w, i, 1);
        assert_true(table_get_server(w.tables[i], e, name, sizeof(name), w.now));
        assert_string_equal(name, "new");
        table_release(w.tables[i], &e);
        assert_int_equal(sum(&w, i, 1, TD_GPT0), 3);
    }
    end(&w);
}

static void gauges_die_with_their_node(void **state)
{
    struct world w = world(2, 4);
    add(&w, 0, 1, TD_CONN_CUR, 3);
    add(&w, 1, 1, TD_CONN_CUR, 1);
    add(&w, 0, 1, TD_GPC0, 3);
    repair_all(&w);
    assert_int_equal(sum(&w, 1, 1, TD_CONN_CUR), 4);
    unsigned n1 = table_node_index(w.tables[1], STR("n1"));
    table_set_node(w.tables[1], n1, false, 0);
    assert_int_equal(sum(&w, 1, 1, TD_CONN_CUR), 1);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), 3);
    table_set_node(w.tables[1], n1, true, 0); // it was only cut off
    assert_int_equal(sum(&w, 1, 1, TD_CONN_CUR), 4);
    table_unref(&w.tables[0]);
    w.now = mono_add_ms(w.now, 1000);
    w.boot = 1700000000000000 + (uint64_t)w.now.us;
    boot(&w, 0);
    table_set_node(w.tables[1], n1, true, w.boot); // another life
    assert_int_equal(sum(&w, 1, 1, TD_CONN_CUR), 1);
    repair_all(&w);
    assert_int_equal(sum(&w, 0, 1, TD_CONN_CUR), 1);
    add(&w, 0, 1, TD_CONN_CUR, 1);
    repair_all(&w);
    assert_int_equal(sum(&w, 1, 1, TD_CONN_CUR), 2);
    end(&w);
}

static void rates_sum(void **state)
{
    struct world w = world(1, 5);
    end(&w);
    w = world(0, 5);
    w.nodes = 2;
    w.cfg.data[TD_HTTP_REQ_RATE].on = true;
    w.cfg.data[TD_HTTP_REQ_RATE].period_ms = 10000;
    boot(&w, 0);
    boot(&w, 1);
    for (unsigned i = 0; i < 8; i++) {
        add(&w, 0, 1, TD_HTTP_REQ_RATE, 5);
        add(&w, 1, 1, TD_HTTP_REQ_RATE, 2);
        drain(&w, 0);
        drain(&w, 1);
        w.now = mono_add_ms(w.now, 30); // on its way
        deliver_some(&w, 0, 0, 30);
        deliver_some(&w, 1, 0, 30);
    }
    assert_int_equal(sum(&w, 0, 1, TD_HTTP_REQ_RATE), 56);
    assert_int_equal(sum(&w, 1, 1, TD_HTTP_REQ_RATE), 56);
    w.now = mono_add_ms(w.now, 14900);
    assert_in_range(sum(&w, 1, 1, TD_HTTP_REQ_RATE), 26, 29);
    w.now = mono_add_ms(w.now, 20000);
    assert_int_equal(sum(&w, 1, 1, TD_HTTP_REQ_RATE), 0);
    end(&w);
}

static void lifetimes_travel(void **state)
{
    struct world w = world(2, 6);
    add(&w, 0, 1, TD_GPC0, 1);
    w.now = mono_add_ms(w.now, 3000000);
    repair_all(&w);
    uint32_t key = 1;
    struct table_entry *e = table_find(w.tables[1], str_make((char *)&key, 4), w.now);
    assert_non_null(e);
    assert_int_equal(table_entry_expires_ms(w.tables[1], e, w.now), 600000);
    table_release(w.tables[1], &e);
    e = table_find(w.tables[0], str_make((char *)&key, 4), w.now);
    table_touch(w.tables[0], e, w.now); // used again there: lives on here
    table_release(w.tables[0], &e);
    drain(&w, 0);
    deliver_some(&w, 1, 0, 0);
    w.now = mono_add_ms(w.now, 700000);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), 1);
    w.now = mono_add_ms(w.now, 3000000);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), -1);
    repair_all(&w); // what has expired is not brought back
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), -1);
    end(&w);
}

static void only_changes_travel(void **state)
{
    struct world w = world(2, 6);
    add(&w, 0, 1, TD_GPC0, 1);
    drain(&w, 0);
    struct parcel *p = w.queue[0][1];
    assert_int_equal(p->u.row_count, 1);
    assert_int_equal(p->rows[0].columns, 1u << TD_GPC0);
    assert_null(p->next);
    drop_queue(&w, 0, 1);
    for (unsigned i = 0; i < 100; i++)
        add(&w, 0, 1, TD_HTTP_REQ_CNT, 1);
    assert_int_equal(table_dirty_count(w.tables[0]), 1);
    drain(&w, 0);
    p = w.queue[0][1];
    assert_int_equal(p->rows[0].columns, 1u << TD_HTTP_REQ_CNT);
    assert_int_equal(p->values[0][0], 100);
    assert_null(p->next); // coalesced by key
    drain(&w, 0);
    assert_ptr_equal(w.queue[0][1], p); // no more news
    deliver_some(&w, 1, 0, 0);
    drain(&w, 1);
    assert_null(w.queue[1][0]); // what was merged is not passed on
    end(&w);
}

static void columns_may_differ(void **state)
{
    struct world w = world(2, 6);
    struct cfg_table more = w.cfg;
    more.data[TD_SESS_CNT].on = true;
    assert_true(table_reconfigure(w.tables[0], &more));
    add(&w, 0, 1, TD_GPC0, 2);
    add(&w, 0, 1, TD_SESS_CNT, 3);
    add(&w, 0, 1, TD_HTTP_REQ_CNT, 4);
    drain(&w, 0);
    deliver_some(&w, 1, 0, 0);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), 2);
    assert_int_equal(sum(&w, 1, 1, TD_HTTP_REQ_CNT), 4);
    assert_int_equal(sum(&w, 1, 1, TD_SESS_CNT), -1);
    end(&w);
}

static void what_was_counted_before_the_cluster_counts(void **state)
{
    struct world w = world(2, 6);
    table_unref(&w.tables[0]);
    w.tables[0] = table_create(STR("t"), &w.cfg);
    add(&w, 0, 1, TD_GPC0, 2);
    add(&w, 0, 1, TD_CONN_CUR, 1);
    table_set_identity(w.tables[0], STR("n1"), 1650000000000000, w.now, 1700000000000000);
    add(&w, 0, 1, TD_GPC0, 2);
    repair_all(&w);
    assert_int_equal(sum(&w, 1, 1, TD_GPC0), 4);
    assert_int_equal(sum(&w, 0, 1, TD_CONN_CUR), 1);
    assert_int_equal(sum(&w, 1, 1, TD_CONN_CUR), 1);
    // A peer remembers a later life: what was said under the first boot is said again under the new one.
    table_set_identity(w.tables[0], STR("n1"), 1700003600000000, w.now, 1700000000000000);
    unsigned n1 = table_node_index(w.tables[1], STR("n1"));
    repair_all(&w);
    table_set_node(w.tables[1], n1, true, 1700000000000001);
    assert_int_equal(sum(&w, 0, 1, TD_GPC0), 4);
    end(&w);
}

static void lies_do_no_harm(void **state)
{
    struct world w = world(2, 6);
    add(&w, 0, 1, TD_GPC0, 1);
    uint64_t values[8] = {5, 1, 9, UINT64_MAX, UINT64_MAX, 0, 0, 0};
    uint32_t key = 1;
    struct table_shape shape;
    table_get_shape(w.tables[0], &shape);
    struct table_row rows[] = {
        {.node = 63, .birth = 1, .columns = 1u << TD_GPC0, .values = values},               // no such node
        {.node = 0, .birth = (1ULL << 56) - 1, .columns = 1u << TD_GPC0, .values = values}, // from the far future
        {.node = 0, .birth = 0, .columns = 1u << TD_GPC0, .values = values},
        {.node = table_node_index(w.tables[0], STR("n2")),
         .birth = 1600000000000000,
         .columns = 1u << TD_CONN_CUR,
         .values = values + 1}, // more closed than opened
    };
    struct table_register regs[] = {{.data = 200, .stamp = 5}, {.data = TD_GPC0, .stamp = 5, .value = 1}};
    struct table_update u = {.key = str_make((char *)&key, 4),
                             .remaining_ms = INT64_MAX,
                             .rows = rows,
                             .row_count = 4,
                             .registers = regs,
                             .register_count = 2};
    table_merge(w.tables[0], &shape, &u, w.now);
    assert_int_equal(sum(&w, 0, 1, TD_GPC0), 1);
    assert_int_equal(sum(&w, 0, 1, TD_CONN_CUR), 0);
    u.key = STR("much too long");
    assert_false(table_merge(w.tables[0], &shape, &u, w.now));
    for (unsigned i = 0; i < 1000; i++) { // births without end
        struct table_row row = {.node = rows[3].node, .birth = i + 10, .columns = 1u << TD_GPC0, .values = values};
        u = (struct table_update){.key = str_make((char *)&key, 4), .rows = &row, .row_count = 1};
        table_merge(w.tables[0], &shape, &u, w.now);
    }
    assert_in_range(sum(&w, 0, 1, TD_GPC0), 1, 1 + 5 * 5);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(restarts_and_evictions_lose_nothing),
        cmocka_unit_test(folds_keep_rows_few),
        cmocka_unit_test(clears_reach_all),
        cmocka_unit_test(deletions_do_not_come_back),
        cmocka_unit_test(deletion_overflow_forgets_old),
        cmocka_unit_test(registers_take_the_newest),
        cmocka_unit_test(gauges_die_with_their_node),
        cmocka_unit_test(rates_sum),
        cmocka_unit_test(lifetimes_travel),
        cmocka_unit_test(only_changes_travel),
        cmocka_unit_test(columns_may_differ),
        cmocka_unit_test(what_was_counted_before_the_cluster_counts),
        cmocka_unit_test(lies_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
