// SPDX-License-Identifier: Apache-2.0
// Fuzzer of the HTTP/1 parser. The first byte chooses: request, response or chunked body, strict or lenient, and the
// size of the pieces. What is parsed in pieces must equal what is parsed at once, and a head that was accepted must be
// written and accepted again with the same meaning.
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/http/h1.h"
#include "node/http/hop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct parse {
    struct h1_limits limits;
    bool response;
    enum http_method method;
    struct h1_parser parser;
    struct http_msg m;
    enum h1_result result;
};

static void feed(struct parse *p, const char *data, size_t len)
{
    p->result = p->response ? h1_parse_response(&p->parser, &p->limits, data, len, p->method, &p->m)
                            : h1_parse_request(&p->parser, &p->limits, data, len, &p->m);
}

static void begin(struct parse *p, const struct parse *like, struct arena *arena)
{
    *p = *like;
    h1_parser_init(&p->parser);
    http_msg_init(&p->m, arena, p->response, 0);
}

static void assert_same(const struct parse *a, const struct parse *b)
{
    ASSERT(a->result == b->result);
    ASSERT(a->parser.error == b->parser.error && a->parser.error_pos == b->parser.error_pos);
    if (a->result != H1_DONE)
        return;
    ASSERT(a->m.nhdrs == b->m.nhdrs && a->m.head_len == b->m.head_len);
    ASSERT(a->m.body == b->m.body && a->m.content_length == b->m.content_length);
    ASSERT(a->m.keep_alive == b->m.keep_alive && a->m.upgrade == b->m.upgrade);
    for (unsigned i = 0; i < a->m.nhdrs; i++)
        ASSERT(str_eq(a->m.hdrs[i].name, b->m.hdrs[i].name) && str_eq(a->m.hdrs[i].value, b->m.hdrs[i].value));
}

static void check_written(struct parse *p, struct arena *arena)
{
    struct iovec iov[64];
    int n = h1_head_iov(&p->m, iov, 64);
    size_t len = h1_head_len(&p->m), total = 0;
    char *flat = malloc(len);
    ASSERT(h1_write_head(&p->m, flat, len) == len);
    for (int i = 0; i < n; i++) {
        ASSERT(iov[i].iov_len <= len - total && memcmp(flat + total, iov[i].iov_base, iov[i].iov_len) == 0);
        total += iov[i].iov_len;
    }
    ASSERT(n < 0 || total == len);

    struct parse again;
    begin(&again, p, arena);
    feed(&again, flat, len);
    ASSERT(again.result == H1_DONE && again.m.head_len == len);
    ASSERT(again.m.body == p->m.body && again.m.content_length == p->m.content_length);
    ASSERT(again.m.keep_alive == p->m.keep_alive && again.m.version == p->m.version);

    http_strip_hop_by_hop(&p->m);
    http_set_connection(&p->m, false, 11);
    free(flat);
}

// Each piece comes in fresh memory, so that bytes move and reading too far is seen.
static void fuzz_head(struct parse *like, size_t step, const char *data, size_t size)
{
    struct arena *arena = arena_create(4096);
    struct parse whole, pieces;
    char *copy = malloc(size + 1), *part = NULL;
    memcpy(copy, data, size);
    begin(&whole, like, arena);
    feed(&whole, copy, size);
    begin(&pieces, like, arena);
    for (size_t i = 0;;) {
        char *next = malloc(i + 1);
        memcpy(next, data, i);
        free(part);
        part = next;
        feed(&pieces, part, i);
        if (pieces.result != H1_MORE || i == size)
            break;
        i = size - i < step ? size : i + step;
    }
    assert_same(&whole, &pieces);
    if (pieces.result == H1_DONE)
        check_written(&pieces, arena);
    free(copy);
    free(part);
    arena_destroy(&arena);
}

static void fuzz_chunked(size_t step, const char *data, size_t size)
{
    struct h1_chunked whole, pieces;
    size_t whole_used, used = 0, n;
    bool whole_end, end = false;
    h1_chunked_init(&whole);
    h1_chunked_init(&pieces);
    enum h1_result r = H1_MORE, want = h1_chunked_scan(&whole, data, size, &whole_used, &whole_end);
    while (used < size && r == H1_MORE) {
        size_t piece = size - used < step ? size - used : step;
        r = h1_chunked_scan(&pieces, data + used, piece, &n, &end);
        ASSERT(n <= piece && (r != H1_MORE || n == piece));
        used += n;
    }
    ASSERT(r == want && used == whole_used && (size == 0 || end == whole_end));
    ASSERT(whole.left == pieces.left && whole.state == pieces.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 8192)
        return 0;
    const char *text = (const char *)data + 2;
    size_t step = data[1] % 64 == 0 ? 1 : data[1] % 64;
    struct parse like = {
        .limits = {.max_headers = 20, .accept_invalid = data[0] & 4},
        .response = data[0] & 1,
        .method = (enum http_method)(METHOD_GET + (data[0] >> 4) % 6),
    };
    if (data[0] & 2)
        fuzz_chunked(step, text, size - 2);
    else
        fuzz_head(&like, step, text, size - 2);
    return 0;
}
