// SPDX-License-Identifier: Apache-2.0
// Choosing a server and waiting for one. Two workers without threads: the test drains their inboxes itself, so that the
// order of events is given.
#include "node/proxy/tests/running.h"

#include "node/proxy/queue.h"
#include "node/proxy/schedule.h"

#define THREE " server a 127.0.0.1:1\n server b 127.0.0.1:2\n server c 127.0.0.1:3\n"

static struct arena *arena;
static struct client_facts client;
static struct http_msg req;
static struct match_ctx ctx;

static void drain(void)
{
    for (unsigned i = 0; i < worker_count; i++) {
        worker_self = workers[i];
        inbox_drain(loop_inbox(workers[i]->loop));
    }
    worker_self = NULL;
}

static struct proxy *load(const char *lines)
{
    running_load(lines);
    drain();
    return running_backend("b");
}

// ---- picks without queue

// The name of the server that is picked, "-" for none.
static const char *pick_with(struct pick p)
{
    struct server *out;
    p.ctx = &ctx;
    if (backend_pick(&p, &out) != PICK_SERVER)
        return "-";
    return out->state->name;
}

static const char *pick(struct proxy *p)
{
    return pick_with((struct pick){.proxy = p});
}

static const char *picks(struct proxy *p, unsigned n)
{
    static char text[64];
    text[0] = '\0';
    while (n-- > 0)
        strcat(text, pick(p));
    return text;
}

static void release(struct proxy *p, const char *name)
{
    backend_release(running_server(p, name));
}

static int served(struct proxy *p, const char *name)
{
    return atomic_load(&running_server(p, name)->served);
}

static void test_roundrobin_is_exact(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n" THREE);
    assert_string_equal(picks(p, 7), "abcabca");
    assert_int_equal(served(p, "a"), 3);
    release(p, "a");
    assert_int_equal(served(p, "a"), 2);
    assert_int_equal(atomic_load(&running_server(p, "a")->served_max), 3);
    p = load("backend b\n server a 127.0.0.1:1 weight 2\n server b 127.0.0.1:2\n");
    assert_int_equal(served(p, "a"), 2); // a reload keeps what is going on
}

static void test_no_server(void **state)
{
    (void)state;
    assert_string_equal(pick(load("backend b\n")), "-");
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 disabled\n server b 127.0.0.1:2 weight 0\n");
    assert_string_equal(pick(p), "-");
}

static void test_leastconn(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance leastconn\n" THREE);
    assert_string_equal(picks(p, 4), "abca");
    release(p, "b");
    assert_string_equal(picks(p, 2), "bc"); // b has none, then b and c have one: c was taken longer ago
    server_set_health(running_server(p, "b"), false, "test");
    assert_int_equal(served(p, "b"), 1);
    release(p, "b"); // is in the heap no more
    assert_string_equal(picks(p, 2), "ac");
}

static void test_first_fills_one_after_the_other(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance first\n server a 127.0.0.1:1 maxconn 2\n"
                           " server b 127.0.0.1:2 maxconn 1\n server c 127.0.0.1:3\n");
    assert_string_equal(picks(p, 5), "aabcc");
    release(p, "a");
    assert_string_equal(picks(p, 2), "ac");
}

static void set_target(const char *target)
{
    req.target = str_of(target);
}

static const char *pick_uri(struct proxy *p, const char *target)
{
    set_target(target);
    return pick(p);
}

static void test_source(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance source\n" THREE);
    for (unsigned i = 1; i < 4; i++) { // as HAProxy 2.6: clients 127.0.3.1 … go to c, a, b
        client.src.in.sin_addr.s_addr = htonl(0x7f000300u + i);
        const char *first = pick(p);
        assert_string_equal(first, i == 1 ? "c" : i == 2 ? "a" : "b");
        assert_string_equal(pick(p), first);
    }
    client.src.sa.sa_family = AF_UNIX; // has no address: taken in turns
    assert_string_equal(picks(p, 3), "abc");
    client.src.sa.sa_family = AF_INET;
}

static void test_uri(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance uri\n hash-type map-based djb2\n" THREE);
    assert_string_equal(pick_uri(p, "/x1"), pick_uri(p, "/x1?q=2"));
    assert_string_equal(pick_uri(p, "http://h/x1"), pick_uri(p, "/x1"));
    p = load("backend b\n balance uri whole\n hash-type map-based djb2\n" THREE);
    assert_string_not_equal(pick_uri(p, "/x1?q=1"), pick_uri(p, "/x1?q=2"));
    p = load("backend b\n balance uri len 3\n hash-type map-based djb2\n" THREE);
    assert_string_equal(pick_uri(p, "/ab1"), pick_uri(p, "/ab2"));
    p = load("backend b\n balance uri depth 1\n hash-type map-based djb2\n" THREE);
    assert_string_equal(pick_uri(p, "/a/1"), pick_uri(p, "/a/2"));
    assert_string_not_equal(pick_uri(p, "/a/1"), pick_uri(p, "/b/1"));
}

