// SPDX-License-Identifier: Apache-2.0
// Section headers: the lines that begin global, defaults, frontend, backend, listen, cluster and userlist, and the
// inheritance from defaults sections (configuration.txt 4).
#include "config/load.h"

#define UNSUPPORTED(section, reason)                                                                                   \
    {                                                                                                                  \
        .name = section, .status = KW_REFUSED, .help = reason                                                          \
    }

static const struct kw_row rows[] = {
    {.name = "global", .type = KW_LINE, .line = begin_global, .help = "settings of the whole process"},
    {.name = "defaults",
     .type = KW_LINE,
     .line = begin_defaults,
     .args = "[<name>] [from <defaults>]",
     .help = "settings that the proxies below, or those that name it with `from`, start with"},
    {.name = "frontend",
     .type = KW_LINE,
     .line = begin_proxy,
     .args = "<name> [from <defaults>]",
     .help = "a proxy's client side: where it listens, what it does with requests"},
    {.name = "backend",
     .type = KW_LINE,
     .line = begin_proxy,
     .args = "<name> [from <defaults>]",
     .help = "a proxy's server side: servers and how they are chosen"},
    {.name = "listen",
     .type = KW_LINE,
     .line = begin_proxy,
     .args = "<name> [from <defaults>]",
     .help = "a frontend and a backend in one"},
    {.name = "cluster",
     .type = KW_LINE,
     .line = begin_cluster,
     .args = "<name>",
     .help = "the nodes that share stick tables, health and administration (Phalanx only)"},
    {.name = "userlist",
     .type = KW_LINE,
     .line = begin_userlist,
     .args = "<name>",
     .help = "users and groups for HTTP authentication"},
    UNSUPPORTED("acme", "certificates by ACME"),
    UNSUPPORTED("cache", "the HTTP cache"),
    UNSUPPORTED("crt-list", "certificate lists"),
    UNSUPPORTED("crt-store", "certificate stores"),
    UNSUPPORTED("fcgi-app", "FastCGI"),
    UNSUPPORTED("healthcheck", "named health checks"),
    UNSUPPORTED("http-errors", "sets of error files"),
    UNSUPPORTED("log-forward", "forwarding of logs"),
    UNSUPPORTED("log-profile", "log profiles"),
    UNSUPPORTED("mailers", "mail alerts"),
    UNSUPPORTED("peers", "HAProxy's own peers protocol; a `cluster` section replicates tables"),
    UNSUPPORTED("program", "programs run beside the proxy"),
    UNSUPPORTED("resolvers", "name resolution at run time"),
    UNSUPPORTED("ring", "ring buffers"),
    UNSUPPORTED("traces", "traces"),
};
const struct kw_table kw_sections = KW_TABLE(TABLE_SECTIONS, "section", rows);

// ---- Names ---------------------------------------------------------------------------------------------------------
static bool check_name(struct parse *p, unsigned word, const char *what)
{
    struct str name = p->words[word];
    for (size_t i = 0; i < name.len; i++) {
        char c = str_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || memchr("-_.:", c, 4)))
            return parse_error(p, word, "character '%c' is not permitted in '%s' name '%.*s'.", name.ptr[i], what,
                               STR_ARG(name));
    }
    return true;
}

static bool has_name(struct parse *p)
{
    if (p->nwords > 1 && p->words[1].len > 0)
        return check_name(p, 1, p->words[0].ptr);
    return parse_error(p, 1, "'%.*s' expects a name as its argument.", STR_ARG(p->words[0]));
}

static bool no_more_words(struct parse *p, unsigned from)
{
    if (p->nwords <= from)
        return true;
    return parse_error(p, from, "'%.*s' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[0]),
                       STR_ARG(p->words[from]));
}

void end_section(struct parse *p)
{
    struct buf *servers = &p->loader->servers;
    if (servers->len > 0)
        p->proxy->servers = arena_memdup(p->arena, servers->data, servers->len);
    buf_clear(servers);
    p->section = SECTION_NONE;
    p->proxy = NULL;
    p->cluster = NULL;
    p->loader->skip_section = false;
}

bool begin_global(struct parse *p)
{
    p->section = SECTION_GLOBAL;
    return no_more_words(p, 1);
}

// ---- Defaults ------------------------------------------------------------------------------------------------------
// Line of a message's source, for messages that name a second place.
static struct str place_of(struct parse *p, struct cfg_src src)
{
    return arena_printf(p->arena, "%.*s:%u", STR_ARG(p->config->files[src.file]), src.line);
}

