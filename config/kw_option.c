// SPDX-License-Identifier: Apache-2.0
// `option …` of proxies: switches that are bits, and those with arguments.
#include <stddef.h>

#include "config/load.h"

#define BIT(keyword, where, bit, text)                                                                                 \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_OPTION, .negatable = true, .max = (bit), .help = text         \
    }
#define BIT_NO_EFFECT(keyword, where, bit, text)                                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .status = KW_NO_EFFECT, .type = KW_OPTION, .negatable = true,            \
        .max = (bit), .help = text                                                                                     \
    }
#define LINE(keyword, where, can_negate, function, syntax, text)                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = (where), .type = KW_LINE, .negatable = (can_negate), .line = (function),          \
        .args = syntax, .help = text                                                                                   \
    }
#define REFUSED(keyword, reason)                                                                                       \
    {                                                                                                                  \
        .name = keyword, .sections = IN_DEF_PROXY, .status = KW_REFUSED, .negatable = true, .help = reason             \
    }

static bool no_arguments(struct parse *p)
{
    if (p->nwords <= 2)
        return true;
    return parse_error(p, 2, "'option %.*s' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[1]),
                       STR_ARG(p->words[2]));
}

// ---- Logs ----------------------------------------------------------------------------------------------------------
static bool set_log_line(struct parse *p, int log_line)
{
    if (p->section == SECTION_BACKEND) {
        parse_warning(p, 1, "backend '%.*s' : 'option %.*s' directive is ignored in backends.", STR_ARG(p->proxy->name),
                      STR_ARG(p->words[1]));
        return true;
    }
    p->proxy->log_line = log_line;
    p->proxy->log_line_src = p->src;
    return true;
}

static bool option_httplog(struct parse *p)
{
    bool clf = p->nwords > 2 && str_is(p->words[2], "clf");
    if (p->nwords > 2u + clf)
        return parse_error(p, 2, "keyword 'httplog' only supports option 'clf'.");
    return set_log_line(p, clf ? LOG_LINE_CLF : LOG_LINE_HTTP);
}

static bool option_tcplog(struct parse *p)
{
    if (p->nwords > 2 && str_is(p->words[2], "clf"))
        return parse_error(p, 2, "'option tcplog clf' is known to HAProxy but not supported yet.");
    return no_arguments(p) && set_log_line(p, LOG_LINE_TCP);
}

// ---- Connections ---------------------------------------------------------------------------------------------------
static bool set_http_mode(struct parse *p, enum cfg_http_mode wanted)
{
    if (p->prefix == PREFIX_NONE)
        p->proxy->http_mode = wanted;
    else if (p->proxy->http_mode == wanted)
        p->proxy->http_mode = HTTP_KEEP_ALIVE;
    return no_arguments(p);
}

static bool option_keep_alive(struct parse *p)
{
    return set_http_mode(p, HTTP_KEEP_ALIVE);
}

static bool option_server_close(struct parse *p)
{
    return set_http_mode(p, HTTP_SERVER_CLOSE);
}

static bool option_close(struct parse *p)
{
    return set_http_mode(p, HTTP_CLOSE);
}

static bool option_tcpka(struct parse *p)
{
    p->proxy->options |= (uint64_t)1 << OPT_TCPKA | (uint64_t)1 << OPT_CLITCPKA | (uint64_t)1 << OPT_SRVTCPKA;
    return no_arguments(p);
}

static bool option_redispatch(struct parse *p)
{
    int64_t interval = -1;
    p->proxy->options &= ~((uint64_t)1 << OPT_REDISPATCH);
    p->proxy->redispatch_interval = 0;
    if (p->prefix != PREFIX_NONE)
        return no_arguments(p);
    if (p->nwords > 2 && !parse_int(p, 2, -1000000, 1000000, &interval))
        return false;
    if (p->nwords > 3)
        return parse_error(p, 3, "'option redispatch' expects one interval at most.");
    p->proxy->options |= (uint64_t)1 << OPT_REDISPATCH;
    p->proxy->redispatch_interval = (int)interval;
    return true;
}

static bool option_restrict_names(struct parse *p)
{
    if (p->nwords == 3 && str_is(p->words[2], "preserve"))
        return true;
    return parse_error(p, 2, "only 'option http-restrict-req-hdr-names preserve' is supported yet.");
}

