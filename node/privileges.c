// SPDX-License-Identifier: Apache-2.0
// Limits and privileges, with HAProxy's words where something is refused.
#include "node/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/base/asan.h"
#include "node/base/log.h"

// Taken when neither maxconn nor ulimit-n says how many: some systems' hard limit is a thousand million, and the
// kernel's table of descriptors is as large as the highest one used.
#define DESCRIPTORS_DEFAULT ((rlim_t)1048576)

// What is there to be shared when `maxconn` does not say how much is needed: as much as may be had, in bounds.
static void maxconn_from_limit(struct cfg_global *g, rlim_t limit, unsigned others)
{
    rlim_t pipes = g->maxpipes > 0 ? (rlim_t)g->maxpipes * 2 : 0;
    rlim_t rest = limit > others + pipes ? limit - others - pipes : 0;
    // A client's and a server's socket each, and half a pipe's two ends where their number is free.
    g->maxconn = (int)(g->maxpipes > 0 ? rest / 2 : rest * 2 / 5);
    if (g->maxconn < 1)
        g->maxconn = 1;
}

static bool raise_limit(rlim_t wanted, const struct rlimit *now)
{
    struct rlimit raised = {wanted, wanted > now->rlim_max ? wanted : now->rlim_max};
    return wanted <= now->rlim_cur || setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

bool privileges_limit_descriptors(struct cfg_global *g, unsigned others)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) < 0) {
        log_alert("[phalanx.main()] Cannot read the FD limit: %s.", strerror(errno));
        return false;
    }
    rlim_t asked = g->ulimit_n > 0 ? (rlim_t)g->ulimit_n : 0;
    rlim_t open = now.rlim_max < DESCRIPTORS_DEFAULT ? now.rlim_max : DESCRIPTORS_DEFAULT;
    if (g->maxconn <= 0)
        maxconn_from_limit(g, asked ? asked : open, others);
    rlim_t needed = (rlim_t)g->maxconn * 2 + others + (g->maxpipes > 0 ? (rlim_t)g->maxpipes * 2 : 0);
    if (asked && asked < needed)
        log_warning("[phalanx.main()] FD limit (%lu) too low for maxconn=%d. Please raise 'ulimit-n' to %lu or more to "
                    "avoid any trouble.",
                    (unsigned long)asked, g->maxconn, (unsigned long)needed);
    rlim_t wanted = asked ? asked : needed;
    if (!raise_limit(wanted, &now)) {
        // With one for each client the process is of use: idle connections have no server's beside them.
        bool fatal = g->strict_limits && now.rlim_max < (rlim_t)g->maxconn + others;
        raise_limit(now.rlim_max, &now);
        log_write(fatal ? LOG_LEVEL_ALERT : LOG_LEVEL_WARNING,
                  "[phalanx.main()] Cannot raise FD limit to %lu, limit is %lu.", (unsigned long)wanted,
                  (unsigned long)now.rlim_max);
        if (fatal)
            return false;
    }
    if (g->maxpipes <= 0) {
        // Pipes save copies, nothing fails for want of them: one for each fourth connection, as far as there is room.
        rlim_t pipes = (rlim_t)g->maxconn / 4 + 1, limit = asked ? asked : now.rlim_max;
        rlim_t room = limit > needed ? (limit - needed) / 2 : 0;
        pipes = pipes < room ? pipes : room;
        if (asked || raise_limit(needed + pipes * 2, &now))
            g->maxpipes = (int)pipes;
    }
    return true;
}

bool privileges_limit_memory(long mb)
{
#ifdef PHX_ASAN
    mb = 0; // the sanitizer's shadow alone is terabytes
#endif
    if (mb <= 0)
        return true;
    struct rlimit limit = {(rlim_t)mb << 20, (rlim_t)mb << 20};
    if (setrlimit(RLIMIT_DATA, &limit) == 0)
        return true;
    log_alert("[phalanx.main()] Cannot fix MEM limit to %ld megs: %s.", mb, strerror(errno));
    return false;
}

bool privileges_resolve(struct cfg_global *g)
{
    char name[256];
    if (g->user.len && g->uid < 0) {
        const struct passwd *pw = getpwnam(str_copy(name, sizeof(name), g->user));
        if (!pw) {
            log_alert("config : cannot find user id for '%s'", name);
            return false;
        }
        g->uid = (int)pw->pw_uid;
    }
    if (g->group.len && g->gid < 0) {
        const struct group *gr = getgrnam(str_copy(name, sizeof(name), g->group));
        if (!gr) {
            log_alert("config : cannot find group id for '%s'", name);
            return false;
        }
        g->gid = (int)gr->gr_gid;
    }
    return true;
}

bool privileges_will_drop(const struct cfg_global *g)
{
    return g->chroot.len > 0 || (g->uid > 0 && geteuid() == 0) || (g->gid > 0 && geteuid() == 0);
}

bool privileges_chroot(const struct cfg_global *g)
{
    char dir[4096];
    if (g->chroot.len == 0)
        return true;
    str_copy(dir, sizeof(dir), g->chroot);
    if (chroot(dir) == 0 && chdir("/") == 0)
        return true;
    log_alert("[phalanx.main()] Cannot chroot(%s).", dir);
    return false;
}

static bool drop_group(const struct cfg_global *g)
{
    if (g->gid < 0 || (gid_t)g->gid == getegid())
        return true;
    if (geteuid() == 0 && setgroups(0, NULL) < 0)
        log_warning("[phalanx.main()] Failed to drop supplementary groups. Using 'gid'/'group' without 'uid'/'user' is "
                    "generally useless.");
    if (setgid((gid_t)g->gid) == 0)
        return true;
    log_alert("[phalanx.main()] Cannot set gid %d.", g->gid);
    return false;
}

static bool drop_user(const struct cfg_global *g)
{
    if (g->uid < 0 || (uid_t)g->uid == geteuid())
        return true;
    if (setuid((uid_t)g->uid) == 0)
        return true;
    log_alert("[phalanx.main()] Cannot set uid %d.", g->uid);
    return false;
}

bool privileges_drop(const struct cfg_global *g)
{
    if (!drop_group(g) || !drop_user(g))
        return false;
#ifdef PHX_ASAN
    prctl(PR_SET_DUMPABLE, 1); // else the leak checker waits for ever to look into this process
#endif
    return true;
}
