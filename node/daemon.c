// SPDX-License-Identifier: Apache-2.0
// Background, pid file, predecessors, systemd.
#include "node/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/base/log.h"

static int notify_fd = -1;

int daemon_open_pidfile(const char *path)
{
    unlink(path);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        log_alert("[phalanx.main()] Cannot create pidfile %s", path);
    return fd;
}

void daemon_write_pid(int *pidfile)
{
    if (*pidfile < 0)
        return;
    dprintf(*pidfile, "%d\n", (int)getpid());
    close(*pidfile);
    *pidfile = -1;
}

bool daemon_detach(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t pid = null < 0 ? -1 : fork();
    if (pid < 0) {
        log_alert("[phalanx.main()] Cannot fork: %s.", strerror(errno));
        if (null >= 0)
            close(null);
        return false;
    }
    if (pid > 0)
        _exit(0); // the child owns everything now
    setsid();
    for (int fd = 0; fd <= 2; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
    return true;
}

void daemon_signal_old(const pid_t *pids, unsigned count, int number)
{
    for (unsigned i = 0; i < count; i++)
        if (kill(pids[i], number) < 0 && errno != ESRCH)
            log_warning("[phalanx.main()] Cannot signal process %d: %s.", (int)pids[i], strerror(errno));
}

void daemon_notify_open(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof(un.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(un.sun_path, path, len);
    if (un.sun_path[0] == '@')
        un.sun_path[0] = '\0';
    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (notify_fd >= 0 && connect(notify_fd, (struct sockaddr *)&un, size) < 0)
        daemon_notify_close();
}

void daemon_notify(const char *state)
{
    if (notify_fd >= 0)
        send(notify_fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void daemon_notify_close(void)
{
    if (notify_fd >= 0)
        close(notify_fd);
    notify_fd = -1;
}
