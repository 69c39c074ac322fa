// SPDX-License-Identifier: Apache-2.0
// The request path, third part: the response's head, the rules that look at it, and the answer on its way to the
// client. While the response is awaited the rest of the request's body goes on to the server.
#include "node/proxy/access_log.h"
#include "node/proxy/stream_steps.h"

#include "node/http/hop.h"

static void show_response(struct stream *st)
{
    st->ctx.where = WHERE_RES;
    st->ctx.res = stream_is_http(st) ? &st->res : NULL;
}

bool stream_read_server(struct stream *st)
{
    struct flow *f = &st->down;
    struct conn *c = stream_server(st);
    if (f->source_end || !(c->flags & (CONN_READABLE | CONN_FAILED)))
        return false;
    if (!f->buf) {
        f->buf = worker_buf_take(st->worker);
        f->pinned = f->clear = 0;
    }
    if (iobuf_room(f->buf) == 0)
        return false;
    ssize_t n = conn_recv(c, iobuf_write_ptr(f->buf), iobuf_room(f->buf));
    if (n == CONN_AGAIN)
        return false;
    stream_active(st, WATCH_SERVER);
    if (n < 0) {
        f->source_end = true;
        return true;
    }
    flow_note_read(f, (uint32_t)n == iobuf_room(f->buf));
    iobuf_wrote(f->buf, (uint32_t)n);
    if ((!stream_is_http(st) || st->step > STEP_RESPONSE_HEAD) && !flow_scan(f))
        f->source_end = true; // the relay meets the bad framing again
    return true;
}

// ---- TCP -----------------------------------------------------------------------------------------------------------

// tcp-response content. In TCP the server may speak first or never: the client's bytes must go on meanwhile.
static enum step response_content(struct stream *st)
{
    const struct rule_list *list = &st->back->rules[RULES_TCP_RES_CONT];
    if (list->count == 0)
        return STEP_DONE;
    int delay_ms = st->back->cfg->inspect_delay_res;
    if (st->sub == 0) {
        st->sub = 1;
        stream_deadline(st, delay_ms);
    }
    show_response(st);
    for (;;) {
        if (!stream_is_http(st) && !stream_relay_request(st))
            return STEP_FINAL;
        stream_show_bytes(st);
        struct flow *f = &st->down;
        st->ctx.res_final = delay_ms <= 0 || stream_deadline_passed(st) || f->complete || f->source_end ||
                            (f->buf && iobuf_room(f->buf) == 0);
        enum step r = stream_rules(st, list, WHERE_RES);
        if (r != STEP_MORE)
            return r;
        if (st->ctx.res_final)
            return STEP_DONE;
        if (!stream_read_server(st))
            return STEP_MORE;
    }
}

enum step step_response_content_tcp(struct stream *st)
{
    st->times.response = loop_now(st->loop);
    return response_content(st);
}

enum step step_response_content(struct stream *st)
{
    return response_content(st);
}

// ---- the head ------------------------------------------------------------------------------------------------------

static bool repeatable(const struct stream *st)
{
    switch (st->req.method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_PUT:
    case METHOD_DELETE:
    case METHOD_OPTIONS:
    case METHOD_TRACE:
        return !st->up.discarded;
    default:
        return false;
    }
}

// The server ended without an answer. A kept connection may just have been closed as we wrote: then a request that may
// be repeated goes out again (RFC 9112 9.3.1), for another the client's connection closes, so that the client decides.
static enum step no_response(struct stream *st)
{
    bool empty = !st->down.buf || iobuf_len(st->down.buf) == 0;
    if (st->down.buf)
        worker_buf_put(st->worker, &st->down.buf);
    if (empty && st->flags & STREAM_REUSED) {
        server_conn_close(&st->sconn, false);
        if (repeatable(st)) {
            st->no_reuse = true;
            st->down.source_end = false;
            st->up.nhead = 0;
            stream_goto(st, STEP_CONNECT);
            return STEP_WAIT;
        }
        if (st->session->requests > 1) {
            st->flags |= STREAM_NO_LOG; // nothing happened that a client may not expect (RFC 9112 9.3.1)
            stream_abort(st, 'S', 'H');
            return STEP_FINAL;
        }
    }
    stream_observe_response(st, false);
    if (stream_retry(st, empty ? RETRY_EMPTY_RESPONSE : RETRY_JUNK_RESPONSE)) {
        st->down.source_end = false;
        return STEP_WAIT;
    }
    counter_add(&st->back_counters->response_errors, 1);
    counter_add(&st->server_counters->response_errors, 1);
    stream_fail(st, 502, 'S', 'H');
    return STEP_FINAL;
}

