// SPDX-License-Identifier: Apache-2.0
// The program: command line, then the order in which a process starts and ends. What each step means is in the file it
// calls: options, reload (reading and building), privileges, daemon, process (threads and signals), join (the cluster).
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "node/admin/admin.h"
#include "node/base/log.h"
#include "node/daemon.h"
#include "node/io/conn.h"
#include "node/io/keeper.h"
#include "node/io/worker.h"
#include "node/join.h"
#include "node/options.h"
#include "node/privileges.h"
#include "node/process.h"
#include "node/proxy/access_log.h"
#include "node/proxy/check.h"
#include "node/proxy/fetch_bind.h"
#include "node/proxy/listener.h"
#include "node/proxy/proxy.h"
#include "node/proxy/stream.h"
#include "node/proxy/table_sweep.h"
#include "node/reload.h"
#include "node/version.h"

// Descriptors besides connections, pipes, listeners and the two of each thread's loop: logs, the runtime API, links,
// files that are open for a moment.
#define OTHER_DESCRIPTORS 20

static struct options options;
static struct config_options config_options;
static struct cfg_global in_force; // global settings that stay as they were at start

// ---- What the command line and the start decide over the configuration

static unsigned count_listeners(const struct config *c)
{
    unsigned n = c->global.nstats_sockets + c->nclusters;
    for (unsigned i = 0; i < c->nproxies; i++)
        if (!c->proxies[i]->disabled)
            n += c->proxies[i]->nbinds;
    return n;
}

static bool adapt_at_start(struct config *c, struct diag *diag)
{
    struct cfg_global *g = &c->global;
    if (options.maxconn > 0)
        g->maxconn = options.maxconn;
    g->daemon = (g->daemon || options.daemon) && !options.foreground;
    if (g->quiet && !options.verbose)
        log_set_quiet(true);
    if (!privileges_resolve(g))
        return false;
    if (count_listeners(c) == 0) {
        if (options.task == TASK_RUN)
            log_alert("[phalanx.main()] No enabled listener found (check for 'bind' directives) ! Exiting.");
        return options.task != TASK_RUN;
    }
    if (options.task == TASK_RUN) {
        unsigned threads = process_thread_count(g->nbthread);
        if (!privileges_limit_memory(options.memory_mb) ||
            !privileges_limit_descriptors(g, OTHER_DESCRIPTORS + 2 * threads + count_listeners(c)))
            return false;
    }
    if (g->tune.bufsize > 0)
        worker_set_bufsize((uint32_t)g->tune.bufsize);
    if (options.no_splice)
        pipe_set_limits(0, 0);
    else
        pipe_set_limits(g->maxpipes > 0 ? (unsigned)g->maxpipes : 0,
                        g->tune.pipesize > 0 ? (size_t)g->tune.pipesize : PIPE_BYTES_DEFAULT);
    in_force = *g;
    return true;
}

static bool adapt_at_reload(struct config *c, struct diag *diag)
{
    struct cfg_global *g = &c->global;
    if (g->maxconn <= 0 || options.maxconn > 0)
        g->maxconn = in_force.maxconn;
    if (g->maxconn > in_force.maxconn) {
        diag_add(diag, DIAG_WARNING, NULL, "maxconn %d is more than the descriptors of this process allow; %d is kept",
                 g->maxconn, in_force.maxconn);
        g->maxconn = in_force.maxconn;
    }
    if (g->nbthread > 0 && process_thread_count(g->nbthread) != worker_count)
        diag_add(diag, DIAG_WARNING, NULL, "nbthread cannot change while the process runs; %u threads are kept",
                 worker_count);
    if (g->tune.bufsize > 0 && (uint32_t)g->tune.bufsize != worker_bufsize())
        diag_add(diag, DIAG_WARNING, NULL, "tune.bufsize cannot change while the process runs; %u is kept",
                 worker_bufsize());
    join_check_reload(c, diag);
    return true;
}

static void on_published(struct snapshot *s)
{
    listener_set_maxconn(s->config->global.maxconn);
    admin_publish(process_control(), s->config);
}

static const struct reload_hooks at_start = {
    .adapt = adapt_at_start,
    .prepare = admin_prepare,
    .report = admin_set_startup_log,
};
static const struct reload_hooks at_reload = {
    .adapt = adapt_at_reload,
    .prepare = admin_prepare,
    .published = on_published,
    .report = admin_set_startup_log,
};

// ---- Beginning and end of what lives as long as the process

static void modules_init(const char *program)
{
    char host[256] = "localhost";
    gethostname(host, sizeof(host) - 1);
    if (getenv("PHALANX_TEST_ACTIONS")) // integration-tests/scenarios/async_action.sh
        action_enable_test_rows();
    fetch_bind_http();
    fetch_bind_l4();
    fetch_bind_table();
    conv_bind_all();
    conv_bind_map();
    conv_bind_table();
    var_bind();
    proxy_fetch_bind();
    match_check_bound();
    actions_check_bound();
    stream_init();
    log_init(program, host);
}

// After all threads are joined.
static void modules_shutdown(void)
{
    retire_now_single_threaded();
    reload_shutdown();
    admin_shutdown();
    check_shutdown();
    server_slowstart_shutdown();
    stream_shutdown();
    join_shutdown();
    snapshot_shutdown();
    log_shutdown();
}

// ---- Running

static void soft_stop(void)
{
    listener_stop_all(snapshot_current());
}

static bool is_idle(void)
{
    return listener_conns() == 0;
}

static void on_ending(void)
{
    daemon_notify("STOPPING=1");
    join_stop();
}

