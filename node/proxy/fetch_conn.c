// SPDX-License-Identifier: Apache-2.0
// Fetches of the stream's two connections (configuration.txt 7.3.3): addresses, what the kernel knows, errors in
// HAProxy's numbers and words.
#include <errno.h>
#include <netinet/tcp.h>

#include "node/proxy/fetch_bind.h"
#include "node/proxy/listener.h"
#include "node/proxy/server_conn.h"
#include "node/proxy/stream.h"

static struct server_conn *server_conn_of(const struct match_ctx *c)
{
    struct stream *st = stream_of(c);
    return st && st->sconn && conn_is_open(&st->sconn->conn) ? st->sconn : NULL;
}

static struct session *session_of(const struct match_ctx *c)
{
    return stream_of(c) ? stream_of(c)->session : NULL;
}

// ---- the client's

PROXY_FETCH(dst_conn)
{
    struct session *s = session_of(c);
    return s && s->listener ? give_int(out, atomic_load(&s->listener->conns)) : EVAL_NONE;
}

PROXY_FETCH(so_id)
{
    return c->client ? give_int(out, c->client->bind_id) : EVAL_NONE;
}

PROXY_FETCH(so_name)
{
    struct session *s = session_of(c);
    return s && s->listener && s->listener->name ? give_str(out, str_of(s->listener->name)) : EVAL_NONE;
}

PROXY_FETCH(fc_nb_streams)
{
    return session_of(c) ? give_int(out, 1) : EVAL_NONE; // HTTP/1 and TCP
}

PROXY_FETCH(fc_rcvd_proxy)
{
    return give_bool(out, false); // `accept-proxy` is not spoken
}

// ---- the server's

static enum eval_result give_addr(struct sample *out, bool known, const struct inet_addr *a)
{
    if (!known || (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6))
        return EVAL_NONE;
    sample_set_addr(out, a);
    return EVAL_FOUND;
}

static enum eval_result give_port(struct sample *out, bool known, const struct inet_addr *a)
{
    return known && inet_port(a) ? give_int(out, inet_port(a)) : EVAL_NONE;
}

static bool server_ends(const struct match_ctx *c, bool local, struct inet_addr *a)
{
    const struct server_conn *sc = server_conn_of(c);
    return sc && (local ? sock_local_addr(sc->conn.lf.fd, a) : sock_peer_addr(sc->conn.lf.fd, a));
}

PROXY_FETCH(bc_src)
{
    struct inet_addr a;
    bool known = server_ends(c, true, &a);
    return give_addr(out, known, &a);
}

PROXY_FETCH(bc_src_port)
{
    struct inet_addr a;
    bool known = server_ends(c, true, &a);
    return give_port(out, known, &a);
}

PROXY_FETCH(bc_dst)
{
    struct inet_addr a;
    bool known = server_ends(c, false, &a);
    return give_addr(out, known, &a);
}

PROXY_FETCH(bc_dst_port)
{
    struct inet_addr a;
    bool known = server_ends(c, false, &a);
    return give_port(out, known, &a);
}

PROXY_FETCH(bc_http_major)
{
    return server_conn_of(c) && stream_of(c)->flags & STREAM_HTTP ? give_int(out, 1) : EVAL_NONE;
}

PROXY_FETCH(bc_nb_streams)
{
    return server_conn_of(c) ? give_int(out, 1) : EVAL_NONE;
}

PROXY_FETCH(bc_reused)
{
    return stream_of(c) ? give_bool(out, stream_of(c)->flags & STREAM_REUSED) : EVAL_NONE;
}

// µs from the kernel; ms unless told.
static enum eval_result give_time(struct sample *out, uint32_t us, const struct arg *args, unsigned nargs)
{
    bool in_us = nargs > 0 && args[0].kind != ARG_NONE && str_is(args[0].text, "us");
    return give_int(out, in_us ? us : us / 1000);
}

