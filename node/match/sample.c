// SPDX-License-Identifier: Apache-2.0
// Samples: conversion between types (configuration.txt 7.3), text form, addresses. What is not fixed by the manual does
// what HAProxy 2.6 was seen to do: text is read as a number as far as its digits go ("12abc" is 12, "abc" is 0), an
// empty text is none; out of range saturates.
#include "node/match/sample.h"

#include <arpa/inet.h>
#include <endian.h>

#include "node/base/panic.h"
#include "node/io/worker.h"
#include "node/match/pattern_index.h"

void sample_set_addr(struct sample *s, const struct inet_addr *a)
{
    if (a->sa.sa_family == AF_INET6) {
        *s = (struct sample){.type = TYPE_IPV6, .ip6 = a->in6.sin6_addr};
        if (IN6_IS_ADDR_V4MAPPED(&s->ip6)) {
            struct in_addr ip4;
            memcpy(&ip4, a->in6.sin6_addr.s6_addr + 12, sizeof(ip4));
            *s = (struct sample){.type = TYPE_IPV4, .ip4 = ip4};
        }
        return;
    }
    *s = (struct sample){.type = TYPE_IPV4};
    if (a->sa.sa_family == AF_INET)
        s->ip4 = a->in.sin_addr;
}

const struct inet_addr *match_dst(struct match_ctx *c)
{
    struct client_facts *client = c->client;
    if (!client->dst_known) {
        client->dst_known = true;
        if (client->fd < 0 || !sock_local_addr(client->fd, &client->dst))
            client->dst = (struct inet_addr){.sa.sa_family = AF_UNSPEC};
    }
    return &client->dst;
}

mono_t match_now(const struct match_ctx *c)
{
    return c->worker ? loop_now(c->worker->loop) : mono_now();
}

// ---- to text

static struct str text_of_int(struct arena *arena, int64_t v)
{
    char *end = (char *)arena_alloc(arena, 24) + 23;
    char *at = end;
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    *end = '\0';
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (v < 0)
        *--at = '-';
    return str_make(at, (size_t)(end - at));
}

static struct str text_of_addr(struct arena *arena, const struct sample *s)
{
    struct inet_addr a = {.sa.sa_family = s->type == TYPE_IPV4 ? AF_INET : AF_INET6};
    if (s->type == TYPE_IPV4)
        a.in.sin_addr = s->ip4;
    else
        a.in6.sin6_addr = s->ip6;
    return str_of(inet_format(&a, arena_alloc(arena, INET6_ADDRSTRLEN), INET6_ADDRSTRLEN));
}

bool sample_text(struct match_ctx *c, const struct sample *s, struct str *out)
{
    switch (s->type) {
    case TYPE_BOOL:
        *out = s->num ? STR("1") : STR("0");
        return true;
    case TYPE_INT:
        *out = text_of_int(c->arena, s->num);
        return true;
    case TYPE_IPV4:
    case TYPE_IPV6:
        *out = text_of_addr(c->arena, s);
        return true;
    case TYPE_STR:
    case TYPE_BIN:
        *out = s->str;
        return true;
    case TYPE_METH:
        *out = s->meth.id == METHOD_OTHER ? s->meth.text : http_method_name(s->meth.id);
        return true;
    default:
        return false;
    }
}

// ---- to numbers

static int64_t int_of_text(struct str text)
{
    size_t i = 0;
    bool negative = text.ptr[0] == '-';
    if (negative || text.ptr[0] == '+')
        i = 1;
    int64_t v = 0;
    for (; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9)
            break;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v))
            return negative ? INT64_MIN : INT64_MAX; // v runs downwards, so that INT64_MIN fits
    }
    if (negative)
        return v;
    return v == INT64_MIN ? INT64_MAX : -v;
}

static bool to_int(struct sample *s)
{
    switch (s->type) {
    case TYPE_BOOL:
    case TYPE_INT:
        s->type = TYPE_INT;
        return true;
    case TYPE_IPV4:
        sample_set_int(s, ntohl(s->ip4.s_addr));
        return true;
    case TYPE_STR:
    case TYPE_BIN:
        if (s->str.len == 0)
            return false;
        sample_set_int(s, int_of_text(s->str));
        return true;
    default:
        return false;
    }
}

static bool to_bool(struct sample *s)
{
    if (!to_int(s))
        return false;
    sample_set_bool(s, s->num != 0);
    return true;
}

// ---- to addresses

// IPv4 inside IPv6: ::ffff:A, ::A (but not :: and ::1) and 6to4's 2002:A::.
bool ip_v4_in_v6(const struct in6_addr *a, struct in_addr *out)
{
    const uint8_t *b = a->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a)) {
        memcpy(out, b + 12, 4);
        return true;
    }
    if (b[0] == 0x20 && b[1] == 0x02) {
        memcpy(out, b + 2, 4);
        return true;
    }
    return false;
}

static void set_mapped(struct sample *s)
{
    struct in6_addr a = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(a.s6_addr + 12, &s->ip4, 4);
    *s = (struct sample){.type = TYPE_IPV6, .may_change = s->may_change, .ip6 = a};
}

