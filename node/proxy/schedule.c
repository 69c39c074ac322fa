// SPDX-License-Identifier: Apache-2.0
// Building schedules: which servers take part, one weighted round of them, the hash ring, the heap of leastconn.
#include "node/proxy/schedule.h"

#include <stdlib.h>

#include "node/base/panic.h"
#include "node/match/hashes.h"

#define ORDER_MAX       65536 // entries of one round; larger sums of weights are scaled down
#define POINTS_A_WEIGHT 16    // ring points for each unit of weight
#define POINTS_MAX      400000

unsigned server_effective_weight(const struct server_state *s)
{
    unsigned weight = (unsigned)atomic_load_explicit(&s->weight, memory_order_relaxed);
    return weight * atomic_load_explicit(&s->slow_percent, memory_order_relaxed);
}

static unsigned gcd(unsigned a, unsigned b)
{
    while (b) {
        unsigned t = a % b;
        a = b;
        b = t;
    }
    return a;
}

// Active servers that are usable; else backups: the first one, or all with `option allbackups`.
static void collect(struct schedule *s, struct proxy *p)
{
    for (int backup = 0; backup < 2 && s->count == 0; backup++) {
        for (unsigned i = 0; i < p->nservers; i++) {
            struct server *srv = p->servers[i];
            if (srv->cfg->backup != backup || !server_usable(srv->state))
                continue;
            s->servers[s->count++] = server_state_ref(srv->state);
            if (backup && !cfg_option(p->cfg, OPT_ALLBACKUPS))
                break;
        }
    }
}

// Smooth weighted round robin: each step every server gains its weight, the richest is taken and pays the sum. Equal
// weights give file order.
static void build_order(struct schedule *s)
{
    unsigned divisor = 0, sum = 0;
    unsigned *weights = calloc(s->count, sizeof(*weights));
    int64_t *credit = calloc(s->count, sizeof(*credit));
    ASSERT(weights && credit);
    for (unsigned i = 0; i < s->count; i++) {
        weights[i] = server_effective_weight(s->servers[i]);
        divisor = gcd(divisor, weights[i]);
        sum += weights[i];
    }
    if (sum / divisor > ORDER_MAX)
        divisor = sum / ORDER_MAX + 1;
    sum = 0;
    for (unsigned i = 0; i < s->count; i++) {
        weights[i] = weights[i] / divisor ? weights[i] / divisor : 1;
        sum += weights[i];
    }
    s->order = malloc(sum * sizeof(*s->order));
    ASSERT(s->order != NULL);
    for (s->order_len = 0; s->order_len < sum; s->order_len++) {
        unsigned best = 0;
        for (unsigned i = 0; i < s->count; i++) {
            credit[i] += weights[i];
            if (credit[i] > credit[best])
                best = i;
        }
        credit[best] -= sum;
        s->order[s->order_len] = (uint16_t)best;
    }
    free(weights);
    free(credit);
}

// All weights equal: one round is the servers in order. Spares the quadratic build for large farms.
static bool build_order_equal(struct schedule *s)
{
    unsigned first = server_effective_weight(s->servers[0]);
    for (unsigned i = 1; i < s->count; i++)
        if (server_effective_weight(s->servers[i]) != first)
            return false;
    s->order = malloc(s->count * sizeof(*s->order));
    ASSERT(s->order != NULL);
    for (unsigned i = 0; i < s->count; i++)
        s->order[i] = (uint16_t)i;
    s->order_len = s->count;
    return true;
}

static int compare_points(const void *a, const void *b)
{
    const struct hash_point *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->server > y->server) - (x->server < y->server);
}

// Points depend on the server's name alone, so that a restart, another node and a changed list agree on them.
static void build_points(struct schedule *s)
{
    size_t total = 0;
    for (unsigned i = 0; i < s->count; i++)
        total += (size_t)server_effective_weight(s->servers[i]) * POINTS_A_WEIGHT / 100 + 1;
    unsigned shrink = (unsigned)(total / POINTS_MAX) + 1;
    s->points = malloc(total * sizeof(*s->points));
    ASSERT(s->points != NULL);
    for (unsigned i = 0; i < s->count; i++) {
        const char *name = s->servers[i]->name;
        unsigned n = server_effective_weight(s->servers[i]) * POINTS_A_WEIGHT / 100 / shrink + 1;
        for (unsigned k = 0; k < n; k++)
            s->points[s->npoints++] = (struct hash_point){(uint32_t)hash64(name, strlen(name), k), (uint16_t)i};
    }
    qsort(s->points, s->npoints, sizeof(*s->points), compare_points);
}

