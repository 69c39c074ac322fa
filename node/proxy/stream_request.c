// SPDX-License-Identifier: Apache-2.0
// The request path, first part: connection rules, the request's head, the frontend's rules, the choice of a backend and
// the backend's rules.
#include "node/proxy/access_log.h"
#include "node/proxy/stream_steps.h"

#include "node/http/hop.h"

// ---- rules ---------------------------------------------------------------------------------------------------------

enum step stream_rules(struct stream *st, const struct rule_list *list, enum cfg_where where)
{
    if (list->count == 0)
        return STEP_DONE;
    st->ctx.where = where;
    return rules_run(st, list, &st->run);
}

void stream_show_bytes(struct stream *st)
{
    const struct flow *up = &st->up, *down = &st->down;
    st->ctx.req_bytes = up->buf ? str_make(up->buf->data + up->pinned, up->clear - up->pinned) : STR_NONE;
    st->ctx.res_bytes = down->buf ? str_make(down->buf->data + down->pinned, down->clear - down->pinned) : STR_NONE;
}

static bool buffer_full(const struct flow *f)
{
    return f->buf && iobuf_room(f->buf) == 0;
}

// Rules that look at contents may ask for more of them, until the inspection delay is over, the end is seen, or the
// buffer is full: then what is there has to do.
static enum step content_rules(struct stream *st, struct proxy *p, enum cfg_where where)
{
    const struct rule_list *list = &p->rules[RULES_TCP_REQ_CONT];
    if (list->count == 0)
        return STEP_DONE;
    int delay_ms = p->cfg->inspect_delay_req;
    if (st->sub == 0) {
        st->sub = 1;
        stream_deadline(st, delay_ms);
    }
    for (;;) {
        stream_show_bytes(st);
        st->ctx.req_final =
            delay_ms <= 0 || stream_deadline_passed(st) || st->up.complete || st->up.source_end || buffer_full(&st->up);
        enum step r = stream_rules(st, list, where);
        if (r != STEP_MORE)
            return r;
        if (st->ctx.req_final)
            return STEP_DONE;
        if (!stream_read_client(st))
            return STEP_MORE;
    }
}

enum step step_connection_rules(struct stream *st)
{
    struct session *s = st->session;
    if (s->flags & SESSION_RULES_DONE)
        return STEP_DONE;
    for (; st->sub < 2; st->sub++) {
        const struct rule_list *list = &st->front->rules[st->sub == 0 ? RULES_TCP_REQ_CONN : RULES_TCP_REQ_SESS];
        enum step r = stream_rules(st, list, WHERE_FRONT_CONN);
        if (r != STEP_DONE)
            return r;
        st->run.list = NULL;
    }
    static const struct table_delta session[] = {{TD_SESS_CNT, 0, 1}, {TD_SESS_RATE, 0, 1}};
    if (st->ctx.tracks)
        tracks_add(st->ctx.tracks, session, 2, loop_now(st->loop));
    s->flags |= SESSION_RULES_DONE;
    st->ctx.where = WHERE_FRONT_REQ;
    return STEP_DONE;
}

enum step step_front_content(struct stream *st)
{
    enum step r = content_rules(st, st->front, WHERE_FRONT_REQ);
    if (r == STEP_DONE && !stream_is_http(st))
        st->times.request = st->times.start; // the log's %Tw counts the inspection
    return r;
}

enum step step_back_content(struct stream *st)
{
    return st->back == st->front ? STEP_DONE : content_rules(st, st->back, WHERE_BACK_REQ);
}

// ---- the head ------------------------------------------------------------------------------------------------------

bool stream_read_client(struct stream *st)
{
    struct flow *f = &st->up;
    struct conn *c = stream_client(st);
    if (f->source_end)
        return false;
    if (!(c->flags & (CONN_READABLE | CONN_EOF | CONN_FAILED)))
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
    if (n < 0) {
        f->source_end = true;
        return true;
    }
    iobuf_wrote(f->buf, (uint32_t)n);
    if (st->step > STEP_REQUEST_HEAD && !flow_scan(f))
        f->source_end = true; // the relay meets the bad framing again
    return true;
}

static enum step refuse_request(struct stream *st, int status, char who)
{
    counter_add(&st->front_counters->request_errors, 1);
    st->log_uri = STR("<BADREQ>");
    stream_set_term(st, who, 'R');
    st->flags |= STREAM_CLOSE_CLIENT;
    st->ctx.req = NULL;
    reply_error(st, status);
    return STEP_FINAL;
}

