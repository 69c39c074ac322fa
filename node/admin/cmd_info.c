// SPDX-License-Identifier: Apache-2.0
// show info: the process at a glance, in the names, order and positions of management.txt 9.3.
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/admin/admin.h"
#include "node/admin/commands.h"
#include "node/admin/stats.h"
#include "node/io/conn.h"
#include "node/proxy/access_log.h"
#include "node/proxy/listener.h"

#define RELEASE_DATE "2026/11/22" // of PHX_VERSION; monitors such as hatop insist on one

enum info_field {
#define INFO(id, name, tags) INFO_##id,
#include "node/admin/info.def"
#undef INFO
    INFO_COUNT
};
static const struct {
    const char *name;
    const char *tags; // origin, nature, scope
} fields[INFO_COUNT] = {
#define INFO(id, name, tags) [INFO_##id] = {name, tags},
#include "node/admin/info.def"
#undef INFO
};

struct value {
    enum { NONE, TEXT, U32, U64 } kind;
    char text[128];
};
struct info {
    struct value values[INFO_COUNT];
};

static void text(struct info *i, enum info_field f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void text(struct info *i, enum info_field f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(i->values[f].text, sizeof(i->values[f].text), fmt, ap);
    va_end(ap);
    i->values[f].kind = TEXT;
}

static void number(struct info *i, enum info_field f, uint64_t value)
{
    text(i, f, "%llu", (unsigned long long)value);
    i->values[f].kind = value > UINT32_MAX ? U64 : U32;
}

// ---- gathering

static void process_part(struct info *i, int64_t up_s)
{
    text(i, INFO_NAME, "Phalanx");
    text(i, INFO_VERSION, "%s", PHX_VERSION);
    text(i, INFO_RELEASE_DATE, "%s", RELEASE_DATE);
    number(i, INFO_NBTHREAD, worker_count);
    number(i, INFO_NBPROC, 1);
    number(i, INFO_PROCESS_NUM, 1);
    number(i, INFO_PID, (uint64_t)getpid());
    text(i, INFO_UPTIME, "%lldd %lldh%02lldm%02llds", (long long)(up_s / 86400), (long long)(up_s / 3600 % 24),
         (long long)(up_s / 60 % 60), (long long)(up_s % 60));
    number(i, INFO_UPTIME_SEC, (uint64_t)up_s);
    number(i, INFO_START_TIME_SEC, (uint64_t)(wall_now_us() / 1000000 - up_s));
    text(i, INFO_BUILD_INFO, "%s", PHX_VERSION);
    number(i, INFO_TAINTED, 0);
}

static void memory_part(struct info *i)
{
    struct mallinfo2 m = mallinfo2();
    struct rlimit files = {0}, space = {.rlim_cur = RLIM_INFINITY};
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_AS, &space);
    uint64_t limit = space.rlim_cur == RLIM_INFINITY ? 0 : space.rlim_cur;
    number(i, INFO_MEMMAX_MB, limit / 1048576);
    number(i, INFO_MEMMAX_BYTES, limit);
    number(i, INFO_POOL_ALLOC_MB, m.arena / 1048576);
    number(i, INFO_POOL_USED_MB, m.uordblks / 1048576);
    number(i, INFO_POOL_ALLOC_BYTES, m.arena);
    number(i, INFO_POOL_USED_BYTES, m.uordblks);
    number(i, INFO_POOL_FAILED, 0);
    number(i, INFO_ULIMIT_N, files.rlim_cur);
    number(i, INFO_MAXSOCK, files.rlim_cur);
}

static uint64_t session_rate(const struct snapshot *s)
{
    uint64_t now = (uint64_t)mono_now().us, rate = 0;
    for (unsigned p = 0; p < s->nproxies; p++) {
        struct frontend_state *f = s->proxies[p]->front;
        for (unsigned w = 0; f && w < f->worker_slots; w++)
            rate +=
                counters_rate(&f->counters[w].rate_now, &f->counters[w].rate_before, &f->counters[w].rate_second, now);
    }
    return rate;
}

