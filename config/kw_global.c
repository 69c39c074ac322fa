// SPDX-License-Identifier: Apache-2.0
// Keywords of the global section (configuration.txt 3), in the order of the manual's topics.
#include <stddef.h>

#include "config/load.h"
#include "config/log_line.h"
#include "config/proxy_lines.h"

#define FIELD(name) offsetof(struct cfg_global, name)
#define INT(keyword, field, low, high, text)                                                                           \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_INT, .offset = FIELD(field), .min = (low), .max = (high),   \
        .args = "<number>", .help = text                                                                               \
    }
#define SIZE(keyword, field, low, high, text)                                                                          \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_SIZE, .offset = FIELD(field), .min = (low), .max = (high),  \
        .args = "<size>", .help = text                                                                                 \
    }
#define TIME(keyword, field, text)                                                                                     \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_TIME, .offset = FIELD(field), .args = "<time>",             \
        .help = text                                                                                                   \
    }
#define STRING(keyword, field, what, text)                                                                             \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_STRING, .offset = FIELD(field), .args = what, .help = text  \
    }
#define FLAG(keyword, field, text)                                                                                     \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_FLAG, .offset = FIELD(field), .max = 1, .help = text        \
    }
#define LINE(keyword, function, syntax, text)                                                                          \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_LINE, .line = (function), .args = syntax, .help = text      \
    }
#define VALUE(keyword, function, low, high, syntax, text)                                                              \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_VALUE, .value = (function), .min_args = (low),              \
        .max_args = (high), .args = syntax, .help = text                                                               \
    }
#define NO_EFFECT(keyword, text)                                                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .type = KW_WORDS, .status = KW_NO_EFFECT, .max_args = KW_ANY,          \
        .negatable = true, .help = text                                                                                \
    }
#define REFUSED(keyword, reason)                                                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = IN_GLOBAL, .status = KW_REFUSED, .negatable = true, .help = reason                \
    }
// Defaults of things that are refused where they are asked for: without those, the setting changes nothing.
#define TLS(keyword)  NO_EFFECT(keyword, "concerns TLS only, which is not supported yet")
#define H2(keyword)   NO_EFFECT(keyword, "concerns HTTP/2 only, which is not supported yet")
#define QUIC(keyword) NO_EFFECT(keyword, "concerns QUIC only, which is not supported yet")
#define LUA(keyword)  NO_EFFECT(keyword, "concerns Lua only, which is not supported yet")
#define COMP(keyword) NO_EFFECT(keyword, "concerns compression only, which is not supported yet")
#define COPY(keyword) NO_EFFECT(keyword, "bytes are forwarded without copies wherever nothing must see them")

// ---- Values --------------------------------------------------------------------------------------------------------
static bool nbproc(struct parse *p, unsigned word, void *target)
{
    int64_t n;
    (void)target;
    if (!parse_int(p, word, 1, INT32_MAX, &n))
        return false;
    return n == 1 || parse_error(p, word, "'nbproc' is gone: there is one process, see 'nbthread'.");
}

static bool stick_counters(struct parse *p, unsigned word, void *target)
{
    int64_t n;
    (void)target;
    if (!parse_int(p, word, 0, 100, &n))
        return false;
    return n <= 3 || parse_error(p, word, "more than 3 stick counters are not supported yet.");
}

static bool default_path(struct parse *p, unsigned word, void *target)
{
    (void)target;
    if (str_is(p->words[word], "current"))
        return true;
    return parse_error(p, word, "only 'default-path current' is supported yet.");
}

static bool set_description(struct parse *p, unsigned word, void *target)
{
    struct cfg_global *g = target;
    g->description = joined_words(p, word);
    return true;
}

static bool set_localpeer(struct parse *p, unsigned word, void *target)
{
    struct cfg_global *g = target;
    if (!p->loader->options->local_peer) {
        g->localpeer = p->words[word];
        env_set(p->env, STR("HAPROXY_LOCALPEER"), g->localpeer);
        p->loader->localpeer_set = true;
    }
    return true;
}

