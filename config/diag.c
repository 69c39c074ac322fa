// SPDX-License-Identifier: Apache-2.0
// Diagnostics, collected in order. Lines are cut out of the files' text only when a message is rendered, so that a
// configuration without mistakes pays for one copy of its text.
#include "config/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/lex.h"
#include "node/base/arena.h"

#define MAX_MESSAGES 10000 // further ones are only counted
#define MAX_QUOTED   160   // bytes of a quoted line
#define NO_COLUMN    UINT32_MAX

struct file {
    struct str path, text;
};

struct message {
    enum diag_level level;
    bool has_src;
    struct cfg_src src;
    unsigned col, len; // NO_COLUMN: the word src.word
    struct str text;
};

struct diag {
    struct arena *arena;
    struct file *files;
    unsigned nfiles;
    struct message *messages;
    unsigned nmessages;
    unsigned counts[DIAG_DIAG + 1];
};

static void *grow(void *array, unsigned count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array;
    array = realloc(array, size * (count ? (size_t)count * 2 : 1));
    if (!array)
        PANIC("out of memory: %u diagnostics", count);
    return array;
}

struct diag *diag_create(void)
{
    struct diag *d = calloc(1, sizeof(*d));
    if (!d)
        PANIC("out of memory: diagnostics");
    d->arena = arena_create(4096);
    return d;
}

void diag_destroy(struct diag **d)
{
    if (!*d)
        return;
    arena_destroy(&(*d)->arena);
    free((*d)->files);
    free((*d)->messages);
    free(*d);
    *d = NULL;
}

unsigned diag_file(struct diag *d, struct str path)
{
    d->files = grow(d->files, d->nfiles, sizeof(*d->files));
    d->files[d->nfiles] = (struct file){.path = arena_str(d->arena, path)};
    return d->nfiles++;
}

void diag_text(struct diag *d, unsigned file, struct str text)
{
    ASSERT(file < d->nfiles);
    d->files[file].text = arena_str(d->arena, text);
}

// ---- Collecting ----------------------------------------------------------------------------------------------------
// A line of a named defaults section is read again for each proxy that inherits from it: said once is enough.
static bool already_said(const struct diag *d, const struct message *m)
{
    for (unsigned i = d->nmessages; m->has_src && i > 0; i--) {
        const struct message *old = &d->messages[i - 1];
        if (old->has_src && old->src.line == m->src.line && old->src.file == m->src.file &&
            old->src.word == m->src.word && old->level == m->level && str_eq(old->text, m->text))
            return true;
    }
    return false;
}

static void add(struct diag *d, struct message m, const char *fmt, va_list ap)
{
    m.text = arena_vprintf(d->arena, fmt, ap);
    if (d->nmessages < MAX_MESSAGES && already_said(d, &m))
        return;
    d->counts[m.level]++;
    if (d->nmessages == MAX_MESSAGES)
        return;
    d->messages = grow(d->messages, d->nmessages, sizeof(*d->messages));
    d->messages[d->nmessages++] = m;
}

void diag_vadd(struct diag *d, enum diag_level level, const struct cfg_src *src, const char *fmt, va_list ap)
{
    struct message m = {.level = level, .has_src = src != NULL, .col = NO_COLUMN};
    if (src)
        m.src = *src;
    add(d, m, fmt, ap);
}

void diag_add(struct diag *d, enum diag_level level, const struct cfg_src *src, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(d, level, src, fmt, ap);
    va_end(ap);
}

void diag_add_at(struct diag *d, enum diag_level level, const struct cfg_src *src, unsigned col, unsigned len,
                 const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, (struct message){.level = level, .has_src = true, .src = *src, .col = col, .len = len}, fmt, ap);
    va_end(ap);
}

unsigned diag_count(const struct diag *d, enum diag_level level)
{
    return d->counts[level];
}

// ---- Rendering -----------------------------------------------------------------------------------------------------
static bool find_line(const struct diag *d, const struct cfg_src *src, struct str *line)
{
    struct str rest = src->file < d->nfiles ? d->files[src->file].text : STR_NONE;
    for (unsigned n = 0; n < src->line; n++)
        if (!str_split(&rest, '\n', line))
            return false;
    return src->line > 0 && line->len > 0;
}

// One column a character: the following bytes of a UTF-8 sequence have none, control characters are not printed.
static void quote(struct buf *out, struct str line, size_t from, size_t to, size_t col, size_t len)
{
    buf_add_cstr(out, "    ");
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        buf_add_char(out, c == '\t' || c >= ' ' ? (char)c : '?');
    }
    buf_add_cstr(out, "\n    ");
    for (size_t i = from; i < to && i < col + len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c & 0xc0) == 0x80)
            continue;
        buf_add_char(out, i >= col ? '^' : c == '\t' ? '\t' : ' ');
    }
    if (col >= to)
        buf_add_char(out, '^');
    buf_add_char(out, '\n');
}

static void render_line(const struct diag *d, const struct message *m, struct buf *out)
{
    struct str line;
    unsigned col = m->col, len = m->len;
    if (!m->has_src || !find_line(d, &m->src, &line))
        return;
    while (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (col == NO_COLUMN && !lex_find_word(line, m->src.word, &col, &len)) {
        // The word that is missing would stand at the end.
        col = (unsigned)line.len;
        len = 1;
    }
    size_t from = 0, to = line.len;
    while (from < to && from < col && (line.ptr[from] == ' ' || line.ptr[from] == '\t'))
        from++;
    if (col > from + MAX_QUOTED / 2)
        from = col - MAX_QUOTED / 2;
    if (to > from + MAX_QUOTED)
        to = from + MAX_QUOTED;
    quote(out, line, from, to, col, len ? len : 1);
}

static void render_message(const struct diag *d, const struct message *m, struct buf *out)
{
    static const char *const names[] = {"[ALERT]   ", "[WARNING] ", "[NOTICE]  ", "[DIAG]    "};
    buf_printf(out, "%s (%d) : config : ", names[m->level], (int)getpid());
    if (m->has_src && m->src.file < d->nfiles)
        buf_printf(out, "parsing [%.*s:%u] : ", STR_ARG(d->files[m->src.file].path), m->src.line);
    buf_add_str(out, m->text);
    buf_add_char(out, '\n');
    render_line(d, m, out);
}

void diag_render(const struct diag *d, struct buf *out, enum diag_level max_level)
{
    for (unsigned i = 0; i < d->nmessages; i++)
        if (d->messages[i].level <= max_level)
            render_message(d, &d->messages[i], out);
    unsigned total = 0;
    for (unsigned level = 0; level <= DIAG_DIAG; level++)
        total += d->counts[level];
    if (total > d->nmessages)
        buf_printf(out, "... and %u more messages\n", total - d->nmessages);
}
