// SPDX-License-Identifier: Apache-2.0
// `show cluster`: one status object, from which both the JSON and the text are made.
#include "cluster/show.h"

#include <stdlib.h>

#include "cluster/cluster.h"
#include "cluster/report.h"
#include "node/base/panic.h"

static const char *const server_state_names[] = {
    [SHOW_UP] = "up", [SHOW_DOWN] = "down", [SHOW_MAINT] = "maint", [SHOW_DRAIN] = "drain", [SHOW_NOCHECK] = "nocheck",
};

// jansson wants UTF-8; a name that is none is shown with its bytes replaced.
static json_t *text(struct str s)
{
    json_t *value = json_stringn(s.ptr ? s.ptr : "", s.len);
    if (value != NULL)
        return value;
    char *copy = str_dup(s);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)copy[i] >= 0x80)
            copy[i] = '?';
    value = json_stringn(copy, s.len);
    free(copy);
    return value;
}

static json_t *text_or_null(const char *s)
{
    return s && *s ? text(str_of(s)) : json_null();
}

// Ages and times of nodes: this one's are 0, what is not known is null.
static json_t *rtt_of(const struct cluster_view_node *n)
{
    if (n->self)
        return json_integer(0);
    return n->rtt_us < 0 ? json_null() : json_real((double)n->rtt_us / 1000);
}

static json_t *last_seen_of(const struct cluster_view_node *n, mono_t now)
{
    if (n->self)
        return json_integer(0);
    if (!mono_is_set(n->seen_at))
        return json_null();
    int64_t age = mono_diff_ms(now, n->seen_at);
    return json_integer(age > 0 ? age : 0);
}

static bool has_connections(const struct cluster_view_node *n)
{
    return n->conns > 0 && n->state != MEMBER_DEAD && n->state != MEMBER_LEFT;
}

static json_t *nodes_of(const struct cluster_view *v, mono_t now)
{
    json_t *nodes = json_array();
    for (unsigned i = 0; i < v->node_count; i++) {
        const struct cluster_view_node *n = &v->nodes[i];
        json_t *o = json_object();
        json_object_set_new(o, "name", text(str_of(n->name)));
        json_object_set_new(o, "state", json_string(member_state_name(n->state)));
        json_object_set_new(o, "isolated", json_boolean(n->isolated));
        json_object_set_new(o, "addr", text_or_null(n->addr));
        json_object_set_new(o, "link", text_or_null(n->link));
        json_object_set_new(o, "incarnation", json_integer((json_int_t)n->boot));
        json_object_set_new(o, "rtt_ms", rtt_of(n));
        json_object_set_new(o, "last_seen_ms", last_seen_of(n, now));
        json_object_set_new(o, "conns", json_integer(has_connections(n) ? n->conns : 0));
        json_array_append_new(nodes, o);
    }
    return nodes;
}

static void add_table(void *ctx, const struct show_table *row)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", text(row->name));
    json_object_set_new(o, "entries", json_integer((json_int_t)row->entries));
    json_object_set_new(o, "size", json_integer((json_int_t)row->size));
    json_array_append_new(ctx, o);
}

struct server_ctx {
    const struct cluster_view *view;
    json_t *servers;
};

static json_t *votes_of(const struct cluster_view *v, struct str backend, struct str server)
{
    json_t *votes = json_object();
    const uint8_t *by_node = cluster_view_votes(v, backend, server);
    for (unsigned i = 0; by_node != NULL && i < v->node_count; i++)
        if (by_node[i] != VERDICT_NONE)
            json_object_set_new(votes, v->nodes[i].name, json_string(by_node[i] == VERDICT_UP ? "up" : "down"));
    return votes;
}

static void add_server(void *ctx, const struct show_server *row)
{
    struct server_ctx *c = ctx;
    json_t *o = json_object();
    json_object_set_new(o, "backend", text(row->backend));
    json_object_set_new(o, "server", text(row->server));
    json_object_set_new(o, "state", json_string(server_state_names[row->state]));
    json_object_set_new(o, "local", json_string(server_state_names[row->local]));
    json_object_set_new(o, "votes", votes_of(c->view, row->backend, row->server));
    json_array_append_new(c->servers, o);
}

static json_t *status_of(const struct cluster_view *v, const struct show_providers *p, unsigned parts, mono_t now)
{
    json_t *status = json_object();
    json_object_set_new(status, "cluster", text(str_of(v->cluster)));
    json_object_set_new(status, "self", text(str_of(v->nodes[v->self].name)));
    if (parts & REPORT_NODES)
        json_object_set_new(status, "nodes", nodes_of(v, now));
    if (parts & REPORT_TABLES) {
        json_t *tables = json_array();
        if (p->each_table)
            p->each_table(p->arg, add_table, tables);
        json_object_set_new(status, "tables", tables);
    }
    if (parts & REPORT_SERVERS) {
        struct server_ctx ctx = {.view = v, .servers = json_array()};
        if (p->each_server)
            p->each_server(p->arg, add_server, &ctx);
        json_object_set_new(status, "servers", ctx.servers);
    }
    return status;
}

// [nodes|tables|servers] [json]
static bool parse_args(struct str args, unsigned *parts, bool *as_json)
{
    struct str word;
    *parts = 0;
    *as_json = false;
    while (str_split(&args, ' ', &word)) {
        unsigned part = report_part_named(word);
        if (word.len == 0)
            continue;
        if (*as_json)
            return false;
        if (str_is(word, "json"))
            *as_json = true;
        else if (part != 0 && *parts == 0)
            *parts = part;
        else
            return false;
    }
    if (*parts == 0)
        *parts = REPORT_STATUS;
    return true;
}

bool show_cluster(struct cluster *c, const struct show_providers *providers, struct str args, mono_t now,
                  struct buf *out)
{
    unsigned parts;
    bool as_json;
    if (!parse_args(args, &parts, &as_json)) {
        buf_add_cstr(out, "Usage: show cluster [nodes|tables|servers] [json]\n");
        return false;
    }
    if (c == NULL) {
        buf_add_cstr(out, "This node is in no cluster: its configuration has no section 'cluster'.\n");
        return true;
    }
    const struct cluster_view *v = cluster_view_get(c);
    json_t *status = status_of(v, providers, parts, now);
    cluster_view_put(&v);
    if (as_json) {
        char *dump = json_dumps(status, JSON_COMPACT | JSON_REAL_PRECISION(6));
        ASSERT(dump != NULL);
        buf_add_cstr(out, dump);
        buf_add_char(out, '\n');
        free(dump);
    } else {
        report_text(status, parts, false, out);
    }
    json_decref(status);
    return true;
}
