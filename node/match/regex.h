// SPDX-License-Identifier: Apache-2.0
// Regular expressions: PCRE2, compiled with JIT when a snapshot is built, matched by all workers with a match context
// of their own.
#ifndef PHX_MATCH_REGEX_H
#define PHX_MATCH_REGEX_H

#include <stdbool.h>

#include "node/base/arena.h"
#include "node/base/str.h"

struct regex;
// NULL with a message in err (why and where) on failure.
struct regex *regex_create(struct str pattern, bool nocase, char *err, size_t err_size);
void regex_destroy(struct regex **r);
bool regex_match(const struct regex *r, struct str subject);
// Replaces the first match (all with `global`); \1..\9, \0 in `replacement`. Returns false when nothing matched; *out
// is in the arena.
bool regex_replace(const struct regex *r, struct str subject, struct str replacement, bool global, struct arena *arena,
                   struct str *out);
// HAProxy's replace-header/replace-path form: the result is the replacement alone with groups expanded; what the
// expression did not match is dropped. False when nothing matched.
bool regex_expand(const struct regex *r, struct str subject, struct str replacement, struct arena *arena,
                  struct str *out);
void regex_thread_exit(void); // frees the calling thread's match context

#endif
