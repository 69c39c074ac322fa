// SPDX-License-Identifier: Apache-2.0
// Private to node/http: look-up of a field name whose bytes were already scanned.
#ifndef PHX_HTTP_NAMES_H
#define PHX_HTTP_NAMES_H

#include "node/http/msg.h"

// As http_hdr_id() for a name without control characters. A name that is found needs no check of its characters.
enum hdr_id names_find(struct str name);

#endif