static bool user_or_group(struct parse *p, unsigned word, struct str *field, const char *what, int number)
{
    if (field->len || number >= 0)
        return parse_error(p, word, "%s was already specified.", what);
    *field = p->words[word];
    return true;
}

static bool set_user(struct parse *p, unsigned word, void *target)
{
    struct cfg_global *g = target;
    return user_or_group(p, word, &g->user, "user or uid", g->uid);
}

static bool set_group(struct parse *p, unsigned word, void *target)
{
    struct cfg_global *g = target;
    return user_or_group(p, word, &g->group, "group or gid", g->gid);
}

static bool set_zero_warning(struct parse *p, unsigned word, void *target)
{
    (void)word;
    (void)target;
    p->loader->zero_warning = true;
    return true;
}

static bool send_hostname(struct parse *p, unsigned word, void *target)
{
    struct cfg_global *g = target;
    // Without a name: the machine's own, which the node looks up.
    g->log_send_hostname = word < p->nwords ? p->words[word] : STR("");
    g->log_hostname_sent = true;
    return true;
}

static bool log_line_global(struct parse *p)
{
    if (p->prefix == PREFIX_NO) {
        p->config->global.nlogs = 0;
        return true;
    }
    return log_line(p, &p->config->global.logs, &p->config->global.nlogs);
}

// ---- Environment ---------------------------------------------------------------------------------------------------
static bool remember_env(struct parse *p, struct str name, struct str value)
{
    struct cfg_global *g = &p->config->global;
    unsigned n = g->nsetenv;
    *PARSE_PUSH(p->arena, g->setenv_names, n, struct str) = name;
    *PARSE_PUSH(p->arena, g->setenv_values, g->nsetenv, struct str) = value;
    return true;
}

static bool env_name(struct parse *p, unsigned word)
{
    struct str name = p->words[word];
    for (size_t i = 0; i < name.len; i++) {
        char c = str_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return parse_error(p, word, "'%.*s' is not the name of an environment variable.", STR_ARG(name));
    }
    return name.len > 0 || parse_error(p, word, "the name of an environment variable is missing.");
}

static bool set_env(struct parse *p, unsigned word, void *target)
{
    (void)target;
    struct str old;
    if (!env_name(p, word))
        return false;
    if (str_is(p->words[0], "presetenv") && env_get(p->env, p->words[word], &old))
        return true;
    env_set(p->env, p->words[word], p->words[word + 1]);
    return remember_env(p, p->words[word], p->words[word + 1]);
}

static bool unset_env(struct parse *p, unsigned word, void *target)
{
    (void)target;
    for (unsigned i = word; i < p->nwords; i++) {
        if (!env_name(p, i))
            return false;
        env_unset(p->env, p->words[i]);
        remember_env(p, p->words[i], STR_NONE);
    }
    return true;
}

static bool reset_env(struct parse *p, unsigned word, void *target)
{
    (void)target;
    for (unsigned i = word; i < p->nwords; i++)
        if (!env_name(p, i))
            return false;
    env_reset(p->env, p->words + word, p->nwords - word);
    remember_env(p, STR(""), STR_NONE);
    for (unsigned i = word; i < p->nwords; i++) {
        struct str value;
        if (env_get(p->env, p->words[i], &value))
            remember_env(p, p->words[i], value);
    }
    return true;
}

// ---- stats … -------------------------------------------------------------------------------------------------------
static bool stats_socket(struct parse *p)
{
    struct cfg_global *g = &p->config->global;
    return bind_line(p, 2, &g->stats_sockets, &g->nstats_sockets);
}

