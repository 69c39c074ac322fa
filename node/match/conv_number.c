// SPDX-License-Identifier: Apache-2.0
// Converters of integers and addresses. Results outside of 64 bits saturate.
#include <arpa/inet.h>

#include "node/match/conv.h"
#include "node/match/vars.h"

static int64_t saturated(bool negative)
{
    return negative ? INT64_MIN : INT64_MAX;
}

static int64_t add(int64_t a, int64_t b)
{
    int64_t v;
    return __builtin_add_overflow(a, b, &v) ? saturated(a < 0) : v;
}

static int64_t sub(int64_t a, int64_t b)
{
    int64_t v;
    return __builtin_sub_overflow(a, b, &v) ? saturated(a < 0) : v;
}

static int64_t mul(int64_t a, int64_t b)
{
    int64_t v;
    return __builtin_mul_overflow(a, b, &v) ? saturated((a < 0) != (b < 0)) : v;
}

static int64_t divide(int64_t a, int64_t b)
{
    if (b == 0 || (b == -1 && a == INT64_MIN))
        return INT64_MAX;
    return a / b;
}

static int64_t modulo(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

static int64_t bit_and(int64_t a, int64_t b)
{
    return a & b;
}

static int64_t bit_or(int64_t a, int64_t b)
{
    return a | b;
}

static int64_t bit_xor(int64_t a, int64_t b)
{
    return a ^ b;
}

// With a number or a variable.
static bool apply(struct match_ctx *c, const struct arg *args, struct sample *s, int64_t (*op)(int64_t, int64_t))
{
    int64_t operand;
    if (!arg_int(c, &args[0], &operand))
        return false;
    conv_give_int(s, op(s->num, operand));
    return true;
}

CONV(add)
{
    return apply(c, args, s, add);
}

CONV(sub)
{
    return apply(c, args, s, sub);
}

CONV(mul)
{
    return apply(c, args, s, mul);
}

CONV(div)
{
    return apply(c, args, s, divide);
}

CONV(mod)
{
    return apply(c, args, s, modulo);
}

CONV(and)
{
    return apply(c, args, s, bit_and);
}

CONV(or)
{
    return apply(c, args, s, bit_or);
}

CONV(xor)
{
    return apply(c, args, s, bit_xor);
}

CONV(cpl)
{
    s->num = ~s->num;
    return true;
}

CONV(neg)
{
    s->num = sub(0, s->num);
    return true;
}

CONV(not )
{
    conv_give_bool(s, s->num == 0);
    return true;
}

CONV(bool)
{
    conv_give_bool(s, s->num != 0);
    return true;
}

CONV(even)
{
    conv_give_bool(s, (s->num & 1) == 0);
    return true;
}

CONV(odd)
{
    conv_give_bool(s, s->num & 1);
    return true;
}

CONV(htonl)
{
    uint32_t bytes = htonl((uint32_t)s->num);
    conv_give_made(s, TYPE_BIN, arena_memdup(c->arena, &bytes, sizeof(bytes)), sizeof(bytes));
    return true;
}

// Digits beyond 64 bits push the first ones out.
CONV(hex2i)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s->str.len; i++) {
        char digit = str_lower(s->str.ptr[i]);
        if (digit >= '0' && digit <= '9')
            v = v << 4 | (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            v = v << 4 | (uint64_t)(digit - 'a' + 10);
        else
            return false;
    }
    conv_give_int(s, (int64_t)v);
    return true;
}

// ---- addresses

static void mask_bytes(uint8_t *bytes, unsigned count, unsigned bits)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned kept = bits >= 8 ? 8 : bits;
        bytes[i] &= (uint8_t)(0xff00u >> kept);
        bits -= kept;
    }
}

// IPv4 in IPv6 is masked as IPv4. Without a mask for IPv6 other addresses give nothing.
CONV(ipmask)
{
    if (s->type == TYPE_IPV6 && IN6_IS_ADDR_V4MAPPED(&s->ip6) && !sample_cast(c, s, TYPE_IPV4))
        return false;
    if (s->type == TYPE_IPV4) {
        mask_bytes((uint8_t *)&s->ip4.s_addr, 4, (unsigned)args[0].num);
        return true;
    }
    if (!arg_given(args, nargs, 1))
        return false;
    mask_bytes(s->ip6.s6_addr, 16, (unsigned)args[1].num);
    return true;
}
