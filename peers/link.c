// SPDX-License-Identifier: Apache-2.0
// Links of one class: who dials whom, when again, and which carrier is the link now. Of two nodes the one with the
// lower name dials; the other waits for it at the gate. A newer carrier takes the place of an older one, which may be
// dead without knowing.
#include "peers/link.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/buf.h"
#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "peers/carrier.h"
#include "peers/link_impl.h"

#define LINKS_MAGIC 0x4c494e4bu
// Dialing again: doubled from the first to the second, and up to a quarter more at random.
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 1000

static const struct {
    const char *name;
    size_t queue_max;
} classes[LINK_CLASS_COUNT] = {
    [LINK_CONTROL] = {"control", 1024 * 1024},
    [LINK_BULK] = {"bulk", 8 * 1024 * 1024},
};

struct link {
    struct links *links;
    unsigned node;
    char name[HELLO_NAME_MAX + 1]; // of the node
    struct addr addr;
    bool dials; // we do
    struct carrier *carrier;
    bool up;
    uint64_t boot, received; // the other side's, from its hello
    struct timer retry;
    unsigned retry_ms;
};

struct links {
    uint32_t magic;
    enum link_class class;
    char *cluster, *dir;
    char self[HELLO_NAME_MAX + 1];
    const struct conn_transport *transport;
    struct link_events events;
    uint64_t boot;
    struct loop *loop; // NULL = not attached
    uint64_t random;
    pthread_mutex_t given_lock; // protects `given` and `open`
    struct list given;          // carriers that came before links_attach()
    bool open;
    unsigned count;
    struct link *links; // by node; of ourselves unused
};

// ---- folder of endpoints

int link_dir_create(const char *base, char *out, size_t size)
{
    int n = snprintf(out, size, "%s/phalanx-XXXXXX", base ? base : "/tmp");
    if (n < 0 || (size_t)n >= size || n > 70) // an endpoint's path has 107 bytes
        return -ENAMETOOLONG;
    return mkdtemp(out) ? 0 : -errno;
}

void link_dir_remove(const char *dir)
{
    rmdir(dir); // endpoints are unlinked with their carriers
}

bool link_addr_is_safe(const struct addr *a)
{
    static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;
    if (a->kind != ADDR_INET)
        return true;
    if (a->inet.sa.sa_family == AF_INET)
        return ntohl(a->inet.in.sin_addr.s_addr) >> 24 == 127;
    return a->inet.sa.sa_family != AF_INET6 || memcmp(&a->inet.in6.sin6_addr, &loopback6, sizeof(loopback6)) == 0;
}

// ---- carriers

static uint32_t random_below(struct links *l, uint32_t n)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return (uint32_t)(l->random >> 32) % n;
}

static void retry_later(struct link *k)
{
    struct links *l = k->links;
    if (!k->dials || !l->loop)
        return;
    unsigned wait = k->retry_ms + random_below(l, k->retry_ms / 4 + 1);
    k->retry_ms = k->retry_ms * 2 < RETRY_MAX_MS ? k->retry_ms * 2 : RETRY_MAX_MS;
    timer_set(loop_timers(l->loop), &k->retry, mono_add_ms(loop_now(l->loop), wait));
}

static void went_down(struct link *k)
{
    bool was_up = k->up;
    k->up = false;
    if (was_up)
        k->links->events.down(k->links->events.arg, k->node);
}

static void on_lost(void *arg)
{
    struct link *k = arg;
    k->carrier = NULL;
    retry_later(k);
    went_down(k);
}

static void drop_carrier(struct link *k)
{
    carrier_close(&k->carrier);
    went_down(k);
}

static bool names_match(const struct links *l, const struct hello *h)
{
    return str_is(h->cluster, l->cluster) && str_is(h->to, l->self) && h->class == (uint32_t)l->class;
}

