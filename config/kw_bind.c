// SPDX-License-Identifier: Apache-2.0
// `bind` lines and their options (configuration.txt 5.1); also those of `stats socket` and of `bind` in clusters.
#include <stddef.h>

#include "config/kw_rows.h"
#include "config/load.h"

#define FIELD(name) offsetof(struct cfg_bind, name)
#define FLAG(keyword, field, text)                                                                                     \
    {                                                                                                                  \
        .name = keyword, .type = KW_FLAG, .offset = FIELD(field), .max = 1, .help = text                               \
    }

static const struct kw_choice level_names[] = {{"user", 0}, {"operator", 1}, {"admin", 2}, {NULL, 0}};

static bool octal_mode(struct parse *p, unsigned word, void *target)
{
    struct cfg_bind *b = target;
    struct str text = p->words[word];
    int mode = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '7' || mode > 0777)
            return parse_error(p, word, "'%.*s' is not an octal file mode, e.g. 660.", STR_ARG(text));
        mode = mode * 8 + (text.ptr[i] - '0');
    }
    b->mode = mode;
    return text.len > 0 || parse_error(p, word, "missing or invalid mode, e.g. 660.");
}

static bool expose_fd(struct parse *p, unsigned word, void *target)
{
    struct cfg_bind *b = target;
    b->expose_fd_listeners = str_is(p->words[word], "listeners");
    return b->expose_fd_listeners ||
           parse_error(p, word, "'expose-fd' expects 'listeners' (got '%.*s').", STR_ARG(p->words[word]));
}

static bool segment_size(struct parse *p, unsigned word, void *target)
{
    struct cfg_bind *b = target;
    int64_t value;
    if (!parse_int(p, word, -65535, 65535, &value))
        return false;
    b->mss = (int)value;
    return value != 0 || parse_error(p, word, "'mss' expects an absolute value between 1 and 65535.");
}

static bool protocol(struct parse *p, unsigned word, void *target)
{
    (void)target;
    if (str_is(p->words[word], "h1") || str_is(p->words[word], "none"))
        return true;
    return parse_error(p, word, "protocol '%.*s' is not supported yet: expected 'h1'.", STR_ARG(p->words[word]));
}

static bool severity(struct parse *p, unsigned word, void *target)
{
    (void)target;
    if (str_is(p->words[word], "none"))
        return true;
    return parse_error(p, word, "only 'severity-output none' is supported yet.");
}

