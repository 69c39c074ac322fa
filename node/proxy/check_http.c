// SPDX-License-Identifier: Apache-2.0
// HTTP health checks: the request of `option httpchk` and `http-check send`, and the judgement of `http-check expect`.
#include <stdio.h>
#include <stdlib.h>

#include "node/http/h1.h"
#include "node/match/regex.h"
#include "node/proxy/check.h"

void check_http_request(struct health_check *c)
{
    const struct cfg_http_check *h = &c->proxy->http_check;
    struct str method = h->method.len ? h->method : STR("OPTIONS");
    struct str uri = h->uri.len ? h->uri : STR("/");
    struct str version = h->version.len ? h->version : STR("HTTP/1.0");
    buf_printf(&c->out, "%.*s %.*s %.*s\r\n", STR_ARG(method), STR_ARG(uri), STR_ARG(version));
    for (unsigned i = 0; i < h->nheaders; i++)
        buf_printf(&c->out, "%.*s: %.*s\r\n", STR_ARG(h->headers[i].name), STR_ARG(h->headers[i].value.text));
    if (!str_is(version, "HTTP/1.0"))
        buf_add_cstr(&c->out, "connection: close\r\n");
    if (h->body.len)
        buf_printf(&c->out, "content-length: %zu\r\n", h->body.len);
    buf_add_cstr(&c->out, "\r\n");
    buf_add_str(&c->out, h->body);
}

// "200-399,401" as the manual's `status`.
static bool status_in(struct str ranges, int status)
{
    struct str piece;
    while (str_split(&ranges, ',', &piece)) {
        uint64_t low, high;
        ptrdiff_t dash = str_find_char(piece, '-');
        if (dash < 0) {
            if (str_to_u64(str_trim(piece), &low) && (uint64_t)status == low)
                return true;
        } else if (str_to_u64(str_trim(str_slice(piece, 0, (size_t)dash)), &low) &&
                   str_to_u64(str_trim(str_slice(piece, (size_t)dash + 1, piece.len)), &high) &&
                   (uint64_t)status >= low && (uint64_t)status <= high) {
            return true;
        }
    }
    return false;
}

// disable-on-404 goes before every `expect`, but only a server that is up can be stopped softly.
static bool stops_softly(const struct health_check *c, const struct http_msg *m)
{
    return c->proxy->http_check.disable_on_404 && m->status == 404 && c->health >= c->cfg->rise;
}

// False: the status alone does not decide.
static bool judge_status(const struct health_check *c, const struct http_msg *m, struct check_verdict *v)
{
    const struct cfg_http_check *h = &c->proxy->http_check;
    bool ok;
    char code[8];
    snprintf(code, sizeof(code), "%u", m->status);
    if (stops_softly(c, m)) {
        v->status = CHECK_L7OKC;
        v->code = m->status;
        return true;
    }
    switch (h->expect) {
    case EXPECT_DEFAULT:
        ok = m->status >= 200 && m->status <= 399;
        break;
    case EXPECT_STATUS:
        ok = status_in(h->expect_text, m->status) != h->expect_not;
        break;
    case EXPECT_RSTATUS:
        ok = (c->expect && regex_match(c->expect, str_of(code))) != h->expect_not;
        break;
    default:
        return false;
    }
    v->status = ok ? CHECK_L7OK : CHECK_L7STS;
    v->code = m->status;
    if (!ok)
        str_copy(v->text, sizeof(v->text), m->reason);
    return true;
}

static bool body_matches(const struct health_check *c, struct str body)
{
    const struct cfg_http_check *h = &c->proxy->http_check;
    if (h->expect == EXPECT_STRING)
        return str_find(body, h->expect_text) >= 0;
    return c->expect && regex_match(c->expect, body);
}

static bool body_complete(const struct http_msg *m, struct str body)
{
    return m->body == BODY_NONE || (m->body == BODY_LENGTH && body.len >= m->content_length);
}

// False: what was looked for may still come.
static bool judge_body(const struct health_check *c, const struct http_msg *m, bool eof, struct check_verdict *v)
{
    const struct cfg_http_check *h = &c->proxy->http_check;
    struct str body = str_make(c->in.data + m->head_len, c->in.len - m->head_len);
    bool found = body_matches(c, body);
    if (!found && !eof && !body_complete(m, body))
        return false;
    if (found != h->expect_not) {
        v->status = CHECK_L7OK;
        v->code = m->status;
    } else {
        v->status = CHECK_L7RSP;
        snprintf(v->text, sizeof(v->text), "%s",
                 found ? "HTTP check matched unwanted content" : "HTTP content check did not match");
    }
    return true;
}

bool check_http_judge(const struct health_check *c, bool eof, struct check_verdict *v)
{
    struct h1_parser parser;
    struct h1_limits limits = {.max_headers = 200};
    struct arena *arena = arena_create(4096);
    struct http_msg m;
    bool decided = true;
    *v = (struct check_verdict){.status = CHECK_L7RSP};
    h1_parser_init(&parser);
    http_msg_init(&m, arena, true, 32);
    enum h1_result r = h1_parse_response(&parser, &limits, c->in.data ? c->in.data : "", c->in.len, METHOD_GET, &m);
    if (r == H1_DONE)
        decided = judge_status(c, &m, v) || judge_body(c, &m, eof, v);
    else if (r == H1_BAD || eof)
        snprintf(v->text, sizeof(v->text), "%s",
                 c->in.len ? "not an HTTP response" : "connection closed without an answer");
    else
        decided = false;
    arena_destroy(&arena);
    return decided;
}
