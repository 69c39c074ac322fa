// SPDX-License-Identifier: Apache-2.0
// The functions behind the rows of commands.c, by file.
#ifndef PHX_ADMIN_COMMANDS_H
#define PHX_ADMIN_COMMANDS_H

#include "node/admin/cli.h"
#include "node/proxy/proxy.h"

// cmd_stat.c, cmd_info.c
cli_fn cmd_show_stat, cmd_show_info;
// cmd_server.c
cli_fn cmd_show_servers_state, cmd_show_servers_conn, cmd_show_backend, cmd_set_server, cmd_enable_server,
    cmd_disable_server, cmd_get_weight, cmd_set_weight, cmd_set_maxconn_server, cmd_set_maxconn_frontend,
    cmd_set_maxconn_global, cmd_enable_frontend, cmd_disable_frontend;
// cmd_shutdown.c
cli_fn cmd_shutdown_sessions_server;
// cmd_table.c
cli_fn cmd_show_table, cmd_set_table, cmd_clear_table;
// cmd_misc.c
cli_fn cmd_help, cmd_prompt, cmd_quit, cmd_show_version, cmd_show_env, cmd_show_cli_sockets, cmd_show_cli_level,
    cmd_user, cmd_operator, cmd_set_timeout, cmd_show_cluster, cmd_reload, cmd_show_startup_logs, cmd_clear_counters,
    cmd_show_activity;

// "backend/server" of an argument; NULL with the message said. "No such backend." / "No such server."
struct server *cmd_find_server(struct cli *c, struct str name);
// NULL with the message said.
struct proxy *cmd_find_frontend(struct cli *c, struct str name);

#endif
