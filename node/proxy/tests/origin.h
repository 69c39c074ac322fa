// SPDX-License-Identifier: Apache-2.0
// For tests of the request path: an origin server in threads of the test program whose answers follow the request's
// path, and a client that sends bytes and reads what comes until it has enough.
#ifndef PHX_PROXY_TESTS_ORIGIN_H
#define PHX_PROXY_TESTS_ORIGIN_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/base/buf.h"

static _Atomic int origin_connections; // accepted so far

static inline int listen_anywhere(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 100), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}
#define SEND(fd, text) send_all(fd, text, sizeof(text) - 1)

// Appends what comes. False at the end.
static inline bool receive_more(int fd, struct buf *b)
{
    char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n > 0)
        buf_add(b, bytes, (size_t)n);
    return n > 0;
}

static inline bool contains(const struct buf *b, const char *text)
{
    return str_find(buf_str(b), str_of(text)) >= 0;
}

// The body that a request announces, if any; echoes the whole request as the answer's body.
static inline void answer_echo(int fd, struct buf *request, size_t head_len)
{
    char head[200];
    ptrdiff_t at = str_find_nocase(str_make(request->data, head_len), STR("content-length: "));
    size_t want = at >= 0 ? strtoul(request->data + at + 16, NULL, 10) : 0;
    while (request->len < head_len + want && receive_more(fd, request))
        ;
    size_t total = head_len + want;
    send_all(fd, head, (size_t)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", total));
    send_all(fd, request->data, total);
    buf_consume(request, total);
}

static inline void answer_tunnel(int fd)
{
    struct buf b = BUF_INIT;
    SEND(fd, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello");
    while (receive_more(fd, &b)) {
        send_all(fd, b.data, b.len);
        buf_clear(&b);
    }
    buf_free(&b);
}

// One request at a time. False: the connection is over.
static inline bool origin_answer(int fd, struct buf *in)
{
    while (!contains(in, "\r\n\r\n"))
        if (!receive_more(fd, in))
            return false;
    size_t head_len = (size_t)str_find(buf_str(in), STR("\r\n\r\n")) + 4;
    struct str line = str_make(in->data, (size_t)str_find_char(buf_str(in), '\r'));
    if (str_find(line, STR("/chunked")) >= 0) {
        SEND(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        usleep(1000);
        SEND(fd, "4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
    } else if (str_find(line, STR("/until-close")) >= 0) {
        SEND(fd, "HTTP/1.1 200 OK\r\n\r\nto the end");
        return false;
    } else if (str_find(line, STR("/continue")) >= 0) {
        SEND(fd, "HTTP/1.1 100 Continue\r\n\r\n");
        answer_echo(fd, in, head_len);
        return true;
    } else if (str_find(line, STR("/upgrade")) >= 0) {
        answer_tunnel(fd);
        return false;
    } else if (str_find(line, STR("/not-modified")) >= 0) {
        SEND(fd, "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n");
    } else if (str_starts(line, STR("HEAD "))) {
        SEND(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    } else if (str_find(line, STR("/junk")) >= 0) {
        SEND(fd, "no HTTP at all\r\n\r\n");
        return false;
    } else if (str_find(line, STR("/short")) >= 0) {
        SEND(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        return false;
    } else if (str_find(line, STR("/dies-after")) >= 0) {
        SEND(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        char probe;
        recv(fd, &probe, 1, 0); // the next request arrives, and is not answered
        return false;
    } else if (str_find(line, STR("/silent")) >= 0) {
        char probe;
        recv(fd, &probe, 1, 0);
        return false;
    } else {
        answer_echo(fd, in, head_len);
        return true;
    }
    buf_consume(in, head_len);
    return true;
}

static inline void *origin_connection(void *arg)
{
    int fd = (int)(intptr_t)arg;
    struct buf in = BUF_INIT;
    while (origin_answer(fd, &in))
        ;
    close(fd);
    buf_free(&in);
    return NULL;
}

// Runs until its descriptor is shut down.
static inline void *origin_main(void *arg)
{
    int listener = (int)(intptr_t)arg, fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        pthread_t t;
        atomic_fetch_add(&origin_connections, 1);
        if (pthread_create(&t, NULL, origin_connection, (void *)(intptr_t)fd) == 0)
            pthread_detach(t);
    }
    return NULL;
}

// ---- client

static inline int client_open(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

// Reads until `text` has come.
static inline void client_expect(int fd, struct buf *in, const char *text)
{
    while (!contains(in, text))
        if (!receive_more(fd, in))
            fail_msg("'%s' did not come, but: %.*s", text, STR_ARG(buf_str(in)));
}

static inline void client_expect_end(int fd, struct buf *in)
{
    while (receive_more(fd, in))
        ;
}

// A request of its own connection, answered until the end of that connection or `text`.
static inline void exchange(uint16_t port, const char *request, const char *text)
{
    struct buf in = BUF_INIT;
    int fd = client_open(port);
    send_all(fd, request, strlen(request));
    client_expect(fd, &in, text);
    close(fd);
    buf_free(&in);
}

#endif
