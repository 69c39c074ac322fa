// SPDX-License-Identifier: Apache-2.0
// What the parsers of one configuration line share: the line's words, the place in the model, and messages that name
// the word. Internal to config/.
#ifndef PHX_CONFIG_PARSE_H
#define PHX_CONFIG_PARSE_H

#include <stdbool.h>

#include "config/diag.h"
#include "config/model.h"

enum section {
    SECTION_NONE,
    SECTION_GLOBAL,
    SECTION_DEFAULTS,
    SECTION_FRONTEND,
    SECTION_BACKEND,
    SECTION_LISTEN,
    SECTION_CLUSTER,
    SECTION_USERLIST,
    SECTION_COUNT
};

enum parse_prefix { PREFIX_NONE, PREFIX_NO, PREFIX_DEFAULT };

struct parse {
    struct config *config;
    struct arena *arena; // config->arena
    struct diag *diag;
    enum section section;
    struct cfg_proxy *proxy;     // frontend, backend, listen, defaults; else NULL
    struct cfg_cluster *cluster; // cluster
    struct str *words;           // quotes and escapes resolved, each NUL-terminated, living in the arena
    unsigned nwords;             // words[0] is the keyword
    struct cfg_src src;          // of the line
    unsigned word_base;          // words of the line in front of words[0]: 1 behind "no" and "default"
    enum parse_prefix prefix;    // which of these it was
    void *resolver;              // see resolve.h: names to be looked up once everything is read
    struct loader *loader;       // see load.h: what lives only while the configuration is read
    struct env *env;             // see env.h: the environment as setenv, unsetenv … left it
};

// Message on word `word` of the current line. parse_error() returns false, so that a parser can end with it.
bool parse_error(struct parse *p, unsigned word, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void parse_warning(struct parse *p, unsigned word, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct cfg_src parse_src(const struct parse *p, unsigned word);
// "did you mean": the nearest of n names (stride bytes apart, first member const char *), NULL if none is near.
const char *parse_nearest(struct str word, const void *rows, unsigned n, size_t stride);

// Values, with bounds and units. On failure the message has been given.
bool parse_int(struct parse *p, unsigned word, int64_t min, int64_t max, int64_t *out);
bool parse_time_ms(struct parse *p, unsigned word, int64_t *out); // "10s", "5m", default unit ms; refuses overflow
bool parse_size(struct parse *p, unsigned word, uint64_t *out);   // "100k"

// ---- expressions (expr.c, format.c, acl.c, action.c): each starts at *word and moves it behind what it consumed
bool parse_expr(struct parse *p, unsigned *word, unsigned where, struct cfg_expr *out);
// The text of a log-format: one word. `where` = enum cfg_where bits of the place.
bool parse_format(struct parse *p, unsigned word, struct str text, unsigned where, struct cfg_format *out);
// "if COND…" or "unless COND…" at *word up to the line's end; *out NULL when there is none. Anything else there is an
// error.
bool parse_cond(struct parse *p, unsigned *word, unsigned where, struct cfg_cond **out);
bool parse_acl_line(struct parse *p);  // acl NAME …
bool parse_rule_line(struct parse *p); // tcp-request, tcp-response, http-request, http-response, http-after-response
bool parse_redirect_line(struct parse *p);    // redirect …
bool parse_use_backend_line(struct parse *p); // use_backend
bool parse_use_server_line(struct parse *p);  // use-server
bool parse_stick_line(struct parse *p);       // stick on|match|store-request|store-response
bool parse_stick_table_line(struct parse *p); // stick-table
bool parse_cond_list_line(struct parse *p, struct cfg_cond_list *list,
                          unsigned word);    // monitor fail, force-persist, ignore-persist
bool parse_set_var_line(struct parse *p);    // set-var, set-var-fmt in global
bool parse_http_check_line(struct parse *p); // http-check send|expect|disable-on-404 …
bool parse_balance_expr(struct parse *p, unsigned *word, struct cfg_expr **out); // balance hash EXPR
// Called once after all sections: names in expressions, ACLs, rules → pointers; undefined names, loops, wrong modes →
// messages.
bool resolve_exprs(struct parse *p);

// Dense index of a variable ("txn.foo" → scope, name without scope). False: bad scope or name (message given).
bool parse_var_name(struct parse *p, unsigned word, struct str text, enum var_scope *scope, struct str *name,
                    unsigned *index);

// ---- the rest (values.c, addr.c, proxy.c …) ------------------------------------------------------------------------
// Grows an arena array by one zeroed element: doubles when count is a power of two. Returns the element.
void *parse_push(struct arena *a, void **array, unsigned *count, size_t size);
#define PARSE_PUSH(a, array, count, type) ((type *)parse_push((a), (void **)&(array), &(count), sizeof(type)))
// A copy that may be pushed to: defaults sections hand their arrays to several proxies. NULL when count is 0.
void *parse_clone(struct arena *a, const void *array, unsigned count, size_t size);
#define PARSE_CLONE(a, array, count) ((array) = parse_clone((a), (array), (count), sizeof(*(array))))
// An address as in `bind` and `server` (configuration.txt, "bind"): [family@]host:port[-end], path, fd@N … Environment
// variables are expanded, quoted or not. port_required: without a port it is an error. A port range or offset that the
// place does not take is the caller's to refuse.
bool parse_addr(struct parse *p, unsigned word, struct str text, unsigned default_port, bool port_required,
                struct cfg_addr *out);
// An IPv4 or IPv6 address, with or without "/prefix" or "/mask".
bool addr_is_network(struct str text);

#endif