static void traffic_part(struct info *i, struct snapshot *s)
{
    struct counters c;
    uint64_t conns = (uint64_t)listener_conns(), rate = session_rate(s);
    stats_process(s, &c);
    number(i, INFO_MAXCONN, (uint64_t)listener_maxconn());
    number(i, INFO_HARD_MAXCONN, (uint64_t)listener_maxconn());
    number(i, INFO_CURR_CONNS, conns);
    number(i, INFO_CUM_CONNS, listener_conns_total());
    number(i, INFO_CUM_REQ, counter_get(&c.requests));
    number(i, INFO_MAXPIPES, (uint64_t)s->config->global.maxpipes);
    number(i, INFO_PIPES_USED, pipe_count_used());
    number(i, INFO_PIPES_FREE, pipe_count_free());
    number(i, INFO_CONN_RATE, rate);
    number(i, INFO_CONN_RATE_LIMIT, 0);
    number(i, INFO_SESS_RATE, rate);
    number(i, INFO_SESS_RATE_LIMIT, 0);
    number(i, INFO_TOTAL_BYTES_OUT, counter_get(&c.bytes_out));
    number(i, INFO_TASKS, conns);
    number(i, INFO_RUN_QUEUE, 0); // what is ready is run in the same turn of its loop
    number(i, INFO_JOBS, conns + s->nlisteners);
}

static void loops_part(struct info *i, const struct snapshot *s)
{
    uint64_t busy = 0, idle = 0, accepting = 0;
    char host[64] = "localhost";
    for (unsigned w = 0; w < worker_count; w++) {
        const struct loop_stats *l = loop_stats(workers[w]->loop);
        busy += l->busy_us;
        idle += l->idle_us;
    }
    for (unsigned k = 0; k < s->nlisteners; k++)
        accepting += atomic_load(&s->listeners[k]->state) == LISTENER_ACCEPTING;
    number(i, INFO_IDLE_PCT, busy + idle ? idle * 100 / (busy + idle) : 100);
    number(i, INFO_LISTENERS, s->nlisteners);
    number(i, INFO_STOPPING, s->nlisteners > 0 && accepting == 0);
    number(i, INFO_DROPPED_LOGS, log_dropped());
    gethostname(host, sizeof(host) - 1);
    if (s->config->global.node.len)
        text(i, INFO_NODE, "%.*s", STR_ARG(s->config->global.node));
    else
        text(i, INFO_NODE, "%s", host);
    if (s->config->global.description.len)
        text(i, INFO_DESCRIPTION, "%.*s", STR_ARG(s->config->global.description));
}

// ---- printing

typedef void print_fn(struct buf *out, const struct info *i);

static const char *type_name(const struct value *v)
{
    return v->kind == TEXT ? "str" : v->kind == U64 ? "u64" : "u32";
}

static void print_text(struct buf *out, const struct info *i)
{
    for (unsigned f = 0; f < INFO_COUNT; f++)
        if (i->values[f].kind != NONE)
            buf_printf(out, "%s: %s\n", fields[f].name, i->values[f].text);
}

static void print_typed(struct buf *out, const struct info *i)
{
    for (unsigned f = 0; f < INFO_COUNT; f++)
        if (i->values[f].kind != NONE)
            buf_printf(out, "%u.%s.1:%s:%s:%s\n", f, fields[f].name, fields[f].tags, type_name(&i->values[f]),
                       i->values[f].text);
}

static void print_json(struct buf *out, const struct info *i)
{
    char separator = '[';
    for (unsigned f = 0; f < INFO_COUNT; f++) {
        const struct value *v = &i->values[f];
        if (v->kind == NONE)
            continue;
        buf_printf(out, "%c{\"field\":{\"pos\":%u,\"name\":\"%s\"},\"processNum\":1,\"tags\":{", separator, f,
                   fields[f].name);
        stats_json_tags(out, fields[f].tags);
        buf_printf(out, "},\"value\":{\"type\":\"%s\",\"value\":", type_name(v));
        if (v->kind == TEXT)
            stats_json_string(out, v->text);
        else
            buf_add_cstr(out, v->text);
        buf_add_cstr(out, "}}");
        separator = ',';
    }
    buf_add_cstr(out, "]\n");
}

enum cli_result cmd_show_info(struct cli *c)
{
    struct snapshot *s = snapshot_current();
    struct info i = {0};
    print_fn *print = print_text;
    for (unsigned n = 0; n < cli_nargs(c); n++)
        print = str_is(cli_arg(c, n), "typed") ? print_typed : str_is(cli_arg(c, n), "json") ? print_json : print;
    process_part(&i, (mono_now().us - admin_started_us) / 1000000);
    memory_part(&i);
    traffic_part(&i, s);
    loops_part(&i, s);
    print(&cli_request(c)->out, &i);
    return CLI_DONE;
}