// The answer to our hello.
static bool on_hello(void *arg, const struct hello *h)
{
    struct link *k = arg;
    if (!names_match(k->links, h) || !str_is(h->from, k->name))
        return false;
    k->boot = h->boot;
    k->received = h->received;
    return true;
}

static void on_up(void *arg)
{
    struct link *k = arg;
    struct links *l = k->links;
    k->retry_ms = RETRY_MIN_MS;
    k->up = true;
    l->events.up(l->events.arg, k->node, k->boot, k->received);
}

static bool on_message(void *arg, struct str bytes)
{
    struct link *k = arg;
    return k->links->events.message(k->links->events.arg, k->node, bytes);
}

static void on_writable(void *arg)
{
    struct link *k = arg;
    if (k->links->events.writable)
        k->links->events.writable(k->links->events.arg, k->node);
}

static void open_carrier(struct link *k, int fd, bool connecting, bool heard)
{
    struct links *l = k->links;
    struct hello h = {.version = HELLO_VERSION,
                      .cluster = str_of(l->cluster),
                      .from = str_of(l->self),
                      .to = str_of(k->name),
                      .class = l->class,
                      .boot = l->boot,
                      .received = l->events.received ? l->events.received(l->events.arg, k->node) : 0};
    struct buf hello = BUF_INIT;
    hello_encode(&h, &hello);
    k->carrier = carrier_open(&(struct carrier_options){.loop = l->loop,
                                                        .transport = l->transport,
                                                        .dir = l->dir,
                                                        .name = classes[l->class].name,
                                                        .queue_max = classes[l->class].queue_max,
                                                        .hello = buf_str(&hello),
                                                        .arg = k,
                                                        .on_hello = on_hello,
                                                        .on_up = on_up,
                                                        .on_message = on_message,
                                                        .on_writable = on_writable,
                                                        .on_lost = on_lost},
                              fd, connecting, heard);
    buf_free(&hello);
    if (!k->carrier)
        retry_later(k);
}

static void dial(struct timer *t)
{
    struct link *k = CONTAINER_OF(t, struct link, retry);
    bool in_progress = false;
    if (k->carrier)
        return;
    int fd = sock_connect(&k->addr, NULL, &in_progress);
    if (fd < 0)
        retry_later(k);
    else
        open_carrier(k, fd, in_progress, false);
}

// ---- from the gate

bool links_expect(const struct links *l, const struct hello *h)
{
    if (!names_match(l, h))
        return false;
    for (unsigned i = 0; i < l->count; i++)
        if (l->links[i].links && str_is(h->from, l->links[i].name))
            return !l->links[i].dials;
    return false;
}

struct given {
    struct msg msg;
    struct list link; // while the links are not attached
    struct links *links;
    int fd;
    char from[HELLO_NAME_MAX + 1];
    uint64_t boot, received;
};

static void take_given(struct msg *m)
{
    struct given *g = CONTAINER_OF(m, struct given, msg);
    struct links *l = g->links;
    struct link *k = NULL;
    for (unsigned i = 0; i < l->count; i++)
        if (l->links[i].links && strcmp(l->links[i].name, g->from) == 0)
            k = &l->links[i];
    if (k && l->loop) {
        drop_carrier(k);
        k->boot = g->boot;
        k->received = g->received;
        open_carrier(k, g->fd, false, true);
    } else {
        close(g->fd);
    }
    free(g);
}

void links_give(struct links *l, int fd, const struct hello *h)
{
    struct given *g = calloc(1, sizeof(*g));
    if (!g)
        PANIC("out of memory");
    *g = (struct given){.msg = {.kind = MSG_LINK_UP, .fn = take_given}, .links = l, .fd = fd};
    str_copy(g->from, sizeof(g->from), h->from);
    g->boot = h->boot;
    g->received = h->received;
    pthread_mutex_lock(&l->given_lock);
    if (l->open)
        inbox_send(loop_inbox(l->loop), &g->msg);
    else
        list_push(&l->given, &g->link);
    pthread_mutex_unlock(&l->given_lock);
}

// ---- for the users

