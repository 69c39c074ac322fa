// SPDX-License-Identifier: Apache-2.0
// Running health checks: connect, talk if HTTP, judge, count, tell the server's state. See check.h.
#include "node/proxy/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/match/regex.h"
#include "node/proxy/event_log.h"
#include "node/proxy/hooks.h"

#define RESPONSE_MAX 65536 // bytes of an answer that are looked at

static struct list checks[WORKER_MAX]; // by worker id; each touched by its worker, and at shutdown

static const struct {
    const char *name, *text;
    bool passes;
} statuses[CHECK_STATUS_COUNT] = {
    [CHECK_UNKNOWN] = {"UNK", "Unknown", false},
    [CHECK_INI] = {"INI", "Initializing", false},
    [CHECK_SOCKERR] = {"SOCKERR", "Socket error", false},
    [CHECK_L4OK] = {"L4OK", "Layer4 check passed", true},
    [CHECK_L4TOUT] = {"L4TOUT", "Layer4 timeout", false},
    [CHECK_L4CON] = {"L4CON", "Layer4 connection problem", false},
    [CHECK_L7OK] = {"L7OK", "Layer7 check passed", true},
    [CHECK_L7OKC] = {"L7OKC", "Layer7 check conditionally passed", true},
    [CHECK_L7TOUT] = {"L7TOUT", "Layer7 timeout", false},
    [CHECK_L7RSP] = {"L7RSP", "Layer7 invalid response", false},
    [CHECK_L7STS] = {"L7STS", "Layer7 wrong status", false},
};

const char *check_status_name(enum check_status s)
{
    return statuses[s].name;
}

const char *check_status_text(enum check_status s)
{
    return statuses[s].text;
}

bool check_status_passes(enum check_status s)
{
    return statuses[s].passes;
}

int check_step(int health, bool pass, int rise, int fall)
{
    if (pass) {
        if (health < rise + fall - 1)
            health++;
        return health >= rise ? rise + fall - 1 : health;
    }
    return health > rise ? health - 1 : 0;
}

// ---- timing

static int interval_ms(const struct health_check *c)
{
    const struct cfg_server *cfg = c->cfg;
    if (c->health == 0)
        return cfg->downinter > 0 ? cfg->downinter : cfg->inter;
    if (c->health < cfg->rise + cfg->fall - 1)
        return cfg->fastinter > 0 ? cfg->fastinter : cfg->inter;
    return cfg->inter;
}

// global spread-checks: up to that many percent earlier or later, so that checks do not march in step.
static int spread(const struct health_check *c, int ms)
{
    int percent = c->config->global.spread_checks;
    if (percent <= 0 || ms <= 0)
        return ms;
    int range = (int)((int64_t)ms * percent / 100);
    return range ? ms - range + (int)(worker_random(c->worker) % (uint64_t)(2 * range)) : ms;
}

static void plan_next(struct health_check *c, int ms)
{
    timer_set(loop_timers(c->worker->loop), &c->timer, mono_add_ms(loop_now(c->worker->loop), ms > 0 ? ms : 1));
}

// Without `timeout check` the whole check has `inter`; with it the connection has the shorter of `timeout connect` and
// `inter`, and the answer `timeout check`.
static int connect_timeout_ms(const struct health_check *c)
{
    int ms = c->cfg->inter;
    if (c->proxy->timeout.check > 0 && c->proxy->timeout.connect > 0 && c->proxy->timeout.connect < ms)
        ms = c->proxy->timeout.connect;
    return ms;
}

// ---- the end of one check

static void record(struct health_check *c, const struct check_verdict *v)
{
    struct server_state *s = c->server;
    atomic_store(&s->check_status, v->status);
    atomic_store(&s->check_code, v->code);
    atomic_store(&s->check_duration_ms, mono_diff_ms(loop_now(c->worker->loop), c->started));
    atomic_store(&s->check_health, c->health);
    pthread_mutex_lock(&s->addr_lock);
    snprintf(s->last_check_text, sizeof(s->last_check_text), "%s", v->text);
    pthread_mutex_unlock(&s->addr_lock);
}

// "reason: Layer7 wrong status, code: 503, info: "…", check duration: 2ms", as HAProxy's logs.
static void describe(const struct health_check *c, const struct check_verdict *v, char *dst, size_t size)
{
    char code[32] = "";
    if (v->code)
        snprintf(code, sizeof(code), ", code: %d", v->code);
    const char *open = v->text[0] ? ", info: \"" : "", *close = v->text[0] ? "\"" : "";
    snprintf(dst, size, "reason: %s%s%s%s%s, check duration: %lldms", check_status_text(v->status), code, open, v->text,
             close, (long long)atomic_load(&c->server->check_duration_ms));
}

