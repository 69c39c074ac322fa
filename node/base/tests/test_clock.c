// SPDX-License-Identifier: Apache-2.0
// Clock arithmetic.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include "node/base/clock.h"

static void arithmetic(void **state)
{
    mono_t t = {1000};
    assert_true(mono_is_set(t));
    assert_false(mono_is_set(MONO_NEVER));
    assert_int_equal(mono_add_ms(t, 2).us, 3000);
    assert_int_equal(mono_add_us(t, 2).us, 1002);
    assert_int_equal(mono_diff_us(mono_add_ms(t, 5), t), 5000);
    assert_int_equal(mono_diff_ms(mono_add_ms(t, 5), t), 5);
    assert_true(mono_before(t, mono_add_us(t, 1)));
    assert_false(mono_before(t, t));
}

static void clocks_run_forward(void **state)
{
    mono_t a = mono_now(), b = mono_now();
    assert_true(mono_is_set(a));
    assert_false(mono_before(b, a));
    assert_true(wall_now_us() > 1500000000ll * 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(clocks_run_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
