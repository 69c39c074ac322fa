// SPDX-License-Identifier: Apache-2.0
// The stats sockets: bound when a configuration is prepared, kept over reloads by address, accepted from on the control
// thread.
#include "node/admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/admin/cli_session.h"
#include "node/base/panic.h"
#include "node/io/keeper.h"
#include "node/proxy/proxy.h"

struct stats_socket {
    struct list link;
    struct loop_fd lf;
    struct addr addr;
    enum cli_level level;
    bool wanted; // by the configuration that is being prepared
    bool fresh;  // bound by it
    struct loop_defer defer;
};

static struct list sockets = LIST_INIT(sockets);
static struct worker *control;
static int64_t idle_ms;
static int max_sessions;
static struct buf startup_log = BUF_INIT;

void (*admin_reload)(void);
int64_t admin_started_us;

void admin_set_startup_log(struct str text)
{
    buf_clear(&startup_log);
    buf_add_str(&startup_log, text);
}

struct str admin_startup_log(void)
{
    return buf_str(&startup_log);
}

static void on_accept(struct loop_fd *lf, uint32_t events)
{
    struct stats_socket *s = CONTAINER_OF(lf, struct stats_socket, lf);
    struct inet_addr peer;
    for (int i = 0; i < 16; i++) {
        int fd = sock_accept(s->lf.fd, &peer);
        if (fd < 0)
            return;
        if (max_sessions > 0 && cli_session_count() >= (unsigned)max_sessions)
            close(fd); // stats maxconn
        else
            cli_session_start(control, fd, s->level, idle_ms);
    }
}

static void on_bury(struct loop_defer *d)
{
    free(CONTAINER_OF(d, struct stats_socket, defer));
}

static void socket_close(struct stats_socket *s, int fd)
{
    list_remove(&s->link);
    if (control && s->lf.on_ready)
        loop_del(control->loop, &s->lf, true);
    close(fd);
    if (s->addr.kind == ADDR_UNIX && s->addr.path[0])
        keeper_unlink(s->addr.path);
    if (control)
        loop_defer(control->loop, &s->defer, on_bury);
    else
        free(s);
}

static struct stats_socket *find(const struct addr *a)
{
    LIST_FOREACH (e, &sockets) {
        struct stats_socket *s = LIST_ENTRY(e, struct stats_socket, link);
        if (addr_equal(&s->addr, a))
            return s;
    }
    return NULL;
}

// fd@N is listening already: it was inherited.
static int open_socket(const struct cfg_bind *b, const struct addr *a)
{
    if (a->kind == ADDR_FD) {
        int rc = sock_set_nonblock(a->fd);
        return rc < 0 ? rc : a->fd;
    }
    struct sock_listen_options o = {
        .backlog = b->backlog > 0 ? b->backlog : 128, .mode = b->mode, .uid = b->uid, .gid = b->gid};
    return keeper_listen(a, &o);
}

static bool prepare_one(const struct cfg_bind *b, struct diag *diag)
{
    struct addr a;
    char text[160];
    if (!addr_from_cfg(&b->addr, AF_UNSPEC, &a)) {
        diag_add(diag, DIAG_ALERT, &b->src, "stats socket: cannot resolve '%.*s'", STR_ARG(b->addr.host));
        return false;
    }
    struct stats_socket *s = find(&a);
    if (!s) {
        int fd = open_socket(b, &a);
        if (fd < 0) {
            diag_add(diag, DIAG_ALERT, &b->src, "stats socket: cannot bind '%s': %s",
                     addr_format(&a, text, sizeof(text)), strerror(-fd));
            return false;
        }
        s = calloc(1, sizeof(*s));
        ASSERT(s != NULL);
        s->addr = a;
        s->lf.fd = fd;
        s->fresh = true;
        list_push(&sockets, &s->link);
    }
    s->wanted = true;
    s->level = (enum cli_level)b->level;
    return true;
}

bool admin_prepare(const struct config *c, struct diag *diag)
{
    bool ok = true;
    LIST_FOREACH (e, &sockets)
        LIST_ENTRY(e, struct stats_socket, link)->wanted = false;
    for (unsigned i = 0; i < c->global.nstats_sockets; i++)
        ok = prepare_one(&c->global.stats_sockets[i], diag) && ok;
    if (ok)
        return true;
    LIST_FOREACH_SAFE (e, &sockets) {
        struct stats_socket *s = LIST_ENTRY(e, struct stats_socket, link);
        s->wanted = true;
        if (s->fresh)
            socket_close(s, s->lf.fd);
    }
    return false;
}

void admin_publish(struct worker *w, const struct config *c)
{
    control = w;
    if (!admin_started_us)
        admin_started_us = mono_now().us;
    idle_ms = c->global.stats_timeout;
    max_sessions = c->global.stats_maxconn;
    LIST_FOREACH_SAFE (e, &sockets) {
        struct stats_socket *s = LIST_ENTRY(e, struct stats_socket, link);
        if (!s->wanted) {
            socket_close(s, s->lf.fd);
        } else if (s->fresh) {
            int fd = s->lf.fd;
            s->fresh = false;
            s->lf.fd = -1;
            loop_add_listener(w->loop, &s->lf, fd, on_accept);
        }
    }
}

void cli_list_sockets(struct buf *out)
{
    static const char *levels[] = {"user", "operator", "admin"};
    char text[160];
    buf_add_cstr(out, "# socket lvl processes\n");
    LIST_FOREACH (e, &sockets) {
        struct stats_socket *s = LIST_ENTRY(e, struct stats_socket, link);
        buf_printf(out, "%s %s all\n", addr_format(&s->addr, text, sizeof(text)), levels[s->level]);
    }
}

void admin_shutdown(void)
{
    cli_sessions_end();
    while (!list_empty(&sockets)) {
        struct stats_socket *s = LIST_ENTRY(sockets.next, struct stats_socket, link);
        list_remove(&s->link);
        if (s->lf.fd >= 0)
            close(s->lf.fd); // a UNIX path stays: a successor (-sf) has put its own socket there already
        free(s);
    }
    buf_free(&startup_log);
}
