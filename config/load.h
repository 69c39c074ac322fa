// SPDX-License-Identifier: Apache-2.0
// What lives only while a configuration is read: defaults sections, the maps of the keyword tables, names to be
// resolved at the end. Internal to config/.
#ifndef PHX_CONFIG_LOAD_H
#define PHX_CONFIG_LOAD_H

#include "config/config.h"
#include "config/env.h"
#include "config/keyword.h"
#include "config/lex.h"

// The formats that `option httplog` … stand for (configuration.txt 8.2).
#define LOG_FORMAT_TCP "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
#define LOG_FORMAT_HTTP                                                                                                \
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
#define LOG_FORMAT_CLF                                                                                                 \
    "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc "    \
    "%sq %bq %CC %CS %hrl %hsl"

// A line as it was read, kept to be read again.
struct saved_line {
    struct str *words;
    unsigned nwords;
    struct cfg_src src;
};

struct defaults {
    struct str name; // empty = anonymous
    struct cfg_src src;
    struct cfg_proxy proxy;   // settings that proxies start with
    struct cfg_server server; // default-server
    struct saved_line *rules; // acl, http-request …: only named sections have any
    unsigned nrules;
    bool implicit, explicit; // used by a proxy without / with "from"
    struct cfg_src implicit_src;
};

struct loader {
    const struct config_options *options;
    struct lex lex;
    struct strmap tables[TABLE_COUNT]; // name → kw_row
    struct defaults **defaults;
    unsigned ndefaults;
    struct defaults *base;             // what the current proxy or defaults section started from, NULL = built in
    struct defaults *current_defaults; // the defaults section being read
    struct cfg_server server;          // default-server of the current proxy
    struct buf servers;                // of the current proxy, moved to the arena in one piece when its section ends
    struct strmap server_names;        // of the current proxy
    bool skip_section;                 // an unsupported section: said once, its lines are not read
    bool replaying;                    // lines of a defaults section are being read for a proxy
    bool zero_warning;
    bool localpeer_set;
};

// Starting values (proxy.c).
void proxy_init(struct cfg_proxy *px);
void server_init(struct cfg_server *sv);
void global_init(struct cfg_global *g);
// Section headers, and the end of the section being read (section.c).
void end_section(struct parse *p);
bool begin_global(struct parse *p);
bool begin_defaults(struct parse *p);
bool begin_proxy(struct parse *p); // frontend, backend, listen
bool begin_cluster(struct parse *p);
bool begin_userlist(struct parse *p);

// Cross-checks once all is read (check.c): names, modes, timeouts, ids, log formats.
void check_config(struct parse *p);
void check_clusters(struct parse *p);  // which node is this one (kw_cluster.c)
void check_userlists(struct parse *p); // members of groups (kw_userlist.c)

// One address list of a bind line ("a:1,b:2"), appended to binds (kw_bind.c). `proto` is copied for each.
bool bind_line(struct parse *p, unsigned word, struct cfg_bind **binds, unsigned *nbinds);

#endif
