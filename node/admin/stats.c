// SPDX-License-Identifier: Apache-2.0
// Filling the rows of `show stat` from the counters and states of proxies and servers.
#include "node/admin/stats.h"

#include <stdarg.h>
#include <stdio.h>

#include "node/proxy/check.h"
#include "node/proxy/listener.h"
#include "node/proxy/schedule.h"

const struct stat_name stat_names[STAT_COUNT] = {
#define STAT(id, name, tags) [STAT_##id] = {name, tags},
#include "node/admin/stats.def"
#undef STAT
};

static void num(struct stat_row *r, enum stat_field f, enum stat_kind kind, uint64_t v)
{
    r->values[f].kind = kind;
    r->values[f].num = v;
}

static void u32(struct stat_row *r, enum stat_field f, uint64_t v)
{
    num(r, f, STAT_U32, v);
}

static void u64(struct stat_row *r, enum stat_field f, uint64_t v)
{
    num(r, f, STAT_U64, v);
}

static void text(struct stat_row *r, enum stat_field f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void text(struct stat_row *r, enum stat_field f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->values[f].text, sizeof(r->values[f].text), fmt, ap);
    va_end(ap);
    r->values[f].kind = STAT_STR;
}

static void begin(struct stat_row *r, char type, const struct cfg_proxy *cfg, unsigned server_id, unsigned kind)
{
    memset(r, 0, sizeof(*r));
    r->type = type;
    r->proxy_id = (unsigned)cfg->id;
    r->server_id = server_id;
    text(r, STAT_PXNAME, "%.*s", STR_ARG(cfg->name));
    text(r, STAT_MODE, "%s", cfg->mode == MODE_HTTP ? "http" : "tcp");
    u32(r, STAT_PID, 1);
    u32(r, STAT_IID, (uint64_t)cfg->id);
    u32(r, STAT_SID, server_id);
    u32(r, STAT_TYPE, kind);
}

// Sum over workers, and rates.
static uint64_t sum_counters(struct counters *sum, const struct counters *all, unsigned slots, uint64_t *req_rate)
{
    uint64_t now = (uint64_t)mono_now().us, rate = 0;
    memset(sum, 0, sizeof(*sum));
    *req_rate = 0;
    for (unsigned i = 0; i < slots; i++) {
        counters_sum(sum, &all[i]);
        rate += counters_rate(&all[i].rate_now, &all[i].rate_before, &all[i].rate_second, now);
        *req_rate += counters_rate(&all[i].req_rate_now, &all[i].req_rate_before, &all[i].req_rate_second, now);
    }
    return rate;
}

static void responses(struct stat_row *r, const struct counters *c)
{
    static const enum stat_field fields[6] = {STAT_HRSP_OTHER, STAT_HRSP_1XX, STAT_HRSP_2XX,
                                              STAT_HRSP_3XX,   STAT_HRSP_4XX, STAT_HRSP_5XX};
    for (unsigned i = 0; i < 6; i++)
        u64(r, fields[i], counter_get(&c->responses[i]));
}

