// SPDX-License-Identifier: Apache-2.0
// What expressions leave behind while lines are parsed: names to be looked up once everything is read (backends may
// follow the rules that name them), the ACLs of each proxy, the variables of each scope. All in the configuration's
// arena. Internal to config/.
#ifndef PHX_CONFIG_RESOLVE_H
#define PHX_CONFIG_RESOLVE_H

#include "config/parse.h"

// From names to pointers, in an arena; keys are borrowed.
struct name_slot {
    struct str name;
    void *value;
};
struct name_map {
    struct name_slot *slots;
    unsigned count, cap;
};
void *name_map_get(const struct name_map *m, struct str name); // NULL when absent
void name_map_put(struct arena *a, struct name_map *m, struct str name, void *value);

// An argument that names a proxy, server, table or userlist: kind and text are set, ref is to be found. Empty text =
// the current proxy, which a defaults section has not (NULL).
struct pending_arg {
    struct pending_arg *next;
    struct cfg_arg *arg;
    char letter; // of the argument list
    struct cfg_proxy *proxy;
    struct cfg_src src;
    struct str what; // for messages: "argument 1 of sample fetch 'nbsrv'"
};

// Conditions and ACLs. An ACL keeps its address in `acls` until resolve_exprs() lays out the proxy's array.
struct acl_node {
    struct acl_node *next;
    struct cfg_acl acl;
};
struct pending_cond {
    struct pending_cond *next;
    struct cfg_cond *cond;
};
struct acl_scope { // one proxy's
    struct acl_scope *next;
    struct cfg_proxy *proxy;
    struct name_map names;
    struct acl_node *named, **named_end, *anonymous, **anonymous_end;
    struct pending_cond *conds;
};

struct resolver {
    struct pending_arg *args, **args_end;
    struct acl_scope *scopes; // latest first
    struct name_map vars[VAR_CHECK + 1];
};
struct resolver *resolver_of(struct parse *p); // made at first use
struct acl_scope *resolver_acls(struct parse *p);

// ---- parts of the expression grammar that share state ---------------------------------------------------------------
// Parses "name" and, when an opening parenthesis follows, its arguments in `text` from *pos, then converters. Stops
// behind the expression at a character that cannot belong to it; the caller checks which.
bool expr_parse_text(struct parse *p, unsigned word, struct str text, size_t *pos, unsigned where,
                     struct cfg_expr *out);
// The same without a look at `where`, for ACLs, which only warn: *found is where the fetch exists.
bool expr_parse_acl(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *out,
                    unsigned *found);
// Converters behind *pos: ",name(args),name…". They change e->type.
bool expr_parse_convs(struct parse *p, unsigned word, struct str text, size_t *pos, struct cfg_expr *e);
// The leading name at *pos: letters, digits and "_.-+".
struct str expr_name(struct str text, size_t pos);
const char *where_needs(unsigned where); // what data of such a place is, for messages
const char *where_name(unsigned where);  // of the first bit: "frontend request rules" …

// Argument list of `letters` (exprs.h) at text[*pos], which may be no "(" at all. `lead` is the sticky counter that a
// synonym implies, -1 = none. `what` names the owner in messages.
struct args_spec {
    const char *letters;
    int lead;
    struct str what;
};
bool args_parse(struct parse *p, unsigned word, const struct args_spec *spec, struct str text, size_t *pos,
                struct cfg_arg **out, uint8_t *nout);
// "ifexists" … of set-var; adds the bit.
bool var_cond_find(struct str name, int *bits);
// Checks that letters cannot say: bounds and words of single functions. The message has been given when false.
bool args_check_fetch(struct parse *p, unsigned word, enum fetch_id id, const struct cfg_arg *args, unsigned n);
bool args_check_conv(struct parse *p, unsigned word, enum conv_id id, const struct cfg_arg *args, unsigned n);

// One ACL test in words [*word, end): criterion, flags, patterns.
bool acl_parse_test(struct parse *p, unsigned *word, unsigned end, struct cfg_acl_test *out, unsigned *where);
bool acl_parse_patterns(struct parse *p, unsigned word, unsigned end, struct cfg_acl_test *t);

#endif
