// SPDX-License-Identifier: Apache-2.0
// Sessions of the runtime API, for the sockets (admin.c) and the tests. Control thread.
#ifndef PHX_ADMIN_CLI_SESSION_H
#define PHX_ADMIN_CLI_SESSION_H

#include "node/admin/cli.h"
#include "node/io/conn.h"
#include "node/io/timer.h"

// Takes over an accepted, non-blocking descriptor. timeout_ms: idle limit, ≤ 0 = 10 s.
void cli_session_start(struct worker *w, int fd, enum cli_level level, int64_t timeout_ms);
void cli_sessions_end(void);
unsigned cli_session_count(void);
// Lists the commands that contain `filter` (all when empty) and that the session may use.
void cli_usage(struct cli *c, struct str filter);
// Takes a complete line, with its payload when it ends in "<<", out of the input. *line is malloc'd; *payload points
// into it, or is NULL.
bool cli_take_line(const struct buf *in, bool eof, char **line, char **payload, size_t *used);

#endif
