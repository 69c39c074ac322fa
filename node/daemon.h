// SPDX-License-Identifier: Apache-2.0
// The process among others: background, pid file, its predecessors, systemd. All at start, single-threaded.
#ifndef PHX_NODE_DAEMON_H
#define PHX_NODE_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

// Opens the pid file, before the chroot and the fork. Descriptor, or -1: complained.
int daemon_open_pidfile(const char *path);
// Writes this process's number and closes.
void daemon_write_pid(int *pidfile);
// Goes to the background: the calling process ends with status 0, its child goes on in a session of its own, without
// the terminal. False: complained.
bool daemon_detach(void);
// -sf, -st: those that are gone already are no error.
void daemon_signal_old(const pid_t *pids, unsigned count, int number);

// systemd's notification socket ($NOTIFY_SOCKET), opened before the chroot; nothing happens where there is none.
void daemon_notify_open(void);
void daemon_notify(const char *state); // "READY=1"
void daemon_notify_close(void);

#endif