// ---- X-Forwarded-For, X-Original-To --------------------------------------------------------------------------------
struct client_header {
    struct str *header, *except;
    bool *if_none; // NULL: not known there
};

static bool client_header(struct parse *p, struct client_header h)
{
    const char *option = p->words[1].ptr;
    *h.except = STR_NONE;
    for (unsigned word = 2; word < p->nwords; word++) {
        struct str name = p->words[word];
        if (h.if_none && str_is(name, "if-none")) {
            *h.if_none = true;
            continue;
        }
        if (!str_is(name, "except") && !str_is(name, "header"))
            return parse_error(p, word, "'option %s' only supports 'except <network>', 'header <name>'%s.", option,
                               h.if_none ? " and 'if-none'" : "");
        if (word + 1 == p->nwords)
            return parse_error(p, word, "'%.*s' of 'option %s' expects an argument.", STR_ARG(name), option);
        if (str_is(name, "except") && !addr_is_network(p->words[word + 1]))
            return parse_error(p, word + 1, "'option %s except' expects <address>[/mask] as argument.", option);
        *(str_is(name, "except") ? h.except : h.header) = p->words[++word];
    }
    return true;
}

static bool option_forwardfor(struct parse *p)
{
    struct cfg_proxy *px = p->proxy;
    px->options |= (uint64_t)1 << OPT_FORWARDFOR;
    px->forwardfor.header = STR("X-Forwarded-For");
    px->forwardfor.if_none = false;
    return client_header(
        p, (struct client_header){&px->forwardfor.header, &px->forwardfor.except_text, &px->forwardfor.if_none});
}

static bool option_originalto(struct parse *p)
{
    struct cfg_proxy *px = p->proxy;
    px->options |= (uint64_t)1 << OPT_ORIGINALTO;
    px->originalto.header = STR("X-Original-To");
    return client_header(p, (struct client_header){&px->originalto.header, &px->originalto.except_text, NULL});
}

// ---- Checks --------------------------------------------------------------------------------------------------------
static void push_check_header(struct parse *p, struct str name, struct str value)
{
    struct cfg_http_check *c = &p->proxy->http_check;
    struct cfg_header_fmt *h = PARSE_PUSH(p->arena, c->headers, c->nheaders, struct cfg_header_fmt);
    h->name = arena_str(p->arena, name);
    h->value.text = arena_str(p->arena, value);
    h->value.constant = true;
    h->value.count = 1;
    h->value.nodes = ARENA_NEW(p->arena, struct cfg_fmt_node);
    h->value.nodes->text = h->value.text;
}

// Old files hide headers and a body behind the version: "HTTP/1.1\r\nHost:\ www".
static bool hidden_headers(struct parse *p, struct cfg_http_check *c)
{
    ptrdiff_t end = str_find(c->version, STR("\r\n"));
    if (end < 0)
        return true;
    struct str rest = str_slice(c->version, (size_t)end + 2, c->version.len);
    c->version = arena_str(p->arena, str_slice(c->version, 0, (size_t)end));
    parse_warning(p, 4,
                  "'option httpchk' : hiding headers or body at the end of the version string is deprecated. Please, "
                  "consider to use 'http-check send' directive instead.");
    while (rest.len > 0 && !str_starts(rest, STR("\r\n"))) {
        ptrdiff_t stop = str_find(rest, STR("\r\n"));
        struct str line = str_slice(rest, 0, stop < 0 ? rest.len : (size_t)stop);
        ptrdiff_t colon = str_find_char(line, ':');
        if (colon <= 0)
            return parse_error(p, 4, "'%.*s' behind the version is not a header.", STR_ARG(line));
        push_check_header(p, str_slice(line, 0, (size_t)colon), str_trim(str_slice(line, (size_t)colon + 1, line.len)));
        rest = str_slice(rest, line.len + (stop >= 0 ? 2 : 0), rest.len);
    }
    c->body = arena_str(p->arena, str_slice(rest, 2, rest.len));
    return true;
}

