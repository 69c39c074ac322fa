// SPDX-License-Identifier: Apache-2.0
// Actions that end, answer or delay a stream: accept, deny, reject, tarpit, return, redirect, auth, pause,
// wait-for-body.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "node/http/uri.h"
#include "node/proxy/actions.h"
#include "node/proxy/reply.h"

enum step action_failed(struct stream *st)
{
    if (st->flags & STREAM_LAX_REWRITE)
        return STEP_DONE;
    stream_set_term(st, 'P', 'R');
    reply_error(st, 500);
    return STEP_FINAL;
}

enum step act_nothing(struct stream *st, const struct action *a, struct rule_run *run)
{
    return STEP_DONE;
}

enum step act_accept(struct stream *st, const struct action *a, struct rule_run *run)
{
    if (!(st->flags & STREAM_HTTP))
        st->flags |= STREAM_TCP_ACCEPTED;
    return STEP_DONE;
}

static void count_in(struct counters *c, bool response)
{
    if (c)
        counter_add(response ? &c->denied_responses : &c->denied_requests, 1);
}

// Counted by all that the request had reached: the frontend, the backend, and for a response the server.
static void count_denied(struct stream *st)
{
    bool response = st->ctx.where == WHERE_RES;
    struct counters *front = st->front_counters;
    st->flags |= STREAM_DENIED;
    if (st->ctx.where == WHERE_FRONT_CONN && front) {
        bool session = st->run.list == &st->front->rules[RULES_TCP_REQ_SESS];
        counter_add(session ? &front->denied_sessions : &front->denied_connections, 1);
        st->flags |= STREAM_NO_LOG; // it carried nothing
        return;
    }
    count_in(front, response);
    count_in(st->back_counters, response);
    if (response)
        count_in(st->server_counters, response);
}

// What is closed without an answer has no time for it in the log.
static void forget_time(struct stream *st)
{
    if (st->ctx.where == WHERE_RES)
        st->times.response = MONO_NEVER;
    else
        st->times.request = MONO_NEVER;
}

enum step act_deny(struct stream *st, const struct action *a, struct rule_run *run)
{
    bool response = st->ctx.where == WHERE_RES;
    count_denied(st);
    stream_set_term(st, 'P', response ? 'H' : 'R');
    reply_send(st, a->reply);
    return STEP_FINAL;
}

enum step act_reject(struct stream *st, const struct action *a, struct rule_run *run)
{
    count_denied(st);
    if (st->run.list == &st->front->rules[RULES_TCP_REQ_CONN])
        sock_set_linger_reset(st->session->conn.lf.fd); // the kernel keeps nothing of it
    forget_time(st);
    stream_abort(st, 'P', st->ctx.where == WHERE_RES ? 'D' : 'R');
    return STEP_FINAL;
}

enum step act_close(struct stream *st, const struct action *a, struct rule_run *run)
{
    stream_abort(st, 'P', 'D');
    return STEP_FINAL;
}

// No FIN, no RST: the kernel forgets the connection in repair mode. Where that is not allowed, the RST gets a hop limit
// of one.
enum step act_silent_drop(struct stream *st, const struct action *a, struct rule_run *run)
{
    int fd = st->session->conn.lf.fd, on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) != 0) {
        setsockopt(fd, IPPROTO_IP, IP_TTL, &on, sizeof(on));
        setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &on, sizeof(on));
    }
    count_denied(st);
    forget_time(st);
    stream_abort(st, 'P', 'R');
    return STEP_FINAL;
}

static void count_intercepted(struct stream *st)
{
    if (st->front_counters)
        counter_add(&st->front_counters->intercepted, 1);
}

enum step act_return(struct stream *st, const struct action *a, struct rule_run *run)
{
    count_intercepted(st);
    stream_set_term(st, 'L', st->ctx.where == WHERE_RES ? 'H' : 'R');
    reply_send(st, a->reply);
    return STEP_FINAL;
}

enum step act_auth(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct str realm = a->cfg->text.len ? a->cfg->text : st->front->cfg->name;
    // A proxy asks for Proxy-Authorization: the request-target is then in absolute form (RFC 9110 11.7).
    bool proxy = st->req.target.len > 0 && st->req.target.ptr[0] != '/' && st->req.target.ptr[0] != '*';
    struct str value = arena_printf(st->arena, "Basic realm=\"%.*s\"", STR_ARG(realm));
    static const struct str body[2] = {{"<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to "
                                        "access this content.\n</body></html>\n",
                                        112},
                                       {"<html><body><h1>407 Unauthorized</h1>\nYou need a valid user and password to "
                                        "access this content.\n</body></html>\n",
                                        112}};
    count_intercepted(st);
    stream_set_term(st, 'L', 'R');
    reply_begin(st, proxy ? 407 : 401);
    http_hdr_add(&st->res, STR("cache-control"), STR("no-cache"));
    http_hdr_add(&st->res, STR("content-type"), STR("text/html"));
    http_hdr_add(&st->res, proxy ? STR("proxy-authenticate") : STR("www-authenticate"), value);
    reply_finish(st, body[proxy]);
    return STEP_FINAL;
}

// ---- redirect
// -----------------------------------------------------------------------------------------------------------

static struct str without_query(struct str target)
{
    ptrdiff_t q = str_find_char(target, '?');
    return q < 0 ? target : str_slice(target, 0, (size_t)q);
}

