// SPDX-License-Identifier: Apache-2.0
// Answers made here: see reply.h. They are built as messages in the stream's arena and leave by the same steps as those
// of servers.
#include "node/proxy/stream_steps.h"

#include <errno.h>

#include "node/io/keeper.h"

#define REPLY_FILE_MAX (256u * 1024)

// ---- making --------------------------------------------------------------------------------------------------------

void reply_begin(struct stream *st, int status)
{
    struct http_msg *m = &st->res;
    http_msg_init(m, st->arena, true, 8);
    m->version = 11;
    m->status = (uint16_t)status;
    m->reason = str_of(http_reason((unsigned)status));
    m->method = st->ctx.req ? st->req.method : METHOD_OTHER;
    m->keep_alive = true;
}

// What a server may have begun to say is of no use any more.
static void drop_server(struct stream *st)
{
    if (st->sconn)
        server_conn_close(&st->sconn, false);
    flow_end(st->worker, &st->down);
    st->down.nhead = 0;
    flow_begin(&st->down, FLOW_NONE, 0, 0);
}

static bool may_have_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void begin_answer(struct stream *st, struct str body)
{
    drop_server(st);
    st->flags |= STREAM_LOCAL_REPLY;
    st->reply_body = body;
    st->res.body = body.len ? BODY_LENGTH : BODY_NONE;
    st->res.content_length = body.len;
    st->ctx.res = &st->res;
    if (st->res.status == 400 || st->res.status == 408)
        st->flags |= STREAM_CLOSE_CLIENT;
}

void reply_finish(struct stream *st, struct str body)
{
    struct http_msg *m = &st->res;
    if (!may_have_body(m->status))
        body = STR_NONE;
    else if (!http_hdr_has(m, HDR_CONTENT_LENGTH))
        http_hdr_add(m, STR("content-length"), arena_printf(st->arena, "%zu", body.len));
    begin_answer(st, body);
}

// A complete message, as an error page is.
static void send_raw(struct stream *st, struct str raw, int status)
{
    if (raw.len == 0) { // an empty error file: the connection closes without a word
        st->status = (uint16_t)status;
        stream_abort(st, st->term[0], st->term[1]);
        return;
    }
    const struct h1_limits limits = {101, true};
    struct h1_parser parser;
    reply_begin(st, status);
    enum http_method method = st->res.method;
    h1_parser_init(&parser);
    // Checked when it was loaded: it parses.
    if (h1_parse_response(&parser, &limits, raw.ptr, raw.len, METHOD_GET, &st->res) != H1_DONE)
        PANIC("error page %d is no HTTP response", status);
    st->res.method = (uint8_t)method;
    st->error_status = (uint16_t)status; // a page may say otherwise: errorloc redirects
    struct str body = str_slice(raw, st->res.head_len, raw.len);
    http_hdr_del_id(&st->res, HDR_CONNECTION);
    st->res.keep_alive = true;
    if (!may_have_body(status))
        body = STR_NONE;
    else if (!http_hdr_has(&st->res, HDR_CONTENT_LENGTH))
        http_hdr_add(&st->res, STR("content-length"), arena_printf(st->arena, "%zu", body.len));
    begin_answer(st, body);
}

void reply_error(struct stream *st, int status)
{
    send_raw(st, error_page(st, status), status);
}

void reply_send(struct stream *st, const struct reply *r)
{
    if (r->error_page) {
        reply_error(st, r->status);
        return;
    }
    if (r->raw.ptr) {
        send_raw(st, r->raw, r->status);
        return;
    }
    reply_begin(st, r->status);
    for (unsigned i = 0; i < r->nheaders; i++) {
        struct str value = format_text(r->headers[i].value, &st->ctx);
        if (http_value_ok(value))
            http_hdr_add(&st->res, r->headers[i].name, value);
    }
    struct str body = r->body_format ? format_text(r->body_format, &st->ctx) : r->body;
    bool has_body = may_have_body(r->status);
    if (has_body)
        http_hdr_add(&st->res, STR("content-length"), arena_printf(st->arena, "%zu", body.len));
    if (has_body && body.len && r->content_type.ptr)
        http_hdr_add(&st->res, STR("content-type"), r->content_type);
    begin_answer(st, has_body ? body : STR_NONE);
}

