// SPDX-License-Identifier: Apache-2.0
// Keywords of defaults, frontend, backend and listen (configuration.txt 4.2). Options, timeouts, bind and server lines
// have tables of their own; the functions that read irregular lines are in proxy_lines.c.
#include <stddef.h>

#include "config/load.h"
#include "config/log_line.h"
#include "config/proxy_lines.h"

#define FIELD(name) offsetof(struct cfg_proxy, name)
#define INT(keyword, where, field, low, high, text)                                                                    \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_INT, .offset = FIELD(field), .min = (low), .max = (high),     \
        .args = "<number>", .help = text                                                                               \
    }
#define STRING(keyword, where, field, what, text)                                                                      \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_STRING, .offset = FIELD(field), .args = what, .help = text    \
    }
#define FLAG(keyword, where, field, on, text)                                                                          \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_FLAG, .offset = FIELD(field), .max = (on), .help = text       \
    }
#define CHOICE(keyword, where, field, list, what, text)                                                                \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_CHOICE, .offset = FIELD(field), .choices = (list),            \
        .args = what, .help = text                                                                                     \
    }
#define VALUE(keyword, where, function, low, high, syntax, text)                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_VALUE, .value = (function), .min_args = (low),                \
        .max_args = (high), .args = syntax, .help = text                                                               \
    }
#define LINE(keyword, where, function, syntax, text)                                                                   \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_LINE, .line = (function), .args = syntax, .help = text        \
    }
// In a named defaults section too: each proxy reads the line for itself.
#define RULES(keyword, where, function, syntax, text)                                                                  \
    {                                                                                                                  \
        .name = keyword, .sections = (where) | IN_DEFAULTS, .type = KW_LINE, .rules = true, .line = (function),        \
        .args = syntax, .help = text                                                                                   \
    }
// Where it makes no sense it is an error, not a warning.
#define STRICT(keyword, where, function, syntax, text)                                                                 \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_LINE, .strict = true, .line = (function), .args = syntax,     \
        .help = text                                                                                                   \
    }
#define GROUP(keyword, table, syntax, text)                                                                            \
    {                                                                                                                  \
        .name = keyword, .sections = IN_DEF_PROXY, .type = KW_GROUP, .negatable = true, .group = (table),              \
        .args = syntax, .help = text                                                                                   \
    }
#define NO_EFFECT(keyword, where, text)                                                                                \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .status = KW_NO_EFFECT, .max_args = KW_ANY, .help = text                 \
    }
#define REFUSED(keyword, reason)                                                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = IN_DEF_PROXY, .status = KW_REFUSED, .negatable = true, .help = reason             \
    }

static const struct kw_choice reuse_modes[] = {{"never", REUSE_NEVER},
                                               {"safe", REUSE_SAFE},
                                               {"aggressive", REUSE_AGGRESSIVE},
                                               {"always", REUSE_ALWAYS},
                                               {NULL, 0}};