static const struct kw_row stats_rows[] = {
    LINE("socket", stats_socket, "<address> [<bind option>]…", "where the runtime API listens: path, address or fd@N"),
    TIME("timeout", stats_timeout, "idle connections of the runtime API are closed after this time; default 10s"),
    INT("maxconn", stats_maxconn, 1, 1000000, "connections of the runtime API at once; default 10"),
    REFUSED("bind-process", "there is one process"),
    REFUSED("calculate-max-counters", "maximums are always calculated"),
};
const struct kw_table kw_global_stats = KW_TABLE(TABLE_GLOBAL_STATS, "statistics setting", stats_rows);

static const struct kw_row rows[] = {
    // Process management and security
    STRING("chroot", chroot, "<directory>", "the process shuts itself into this directory before it drops privileges"),
    FLAG("daemon", daemon, "goes into the background, as -D"),
    VALUE("default-path", default_path, 1, 2, "current", "relative paths start at the current directory"),
    VALUE("description", set_description, 1, KW_ANY, "<text>", "shown by statistics"),
    INT("gid", gid, 0, INT32_MAX, "number of the group the process runs as; see 'group'"),
    VALUE("group", set_group, 1, 1, "<name>", "group the process runs as"),
    TIME("grace", grace, "listeners go on accepting for this time after a soft stop was asked for"),
    TIME("hard-stop-after", hard_stop_after, "a soft stop ends at the latest after this time"),
    VALUE("localpeer", set_localpeer, 1, 1, "<name>",
          "name of this node in clusters; -L goes before, default: host name"),
    {.name = "log",
     .sections = IN_GLOBAL,
     .type = KW_LINE,
     .line = log_line_global,
     .negatable = true,
     .args = LOG_LINE_ARGS,
     .help = "a target of log lines, used by proxies that say `log global`"},
    VALUE("log-send-hostname", send_hostname, 0, 1, "[<name>]", "puts the host name into log headers"),
    STRING("log-tag", log_tag, "<tag>", "name in log headers; default: the program's base name"),
    VALUE("nbproc", nbproc, 1, 1, "1", "there is one process"),
    INT("nbthread", nbthread, 1, 4096, "worker threads; default: one a core"),
    STRING("node", node, "<name>", "shown by statistics; default: host name"),
    STRING("pidfile", pidfile, "<path>", "where the process's number is written, as -p"),
    VALUE("presetenv", set_env, 2, 2, "<name> <value>", "sets an environment variable unless it is set"),
    VALUE("resetenv", reset_env, 0, KW_ANY, "[<name>…]", "removes all environment variables but these"),
    VALUE("setenv", set_env, 2, 2, "<name> <value>", "sets an environment variable"),
    VALUE("unsetenv", unset_env, 1, KW_ANY, "<name>…", "removes environment variables"),
    LINE("set-var", parse_set_var_line, "<name> <expression>", "sets a variable of scope proc at the start"),
    LINE("set-var-fmt", parse_set_var_line, "<name> <format>", "the same with a log-format text"),
    {.name = "stats",
     .sections = IN_GLOBAL,
     .type = KW_GROUP,
     .group = &kw_global_stats,
     .args = "socket|timeout|maxconn …",
     .help = "the runtime API"},
    {.name = "strict-limits",
     .sections = IN_GLOBAL,
     .type = KW_FLAG,
     .offset = FIELD(strict_limits),
     .max = 1,
     .negatable = true,
     .help = "the start fails when a descriptor limit cannot be set; the default"},
    INT("uid", uid, 0, INT32_MAX, "number of the user the process runs as; see 'user'"),
    INT("ulimit-n", ulimit_n, 1, INT32_MAX, "open files of the process; default: computed from maxconn"),
    VALUE("user", set_user, 1, 1, "<name>", "user the process runs as"),
    VALUE("zero-warning", set_zero_warning, 0, 0, NULL, "a warning is an error, as -dW"),
    NO_EFFECT("expose-deprecated-directives", "only permits deprecated keywords, none of which needs a permission"),
    NO_EFFECT("expose-experimental-directives", "only permits experimental keywords, none of which is supported yet"),
    NO_EFFECT("insecure-fork-wanted", "forks are never forbidden to the process by a limit"),
    NO_EFFECT("insecure-setuid-wanted", "set-user-id programs are never forbidden by a flag"),
    NO_EFFECT("numa-cpu-mapping", "threads are left to the system's scheduler"),
    NO_EFFECT("cpu-affinity", "threads are left to the system's scheduler"),
    NO_EFFECT("cpu-policy", "threads are left to the system's scheduler"),
    NO_EFFECT("max-threads-per-group", "threads are not grouped"),
    NO_EFFECT("thread-groups", "threads are not grouped"),
    NO_EFFECT("cluster-secret", "concerns QUIC only, which is not supported yet"),
    NO_EFFECT("quick-exit", "the process never spends time on freeing memory when it exits"),
    REFUSED("anonkey", "anonymised output"),
    REFUSED("close-spread-time", "spreading of closes"),
    REFUSED("cpu-map", "binding of threads to processors"),
    REFUSED("cpu-set", "binding of threads to processors"),
    REFUSED("dns-accept-family", "name resolution at run time"),
    REFUSED("external-check", "checks by programs"),
    REFUSED("fd-hard-limit", "the limit of the process is used, see 'ulimit-n'"),
    REFUSED("force-cfg-parser-pause", "a developer's aid"),
    REFUSED("h1-accept-payload-with-any-method", "payload with GET, HEAD and DELETE"),
    REFUSED("h1-case-adjust", "names of headers keep the case they came with"),
    REFUSED("h1-case-adjust-file", "names of headers keep the case they came with"),
    REFUSED("h1-do-not-close-on-insecure-transfer-encoding", "such connections are always closed"),
    REFUSED("harden.reject-privileged-ports.tcp", "refusing of privileged source ports"),
    QUIC("harden.reject-privileged-ports.quic"),
    H2("h2-workaround-bogus-websocket-clients"),
    REFUSED("http-err-codes", "statuses counted as errors are 400 to 499"),
    REFUSED("http-fail-codes", "statuses counted as failures are 500 to 599 without 501 and 505"),
    NO_EFFECT("httpclient.resolvers.disabled", "nothing in the process makes HTTP requests of its own"),
    NO_EFFECT("httpclient.resolvers.id", "nothing in the process makes HTTP requests of its own"),
    NO_EFFECT("httpclient.resolvers.prefer", "nothing in the process makes HTTP requests of its own"),
    NO_EFFECT("httpclient.retries", "nothing in the process makes HTTP requests of its own"),
    NO_EFFECT("httpclient.ssl.ca-file", "nothing in the process makes HTTP requests of its own"),
    NO_EFFECT("httpclient.ssl.verify", "nothing in the process makes HTTP requests of its own"),
    NO_EFFECT("httpclient.timeout.connect", "nothing in the process makes HTTP requests of its own"),
    QUIC("limited-quic"),
    REFUSED("lua-load", "Lua"),
    REFUSED("lua-load-per-thread", "Lua"),
    REFUSED("lua-prepend-path", "Lua"),
    REFUSED("master-worker", "the master process; a reload happens inside the process"),
    REFUSED("mworker-max-reloads", "the master process"),
    QUIC("no-quic"),
    REFUSED("pp2-never-send-local", "PROXY protocol towards servers in checks"),
    REFUSED("set-dumpable", "core dumps; set them up outside"),
    REFUSED("setcap", "keeping of capabilities"),
    REFUSED("shm-stats-file", "statistics in shared memory; a reload keeps them anyway"),
    REFUSED("shm-stats-file-max-objects", "statistics in shared memory"),
    REFUSED("stats-file", "statistics kept in a file"),
    REFUSED("thread-group", "groups of threads"),
    REFUSED("thread-hard-limit", "use 'nbthread'"),
    REFUSED("unix-bind", "give 'mode', 'user' and 'group' on the bind line"),
    REFUSED("acme.scheduler", "certificates by ACME"),
    REFUSED("jwt.decrypt_alg_list", "JSON web tokens"),
    REFUSED("jwt.decrypt_enc_list", "JSON web tokens"),
    // Device databases
    REFUSED("51degrees-cache-size", "device databases"),
    REFUSED("51degrees-data-file", "device databases"),
    REFUSED("51degrees-property-name-list", "device databases"),
    REFUSED("51degrees-property-separator", "device databases"),
    REFUSED("51degrees-use-performance-graph", "device databases"),
    REFUSED("51degrees-use-predictive-graph", "device databases"),
    REFUSED("51degrees-allow-unmatched", "device databases"),
    REFUSED("51degrees-drift", "device databases"),
    REFUSED("51degrees-difference", "device databases"),
    REFUSED("deviceatlas-json-file", "device databases"),
    REFUSED("deviceatlas-log-level", "device databases"),
    REFUSED("deviceatlas-properties-cookie", "device databases"),
    REFUSED("deviceatlas-separator", "device databases"),
    REFUSED("wurfl-cache-size", "device databases"),
    REFUSED("wurfl-data-file", "device databases"),
    REFUSED("wurfl-information-list", "device databases"),
    REFUSED("wurfl-information-list-separator", "device databases"),
    // Performance
    INT("maxconn", maxconn, 0, 100000000, "connections at once; 0, the default: from the descriptor limit"),
    INT("maxpipes", maxpipes, 1, 1000000, "pipes for splicing; default: a quarter of maxconn"),
    INT("spread-checks", spread_checks, 0, 50, "health checks are spread by this percentage of their interval"),
    NO_EFFECT("busy-polling", "a hint about latency"),
    NO_EFFECT("max-spread-checks", "a hint; checks are always spread over their interval at the start"),
    NO_EFFECT("no-memory-trimming", "memory is never trimmed by force"),
    NO_EFFECT("noepoll", "events come from epoll; others would deliver the same"),
    NO_EFFECT("noevports", "events never come from event ports"),
    NO_EFFECT("nokqueue", "events never come from kqueue"),
    NO_EFFECT("nopoll", "events never come from poll"),
    NO_EFFECT("noreuseport", "one socket a bind line serves all threads"),
    NO_EFFECT("prealloc-fd", "a hint about the descriptor table"),
    NO_EFFECT("profiling.memory", "a developer's statistics"),
    NO_EFFECT("profiling.tasks", "a developer's statistics"),
    NO_EFFECT("stress-level", "a developer's aid"),
    NO_EFFECT("warn-blocked-traffic-after", "a developer's aid"),
    TLS("noktls"),
    REFUSED("maxconnrate", "a limit of connections a second for the process; see 'rate-limit sessions'"),
    REFUSED("maxsessrate", "a limit of sessions a second for the process; see 'rate-limit sessions'"),
    REFUSED("nosplice", "bulk is spliced by itself"),
    REFUSED("nogetaddrinfo", "names are always looked up with getaddrinfo"),
    REFUSED("server-state-base", "server states kept in files; a reload keeps them anyway"),
    REFUSED("server-state-file", "server states kept in files; a reload keeps them anyway"),
    COMP("maxcompcpuusage"),
    COMP("maxcomprate"),
    COMP("maxzlibmem"),
    // Tuning
    SIZE("tune.bufsize", tune.bufsize, 1024, 16777216,
         "bytes of a buffer; a request's headers must fit; default 16384"),
    INT("tune.http.logurilen", tune.logurilen, 1, 65536, "bytes of a request line in logs; default 1024"),
    INT("tune.http.maxhdr", tune.maxhdr, 1, 32767, "headers of a message; default 101"),
    INT("tune.maxaccept", tune.maxaccept, -1, 1000000, "connections accepted in a row; default 4, -1 = no limit"),
    SIZE("tune.maxrewrite", tune.maxrewrite, 1, 8388608, "bytes of a buffer kept free for rules; default 1024"),
    SIZE("tune.pipesize", tune.pipesize, 1, 16777216, "bytes of a pipe for splicing; default: the system's"),
    VALUE("tune.stick-counters", stick_counters, 1, 1, "<number>", "stick counters of a stream: there are three"),
    COPY("tune.applet.zero-copy-forwarding"),
    COPY("tune.disable-fast-forward"),
    COPY("tune.disable-zero-copy-forwarding"),
    COPY("tune.h1.zero-copy-fwd-recv"),
    COPY("tune.h1.zero-copy-fwd-send"),
    COPY("tune.pt.zero-copy-forwarding"),
    COPY("tune.recv_enough"),
    NO_EFFECT("tune.chksize", "responses of checks are bounded anyway"),
    NO_EFFECT("tune.defaults.purge", "defaults sections are always freed after reading"),
    NO_EFFECT("tune.epoll.mask-events", "a hint about polling"),
    NO_EFFECT("tune.events.max-events-at-once", "a hint about scheduling"),
    NO_EFFECT("tune.fd.edge-triggered", "a hint about polling"),
    NO_EFFECT("tune.fd.tables", "a hint about polling"),
    NO_EFFECT("tune.http.cookielen", "a captured cookie is as long as its line says"),
    NO_EFFECT("tune.idle-pool.shared", "idle server connections are shared where that pays"),
    NO_EFFECT("tune.idletimer", "a hint about buffers"),
    NO_EFFECT("tune.listener.default-shards", "one socket a bind line serves all threads"),
    NO_EFFECT("tune.listener.multi-queue", "accepted connections go to the least loaded thread"),
    NO_EFFECT("tune.max-rules-at-once", "a hint about scheduling"),
    NO_EFFECT("tune.maxpollevents", "a hint about polling"),
    NO_EFFECT("tune.memory.hot-size", "a hint about allocation"),
    NO_EFFECT("tune.pattern.cache-size", "look-ups are not remembered"),
    NO_EFFECT("tune.peers.max-updates-at-once", "a hint about scheduling"),
    NO_EFFECT("tune.pool-high-fd-ratio", "a hint about idle connections"),
    NO_EFFECT("tune.pool-low-fd-ratio", "a hint about idle connections"),
    NO_EFFECT("tune.ring.queues", "a developer's aid"),
    NO_EFFECT("tune.runqueue-depth", "a hint about scheduling"),
    NO_EFFECT("tune.sched.low-latency", "a hint about scheduling"),
    NO_EFFECT("tune.takeover-other-tg-connections", "threads are not grouped"),
    REFUSED("tune.buffers.limit", "a limit on the number of buffers"),
    REFUSED("tune.buffers.reserve", "a limit on the number of buffers"),
    REFUSED("tune.bufsize.large", "buffers of a second size"),
    REFUSED("tune.bufsize.small", "buffers of a second size"),
    REFUSED("tune.cli.max-payload-size", "a limit on payloads of the runtime API"),
    REFUSED("tune.fail-alloc", "a developer's aid"),
    REFUSED("tune.glitches.kill.cpu-usage", "counting of protocol glitches"),
    REFUSED("tune.h1.be.glitches-threshold", "counting of protocol glitches"),
    REFUSED("tune.h1.fe.glitches-threshold", "counting of protocol glitches"),
    REFUSED("tune.max-checks-per-thread", "a limit on checks at once"),
    REFUSED("tune.notsent-lowat.client", "limits on bytes not sent yet"),
    REFUSED("tune.notsent-lowat.server", "limits on bytes not sent yet"),
    REFUSED("tune.rcvbuf.backend", "buffers of unconnected sockets"),
    REFUSED("tune.rcvbuf.client", "sizes of the kernel's buffers"),
    REFUSED("tune.rcvbuf.frontend", "buffers of unconnected sockets"),
    REFUSED("tune.rcvbuf.server", "sizes of the kernel's buffers"),
    REFUSED("tune.renice.runtime", "priorities; set them outside"),
    REFUSED("tune.renice.startup", "priorities; set them outside"),
    REFUSED("tune.sndbuf.backend", "buffers of unconnected sockets"),
    REFUSED("tune.sndbuf.client", "sizes of the kernel's buffers"),
    REFUSED("tune.sndbuf.frontend", "buffers of unconnected sockets"),
    REFUSED("tune.sndbuf.server", "sizes of the kernel's buffers"),
    REFUSED("tune.streams-elasticity", "HTTP/2"),
    REFUSED("tune.vars.check-max-size", "limits on the memory of variables"),
    REFUSED("tune.vars.global-max-size", "limits on the memory of variables"),
    REFUSED("tune.vars.proc-max-size", "limits on the memory of variables"),
    REFUSED("tune.vars.reqres-max-size", "limits on the memory of variables"),
    REFUSED("tune.vars.sess-max-size", "limits on the memory of variables"),
    REFUSED("tune.vars.txn-max-size", "limits on the memory of variables"),
    COMP("tune.comp.maxlevel"),
    COMP("tune.zlib.memlevel"),
    COMP("tune.zlib.windowsize"),
    H2("tune.h2.be.glitches-threshold"),
    H2("tune.h2.be.initial-window-size"),
    H2("tune.h2.be.max-concurrent-streams"),
    H2("tune.h2.be.max-frames-at-once"),
    H2("tune.h2.be.rxbuf"),
    H2("tune.h2.fe.glitches-threshold"),
    H2("tune.h2.fe.initial-window-size"),
    H2("tune.h2.fe.max-concurrent-streams"),
    H2("tune.h2.fe.max-frames-at-once"),
    H2("tune.h2.fe.max-rst-at-once"),
    H2("tune.h2.fe.max-total-streams"),
    H2("tune.h2.fe.rxbuf"),
    H2("tune.h2.header-table-size"),
    H2("tune.h2.initial-window-size"),
    H2("tune.h2.log-errors"),
    H2("tune.h2.max-concurrent-streams"),
    H2("tune.h2.max-frame-size"),
    H2("tune.h2.zero-copy-fwd-send"),
    LUA("tune.lua.bool-sample-conversion"),
    LUA("tune.lua.burst-timeout"),
    LUA("tune.lua.forced-yield"),
    LUA("tune.lua.log.loggers"),
    LUA("tune.lua.log.stderr"),
    LUA("tune.lua.maxmem"),
    LUA("tune.lua.openlibs"),
    LUA("tune.lua.service-timeout"),
    LUA("tune.lua.session-timeout"),
    LUA("tune.lua.task-timeout"),
    QUIC("tune.quic.be.cc.cubic-min-losses"),
    QUIC("tune.quic.be.cc.hystart"),
    QUIC("tune.quic.be.cc.max-frame-loss"),
    QUIC("tune.quic.be.cc.max-win-size"),
    QUIC("tune.quic.be.cc.reorder-ratio"),
    QUIC("tune.quic.be.max-idle-timeout"),
    QUIC("tune.quic.be.sec.glitches-threshold"),
    QUIC("tune.quic.be.stream.data-ratio"),
    QUIC("tune.quic.be.stream.max-concurrent"),
    QUIC("tune.quic.be.stream.rxbuf"),
    QUIC("tune.quic.be.tx.pacing"),
    QUIC("tune.quic.be.tx.udp-gso"),
    QUIC("tune.quic.fe.cc.cubic-min-losses"),
    QUIC("tune.quic.fe.cc.hystart"),
    QUIC("tune.quic.fe.cc.max-frame-loss"),
    QUIC("tune.quic.fe.cc.max-win-size"),
    QUIC("tune.quic.fe.cc.reorder-ratio"),
    QUIC("tune.quic.fe.max-idle-timeout"),
    QUIC("tune.quic.fe.sec.glitches-threshold"),
    QUIC("tune.quic.fe.sec.retry-threshold"),
    QUIC("tune.quic.fe.sock-per-conn"),
    QUIC("tune.quic.fe.stream.data-ratio"),
    QUIC("tune.quic.fe.stream.max-concurrent"),
    QUIC("tune.quic.fe.stream.max-total"),
    QUIC("tune.quic.fe.stream.rxbuf"),
    QUIC("tune.quic.fe.tx.pacing"),
    QUIC("tune.quic.fe.tx.udp-gso"),
    QUIC("tune.quic.frontend.conn-tx-buffers.limit"),
    QUIC("tune.quic.frontend.max-idle-timeout"),
    QUIC("tune.quic.frontend.max-streams-bidi"),
    QUIC("tune.quic.listen"),
    QUIC("tune.quic.mem.tx-max"),
    QUIC("tune.quic.retry-threshold"),
    QUIC("tune.quic.zero-copy-fwd-send"),
    // TLS
    TLS("ca-base"),
    TLS("crt-base"),
    TLS("issuers-chain-path"),
    TLS("key-base"),
    TLS("maxsslconn"),
    TLS("maxsslrate"),
    TLS("ocsp-update.disable"),
    TLS("ocsp-update.httpproxy"),
    TLS("ocsp-update.maxdelay"),
    TLS("ocsp-update.mindelay"),
    TLS("ocsp-update.mode"),
    TLS("ssl-default-bind-ciphers"),
    TLS("ssl-default-bind-ciphersuites"),
    TLS("ssl-default-bind-client-sigalgs"),
    TLS("ssl-default-bind-curves"),
    TLS("ssl-default-bind-options"),
    TLS("ssl-default-bind-sigalgs"),
    TLS("ssl-default-server-ciphers"),
    TLS("ssl-default-server-ciphersuites"),
    TLS("ssl-default-server-client-sigalgs"),
    TLS("ssl-default-server-curves"),
    TLS("ssl-default-server-options"),
    TLS("ssl-default-server-sigalgs"),
    TLS("ssl-dh-param-file"),
    TLS("ssl-engine"),
    TLS("ssl-load-extra-del-ext"),
    TLS("ssl-load-extra-files"),
    TLS("ssl-mode-async"),
    TLS("ssl-passphrase-cmd"),
    TLS("ssl-propquery"),
    TLS("ssl-provider"),
    TLS("ssl-provider-path"),
    TLS("ssl-security-level"),
    TLS("ssl-server-verify"),
    TLS("ssl-skip-self-issued-ca"),
    TLS("tune.ssl.cachesize"),
    TLS("tune.ssl.capture-buffer-size"),
    TLS("tune.ssl.capture-cipherlist-size"),
    TLS("tune.ssl.certificate-compression"),
    TLS("tune.ssl.default-dh-param"),
    TLS("tune.ssl.force-private-cache"),
    TLS("tune.ssl.hard-maxrecord"),
    TLS("tune.ssl.keylog"),
    TLS("tune.ssl.keyupdate-rate-limit"),
    TLS("tune.ssl.lifetime"),
    TLS("tune.ssl.maxrecord"),
    TLS("tune.ssl.ocsp-update.maxdelay"),
    TLS("tune.ssl.ocsp-update.mindelay"),
    TLS("tune.ssl.ssl-ctx-cache-size"),
    // Debugging
    FLAG("quiet", quiet, "says nothing at the start, as -q"),
};
const struct kw_table kw_global = KW_TABLE(TABLE_GLOBAL, "keyword", rows);
