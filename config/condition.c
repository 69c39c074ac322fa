// SPDX-License-Identifier: Apache-2.0
// Named ACLs, the predefined ones, and conditions made of them: "if a !b or { path /x }" (configuration.txt 7.2, 7.4).
#include "config/resolve.h"
#include "node/base/panic.h"

// ---- named ACLs ----------------------------------------------------------------------------------------------------
static const struct {
    const char *name, *words[5];
} predefined[] = {
    {"FALSE", {"always_false"}},
    {"HTTP", {"req.proto_http"}},
    {"HTTP_1.0", {"req.ver", "1.0"}},
    {"HTTP_1.1", {"req.ver", "1.1"}},
    {"HTTP_2.0", {"req.ver", "2.0"}},
    {"HTTP_3.0", {"req.ver", "3.0"}},
    {"HTTP_CONTENT", {"req.hdr_val(content-length)", "gt", "0"}},
    {"HTTP_URL_ABS", {"url_reg", "^[^/:]*://"}},
    {"HTTP_URL_SLASH", {"url_beg", "/"}},
    {"HTTP_URL_STAR", {"url", "*"}},
    {"LOCALHOST", {"src", "127.0.0.1/8", "::1"}},
    {"METH_CONNECT", {"method", "CONNECT"}},
    {"METH_DELETE", {"method", "DELETE"}},
    {"METH_GET", {"method", "GET", "HEAD"}},
    {"METH_HEAD", {"method", "HEAD"}},
    {"METH_OPTIONS", {"method", "OPTIONS"}},
    {"METH_POST", {"method", "POST"}},
    {"METH_PUT", {"method", "PUT"}},
    {"METH_TRACE", {"method", "TRACE"}},
    {"RDP_COOKIE", {"req.rdp_cookie_cnt", "gt", "0"}},
    {"REQ_CONTENT", {"req.len", "gt", "0"}},
    {"TRUE", {"always_true"}},
    {"WAIT_END", {"wait_end"}},
};

static struct acl_node *add_named(struct parse *p, struct str name)
{
    struct acl_scope *scope = resolver_acls(p);
    struct acl_node *node = ARENA_NEW(p->arena, struct acl_node);
    node->acl.name = name;
    *scope->named_end = node;
    scope->named_end = &node->next;
    name_map_put(p->arena, &scope->names, name, node);
    return node;
}

static struct acl_node *add_anonymous(struct parse *p)
{
    struct acl_scope *scope = resolver_acls(p);
    struct acl_node *node = ARENA_NEW(p->arena, struct acl_node);
    node->acl.name = STR("");
    *scope->anonymous_end = node;
    scope->anonymous_end = &node->next;
    return node;
}

static struct cfg_acl_test *add_test(struct parse *p, struct acl_node *node, const struct cfg_acl_test *t)
{
    struct cfg_acl_test *copy = PARSE_PUSH(p->arena, node->acl.tests, node->acl.ntests, struct cfg_acl_test);
    *copy = *t;
    return copy;
}

// A predefined ACL becomes one of the proxy's at first use.
static struct acl_node *add_predefined(struct parse *p, unsigned word, unsigned i)
{
    struct str words[5];
    struct parse line = *p;
    struct cfg_acl_test test;
    unsigned at = 0, where;
    line.words = words;
    for (line.nwords = 0; line.nwords < 5 && predefined[i].words[line.nwords]; line.nwords++)
        words[line.nwords] = str_of(predefined[i].words[line.nwords]);
    bool good = acl_parse_test(&line, &at, line.nwords, &test, &where);
    ASSERT(good);
    test.src = test.expr.src = parse_src(p, word);
    p->resolver = line.resolver;
    struct acl_node *node = add_named(p, str_of(predefined[i].name));
    add_test(p, node, &test);
    return node;
}

static struct acl_node *find_acl(struct parse *p, unsigned word, struct str name)
{
    struct acl_node *node = name_map_get(&resolver_acls(p)->names, name);
    for (unsigned i = 0; !node && i < sizeof predefined / sizeof *predefined; i++)
        if (str_is(name, predefined[i].name))
            node = add_predefined(p, word, i);
    return node;
}

static bool check_acl_name(struct parse *p, unsigned word)
{
    struct str name = p->words[word];
    if (str_is(name, "or"))
        return parse_error(p, word, "acl name 'or' will never match: 'or' is a disjunction within a condition");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.' || c == ':'))
            return parse_error(p, word, "character '%c' is not permitted in acl name '%.*s'", c, STR_ARG(name));
    }
    return name.len > 0 || parse_error(p, word, "an acl name cannot be empty");
}

bool parse_acl_line(struct parse *p)
{
    struct cfg_acl_test test;
    unsigned word = 2, where;
    if (p->nwords < 3)
        return parse_error(p, p->nwords - 1, "'acl' expects a name and a test: acl NAME CRITERION [FLAGS] [VALUE] ...");
    if (!check_acl_name(p, 1) || !acl_parse_test(p, &word, p->nwords, &test, &where))
        return false;
    struct acl_node *node = name_map_get(&resolver_acls(p)->names, p->words[1]);
    if (!node)
        node = add_named(p, p->words[1]);
    add_test(p, node, &test);
    return true;
}

