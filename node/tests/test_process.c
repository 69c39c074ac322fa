// SPDX-License-Identifier: Apache-2.0
// Threads and signals: a process that gets each signal at each time ends as it should.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/timer.h"
#include "node/io/worker.h"
#include "node/process.h"

static atomic_uint setups;
static unsigned teardowns, reloads, soft_stops, idle_asked;
static int then; // signal that the hooks raise
static bool idle;

static void on_setup(struct worker *w)
{
    ASSERT(worker_self == w && w->role == THREAD_WORKER);
    if (atomic_fetch_add(&setups, 1) + 1 == worker_count)
        kill(getpid(), then);
}

static void on_teardown(struct worker *w)
{
    ASSERT(worker_self == w);
    teardowns++;
}

static void on_reload(void)
{
    ASSERT(worker_self == process_control());
    if (++reloads == 1)
        kill(getpid(), SIGUSR2);
    else
        kill(getpid(), SIGTERM);
}

static void on_soft_stop(void)
{
    soft_stops++;
    ASSERT(process_is_stopping());
    kill(getpid(), SIGUSR1); // a second one changes nothing
    kill(getpid(), SIGHUP);  // no reload any more
}

static bool is_idle(void)
{
    idle_asked++;
    return idle;
}

static bool run(struct process_hooks hooks)
{
    setups = teardowns = reloads = soft_stops = idle_asked = 0;
    hooks.worker_setup = on_setup;
    hooks.worker_teardown = on_teardown;
    hooks.reload = on_reload;
    hooks.soft_stop = on_soft_stop;
    hooks.is_idle = is_idle;
    assert_true(process_create(3));
    assert_ptr_equal(worker_self, process_control());
    bool ok = process_run(&hooks);
    process_destroy();
    assert_null(worker_self);
    assert_int_equal(setups, 3);
    assert_int_equal(teardowns, 6); // two rounds
    return ok;
}

static const struct process_hooks plain = {.hard_stop_after_ms = -1};

static void int_and_term_end_at_once(void **state)
{
    then = SIGINT;
    assert_true(run(plain));
    then = SIGTERM;
    assert_true(run(plain));
    assert_int_equal(soft_stops, 0);
}

static void hup_and_usr2_reload(void **state)
{
    then = SIGHUP;
    assert_true(run(plain));
    assert_int_equal(reloads, 2);
}

static void usr1_waits_until_idle(void **state)
{
    then = SIGUSR1;
    idle = true;
    assert_true(run(plain));
    assert_int_equal(soft_stops, 1);
    assert_int_equal(reloads, 0);
    assert_int_equal(idle_asked, 1);
}

static void hard_stop_ends_the_wait(void **state)
{
    then = SIGUSR1;
    idle = false;
    log_set_quiet(true);
    assert_true(run((struct process_hooks){.hard_stop_after_ms = 120, .grace_ms = 10}));
    assert_int_equal(soft_stops, 1);
    assert_true(idle_asked >= 1);
}

static void thread_counts(void **state)
{
    assert_int_equal(process_thread_count(3), 3);
    assert_int_equal(process_thread_count(1000), WORKER_MAX);
    assert_in_range(process_thread_count(0), 1, WORKER_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_and_term_end_at_once),
        cmocka_unit_test(hup_and_usr2_reload),
        cmocka_unit_test(usr1_waits_until_idle),
        cmocka_unit_test(hard_stop_ends_the_wait),
        cmocka_unit_test(thread_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
