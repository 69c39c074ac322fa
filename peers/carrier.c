// SPDX-License-Identifier: Apache-2.0
// Carrier: states in order are connecting, hello, joining (nanomsg shakes hands through us), up, lost.
#include "peers/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/base/buf.h"
#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/timer.h"
#include "peers/link.h"

#define BRIDGE_BYTES (128 * 1024)
// From the connect to the first message that can be sent.
#define OPEN_TIMEOUT_MS 2000
// Bytes unacknowledged for so long end the connection: a cable was cut, the other machine is gone.
#define USER_TIMEOUT_MS 2000
// Messages and rounds of the bridge in one go; then others of the loop have their turn.
#define BATCH_MESSAGES 128
#define BATCH_ROUNDS   16

struct carrier {
    struct carrier_options o;
    enum { CARRIER_HELLO, CARRIER_JOINING, CARRIER_UP, CARRIER_LOST } state;
    struct conn net, ipc;
    struct buf hello; // ours, what is still to be sent
    struct iobuf *from_net, *from_ipc;
    bool heard;
    int pair; // nanomsg's socket, -1 = none
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct loop_fd receivable, sendable;
    struct list queue; // messages that nanomsg did not take yet
    size_t queued;     // their bytes
    bool blocked;      // a send was refused
    struct timer deadline;
    struct timer again; // the rest of a batch
    struct loop_defer burial;
};

// nanomsg takes one message at a time and is ready for the next when its thread has written that: others wait here.
struct queued {
    struct list link;
    size_t len;
    char bytes[];
};

static struct carrier *of_net(struct conn *c)
{
    return CONTAINER_OF(c, struct carrier, net);
}

static struct carrier *of_ipc(struct conn *c)
{
    return CONTAINER_OF(c, struct carrier, ipc);
}

static void pump(struct carrier *c);
static void receive(struct carrier *c);

// ---- end

static void bury(struct loop_defer *d)
{
    struct carrier *c = CONTAINER_OF(d, struct carrier, burial);
    for (struct list *it; (it = list_pop(&c->queue)) != NULL;)
        free(CONTAINER_OF(it, struct queued, link));
    free(c->from_net);
    free(c->from_ipc);
    buf_free(&c->hello);
    free(c);
}

static void close_pair(struct carrier *c)
{
    if (c->receivable.fd >= 0)
        loop_del(c->o.loop, &c->receivable, false);
    if (c->sendable.fd >= 0)
        loop_del(c->o.loop, &c->sendable, false);
    if (c->pair >= 0)
        nn_close(c->pair);
    c->pair = -1;
    if (*c->path)
        unlink(c->path);
}

static void end(struct carrier *c)
{
    c->state = CARRIER_LOST;
    timer_cancel(&c->deadline);
    timer_cancel(&c->again);
    if (conn_is_open(&c->net))
        conn_close(&c->net, false);
    if (conn_is_open(&c->ipc))
        conn_close(&c->ipc, false);
    close_pair(c);
    loop_defer(c->o.loop, &c->burial, bury);
}

static void lose(struct carrier *c)
{
    if (c->state == CARRIER_LOST)
        return;
    end(c);
    c->o.on_lost(c->o.arg);
}

void carrier_close(struct carrier **cp)
{
    struct carrier *c = *cp;
    *cp = NULL;
    if (c && c->state != CARRIER_LOST)
        end(c);
}

static void on_deadline(struct timer *t)
{
    lose(CONTAINER_OF(t, struct carrier, deadline));
}

// ---- nanomsg's side

static void on_again(struct timer *t)
{
    struct carrier *c = CONTAINER_OF(t, struct carrier, again);
    receive(c);
    if (c->state != CARRIER_LOST)
        pump(c);
}

static void later(struct carrier *c)
{
    timer_set(loop_timers(c->o.loop), &c->again, loop_now(c->o.loop));
}

// nanomsg has shaken hands with the other one; a first message may tell so before the socket says it can send.
static void become_up(struct carrier *c)
{
    c->state = CARRIER_UP;
    timer_cancel(&c->deadline);
    unlink(c->path); // nobody else may come in
    *c->path = '\0';
    c->o.on_up(c->o.arg);
}

static void receive(struct carrier *c)
{
    for (unsigned i = 0; c->state == CARRIER_UP || c->state == CARRIER_JOINING; i++) {
        void *bytes;
        if (i == BATCH_MESSAGES) {
            later(c);
            return;
        }
        int len = nn_recv(c->pair, &bytes, NN_MSG, NN_DONTWAIT);
        if (len < 0) {
            if (errno != EAGAIN && errno != EINTR)
                lose(c);
            return;
        }
        if (c->state == CARRIER_JOINING)
            become_up(c);
        bool ok = c->state == CARRIER_UP && c->o.on_message(c->o.arg, str_make(bytes, (size_t)len));
        nn_freemsg(bytes);
        if (!ok)
            lose(c);
    }
}

