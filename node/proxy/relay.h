// SPDX-License-Identifier: Apache-2.0
// Moving one direction of bytes from a connection to another: through a buffer, or through a kernel pipe once the
// direction shows itself to be bulk. Knows where a message ends (struct flow's framing), nothing of what it says.
#ifndef PHX_PROXY_RELAY_H
#define PHX_PROXY_RELAY_H

#include "node/proxy/stream.h"

enum relay_result {
    RELAY_BLOCKED,      // an event of one of the connections will tell when to go on
    RELAY_YIELD,        // there is more to do, after others had their turn
    RELAY_DONE,         // the message is complete and given to the sink
    RELAY_SOURCE_SHORT, // the source ended in the middle of the message; what it sent was given to the sink
    RELAY_SOURCE_ERROR, // reading failed
    RELAY_SINK_ERROR,   // writing failed
    RELAY_BAD_FRAMING,  // chunked body that is none
};

// How a body begins: bytes [at, buf->tail) were received behind the head already.
void flow_begin(struct flow *f, enum flow_framing framing, uint64_t length, uint32_t at);
// The message is over and raw bytes follow, of which some may be in the buffer already.
void flow_begin_tunnel(struct flow *f);
// A read filled the buffer, or did not: bulk shows itself.
void flow_note_read(struct flow *f, bool full);
// Looks at bytes that were received into the buffer since: moves `clear` on. False: bad framing.
bool flow_scan(struct flow *f);

// Goes on until both ends are blocked, or it is over. *moved is set when bytes moved: [0] from the source, [1] to the
// sink.
enum relay_result relay_run(struct worker *w, struct flow *f, struct conn *from, struct conn *to, bool moved[2]);
// The first write of a message: its head and as much of the body as is there, in one system call. What the socket does
// not take is kept in f->head.
enum relay_result relay_send_head(struct flow *f, struct conn *to, struct arena *arena, const struct iovec *head,
                                  int nhead);

// Bytes that wait for the sink.
static inline uint32_t flow_pending(const struct flow *f)
{
    return f->buf ? f->clear - f->buf->head : 0;
}
static inline bool flow_has_pending(const struct flow *f)
{
    return f->nhead > 0 || flow_pending(f) > 0 || (f->pipe && f->pipe->level > 0);
}
// True while the relay would read if the source had something.
bool flow_wants_bytes(const struct flow *f);
// Gives back buffer and pipe.
void flow_end(struct worker *w, struct flow *f);

#endif
