// SPDX-License-Identifier: Apache-2.0
// The program's own messages: one write() each, so that lines of several threads do not mix.
#include "node/base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

static atomic_bool log_quiet;
static _Atomic int log_max_level = LOG_LEVEL_NOTICE;

static const char *const level_names[] = {
    [LOG_LEVEL_ALERT] = "[ALERT]", [LOG_LEVEL_WARNING] = "[WARNING]", [LOG_LEVEL_NOTICE] = "[NOTICE]",
    [LOG_LEVEL_DIAG] = "[DIAG]",   [LOG_LEVEL_DEBUG] = "[DEBUG]",
};

void log_vwrite(enum log_level level, const char *fmt, va_list ap)
{
    if ((int)level > atomic_load_explicit(&log_max_level, memory_order_relaxed))
        return;
    if (level != LOG_LEVEL_ALERT && atomic_load_explicit(&log_quiet, memory_order_relaxed))
        return;

    char line[LINE_MAX_BYTES];
    int head = snprintf(line, sizeof(line), "%-11s(%d) : ", level_names[level], (int)getpid());
    size_t room = sizeof(line) - (size_t)head - 1; // one byte stays for the newline
    int text = vsnprintf(line + head, room, fmt, ap);
    size_t len = (size_t)head + (text < 0 ? 0 : (size_t)text < room ? (size_t)text : room - 1);
    if (line[len - 1] != '\n')
        line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written; // nobody is left to be told
}

void log_write(enum log_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_vwrite(level, fmt, ap);
    va_end(ap);
}

void log_set_quiet(bool quiet)
{
    atomic_store(&log_quiet, quiet);
}

void log_set_max_level(enum log_level level)
{
    atomic_store(&log_max_level, (int)level);
}
