// SPDX-License-Identifier: Apache-2.0
// Assertions that stay on in production: for what only a programmer's error can cause. What the outside world sends or
// the disk returns is never asserted; it is an error code.
#ifndef PHX_BASE_PANIC_H
#define PHX_BASE_PANIC_H

// Prints where and why to stderr and aborts. Never returns.
_Noreturn void panic_at(const char *file, int line, const char *func, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

#define PANIC(...)   panic_at(__FILE__, __LINE__, __func__, __VA_ARGS__)
#define ASSERT(cond) ((cond) ? (void)0 : PANIC("assertion failed: %s", #cond))

// Long-lived objects start with `uint32_t magic`; checked where they cross a module border.
#define CHECK_OBJ(obj, want) ASSERT((obj) != NULL && (obj)->magic == (want))

#endif