void stats_frontend(struct stat_row *r, struct proxy *p)
{
    struct frontend_state *f = p->front;
    struct counters c;
    uint64_t req_rate, rate = sum_counters(&c, f->counters, f->worker_slots, &req_rate);
    int maxconn = atomic_load(&f->maxconn);
    begin(r, 'F', p->cfg, 0, 0);
    text(r, STAT_SVNAME, "FRONTEND");
    u32(r, STAT_SCUR, (uint64_t)atomic_load(&f->conns));
    u32(r, STAT_SMAX, (uint64_t)atomic_load(&f->conns_max));
    u32(r, STAT_SLIM, (uint64_t)(maxconn > 0 ? maxconn : listener_maxconn()));
    uint64_t refused = counter_get(&c.denied_connections) + counter_get(&c.denied_sessions);
    u64(r, STAT_STOT, counter_get(&c.sessions) - refused); // conn_tot has them all
    u64(r, STAT_BIN, counter_get(&c.bytes_in));
    u64(r, STAT_BOUT, counter_get(&c.bytes_out));
    u64(r, STAT_DREQ, counter_get(&c.denied_requests));
    u64(r, STAT_DRESP, counter_get(&c.denied_responses));
    u64(r, STAT_EREQ, counter_get(&c.request_errors));
    text(r, STAT_STATUS, "%s", atomic_load(&f->disabled) ? "STOP" : "OPEN");
    u32(r, STAT_RATE, rate);
    u32(r, STAT_RATE_LIM, (uint64_t)atomic_load(&f->rate_limit));
    u32(r, STAT_RATE_MAX, counter_get(&f->rate_max) > rate ? counter_get(&f->rate_max) : rate);
    if (p->cfg->mode == MODE_HTTP) {
        responses(r, &c);
        u32(r, STAT_REQ_RATE, req_rate);
        u32(r, STAT_REQ_RATE_MAX, counter_get(&f->req_rate_max) > req_rate ? counter_get(&f->req_rate_max) : req_rate);
        u64(r, STAT_REQ_TOT, counter_get(&c.requests));
    }
    u32(r, STAT_CONN_RATE, rate);
    u64(r, STAT_CONN_TOT, counter_get(&c.sessions));
    u64(r, STAT_INTERCEPTED, counter_get(&c.intercepted));
    u64(r, STAT_DCON, counter_get(&c.denied_connections));
    u64(r, STAT_DSES, counter_get(&c.denied_sessions));
}

// What servers and backends share.
static void server_side(struct stat_row *r, const struct counters *c, const struct cfg_proxy *cfg)
{
    uint64_t n = counter_get(&c->time_samples);
    u64(r, STAT_STOT, counter_get(&c->sessions));
    u64(r, STAT_BIN, counter_get(&c->bytes_in));
    u64(r, STAT_BOUT, counter_get(&c->bytes_out));
    u64(r, STAT_DRESP, counter_get(&c->denied_responses));
    u64(r, STAT_ECON, counter_get(&c->connect_errors));
    u64(r, STAT_ERESP, counter_get(&c->response_errors));
    u64(r, STAT_WRETR, counter_get(&c->retries));
    u64(r, STAT_WREDIS, counter_get(&c->redispatches));
    u64(r, STAT_LBTOT, counter_get(&c->selected));
    if (cfg->mode == MODE_HTTP)
        responses(r, c);
    u64(r, STAT_CLI_ABRT, counter_get(&c->client_aborts));
    u64(r, STAT_SRV_ABRT, counter_get(&c->server_aborts));
    u32(r, STAT_QTIME, n ? counter_get(&c->queue_ms) / n : 0);
    u32(r, STAT_CTIME, n ? counter_get(&c->connect_ms) / n : 0);
    u32(r, STAT_RTIME, n ? counter_get(&c->response_ms) / n : 0);
    u32(r, STAT_TTIME, n ? counter_get(&c->total_ms) / n : 0);
    u64(r, STAT_CONNECT, counter_get(&c->connects));
    u64(r, STAT_REUSE, counter_get(&c->reuses));
}

static const char *algorithm(const struct cfg_proxy *cfg)
{
    static const char *names[] = {"roundrobin", "static-rr", "leastconn", "first",  "source",
                                  "uri",        "url_param", "hdr",       "random", "hash"};
    return names[cfg->balance];
}

