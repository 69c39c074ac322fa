// SPDX-License-Identifier: Apache-2.0
// Health checks (configuration.txt 5.2 "check", "option httpchk"). Each server is checked by one worker of its own, on
// that worker's loop; other threads reach a check by message only. What a check's outcome means for the server is a
// pure step (check_step).
#ifndef PHX_PROXY_CHECK_H
#define PHX_PROXY_CHECK_H

#include "node/base/buf.h"
#include "node/io/conn.h"
#include "node/io/timer.h"
#include "node/proxy/proxy.h"

struct regex;

enum check_status {
    CHECK_UNKNOWN,
    CHECK_INI,
    CHECK_SOCKERR,
    CHECK_L4OK,
    CHECK_L4TOUT,
    CHECK_L4CON,
    CHECK_L7OK,
    CHECK_L7OKC, // conditionally: 404 with disable-on-404
    CHECK_L7TOUT,
    CHECK_L7RSP,
    CHECK_L7STS,
    CHECK_STATUS_COUNT
};
const char *check_status_name(enum check_status s); // "L4OK" …
const char *check_status_text(enum check_status s); // "Layer4 check passed" …
bool check_status_passes(enum check_status s);

// Consecutive results → health 0..rise+fall-1; up while ≥ rise.
int check_step(int health, bool pass, int rise, int fall);

// What one check found.
struct check_verdict {
    enum check_status status;
    int code;       // HTTP status that decided, 0 = none
    char text[128]; // details for logs, may be empty
};

struct health_check {
    struct server_state *server; // owns this
    struct worker *worker;
    struct list link;   // the worker's checks
    struct timer timer; // next start; while running: its deadline
    struct conn conn;
    bool running, connected;
    struct config *config; // counted: cfg and proxy borrow from it
    const struct cfg_server *cfg;
    const struct cfg_proxy *proxy;
    struct regex *expect; // rstatus, rstring
    mono_t started;
    struct buf in;
    size_t sent;
    struct buf out;
    int health;
};

// The snapshot that is being published has this server: its check is made, changed or (no `check`) ended. Control
// thread.
void check_configure(struct server *srv);
void check_stop(struct server_state *s); // the server was deleted
// Traffic's own experience (observe layer4/layer7). From the worker that saw it.
void check_observe(struct server *srv, bool ok);
// After workers are joined.
void check_shutdown(void);

// check_http.c: the request into c->out, and what the bytes in c->in mean. False: more is needed (`eof`: no more will
// come).
void check_http_request(struct health_check *c);
bool check_http_judge(const struct health_check *c, bool eof, struct check_verdict *v);

#endif
