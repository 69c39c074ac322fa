// SPDX-License-Identifier: Apache-2.0
// Pool: reuse, the bound on kept objects, objects that change pools.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <string.h>

#include "node/base/pool.h"

struct object {
    char bytes[40];
};

static void objects_are_reused(void **state)
{
    struct pool p = POOL_INIT("object", struct object, 2);
    struct object *a = pool_take(&p);
    assert_int_equal(p.used, 1);
    memset(a, 'x', sizeof(*a));
    pool_put(&p, a);
    assert_int_equal(p.free_count, 1);
    assert_int_equal(p.used, 0);
    struct object *b = pool_take_zero(&p);
    assert_ptr_equal(a, b);
    for (size_t i = 0; i < sizeof(*b); i++)
        assert_int_equal(b->bytes[i], 0);
    pool_put(&p, b);
    pool_drain(&p);
    assert_int_equal(p.free_count, 0);
    assert_null(p.free_list);
}

static void no_more_than_keep_are_kept(void **state)
{
    struct pool p = POOL_INIT("object", struct object, 2);
    void *all[5];
    for (int i = 0; i < 5; i++)
        all[i] = pool_take(&p);
    for (int i = 0; i < 5; i++)
        pool_put(&p, all[i]);
    assert_int_equal(p.free_count, 2);
    pool_drain(&p);
}

static void objects_may_change_pools(void **state)
{
    struct pool from = POOL_INIT("object", struct object, 4), to = POOL_INIT("object", struct object, 4);
    pool_put(&to, pool_take(&from));
    assert_int_equal((int)(from.used + to.used), 0);
    pool_drain(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_reused),
        cmocka_unit_test(no_more_than_keep_are_kept),
        cmocka_unit_test(objects_may_change_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