static void test_hdr(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance hdr(X-A)\n" THREE);
    const char *want = "312312312231231231231231231231"; // HAProxy 2.6 with v1 … v30
    for (unsigned i = 1; i <= 30; i++) {
        char value[8];
        snprintf(value, sizeof(value), "v%u", i);
        http_hdr_set(&req, STR("x-a"), str_of(value));
        assert_int_equal(pick(p)[0] - 'a' + '1', want[i - 1]);
    }
    http_hdr_del(&req, STR("x-a"));
    assert_string_equal(picks(p, 3), "abc"); // no such header
    p = load("backend b\n balance hdr(Host) use_domain_only\n hash-type map-based crc32\n" THREE);
    http_hdr_set(&req, STR("host"), STR("www.one.com:80"));
    const char *one = pick(p);
    http_hdr_set(&req, STR("host"), STR("static.one.com"));
    assert_string_equal(pick(p), one);
    http_hdr_set(&req, STR("host"), STR("one"));
    assert_string_equal(pick(p), one);
}

static void test_url_param_and_hash(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance url_param id\n" THREE);
    assert_string_equal(pick_uri(p, "/a?id=7"), pick_uri(p, "/b?x=1&id=7"));
    set_target("/a");
    assert_string_equal(picks(p, 3), "abc");
    p = load("backend b\n balance hash path,lower\n" THREE);
    assert_string_equal(pick_uri(p, "/ABC"), pick_uri(p, "/abc"));
}

// A failed server is passed over while there is another with a free slot, and taken again rather than none.
static void test_redispatch_avoids(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n" THREE);
    struct pick again = {.proxy = p, .avoid = running_server(p, "a")};
    for (unsigned i = 0; i < 6; i++)
        assert_string_not_equal(pick_with(again), "a");
    static const char *const algorithms[] = {"roundrobin", "leastconn", "first", "random", "source"};
    for (unsigned i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        char lines[256];
        snprintf(lines, sizeof(lines),
                 "backend b\n balance %s\n server x%u 127.0.0.1:1\n server y%u 127.0.0.1:2 maxconn 1\n", algorithms[i],
                 i, i);
        p = load(lines);
        again = (struct pick){.proxy = p, .avoid = p->servers[0]->state};
        assert_string_equal(pick_with(again), p->servers[1]->state->name);
        if (i < 4)
            assert_string_equal(pick_with(again), p->servers[0]->state->name);
    }
    p = load("backend b\n server only 127.0.0.1:1\n");
    again = (struct pick){.proxy = p, .avoid = p->servers[0]->state};
    assert_string_equal(pick_with(again), "only");
}

static void test_hash_balance_factor(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n balance uri\n hash-type consistent\n hash-balance-factor 150\n" THREE);
    set_target("/the/same");
    for (unsigned i = 0; i < 30; i++)
        pick(p);
    for (unsigned i = 0; i < 3; i++) // 1.5 times the average of 10
        assert_in_range(atomic_load(&p->servers[i]->state->served), 0, 15);
}

static void test_preferred(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n" THREE);
    struct server *b = proxy_find_server(p, STR("b"));
    struct pick sticky = {.proxy = p, .preferred = b}, forced = {.proxy = p, .preferred = b, .force = true};
    assert_string_equal(pick_with(sticky), "b");
    server_set_admin(b->state, ADMIN_DRAIN, 0, "test");
    assert_string_equal(pick_with(sticky), "b"); // who is bound to it still comes
    assert_string_equal(picks(p, 3), "aca");
    server_set_weight(b->state, 0);
    assert_string_equal(pick_with(sticky), "b");
    server_set_admin(b->state, ADMIN_MAINT, ADMIN_DRAIN, "test");
    assert_string_not_equal(pick_with(sticky), "b");
    assert_string_equal(pick_with(forced), "b");
    server_set_admin(b->state, 0, ADMIN_MAINT, "test");
    server_set_health(b->state, false, "test");
    assert_string_not_equal(pick_with(sticky), "b");
    assert_string_equal(pick_with(forced), "b");
}