// The request line as it came, for the log: rules may change the parts.
static struct str request_line(const struct stream *st)
{
    const struct http_msg *m = &st->req;
    static const char version[] = " HTTP/1.";
    const char *end = m->target.ptr + m->target.len;
    bool usual = m->target.ptr == m->method_text.ptr + m->method_text.len + 1 && m->version_text.ptr == NULL &&
                 memcmp(end, version, sizeof(version) - 1) == 0;
    if (usual)
        return str_make(m->method_text.ptr, (size_t)(end + sizeof(version) - m->method_text.ptr));
    const char *digits = m->version == 10 ? "HTTP/1.0" : "HTTP/1.1";
    struct str v = m->version_text.ptr ? m->version_text : str_of(digits);
    return arena_printf(st->arena, "%.*s %.*s %.*s", STR_ARG(m->method_text), STR_ARG(m->target), STR_ARG(v));
}

static void capture_headers(struct stream *st)
{
    const struct cfg_proxy *cfg = st->front->cfg;
    if (st->front->capture_req_count > 0)
        st->ctx.req_caps = ARENA_ARRAY(st->arena, struct str, st->front->capture_req_count);
    if (st->front->capture_res_count > 0)
        st->ctx.res_caps = ARENA_ARRAY(st->arena, struct str, st->front->capture_res_count);
    for (unsigned i = 0; i < cfg->nreq_captures; i++) {
        struct str value;
        if (cfg->req_captures[i].name.len && http_hdr_value(&st->req, cfg->req_captures[i].name, -1, true, &value))
            st->ctx.req_caps[i] = arena_str(st->arena, str_slice(value, 0, cfg->req_captures[i].len));
    }
}

static void request_arrived(struct stream *st)
{
    struct http_msg *m = &st->req;
    struct iobuf *b = st->up.buf;
    static const enum flow_framing framing[] = {
        [BODY_NONE] = FLOW_NONE,  [BODY_LENGTH] = FLOW_LENGTH, [BODY_CHUNKED] = FLOW_CHUNKED,
        [BODY_CLOSE] = FLOW_NONE, [BODY_TUNNEL] = FLOW_NONE,
    };
    st->times.request = loop_now(st->loop);
    st->bytes_in = m->head_len;
    st->ctx.req = m;
    st->log_uri = request_line(st);
    flow_begin(&st->up, framing[m->body], m->content_length, b->head + m->head_len);
    if (!m->keep_alive || st->front->cfg->http_mode == HTTP_CLOSE)
        st->flags |= STREAM_CLOSE_CLIENT;
    http_strip_hop_by_hop(m);
    // What will be tracked from here on counts this request when it begins.
    static const struct table_delta request[] = {{TD_HTTP_REQ_CNT, 0, 1}, {TD_HTTP_REQ_RATE, 0, 1}};
    if (st->ctx.tracks)
        tracks_add(st->ctx.tracks, request, 2, loop_now(st->loop));
    struct counters *c = st->front_counters;
    counter_add(&c->requests, 1);
    counters_rate_event(&c->req_rate_now, &c->req_rate_before, &c->req_rate_second,
                        (uint64_t)st->times.request.us / 1000000);
    if (st->front->capture_req_count | st->front->capture_res_count)
        capture_headers(st);
    log_capture_cookie(st, false);
}

// Nothing more comes before the head is complete.
static enum step head_ended(struct stream *st, bool timed_out)
{
    bool nothing = !st->up.buf || iobuf_len(st->up.buf) == 0;
    if (nothing && cfg_option(st->front->cfg, OPT_DONTLOGNULL))
        st->flags |= STREAM_NO_LOG;
    if (nothing && cfg_option(st->front->cfg, OPT_HTTP_IGNORE_PROBES)) {
        stream_abort(st, timed_out ? 'c' : 'C', 'R');
        return STEP_FINAL;
    }
    return timed_out ? refuse_request(st, 408, 'c') : refuse_request(st, 400, 'C');
}

static enum step too_large(struct stream *st)
{
    st->parse_error = H1_HEAD_TOO_LARGE;
    return refuse_request(st, 400, 'P');
}

