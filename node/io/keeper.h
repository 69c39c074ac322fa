// SPDX-License-Identifier: Apache-2.0
// The privileged helper: a process forked before threads, `user` and `chroot`, that opens, binds and replaces for the
// unprivileged process over a socketpair, so that a reload can still read root's files and bind port 443. Without user
// and chroot there is none, and these calls act directly. Blocking; control and builder thread only.
#ifndef PHX_IO_KEEPER_H
#define PHX_IO_KEEPER_H

#include <stddef.h>
#include <sys/types.h>

#include "node/base/buf.h"
#include "node/io/sock.h"

// Forks the helper. Called once, single-threaded. 0 or -errno. The helper serves until the socketpair closes.
int keeper_start(void);
void keeper_stop(void);
pid_t keeper_pid(void); // 0 = none
// In a child that must not hold it.
void keeper_forget(void);

// Each: descriptor ≥ 0, or -errno.
int keeper_open(const char *path, int open_flags, int mode);
int keeper_listen(const struct addr *a, const struct sock_listen_options *o);
// Whole file into out. 0 or -errno. `max` bounds it.
int keeper_read_file(const char *path, size_t max, struct buf *out);
// Names of the regular files of a folder, NUL-separated, in LC_ALL=C order.
int keeper_read_dir(const char *path, struct buf *names);
// Temporary file in the same folder, fsync, rename. 0 or -errno.
int keeper_replace_file(const char *path, int mode, const void *data, size_t len);
int keeper_unlink(const char *path); // a file or an empty folder
// Runs argv (NULL-terminated) with env (NULL-terminated, or NULL), no shell. Exit status, or -errno; -ETIMEDOUT kills
// it.
int keeper_run(char *const argv[], char *const env[], unsigned timeout_ms);

#endif
