// SPDX-License-Identifier: Apache-2.0
// The command line: HAProxy's options (management.txt section 3), and `phalanx help KEYWORD`.
#ifndef PHX_NODE_OPTIONS_H
#define PHX_NODE_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

enum options_task { TASK_RUN, TASK_CHECK, TASK_CONDITION, TASK_VERSION, TASK_HELP };

struct options {
    enum options_task task;
    const char **paths; // -f and what follows "--"; malloc'd, the strings are argv's
    unsigned npaths;
    const char *chdir;      // -C
    const char *local_peer; // -L
    const char *pidfile;    // -p
    const char *condition;  // -cc
    const char *keyword;    // help; "" = all, "--table" = all with all columns, separated by tabs
    bool version_long;      // -vv
    bool verbose;           // -V
    bool quiet;             // -q
    bool debug;             // -d
    bool foreground;        // -db
    bool daemon;            // -D
    bool notify;            // -Ws: tell systemd when ready
    bool diagnostics;       // -dD
    bool zero_warning;      // -dW
    bool no_splice;         // -dS
    bool no_reuseport;      // -dR
    bool dump_keywords;     // -dK
    bool dump_libraries;    // -dL
    int poison;             // -dM: byte that fresh memory is filled with, -1 = off
    int maxconn;            // -n, 0 = the configuration's
    long memory_mb;         // -m, 0 = no limit
    int old_signal;         // -sf, -st: what the processes below get once this one runs
    pid_t *old_pids;        // malloc'd
    unsigned nold_pids;
};

// False: a message and the usage were printed, the exit status is 1.
bool options_parse(int argc, char **argv, struct options *o);
void options_free(struct options *o);

#endif
