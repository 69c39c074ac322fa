// SPDX-License-Identifier: Apache-2.0
// The order of servers: weighted rounds, the hash ring, the heap of leastconn.
#include "node/proxy/tests/running.h"

#include "node/match/hashes.h"
#include "node/proxy/schedule.h"

static struct schedule *schedule_of(struct proxy *p)
{
    return atomic_load(&p->back->schedule);
}

// One round as the servers' names.
static const char *round_of(const struct schedule *s)
{
    static char text[256];
    text[0] = '\0';
    for (unsigned i = 0; i < s->order_len; i++)
        strcat(text, s->servers[s->order[i]]->name);
    return text;
}

static void test_equal_weights_keep_file_order(void **state)
{
    (void)state;
    running_load("backend b\n server a 127.0.0.1:1\n server b 127.0.0.1:2\n server c 127.0.0.1:3\n"
                 "backend w\n server a 127.0.0.1:1 weight 7\n server b 127.0.0.1:2 weight 7\n"
                 "backend none\n");
    assert_string_equal(round_of(schedule_of(running_backend("b"))), "abc");
    assert_string_equal(round_of(schedule_of(running_backend("w"))), "ab");
    assert_int_equal(schedule_of(running_backend("none"))->count, 0);
}

static void test_weighted_round(void **state)
{
    (void)state;
    running_load("backend b\n server a 127.0.0.1:1 weight 3\n server b 127.0.0.1:2 weight 2\n server c 127.0.0.1:3\n"
                 "backend g\n server a 127.0.0.1:1 weight 200\n server b 127.0.0.1:2 weight 100\n");
    // Each has its weight in a round, and nobody comes three times in a row.
    const char *round = round_of(schedule_of(running_backend("b")));
    assert_int_equal(strlen(round), 6);
    assert_string_equal(round, "abacba");
    assert_string_equal(round_of(schedule_of(running_backend("g"))), "aba"); // shortened by the common divisor
}

static void test_who_takes_part(void **state)
{
    (void)state;
    running_load("backend b\n server a 127.0.0.1:1\n server b 127.0.0.1:2 disabled\n server c 127.0.0.1:3 weight 0\n"
                 " server x 127.0.0.1:4 backup\n server y 127.0.0.1:5 backup\n"
                 "backend all\n option allbackups\n server a 127.0.0.1:1\n server x 127.0.0.1:4 backup\n"
                 " server y 127.0.0.1:5 backup\n");
    struct proxy *b = running_backend("b"), *all = running_backend("all");
    assert_string_equal(round_of(schedule_of(b)), "a");
    server_set_admin(running_server(b, "b"), 0, ADMIN_MAINT, "test");
    assert_string_equal(round_of(schedule_of(b)), "ab");
    server_set_admin(running_server(b, "a"), ADMIN_DRAIN, 0, "test");
    server_set_health(running_server(b, "b"), false, "test");
    assert_string_equal(round_of(schedule_of(b)), "x"); // the first backup alone
    assert_int_equal(backend_usable(b->back), 2);
    server_set_weight(running_server(b, "c"), 5);
    assert_string_equal(round_of(schedule_of(b)), "c");
    server_set_effective(running_server(all, "a"), false, "test");
    assert_string_equal(round_of(schedule_of(all)), "xy");
}

static void test_slow_start_scales_the_weight(void **state)
{
    (void)state;
    running_load("backend b\n server a 127.0.0.1:1 weight 2\n server b 127.0.0.1:2 weight 2\n");
    struct proxy *b = running_backend("b");
    server_set_slow_percent(running_server(b, "a"), 50);
    assert_int_equal(server_effective_weight(running_server(b, "a")), 100);
    assert_string_equal(round_of(schedule_of(b)), "bab");
}

// Sums of weights that would make a round too long are scaled down; every server keeps a place.
static void test_long_rounds_are_bounded(void **state)
{
    (void)state;
    struct buf lines = BUF_INIT;
    buf_add_cstr(&lines, "backend b\n");
    for (unsigned i = 0; i < 800; i++)
        buf_printf(&lines, " server s%u 127.0.0.1:%u weight %u\n", i, i + 1, i % 2 ? 255 : 254 - i % 7);
    buf_printf(&lines, " server last 127.0.0.1:900 weight 1\n");
    buf_add_char(&lines, '\0');
    running_load(lines.data);
    buf_free(&lines);
    const struct schedule *s = schedule_of(running_backend("b"));
    assert_int_equal(s->count, 801);
    assert_true(s->order_len <= 65536 + 801);
    unsigned last = 0, first = 0;
    for (unsigned i = 0; i < s->order_len; i++) {
        last += s->order[i] == 800;
        first += s->order[i] == 0;
    }
    assert_int_equal(last, 1);
    assert_true(first > 10);
}

static struct server_state *by_hash(struct proxy *p, uint32_t hash)
{
    const struct schedule *s = schedule_of(p);
    return schedule_at(s, schedule_place(s, hash));
}

static uint32_t key_hash(struct proxy *p, unsigned n)
{
    char key[32];
    snprintf(key, sizeof(key), "/page/%u", n);
    return schedule_hash(p->cfg, str_of(key));
}

