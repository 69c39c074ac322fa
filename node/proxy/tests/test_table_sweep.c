// SPDX-License-Identifier: Apache-2.0
// What has expired in a stick table goes, though nobody looks at the table.
#include "node/proxy/table_sweep.h"
#include "node/proxy/tests/running.h"

static struct worker *control;
static struct table *table;
static struct timer look;
static unsigned looks;

static void on_look(struct timer *t)
{
    if (table_count(table) == 0 || ++looks > 1000)
        loop_stop(control->loop);
    else
        timer_set(loop_timers(control->loop), t, mono_add_ms(loop_now(control->loop), 10));
}

static void expired_entries_go(void **state)
{
    (void)state;
    control = worker_create(THREAD_CONTROL, 0);
    worker_self = control;
    running_load("backend b\n stick-table type integer size 1000 expire 1ms store gpc0\n");
    table = running_backend("b")->table;
    mono_t now = mono_now();
    for (uint32_t i = 0; i < 500; i++) {
        struct table_entry *e = table_get(table, str_make((const char *)&i, sizeof(i)), now);
        table_release(table, &e);
    }
    assert_int_equal(table_count(table), 500);
    table_sweep_start(control);
    timer_init(&look, on_look);
    timer_set(loop_timers(control->loop), &look, now);
    loop_run(control->loop);
    assert_int_equal(table_count(table), 0);
}

int main(void)
{
    running_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(expired_entries_go)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    running_end();
    worker_self = NULL;
    worker_destroy(&control);
    return failed;
}
