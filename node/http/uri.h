// SPDX-License-Identifier: Apache-2.0
// Parts of a request-target (RFC 3986, RFC 9112 3.2) and the fetch-relevant views of it. Slices borrow from the input.
#ifndef PHX_HTTP_URI_H
#define PHX_HTTP_URI_H

#include <stdbool.h>

#include "node/base/arena.h"
#include "node/base/str.h"

struct uri {
    struct str scheme;    // absolute form only
    struct str authority; // absolute and authority form
    struct str path;      // without query; "*" for asterisk form
    struct str query;     // without '?'; ptr NULL when there is none
};

// Never fails on what h1 accepted as a target.
void uri_parse(struct str target, struct uri *out);
struct str uri_host(struct str authority); // without userinfo and port, brackets kept
// Value of a query or form parameter; false when absent. delim separates parameters ('&' by default; ';' too where the
// fetch says so).
bool uri_param(struct str query, struct str name, char delim, bool nocase, struct str *value);
// %XX decoded; '+' to space when `plus`. False on a bad escape.
bool uri_decode(struct str in, bool plus, struct arena *arena, struct str *out);

#endif
