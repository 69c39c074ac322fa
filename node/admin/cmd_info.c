// SPDX-License-Identifier: Apache-2.0
// show info: the process at a glance, in the names of management.txt 9.3.
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/admin/admin.h"
#include "node/admin/commands.h"
#include "node/admin/stats.h"
#include "node/io/conn.h"
#include "node/proxy/access_log.h"
#include "node/proxy/listener.h"

enum form { FORM_TEXT, FORM_TYPED, FORM_JSON };
struct info {
    struct buf *out;
    enum form form;
    unsigned pos;
};

static const char *tag_name(char tag)
{
    switch (tag) {
    case 'M':
        return "Metric";
    case 'S':
        return "Status";
    case 'K':
        return "Key";
    case 'C':
        return "Config";
    default:
        return "Product";
    }
}

static void line(struct info *i, const char *name, const char *tags, const char *type, const char *value)
{
    bool quoted = strcmp(type, "str") == 0;
    if (i->form == FORM_TEXT)
        buf_printf(i->out, "%s: %s\n", name, value);
    else if (i->form == FORM_TYPED)
        buf_printf(i->out, "%u.%s.1:%s:%s:%s\n", i->pos, name, tags, type, value);
    else
        buf_printf(i->out,
                   "%s{\"field\":{\"pos\":%u,\"name\":\"%s\"},\"processNum\":1,\"tags\":{\"origin\":\"%s\",\"nature\":"
                   "\"%s\",\"scope\":\"%s\"},"
                   "\"value\":{\"type\":\"%s\",\"value\":%s%s%s}}",
                   i->pos ? "," : "", i->pos, name, tag_name(tags[0]),
                   tags[1] == 'G'   ? "Gauge"
                   : tags[1] == 'L' ? "Limit"
                                    : "Output",
                   tags[2] == 'S' ? "Service" : "Process", type, quoted ? "\"" : "", value, quoted ? "\"" : "");
    i->pos++;
}

static void text(struct info *i, const char *name, const char *tags, const char *value)
{
    line(i, name, tags, "str", value);
}

static void number(struct info *i, const char *name, const char *tags, uint64_t value)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    line(i, name, tags, value > UINT32_MAX ? "u64" : "u32", digits);
}

static void process_part(struct info *i, struct snapshot *s, int64_t up_s)
{
    char uptime[64];
    snprintf(uptime, sizeof(uptime), "%lldd %lldh%02lldm%02llds", (long long)(up_s / 86400),
             (long long)(up_s / 3600 % 24), (long long)(up_s / 60 % 60), (long long)(up_s % 60));
    text(i, "Name", "POS", "Phalanx");
    text(i, "Version", "POS", PHX_VERSION);
    number(i, "Nbthread", "CGS", worker_count);
    number(i, "Nbproc", "CGS", 1);
    number(i, "Process_num", "KGP", 1);
    number(i, "Pid", "SGP", (uint64_t)getpid());
    text(i, "Uptime", "MDP", uptime);
    number(i, "Uptime_sec", "MDP", (uint64_t)up_s);
    struct mallinfo2 m = mallinfo2();
    number(i, "Memmax_MB", "CLP", 0);
    number(i, "PoolAlloc_MB", "MGP", m.arena / 1048576);
    number(i, "PoolUsed_MB", "MGP", m.uordblks / 1048576);
}

static void traffic_part(struct info *i, struct snapshot *s)
{
    struct counters c;
    struct rlimit limit = {0};
    stats_process(s, &c);
    getrlimit(RLIMIT_NOFILE, &limit);
    number(i, "Ulimit-n", "CLP", limit.rlim_cur);
    number(i, "Maxsock", "CLP", limit.rlim_cur);
    number(i, "Maxconn", "CLP", (uint64_t)listener_maxconn());
    number(i, "Hard_maxconn", "CLP", (uint64_t)listener_maxconn());
    number(i, "CurrConns", "MGP", (uint64_t)listener_conns());
    number(i, "CumConns", "MCP", listener_conns_total());
    number(i, "CumReq", "MCP", counter_get(&c.requests));
    number(i, "Maxpipes", "CLP", (uint64_t)s->config->global.maxpipes);
    number(i, "PipesUsed", "MGP", pipe_count_used());
    number(i, "PipesFree", "MGP", pipe_count_free());
    uint64_t now = (uint64_t)mono_now().us, rate = 0;
    for (unsigned p = 0; p < s->nproxies; p++) {
        struct frontend_state *f = s->proxies[p]->front;
        for (unsigned w = 0; f && w < f->worker_slots; w++)
            rate +=
                counters_rate(&f->counters[w].rate_now, &f->counters[w].rate_before, &f->counters[w].rate_second, now);
    }
    number(i, "ConnRate", "MRP", rate);
    number(i, "SessRate", "MRP", rate);
    number(i, "TotalBytesOut", "MGP", counter_get(&c.bytes_out));
}

static void loops_part(struct info *i, struct snapshot *s)
{
    uint64_t busy = 0, idle = 0;
    for (unsigned w = 0; w < worker_count; w++) {
        const struct loop_stats *l = loop_stats(workers[w]->loop);
        busy += l->busy_us;
        idle += l->idle_us;
    }
    number(i, "Idle_pct", "MaP", busy + idle ? idle * 100 / (busy + idle) : 100);
    if (s->config->global.node.len)
        text(i, "node", "COS", s->config->global.node.ptr);
    number(i, "Listeners", "MGP", s->nlisteners);
    number(i, "DroppedLogs", "MGP", log_dropped());
    text(i, "Build info", "POS", PHX_VERSION);
    if (s->config->global.description.len)
        text(i, "description", "COS", s->config->global.description.ptr);
}

enum cli_result cmd_show_info(struct cli *c)
{
    struct cli_request *r = cli_request(c);
    struct snapshot *s = snapshot_current();
    struct info i = {.out = &r->out};
    for (unsigned n = 0; n < cli_nargs(c); n++)
        i.form = str_is(cli_arg(c, n), "typed") ? FORM_TYPED : str_is(cli_arg(c, n), "json") ? FORM_JSON : i.form;
    int64_t up_s = (mono_now().us - admin_started_us) / 1000000;
    if (i.form == FORM_JSON)
        buf_add_char(i.out, '[');
    process_part(&i, s, up_s);
    traffic_part(&i, s);
    loops_part(&i, s);
    number(&i, "Start_time_sec", "SCP", (uint64_t)(wall_now_us() / 1000000 - up_s));
    if (i.form == FORM_JSON)
        buf_add_cstr(i.out, "]\n");
    return CLI_DONE;
}
