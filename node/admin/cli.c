// SPDX-License-Identifier: Apache-2.0
// Sessions of the runtime API: lines in, commands run, answers out. See cli.h.
#include "node/admin/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/admin/cli_session.h"
#include "node/base/panic.h"

#define INPUT_MAX       (1024 * 1024) // a line with its payload
#define IDLE_DEFAULT_MS 10000

struct cli {
    struct list link; // all sessions
    struct worker *worker;
    struct conn conn;
    struct timer timer;
    struct loop_defer defer;
    struct buf in;
    size_t out_sent;
    enum cli_level level;
    bool interactive, eof, quit, dead;
    bool yielded; // the timer stands for `others' turn`, not for the idle limit
    int64_t timeout_ms;

    char *line;      // line being run: commands separated by ';'; words point into it
    char *next;      // rest of it
    size_t line_end; // bytes of `in` that the line and its payload take
    char *payload;
    const struct cli_command *running;
    struct cli_request request;
};

static struct list sessions = LIST_INIT(sessions);
static unsigned session_count;

unsigned cli_session_count(void)
{
    return session_count;
}

// ---- for commands

struct cli_request *cli_request(struct cli *c)
{
    return &c->request;
}

struct str cli_arg(struct cli *c, unsigned n)
{
    unsigned i = c->request.args + n;
    return i < c->request.nwords ? c->request.words[i] : STR_NONE;
}

unsigned cli_nargs(struct cli *c)
{
    return c->request.nwords - c->request.args;
}

enum cli_result cli_say(struct cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&c->request.out, fmt, ap);
    va_end(ap);
    return CLI_DONE;
}

bool cli_allowed(struct cli *c, enum cli_level need)
{
    if (c->level >= need)
        return true;
    cli_say(c, "Permission denied\n");
    return false;
}

void cli_toggle_prompt(struct cli *c)
{
    c->interactive = !c->interactive;
}

void cli_lower_level(struct cli *c, enum cli_level level)
{
    if (level < c->level)
        c->level = level;
}

void cli_quit(struct cli *c)
{
    c->quit = true;
}

void cli_set_timeout(struct cli *c, int64_t ms)
{
    c->timeout_ms = ms;
}

enum cli_level cli_session_level(struct cli *c)
{
    return c->level;
}

// ---- the end

static void end_request(struct cli *c)
{
    if (c->request.state && c->request.free_state)
        c->request.free_state(c->request.state);
    c->request.state = NULL;
    c->running = NULL;
}

static void on_bury(struct loop_defer *d)
{
    session_count--;
    struct cli *c = CONTAINER_OF(d, struct cli, defer);
    buf_free(&c->in);
    buf_free(&c->request.out);
    free(c->line);
    free(c);
}

static void session_end(struct cli *c)
{
    if (c->dead)
        return;
    c->dead = true;
    end_request(c);
    timer_cancel(&c->timer);
    list_remove(&c->link);
    conn_close(&c->conn, false);
    loop_defer(c->worker->loop, &c->defer, on_bury);
}

void cli_sessions_end(void)
{
    while (!list_empty(&sessions)) {
        struct cli *c = LIST_ENTRY(sessions.next, struct cli, link);
        list_remove(&c->link);
        end_request(c);
        timer_cancel(&c->timer);
        conn_close(&c->conn, false);
        on_bury(&c->defer);
    }
}

// ---- lines

// Cuts the next command off the line at an unescaped ';', and it into words at blanks; a backslash keeps what follows
// it.
static void next_command(struct cli *c)
{
    struct cli_request *r = &c->request;
    char *from = c->next, *to = c->next;
    bool in_word = false, end = false;
    r->nwords = 0;
    while (!end) {
        char ch = *from;
        end = ch == '\0';
        if (ch == '\\' && from[1]) {
            from++;
            ch = *from;
        } else if (ch == ';' || end) {
            end = true;
        } else if (ch == ' ' || ch == '\t') {
            if (in_word)
                r->words[r->nwords - 1].len = (size_t)(to - r->words[r->nwords - 1].ptr);
            if (in_word)
                *to++ = '\0';
            in_word = false;
            from++;
            continue;
        }
        if (end) {
            c->next = *from ? from + 1 : NULL;
            if (in_word)
                r->words[r->nwords - 1].len = (size_t)(to - r->words[r->nwords - 1].ptr);
            *to = '\0';
            break;
        }
        if (!in_word && r->nwords == CLI_WORDS_MAX) { // the rest is dropped: no command takes that many
            from++;
            continue;
        }
        if (!in_word)
            r->words[r->nwords++].ptr = to;
        in_word = true;
        *to++ = ch;
        from++;
    }
}

