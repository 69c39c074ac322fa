// SPDX-License-Identifier: Apache-2.0
// `server`, `default-server`, `server-template` and their options (configuration.txt 5.2). A server starts as a copy of
// the default-server of its section.
#include <stddef.h>
#include <sys/socket.h>

#include "config/kw_rows.h"
#include "config/load.h"
#include "config/proxy_lines.h"

#define FIELD(name) offsetof(struct cfg_server, name)
#define TIME(keyword, field, low, text)                                                                                \
    {                                                                                                                  \
        .name = keyword, .type = KW_TIME, .offset = FIELD(field), .min = (low), .args = "<time>", .help = text         \
    }
#define FLAG(keyword, field, on, text)                                                                                 \
    {                                                                                                                  \
        .name = keyword, .type = KW_FLAG, .offset = FIELD(field), .max = (on), .help = text                            \
    }
#define CHOICE(keyword, field, list, what, text)                                                                       \
    {                                                                                                                  \
        .name = keyword, .type = KW_CHOICE, .offset = FIELD(field), .choices = (list), .args = what, .help = text      \
    }

static const struct kw_choice observed[] = {
    {"none", OBSERVE_NONE}, {"layer4", OBSERVE_LAYER4}, {"layer7", OBSERVE_LAYER7}, {NULL, 0}};
static const struct kw_choice on_errors[] = {{"fastinter", ON_ERROR_FASTINTER},
                                             {"fail-check", ON_ERROR_FAIL_CHECK},
                                             {"sudden-death", ON_ERROR_SUDDEN_DEATH},
                                             {"mark-down", ON_ERROR_MARK_DOWN},
                                             {NULL, 0}};
static const struct kw_choice marked_down[] = {{"shutdown-sessions", ON_MARKED_DOWN_SHUTDOWN}, {NULL, 0}};
static const struct kw_choice marked_up[] = {{"shutdown-backup-sessions", ON_MARKED_UP_SHUTDOWN_BACKUP}, {NULL, 0}};
static const struct kw_choice preferred[] = {{"ipv4", AF_INET}, {"ipv6", AF_INET6}, {NULL, 0}};

bool source_addr(struct parse *p, unsigned word, struct cfg_addr *out)
{
    if (!parse_addr(p, word, p->words[word], 0, false, out))
        return false;
    if (out->kind != CFG_ADDR_INET || out->port_relative)
        return parse_error(p, word, "'%.*s' is not an IP address with an optional port or port range.",
                           STR_ARG(p->words[word]));
    return true;
}

static bool set_source(struct parse *p, unsigned word, void *target)
{
    struct cfg_server *sv = target;
    return source_addr(p, word, &sv->source);
}

static bool check_address(struct parse *p, unsigned word, void *target)
{
    struct cfg_server *sv = target;
    return parse_addr(p, word, p->words[word], 0, false, &sv->check_addr);
}

static bool init_address(struct parse *p, unsigned word, void *target)
{
    struct cfg_server *sv = target;
    struct str rest = p->words[word], one;
    while (str_split(&rest, ',', &one))
        if (!str_is(one, "last") && !str_is(one, "libc") && !str_is(one, "none") && !addr_is_network(one))
            return parse_error(p, word,
                               "unknown init-addr method '%.*s', supported methods are 'libc', 'last', 'none' "
                               "and an address.",
                               STR_ARG(one));
    sv->init_addr = p->words[word];
    return true;
}

static bool one_of(struct parse *p, unsigned word, const char *only, const char *also)
{
    if (str_is(p->words[word], only) || (also && str_is(p->words[word], also)))
        return true;
    return parse_error(p, word, "'%.*s %.*s' is not supported yet: expected '%s'.", STR_ARG(p->words[word - 1]),
                       STR_ARG(p->words[word]), only);
}

static bool protocol(struct parse *p, unsigned word, void *target)
{
    (void)target;
    return one_of(p, word, "h1", "none");
}

static bool websockets(struct parse *p, unsigned word, void *target)
{
    (void)target;
    return one_of(p, word, "auto", "h1");
}

static bool hash_key(struct parse *p, unsigned word, void *target)
{
    (void)target;
    return one_of(p, word, "id", NULL);
}