static bool read_info(const struct match_ctx *c, struct tcp_info *info)
{
    const struct server_conn *sc = server_conn_of(c);
    socklen_t len = sizeof(*info);
    memset(info, 0, sizeof(*info));
    return sc && getsockopt(sc->conn.lf.fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

PROXY_FETCH(bc_rtt)
{
    struct tcp_info info;
    return read_info(c, &info) ? give_time(out, info.tcpi_rtt, args, nargs) : EVAL_NONE;
}

PROXY_FETCH(bc_rttvar)
{
    struct tcp_info info;
    return read_info(c, &info) ? give_time(out, info.tcpi_rttvar, args, nargs) : EVAL_NONE;
}

// ---- errors

struct conn_error {
    int error; // errno
    int number;
    struct str name, text;
};

// The first is "no error", the last stands for all that have no row.
static const struct conn_error conn_errors[] = {
    {0, 0, {"-", 1}, {"Success", 7}},
    {EMFILE, 2, {"PROC_FDLIM", 10}, {"Too many sockets on the process", 31}},
    {ENFILE, 3, {"SYS_FDLIM", 9}, {"Too many sockets on the system", 30}},
    {ENOBUFS, 4, {"SYS_MEMLIM", 10}, {"Out of system buffers", 21}},
    {ENOMEM, 4, {"SYS_MEMLIM", 10}, {"Out of system buffers", 21}},
    {EAFNOSUPPORT, 5, {"NOPROTO", 7}, {"Protocol or address family not supported", 40}},
    {EPROTONOSUPPORT, 5, {"NOPROTO", 7}, {"Protocol or address family not supported", 40}},
    {EADDRNOTAVAIL, 9, {"FREE_PORTS", 10}, {"Out of local source ports on the system", 39}},
    {EADDRINUSE, 10, {"ADDR_INUSE", 10}, {"Local source address already in use", 35}},
    {ECONNREFUSED, 46, {"EREFUSED", 8}, {"ECONNREFUSED returned by OS", 27}},
    {ECONNRESET, 47, {"ERESET", 6}, {"ECONNRESET returned by OS", 25}},
    {ENETUNREACH, 48, {"EUNREACH", 8}, {"ENETUNREACH returned by OS", 26}},
    {EPIPE, 56, {"EPIPE", 5}, {"EPIPE returned by OS", 20}},
    {-1, 6, {"SOCK_ERR", 8}, {"General socket error", 20}},
};

static const struct conn_error *error_of(const struct conn *conn)
{
    int error = conn->flags & CONN_FAILED ? conn->error : 0;
    const struct conn_error *e = conn_errors;
    while (e->error != error && e->error != -1)
        e++;
    return e;
}

static const struct conn *client_conn(const struct match_ctx *c)
{
    return session_of(c) ? &session_of(c)->conn : NULL;
}

static const struct conn *server_side(const struct match_ctx *c)
{
    struct stream *st = stream_of(c);
    return st && st->sconn ? &st->sconn->conn : NULL;
}

#define ERROR_FETCHES(side, conn_of)                                                                                   \
    PROXY_FETCH(side##_err)                                                                                            \
    {                                                                                                                  \
        const struct conn *conn = conn_of(c);                                                                          \
        return conn ? give_int(out, error_of(conn)->number) : EVAL_NONE;                                               \
    }                                                                                                                  \
    PROXY_FETCH(side##_err_name)                                                                                       \
    {                                                                                                                  \
        const struct conn *conn = conn_of(c);                                                                          \
        return conn ? give_str(out, error_of(conn)->name) : EVAL_NONE;                                                 \
    }                                                                                                                  \
    PROXY_FETCH(side##_err_str)                                                                                        \
    {                                                                                                                  \
        const struct conn *conn = conn_of(c);                                                                          \
        return conn ? give_str(out, error_of(conn)->text) : EVAL_NONE;                                                 \
    }
ERROR_FETCHES(fc, client_conn)
ERROR_FETCHES(bc, server_side)

// ---- binding

static const struct fetch_binding bindings[] = {
    {FETCH_DST_CONN, dst_conn},
    {FETCH_SO_ID, so_id},
    {FETCH_SO_NAME, so_name},
    {FETCH_FC_NB_STREAMS, fc_nb_streams},
    {FETCH_FC_RCVD_PROXY, fc_rcvd_proxy},
    {FETCH_FC_ERR, fc_err},
    {FETCH_FC_ERR_NAME, fc_err_name},
    {FETCH_FC_ERR_STR, fc_err_str},
    {FETCH_BC_SRC, bc_src},
    {FETCH_BC_SRC_PORT, bc_src_port},
    {FETCH_BC_DST, bc_dst},
    {FETCH_BC_DST_PORT, bc_dst_port},
    {FETCH_BC_HTTP_MAJOR, bc_http_major},
    {FETCH_BC_NB_STREAMS, bc_nb_streams},
    {FETCH_BC_REUSED, bc_reused},
    {FETCH_BC_RTT, bc_rtt},
    {FETCH_BC_RTTVAR, bc_rttvar},
    {FETCH_BC_ERR, bc_err},
    {FETCH_BC_ERR_NAME, bc_err_name},
    {FETCH_BC_ERR_STR, bc_err_str},
};

void fetch_bind_conn(void)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        fetch_bind(bindings[i].id, bindings[i].fn);
}