// The command with the most words that the line begins with.
static const struct cli_command *find_command(struct cli_request *r)
{
    const struct cli_command *best = NULL;
    unsigned best_words = 0;
    for (unsigned i = 0; i < cli_command_count; i++) {
        struct str rest = str_of(cli_commands[i].words), word;
        unsigned n = 0;
        while (str_split(&rest, ' ', &word) && n < r->nwords && str_eq(r->words[n], word))
            n++;
        if (!rest.ptr && word.ptr && n > best_words && str_eq(r->words[n - 1], word)) {
            best = &cli_commands[i];
            best_words = n;
        }
    }
    r->args = best_words;
    return best;
}

void cli_usage(struct cli *c, struct str filter)
{
    struct buf *out = &c->request.out;
    for (unsigned i = 0; i < cli_command_count; i++) {
        const struct cli_command *cmd = &cli_commands[i];
        if (cmd->level <= c->level && (filter.len == 0 || str_find(str_of(cmd->words), filter) >= 0))
            buf_printf(out, "  %-40s: %s\n", cmd->usage, cmd->help);
    }
}

static void start_command(struct cli *c)
{
    struct cli_request *r = &c->request;
    next_command(c);
    r->level = c->level;
    r->now = loop_now(c->worker->loop);
    r->cursor = 0;
    r->payload = c->payload ? str_of(c->payload) : STR_NONE;
    if (r->nwords == 0)
        return;
    c->running = find_command(r);
    if (!c->running) {
        cli_say(c, "Unknown command: '%.*s'. The following commands are valid at this level:\n", STR_ARG(r->words[0]));
        cli_usage(c, STR_NONE);
        buf_add_char(&r->out, '\n');
    } else if (!cli_allowed(c, c->running->level)) {
        c->running = NULL;
        buf_add_char(&r->out, '\n');
    }
}

static void prompt(struct cli *c)
{
    if (c->interactive && !c->quit)
        buf_add_cstr(&c->request.out, "> ");
}

static void line_done(struct cli *c)
{
    buf_consume(&c->in, c->line_end);
    free(c->line);
    c->line = c->next = c->payload = NULL;
    if (!c->interactive)
        c->quit = true;
    prompt(c);
}

// True when a command is ready to be called or made some output; false: nothing to do before more comes in.
static bool advance(struct cli *c)
{
    if (c->running) {
        if (c->running->run(c) == CLI_AGAIN)
            return true;
        end_request(c);
        buf_add_char(&c->request.out, '\n');
        if (!c->next)
            line_done(c);
        return true;
    }
    if (c->next) {
        start_command(c);
        if (!c->running && !c->next)
            line_done(c);
        return true;
    }
    return !c->quit && cli_take_line(&c->in, c->eof, &c->line, &c->payload, &c->line_end) &&
           (c->next = c->line) != NULL;
}