// prefix and scheme keep path and query; append-slash adds one to a path without, in front of the query.
static struct str redirect_location(struct stream *st, const struct action *a, struct str text)
{
    const struct cfg_action *cfg = a->cfg;
    struct uri uri;
    uri_parse(st->req.target, &uri);
    if (cfg->redirect == REDIRECT_LOCATION)
        return cfg->drop_query ? without_query(text) : text;
    struct str path = uri.path.len ? uri.path : STR("/");
    const char *slash = cfg->append_slash && path.ptr[path.len - 1] != '/' ? "/" : "";
    bool query = uri.query.ptr && !cfg->drop_query;
    struct str q = query ? uri.query : STR_NONE;
    if (cfg->redirect == REDIRECT_SCHEME) {
        struct str host = http_hdr_get(&st->req, HDR_HOST);
        return arena_printf(st->arena, "%.*s://%.*s%.*s%s%s%.*s", STR_ARG(text), STR_ARG(host), STR_ARG(path), slash,
                            query ? "?" : "", STR_ARG(q));
    }
    if (str_is(text, "/")) // the manual: a prefix of "/" alone changes nothing
        text = STR("");
    return arena_printf(st->arena, "%.*s%.*s%s%s%.*s", STR_ARG(text), STR_ARG(path), slash, query ? "?" : "",
                        STR_ARG(q));
}

enum step act_redirect(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct str text = format_text(a->format, &st->ctx);
    if (a->cfg->ignore_empty && text.len == 0)
        return STEP_DONE;
    struct str cookie = STR_NONE;
    if (a->cfg->cookie.len && a->cfg->clear_cookie)
        cookie = arena_printf(st->arena, "%.*s; path=/; Max-Age=0;", STR_ARG(a->cfg->cookie));
    else if (a->cfg->cookie.len)
        cookie = arena_printf(st->arena, "%.*s; path=/;", STR_ARG(a->cfg->cookie));
    count_intercepted(st);
    stream_set_term(st, 'L', st->ctx.where == WHERE_RES ? 'H' : 'R');
    struct str location = redirect_location(st, a, text);
    if (!http_value_ok(location))
        return action_failed(st);
    reply_redirect(st, a->cfg->number ? a->cfg->number : 302, location, cookie);
    return STEP_FINAL;
}

// ---- waiting
// ------------------------------------------------------------------------------------------------------------

// True once `ms` passed since the action was first called for this rule.
static bool waited(struct stream *st, struct rule_run *run, int64_t ms)
{
    int64_t now = loop_now(st->loop).us;
    if (run->state == 0)
        run->state = (uint64_t)(now + ms * 1000);
    if (now >= (int64_t)run->state)
        return true;
    stream_wait_ms(st, ((int64_t)run->state - now + 999) / 1000);
    return false;
}

enum step act_tarpit(struct stream *st, const struct action *a, struct rule_run *run)
{
    const struct cfg_timeouts *t = &st->front->cfg->timeout;
    int ms = st->timeout_tarpit ? st->timeout_tarpit : t->tarpit >= 0 ? t->tarpit : t->connect;
    if (run->state == 0) {
        count_denied(st);
        st->flags |= STREAM_TARPIT;
        stream_set_term(st, 'P', 'T');
    }
    if (ms > 0 && !waited(st, run, ms))
        return STEP_WAIT;
    st->times.queue_end = loop_now(st->loop); // the log shows the time as a wait in a queue
    reply_send(st, a->reply);
    return STEP_FINAL;
}

enum step act_pause(struct stream *st, const struct action *a, struct rule_run *run)
{
    int64_t ms = a->cfg->value;
    struct sample s;
    if (a->expr && run->state == 0)
        ms = expr_eval(a->expr, &st->ctx, TYPE_INT, &s) == EVAL_FOUND ? s.num : 0;
    if (ms <= 0 && run->state == 0)
        return STEP_DONE;
    return waited(st, run, ms) ? STEP_DONE : STEP_WAIT;
}

// In the request a client that is too slow gets a 408, as in `option http-buffer-request`.
enum step act_wait_for_body(struct stream *st, const struct action *a, struct rule_run *run)
{
    if (stream_body_ready(st, (uint64_t)a->cfg->number))
        return STEP_DONE;
    if (!waited(st, run, a->cfg->value))
        return STEP_MORE;
    if (st->ctx.where == WHERE_RES)
        return STEP_DONE;
    stream_set_term(st, 'c', 'R');
    reply_error(st, 408);
    return STEP_FINAL;
}

// An action whose answer comes by message from elsewhere: for tests of suspension and resumption.
struct test_answer {
    struct timer timer;
    struct stream_wait *wait;
};

static void on_test_timer(struct timer *t)
{
    struct test_answer *answer = CONTAINER_OF(t, struct test_answer, timer);
    stream_wait_done(answer->wait);
    free(answer);
}

enum step act_test_wait(struct stream *st, const struct action *a, struct rule_run *run)
{
    if (run->state == 0) {
        struct test_answer *answer = calloc(1, sizeof(*answer));
        ASSERT(answer != NULL);
        run->state = 1;
        timer_init(&answer->timer, on_test_timer);
        answer->wait = stream_wait_begin(st, a->cfg->value * 2 + 1000);
        timer_set(loop_timers(st->loop), &answer->timer, mono_add_ms(loop_now(st->loop), a->cfg->value));
        return STEP_WAIT;
    }
    struct stream_wait *w = stream_wait_result(st);
    if (!w)
        return action_failed(st); // the deadline passed first
    stream_wait_free(&w);
    return STEP_DONE;
}
