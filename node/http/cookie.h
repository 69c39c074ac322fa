// SPDX-License-Identifier: Apache-2.0
// Cookie and Set-Cookie fields (RFC 6265, as lenient as HAProxy's manual asks). Slices borrow from the field.
#ifndef PHX_HTTP_COOKIE_H
#define PHX_HTTP_COOKIE_H

#include <stdbool.h>

#include "node/http/msg.h"

struct cookie_pair {
    struct str name, value;
    struct str whole; // bytes from the name to the value's end, as in the field
};
// Next pair of a Cookie field value (or of a Set-Cookie field: the first pair, then attributes). *rest is moved on.
// Pairs end at ';' or ',' outside of quotes. What has no '=' comes with the pointer of `value` NULL.
bool cookie_next(struct str *rest, struct cookie_pair *pair);
// The occurrence-th cookie of that name over all fields (0 = any: the first; below 0 from the end). Request: Cookie;
// response: Set-Cookie. An empty name is any cookie.
bool cookie_get(struct http_msg *m, struct str name, int occurrence, struct str *value);
unsigned cookie_count(struct http_msg *m, struct str name);
// The same cookies one by one. A walk starts with *pos 0 and *rest STR_NONE. The pair says the name too.
bool cookie_next_value(struct http_msg *m, struct str name, unsigned *pos, struct str *rest, struct cookie_pair *pair);
// Removes one cookie of the request's Cookie fields, separators mended; drops a field that becomes empty.
bool cookie_remove(struct http_msg *m, struct str name);
// Replaces the value of a cookie in place of the old one. Request or response.
bool cookie_rewrite(struct http_msg *m, struct str name, struct str value);
// Removes Set-Cookie fields that set this name.
unsigned cookie_remove_set(struct http_msg *m, struct str name);

#endif
