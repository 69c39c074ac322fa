// SPDX-License-Identifier: Apache-2.0
// Commands on servers, backends and frontends: their state, weight, limits and address.
#include <stdlib.h>

#include "node/admin/commands.h"
#include "node/proxy/check.h"
#include "node/proxy/hooks.h"
#include "node/proxy/listener.h"
#include "node/proxy/schedule.h"

struct server *cmd_find_server(struct cli *c, struct str name)
{
    ptrdiff_t slash = str_find_char(name, '/');
    if (slash < 0) {
        cli_say(c, "Require 'backend/server'.\n");
        return NULL;
    }
    struct proxy *p = snapshot_find(snapshot_current(), str_slice(name, 0, (size_t)slash), CAP_BACK);
    if (!p) {
        cli_say(c, "No such backend.\n");
        return NULL;
    }
    struct server *srv = proxy_find_server(p, str_slice(name, (size_t)slash + 1, name.len));
    if (!srv)
        cli_say(c, "No such server.\n");
    return srv;
}

struct proxy *cmd_find_frontend(struct cli *c, struct str name)
{
    struct proxy *p = snapshot_find(snapshot_current(), name, CAP_FRONT);
    if (!p)
        cli_say(c, "No such frontend.\n");
    return p;
}

// The cluster hears of what an operator decided.
static void decided(struct server_state *s)
{
    if (node_hooks.on_admin)
        node_hooks.on_admin(s, atomic_load(&s->admin) & (ADMIN_MAINT | ADMIN_DRAIN), atomic_load(&s->weight));
}

static void set_admin(struct server *srv, unsigned set, unsigned clear)
{
    server_set_admin(srv->state, set, clear, NULL);
    decided(srv->state);
}

enum cli_result cmd_disable_server(struct cli *c)
{
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    if (srv)
        set_admin(srv, ADMIN_MAINT, 0);
    return CLI_DONE;
}

enum cli_result cmd_enable_server(struct cli *c)
{
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    if (srv)
        set_admin(srv, 0, ADMIN_MAINT);
    return CLI_DONE;
}

// ---- weight

enum cli_result cmd_get_weight(struct cli *c)
{
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    if (!srv)
        return CLI_DONE;
    return cli_say(c, "%d (initial %d)\n", atomic_load(&srv->state->weight), atomic_load(&srv->state->weight_initial));
}

// "50" or "50%" of the configured weight.
static enum cli_result set_weight(struct cli *c, struct server *srv, struct str text)
{
    uint64_t value;
    bool percent = text.len > 1 && text.ptr[text.len - 1] == '%';
    if (!str_to_u64(str_slice(text, 0, text.len - (percent ? 1 : 0)), &value))
        return cli_say(c, "Require <weight> or <weight%%>.\n");
    if (percent)
        value = value * (uint64_t)atomic_load(&srv->state->weight_initial) / 100;
    if (value > 256)
        return cli_say(c, percent ? "Relative weight must be positive and lead to a weight of at most 256.\n"
                                  : "Absolute weight can only be between 0 and 256 inclusive.\n");
    server_set_weight(srv->state, (int)value);
    decided(srv->state);
    return CLI_DONE;
}

enum cli_result cmd_set_weight(struct cli *c)
{
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    return srv ? set_weight(c, srv, cli_arg(c, 1)) : CLI_DONE;
}

// ---- set server

static enum cli_result set_state(struct cli *c, struct server *srv, struct str state)
{
    if (str_is(state, "ready"))
        set_admin(srv, 0, ADMIN_MAINT | ADMIN_DRAIN);
    else if (str_is(state, "drain"))
        set_admin(srv, ADMIN_DRAIN, ADMIN_MAINT);
    else if (str_is(state, "maint"))
        set_admin(srv, ADMIN_MAINT, ADMIN_DRAIN);
    else
        return cli_say(c, "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n");
    return CLI_DONE;
}

static enum cli_result set_health(struct cli *c, struct server *srv, struct str health)
{
    if (!srv->cfg->check)
        return cli_say(c, "Cannot change health of a server without checks.\n");
    if (str_is(health, "up"))
        server_set_health(srv->state, true, "changed from CLI");
    else if (str_is(health, "down"))
        server_set_health(srv->state, false, "changed from CLI");
    else
        return cli_say(c, "'set server <srv> health' expects 'up' or 'down'.\n");
    return CLI_DONE;
}

