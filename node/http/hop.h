// SPDX-License-Identifier: Apache-2.0
// Fields that speak of one connection only (RFC 9110 7.6.1): taken off a received message before it goes on, written
// anew for the next hop.
#ifndef PHX_HTTP_HOP_H
#define PHX_HTTP_HOP_H

#include "node/http/msg.h"

// Once for each received message, before rules may add fields. Removes Keep-Alive, Proxy-Connection, the fields that
// Connection names (not those that the proxy knows to be end-to-end: a client must not be able to erase the
// Authorization or X-Forwarded-For of a proxy in front), Upgrade unless the message upgrades, and all of TE but
// "trailers". Connection keeps what is neither close nor keep-alive while an upgrade is on the way, else it vanishes.
void http_strip_hop_by_hop(struct http_msg *m);

// Says what happens to the connection that `m` is written to: adds "Connection: close" or "keep-alive" where the
// receiver could not know. `peer_version`: of the request that a response answers; of the request itself. A message
// that switches protocols is left alone.
void http_set_connection(struct http_msg *m, bool keep_alive, uint8_t peer_version);

// A request or response that upgrades to "websocket" (RFC 6455 4.2).
bool http_is_websocket(struct http_msg *m);

#endif
