// SPDX-License-Identifier: Apache-2.0
// Fetches of HTTP messages but their fields: method, URI and its parts, versions, status, captures (configuration.txt
// 7.3.6).
#include "node/http/h1.h"
#include "node/http/uri.h"
#include "node/match/fetch.h"
#include "node/match/hashes.h"

// ---- the message

enum { RAW_MAX_HEADERS = 101 }; // for requests found in TCP

// A TCP proxy has no request, but rules may look at one in the bytes (configuration.txt, "req.proto_http").
static enum eval_result parse_raw(struct match_ctx *c, struct http_msg **m)
{
    const struct h1_limits limits = {.max_headers = RAW_MAX_HEADERS};
    struct h1_parser parser;
    h1_parser_init(&parser);
    *m = ARENA_NEW(c->arena, struct http_msg);
    http_msg_init(*m, c->arena, false, 0);
    switch (h1_parse_request(&parser, &limits, c->req_bytes.ptr, c->req_bytes.len, *m)) {
    case H1_DONE:
        return EVAL_FOUND;
    case H1_MORE:
        return c->req_final ? EVAL_NONE : EVAL_MORE;
    default:
        return EVAL_NONE;
    }
}

enum eval_result fetch_request(struct match_ctx *c, struct http_msg **m)
{
    *m = c->req;
    if (*m != NULL)
        return EVAL_FOUND;
    if (c->req_bytes.len == 0)
        return c->req_final ? EVAL_NONE : EVAL_MORE;
    return parse_raw(c, m);
}

enum eval_result fetch_response(struct match_ctx *c, struct http_msg **m)
{
    *m = c->res;
    return *m != NULL ? EVAL_FOUND : EVAL_NONE;
}

enum eval_result fetch_message(struct match_ctx *c, struct http_msg **m)
{
    return fetch_is_response(c) ? fetch_response(c, m) : fetch_request(c, m);
}

#define NEED_REQUEST(m)                                                                                                \
    struct http_msg *m;                                                                                                \
    enum eval_result got = fetch_request(c, &m);                                                                       \
    if (got != EVAL_FOUND)                                                                                             \
    return got

// ---- URI

static struct str path_of(const struct http_msg *m)
{
    struct uri uri;
    uri_parse(m->target, &uri);
    return uri.path.len != 0 && uri.path.ptr[0] == '/' ? uri.path : STR_NONE;
}

static struct str path_query_of(const struct http_msg *m)
{
    struct str path = path_of(m);
    if (path.ptr == NULL)
        return STR_NONE;
    return str_make(path.ptr, (size_t)(m->target.ptr + m->target.len - path.ptr));
}

static enum eval_result give_text(struct str s, struct sample *out)
{
    if (s.ptr == NULL)
        return EVAL_NONE;
    sample_set_str(out, s);
    return EVAL_FOUND;
}

FETCH(url)
{
    NEED_REQUEST(m);
    return give_text(m->target, out);
}

FETCH(path)
{
    NEED_REQUEST(m);
    return give_text(path_of(m), out);
}

FETCH(pathq)
{
    NEED_REQUEST(m);
    return give_text(path_query_of(m), out);
}

FETCH(query)
{
    NEED_REQUEST(m);
    struct uri uri;
    uri_parse(m->target, &uri);
    if (uri.query.ptr != NULL && arg_text(args, nargs, 0).len != 0) // with_qm
        uri.query = str_make(uri.query.ptr - 1, uri.query.len + 1);
    return give_text(uri.query, out);
}

// The authority of an absolute URI or of CONNECT.
static bool authority_of(const struct http_msg *m, struct str *host, struct str *port)
{
    struct uri uri;
    uri_parse(m->target, &uri);
    *host = uri_host(uri.authority);
    if (host->len == 0)
        return false;
    const char *end = host->ptr + host->len;
    size_t left = (size_t)(uri.authority.ptr + uri.authority.len - end);
    *port = left > 1 ? str_make(end + 1, left - 1) : STR_NONE;
    return true;
}

FETCH(url_ip)
{
    NEED_REQUEST(m);
    struct str host, port;
    struct inet_addr addr;
    if (!authority_of(m, &host, &port) || !inet_parse(host, &addr) || addr.sa.sa_family != AF_INET)
        return EVAL_NONE;
    sample_set_addr(out, &addr);
    return EVAL_FOUND;
}

FETCH(url_port)
{
    NEED_REQUEST(m);
    struct str host, port;
    struct inet_addr addr;
    uint64_t number = 80;
    if (!authority_of(m, &host, &port) || !inet_parse(host, &addr) || addr.sa.sa_family != AF_INET)
        return EVAL_NONE;
    if (port.ptr != NULL && !str_to_u64(port, &number))
        return EVAL_NONE;
    sample_set_int(out, (int64_t)number);
    return EVAL_FOUND;
}

// ---- Host and URI joined

