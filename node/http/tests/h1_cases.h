// SPDX-License-Identifier: Apache-2.0
// Tables of heads and chunked bodies for the HTTP/1 tests: what is sent and what must come of it.
#ifndef PHX_HTTP_TESTS_H1_CASES_H
#define PHX_HTTP_TESTS_H1_CASES_H

#include "node/http/h1.h"

struct head_case {
    const char *text;
    size_t len;
    enum h1_result result;
    enum h1_error error;
    // When done:
    int body; // enum http_body
    uint64_t length;
    bool keep_alive;
};
#define HEAD(text) text, sizeof(text) - 1
#define BAD(text, err)                                                                                                 \
    {                                                                                                                  \
        HEAD(text), H1_BAD, err, 0, 0, false                                                                           \
    }
#define OK(text)                                                                                                       \
    {                                                                                                                  \
        HEAD(text), H1_DONE, H1_OK, BODY_NONE, 0, true                                                                 \
    }
#define SHUT(text)                                                                                                     \
    {                                                                                                                  \
        HEAD(text), H1_DONE, H1_OK, BODY_NONE, 0, false                                                                \
    }
#define LEN(text, n)                                                                                                   \
    {                                                                                                                  \
        HEAD(text), H1_DONE, H1_OK, BODY_LENGTH, n, true                                                               \
    }
#define CHUNKED(text)                                                                                                  \
    {                                                                                                                  \
        HEAD(text), H1_DONE, H1_OK, BODY_CHUNKED, 0, true                                                              \
    }
#define KIND(text, b, k)                                                                                               \
    {                                                                                                                  \
        HEAD(text), H1_DONE, H1_OK, b, 0, k                                                                            \
    }
#define PART(text)                                                                                                     \
    {                                                                                                                  \
        HEAD(text), H1_MORE, H1_OK, 0, 0, false                                                                        \
    }

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define OKAY "HTTP/1.1 200 OK\r\n"