static struct defaults *find_defaults(struct parse *p, unsigned word)
{
    struct loader *l = p->loader;
    struct defaults *found = NULL;
    struct str name = p->words[word];
    for (unsigned i = l->ndefaults; i > 0; i--) {
        if (!str_eq(l->defaults[i - 1]->name, name))
            continue;
        if (found) {
            parse_error(p, word, "ambiguous defaults section name '%.*s': it exists at least at %s and %s.",
                        STR_ARG(name), place_of(p, l->defaults[i - 1]->src).ptr, place_of(p, found->src).ptr);
            return found;
        }
        found = l->defaults[i - 1];
    }
    if (!found) {
        const char **names = ARENA_ARRAY(p->arena, const char *, l->ndefaults + 1);
        for (unsigned i = 0; i < l->ndefaults; i++)
            names[i] = l->defaults[i]->name.ptr;
        const char *near = parse_nearest(name, names, l->ndefaults, sizeof(*names));
        parse_error(p, word, "defaults section '%.*s' not found%s%s%s", STR_ARG(name), near ? "; did you mean '" : "",
                    near ? near : "", near ? "' maybe ?" : "");
    }
    return found;
}

// "from NAME" at `word`, else the last defaults section for proxies and nothing for defaults. False: message given.
static bool find_base(struct parse *p, unsigned word, bool implicit, struct defaults **base)
{
    struct loader *l = p->loader;
    *base = NULL;
    if (word < p->nwords) {
        if (!str_is(p->words[word], "from") || word + 1 == p->nwords)
            return parse_error(p, word,
                               str_is(p->words[word], "from")
                                   ? "'from' expects the name of a defaults section."
                                   : "unexpected argument: expected 'from' and the name of a defaults "
                                     "section; addresses are given by 'bind' lines.");
        if (!no_more_words(p, word + 2))
            return false;
        *base = find_defaults(p, word + 1);
        if (*base)
            (*base)->explicit = true;
    } else if (implicit && l->ndefaults > 0) {
        *base = l->defaults[l->ndefaults - 1];
        if (!(*base)->implicit)
            (*base)->implicit_src = p->src;
        (*base)->implicit = true;
    }
    if (*base && (*base)->implicit && (*base)->explicit && (*base)->nrules > 0)
        diag_add(
            p->diag, DIAG_ALERT, &(*base)->implicit_src,
            "defaults section '%.*s' (declared at %s) is explicitly referenced by another proxy and implicitly used "
            "here. To avoid any ambiguity don't mix both usage. Add a last defaults section not explicitly used or "
            "always use explicit references.",
            STR_ARG((*base)->name), place_of(p, (*base)->src).ptr);
    return true;
}

// Starting values: those of the base, with arrays that may grow.
static void inherit(struct parse *p, const struct defaults *base, struct cfg_proxy *px, struct cfg_server *sv)
{
    if (!base) {
        proxy_init(px);
        server_init(sv);
        return;
    }
    *px = base->proxy;
    *sv = base->server;
    PARSE_CLONE(p->arena, px->logs, px->nlogs);
    PARSE_CLONE(p->arena, px->errorfiles, px->nerrorfiles);
    PARSE_CLONE(p->arena, px->http_check.headers, px->http_check.nheaders);
    // Rules are read again, with the proxy's own ACLs.
    px->acls = NULL;
    px->nacls = 0;
    memset(px->rules, 0, sizeof(px->rules));
}

bool begin_defaults(struct parse *p)
{
    struct defaults *d = ARENA_NEW(p->arena, struct defaults), *base;
    unsigned word = 1;
    p->section = SECTION_DEFAULTS;
    if (p->nwords > 1 && !str_is(p->words[1], "from"))
        d->name = p->words[word++];
    bool ok = find_base(p, word, false, &base);
    if (base && base->nrules > 0)
        parse_error(p, 0,
                    "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules (defaults "
                    "section at %s).",
                    place_of(p, base->src).ptr);
    inherit(p, base, &d->proxy, &d->server);
    d->src = p->src;
    d->proxy.name = d->name.len ? d->name : STR("defaults");
    d->proxy.caps = CAP_FRONT | CAP_BACK;
    d->proxy.src = p->src;
    *PARSE_PUSH(p->arena, p->loader->defaults, p->loader->ndefaults, struct defaults *) = d;
    p->loader->current_defaults = d;
    p->loader->base = base;
    p->proxy = &d->proxy;
    return ok;
}

