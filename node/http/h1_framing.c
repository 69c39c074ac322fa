// SPDX-License-Identifier: Apache-2.0
// What a head says about its body (RFC 9112 6) and its connection (RFC 9112 9). Two recipients that disagree here are
// the root of request smuggling, so everything that can be read in two ways is refused.
#include "node/http/framing.h"
#include "node/http/hop.h"
#include "node/http/scan.h"
#include "node/http/uri.h"

static inline bool may_have(const struct http_msg *m, enum hdr_id id)
{
    return m->ids >> id & 1;
}

// --- lengths -------------------------------------------------------------------------------------------------------

// Digits only; more than 2^63-1 bytes is nobody's honest length.
static bool parse_length(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - '0';
        if (digit > 9 || v > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

// All values of all Content-Length fields must be the same number; one field with one value is kept (RFC 9112 6.3).
static enum h1_error read_content_length(struct http_msg *m, const char **at)
{
    struct http_hdr *kept = NULL, *h;
    unsigned pos = 0;
    while ((h = http_hdr_next(m, HDR_CONTENT_LENGTH, &pos)) != NULL) {
        struct str rest = h->value, piece, first = STR_NONE;
        *at = h->name.ptr;
        while (str_split(&rest, ',', &piece)) {
            uint64_t length;
            piece = str_trim(piece);
            if (!parse_length(piece, &length))
                return H1_BAD_CONTENT_LENGTH;
            if ((kept != NULL || first.ptr != NULL) && length != m->content_length)
                return H1_BAD_CONTENT_LENGTH;
            m->content_length = length;
            if (first.ptr == NULL)
                first = piece;
        }
        if (kept != NULL) {
            http_hdr_remove(h);
        } else {
            h->value = first;
            kept = h;
        }
    }
    return H1_OK;
}

// Only "chunked", once: other codings would have to be undone, and lists of codings are read differently by different
// servers. HTTP/1.0 does not know the field (RFC 9112 6.1: the framing is faulty).
static enum h1_error check_transfer_encoding(struct http_msg *m, const char **at)
{
    unsigned pos = 0;
    struct http_hdr *h = http_hdr_next(m, HDR_TRANSFER_ENCODING, &pos);
    *at = h->name.ptr;
    if (m->version < 11 || !str_is_nocase(h->value, "chunked"))
        return H1_BAD_TRANSFER_ENCODING;
    return http_hdr_next(m, HDR_TRANSFER_ENCODING, &pos) == NULL ? H1_OK : H1_BAD_TRANSFER_ENCODING;
}

// --- connection ----------------------------------------------------------------------------------------------------

static void read_connection(struct http_msg *m)
{
    bool close = false, keep = false, upgrade = false;
    unsigned pos = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, HDR_CONNECTION, &pos)) != NULL;) {
        struct str rest = h->value, token;
        while (http_list_next(&rest, &token)) {
            close = close || str_is_nocase(token, "close");
            keep = keep || str_is_nocase(token, "keep-alive");
            upgrade = upgrade || str_is_nocase(token, "upgrade");
        }
    }
    m->keep_alive = !close && (keep || m->version >= 11);
    m->upgrade = upgrade && m->version >= 11 && http_hdr_has(m, HDR_UPGRADE);
}

// --- host ----------------------------------------------------------------------------------------------------------

static bool host_chars_ok(struct str host)
{
    return scan_table(host.ptr, host.ptr + host.len, SCAN_NOT_HOST) == NULL;
}

static enum h1_error read_host(struct http_msg *m, struct str *host, const char **at)
{
    unsigned pos = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, HDR_HOST, &pos)) != NULL;) {
        *at = h->name.ptr;
        if (!host_chars_ok(h->value))
            return H1_BAD_HOST;
        if (m->has_host) {
            if (!str_eq_nocase(*host, h->value))
                return H1_BAD_HOST;
            http_hdr_remove(h);
        } else {
            m->has_host = true;
            *host = h->value;
        }
    }
    return H1_OK;
}

// "host:port" without the scheme's default port.
static struct str without_default_port(struct str authority, const char *port)
{
    struct str suffix = str_of(port);
    return str_ends(authority, suffix) ? str_make(authority.ptr, authority.len - suffix.len) : authority;
}

static bool same_authority(struct str a, struct str b, const char *default_port)
{
    return str_eq_nocase(without_default_port(a, default_port), without_default_port(b, default_port));
}

