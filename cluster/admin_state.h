// SPDX-License-Identifier: Apache-2.0
// Administrative state of servers as registers that merge: the newest stamp wins, so every order of messages gives the
// same result on every node. Registers of servers that are not configured here are kept, and not used. Pure.
#ifndef PHX_CLUSTER_ADMIN_STATE_H
#define PHX_CLUSTER_ADMIN_STATE_H

#include "cluster/hlc.h"
#include "cluster/messages.h"

// More registers than that are refused: memory stays bounded whatever others send.
#define ADMIN_REGISTERS_MAX 65536

struct admin_state;

struct admin_state *admin_state_create(void);
void admin_state_destroy(struct admin_state **s);

enum admin_merge {
    ADMIN_NEWER,   // taken
    ADMIN_OLDER,   // what is here is as new or newer
    ADMIN_REFUSED, // out of range, too many, or its stamp is over 24 h ahead
};
// A word given on this node: stamps it. The register as stored in *out (its name lives in s).
enum admin_merge admin_state_set(struct admin_state *s, struct str name, enum admin_field field, int32_t value,
                                 int64_t wall_us, struct admin_register *out);
// A register from another node or from disk. *changed = its value differs from the one before.
enum admin_merge admin_state_merge(struct admin_state *s, const struct admin_register *r, int64_t wall_us,
                                   bool *changed);

bool admin_state_get(const struct admin_state *s, struct str name, enum admin_field field, struct admin_register *out);
// Equal on two nodes when they hold the same registers.
uint64_t admin_state_digest(const struct admin_state *s);
unsigned admin_state_count(const struct admin_state *s);
// Fills at most ADMIN_MSG_REGISTERS from position *cursor on and moves it; false when none was left. Start with 0;
// changes between calls may repeat or omit a register.
bool admin_state_fill(const struct admin_state *s, unsigned *cursor, struct admin_msg *msg);

#endif
