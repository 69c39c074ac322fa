// SPDX-License-Identifier: Apache-2.0
// Clock reading. Both clocks are read in the vDSO, without a system call.
#include "node/base/clock.h"

#include <time.h>

#include "node/base/panic.h"

static int64_t read_us(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

mono_t mono_now(void)
{
    return (mono_t){read_us(CLOCK_MONOTONIC)};
}

int64_t wall_now_us(void)
{
    return read_us(CLOCK_REALTIME);
}