// option log-health-checks: every change of what the checks find or of the health that they count.
static void log_change(const struct health_check *c, const struct check_verdict *v, int health, int status,
                       const char *why)
{
    const struct cfg_server *cfg = c->cfg;
    if (!cfg_option(c->proxy, OPT_LOG_HEALTH_CHECKS) || (c->health == health && (int)v->status == status))
        return;
    bool up = c->health >= cfg->rise;
    const char *outcome = v->status == CHECK_L7OKC         ? "conditionally succeeded"
                          : check_status_passes(v->status) ? "succeeded"
                                                           : "failed";
    event_log(c->server->backend, EVENT_NOTICE, "Health check for %sserver %s/%s %s, %s, status: %d/%d %s.",
              cfg->backup ? "backup " : "", c->server->backend_name, c->server->name, outcome, why,
              up ? c->health - cfg->rise + 1 : c->health, up ? cfg->fall : cfg->rise, up ? "UP" : "DOWN");
}

static void finish(struct health_check *c, const struct check_verdict *v)
{
    struct server_state *s = c->server;
    int before = c->health, status_before = atomic_load(&s->check_status);
    bool pass = check_status_passes(v->status);
    c->running = false;
    if (conn_is_open(&c->conn))
        conn_close(&c->conn, !pass || c->proxy->check_kind == CHECK_TCP);
    c->health = check_step(before, pass, c->cfg->rise, c->cfg->fall);
    if (!pass && before >= c->cfg->rise)
        counter_add(&s->check_fails, 1);
    record(c, v);
    bool was = before >= c->cfg->rise, is = c->health >= c->cfg->rise;
    char why[256];
    describe(c, v, why, sizeof(why));
    log_change(c, v, before, status_before, why);
    if (was != is || atomic_load(&s->health_up) != is)
        server_set_health(s, is, why);
    bool soft = v->status == CHECK_L7OKC;
    server_set_admin(s, soft ? ADMIN_NOLB : 0, soft ? 0 : ADMIN_NOLB, why);
    if (node_hooks.on_verdict)
        node_hooks.on_verdict(s, is, (unsigned)c->cfg->inter, why);
    plan_next(c, spread(c, interval_ms(c)));
}

static void finish_with(struct health_check *c, enum check_status status, const char *text)
{
    struct check_verdict v = {.status = status};
    snprintf(v.text, sizeof(v.text), "%s", text ? text : "");
    finish(c, &v);
}

// ---- running

static void send_request(struct health_check *c)
{
    while (c->sent < c->out.len) {
        struct iovec iov = {c->out.data + c->sent, c->out.len - c->sent};
        ssize_t n = conn_sendv(&c->conn, &iov, 1, false);
        if (n == CONN_AGAIN)
            return;
        if (n < 0) {
            finish_with(c, CHECK_L4CON, strerror(c->conn.error));
            return;
        }
        c->sent += (size_t)n;
    }
}

static void read_answer(struct health_check *c)
{
    char chunk[4096];
    bool eof = false;
    struct check_verdict v;
    while (!eof) {
        ssize_t n = conn_recv(&c->conn, chunk, sizeof(chunk));
        if (n == CONN_AGAIN)
            break;
        if (n < 0)
            eof = true;
        else if (c->in.len < RESPONSE_MAX)
            buf_add(&c->in, chunk, (size_t)n);
        else
            eof = true;
    }
    if (check_http_judge(c, eof, &v))
        finish(c, &v);
}

static void on_connected(struct health_check *c)
{
    c->connected = true;
    if (c->proxy->check_kind == CHECK_TCP) {
        finish_with(c, CHECK_L4OK, NULL);
        return;
    }
    int ms = c->proxy->timeout.check > 0 ? c->proxy->timeout.check : c->cfg->inter;
    plan_next(c, ms);
    check_http_request(c);
    send_request(c);
}

static void on_conn_event(struct conn *conn)
{
    struct health_check *c = CONTAINER_OF(conn, struct health_check, conn);
    if (!c->running)
        return;
    if (conn->flags & CONN_CONNECTING)
        return;
    if ((conn->flags & CONN_FAILED) && !c->connected) {
        finish_with(c, CHECK_L4CON, strerror(conn->error));
        return;
    }
    if (!c->connected)
        on_connected(c);
    else if (c->sent < c->out.len)
        send_request(c);
    if (c->running && c->connected && (conn->flags & (CONN_READABLE | CONN_FAILED)))
        read_answer(c);
}

