// SPDX-License-Identifier: Apache-2.0
// Benchmark of stick tables: cost and memory of entries, then two nodes in this process over loopback: resync of a full
// table, updates a second over one link, and how stale the other node is meanwhile. Usage: table_bench [ENTRIES].
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/base/hash.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/worker.h"
#include "node/match/table_merge.h"
#include "peers/replicate.h"

static uint32_t entries = 1000000;

static double seconds(void)
{
    return (double)mono_now().us / 1e6;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static struct table *new_table(void)
{
    struct cfg_table c = {.key = TKEY_IPV4, .size = entries + 1000, .expire_ms = 1800000};
    c.data[TD_GPC0].on = c.data[TD_HTTP_REQ_CNT].on = true;
    return table_create(STR("app"), &c);
}

static void count(struct table *t, uint32_t key, mono_t now)
{
    static const struct table_delta both[] = {{TD_GPC0, 0, 1}, {TD_HTTP_REQ_CNT, 0, 1}};
    struct table_entry *e = table_get(t, str_make((char *)&key, 4), now);
    table_add_many(t, e, both, 2, now);
    table_release(t, &e);
}

static void fill(struct table *t)
{
    mono_t now = mono_now();
    for (uint32_t k = 0; k < entries; k++)
        count(t, k, now);
}

// ---- one node

static void merge_as_others(void *arg, const struct table_update *u)
{
    struct table_row *row = (struct table_row *)u->rows;
    struct table **to = arg;
    struct table_shape shape = {0};
    shape.data[TD_GPC0].elements = shape.data[TD_HTTP_REQ_CNT].elements = 1;
    row->node = table_node_index(*to, STR("n2"));
    table_merge(*to, &shape, u, mono_now());
}

static void bench_memory(void)
{
    size_t before = heap_bytes();
    struct table *t = new_table();
    table_set_identity(t, STR("n1"), (uint64_t)wall_now_us(), mono_now(), wall_now_us());
    double start = seconds();
    fill(t);
    double filled = seconds();
    size_t one = heap_bytes() - before;
    uint64_t x = 1;
    mono_t now = mono_now();
    for (uint32_t i = 0; i < entries; i++)
        count(t, (uint32_t)((x = hash_mix64(x + i)) % entries), now);
    double updated = seconds();
    printf("insert, one thread:          %7.0f ns an entry\n", (filled - start) * 1e9 / entries);
    printf("update (find, 2 counters):   %7.0f ns\n", (updated - filled) * 1e9 / entries);
    printf("memory, one writing node:    %7.1f bytes an entry (target 128)\n", (double)one / entries);
    struct table *other = new_table();
    table_set_identity(other, STR("n2"), (uint64_t)wall_now_us(), mono_now(), wall_now_us());
    fill(other);
    struct table_scratch *s = table_scratch_create();
    size_t two_before = heap_bytes();
    struct table *to = t;
    while (table_drain(other, s, 100000, mono_now(), merge_as_others, &to) > 0)
        ;
    printf("memory, one node more:       %7.1f bytes an entry (target 24)\n",
           ((double)heap_bytes() - (double)two_before) / entries);
    table_scratch_destroy(&s);
    table_unref(&t);
    table_unref(&other);
    malloc_trim(0);
}

// ---- two nodes

struct node {
    struct worker *worker;
    struct replicate *replicate;
    struct gate *gate;
    struct table *table;
    _Atomic bool synced;
};
static struct node nodes[2];
static char dir[100];
static uint16_t ports[2];

static void on_synced(void *arg)
{
    ((struct node *)arg)->synced = true;
}

static void attach(struct worker *w)
{
    struct node *n = w->owner;
    replicate_attach(n->replicate, w);
    gate_attach(n->gate, w->loop);
}

static void start_node(unsigned i)
{
    struct node *n = &nodes[i];
    struct link_node all[2] = {{.name = "n1"}, {.name = "n2"}};
    for (unsigned j = 0; j < 2; j++) {
        all[j].addr.kind = ADDR_INET;
        inet_parse(STR("127.0.0.1"), &all[j].addr.inet);
        inet_set_port(&all[j].addr.inet, ports[j]);
    }
    struct replicate_options o = {.arg = n, .synced = on_synced};
    o.link = (struct link_options){.cluster = "bench",
                                   .nodes = all,
                                   .node_count = 2,
                                   .self = i,
                                   .boot = (uint64_t)wall_now_us() - 1000 + i,
                                   .dir = dir};
    n->replicate = replicate_create(&o);
    struct gate_options g = {
        .addrs = &all[i].addr, .addr_count = 1, .links = {[LINK_BULK] = replicate_links(n->replicate)}};
    n->gate = gate_create(&g, NULL);
    ASSERT(n->gate);
    replicate_set_tables(n->replicate, &n->table, 1);
    n->worker = worker_create(THREAD_SYNC, i);
    n->worker->owner = n;
    ASSERT(worker_start(n->worker, attach) == 0);
}

static uint16_t free_port(void)
{
    struct addr a = {.kind = ADDR_INET};
    struct inet_addr bound;
    inet_parse(STR("127.0.0.1"), &a.inet);
    struct gate *g = gate_create(&(struct gate_options){.addrs = &a, .addr_count = 1}, NULL);
    ASSERT(g && gate_addr(g, 0, &bound));
    gate_destroy(&g);
    return inet_port(&bound);
}

static void bench_resync(void)
{
    for (unsigned i = 0; i < 2; i++) {
        ports[i] = free_port();
        nodes[i].table = new_table();
    }
    start_node(0);
    fill(nodes[0].table);
    usleep(300000); // its changes are drained; nobody listens yet
    double cpu = cpu_seconds();
    start_node(1);
    struct replicate_peer_status peer = {0};
    while (replicate_peer_status(nodes[1].replicate, 0, &peer) && !peer.up) // the other one dials within a second
        usleep(200);
    double start = seconds();
    while (!nodes[1].synced && seconds() - start < 60)
        usleep(1000);
    double took = seconds() - start;
    struct replicate_status s = replicate_status(nodes[0].replicate);
    printf("resync of %u entries:   %7.3f s, %.3f s of CPU on both, %.1f MB (targets 0.7 s, 40 MB); %lu held\n",
           entries, took, cpu_seconds() - cpu, (double)s.bytes_out / 1e6, (unsigned long)table_count(nodes[1].table));
}

static int64_t value_at(unsigned node, uint32_t key)
{
    int64_t v = 0;
    struct table_entry *e = table_find(nodes[node].table, str_make((char *)&key, 4), mono_now());
    if (e)
        table_read(nodes[node].table, e, TD_GPC0, 0, mono_now(), &v);
    table_release(nodes[node].table, &e);
    return v;
}

#define RATE 320000 // changes a second
#define RUN  5      // s
static _Atomic bool running;

static void *write_changes(void *arg)
{
    double start = seconds();
    uint64_t x = 7, done = 0;
    while (running) {
        uint64_t due = (uint64_t)((seconds() - start) * RATE);
        for (; done < due; done++)
            count(nodes[0].table, (uint32_t)((x = hash_mix64(x + done)) % entries), mono_now());
        usleep(500);
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void bench_updates(void)
{
    static double stale[4000];
    unsigned n = 0;
    pthread_t writer;
    struct replicate_status before = replicate_status(nodes[0].replicate);
    uint64_t in = replicate_status(nodes[1].replicate).updates_in;
    double start = seconds(), cpu = cpu_seconds();
    running = true;
    pthread_create(&writer, NULL, write_changes, NULL);
    while (seconds() - start < RUN && n < 4000) {
        uint32_t key = entries - 1 - n % 1000;
        int64_t want = value_at(0, key) + 1;
        double changed = seconds();
        count(nodes[0].table, key, mono_now());
        while (value_at(1, key) < want && seconds() - changed < 5)
            usleep(500);
        stale[n++] = (seconds() - changed) * 1000;
    }
    running = false;
    pthread_join(writer, NULL);
    double took = seconds() - start;
    struct replicate_status s = replicate_status(nodes[0].replicate);
    qsort(stale, n, sizeof(*stale), by_value);
    printf("updates over one link:       %7.0f a second merged (target 300000), %.1f bytes each (target 40)\n",
           (double)(replicate_status(nodes[1].replicate).updates_in - in) / took,
           (double)(s.bytes_out - before.bytes_out) / (double)(s.updates_out - before.updates_out));
    printf(
        "staleness:                   %7.1f ms median, %.1f ms p99 (target 100); %.2f s of CPU a second, all threads\n",
        stale[n / 2], stale[n * 99 / 100], (cpu_seconds() - cpu) / took);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        entries = (uint32_t)strtoul(argv[1], NULL, 10);
    if (entries < 10000)
        entries = 10000;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("table_bench %u: table of type ip with gpc0 and http_req_cnt\n", entries);
    bench_memory();
    if (link_dir_create(NULL, dir, sizeof(dir)) < 0)
        return 1;
    bench_resync();
    bench_updates();
    fflush(stdout);
    link_dir_remove(dir);
    _exit(0); // the threads end with the process
}