static const struct kw_row rows[] = {
    VALUE("addr", check_address, "<address>[:<port>]", "where health checks connect"),
    FLAG("backup", backup, 1, "used only when all others are down"),
    FLAG("check", check, 1, "health checks"),
    STRING("cookie", cookie, "<value>", "value of the persistence cookie for this server"),
    FLAG("disabled", disabled, 1, "starts in maintenance"),
    TIME("downinter", downinter, 1, "interval of checks while down"),
    FLAG("enabled", disabled, 0, "undoes a `disabled` of default-server"),
    INT("error-limit", error_limit, 1, INT32_MAX,
        "consecutive errors seen by 'observe' that call 'on-error'; default 10"),
    INT("fall", fall, 1, INT32_MAX, "failed checks until the server is down; default 3"),
    TIME("fastinter", fastinter, 1, "interval of checks while it changes between up and down"),
    VALUE("hash-key", hash_key, "id", "what places the server on a consistent hash"),
    INT("id", id, 1, INT32_MAX, "number of the server; default: assigned in file order"),
    VALUE("init-addr", init_address, "last|libc|none|<address>[,…]", "how its name is looked up at the start"),
    TIME("inter", inter, 1, "interval of checks; default 2s"),
    INT("max-reuse", max_reuse, -1, INT32_MAX, "requests of a server connection; default no limit"),
    INT("maxconn", maxconn, 0, INT32_MAX, "connections at once, further requests wait; 0 = no limit"),
    INT("maxqueue", maxqueue, 0, INT32_MAX, "waiting requests, further ones go elsewhere; 0 = no limit"),
    INT("minconn", minconn, 0, INT32_MAX, "maxconn when the backend is idle; it grows with the load"),
    FLAG("no-backup", backup, 0, "undoes a `backup` of default-server"),
    FLAG("no-check", check, 0, "undoes a `check` of default-server"),
    CHOICE("observe", observe, observed, "none|layer4|layer7", "traffic's errors count for health; needs 'check'"),
    CHOICE("on-error", on_error, on_errors, "fastinter|fail-check|sudden-death|mark-down",
           "what too many errors seen by 'observe' do; default fail-check"),
    CHOICE("on-marked-down", on_marked_down, marked_down, "shutdown-sessions", "what happens when it goes down"),
    CHOICE("on-marked-up", on_marked_up, marked_up, "shutdown-backup-sessions", "what happens when it comes up"),
    INT("pool-max-conn", pool_max_conn, -1, INT32_MAX, "idle connections kept; default no limit"),
    TIME("pool-purge-delay", pool_purge_delay, 0, "idle connections are halved at this interval; default 5s"),
    INT("port", check_port, 0, 65535, "where health checks connect"),
    VALUE("proto", protocol, "h1", "the protocol the server speaks"),
    CHOICE("resolve-prefer", resolve_family, preferred, "ipv4|ipv6", "family preferred when its name has both"),
    INT("rise", rise, 1, INT32_MAX, "good checks until the server is up; default 2"),
    TIME("slowstart", slowstart, 0, "weight and maxconn grow for this time after it came up"),
    VALUE("source", set_source, "<address>[:<port>[-<port>]]", "address connections to it come from"),
    TIME("tcp-ut", tcp_ut, 0, "TCP user timeout"),
    STRING("track", track, "[<backend>/]<server>", "its state is that of another server"),
    INT("weight", weight, 0, 256, "share of the load; default 1"),
    VALUE("ws", websockets, "auto|h1", "the protocol of websockets"),
    NO_EFFECT("no-agent-check", 0, "agents are not asked"),
    NO_EFFECT("no-check-reuse-pool", 0, "checks have connections of their own"),
    NO_EFFECT("no-check-send-proxy", 0, "checks follow send-proxy"),
    NO_EFFECT("no-send-proxy", 0, "the PROXY protocol is not spoken to servers"),
    NO_EFFECT("no-send-proxy-v2", 0, "the PROXY protocol is not spoken to servers"),
    NO_EFFECT("no-send-proxy-v2-ssl", 0, "TLS properties are never sent"),
    NO_EFFECT("no-send-proxy-v2-ssl-cn", 0, "TLS properties are never sent"),
    NO_EFFECT("no-tfo", 0, "TCP fast open is not used towards servers"),
    NO_EFFECT("pool-low-conn", 1, "a hint about idle connections"),
    NO_EFFECT("stick", 0, "entries are made for every server"),
    REFUSED("agent-addr", "agents"),
    REFUSED("agent-check", "agents"),
    REFUSED("agent-inter", "agents"),
    REFUSED("agent-port", "agents"),
    REFUSED("agent-send", "agents"),
    REFUSED("cc", "the choice of a congestion control"),
    REFUSED("check-pool-conn-name", "checks over kept connections"),
    REFUSED("check-proto", "checks of other protocols"),
    REFUSED("check-reuse-pool", "checks over kept connections"),
    REFUSED("check-send-proxy", "the PROXY protocol in checks alone"),
    REFUSED("check-via-socks4", "SOCKS"),
    REFUSED("guid", "global identifiers"),
    REFUSED("healthcheck", "named health checks"),
    REFUSED("idle-ping", "HTTP/2"),
    REFUSED("init-state", "servers start up, or down with 'disabled'"),
    REFUSED("log-bufsize", "backends of log servers"),
    REFUSED("log-proto", "rings"),
    REFUSED("namespace", "network namespaces"),
    REFUSED("non-stick", "servers without stick-table entries"),
    REFUSED("pool-conn-name", "names of kept connections"),
    REFUSED("proxy-v2-options", "properties in the PROXY protocol"),
    REFUSED("quic-cc-algo", "QUIC"),
    REFUSED("redir", "redirects by servers"),
    REFUSED("resolve-net", "name resolution at run time"),
    REFUSED("resolve-opts", "name resolution at run time"),
    REFUSED("resolvers", "name resolution at run time"),
    REFUSED("send-proxy", "the PROXY protocol"),
    REFUSED("send-proxy-v2", "the PROXY protocol"),
    REFUSED("send-proxy-v2-ssl", "TLS"),
    REFUSED("send-proxy-v2-ssl-cn", "TLS"),
    REFUSED("set-proxy-v2-tlv-fmt", "properties in the PROXY protocol"),
    REFUSED("shard", "sharding of peers"),
    REFUSED("socks4", "SOCKS"),
    REFUSED("strict-maxconn", "idle connections counted in maxconn"),
    REFUSED("tcp-md5sig", "TCP signatures"),
    REFUSED("tfo", "TCP fast open towards servers"),
    REFUSED("usesrc", "the client's address towards servers"),
    REFUSED("ssl", "TLS"),
    REFUSED("check-ssl", "TLS"),
    TLS("allow-0rtt", 0),
    TLS("alpn", 1),
    TLS("ca-file", 1),
    TLS("check-alpn", 1),
    TLS("check-sni", 1),
    TLS("check-sni-auto", 0),
    TLS("ciphers", 1),
    TLS("ciphersuites", 1),
    TLS("client-sigalgs", 1),
    TLS("crl-file", 1),
    TLS("crt", 1),
    TLS("curves", 1),
    TLS("force-sslv3", 0),
    TLS("force-tlsv10", 0),
    TLS("force-tlsv11", 0),
    TLS("force-tlsv12", 0),
    TLS("force-tlsv13", 0),
    TLS("ktls", 1),
    TLS("no-check-sni-auto", 0),
    TLS("no-check-ssl", 0),
    TLS("no-renegotiate", 0),
    TLS("no-sni-auto", 0),
    TLS("no-ssl", 0),
    TLS("no-ssl-reuse", 0),
    TLS("no-sslv3", 0),
    TLS("no-tls-tickets", 0),
    TLS("no-tlsv10", 0),
    TLS("no-tlsv11", 0),
    TLS("no-tlsv12", 0),
    TLS("no-tlsv13", 0),
    TLS("npn", 1),
    TLS("renegotiate", 0),
    TLS("sigalgs", 1),
    TLS("sni", 1),
    TLS("sni-auto", 0),
    TLS("ssl-max-ver", 1),
    TLS("ssl-min-ver", 1),
    TLS("ssl-reuse", 0),
    TLS("tls-tickets", 0),
    TLS("verify", 1),
    TLS("verifyhost", 1),
};
const struct kw_table kw_server = KW_TABLE(TABLE_SERVER, "server option", rows);

