// SPDX-License-Identifier: Apache-2.0
// Private to node/http: the array of header fields of a message.
#ifndef PHX_HTTP_FIELDS_H
#define PHX_HTTP_FIELDS_H

#include "node/http/msg.h"

// More room in m->hdrs, from the arena. False at the limit of 65535 fields.
bool fields_grow(struct http_msg *m);

#endif
