// SPDX-License-Identifier: Apache-2.0
// Compiled expressions, conditions and formats. Compiling is a step of building a snapshot (builder thread): regexes
// are JIT-compiled, maps and pattern files read, tables and servers looked up; errors go to the diagnostics by source
// position. The results live in the snapshot's arena and are read by all workers at once: immutable but for what says
// otherwise.
#ifndef PHX_MATCH_EXPR_H
#define PHX_MATCH_EXPR_H

#include "config/diag.h"
#include "config/model.h"
#include "node/match/sample.h"

struct compile; // one build
struct cond;    // compiled condition
struct format;  // compiled log-format

struct compile_options {
    struct arena *arena;
    struct diag *diag;
    // The owner's objects for those of the model. `self` = proxy of the current rule (table NULL means its own).
    struct table *(*find_table)(void *arg, const struct cfg_proxy *owner);
    const void *(*find_proxy)(void *arg, const struct cfg_proxy *p);
    const void *(*find_server)(void *arg, const struct cfg_server *s);
    int (*read_file)(const char *path, size_t max, struct buf *out); // maps, -f files; NULL = through the keeper
    void *arg;
};
struct compile *compile_begin(const struct compile_options *o);
void compile_set_proxy(struct compile *c, const struct cfg_proxy *self);
// Files read, shared sets and regexes stay referenced by the returned list until compiled_free(), called when the
// snapshot dies.
struct compiled;
struct compiled *compile_end(struct compile **c);
void compiled_free(struct compiled **c);

// NULL: failed, message given.
struct expr *expr_compile(struct compile *c, const struct cfg_expr *e);
struct cond *cond_compile(struct compile *c, const struct cfg_cond *cond); // NULL model → NULL
struct format *format_compile(struct compile *c, const struct cfg_format *f);
struct regex *regex_compile(struct compile *c, struct str pattern, bool nocase, const struct cfg_src *src);

enum sample_type expr_type(const struct expr *e);
// Evaluates and casts to `want` (TYPE_ANY = as it comes).
enum eval_result expr_eval(const struct expr *e, struct match_ctx *c, enum sample_type want, struct sample *out);

// COND_TRUE, COND_FALSE, or not known yet. `final` in the context makes missing bytes mean "no".
enum cond_result { COND_FALSE, COND_TRUE, COND_MORE, COND_WAIT };
enum cond_result cond_eval(const struct cond *cond, struct match_ctx *c); // NULL = always true

// Aliases (%ci …) are bound by node/proxy. A function appends; `arg` is the text in %{...}, `options` FMT_OPT_*.
struct fmt_out;
typedef void alias_fn(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options);
void alias_bind(enum alias_id id, alias_fn *fn);
// Bounded appenders for aliases: quoting and escaping by options.
void fmt_str(struct fmt_out *o, struct str s); // quoted when +Q, escaped when +E, "-" when empty and mandatory
void fmt_raw(struct fmt_out *o, struct str s); // as it is
void fmt_int(struct fmt_out *o, int64_t v);    // four hexadecimal digits or more with +X
void fmt_addr(struct fmt_out *o, const struct inet_addr *a); // without port; "unix" for UNIX; hexadecimal with +X
void fmt_capture(struct fmt_out *o, struct str s); // like fmt_raw, encoding what a captured header must not show
void fmt_printf(struct fmt_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Into dst (not terminated), cut at size; returns the length. Never waits: unknown values are empty. `log` encodes
// control characters as the manual's section 8.6 says; else the text is for a header or a body.
size_t format_render(const struct format *f, struct match_ctx *c, char *dst, size_t size, bool log);
// In the arena. Constant formats cost nothing.
struct str format_text(const struct format *f, struct match_ctx *c);
bool format_is_constant(const struct format *f, struct str *text);

#endif