void stats_backend(struct stat_row *r, struct proxy *p)
{
    struct backend_state *b = p->back;
    struct counters c;
    int64_t now = mono_now().us, changed = atomic_load(&b->changed_us);
    uint64_t req_rate, rate = sum_counters(&c, b->counters, b->worker_slots, &req_rate), weight = 0;
    bool up = p->nservers == 0 || backend_usable(b) > 0;
    for (unsigned i = 0; i < p->nservers; i++)
        if (server_usable(p->servers[i]->state) && p->servers[i]->cfg->backup == (atomic_load(&b->usable_active) == 0))
            weight += server_effective_weight(p->servers[i]->state) / 100;
    begin(r, 'B', p->cfg, 0, 1);
    text(r, STAT_SVNAME, "BACKEND");
    u32(r, STAT_QCUR, (uint64_t)atomic_load(&b->queued));
    u32(r, STAT_QMAX, (uint64_t)atomic_load(&b->queued_max));
    u32(r, STAT_SCUR, (uint64_t)atomic_load(&b->conns));
    u32(r, STAT_SMAX, (uint64_t)atomic_load(&b->conns_max));
    u32(r, STAT_SLIM, (uint64_t)atomic_load(&b->fullconn));
    server_side(r, &c, p->cfg);
    u64(r, STAT_DREQ, counter_get(&c.denied_requests));
    text(r, STAT_STATUS, "%s", up ? "UP" : "DOWN");
    u32(r, STAT_WEIGHT, weight);
    u32(r, STAT_UWEIGHT, weight);
    u32(r, STAT_ACT, atomic_load(&b->usable_active));
    u32(r, STAT_BCK, atomic_load(&b->usable_backup));
    u64(r, STAT_CHKDOWN, counter_get(&b->down_count));
    u32(r, STAT_LASTCHG, (uint64_t)(now - changed) / 1000000);
    u32(r, STAT_DOWNTIME, (uint64_t)(atomic_load(&b->down_ms) / 1000 + (up ? 0 : (now - changed) / 1000000)));
    u32(r, STAT_RATE, rate);
    u32(r, STAT_RATE_MAX, rate);
    if (p->cfg->mode == MODE_HTTP)
        u64(r, STAT_REQ_TOT, counter_get(&c.requests));
    if (p->cfg->cookie.name.len)
        text(r, STAT_COOKIE, "%.*s", STR_ARG(p->cfg->cookie.name));
    text(r, STAT_ALGO, "%s", algorithm(p->cfg));
}

static void check_fields(struct stat_row *r, struct server *srv)
{
    struct server_state *s = srv->state;
    enum check_status status = (enum check_status)atomic_load(&s->check_status);
    u64(r, STAT_CHKFAIL, counter_get(&s->check_fails));
    u64(r, STAT_CHKDOWN, counter_get(&s->check_downs));
    text(r, STAT_CHECK_STATUS, "%s", check_status_name(status));
    if (atomic_load(&s->check_code))
        u32(r, STAT_CHECK_CODE, (uint64_t)atomic_load(&s->check_code));
    u64(r, STAT_CHECK_DURATION, (uint64_t)atomic_load(&s->check_duration_ms));
    text(r, STAT_CHECK_DESC, "%s", check_status_text(status));
    u32(r, STAT_CHECK_RISE, (uint64_t)srv->cfg->rise);
    u32(r, STAT_CHECK_FALL, (uint64_t)srv->cfg->fall);
    u32(r, STAT_CHECK_HEALTH, (uint64_t)atomic_load(&s->check_health));
    pthread_mutex_lock(&s->addr_lock);
    text(r, STAT_LAST_CHK, "%s", s->last_check_text);
    pthread_mutex_unlock(&s->addr_lock);
}

