// SPDX-License-Identifier: Apache-2.0
// The program's own messages (not the access log), to stderr, in HAProxy's form: "[WARNING]  (pid) : text".
// Any thread. Bounded in length; never blocks on anything but stderr.
#ifndef PHX_BASE_LOG_H
#define PHX_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ALERT, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_DIAG, LOG_LEVEL_DEBUG };

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vwrite(enum log_level level, const char *fmt, va_list ap);
#define log_alert(...)   log_write(LOG_LEVEL_ALERT, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)

// -q: nothing but alerts during start; daemon: nothing at all once detached.
void log_set_quiet(bool quiet);
void log_set_max_level(enum log_level level);

#endif
