// SPDX-License-Identifier: Apache-2.0
// Arena over a chain of chunks. The arena's own struct lies in its first chunk, and each thread keeps some freed chunks
// of each size in use, so that an arena a request costs a few pointer moves.
#include "node/base/arena.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/base/asan.h"
#include "node/base/panic.h"

#define ALIGN           ((size_t)16)
#define ALIGN_UP(n)     (((n) + ALIGN - 1) & ~(ALIGN - 1))
#define CACHE_SIZES     4                 // chunk sizes a thread remembers
#define CACHE_MAX_BYTES ((size_t)1 << 20) // kept free for each of them

struct chunk {
    struct chunk *next; // older chunk of the arena, or next free one in the cache
    size_t size;        // with this header
};
_Static_assert(sizeof(struct chunk) % 16 == 0, "data behind the header must be aligned");

struct arena {
    char *free, *end;     // of the newest standard chunk
    struct chunk *chunks; // newest first, the one that holds this struct last
    size_t chunk_size;
    size_t used;
};

// Free chunks of one size.
struct cache_class {
    size_t size; // 0 = unused class
    size_t bytes;
    struct chunk *free_list;
};

struct cache {
    struct cache_class classes[CACHE_SIZES];
    bool registered; // the destructor below will run for this thread
};

static _Thread_local struct cache cache;
static pthread_key_t cache_key;
static pthread_once_t cache_key_once = PTHREAD_ONCE_INIT;

// A thread ends: its chunks go back to malloc.
static void cache_drop(void *arg)
{
    struct cache *c = arg;
    for (size_t i = 0; i < CACHE_SIZES; i++) {
        struct cache_class *class = &c->classes[i];
        while (class->free_list) {
            struct chunk *chunk = class->free_list;
            class->free_list = chunk->next;
            free(chunk);
        }
        *class = (struct cache_class){0};
    }
    c->registered = false;
}

static void cache_make_key(void)
{
    if (pthread_key_create(&cache_key, cache_drop) != 0)
        PANIC("out of thread keys");
}

static struct cache_class *cache_class_of(size_t size)
{
    for (size_t i = 0; i < CACHE_SIZES; i++) {
        struct cache_class *class = &cache.classes[i];
        if (class->size == size)
            return class;
        if (class->size == 0) {
            class->size = size;
            return class;
        }
    }
    return NULL;
}

static struct chunk *chunk_malloc(size_t size)
{
    struct chunk *chunk = malloc(size);
    if (!chunk)
        PANIC("out of memory: %zu bytes", size);
    chunk->size = size;
    return chunk;
}

// A chunk of a size that is used again and again.
static struct chunk *chunk_take(size_t size)
{
    struct cache_class *class = cache_class_of(size);
    if (!class || !class->free_list)
        return chunk_malloc(size);
    struct chunk *chunk = class->free_list;
    class->free_list = chunk->next;
    class->bytes -= size;
    ASAN_UNPOISON(chunk, size);
    return chunk;
}

static void chunk_put(struct chunk *chunk)
{
    struct cache_class *class = cache_class_of(chunk->size);
    if (!class || class->bytes + chunk->size > CACHE_MAX_BYTES) {
        free(chunk);
        return;
    }
    if (!cache.registered) {
        pthread_once(&cache_key_once, cache_make_key);
        cache.registered = pthread_setspecific(cache_key, &cache) == 0;
    }
    chunk->next = class->free_list;
    class->free_list = chunk;
    class->bytes += chunk->size;
    ASAN_POISON(chunk + 1, chunk->size - sizeof(*chunk));
}

static void arena_release(struct arena *arena, struct chunk *chunk)
{
    if (chunk->size == arena->chunk_size)
        chunk_put(chunk);
    else
        free(chunk);
}

static char *first_byte(const struct arena *arena)
{
    return (char *)arena + ALIGN_UP(sizeof(struct arena));
}

struct arena *arena_create(size_t chunk)
{
    size_t size = ALIGN_UP(chunk);
    size_t least = sizeof(struct chunk) + ALIGN_UP(sizeof(struct arena)) + 256;
    if (size < least)
        size = ALIGN_UP(least);
    struct chunk *first = chunk_take(size);
    first->next = NULL;
    struct arena *arena = (struct arena *)(first + 1);
    *arena = (struct arena){.chunks = first, .chunk_size = size, .end = (char *)first + size};
    arena->free = first_byte(arena);
    return arena;
}

// Releases all chunks but the first, which holds the arena.
static struct chunk *release_to_first(struct arena *arena)
{
    struct chunk *chunk = arena->chunks;
    while (chunk->next) {
        struct chunk *older = chunk->next;
        arena_release(arena, chunk);
        chunk = older;
    }
    return chunk;
}

void arena_destroy(struct arena **arena)
{
    if (!*arena)
        return;
    struct chunk *first = release_to_first(*arena);
    *arena = NULL;
    chunk_put(first);
}

void arena_reset(struct arena *arena)
{
    struct chunk *first = release_to_first(arena);
    arena->chunks = first;
    arena->free = first_byte(arena);
    arena->end = (char *)first + first->size;
    arena->used = 0;
}

static void *alloc_slow(struct arena *arena, size_t size)
{
    size_t need = sizeof(struct chunk) + size;
    if (need < size)
        PANIC("allocation of %zu bytes", size);
    // What would waste much of a standard chunk gets one of its own; the current one stays in use.
    bool own = need > arena->chunk_size / 2;
    struct chunk *chunk = own ? chunk_malloc(need) : chunk_take(arena->chunk_size);
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    char *data = (char *)(chunk + 1);
    if (!own) {
        arena->free = data + size;
        arena->end = (char *)chunk + chunk->size;
    }
    return data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        PANIC("allocation of %zu bytes", size);
    size = ALIGN_UP(size);
    arena->used += size;
    if (size > (size_t)(arena->end - arena->free))
        return alloc_slow(arena, size);
    void *data = arena->free;
    arena->free += size;
    return data;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_memdup(struct arena *arena, const void *src, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, src, size);
    return copy;
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    return str_make(str_copy(copy, s.len + 1, s), s.len);
}

char *arena_strdup(struct arena *arena, const char *cstr)
{
    return arena_memdup(arena, cstr, strlen(cstr) + 1);
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return s;
}

struct str arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    ASSERT(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    return str_make(text, (size_t)len);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