static void test_ring_moves_only_the_lost_servers_keys(void **state)
{
    (void)state;
    enum { KEYS = 3000 };
    running_load("backend b\n balance uri\n hash-type consistent\n server a 127.0.0.1:1 weight 10\n"
                 " server b 127.0.0.1:2 weight 10\n server c 127.0.0.1:3 weight 20\n");
    struct proxy *p = running_backend("b");
    struct server_state *a = running_server(p, "a"), *c = running_server(p, "c"), *before[KEYS];
    unsigned of_a = 0, of_c = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        before[i] = by_hash(p, key_hash(p, i));
        of_a += before[i] == a;
        of_c += before[i] == c;
    }
    assert_in_range(of_a, KEYS / 8, KEYS * 3 / 8);
    assert_in_range(of_c, KEYS * 3 / 8, KEYS * 5 / 8);
    server_set_admin(a, ADMIN_MAINT, 0, "test");
    for (unsigned i = 0; i < KEYS; i++) {
        struct server_state *now = by_hash(p, key_hash(p, i));
        assert_ptr_not_equal(now, a);
        if (before[i] != a)
            assert_ptr_equal(now, before[i]);
    }
    server_set_admin(a, 0, ADMIN_MAINT, "test");
    for (unsigned i = 0; i < KEYS; i++)
        assert_ptr_equal(by_hash(p, key_hash(p, i)), before[i]);
    assert_ptr_equal(by_hash(p, UINT32_MAX), by_hash(p, 0)); // wraps
}

// Seen with HAProxy 2.6: "balance uri whole", servers 1 to 3, the paths /av/x1 … (and likewise).
static void test_map_based_is_haproxys(void **state)
{
    (void)state;
    static const struct {
        const char *backend, *hash_type, *servers;
    } cases[] = {{"map", "", "312312312312312312312312312312"},
                 {"av", " hash-type map-based sdbm avalanche\n", "322213322213323133123113333212"},
                 {"djb", " hash-type map-based djb2\n", "123123123231231231223123123122"},
                 {"wt6", " hash-type map-based wt6\n", "133332211222212221121321132131"},
                 {"crc", " hash-type map-based crc32\n", "132131312122333112132231122131"}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char lines[256], path[32], got[31] = "";
        snprintf(lines, sizeof(lines),
                 "backend b\n balance uri whole\n%s server 1 127.0.0.1:1\n server 2 127.0.0.1:2\n"
                 " server 3 127.0.0.1:3\n",
                 cases[i].hash_type);
        running_load(lines);
        struct proxy *p = running_backend("b");
        for (unsigned k = 0; k < 30; k++) {
            snprintf(path, sizeof(path), "/%s/x%u", cases[i].backend, k + 1);
            got[k] = by_hash(p, schedule_hash(p->cfg, str_of(path)))->name[0];
        }
        got[30] = '\0';
        assert_string_equal(got, cases[i].servers);
    }
}

static void test_hash_none_is_the_number(void **state)
{
    (void)state;
    struct cfg_proxy cfg = {.hash_fn = HASH_FN_NONE};
    assert_int_equal(schedule_hash(&cfg, STR("1234x9")), 1234);
    assert_int_equal(schedule_hash(&cfg, STR("")), 0);
    cfg.hash_avalanche = true;
    assert_int_equal(schedule_hash(&cfg, STR("1234")), hash_avalanche(1234));
}

static void test_heap_of_leastconn(void **state)
{
    (void)state;
    running_load("backend b\n balance leastconn\n server a 127.0.0.1:1\n server b 127.0.0.1:2\n"
                 " server c 127.0.0.1:3 weight 2\n server d 127.0.0.1:4\n");
    struct proxy *p = running_backend("b");
    struct schedule *s = schedule_of(p);
    static const char *const names[] = {"a", "b", "c", "d"};
    static const int loads[] = {5, 3, 9, 4}; // c: 4.5 a unit of weight
    for (unsigned i = 0; i < 4; i++) {
        struct server_state *server = running_server(p, names[i]);
        atomic_store(&server->served, loads[i]);
        schedule_heap_update(s, server);
    }
    char order[5] = "";
    for (unsigned i = 0; i < 4; i++) {
        struct server_state *top = schedule_heap_top(s);
        order[i] = top->name[0];
        atomic_fetch_add(&top->served, 100);
        schedule_heap_update(s, top);
    }
    assert_string_equal(order, "bdca");
    // A tie goes to who was taken longest ago.
    for (unsigned i = 0; i < 4; i++) {
        struct server_state *server = running_server(p, names[i]);
        atomic_store(&server->served, 0);
        server->last_pick = 10 - i;
        schedule_heap_update(s, server);
    }
    assert_string_equal(schedule_heap_top(s)->name, "d");
    // A server that is not in it (down) changes nothing, nor does a schedule that went away.
    server_set_health(running_server(p, "a"), false, "test");
    schedule_heap_update(schedule_of(p), running_server(p, "a"));
    assert_int_equal(schedule_of(p)->count, 3);
    schedule_heap_update(NULL, running_server(p, "a"));
}

static int teardown(void **state)
{
    (void)state;
    running_end();
    return 0;
}

#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_equal_weights_keep_file_order),
        TEST(test_weighted_round),
        TEST(test_who_takes_part),
        TEST(test_slow_start_scales_the_weight),
        TEST(test_long_rounds_are_bounded),
        TEST(test_ring_moves_only_the_lost_servers_keys),
        TEST(test_map_based_is_haproxys),
        TEST(test_hash_none_is_the_number),
        TEST(test_heap_of_leastconn),
    };
    running_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
