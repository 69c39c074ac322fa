// SPDX-License-Identifier: Apache-2.0
// Commands on the session and the process.
#include <stdlib.h>
#include <unistd.h>

#include "config/types.h"
#include "node/admin/admin.h"
#include "node/admin/cli_session.h"
#include "node/admin/commands.h"
#include "node/proxy/hooks.h"

static void add_args(struct cli *c, struct buf *out)
{
    for (unsigned i = 0; i < cli_nargs(c); i++)
        buf_printf(out, "%s%.*s", i ? " " : "", STR_ARG(cli_arg(c, i)));
}

enum cli_result cmd_help(struct cli *c)
{
    struct buf words = BUF_INIT;
    add_args(c, &words);
    cli_say(c, "The following commands are valid at this level:\n");
    cli_usage(c, buf_str(&words));
    buf_free(&words);
    return CLI_DONE;
}

enum cli_result cmd_prompt(struct cli *c)
{
    cli_toggle_prompt(c);
    return CLI_DONE;
}

enum cli_result cmd_quit(struct cli *c)
{
    cli_quit(c);
    return CLI_DONE;
}

enum cli_result cmd_user(struct cli *c)
{
    cli_lower_level(c, CLI_USER);
    return CLI_DONE;
}

enum cli_result cmd_operator(struct cli *c)
{
    cli_lower_level(c, CLI_OPERATOR);
    return CLI_DONE;
}

enum cli_result cmd_show_version(struct cli *c)
{
    return cli_say(c, "%s\n", PHX_VERSION);
}

enum cli_result cmd_show_cli_level(struct cli *c)
{
    static const char *names[] = {"user", "operator", "admin"};
    return cli_say(c, "%s\n", names[cli_session_level(c)]);
}

enum cli_result cmd_show_cli_sockets(struct cli *c)
{
    cli_list_sockets(&cli_request(c)->out);
    return CLI_DONE;
}

enum cli_result cmd_show_env(struct cli *c)
{
    struct str name = cli_arg(c, 0);
    bool found = false;
    for (char **e = environ; *e; e++) {
        const char *eq = strchr(*e, '=');
        if (name.len && !(eq && str_eq(str_make(*e, (size_t)(eq - *e)), name)))
            continue;
        cli_say(c, "%s\n", *e);
        found = true;
    }
    return found || !name.len ? CLI_DONE : cli_say(c, "Variable not found\n");
}

enum cli_result cmd_set_timeout(struct cli *c)
{
    int64_t us;
    if (!time_from_text(cli_arg(c, 0), 1000000, &us) || us < 1000)
        return cli_say(c, "Invalid timeout value.\n");
    cli_set_timeout(c, us / 1000);
    return CLI_DONE;
}

// The cluster's own words follow: nodes, tables, servers, json.
enum cli_result cmd_show_cluster(struct cli *c)
{
    struct buf args = BUF_INIT;
    if (!node_hooks.show_cluster)
        return cli_say(c, "No cluster is configured.\n");
    add_args(c, &args);
    node_hooks.show_cluster(buf_str(&args), &cli_request(c)->out);
    buf_free(&args);
    return CLI_DONE;
}

enum cli_result cmd_reload(struct cli *c)
{
    if (!admin_reload)
        return cli_say(c, "Reload is not available.\n");
    admin_reload();
    return cli_say(c, "Reload requested; see 'show startup-logs' for its outcome.\n");
}

enum cli_result cmd_show_startup_logs(struct cli *c)
{
    struct str text = admin_startup_log();
    buf_add_str(&cli_request(c)->out, text);
    return CLI_DONE;
}

// ---- counters

static void zero(struct counters *all, unsigned slots)
{
    for (unsigned i = 0; i < slots; i++) {
        counter_t *cells = (counter_t *)(void *)&all[i];
        for (size_t k = 0; k < sizeof(*all) / sizeof(counter_t); k++)
            atomic_store_explicit(&cells[k], 0, memory_order_relaxed);
    }
}

static void clear_server(struct server_state *s, bool all)
{
    atomic_store(&s->served_max, atomic_load(&s->served));
    atomic_store(&s->queued_max, atomic_load(&s->queued));
    for (unsigned i = 0; all && i < s->worker_slots; i++)
        zero(&s->per_worker[i].counters, 1);
    if (all)
        atomic_store(&s->check_fails, 0);
}

enum cli_result cmd_clear_counters(struct cli *c)
{
    bool all = str_is(cli_arg(c, 0), "all");
    struct snapshot *s = snapshot_current();
    if (all && !cli_allowed(c, CLI_ADMIN))
        return CLI_DONE;
    for (unsigned i = 0; i < s->nproxies; i++) {
        struct frontend_state *f = s->proxies[i]->front;
        struct backend_state *b = s->proxies[i]->back;
        if (f)
            atomic_store(&f->conns_max, atomic_load(&f->conns));
        if (f && all)
            zero(f->counters, f->worker_slots);
        if (b) {
            atomic_store(&b->conns_max, atomic_load(&b->conns));
            atomic_store(&b->queued_max, atomic_load(&b->queued));
        }
        if (b && all)
            zero(b->counters, b->worker_slots);
        for (unsigned k = 0; k < s->proxies[i]->nservers; k++)
            clear_server(s->proxies[i]->servers[k]->state, all);
    }
    return CLI_DONE;
}

enum cli_result cmd_show_activity(struct cli *c)
{
    cli_say(c, "threads: %u\n", worker_count);
    for (unsigned i = 0; i < worker_count; i++) {
        const struct loop_stats *l = loop_stats(workers[i]->loop);
        cli_say(c, "thread_id: %u turns: %llu busy_us: %llu idle_us: %llu conns: %u\n", i + 1,
                (unsigned long long)l->turns, (unsigned long long)l->busy_us, (unsigned long long)l->idle_us,
                atomic_load(&workers[i]->conns));
    }
    return CLI_DONE;
}
