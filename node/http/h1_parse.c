// SPDX-License-Identifier: Apache-2.0
// HTTP/1 head parser: one pass over the bytes, a list of steps, no allocation but the field array. A step that runs out
// of bytes says where its token starts and how far it looked, and the next call goes on right there. What the fields
// mean for the body is h1_framing.c's.
#include "node/http/fields.h"
#include "node/http/framing.h"
#include "node/http/h1.h"
#include "node/http/names.h"
#include "node/http/scan.h"

struct head {
    struct h1_parser *p;
    const struct h1_limits *limits;
    struct http_msg *m;
    const char *base; // first byte of the head
    const char *pos;  // start of the token that the current step reads
    const char *end;
};
typedef enum h1_result step_fn(struct head *h);
static step_fn skip_empty_lines, read_method, read_target, read_request_version, read_status_line, read_fields;

static step_fn *const request_steps[] = {skip_empty_lines,     read_method, read_target,
                                         read_request_version, read_fields, NULL};
static step_fn *const response_steps[] = {skip_empty_lines, read_status_line, read_fields, NULL};

// --- common to all steps -------------------------------------------------------------------------------------------

static enum h1_result refuse(struct head *h, enum h1_error error, const char *at)
{
    h->p->error = (uint16_t)error;
    h->p->error_pos = (uint32_t)(at - h->base);
    return H1_BAD;
}

// The token that starts at h->pos is good up to `looked`, but not complete.
static enum h1_result more(struct head *h, const char *looked)
{
    h->p->mark = (uint32_t)(h->pos - h->base);
    h->p->scanned = (uint32_t)(looked - h->base);
    return H1_MORE;
}

// Where to go on looking in a token that starts at `token`.
static inline const char *resume(const struct head *h, const char *token)
{
    const char *looked = h->base + h->p->scanned;
    return looked > token ? looked : token;
}

// Finds the CRLF that ends the line in which h->pos is. CR, LF and NUL are refused anywhere else (RFC 9112 2.2: a bare
// CR is invalid, a bare LF may be accepted, but what other recipients make of it differs).
static inline enum h1_result find_line_end(struct head *h, const char *token, const char **line_end)
{
    const char *s = scan_value(resume(h, token), h->end);
    if (s == NULL)
        return more(h, h->end);
    if (*s != '\r')
        return refuse(h, *s == '\n' ? H1_BAD_LINE_END : H1_BAD_HEADER_VALUE, s);
    if (s + 1 == h->end)
        return more(h, s);
    if (s[1] != '\n')
        return refuse(h, H1_BAD_LINE_END, s);
    *line_end = s;
    return H1_DONE;
}

static inline void skip_spaces(struct head *h)
{
    while (h->pos < h->end && *h->pos == ' ')
        h->pos++;
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

// --- start lines ---------------------------------------------------------------------------------------------------

// RFC 9112 2.2: empty lines before a start line are ignored.
static enum h1_result skip_empty_lines(struct head *h)
{
    while (h->pos < h->end && *h->pos == '\r') {
        if (h->pos + 1 == h->end)
            return more(h, h->pos);
        if (h->pos[1] != '\n')
            return refuse(h, H1_BAD_LINE_END, h->pos);
        h->pos += 2;
    }
    if (h->pos == h->end)
        return more(h, h->pos);
    return *h->pos == '\n' ? refuse(h, H1_BAD_LINE_END, h->pos) : H1_DONE;
}

static enum h1_result read_method(struct head *h)
{
    const char *s = scan_token(resume(h, h->pos), h->end);
    if (s == h->end)
        return more(h, s);
    if (s == h->pos)
        return refuse(h, H1_BAD_START_LINE, s);
    if (*s != ' ')
        return refuse(h, H1_BAD_METHOD, s);
    h->m->method_text = str_make(h->pos, (size_t)(s - h->pos));
    h->m->method = (uint8_t)http_method_of(h->m->method_text);
    h->pos = s + 1;
    return H1_DONE;
}

static enum h1_result read_target(struct head *h)
{
    skip_spaces(h);
    const char *s = scan_target(resume(h, h->pos), h->end);
    while (s != NULL && h->limits->accept_invalid && (*s == '#' || (unsigned char)*s >= 0x80))
        s = scan_target(s + 1, h->end);
    if (s == NULL)
        return more(h, h->end);
    bool simple = *s == '\r' && h->limits->accept_invalid; // HTTP/0.9 has no version
    if (*s == '\r' && !simple)
        return refuse(h, H1_BAD_VERSION, s);
    if ((*s != ' ' && !simple) || s == h->pos)
        return refuse(h, H1_BAD_TARGET, s);
    h->m->target = str_make(h->pos, (size_t)(s - h->pos));
    h->pos = s;
    return H1_DONE;
}

// Every minor version of HTTP/1 but 0 is treated as 1.1, since higher ones must be compatible (RFC 9110 2.5).
static enum h1_error set_version(struct http_msg *m, struct str text, bool accept_invalid)
{
    bool numbered = text.len == 8 && memcmp(text.ptr, "HTTP/", 5) == 0 && is_digit(text.ptr[5]) && text.ptr[6] == '.' &&
                    is_digit(text.ptr[7]);
    if (numbered && text.ptr[5] == '1') {
        m->version = text.ptr[7] == '0' ? 10 : 11;
        return H1_OK;
    }
    if (!accept_invalid)
        return numbered ? H1_UNSUPPORTED_VERSION : H1_BAD_VERSION;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= 'A' && c <= 'Z') && !is_digit(c) && c != '/' && c != '.')
            return H1_BAD_VERSION;
    }
    m->version = 10;
    m->version_text = text.len != 0 ? text : STR_NONE; // HTTP/0.9 goes on as 1.0
    return H1_OK;
}

