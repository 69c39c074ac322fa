// SPDX-License-Identifier: Apache-2.0
// The life of a build, and what it shares: regexes and the pattern sets of files. The result keeps them until the
// snapshot dies.
#include "node/match/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/io/keeper.h"
#include "node/match/regex.h"

#define FILE_MAX ((size_t)256 << 20)

struct kept {
    struct kept *next;
    struct regex *regex; // one of the two
    struct pattern_set *set;
};
struct compiled {
    struct kept *kept;
};

struct compile *compile_begin(const struct compile_options *o)
{
    struct compile *c = calloc(1, sizeof(*c));
    struct compiled *out = calloc(1, sizeof(*out));
    if (!c || !out)
        PANIC("out of memory");
    c->o = *o;
    if (!c->o.read_file)
        c->o.read_file = keeper_read_file;
    c->out = out;
    return c;
}

void compile_set_proxy(struct compile *c, const struct cfg_proxy *self)
{
    c->self = self;
}

struct compiled *compile_end(struct compile **c)
{
    struct compiled *out = (*c)->out;
    strmap_free(&(*c)->sets);
    strmap_free(&(*c)->acls);
    free(*c);
    *c = NULL;
    return out;
}

void compiled_free(struct compiled **compiled)
{
    if (!*compiled)
        return;
    while ((*compiled)->kept) {
        struct kept *k = (*compiled)->kept;
        (*compiled)->kept = k->next;
        regex_destroy(&k->regex);
        pattern_set_unref(&k->set);
        free(k);
    }
    free(*compiled);
    *compiled = NULL;
}

static struct kept *keep(struct compile *c)
{
    struct kept *k = calloc(1, sizeof(*k));
    if (!k)
        PANIC("out of memory");
    k->next = c->out->kept;
    c->out->kept = k;
    return k;
}

void compile_keep(struct compile *c, struct pattern_set *p)
{
    keep(c)->set = p;
}

struct regex *regex_compile(struct compile *c, struct str pattern, bool nocase, const struct cfg_src *src)
{
    char err[256];
    struct regex *r = regex_create(pattern, nocase, err, sizeof(err));
    if (r)
        keep(c)->regex = r;
    else
        diag_add(c->o.diag, DIAG_ALERT, src, "%s", err);
    return r;
}

// ---- files

enum origin { ORIGIN_FILE, ORIGIN_OPTIONAL, ORIGIN_VIRTUAL };

// file@ is the default, opt@ may be missing, virt@ never was on a disk.
static enum origin cut_origin(struct str *name)
{
    static const struct {
        struct str prefix;
        enum origin origin;
    } origins[] = {
        {{"file@", 5}, ORIGIN_FILE},
        {{"opt@", 4}, ORIGIN_OPTIONAL},
        {{"virt@", 5}, ORIGIN_VIRTUAL},
    };
    for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++) {
        if (!str_starts(*name, origins[i].prefix))
            continue;
        *name = str_slice(*name, origins[i].prefix.len, name->len);
        return origins[i].origin;
    }
    return ORIGIN_FILE;
}

static bool fill_from_file(struct compile *c, struct pattern_set *set, struct str name, enum origin origin,
                           const struct cfg_src *src)
{
    if (origin == ORIGIN_VIRTUAL)
        return true;
    char *path = str_dup(name);
    struct buf content = BUF_INIT;
    char err[300];
    unsigned line = 0;
    bool ok = true;
    int rc = c->o.read_file(path, FILE_MAX, &content);
    if (rc < 0 && !(origin == ORIGIN_OPTIONAL && rc == -ENOENT)) {
        diag_add(c->o.diag, DIAG_ALERT, src, "cannot read pattern file '%s': %s", path, strerror(-rc));
        ok = false;
    } else if (rc >= 0 && !pattern_add_file(set, buf_str(&content), &line, err, sizeof(err))) {
        diag_add(c->o.diag, DIAG_ALERT, src, "%s, at line %u of file '%s'", err, line, path);
        ok = false;
    }
    buf_free(&content);
    free(path);
    return ok;
}

struct pattern_set *compile_file(struct compile *c, const struct pattern_options *kind, struct str name,
                                 const struct cfg_src *src)
{
    struct pattern_options options = *kind;
    enum origin origin = cut_origin(&name);
    options.name = name;
    struct str key = arena_printf(c->o.arena, "%d %d %d %d %d %.*s", options.method, options.nocase, options.map,
                                  options.no_dns, options.value, STR_ARG(name));
    struct pattern_set *set = strmap_get(&c->sets, key);
    if (set)
        return set;
    set = pattern_set_create(&options);
    if (!fill_from_file(c, set, name, origin, src)) {
        pattern_set_unref(&set);
        return NULL;
    }
    pattern_seal(set);
    compile_keep(c, set);
    strmap_put(&c->sets, key, set);
    return set;
}
