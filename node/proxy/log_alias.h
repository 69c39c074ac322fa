// SPDX-License-Identifier: Apache-2.0
// The %-variables of log formats (configuration.txt 8.2.6), computed from a stream.
#ifndef PHX_PROXY_LOG_ALIAS_H
#define PHX_PROXY_LOG_ALIAS_H

void log_alias_bind(void);

#endif