static enum h1_result read_request_version(struct head *h)
{
    static const char common[] = "HTTP/1.1\r\n";
    enum { COMMON_LEN = sizeof(common) - 1 };

    skip_spaces(h);
    if (h->end - h->pos >= COMMON_LEN && memcmp(h->pos, common, COMMON_LEN) == 0) {
        h->m->version = 11;
        h->pos += COMMON_LEN;
        return H1_DONE;
    }
    const char *line_end;
    enum h1_result r = find_line_end(h, h->pos, &line_end);
    if (r != H1_DONE)
        return r;
    enum h1_error e = set_version(h->m, str_make(h->pos, (size_t)(line_end - h->pos)), h->limits->accept_invalid);
    if (e != H1_OK)
        return refuse(h, e, h->pos);
    h->pos = line_end + 2;
    return H1_DONE;
}

// The reason phrase and the space before it may be missing (RFC 9112 4 forbids it, servers do it).
static enum h1_result read_status_line(struct head *h)
{
    const char *line_end;
    enum h1_result r = find_line_end(h, h->pos, &line_end);
    if (r != H1_DONE)
        return r;
    struct str rest = str_make(h->pos, (size_t)(line_end - h->pos)), version;
    str_split(&rest, ' ', &version);
    enum h1_error e = set_version(h->m, version, h->limits->accept_invalid);
    if (e != H1_OK)
        return refuse(h, e, h->pos);
    rest = str_trim(rest);
    const char *s = rest.ptr;
    bool good = rest.len >= 3 && s[0] >= '1' && s[0] <= '9' && is_digit(s[1]) && is_digit(s[2]) &&
                (rest.len == 3 || s[3] == ' ');
    if (!good)
        return refuse(h, H1_BAD_STATUS, s ? s : line_end);
    h->m->status = (uint16_t)((s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0'));
    h->m->reason = rest.len > 4 ? str_make(s + 4, rest.len - 4) : str_make(s + 3, 0);
    h->pos = line_end + 2;
    return H1_DONE;
}

// --- header fields -------------------------------------------------------------------------------------------------

static enum h1_result refuse_name(struct head *h, const char *at)
{
    bool folded = at == h->pos && (*at == ' ' || *at == '\t') && h->m->nhdrs != 0;
    return refuse(h, folded ? H1_OBS_FOLD : H1_BAD_HEADER_NAME, at);
}

// Finds the colon behind the name. A name that the proxy knows is good as it stands, others are looked at. The colon is
// kept in the parser while the value is incomplete, so that a long name is not read again.
static inline enum h1_result read_name(struct head *h, struct str *name, enum hdr_id *id)
{
    if (h->p->colon != 0) {
        *name = str_make(h->pos, h->p->colon - (size_t)(h->pos - h->base));
        *id = names_find(*name);
        return H1_DONE;
    }
    const char *colon = scan_name(resume(h, h->pos), h->end);
    if (colon == NULL)
        return more(h, h->end);
    if (*colon != ':' || colon == h->pos)
        return refuse_name(h, colon);
    *name = str_make(h->pos, (size_t)(colon - h->pos));
    *id = names_find(*name);
    if (*id == HDR_OTHER && !h->limits->accept_invalid) {
        const char *bad = scan_token(h->pos, colon);
        if (bad != colon)
            return refuse(h, H1_BAD_HEADER_NAME, bad);
    }
    return H1_DONE;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline enum h1_result read_field(struct head *h)
{
    struct http_msg *m = h->m;
    struct str name;
    enum hdr_id id;
    enum h1_result r = read_name(h, &name, &id);
    if (r != H1_DONE)
        return r;

    const char *value = name.ptr + name.len + 1, *line_end;
    r = find_line_end(h, value, &line_end);
    if (r != H1_DONE) {
        h->p->colon = (uint32_t)(value - 1 - h->base);
        return r;
    }
    if (m->nhdrs >= h->limits->max_headers || (m->nhdrs == m->hdrs_cap && !fields_grow(m)))
        return refuse(h, H1_TOO_MANY_HEADERS, h->pos);
    h->p->colon = 0;
    h->pos = line_end + 2;

    while (value < line_end && is_blank(*value))
        value++;
    while (line_end > value && is_blank(line_end[-1]))
        line_end--;
    m->hdrs[m->nhdrs++] = (struct http_hdr){name, str_make(value, (size_t)(line_end - value)), (uint16_t)id};
    m->ids |= (uint64_t)1 << id;
    return H1_DONE;
}

static enum h1_result read_fields(struct head *h)
{
    for (;;) {
        if (h->pos == h->end)
            return more(h, h->pos);
        if (*h->pos == '\r')
            break;
        enum h1_result r = read_field(h);
        if (r != H1_DONE)
            return r;
    }
    if (h->pos + 1 == h->end)
        return more(h, h->pos);
    if (h->pos[1] != '\n')
        return refuse(h, H1_BAD_LINE_END, h->pos);
    h->pos += 2;
    h->m->head = h->base;
    h->m->head_len = (uint32_t)(h->pos - h->base);
    return H1_DONE;
}

// --- entry points --------------------------------------------------------------------------------------------------

void h1_parser_init(struct h1_parser *p)
{
    memset(p, 0, sizeof(*p));
}

static void move_slice(struct str *s, const char *from, const char *to)
{
    if (s->ptr != NULL)
        s->ptr = to + ((uintptr_t)s->ptr - (uintptr_t)from);
}

// The receive buffer moved since the last call.
static void follow_bytes(struct http_msg *m, const char *from, const char *to)
{
    move_slice(&m->method_text, from, to);
    move_slice(&m->target, from, to);
    move_slice(&m->reason, from, to);
    move_slice(&m->version_text, from, to);
    for (unsigned i = 0; i < m->nhdrs; i++) {
        move_slice(&m->hdrs[i].name, from, to);
        move_slice(&m->hdrs[i].value, from, to);
    }
}

static enum h1_result run_steps(struct head *h, step_fn *const *steps)
{
    struct h1_parser *p = h->p;
    if (p->error != H1_OK)
        return H1_BAD;
    if (h->end - h->base > INT32_MAX)
        return refuse(h, H1_HEAD_TOO_LARGE, h->base);
    if (p->base != NULL && p->base != h->base)
        follow_bytes(h->m, p->base, h->base);
    p->base = h->base;
    for (; steps[p->state] != NULL; p->state++) {
        enum h1_result r = steps[p->state](h);
        if (r != H1_DONE)
            return r;
    }
    return H1_DONE;
}

enum h1_result h1_parse_request(struct h1_parser *p, const struct h1_limits *l, const char *data, size_t len,
                                struct http_msg *m)
{
    struct head h = {p, l, m, data, data + p->mark, data + len};
    enum h1_result r = run_steps(&h, request_steps);
    if (r != H1_DONE)
        return r;
    const char *at = data;
    enum h1_error e = framing_of_request(m, l->accept_invalid, &at);
    return e == H1_OK ? H1_DONE : refuse(&h, e, at);
}

enum h1_result h1_parse_response(struct h1_parser *p, const struct h1_limits *l, const char *data, size_t len,
                                 enum http_method request_method, struct http_msg *m)
{
    struct head h = {p, l, m, data, data + p->mark, data + len};
    enum h1_result r = run_steps(&h, response_steps);
    if (r != H1_DONE)
        return r;
    const char *at = data;
    m->method = (uint8_t)request_method;
    enum h1_error e = framing_of_response(m, &at);
    return e == H1_OK ? H1_DONE : refuse(&h, e, at);
}

const char *h1_error_text(enum h1_error e)
{
    static const char *const texts[H1_ERROR_COUNT] = {
        [H1_OK] = "no error",
        [H1_BAD_START_LINE] = "bad start line",
        [H1_BAD_METHOD] = "invalid character in the method",
        [H1_BAD_TARGET] = "invalid character in the request target",
        [H1_BAD_VERSION] = "bad protocol version",
        [H1_BAD_STATUS] = "bad status code",
        [H1_BAD_HEADER_NAME] = "invalid character in a header name",
        [H1_BAD_HEADER_VALUE] = "invalid character in a header value",
        [H1_BAD_LINE_END] = "line does not end with CR LF",
        [H1_OBS_FOLD] = "folded header line",
        [H1_TOO_MANY_HEADERS] = "too many header fields",
        [H1_BAD_CONTENT_LENGTH] = "bad or differing Content-Length",
        [H1_BOTH_LENGTHS] = "both Content-Length and Transfer-Encoding",
        [H1_BAD_TRANSFER_ENCODING] = "unsupported Transfer-Encoding",
        [H1_BAD_HOST] = "bad or differing Host",
        [H1_BAD_CHUNK] = "bad chunk",
        [H1_HEAD_TOO_LARGE] = "message head too large",
        [H1_BAD_TRAILER] = "bad trailer",
        [H1_UNSUPPORTED_VERSION] = "unsupported protocol version",
        [H1_BODY_NOT_ALLOWED] = "body not allowed with this method in HTTP/1.0",
        [H1_BAD_UPGRADE] = "WebSocket handshake without a key",
    };
    return (unsigned)e < H1_ERROR_COUNT ? texts[e] : "unknown error";
}

unsigned h1_error_status(enum h1_error e)
{
    return e == H1_BODY_NOT_ALLOWED ? 413 : 400;
}
