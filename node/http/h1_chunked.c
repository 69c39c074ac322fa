// SPDX-License-Identifier: Apache-2.0
// Chunked coding (RFC 9112 7.1) as a state machine over bytes: framing is read byte by byte (it is short), data is only
// counted. Nothing is kept but counters, so bodies can be passed on as they came.
#include "node/base/panic.h"
#include "node/http/h1.h"
#include "node/http/scan.h"

// Named by what is awaited.
enum state {
    SIZE_FIRST, // the first digit of a chunk size
    SIZE,       // more digits, or what may follow them
    SIZE_BLANK, // after blanks behind the size: some servers pad it with spaces
    EXTENSION,  // the end of chunk extensions, which are not looked at
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST, // a trailer line or the empty line
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    ENDED,
    FAILED
};

// Sizes that need more than 52 bits are an attack on somebody's arithmetic.
#define SIZE_LIMIT ((uint64_t)1 << 52)

void h1_chunked_init(struct h1_chunked *c)
{
    memset(c, 0, sizeof(*c));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum state after_size(char c)
{
    switch (c) {
    case ' ':
    case '\t':
        return SIZE_BLANK;
    case ';':
        return EXTENSION;
    case '\r':
        return SIZE_LF;
    default:
        return FAILED;
    }
}

static enum state on_size(struct h1_chunked *c, char byte)
{
    int digit = hex_digit(byte);
    if (digit < 0)
        return c->state == SIZE_FIRST ? FAILED : after_size(byte);
    c->left = c->left << 4 | (unsigned)digit;
    return c->left < SIZE_LIMIT ? SIZE : FAILED;
}

// A bare LF ends a line for some and not for others, so it is refused, as is a bare CR.
static enum state on_size_line(struct h1_chunked *c, char byte)
{
    if (++c->line_len > H1_CHUNK_LINE_MAX)
        return FAILED;
    switch ((enum state)c->state) {
    case SIZE_FIRST:
    case SIZE:
        return on_size(c, byte);
    case SIZE_BLANK:
        return after_size(byte);
    case EXTENSION:
        if (byte == '\r')
            return SIZE_LF;
        return byte == '\n' || byte == '\0' ? FAILED : EXTENSION;
    default: // SIZE_LF
        c->line_len = 0;
        return byte != '\n' ? FAILED : c->left != 0 ? DATA : TRAILER_FIRST;
    }
}

static enum state on_trailer(struct h1_chunked *c, char byte)
{
    if (++c->trailer_len > H1_TRAILERS_MAX)
        return FAILED;
    bool token = scan_classes[(unsigned char)byte] & SCAN_TOKEN;
    switch ((enum state)c->state) {
    case TRAILER_FIRST: // no white space: neither an empty name nor a folded line
        return byte == '\r' ? END_LF : token ? TRAILER_NAME : FAILED;
    case TRAILER_NAME:
        return byte == ':' ? TRAILER_VALUE : token ? TRAILER_NAME : FAILED;
    case TRAILER_VALUE:
        if (byte == '\r')
            return TRAILER_LF;
        return byte == '\n' || byte == '\0' ? FAILED : TRAILER_VALUE;
    case TRAILER_LF:
        return byte == '\n' ? TRAILER_FIRST : FAILED;
    default: // END_LF
        return byte == '\n' ? ENDED : FAILED;
    }
}

static enum state on_framing(struct h1_chunked *c, char byte)
{
    switch ((enum state)c->state) {
    case DATA_CR:
        return byte == '\r' ? DATA_LF : FAILED;
    case DATA_LF:
        return byte == '\n' ? SIZE_FIRST : FAILED;
    case TRAILER_FIRST:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
    case END_LF:
        return on_trailer(c, byte);
    default:
        return on_size_line(c, byte);
    }
}

enum h1_chunk_event h1_chunked_next(struct h1_chunked *c, const char *data, size_t len, size_t *skip, size_t *n)
{
    size_t i = 0;
    *n = 0;
    while (c->state != DATA && c->state != ENDED && c->state != FAILED && i < len)
        c->state = (uint8_t)on_framing(c, data[i++]);
    *skip = i;
    if (c->state == FAILED)
        return H1_CHUNK_BAD;
    if (c->state == ENDED)
        return H1_CHUNK_END;
    if (c->state != DATA || i == len)
        return H1_CHUNK_MORE;
    *n = len - i < c->left ? len - i : (size_t)c->left;
    h1_chunked_advance(c, *n);
    return H1_CHUNK_DATA;
}

bool h1_chunked_in_data(const struct h1_chunked *c)
{
    return c->state == DATA;
}

void h1_chunked_advance(struct h1_chunked *c, uint64_t n)
{
    ASSERT(c->state == DATA && n <= c->left);
    c->left -= n;
    if (c->left == 0)
        c->state = DATA_CR;
}

enum h1_result h1_chunked_scan(struct h1_chunked *c, const char *data, size_t len, size_t *used, bool *end)
{
    *used = 0;
    *end = false;
    for (;;) {
        size_t skip, n;
        enum h1_chunk_event e = h1_chunked_next(c, data + *used, len - *used, &skip, &n);
        *used += skip + n;
        switch (e) {
        case H1_CHUNK_BAD:
            return H1_BAD;
        case H1_CHUNK_END:
            *end = true;
            return H1_DONE;
        case H1_CHUNK_MORE:
            return H1_MORE;
        case H1_CHUNK_DATA:
            break;
        }
    }
}
