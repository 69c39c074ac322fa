// SPDX-License-Identifier: Apache-2.0
// The words of HTTP that the proxy knows: methods, field names, reason phrases. A field name is found by one
// multiply-free hash and one compare, since this happens for every field of every message.
#include "node/http/names.h"

#include "node/base/panic.h"

// --- methods -------------------------------------------------------------------------------------------------------

static const struct str method_names[] = {
    [METHOD_OTHER] = {"OTHER", 5},     [METHOD_GET] = {"GET", 3},         [METHOD_HEAD] = {"HEAD", 4},
    [METHOD_POST] = {"POST", 4},       [METHOD_PUT] = {"PUT", 3},         [METHOD_DELETE] = {"DELETE", 6},
    [METHOD_CONNECT] = {"CONNECT", 7}, [METHOD_OPTIONS] = {"OPTIONS", 7}, [METHOD_TRACE] = {"TRACE", 5},
    [METHOD_PATCH] = {"PATCH", 5},
};

static enum http_method candidate_method(struct str token)
{
    switch (token.len) {
    case 3:
        return token.ptr[0] == 'G' ? METHOD_GET : METHOD_PUT;
    case 4:
        return token.ptr[0] == 'H' ? METHOD_HEAD : METHOD_POST;
    case 5:
        return token.ptr[0] == 'T' ? METHOD_TRACE : METHOD_PATCH;
    case 6:
        return METHOD_DELETE;
    case 7:
        return token.ptr[0] == 'C' ? METHOD_CONNECT : METHOD_OPTIONS;
    default:
        return METHOD_OTHER;
    }
}

enum http_method http_method_of(struct str token)
{
    enum http_method m = candidate_method(token);
    return m != METHOD_OTHER && memcmp(token.ptr, method_names[m].ptr, token.len) == 0 ? m : METHOD_OTHER;
}

struct str http_method_name(enum http_method m)
{
    ASSERT((size_t)m < sizeof(method_names) / sizeof(method_names[0]));
    return method_names[m];
}

// --- field names ---------------------------------------------------------------------------------------------------

enum { NAME_MAX_LEN = 24 };

struct known_name {
    char lower[NAME_MAX_LEN]; // padded with zeros
    uint8_t len;
    const char *canonical;
};

