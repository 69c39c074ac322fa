// SPDX-License-Identifier: Apache-2.0
// Answers made here: error pages, deny, return, redirects, monitor-uri, 100-continue. An answer is an http_msg like one
// from a server, so that after-response rules and the log treat both alike.
#ifndef PHX_PROXY_REPLY_H
#define PHX_PROXY_REPLY_H

#include "node/proxy/stream.h"

struct reply_header {
    struct str name;
    struct format *value;
};
// Compiled `return`, `deny`, `tarpit` …; in the snapshot's arena.
struct reply {
    int status;
    bool error_page;         // the proxy's error page for `status`, see error_page()
    struct str raw;          // complete message of an error file; ptr NULL = none
    struct str content_type; // ptr NULL = none
    struct str body;         // constant
    struct format *body_format;
    struct reply_header *headers;
    unsigned nheaders;
};
// NULL: message given. `default_status`: 200 for return, 403 for deny, 500 for tarpit …; cfg may be NULL (then the
// error page of the default).
struct reply *reply_compile(struct compile *c, struct proxy *p, const struct cfg_reply *cfg, int default_status,
                            const struct cfg_src *src, struct arena *arena, struct diag *diag);

// Each makes st->res and begins to answer: the caller returns STEP_FINAL. The rest of the request is read and dropped,
// or the connection closes after the answer, as framing demands.
void reply_send(struct stream *st, const struct reply *r);
void reply_error(struct stream *st, int status); // the proxy's page, or the built-in one
void reply_redirect(struct stream *st, int status, struct str location, struct str set_cookie);
// For others: begin, add fields by http_hdr_add(&st->res, …), then finish with the body (borrowed: arena or constant).
void reply_begin(struct stream *st, int status);
void reply_finish(struct stream *st, struct str body);

// Index into proxy.error_pages, -1 when that status has no page of its own.
int error_page_index(int status);
// Complete HTTP/1 message: backend's, frontend's, or built in.
struct str error_page(const struct stream *st, int status);
// Checks an errorfile's text: a complete HTTP/1 response that fits a buffer. NULL or why not.
const char *error_page_check(struct str text);

#endif
