// SPDX-License-Identifier: Apache-2.0
// Fetches of the running stream: its times, bytes, choices and limits (configuration.txt 7.3.2 to 7.3.6). Where there
// is no stream (checks, connection rules), or the point was not reached, there is no value.
#include "node/proxy/fetch_bind.h"
#include "node/proxy/stream.h"

// Defines a fetch that needs a stream; `st` is known in the body that follows.
#define STREAM_FETCH(name)                                                                                             \
    static enum eval_result of_##name(struct stream *st, const struct arg *args, unsigned nargs, struct sample *out);  \
    PROXY_FETCH(name)                                                                                                  \
    {                                                                                                                  \
        return stream_of(c) ? of_##name(stream_of(c), args, nargs, out) : EVAL_NONE;                                   \
    }                                                                                                                  \
    static enum eval_result of_##name(struct stream *st, const struct arg *args, unsigned nargs, struct sample *out)

#define STREAM_INT(name, expression)                                                                                   \
    STREAM_FETCH(name)                                                                                                 \
    {                                                                                                                  \
        return give_int(out, expression);                                                                              \
    }

// ---- times: ms between two points, nothing when one was not reached

static enum eval_result give_span(struct sample *out, mono_t from, mono_t to)
{
    if (!mono_is_set(from) || !mono_is_set(to))
        return EVAL_NONE;
    int64_t ms = mono_diff_ms(to, from);
    return give_int(out, ms > 0 ? ms : 0);
}

static mono_t end_of(const struct stream *st)
{
    return mono_is_set(st->times.end) ? st->times.end : loop_now(st->loop);
}

// Idle time before the first byte, without the handshakes.
static int64_t idle_ms(const struct stream *st)
{
    if (!mono_is_set(st->times.start))
        return 0;
    int64_t ms = mono_diff_ms(st->times.start, st->times.accept) - st->times.handshake_ms;
    return ms > 0 ? ms : 0;
}

STREAM_INT(fc_timer_handshake, st->times.handshake_ms)
STREAM_INT(fc_timer_total, mono_diff_ms(end_of(st), st->times.accept))
STREAM_INT(req_timer_idle, idle_ms(st))
STREAM_INT(txn_timer_user, mono_diff_ms(end_of(st), st->times.accept) - idle_ms(st))

STREAM_FETCH(req_timer_hdr)
{
    return give_span(out, st->times.start, st->times.request);
}

STREAM_FETCH(req_timer_tq)
{
    return give_span(out, st->times.accept, st->times.request);
}

STREAM_FETCH(req_timer_queue)
{
    return give_span(out, st->times.request, st->times.queue_end);
}

STREAM_FETCH(bc_timer_connect)
{
    return give_span(out, st->times.queue_end, st->times.connected);
}

STREAM_FETCH(res_timer_hdr)
{
    return give_span(out, st->times.connected, st->times.response);
}

STREAM_FETCH(res_timer_data)
{
    return give_span(out, st->times.response, end_of(st));
}

STREAM_FETCH(txn_timer_total)
{
    return give_span(out, st->times.start, end_of(st));
}

STREAM_FETCH(request_date)
{
    int64_t us = st->times.start_wall_us;
    struct str unit = nargs > 0 && args[0].kind != ARG_NONE ? args[0].text : STR("s");
    if (us == 0)
        return EVAL_NONE;
    return give_int(out, str_is(unit, "us") ? us : str_is(unit, "ms") ? us / 1000 : us / 1000000);
}

// ---- bytes, heads included. st->bytes_in has the request's body only once the stream was accounted for.

STREAM_INT(req_bytes_in, (int64_t)(st->bytes_in + (mono_is_set(st->times.end) ? 0 : st->up.taken)))
STREAM_INT(req_bytes_out, (int64_t)st->up.total)
STREAM_INT(res_bytes_in, (int64_t)((st->flags & STREAM_LOCAL_REPLY ? 0 : st->res.head_len) + st->down.taken))
STREAM_INT(res_bytes_out, (int64_t)st->down.total)

// ---- what was chosen

STREAM_FETCH(unique_id)
{
    struct str id = stream_unique_id(st);
    return id.len ? give_str(out, id) : EVAL_NONE;
}

STREAM_FETCH(srv_id)
{
    return st->server ? give_int(out, st->server->cfg->id) : EVAL_NONE;
}

STREAM_FETCH(srv_name)
{
    return st->server ? give_str(out, st->server->cfg->name) : EVAL_NONE;
}

STREAM_FETCH(server_status)
{
    return st->server_status ? give_int(out, st->server_status) : EVAL_NONE;
}

STREAM_FETCH(txn_status)
{
    return st->status ? give_int(out, st->status) : EVAL_NONE;
}

STREAM_FETCH(txn_redispatched)
{
    return give_bool(out, st->flags & STREAM_REDISPATCHED);
}