// ---- Lines ---------------------------------------------------------------------------------------------------------
static bool server_name_ok(struct parse *p, unsigned word)
{
    struct str name = p->words[word];
    for (size_t i = 0; i < name.len; i++) {
        char c = str_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || memchr("-_.:", c, 4)))
            return parse_error(p, word, "character '%c' is not permitted in server name '%.*s'.", name.ptr[i],
                               STR_ARG(name));
    }
    return name.len > 0 || parse_error(p, word, "a server's name cannot be empty.");
}

static void push_server(struct parse *p, unsigned word, const struct cfg_server *sv)
{
    struct cfg_proxy *px = p->proxy;
    struct cfg_src *before = strmap_get(&p->loader->server_names, sv->name);
    if (before) {
        parse_error(p, word, "backend '%.*s' has another server named '%.*s' at line %u, please use a different name.",
                    STR_ARG(px->name), STR_ARG(sv->name), before->line);
        return;
    }
    struct cfg_server added = *sv;
    added.proxy = px;
    added.index = px->nservers++;
    buf_add(&p->loader->servers, &added, sizeof(added));
    strmap_put(&p->loader->server_names, added.name, arena_memdup(p->arena, &added.src, sizeof(added.src)));
}

static bool server_address(struct parse *p, unsigned word, struct cfg_server *sv)
{
    struct str text = p->words[word];
    if (!parse_addr(p, word, text, 0, false, &sv->addr))
        return false;
    if (sv->addr.kind == CFG_ADDR_FD)
        return parse_error(p, word, "a file descriptor is not acceptable here in '%.*s'", STR_ARG(text));
    if (sv->addr.port_end > sv->addr.port)
        return parse_error(p, word, "port range not permitted here in '%.*s'", STR_ARG(text));
    // Without a port the client's destination port is used: an offset of nothing.
    if (sv->addr.kind == CFG_ADDR_INET && sv->addr.port == 0)
        sv->addr.port_relative = true;
    return true;
}