// RFC 9112 3.2.2: with a target in absolute or authority form, Host must say the same.
static enum h1_error check_target(const struct http_msg *m, struct str host, bool accept_invalid, const char **at)
{
    if (accept_invalid || (m->method != METHOD_CONNECT && m->target.ptr[0] == '/'))
        return H1_OK;
    struct uri uri;
    uri_parse(m->target, &uri);
    *at = m->target.ptr;
    if (m->method == METHOD_CONNECT) {
        struct str name = uri_host(m->target);
        uint64_t port;
        bool good = uri.scheme.ptr == NULL && name.len != 0 && m->target.len > name.len + 1 &&
                    name.ptr == m->target.ptr && host_chars_ok(m->target) &&
                    str_to_u64(str_slice(m->target, name.len + 1, SIZE_MAX), &port) && port > 0 && port < 65536;
        if (!good)
            return H1_BAD_TARGET;
        // A Host without a port is tolerated.
        return !m->has_host || str_eq_nocase(host, m->target) || str_eq_nocase(host, name) ? H1_OK : H1_BAD_HOST;
    }
    if (!m->has_host || str_is(m->target, "*"))
        return H1_OK;
    ptrdiff_t user = str_find_char(uri.authority, '@');
    struct str authority = str_slice(uri.authority, (size_t)(user + 1), SIZE_MAX);
    const char *port = str_is_nocase(uri.scheme, "http") ? ":80" : str_is_nocase(uri.scheme, "https") ? ":443" : ":";
    return same_authority(authority, host, port) ? H1_OK : H1_BAD_HOST;
}

// --- entry points --------------------------------------------------------------------------------------------------

// Fields that make a message need more than a look at `ids`.
static bool is_plain(const struct http_msg *m)
{
    const uint64_t special = (uint64_t)1 << HDR_CONTENT_LENGTH | (uint64_t)1 << HDR_TRANSFER_ENCODING |
                             (uint64_t)1 << HDR_CONNECTION | (uint64_t)1 << HDR_EXPECT;
    return (m->ids & special) == 0;
}

static enum h1_error request_body(struct http_msg *m, const char **at)
{
    bool length = may_have(m, HDR_CONTENT_LENGTH), coded = may_have(m, HDR_TRANSFER_ENCODING);
    if (coded) {
        enum h1_error e = check_transfer_encoding(m, at);
        if (e != H1_OK)
            return e;
        if (length)
            return H1_BOTH_LENGTHS;
        m->body = BODY_CHUNKED;
    } else if (length) {
        enum h1_error e = read_content_length(m, at);
        if (e != H1_OK)
            return e;
        m->body = m->content_length != 0 ? BODY_LENGTH : BODY_NONE;
    }
    bool bodiless = m->method == METHOD_GET || m->method == METHOD_HEAD || m->method == METHOD_DELETE;
    return m->version < 11 && bodiless && m->body != BODY_NONE ? H1_BODY_NOT_ALLOWED : H1_OK;
}

enum h1_error framing_of_request(struct http_msg *m, bool accept_invalid, const char **at)
{
    struct str host = STR_NONE;
    enum h1_error e = read_host(m, &host, at);
    if (e == H1_OK)
        e = check_target(m, host, accept_invalid, at);
    if (e != H1_OK)
        return e;
    m->body = BODY_NONE;
    m->keep_alive = m->version >= 11;
    if (is_plain(m))
        return H1_OK;

    if (may_have(m, HDR_CONNECTION)) {
        read_connection(m);
        if (http_is_websocket(m) && !may_have(m, HDR_SEC_WEBSOCKET_KEY))
            return H1_BAD_UPGRADE;
    }
    if (may_have(m, HDR_EXPECT))
        m->expect_continue = m->version >= 11 && http_hdr_has_token(m, HDR_EXPECT, STR("100-continue"));
    return request_body(m, at);
}

enum h1_error framing_of_response(struct http_msg *m, const char **at)
{
    m->keep_alive = m->version >= 11;
    if (may_have(m, HDR_CONNECTION))
        read_connection(m);

    bool coded = may_have(m, HDR_TRANSFER_ENCODING), length = may_have(m, HDR_CONTENT_LENGTH);
    if (coded) {
        enum h1_error e = check_transfer_encoding(m, at);
        if (e != H1_OK)
            return e;
    }
    if (length) {
        enum h1_error e = read_content_length(m, at);
        if (e != H1_OK)
            return e;
    }
    bool informational = m->status < 200;
    if (m->status == 101 || (m->method == METHOD_CONNECT && m->status / 100 == 2)) {
        m->body = BODY_TUNNEL;
    } else if (informational || m->status == 204 || m->status == 304 || m->method == METHOD_HEAD) {
        m->body = BODY_NONE;
    } else if (coded) {
        m->body = BODY_CHUNKED;
    } else if (length) {
        m->body = m->content_length != 0 ? BODY_LENGTH : BODY_NONE;
    } else {
        m->body = BODY_CLOSE;
        m->keep_alive = false;
    }
    // RFC 9110 8.6 and RFC 9112 6.1: neither field belongs there; chunked coding beats a length.
    bool no_lengths = informational || m->status == 204 || m->body == BODY_TUNNEL;
    if (coded && no_lengths)
        http_hdr_del_id(m, HDR_TRANSFER_ENCODING);
    if (length && (no_lengths || coded)) {
        http_hdr_del_id(m, HDR_CONTENT_LENGTH);
        m->content_length = 0;
    }
    return H1_OK;
}
