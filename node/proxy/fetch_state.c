// SPDX-License-Identifier: Apache-2.0
// Fetches of the process, of frontends, backends and servers (configuration.txt 7.3.2). A proxy that is not named is
// the current one; where there is none, there is no value.
#include "node/proxy/fetch_bind.h"
#include "node/proxy/listener.h"
#include "node/proxy/proxy.h"
#include "node/proxy/schedule.h"

// ---- whom an argument names

static const struct proxy *frontend(const struct match_ctx *c, const struct arg *args, unsigned nargs)
{
    const struct proxy *p = nargs > 0 && args[0].ref ? args[0].ref : c->front;
    return p && p->front ? p : NULL;
}

static const struct proxy *backend(const struct match_ctx *c, const struct arg *args, unsigned nargs)
{
    const struct proxy *p = nargs > 0 && args[0].ref ? args[0].ref : c->back;
    return p && p->back ? p : NULL;
}

// Before a backend was chosen the frontend stands in its place, as HAProxy's logs have it.
static const struct proxy *current_backend(const struct match_ctx *c)
{
    return c->back ? c->back : c->front;
}

static const struct server *server(const struct arg *args, unsigned nargs)
{
    return nargs > 0 ? args[0].ref : NULL;
}

#define FRONTEND_FETCH(name, expression)                                                                               \
    PROXY_FETCH(name)                                                                                                  \
    {                                                                                                                  \
        const struct proxy *p = frontend(c, args, nargs);                                                              \
        return p ? give_int(out, expression) : EVAL_NONE;                                                              \
    }
#define BACKEND_FETCH(name, expression)                                                                                \
    PROXY_FETCH(name)                                                                                                  \
    {                                                                                                                  \
        const struct proxy *p = backend(c, args, nargs);                                                               \
        return p ? give_int(out, expression) : EVAL_NONE;                                                              \
    }
#define CURRENT_BACKEND_FETCH(name, expression)                                                                        \
    PROXY_FETCH(name)                                                                                                  \
    {                                                                                                                  \
        const struct proxy *p = current_backend(c);                                                                    \
        return p ? give_int(out, expression) : EVAL_NONE;                                                              \
    }
#define SERVER_FETCH(name, expression)                                                                                 \
    PROXY_FETCH(name)                                                                                                  \
    {                                                                                                                  \
        const struct server *s = server(args, nargs);                                                                  \
        return s ? give_int(out, expression) : EVAL_NONE;                                                              \
    }

// ---- rates: the sum over workers

static int64_t session_rate(const struct match_ctx *c, const struct counters *counters, unsigned n)
{
    uint64_t sum = 0, now = (uint64_t)match_now(c).us;
    for (unsigned i = 0; i < n; i++)
        sum += counters_rate(&counters[i].rate_now, &counters[i].rate_before, &counters[i].rate_second, now);
    return (int64_t)sum;
}

static int64_t request_rate(const struct match_ctx *c, const struct counters *counters, unsigned n)
{
    uint64_t sum = 0, now = (uint64_t)match_now(c).us;
    for (unsigned i = 0; i < n; i++)
        sum +=
            counters_rate(&counters[i].req_rate_now, &counters[i].req_rate_before, &counters[i].req_rate_second, now);
    return (int64_t)sum;
}

static int64_t server_rate(const struct match_ctx *c, const struct server_state *s)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < s->worker_slots; i++)
        sum += session_rate(c, &s->per_worker[i].counters, 1);
    return sum;
}

// 0 = none.
static int64_t limit_ms(int ms)
{
    return ms > 0 ? ms : 0;
}

static int64_t backend_limit_ms(const struct proxy *p, int ms)
{
    return p->back ? limit_ms(ms) : 0;
}

// ---- process

PROXY_FETCH(act_conn)
{
    return give_int(out, listener_conns());
}

PROXY_FETCH(stopping)
{
    return give_bool(out, listener_is_stopping());
}

// ---- frontends

FRONTEND_FETCH(fe_conn, atomic_load(&p->front->conns))
FRONTEND_FETCH(fe_sess_rate, session_rate(c, p->front->counters, p->front->worker_slots))
FRONTEND_FETCH(fe_req_rate, request_rate(c, p->front->counters, p->front->worker_slots))
FRONTEND_FETCH(fe_id, p->cfg->id)
FRONTEND_FETCH(fe_client_timeout, limit_ms(p->cfg->timeout.client))
FRONTEND_FETCH(fe_tarpit_timeout, limit_ms(p->cfg->timeout.tarpit))