static void test_minconn(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n fullconn 100\n server a 127.0.0.1:1 minconn 10 maxconn 50\n");
    struct server_state *a = running_server(p, "a");
    static const struct {
        int conns, capacity;
    } cases[] = {{0, 10}, {10, 10}, {40, 20}, {99, 49}, {100, 50}, {500, 50}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        atomic_store(&p->back->conns, cases[i].conns);
        assert_int_equal(backend_server_capacity(a), cases[i].capacity);
    }
    atomic_store(&p->back->conns, 0);
}

// ---- the queue

struct waiter {
    struct queue_entry q;
    char name;
};
static char woken[64]; // names in order, each with the first letter of its server ('-': pick again)

static void on_wake(struct queue_entry *q)
{
    struct waiter *w = CONTAINER_OF(q, struct waiter, q);
    char text[3] = {w->name, q->granted ? q->granted->name[0] : '-', '\0'};
    assert_ptr_equal(worker_self, q->worker);
    strcat(woken, text);
}

static enum pick_result wait_for(struct waiter *w, struct proxy *p, struct server *preferred)
{
    struct server *out;
    w->q.worker = workers[w->name % 2];
    w->q.on_wake = on_wake;
    return backend_pick(&(struct pick){.proxy = p, .ctx = &ctx, .preferred = preferred, .q = &w->q}, &out);
}

static const char *wakes(void)
{
    static char text[64];
    woken[0] = '\0';
    drain();
    strcpy(text, woken);
    return text;
}

static void test_queue_grants_in_order(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 maxconn 1\n server b 127.0.0.1:2 maxconn 1\n");
    struct waiter w[4] = {{.name = '0'}, {.name = '1'}, {.name = '2'}, {.name = '3'}};
    assert_string_equal(picks(p, 2), "ab");
    assert_string_equal(pick(p), "-"); // does not want to wait
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(wait_for(&w[i], p, NULL), PICK_QUEUED);
        assert_int_equal(w[i].q.position, i);
    }
    assert_int_equal(atomic_load(&p->back->queued), 4);
    release(p, "b");
    assert_string_equal(wakes(), "0b");
    assert_int_equal(served(p, "b"), 1); // the slot went over
    release(p, "a");
    release(p, "b");
    assert_string_equal(wakes(), "2b1a"); // each worker's own
    assert_int_equal(atomic_load(&p->back->queued), 1);
    assert_int_equal(atomic_load(&p->back->queued_max), 4);
    server_set_maxconn(running_server(p, "a"), 2); // a slot more
    assert_string_equal(wakes(), "3a");
    assert_int_equal(served(p, "a"), 2);
}

static void test_queue_cancel(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 maxconn 1\n");
    struct waiter w[3] = {{.name = '0'}, {.name = '1'}, {.name = '2'}};
    pick(p);
    for (unsigned i = 0; i < 3; i++)
        wait_for(&w[i], p, NULL);
    backend_queue_cancel(&w[1].q);
    backend_queue_cancel(&w[1].q); // twice does nothing
    assert_int_equal(atomic_load(&p->back->queued), 2);
    release(p, "a"); // for 0, whose message is on its way …
    backend_queue_cancel(&w[0].q);
    assert_int_equal(served(p, "a"), 1);
    drain(); // … and comes too late: its slot goes to 2
    assert_string_equal(wakes(), "2a");
    assert_int_equal(served(p, "a"), 1);
    backend_queue_cancel(&w[2].q); // has its grant: leaves it alone
    release(p, "a");
    assert_int_equal(served(p, "a"), 0);
    struct waiter never = {.name = '9'};
    backend_queue_cancel(&never.q);
}

static void test_queue_priority(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 maxconn 1\n");
    struct waiter w[5] = {{.name = '0'}, {.name = '2'}, {.name = '4'}, {.name = '6'}, {.name = '8'}};
    w[1].q.priority_class = -1;
    w[2].q.priority_offset_ms = 5000;
    w[4].q.priority_offset_ms = -5000;
    pick(p);
    for (unsigned i = 0; i < 5; i++)
        wait_for(&w[i], p, NULL);
    char order[32] = "";
    for (unsigned i = 0; i < 5; i++) {
        release(p, "a");
        strcat(order, wakes());
    }
    assert_string_equal(order, "2a8a0a6a4a");
}

