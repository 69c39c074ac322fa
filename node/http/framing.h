// SPDX-License-Identifier: Apache-2.0
// Private to node/http: what the fields of a complete head say about its body and its connection.
#ifndef PHX_HTTP_FRAMING_H
#define PHX_HTTP_FRAMING_H

#include "node/http/h1.h"

// Fill body, content_length, keep_alive, expect_continue, upgrade, has_host. On an error *at is the field to blame.
enum h1_error framing_of_request(struct http_msg *m, bool accept_invalid, const char **at);
enum h1_error framing_of_response(struct http_msg *m, const char **at);

#endif