struct str fetch_host_and(struct match_ctx *c, struct http_msg *m, enum url_part part)
{
    struct str host = http_hdr_get(m, HDR_HOST);
    struct str rest = part == URL_PATH ? path_of(m) : part == URL_PATH_QUERY ? path_query_of(m) : m->target;
    char *joined = arena_alloc(c->arena, host.len + rest.len);
    if (host.len != 0)
        memcpy(joined, host.ptr, host.len);
    if (rest.len != 0)
        memcpy(joined + host.len, rest.ptr, rest.len);
    return str_make(joined, host.len + rest.len);
}

static enum eval_result give_joined(struct match_ctx *c, enum url_part part, struct sample *out)
{
    NEED_REQUEST(m);
    struct str joined = fetch_host_and(c, m, part);
    if (joined.len == 0)
        return EVAL_NONE;
    sample_set_str(out, joined);
    return EVAL_FOUND;
}

FETCH(base)
{
    return give_joined(c, URL_PATH, out);
}

FETCH(baseq)
{
    return give_joined(c, URL_PATH_QUERY, out);
}

static enum eval_result give_hash(struct match_ctx *c, enum url_part part, struct sample *out)
{
    NEED_REQUEST(m);
    sample_set_int(out, hash_avalanche(hash_sdbm(fetch_host_and(c, m, part))));
    return EVAL_FOUND;
}

FETCH(base32)
{
    return give_hash(c, URL_PATH, out);
}

FETCH(url32)
{
    return give_hash(c, URL_WHOLE, out);
}

// The hash in network order, then the client's address in 4 or 16 bytes.
static enum eval_result give_hash_and_src(struct match_ctx *c, enum url_part part, struct sample *out)
{
    struct sample src;
    enum eval_result r = give_hash(c, part, out);
    if (r != EVAL_FOUND)
        return r;
    if (c->client == NULL || c->client->src.sa.sa_family == AF_UNIX)
        return EVAL_NONE;
    sample_set_addr(&src, &c->client->src);
    if (!sample_cast(c, &src, TYPE_BIN))
        return EVAL_NONE;
    uint32_t hash = htonl((uint32_t)out->num);
    char *bytes = arena_alloc(c->arena, sizeof(hash) + src.str.len);
    memcpy(bytes, &hash, sizeof(hash));
    memcpy(bytes + sizeof(hash), src.str.ptr, src.str.len);
    *out = (struct sample){.type = TYPE_BIN, .str = str_make(bytes, sizeof(hash) + src.str.len)};
    return EVAL_FOUND;
}

FETCH(base32_src)
{
    return give_hash_and_src(c, URL_PATH, out);
}

FETCH(url32_src)
{
    return give_hash_and_src(c, URL_WHOLE, out);
}

// ---- method, version, status

FETCH(method)
{
    NEED_REQUEST(m);
    *out = (struct sample){.type = TYPE_METH, .constant = true};
    out->meth.id = (enum http_method)m->method;
    out->meth.text = m->method_text;
    return EVAL_FOUND;
}

static struct str version_number(const struct http_msg *m)
{
    return m->version < 11 ? STR("1.0") : m->version < 20 ? STR("1.1") : STR("2.0");
}

FETCH(req_ver)
{
    NEED_REQUEST(m);
    return give_text(version_number(m), out);
}

FETCH(res_ver)
{
    return c->res != NULL ? give_text(version_number(c->res), out) : EVAL_NONE;
}

FETCH(status)
{
    if (c->res == NULL)
        return EVAL_NONE;
    sample_set_int(out, c->res->status);
    return EVAL_FOUND;
}

FETCH(http_first_req)
{
    sample_set_bool(out, c->request_count == 0);
    return EVAL_FOUND;
}

FETCH(proto_http)
{
    NEED_REQUEST(m);
    sample_set_bool(out, true);
    return EVAL_FOUND;
}

// ---- captures: the request's line is kept with the request, captured fields by slot

FETCH(capture_req_method)
{
    return c->req != NULL ? give_text(c->req->method_text, out) : EVAL_NONE;
}

FETCH(capture_req_uri)
{
    return c->req != NULL ? give_text(c->req->target, out) : EVAL_NONE;
}

static enum eval_result give_version_text(const struct http_msg *m, struct sample *out)
{
    if (m == NULL)
        return EVAL_NONE;
    return give_text(m->version < 11 ? STR("HTTP/1.0") : m->version < 20 ? STR("HTTP/1.1") : STR("HTTP/2.0"), out);
}

FETCH(capture_req_ver)
{
    return give_version_text(c->req, out);
}

FETCH(capture_res_ver)
{
    return give_version_text(c->res, out);
}

FETCH(capture_req_hdr)
{
    return c->req_caps != NULL ? give_text(c->req_caps[args[0].num], out) : EVAL_NONE;
}

FETCH(capture_res_hdr)
{
    return c->res_caps != NULL ? give_text(c->res_caps[args[0].num], out) : EVAL_NONE;
}
