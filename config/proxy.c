// SPDX-License-Identifier: Apache-2.0
// The built-in settings: what a proxy, a server and the process are before any line was read.
#include "config/load.h"

void proxy_init(struct cfg_proxy *px)
{
    *px = (struct cfg_proxy){
        .mode = MODE_TCP,
        .timeout = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
        .inspect_delay_req = -1,
        .inspect_delay_res = -1,
        .balance = BALANCE_ROUNDROBIN,
        .balance_arg = {.draws = 2},
        .reuse = REUSE_SAFE,
        .http_mode = HTTP_KEEP_ALIVE,
        .retries = 3,
        .retry_on = RETRY_CONN_FAILURE,
        .cookie = {.name = STR_NONE},
        .check_kind = CHECK_TCP,
        .log_line = LOG_LINE_NONE,
    };
}

void server_init(struct cfg_server *sv)
{
    *sv = (struct cfg_server){
        .weight = 1,
        .inter = 2000,
        .rise = 2,
        .fall = 3,
        .on_error = ON_ERROR_FAIL_CHECK,
        .error_limit = 10,
        .pool_max_conn = -1,
        .pool_purge_delay = 5000,
        .max_reuse = -1,
    };
}

void global_init(struct cfg_global *g)
{
    *g = (struct cfg_global){
        .uid = -1,
        .gid = -1,
        .hard_stop_after = -1,
        .strict_limits = true,
        .stats_timeout = 10000,
        .stats_maxconn = 10,
        .tune = {.bufsize = 16384, .maxrewrite = 1024, .maxhdr = 101, .maxaccept = 4, .logurilen = 1024},
    };
}
