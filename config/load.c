// SPDX-License-Identifier: Apache-2.0
// From files to a configuration: reads the files, cuts lines, hands each to its section, and checks the whole. All
// mistakes are found in one pass.
#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/cond.h"

#define MAX_FILE ((size_t)256 << 20)

// ---- Files ---------------------------------------------------------------------------------------------------------
static int read_file_directly(const char *path, size_t max, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        buf_reserve(out, 65536);
        ssize_t n = read(fd, out->data + out->len, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        int error = n < 0 ? -errno : 0;
        if (n > 0)
            out->len += (size_t)n;
        if (out->len > max)
            error = -EFBIG;
        if (n <= 0 || error) {
            close(fd);
            return error;
        }
    }
}

static int read_dir_directly(const char *path, struct buf *names)
{
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        buf_add(names, entry->d_name, strlen(entry->d_name) + 1);
    closedir(dir);
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The *.cfg of a folder, not hidden, in the order of LC_ALL=C. Names are separated by NUL.
static void add_folder(struct parse *p, const char *path, struct str names)
{
    struct str rest = names, name;
    const char **paths = NULL;
    unsigned n = 0;
    while (str_split(&rest, '\0', &name))
        if (name.len > 4 && name.ptr[0] != '.' && str_ends(name, STR(".cfg")))
            *PARSE_PUSH(p->arena, paths, n, const char *) = arena_printf(p->arena, "%s/%.*s", path, STR_ARG(name)).ptr;
    if (n)
        qsort(paths, n, sizeof(*paths), by_bytes);
    for (unsigned i = 0; i < n; i++)
        *PARSE_PUSH(p->arena, p->config->files, p->config->nfiles, struct str) = str_of(paths[i]);
}

static void list_files(struct parse *p)
{
    const struct config_options *o = p->loader->options;
    int (*read_dir)(const char *, struct buf *) = o->read_dir ? o->read_dir : read_dir_directly;
    for (unsigned i = 0; i < o->npaths; i++) {
        struct buf names = BUF_INIT;
        if (read_dir(o->paths[i], &names) == 0)
            add_folder(p, o->paths[i], buf_str(&names));
        else
            *PARSE_PUSH(p->arena, p->config->files, p->config->nfiles, struct str) =
                arena_str(p->arena, str_of(o->paths[i]));
        buf_free(&names);
    }
}

// ---- Lines ---------------------------------------------------------------------------------------------------------
static struct str section_title(const struct parse *p)
{
    if (p->section == SECTION_CLUSTER)
        return p->cluster->name;
    if (p->section == SECTION_DEFAULTS)
        return p->loader->current_defaults->name;
    return p->proxy && p->section != SECTION_GLOBAL ? p->proxy->name : str_of(section_name(p->section));
}

// A line of no section is a mistake; of an unsupported one it was said at its header.
static void outside(struct parse *p)
{
    if (p->loader->skip_section)
        return;
    p->loader->skip_section = true;
    const char *near = parse_nearest(p->words[0], kw_sections.rows, kw_sections.count, sizeof(kw_sections.rows[0]));
    parse_error(p, 0, "unknown keyword '%.*s' out of section%s%s%s", STR_ARG(p->words[0]),
                near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
}

static void begin_section(struct parse *p, const struct kw_row *row)
{
    end_section(p);
    p->loader->skip_section = row->status == KW_REFUSED;
    if (row->status == KW_REFUSED)
        parse_error(p, 0, "section '%s' is known to HAProxy but not supported yet: %s.", row->name, row->help);
    else
        row->line(p);
}

static void add_digest(struct parse *p)
{
    const struct str *last = &p->words[p->nwords - 1];
    size_t len = (size_t)(last->ptr + last->len - p->words[0].ptr);
    if (p->proxy)
        p->proxy->digest = (uint32_t)hash64(p->words[0].ptr, len, p->proxy->digest);
}

static void statement(struct parse *p)
{
    const struct kw_row *section = kw_find(p, &kw_sections, p->words[0]);
    if (section)
        begin_section(p, section);
    else if (p->section == SECTION_NONE)
        outside(p);
    if (p->section != SECTION_NONE)
        add_digest(p);
    if (!section && p->section != SECTION_NONE)
        kw_line(p);
}

static void line(struct parse *p, struct cond_stack *conds, struct str text)
{
    struct lex *lex = &p->loader->lex;
    lex->section = section_title(p);
    lex->line = p->src.line;
    struct lex_error error;
    p->word_base = 0;
    p->prefix = PREFIX_NONE;
    if (!lex_line(lex, text, &p->words, &p->nwords, &error)) {
        diag_add_at(p->diag, DIAG_ALERT, &p->src, error.col, error.len, "%s at position %u.", error.text,
                    error.col + 1);
        return;
    }
    if (p->nwords == 0)
        return;
    if (p->words[0].len && p->words[0].ptr[0] == '.')
        cond_directive(p, conds);
    else if (!cond_skipping(conds))
        statement(p);
}

static void text_of_file(struct parse *p, unsigned file, struct str text)
{
    struct cond_stack *conds = ARENA_NEW(p->arena, struct cond_stack);
    struct str rest = text, one = STR("");
    diag_text(p->diag, file, text);
    p->config->digest = hash64(text.ptr ? text.ptr : "", text.len, p->config->digest);
    p->loader->lex.file = p->config->files[file];
    p->src = (struct cfg_src){.file = (uint16_t)file};
    while (str_split(&rest, '\n', &one)) {
        p->src.line++;
        if (rest.ptr || one.len)
            line(p, conds, one);
    }
    if (one.len)
        diag_add_at(p->diag, DIAG_ALERT, &p->src, (unsigned)one.len, 1,
                    "Missing LF on last line, file might have been truncated at position %zu.", one.len + 1);
    cond_finish(p, conds);
    end_section(p);
}

static void file(struct parse *p, unsigned index)
{
    const struct config_options *o = p->loader->options;
    int (*read_file)(const char *, size_t, struct buf *) = o->read_file ? o->read_file : read_file_directly;
    struct buf text = BUF_INIT;
    struct str path = p->config->files[index];
    int error = read_file(path.ptr, MAX_FILE, &text);
    if (error != 0)
        diag_add(p->diag, DIAG_ALERT, NULL, "Could not open configuration file %.*s : %s", STR_ARG(path),
                 strerror(error < 0 ? -error : errno));
    else
        text_of_file(p, index, buf_str(&text));
    buf_free(&text);
}

// ---- The whole -----------------------------------------------------------------------------------------------------
static void predefine(struct parse *p)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {{"HAPROXY_BRANCH", CONFIG_LANGUAGE_VERSION},
                 {"HAPROXY_STARTUP_VERSION", CONFIG_LANGUAGE_VERSION},
                 {"HAPROXY_TCP_LOG_FMT", LOG_FORMAT_TCP},
                 {"HAPROXY_HTTP_LOG_FMT", LOG_FORMAT_HTTP},
                 {"HAPROXY_HTTP_CLF_LOG_FMT", LOG_FORMAT_CLF}};
    struct cfg_global *g = &p->config->global;
    struct buf files = BUF_INIT;
    char host[256] = "localhost";
    gethostname(host, sizeof(host) - 1);
    g->localpeer = arena_str(p->arena, str_of(p->loader->options->local_peer ? p->loader->options->local_peer : host));
    env_set(p->env, STR("HAPROXY_LOCALPEER"), g->localpeer);
    for (unsigned i = 0; i < p->config->nfiles; i++) {
        if (i > 0)
            buf_add_char(&files, ';');
        buf_add_str(&files, p->config->files[i]);
    }
    env_set(p->env, STR("HAPROXY_CFGFILES"), buf_str(&files));
    buf_free(&files);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        env_set(p->env, str_of(fixed[i].name), str_of(fixed[i].value));
}

static void map_tables(struct loader *l)
{
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        for (unsigned i = 0; i < kw_tables[t]->count; i++) {
            const struct kw_row *row = &kw_tables[t]->rows[i];
            // The map has no const values; nothing writes through them.
            void *old = strmap_put(&l->tables[t], str_of(row->name), (void *)(uintptr_t)row);
            ASSERT(old == NULL);
        }
}

static void finish(struct parse *p)
{
    resolve_exprs(p);
    check_userlists(p);
    check_clusters(p);
    check_config(p);
    p->config->warnings = diag_count(p->diag, DIAG_WARNING);
    if (p->config->warnings && (p->loader->zero_warning || p->loader->options->zero_warning))
        diag_add(p->diag, DIAG_ALERT, NULL, "Some warnings were found and 'zero-warning' is set. Aborting.");
}

static struct config *create(void)
{
    struct arena *arena = arena_create(64 * 1024);
    struct config *c = ARENA_NEW(arena, struct config);
    c->magic = CONFIG_MAGIC;
    c->arena = arena;
    atomic_init(&c->refs, 1);
    global_init(&c->global);
    return c;
}

// text: the one file's, or NULL to read o->paths.
static struct config *load(const struct config_options *o, const char *file_name, const struct str *text,
                           struct diag *diag)
{
    unsigned before = diag_count(diag, DIAG_ALERT);
    struct config *c = create();
    struct loader loader = {.options = o};
    struct parse p = {.config = c, .arena = c->arena, .diag = diag, .loader = &loader, .env = env_create(c->arena)};
    loader.lex = (struct lex){.arena = c->arena, .env = p.env};
    map_tables(&loader);
    if (text)
        *PARSE_PUSH(c->arena, c->files, c->nfiles, struct str) = arena_str(c->arena, str_of(file_name));
    else
        list_files(&p);
    predefine(&p);
    for (unsigned i = 0; i < c->nfiles; i++)
        diag_file(diag, c->files[i]);
    if (text)
        text_of_file(&p, 0, *text);
    else
        for (unsigned i = 0; i < c->nfiles; i++)
            file(&p, i);
    finish(&p);
    lex_free(&loader.lex);
    buf_free(&loader.servers);
    env_destroy(&p.env);
    strmap_free(&loader.server_names);
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        strmap_free(&loader.tables[t]);
    if (diag_count(diag, DIAG_ALERT) > before)
        config_unref(&c);
    return c;
}

struct config *config_load(const struct config_options *o, struct diag *diag)
{
    return load(o, NULL, NULL, diag);
}

struct config *config_load_text(const char *file_name, struct str text, const struct config_options *o,
                                struct diag *diag)
{
    return load(o, file_name, &text, diag);
}

int config_eval_condition(const char *expr, struct diag *diag)
{
    struct arena *arena = arena_create(4096);
    struct env *env = env_create(arena);
    struct cond_error error;
    int value = cond_value(str_of(expr), env, &error);
    if (value < 0)
        diag_add(diag, DIAG_ALERT, NULL, "Failed to evaluate condition '%s' at position %u: %s.", expr, error.at + 1,
                 error.text);
    env_destroy(&env);
    arena_destroy(&arena);
    return value;
}