// Who has a server by persistence waits for that one; a slot of it goes to the longest waiter of both queues.
static void test_queue_bound(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 maxconn 1\n server b 127.0.0.1:2 maxconn 1\n");
    struct server *a = p->servers[0];
    struct waiter bound = {.name = '0'}, any = {.name = '2'}, late = {.name = '4'};
    assert_string_equal(picks(p, 2), "ab");
    assert_int_equal(wait_for(&bound, p, a), PICK_QUEUED);
    assert_int_equal(atomic_load(&a->state->queued), 1);
    assert_int_equal(wait_for(&any, p, NULL), PICK_QUEUED);
    assert_int_equal(wait_for(&late, p, a), PICK_QUEUED);
    release(p, "b");
    assert_string_equal(wakes(), "2b");
    server_set_admin(a->state, ADMIN_DRAIN, 0, "test"); // those who are bound to it pick again
    assert_string_equal(wakes(), "0-4-");
    assert_int_equal(atomic_load(&a->state->queued), 0);
    assert_int_equal(wait_for(&bound, p, a), PICK_QUEUED); // and may still come
    release(p, "a");
    assert_string_equal(wakes(), "0a");
}

static void test_queue_when_the_last_server_goes(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 maxconn 1\n");
    struct waiter w[2] = {{.name = '0'}, {.name = '2'}};
    pick(p);
    wait_for(&w[0], p, NULL);
    wait_for(&w[1], p, p->servers[0]);
    server_set_health(p->servers[0]->state, false, "test");
    assert_string_equal(wakes(), "2-0-");
    assert_int_equal(wait_for(&w[0], p, NULL), PICK_NONE);
    release(p, "a");
    server_set_health(p->servers[0]->state, true, "test");
    assert_string_equal(pick(p), "a");
}

static void test_queue_maxqueue(void **state)
{
    (void)state;
    struct proxy *p = load("backend b\n server a 127.0.0.1:1 maxconn 1 maxqueue 1\n server b 127.0.0.1:2\n");
    struct waiter w[2] = {{.name = '0'}, {.name = '2'}};
    struct server *out;
    assert_string_equal(pick(p), "a");
    assert_int_equal(wait_for(&w[0], p, p->servers[0]), PICK_QUEUED);
    w[1].q.worker = workers[0];
    struct pick second = {.proxy = p, .ctx = &ctx, .preferred = p->servers[0], .q = &w[1].q};
    assert_int_equal(backend_pick(&second, &out), PICK_SERVER); // its queue is full: somewhere else
    assert_string_equal(out->state->name, "b");
    backend_queue_cancel(&w[0].q);
}

// A slot is given up by a hash's own server: who waits for it gets it, nobody slips in between.
static void test_queue_of_a_hash(void **state)
{
    (void)state;
    struct proxy *p =
        load("backend b\n balance uri\n server a 127.0.0.1:1 maxconn 1\n server b 127.0.0.1:2 maxconn 1\n");
    struct waiter w = {.name = '0'};
    set_target("/x");
    const char *name = pick(p);
    assert_int_equal(wait_for(&w, p, NULL), PICK_QUEUED);
    assert_string_equal(w.q.bound->name, name);
    release(p, name);
    assert_string_equal(pick(p), "-"); // the message is still on its way, the slot is taken
    assert_int_equal(wakes()[1], name[0]);
}

static int setup(void **state)
{
    (void)state;
    for (worker_count = 0; worker_count < 2; worker_count++)
        workers[worker_count] = worker_create(THREAD_WORKER, worker_count);
    arena = arena_create(4096);
    http_msg_init(&req, arena, false, 8);
    client.src.in = (struct sockaddr_in){.sin_family = AF_INET};
    ctx = (struct match_ctx){
        .arena = arena, .worker = workers[0], .where = WHERE_BACK_REQ, .client = &client, .req = &req};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    running_end();
    drain(); // schedules that were retired
    for (unsigned i = 0; i < worker_count; i++)
        worker_destroy(&workers[i]);
    worker_count = 0;
    arena_destroy(&arena);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_roundrobin_is_exact),
        TEST(test_no_server),
        TEST(test_leastconn),
        TEST(test_first_fills_one_after_the_other),
        TEST(test_source),
        TEST(test_uri),
        TEST(test_hdr),
        TEST(test_url_param_and_hash),
        TEST(test_redispatch_avoids),
        TEST(test_hash_balance_factor),
        TEST(test_preferred),
        TEST(test_minconn),
        TEST(test_queue_grants_in_order),
        TEST(test_queue_cancel),
        TEST(test_queue_priority),
        TEST(test_queue_bound),
        TEST(test_queue_when_the_last_server_goes),
        TEST(test_queue_maxqueue),
        TEST(test_queue_of_a_hash),
    };
    running_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
