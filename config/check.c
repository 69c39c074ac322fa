// SPDX-License-Identifier: Apache-2.0
// Checks that need the whole configuration: names become pointers, numbers are assigned, settings that do not fit a
// proxy's mode are told and undone. Messages are HAProxy's where it has one.
#include <stdlib.h>

#include "config/load.h"
#include "config/log_line.h"

#define TEXT(s) STR_ARG(s)

static const char *kind_of(const struct cfg_proxy *px)
{
    return px->caps == CAP_FRONT ? "frontend" : px->caps == CAP_BACK ? "backend" : "proxy";
}

static void warn(struct parse *p, const struct cfg_src *src, const char *fmt, const struct cfg_proxy *px)
    __attribute__((format(printf, 3, 0)));

// fmt takes the kind and the name of the proxy.
static void warn(struct parse *p, const struct cfg_src *src, const char *fmt, const struct cfg_proxy *px)
{
    char name[256];
    diag_add(p->diag, DIAG_WARNING, src, fmt, kind_of(px), str_copy(name, sizeof(name), px->name));
}

// ---- Names ---------------------------------------------------------------------------------------------------------
static void resolve_default_backend(struct parse *p, struct cfg_proxy *px)
{
    struct config *c = p->config;
    struct str name = px->default_backend_name;
    if (name.len == 0 || !(px->caps & CAP_FRONT))
        return;
    px->default_backend = config_find_proxy(c, name, CAP_BACK);
    if (px->default_backend) {
        if (px->mode == MODE_HTTP && px->default_backend->mode == MODE_TCP)
            diag_add(p->diag, DIAG_ALERT, &px->default_backend_src,
                     "http %s '%.*s' tries to use incompatible tcp backend '%.*s' as its default backend (see 'mode').",
                     kind_of(px), TEXT(px->name), TEXT(name));
        return;
    }
    const char **names = ARENA_ARRAY(p->arena, const char *, c->nproxies);
    unsigned n = 0;
    for (unsigned i = 0; i < c->nproxies; i++)
        if (c->proxies[i]->caps & CAP_BACK)
            names[n++] = c->proxies[i]->name.ptr;
    const char *near = parse_nearest(name, names, n, sizeof(*names));
    diag_add(p->diag, DIAG_ALERT, &px->default_backend_src,
             "Proxy '%.*s': unable to find required default_backend: '%.*s'%s%s%s", TEXT(px->name), TEXT(name),
             near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
}

static void resolve_table(struct parse *p, struct cfg_proxy *px)
{
    struct cfg_table *t = px->table;
    if (!t || t->peers.len == 0 || t->cluster)
        return;
    bool found = false;
    for (unsigned i = 0; i < p->config->nclusters; i++) {
        struct cfg_cluster *c = &p->config->clusters[i];
        if (!str_eq(c->name, t->peers))
            continue;
        found = true;
        if (c->tables_replicated) // `tables local`: the name is known, nothing is shared
            t->cluster = c;
    }
    if (!found)
        diag_add(p->diag, DIAG_ALERT, &t->src,
                 "Proxy '%.*s': unable to find the cluster '%.*s' that its stick-table names with 'peers'.",
                 TEXT(px->name), TEXT(t->peers));
}

// "[backend/]server" → the server whose checks count.
static void resolve_track(struct parse *p, struct cfg_server *sv)
{
    struct str rest = sv->track, first;
    str_split(&rest, '/', &first);
    const struct cfg_proxy *px = rest.ptr ? config_find_proxy(p->config, first, CAP_BACK) : sv->proxy;
    sv->track_server = px ? config_find_server(px, rest.ptr ? rest : first) : NULL;
    if (!sv->track_server)
        diag_add(p->diag, DIAG_ALERT, &sv->src,
                 "server '%.*s/%.*s': unable to find required server '%.*s' for tracking.", TEXT(sv->proxy->name),
                 TEXT(sv->name), TEXT(sv->track));
    else if (sv->check)
        diag_add(p->diag, DIAG_ALERT, &sv->src, "server '%.*s/%.*s' cannot have both 'check' and 'track'.",
                 TEXT(sv->proxy->name), TEXT(sv->name));
}

// Follows the chain of a tracking server, once all are resolved.
static void check_track(struct parse *p, const struct cfg_server *sv)
{
    const struct cfg_server *end = sv;
    for (unsigned steps = 0; end->track_server; end = end->track_server)
        if (steps++ > 1000 || end->track_server == sv) {
            diag_add(p->diag, DIAG_ALERT, &sv->src, "server '%.*s/%.*s' tracks itself in a loop.",
                     TEXT(sv->proxy->name), TEXT(sv->name));
            return;
        }
    if (end != sv && !end->check)
        diag_add(p->diag, DIAG_ALERT, &sv->src,
                 "server '%.*s/%.*s': unable to use %.*s/%.*s for tracking as it does not have any check.",
                 TEXT(sv->proxy->name), TEXT(sv->name), TEXT(end->proxy->name), TEXT(end->name));
}

// ---- Numbers -------------------------------------------------------------------------------------------------------
static int by_id(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

struct numbered {
    int *id;
    const struct cfg_src *src;
    struct str name;
};

// Explicit numbers must differ; others get the free ones from `next` on, in file order.
static void assign_ids(struct parse *p, struct numbered *items, unsigned n, int next, const char *what)
{
    int *used = ARENA_ARRAY(p->arena, int, n + 1);
    unsigned nused = 0;
    for (unsigned i = 0; i < n; i++) {
        if (*items[i].id == 0)
            continue;
        for (unsigned j = 0; j < i; j++)
            if (*items[j].id == *items[i].id) {
                diag_add(p->diag, DIAG_ALERT, items[i].src, "%s '%.*s': custom id %d already used at line %u ('%.*s').",
                         what, TEXT(items[i].name), *items[i].id, items[j].src->line, TEXT(items[j].name));
                break;
            }
        used[nused++] = *items[i].id;
    }
    qsort(used, nused, sizeof(*used), by_id);
    unsigned at = 0;
    for (unsigned i = 0; i < n; i++) {
        if (*items[i].id != 0)
            continue;
        for (; at < nused && used[at] <= next; at++)
            if (used[at] == next)
                next++;
        *items[i].id = next++;
    }
}

static void number_all(struct parse *p)
{
    struct config *c = p->config;
    struct numbered *items = ARENA_ARRAY(p->arena, struct numbered, c->nproxies);
    for (unsigned i = 0; i < c->nproxies; i++)
        items[i] = (struct numbered){&c->proxies[i]->id, &c->proxies[i]->src, c->proxies[i]->name};
    // In HAProxy the runtime API is a frontend of its own, with number 1 when there is a `stats socket`.
    assign_ids(p, items, c->nproxies, c->global.nstats_sockets > 0 ? 2 : 1, "proxy");
    for (unsigned i = 0; i < c->nproxies; i++) {
        struct cfg_proxy *px = c->proxies[i];
        items = ARENA_ARRAY(p->arena, struct numbered, px->nservers > px->nbinds ? px->nservers : px->nbinds);
        for (unsigned s = 0; s < px->nservers; s++)
            items[s] = (struct numbered){&px->servers[s].id, &px->servers[s].src, px->servers[s].name};
        assign_ids(p, items, px->nservers, 1, "server");
        for (unsigned b = 0; b < px->nbinds; b++)
            items[b] = (struct numbered){&px->binds[b].id, &px->binds[b].src, px->binds[b].name};
        assign_ids(p, items, px->nbinds, 1, "bind");
    }
}

// ---- Modes ---------------------------------------------------------------------------------------------------------
static bool off(int timeout)
{
    return timeout <= 0;
}

static void check_timeouts(struct parse *p, const struct cfg_proxy *px)
{
    const struct cfg_timeouts *t = &px->timeout;
    bool front = (px->caps & CAP_FRONT) && off(t->client);
    bool back = (px->caps & CAP_BACK) && px->nservers > 0 &&
                (off(t->connect) || (off(t->server) && (px->mode == MODE_HTTP || off(t->tunnel))));
    if (!front && !back)
        return;
    warn(p, NULL,
         "missing timeouts for %s '%s'.\n"
         "   | While not properly invalid, you will certainly encounter various problems\n"
         "   | with such a configuration. To fix this, please ensure that all following\n"
         "   | timeouts are set to a non-zero value: 'client', 'connect', 'server'.",
         px);
}

// Options that mean nothing in mode tcp.
static void drop_http_options(struct parse *p, struct cfg_proxy *px)
{
    static const struct {
        enum cfg_option option;
        const char *name;
    } options[] = {{OPT_FORWARDFOR, "forwardfor"},
                   {OPT_ORIGINALTO, "originalto"},
                   {OPT_HTTP_PRETEND_KEEPALIVE, "http-pretend-keepalive"},
                   {OPT_HTTP_BUFFER_REQUEST, "http-buffer-request"},
                   {OPT_HTTP_IGNORE_PROBES, "http-ignore-probes"}};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (!cfg_option(px, options[i].option))
            continue;
        px->options &= ~((uint64_t)1 << options[i].option);
        diag_add(p->diag, DIAG_WARNING, &px->src, "'option %s' ignored for %s '%.*s' as it requires HTTP mode.",
                 options[i].name, kind_of(px), TEXT(px->name));
    }
}

static void drop_http_settings(struct parse *p, struct cfg_proxy *px)
{
    if (px->monitor_uri.len && (px->caps & CAP_FRONT))
        warn(p, &px->src, "monitor-uri will be ignored for %s '%s' (needs 'mode http').", px);
    px->monitor_uri = STR_NONE;
    if (px->cookie.name.len && (px->caps & CAP_BACK))
        warn(p, &px->src, "cookie will be ignored for %s '%s' (needs 'mode http').", px);
    px->cookie.name = STR_NONE;
    for (unsigned i = 0; i < px->nservers; i++) {
        if (px->servers[i].cookie.len)
            diag_add(p->diag, DIAG_WARNING, &px->servers[i].src,
                     "%s '%.*s' : ignoring cookie for server '%.*s' as HTTP mode is disabled.", kind_of(px),
                     TEXT(px->name), TEXT(px->servers[i].name));
        px->servers[i].cookie = STR_NONE;
    }
    if (px->balance == BALANCE_URI || px->balance == BALANCE_URL_PARAM || px->balance == BALANCE_HDR) {
        if (px->caps & CAP_BACK)
            warn(p, &px->src, "Layer 7 hash not possible for %s '%s' (needs 'mode http'). Falling back to round robin.",
                 px);
        px->balance = BALANCE_ROUNDROBIN;
    }
    if ((px->log_line == LOG_LINE_HTTP || px->log_line == LOG_LINE_CLF) && (px->caps & CAP_FRONT)) {
        warn(p, &px->log_line_src,
             "'option httplog' not usable with %s '%s' (needs 'mode http'). Falling back to 'option tcplog'.", px);
        px->log_line = LOG_LINE_TCP;
    }
}

// ---- Logs ----------------------------------------------------------------------------------------------------------
static void check_logs(struct parse *p, struct cfg_proxy *px)
{
    const struct cfg_global *g = &p->config->global;
    if (px->log_global)
        for (unsigned i = 0; i < g->nlogs; i++)
            *PARSE_PUSH(p->arena, px->logs, px->nlogs, struct cfg_log) = g->logs[i];
    if (!(px->caps & CAP_FRONT))
        return;
    if (px->nlogs == 0 && px->log_line != LOG_LINE_NONE)
        warn(p, NULL, "log format ignored for %s '%s' since it has no log address.", px);
    if (px->nlogs > 0 && px->log_line == LOG_LINE_NONE)
        px->log_line = LOG_LINE_DEFAULT;
}

// The built-in formats, parsed once and shared.
struct log_formats {
    struct cfg_format tcp, http, clf, default_tcp, default_http;
};

static void parse_builtin(struct parse *p, const char *text, enum cfg_mode mode, struct cfg_format *out)
{
    struct cfg_proxy px;
    proxy_init(&px);
    px.mode = mode;
    px.caps = CAP_FRONT | CAP_BACK;
    px.name = STR("built-in format");
    struct parse at = *p;
    struct str words[] = {STR("log-format"), str_of(text)};
    at.words = words;
    at.nwords = 2;
    at.section = SECTION_LISTEN;
    at.proxy = ARENA_NEW(p->arena, struct cfg_proxy);
    *at.proxy = px;
    bool ok = parse_format(&at, 1, words[1], WHERE_LOG, out);
    ASSERT(ok);
}

static void set_log_format(struct cfg_proxy *px, const struct log_formats *formats)
{
    switch (px->log_line) {
    case LOG_LINE_TCP:
        px->log_format = formats->tcp;
        break;
    case LOG_LINE_HTTP:
        px->log_format = formats->http;
        break;
    case LOG_LINE_CLF:
        px->log_format = formats->clf;
        break;
    case LOG_LINE_DEFAULT:
        px->log_format = px->mode == MODE_HTTP ? formats->default_http : formats->default_tcp;
        break;
    default:
        break;
    }
}

// ---- One proxy -----------------------------------------------------------------------------------------------------
static void check_proxy(struct parse *p, struct cfg_proxy *px)
{
    // What was inherited but has no place here.
    if (!(px->caps & CAP_BACK))
        px->cookie.name = STR_NONE;
    resolve_default_backend(p, px);
    resolve_table(p, px);
    for (unsigned i = 0; i < px->nservers; i++) {
        if (px->servers[i].track.len)
            resolve_track(p, &px->servers[i]);
        if (px->servers[i].observe == OBSERVE_LAYER7 && px->mode == MODE_TCP)
            diag_add(p->diag, DIAG_ALERT, &px->servers[i].src,
                     "server '%.*s/%.*s': 'observe layer7' can only be used in http proxies.", TEXT(px->name),
                     TEXT(px->servers[i].name));
    }
    if (px->disabled)
        return;
    // Behind an error these would most likely be its consequence.
    bool clean = diag_count(p->diag, DIAG_ALERT) == 0;
    if (clean && px->caps == CAP_FRONT && px->nbinds == 0)
        warn(p, &px->src, "%s '%s' has no 'bind' directive. Please declare it as a backend if this was intended.", px);
    if (px->mode == MODE_TCP) {
        drop_http_settings(p, px);
        drop_http_options(p, px);
    }
    check_logs(p, px);
    if (clean)
        check_timeouts(p, px);
}

void check_config(struct parse *p)
{
    struct config *c = p->config;
    struct log_formats formats = {.tcp = {.nodes = NULL}};
    parse_builtin(p, LOG_FORMAT_TCP, MODE_TCP, &formats.tcp);
    parse_builtin(p, LOG_FORMAT_HTTP, MODE_HTTP, &formats.http);
    parse_builtin(p, LOG_FORMAT_CLF, MODE_HTTP, &formats.clf);
    parse_builtin(p, "Connect from %ci:%cp to %fi:%fp (%f/TCP)", MODE_TCP, &formats.default_tcp);
    parse_builtin(p, "Connect from %ci:%cp to %fi:%fp (%f/HTTP)", MODE_HTTP, &formats.default_http);
    for (unsigned i = 0; i < c->nproxies; i++)
        check_proxy(p, c->proxies[i]);
    number_all(p);
    for (unsigned i = 0; i < c->nproxies; i++) {
        set_log_format(c->proxies[i], &formats);
        for (unsigned s = 0; s < c->proxies[i]->nservers; s++)
            check_track(p, &c->proxies[i]->servers[s]);
    }
}