void stats_server(struct stat_row *r, struct server *srv)
{
    struct server_state *s = srv->state;
    const struct cfg_server *cfg = srv->cfg;
    struct counters c;
    char word[64], addr_text[160];
    struct addr a = server_addr(s);
    uint64_t rate = 0, now_us = (uint64_t)mono_now().us;
    int64_t changed = atomic_load(&s->changed_us), last = atomic_load(&s->last_session_us);
    memset(&c, 0, sizeof(c));
    for (unsigned i = 0; i < s->worker_slots; i++) {
        const struct counters *w = &s->per_worker[i].counters;
        counters_sum(&c, w);
        rate += counters_rate(&w->rate_now, &w->rate_before, &w->rate_second, now_us);
    }
    begin(r, 'S', cfg->proxy, (unsigned)cfg->id, 2);
    text(r, STAT_SVNAME, "%.*s", STR_ARG(cfg->name));
    u32(r, STAT_QCUR, (uint64_t)atomic_load(&s->queued));
    u32(r, STAT_QMAX, (uint64_t)atomic_load(&s->queued_max));
    u32(r, STAT_SCUR, (uint64_t)atomic_load(&s->served));
    u32(r, STAT_SMAX, (uint64_t)atomic_load(&s->served_max));
    if (atomic_load(&s->maxconn))
        u32(r, STAT_SLIM, (uint64_t)atomic_load(&s->maxconn));
    server_side(r, &c, cfg->proxy);
    if (cfg->proxy->mode == MODE_HTTP)
        u64(r, STAT_REQ_TOT, counter_get(&c.requests));
    server_status_text(s, cfg, word, sizeof(word));
    text(r, STAT_STATUS, "%s", word);
    u32(r, STAT_WEIGHT, server_effective_weight(s) / 100);
    u32(r, STAT_UWEIGHT, (uint64_t)atomic_load(&s->weight));
    u32(r, STAT_ACT, !cfg->backup);
    u32(r, STAT_BCK, cfg->backup);
    u32(r, STAT_LASTCHG, (now_us - (uint64_t)changed) / 1000000);
    u32(r, STAT_DOWNTIME,
        (uint64_t)(atomic_load(&s->down_ms) / 1000) + (server_is_down(s) ? (now_us - (uint64_t)changed) / 1000000 : 0));
    if (cfg->maxqueue)
        u32(r, STAT_QLIMIT, (uint64_t)cfg->maxqueue);
    if (atomic_load(&s->slow_percent) < 100)
        u32(r, STAT_THROTTLE, atomic_load(&s->slow_percent));
    if (cfg->track.len)
        text(r, STAT_TRACKED, "%.*s", STR_ARG(cfg->track));
    u32(r, STAT_RATE, rate);
    u32(r, STAT_RATE_MAX, rate);
    if (cfg->check)
        check_fields(r, srv);
    num(r, STAT_LASTSESS, STAT_S32, last ? (now_us - (uint64_t)last) / 1000000 : (uint64_t)-1);
    text(r, STAT_ADDR, "%s", addr_format(&a, addr_text, sizeof(addr_text)));
    if (cfg->cookie.len)
        text(r, STAT_COOKIE, "%.*s", STR_ARG(cfg->cookie));
    u32(r, STAT_SRV_ICUR, (uint64_t)atomic_load(&s->idle_total));
    if (cfg->pool_max_conn >= 0)
        u32(r, STAT_SRC_ILIM, (uint64_t)cfg->pool_max_conn);
    u32(r, STAT_IDLE_CONN_CUR, (uint64_t)atomic_load(&s->idle_total));
    u32(r, STAT_USED_CONN_CUR, (uint64_t)atomic_load(&s->served));
}

void stats_process(struct snapshot *s, struct counters *front)
{
    memset(front, 0, sizeof(*front));
    for (unsigned i = 0; i < s->nproxies; i++) {
        struct frontend_state *f = s->proxies[i]->front;
        for (unsigned w = 0; f && w < f->worker_slots; w++)
            counters_sum(front, &f->counters[w]);
    }
}

// ---- JSON

static const char *tag_word(const char *tags, int which)
{
    static const char *const origins = "MSKCP", *const origin_words[] = {"Metric", "Status", "Key", "Config",
                                                                         "Product"};
    static const char *const natures = "GLCRMDNOaA", *const nature_words[] = {"Gauge", "Limit",    "Counter", "Rate",
                                                                              "Max",   "Duration", "Name",    "Output",
                                                                              "Avg",   "Age"};
    static const char *const scopes = "PSC", *const scope_words[] = {"Process", "Service", "Cluster"};
    const char *set = which == 0 ? origins : which == 1 ? natures : scopes;
    const char *const *words = which == 0 ? origin_words : which == 1 ? nature_words : scope_words;
    const char *at = strchr(set, tags[which]);
    return at ? words[at - set] : "Unknown";
}

void stats_json_string(struct buf *out, const char *s)
{
    buf_add_char(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_printf(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            buf_printf(out, "\\u%04x", *s);
        else
            buf_add_char(out, *s);
    }
    buf_add_char(out, '"');
}

void stats_json_tags(struct buf *out, const char *tags)
{
    buf_printf(out, "\"origin\":\"%s\",\"nature\":\"%s\",\"scope\":\"%s\"", tag_word(tags, 0), tag_word(tags, 1),
               tag_word(tags, 2));
}
