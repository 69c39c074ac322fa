// SPDX-License-Identifier: Apache-2.0
// A message head that does not know its HTTP version: start line, header fields in order, body framing. Slices borrow
// from the receive buffer that the head was parsed from, or from the request's arena once something was edited. One
// thread. RFC 9110 names are used throughout.
#ifndef PHX_HTTP_MSG_H
#define PHX_HTTP_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/arena.h"
#include "node/base/str.h"

enum http_method {
    METHOD_OTHER,
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_CONNECT,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH
};

// Field names that the proxy itself looks at; found while parsing, so that look-ups are integer compares.
enum hdr_id {
    HDR_OTHER,
    HDR_HOST,
    HDR_CONNECTION,
    HDR_KEEP_ALIVE,
    HDR_PROXY_CONNECTION,
    HDR_TE,
    HDR_TRAILER,
    HDR_TRANSFER_ENCODING,
    HDR_UPGRADE,
    HDR_CONTENT_LENGTH,
    HDR_CONTENT_TYPE,
    HDR_CONTENT_ENCODING,
    HDR_EXPECT,
    HDR_COOKIE,
    HDR_SET_COOKIE,
    HDR_USER_AGENT,
    HDR_ACCEPT,
    HDR_ACCEPT_ENCODING,
    HDR_AUTHORIZATION,
    HDR_X_FORWARDED_FOR,
    HDR_LOCATION,
    HDR_DATE,
    HDR_CACHE_CONTROL,
    HDR_REFERER,
    HDR_SERVER,
    HDR_ETAG,
    HDR_LAST_MODIFIED,
    HDR_VARY,
    HDR_IF_NONE_MATCH,
    HDR_IF_MODIFIED_SINCE,
    HDR_RANGE,
    HDR_ORIGIN,
    HDR_FORWARDED,
    HDR_WWW_AUTHENTICATE,
    HDR_PROXY_AUTHENTICATE,
    HDR_PROXY_AUTHORIZATION,
    HDR_SEC_WEBSOCKET_KEY,
    HDR_SEC_WEBSOCKET_ACCEPT,
    HDR_ID_COUNT // at most 64: struct http_msg has a set of them
};

struct http_hdr {
    struct str name;  // as received
    struct str value; // without surrounding white space; empty slice when deleted, then name.ptr is NULL
    uint16_t id;      // enum hdr_id
};

enum http_body {
    BODY_NONE,   // no body follows the head
    BODY_LENGTH, // content_length bytes
    BODY_CHUNKED,
    BODY_CLOSE, // until the connection closes (responses only)
    BODY_TUNNEL // opaque bytes both ways (101, 2xx to CONNECT)
};

struct http_msg {
    struct arena *arena; // edits and the header array
    bool response;
    bool keep_alive; // what this message says about its own connection after it, by version and Connection
    bool expect_continue;
    bool upgrade; // Connection: upgrade with an Upgrade field
    bool has_host;
    uint8_t version; // 10, 11, 20
    uint8_t method;  // enum http_method; responses: of the request
    uint16_t status;
    struct str method_text;
    struct str target; // request-target as received: origin, absolute, authority or asterisk form
    struct str reason;
    uint8_t body;            // enum http_body; a length of 0 is BODY_NONE
    uint64_t content_length; // BODY_LENGTH; for HEAD answers what the field says
    struct http_hdr *hdrs;
    uint16_t nhdrs; // deleted ones count
    uint16_t hdrs_cap;
    uint32_t head_len; // bytes of the head as received, 0 when made here
    const char *head;  // its first byte, NULL when made here
    uint64_t ids;      // bit (1 << id) is set if a field of that id may be there: a quick "no" for look-ups
    // The version's text when it is none of HTTP/1.0 and 1.1 (only with accept-invalid): written back as it came.
    struct str version_text;
};

// Empty message; `hdrs_hint` fields of room.
void http_msg_init(struct http_msg *m, struct arena *arena, bool response, uint16_t hdrs_hint);

// Method from its token; text otherwise METHOD_OTHER (case-sensitive, RFC 9110 9.1).
enum http_method http_method_of(struct str token);
struct str http_method_name(enum http_method m);
enum hdr_id http_hdr_id(struct str name);
struct str http_hdr_name(enum hdr_id id);
// "OK" for 200 …; "Unknown" style fallback by class.
const char *http_reason(unsigned status);

// Iteration: the next live field from *pos on with that id / name (case-insensitive), NULL at the end. *pos starts at
// 0.
struct http_hdr *http_hdr_next(struct http_msg *m, enum hdr_id id, unsigned *pos);
struct http_hdr *http_hdr_next_name(struct http_msg *m, struct str name, unsigned *pos);
bool http_hdr_has(struct http_msg *m, enum hdr_id id);
// First value, STR_NONE when absent.
struct str http_hdr_get(struct http_msg *m, enum hdr_id id);

// Comma-separated values across all fields of that name, quotes respected (configuration.txt "req.hdr"). The occurrence
// occ ≥ 1 counts from the first, occ ≤ -1 from the last. False when there is none. `full`: whole fields (req.fhdr).
bool http_hdr_value(struct http_msg *m, struct str name, int occ, bool full, struct str *value);
unsigned http_hdr_count(struct http_msg *m, struct str name, bool full);
// The same values one by one; an empty name = of all fields. A walk starts with *pos 0 and *rest STR_NONE.
bool http_hdr_next_value(struct http_msg *m, struct str name, bool full, unsigned *pos, struct str *rest,
                         struct str *value);
// True if a comma-separated list field has this token, ASCII case-insensitive.
bool http_hdr_has_token(struct http_msg *m, enum hdr_id id, struct str token);
// Next piece of a comma-separated list, quotes respected, trimmed, empty pieces skipped. *rest is moved on.
bool http_list_next(struct str *rest, struct str *piece);

// Edits. Names and values are borrowed: they must live as long as the message (arena or configuration).
void http_hdr_add(struct http_msg *m, struct str name, struct str value);
void http_hdr_set(struct http_msg *m, struct str name, struct str value); // deletes all of that name, then adds
unsigned http_hdr_del(struct http_msg *m, struct str name);
unsigned http_hdr_del_id(struct http_msg *m, enum hdr_id id);
void http_hdr_remove(struct http_hdr *h);

// A value that could break the message apart (CR, LF, NUL) must not be written; a name must be a token.
bool http_value_ok(struct str value);
bool http_name_ok(struct str name);

#endif
