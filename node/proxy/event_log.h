// SPDX-License-Identifier: Apache-2.0
// Events of proxies (a server went down, a listener stopped): to stderr and to the proxy's `log` targets, as HAProxy
// words them. Any thread; never blocks.
#ifndef PHX_PROXY_EVENT_LOG_H
#define PHX_PROXY_EVENT_LOG_H

#include "node/base/str.h"

struct backend_state;

// syslog's numbers.
enum event_level { EVENT_EMERGENCY = 0, EVENT_ALERT = 1, EVENT_WARNING = 4, EVENT_NOTICE = 5, EVENT_INFO = 6 };

// b: whose log targets get it; NULL = stderr only.
void event_log(struct backend_state *b, enum event_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Set by the access log at start: sends a line to the targets of the backend of that name.
extern void (*event_log_sender)(struct str backend, enum event_level level, struct str line);

#endif
