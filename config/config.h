// SPDX-License-Identifier: Apache-2.0
// Loading a configuration: text → words → sections and keywords → model, then cross-checks. No side effects: no file
// but those of the configuration itself is opened, no address bound. All errors are found in one pass.
#ifndef PHX_CONFIG_CONFIG_H
#define PHX_CONFIG_CONFIG_H

#include <stdbool.h>

#include "config/diag.h"
#include "config/model.h"
#include "node/base/buf.h"

// The version of HAProxy's language that `.if version_atleast()` and HAPROXY_BRANCH tell: files that ask for something
// newer get the older spelling, which is understood too. 3.5-dev is the reference; of what came after 3.0 only parts
// are here.
#define CONFIG_LANGUAGE_VERSION "3.0"

// What `.if feature()` and `phalanx -vv` know; ends with a NULL name.
struct config_feature {
    const char *name;
    bool present;
};
extern const struct config_feature config_features[];

struct config_options {
    const char *const *paths; // -f, in order; files or folders (*.cfg in LC_ALL=C order)
    unsigned npaths;
    const char *local_peer; // -L, NULL = `localpeer`, else host name
    bool check_only;        // -c: defined to conditions as the manual says
    bool diagnostics;       // -dD
    bool zero_warning;      // -dW: a warning is an error
    // Reads a file: a reload goes through the keeper. NULL = open() and read(). 0, or -errno. Names of a folder's files
    // are separated by NUL; -ENOTDIR tells that a path is a file.
    int (*read_file)(const char *path, size_t max, struct buf *out);
    int (*read_dir)(const char *path, struct buf *names);
};

// NULL when there was an error (all are in diag). The result has one reference.
struct config *config_load(const struct config_options *o, struct diag *diag);
// For tests and fuzzers: one file given as text.
struct config *config_load_text(const char *file_name, struct str text, const struct config_options *o,
                                struct diag *diag);

// Evaluates one `.if` expression, for -cc. -1 on a syntax error.
int config_eval_condition(const char *expr, struct diag *diag);

// The text of `phalanx help KEYWORD`: every place and row that knows the word; with "" the list of all. False: unknown,
// and *out holds suggestions.
bool config_help(const char *keyword, struct buf *out);
// All rows: keyword, arguments, where, status and meaning, separated by tabs, under a line of titles.
void config_reference(struct buf *out);

#endif