// ---- Proxies -------------------------------------------------------------------------------------------------------
static const char *kind_of(unsigned caps)
{
    return caps == CAP_FRONT ? "frontend" : caps == CAP_BACK ? "backend" : "proxy";
}

static void register_proxy(struct parse *p, struct cfg_proxy *px)
{
    struct config *c = p->config;
    px->index = c->nproxies;
    *PARSE_PUSH(p->arena, c->proxies, c->nproxies, struct cfg_proxy *) = px;
    struct cfg_proxy *other = strmap_get(&c->proxy_names, px->name);
    if (!other) {
        strmap_put(&c->proxy_names, px->name, px);
        return;
    }
    for (struct cfg_proxy *same = other; same; same = same->same_name)
        if (same->caps & px->caps) {
            parse_error(p, 1, "%s '%.*s' has the same name as %s '%.*s' declared at %s.", kind_of(px->caps),
                        STR_ARG(px->name), kind_of(same->caps), STR_ARG(same->name), place_of(p, same->src).ptr);
            break;
        }
    px->same_name = other->same_name;
    other->same_name = px;
}

// Reads the rules of the defaults section for this proxy.
static void replay(struct parse *p, const struct defaults *base)
{
    struct parse saved = *p;
    p->loader->replaying = true;
    for (unsigned i = 0; i < base->nrules; i++) {
        const struct saved_line *line = &base->rules[i];
        p->words = line->words;
        p->nwords = line->nwords;
        p->src = line->src;
        p->src.word = 0;
        p->word_base = line->src.word;
        kw_line(p);
    }
    saved.loader->replaying = false;
    *p = saved;
}

bool begin_proxy(struct parse *p)
{
    struct loader *l = p->loader;
    struct defaults *base;
    struct cfg_proxy *px = ARENA_NEW(p->arena, struct cfg_proxy);
    p->section = SECTION_LISTEN;
    unsigned caps = CAP_FRONT | CAP_BACK;
    if (str_is(p->words[0], "frontend")) {
        p->section = SECTION_FRONTEND;
        caps = CAP_FRONT;
    } else if (str_is(p->words[0], "backend")) {
        p->section = SECTION_BACKEND;
        caps = CAP_BACK;
    }
    bool named = has_name(p), ok = find_base(p, 2, true, &base);
    inherit(p, base, px, &l->server);
    px->name = p->nwords > 1 ? p->words[1] : STR("");
    px->caps = caps;
    px->src = p->src;
    px->digest = base ? base->proxy.digest : 0;
    p->proxy = px;
    l->base = base;
    strmap_free(&l->server_names);
    register_proxy(p, px);
    if (base && base->nrules > 0)
        replay(p, base);
    return named && ok;
}

// ---- Cluster, userlist ---------------------------------------------------------------------------------------------
bool begin_cluster(struct parse *p)
{
    struct config *c = p->config;
    p->section = SECTION_CLUSTER;
    bool ok = has_name(p) && no_more_words(p, 2);
    struct str name = p->nwords > 1 ? p->words[1] : STR("");
    for (unsigned i = 0; i < c->nclusters; i++)
        if (str_eq(c->clusters[i].name, name))
            parse_error(p, 1, "cluster '%.*s' was already declared at %s.", STR_ARG(name),
                        place_of(p, c->clusters[i].src).ptr);
    p->cluster = PARSE_PUSH(p->arena, c->clusters, c->nclusters, struct cfg_cluster);
    p->cluster->name = name;
    p->cluster->self = -1;
    p->cluster->health = CLUSTER_HEALTH_QUORUM;
    p->cluster->tables_replicated = true;
    p->cluster->src = p->src;
    return ok;
}

bool begin_userlist(struct parse *p)
{
    struct config *c = p->config;
    p->section = SECTION_USERLIST;
    bool ok = has_name(p) && no_more_words(p, 2);
    struct str name = p->nwords > 1 ? p->words[1] : STR("");
    for (unsigned i = 0; i < c->nuserlists; i++)
        if (str_eq(c->userlists[i].name, name))
            parse_error(p, 1, "userlist '%.*s' was already declared.", STR_ARG(name));
    PARSE_PUSH(p->arena, c->userlists, c->nuserlists, struct cfg_userlist)->name = name;
    return ok;
}
