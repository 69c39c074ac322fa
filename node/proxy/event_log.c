// SPDX-License-Identifier: Apache-2.0
// Events of proxies: see event_log.h.
#include "node/proxy/event_log.h"

#include <stdarg.h>
#include <stdio.h>

#include "node/base/log.h"
#include "node/proxy/backend.h"

void (*event_log_sender)(struct str backend, enum event_level level, struct str line);

void event_log(struct backend_state *b, enum event_level level, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    log_write(level == EVENT_EMERGENCY ? LOG_LEVEL_ALERT : LOG_LEVEL_WARNING, "%s", line);
    if (b && event_log_sender)
        event_log_sender(str_of(b->name), level, str_of(line));
}
