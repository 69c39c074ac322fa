// SPDX-License-Identifier: Apache-2.0
// Diagnostics: everything wrong with a configuration, each with file, line, the word underlined and what was expected.
// Collected, not printed: the caller decides (stderr at start, the runtime API at a reload). Compiling regexes, maps
// and binding addresses reports through the same collector by source position.
#ifndef PHX_CONFIG_DIAG_H
#define PHX_CONFIG_DIAG_H

#include <stdarg.h>

#include "config/model.h"
#include "node/base/buf.h"

enum diag_level { DIAG_ALERT, DIAG_WARNING, DIAG_NOTICE, DIAG_DIAG };

struct diag;

struct diag *diag_create(void);
void diag_destroy(struct diag **d);

// Message about a place in the text. src may be NULL.
void diag_add(struct diag *d, enum diag_level level, const struct cfg_src *src, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void diag_vadd(struct diag *d, enum diag_level level, const struct cfg_src *src, const char *fmt, va_list ap);
unsigned diag_count(const struct diag *d, enum diag_level level);

// Message about bytes of a line that are not a whole word; col counts from 0.
void diag_add_at(struct diag *d, enum diag_level level, const struct cfg_src *src, unsigned col, unsigned len,
                 const char *fmt, ...) __attribute__((format(printf, 6, 7)));

// The reader registers the files and their text (copied), so that messages can quote lines and underline words.
unsigned diag_file(struct diag *d, struct str path);
void diag_text(struct diag *d, unsigned file, struct str text);

// All messages in order, rendered: "[ALERT]    (pid) : config : parsing [file:line] : text\n" followed by the quoted
// line and ^^^^.
void diag_render(const struct diag *d, struct buf *out, enum diag_level max_level);

#endif