// tune.maxrewrite bytes of the buffer are for what rules add.
static uint32_t head_room(const struct iobuf *b, const struct config *config)
{
    uint32_t reserve = (uint32_t)config->global.tune.maxrewrite;
    return reserve < b->size ? b->size - reserve : b->size;
}

enum step step_request_head(struct stream *st)
{
    const struct config *config = st->front->snapshot->config;
    const struct h1_limits limits = {(uint16_t)(config->global.tune.maxhdr - 1), // which counts the first line
                                     cfg_option(st->front->cfg, OPT_ACCEPT_INVALID_REQ)};
    if (st->sub == 0) {
        st->sub = 1;
        const struct cfg_timeouts *t = &st->front->cfg->timeout;
        int ms = t->http_request >= 0 ? t->http_request : t->client;
        // The first request's time began when the connection was accepted.
        int64_t used = st->session->requests <= 1 ? mono_diff_ms(loop_now(st->loop), st->times.accept) : 0;
        stream_deadline(st, ms < 0 ? -1 : ms > used ? ms - used : 0);
    }
    for (;;) {
        struct iobuf *b = st->up.buf;
        if (b && iobuf_len(b) > 0) {
            switch (h1_parse_request(&st->parser, &limits, iobuf_read_ptr(b), iobuf_len(b), &st->req)) {
            case H1_DONE:
                if (st->req.head_len > head_room(b, config))
                    return too_large(st);
                request_arrived(st);
                if (!flow_scan(&st->up)) {
                    st->times.request = MONO_NEVER; // the log shows no request
                    return refuse_request(st, 400, 'P');
                }
                return STEP_DONE;
            case H1_BAD:
                st->parse_error = st->parser.error;
                return refuse_request(st, (int)h1_error_status(st->parser.error), 'P');
            case H1_MORE:
                break;
            }
            if (iobuf_len(b) >= head_room(b, config))
                return too_large(st);
        }
        if (st->up.source_end || stream_deadline_passed(st))
            return head_ended(st, !st->up.source_end);
        if (!stream_read_client(st))
            return STEP_MORE;
    }
}

// ---- body first ----------------------------------------------------------------------------------------------------

// The client may wait for our word before it sends the body (RFC 9110 10.1.1).
static void send_continue(struct stream *st)
{
    if (!st->req.expect_continue || st->flags & STREAM_CONTINUE_SENT || st->up.clear > st->up.pinned)
        return;
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec iov = {(char *)text, sizeof(text) - 1};
    st->flags |= STREAM_CONTINUE_SENT;
    conn_sendv(stream_client(st), &iov, 1, false);
    http_hdr_del_id(&st->req, HDR_EXPECT);
}

bool stream_body_ready(struct stream *st, uint64_t want)
{
    bool response = st->ctx.where == WHERE_RES;
    struct flow *f = response ? &st->down : &st->up;
    if (!response)
        send_continue(st);
    stream_show_bytes(st);
    uint64_t have = f->buf ? f->clear - f->pinned : 0;
    return f->complete || f->source_end || (want > 0 && have >= want) || (f->buf && iobuf_room(f->buf) == 0);
}

// option http-buffer-request: the rules see the whole body, or as much of it as the buffer takes.
static enum step buffer_body(struct stream *st, const struct proxy *p)
{
    if (!cfg_option(p->cfg, OPT_HTTP_BUFFER_REQUEST))
        return STEP_DONE;
    if (st->sub == 0) {
        st->sub = 1;
        const struct cfg_timeouts *t = &st->front->cfg->timeout;
        stream_deadline(st, t->http_request >= 0 ? t->http_request : t->client);
    }
    while (!stream_body_ready(st, 0)) {
        if (stream_deadline_passed(st)) {
            st->times.request = MONO_NEVER;
            stream_fail(st, 408, 'c', 'R');
            return STEP_FINAL;
        }
        if (!stream_read_client(st))
            return STEP_MORE;
    }
    st->times.request = loop_now(st->loop);
    return STEP_DONE;
}

enum step step_front_body(struct stream *st)
{
    return buffer_body(st, st->front);
}

enum step step_back_body(struct stream *st)
{
    return st->back == st->front ? STEP_DONE : buffer_body(st, st->back);
}

// ---- the frontend's rules ------------------------------------------------------------------------------------------

