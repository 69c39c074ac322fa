// SPDX-License-Identifier: Apache-2.0
// Commands that end what runs: `shutdown sessions server`.
#include "node/admin/commands.h"
#include "node/proxy/server.h"

enum cli_result cmd_shutdown_sessions_server(struct cli *c)
{
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    if (srv)
        server_shut_sessions(srv->state, 'K');
    return CLI_DONE;
}
