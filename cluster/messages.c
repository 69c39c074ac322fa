// SPDX-License-Identifier: Apache-2.0
// Names of states, as users and traces read them.
#include "cluster/messages.h"

#include "node/base/panic.h"

const char *member_state_name(enum member_state state)
{
    static const char *const names[MEMBER_STATE_COUNT] = {
        [MEMBER_UNKNOWN] = "unknown",         [MEMBER_JOINING] = "joining",   [MEMBER_UP] = "up",
        [MEMBER_SUSPECT] = "suspect",         [MEMBER_DRAINING] = "draining", [MEMBER_DRAINED] = "drained",
        [MEMBER_MAINTENANCE] = "maintenance", [MEMBER_DEAD] = "dead",         [MEMBER_LEFT] = "left",
    };
    ASSERT((unsigned)state < MEMBER_STATE_COUNT);
    return names[state];
}