static enum cli_result set_addr(struct cli *c, struct server *srv)
{
    struct addr a = server_addr(srv->state);
    struct str text = cli_arg(c, 2), port = cli_arg(c, 4);
    uint16_t old_port = a.kind == ADDR_INET ? inet_port(&a.inet) : 0;
    uint64_t number;
    a.kind = ADDR_INET;
    if (!inet_parse(text, &a.inet))
        return cli_say(c, "Invalid addr family or address '%.*s'.\n", STR_ARG(text));
    inet_set_port(&a.inet, old_port);
    if (str_is(cli_arg(c, 3), "port")) {
        if (!str_to_u64(port, &number) || number < 1 || number > 65535)
            return cli_say(c, "Invalid port '%.*s'.\n", STR_ARG(port));
        inet_set_port(&a.inet, (uint16_t)number);
    }
    char shown[160];
    bool changed = server_set_addr(srv->state, &a, "stats socket command");
    return cli_say(
        c, changed ? "address changed to '%s' by 'stats socket command'\n" : "no need to change the address '%s'\n",
        addr_format(&a, shown, sizeof(shown)));
}

enum cli_result cmd_set_server(struct cli *c)
{
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    struct str what = cli_arg(c, 1);
    if (!srv)
        return CLI_DONE;
    if (str_is(what, "state"))
        return set_state(c, srv, cli_arg(c, 2));
    if (str_is(what, "weight"))
        return set_weight(c, srv, cli_arg(c, 2));
    if (str_is(what, "health"))
        return set_health(c, srv, cli_arg(c, 2));
    if (str_is(what, "addr"))
        return set_addr(c, srv);
    return cli_say(c, "usage: set server <backend>/<server> addr | health | state | weight\n");
}

// ---- limits

static bool limit_arg(struct cli *c, unsigned n, int *out)
{
    uint64_t value;
    if (!str_to_u64(cli_arg(c, n), &value) || value > INT32_MAX) {
        cli_say(c, "Integer value expected.\n");
        return false;
    }
    *out = (int)value;
    return true;
}

enum cli_result cmd_set_maxconn_server(struct cli *c)
{
    int value;
    struct server *srv = cmd_find_server(c, cli_arg(c, 0));
    if (srv && limit_arg(c, 1, &value))
        server_set_maxconn(srv->state, value);
    return CLI_DONE;
}

enum cli_result cmd_set_maxconn_frontend(struct cli *c)
{
    int value;
    struct proxy *p = cmd_find_frontend(c, cli_arg(c, 0));
    if (p && limit_arg(c, 1, &value)) {
        atomic_store(&p->front->maxconn, value);
        listener_resume(p->front);
    }
    return CLI_DONE;
}

enum cli_result cmd_set_maxconn_global(struct cli *c)
{
    int value;
    if (limit_arg(c, 0, &value))
        listener_set_maxconn(value);
    return CLI_DONE;
}

enum cli_result cmd_disable_frontend(struct cli *c)
{
    struct proxy *p = cmd_find_frontend(c, cli_arg(c, 0));
    if (p && atomic_exchange(&p->front->disabled, true))
        cli_say(c, "Frontend is already disabled.\n");
    return CLI_DONE;
}

enum cli_result cmd_enable_frontend(struct cli *c)
{
    struct proxy *p = cmd_find_frontend(c, cli_arg(c, 0));
    if (p && !atomic_exchange(&p->front->disabled, false))
        return cli_say(c, "Frontend is already enabled.\n");
    if (p)
        listener_resume(p->front);
    return CLI_DONE;
}

// ---- lists

// False: the argument names no backend.
static bool only_backend(struct cli *c, unsigned n, struct proxy **only)
{
    struct str name = cli_arg(c, n);
    *only = NULL;
    if (name.len == 0)
        return true;
    *only = snapshot_find(snapshot_current(), name, CAP_BACK);
    if (!*only)
        cli_say(c, "Can't find backend.\n");
    return *only != NULL;
}

