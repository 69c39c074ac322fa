// SPDX-License-Identifier: Apache-2.0
// Addresses as text, and sockets of each kind on loopback.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/sock.h"

static const struct sock_listen_options plain = {.backlog = 16, .mode = -1, .uid = -1, .gid = -1};

static void parses_literals(void **state)
{
    struct inet_addr a;
    char text[INET_TEXT_MAX];
    assert_true(inet_parse(STR("127.0.0.1"), &a));
    assert_int_equal(a.sa.sa_family, AF_INET);
    assert_string_equal(inet_format(&a, text, sizeof(text)), "127.0.0.1");
    assert_true(inet_parse(STR("2001:DB8::1"), &a));
    assert_string_equal(inet_format(&a, text, sizeof(text)), "2001:db8::1");
    assert_false(inet_parse(STR(""), &a));
    assert_false(inet_parse(STR("127.0.0.1:80"), &a));
    assert_false(inet_parse(STR("127.0.0"), &a));
    assert_false(inet_parse(STR("example.com"), &a));
    assert_false(inet_parse(STR("::1%no-such-interface"), &a));
    char longer[300];
    memset(longer, '1', sizeof(longer));
    assert_false(inet_parse(str_make(longer, sizeof(longer)), &a));
}

static void formats_each_kind(void **state)
{
    char text[160];
    struct addr a = {.kind = ADDR_INET};
    inet_parse(STR("1.2.3.4"), &a.inet);
    inet_set_port(&a.inet, 80);
    assert_string_equal(addr_format(&a, text, sizeof(text)), "1.2.3.4:80");
    inet_parse(STR("::1"), &a.inet);
    inet_set_port(&a.inet, 443);
    assert_int_equal(inet_port(&a.inet), 443);
    assert_string_equal(addr_format(&a, text, sizeof(text)), "[::1]:443");
    a = (struct addr){.kind = ADDR_UNIX, .path = "/run/x"};
    assert_string_equal(addr_format(&a, text, sizeof(text)), "unix:/run/x");
    a = (struct addr){.kind = ADDR_ABSTRACT, .path = "name"};
    assert_string_equal(addr_format(&a, text, sizeof(text)), "abns@name");
    a = (struct addr){.kind = ADDR_FD, .fd = 7};
    assert_string_equal(addr_format(&a, text, sizeof(text)), "fd@7");
    struct inet_addr local = {.sa.sa_family = AF_UNIX};
    assert_string_equal(inet_format(&local, text, sizeof(text)), "unix");
}

static void equality(void **state)
{
    struct addr a = {.kind = ADDR_INET}, b = {.kind = ADDR_INET};
    inet_parse(STR("1.2.3.4"), &a.inet);
    inet_parse(STR("1.2.3.4"), &b.inet);
    assert_true(addr_equal(&a, &b));
    inet_set_port(&b.inet, 1);
    assert_false(addr_equal(&a, &b));
    struct addr c = {.kind = ADDR_UNIX, .path = "/a"}, d = {.kind = ADDR_ABSTRACT, .path = "/a"};
    assert_false(addr_equal(&c, &d));
    d.kind = ADDR_UNIX;
    assert_true(addr_equal(&c, &d));
}