static const struct kw_row rows[] = {
    RULES("acl", IN_PROXY, parse_acl_line, "<name> <criterion> [<flag>]… [<value>]…", "names a condition"),
    INT("backlog", IN_DEF_FRONT, backlog, 0, INT32_MAX, "connections that may wait in the kernel; default: maxconn"),
    LINE("balance", IN_DEF_BACK, balance_line, "<algorithm> [<argument>]…",
         "how a server is chosen; default roundrobin"),
    LINE("bind", IN_FRONT, bind_line_proxy, "<address>[,<address>]… [<option>]…", "where the frontend listens"),
    LINE("capture", IN_FRONT, capture_line, "cookie|request header|response header <name> len <length>",
         "remembers a cookie or header for logs"),
    LINE("cookie", IN_DEF_BACK, cookie_line, "<name> [rewrite|insert|prefix] [<option>]…",
         "clients stay on a server by a cookie"),
    LINE("declare", IN_FRONT, declare_line, "capture request|response len <length>", "a slot that rules capture into"),
    LINE("default-server", IN_DEF_BACK, default_server_line, "<option>…", "options for the servers below"),
    VALUE("default_backend", IN_DEF_FRONT, default_backend, 1, 1, "<backend>", "backend when no use_backend applies"),
    VALUE("description", IN_PROXY, description, 1, KW_ANY, "<text>", "shown by statistics"),
    FLAG("disabled", IN_DEF_PROXY, disabled, 1, "the proxy does nothing"),
    FLAG("enabled", IN_DEF_PROXY, disabled, 0, "undoes a `disabled` of the defaults section"),
    VALUE("errorfile", IN_DEF_PROXY, error_file, 2, 2, "<status> <path>", "file sent in place of a built-in answer"),
    VALUE("errorloc", IN_DEF_PROXY, error_loc_302, 2, 2, "<status> <url>", "redirect in place of a built-in answer"),
    VALUE("errorloc302", IN_DEF_PROXY, error_loc_302, 2, 2, "<status> <url>", "the same with status 302"),
    VALUE("errorloc303", IN_DEF_PROXY, error_loc_303, 2, 2, "<status> <url>", "the same with status 303"),
    LINE("force-persist", IN_BACK, force_persist_line, "if|unless <condition>",
         "persistence even to a server that is down"),
    INT("fullconn", IN_DEF_BACK, fullconn, 0, INT32_MAX, "connections at which servers get all of their maxconn"),
    VALUE("hash-balance-factor", IN_DEF_BACK, balance_factor, 1, 1, "<percentage>",
          "percentage of the average load above which a consistent hash goes on to the next server; 0 = off"),
    LINE("hash-type", IN_DEF_BACK, hash_type_line, "map-based|consistent [<function>] [avalanche]",
         "how hashes map to servers; default map-based sdbm"),
    RULES("http-after-response", IN_PROXY, parse_rule_line, "<action> [if|unless <condition>]",
          "rules for every response, also those made here"),
    LINE("http-check", IN_DEF_BACK, parse_http_check_line, "send|expect|disable-on-404 …", "health checks by HTTP"),
    RULES("http-request", IN_PROXY, parse_rule_line, "<action> [if|unless <condition>]", "rules for requests"),
    RULES("http-response", IN_PROXY, parse_rule_line, "<action> [if|unless <condition>]", "rules for responses"),
    CHOICE("http-reuse", IN_DEF_BACK, reuse, reuse_modes, "never|safe|aggressive|always",
           "which requests may share server connections; default safe"),
    INT("id", IN_PROXY, id, 1, INT32_MAX, "number of the proxy; default: assigned in file order"),
    LINE("ignore-persist", IN_BACK, ignore_persist_line, "if|unless <condition>", "requests without persistence"),
    VALUE("load-server-state-from-file", IN_DEF_BACK, load_state, 1, 1, "none", "a reload keeps server states itself"),
    {.name = "log",
     .sections = IN_DEF_PROXY,
     .type = KW_LINE,
     .line = log_line_proxy,
     .negatable = true,
     .args = "global | " LOG_LINE_ARGS,
     .help = "where log lines go"},
    LINE("log-format", IN_DEF_FRONT, log_format_line, "<format>", "what log lines say"),
    LINE("log-format-sd", IN_DEF_FRONT, log_format_line, "<format>", "structured data of rfc5424 logs"),
    STRING("log-tag", IN_DEF_PROXY, log_tag, "<tag>", "name in log headers"),
    INT("maxconn", IN_DEF_FRONT, maxconn, 0, INT32_MAX, "connections at once; further ones wait in the kernel"),
    VALUE("mode", IN_DEF_PROXY, mode, 1, 1, "tcp|http", "what the proxy understands; default tcp"),
    LINE("monitor", IN_FRONT, monitor_line, "fail if|unless <condition>", "when monitor-uri answers 503"),
    STRING("monitor-uri", IN_DEF_FRONT, monitor_uri, "<path>", "requests for this path are answered with 200"),
    GROUP("option", &kw_option, "<name> [<argument>]…", "switches"),
    VALUE("rate-limit", IN_DEF_FRONT, rate_limit, 2, 2, "sessions <number>",
          "new sessions a second; further ones wait in the kernel"),
    LINE("redirect", IN_PROXY, parse_redirect_line,
         "location|prefix|scheme <target> [<option>]… [if|unless <condition>]", "answers with a redirect"),
    INT("retries", IN_DEF_BACK, retries, 0, INT32_MAX, "attempts after a failed connection; default 3"),
    LINE("retry-on", IN_DEF_BACK, retry_on_line, "<event>…", "what a request is tried again for; default conn-failure"),
    STRICT("server", IN_BACK, server_line, "<name> <address>[:<port>] [<option>]…", "a server"),
    STRICT("server-template", IN_BACK, server_template_line, "<prefix> <number|range> <address>[:<port>] [<option>]…",
           "several servers that differ by a number in their name"),
    LINE("source", IN_DEF_BACK, source_line, "<address>[:<port>]", "address connections to servers come from"),
    GROUP("stats", &kw_proxy_stats, "…", "the statistics page"),
    LINE("stick", IN_BACK, parse_stick_line,
         "on|match|store-request|store-response <expression> [table <name>] [if|unless <condition>]",
         "clients stay on a server by a table"),
    LINE("stick-table", IN_PROXY, parse_stick_table_line, "type <type> size <size> [<option>]…",
         "a table of this proxy"),
    RULES("tcp-request", IN_PROXY, parse_rule_line, "connection|session|content <action> | inspect-delay <time>",
          "rules for connections and their first bytes"),
    RULES("tcp-response", IN_BACK, parse_rule_line, "content <action> | inspect-delay <time>",
          "rules for a server's first bytes"),
    GROUP("timeout", &kw_timeout, "<name> <time>", "how long to wait"),
    LINE("unique-id-format", IN_DEF_FRONT, unique_id_format_line, "<format>", "an identifier for each request"),
    STRING("unique-id-header", IN_DEF_FRONT, unique_id_header, "<name>", "header in which servers get the identifier"),
    LINE("use_backend", IN_FRONT, parse_use_backend_line, "<backend> [if|unless <condition>]", "chooses a backend"),
    LINE("use-server", IN_BACK, parse_use_server_line, "<server> [if|unless <condition>]", "chooses a server"),
    NO_EFFECT("bind-process", IN_DEF_PROXY, "there is one process"),
    REFUSED("be-unpublished", "backends that are not published"),
    REFUSED("block", "removed from HAProxy; use 'http-request deny'"),
    REFUSED("clitcpka-cnt", "probes of TCP keep-alive; 'option clitcpka' uses the system's numbers"),
    REFUSED("clitcpka-idle", "probes of TCP keep-alive; 'option clitcpka' uses the system's numbers"),
    REFUSED("clitcpka-intvl", "probes of TCP keep-alive; 'option clitcpka' uses the system's numbers"),
    REFUSED("clitimeout", "removed from HAProxy; use 'timeout client'"),
    REFUSED("compression", "compression"),
    REFUSED("contimeout", "removed from HAProxy; use 'timeout connect'"),
    REFUSED("dispatch", "use one 'server'"),
    REFUSED("dynamic-cookie-key", "cookies computed from server addresses"),
    REFUSED("email-alert", "mail alerts"),
    REFUSED("error-log-format", "a format of its own for errors"),
    REFUSED("errorfiles", "sets of error files; use 'errorfile'"),
    REFUSED("external-check", "checks by programs"),
    REFUSED("filter", "filters"),
    REFUSED("filter-sequence", "filters"),
    REFUSED("force-be-switch", "backends that are not published"),
    REFUSED("guid", "global identifiers"),
    REFUSED("hash-preserve-affinity", "hashing beside full servers"),
    REFUSED("http-error", "error answers with parts; use 'errorfile' or 'http-request return'"),
    REFUSED("http-send-name-header", "the server's name in a header; use 'http-request set-header' with %s"),
    REFUSED("log-steps", "log lines for several steps of a request"),
    REFUSED("max-keep-alive-queue", "a limit on queues that keep a client on its server"),
    REFUSED("max-session-srv-conns", "a limit on connections kept for a client"),
    REFUSED("persist", "RDP cookies"),
    REFUSED("quic-initial", "QUIC"),
    REFUSED("server-state-file-name", "server states kept in files; a reload keeps them anyway"),
    REFUSED("srvtcpka-cnt", "probes of TCP keep-alive; 'option srvtcpka' uses the system's numbers"),
    REFUSED("srvtcpka-idle", "probes of TCP keep-alive; 'option srvtcpka' uses the system's numbers"),
    REFUSED("srvtcpka-intvl", "probes of TCP keep-alive; 'option srvtcpka' uses the system's numbers"),
    REFUSED("srvtimeout", "removed from HAProxy; use 'timeout server'"),
    REFUSED("ssl-f-use", "TLS"),
    REFUSED("tcp-check", "scripted checks; 'option tcp-check' alone tries a connection"),
    REFUSED("transparent", "removed from HAProxy; use 'option transparent'"),
    REFUSED("use-fcgi-app", "FastCGI"),
};
const struct kw_table kw_proxy = KW_TABLE(TABLE_PROXY, "keyword", rows);