// setenv, unsetenv … of the global section, for what runs in this process and below it. A reload leaves them alone:
// threads may be reading.
static void set_environment(const struct cfg_global *g)
{
    for (unsigned i = 0; i < g->nsetenv; i++) {
        char *name = str_dup(g->setenv_names[i]), *value = str_dup(g->setenv_values[i]);
        if (!*name)
            clearenv();
        else if (g->setenv_values[i].ptr)
            setenv(name, value, 1);
        else
            unsetenv(name);
        free(name);
        free(value);
    }
}

// From root in the foreground to what the configuration asks for. Threads do not run yet.
static bool become_service(void)
{
    int pidfile = -1;
    const char *path = options.pidfile;
    char text[4096];
    if (!path && in_force.pidfile.len)
        path = str_copy(text, sizeof(text), in_force.pidfile);
    if (path && (pidfile = daemon_open_pidfile(path)) < 0)
        return false;
    daemon_notify_open();
    set_environment(&in_force);
    if (in_force.daemon && !daemon_detach())
        return false;
    daemon_write_pid(&pidfile);
    if (privileges_will_drop(&in_force)) {
        int rc = keeper_start();
        if (rc < 0) {
            log_alert("[phalanx.main()] Cannot start the privileged helper: %s.", strerror(-rc));
            return false;
        }
    }
    return true;
}

static int serve(struct snapshot *s)
{
    const struct process_hooks hooks = {
        .reload = reload_request,
        .soft_stop = soft_stop,
        .is_idle = is_idle,
        .hard_stop_after_ms = in_force.hard_stop_after,
        .grace_ms = in_force.grace,
        .ending = on_ending,
        .worker_teardown = stream_worker_end,
    };
    if (!process_create(process_thread_count(in_force.nbthread)) || !join_prepare(s->config) ||
        !privileges_chroot(&in_force) || !join_open(&in_force) || !privileges_drop(&in_force) || log_start() < 0 ||
        !join_start()) {
        snapshot_unref(&s);
        return 1;
    }
    reload_init(&config_options, &at_reload);
    admin_reload = reload_request;
    snapshot_publish(s);
    on_published(s);
    table_sweep_start(process_control());
    daemon_signal_old(options.old_pids, options.nold_pids, options.old_signal);
    daemon_notify("READY=1");
    bool ok = process_run(&hooks);
    log_stop();
    return ok ? 0 : 1;
}

static int run(void)
{
    struct snapshot *s = reload_first(&config_options, &at_start);
    if (!s)
        return 1;
    int status = 1;
    if (become_service())
        status = serve(s);
    else
        snapshot_unref(&s);
    modules_shutdown();
    process_destroy();
    keeper_stop();
    daemon_notify_close();
    return status;
}

// ---- The other tasks

static int check(void)
{
    struct snapshot *s = reload_first(&config_options, &at_start);
    if (options.dump_libraries)
        version_print_libraries(stdout);
    int status = s ? 0 : 1;
    bool quiet = options.quiet;
    if (s && s->config->warnings && !quiet)
        printf("Warnings were found.\n");
    if (s && count_listeners(s->config) == 0) {
        if (!quiet)
            printf("Configuration file has no error but will not start (no listener) => exit(2).\n");
        status = 2;
    } else if (s && options.verbose) {
        printf("Configuration file is valid\n");
    }
    snapshot_unref(&s);
    modules_shutdown();
    return status;
}

static int evaluate(void)
{
    struct diag *diag = diag_create();
    struct buf text = BUF_INIT;
    int truth = config_eval_condition(options.condition, diag);
    diag_render(diag, &text, DIAG_NOTICE);
    fprintf(stderr, "%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    diag_destroy(&diag);
    return truth < 0 ? 2 : !truth;
}

static int help(const char *keyword)
{
    struct buf text = BUF_INIT;
    bool known = true;
    if (strcmp(keyword, "--table") == 0)
        config_reference(&text);
    else
        known = config_help(keyword, &text);
    fprintf(known ? stdout : stderr, "%.*s", STR_ARG(buf_str(&text)));
    buf_free(&text);
    return !known;
}

static bool prepare(void)
{
    if (options.poison >= 0)
        mallopt(M_PERTURB, ~options.poison & 0xff); // fresh memory gets the complement of the parameter
    if (options.quiet)
        log_set_quiet(true);
    if (options.diagnostics)
        log_set_max_level(LOG_LEVEL_DIAG);
    sock_set_reuseport(!options.no_reuseport);
    if (options.chdir && chdir(options.chdir) < 0) {
        log_alert("[phalanx.main()] Cannot change to directory %s: %s.", options.chdir, strerror(errno));
        return false;
    }
    config_options = (struct config_options){
        .paths = options.paths,
        .npaths = options.npaths,
        .local_peer = options.local_peer,
        .check_only = options.task == TASK_CHECK,
        .diagnostics = options.diagnostics,
        .zero_warning = options.zero_warning,
        .read_file = keeper_read_file,
        .read_dir = keeper_read_dir,
    };
    return true;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    if (!options_parse(argc, argv, &options))
        return 1;
    int status = 1;
    if (prepare()) {
        if (options.dump_keywords)
            help("");
        modules_init(slash ? slash + 1 : argv[0]);
        switch (options.task) {
        case TASK_RUN:
            status = run();
            break;
        case TASK_CHECK:
            status = check();
            break;
        case TASK_CONDITION:
            status = evaluate();
            break;
        case TASK_VERSION:
            version_print(stdout, options.version_long);
            status = 0;
            break;
        case TASK_HELP:
            status = help(options.keyword);
            break;
        }
    }
    options_free(&options);
    return status;
}
