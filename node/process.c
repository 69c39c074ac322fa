// SPDX-License-Identifier: Apache-2.0
// Threads, signals, stopping.
#include "node/process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/io/inbox.h"
#include "node/io/timer.h"
#include "node/io/worker.h"

#define DRAIN_LOOK_MS 50 // how often a stopping process looks whether it is done

static struct {
    struct worker *control;
    struct process_hooks hooks;
    struct loop_fd signals;
    struct timer grace; // SIGUSR1 → soft stop
    struct timer drain; // looks for the end of a soft stop
    mono_t hard_stop_at;
    bool stopping;
} process = {.signals = {.fd = -1}};

unsigned process_thread_count(int nbthread)
{
    cpu_set_t cpus;
    int n = nbthread;
    if (n <= 0)
        n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return n < 1 ? 1 : n > WORKER_MAX ? WORKER_MAX : (unsigned)n;
}

struct worker *process_control(void)
{
    return process.control;
}

bool process_is_stopping(void)
{
    return process.stopping;
}

void process_stop(void)
{
    loop_stop(process.control->loop);
}

// ---- Soft stop

static void on_drain(struct timer *t)
{
    mono_t now = loop_now(process.control->loop);
    bool late = mono_is_set(process.hard_stop_at) && !mono_before(now, process.hard_stop_at);
    if (late)
        log_warning("soft-stop running for too long, performing a hard-stop.");
    if (late || !process.hooks.is_idle || process.hooks.is_idle()) {
        process_stop();
        return;
    }
    timer_set(loop_timers(process.control->loop), t, mono_add_ms(now, DRAIN_LOOK_MS));
}

static void on_grace_end(struct timer *t)
{
    mono_t now = loop_now(process.control->loop);
    if (process.hooks.soft_stop)
        process.hooks.soft_stop();
    if (process.hooks.hard_stop_after_ms >= 0)
        process.hard_stop_at = mono_add_ms(now, process.hooks.hard_stop_after_ms);
    timer_set(loop_timers(process.control->loop), &process.drain, mono_add_ms(now, DRAIN_LOOK_MS));
}

static void begin_soft_stop(void)
{
    if (process.stopping)
        return;
    process.stopping = true;
    if (process.hooks.grace_ms <= 0)
        on_grace_end(&process.grace);
    else
        timer_set(loop_timers(process.control->loop), &process.grace,
                  mono_add_ms(loop_now(process.control->loop), process.hooks.grace_ms));
}

// ---- Signals

static void on_signal(int number)
{
    switch (number) {
    case SIGINT:
    case SIGTERM:
        process_stop();
        break;
    case SIGUSR1:
        begin_soft_stop();
        break;
    case SIGHUP:
    case SIGUSR2:
        if (process.hooks.reload && !process.stopping)
            process.hooks.reload();
        break;
    }
}

static void on_signals(struct loop_fd *lf, uint32_t events)
{
    struct signalfd_siginfo info;
    while (read(lf->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        on_signal((int)info.ssi_signo);
}

static bool take_signals(struct loop *loop)
{
    const int taken[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP};
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        sigaddset(&mask, taken[i]);
    // SIGTTOU and SIGTTIN pause and resume HAProxy's listeners for a successor without SO_REUSEPORT: not needed.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    int fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd >= 0 && loop_add(loop, &process.signals, fd, on_signals) == 0;
}

// ---- Threads

bool process_create(unsigned nworkers)
{
    ASSERT(nworkers >= 1 && nworkers <= WORKER_MAX);
    process.control = worker_create(THREAD_CONTROL, nworkers);
    bool ok = process.control && take_signals(process.control->loop);
    for (unsigned i = 0; ok && i < nworkers; i++) {
        workers[i] = worker_create(THREAD_WORKER, i);
        ok = workers[i] != NULL;
        worker_count += ok;
    }
    if (!ok) {
        log_alert("[phalanx.main()] Cannot create the event loops: %s.", strerror(errno));
        return false;
    }
    worker_self = process.control;
    process.control->thread = pthread_self();
    timer_init(&process.grace, on_grace_end);
    timer_init(&process.drain, on_drain);
    return true;
}

static void on_stop(struct msg *m)
{
    free(m);
    loop_stop(worker_self->loop);
}

static void stop_workers(unsigned running)
{
    for (unsigned i = 0; i < running; i++) {
        struct msg *m = calloc(1, sizeof(*m));
        if (!m)
            PANIC("out of memory");
        m->kind = MSG_STOP;
        inbox_send(loop_inbox(workers[i]->loop), m);
    }
    for (unsigned i = 0; i < running; i++)
        worker_join(workers[i]);
}

// Ends what is open on the joined workers. Messages that were on their way are still delivered, so that nothing they
// own is lost; what ending sends is delivered in the second round.
static void tear_down_workers(void)
{
    struct worker *self = worker_self;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < worker_count; i++) {
            worker_self = workers[i];
            inbox_drain(loop_inbox(workers[i]->loop));
            if (process.hooks.worker_teardown)
                process.hooks.worker_teardown(workers[i]);
        }
    }
    worker_self = self;
    inbox_drain(loop_inbox(self->loop));
}

bool process_run(const struct process_hooks *hooks)
{
    process.hooks = *hooks;
    inbox_handle(MSG_STOP, on_stop);
    unsigned running = 0;
    int rc = 0;
    while (running < worker_count && (rc = worker_start(workers[running], hooks->worker_setup)) == 0)
        running++;
    if (rc < 0)
        log_alert("[phalanx.main()] Cannot start thread %u: %s.", running + 1, strerror(-rc));
    else
        loop_run(process.control->loop);
    if (hooks->ending)
        hooks->ending();
    stop_workers(running);
    tear_down_workers();
    return rc == 0;
}

void process_destroy(void)
{
    for (unsigned i = 0; i < worker_count; i++)
        worker_destroy(&workers[i]);
    worker_count = 0;
    timer_cancel(&process.grace);
    timer_cancel(&process.drain);
    if (process.signals.fd >= 0) {
        int fd = process.signals.fd;
        loop_del(process.control->loop, &process.signals, true);
        close(fd);
    }
    worker_destroy(&process.control);
    process.stopping = false;
    process.hard_stop_at = MONO_NEVER;
    worker_self = NULL;
}
