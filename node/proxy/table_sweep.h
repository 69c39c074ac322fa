// SPDX-License-Identifier: Apache-2.0
// Stick tables give back what has expired, also those that nobody looks into any more. Control thread.
#ifndef PHX_PROXY_TABLE_SWEEP_H
#define PHX_PROXY_TABLE_SWEEP_H

struct worker;

// Once, after the first snapshot_publish(): goes round the tables of the current snapshot from then on.
void table_sweep_start(struct worker *control);

#endif
