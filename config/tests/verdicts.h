// SPDX-License-Identifier: Apache-2.0
// For the tests of the expression half: loads lines in the frame of a small configuration and compares the verdict with
// the expected one, which in turn is compared with what `haproxy -c` says where that is installed.
#ifndef PHX_CONFIG_TESTS_VERDICTS_H
#define PHX_CONFIG_TESTS_VERDICTS_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

enum verdict_place { IN_FRONT, IN_BACK, IN_TCP_FRONT };
struct verdict {
    const char *lines; // of the place, separated by \n
    bool ok;
    bool differs; // from HAProxy 2.6, by intent or because it is newer
};

static char *frame(enum verdict_place place, const char *lines)
{
    char *text = NULL;
    const char *mode = place == IN_TCP_FRONT ? "tcp" : "http";
    int n = asprintf(&text,
                     "global\n log 127.0.0.1:514 local0\n"
                     "userlist users\n group g\n user joe insecure-password x groups g\n"
                     "defaults\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n mode %s\n log global\n"
                     "frontend a\n bind 127.0.0.1:1\n%s\n default_backend bk\n"
                     "backend bk\n%s\n server s1 127.0.0.1:80\n"
                     "backend tb\n stick-table type ip size 1k expire 1m store gpc0,http_req_rate(10s),conn_cnt\n",
                     mode, place == IN_BACK ? "" : lines, place == IN_BACK ? lines : "");
    assert_true(n > 0);
    return text;
}

// *messages (freed by the caller) holds what was said.
static struct config *load_lines(enum verdict_place place, const char *lines, struct buf *messages)
{
    char *text = frame(place, lines);
    struct diag *diag = diag_create();
    struct config_options options = {.local_peer = "n1"};
    struct config *c = config_load_text("test.cfg", str_of(text), &options, diag);
    diag_render(diag, messages, DIAG_WARNING);
    diag_destroy(&diag);
    free(text);
    return c;
}

// Loads what must be right.
static inline struct config *load_good(enum verdict_place place, const char *lines)
{
    struct buf messages = BUF_INIT;
    struct config *c = load_lines(place, lines, &messages);
    if (!c)
        fail_msg("%s: %.*s", lines, (int)messages.len, messages.data);
    buf_free(&messages);
    return c;
}

static inline bool says(enum verdict_place place, const char *lines, const char *text)
{
    struct buf messages = BUF_INIT;
    struct config *c = load_lines(place, lines, &messages);
    bool found = str_find(buf_str(&messages), str_of(text)) >= 0;
    if (!found)
        print_error("%s: expected \"%s\" in:\n%.*s\n", lines, text, (int)messages.len, messages.data);
    buf_free(&messages);
    config_unref(&c);
    return found;
}

// -1: no HAProxy 2.6 here.
static int haproxy_accepts(enum verdict_place place, const char *lines)
{
    static int usable = -1;
    char path[] = "/tmp/verdict-XXXXXX", command[128];
    if (usable < 0)
        usable = system("haproxy -v 2>/dev/null | grep -q 'version 2\\.6'") == 0;
    if (!usable)
        return -1;
    char *text = frame(place, lines);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(command, sizeof command, "haproxy -c -f %s >/dev/null 2>&1", path);
    int rc = system(command);
    unlink(path);
    free(text);
    return rc == 0;
}

static inline void check_verdicts(enum verdict_place place, const struct verdict *rows, unsigned n)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < n; i++) {
        struct buf messages = BUF_INIT;
        struct config *c = load_lines(place, rows[i].lines, &messages);
        if ((c != NULL) != rows[i].ok) {
            print_error("'%s': expected %s\n%.*s\n", rows[i].lines, rows[i].ok ? "success" : "an error",
                        (int)messages.len, messages.data);
            wrong++;
        }
        int haproxy = haproxy_accepts(place, rows[i].lines);
        if (haproxy >= 0 && (haproxy == rows[i].ok) == rows[i].differs) {
            print_error("'%s': haproxy says %s\n", rows[i].lines, haproxy ? "ok" : "error");
            wrong++;
        }
        buf_free(&messages);
        config_unref(&c);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK_VERDICTS(place, rows) check_verdicts((place), (rows), sizeof(rows) / sizeof *(rows))

static inline struct cfg_proxy *proxy_named(const struct config *c, const char *name)
{
    for (unsigned i = 0; i < c->nproxies; i++)
        if (str_is(c->proxies[i]->name, name))
            return c->proxies[i];
    fail_msg("no proxy %s", name);
    return NULL;
}

static inline void assert_str(struct str s, const char *text)
{
    if (!str_is(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), text);
}

#endif
