// SPDX-License-Identifier: Apache-2.0
// Arena: alignment, stability over many chunks, big allocations, reset, and that a second arena costs no new chunk.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <pthread.h>

#include "node/base/arena.h"

static void memory_is_aligned_and_stays(void **state)
{
    struct arena *a = arena_create(1024);
    unsigned char *first[500];
    for (size_t i = 0; i < 500; i++) {
        first[i] = arena_alloc(a, i % 97);
        assert_int_equal((uintptr_t)first[i] % 16, 0);
        memset(first[i], (int)i & 0xff, i % 97);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < i % 97; j++)
            assert_int_equal(first[i][j], i & 0xff);
    arena_destroy(&a);
    assert_null(a);
    arena_destroy(&a);
}

static void big_allocations_do_not_end_the_current_chunk(void **state)
{
    struct arena *a = arena_create(1024);
    char *before = arena_alloc(a, 16);
    memset(arena_alloc(a, 100000), 1, 100000);
    char *after = arena_alloc(a, 16);
    assert_ptr_equal(after, before + 16);
    assert_int_equal(arena_used(a), 100000 + 32);
    arena_destroy(&a);
}

static void reset_starts_again_at_the_first_byte(void **state)
{
    struct arena *a = arena_create(512);
    char *first = arena_alloc(a, 8);
    for (int i = 0; i < 100; i++)
        arena_alloc(a, 200);
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    assert_ptr_equal(arena_alloc(a, 8), first);
    arena_destroy(&a);
}

static void freed_chunks_are_used_again(void **state)
{
    struct arena *a = arena_create(2048);
    struct arena *old = a;
    arena_destroy(&a);
    a = arena_create(2048);
    assert_ptr_equal(a, old);
    arena_destroy(&a);
}

static void cache_is_bounded(void **state)
{
    enum { N = 400 };
    static struct arena *many[N];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++)
            many[i] = arena_create(8192);
        for (int i = 0; i < N; i++)
            arena_destroy(&many[i]);
    }
    // More sizes than the cache remembers must work too.
    for (size_t size = 1000; size < 20000; size += 1000) {
        struct arena *a = arena_create(size);
        arena_alloc(a, size);
        arena_destroy(&a);
    }
}

static void *use_and_end(void *arg)
{
    for (int i = 0; i < 10; i++) {
        struct arena *a = arena_create(4096);
        arena_alloc(a, 5000);
        arena_destroy(&a);
    }
    return NULL;
}

static void thread_that_ends_leaves_nothing(void **state) // the leak checker judges
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, use_and_end, NULL), 0);
    pthread_join(thread, NULL);
}

static void copies_are_terminated(void **state)
{
    struct arena *a = arena_create(1024);
    struct str s = arena_str(a, STR("abc"));
    assert_true(str_is(s, "abc"));
    assert_int_equal(s.ptr[3], 0);
    assert_string_equal(arena_strdup(a, "x"), "x");
    assert_true(str_is(arena_printf(a, "%d-%s", 5, "y"), "5-y"));
    assert_int_equal(arena_printf(a, "%2000d", 1).len, 2000);
    assert_int_equal(arena_str(a, STR_NONE).len, 0);
    int *zero = ARENA_ARRAY(a, int, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(zero[i], 0);
    assert_memory_equal(arena_memdup(a, "12", 2), "12", 2);
    arena_destroy(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_stays),
        cmocka_unit_test(big_allocations_do_not_end_the_current_chunk),
        cmocka_unit_test(reset_starts_again_at_the_first_byte),
        cmocka_unit_test(freed_chunks_are_used_again),
        cmocka_unit_test(cache_is_bounded),
        cmocka_unit_test(thread_that_ends_leaves_nothing),
        cmocka_unit_test(copies_are_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
