// SPDX-License-Identifier: Apache-2.0
// The section `cluster`: its nodes, what they share, which of them this process is. One file serves all nodes.
#include <stddef.h>
#include <unistd.h>

#include "config/load.h"

static bool link_address(struct parse *p, unsigned word, struct cfg_addr *out)
{
    if (!parse_addr(p, word, p->words[word], 0, true, out))
        return false;
    if (out->kind != CFG_ADDR_INET || out->port_relative || out->port_end > out->port || out->host.len == 0 ||
        str_is(out->host, "*"))
        return parse_error(p, word, "'%.*s' is not an address other machines can reach: expected <host>:<port>.",
                           STR_ARG(p->words[word]));
    return true;
}

static bool node_line(struct parse *p)
{
    struct cfg_cluster *c = p->cluster;
    struct cfg_node node = {.src = p->src};
    if (p->nwords < 3)
        return parse_error(p, p->nwords, "'node' expects <name> <address>:<port> [addr <address>:<port>].");
    node.name = p->words[1];
    for (unsigned i = 0; i < c->nnodes; i++)
        if (str_eq(c->nodes[i].name, node.name))
            return parse_error(p, 1, "node '%.*s' was already declared at line %u.", STR_ARG(node.name),
                               c->nodes[i].src.line);
    if (!link_address(p, 2, &node.link))
        return false;
    if (p->nwords > 3) {
        if (!str_is(p->words[3], "addr"))
            return parse_error(p, 3, "'node' only supports 'addr' (got '%.*s').", STR_ARG(p->words[3]));
        if (p->nwords < 5)
            return parse_error(p, 4, "'addr' expects the address where clients reach the node.");
        if (p->nwords > 5)
            return parse_error(p, 5, "'node' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[5]));
        if (!link_address(p, 4, &node.addr))
            return false;
    }
    *PARSE_PUSH(p->arena, c->nodes, c->nnodes, struct cfg_node) = node;
    return true;
}

static bool cluster_bind(struct parse *p)
{
    return bind_line(p, 1, &p->cluster->binds, &p->cluster->nbinds);
}

static bool set_tables(struct parse *p, unsigned word, void *target)
{
    struct cfg_cluster *c = target;
    struct str value = p->words[word];
    if (str_is(value, "sharded"))
        return parse_error(p, word, "'tables sharded' is not supported yet: expected 'replicated' or 'local'.");
    if (word + 1 < p->nwords)
        return parse_error(p, word + 1, "'tables' cannot handle unexpected argument '%.*s'.",
                           STR_ARG(p->words[word + 1]));
    c->tables_replicated = str_is(value, "replicated");
    return c->tables_replicated || str_is(value, "local") ||
           parse_error(p, word, "'tables' expects 'replicated' or 'local' (got '%.*s').", STR_ARG(value));
}

static const struct kw_choice health_modes[] = {
    {"quorum", CLUSTER_HEALTH_QUORUM}, {"any", CLUSTER_HEALTH_ANY}, {"local", CLUSTER_HEALTH_LOCAL}, {NULL, 0}};

static const struct kw_row rows[] = {
    {.name = "bind",
     .sections = IN_CLUSTER,
     .type = KW_LINE,
     .line = cluster_bind,
     .args = "<address>[,<address>]… [<option>]…",
     .help = "where this node listens for the others; default: its address on the node line"},
    {.name = "checks",
     .sections = IN_CLUSTER,
     .status = KW_REFUSED,
     .help = "each node checks all servers; 'checks spread' is to come"},
    {.name = "health",
     .sections = IN_CLUSTER,
     .type = KW_CHOICE,
     .offset = offsetof(struct cfg_cluster, health),
     .choices = health_modes,
     .args = "quorum|any|local",
     .help = "whose verdict takes a server out: a majority's, any node's, or each node's own; default quorum"},
    {.name = "node",
     .sections = IN_CLUSTER,
     .type = KW_LINE,
     .line = node_line,
     .args = "<name> <address>:<port> [addr <address>:<port>]",
     .help = "a node, where the others reach it and where clients reach it"},
    {.name = "tables",
     .sections = IN_CLUSTER,
     .type = KW_VALUE,
     .value = set_tables,
     .min_args = 1,
     .max_args = 3,
     .args = "replicated|local",
     .help = "stick tables that name this cluster are shared; default replicated"},
};
const struct kw_table kw_cluster = KW_TABLE(TABLE_CLUSTER, "keyword", rows);

static int find_node(const struct cfg_cluster *c, struct str name)
{
    for (unsigned i = 0; i < c->nnodes; i++)
        if (str_eq(c->nodes[i].name, name))
            return (int)i;
    return -1;
}

// The local node's name is -L's, else localpeer's, else the host's; the first two must name a node.
void check_clusters(struct parse *p)
{
    struct config *c = p->config;
    struct str name = c->global.localpeer;
    bool given = p->loader->options->local_peer || p->loader->localpeer_set;
    for (unsigned i = 0; i < c->nclusters; i++) {
        struct cfg_cluster *cluster = &c->clusters[i];
        cluster->self = find_node(cluster, name);
        if (cluster->nnodes == 0) {
            diag_add(p->diag, DIAG_ALERT, &cluster->src, "cluster '%.*s' has no nodes.", STR_ARG(cluster->name));
        } else if (cluster->self < 0) {
            const char **names = ARENA_ARRAY(p->arena, const char *, cluster->nnodes);
            for (unsigned n = 0; n < cluster->nnodes; n++)
                names[n] = cluster->nodes[n].name.ptr;
            const char *near = parse_nearest(name, names, cluster->nnodes, sizeof(*names));
            diag_add(p->diag, DIAG_ALERT, &cluster->src,
                     "cluster '%.*s' has no node '%.*s', the name of this machine%s%s%s%s", STR_ARG(cluster->name),
                     STR_ARG(name), given ? "" : " (say which node this is with -L or 'localpeer')",
                     near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
        }
    }
}
