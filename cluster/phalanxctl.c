// SPDX-License-Identifier: Apache-2.0
// phalanxctl: asks one node about the whole cluster over its stats socket, and prints what it says as tables or JSON.
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/report.h"

#define DEFAULT_SOCKET "/run/phalanx/admin.sock"
#define ANSWER_SECONDS 10
#define ANSWER_MAX     (256u << 20)

enum { EXIT_HEALTHY = 0, EXIT_AILING = 1, EXIT_CANNOT_ASK = 2 };

static const char usage[] = "Usage: phalanxctl [-s ADDRESS] [--json] COMMAND\n"
                            "\n"
                            "Asks one Phalanx node about the cluster.\n"
                            "\n"
                            "Commands:\n"
                            "  status     nodes, tables and servers\n"
                            "  nodes      the nodes, their states and where clients reach them\n"
                            "  tables     the stick tables and how much this node holds\n"
                            "  servers    the servers, their states and the nodes' votes\n"
                            "\n"
                            "Options:\n"
                            "  -s, --socket ADDRESS   stats socket of the node: a path, or HOST:PORT\n"
                            "                         (else $PHALANX_SOCKET, else " DEFAULT_SOCKET ")\n"
                            "      --json             print JSON\n"
                            "  -h, --help             print this\n"
                            "  -V, --version          print the version\n"
                            "\n"
                            "Exit status: 0 healthy; 1 a node is unknown, suspect, dead or isolated, or a\n"
                            "server is down; 2 the node cannot be asked. NO_COLOR switches colours off.\n";

struct request {
    const char *address;
    const char *command; // as given
    unsigned parts;      // enum report_part
    bool json;
};

static int fail(const char *address, const char *what)
{
    fprintf(stderr, "phalanxctl: %s: %s\n", address, what);
    return -1;
}

// ---- asking ----

static int connect_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sun.sun_path))
        return fail(path, "the path is too long for a socket");
    strcpy(sun.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
        fail(path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int try_addresses(const struct addrinfo *list)
{
    int fd = -1;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            return fd;
        int error = errno;
        if (fd >= 0)
            close(fd);
        errno = error;
    }
    return -1;
}

// "host:port", "[v6]:port"; `colon` is the last one.
static int connect_tcp(const char *address, const char *colon)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    struct str host = str_make(address, (size_t)(colon - address));
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_slice(host, 1, host.len - 2);
    char *name = str_dup(host);
    int rc = getaddrinfo(host.len ? name : NULL, colon + 1, &hints, &list);
    free(name);
    if (rc != 0)
        return fail(address, gai_strerror(rc));
    int fd = try_addresses(list);
    freeaddrinfo(list);
    return fd >= 0 ? fd : fail(address, strerror(errno));
}

static bool all_digits(const char *s)
{
    return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

static int connect_to(const char *address)
{
    if (strncmp(address, "unix@", 5) == 0)
        return connect_unix(address + 5);
    const char *colon = strrchr(address, ':');
    bool tcp = colon != NULL && strchr(address, '/') == NULL && all_digits(colon + 1);
    return tcp ? connect_tcp(address, colon) : connect_unix(address);
}

static bool send_all(int fd, const struct buf *line)
{
    for (size_t sent = 0; sent < line->len;) {
        ssize_t n = send(fd, line->data + sent, line->len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static bool receive_all(int fd, struct buf *answer)
{
    char chunk[65536];
    while (answer->len < ANSWER_MAX) {
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        buf_add(answer, chunk, (size_t)n);
    }
    errno = EMSGSIZE;
    return false;
}

// One command, answered until the node closes. False after a message.
static bool ask(const struct request *r, struct buf *answer)
{
    int fd = connect_to(r->address);
    if (fd < 0)
        return false;
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    struct buf line = BUF_INIT;
    buf_printf(&line, "show cluster%s%s json\n", r->parts == REPORT_STATUS ? "" : " ",
               r->parts == REPORT_STATUS ? "" : r->command);
    bool ok = send_all(fd, &line) && receive_all(fd, answer);
    if (!ok)
        fail(r->address, errno == EAGAIN ? "no answer in time" : strerror(errno));
    buf_free(&line);
    close(fd);
    return ok;
}

// ---- printing ----

static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color != NULL && *no_color != '\0')
        return false;
    return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

static int print_status(const struct request *r, const json_t *status)
{
    if (r->json) {
        json_dumpf(status, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
    } else {
        struct buf out = BUF_INIT;
        report_text(status, r->parts, wants_colour(), &out);
        fwrite(out.data, 1, out.len, stdout);
        buf_free(&out);
    }
    if (fflush(stdout) != 0) {
        fail("standard output", strerror(errno));
        return EXIT_CANNOT_ASK;
    }
    return report_exit_status(status, r->parts) ? EXIT_AILING : EXIT_HEALTHY;
}

// What is no JSON is the node's refusal (no cluster, no permission, an older program): its first line says why.
static int print_answer(const struct request *r, const struct buf *answer)
{
    json_error_t error;
    json_t *status = answer->len ? json_loadb(answer->data, answer->len, 0, &error) : NULL;
    if (!json_is_object(status)) {
        struct str text = str_trim(buf_str(answer)), line;
        if (!str_split(&text, '\n', &line) || line.len == 0)
            line = STR("the node gave no answer");
        fprintf(stderr, "phalanxctl: %s: %.*s\n", r->address, STR_ARG(line));
        json_decref(status);
        return EXIT_CANNOT_ASK;
    }
    int result = print_status(r, status);
    json_decref(status);
    return result;
}

// ---- command line ----

static int misuse(const char *what, const char *word)
{
    fprintf(stderr, "phalanxctl: %s%s%s\nTry 'phalanxctl --help'.\n", what, word ? ": " : "", word ? word : "");
    return EXIT_CANNOT_ASK;
}

// 0 = go on; else the exit status + 1.
static int parse_options(int argc, char **argv, struct request *r)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "s:hV", options, NULL)) != -1) {
        switch (option) {
        case 's':
            r->address = optarg;
            break;
        case 'j':
            r->json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 1 + EXIT_HEALTHY;
        case 'V':
            puts("phalanxctl " PHX_VERSION);
            return 1 + EXIT_HEALTHY;
        default: // getopt said why
            fputs("Try 'phalanxctl --help'.\n", stderr);
            return 1 + EXIT_CANNOT_ASK;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *from_env = getenv("PHALANX_SOCKET");
    struct request r = {.address = from_env && *from_env ? from_env : DEFAULT_SOCKET};
    int done = parse_options(argc, argv, &r);
    if (done)
        return done - 1;
    if (optind == argc)
        return misuse("which command? status, nodes, tables or servers", NULL);
    r.command = argv[optind];
    if (optind + 1 < argc)
        return misuse("one word too many", argv[optind + 1]);
    r.parts = strcmp(r.command, "status") == 0 ? REPORT_STATUS : report_part_named(str_of(r.command));
    if (r.parts == 0)
        return misuse("unknown command", r.command);

    struct buf answer = BUF_INIT;
    int result = ask(&r, &answer) ? print_answer(&r, &answer) : EXIT_CANNOT_ASK;
    buf_free(&answer);
    return result;
}