STREAM_FETCH(txn_sess_term_state)
{
    char *state = arena_memdup(st->arena, st->term, sizeof(st->term));
    return give_str(out, str_make(state, sizeof(st->term)));
}

STREAM_INT(txn_conn_retries, st->retries)
STREAM_INT(bc_be_queue, st->queue_back_pos)
STREAM_INT(bc_srv_queue, st->queue_srv_pos)
STREAM_INT(prio_class, st->queue.priority_class)
STREAM_INT(prio_offset, st->queue.priority_offset_ms)

STREAM_FETCH(last_rule_file)
{
    return st->final_rule ? give_str(out, st->front->snapshot->config->files[st->final_rule->src.file]) : EVAL_NONE;
}

STREAM_FETCH(last_rule_line)
{
    return st->final_rule ? give_int(out, st->final_rule->src.line) : EVAL_NONE;
}

// ---- limits in force: set by a rule, or the proxy's; 0 = none

static enum eval_result give_limit(struct sample *out, int set, int configured)
{
    int ms = set ? set : configured;
    return give_int(out, ms > 0 ? ms : 0);
}

static const struct cfg_proxy *backend_of(const struct stream *st)
{
    return (st->back ? st->back : st->front)->cfg;
}

STREAM_FETCH(cur_client_timeout)
{
    return give_limit(out, st->timeout_client, 0);
}

STREAM_FETCH(cur_server_timeout)
{
    return give_limit(out, st->back ? st->timeout_server : 0, 0);
}

STREAM_FETCH(cur_tunnel_timeout)
{
    return give_limit(out, st->back ? st->timeout_tunnel : 0, 0);
}

STREAM_FETCH(cur_connect_timeout)
{
    return give_limit(out, st->timeout_connect, backend_of(st)->timeout.connect);
}

STREAM_FETCH(cur_queue_timeout)
{
    return give_limit(out, st->timeout_queue, backend_of(st)->timeout.queue);
}

STREAM_FETCH(cur_tarpit_timeout)
{
    return give_limit(out, st->timeout_tarpit, backend_of(st)->timeout.tarpit);
}

STREAM_INT(cur_max_retries, backend_of(st)->retries)

// ---- binding

static const struct fetch_binding bindings[] = {
    {FETCH_FC_TIMER_HANDSHAKE, fc_timer_handshake},
    {FETCH_FC_TIMER_TOTAL, fc_timer_total},
    {FETCH_REQ_TIMER_IDLE, req_timer_idle},
    {FETCH_REQ_TIMER_HDR, req_timer_hdr},
    {FETCH_REQ_TIMER_TQ, req_timer_tq},
    {FETCH_REQ_TIMER_QUEUE, req_timer_queue},
    {FETCH_BC_TIMER_CONNECT, bc_timer_connect},
    {FETCH_RES_TIMER_HDR, res_timer_hdr},
    {FETCH_RES_TIMER_DATA, res_timer_data},
    {FETCH_TXN_TIMER_TOTAL, txn_timer_total},
    {FETCH_TXN_TIMER_USER, txn_timer_user},
    {FETCH_REQUEST_DATE, request_date},
    {FETCH_REQ_BYTES_IN, req_bytes_in},
    {FETCH_REQ_BYTES_OUT, req_bytes_out},
    {FETCH_RES_BYTES_IN, res_bytes_in},
    {FETCH_RES_BYTES_OUT, res_bytes_out},
    {FETCH_UNIQUE_ID, unique_id},
    {FETCH_SRV_ID, srv_id},
    {FETCH_SRV_NAME, srv_name},
    {FETCH_SERVER_STATUS, server_status},
    {FETCH_TXN_STATUS, txn_status},
    {FETCH_TXN_REDISPATCHED, txn_redispatched},
    {FETCH_TXN_SESS_TERM_STATE, txn_sess_term_state},
    {FETCH_TXN_CONN_RETRIES, txn_conn_retries},
    {FETCH_BC_BE_QUEUE, bc_be_queue},
    {FETCH_BC_SRV_QUEUE, bc_srv_queue},
    {FETCH_PRIO_CLASS, prio_class},
    {FETCH_PRIO_OFFSET, prio_offset},
    {FETCH_LAST_RULE_FILE, last_rule_file},
    {FETCH_LAST_RULE_LINE, last_rule_line},
    {FETCH_CUR_CLIENT_TIMEOUT, cur_client_timeout},
    {FETCH_CUR_SERVER_TIMEOUT, cur_server_timeout},
    {FETCH_CUR_TUNNEL_TIMEOUT, cur_tunnel_timeout},
    {FETCH_CUR_CONNECT_TIMEOUT, cur_connect_timeout},
    {FETCH_CUR_QUEUE_TIMEOUT, cur_queue_timeout},
    {FETCH_CUR_TARPIT_TIMEOUT, cur_tarpit_timeout},
    {FETCH_CUR_MAX_RETRIES, cur_max_retries},
};

void fetch_bind_stream(void)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        fetch_bind(bindings[i].id, bindings[i].fn);
}
