// SPDX-License-Identifier: Apache-2.0
// Converters of dates: seconds since 1970 (or ms, µs) and their text forms.
#include <stdio.h>
#include <time.h>

#include "node/match/conv.h"

enum { SECOND = 1, MILLISECONDS = 1000, MICROSECONDS = 1000000 };

static int unit_of(struct str name)
{
    return str_is(name, "us") ? MICROSECONDS : str_is(name, "ms") ? MILLISECONDS : SECOND;
}

// Seconds and the rest, which is never negative.
static int64_t split_time(int64_t value, int unit, int64_t *rest)
{
    *rest = value % unit;
    if (*rest < 0)
        *rest += unit;
    return (value - *rest) / unit;
}

static int64_t shifted(int64_t value, int64_t offset)
{
    return (int64_t)((uint64_t)value + (uint64_t)offset);
}

// ---- HTTP (RFC 9110 5.6.7)

// The offset counts in the unit. A unit below the second shows its digits.
CONV(http_date)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int unit = unit_of(arg_text(args, nargs, 1));
    int64_t rest;
    time_t seconds = split_time(shifted(s->num, arg_num(args, nargs, 0, 0)), unit, &rest);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL)
        return false;
    char fraction[16] = "";
    if (unit != SECOND)
        snprintf(fraction, sizeof(fraction), unit == MILLISECONDS ? ".%03d" : ".%06d", (int)rest);
    struct str text = arena_printf(c->arena, "%s, %02d %s %04d %02d:%02d:%02d%s GMT", days[tm.tm_wday], tm.tm_mday,
                                   months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
    conv_give_made(s, TYPE_STR, text.ptr, text.len);
    return true;
}

// IMF-fixdate, RFC 850's and asctime()'s form.
CONV(date)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    char text[64];
    if (s->str.len >= sizeof(text))
        return false;
    str_copy(text, sizeof(text), str_trim(s->str));
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (end != NULL && *end == '\0') {
            conv_give_int(s, timegm(&tm));
            return true;
        }
    }
    return false;
}

// ---- strftime() forms

// %N is not known to strftime(): the fraction in 9 digits, or as many as the width says. Writes the format with it
// replaced; false when that does not fit.
static bool expand_fraction(struct str format, int64_t nanoseconds, char *dst, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < format.len; i++) {
        char digits[16];
        size_t skip = 0;
        if (n + 12 >= size)
            return false;
        dst[n++] = format.ptr[i];
        if (format.ptr[i] != '%' || i + 1 == format.len)
            continue;
        int width = 9;
        if (format.ptr[i + 1] >= '1' && format.ptr[i + 1] <= '9' && i + 2 < format.len) {
            width = format.ptr[i + 1] - '0';
            skip = 1;
        }
        if (format.ptr[i + 1 + skip] == 'N') {
            snprintf(digits, sizeof(digits), "%09d", (int)nanoseconds);
            memcpy(dst + n - 1, digits, (size_t)width);
            n += (size_t)width - 1;
            i += 1 + skip;
        } else {
            dst[n++] = format.ptr[++i];
        }
    }
    dst[n] = '\0';
    return true;
}

static bool give_time(struct match_ctx *c, const struct arg *args, unsigned nargs, int unit, bool local,
                      struct sample *s)
{
    enum { TEXT_MAX = 1024 };
    char format[512];
    int64_t rest;
    time_t seconds = split_time(shifted(s->num, arg_num(args, nargs, 1, 0)), unit, &rest);
    struct tm tm;
    if ((local ? localtime_r(&seconds, &tm) : gmtime_r(&seconds, &tm)) == NULL)
        return false;
    if (unit == SECOND) {
        if (args[0].text.len >= sizeof(format))
            return false;
        str_copy(format, sizeof(format), args[0].text);
    } else if (!expand_fraction(args[0].text, rest * (1000000000 / unit), format, sizeof(format))) {
        return false;
    }
    char *out = arena_alloc(c->arena, TEXT_MAX);
    conv_give_made(s, TYPE_STR, out, strftime(out, TEXT_MAX, format, &tm));
    return true;
}

CONV(ltime)
{
    return give_time(c, args, nargs, SECOND, true, s);
}

CONV(utime)
{
    return give_time(c, args, nargs, SECOND, false, s);
}

CONV(ms_ltime)
{
    return give_time(c, args, nargs, MILLISECONDS, true, s);
}

CONV(ms_utime)
{
    return give_time(c, args, nargs, MILLISECONDS, false, s);
}

CONV(us_ltime)
{
    return give_time(c, args, nargs, MICROSECONDS, true, s);
}

CONV(us_utime)
{
    return give_time(c, args, nargs, MICROSECONDS, false, s);
}
