// SPDX-License-Identifier: Apache-2.0
// What the kernel knows about the client's TCP connection (fc_rtt and the like, configuration.txt 7.3.3).
#include <netinet/tcp.h>

#include "node/match/fetch.h"

static bool read_info(const struct match_ctx *c, struct tcp_info *info)
{
    socklen_t len = sizeof(*info);
    memset(info, 0, sizeof(*info));
    return c->client != NULL && c->client->fd >= 0 && getsockopt(c->client->fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

#define COUNTER_FETCH(name, field)                                                                                     \
    FETCH(name)                                                                                                        \
    {                                                                                                                  \
        struct tcp_info info;                                                                                          \
        if (!read_info(c, &info))                                                                                      \
            return EVAL_NONE;                                                                                          \
        sample_set_int(out, info.field);                                                                               \
        return EVAL_FOUND;                                                                                             \
    }
COUNTER_FETCH(fc_unacked, tcpi_unacked)
COUNTER_FETCH(fc_sacked, tcpi_sacked)
COUNTER_FETCH(fc_lost, tcpi_lost)
COUNTER_FETCH(fc_retrans, tcpi_retrans)
COUNTER_FETCH(fc_fackets, tcpi_fackets)
COUNTER_FETCH(fc_reordering, tcpi_reordering)

// The kernel counts in µs; the fetches give ms unless told.
static enum eval_result give_time(uint32_t us, const struct arg *args, unsigned nargs, struct sample *out)
{
    sample_set_int(out, str_is(arg_text(args, nargs, 0), "us") ? us : us / 1000);
    return EVAL_FOUND;
}

FETCH(fc_rtt)
{
    struct tcp_info info;
    return read_info(c, &info) ? give_time(info.tcpi_rtt, args, nargs, out) : EVAL_NONE;
}

FETCH(fc_rttvar)
{
    struct tcp_info info;
    return read_info(c, &info) ? give_time(info.tcpi_rttvar, args, nargs, out) : EVAL_NONE;
}
