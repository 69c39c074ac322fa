// SPDX-License-Identifier: Apache-2.0
// The free kernel pipes of one worker; private to node/io. Taking and putting is in conn.h.
#ifndef PHX_IO_PIPE_POOL_H
#define PHX_IO_PIPE_POOL_H

struct pipe_pool;

// Closes all free pipes; NULL is allowed.
void pipe_pool_destroy(struct pipe_pool **pool);

#endif