// Takes a complete line, with its payload when it ends in "<<", out of the input. The copy holds both.
bool cli_take_line(const struct buf *in, bool eof, char **line, char **payload, size_t *used)
{
    struct str text = buf_str(in);
    ptrdiff_t nl = str_find_char(text, '\n');
    if (nl < 0 && !(eof && text.len > 0))
        return false;
    size_t len = nl < 0 ? text.len : (size_t)nl;
    *used = nl < 0 ? len : len + 1;
    size_t shown = len > 0 && text.ptr[len - 1] == '\r' ? len - 1 : len;
    *payload = NULL;
    if (shown >= 2 && memcmp(text.ptr + shown - 2, "<<", 2) == 0) {
        struct str rest = str_slice(text, *used, text.len);
        ptrdiff_t end = rest.len && rest.ptr[0] == '\n' ? 0 : str_find(rest, STR("\n\n"));
        if (end < 0 && !eof)
            return false;
        size_t plen = end < 0 ? rest.len : end == 0 ? 0 : (size_t)end + 1;
        *line = malloc(shown + plen + 2);
        ASSERT(*line != NULL);
        memcpy(*line, text.ptr, shown - 2);
        (*line)[shown - 2] = '\0';
        *payload = *line + shown - 1;
        memcpy(*payload, rest.ptr, plen);
        (*payload)[plen] = '\0';
        *used += end < 0 ? rest.len : plen + 1;
        return true;
    }
    *line = malloc(shown + 1);
    ASSERT(*line != NULL);
    memcpy(*line, text.ptr, shown);
    (*line)[shown] = '\0';
    return true;
}

// ---- input and output

// True when all is out.
static bool flush(struct cli *c)
{
    struct buf *out = &c->request.out;
    while (c->out_sent < out->len) {
        struct iovec iov = {out->data + c->out_sent, out->len - c->out_sent};
        ssize_t n = conn_sendv(&c->conn, &iov, 1, false);
        if (n == CONN_AGAIN)
            return false;
        if (n < 0) {
            session_end(c);
            return false;
        }
        c->out_sent += (size_t)n;
    }
    buf_clear(out);
    c->out_sent = 0;
    return true;
}

static void work(struct cli *c)
{
    unsigned slices = 0;
    while (!c->dead && flush(c)) {
        if (slices++ == 4 && c->running) { // others' turn; the timer comes back at once
            c->yielded = true;
            timer_set(loop_timers(c->worker->loop), &c->timer, loop_now(c->worker->loop));
            return;
        }
        bool more = true;
        while (more && c->request.out.len < CLI_SLICE)
            more = advance(c);
        if (!more && c->request.out.len == 0) {
            if (c->quit || c->eof)
                session_end(c);
            return;
        }
    }
}

static void read_input(struct cli *c)
{
    char chunk[8192];
    for (;;) {
        ssize_t n = conn_recv(&c->conn, chunk, sizeof(chunk));
        if (n == CONN_AGAIN)
            return;
        if (n < 0) {
            c->eof = true;
            return;
        }
        if (c->in.len + (size_t)n > INPUT_MAX) {
            cli_say(c, "The command is too long.\n");
            c->quit = true;
            return;
        }
        buf_add(&c->in, chunk, (size_t)n);
    }
}

static void arm(struct cli *c)
{
    c->yielded = false;
    if (!c->dead && c->timeout_ms > 0)
        timer_set(loop_timers(c->worker->loop), &c->timer, mono_add_ms(loop_now(c->worker->loop), c->timeout_ms));
}

static void on_event(struct conn *conn)
{
    struct cli *c = CONTAINER_OF(conn, struct cli, conn);
    if (c->dead)
        return;
    arm(c);
    read_input(c);
    work(c);
    if (!c->dead && (conn->flags & CONN_FAILED))
        session_end(c);
}

static void on_timer(struct timer *t)
{
    struct cli *c = CONTAINER_OF(t, struct cli, timer);
    if (!c->yielded) { // idle, or the answer is not read
        session_end(c);
        return;
    }
    arm(c);
    work(c);
}

void cli_session_start(struct worker *w, int fd, enum cli_level level, int64_t timeout_ms)
{
    struct cli *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    c->worker = w;
    c->level = level;
    c->timeout_ms = timeout_ms > 0 ? timeout_ms : IDLE_DEFAULT_MS;
    timer_init(&c->timer, on_timer);
    if (conn_open(&c->conn, w->loop, fd, &conn_plain, 0, on_event) < 0) {
        free(c);
        return;
    }
    list_push(&sessions, &c->link);
    session_count++;
    arm(c);
}
