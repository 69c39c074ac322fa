// SPDX-License-Identifier: Apache-2.0
// Hashes named by the manual, see hashes.h.
#include "node/match/hashes.h"

#include <zlib.h>

// The hash of the sdbm database library: h * 65599 + c.
uint32_t hash_sdbm(struct str s)
{
    uint32_t h = 0;
    for (size_t i = 0; i < s.len; i++)
        h = h * 65599 + (unsigned char)s.ptr[i];
    return h;
}

// Daniel J. Bernstein's: h * 33 + c.
uint32_t hash_djb2(struct str s)
{
    uint32_t h = 5381;
    for (size_t i = 0; i < s.len; i++)
        h = h * 33 + (unsigned char)s.ptr[i];
    return h;
}

static uint32_t rotate(uint32_t v, unsigned n)
{
    return n == 0 ? v : v << n | v >> (32 - n);
}

// Two halves that are crossed and rotated after each byte, by amounts that the halves themselves give.
uint32_t hash_wt6(struct str s)
{
    uint32_t a = 0xa53c965a, b = 0x5ca6953a;
    unsigned turn_b = 6, turn_a = 18;
    for (size_t i = 0; i < s.len; i++) {
        uint32_t c = (unsigned char)s.ptr[i];
        uint32_t mixed_a = ~(a ^ c), mixed_b = ~(b + c);
        a = rotate(mixed_b, turn_b);
        b = rotate(mixed_a, turn_a);
        uint32_t turns = (a >> 16 ^ b) & 0xffff;
        turn_b = turns & 31;
        turn_a = turns >> 11;
    }
    return a ^ b;
}

uint32_t hash_crc32(struct str s)
{
    return (uint32_t)crc32(0, (const unsigned char *)s.ptr, (uInt)s.len);
}

// Castagnoli's polynomial, reflected; four bits a step.
uint32_t hash_crc32c(struct str s)
{
    static const uint32_t steps[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.ptr[i];
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return ~crc;
}

// Bob Jenkins' integer hash in six shifts, from his page on hashing integers, then times a large odd number. Gives what
// HAProxy 2.6 was seen to give.
uint32_t hash_avalanche(uint32_t h)
{
    h = (h + 0x7ed55d16) + (h << 12);
    h = (h ^ 0xc761c23c) ^ (h >> 19);
    h = (h + 0x165667b1) + (h << 5);
    h = (h + 0xd3a2646c) ^ (h << 9);
    h = (h + 0xfd7046c5) + (h << 3);
    h = (h ^ 0xb55a4f09) ^ (h >> 16);
    return h * 0xc0000001u;
}