PROXY_FETCH(fe_name)
{
    const struct proxy *p = frontend(c, args, nargs);
    return p ? give_str(out, p->cfg->name) : EVAL_NONE;
}

PROXY_FETCH(fe_defbe)
{
    const struct proxy *p = frontend(c, args, nargs);
    return p && p->default_backend ? give_str(out, p->default_backend->cfg->name) : EVAL_NONE;
}

// ---- backends

static bool counts(const struct proxy *p, const struct server *s)
{
    // Backup servers count when nothing else is left.
    return server_usable(s->state) && (!s->cfg->backup || atomic_load(&p->back->usable_active) == 0);
}

// Free slots of the servers that take traffic; -1 = no limit.
static int64_t free_slots(const struct proxy *p)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < p->nservers; i++) {
        const struct server *s = p->servers[i];
        if (!counts(p, s))
            continue;
        int capacity = backend_server_capacity(s->state);
        if (capacity == 0)
            return -1;
        sum += capacity - atomic_load(&s->state->served);
    }
    return sum > 0 ? sum : 0;
}

// ... with those of their queues, and of backup servers in any case.
static int64_t all_slots(const struct proxy *p)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < p->nservers; i++) {
        const struct server *s = p->servers[i];
        if (!server_usable(s->state))
            continue;
        int capacity = backend_server_capacity(s->state);
        if (capacity == 0 || s->cfg->maxqueue <= 0)
            return -1;
        sum += capacity - atomic_load(&s->state->served);
        sum += s->cfg->maxqueue - atomic_load(&s->state->queued);
    }
    return sum > 0 ? sum : 0;
}

static int64_t average_queue(const struct backend_state *b)
{
    int64_t queued = atomic_load(&b->queued);
    unsigned usable = backend_usable(b);
    return usable ? (queued + usable - 1) / usable : queued * 2; // the manual: twice the length without a server
}

BACKEND_FETCH(be_conn, atomic_load(&p->back->conns))
BACKEND_FETCH(be_conn_free, free_slots(p))
BACKEND_FETCH(connslots, all_slots(p))
BACKEND_FETCH(be_sess_rate, session_rate(c, p->back->counters, p->back->worker_slots))
BACKEND_FETCH(queue, atomic_load(&p->back->queued))
BACKEND_FETCH(avg_queue, average_queue(p->back))
BACKEND_FETCH(nbsrv, backend_usable(p->back))
CURRENT_BACKEND_FETCH(be_id, p->cfg->id)
CURRENT_BACKEND_FETCH(be_connect_timeout, backend_limit_ms(p, p->cfg->timeout.connect))
CURRENT_BACKEND_FETCH(be_queue_timeout, backend_limit_ms(p, p->cfg->timeout.queue))
CURRENT_BACKEND_FETCH(be_server_timeout, backend_limit_ms(p, p->cfg->timeout.server))
CURRENT_BACKEND_FETCH(be_tarpit_timeout, backend_limit_ms(p, p->cfg->timeout.tarpit))
CURRENT_BACKEND_FETCH(be_tunnel_timeout, backend_limit_ms(p, p->cfg->timeout.tunnel))
CURRENT_BACKEND_FETCH(be_max_retries, p->cfg->retries)

PROXY_FETCH(be_name)
{
    const struct proxy *p = current_backend(c);
    return p ? give_str(out, p->cfg->name) : EVAL_NONE;
}

// ---- servers

static int64_t server_free(const struct server_state *s)
{
    int capacity = backend_server_capacity(s), served = atomic_load(&s->served);
    return capacity == 0 ? -1 : capacity > served ? capacity - served : 0;
}

// Checked and found up, and not in maintenance; a server that is being drained is up.
static bool is_up(const struct server_state *s)
{
    unsigned down = ADMIN_MAINT | ADMIN_TRACK_MAINT | ADMIN_UNRESOLVED;
    return atomic_load(&s->effective_up) && !(atomic_load(&s->admin) & down);
}

SERVER_FETCH(srv_conn, atomic_load(&s->state->served))
SERVER_FETCH(srv_conn_free, server_free(s->state))
SERVER_FETCH(srv_queue, atomic_load(&s->state->queued))
SERVER_FETCH(srv_sess_rate, server_rate(c, s->state))
SERVER_FETCH(srv_iweight, atomic_load(&s->state->weight_initial))
SERVER_FETCH(srv_uweight, atomic_load(&s->state->weight))
SERVER_FETCH(srv_weight, server_effective_weight(s->state) / 100)

PROXY_FETCH(srv_is_up)
{
    const struct server *s = server(args, nargs);
    return s ? give_bool(out, is_up(s->state)) : EVAL_NONE;
}