static const struct head_case request_cases[] = {
    // start lines
    OK("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("GET / HTTP/1.1\r\n\r\n"),
    SHUT("GET / HTTP/1.0\r\n\r\n"),
    OK("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    OK("GET / HTTP/1.2\r\n\r\n"),
    OK("GET / HTTP/1.9\r\n\r\n"),
    OK("\r\nGET / HTTP/1.1\r\n\r\n"),
    OK("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    OK("FOO / HTTP/1.1\r\n\r\n"),
    OK("get / HTTP/1.1\r\n\r\n"),
    OK("M-SEARCH * HTTP/1.1\r\n\r\n"),
    OK("OPTIONS * HTTP/1.1\r\n\r\n"),
    OK("GET  /  HTTP/1.1\r\n\r\n"),
    OK("GET /a%zz[]\"<>\\^`{|} HTTP/1.1\r\n\r\n"),
    OK("GET a/b HTTP/1.1\r\n\r\n"),
    OK("GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD("GET b HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_HOST),
    BAD("GET ?b HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_HOST),
    BAD("GET /a\x80 HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("GET /0123456789abcdef\xff HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("\nGET / HTTP/1.1\r\n\r\n", H1_BAD_LINE_END),
    BAD("\rGET / HTTP/1.1\r\n\r\n", H1_BAD_LINE_END),
    BAD(" GET / HTTP/1.1\r\n\r\n", H1_BAD_START_LINE),
    BAD(": / HTTP/1.1\r\n\r\n", H1_BAD_START_LINE),
    BAD("G@T / HTTP/1.1\r\n\r\n", H1_BAD_METHOD),
    BAD("GET\t/ HTTP/1.1\r\n\r\n", H1_BAD_METHOD),
    BAD("GET\r\n\r\n", H1_BAD_METHOD),
    BAD("GET \r\n\r\n", H1_BAD_VERSION),
    BAD("GET /\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / \r\n\r\n", H1_BAD_VERSION),
    BAD("GET /a#b HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("GET /a\x01 HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("GET /a\0 HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("GET /a\x7f HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("GET /\t HTTP/1.1\r\n\r\n", H1_BAD_TARGET),
    BAD("GET /\n", H1_BAD_TARGET),
    BAD("GET / HTTP/1.1\nHost: a\n\n", H1_BAD_LINE_END),
    BAD("GET / HTTP/1.1\rHost: a\r\n\r\n", H1_BAD_LINE_END),
    BAD("GET / HTTP/1.1 \r\n\r\n", H1_BAD_VERSION),
    BAD("GET / HTTP/1.10\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / HTTP/01.1\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / HTTP/1.\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / http/1.1\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / RTSP/1.0\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / x HTTP/1.1\r\n\r\n", H1_BAD_VERSION),
    BAD("GET / HTTP/2.0\r\n\r\n", H1_UNSUPPORTED_VERSION),
    BAD("GET / HTTP/0.9\r\n\r\n", H1_UNSUPPORTED_VERSION),
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", H1_UNSUPPORTED_VERSION),
    // header lines
    OK(GET "X:\r\n\r\n"),
    OK(GET "X:   b \t \r\n\r\n"),
    OK(GET "X: a\x01"
           "b\x7f\x80\xff\r\n\r\n"),
    OK(GET "!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n"),
    BAD(GET "X: a\n\r\n", H1_BAD_LINE_END),
    BAD(GET "\n", H1_BAD_HEADER_NAME),
    BAD(GET "X: a\rb\r\n\r\n", H1_BAD_LINE_END),
    BAD(GET "X: a\r\r\n\r\n", H1_BAD_LINE_END),
    BAD(GET "\rX", H1_BAD_LINE_END),
    BAD(GET "X: a\0\r\n\r\n", H1_BAD_HEADER_VALUE),
    BAD(GET "X : b\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD("GET / HTTP/1.1\r\nHost : a\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET "X\t: b\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET "X\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET ": x\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET "X(): x\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET "X\x80: x\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET "X\0: x\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(GET "X: b\r\n c\r\n\r\n", H1_OBS_FOLD),
    BAD(GET "X: b\r\n\tc\r\n\r\n", H1_OBS_FOLD),
    BAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", H1_BAD_HEADER_NAME),
    // lengths
    LEN(POST "Content-Length: 3\r\n\r\nabc", 3),
    LEN(POST "content-length:3\r\n\r\nabc", 3),
    LEN(POST "Content-Length: 03\r\n\r\nabc", 3),
    LEN(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 3),
    LEN(POST "Content-Length: 3, 3\r\n\r\nabc", 3),
    LEN(POST "Content-Length: 3 , 03\r\nX: y\r\nContent-Length: 3\r\n\r\nabc", 3),
    LEN(POST "Content-Length: 9223372036854775807\r\n\r\nabc", INT64_MAX),
    LEN(GET "Content-Length: 3\r\n\r\nabc", 3),
    OK(POST "Content-Length: 0\r\n\r\n"),
    OK(POST "\r\n"),
    BAD(POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 0\r\nContent-Length: 4\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 3, 4\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 3,\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: ,3\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: +3\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: -3\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 0x3\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length:\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 3 3\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 3;a\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 9223372036854775808\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD(POST "Content-Length: 18446744073709551616\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    CHUNKED(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CHUNKED(POST "TRANSFER-ENCODING:\tChunked \r\n\r\n0\r\n\r\n"),
    CHUNKED(GET "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BOTH_LENGTHS),
    BAD(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", H1_BOTH_LENGTHS),
    BAD(POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", H1_BOTH_LENGTHS),
    BAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: chunked, gzip\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: gzip\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: identity\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding:\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: chunked, chunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: chunked;q=1\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: xchunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: chunked,\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n",
        H1_BAD_TRANSFER_ENCODING),
    BAD(POST "Transfer-Encoding: \"chunked\"\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD("GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", H1_BODY_NOT_ALLOWED),
    BAD("HEAD / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", H1_BODY_NOT_ALLOWED),
    SHUT("GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
    // connection
    SHUT(GET "Connection: close\r\n\r\n"),
    SHUT(GET "Connection: keep-alive, Close\r\n\r\n"),
    SHUT(GET "Connection: x\r\nConnection: CLOSE\r\n\r\n"),
    OK(GET "Connection: keep-alive\r\n\r\n"),
    OK(GET "Connection: closed\r\n\r\n"),
    OK(GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    OK(GET "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"),
    BAD(GET "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", H1_BAD_UPGRADE),
    // hosts
    OK("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    OK("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    OK(GET "Host: A\r\n\r\n"),
    BAD(GET "Host: b\r\n\r\n", H1_BAD_HOST),
    BAD(GET "Host: a:80\r\n\r\n", H1_BAD_HOST),
    BAD("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", H1_BAD_HOST),
    BAD("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", H1_BAD_HOST),
    BAD("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", H1_BAD_HOST),
    BAD("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", H1_BAD_HOST),
    OK("GET http://a/ HTTP/1.1\r\nHost: A\r\n\r\n"),
    OK("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("GET http://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n"),
    OK("GET https://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("GET http://a/ HTTP/1.1\r\n\r\n"),
    BAD("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_HOST),
    BAD("GET http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_HOST),
    BAD("GET ftp://a/ HTTP/1.1\r\nHost: b\r\n\r\n", H1_BAD_HOST),
    BAD("GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_HOST),
    OK("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    OK("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    OK("CONNECT [::1]:443 HTTP/1.1\r\n\r\n"),
    BAD("CONNECT a:443 HTTP/1.1\r\nHost: b\r\n\r\n", H1_BAD_HOST),
    BAD("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    BAD("CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    BAD("CONNECT a:0 HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    BAD("CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    BAD("CONNECT a:x HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    BAD("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    BAD("CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", H1_BAD_TARGET),
    // incomplete
    PART(""),
    PART("\r"),
    PART("\r\n"),
    PART("GET"),
    PART("GET /abc"),
    PART("GET / HTTP/1.1\r"),
    PART("GET / HTTP/1.1\r\n"),
    PART(GET "X"),
    PART(GET "X: y\r"),
    PART(GET "X: y\r\n"),
    PART(GET "\r"),
};

static const struct head_case response_cases[] = {
    {HEAD(OKAY "Content-Length: 2\r\n\r\nok"), H1_DONE, H1_OK, BODY_LENGTH, 2, true},
    {HEAD("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), H1_DONE, H1_OK, BODY_LENGTH, 2, false},
    LEN("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 2),
    LEN("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 2),
    LEN("HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
    LEN("HTTP/1.1 999 O\x80\tK\r\nContent-Length: 2\r\n\r\nok", 2),
    LEN("\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
    OK(OKAY "Content-Length: 0\r\n\r\n"),
    CHUNKED(OKAY "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CHUNKED(OKAY "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    KIND(OKAY "X: 2\r\n\r\nok", BODY_CLOSE, false),
    KIND("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", BODY_CLOSE, false),
    OK("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n"),
    OK("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
    {HEAD("HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n"), H1_DONE, H1_OK, BODY_NONE, 2, true},
    OK("HTTP/1.1 100 Continue\r\n\r\n"),
    OK("HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"),
    KIND("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", BODY_TUNNEL, true),
    BAD("HTTP/1.1 20 OK\r\n\r\n", H1_BAD_STATUS),
    BAD("HTTP/1.1 2000 OK\r\n\r\n", H1_BAD_STATUS),
    BAD("HTTP/1.1 099 OK\r\n\r\n", H1_BAD_STATUS),
    BAD("HTTP/1.1 2x0 OK\r\n\r\n", H1_BAD_STATUS),
    BAD("HTTP/1.1\r\n\r\n", H1_BAD_STATUS),
    BAD("HTTP/1.1 \r\n\r\n", H1_BAD_STATUS),
    BAD("HTTP/2.0 200 OK\r\n\r\n", H1_UNSUPPORTED_VERSION),
    BAD("ICY 200 OK\r\n\r\n", H1_BAD_VERSION),
    BAD("HTTP/1.1 200 O\0K\r\n\r\n", H1_BAD_HEADER_VALUE),
    BAD("HTTP/1.1 200 OK\n\n", H1_BAD_LINE_END),
    BAD(OKAY "X: a\r\n b\r\n\r\n", H1_OBS_FOLD),
    BAD(OKAY "X : 2\r\n\r\n", H1_BAD_HEADER_NAME),
    BAD(OKAY "Transfer-Encoding: gzip, chunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    BAD(OKAY "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", H1_BAD_CONTENT_LENGTH),
    BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BAD_TRANSFER_ENCODING),
    PART("HTTP/1.1 20"),
    PART(OKAY),
};

struct chunk_case {
    const char *text;
    size_t len;
    enum h1_result result;
    const char *data; // when done
    size_t after;     // bytes behind the body
};
#define BODY(text, data)                                                                                               \
    {                                                                                                                  \
        HEAD(text), H1_DONE, data, 0                                                                                   \
    }
#define BROKEN(text)                                                                                                   \
    {                                                                                                                  \
        HEAD(text), H1_BAD, NULL, 0                                                                                    \
    }
#define PENDING(text)                                                                                                  \
    {                                                                                                                  \
        HEAD(text), H1_MORE, NULL, 0                                                                                   \
    }

static const struct chunk_case chunk_cases[] = {
    BODY("0\r\n\r\n", ""),
    BODY("3\r\nabc\r\n0\r\n\r\n", "abc"),
    BODY("A\r\n0123456789\r\na\r\n9876543210\r\n0;x=y\r\n\r\n", "01234567899876543210"),
    BODY("3 \r\nabc\r\n0\r\n\r\n", "abc"),
    BODY("3\t \r\nabc\r\n0\r\n\r\n", "abc"),
    BODY("3;\r\nabc\r\n0\r\n\r\n", "abc"),
    BODY("3 ;a=\"b;c\"\r\nabc\r\n0\r\n\r\n", "abc"),
    BODY("03\r\nabc\r\n00\r\n\r\n", "abc"),
    BODY("00000000000000003\r\nabc\r\n0\r\n\r\n", "abc"),
    BODY("3\r\n\r\n0\r\n0\r\n\r\n", "\r\n0"),
    BODY("3\r\nabc\r\n0\r\nX: y\r\nZ:\r\n\r\n", "abc"),
    {HEAD("3\r\nabc\r\n0\r\n\r\nGET"), H1_DONE, "abc", 3},
    BROKEN("3\nabc\r\n0\r\n\r\n"),
    BROKEN("3\r\nabc\n0\r\n\r\n"),
    BROKEN("3\r\nabc\r\n0\n\r\n"),
    BROKEN("3\r\nabc\r\n0\r\n\n"),
    BROKEN(" 3\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3;a=\"x\ny\"\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3;a\rb\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3;a\0b\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3 a\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3 3\r\nabc\r\n0\r\n\r\n"),
    BROKEN("0x3\r\nabc\r\n0\r\n\r\n"),
    BROKEN("+3\r\nabc\r\n0\r\n\r\n"),
    BROKEN("-3\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3g\r\nabc\r\n0\r\n\r\n"),
    BROKEN("\r\nabc\r\n0\r\n\r\n"),
    BROKEN(";a\r\nabc\r\n0\r\n\r\n"),
    BROKEN("3\r\nabcd\r\n0\r\n\r\n"),
    BROKEN("3\r\nab\r\n0\r\n\r\n"),
    BROKEN("3\r\rabc\r\n0\r\n\r\n"),
    BROKEN("10000000000000\r\nabc"),
    BROKEN("ffffffffffffffff\r\nabc"),
    BROKEN("10000000000000000\r\nabc"),
    BROKEN("3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    BROKEN("3\r\nabc\r\n0\r\nX\r\n\r\n"),
    BROKEN("3\r\nabc\r\n0\r\n: y\r\n\r\n"),
    BROKEN("3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"),
    BROKEN("3\r\nabc\r\n0\r\nX: y\n\r\n"),
    BROKEN("3\r\nabc\r\n0\r\nX: y\0\r\n\r\n"),
    PENDING(""),
    PENDING("3"),
    PENDING("3\r"),
    PENDING("3\r\n"),
    PENDING("3\r\nab"),
    PENDING("3\r\nabc\r"),
    PENDING("fffffffffffff\r\nabc"),
    PENDING("3\r\nabc\r\n0\r\n"),
    PENDING("3\r\nabc\r\n0\r\nX: y\r\n\r"),
};

#endif
