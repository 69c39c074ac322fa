// SPDX-License-Identifier: Apache-2.0
// Private to node/http: find the byte that ends a token. Sixteen bytes a step with SSE2, which every x86-64 has; a
// table elsewhere and for the last bytes. All return NULL when the token does not end before `end`.
#ifndef PHX_HTTP_SCAN_H
#define PHX_HTTP_SCAN_H

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum scan_class {
    SCAN_TOKEN = 1,      // tchar of RFC 9110 5.6.2
    SCAN_NAME_END = 2,   // ':' or a control character or SP
    SCAN_VALUE_END = 4,  // CR, LF, NUL
    SCAN_TARGET_END = 8, // controls, SP, DEL, '#', bytes from 0x80 on
    SCAN_NOT_HOST = 16,  // what no host:port can contain (RFC 3986 3.2.2; bytes from 0x80 on are let through)
};
extern const uint8_t scan_classes[256];

static inline const char *scan_table(const char *p, const char *end, uint8_t stop)
{
    for (; p < end; p++)
        if (scan_classes[(unsigned char)*p] & stop)
            return p;
    return NULL;
}

#ifdef __SSE2__
static inline __m128i scan_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m128i scan_is(__m128i v, char c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

// Bytes ≤ 0x20, taken as unsigned.
static inline __m128i scan_is_space_or_control(__m128i v)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x20)), v);
}

#define SCAN_LOOP(p, end, expr)                                                                                        \
    for (; (end) - (p) >= 16; (p) += 16) {                                                                             \
        __m128i v = scan_load(p);                                                                                      \
        int hits = _mm_movemask_epi8(expr);                                                                            \
        if (hits)                                                                                                      \
            return (p) + __builtin_ctz((unsigned)hits);                                                                \
    }
#else
#define SCAN_LOOP(p, end, expr)
#endif

// The ':' of a field line, or what cannot be in a name.
static inline const char *scan_name(const char *p, const char *end)
{
    SCAN_LOOP(p, end, _mm_or_si128(scan_is(v, ':'), scan_is_space_or_control(v)))
    return scan_table(p, end, SCAN_NAME_END);
}

static inline const char *scan_value(const char *p, const char *end)
{
    SCAN_LOOP(p, end, _mm_or_si128(_mm_or_si128(scan_is(v, '\r'), scan_is(v, '\n')), scan_is(v, '\0')))
    return scan_table(p, end, SCAN_VALUE_END);
}

static inline const char *scan_target(const char *p, const char *end)
{
    // A byte from 0x80 on has the bit that the mask is made of.
    SCAN_LOOP(
        p, end,
        _mm_or_si128(v, _mm_or_si128(_mm_or_si128(scan_is_space_or_control(v), scan_is(v, '\x7f')), scan_is(v, '#'))))
    return scan_table(p, end, SCAN_TARGET_END);
}

// First byte that is no tchar, or `end`.
static inline const char *scan_token(const char *p, const char *end)
{
    while (p < end && (scan_classes[(unsigned char)*p] & SCAN_TOKEN))
        p++;
    return p;
}

#endif
