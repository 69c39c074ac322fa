// SPDX-License-Identifier: Apache-2.0
// Fetches of the client's connection: addresses and ports (configuration.txt 7.3.3).
#include <ifaddrs.h>

#include "node/match/fetch.h"

FETCH(accept_date)
{
    if (c->client == NULL)
        return EVAL_NONE;
    struct str unit = arg_text(args, nargs, 0);
    int64_t us = c->client->accept_wall_us;
    sample_set_int(out, str_is(unit, "us") ? us : str_is(unit, "ms") ? us / 1000 : us / 1000000);
    return EVAL_FOUND;
}

static bool is_inet(const struct inet_addr *a)
{
    return a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6;
}

// UNIX sockets have no address.
static enum eval_result give_addr(const struct inet_addr *a, struct sample *out)
{
    if (!is_inet(a))
        return EVAL_NONE;
    sample_set_addr(out, a);
    return EVAL_FOUND;
}

static enum eval_result give_port(const struct inet_addr *a, struct sample *out)
{
    if (!is_inet(a))
        return EVAL_NONE;
    sample_set_int(out, inet_port(a));
    return EVAL_FOUND;
}

static bool same_host(const struct sockaddr *a, const struct inet_addr *b)
{
    if (a->sa_family != b->sa.sa_family)
        return false;
    if (a->sa_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr == b->in.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, &b->in6.sin6_addr);
}

// Asks the kernel: addresses come and go (a virtual one moves here), and rules rarely ask.
static enum eval_result give_is_local(const struct inet_addr *a, struct sample *out)
{
    struct ifaddrs *list;
    if (!is_inet(a) || getifaddrs(&list) != 0)
        return EVAL_NONE;
    bool local = false;
    for (struct ifaddrs *i = list; i != NULL && !local; i = i->ifa_next)
        local = i->ifa_addr != NULL && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6) &&
                same_host(i->ifa_addr, a);
    freeifaddrs(list);
    sample_set_bool(out, local);
    return EVAL_FOUND;
}

FETCH(src)
{
    return c->client != NULL ? give_addr(&c->client->src, out) : EVAL_NONE;
}

FETCH(src_port)
{
    return c->client != NULL ? give_port(&c->client->src, out) : EVAL_NONE;
}

FETCH(src_is_local)
{
    return c->client != NULL ? give_is_local(&c->client->src, out) : EVAL_NONE;
}

FETCH(dst)
{
    return c->client != NULL ? give_addr(match_dst(c), out) : EVAL_NONE;
}

FETCH(dst_port)
{
    return c->client != NULL ? give_port(match_dst(c), out) : EVAL_NONE;
}

FETCH(dst_is_local)
{
    return c->client != NULL ? give_is_local(match_dst(c), out) : EVAL_NONE;
}

FETCH(fc_http_major)
{
    sample_set_int(out, c->req != NULL ? c->req->version / 10 : 1);
    return EVAL_FOUND;
}
