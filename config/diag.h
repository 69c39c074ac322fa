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

// The reader registers files and lines, so that messages can quote them. `text` is the logical line as written; copied.
unsigned diag_file(struct diag *d, struct str path);
void diag_line(struct diag *d, unsigned file, unsigned line, struct str text);
// Where word N of that line stands, for the underline.
void diag_word(struct diag *d, unsigned file, unsigned line, unsigned word, unsigned col, unsigned len);

// All messages in order, rendered: "[ALERT]    (pid) : config : parsing [file:line] : text\n" followed by the quoted
// line and ^^^^.
void diag_render(const struct diag *d, struct buf *out, enum diag_level max_level);

#endif
