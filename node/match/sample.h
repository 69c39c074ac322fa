// SPDX-License-Identifier: Apache-2.0
// Samples: values that expressions compute, and the context they are computed in. The stream fills a context once and
// hands it to expressions, conditions and formats; functions bound to fetches read it. One thread.
#ifndef PHX_MATCH_SAMPLE_H
#define PHX_MATCH_SAMPLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/model.h"
#include "node/base/arena.h"
#include "node/base/clock.h"
#include "node/base/str.h"
#include "node/http/msg.h"
#include "node/io/sock.h"

struct worker;
struct vars;
struct track;
struct expr;

struct sample {
    enum sample_type type; // BOOL, INT, IPV4, IPV6, STR, BIN or METH
    bool may_change;       // more input could give another value (contents, not yet final)
    bool constant;         // STR, BIN: the bytes belong to somebody else and must not be altered in place
    union {
        int64_t num;    // BOOL (0, 1), INT
        struct str str; // STR, BIN
        struct in_addr ip4;
        struct in6_addr ip6;
        struct {
            enum http_method id;
            struct str text; // METHOD_OTHER
        } meth;
    };
};

enum eval_result {
    EVAL_FOUND, // *out is set
    EVAL_NONE,  // there is no such thing (an ACL then does not match)
    EVAL_MORE,  // not known before more bytes arrive
    EVAL_WAIT   // a message or timer will wake the stream (remote look-up, name resolution)
};

// Facts of a client connection, fixed when it was accepted (or by a rule such as set-src).
struct client_facts {
    struct inet_addr src, dst;
    int64_t accept_wall_us;
    mono_t accept_mono;
    uint32_t bind_id;
    bool dst_known; // dst is read from the kernel at first use: see match_dst()
    int fd;         // for that, -1 when closed
};

#define TRACK_MAX 3 // sc0..sc2

// An ACL looks at all values of a multi-valued fetch (hdr, cook, hdr_ip … without an occurrence) until one matches. It
// passes a cursor through match_ctx, all zero before the first call. Such a fetch then gives the next value at each
// call, keeps its place in `pos` and `rest`, and sets `more` when another value may follow (else clears it). Fetches
// with one value ignore it.
struct value_cursor {
    bool more;
    unsigned pos;
    struct str rest;
};

struct match_ctx {
    struct arena *arena; // results and scratch: dies with the stream
    struct worker *worker;
    unsigned where; // one bit of enum cfg_where: where we are evaluated
    struct client_facts *client;
    struct http_msg *req; // NULL before the head is parsed, and in TCP
    struct http_msg *res;
    struct vars *sess_vars, *txn_vars, *req_vars, *res_vars; // NULL = empty
    // Arena for the session's variables, made at first use; NULL = `arena`. Who sets it takes sess_vars over into the
    // session when the stream ends.
    struct arena *(*sess_arena)(struct match_ctx *c);
    struct track *tracks; // TRACK_MAX of them: the stream's (which start as the session's)
    struct str req_bytes; // TCP: what waits in the request direction; HTTP: the body bytes received so far
    struct str res_bytes;
    bool req_final; // no more of it will come (end, buffer full, or inspect-delay over)
    bool res_final;
    struct str *req_caps, *res_caps; // captures by slot, ptr NULL = not captured; counts are the frontend's
    struct str unique_id;
    unsigned request_count;      // requests before this one on the connection
    const void *front, *back;    // node/proxy's struct proxy
    void *stream;                // for functions that node/proxy binds
    struct value_cursor *cursor; // not NULL: see struct value_cursor
};

// The connection's destination, asked from the kernel once.
const struct inet_addr *match_dst(struct match_ctx *c);

// The loop's time of this turn.
mono_t match_now(const struct match_ctx *c);

// ---- functions bound to fetches and converters

struct table;
struct regex;
struct pattern_set;
// Compiled argument: what cfg_arg named, resolved for this snapshot.
struct arg {
    enum cfg_arg_kind kind; // NONE: an optional one that was left out
    int64_t num;
    struct str text;
    enum var_scope scope;
    unsigned var_index;
    const void *ref;     // node/proxy's struct proxy or struct server, cfg_userlist; TABLE: its owner's cfg_proxy
    struct table *table; // NULL for sc_*() without one: the tracked entry's own
    struct regex *regex;
    struct pattern_set *map; // map_*()
};

typedef enum eval_result fetch_fn(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out);
// In place: the sample is already cast to the row's input type. False: no result.
typedef bool conv_fn(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s);

// Process-wide tables, filled at start: match binds its own, node/proxy the rest. A supported row without function
// panics at match_check_bound(), which every start runs.
void fetch_bind(enum fetch_id id, fetch_fn *fn);
void conv_bind(enum conv_id id, conv_fn *fn);
fetch_fn *fetch_bound(enum fetch_id id);
conv_fn *conv_bound(enum conv_id id);
void fetch_bind_http(void); // fetch_http.c …
void fetch_bind_l4(void);
void fetch_bind_table(void); // sc_*, src_*, table_*
void conv_bind_all(void);
void conv_bind_map(void);   // map_*
void conv_bind_table(void); // in_table, table_*
void var_bind(void);        // var(), set-var, unset-var
void match_check_bound(void);

// Casts in place along the manual's matrix (7.3). False when the value does not convert ("abc" to integer).
bool sample_cast(struct match_ctx *c, struct sample *s, enum sample_type to);
// As text, the way %[expr] prints it. Bytes live in the arena or are borrowed.
bool sample_text(struct match_ctx *c, const struct sample *s, struct str *out);

static inline void sample_set_int(struct sample *s, int64_t v)
{
    *s = (struct sample){.type = TYPE_INT, .num = v};
}
static inline void sample_set_bool(struct sample *s, bool v)
{
    *s = (struct sample){.type = TYPE_BOOL, .num = v};
}
static inline void sample_set_str(struct sample *s, struct str v)
{
    *s = (struct sample){.type = TYPE_STR, .constant = true, .str = v};
}
void sample_set_addr(struct sample *s, const struct inet_addr *a); // IPV4 or IPV6 (mapped addresses become IPv4)

#endif
