// SPDX-License-Identifier: Apache-2.0
// Targets of log lines: where to, in which format, which of them (configuration.txt 3.1 and 4.2, "log").
#include "config/log_line.h"

#include "config/keyword.h"

static const char *const facilities[] = {
    "kern", "user",  "mail",  "daemon", "auth",   "syslog", "lpr",    "news",   "uucp",   "cron",   "auth2",  "ftp",
    "ntp",  "audit", "alert", "cron2",  "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};
static const char *const levels[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
static const char *const formats[] = {
    [LOG_FMT_RFC3164] = "rfc3164",   [LOG_FMT_RFC5424] = "rfc5424", [LOG_FMT_SHORT] = "short",
    [LOG_FMT_RAW] = "raw",           [LOG_FMT_TIMED] = "timed",     [LOG_FMT_ISO] = "iso",
    [LOG_FMT_PRIORITY] = "priority", [LOG_FMT_LOCAL] = "local"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// One of the names at `word`; -1 with a message when it is none.
static int name_index(struct parse *p, unsigned word, const char *what, const char *const *names, unsigned n)
{
    if (word >= p->nwords) {
        parse_error(p, word, "'log' expects %s here.", what);
        return -1;
    }
    for (unsigned i = 0; i < n; i++)
        if (str_is(p->words[word], names[i]))
            return (int)i;
    const char *near = parse_nearest(p->words[word], names, n, sizeof(*names));
    parse_error(p, word, "unknown %s '%.*s' of 'log'%s%s%s", what, STR_ARG(p->words[word]),
                near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
    return -1;
}

static bool target(struct parse *p, struct cfg_log *log)
{
    struct str text = p->words[1];
    if (str_is(text, "stdout") || str_is(text, "stderr")) {
        log->target = str_is(text, "stdout") ? LOG_TO_STDOUT : LOG_TO_STDERR;
        return true;
    }
    if (str_starts(text, STR("ring@")) || str_starts(text, STR("backend@")))
        return parse_error(p, 1, "log target '%.*s' is known to HAProxy but not supported yet.", STR_ARG(text));
    if (str_starts(text, STR("tcp@")) || str_starts(text, STR("tcp4@")) || str_starts(text, STR("tcp6@")))
        return parse_error(p, 1, "stream-type address '%.*s' not acceptable: logs are sent by UDP or a UNIX socket.",
                           STR_ARG(text));
    if (!parse_addr(p, 1, text, 514, false, &log->addr))
        return false;
    switch (log->addr.kind) {
    case CFG_ADDR_FD:
        log->target = LOG_TO_FD;
        log->fd = log->addr.fd;
        return true;
    case CFG_ADDR_UNIX:
    case CFG_ADDR_ABSTRACT:
        log->target = LOG_TO_UNIX;
        return true;
    default:
        log->target = LOG_TO_UDP;
        if (log->addr.host.len == 0 || log->addr.port_relative || log->addr.port != log->addr.port_end)
            return parse_error(p, 1, "'%.*s' is not the address of a log server.", STR_ARG(text));
        return true;
    }
}

// "1,3-5:10": of every ten lines the first and the third to fifth. One range only is kept: from and to.
static bool sample(struct parse *p, unsigned word, struct cfg_log *log)
{
    struct str rest = word < p->nwords ? p->words[word] : STR(""), ranges, from, to;
    uint64_t size, first, last;
    if (!str_split(&rest, ':', &ranges) || !str_to_u64(rest, &size) || size == 0 || size > INT32_MAX)
        return parse_error(p, word, "'sample' expects <ranges>:<size>, e.g. '1-2:10'.");
    if (str_find_char(ranges, ',') >= 0)
        return parse_error(p, word, "several ranges in 'sample' are known to HAProxy but not supported yet.");
    to = ranges;
    str_split(&to, '-', &from);
    if (!to.ptr)
        to = from;
    if (!str_to_u64(from, &first) || !str_to_u64(to, &last) || first == 0 || last < first || last > size)
        return parse_error(p, word, "'%.*s' is not a range within 1 and %llu.", STR_ARG(ranges),
                           (unsigned long long)size);
    log->sample_from = (unsigned)first;
    log->sample_to = (unsigned)last;
    log->sample_size = (unsigned)size;
    return true;
}

// len, format, sample, in any order; *word ends at the facility.
static bool settings(struct parse *p, unsigned *word, struct cfg_log *log)
{
    for (; *word < p->nwords; *word += 2) {
        struct str name = p->words[*word];
        int64_t len;
        if (str_is(name, "len")) {
            if (!parse_int(p, *word + 1, 80, 65535, &len))
                return false;
            log->len = (int)len;
        } else if (str_is(name, "format")) {
            int format = name_index(p, *word + 1, "format", formats, COUNT(formats));
            if (format < 0)
                return false;
            log->format = (enum cfg_log_format)format;
        } else if (str_is(name, "sample")) {
            if (!sample(p, *word + 1, log))
                return false;
        } else if (str_is(name, "profile")) {
            return parse_error(p, *word, "'profile' is known to HAProxy but not supported yet.");
        } else {
            return true;
        }
    }
    return true;
}

bool log_line(struct parse *p, struct cfg_log **logs, unsigned *nlogs)
{
    struct cfg_log log = {.fd = -1, .format = LOG_FMT_LOCAL, .len = 1024, .level = 7, .src = p->src};
    unsigned word = 2;
    if (p->nwords < 2)
        return parse_error(p, 1, "'log' expects " LOG_LINE_ARGS ".");
    if (!target(p, &log) || !settings(p, &word, &log))
        return false;
    log.facility = name_index(p, word, "facility", facilities, COUNT(facilities));
    if (log.facility < 0)
        return false;
    if (word + 1 < p->nwords && (log.level = name_index(p, word + 1, "level", levels, COUNT(levels))) < 0)
        return false;
    if (word + 2 < p->nwords && (log.min_level = name_index(p, word + 2, "level", levels, COUNT(levels))) < 0)
        return false;
    if (word + 3 < p->nwords)
        return parse_error(p, word + 3, "'log' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[word + 3]));
    *(struct cfg_log *)parse_push(p->arena, (void **)logs, nlogs, sizeof(log)) = log;
    return true;
}