static bool server_options(struct parse *p, unsigned word, struct cfg_server *sv)
{
    bool ok = kw_options(p, &kw_server, word, sv);
    if (sv->minconn > sv->maxconn) // as HAProxy: maxconn is at least minconn
        sv->maxconn = sv->minconn;
    return ok;
}

bool server_line(struct parse *p)
{
    struct cfg_server sv = p->loader->server;
    if (p->nwords < 3)
        return parse_error(p, p->nwords, "'server' expects <name> and <addr>[:<port>] as arguments.");
    sv.name = p->words[1];
    sv.src = p->src;
    if (!server_name_ok(p, 1) || !server_address(p, 2, &sv))
        return false;
    bool ok = server_options(p, 3, &sv);
    push_server(p, 1, &sv);
    return ok;
}

bool default_server_line(struct parse *p)
{
    struct cfg_server *sv = p->section == SECTION_DEFAULTS ? &p->loader->current_defaults->server : &p->loader->server;
    return server_options(p, 1, sv);
}

// server-template <prefix> <number|from-to> <address> <option>…
bool server_template_line(struct parse *p)
{
    struct cfg_server sv = p->loader->server;
    uint64_t first = 1, last;
    if (p->nwords < 4)
        return parse_error(p, p->nwords, "'server-template' expects <prefix>, <number or range> and <addr>[:<port>].");
    struct str to = p->words[2], from;
    str_split(&to, '-', &from);
    bool range = to.ptr != NULL;
    if (!str_to_u64(range ? to : from, &last) || (range && !str_to_u64(from, &first)) || first > last || last > 100000)
        return parse_error(p, 2, "'%.*s' is not a number of servers or a range such as 1-5.", STR_ARG(p->words[2]));
    sv.src = p->src;
    if (!server_name_ok(p, 1) || !server_address(p, 3, &sv) || !server_options(p, 4, &sv))
        return false;
    for (uint64_t i = first; i <= last; i++) {
        sv.name = arena_printf(p->arena, "%.*s%llu", STR_ARG(p->words[1]), (unsigned long long)i);
        push_server(p, 1, &sv);
    }
    return true;
}
