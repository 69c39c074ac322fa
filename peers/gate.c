// SPDX-License-Identifier: Apache-2.0
// The gate: accepts connections, reads who they claim to be, and hands those that were expected to their links. All
// others are strangers: they have a second, a few hundred bytes and a bounded number of places.
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/keeper.h"
#include "node/io/timer.h"
#include "peers/link_impl.h"

#define STRANGERS_MAX   64 // waiting at once; then the one that has waited longest goes
#define HELLO_WITHIN_MS 1000
#define ACCEPT_BATCH    32

struct stranger {
    struct list link;
    struct gate *gate;
    struct conn conn;
    struct timer deadline;
    struct loop_defer burial;
    size_t len;
    char bytes[HELLO_MAX];
};

struct door {
    struct loop_fd lf;
    struct gate *gate;
    int fd;
};

struct gate {
    struct loop *loop;
    const struct conn_transport *transport;
    struct links *links[LINK_CLASS_COUNT];
    struct list strangers; // longest waiting first
    unsigned waiting;
    _Atomic uint64_t accepted, refused, crowded;
    unsigned door_count;
    struct door doors[];
};

static void bury(struct loop_defer *d)
{
    free(CONTAINER_OF(d, struct stranger, burial));
}

// With its connection closed, or given away (fd taken out before).
static void forget(struct stranger *s)
{
    struct gate *g = s->gate;
    list_remove(&s->link);
    g->waiting--;
    timer_cancel(&s->deadline);
    if (conn_is_open(&s->conn))
        conn_close(&s->conn, true);
    loop_defer(g->loop, &s->burial, bury);
}

static void refuse(struct stranger *s)
{
    s->gate->refused++;
    forget(s);
}

static void on_deadline(struct timer *t)
{
    refuse(CONTAINER_OF(t, struct stranger, deadline));
}

static void judge(struct stranger *s)
{
    struct gate *g = s->gate;
    struct hello h;
    size_t used;
    enum hello_result r = hello_parse(str_make(s->bytes, s->len), &h, &used);
    if (r == HELLO_MORE && s->len < sizeof(s->bytes))
        return;
    // Who calls waits for the answer; more bytes than the hello are none of ours.
    struct links *l = r == HELLO_OK && used == s->len && h.class < LINK_CLASS_COUNT ? g->links[h.class] : NULL;
    if (!l || !links_expect(l, &h)) {
        refuse(s);
        return;
    }
    g->accepted++;
    links_give(l, conn_detach(&s->conn), &h);
    s->conn.lf.fd = -1;
    forget(s);
}

static void on_event(struct conn *c)
{
    struct stranger *s = CONTAINER_OF(c, struct stranger, conn);
    ssize_t n = conn_recv(c, s->bytes + s->len, sizeof(s->bytes) - s->len);
    if (n == CONN_AGAIN)
        return;
    if (n < 0) {
        refuse(s);
        return;
    }
    s->len += (size_t)n;
    judge(s);
}

static bool may_call(const struct gate *g, const struct inet_addr *from)
{
    struct addr a = {.kind = ADDR_INET, .inet = *from};
    return g->transport || from->sa.sa_family == AF_UNIX || link_addr_is_safe(&a);
}

static void admit(struct gate *g, int fd, const struct inet_addr *from)
{
    if (!may_call(g, from)) {
        g->refused++;
        close(fd);
        return;
    }
    if (g->waiting == STRANGERS_MAX) {
        g->crowded++;
        forget(CONTAINER_OF(g->strangers.next, struct stranger, link));
    }
    struct stranger *s = calloc(1, sizeof(*s));
    if (!s)
        PANIC("out of memory");
    s->gate = g;
    timer_init(&s->deadline, on_deadline);
    if (conn_open(&s->conn, g->loop, fd, g->transport ? g->transport : &conn_plain, CONN_READABLE, on_event) < 0) {
        free(s);
        return;
    }
    list_push(&g->strangers, &s->link);
    g->waiting++;
    timer_set(loop_timers(g->loop), &s->deadline, mono_add_ms(loop_now(g->loop), HELLO_WITHIN_MS));
}

static void on_knock(struct loop_fd *lf, uint32_t events)
{
    struct door *d = CONTAINER_OF(lf, struct door, lf);
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        struct inet_addr from;
        int fd = sock_accept(d->fd, &from);
        if (fd < 0)
            return; // without descriptors too: the listener is level-triggered and asks again
        admit(d->gate, fd, &from);
    }
}

struct gate *gate_create(const struct gate_options *o, unsigned *failed)
{
    static const struct sock_listen_options listen_options = {.backlog = 128, .mode = -1, .uid = -1, .gid = -1};
    struct gate *g = calloc(1, sizeof(*g) + o->addr_count * sizeof(g->doors[0]));
    if (!g)
        PANIC("out of memory");
    g->transport = o->transport;
    memcpy(g->links, o->links, sizeof(g->links));
    list_init(&g->strangers);
    for (unsigned i = 0; i < o->addr_count; i++) {
        int fd =
            !o->transport && !link_addr_is_safe(&o->addrs[i]) ? -EACCES : keeper_listen(&o->addrs[i], &listen_options);
        if (fd < 0) {
            if (failed)
                *failed = i;
            gate_destroy(&g);
            errno = -fd;
            return NULL;
        }
        g->doors[i] = (struct door){.lf.fd = -1, .gate = g, .fd = fd};
        g->door_count++;
    }
    return g;
}

void gate_attach(struct gate *g, struct loop *loop)
{
    g->loop = loop;
    for (unsigned i = 0; i < g->door_count; i++)
        if (loop_add_listener(loop, &g->doors[i].lf, g->doors[i].fd, on_knock) < 0)
            log_alert("cluster : cannot watch the peer listener: %s.", strerror(errno));
}

void gate_detach(struct gate *g)
{
    if (!g->loop)
        return;
    while (!list_empty(&g->strangers))
        forget(CONTAINER_OF(g->strangers.next, struct stranger, link));
    for (unsigned i = 0; i < g->door_count; i++)
        if (g->doors[i].lf.fd >= 0)
            loop_del(g->loop, &g->doors[i].lf, false);
}

void gate_destroy(struct gate **gp)
{
    struct gate *g = *gp;
    *gp = NULL;
    if (!g)
        return;
    for (unsigned i = 0; i < g->door_count; i++)
        close(g->doors[i].fd);
    free(g);
}

bool gate_addr(const struct gate *g, unsigned i, struct inet_addr *out)
{
    return i < g->door_count && sock_local_addr(g->doors[i].fd, out);
}

struct gate_stats gate_stats(const struct gate *g)
{
    return (struct gate_stats){g->accepted, g->refused, g->crowded};
}