// Connects to `a`, accepts, sends a byte through.
static void check_pair(int listener, const struct addr *a, const struct inet_addr *source, struct inet_addr *peer)
{
    bool in_progress;
    int client = sock_connect(a, source, &in_progress);
    assert_true(client >= 0);
    struct pollfd p = {.fd = listener, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    int server = sock_accept(listener, peer);
    assert_true(server >= 0);
    assert_true(fcntl(server, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
    struct inet_addr nobody;
    assert_int_equal(sock_accept(listener, &nobody) < 0 && errno == EAGAIN, 1);
    p = (struct pollfd){.fd = client, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(sock_error(client), 0);
    assert_int_equal(send(client, "x", 1, 0), 1);
    p = (struct pollfd){.fd = server, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    close(client);
    close(server);
}

static void tcp_over_both_families(void **state)
{
    const struct str hosts[] = {STR("127.0.0.1"), STR("::1")};
    for (int i = 0; i < 2; i++) {
        struct addr a = {.kind = ADDR_INET};
        assert_true(inet_parse(hosts[i], &a.inet));
        int listener = sock_listen(&a, &plain);
        if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT)
            continue; // no IPv6 here
        assert_true(listener >= 0);
        assert_true(sock_local_addr(listener, &a.inet));
        assert_true(inet_port(&a.inet) > 0);
        struct inet_addr peer;
        check_pair(listener, &a, NULL, &peer);
        close(listener);
    }
}

static void source_address_is_used(void **state)
{
    struct addr a = {.kind = ADDR_INET};
    inet_parse(STR("127.0.0.1"), &a.inet);
    int listener = sock_listen(&a, &plain);
    sock_local_addr(listener, &a.inet);
    struct inet_addr source, peer;
    char text[INET_TEXT_MAX];
    inet_parse(STR("127.0.0.9"), &source);
    check_pair(listener, &a, &source, &peer);
    assert_string_equal(inet_format(&peer, text, sizeof(text)), "127.0.0.9");
    close(listener);
}

static void refused_connection_is_reported(void **state)
{
    struct addr a = {.kind = ADDR_INET};
    inet_parse(STR("127.0.0.1"), &a.inet);
    int listener = sock_listen(&a, &plain);
    sock_local_addr(listener, &a.inet);
    close(listener);
    bool in_progress;
    int fd = sock_connect(&a, NULL, &in_progress);
    if (fd == -ECONNREFUSED)
        return;
    assert_true(fd >= 0 && in_progress);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(sock_error(fd), ECONNREFUSED);
    close(fd);
}

static void unix_path_is_replaced(void **state)
{
    char dir[] = "/tmp/phx-sock-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct addr a = {.kind = ADDR_UNIX};
    snprintf(a.path, sizeof(a.path), "%s/s", dir);
    struct sock_listen_options o = plain;
    o.mode = 0600;
    int first = sock_listen(&a, &o), second = sock_listen(&a, &o);
    assert_true(first >= 0 && second >= 0);
    struct stat st;
    assert_int_equal(stat(a.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct inet_addr peer;
    check_pair(second, &a, NULL, &peer);
    struct inet_addr local;
    assert_true(sock_local_addr(second, &local));
    assert_int_equal(local.sa.sa_family, AF_UNIX);
    close(first);
    close(second);
    assert_int_equal(unlink(a.path), 0);
    assert_int_equal(rmdir(dir), 0); // no temporary name is left

    memset(a.path, 'x', sizeof(a.path) - 1);
    assert_int_equal(sock_listen(&a, &plain), -ENAMETOOLONG);
}

static void abstract_and_inherited(void **state)
{
    struct addr a = {.kind = ADDR_ABSTRACT};
    snprintf(a.path, sizeof(a.path), "phx-test-%d", (int)getpid());
    int listener = sock_listen(&a, &plain);
    assert_true(listener >= 0);
    struct inet_addr peer;
    check_pair(listener, &a, NULL, &peer);
    struct addr inherited = {.kind = ADDR_FD, .fd = listener};
    assert_int_equal(sock_listen(&inherited, &plain), listener);
    struct addr none = {.kind = ADDR_FD, .fd = 999};
    assert_int_equal(sock_listen(&none, &plain), -EBADF);
    close(listener);
}

static void resolves_literals(void **state)
{
    struct inet_addr a;
    assert_int_equal(addr_resolve("127.0.0.1", AF_INET, &a), 0);
    assert_int_equal(a.sa.sa_family, AF_INET);
    assert_true(addr_resolve("no.such.name.invalid", AF_UNSPEC, &a) != 0);
}

static void options_do_not_fail(void **state)
{
    struct addr a = {.kind = ADDR_INET};
    inet_parse(STR("127.0.0.1"), &a.inet);
    struct sock_listen_options o = plain;
    o.defer_accept = o.tfo = true;
    o.mss = 1400;
    int fd = sock_listen(&a, &o);
    assert_true(fd >= 0);
    sock_set_nodelay(fd, true);
    sock_set_keepalive(fd);
    sock_set_user_timeout(fd, 1000);
    sock_set_linger_reset(fd);
    struct inet_addr peer;
    assert_false(sock_peer_addr(fd, &peer));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_literals),
        cmocka_unit_test(formats_each_kind),
        cmocka_unit_test(equality),
        cmocka_unit_test(tcp_over_both_families),
        cmocka_unit_test(source_address_is_used),
        cmocka_unit_test(refused_connection_is_reported),
        cmocka_unit_test(unix_path_is_replaced),
        cmocka_unit_test(abstract_and_inherited),
        cmocka_unit_test(resolves_literals),
        cmocka_unit_test(options_do_not_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
