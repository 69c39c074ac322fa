// SPDX-License-Identifier: Apache-2.0
// The builder thread and the publication of what it made.
#include "node/reload.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/daemon.h"
#include "node/io/inbox.h"
#include "node/io/worker.h"
#include "node/process.h"
#include "node/proxy/proxy.h"

static struct {
    const struct config_options *options;
    struct reload_hooks hooks;
    bool building, again; // control thread
    pthread_t builder;
    // Written by the builder, read by the control thread after `done` arrived.
    struct snapshot *built;
    struct msg done;
} reload;

// Renders all messages at once, so that lines of two builds cannot mix.
static void print_messages(struct diag *diag, bool diagnostics)
{
    struct buf text = BUF_INIT;
    diag_render(diag, &text, diagnostics ? DIAG_DIAG : DIAG_NOTICE);
    if (text.len > 0) {
        ssize_t n = write(STDERR_FILENO, text.data, text.len);
        (void)n; // nobody is left to be told
    }
    buf_free(&text);
}

struct snapshot *reload_build(const struct config_options *o, const struct reload_hooks *hooks, struct snapshot *old)
{
    struct diag *diag = diag_create();
    struct snapshot *s = NULL;
    struct config *c = config_load(o, diag);
    if (c && hooks->adapt && !hooks->adapt(c, diag))
        config_unref(&c);
    if (c)
        s = snapshot_build(&c, old, o->check_only, diag);
    print_messages(diag, o->diagnostics);
    diag_destroy(&diag);
    return s;
}

static void *build(void *arg)
{
    struct snapshot *old = arg;
    reload.built = reload_build(reload.options, &reload.hooks, old);
    snapshot_unref(&old);
    inbox_send(loop_inbox(process_control()->loop), &reload.done);
    return NULL;
}

static void on_done(struct msg *m)
{
    pthread_join(reload.builder, NULL);
    reload.building = false;
    struct snapshot *s = reload.built;
    reload.built = NULL;
    if (s) {
        snapshot_publish(s);
        if (reload.hooks.published)
            reload.hooks.published(snapshot_current());
        log_notice("Configuration reloaded.");
    } else {
        log_warning("Reload failed: the configuration in force is kept.");
    }
    daemon_notify("READY=1");
    if (reload.again) {
        reload.again = false;
        reload_request();
    }
}

void reload_init(const struct config_options *o, const struct reload_hooks *hooks)
{
    reload.options = o;
    reload.hooks = *hooks;
    reload.done.kind = MSG_RELOAD_DONE;
    inbox_handle(MSG_RELOAD_DONE, on_done);
}

void reload_request(void)
{
    if (reload.building) {
        reload.again = true;
        return;
    }
    daemon_notify("RELOADING=1");
    struct snapshot *old = snapshot_ref(snapshot_current());
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&reload.builder, NULL, build, old);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    reload.building = rc == 0;
    if (rc != 0) {
        snapshot_unref(&old);
        log_warning("Reload failed: cannot start a thread: %s.", strerror(rc));
    }
}

void reload_shutdown(void)
{
    if (!reload.building)
        return;
    pthread_join(reload.builder, NULL);
    reload.building = false;
    snapshot_unref(&reload.built);
}