static void on_receivable(struct loop_fd *lf, uint32_t events)
{
    if (events & EPOLLIN)
        receive(CONTAINER_OF(lf, struct carrier, receivable));
}

static bool give(struct carrier *c, struct str bytes)
{
    return nn_send(c->pair, bytes.ptr, bytes.len, NN_DONTWAIT) >= 0;
}

static void send_queue(struct carrier *c)
{
    while (!list_empty(&c->queue)) {
        struct queued *q = CONTAINER_OF(c->queue.next, struct queued, link);
        if (!give(c, str_make(q->bytes, q->len)))
            return;
        c->queued -= q->len;
        list_remove(&q->link);
        free(q);
    }
}

static void on_sendable(struct loop_fd *lf, uint32_t events)
{
    struct carrier *c = CONTAINER_OF(lf, struct carrier, sendable);
    if (!(events & EPOLLIN))
        return;
    if (c->state == CARRIER_JOINING)
        become_up(c);
    if (c->state != CARRIER_UP)
        return;
    send_queue(c);
    if (c->blocked && c->queued <= c->o.queue_max / 2) {
        c->blocked = false;
        if (c->o.on_writable)
            c->o.on_writable(c->o.arg);
    }
}

bool carrier_is_up(const struct carrier *c)
{
    return c->state == CARRIER_UP;
}

bool carrier_send(struct carrier *c, struct str bytes)
{
    if (c->state != CARRIER_UP)
        return false;
    if (list_empty(&c->queue) && give(c, bytes))
        return true;
    if (c->queued + bytes.len > c->o.queue_max) {
        c->blocked = true;
        return false;
    }
    struct queued *q = malloc(sizeof(*q) + bytes.len);
    if (!q)
        PANIC("out of memory");
    q->len = bytes.len;
    memcpy(q->bytes, bytes.ptr, bytes.len);
    list_push(&c->queue, &q->link);
    c->queued += bytes.len;
    send_queue(c); // nanomsg may have become ready without telling: it tells changes only
    return true;
}

static bool set_option(int pair, int option, int value)
{
    return nn_setsockopt(pair, NN_SOL_SOCKET, option, &value, sizeof(value)) == 0;
}

static int option_fd(int pair, int option)
{
    int fd = -1;
    size_t size = sizeof(fd);
    return nn_getsockopt(pair, NN_SOL_SOCKET, option, &fd, &size) == 0 ? fd : -1;
}

static bool watch_pair(struct carrier *c)
{
    int receivable = option_fd(c->pair, NN_RCVFD), sendable = option_fd(c->pair, NN_SNDFD);
    return receivable >= 0 && sendable >= 0 && loop_add(c->o.loop, &c->receivable, receivable, on_receivable) == 0 &&
           loop_add(c->o.loop, &c->sendable, sendable, on_sendable) == 0;
}

