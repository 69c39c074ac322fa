// SPDX-License-Identifier: Apache-2.0
// Header fields that the proxy itself adds: who the client is, what happens to the connection (RFC 9110 7.6.1).
#include "node/proxy/stream_steps.h"

#include "node/http/hop.h"

// "NETWORK[/BITS]" of `except`: true if the address is inside.
static bool excepted(struct str network, const struct inet_addr *a)
{
    if (network.len == 0)
        return false;
    ptrdiff_t slash = str_find_char(network, '/');
    struct str host = slash < 0 ? network : str_slice(network, 0, (size_t)slash);
    uint64_t bits = a->sa.sa_family == AF_INET ? 32 : 128;
    struct inet_addr net;
    if (!inet_parse(host, &net) || net.sa.sa_family != a->sa.sa_family)
        return false;
    if (slash >= 0 && !str_to_u64(str_slice(network, (size_t)slash + 1, network.len), &bits))
        return false;
    const uint8_t *x = a->sa.sa_family == AF_INET ? (const uint8_t *)&a->in.sin_addr : a->in6.sin6_addr.s6_addr;
    const uint8_t *y = a->sa.sa_family == AF_INET ? (const uint8_t *)&net.in.sin_addr : net.in6.sin6_addr.s6_addr;
    for (unsigned i = 0; i < bits; i++)
        if ((x[i / 8] ^ y[i / 8]) & (0x80 >> i % 8))
            return false;
    return true;
}

static void add_address(struct stream *st, struct str name, const struct inet_addr *a)
{
    if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
        return;
    char *text = arena_alloc(st->arena, INET_TEXT_MAX);
    inet_format(a, text, INET_TEXT_MAX);
    http_hdr_add(&st->req, name, str_of(text));
}

static const struct cfg_proxy *with_option(const struct stream *st, enum cfg_option o)
{
    if (cfg_option(st->back->cfg, o))
        return st->back->cfg;
    return cfg_option(st->front->cfg, o) ? st->front->cfg : NULL;
}

static bool has_field(struct stream *st, struct str name)
{
    unsigned pos = 0;
    return http_hdr_next_name(&st->req, name, &pos) != NULL;
}

static void add_forwarded_for(struct stream *st)
{
    const struct cfg_proxy *p = with_option(st, OPT_FORWARDFOR);
    if (!p)
        return;
    struct str name = p->forwardfor.header.len ? p->forwardfor.header : STR("x-forwarded-for");
    const struct inet_addr *src = &st->ctx.client->src;
    if ((p->forwardfor.if_none && has_field(st, name)) || excepted(p->forwardfor.except_text, src))
        return;
    add_address(st, name, src);
}

static void add_original_to(struct stream *st)
{
    const struct cfg_proxy *p = with_option(st, OPT_ORIGINALTO);
    const struct inet_addr *dst = p ? match_dst(&st->ctx) : NULL;
    if (!dst || excepted(p->originalto.except_text, dst))
        return;
    add_address(st, p->originalto.header.len ? p->originalto.header : STR("x-original-to"), dst);
}

struct str stream_unique_id(struct stream *st)
{
    struct str *id = &st->ctx.unique_id;
    if (!id->ptr && st->front->unique_id_format) {
        *id = STR(""); // the format may name it
        *id = format_text(st->front->unique_id_format, &st->ctx);
    }
    return *id;
}

static void add_unique_id(struct stream *st)
{
    struct str name = st->front->cfg->unique_id_header, id = stream_unique_id(st);
    if (name.len && id.len)
        http_hdr_set(&st->req, name, id);
}

enum step step_request_headers(struct stream *st)
{
    const uint64_t both = st->front->cfg->options | st->back->cfg->options;
    st->ctx.where = WHERE_FRONT_REQ;
    if (st->front->unique_id_format)
        add_unique_id(st);
    if (both & (1ull << OPT_FORWARDFOR))
        add_forwarded_for(st);
    if (both & (1ull << OPT_ORIGINALTO))
        add_original_to(st);
    enum cfg_http_mode mode = st->back->cfg->http_mode;
    if (mode == HTTP_KEEP_ALIVE)
        mode = st->front->cfg->http_mode;
    if (mode != HTTP_KEEP_ALIVE)
        st->flags |= STREAM_CLOSE_SERVER;
    // A server that sees "close" may leave the answer's length out: `http-pretend-keepalive` does not tell it.
    bool told = st->flags & STREAM_CLOSE_SERVER && !(both & (1ull << OPT_HTTP_PRETEND_KEEPALIVE));
    http_set_connection(&st->req, !told, st->req.version);
    return STEP_DONE;
}

enum step step_response_headers(struct stream *st)
{
    struct http_msg *m = &st->res;
    if (m->body == BODY_CLOSE || st->session->flags & SESSION_CLOSING || !conn_is_open(stream_client(st)))
        st->flags |= STREAM_CLOSE_CLIENT;
    if (st->flags & STREAM_LOCAL_REPLY && !st->up.complete)
        st->flags |= STREAM_CLOSE_CLIENT; // the rest of the request will not be read
    uint8_t version = st->ctx.req ? st->req.version : 11;
    http_set_connection(m, !(st->flags & STREAM_CLOSE_CLIENT), version);
    return STEP_DONE;
}