#define NAME(id, lower, canonical) [id] = {lower, sizeof(lower) - 1, canonical}
static const struct known_name known_names[HDR_ID_COUNT] = {
    NAME(HDR_OTHER, "", ""),
    NAME(HDR_HOST, "host", "Host"),
    NAME(HDR_CONNECTION, "connection", "Connection"),
    NAME(HDR_KEEP_ALIVE, "keep-alive", "Keep-Alive"),
    NAME(HDR_PROXY_CONNECTION, "proxy-connection", "Proxy-Connection"),
    NAME(HDR_TE, "te", "TE"),
    NAME(HDR_TRAILER, "trailer", "Trailer"),
    NAME(HDR_TRANSFER_ENCODING, "transfer-encoding", "Transfer-Encoding"),
    NAME(HDR_UPGRADE, "upgrade", "Upgrade"),
    NAME(HDR_CONTENT_LENGTH, "content-length", "Content-Length"),
    NAME(HDR_CONTENT_TYPE, "content-type", "Content-Type"),
    NAME(HDR_CONTENT_ENCODING, "content-encoding", "Content-Encoding"),
    NAME(HDR_EXPECT, "expect", "Expect"),
    NAME(HDR_COOKIE, "cookie", "Cookie"),
    NAME(HDR_SET_COOKIE, "set-cookie", "Set-Cookie"),
    NAME(HDR_USER_AGENT, "user-agent", "User-Agent"),
    NAME(HDR_ACCEPT, "accept", "Accept"),
    NAME(HDR_ACCEPT_ENCODING, "accept-encoding", "Accept-Encoding"),
    NAME(HDR_AUTHORIZATION, "authorization", "Authorization"),
    NAME(HDR_X_FORWARDED_FOR, "x-forwarded-for", "X-Forwarded-For"),
    NAME(HDR_LOCATION, "location", "Location"),
    NAME(HDR_DATE, "date", "Date"),
    NAME(HDR_CACHE_CONTROL, "cache-control", "Cache-Control"),
    NAME(HDR_REFERER, "referer", "Referer"),
    NAME(HDR_SERVER, "server", "Server"),
    NAME(HDR_ETAG, "etag", "ETag"),
    NAME(HDR_LAST_MODIFIED, "last-modified", "Last-Modified"),
    NAME(HDR_VARY, "vary", "Vary"),
    NAME(HDR_IF_NONE_MATCH, "if-none-match", "If-None-Match"),
    NAME(HDR_IF_MODIFIED_SINCE, "if-modified-since", "If-Modified-Since"),
    NAME(HDR_RANGE, "range", "Range"),
    NAME(HDR_ORIGIN, "origin", "Origin"),
    NAME(HDR_FORWARDED, "forwarded", "Forwarded"),
    NAME(HDR_WWW_AUTHENTICATE, "www-authenticate", "WWW-Authenticate"),
    NAME(HDR_PROXY_AUTHENTICATE, "proxy-authenticate", "Proxy-Authenticate"),
    NAME(HDR_PROXY_AUTHORIZATION, "proxy-authorization", "Proxy-Authorization"),
    NAME(HDR_SEC_WEBSOCKET_KEY, "sec-websocket-key", "Sec-WebSocket-Key"),
    NAME(HDR_SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept", "Sec-WebSocket-Accept"),
};

// A perfect hash over (length, first letter, last letter). Two names in one slot do not compile (-Woverride-init), so
// whoever adds a name may have to search for other factors.
#define SLOT_COUNT             128
#define SLOT(len, first, last) (((len) + (unsigned)(first)*7u + (unsigned)(last)*16u) & (SLOT_COUNT - 1))
static const uint8_t name_slots[SLOT_COUNT] = {
    [SLOT(4, 'h', 't')] = HDR_HOST,
    [SLOT(10, 'c', 'n')] = HDR_CONNECTION,
    [SLOT(10, 'k', 'e')] = HDR_KEEP_ALIVE,
    [SLOT(16, 'p', 'n')] = HDR_PROXY_CONNECTION,
    [SLOT(2, 't', 'e')] = HDR_TE,
    [SLOT(7, 't', 'r')] = HDR_TRAILER,
    [SLOT(17, 't', 'g')] = HDR_TRANSFER_ENCODING,
    [SLOT(7, 'u', 'e')] = HDR_UPGRADE,
    [SLOT(14, 'c', 'h')] = HDR_CONTENT_LENGTH,
    [SLOT(12, 'c', 'e')] = HDR_CONTENT_TYPE,
    [SLOT(16, 'c', 'g')] = HDR_CONTENT_ENCODING,
    [SLOT(6, 'e', 't')] = HDR_EXPECT,
    [SLOT(6, 'c', 'e')] = HDR_COOKIE,
    [SLOT(10, 's', 'e')] = HDR_SET_COOKIE,
    [SLOT(10, 'u', 't')] = HDR_USER_AGENT,
    [SLOT(6, 'a', 't')] = HDR_ACCEPT,
    [SLOT(15, 'a', 'g')] = HDR_ACCEPT_ENCODING,
    [SLOT(13, 'a', 'n')] = HDR_AUTHORIZATION,
    [SLOT(15, 'x', 'r')] = HDR_X_FORWARDED_FOR,
    [SLOT(8, 'l', 'n')] = HDR_LOCATION,
    [SLOT(4, 'd', 'e')] = HDR_DATE,
    [SLOT(13, 'c', 'l')] = HDR_CACHE_CONTROL,
    [SLOT(7, 'r', 'r')] = HDR_REFERER,
    [SLOT(6, 's', 'r')] = HDR_SERVER,
    [SLOT(4, 'e', 'g')] = HDR_ETAG,
    [SLOT(13, 'l', 'd')] = HDR_LAST_MODIFIED,
    [SLOT(4, 'v', 'y')] = HDR_VARY,
    [SLOT(13, 'i', 'h')] = HDR_IF_NONE_MATCH,
    [SLOT(17, 'i', 'e')] = HDR_IF_MODIFIED_SINCE,
    [SLOT(5, 'r', 'e')] = HDR_RANGE,
    [SLOT(6, 'o', 'n')] = HDR_ORIGIN,
    [SLOT(9, 'f', 'd')] = HDR_FORWARDED,
    [SLOT(16, 'w', 'e')] = HDR_WWW_AUTHENTICATE,
    [SLOT(18, 'p', 'e')] = HDR_PROXY_AUTHENTICATE,
    [SLOT(19, 'p', 'n')] = HDR_PROXY_AUTHORIZATION,
    [SLOT(17, 's', 'y')] = HDR_SEC_WEBSOCKET_KEY,
    [SLOT(20, 's', 't')] = HDR_SEC_WEBSOCKET_ACCEPT,
};
_Static_assert(HDR_ID_COUNT <= 64, "struct http_msg keeps a 64-bit set of ids");

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

// Setting bit 5 lowers letters and maps no other visible character to a letter or to '-' (only CR to '-', and no name
// that gets here has one). The last word overlaps the one before it.
static inline bool same_name(const char *p, const char *lower, size_t len)
{
    const uint64_t bits = 0x2020202020202020u;
    if (len >= 8) {
        for (size_t i = 0; i + 8 <= len; i += 8)
            if ((load64(p + i) | bits) != load64(lower + i))
                return false;
        return (load64(p + len - 8) | bits) == load64(lower + len - 8);
    }
    if (len >= 4)
        return (load32(p) | (uint32_t)bits) == load32(lower) &&
               (load32(p + len - 4) | (uint32_t)bits) == load32(lower + len - 4);
    for (size_t i = 0; i < len; i++)
        if ((p[i] | 0x20) != lower[i])
            return false;
    return true;
}

enum hdr_id names_find(struct str name)
{
    if (name.len == 0)
        return HDR_OTHER;
    enum hdr_id id = name_slots[SLOT(name.len, name.ptr[0] | 0x20, name.ptr[name.len - 1] | 0x20)];
    const struct known_name *known = &known_names[id];
    return known->len == name.len && same_name(name.ptr, known->lower, name.len) ? id : HDR_OTHER;
}

enum hdr_id http_hdr_id(struct str name)
{
    enum hdr_id id = names_find(name);
    return id == HDR_OTHER || memchr(name.ptr, '\r', name.len) == NULL ? id : HDR_OTHER;
}

struct str http_hdr_name(enum hdr_id id)
{
    ASSERT((unsigned)id < HDR_ID_COUNT);
    return str_make(known_names[id].canonical, known_names[id].len);
}

// --- reason phrases ------------------------------------------------------------------------------------------------

// The wording is the one that HAProxy's users see.
const char *http_reason(unsigned status)
{
    static const struct {
        uint16_t status;
        const char *text;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {102, "Processing"},
        {103, "Early Hints"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {207, "Multi-Status"},
        {208, "Already Reported"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Time-out"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Request Entity Too Large"},
        {414, "Request-URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Requested range unsatisfiable"},
        {417, "Expectation failed"},
        {418, "I'm a teapot"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Time-out"},
        {505, "HTTP Version Not Supported"},
        {506, "Variant Also Negotiates"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
        {511, "Network Authentication Required"},
    };
    static const char *const classes[] = {"Informational", "Success", "Redirection", "Client Error", "Server Error"};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return status >= 100 && status < 600 ? classes[status / 100 - 1] : "Other";
}
