// SPDX-License-Identifier: Apache-2.0
// Request-targets and query parameters, see uri.h.
#include "node/http/uri.h"

static bool is_alpha(char c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

static bool is_scheme_char(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

// Bytes of "scheme" in front of "://", 0 when the target is not in absolute form (RFC 3986 3.1).
static size_t scheme_len(struct str t)
{
    size_t i = 0;
    if (t.len == 0 || !is_alpha(t.ptr[0]))
        return 0;
    while (i < t.len && is_scheme_char(t.ptr[i]))
        i++;
    return t.len - i >= 3 && memcmp(t.ptr + i, "://", 3) == 0 ? i : 0;
}

// Path and query; the path is empty when the target had none, and then points to where it would be.
static void split_path(struct str s, struct uri *out)
{
    ptrdiff_t mark = str_find_char(s, '?');
    out->path = mark < 0 ? s : str_make(s.ptr, (size_t)mark);
    if (mark >= 0)
        out->query = str_make(s.ptr + mark + 1, s.len - (size_t)mark - 1);
}

void uri_parse(struct str target, struct uri *out)
{
    memset(out, 0, sizeof(*out));
    if (target.len == 0)
        return;
    if (target.ptr[0] == '/' || str_is(target, "*")) {
        split_path(target, out);
        return;
    }
    struct str rest = target;
    size_t scheme = scheme_len(target);
    if (scheme != 0) {
        out->scheme = str_make(target.ptr, scheme);
        rest = str_make(target.ptr + scheme + 3, target.len - scheme - 3);
    }
    size_t n = 0;
    while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
        n++;
    out->authority = str_make(rest.ptr, n);
    split_path(str_make(rest.ptr + n, rest.len - n), out);
}

struct str uri_host(struct str authority)
{
    ptrdiff_t user = str_find_char(authority, '@');
    struct str host = str_slice(authority, (size_t)(user + 1), SIZE_MAX);
    if (host.len != 0 && host.ptr[0] == '[') { // IPv6 literal (RFC 3986 3.2.2)
        ptrdiff_t end = str_find_char(host, ']');
        return end < 0 ? host : str_make(host.ptr, (size_t)end + 1);
    }
    ptrdiff_t port = str_find_char(host, ':');
    return port < 0 ? host : str_make(host.ptr, (size_t)port);
}

static bool name_matches(struct str param, struct str name, bool nocase)
{
    struct str head = str_slice(param, 0, name.len);
    return param.len > name.len && param.ptr[name.len] == '=' &&
           (nocase ? str_eq_nocase(head, name) : str_eq(head, name));
}

bool uri_param(struct str query, struct str name, char delim, bool nocase, struct str *value)
{
    const char *p = query.ptr, *end = p + query.len;
    while (p != NULL && p < end) {
        const char *stop = p;
        while (stop < end && *stop != '&' && *stop != ';' && *stop != delim)
            stop++;
        struct str param = str_make(p, (size_t)(stop - p));
        if (name_matches(param, name, nocase)) {
            *value = str_slice(param, name.len + 1, SIZE_MAX);
            return true;
        }
        p = stop + 1;
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uri_decode(struct str in, bool plus, struct arena *arena, struct str *out)
{
    char *buf = arena_alloc(arena, in.len + 1), *dst = buf;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            if (in.len - i < 3)
                return false;
            int high = hex_digit(in.ptr[i + 1]), low = hex_digit(in.ptr[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        *dst++ = c;
    }
    *dst = '\0';
    *out = str_make(buf, (size_t)(dst - buf));
    return true;
}
