// SPDX-License-Identifier: Apache-2.0
// Readers of the irregular lines of proxies, one each; named by kw_proxy.c's rows. Internal to config/.
#ifndef PHX_CONFIG_PROXY_LINES_H
#define PHX_CONFIG_PROXY_LINES_H

#include "config/parse.h"

// proxy_lines.c
bool bind_line_proxy(struct parse *p);
bool capture_line(struct parse *p);
bool declare_line(struct parse *p);
bool force_persist_line(struct parse *p);
bool ignore_persist_line(struct parse *p);
bool log_line_proxy(struct parse *p);
bool log_format_line(struct parse *p);
bool monitor_line(struct parse *p);
bool retry_on_line(struct parse *p);
bool source_line(struct parse *p);
bool unique_id_format_line(struct parse *p);
bool balance_factor(struct parse *p, unsigned word, void *target); // balance.c
bool description(struct parse *p, unsigned word, void *target);
bool default_backend(struct parse *p, unsigned word, void *target);
bool error_file(struct parse *p, unsigned word, void *target);
bool error_loc_302(struct parse *p, unsigned word, void *target);
bool error_loc_303(struct parse *p, unsigned word, void *target);
bool load_state(struct parse *p, unsigned word, void *target);
bool rate_limit(struct parse *p, unsigned word, void *target);
bool mode(struct parse *p, unsigned word, void *target);

// balance.c
bool balance_line(struct parse *p);
bool hash_type_line(struct parse *p);
bool cookie_line(struct parse *p);

// The words from `word` on, joined by spaces.
struct str joined_words(struct parse *p, unsigned word);

// kw_server.c
bool server_line(struct parse *p);
bool server_template_line(struct parse *p);
bool default_server_line(struct parse *p);
// "<address>[:<port>]" of `source`, on proxies and servers.
bool source_addr(struct parse *p, unsigned word, struct cfg_addr *out);

#endif