static void check_address(struct health_check *c, struct addr *a)
{
    *a = server_addr(c->server);
    if (c->cfg->check_addr.kind == CFG_ADDR_INET) {
        struct inet_addr own;
        if (inet_parse(c->cfg->check_addr.host, &own)) {
            uint16_t port = a->kind == ADDR_INET ? inet_port(&a->inet) : 0;
            a->kind = ADDR_INET;
            a->inet = own;
            inet_set_port(&a->inet, c->cfg->check_addr.port ? c->cfg->check_addr.port : port);
        }
    }
    if (c->cfg->check_port > 0 && a->kind == ADDR_INET)
        inet_set_port(&a->inet, (uint16_t)c->cfg->check_port);
}

static void start(struct health_check *c)
{
    struct addr a;
    bool in_progress;
    check_address(c, &a);
    c->running = true;
    c->connected = false;
    c->started = loop_now(c->worker->loop);
    c->sent = 0;
    buf_clear(&c->in);
    buf_clear(&c->out);
    plan_next(c, connect_timeout_ms(c));
    int fd = sock_connect(&a, NULL, &in_progress);
    if (fd < 0) {
        finish_with(c, fd == -ECONNREFUSED || fd == -ENOENT ? CHECK_L4CON : CHECK_SOCKERR, strerror(-fd));
        return;
    }
    int rc = conn_open(&c->conn, c->worker->loop, fd, &conn_plain, in_progress ? CONN_CONNECTING : 0, on_conn_event);
    if (rc < 0)
        finish_with(c, CHECK_SOCKERR, strerror(-rc));
    else if (!in_progress)
        on_connected(c);
}

// Nobody looks at a server in maintenance. It comes back as it went, but the first failure then takes it down.
static void pause_for_maintenance(struct health_check *c)
{
    if (c->health > c->cfg->rise)
        c->health = c->cfg->rise;
    plan_next(c, c->cfg->inter);
}

static void on_timer(struct timer *t)
{
    struct health_check *c = CONTAINER_OF(t, struct health_check, timer);
    if (!c->running) {
        if (atomic_load(&c->server->admin) & (ADMIN_MAINT | ADMIN_TRACK_MAINT))
            pause_for_maintenance(c);
        else
            start(c);
    } else {
        finish_with(c, c->connected ? CHECK_L7TOUT : CHECK_L4TOUT, NULL);
    }
}

// ---- life: messages from the control thread to the check's worker

enum order { ORDER_CONFIGURE, ORDER_STOP, ORDER_NOW, ORDER_MARK_DOWN, ORDER_SUDDEN_DEATH, ORDER_FAIL };
struct check_msg {
    struct msg msg;
    enum order order;
    struct server_state *server; // counted
    struct config *config;       // counted; CONFIGURE
    const struct cfg_server *cfg;
};

static struct worker *worker_of(const struct server_state *s)
{
    uint64_t h = hash64(s->name, strlen(s->name), hash64(s->backend_name, strlen(s->backend_name), 0));
    return workers[h % worker_count];
}

static void check_free(struct health_check *c)
{
    timer_cancel(&c->timer);
    list_remove(&c->link);
    if (conn_is_open(&c->conn))
        conn_close(&c->conn, true);
    regex_destroy(&c->expect);
    buf_free(&c->in);
    buf_free(&c->out);
    config_unref(&c->config);
    c->server->check = NULL;
    server_state_unref(&c->server);
    retire(c, free); // an event of this turn may still name its connection
}

static void compile_expect(struct health_check *c)
{
    char err[128];
    const struct cfg_http_check *h = &c->proxy->http_check;
    regex_destroy(&c->expect);
    if (c->proxy->check_kind == CHECK_HTTP && (h->expect == EXPECT_RSTATUS || h->expect == EXPECT_RSTRING))
        c->expect = regex_create(h->expect_text, false, err, sizeof(err));
}