// Load of a server in leastconn: streams it serves and that wait for it, in proportion to its weight.
static bool heap_less(const struct server_state *a, const struct server_state *b)
{
    int64_t load_a =
        atomic_load_explicit(&a->served, memory_order_relaxed) + atomic_load_explicit(&a->queued, memory_order_relaxed);
    int64_t load_b =
        atomic_load_explicit(&b->served, memory_order_relaxed) + atomic_load_explicit(&b->queued, memory_order_relaxed);
    int64_t left = load_a * server_effective_weight(b), right = load_b * server_effective_weight(a);
    return left != right ? left < right : a->last_pick < b->last_pick;
}

static void heap_place(struct schedule *s, unsigned pos, struct server_state *server)
{
    s->heap[pos] = server;
    server->heap_pos = pos;
}

void schedule_heap_update(struct schedule *s, struct server_state *server)
{
    unsigned pos = server->heap_pos;
    if (!s || !s->heap || pos >= s->count || s->heap[pos] != server)
        return;
    while (pos > 0 && heap_less(server, s->heap[(pos - 1) / 2])) {
        heap_place(s, pos, s->heap[(pos - 1) / 2]);
        pos = (pos - 1) / 2;
    }
    for (;;) {
        unsigned child = 2 * pos + 1;
        if (child >= s->count)
            break;
        if (child + 1 < s->count && heap_less(s->heap[child + 1], s->heap[child]))
            child++;
        if (!heap_less(s->heap[child], server))
            break;
        heap_place(s, pos, s->heap[child]);
        pos = child;
    }
    heap_place(s, pos, server);
}

struct server_state *schedule_heap_top(const struct schedule *s)
{
    return s->heap && s->count ? s->heap[0] : NULL;
}

static void build_heap(struct schedule *s)
{
    s->heap = calloc(s->count, sizeof(*s->heap));
    ASSERT(s->heap != NULL);
    for (unsigned i = 0; i < s->count; i++)
        heap_place(s, i, s->servers[i]);
    for (unsigned i = s->count; i-- > 0;)
        schedule_heap_update(s, s->heap[i]);
}

struct schedule *schedule_build(struct proxy *p)
{
    struct schedule *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    if (p->nservers == 0)
        return s;
    s->servers = calloc(p->nservers, sizeof(*s->servers));
    ASSERT(s->servers != NULL);
    collect(s, p);
    if (s->count == 0)
        return s;
    if (!build_order_equal(s))
        build_order(s);
    if (p->cfg->hash_type == HASH_CONSISTENT)
        build_points(s);
    if (p->cfg->balance == BALANCE_LEASTCONN)
        build_heap(s);
    return s;
}

void schedule_destroy(void *schedule)
{
    struct schedule *s = schedule;
    for (unsigned i = 0; i < s->count; i++)
        server_state_unref(&s->servers[i]);
    free(s->servers);
    free(s->order);
    free(s->points);
    free(s->heap);
    free(s);
}

unsigned schedule_places(const struct schedule *s)
{
    return s->points ? s->npoints : s->order_len;
}

unsigned schedule_place(const struct schedule *s, uint32_t hash)
{
    if (!s->points)
        return hash % s->order_len;
    unsigned low = 0, high = s->npoints;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (s->points[mid].hash < hash)
            low = mid + 1;
        else
            high = mid;
    }
    return low == s->npoints ? 0 : low;
}

struct server_state *schedule_at(const struct schedule *s, unsigned place)
{
    return s->servers[s->points ? s->points[place].server : s->order[place]];
}

// The manual's "none": the key itself, as a decimal number.
static uint32_t hash_number(struct str key)
{
    uint32_t h = 0;
    for (size_t i = 0; i < key.len && key.ptr[i] >= '0' && key.ptr[i] <= '9'; i++)
        h = h * 10 + (uint32_t)(key.ptr[i] - '0');
    return h;
}

static uint32_t raw_hash(const struct cfg_proxy *p, struct str key)
{
    switch (p->hash_fn) {
    case HASH_FN_SDBM:
        return hash_sdbm(key);
    case HASH_FN_DJB2:
        return hash_djb2(key);
    case HASH_FN_WT6:
        return hash_wt6(key);
    case HASH_FN_CRC32:
        return hash_crc32(key);
    case HASH_FN_NONE:
        return hash_number(key);
    }
    return 0;
}

// A ring is looked up by the high bits, which short keys leave alike in a weak hash: there the avalanche is always on.
uint32_t schedule_hash(const struct cfg_proxy *p, struct str key)
{
    uint32_t h = raw_hash(p, key);
    return p->hash_avalanche || p->hash_type == HASH_CONSISTENT ? hash_avalanche(h) : h;
}