enum step step_monitor(struct stream *st)
{
    const struct proxy *p = st->front;
    if (p->cfg->monitor_uri.len == 0)
        return STEP_DONE;
    struct str uri = p->cfg->monitor_uri, target = st->req.target;
    if (!str_eq(uri, target))
        return STEP_DONE;
    st->flags |= STREAM_MONITOR;
    stream_set_term(st, 'L', 'R');
    counter_add(&st->front_counters->intercepted, 1);
    for (unsigned i = 0; i < p->cfg->monitor_fail.count; i++) {
        st->ctx.where = WHERE_FRONT_REQ;
        if (cond_eval(p->monitor_fail[i], &st->ctx) == COND_TRUE) {
            reply_error(st, 503);
            return STEP_FINAL;
        }
    }
    reply_error(st, 200);
    return STEP_FINAL;
}

static enum step request_rules(struct stream *st, const struct rule_list *list, enum cfg_where where)
{
    if (list->count == 0)
        return STEP_DONE;
    for (;;) {
        stream_show_bytes(st);
        st->ctx.req_final = true;
        enum step r = stream_rules(st, list, where);
        if (r != STEP_MORE || !stream_read_client(st))
            return r;
    }
}

enum step step_front_request(struct stream *st)
{
    return request_rules(st, &st->front->rules[RULES_HTTP_REQ], WHERE_FRONT_REQ);
}

enum step step_front_redirect(struct stream *st)
{
    return request_rules(st, &st->front->redirects, WHERE_FRONT_REQ);
}

enum step step_back_request(struct stream *st)
{
    if (st->back == st->front)
        return STEP_DONE;
    return request_rules(st, &st->back->rules[RULES_HTTP_REQ], WHERE_BACK_REQ);
}

enum step step_back_redirect(struct stream *st)
{
    if (st->back == st->front)
        return STEP_DONE;
    return request_rules(st, &st->back->redirects, WHERE_BACK_REQ);
}

// ---- the backend ---------------------------------------------------------------------------------------------------

void stream_set_backend(struct stream *st, struct proxy *p)
{
    if (st->back == p)
        return;
    ASSERT(st->back == NULL);
    st->back = p;
    st->ctx.back = p;
    st->back_counters = &p->back->counters[st->worker->id];
    st->flags |= STREAM_CONN_COUNTED;
    int now = atomic_fetch_add_explicit(&p->back->conns, 1, memory_order_relaxed) + 1;
    if (now > atomic_load_explicit(&p->back->conns_max, memory_order_relaxed))
        atomic_store_explicit(&p->back->conns_max, now, memory_order_relaxed);
    if (stream_is_http(st) && p->cfg->cookie.name.len > 0)
        st->term_cookie[0] = st->term_cookie[1] = 'N';
    struct counters *c = st->back_counters;
    counter_add(&c->sessions, 1);
    counters_rate_event(&c->rate_now, &c->rate_before, &c->rate_second, (uint64_t)loop_now(st->loop).us / 1000000);
    if (p != st->front) {
        st->timeout_server = p->cfg->timeout.server;
        st->timeout_tunnel = p->cfg->timeout.tunnel;
    }
}

static struct proxy *switched_backend(struct stream *st, const struct switch_rule *r)
{
    if (r->backend || !r->format)
        return r->backend;
    struct proxy *p = snapshot_find(st->front->snapshot, format_text(r->format, &st->ctx), CAP_BACK);
    return p && p->cfg->mode == st->front->cfg->mode ? p : NULL;
}

enum step step_choose_backend(struct stream *st)
{
    struct proxy *front = st->front, *chosen = NULL;
    st->ctx.where = WHERE_FRONT_REQ;
    st->ctx.req_final = true;
    stream_show_bytes(st);
    for (unsigned i = 0; i < front->nuse_backends && !chosen && !st->back; i++) {
        const struct switch_rule *r = &front->use_backends[i];
        if (cond_eval(r->cond, &st->ctx) == COND_TRUE)
            chosen = switched_backend(st, r);
    }
    if (!chosen && !st->back)
        chosen = front->default_backend;
    if (!chosen && !st->back && front->cfg->caps & CAP_BACK)
        chosen = front;
    if (chosen)
        stream_set_backend(st, chosen);
    if (st->back)
        return STEP_DONE;
    stream_set_term(st, 'S', 'C');
    st->times.request = MONO_NEVER;
    if (stream_is_http(st))
        reply_error(st, 503);
    else
        stream_abort(st, 'S', 'C');
    return STEP_FINAL;
}