static void make_link(struct links *l, const struct link_options *o, unsigned i)
{
    struct link *k = &l->links[i];
    timer_init(&k->retry, dial);
    k->node = i;
    if (i == o->self)
        return;
    if (!o->transport && !link_addr_is_safe(&o->nodes[i].addr)) {
        log_alert("cluster : no link to node %s: without TLS only loopback addresses are allowed.", o->nodes[i].name);
        return;
    }
    k->links = l;
    str_copy(k->name, sizeof(k->name), str_of(o->nodes[i].name));
    k->addr = o->nodes[i].addr;
    k->dials = strcmp(l->self, k->name) < 0;
    k->retry_ms = RETRY_MIN_MS;
}

struct links *links_create(const struct link_options *o, enum link_class class, const struct link_events *events)
{
    struct links *l = calloc(1, sizeof(*l));
    if (!l || !(l->links = calloc(o->node_count, sizeof(*l->links))))
        PANIC("out of memory");
    ASSERT(o->self < o->node_count && o->boot != 0);
    l->magic = LINKS_MAGIC;
    l->class = class;
    l->cluster = str_dup(str_of(o->cluster));
    l->dir = str_dup(str_of(o->dir));
    str_copy(l->self, sizeof(l->self), str_of(o->nodes[o->self].name));
    l->transport = o->transport;
    l->events = *events;
    l->boot = o->boot;
    l->random = o->boot * 0x9e3779b97f4a7c15ULL | 1;
    l->count = o->node_count;
    pthread_mutex_init(&l->given_lock, NULL);
    list_init(&l->given);
    for (unsigned i = 0; i < l->count; i++)
        make_link(l, o, i);
    return l;
}

void links_attach(struct links *l, struct loop *loop)
{
    CHECK_OBJ(l, LINKS_MAGIC);
    pthread_mutex_lock(&l->given_lock);
    l->loop = loop;
    l->open = true;
    for (struct list *it; (it = list_pop(&l->given)) != NULL;)
        inbox_send(loop_inbox(loop), &CONTAINER_OF(it, struct given, link)->msg);
    pthread_mutex_unlock(&l->given_lock);
    for (unsigned i = 0; i < l->count; i++)
        if (l->links[i].links && l->links[i].dials)
            timer_set(loop_timers(loop), &l->links[i].retry, loop_now(loop));
}

void links_detach(struct links *l)
{
    CHECK_OBJ(l, LINKS_MAGIC);
    pthread_mutex_lock(&l->given_lock);
    l->open = false;
    pthread_mutex_unlock(&l->given_lock);
    for (unsigned i = 0; i < l->count; i++) {
        timer_cancel(&l->links[i].retry);
        carrier_close(&l->links[i].carrier);
        l->links[i].up = false;
    }
    l->loop = NULL;
}

void links_destroy(struct links **lp)
{
    struct links *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    CHECK_OBJ(l, LINKS_MAGIC);
    ASSERT(!l->loop);
    for (struct list *it; (it = list_pop(&l->given)) != NULL;) {
        struct given *g = CONTAINER_OF(it, struct given, link);
        close(g->fd);
        free(g);
    }
    pthread_mutex_destroy(&l->given_lock);
    free(l->links);
    free(l->cluster);
    free(l->dir);
    l->magic = 0;
    free(l);
}

bool links_send(struct links *l, unsigned node, struct str bytes)
{
    ASSERT(node < l->count && bytes.len <= LINK_MESSAGE_MAX);
    return l->links[node].carrier && carrier_send(l->links[node].carrier, bytes);
}

void links_remake(struct links *l, unsigned node)
{
    struct link *k = &l->links[node];
    if (!k->links || !l->loop)
        return;
    drop_carrier(k);
    k->retry_ms = RETRY_MIN_MS;
    if (k->dials && !timer_is_set(&k->retry))
        retry_later(k);
}

void links_set_boot(struct links *l, uint64_t boot)
{
    l->boot = boot;
}