// The numbers of a state file (management.txt "show servers state").
static void server_state_line(struct buf *out, struct server *srv)
{
    static const int status_numbers[CHECK_STATUS_COUNT] = {0, 1, 4, 6, 7, 8, 15, 16, 13, 14, 17};
    struct server_state *s = srv->state;
    const struct cfg_server *cfg = srv->cfg;
    struct addr a = server_addr(s);
    char text[160] = "-";
    unsigned admin = atomic_load(&s->admin);
    enum check_status status = (enum check_status)atomic_load(&s->check_status);
    int op = !atomic_load(&s->effective_up) || (admin & ADMIN_OUT) ? 0 : admin & ADMIN_NOLB ? 3 : 2;
    int result = status <= CHECK_INI ? 0 : check_status_passes(status) ? 3 : 2;
    int admin_bits = (admin & ADMIN_MAINT ? 1 : 0) | (admin & ADMIN_TRACK_MAINT ? 2 : 0) |
                     (cfg->disabled && admin & ADMIN_MAINT ? 4 : 0) | (admin & ADMIN_DRAIN ? 8 : 0) |
                     (admin & ADMIN_UNRESOLVED ? 32 : 0);
    if (a.kind == ADDR_INET)
        inet_format(&a.inet, text, sizeof(text));
    else
        addr_format(&a, text, sizeof(text));
    buf_printf(out, "%d %.*s %d %.*s %s %d %d %d %d %lld %d %d %d %d 0 0 0 - %u - 0 %d - - 0\n", cfg->proxy->id,
               STR_ARG(cfg->proxy->name), cfg->id, STR_ARG(cfg->name), text, op, admin_bits, atomic_load(&s->weight),
               atomic_load(&s->weight_initial), (long long)((mono_now().us - atomic_load(&s->changed_us)) / 1000000),
               cfg->check ? status_numbers[status] : 1, cfg->check ? result : 0,
               cfg->check ? atomic_load(&s->check_health) : cfg->rise,
               !cfg->check           ? 0
               : admin & ADMIN_MAINT ? 14
                                     : 6,
               a.kind == ADDR_INET ? inet_port(&a.inet) : 0, cfg->check_port);
}

enum cli_result cmd_show_servers_state(struct cli *c)
{
    struct proxy *only;
    struct snapshot *s = snapshot_current();
    struct buf *out = &cli_request(c)->out;
    if (!only_backend(c, 0, &only))
        return CLI_DONE;
    buf_add_cstr(
        out,
        "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
        "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
        "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
        "srv_agent_addr srv_agent_port\n");
    for (unsigned i = 0; i < s->nproxies; i++)
        for (unsigned k = 0; (!only || only == s->proxies[i]) && k < s->proxies[i]->nservers; k++)
            server_state_line(out, s->proxies[i]->servers[k]);
    return CLI_DONE;
}

enum cli_result cmd_show_servers_conn(struct cli *c)
{
    struct proxy *only;
    struct snapshot *s = snapshot_current();
    struct buf *out = &cli_request(c)->out;
    char text[160];
    if (!only_backend(c, 0, &only))
        return CLI_DONE;
    buf_add_cstr(out, "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb "
                      "idle_lim idle_cur\n");
    for (unsigned i = 0; i < s->nproxies; i++) {
        for (unsigned k = 0; (!only || only == s->proxies[i]) && k < s->proxies[i]->nservers; k++) {
            struct server *srv = s->proxies[i]->servers[k];
            struct addr a = server_addr(srv->state);
            buf_printf(out, "%.*s/%.*s %d/%d %s %u - %d %d %d %d 0 %d %d %d\n", STR_ARG(srv->cfg->proxy->name),
                       STR_ARG(srv->cfg->name), srv->cfg->proxy->id, srv->cfg->id,
                       a.kind == ADDR_INET ? inet_format(&a.inet, text, sizeof(text)) : "-",
                       a.kind == ADDR_INET ? inet_port(&a.inet) : 0, srv->cfg->pool_purge_delay,
                       atomic_load(&srv->state->served), atomic_load(&srv->state->served_max),
                       atomic_load(&srv->state->served_max), atomic_load(&srv->state->idle_total),
                       srv->cfg->pool_max_conn, atomic_load(&srv->state->idle_total));
        }
    }
    return CLI_DONE;
}

enum cli_result cmd_show_backend(struct cli *c)
{
    struct snapshot *s = snapshot_current();
    cli_say(c, "# name\n");
    for (unsigned i = 0; i < s->nproxies; i++)
        if (s->proxies[i]->back)
            cli_say(c, "%.*s\n", STR_ARG(s->proxies[i]->cfg->name));
    return CLI_DONE;
}
