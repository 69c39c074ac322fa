// SPDX-License-Identifier: Apache-2.0
// Addresses of bind, server, source, log … (configuration.txt 11, and "bind"): syntax only, no name is resolved and no
// descriptor is looked at.
#include <arpa/inet.h>
#include <sys/un.h>

#include "config/lex.h"
#include "config/parse.h"

struct family {
    const char *prefix;
    enum cfg_addr_kind kind;
    int family;
    const char *refused; // why not
};

static const struct family families[] = {
    {"ipv4@", CFG_ADDR_INET, AF_INET, NULL},
    {"ipv6@", CFG_ADDR_INET, AF_INET6, NULL},
    {"tcp@", CFG_ADDR_INET, AF_UNSPEC, NULL},
    {"tcp4@", CFG_ADDR_INET, AF_INET, NULL},
    {"tcp6@", CFG_ADDR_INET, AF_INET6, NULL},
    {"udp@", CFG_ADDR_INET, AF_UNSPEC, NULL},
    {"udp4@", CFG_ADDR_INET, AF_INET, NULL},
    {"udp6@", CFG_ADDR_INET, AF_INET6, NULL},
    {"unix@", CFG_ADDR_UNIX, AF_UNIX, NULL},
    {"uxst@", CFG_ADDR_UNIX, AF_UNIX, NULL},
    {"uxdg@", CFG_ADDR_UNIX, AF_UNIX, NULL},
    {"abns@", CFG_ADDR_ABSTRACT, AF_UNIX, NULL},
    {"fd@", CFG_ADDR_FD, AF_UNSPEC, NULL},
    {"abnsz@", 0, 0, "zero-terminated abstract sockets are known to HAProxy but not supported yet"},
    {"sockpair@", 0, 0, "socket pairs are known to HAProxy but not supported yet"},
    {"quic@", 0, 0, "QUIC is known to HAProxy but not supported yet"},
    {"quic4@", 0, 0, "QUIC is known to HAProxy but not supported yet"},
    {"quic6@", 0, 0, "QUIC is known to HAProxy but not supported yet"},
    {"quic+", 0, 0, "QUIC is known to HAProxy but not supported yet"},
    {"mptcp@", 0, 0, "MPTCP is known to HAProxy but not supported yet"},
    {"mptcp4@", 0, 0, "MPTCP is known to HAProxy but not supported yet"},
    {"mptcp6@", 0, 0, "MPTCP is known to HAProxy but not supported yet"},
    {"rhttp@", 0, 0, "reverse HTTP is known to HAProxy but not supported yet"},
    {"rev@", 0, 0, "reverse HTTP is known to HAProxy but not supported yet"},
};

static const struct family *find_family(struct str text)
{
    if (str_find_char(text, '@') < 0)
        return NULL;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (str_starts(text, str_of(families[i].prefix)))
            return &families[i];
    return NULL;
}

static bool parse_path(struct parse *p, unsigned word, struct str path, struct cfg_addr *out)
{
    // An abstract name has a NUL in front of it, a path one behind it.
    size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    if (path.len == 0)
        return parse_error(p, word, "missing socket path in '%.*s'", STR_ARG(p->words[word]));
    if (path.len > room)
        return parse_error(p, word, "socket path '%.*s' too long (max %zu)", STR_ARG(path), room);
    out->host = path;
    return true;
}

static bool parse_fd(struct parse *p, unsigned word, struct str text, struct cfg_addr *out)
{
    uint64_t fd;
    if (!str_to_u64(text, &fd) || fd > INT32_MAX)
        return parse_error(p, word, "file descriptor '%.*s' is not a valid integer in '%.*s'", STR_ARG(text),
                           STR_ARG(p->words[word]));
    out->fd = (int)fd;
    return true;
}

static bool parse_port_number(struct parse *p, unsigned word, struct str text, uint64_t max, uint64_t *out)
{
    if (str_to_u64(text, out) && *out <= max)
        return true;
    return parse_error(p, word, "invalid port '%.*s' in '%.*s': expected 1 to 65535", STR_ARG(text),
                       STR_ARG(p->words[word]));
}

// "80", "80-90", "+100", "-100", or nothing.
static bool parse_port(struct parse *p, unsigned word, struct str text, unsigned default_port, bool required,
                       struct cfg_addr *out)
{
    uint64_t first = default_port, last;
    if (text.len == 0 || str_is(text, "*")) {
        if (required && default_port == 0)
            return parse_error(p, word, "missing port specification in '%.*s'", STR_ARG(p->words[word]));
        out->port = out->port_end = (uint16_t)default_port;
        return true;
    }
    if (text.ptr[0] == '+' || text.ptr[0] == '-') {
        if (!parse_port_number(p, word, str_slice(text, 1, text.len), INT16_MAX, &first))
            return false;
        out->port_relative = true;
        out->port_offset = (int16_t)(text.ptr[0] == '-' ? -(int)first : (int)first);
        return true;
    }
    struct str rest = text, from, to;
    str_split(&rest, '-', &from);
    to = rest.ptr ? rest : from;
    if (!parse_port_number(p, word, from, UINT16_MAX, &first) || !parse_port_number(p, word, to, UINT16_MAX, &last))
        return false;
    if (last < first)
        return parse_error(p, word, "invalid port range '%.*s'", STR_ARG(text));
    if (required && first == 0)
        return parse_error(p, word, "invalid port '0' in '%.*s': expected 1 to 65535", STR_ARG(p->words[word]));
    out->port = (uint16_t)first;
    out->port_end = (uint16_t)last;
    return true;
}

