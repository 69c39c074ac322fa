// SPDX-License-Identifier: Apache-2.0
// The wheel in virtual time: against a plain list of due times, at the borders of its levels, with lazy moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <stdlib.h>

#include "node/base/hash.h"
#include "node/io/timer.h"

static const mono_t start = {5000123};

struct probe {
    struct timer timer;
    int fired;
};
static mono_t now;

static void on_due(struct timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, timer);
    p->fired++;
    assert_false(timer_is_set(t));
}

// Runs the wheel as a loop would: sleeps as long as the wheel allows, until `end`.
static void run_until(struct timer_wheel *w, mono_t end)
{
    for (;;) {
        int wait = timer_wheel_wait_ms(w, now);
        mono_t next = wait < 0 ? end : mono_add_ms(now, wait);
        now = mono_before(next, end) ? next : end;
        timer_wheel_run(w, now);
        if (!mono_before(now, end))
            return;
    }
}

static void fires_at_its_time(void **state)
{
    static const int64_t delays_ms[] = {0,    1,    2,    62,     63,     64,     65,      127,      128,     4095,
                                        4096, 4097, 5000, 262143, 262144, 262145, 3600000, 86400000, 16777216};
    for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
        now = start;
        struct timer_wheel *w = timer_wheel_create(now);
        struct probe p = {0};
        timer_init(&p.timer, on_due);
        now = mono_add_us(now, 777);
        mono_t due = mono_add_ms(now, delays_ms[i]);
        timer_set(w, &p.timer, due);
        assert_true(timer_is_set(&p.timer));
        run_until(w, mono_add_us(due, -1));
        assert_int_equal(p.fired, 0); // never early
        run_until(w, mono_add_ms(due, 2));
        assert_int_equal(p.fired, 1);
        assert_int_equal(timer_wheel_wait_ms(w, now), -1);
        timer_wheel_destroy(&w);
    }
}

static void empty_wheel_waits_for_ever(void **state)
{
    struct timer_wheel *w = timer_wheel_create(start);
    assert_int_equal(timer_wheel_wait_ms(w, start), -1);
    timer_wheel_run(w, mono_add_ms(start, 1000000));
    struct timer t;
    timer_init(&t, on_due);
    timer_set(w, &t, mono_add_ms(start, 1000100));
    timer_cancel(&t);
    timer_cancel(&t);
    timer_wheel_run(w, mono_add_ms(start, 1000200));
    assert_int_equal(timer_wheel_wait_ms(w, mono_add_ms(start, 1000200)), -1);
    timer_wheel_destroy(&w);
    assert_null(w);
}

static void moving_later_only_writes_a_field(void **state)
{
    now = start;
    struct timer_wheel *w = timer_wheel_create(now);
    struct probe p = {0};
    timer_init(&p.timer, on_due);
    timer_set(w, &p.timer, mono_add_ms(now, 100));
    mono_t slot = p.timer.slot_due;
    for (int i = 0; i < 50; i++) {
        run_until(w, mono_add_ms(now, 1));
        timer_set(w, &p.timer, mono_add_ms(now, 100));
        assert_int_equal(p.timer.slot_due.us, slot.us);
    }
    run_until(w, mono_add_ms(now, 99));
    assert_int_equal(p.fired, 0);
    run_until(w, mono_add_ms(now, 3));
    assert_int_equal(p.fired, 1);
    timer_wheel_destroy(&w);
}

static void moving_earlier_fires_earlier(void **state)
{
    now = start;
    struct timer_wheel *w = timer_wheel_create(now);
    struct probe p = {0};
    timer_init(&p.timer, on_due);
    timer_set(w, &p.timer, mono_add_ms(now, 100000));
    timer_set(w, &p.timer, mono_add_ms(now, 10));
    run_until(w, mono_add_ms(now, 12));
    assert_int_equal(p.fired, 1);
    timer_wheel_destroy(&w);
}

static struct timer_wheel *shared_wheel;
static struct probe *victim;

static void cancel_the_other(struct timer *t)
{
    on_due(t);
    timer_cancel(&victim->timer);
}

static void callback_may_cancel_a_timer_of_the_same_tick(void **state)
{
    now = start;
    shared_wheel = timer_wheel_create(now);
    struct probe a = {0}, b = {0};
    timer_init(&a.timer, cancel_the_other);
    timer_init(&b.timer, on_due);
    victim = &b;
    timer_set(shared_wheel, &a.timer, mono_add_ms(now, 5));
    timer_set(shared_wheel, &b.timer, mono_add_ms(now, 5));
    run_until(shared_wheel, mono_add_ms(now, 10));
    assert_int_equal(a.fired, 1);
    assert_int_equal(b.fired, 0);
    timer_wheel_destroy(&shared_wheel);
}

static void again_at_once(struct timer *t)
{
    on_due(t);
    timer_set(shared_wheel, t, now);
}

static void timer_that_rearms_itself_does_not_hang_the_run(void **state)
{
    now = start;
    shared_wheel = timer_wheel_create(now);
    struct probe p = {0};
    timer_init(&p.timer, again_at_once);
    timer_set(shared_wheel, &p.timer, now);
    run_until(shared_wheel, mono_add_ms(now, 10));
    assert_in_range(p.fired, 5, 11);
    timer_cancel(&p.timer);
    timer_wheel_destroy(&shared_wheel);
}

// Many timers set, moved and cancelled at random; each must fire in [due, due + 1 ms] and exactly when still set.
static void random_operations_agree_with_a_list(void **state)
{
    enum { N = 200, STEPS = 30000 };
    static struct probe probes[N];
    static mono_t due[N];
    static int expected[N];
    uint64_t random = 1;
    now = start;
    struct timer_wheel *w = timer_wheel_create(now);
    for (int i = 0; i < N; i++)
        timer_init(&probes[i].timer, on_due);
    for (int step = 0; step < STEPS; step++) {
        random = hash_mix64(random + 1);
        int i = (int)(random % N);
        uint64_t what = random >> 20 & 7;
        if (what == 0) {
            timer_cancel(&probes[i].timer);
            due[i] = MONO_NEVER;
        } else if (what < 6) {
            unsigned bits = random >> 24 & 31;
            due[i] = mono_add_us(now, (int64_t)(hash_mix64(random) & ((UINT64_C(1) << bits) - 1)));
            timer_set(w, &probes[i].timer, due[i]);
        } else {
            mono_t end = mono_add_us(now, (int64_t)(random >> 30 & 0xffff));
            run_until(w, end);
            for (int j = 0; j < N; j++) {
                if (!mono_is_set(due[j]))
                    continue;
                if (probes[j].fired > expected[j]) {
                    assert_int_equal(probes[j].fired, expected[j] + 1);
                    assert_false(mono_before(now, due[j]));
                    expected[j]++;
                    due[j] = MONO_NEVER;
                } else {
                    assert_true(mono_diff_us(now, due[j]) <= 2000);
                }
            }
        }
    }
    for (int i = 0; i < N; i++)
        timer_cancel(&probes[i].timer);
    timer_wheel_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_at_its_time),
        cmocka_unit_test(empty_wheel_waits_for_ever),
        cmocka_unit_test(moving_later_only_writes_a_field),
        cmocka_unit_test(moving_earlier_fires_earlier),
        cmocka_unit_test(callback_may_cancel_a_timer_of_the_same_tick),
        cmocka_unit_test(timer_that_rearms_itself_does_not_hang_the_run),
        cmocka_unit_test(random_operations_agree_with_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