static bool addr_of_text(struct sample *s)
{
    char text[INET6_ADDRSTRLEN];
    if (s->str.len == 0 || s->str.len >= sizeof(text))
        return false;
    str_copy(text, sizeof(text), s->str);
    struct in_addr ip4;
    struct in6_addr ip6;
    if (inet_pton(AF_INET, text, &ip4) == 1)
        *s = (struct sample){.type = TYPE_IPV4, .may_change = s->may_change, .ip4 = ip4};
    else if (inet_pton(AF_INET6, text, &ip6) == 1)
        *s = (struct sample){.type = TYPE_IPV6, .may_change = s->may_change, .ip6 = ip6};
    else
        return false;
    return true;
}

static bool addr_of_bytes(struct sample *s)
{
    struct str bytes = s->str;
    if (bytes.len == 4) {
        *s = (struct sample){.type = TYPE_IPV4, .may_change = s->may_change};
        memcpy(&s->ip4, bytes.ptr, 4);
        return true;
    }
    if (bytes.len == 16) {
        *s = (struct sample){.type = TYPE_IPV6, .may_change = s->may_change};
        memcpy(&s->ip6, bytes.ptr, 16);
        return true;
    }
    return addr_of_text(s);
}

static bool to_addr(struct sample *s)
{
    switch (s->type) {
    case TYPE_IPV4:
    case TYPE_IPV6:
        return true;
    case TYPE_INT: {
        struct in_addr ip4 = {.s_addr = htonl((uint32_t)s->num)};
        *s = (struct sample){.type = TYPE_IPV4, .may_change = s->may_change, .ip4 = ip4};
        return true;
    }
    case TYPE_STR:
        return addr_of_text(s);
    case TYPE_BIN:
        return addr_of_bytes(s);
    default:
        return false;
    }
}

static bool to_family(struct sample *s, enum sample_type family)
{
    if (!to_addr(s))
        return false;
    if (s->type == family)
        return true;
    if (family == TYPE_IPV6) {
        set_mapped(s);
        return true;
    }
    struct in_addr ip4;
    if (!ip_v4_in_v6(&s->ip6, &ip4))
        return false;
    *s = (struct sample){.type = TYPE_IPV4, .may_change = s->may_change, .ip4 = ip4};
    return true;
}

// ---- to text, bytes and methods, in place

static bool to_str(struct match_ctx *c, struct sample *s)
{
    struct str text;
    if (!sample_text(c, s, &text))
        return false;
    bool own = s->type == TYPE_INT || s->type == TYPE_IPV4 || s->type == TYPE_IPV6;
    bool constant = s->type == TYPE_BIN ? s->constant : !own;
    *s = (struct sample){.type = TYPE_STR, .may_change = s->may_change, .constant = constant, .str = text};
    return true;
}

static bool to_bin(struct match_ctx *c, struct sample *s)
{
    uint64_t number;
    struct str bytes;
    switch (s->type) {
    case TYPE_STR:
        s->type = TYPE_BIN;
        return true;
    case TYPE_METH:
        if (!to_str(c, s))
            return false;
        s->type = TYPE_BIN;
        return true;
    case TYPE_BOOL:
    case TYPE_INT:
        number = htobe64((uint64_t)s->num);
        bytes = str_make(arena_memdup(c->arena, &number, 8), 8);
        break;
    case TYPE_IPV4:
        bytes = str_make(arena_memdup(c->arena, &s->ip4, 4), 4);
        break;
    case TYPE_IPV6:
        bytes = str_make(arena_memdup(c->arena, &s->ip6, 16), 16);
        break;
    default:
        return false;
    }
    *s = (struct sample){.type = TYPE_BIN, .may_change = s->may_change, .str = bytes};
    return true;
}

static bool to_meth(struct sample *s)
{
    if (s->type != TYPE_STR && s->type != TYPE_BIN)
        return false;
    struct str text = s->str;
    *s = (struct sample){.type = TYPE_METH, .may_change = s->may_change};
    s->meth.id = http_method_of(text);
    s->meth.text = text;
    return true;
}

bool sample_cast(struct match_ctx *c, struct sample *s, enum sample_type to)
{
    if (s->type == to)
        return true;
    bool may_change = s->may_change;
    bool done;
    switch (to) {
    case TYPE_ANY:
    case TYPE_SAME:
        return true;
    case TYPE_BOOL:
        done = to_bool(s);
        break;
    case TYPE_INT:
        done = to_int(s);
        break;
    case TYPE_ADDR:
        done = to_addr(s);
        break;
    case TYPE_IPV4:
    case TYPE_IPV6:
        done = to_family(s, to);
        break;
    case TYPE_STR:
        done = to_str(c, s);
        break;
    case TYPE_BIN:
        done = to_bin(c, s);
        break;
    case TYPE_METH:
        done = to_meth(s);
        break;
    default:
        return false;
    }
    s->may_change = may_change;
    return done;
}