// ---- converters: the name comes as the sample

static struct snapshot *snapshot_of(const struct match_ctx *c)
{
    const struct proxy *p = c->front ? c->front : c->back;
    return p ? p->snapshot : NULL;
}

// "backend/server", or a server of the current backend.
static const struct server *named_server(const struct match_ctx *c, struct str name)
{
    struct snapshot *s = snapshot_of(c);
    const struct proxy *p = c->back;
    ptrdiff_t slash = str_find_char(name, '/');
    if (slash >= 0) {
        p = s ? snapshot_find(s, str_slice(name, 0, (size_t)slash), CAP_BACK) : NULL;
        name = str_slice(name, (size_t)slash + 1, name.len);
    }
    const struct cfg_server *cfg = p ? config_find_server(p->cfg, name) : NULL;
    return cfg ? p->servers[cfg->index] : NULL;
}

static bool conv_fe_exists(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    struct snapshot *snapshot = snapshot_of(c);
    sample_set_bool(s, snapshot && snapshot_find(snapshot, s->str, CAP_FRONT) != NULL);
    return true;
}

static bool conv_nbsrv(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    struct snapshot *snapshot = snapshot_of(c);
    const struct proxy *p = snapshot ? snapshot_find(snapshot, s->str, CAP_BACK) : NULL;
    if (!p)
        return false;
    sample_set_int(s, backend_usable(p->back));
    return true;
}

static bool conv_srv_is_up(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    const struct server *srv = named_server(c, s->str);
    sample_set_bool(s, srv && is_up(srv->state));
    return srv != NULL;
}

static bool conv_srv_queue(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    const struct server *srv = named_server(c, s->str);
    if (!srv)
        return false;
    sample_set_int(s, atomic_load(&srv->state->queued));
    return true;
}

// ---- binding

static const struct fetch_binding bindings[] = {
    {FETCH_ACT_CONN, act_conn},
    {FETCH_STOPPING, stopping},
    {FETCH_FE_CONN, fe_conn},
    {FETCH_FE_SESS_RATE, fe_sess_rate},
    {FETCH_FE_REQ_RATE, fe_req_rate},
    {FETCH_FE_ID, fe_id},
    {FETCH_FE_NAME, fe_name},
    {FETCH_FE_DEFBE, fe_defbe},
    {FETCH_FE_CLIENT_TIMEOUT, fe_client_timeout},
    {FETCH_FE_TARPIT_TIMEOUT, fe_tarpit_timeout},
    {FETCH_BE_CONN, be_conn},
    {FETCH_BE_CONN_FREE, be_conn_free},
    {FETCH_CONNSLOTS, connslots},
    {FETCH_BE_SESS_RATE, be_sess_rate},
    {FETCH_QUEUE, queue},
    {FETCH_AVG_QUEUE, avg_queue},
    {FETCH_NBSRV, nbsrv},
    {FETCH_BE_ID, be_id},
    {FETCH_BE_NAME, be_name},
    {FETCH_BE_CONNECT_TIMEOUT, be_connect_timeout},
    {FETCH_BE_QUEUE_TIMEOUT, be_queue_timeout},
    {FETCH_BE_SERVER_TIMEOUT, be_server_timeout},
    {FETCH_BE_TARPIT_TIMEOUT, be_tarpit_timeout},
    {FETCH_BE_TUNNEL_TIMEOUT, be_tunnel_timeout},
    {FETCH_BE_MAX_RETRIES, be_max_retries},
    {FETCH_SRV_CONN, srv_conn},
    {FETCH_SRV_CONN_FREE, srv_conn_free},
    {FETCH_SRV_QUEUE, srv_queue},
    {FETCH_SRV_SESS_RATE, srv_sess_rate},
    {FETCH_SRV_IWEIGHT, srv_iweight},
    {FETCH_SRV_UWEIGHT, srv_uweight},
    {FETCH_SRV_WEIGHT, srv_weight},
    {FETCH_SRV_IS_UP, srv_is_up},
};

void fetch_bind_state(void)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        fetch_bind(bindings[i].id, bindings[i].fn);
    conv_bind(CONV_FE_EXISTS, conv_fe_exists);
    conv_bind(CONV_NBSRV, conv_nbsrv);
    conv_bind(CONV_SRV_IS_UP, conv_srv_is_up);
    conv_bind(CONV_SRV_QUEUE, conv_srv_queue);
}

void proxy_fetch_bind(void)
{
    fetch_bind_state();
    fetch_bind_stream();
    fetch_bind_conn();
}
