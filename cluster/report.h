// SPDX-License-Identifier: Apache-2.0
// The status object of `show cluster json` as text for people, and what it means for an exit status. show.c renders its
// own object with it, phalanxctl the one it was sent. Absent or odd fields of a newer node are shown as "-".
#ifndef PHX_CLUSTER_REPORT_H
#define PHX_CLUSTER_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "node/base/buf.h"

enum report_part { REPORT_NODES = 1, REPORT_TABLES = 2, REPORT_SERVERS = 4, REPORT_STATUS = 7 };

// "nodes", "tables", "servers"; 0 for another word.
unsigned report_part_named(struct str word);

void report_text(const json_t *status, unsigned parts, bool colour, struct buf *out);
// 0 healthy; 1 when a node is unknown, suspect, dead or isolated, or a server is down. Only of the parts asked for.
int report_exit_status(const json_t *status, unsigned parts);

#endif
