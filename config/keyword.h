// SPDX-License-Identifier: Apache-2.0
// Keywords are rows of tables: where each may stand, what it takes, which field it sets, whether it is supported. One
// engine reads a line by them; help, suggestions and the keyword reference read the same rows. Internal to config/.
#ifndef PHX_CONFIG_KEYWORD_H
#define PHX_CONFIG_KEYWORD_H

#include <stddef.h>

#include "config/parse.h"
#include "node/base/buf.h"
#include "node/base/hash.h"

enum kw_type {
    KW_WORDS,  // arguments are counted only: rows without effect and refused ones
    KW_FLAG,   // bool field, no argument; `max` is the value set: 1, or 0 for "no-…" spellings
    KW_INT,    // int field between min and max
    KW_TIME,   // int field, milliseconds
    KW_SIZE,   // int field, bytes
    KW_STRING, // struct str field, not empty
    KW_CHOICE, // int or enum field, one of `choices`
    KW_OPTION, // bit `max` of cfg_proxy.options
    KW_VALUE,  // value() reads the arguments
    KW_LINE,   // line() reads the whole line
    KW_GROUP   // the next word is a keyword of `group`
};

// A named value; the last has no name.
struct kw_choice {
    const char *name;
    int value;
};

#define IN(section)  (1u << (section))
#define IN_GLOBAL    IN(SECTION_GLOBAL)
#define IN_DEFAULTS  IN(SECTION_DEFAULTS)
#define IN_FRONTEND  IN(SECTION_FRONTEND)
#define IN_BACKEND   IN(SECTION_BACKEND)
#define IN_LISTEN    IN(SECTION_LISTEN)
#define IN_CLUSTER   IN(SECTION_CLUSTER)
#define IN_USERLIST  IN(SECTION_USERLIST)
#define IN_FRONT     (IN_FRONTEND | IN_LISTEN)
#define IN_BACK      (IN_BACKEND | IN_LISTEN)
#define IN_PROXY     (IN_FRONTEND | IN_BACKEND | IN_LISTEN)
#define IN_DEF_FRONT (IN_DEFAULTS | IN_FRONT)
#define IN_DEF_BACK  (IN_DEFAULTS | IN_BACK)
#define IN_DEF_PROXY (IN_DEFAULTS | IN_PROXY)

struct kw_table;
struct kw_row {
    const char *name;
    unsigned sections; // bits IN_…; 0 in tables of options of a line
    enum kw_status status;
    enum kw_type type;
    bool negatable;                   // "no" and "default" may stand in front
    bool rules;                       // in defaults only when named: read again for each proxy that inherits
    bool once;                        // a value other than the inherited one is replaced with a warning
    bool strict;                      // in a proxy without the capability: an error, not a warning
    unsigned char min_args, max_args; // KW_WORDS, KW_VALUE; KW_ANY = no limit
    unsigned offset;                  // of the field in what the section fills
    int64_t min, max;
    const struct kw_choice *choices;
    const struct kw_table *group;
    bool (*line)(struct parse *p);
    bool (*value)(struct parse *p, unsigned word, void *target);
    const char *args; // as the manual would write them, for help and messages; may be NULL
    const char *help; // what it does; for refused ones the reason
};
#define KW_ANY 255

// The tables, by number, so that a loader can hold a map for each.
enum kw_table_id {
    TABLE_SECTIONS,
    TABLE_GLOBAL,
    TABLE_GLOBAL_STATS,
    TABLE_PROXY,
    TABLE_OPTION,
    TABLE_TIMEOUT,
    TABLE_PROXY_STATS,
    TABLE_BIND,
    TABLE_SERVER,
    TABLE_CLUSTER,
    TABLE_USERLIST,
    TABLE_COUNT
};
struct kw_table {
    enum kw_table_id id;
    const char *what; // "keyword", "option", "timeout" …: for messages
    const struct kw_row *rows;
    unsigned count;
};
extern const struct kw_table *const kw_tables[TABLE_COUNT];

extern const struct kw_table kw_sections, kw_global, kw_global_stats, kw_proxy, kw_option, kw_timeout, kw_proxy_stats,
    kw_bind, kw_server, kw_cluster, kw_userlist;
#define KW_TABLE(id, what, rows)                                                                                       \
    {                                                                                                                  \
        id, what, rows, sizeof(rows) / sizeof((rows)[0])                                                               \
    }

const char *section_name(enum section s);

const struct kw_row *kw_find(const struct parse *p, const struct kw_table *table, struct str name);
// Message for a word that is not in the table, with a suggestion. Returns false. `where` e.g. "in 'global' section".
bool kw_unknown(struct parse *p, const struct kw_table *table, unsigned word, const char *where);

// Reads the line by the table of its section.
void kw_line(struct parse *p);
// Options that follow a line's fixed words (bind, server, default-server): from word `word` to the end of the line.
bool kw_options(struct parse *p, const struct kw_table *table, unsigned word, void *target);

// Message unless exactly min to max arguments stand from word `word` on.
bool kw_arity(struct parse *p, const struct kw_row *row, unsigned word, unsigned min, unsigned max);

#endif
