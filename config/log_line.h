// SPDX-License-Identifier: Apache-2.0
// The `log` line of global and of proxies. Internal to config/.
#ifndef PHX_CONFIG_LOG_LINE_H
#define PHX_CONFIG_LOG_LINE_H

#include "config/parse.h"

#define LOG_LINE_ARGS                                                                                                  \
    "<target> [len <length>] [format <format>] [sample <ranges>:<size>] <facility> [<level> [<minlevel>]]"

// Words 1 to the end; appends to logs.
bool log_line(struct parse *p, struct cfg_log **logs, unsigned *nlogs);

#endif