// ---- conditions ----------------------------------------------------------------------------------------------------
// Terms point at acl_nodes' ACLs until resolve_exprs() has laid out the proxy's array.
static void check_where(struct parse *p, unsigned word, const struct cfg_acl *acl, unsigned where)
{
    const struct cfg_acl_test *foreign = NULL;
    unsigned misses = 0;
    for (unsigned i = 0; i < acl->ntests; i++) {
        if (fetch_rows[acl->tests[i].expr.id].where & where)
            continue;
        foreign = &acl->tests[i];
        misses++;
    }
    if (!foreign)
        return;
    const char *fetch = fetch_rows[foreign->expr.id].name;
    if (acl->name.len == 0)
        parse_warning(p, word,
                      "anonymous acl will never match because it uses keyword '%s' which is incompatible with "
                      "%s",
                      fetch, where_name(where));
    else
        parse_warning(p, word, "acl '%.*s' %s keyword '%s' which is incompatible with %s", STR_ARG(acl->name),
                      misses == acl->ntests ? "will never match because it only involves" : "involves", fetch,
                      where_name(where));
}

static unsigned find_brace(const struct parse *p, unsigned word)
{
    while (word < p->nwords && !str_is(p->words[word], "}"))
        word++;
    return word;
}

static struct acl_node *parse_anonymous(struct parse *p, unsigned *word)
{
    struct cfg_acl_test test;
    unsigned open = *word, end = find_brace(p, open), where;
    if (end == p->nwords) {
        parse_error(p, open, "missing closing '}' in condition");
        return NULL;
    }
    ++*word;
    if (!acl_parse_test(p, word, end, &test, &where))
        return NULL;
    *word = end + 1;
    struct acl_node *node = add_anonymous(p);
    add_test(p, node, &test);
    return node;
}

// "[!...]name" or "[!...]{ test }"; a lone "!" negates the next word. *node NULL without a message: nothing followed.
static bool parse_term(struct parse *p, unsigned *word, struct acl_node **node, bool *negate)
{
    struct str name = STR("");
    *negate = false;
    *node = NULL;
    for (; name.len == 0 && *word < p->nwords; ++*word) {
        name = p->words[*word];
        for (; name.len > 0 && name.ptr[0] == '!'; name = str_slice(name, 1, name.len))
            *negate = !*negate;
    }
    if (name.len == 0)
        return true;
    --*word;
    if (str_is(name, "{")) {
        *node = parse_anonymous(p, word);
        return *node != NULL;
    }
    *node = find_acl(p, *word, name);
    if (!*node)
        return parse_error(p, *word, "no such ACL: '%.*s'", STR_ARG(name));
    ++*word;
    return true;
}

static bool parse_terms(struct parse *p, unsigned *word, unsigned where, struct cfg_cond *cond)
{
    struct cfg_and *and = NULL;
    while (*word < p->nwords) {
        struct acl_node *node;
        bool negate;
        if (str_is(p->words[*word], "or") || str_is(p->words[*word], "||")) {
            and = NULL;
            ++*word;
            continue;
        }
        unsigned at = *word;
        if (!parse_term(p, word, &node, &negate))
            return false;
        if (!node)
            break;
        check_where(p, at, &node->acl, where);
        if (!and)
            and = PARSE_PUSH(p->arena, cond->ands, cond->count, struct cfg_and);
        struct cfg_term *term = PARSE_PUSH(p->arena, and->terms, and->count, struct cfg_term);
        *term = (struct cfg_term){&node->acl, negate};
    }
    return true;
}

bool parse_cond(struct parse *p, unsigned *word, unsigned where, struct cfg_cond **out)
{
    *out = NULL;
    if (*word >= p->nwords)
        return true;
    struct str keyword = p->words[*word];
    bool unless = str_is(keyword, "unless");
    if (!unless && !str_is(keyword, "if"))
        return parse_error(p, *word, "expected either 'if' or 'unless' followed by a condition, but found '%.*s'",
                           STR_ARG(keyword));
    struct cfg_cond *cond = ARENA_NEW(p->arena, struct cfg_cond);
    cond->unless = unless;
    cond->src = parse_src(p, *word);
    unsigned first = ++*word;
    if (!parse_terms(p, word, where, cond))
        return false;
    if (cond->count == 0)
        parse_warning(p, first - 1, "the condition is empty: it %s holds", unless ? "always" : "never");
    struct acl_scope *scope = resolver_acls(p);
    struct pending_cond *pending = ARENA_NEW(p->arena, struct pending_cond);
    *pending = (struct pending_cond){scope->conds, cond};
    scope->conds = pending;
    *out = cond;
    return true;
}

bool parse_cond_list_line(struct parse *p, struct cfg_cond_list *list, unsigned word)
{
    struct cfg_cond *cond;
    unsigned where = WHERE_FRONT_REQ | WHERE_BACK_REQ;
    if (word >= p->nwords)
        return parse_error(p, p->nwords - 1, "'%.*s' expects 'if' or 'unless' followed by a condition",
                           STR_ARG(p->words[p->nwords - 1]));
    if (!parse_cond(p, &word, where, &cond))
        return false;
    *PARSE_PUSH(p->arena, list->conds, list->count, struct cfg_cond *) = cond;
    return true;
}
