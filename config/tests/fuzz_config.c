// SPDX-License-Identifier: Apache-2.0
// Any text as a configuration: it must load or be refused with messages, without a fault or a leak. The same text is
// also tried as a condition.
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_options options = {.local_peer = "n1"};
    struct diag *diag = diag_create();
    struct buf out = BUF_INIT;
    struct str text = str_make((const char *)data, size);
    struct config *config = config_load_text("fuzz.cfg", text, &options, diag);
    config_unref(&config);
    char *condition = str_dup(text);
    config_eval_condition(condition, diag);
    free(condition);
    diag_render(diag, &out, DIAG_DIAG);
    buf_free(&out);
    diag_destroy(&diag);
    return 0;
}