static const struct kw_row rows[] = {
    INT("backlog", backlog, 0, INT32_MAX, "connections that may wait in the kernel"),
    FLAG("defer-accept", defer_accept, "accepts once the client has sent something"),
    {.name = "expose-fd",
     .status = KW_NO_EFFECT,
     .type = KW_VALUE,
     .value = expose_fd,
     .min_args = 1,
     .max_args = 1,
     .args = "listeners",
     .help = "a reload keeps its listeners inside the process"},
    INT("gid", gid, 0, INT32_MAX, "group of a UNIX socket's file"),
    STRING("group", group, "<name>", "group of a UNIX socket's file"),
    INT("id", id, 1, INT32_MAX, "number of the listener"),
    STRING("interface", interface, "<name>", "only from this network interface"),
    {.name = "level",
     .type = KW_CHOICE,
     .offset = FIELD(level),
     .choices = level_names,
     .args = "user|operator|admin",
     .help = "what the runtime API permits on this socket; default operator"},
    INT("maxconn", maxconn, 0, INT32_MAX, "connections at once on this line"),
    VALUE("mode", octal_mode, "<mode>", "permissions of a UNIX socket's file, octal"),
    VALUE("mss", segment_size, "<size>", "TCP segment size, 1 to 65535; negative: subtracted from the system's"),
    STRING("name", name, "<name>", "shown by statistics"),
    VALUE("proto", protocol, "h1", "the protocol clients speak"),
    VALUE("severity-output", severity, "none", "severities in the runtime API's answers"),
    FLAG("tfo", tfo, "TCP fast open"),
    FLAG("transparent", transparent, "also for addresses of other machines"),
    INT("uid", uid, 0, INT32_MAX, "owner of a UNIX socket's file"),
    STRING("user", user, "<name>", "owner of a UNIX socket's file"),
    FLAG("v4v6", v4v6, "an IPv6 address takes IPv4 too"),
    FLAG("v6only", v6only, "an IPv6 address does not take IPv4"),
    NO_EFFECT("label", 1, "a free word"),
    NO_EFFECT("nice", 1, "a hint about scheduling"),
    NO_EFFECT("process", 1, "there is one process"),
    NO_EFFECT("shards", 1, "one socket a line serves all threads"),
    NO_EFFECT("thread", 1, "accepted connections go to the least loaded thread"),
    REFUSED("accept-netscaler-cip", "NetScaler's client address header"),
    REFUSED("accept-proxy", "the PROXY protocol"),
    REFUSED("cc", "the choice of a congestion control"),
    REFUSED("guid-prefix", "global identifiers"),
    REFUSED("idle-ping", "HTTP/2"),
    REFUSED("namespace", "network namespaces"),
    REFUSED("nbconn", "reverse HTTP"),
    REFUSED("quic-cc-algo", "QUIC"),
    REFUSED("quic-force-retry", "QUIC"),
    REFUSED("quic-socket", "QUIC"),
    REFUSED("tcp-md5sig", "TCP signatures"),
    REFUSED("tcp-ss", "kept SYN packets"),
    REFUSED("tcp-ut", "the TCP user timeout of clients"),
    REFUSED("ssl", "TLS"),
    TLS("allow-0rtt", 0),
    TLS("alpn", 1),
    TLS("ca-file", 1),
    TLS("ca-ignore-err", 1),
    TLS("ca-sign-file", 1),
    TLS("ca-sign-pass", 1),
    TLS("ca-verify-file", 1),
    TLS("ciphers", 1),
    TLS("ciphersuites", 1),
    TLS("client-sigalgs", 1),
    TLS("crl-file", 1),
    TLS("crt", 1),
    TLS("crt-ignore-err", 1),
    TLS("crt-list", 1),
    TLS("curves", 1),
    TLS("default-crt", 1),
    TLS("ecdhe", 1),
    TLS("ech", 1),
    TLS("force-sslv3", 0),
    TLS("force-tlsv10", 0),
    TLS("force-tlsv11", 0),
    TLS("force-tlsv12", 0),
    TLS("force-tlsv13", 0),
    TLS("generate-certificates", 0),
    TLS("ktls", 1),
    TLS("no-alpn", 0),
    TLS("no-ca-names", 0),
    TLS("no-sslv3", 0),
    TLS("no-strict-sni", 0),
    TLS("no-tls-tickets", 0),
    TLS("no-tlsv10", 0),
    TLS("no-tlsv11", 0),
    TLS("no-tlsv12", 0),
    TLS("no-tlsv13", 0),
    TLS("npn", 1),
    TLS("prefer-client-ciphers", 0),
    TLS("sigalgs", 1),
    TLS("ssl-max-ver", 1),
    TLS("ssl-min-ver", 1),
    TLS("strict-sni", 0),
    TLS("tls-ticket-keys", 1),
    TLS("tls-tickets", 0),
    TLS("verify", 1),
};
const struct kw_table kw_bind = KW_TABLE(TABLE_BIND, "bind option", rows);

static bool push_address(struct parse *p, unsigned word, struct str text, const struct cfg_bind *options,
                         struct cfg_bind **binds, unsigned *nbinds)
{
    struct cfg_addr addr;
    if (!parse_addr(p, word, text, 0, true, &addr))
        return false;
    if (addr.port_relative)
        return parse_error(p, word, "port offset not permitted here in '%.*s'", STR_ARG(text));
    if (str_starts(text, STR("udp")) || str_starts(text, STR("uxdg@")))
        return parse_error(p, word, "dgram-type address not acceptable in '%.*s'", STR_ARG(text));
    struct cfg_bind *b = parse_push(p->arena, (void **)binds, nbinds, sizeof(**binds));
    *b = *options;
    b->addr = addr;
    return true;
}

bool bind_line(struct parse *p, unsigned word, struct cfg_bind **binds, unsigned *nbinds)
{
    struct cfg_bind options = {.mode = -1, .uid = -1, .gid = -1, .level = 1, .src = p->src};
    if (word >= p->nwords || p->words[word].len == 0)
        return parse_error(p, word, "'%.*s' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.",
                           STR_ARG(p->words[word - 1]));
    bool ok = kw_options(p, &kw_bind, word + 1, &options);
    struct str rest = p->words[word], one;
    while (str_split(&rest, ',', &one))
        if (one.len || rest.ptr || *nbinds == 0)
            ok &= push_address(p, word, arena_str(p->arena, one), &options, binds, nbinds);
    return ok;
}
