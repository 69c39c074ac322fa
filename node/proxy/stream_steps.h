// SPDX-License-Identifier: Apache-2.0
// The steps of the request path, shared by the stream*.c files that hold them. The list itself, in order, is in
// stream.c. Private to node/proxy.
#ifndef PHX_PROXY_STREAM_STEPS_H
#define PHX_PROXY_STREAM_STEPS_H

#include "node/proxy/relay.h"
#include "node/proxy/reply.h"
#include "node/proxy/server_conn.h"
#include "node/proxy/stream.h"

// In the order in which a stream goes through them.
enum stream_step_id {
    STEP_CONNECTION_RULES,
    STEP_REQUEST_HEAD,
    STEP_FRONT_CONTENT,
    STEP_MONITOR,
    STEP_FRONT_BODY,
    STEP_FRONT_REQUEST,
    STEP_FRONT_REDIRECT,
    STEP_CHOOSE_BACKEND,
    STEP_BACK_BODY,
    STEP_BACK_CONTENT,
    STEP_BACK_REQUEST,
    STEP_BACK_REDIRECT,
    STEP_REQUEST_HEADERS,
    STEP_USE_SERVER,
    STEP_PERSISTENCE,
    STEP_BALANCE,
    STEP_CONNECT,
    STEP_SEND_REQUEST,
    STEP_RESPONSE_CONTENT_TCP,
    STEP_RESPONSE_HEAD,
    STEP_RESPONSE_CONTENT,
    STEP_BACK_RESPONSE,
    STEP_FRONT_RESPONSE,
    STEP_STORE,
    STEP_AFTER_RESPONSE,
    STEP_RESPONSE_HEADERS,
    STEP_SEND_RESPONSE,
    STEP_RELAY,
    STEP_END,
    STEP_COUNT
};

// Places inside STEP_CONNECT.
enum { CONNECT_BEGIN, CONNECT_WAIT, CONNECT_TURN_AROUND, CONNECT_PAUSE };

// stream_request.c
enum step step_connection_rules(struct stream *st);
enum step step_request_head(struct stream *st);
enum step step_front_content(struct stream *st);
enum step step_monitor(struct stream *st);
enum step step_front_body(struct stream *st);
enum step step_front_request(struct stream *st);
enum step step_front_redirect(struct stream *st);
enum step step_choose_backend(struct stream *st);
enum step step_back_body(struct stream *st);
enum step step_back_content(struct stream *st);
enum step step_back_request(struct stream *st);
enum step step_back_redirect(struct stream *st);
// stream_headers.c
enum step step_request_headers(struct stream *st);
enum step step_response_headers(struct stream *st);
// stream_server.c
enum step step_use_server(struct stream *st);
enum step step_balance(struct stream *st);
enum step step_connect(struct stream *st);
enum step step_send_request(struct stream *st);
// persist.c
enum step step_persistence(struct stream *st);
enum step step_store(struct stream *st);
// stream_response.c
enum step step_response_content_tcp(struct stream *st);
enum step step_response_head(struct stream *st);
enum step step_response_content(struct stream *st);
enum step step_front_response(struct stream *st);
enum step step_back_response(struct stream *st);
enum step step_after_response(struct stream *st);
enum step step_send_response(struct stream *st);
// stream_relay.c
enum step step_relay(struct stream *st);
enum step step_end(struct stream *st);

// ---- shared by the steps -------------------------------------------------------------------------------------------

// The step's own deadline, set once a step: ms < 0 = none.
void stream_deadline(struct stream *st, int64_t ms);
bool stream_deadline_passed(const struct stream *st);
// Runs a rule list at a place of evaluation.
enum step stream_rules(struct stream *st, const struct rule_list *list, enum cfg_where where);
// Goes to another step at the next turn of the driver's loop; the caller returns STEP_WAIT after stream_again().
void stream_goto(struct stream *st, enum stream_step_id step);
// Reads once from the client into the request's buffer. True when bytes or the end came.
bool stream_read_client(struct stream *st);
bool stream_read_server(struct stream *st);
// What ctx.req_bytes and ctx.res_bytes show.
void stream_show_bytes(struct stream *st);
// A message's head as an I/O vector of at most STREAM_HEAD_IOV entries.
#define STREAM_HEAD_IOV 64
int stream_head_iov(struct stream *st, struct http_msg *m, struct iovec *iov);
// Uploads what can be uploaded while the response is awaited. False: the stream has ended.
bool stream_relay_request(struct stream *st);
// A retry is allowed: the stream goes back to choosing or connecting. False: give up.
bool stream_retry(struct stream *st, unsigned cause);
// The server's part is over: its slot and connection are given back.
void stream_release_server(struct stream *st, bool reusable);
// What a server's option `observe` sees: connections made or failed, and answers.
void stream_observe_connect(struct stream *st, bool ok);
void stream_observe_response(struct stream *st, bool ok);
// `option abortonclose`, and the client's end was seen.
bool stream_client_left(const struct stream *st);
// The letter of the phase for termination codes.
char stream_phase(const struct stream *st);
// Answers with an error if nothing was sent yet, else aborts. From outside of steps.
void stream_fail(struct stream *st, int status, char who, char when);
// Inactivity: signs of life, and the timer for what is awaited.
void stream_active(struct stream *st, unsigned who);
void stream_arm(struct stream *st);
bool stream_timed_out(struct stream *st); // an inactivity timeout was dealt with
// Ends: at the driver's exit everything is given back.
enum step stream_finished(struct stream *st);
void stream_account(struct stream *st); // counters and tracked tables, at the end

static inline struct conn *stream_client(const struct stream *st)
{
    return &st->session->conn;
}
static inline struct conn *stream_server(const struct stream *st)
{
    return &st->sconn->conn;
}
static inline bool stream_is_http(const struct stream *st)
{
    return st->flags & STREAM_HTTP;
}

#endif
