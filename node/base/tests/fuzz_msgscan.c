// SPDX-License-Identifier: Apache-2.0
// Whatever bytes arrive: the check ends, and what it let pass is read by the cursor to the last byte.
#include "node/base/msgscan.h"
#include "node/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct msgscan_limits limits = {.bytes = 4096, .depth = 8, .items = 512};
    struct str bytes = str_make((const char *)data, size);
    enum msgscan_error error = msgscan_check(bytes, &limits);

    struct msgscan s = msgscan_begin(bytes);
    msgscan_skip(&s);
    if (error == MSGSCAN_OK)
        ASSERT(!s.failed && s.at == s.end);

    struct msgscan tokens = msgscan_begin(bytes);
    struct msgscan_token t;
    while (msgscan_next(&tokens, &t))
        if (t.type == MSGSCAN_STR)
            ASSERT(t.bytes.len <= size);
    return 0;
}
