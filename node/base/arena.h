// SPDX-License-Identifier: Apache-2.0
// Arena: many small allocations that die in one call. A request has one, a configuration has one. Not thread safe: the
// owner's thread alone allocates. Memory never moves, alignment is 16.
#ifndef PHX_BASE_ARENA_H
#define PHX_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "node/base/str.h"

struct arena;

// `chunk` = bytes asked from malloc at a time; freed chunks of the same size are kept for reuse by the same thread up
// to a bound, so that a request's arena costs no malloc in the steady state.
struct arena *arena_create(size_t chunk);
// Frees all; clears the pointer.
void arena_destroy(struct arena **arena);
// Forgets all allocations, keeps the first chunk.
void arena_reset(struct arena *arena);

// Never NULL: running out of memory panics. Zero-size is allowed.
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *src, size_t size);
// Copies are NUL-terminated behind the slice.
struct str arena_str(struct arena *arena, struct str s);
char *arena_strdup(struct arena *arena, const char *cstr);
struct str arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *arena, const char *fmt, va_list ap);

// Bytes handed out since creation or reset.
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type)      ((type *)arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_zalloc((arena), sizeof(type) * (size_t)(n)))

#endif