// ---- stats … -------------------------------------------------------------------------------------------------------
#define PAGE(keyword) REFUSED(keyword, "the statistics page; the runtime API has 'show stat'")
static const struct kw_row stats_rows[] = {
    PAGE("admin"),        PAGE("auth"),      PAGE("enable"),       PAGE("hide-version"), PAGE("http-request"),
    PAGE("realm"),        PAGE("refresh"),   PAGE("scope"),        PAGE("show-desc"),    PAGE("show-legends"),
    PAGE("show-modules"), PAGE("show-node"), PAGE("show-version"), PAGE("uri"),
};
const struct kw_table kw_proxy_stats = KW_TABLE(TABLE_PROXY_STATS, "statistics setting", stats_rows);

// ---- timeout … -----------------------------------------------------------------------------------------------------
#define TIMEOUT(keyword, where, field, text)                                                                           \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_TIME, .once = true, .offset = FIELD(timeout.field),           \
        .args = "a time (in milliseconds, or with a unit: us, ms, s, m, h, d)", .help = text                           \
    }
static const struct kw_row timeout_rows[] = {
    TIMEOUT("check", IN_DEF_BACK, check, "of a health check, once connected"),
    TIMEOUT("client", IN_DEF_FRONT, client, "without a byte from or to the client"),
    TIMEOUT("client-fin", IN_DEF_FRONT, client_fin, "of a client connection closed in one direction"),
    TIMEOUT("connect", IN_DEF_BACK, connect, "of a connection to a server"),
    TIMEOUT("http-keep-alive", IN_DEF_PROXY, http_keep_alive, "between two requests of a client"),
    TIMEOUT("http-request", IN_DEF_PROXY, http_request, "until a request's headers are complete"),
    TIMEOUT("queue", IN_DEF_BACK, queue, "in the queue for a server"),
    TIMEOUT("server", IN_DEF_BACK, server, "without a byte from or to the server"),
    TIMEOUT("server-fin", IN_DEF_BACK, server_fin, "of a server connection closed in one direction"),
    TIMEOUT("tarpit", IN_DEF_PROXY, tarpit, "until a tarpit answers"),
    TIMEOUT("tunnel", IN_DEF_BACK, tunnel, "of a connection that has become a tunnel, in place of client and server"),
    NO_EFFECT("client-hs", IN_DEF_FRONT, "concerns TLS only, which is not supported yet"),
};
const struct kw_table kw_timeout = KW_TABLE(TABLE_TIMEOUT, "timeout", timeout_rows);