// option httpchk [[<method>] <uri> [<version> [<host>]]]
static bool option_httpchk(struct parse *p)
{
    struct cfg_http_check *c = &p->proxy->http_check;
    p->proxy->check_kind = CHECK_HTTP;
    c->method = STR("OPTIONS");
    c->uri = STR("/");
    c->version = STR("HTTP/1.0");
    if (p->nwords == 3) {
        c->uri = p->words[2];
    } else if (p->nwords > 3) {
        c->method = p->words[2];
        c->uri = p->words[3];
    }
    if (p->nwords > 4)
        c->version = p->words[4];
    if (!str_starts(c->version, STR("HTTP/")))
        return parse_error(p, 4, "'%.*s' is not an HTTP version: expected HTTP/1.0 or HTTP/1.1.", STR_ARG(c->version));
    if (p->nwords > 6)
        return parse_error(p, 6, "'option httpchk' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[6]));
    if (!hidden_headers(p, c))
        return false;
    if (p->nwords < 6)
        return true;
    struct cfg_header_fmt *host = PARSE_PUSH(p->arena, c->headers, c->nheaders, struct cfg_header_fmt);
    host->name = STR("Host");
    return parse_format(p, 5, p->words[5], WHERE_CHECK, &host->value);
}

static bool option_tcp_check(struct parse *p)
{
    p->proxy->check_kind = CHECK_TCP;
    return no_arguments(p);
}

static const struct kw_row rows[] = {
    BIT("abortonclose", IN_DEF_PROXY, OPT_ABORTONCLOSE, "requests of clients that left are taken out of the queue"),
    BIT("accept-invalid-http-request", IN_DEF_FRONT, OPT_ACCEPT_INVALID_REQ, "lets some malformed requests through"),
    BIT("accept-invalid-http-response", IN_DEF_BACK, OPT_ACCEPT_INVALID_RES, "lets some malformed responses through"),
    BIT("accept-unsafe-violations-in-http-request", IN_DEF_FRONT, OPT_ACCEPT_INVALID_REQ,
        "lets some malformed requests through"),
    BIT("accept-unsafe-violations-in-http-response", IN_DEF_BACK, OPT_ACCEPT_INVALID_RES,
        "lets some malformed responses through"),
    BIT("allbackups", IN_DEF_BACK, OPT_ALLBACKUPS, "all backup servers are used at once, not only the first"),
    BIT("clitcpka", IN_DEF_FRONT, OPT_CLITCPKA, "TCP keep-alive probes towards clients"),
    BIT_NO_EFFECT("contstats", IN_DEF_FRONT, OPT_CONTSTATS, "counters are always up to date"),
    BIT_NO_EFFECT("disable-h2-upgrade", IN_DEF_FRONT, OPT_DISABLE_H2_UPGRADE, "HTTP/1 is never upgraded to HTTP/2"),
    BIT("dontlog-normal", IN_DEF_FRONT, OPT_DONTLOG_NORMAL, "logs only what went wrong"),
    BIT("dontlognull", IN_DEF_FRONT, OPT_DONTLOGNULL, "does not log connections without a byte"),
    LINE("forwardfor", IN_DEF_PROXY, false, option_forwardfor, "[except <network>] [header <name>] [if-none]",
         "tells servers the client's address in X-Forwarded-For"),
    BIT("http-buffer-request", IN_DEF_PROXY, OPT_HTTP_BUFFER_REQUEST, "waits for the body before going on"),
    BIT("http-ignore-probes", IN_DEF_FRONT, OPT_HTTP_IGNORE_PROBES, "empty connections end silently"),
    LINE("http-keep-alive", IN_DEF_PROXY, true, option_keep_alive, NULL,
         "keeps connections on both sides; the default"),
    BIT_NO_EFFECT("http-no-delay", IN_DEF_PROXY, OPT_HTTP_NO_DELAY, "the kernel never waits to fill packets"),
    BIT("http-pretend-keepalive", IN_DEF_BACK, OPT_HTTP_PRETEND_KEEPALIVE, "does not tell servers that it will close"),
    LINE("http-restrict-req-hdr-names", IN_DEF_PROXY, false, option_restrict_names, "preserve",
         "header names are passed as they are"),
    LINE("http-server-close", IN_DEF_PROXY, true, option_server_close, NULL,
         "closes server connections after a response"),
    LINE("httpchk", IN_DEF_BACK, false, option_httpchk, "[[<method>] <uri> [<version> [<host>]]]",
         "checks servers by HTTP"),
    LINE("httpclose", IN_DEF_PROXY, true, option_close, NULL, "closes both connections after a response"),
    LINE("httplog", IN_DEF_PROXY, false, option_httplog, "[clf]", "a log line for each request"),
    BIT("log-health-checks", IN_DEF_BACK, OPT_LOG_HEALTH_CHECKS, "logs every change of a server's checks"),
    BIT("log-separate-errors", IN_DEF_FRONT, OPT_LOG_SEPARATE_ERRORS, "errors are logged at level err"),
    BIT("logasap", IN_DEF_FRONT, OPT_LOGASAP, "logs at the start of the response"),
    BIT("nolinger", IN_DEF_PROXY, OPT_NOLINGER, "closes connections with a reset"),
    LINE("originalto", IN_DEF_PROXY, false, option_originalto, "[except <network>] [header <name>]",
         "tells servers the original destination in X-Original-To"),
    BIT("persist", IN_DEF_BACK, OPT_PERSIST, "persistence also to servers that are down"),
    BIT("prefer-last-server", IN_DEF_BACK, OPT_PREFER_LAST_SERVER, "a kept connection goes on with its server"),
    LINE("redispatch", IN_DEF_BACK, true, option_redispatch, "[<interval>]",
         "a retry may go to another server, cookie or not"),
    BIT_NO_EFFECT("splice-auto", IN_DEF_PROXY, OPT_SPLICE_AUTO, "bulk is spliced by itself"),
    BIT_NO_EFFECT("splice-request", IN_DEF_PROXY, OPT_SPLICE_REQUEST, "bulk is spliced by itself"),
    BIT_NO_EFFECT("splice-response", IN_DEF_PROXY, OPT_SPLICE_RESPONSE, "bulk is spliced by itself"),
    BIT("srvtcpka", IN_DEF_BACK, OPT_SRVTCPKA, "TCP keep-alive probes towards servers"),
    LINE("tcp-check", IN_DEF_BACK, false, option_tcp_check, NULL, "checks servers by a connection"),
    BIT_NO_EFFECT("tcp-smart-accept", IN_DEF_FRONT, OPT_TCP_SMART_ACCEPT, "a hint about acknowledgements"),
    BIT_NO_EFFECT("tcp-smart-connect", IN_DEF_BACK, OPT_TCP_SMART_CONNECT, "a hint about acknowledgements"),
    LINE("tcpka", IN_DEF_PROXY, false, option_tcpka, NULL, "TCP keep-alive probes on both sides"),
    LINE("tcplog", IN_DEF_PROXY, false, option_tcplog, NULL, "a log line for each connection"),
    REFUSED("checkcache", "a check of cacheable responses that set a cookie"),
    REFUSED("external-check", "checks by programs"),
    REFUSED("forceclose", "removed from HAProxy; use 'option httpclose'"),
    REFUSED("forwarded", "the header Forwarded"),
    REFUSED("h1-case-adjust-bogus-client", "names of headers keep the case they came with"),
    REFUSED("h1-case-adjust-bogus-server", "names of headers keep the case they came with"),
    REFUSED("http-drop-request-trailers", "trailers are forwarded"),
    REFUSED("http-drop-response-trailers", "trailers are forwarded"),
    REFUSED("http-tunnel", "removed from HAProxy"),
    REFUSED("http-use-htx", "removed from HAProxy"),
    REFUSED("http-use-proxy-header", "the header Proxy-Connection"),
    REFUSED("httpslog", "TLS"),
    REFUSED("idle-close-on-response", "idle connections are closed by a soft stop"),
    REFUSED("independent-streams", "timeouts a direction"),
    REFUSED("ldap-check", "checks of other protocols"),
    REFUSED("mysql-check", "checks of other protocols"),
    REFUSED("pgsql-check", "checks of other protocols"),
    REFUSED("redis-check", "checks of other protocols"),
    REFUSED("smtpchk", "checks of other protocols"),
    REFUSED("socket-stats", "statistics of bind lines"),
    REFUSED("spop-check", "checks of other protocols"),
    REFUSED("ssl-hello-chk", "checks of other protocols"),
    REFUSED("transparent", "connecting to the address the client asked for"),
    REFUSED("use-small-buffers", "buffers of a second size"),
};
const struct kw_table kw_option = KW_TABLE(TABLE_OPTION, "option", rows);