void reply_redirect(struct stream *st, int status, struct str location, struct str set_cookie)
{
    if (!http_value_ok(location)) {
        stream_set_term(st, 'P', 'R');
        reply_error(st, 500);
        return;
    }
    reply_begin(st, status);
    http_hdr_add(&st->res, STR("content-length"), STR("0"));
    http_hdr_add(&st->res, STR("location"), location);
    if (set_cookie.len)
        http_hdr_add(&st->res, STR("set-cookie"), set_cookie);
    if (status == 302 || status == 303 || status == 307)
        http_hdr_add(&st->res, STR("cache-control"), STR("no-cache"));
    begin_answer(st, STR_NONE);
}

// ---- compiling -----------------------------------------------------------------------------------------------------

static bool read_body_file(struct reply *r, const struct cfg_reply *cfg, struct arena *arena, const struct cfg_src *src,
                           struct diag *diag)
{
    struct buf text = BUF_INIT;
    char *path = arena_strdup(arena, arena_str(arena, cfg->text).ptr);
    int rc = keeper_read_file(path, REPLY_FILE_MAX, &text);
    const char *wrong = rc < 0 ? strerror(-rc) : NULL;
    if (!wrong && cfg->body == REPLY_ERRORFILE && text.len > 0)
        wrong = error_page_check(buf_str(&text));
    if (wrong)
        diag_add(diag, DIAG_ALERT, src, "file '%s': %s", path, wrong);
    struct str copy = wrong ? STR_NONE : arena_str(arena, buf_str(&text));
    if (cfg->body == REPLY_ERRORFILE)
        r->raw = copy;
    else
        r->body = copy;
    buf_free(&text);
    return !wrong;
}

static bool compile_body(struct compile *c, struct reply *r, const struct cfg_reply *cfg, struct arena *arena,
                         const struct cfg_src *src, struct diag *diag)
{
    switch (cfg->body) {
    case REPLY_DEFAULT:
    case REPLY_ERRORFILES:
        return true;
    case REPLY_STRING:
        r->body = cfg->text;
        return true;
    case REPLY_FORMAT:
    case REPLY_FORMAT_FILE:
        r->body_format = format_compile(c, &cfg->format);
        return r->body_format != NULL;
    default:
        return read_body_file(r, cfg, arena, src, diag);
    }
}

// A refusal has its error page unless it brings a body; `return` says nothing unless told what.
static bool wants_page(const struct cfg_reply *cfg, int default_status)
{
    return !cfg || cfg->body == REPLY_ERRORFILES || (cfg->body == REPLY_DEFAULT && default_status != 200);
}

struct reply *reply_compile(struct compile *c, struct proxy *p, const struct cfg_reply *cfg, int default_status,
                            const struct cfg_src *src, struct arena *arena, struct diag *diag)
{
    struct reply *r = ARENA_NEW(arena, struct reply);
    r->status = cfg && cfg->status ? cfg->status : default_status;
    r->error_page = wants_page(cfg, default_status) && error_page_index(r->status) >= 0;
    if (!cfg)
        return r;
    r->content_type = cfg->content_type;
    if (!compile_body(c, r, cfg, arena, src, diag))
        return NULL;
    r->nheaders = cfg->nheaders;
    r->headers = ARENA_ARRAY(arena, struct reply_header, cfg->nheaders);
    for (unsigned i = 0; i < cfg->nheaders; i++) {
        r->headers[i].name = cfg->headers[i].name;
        r->headers[i].value = format_compile(c, &cfg->headers[i].value);
        if (!r->headers[i].value)
            return NULL;
    }
    return r;
}
