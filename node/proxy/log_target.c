// SPDX-License-Identifier: Apache-2.0
// Log targets: found again by what the `log` line says, opened once; filters, samples and syslog headers.
#include "node/proxy/log_target.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/proxy/access_log.h"
#include "node/proxy/log_ring.h"

char log_default_tag[64], log_host[256];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of the list and the sockets: builder threads
static struct log_target *targets;
static int sockets[3] = {-1, -1, -1}; // IPv4, IPv6, UNIX

// ---- making

static int socket_of(int family)
{
    int *fd = &sockets[family == AF_INET ? 0 : family == AF_INET6 ? 1 : 2];
    if (*fd < 0)
        *fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd;
}

static bool open_stream(struct log_target *t, int fd)
{
    struct stat st;
    t->fd = fd;
    t->fifo = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
    return true;
}

static bool open_target(struct log_target *t, const struct cfg_log *cfg, struct diag *diag)
{
    struct addr addr;
    switch (cfg->target) {
    case LOG_TO_STDOUT:
        return open_stream(t, STDOUT_FILENO);
    case LOG_TO_STDERR:
        return open_stream(t, STDERR_FILENO);
    case LOG_TO_FD:
        return open_stream(t, cfg->fd);
    default:
        break;
    }
    if (!addr_from_cfg(&cfg->addr, cfg->addr.family, &addr)) {
        diag_add(diag, DIAG_ALERT, &cfg->src, "'log': could not resolve address '%.*s'", STR_ARG(cfg->addr.host));
        return false;
    }
    if (addr.kind == ADDR_INET && inet_port(&addr.inet) == 0)
        inet_set_port(&addr.inet, 514);
    t->datagram = true;
    t->addr_len = addr_to_sockaddr(&addr, &t->addr);
    t->fd = socket_of(t->addr.ss_family);
    if (t->fd < 0)
        diag_add(diag, DIAG_ALERT, &cfg->src, "'log': cannot open a socket: %s", strerror(errno));
    return t->fd >= 0;
}

static bool same(const struct log_target *a, const struct log_target *b)
{
    return a->kind == b->kind && a->format == b->format && a->len == b->len && a->facility == b->facility &&
           a->level == b->level && a->min_level == b->min_level && a->sample_from == b->sample_from &&
           a->sample_to == b->sample_to && a->sample_size == b->sample_size && a->fd == b->fd &&
           a->addr_len == b->addr_len && memcmp(&a->addr, &b->addr, a->addr_len) == 0;
}

struct log_target *log_target_get(const struct cfg_log *cfg, struct diag *diag)
{
    struct log_target *t = calloc(1, sizeof(*t));
    if (!t)
        PANIC("out of memory");
    t->kind = cfg->target;
    t->format = cfg->format;
    t->len = cfg->len > 0 ? (unsigned)cfg->len : 1024;
    t->facility = cfg->facility;
    t->level = cfg->level;
    t->min_level = cfg->min_level;
    t->sample_from = cfg->sample_from;
    t->sample_to = cfg->sample_to;
    t->sample_size = cfg->sample_size;
    pthread_mutex_lock(&lock);
    bool ok = open_target(t, cfg, diag);
    struct log_target *known = targets;
    while (ok && known && !same(known, t))
        known = known->next;
    if (ok && !known) {
        t->next = targets;
        targets = known = t;
        t = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(t);
    return ok ? known : NULL;
}

void log_shutdown(void)
{
    while (targets) {
        struct log_target *t = targets;
        targets = t->next;
        free(t);
    }
    for (int i = 0; i < 3; i++) {
        if (sockets[i] >= 0)
            close(sockets[i]);
        sockets[i] = -1;
    }
    log_rings_close();
}

// ---- choosing

bool log_target_takes(struct log_target *t, int level)
{
    if (level > t->level)
        return false;
    if (t->sample_size == 0)
        return true;
    unsigned turn = atomic_fetch_add_explicit(&t->sampled, 1, memory_order_relaxed) % t->sample_size + 1;
    return turn >= t->sample_from && turn <= t->sample_to;
}

// ---- headers

// What changes at most once a second, and costs a system call or a conversion. The sender's alone.
static struct {
    time_t second;
    int pid;
    char syslog[24];  // "Nov 22 22:18:27"
    char iso[24];     // "2026-11-22T22:18:27"
    char iso_zone[8]; // "+00:00"
} facts;

static void header_facts_set(time_t second)
{
    if (facts.second == second && facts.syslog[0])
        return;
    struct tm tm;
    localtime_r(&second, &tm);
    facts.second = second;
    facts.pid = (int)getpid();
    strftime(facts.syslog, sizeof(facts.syslog), "%b %e %H:%M:%S", &tm);
    strftime(facts.iso, sizeof(facts.iso), "%Y-%m-%dT%H:%M:%S", &tm);
    long minutes = labs(tm.tm_gmtoff) / 60;
    snprintf(facts.iso_zone, sizeof(facts.iso_zone), "%c%02ld:%02ld", tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60 % 100,
             minutes % 60);
}

size_t log_target_header(const struct log_target *t, struct log_record *r, char *dst, size_t size)
{
    int level = r->level < t->min_level ? t->min_level : r->level;
    int priority = t->facility * 8 + level, len;
    int us = (int)(r->wall_us % 1000000);
    const char *tag = log_record_bytes(r), *host = tag + r->tag_len, *sd = host + r->host_len;
    header_facts_set(r->wall_us / 1000000);
    int pid = facts.pid;
    switch (t->format) {
    case LOG_FMT_RFC3164:
        len = snprintf(dst, size, "<%d>%s %.*s %.*s[%d]: ", priority, facts.syslog, r->host_len ? r->host_len : 9,
                       r->host_len ? host : "localhost", r->tag_len, tag, pid);
        break;
    case LOG_FMT_LOCAL: // log-send-hostname turns it into the one above
        len = snprintf(dst, size, "<%d>%s %.*s%s%.*s[%d]: ", priority, facts.syslog, r->host_len, host,
                       r->host_len ? " " : "", r->tag_len, tag, pid);
        break;
    case LOG_FMT_RFC5424:
        len = snprintf(dst, size, "<%d>1 %s.%06d%s %.*s %.*s %d - %.*s ", priority, facts.iso, us, facts.iso_zone,
                       r->host_len ? r->host_len : 1, r->host_len ? host : "-", r->tag_len, tag, pid,
                       r->sd_len ? r->sd_len : 1, r->sd_len ? sd : "-");
        break;
    case LOG_FMT_PRIORITY:
        len = snprintf(dst, size, "<%d>", priority);
        break;
    case LOG_FMT_SHORT:
        len = snprintf(dst, size, "<%d>", level);
        break;
    case LOG_FMT_TIMED:
        len = snprintf(dst, size, "<%d>%s.%06d%s ", level, facts.iso, us, facts.iso_zone);
        break;
    case LOG_FMT_ISO:
        len = snprintf(dst, size, "%s.%06d%s ", facts.iso, us, facts.iso_zone);
        break;
    default:
        len = 0;
    }
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}