// Letters, digits, '-', '.' and '_': what resolvers take.
static bool is_host_name(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = str_lower(host.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    return host.len > 0 && host.len <= 255;
}

static bool parse_host(struct parse *p, unsigned word, struct str host, int family, struct cfg_addr *out)
{
    unsigned char bytes[16];
    char text[64];
    out->family = family;
    out->host = host;
    if (host.len == 0 || str_is(host, "*"))
        return true;
    int found = AF_UNSPEC;
    if (host.len < sizeof(text)) {
        str_copy(text, sizeof(text), host);
        if (inet_pton(AF_INET, text, bytes) == 1)
            found = AF_INET;
        else if (inet_pton(AF_INET6, text, bytes) == 1)
            found = AF_INET6;
    }
    bool wrong_family = found != AF_UNSPEC && family != AF_UNSPEC && found != family;
    if (wrong_family || (found == AF_UNSPEC && !is_host_name(host)))
        return parse_error(p, word, "invalid address: '%.*s' in '%.*s'", STR_ARG(host), STR_ARG(p->words[word]));
    if (found != AF_UNSPEC)
        out->family = found;
    return true;
}

// Cuts "host:port": brackets end an IPv6 address, else the last colon does.
static bool split_port(struct str text, struct str *host, struct str *port)
{
    *port = STR_NONE;
    if (text.len && text.ptr[0] == '[') {
        ptrdiff_t end = str_find_char(text, ']');
        struct str rest = end < 0 ? STR_NONE : str_slice(text, (size_t)end + 1, text.len);
        if (end < 0 || (rest.len && rest.ptr[0] != ':'))
            return false;
        *host = str_slice(text, 1, (size_t)end - 1);
        *port = str_slice(rest, 1, rest.len);
        return true;
    }
    *host = text;
    for (size_t i = text.len; i > 0; i--) {
        if (text.ptr[i - 1] != ':')
            continue;
        *host = str_slice(text, 0, i - 1);
        *port = str_slice(text, i, text.len);
        break;
    }
    return true;
}

static bool expand(struct parse *p, unsigned word, struct str *text)
{
    struct lex lex = {.arena = p->arena, .env = p->env, .line = p->src.line};
    struct lex_error error;
    bool ok = p->env == NULL || lex_expand(&lex, *text, text, &error);
    lex_free(&lex);
    return ok || parse_error(p, word, "%s in '%.*s'", error.text, STR_ARG(*text));
}

bool parse_addr(struct parse *p, unsigned word, struct str text, unsigned default_port, bool port_required,
                struct cfg_addr *out)
{
    *out = (struct cfg_addr){.kind = CFG_ADDR_INET, .fd = -1};
    if (!expand(p, word, &text))
        return false;
    const struct family *family = find_family(text);
    if (family && family->refused)
        return parse_error(p, word, "'%.*s': %s", STR_ARG(text), family->refused);
    struct str rest = family ? str_slice(text, strlen(family->prefix), text.len) : text;
    if (family)
        out->kind = family->kind;
    else if (rest.len && rest.ptr[0] == '/')
        out->kind = CFG_ADDR_UNIX;
    switch (out->kind) {
    case CFG_ADDR_UNIX:
    case CFG_ADDR_ABSTRACT:
        out->family = AF_UNIX;
        return parse_path(p, word, rest, out);
    case CFG_ADDR_FD:
        return parse_fd(p, word, rest, out);
    default:
        break;
    }
    struct str host, port;
    if (!split_port(rest, &host, &port))
        return parse_error(p, word, "invalid address '%.*s': missing or misplaced ']'", STR_ARG(text));
    return parse_host(p, word, host, family ? family->family : AF_UNSPEC, out) &&
           parse_port(p, word, port, default_port, port_required, out);
}

bool addr_is_network(struct str text)
{
    unsigned char bytes[16], mask[4];
    char host[64], prefix[64];
    uint64_t bits;
    struct str rest = text, address;
    str_split(&rest, '/', &address);
    if (address.len >= sizeof(host) || rest.len >= sizeof(prefix))
        return false;
    bool v4 = inet_pton(AF_INET, str_copy(host, sizeof(host), address), bytes) == 1;
    if (!v4 && inet_pton(AF_INET6, host, bytes) != 1)
        return false;
    if (!rest.ptr || (str_to_u64(rest, &bits) && bits <= (v4 ? 32 : 128)))
        return true;
    return v4 && inet_pton(AF_INET, str_copy(prefix, sizeof(prefix), rest), mask) == 1;
}