static enum step bad_response(struct stream *st)
{
    st->parse_error = st->parser.error;
    st->times.response = MONO_NEVER;
    stream_observe_response(st, false);
    worker_buf_put(st->worker, &st->down.buf);
    if (stream_retry(st, RETRY_JUNK_RESPONSE))
        return STEP_WAIT;
    counter_add(&st->back_counters->response_errors, 1);
    counter_add(&st->server_counters->response_errors, 1);
    stream_fail(st, 502, 'P', 'H');
    return STEP_FINAL;
}

static unsigned retry_cause(unsigned status)
{
    static const struct {
        unsigned status, cause;
    } causes[] = {
        {401, RETRY_401}, {403, RETRY_403}, {404, RETRY_404}, {408, RETRY_408}, {425, RETRY_425},
        {500, RETRY_500}, {501, RETRY_501}, {502, RETRY_502}, {503, RETRY_503}, {504, RETRY_504},
    };
    for (unsigned i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (causes[i].status == status)
            return causes[i].cause;
    return 0;
}

static void capture_response(struct stream *st)
{
    const struct cfg_proxy *cfg = st->front->cfg;
    for (unsigned i = 0; i < cfg->nres_captures && st->ctx.res_caps; i++) {
        struct str value;
        if (cfg->res_captures[i].name.len && http_hdr_value(&st->res, cfg->res_captures[i].name, -1, true, &value))
            st->ctx.res_caps[i] = arena_str(st->arena, str_slice(value, 0, cfg->res_captures[i].len));
    }
}

static void response_arrived(struct stream *st)
{
    struct http_msg *m = &st->res;
    struct iobuf *b = st->down.buf;
    static const enum flow_framing framing[] = {
        [BODY_NONE] = FLOW_NONE, [BODY_LENGTH] = FLOW_LENGTH, [BODY_CHUNKED] = FLOW_CHUNKED,
        [BODY_CLOSE] = FLOW_RAW, [BODY_TUNNEL] = FLOW_RAW,
    };
    st->times.response = loop_now(st->loop);
    st->server_status = m->status;
    st->step_due = MONO_NEVER;
    st->ctx.res = m;
    st->up.hold = false;
    enum flow_framing f = m->body == BODY_LENGTH && m->method == METHOD_HEAD ? FLOW_NONE : framing[m->body];
    flow_begin(&st->down, f, m->content_length, b->head + m->head_len);
    if (m->body == BODY_TUNNEL)
        st->flags |= STREAM_TUNNEL;
    else
        http_strip_hop_by_hop(m);
    counter_add(&st->server_counters->responses[m->status / 100 <= 5 ? m->status / 100 : 0], 1);
    capture_response(st);
    log_capture_cookie(st, true);
}

// 100 Continue and other interim answers go to the client as they are, but not to one of HTTP/1.0 (RFC 9110 15.2).
static bool forward_interim(struct stream *st)
{
    struct iobuf *b = st->down.buf;
    struct iovec iov = {iobuf_read_ptr(b), st->res.head_len};
    iobuf_read(b, st->res.head_len);
    st->down.clear = b->head;
    bool ok = true;
    if (st->req.version >= 11) {
        // Copied only if the socket does not take it: then it goes out before the next head.
        struct conn *c = stream_client(st);
        ssize_t n = conn_sendv(c, &iov, 1, false);
        ok = n == (ssize_t)iov.iov_len;
        st->down.total += ok ? (uint64_t)n : 0;
    }
    http_msg_init(&st->res, st->arena, true, 16);
    h1_parser_init(&st->parser);
    return ok;
}

static enum h1_result parse_response(struct stream *st)
{
    const struct config *config = st->back->snapshot->config;
    const struct h1_limits limits = {(uint16_t)(config->global.tune.maxhdr - 1), // which counts the first line
                                     cfg_option(st->back->cfg, OPT_ACCEPT_INVALID_RES)};
    struct iobuf *b = st->down.buf;
    if (!b || iobuf_len(b) == 0)
        return H1_MORE;
    enum h1_result r =
        h1_parse_response(&st->parser, &limits, iobuf_read_ptr(b), iobuf_len(b), st->req.method, &st->res);
    if (r == H1_MORE && iobuf_room(b) == 0) {
        st->parser.error = H1_HEAD_TOO_LARGE;
        return H1_BAD;
    }
    return r;
}

static bool upgrade_refused(const struct stream *st)
{
    return st->res.body == BODY_TUNNEL && st->res.status == 101 && !st->req.upgrade;
}

enum step step_response_head(struct stream *st)
{
    if (st->sub == 0) {
        st->sub = 1;
        http_msg_init(&st->res, st->arena, true, 24);
        h1_parser_init(&st->parser);
    }
    if (!stream_relay_request(st))
        return STEP_FINAL;
    for (;;) {
        enum h1_result r = parse_response(st);
        if (r == H1_BAD || (r == H1_DONE && upgrade_refused(st)))
            return bad_response(st);
        if (r == H1_DONE && st->res.status < 200 && st->res.status != 101) {
            if (!forward_interim(st)) {
                stream_abort(st, 'C', 'H');
                return STEP_FINAL;
            }
            continue;
        }
        if (r == H1_DONE)
            break;
        if (st->down.source_end)
            return no_response(st);
        if (stream_client(st)->flags & CONN_FAILED || stream_client_left(st)) {
            stream_abort(st, 'C', 'H');
            return STEP_FINAL;
        }
        if (!stream_read_server(st))
            return STEP_MORE;
    }
    stream_observe_response(st, st->res.status < 500 || st->res.status == 501 || st->res.status == 505);
    unsigned cause = retry_cause(st->res.status);
    if (cause && stream_retry(st, cause)) {
        worker_buf_put(st->worker, &st->down.buf);
        return STEP_WAIT;
    }
    response_arrived(st);
    return flow_scan(&st->down) ? STEP_DONE : bad_response(st);
}

// ---- rules ---------------------------------------------------------------------------------------------------------

static enum step response_rules(struct stream *st, const struct proxy *p, enum ruleset set)
{
    const struct rule_list *list = &p->rules[set];
    if (list->count == 0)
        return STEP_DONE;
    show_response(st);
    for (;;) {
        stream_show_bytes(st);
        st->ctx.res_final = true;
        enum step r = stream_rules(st, list, WHERE_RES);
        if (r != STEP_MORE || !st->sconn || !stream_read_server(st))
            return r;
    }
}

enum step step_back_response(struct stream *st)
{
    return response_rules(st, st->back, RULES_HTTP_RES);
}

enum step step_front_response(struct stream *st)
{
    return st->front == st->back ? STEP_DONE : response_rules(st, st->front, RULES_HTTP_RES);
}

enum step step_after_response(struct stream *st)
{
    enum step r = STEP_DONE;
    if (st->sub == 0 && st->back) {
        r = response_rules(st, st->back, RULES_HTTP_AFTER_RES);
        if (r != STEP_DONE)
            return r;
    }
    st->sub = 1;
    return st->front == st->back ? STEP_DONE : response_rules(st, st->front, RULES_HTTP_AFTER_RES);
}

// ---- out -----------------------------------------------------------------------------------------------------------

static void count_response(struct stream *st)
{
    unsigned class = st->status / 100 <= 5 ? st->status / 100 : 0;
    counter_add(&st->front_counters->responses[class], 1);
    if (st->back_counters && st->back_counters != st->front_counters)
        counter_add(&st->back_counters->responses[class], 1);
}

enum step step_send_response(struct stream *st)
{
    struct iovec iov[STREAM_HEAD_IOV];
    st->status = st->error_status ? st->error_status : st->res.status;
    count_response(st);
    int n = stream_head_iov(st, &st->res, iov);
    if (st->flags & STREAM_LOCAL_REPLY && st->reply_body.len > 0 && st->res.method != METHOD_HEAD) {
        if (n == STREAM_HEAD_IOV) { // no entry left for the body
            char *flat = arena_alloc(st->arena, h1_head_len(&st->res));
            iov[0] = (struct iovec){flat, h1_write_head(&st->res, flat, h1_head_len(&st->res))};
            n = 1;
        }
        iov[n++] = (struct iovec){(char *)st->reply_body.ptr, st->reply_body.len};
    }
    stream_active(st, WATCH_CLIENT);
    relay_send_head(&st->down, stream_client(st), st->arena, iov, n);
    if (st->flags & STREAM_TUNNEL)
        flow_begin_tunnel(&st->up);
    return STEP_DONE;
}
