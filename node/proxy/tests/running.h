// SPDX-License-Identifier: Apache-2.0
// For tests of node/proxy: a configuration given as text becomes the current snapshot, without threads and without
// listening sockets; and what is easily found in it.
#ifndef PHX_PROXY_TESTS_RUNNING_H
#define PHX_PROXY_TESTS_RUNNING_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on

#include "config/config.h"
#include "node/base/log.h"
#include "node/match/sample.h"
#include "node/proxy/access_log.h"
#include "node/proxy/check.h"
#include "node/proxy/proxy.h"
#include "node/proxy/stream.h"

#define RUNNING_DEFAULTS                                                                                               \
    "global\n nbthread 2\n maxconn 1000\ndefaults\n mode http\n timeout client 1s\n timeout server 1s\n"               \
    " timeout connect 1s\n"

// Once a program.
static inline void running_init(void)
{
    fetch_bind_http();
    fetch_bind_l4();
    fetch_bind_table();
    conv_bind_all();
    conv_bind_map();
    conv_bind_table();
    var_bind();
    stream_init();
    log_init("test", "localhost");
    log_set_quiet(true);
}

// What follows RUNNING_DEFAULTS. A second call is a reload.
static inline struct snapshot *running_load(const char *lines)
{
    struct diag *diag = diag_create();
    struct config_options options = {.local_peer = "n1"};
    struct buf text = BUF_INIT, said = BUF_INIT;
    buf_add_cstr(&text, RUNNING_DEFAULTS);
    buf_add_cstr(&text, lines);
    struct config *c = config_load_text("test.cfg", buf_str(&text), &options, diag);
    struct snapshot *s = c ? snapshot_build(&c, snapshot_current(), true, diag) : NULL;
    diag_render(diag, &said, DIAG_ALERT);
    if (!s)
        fail_msg("%.*s", STR_ARG(buf_str(&said)));
    diag_destroy(&diag);
    buf_free(&text);
    buf_free(&said);
    snapshot_publish(s);
    return s;
}

static inline struct proxy *running_backend(const char *name)
{
    struct proxy *p = snapshot_find(snapshot_current(), str_of(name), CAP_BACK);
    assert_non_null(p);
    return p;
}

static inline struct server_state *running_server(struct proxy *p, const char *name)
{
    struct server *srv = proxy_find_server(p, str_of(name));
    assert_non_null(srv);
    return srv->state;
}

// Workers are joined.
static inline void running_end(void)
{
    snapshot_shutdown();
    log_shutdown();
}

#endif
