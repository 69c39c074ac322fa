// SPDX-License-Identifier: Apache-2.0
// A process holds a lock on its folder as long as it lives. Who starts removes the folders that nobody holds: those of
// processes that had no time to do it themselves.
#include "node/join_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/base/log.h"
#include "node/io/keeper.h"
#include "peers/link.h"

#define PREFIX     "phalanx-"
#define SETTLED_S  5   // a younger folder may not be locked yet
#define FOLDER_MAX 100 // an endpoint's path has little more

static char folder[FOLDER_MAX];
static char outside[4096 + FOLDER_MAX]; // the same, seen from outside the chroot
static int lock_fd = -1;

// Nobody's any more: made by the same user, settled, and its lock is free. The lock is kept with dir_fd.
static bool is_abandoned(int dir_fd, uid_t user)
{
    struct stat st;
    return fstat(dir_fd, &st) == 0 && st.st_uid == user && st.st_mtime + SETTLED_S < time(NULL) &&
           flock(dir_fd, LOCK_EX | LOCK_NB) == 0;
}

static void remove_entries(int dir_fd)
{
    DIR *dir = fdopendir(dup(dir_fd));
    if (!dir)
        return;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dir_fd, e->d_name, 0);
    closedir(dir);
}

static void sweep(const char *base, uid_t user)
{
    DIR *dir = opendir(*base ? base : "/");
    if (!dir)
        return;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        int fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (is_abandoned(fd, user)) {
            remove_entries(fd);
            unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
        }
        close(fd);
    }
    closedir(dir);
}

const char *join_folder_make(const struct cfg_global *g)
{
    const char *base = g->chroot.len ? "" : "/tmp";
    uid_t user = g->uid > 0 ? (uid_t)g->uid : geteuid();
    sweep(base, user);
    int rc = link_dir_create(base, folder, sizeof(folder));
    if (rc == 0) {
        lock_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock_fd < 0 || flock(lock_fd, LOCK_EX | LOCK_NB) < 0)
            rc = -errno;
        if ((g->uid > 0 || g->gid > 0) && chown(folder, (uid_t)g->uid, (gid_t)g->gid) < 0)
            rc = -errno;
    }
    snprintf(outside, sizeof(outside), "%.*s%s", STR_ARG(str_slice(g->chroot, 0, 4095)), folder);
    if (rc == 0)
        return folder;
    log_alert("[phalanx.main()] Cannot create a folder for the links between nodes: %s.", strerror(-rc));
    return NULL;
}

void join_folder_remove(void)
{
    if (folder[0] == '\0')
        return;
    link_dir_remove(folder);
    keeper_unlink(outside); // what lies in a chroot is root's to remove
    folder[0] = '\0';
    if (lock_fd >= 0)
        close(lock_fd);
    lock_fd = -1;
}
