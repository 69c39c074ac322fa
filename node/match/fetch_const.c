// SPDX-License-Identifier: Apache-2.0
// Fetches that need no traffic: constants, the process, time and chance (configuration.txt 7.3.2).
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "node/base/panic.h"
#include "node/io/worker.h"
#include "node/match/compile.h"
#include "node/match/fetch.h"

FETCH(always_false)
{
    sample_set_bool(out, false);
    return EVAL_FOUND;
}

FETCH(always_true)
{
    sample_set_bool(out, true);
    return EVAL_FOUND;
}

FETCH(const_int)
{
    sample_set_int(out, args[0].num);
    return EVAL_FOUND;
}

FETCH(const_bool)
{
    sample_set_bool(out, args[0].num != 0);
    return EVAL_FOUND;
}

FETCH(const_str)
{
    sample_set_str(out, args[0].text);
    return EVAL_FOUND;
}

FETCH(const_bin)
{
    sample_set_str(out, args[0].text);
    out->type = TYPE_BIN;
    return EVAL_FOUND;
}

static enum eval_result const_addr(struct str text, struct sample *out)
{
    struct inet_addr addr;
    if (!inet_parse(text, &addr))
        return EVAL_NONE;
    if (addr.sa.sa_family == AF_INET)
        *out = (struct sample){.type = TYPE_IPV4, .ip4 = addr.in.sin_addr};
    else
        *out = (struct sample){.type = TYPE_IPV6, .ip6 = addr.in6.sin6_addr};
    return EVAL_FOUND;
}

FETCH(const_ipv4)
{
    return const_addr(args[0].text, out);
}

FETCH(const_ipv6)
{
    return const_addr(args[0].text, out);
}

FETCH(const_meth)
{
    *out = (struct sample){.type = TYPE_METH, .constant = true};
    out->meth.id = http_method_of(args[0].text);
    out->meth.text = args[0].text;
    return EVAL_FOUND;
}

FETCH(one)
{
    sample_set_int(out, 1);
    return EVAL_FOUND;
}

FETCH(zero)
{
    sample_set_int(out, 0);
    return EVAL_FOUND;
}

// ---- the process

// The configuration has put the value in place of the name.
FETCH(env)
{
    if (args[0].text.ptr == NULL)
        return EVAL_NONE;
    sample_set_str(out, args[0].text);
    return EVAL_FOUND;
}

FETCH(hostname)
{
    char name[256];
    if (gethostname(name, sizeof(name)) != 0)
        return EVAL_NONE;
    name[sizeof(name) - 1] = '\0';
    sample_set_str(out, arena_str(c->arena, str_of(name)));
    return EVAL_FOUND;
}

FETCH(pid)
{
    sample_set_int(out, getpid());
    return EVAL_FOUND;
}

FETCH(thread)
{
    sample_set_int(out, c->worker != NULL ? c->worker->id : 0);
    return EVAL_FOUND;
}

static mono_t started; // when the process began, near enough

__attribute__((constructor)) static void note_start(void)
{
    started = mono_now();
}

FETCH(uptime)
{
    sample_set_int(out, mono_diff_ms(mono_now(), started) / 1000);
    return EVAL_FOUND;
}

// ---- time and chance

// The offset counts in the unit.
FETCH(date)
{
    int64_t now_us = wall_now_us(), offset = arg_num(args, nargs, 0, 0);
    struct str unit = arg_text(args, nargs, 1);
    int64_t value = str_is(unit, "us") ? now_us : str_is(unit, "ms") ? now_us / 1000 : now_us / 1000000;
    sample_set_int(out, (int64_t)((uint64_t)value + (uint64_t)offset));
    return EVAL_FOUND;
}

FETCH(date_us)
{
    sample_set_int(out, wall_now_us() % 1000000);
    return EVAL_FOUND;
}

static uint64_t random64(struct match_ctx *c)
{
    uint64_t v;
    if (c->worker != NULL)
        return worker_random(c->worker);
    if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
        PANIC("getrandom failed");
    return v;
}

FETCH(rand)
{
    uint32_t v = (uint32_t)(random64(c) >> 32);
    int64_t range = arg_num(args, nargs, 0, 0);
    sample_set_int(out, range > 0 ? (int64_t)((uint64_t)v * (uint64_t)range >> 32) : v);
    return EVAL_FOUND;
}

// RFC 9562: version 4 is random, version 7 begins with the ms since 1970.
FETCH(uuid)
{
    uint64_t high = random64(c), low = random64(c);
    bool timed = arg_num(args, nargs, 0, 4) == 7;
    if (timed)
        high = (uint64_t)(wall_now_us() / 1000) << 16 | (high & 0xffff);
    high = (high & ~(uint64_t)0xf000) | (uint64_t)(timed ? 7 : 4) << 12;
    low = (low & ~(uint64_t)0 >> 2) | (uint64_t)1 << 63;
    sample_set_str(out, arena_printf(c->arena, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                                     (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
                                     (unsigned long long)(low & 0xffffffffffffULL)));
    return EVAL_FOUND;
}

// ---- waiting

FETCH(wait_end)
{
    if (!match_is_final(c))
        return EVAL_MORE;
    sample_set_bool(out, true);
    return EVAL_FOUND;
}
