// SPDX-License-Identifier: Apache-2.0
// HTTP/1.0 and 1.1 grammar (RFC 9112): head parser, chunk parser, head writer. Pure functions over bytes: no socket, no
// clock. Strict where leniency is a smuggling risk: both lengths, differing lengths, bare CR or LF in the head, white
// space before the colon, obs-fold, NUL, unknown transfer codings, bad chunk sizes are errors.
#ifndef PHX_HTTP_H1_H
#define PHX_HTTP_H1_H

#include <stddef.h>
#include <sys/uio.h>

#include "node/http/msg.h"

enum h1_result { H1_DONE, H1_MORE, H1_BAD };

enum h1_error {
    H1_OK,
    H1_BAD_START_LINE,
    H1_BAD_METHOD,
    H1_BAD_TARGET,
    H1_BAD_VERSION,
    H1_BAD_STATUS,
    H1_BAD_HEADER_NAME,
    H1_BAD_HEADER_VALUE,
    H1_BAD_LINE_END,
    H1_OBS_FOLD,
    H1_TOO_MANY_HEADERS,
    H1_BAD_CONTENT_LENGTH,
    H1_BOTH_LENGTHS,
    H1_BAD_TRANSFER_ENCODING,
    H1_BAD_HOST,
    H1_BAD_CHUNK,
    H1_HEAD_TOO_LARGE,
    H1_BAD_TRAILER,
    H1_UNSUPPORTED_VERSION,
    H1_BODY_NOT_ALLOWED, // HTTP/1.0 GET, HEAD and DELETE with a body: old servers would take it for the next request
    H1_BAD_UPGRADE,      // a WebSocket handshake without its key
    H1_ERROR_COUNT
};
const char *h1_error_text(enum h1_error e);
// The status that refuses such a request: 400, or 413 for H1_BODY_NOT_ALLOWED.
unsigned h1_error_status(enum h1_error e);

struct h1_limits {
    uint16_t max_headers; // tune.http.maxhdr
    bool accept_invalid;  // option accept-invalid-http-request/-response: relaxes what that option's manual text names,
                          // never framing
};

// Where the parser stopped, so that a head that arrives byte by byte costs linear time. Offsets count from the head's
// first byte.
struct h1_parser {
    const char *base;   // data at the last call; slices follow when the bytes have moved since
    uint32_t scanned;   // bytes of the current token already looked at end here
    uint32_t mark;      // start of the current token, or of the current field line
    uint32_t colon;     // end of the current field's name, 0 before it is known
    uint8_t state;      // internal
    uint16_t error;     // enum h1_error
    uint32_t error_pos; // offset of the byte that was refused
};

void h1_parser_init(struct h1_parser *p);

// data[0..len) starts at the head's first byte (leading CRLFs are skipped and counted in head_len) and grows from call
// to call until the result is not H1_MORE; `m` is fresh from http_msg_init(). On H1_DONE the message is filled;
// head_len says where the body begins. Slices point into data, which must stay in place from then on (between calls it
// may move). For responses `request_method` decides framing (HEAD, CONNECT). Repeated lengths and Hosts that agree are
// merged into one field, as RFC 9112 6.3 allows. In a response chunked coding beats a length, which is removed (RFC
// 9112 6.3, rule 3); in a request both together are refused.
enum h1_result h1_parse_request(struct h1_parser *p, const struct h1_limits *l, const char *data, size_t len,
                                struct http_msg *m);
enum h1_result h1_parse_response(struct h1_parser *p, const struct h1_limits *l, const char *data, size_t len,
                                 enum http_method request_method, struct http_msg *m);

// Chunked bodies. The parser is fed bytes in order and says how many of them are framing or data.
struct h1_chunked {
    uint64_t left;        // data bytes left in the current chunk
    uint32_t line_len;    // bytes seen of the current chunk-size line, at most H1_CHUNK_LINE_MAX
    uint32_t trailer_len; // bytes seen of the trailer section, at most H1_TRAILERS_MAX
    uint8_t state;        // internal
};
#define H1_CHUNK_LINE_MAX 16384
#define H1_TRAILERS_MAX   16384

enum h1_chunk_event {
    H1_CHUNK_MORE, // all of data was framing; feed more
    H1_CHUNK_DATA, // *skip framing bytes, then *n data bytes are at data + *skip
    H1_CHUNK_END,  // *skip bytes of framing (and trailers) end the body
    H1_CHUNK_BAD
};
void h1_chunked_init(struct h1_chunked *c);
// Consumes *skip + *n bytes. n is bounded by what data holds.
enum h1_chunk_event h1_chunked_next(struct h1_chunked *c, const char *data, size_t len, size_t *skip, size_t *n);
// True while inside a chunk: c->left more bytes are plain data (they can be spliced, then h1_chunked_advance()).
bool h1_chunked_in_data(const struct h1_chunked *c);
void h1_chunked_advance(struct h1_chunked *c, uint64_t n);
// The whole body as framed bytes, without re-framing: how many of data's bytes belong to the body; *end when it is
// complete. Returns H1_BAD for bad framing.
enum h1_result h1_chunked_scan(struct h1_chunked *c, const char *data, size_t len, size_t *used, bool *end);

// Head as an I/O vector. Consecutive untouched bytes of the received head become one entry, all that lies between two
// such runs one more, copied into m->arena. Deleted fields vanish. Returns the count, or -1 if more than max entries
// were needed (then h1_write_head() serves).
int h1_head_iov(struct http_msg *m, struct iovec *iov, int max);
size_t h1_head_len(const struct http_msg *m);                           // exact bytes of the written head
size_t h1_write_head(const struct http_msg *m, char *dst, size_t size); // 0 when it does not fit
// "1a\r\n" into dst (≥ 20 bytes); returns the length.
size_t h1_chunk_header(uint64_t n, char *dst);

#endif