static bool open_pair(struct carrier *c)
{
    static _Atomic unsigned serial;
    char endpoint[sizeof(c->path) + 8];
    int n = snprintf(c->path, sizeof(c->path), "%s/%s-%u", c->o.dir, c->o.name, serial++);
    if (n < 0 || (size_t)n >= sizeof(c->path)) {
        *c->path = '\0';
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(endpoint, sizeof(endpoint), "ipc://%s", c->path);
    c->pair = nn_socket(AF_SP, NN_PAIR);
    return c->pair >= 0 && set_option(c->pair, NN_RCVMAXSIZE, LINK_MESSAGE_MAX) && nn_bind(c->pair, endpoint) >= 0 &&
           watch_pair(c);
}

static void on_ipc_event(struct conn *conn)
{
    pump(of_ipc(conn));
}

static bool connect_ipc(struct carrier *c)
{
    struct addr a = {.kind = ADDR_UNIX};
    bool in_progress = false;
    str_copy(a.path, sizeof(a.path), str_of(c->path));
    int fd = sock_connect(&a, NULL, &in_progress);
    if (fd < 0) {
        errno = -fd;
        return false;
    }
    return conn_open(&c->ipc, c->o.loop, fd, &conn_plain, in_progress ? CONN_CONNECTING : CONN_WRITABLE,
                     on_ipc_event) == 0;
}

// ---- the network's side

static bool take_hello(struct carrier *c)
{
    struct hello h;
    size_t used = 0;
    struct str seen = str_make(iobuf_read_ptr(c->from_net), iobuf_len(c->from_net));
    enum hello_result r = c->heard ? HELLO_OK : hello_parse(seen, &h, &used);
    if (r == HELLO_MORE)
        return true;
    if (r == HELLO_BAD || (!c->heard && !c->o.on_hello(c->o.arg, &h)))
        return false;
    if (used)
        iobuf_read(c->from_net, (uint32_t)used);
    c->state = CARRIER_JOINING;
    if (open_pair(c) && connect_ipc(c))
        return true;
    log_warning("cluster : no nanomsg endpoint for %s: %s.", c->o.name, strerror(errno));
    return false;
}

// Bytes moved, 0 = nothing to do, < 0 = lost.
static ssize_t fill(struct conn *conn, struct iobuf *b)
{
    iobuf_compact(b);
    if (iobuf_room(b) == 0 || !(conn->flags & CONN_READABLE))
        return 0;
    ssize_t n = conn_recv(conn, iobuf_write_ptr(b), iobuf_room(b));
    if (n > 0)
        iobuf_wrote(b, (uint32_t)n);
    return n == CONN_AGAIN ? 0 : n;
}

static ssize_t flush(struct conn *conn, struct iobuf *b)
{
    if (iobuf_len(b) == 0 || !(conn->flags & CONN_WRITABLE))
        return 0;
    struct iovec iov = {iobuf_read_ptr(b), iobuf_len(b)};
    ssize_t n = conn_sendv(conn, &iov, 1, false);
    if (n > 0)
        iobuf_read(b, (uint32_t)n);
    return n == CONN_AGAIN ? 0 : n;
}

static ssize_t send_hello(struct carrier *c)
{
    if (c->hello.len == 0 || !(c->net.flags & CONN_WRITABLE))
        return 0;
    struct iovec iov = {c->hello.data, c->hello.len};
    ssize_t n = conn_sendv(&c->net, &iov, 1, false);
    if (n > 0)
        buf_consume(&c->hello, (size_t)n);
    return n == CONN_AGAIN ? 0 : n;
}

// One round of all that can move. > 0: something did, < 0: lost.
static ssize_t move(struct carrier *c)
{
    ssize_t n[5] = {send_hello(c), fill(&c->net, c->from_net)};
    if (n[0] >= 0 && n[1] >= 0 && c->state == CARRIER_HELLO && c->hello.len == 0 && !take_hello(c))
        return -1;
    if (conn_is_open(&c->ipc)) {
        n[2] = flush(&c->ipc, c->from_net);
        n[3] = fill(&c->ipc, c->from_ipc);
        n[4] = c->hello.len == 0 ? flush(&c->net, c->from_ipc) : 0;
    }
    ssize_t moved = 0;
    for (unsigned i = 0; i < 5; i++) {
        if (n[i] < 0)
            return -1;
        moved += n[i];
    }
    return moved;
}

static void pump(struct carrier *c)
{
    for (unsigned i = 0; i < BATCH_ROUNDS; i++) {
        if (c->state == CARRIER_LOST)
            return;
        ssize_t moved = move(c);
        if (moved < 0)
            lose(c);
        if (moved <= 0)
            return;
    }
    later(c);
}

static void on_net_event(struct conn *conn)
{
    pump(of_net(conn));
}

static struct iobuf *new_iobuf(void)
{
    struct iobuf *b = malloc(sizeof(*b) + BRIDGE_BYTES);
    if (!b)
        PANIC("out of memory");
    *b = (struct iobuf){.size = BRIDGE_BYTES};
    return b;
}

struct carrier *carrier_open(const struct carrier_options *o, int fd, bool connecting, bool heard)
{
    struct carrier *c = calloc(1, sizeof(*c));
    if (!c)
        PANIC("out of memory");
    c->o = *o;
    c->heard = heard;
    c->pair = c->receivable.fd = c->sendable.fd = c->ipc.lf.fd = -1;
    buf_add_str(&c->hello, o->hello);
    c->o.hello = STR_NONE;
    c->from_net = new_iobuf();
    c->from_ipc = new_iobuf();
    list_init(&c->queue);
    timer_init(&c->deadline, on_deadline);
    timer_init(&c->again, on_again);
    sock_set_nodelay(fd, true);
    sock_set_keepalive(fd);
    sock_set_user_timeout(fd, USER_TIMEOUT_MS);
    uint16_t flags = connecting ? CONN_CONNECTING : CONN_WRITABLE | CONN_READABLE;
    if (conn_open(&c->net, o->loop, fd, o->transport ? o->transport : &conn_plain, flags, on_net_event) < 0) {
        bury(&c->burial);
        return NULL;
    }
    timer_set(loop_timers(o->loop), &c->deadline, mono_add_ms(loop_now(o->loop), OPEN_TIMEOUT_MS));
    if (!connecting)
        later(c);
    return c;
}
