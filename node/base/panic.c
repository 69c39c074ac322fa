// SPDX-License-Identifier: Apache-2.0
// The end of the process after a programmer's error: one line that says where and why, the call stack, abort().
#include "node/base/panic.h"

#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void panic_at(const char *file, int line, const char *func, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    // Straight to the descriptor: stdio's buffers may be what is broken.
    dprintf(STDERR_FILENO, "[PANIC]    (%d) : %s:%d: %s(): %s\n", (int)getpid(), file, line, func, text);

    void *frames[64];
    backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
    abort();
}
