// SPDX-License-Identifier: Apache-2.0
// Any text as the lines of a listen section: expressions, formats, ACLs, rules, tables.
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT;
    struct config_options options = {.local_peer = "n1"};
    struct diag *diag = diag_create();
    buf_add_cstr(&text, "userlist users\n user joe insecure-password x\n"
                        "backend tb\n stick-table type ip size 1k store gpc0\nlisten a\n mode http\n bind 127.0.0.1:1\n"
                        " server s1 127.0.0.1:80\n");
    buf_add(&text, data, size);
    buf_add_cstr(&text, "\n");
    struct config *c = config_load_text("fuzz.cfg", buf_str(&text), &options, diag);
    config_unref(&c);
    buf_clear(&text);
    diag_render(diag, &text, DIAG_DIAG);
    diag_destroy(&diag);
    buf_free(&text);
    return 0;
}