static void configure(struct worker *w, struct check_msg *m)
{
    struct health_check *c = m->server->check;
    bool fresh = !c;
    if (fresh) {
        c = calloc(1, sizeof(*c));
        ASSERT(c != NULL);
        c->server = server_state_ref(m->server);
        c->worker = w;
        c->conn.lf.fd = -1;
        timer_init(&c->timer, on_timer);
        if (!checks[w->id].next)
            list_init(&checks[w->id]);
        list_push(&checks[w->id], &c->link);
        m->server->check = c;
    }
    config_unref(&c->config);
    c->config = config_ref(m->config);
    c->cfg = m->cfg;
    c->proxy = m->cfg->proxy;
    compile_expect(c);
    if (fresh) {
        c->health = atomic_load(&m->server->health_up) ? c->cfg->rise : 0; // up, but the first failure takes it down
        atomic_store(&m->server->check_status, CHECK_INI);
        atomic_store(&m->server->check_health, c->health);
        unsigned n = c->proxy->nservers ? c->proxy->nservers : 1;
        plan_next(c, spread(c, (int)((int64_t)c->cfg->inter * c->cfg->index / n)));
    } else if (c->health >= c->cfg->rise) {
        c->health = c->cfg->rise + c->cfg->fall - 1; // counts of the old rise and fall mean nothing now
    }
}

// on-error: traffic counts as a failed check; sudden death leaves the server one failure from down, mark-down takes it
// down.
static void fail_by_traffic(struct health_check *c, enum order order)
{
    if (order == ORDER_MARK_DOWN)
        c->health = 1;
    else if (order == ORDER_SUDDEN_DEATH && c->health > c->cfg->rise)
        c->health = c->cfg->rise + 1;
    c->started = loop_now(c->worker->loop);
    finish_with(c, CHECK_L7STS, "too many errors seen in traffic");
}

static void on_order(struct msg *msg)
{
    struct check_msg *m = (struct check_msg *)(void *)msg;
    struct health_check *c = m->server->check;
    if (m->order == ORDER_CONFIGURE)
        configure(worker_self, m);
    else if (c && m->order == ORDER_STOP)
        check_free(c);
    else if (c && m->order == ORDER_NOW && !c->running)
        start(c);
    else if (c && m->order >= ORDER_MARK_DOWN)
        fail_by_traffic(c, m->order);
    config_unref(&m->config);
    server_state_unref(&m->server);
    free(m);
}

static void send_order(struct server_state *s, enum order order, struct config *config, const struct cfg_server *cfg)
{
    if (worker_count == 0)
        return;
    struct check_msg *m = calloc(1, sizeof(*m));
    ASSERT(m != NULL);
    m->msg.kind = MSG_CHECK_NOW;
    m->msg.fn = on_order;
    m->order = order;
    m->server = server_state_ref(s);
    m->config = config ? config_ref(config) : NULL;
    m->cfg = cfg;
    inbox_send(loop_inbox(worker_of(s)->loop), &m->msg);
}

void check_configure(struct server *srv)
{
    if (srv->cfg->check && !srv->cfg->track_server)
        send_order(srv->state, ORDER_CONFIGURE, srv->proxy->snapshot->config, srv->cfg);
    else
        send_order(srv->state, ORDER_STOP, NULL, NULL);
}

void check_stop(struct server_state *s)
{
    send_order(s, ORDER_STOP, NULL, NULL);
}

void server_check_now(struct server_state *s)
{
    send_order(s, ORDER_NOW, NULL, NULL);
}

void check_observe(struct server *srv, bool ok)
{
    const struct cfg_server *cfg = srv->cfg;
    _Atomic int *errors = &srv->state->observed_errors;
    if (ok) {
        if (atomic_load_explicit(errors, memory_order_relaxed))
            atomic_store_explicit(errors, 0, memory_order_relaxed);
        return;
    }
    if (atomic_fetch_add(errors, 1) + 1 < cfg->error_limit)
        return;
    atomic_store(errors, 0);
    switch (cfg->on_error) {
    case ON_ERROR_FASTINTER:
        send_order(srv->state, ORDER_NOW, NULL, NULL);
        break;
    case ON_ERROR_FAIL_CHECK:
        send_order(srv->state, ORDER_FAIL, NULL, NULL);
        break;
    case ON_ERROR_SUDDEN_DEATH:
        send_order(srv->state, ORDER_SUDDEN_DEATH, NULL, NULL);
        break;
    case ON_ERROR_MARK_DOWN:
        send_order(srv->state, ORDER_MARK_DOWN, NULL, NULL);
        break;
    }
}

void check_shutdown(void)
{
    for (unsigned i = 0; i < WORKER_MAX; i++) {
        while (checks[i].next && !list_empty(&checks[i]))
            check_free(LIST_ENTRY(checks[i].next, struct health_check, link));
    }
}
