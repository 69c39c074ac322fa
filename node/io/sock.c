// SPDX-License-Identifier: Apache-2.0
// Addresses as text and as sockaddr; listening, connecting and accepting; socket options.
#include "node/io/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/panic.h"

bool inet_parse(struct str text, struct inet_addr *out)
{
    char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    str_copy(copy, sizeof(copy), text);
    struct inet_addr a = {0};
    char *scope = strchr(copy, '%'); // fe80::1%eth0
    if (scope)
        *scope++ = '\0';
    if (!scope && inet_pton(AF_INET, copy, &a.in.sin_addr) == 1) {
        a.in.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, copy, &a.in6.sin6_addr) == 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_scope_id = scope ? if_nametoindex(scope) : 0;
        if (scope && a.in6.sin6_scope_id == 0)
            return false;
    } else {
        return false;
    }
    *out = a;
    return true;
}

uint16_t inet_port(const struct inet_addr *a)
{
    switch (a->sa.sa_family) {
    case AF_INET:
        return ntohs(a->in.sin_port);
    case AF_INET6:
        return ntohs(a->in6.sin6_port);
    default:
        return 0;
    }
}

void inet_set_port(struct inet_addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET)
        a->in.sin_port = htons(port);
    else if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
}

socklen_t inet_len(const struct inet_addr *a)
{
    switch (a->sa.sa_family) {
    case AF_INET:
        return sizeof(a->in);
    case AF_INET6:
        return sizeof(a->in6);
    default:
        return sizeof(a->sa.sa_family);
    }
}

bool inet_equal(const struct inet_addr *a, const struct inet_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    if (a->sa.sa_family == AF_INET6)
        return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
    return true;
}

// Every request shows its client's address somewhere; inet_ntop() goes through printf. `dst` has INET_ADDRSTRLEN bytes.
static char *format4(struct in_addr addr, char *dst)
{
    uint8_t bytes[4];
    memcpy(bytes, &addr, sizeof(bytes));
    char *at = dst;
    for (int i = 0; i < 4; i++) {
        if (bytes[i] >= 100)
            *at++ = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            *at++ = (char)('0' + bytes[i] / 10 % 10);
        *at++ = (char)('0' + bytes[i] % 10);
        *at++ = i < 3 ? '.' : '\0';
    }
    return dst;
}

char *inet_format(const struct inet_addr *a, char *dst, size_t size)
{
    const char *text = NULL;
    if (a->sa.sa_family == AF_INET && size >= INET_ADDRSTRLEN)
        return format4(a->in.sin_addr, dst);
    else if (a->sa.sa_family == AF_INET6)
        text = inet_ntop(AF_INET6, &a->in6.sin6_addr, dst, (socklen_t)size);
    if (!text)
        snprintf(dst, size, "%s", a->sa.sa_family == AF_UNIX ? "unix" : "?");
    return dst;
}

char *addr_format(const struct addr *a, char *dst, size_t size)
{
    char host[INET_TEXT_MAX];
    switch (a->kind) {
    case ADDR_INET:
        inet_format(&a->inet, host, sizeof(host));
        snprintf(dst, size, a->inet.sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, inet_port(&a->inet));
        break;
    case ADDR_UNIX:
        snprintf(dst, size, "unix:%s", a->path);
        break;
    case ADDR_ABSTRACT:
        snprintf(dst, size, "abns@%s", a->path);
        break;
    case ADDR_FD:
        snprintf(dst, size, "fd@%d", a->fd);
        break;
    }
    return dst;
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof(*ss));
    struct sockaddr_un *un = (struct sockaddr_un *)ss;
    switch (a->kind) {
    case ADDR_INET:
        memcpy(ss, &a->inet, sizeof(a->inet));
        return inet_len(&a->inet);
    case ADDR_UNIX:
        un->sun_family = AF_UNIX;
        str_copy(un->sun_path, sizeof(un->sun_path), str_of(a->path));
        return sizeof(*un);
    case ADDR_ABSTRACT:
        // The whole field counts, filled up with NUL: so HAProxy names its abstract sockets.
        un->sun_family = AF_UNIX;
        str_copy(un->sun_path + 1, sizeof(un->sun_path) - 1, str_of(a->path));
        return sizeof(*un);
    case ADDR_FD:
        break;
    }
    return 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ADDR_INET:
        return inet_equal(&a->inet, &b->inet);
    case ADDR_UNIX:
    case ADDR_ABSTRACT:
        return strcmp(a->path, b->path) == 0;
    case ADDR_FD:
        return a->fd == b->fd;
    }
    return false;
}

int addr_resolve(const char *host, int family, struct inet_addr *out)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *found;
    int rc = getaddrinfo(host, NULL, &hints, &found);
    if (rc != 0)
        return rc;
    rc = EAI_NONAME;
    for (struct addrinfo *ai = found; ai; ai = ai->ai_next) {
        if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
            continue;
        *out = (struct inet_addr){0};
        memcpy(out, ai->ai_addr, ai->ai_addrlen);
        rc = 0;
        break;
    }
    freeaddrinfo(found);
    return rc;
}

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static bool reuseport = true;

