// SPDX-License-Identifier: Apache-2.0
// The access log: one line an ended stream, in the frontend's format, to its `log` targets. Lines go through a ring a
// worker to a sender thread, which sends many with one system call; when a ring is full the line is dropped and
// counted: traffic never waits.
#ifndef PHX_PROXY_ACCESS_LOG_H
#define PHX_PROXY_ACCESS_LOG_H

#include "config/diag.h"
#include "node/proxy/stream.h"

struct log_target;

// The process's object for one `log` line: the same address and format share one, which lives until log_shutdown().
// Builder thread. NULL: message given.
struct log_target *log_target_get(const struct cfg_log *cfg, struct diag *diag);

// Before threads run: binds stream_log, event_log_sender and the format aliases. `tag` = default log tag (the program's
// base name); `host_name` = this machine's, for %H and `log-send-hostname`.
void log_init(const char *tag, const char *host_name);
int log_start(void);     // the sender thread, after the last fork
void log_stop(void);     // after workers are joined: sends what is left, joins the sender
void log_shutdown(void); // frees targets
// `capture cookie`: looks for it in the head that arrived; called before rules may change that. Cheap when not
// configured.
void log_capture_cookie(struct stream *st, bool response);
// Lines dropped because a ring was full or a target did not take them.
uint64_t log_dropped(void);

#endif
