// SPDX-License-Identifier: Apache-2.0
// Status objects as aligned tables.
#include "cluster/report.h"

#include "cluster/texttable.h"

unsigned report_part_named(struct str word)
{
    if (str_is(word, "nodes"))
        return REPORT_NODES;
    if (str_is(word, "tables"))
        return REPORT_TABLES;
    return str_is(word, "servers") ? REPORT_SERVERS : 0;
}

// ---- fields ----

static const char *field(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text && *text ? text : "-";
}

static bool field_is(const json_t *row, const char *key, const char *want)
{
    return str_is(str_of(field(row, key)), want);
}

static bool is_isolated(const json_t *node)
{
    return json_is_true(json_object_get(node, "isolated"));
}

static bool node_ails(const json_t *node)
{
    return field_is(node, "state", "unknown") || field_is(node, "state", "suspect") ||
           field_is(node, "state", "dead") || is_isolated(node);
}

static enum text_colour state_colour(const char *state)
{
    static const struct {
        const char *state;
        enum text_colour colour;
    } colours[] = {
        {"up", TEXT_GREEN}, {"down", TEXT_RED},    {"dead", TEXT_RED},
        {"left", TEXT_DIM}, {"nocheck", TEXT_DIM}, {"unknown", TEXT_RED},
    };
    for (unsigned i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
        if (str_is(str_of(state), colours[i].state))
            return colours[i].colour;
    return TEXT_YELLOW;
}

// "850 ms", "12.3 s", "5 min", "3.0 h"
static void add_age(struct texttable *t, const json_t *ms)
{
    double v = json_number_value(ms);
    if (!json_is_number(ms))
        texttable_cell(t, TEXT_DIM, "-");
    else if (v < 1000)
        texttable_cell(t, TEXT_PLAIN, "%.0f ms", v);
    else if (v < 60e3)
        texttable_cell(t, TEXT_PLAIN, "%.1f s", v / 1e3);
    else if (v < 3600e3)
        texttable_cell(t, TEXT_PLAIN, "%.0f min", v / 60e3);
    else
        texttable_cell(t, TEXT_PLAIN, "%.1f h", v / 3600e3);
}

static void add_rtt(struct texttable *t, const json_t *ms)
{
    if (json_is_number(ms))
        texttable_cell(t, TEXT_PLAIN, "%.2f ms", json_number_value(ms));
    else
        texttable_cell(t, TEXT_DIM, "-");
}

static void add_number(struct texttable *t, const json_t *number)
{
    if (json_is_integer(number))
        texttable_cell(t, TEXT_PLAIN, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
    else
        texttable_cell(t, TEXT_DIM, "-");
}

// ---- tables ----

static void text_nodes(const json_t *status, bool colour, struct buf *out)
{
    static const char *const heads[] = {"NODE", "STATE", "ADDR", "LINK", "INCARNATION", ">RTT", ">SEEN", ">CONNS"};
    struct texttable *t = texttable_create(heads, sizeof(heads) / sizeof(heads[0]));
    size_t i;
    const json_t *node;
    json_array_foreach(json_object_get(status, "nodes"), i, node)
    {
        bool self = str_is(str_of(field(status, "self")), field(node, "name"));
        const char *state = field(node, "state");
        texttable_cell(t, TEXT_PLAIN, "%s%s", field(node, "name"), self ? " *" : "");
        texttable_cell(t, is_isolated(node) ? TEXT_RED : state_colour(state), "%s%s", state,
                       is_isolated(node) ? ", isolated" : "");
        texttable_cell(t, TEXT_PLAIN, "%s", field(node, "addr"));
        texttable_cell(t, TEXT_PLAIN, "%s", field(node, "link"));
        add_number(t, json_object_get(node, "incarnation"));
        add_rtt(t, json_object_get(node, "rtt_ms"));
        add_age(t, json_object_get(node, "last_seen_ms"));
        add_number(t, json_object_get(node, "conns"));
    }
    texttable_finish(&t, colour, out);
}

static void text_tables(const json_t *status, bool colour, struct buf *out)
{
    static const char *const heads[] = {"TABLE", ">ENTRIES", ">SIZE"};
    struct texttable *t = texttable_create(heads, sizeof(heads) / sizeof(heads[0]));
    size_t i;
    const json_t *table;
    json_array_foreach(json_object_get(status, "tables"), i, table)
    {
        texttable_cell(t, TEXT_PLAIN, "%s", field(table, "name"));
        add_number(t, json_object_get(table, "entries"));
        add_number(t, json_object_get(table, "size"));
    }
    texttable_finish(&t, colour, out);
}

static void add_votes(struct texttable *t, json_t *votes)
{
    struct buf line = BUF_INIT;
    bool against = false;
    const char *node;
    json_t *vote;
    json_object_foreach(votes, node, vote)
    {
        const char *word = json_string_value(vote) ? json_string_value(vote) : "-";
        buf_printf(&line, "%s%s:%s", line.len ? " " : "", node, word);
        against |= str_is(str_of(word), "down");
    }
    texttable_cell(t, line.len == 0 ? TEXT_DIM : against ? TEXT_RED : TEXT_PLAIN, "%s", line.len ? line.data : "-");
    buf_free(&line);
}

static void text_servers(const json_t *status, bool colour, struct buf *out)
{
    static const char *const heads[] = {"BACKEND", "SERVER", "STATE", "LOCAL", "VOTES"};
    struct texttable *t = texttable_create(heads, sizeof(heads) / sizeof(heads[0]));
    size_t i;
    const json_t *server;
    json_array_foreach(json_object_get(status, "servers"), i, server)
    {
        texttable_cell(t, TEXT_PLAIN, "%s", field(server, "backend"));
        texttable_cell(t, TEXT_PLAIN, "%s", field(server, "server"));
        texttable_cell(t, state_colour(field(server, "state")), "%s", field(server, "state"));
        texttable_cell(t, state_colour(field(server, "local")), "%s", field(server, "local"));
        add_votes(t, json_object_get(server, "votes"));
    }
    texttable_finish(&t, colour, out);
}

// "cluster edge: 2 of 3 nodes up, 5 of 6 servers up (seen from n1)"
static void text_summary(const json_t *status, bool colour, struct buf *out)
{
    const json_t *nodes = json_object_get(status, "nodes"), *servers = json_object_get(status, "servers");
    size_t i, nodes_up = 0, servers_up = 0;
    const json_t *row;
    json_array_foreach(nodes, i, row) nodes_up += field_is(row, "state", "up");
    json_array_foreach(servers, i, row) servers_up += !field_is(row, "state", "down");
    struct buf line = BUF_INIT;
    buf_printf(&line, "cluster %s: %zu of %zu nodes up", field(status, "cluster"), nodes_up, json_array_size(nodes));
    if (json_array_size(servers) > 0)
        buf_printf(&line, ", %zu of %zu servers not down", servers_up, json_array_size(servers));
    buf_printf(&line, " (seen from %s)", field(status, "self"));
    text_add(out, colour, report_exit_status(status, REPORT_STATUS) ? TEXT_RED : TEXT_GREEN, buf_str(&line));
    buf_add_char(out, '\n');
    buf_free(&line);
}

void report_text(const json_t *status, unsigned parts, bool colour, struct buf *out)
{
    static const struct {
        unsigned part;
        const char *key;
        void (*text)(const json_t *status, bool colour, struct buf *out);
    } sections[] = {
        {REPORT_NODES, "nodes", text_nodes},
        {REPORT_TABLES, "tables", text_tables},
        {REPORT_SERVERS, "servers", text_servers},
    };
    bool whole = parts == REPORT_STATUS;
    if (whole)
        text_summary(status, colour, out);
    for (unsigned i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (!(parts & sections[i].part))
            continue;
        if (whole && json_array_size(json_object_get(status, sections[i].key)) == 0)
            continue; // a summary has no empty tables
        if (whole)
            buf_add_char(out, '\n');
        sections[i].text(status, colour, out);
    }
}

int report_exit_status(const json_t *status, unsigned parts)
{
    size_t i;
    const json_t *row;
    if (parts & REPORT_NODES)
        json_array_foreach(json_object_get(status, "nodes"), i, row)
        {
            if (node_ails(row))
                return 1;
        }
    if (parts & REPORT_SERVERS)
        json_array_foreach(json_object_get(status, "servers"), i, row)
        {
            if (field_is(row, "state", "down"))
                return 1;
        }
    return 0;
}
