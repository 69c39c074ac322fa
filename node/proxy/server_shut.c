// SPDX-License-Identifier: Apache-2.0
// Ending what uses a server, on all workers: `shutdown sessions server` of the runtime API, on-marked-down and
// on-marked-up. Each worker gets a message and looks through its own sessions.
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/proxy/backend.h"
#include "node/proxy/local.h"
#include "node/proxy/server_conn.h"
#include "node/proxy/stream_steps.h"

struct shut_msg {
    struct msg msg;
    struct server_state *server;   // counted; or
    struct backend_state *backups; // counted: of all its backup servers
    char who;                      // for the log; 0: idle connections alone
};

static bool uses(const struct stream *st, const struct shut_msg *m)
{
    if (!st || !st->server || !(st->flags & STREAM_SLOT))
        return false;
    const struct server_state *s = st->server->state;
    return m->backups ? st->server->cfg->backup && s->backend == m->backups : s == m->server;
}

static void shut_free(struct shut_msg *m)
{
    server_state_unref(&m->server);
    backend_state_unref(&m->backups);
    free(m);
}

static void on_shut_discarded(struct msg *msg)
{
    shut_free((struct shut_msg *)(void *)msg);
}

static void on_shut(struct msg *msg)
{
    struct shut_msg *m = (struct shut_msg *)(void *)msg;
    struct worker *w = worker_self;
    LIST_FOREACH_SAFE (it, &path_local(w)->session_list) {
        struct session *s = LIST_ENTRY(it, struct session, link);
        if (!m->who || !uses(s->stream, m))
            continue;
        // An answer that has not begun is an error page.
        stream_fail(s->stream, s->stream->step > STEP_CONNECT ? 502 : 503, m->who, stream_phase(s->stream));
    }
    if (m->server)
        server_conn_purge(w, m->server);
    shut_free(m);
}

static void tell_workers(struct server_state *s, struct backend_state *backups, char who)
{
    for (unsigned i = 0; i < worker_count; i++) {
        struct shut_msg *m = calloc(1, sizeof(*m));
        ASSERT(m != NULL);
        m->msg.kind = MSG_SHUT_SESSIONS;
        m->server = s ? server_state_ref(s) : NULL;
        m->backups = backups ? backend_state_ref(backups) : NULL;
        m->who = who;
        inbox_send(loop_inbox(workers[i]->loop), &m->msg);
    }
}

void server_shut_sessions(struct server_state *s, char who)
{
    tell_workers(s, NULL, who);
}

void server_shut_backup_sessions(struct backend_state *b)
{
    tell_workers(NULL, b, 'U');
}

void server_shut_idle(struct server_state *s)
{
    tell_workers(s, NULL, 0);
}

void server_shut_bind(void)
{
    inbox_handle(MSG_SHUT_SESSIONS, on_shut);
    inbox_discard(MSG_SHUT_SESSIONS, on_shut_discarded);
}
