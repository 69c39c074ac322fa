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
    // The builder's while it runs, then the control thread's.
    struct diag *diag;
    struct snapshot *built;
    struct msg done;
} reload;

// Renders all messages in one piece, so that no other line comes between.
static void report(const struct config_options *o, const struct reload_hooks *hooks, struct diag *diag)
{
    struct buf text = BUF_INIT;
    diag_render(diag, &text, o->diagnostics ? DIAG_DIAG : DIAG_NOTICE);
    if (text.len > 0) {
        ssize_t n = write(STDERR_FILENO, text.data, text.len);
        (void)n; // nobody is left to be told
    }
    if (hooks->report)
        hooks->report(buf_str(&text));
    buf_free(&text);
}

static struct snapshot *build(const struct config_options *o, const struct reload_hooks *hooks, struct snapshot *old,
                              struct diag *diag)
{
    struct config *c = config_load(o, diag);
    if (c && hooks->adapt && !hooks->adapt(c, diag))
        config_unref(&c);
    return c ? snapshot_build(&c, old, o->check_only, diag) : NULL;
}

// The last step that may fail.
static void prepare(const struct config_options *o, const struct reload_hooks *hooks, struct snapshot **s,
                    struct diag *diag)
{
    bool ok = !*s || o->check_only || !hooks->prepare || hooks->prepare((*s)->config, diag);
    if (ok && *s && o->zero_warning && diag_count(diag, DIAG_WARNING) > 0) {
        diag_add(diag, DIAG_ALERT, NULL, "Some warnings were found and 'zero-warning' is set. Aborting.");
        ok = false;
    }
    if (!ok)
        snapshot_unref(s);
}

struct snapshot *reload_first(const struct config_options *o, const struct reload_hooks *hooks)
{
    struct diag *diag = diag_create();
    struct snapshot *s = build(o, hooks, NULL, diag);
    prepare(o, hooks, &s, diag);
    report(o, hooks, diag);
    if (diag_count(diag, DIAG_ALERT) > 0)
        log_alert("config : Fatal errors found in configuration.");
    diag_destroy(&diag);
    return s;
}

static void *build_aside(void *arg)
{
    struct snapshot *old = arg;
    reload.built = build(reload.options, &reload.hooks, old, reload.diag);
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
    prepare(reload.options, &reload.hooks, &s, reload.diag);
    report(reload.options, &reload.hooks, reload.diag);
    diag_destroy(&reload.diag);
    if (s) {
        snapshot_publish(s);
        if (reload.hooks.published)
            reload.hooks.published(s);
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
    reload.diag = diag_create();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&reload.builder, NULL, build_aside, old);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    reload.building = rc == 0;
    if (rc != 0) {
        snapshot_unref(&old);
        diag_destroy(&reload.diag);
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
    diag_destroy(&reload.diag);
}
