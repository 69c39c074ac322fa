// SPDX-License-Identifier: Apache-2.0
// Statistics as rows of named fields, one row a frontend, server and backend: read by `show stat` in all its forms.
// Names, order and tags are those of management.txt 9.1.
#ifndef PHX_ADMIN_STATS_H
#define PHX_ADMIN_STATS_H

#include "node/proxy/proxy.h"

enum stat_field {
#define STAT(id, name, tags) STAT_##id,
#include "node/admin/stats.def"
#undef STAT
    STAT_COUNT
};
struct stat_name {
    const char *name;
    const char *tags; // origin, nature, scope: "MCP"
};
extern const struct stat_name stat_names[STAT_COUNT];

enum stat_kind { STAT_NONE, STAT_U32, STAT_S32, STAT_U64, STAT_STR };
struct stat_value {
    enum stat_kind kind;
    uint64_t num;
    char text[128];
};
struct stat_row {
    char type; // F, B, S
    unsigned proxy_id, server_id;
    struct stat_value values[STAT_COUNT];
};

void stats_frontend(struct stat_row *row, struct proxy *p);
void stats_backend(struct stat_row *row, struct proxy *p);
void stats_server(struct stat_row *row, struct server *srv);
// Sums over all proxies, for show info.
void stats_process(struct snapshot *s, struct counters *front);

// For the JSON forms of show stat and show info: a string with its quotes, and the words of a field's tags.
void stats_json_string(struct buf *out, const char *s);
void stats_json_tags(struct buf *out, const char *tags);

#endif
