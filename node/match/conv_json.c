// SPDX-License-Identifier: Apache-2.0
// The converter json: text escaped for a JSON string, read as bytes or as UTF-8 (configuration.txt 7.3.1).
#include <stdio.h>

#include "node/match/conv.h"

enum { ESCAPE_MAX = 6 }; // "\u1234"

// What is done about text that is not good UTF-8.
struct mode {
    bool utf8;
    bool fix_overlong; // "p": take characters that were encoded in too many bytes
    bool skip_errors;  // "s": drop what is wrong; else the converter fails
};

static struct mode mode_of(struct str code)
{
    bool utf8 = str_starts(code, STR("utf8"));
    return (struct mode){
        .utf8 = utf8,
        .fix_overlong = utf8 && str_find_char(code, 'p') > 0,
        .skip_errors = utf8 && code.len != 0 && code.ptr[code.len - 1] == 's',
    };
}

// One character from *p. False when it is not valid; *p is behind what was looked at in both cases. A JSON escape has
// four digits, so characters above U+FFFF count as errors.
static bool next_utf8(const unsigned char **p, const unsigned char *end, bool fix_overlong, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000};
    unsigned char first = *(*p)++;
    if (first < 0x80) {
        *out = first;
        return true;
    }
    unsigned len = first >= 0xfe   ? 0
                   : first >= 0xfc ? 6
                   : first >= 0xf8 ? 5
                   : first >= 0xf0 ? 4
                   : first >= 0xe0 ? 3
                   : first >= 0xc0 ? 2
                                   : 0;
    if (len == 0)
        return false;
    uint32_t v = first & (0x7fu >> len);
    for (unsigned i = 1; i < len; i++) {
        if (*p == end || (**p & 0xc0) != 0x80)
            return false;
        v = v << 6 | (*(*p)++ & 0x3f);
    }
    *out = v;
    bool surrogate = v >= 0xd800 && v <= 0xdfff;
    return (v >= least[len] || fix_overlong) && !surrogate && v < 0xfffe;
}

static char *put_escaped(char *dst, uint32_t v)
{
    static const char letters[] = "\"\"\\\\//\bb\ff\nn\rr\tt"; // character and its letter
    for (const char *l = letters; *l != '\0'; l += 2) {
        if (v == (unsigned char)*l) {
            *dst++ = '\\';
            *dst++ = l[1];
            return dst;
        }
    }
    if (v >= 0x20 && v < 0x7f) {
        *dst++ = (char)v;
        return dst;
    }
    return dst + snprintf(dst, ESCAPE_MAX + 1, "\\u%04x", (unsigned)v);
}

CONV(json)
{
    struct mode mode = mode_of(arg_text(args, nargs, 0));
    char *out = arena_alloc(c->arena, s->str.len * ESCAPE_MAX + 1), *dst = out;
    const unsigned char *p = (const unsigned char *)s->str.ptr, *end = p + s->str.len;
    while (p < end) {
        uint32_t v = *p;
        bool good = true;
        if (mode.utf8)
            good = next_utf8(&p, end, mode.fix_overlong, &v);
        else
            p++;
        if (good)
            dst = put_escaped(dst, v);
        else if (!mode.skip_errors)
            return false;
    }
    conv_give_made(s, TYPE_STR, out, (size_t)(dst - out));
    return true;
}