void sock_set_reuseport(bool on)
{
    reuseport = on;
}

// Options that must be set before bind(). 0 or -errno.
static int prepare_inet_listener(int fd, int family, const struct sock_listen_options *o)
{
    int rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    // As HAProxy: a new process binds beside the old one while that finishes its sessions.
    if (reuseport)
        set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_INET6 && (o->v6only || o->v4v6))
        rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->v6only);
    if (rc == 0 && o->transparent)
        rc = family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
                                : set_int(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
    if (rc == 0 && o->interface &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface, (socklen_t)strlen(o->interface) + 1) < 0)
        rc = -errno;
    if (rc == 0 && o->mss > 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_MAXSEG, o->mss);
    if (rc == 0 && o->defer_accept)
        rc = set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    if (rc == 0 && o->tfo)
        rc = set_int(fd, IPPROTO_TCP, TCP_FASTOPEN, o->backlog);
    return rc;
}

static int listen_now(int fd, const struct sock_listen_options *o)
{
    return listen(fd, o->backlog > 0 ? o->backlog : SOMAXCONN) < 0 ? -errno : 0;
}

// Binds under a name of our own and renames it over the path, so that clients never find the path missing.
static int bind_unix_path(int fd, const char *path, const struct sock_listen_options *o)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int len = snprintf(un.sun_path, sizeof(un.sun_path), "%s.%d.tmp", path, (int)getpid());
    if (len >= (int)sizeof(un.sun_path))
        return -ENAMETOOLONG;
    if (unlink(un.sun_path) < 0 && errno != ENOENT)
        return -errno;
    if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        return -errno;
    int rc = 0;
    if (o->mode >= 0 && chmod(un.sun_path, (mode_t)o->mode) < 0)
        rc = -errno;
    if (rc == 0 && (o->uid >= 0 || o->gid >= 0) && chown(un.sun_path, (uid_t)o->uid, (gid_t)o->gid) < 0)
        rc = -errno;
    if (rc == 0)
        rc = listen_now(fd, o);
    if (rc == 0 && rename(un.sun_path, path) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(un.sun_path);
    return rc;
}

// A descriptor that somebody opened for us.
static int adopt_listener(int fd, const struct sock_listen_options *o)
{
    int listening = 0;
    socklen_t len = sizeof(listening);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
        return -errno;
    int rc = listening ? 0 : listen_now(fd, o);
    if (rc == 0)
        rc = sock_set_nonblock(fd);
    if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        rc = -errno;
    return rc < 0 ? rc : fd;
}

int sock_listen(const struct addr *a, const struct sock_listen_options *o)
{
    if (a->kind == ADDR_FD)
        return adopt_listener(a->fd, o);
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(a, &ss);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = 0;
    if (a->kind == ADDR_UNIX) {
        rc = bind_unix_path(fd, a->path, o);
    } else {
        if (a->kind == ADDR_INET)
            rc = prepare_inet_listener(fd, ss.ss_family, o);
        if (rc == 0 && bind(fd, (struct sockaddr *)&ss, len) < 0)
            rc = -errno;
        if (rc == 0)
            rc = listen_now(fd, o);
    }
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

// Binds the source without taking a port yet if none is asked for: the kernel picks one at connect() by the whole
// quadruple.
static int bind_source(int fd, const struct inet_addr *source)
{
    int rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && inet_port(source) == 0)
        rc = set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (rc == 0 && bind(fd, &source->sa, inet_len(source)) < 0)
        rc = -errno;
    return rc;
}

int sock_connect(const struct addr *a, const struct inet_addr *source, bool *in_progress)
{
    *in_progress = false;
    if (a->kind == ADDR_FD) {
        int dup_fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 3);
        if (dup_fd < 0)
            return -errno;
        int rc = sock_set_nonblock(dup_fd);
        if (rc < 0)
            close(dup_fd);
        return rc < 0 ? rc : dup_fd;
    }
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(a, &ss);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = source && a->kind == ADDR_INET ? bind_source(fd, source) : 0;
    if (rc == 0 && connect(fd, (struct sockaddr *)&ss, len) < 0) {
        // A UNIX socket whose backlog is full says EAGAIN: that is a failure, no event would follow.
        *in_progress = errno == EINPROGRESS;
        if (!*in_progress)
            rc = -errno;
    }
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int sock_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

int sock_accept(int listen_fd, struct inet_addr *peer)
{
    *peer = (struct inet_addr){0};
    socklen_t len = sizeof(*peer);
    return accept4(listen_fd, &peer->sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void sock_set_nodelay(int fd, bool on)
{
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, on);
}

void sock_set_keepalive(int fd)
{
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void sock_set_linger_reset(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

void sock_set_user_timeout(int fd, unsigned ms)
{
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}

int sock_set_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

bool sock_local_addr(int fd, struct inet_addr *out)
{
    *out = (struct inet_addr){0};
    socklen_t len = sizeof(*out);
    return getsockname(fd, &out->sa, &len) == 0;
}

bool sock_peer_addr(int fd, struct inet_addr *out)
{
    *out = (struct inet_addr){0};
    socklen_t len = sizeof(*out);
    return getpeername(fd, &out->sa, &len) == 0;
}
