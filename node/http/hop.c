// SPDX-License-Identifier: Apache-2.0
// Hop-by-hop fields, see hop.h.
#include "node/http/hop.h"

static inline uint64_t bit(enum hdr_id id)
{
    return (uint64_t)1 << id;
}

bool http_is_websocket(struct http_msg *m)
{
    return m->upgrade && http_hdr_has_token(m, HDR_UPGRADE, STR("websocket"));
}

static bool is_connection_option(struct str token)
{
    return str_is_nocase(token, "close") || str_is_nocase(token, "keep-alive");
}

// Removes the fields of that name, unless the proxy knows the name: those of them that are hop-by-hop are dealt with by
// http_strip_hop_by_hop(), the others belong to both ends.
static void remove_nominated(struct http_msg *m, struct str name)
{
    if (http_hdr_id(name) == HDR_OTHER && http_name_ok(name))
        http_hdr_del(m, name);
}

// The tokens of one Connection field but close and keep-alive, joined in the arena. Untouched when there is no such.
static struct str without_options(struct http_msg *m, struct str value)
{
    struct str rest = value, token;
    bool found = false;
    while (!found && http_list_next(&rest, &token))
        found = is_connection_option(token);
    if (!found)
        return value;

    char *out = arena_alloc(m->arena, value.len);
    size_t n = 0;
    rest = value;
    while (http_list_next(&rest, &token)) {
        if (is_connection_option(token))
            continue;
        if (n != 0)
            out[n++] = ',';
        memcpy(out + n, token.ptr, token.len);
        n += token.len;
    }
    return str_make(out, n);
}

static void strip_connection(struct http_msg *m)
{
    unsigned pos = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, HDR_CONNECTION, &pos)) != NULL;) {
        if (m->upgrade) { // what else it names may belong to the upgrade, as HTTP2-Settings does
            h->value = without_options(m, h->value);
            if (h->value.len == 0)
                http_hdr_remove(h);
            continue;
        }
        struct str rest = h->value, token;
        http_hdr_remove(h);
        while (http_list_next(&rest, &token))
            remove_nominated(m, token);
    }
}

// RFC 9110 10.1.4: only "trailers" can be promised for the next hop too.
static void strip_te(struct http_msg *m)
{
    bool trailers = false;
    unsigned pos = 0;
    for (struct http_hdr *h; (h = http_hdr_next(m, HDR_TE, &pos)) != NULL;) {
        struct str rest = h->value, piece;
        bool here = false;
        while (!here && http_list_next(&rest, &piece))
            here = str_is_nocase(piece, "trailers");
        if (here && !trailers) {
            if (h->value.len != piece.len)
                h->value = piece;
            trailers = true;
        } else {
            http_hdr_remove(h);
        }
    }
}

void http_strip_hop_by_hop(struct http_msg *m)
{
    const uint64_t all =
        bit(HDR_CONNECTION) | bit(HDR_KEEP_ALIVE) | bit(HDR_PROXY_CONNECTION) | bit(HDR_TE) | bit(HDR_UPGRADE);
    if (!(m->ids & all))
        return;
    if (m->ids & bit(HDR_CONNECTION))
        strip_connection(m);
    http_hdr_del_id(m, HDR_KEEP_ALIVE);
    http_hdr_del_id(m, HDR_PROXY_CONNECTION);
    if (m->ids & bit(HDR_TE))
        strip_te(m);
    if (!m->upgrade)
        http_hdr_del_id(m, HDR_UPGRADE);
}

void http_set_connection(struct http_msg *m, bool keep_alive, uint8_t peer_version)
{
    if (m->response ? m->body == BODY_TUNNEL : m->upgrade)
        return;
    bool old = m->version < 11 || peer_version < 11;
    if (keep_alive && old)
        http_hdr_add(m, STR("Connection"), STR("keep-alive"));
    else if (!keep_alive && m->version >= 11)
        http_hdr_add(m, STR("Connection"), STR("close"));
}
