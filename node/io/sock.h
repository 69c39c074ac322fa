// SPDX-License-Identifier: Apache-2.0
// Addresses and sockets: the forms HAProxy's manual gives for addresses (configuration.txt section 11), listening and
// connecting, options. Nothing here blocks but addr_resolve().
#ifndef PHX_IO_SOCK_H
#define PHX_IO_SOCK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "node/base/str.h"

// IPv4 or IPv6 address with port: what a connection keeps (28 bytes). UNIX peers are family AF_UNIX with no more.
struct inet_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
};

enum addr_kind { ADDR_INET, ADDR_UNIX, ADDR_ABSTRACT, ADDR_FD };

// Any address the configuration can name.
struct addr {
    enum addr_kind kind;
    struct inet_addr inet; // ADDR_INET
    char path[108];        // ADDR_UNIX, ADDR_ABSTRACT (without the NUL in front)
    int fd;                // ADDR_FD
};

// "1.2.3.4", "::1", "0.0.0.0" … without port. False when not a literal address.
bool inet_parse(struct str text, struct inet_addr *out);
uint16_t inet_port(const struct inet_addr *a);
void inet_set_port(struct inet_addr *a, uint16_t port);
socklen_t inet_len(const struct inet_addr *a);
bool inet_equal(const struct inet_addr *a, const struct inet_addr *b); // port too
// "1.2.3.4" / "::1" without port; "unix" for AF_UNIX. Returns dst.
char *inet_format(const struct inet_addr *a, char *dst, size_t size);
#define INET_TEXT_MAX 64
// "1.2.3.4:80", "[::1]:80", "unix:/path", "abns@name", "fd@3".
char *addr_format(const struct addr *a, char *dst, size_t size);
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss);
bool addr_equal(const struct addr *a, const struct addr *b);
// Blocking getaddrinfo; start and builder thread only. 0 or an EAI_ code. `family` AF_UNSPEC, AF_INET, AF_INET6.
int addr_resolve(const char *host, int family, struct inet_addr *out);

struct sock_listen_options {
    int backlog;
    bool v6only, v4v6, transparent, defer_accept, tfo;
    const char *interface; // NULL = any
    int mss;               // 0 = kernel's
    int mode;              // UNIX: permissions, -1 = umask's
    int uid, gid;          // UNIX: owner, -1 = unchanged
};

// Non-blocking listening stream socket, SO_REUSEADDR and SO_REUSEPORT. ≥ 0 or -errno. A UNIX path that exists is
// replaced atomically.
int sock_listen(const struct addr *a, const struct sock_listen_options *o);
// Whether listening sockets share their port with those of other processes (-dR); before anything listens. Default on.
void sock_set_reuseport(bool on);
// Starts a non-blocking connect; `source` may be NULL. fd ≥ 0 or -errno. *in_progress tells whether to wait for
// EPOLLOUT.
int sock_connect(const struct addr *a, const struct inet_addr *source, bool *in_progress);
// Result of a connect after EPOLLOUT: 0 or an errno.
int sock_error(int fd);
// accept4 non-blocking, close-on-exec; -1 with errno.
int sock_accept(int listen_fd, struct inet_addr *peer);
void sock_set_nodelay(int fd, bool on);
void sock_set_keepalive(int fd);
void sock_set_linger_reset(int fd); // close() sends RST
void sock_set_user_timeout(int fd, unsigned ms);
int sock_set_nonblock(int fd);
bool sock_local_addr(int fd, struct inet_addr *out);
bool sock_peer_addr(int fd, struct inet_addr *out);

#endif
