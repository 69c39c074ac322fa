// SPDX-License-Identifier: Apache-2.0
// Sets of patterns that a value is looked up in: the words and files of an ACL, the files of map_*() converters. The
// method (configuration.txt 7.1) decides how texts are parsed, indexed and compared. Built by the builder thread, then
// sealed: from there on immutable and read by all workers at once.
#ifndef PHX_MATCH_PATTERN_H
#define PHX_MATCH_PATTERN_H

#include "node/match/sample.h"

struct pattern_set;

// One line of a file or word of the configuration, in the order of the text.
struct pattern_entry {
    struct str text;     // as written
    struct str value;    // maps: the second column
    struct sample out;   // maps: the value as the converter gives it
    uint32_t line;       // in the file, 0 = a word of the configuration
    struct regex *regex; // MATCH_REG
};

struct pattern_options {
    enum match_method method;
    bool nocase;
    bool map;               // lines have two columns
    bool no_dns;            // -n
    enum sample_type value; // maps: TYPE_STR, TYPE_INT or TYPE_ADDR
    struct str name;        // file name, prefix (file@, opt@, virt@) removed; empty for words of the configuration
};

struct pattern_set *pattern_set_create(const struct pattern_options *o);
struct pattern_set *pattern_set_ref(struct pattern_set *p);
void pattern_set_unref(struct pattern_set **p); // any thread

// One pattern; `value` only for maps. MATCH_INT and MATCH_LEN: "5", "1:10", ":10" or "10:". False with a message in
// err.
bool pattern_add(struct pattern_set *p, struct str text, struct str value, unsigned line, char *err, size_t size);
// The contents of a file: comments and empty lines are skipped. *bad_line says where it failed.
bool pattern_add_file(struct pattern_set *p, struct str content, unsigned *bad_line, char *err, size_t size);
// Builds the index. Nothing may be added afterwards.
void pattern_seal(struct pattern_set *p);

// The type that a value must be cast to before it is looked up (TYPE_ANY: MATCH_FOUND).
enum sample_type pattern_input(enum match_method m);
// NULL: no pattern matches. Values in trees (exact strings, prefixes, addresses) give the finest match, others the
// first. The sample has the type that pattern_input() names.
const struct pattern_entry *pattern_match(const struct pattern_set *p, const struct sample *s);

const struct pattern_options *pattern_set_options(const struct pattern_set *p);
unsigned pattern_count(const struct pattern_set *p);
const struct pattern_entry *pattern_entry(const struct pattern_set *p, unsigned index); // in order of the text

#endif
