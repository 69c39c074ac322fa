// SPDX-License-Identifier: Apache-2.0
// The access log: which streams are logged, at which level, to whom (configuration.txt 8.3). The line is rendered right
// into the worker's ring. Events of backends take the same way.
#include "node/proxy/access_log.h"

#include "node/base/panic.h"
#include "node/http/cookie.h"
#include "node/proxy/event_log.h"
#include "node/proxy/log_alias.h"
#include "node/proxy/log_ring.h"
#include "node/proxy/log_target.h"

#define TARGETS_MAX 32
#define SD_MAX      1024

struct line {
    struct log_target *targets[TARGETS_MAX];
    unsigned ntarget;
    size_t text_max;
    bool with_sd;
    int level;
    struct str tag, host;
};

static bool choose_targets(const struct proxy *p, int level, struct line *line)
{
    const struct config *config = p->snapshot->config;
    *line = (struct line){.level = level};
    for (unsigned i = 0; i < p->nlogs && line->ntarget < TARGETS_MAX; i++) {
        struct log_target *t = p->logs[i];
        if (!t || !log_target_takes(t, level))
            continue;
        line->targets[line->ntarget++] = t;
        line->with_sd |= t->format == LOG_FMT_RFC5424;
        if (t->len > line->text_max)
            line->text_max = t->len;
    }
    line->tag = p->cfg->log_tag.len          ? p->cfg->log_tag
                : config->global.log_tag.len ? config->global.log_tag
                                             : str_of(log_default_tag);
    line->tag = str_slice(line->tag, 0, UINT8_MAX);
    if (config->global.log_hostname_sent)
        line->host = config->global.log_send_hostname.len ? config->global.log_send_hostname : str_of(log_host);
    line->host = str_slice(line->host, 0, UINT8_MAX);
    return line->ntarget > 0;
}

// A record with everything but the text; *bytes is where that goes, text_max at most.
static struct log_record *begin(const struct line *line, size_t sd_room, int64_t wall_us)
{
    size_t targets = line->ntarget * sizeof(struct log_target *);
    struct log_record *r =
        log_reserve(sizeof(*r) + targets + line->tag.len + line->host.len + sd_room + line->text_max);
    if (!r)
        return NULL;
    r->ntarget = (uint16_t)line->ntarget;
    r->level = (uint8_t)line->level;
    r->tag_len = (uint8_t)line->tag.len;
    r->host_len = (uint8_t)line->host.len;
    r->sd_len = 0;
    r->wall_us = wall_us;
    memcpy(r->targets, line->targets, targets);
    memcpy(log_record_bytes(r), line->tag.ptr, line->tag.len);
    if (line->host.len)
        memcpy(log_record_bytes(r) + line->tag.len, line->host.ptr, line->host.len);
    return r;
}

// Where the structured data, or without them the text begins.
static char *body_of(struct log_record *r)
{
    return log_record_bytes(r) + r->tag_len + r->host_len;
}

static void commit(struct log_record *r, size_t text_len)
{
    r->text_len = (uint32_t)text_len;
    char *end = body_of(r) + r->sd_len + text_len;
    log_commit(r, (size_t)(end - (char *)r));
}

// ---- streams

// An error, timeout, retry, redispatch or 5xx; an answer made here ('L') is none.
static bool is_abnormal(const struct stream *st)
{
    bool clean = st->term[0] == '-' || st->term[0] == 'L';
    return !clean || st->retries > 0 || st->flags & STREAM_REDISPATCHED || st->status >= 500;
}

static int level_of(const struct stream *st)
{
    if (st->log_level >= 0)
        return st->log_level;
    const struct cfg_proxy *cfg = st->front->cfg;
    return cfg_option(cfg, OPT_LOG_SEPARATE_ERRORS) && is_abnormal(st) ? 3 : 6;
}

static void log_stream(struct stream *st)
{
    struct proxy *p = st->front;
    struct line line;
    if (!p->log_format || p->nlogs == 0 || st->flags & STREAM_LOGGED)
        return;
    if (cfg_option(p->cfg, OPT_DONTLOG_NORMAL) && !is_abnormal(st))
        return;
    if (cfg_option(p->cfg, OPT_DONTLOGNULL) && !(st->flags & STREAM_HTTP) && st->bytes_in == 0)
        return; // step_request_head() sees to HTTP
    st->flags |= STREAM_LOGGED;
    if (!choose_targets(p, level_of(st), &line))
        return;
    atomic_fetch_add_explicit(&p->front->log_lines, 1, memory_order_relaxed);
    size_t sd_room = line.with_sd && p->log_format_sd ? SD_MAX : 0;
    struct log_record *r = begin(&line, sd_room, loop_wall_us(st->loop));
    if (!r)
        return;
    unsigned where = st->ctx.where;
    st->ctx.where = WHERE_LOG;
    char *at = body_of(r);
    if (sd_room)
        r->sd_len = (uint16_t)format_render(p->log_format_sd, &st->ctx, at, sd_room, true);
    size_t len = format_render(p->log_format, &st->ctx, at + r->sd_len, line.text_max, true);
    st->ctx.where = where;
    commit(r, len);
}

// ---- captured cookies

// "NAME=" means exactly that cookie, "NAME" any whose name begins so (configuration.txt 8.7).
static bool cookie_wanted(struct str wanted, struct str name)
{
    if (wanted.len && wanted.ptr[wanted.len - 1] == '=')
        return str_eq(str_slice(wanted, 0, wanted.len - 1), name);
    return str_starts(name, wanted);
}

void log_capture_cookie(struct stream *st, bool response)
{
    const struct cfg_capture *cfg = &st->front->cfg->capture_cookie;
    struct http_msg *m = response ? &st->res : &st->req;
    struct http_hdr *h;
    unsigned pos = 0;
    if (cfg->name.len == 0)
        return;
    while ((h = http_hdr_next(m, response ? HDR_SET_COOKIE : HDR_COOKIE, &pos))) {
        struct str rest = h->value;
        struct cookie_pair pair;
        while (cookie_next(&rest, &pair)) {
            if (cookie_wanted(cfg->name, pair.name)) {
                st->cookie_captures[response] = arena_str(st->arena, str_slice(pair.whole, 0, cfg->len));
                return;
            }
            if (response)
                break; // what follows are attributes
        }
    }
}

// ---- events

static struct snapshot *snapshot_here(void)
{
    if (worker_self && worker_self->role == THREAD_WORKER) {
        struct snapshot_use *use = snapshot_use_current(worker_self);
        return use ? use->snapshot : NULL;
    }
    return snapshot_current();
}

static void send_event(struct str backend, enum event_level level, struct str text)
{
    struct snapshot *s = snapshot_here();
    struct proxy *p = s ? snapshot_find(s, backend, CAP_BACK) : NULL;
    struct line line;
    if (!p || !choose_targets(p, level, &line))
        return;
    struct log_record *r = begin(&line, 0, wall_now_us());
    if (!r)
        return;
    size_t len = text.len < line.text_max ? text.len : line.text_max;
    memcpy(body_of(r), text.ptr, len);
    commit(r, len);
}

// ---- life

void log_init(const char *tag, const char *host_name)
{
    str_copy(log_default_tag, sizeof(log_default_tag), str_of(tag));
    str_copy(log_host, sizeof(log_host), str_of(host_name));
    log_alias_bind();
    stream_log = log_stream;
    event_log_sender = send_event;
}

int log_start(void)
{
    return log_sender_start();
}

void log_stop(void)
{
    log_sender_stop();
}

uint64_t log_dropped(void)
{
    return log_rings_dropped() + log_sender_dropped();
}
