// SPDX-License-Identifier: Apache-2.0
// The privileged helper. Each request is one datagram on a sequenced-packet socketpair: a fixed head, its strings, and
// by SCM_RIGHTS the socket that the answer goes to (so that callers on several threads need no lock and a program that
// runs long delays nobody) and, for a write, a memfd with the bytes. The answer is one number and perhaps a descriptor:
// of the opened file, the bound socket, or a memfd with a list of names. The same functions serve directly when there
// is no helper.
//
// The helper trusts its parent with files, as the parent is what it serves; but it takes no size or index from it
// unchecked.
#include "node/io/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/panic.h"

#define REQUEST_MAX 65536             // a datagram: head and strings
#define NAMES_MAX   ((size_t)1 << 20) // bytes of a folder's listing
#define ARGS_MAX    256

enum op { OP_OPEN, OP_LISTEN, OP_READ_DIR, OP_REPLACE, OP_UNLINK, OP_RUN };

struct request {
    uint32_t op;
    int32_t a, b;                      // open: flags, mode; replace: mode; run: timeout, number of arguments
    uint32_t text_len;                 // path with its NUL; run: all strings of argv and env, each with its NUL
    struct addr addr;                  // listen
    struct sock_listen_options listen; // interface: replaced by the text
    char text[];
};

static int keeper_fd = -1;
static pid_t keeper_process;

// ---- What is done, in the helper or directly. Each returns a value ≥ 0 or -errno.

static int do_open(const char *path, int flags, int mode)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, (mode_t)mode);
    return fd < 0 ? -errno : fd;
}

// Regular files whose name does not begin with a dot, or links to such.
static int is_listed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_regular(int dir_fd, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type == DT_REG)
        return true;
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
        return false;
    return fstatat(dir_fd, entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static int do_read_dir(const char *path, struct buf *names)
{
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -errno;
    struct dirent **entries;
    int n = scandirat(dir_fd, ".", &entries, is_listed, compare_names);
    int rc = n < 0 ? -errno : 0;
    for (int i = 0; i < n; i++) {
        size_t len = strlen(entries[i]->d_name) + 1;
        if (names->len + len > NAMES_MAX)
            rc = -E2BIG;
        else if (is_regular(dir_fd, entries[i]))
            buf_add(names, entries[i]->d_name, len);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    close(dir_fd);
    return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

// The rest of a file, at most max bytes.
static int read_all(int fd, size_t max, struct buf *out)
{
    size_t before = out->len;
    for (;;) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (out->len - before + (size_t)n > max)
            return -EFBIG;
        buf_add(out, chunk, (size_t)n);
    }
}

static int fill_and_sync(int fd, int mode, const void *data, size_t len)
{
    int rc = write_all(fd, data, len);
    if (rc == 0 && fchmod(fd, (mode_t)mode) < 0)
        rc = -errno;
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    return rc;
}

static int do_replace(const char *path, int mode, const void *data, size_t len)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    if (n >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    int fd = mkostemp(temporary, O_CLOEXEC); // 0600 until it is complete
    if (fd < 0)
        return -errno;
    int rc = fill_and_sync(fd, mode, data, len);
    close(fd);
    if (rc == 0 && rename(temporary, path) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(temporary);
    return rc;
}

static int do_unlink(const char *path)
{
    return remove(path) < 0 ? -errno : 0;
}

// Starts the program in a process group of its own, with no input and no output, all signals as usual.
static int spawn(char *const argv[], char *const env[], pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char *const empty[] = {NULL};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int rc = posix_spawn(pid, argv[0], &files, &attributes, argv, env ? env : empty);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return -rc;
}

static int do_run(char *const argv[], char *const env[], unsigned timeout_ms)
{
    pid_t pid;
    int rc = spawn(argv, env, &pid);
    if (rc < 0)
        return rc;
    struct pollfd ended = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    bool in_time = true;
    if (ended.fd >= 0) {
        do
            rc = poll(&ended, 1, (int)timeout_ms);
        while (rc < 0 && errno == EINTR);
        in_time = rc > 0;
        close(ended.fd);
    }
    if (!in_time)
        kill(-pid, SIGKILL);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (!in_time)
        return -ETIMEDOUT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- Datagrams with descriptors.

// Sends len bytes and up to two descriptors (-1 = none). 0 or -errno.
static int send_with_fds(int sock, const void *data, size_t len, int fd1, int fd2)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    int fds[2] = {fd1, fd2};
    size_t count = fd1 < 0 ? 0 : fd2 < 0 ? 1 : 2;
    struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count > 0) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

// Receives a datagram and up to two descriptors. Length, 0 at the end, or -errno (then no descriptor is left open).
static ssize_t recv_with_fds(int sock, void *data, size_t size, int fds[2])
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = data, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    fds[0] = fds[1] = -1;
    ssize_t n;
    do
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(cmsg), (count < 2 ? count : 2) * sizeof(int));
    }
    if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int i = 0; i < 2; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        fds[0] = fds[1] = -1;
        return -EBADMSG;
    }
    return n;
}

static int memfd_with(const void *data, size_t len)
{
    int fd = memfd_create("phalanx-keeper", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = write_all(fd, data, len);
    if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
        rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

// ---- The helper's side.

static int serve_listen(struct request *r)
{
    if (r->addr.kind != ADDR_INET && r->addr.kind != ADDR_UNIX && r->addr.kind != ADDR_ABSTRACT)
        return -EINVAL;
    r->addr.path[sizeof(r->addr.path) - 1] = '\0';
    r->listen.interface = r->text[0] ? r->text : NULL;
    return sock_listen(&r->addr, &r->listen);
}

static int serve_read_dir(const char *path)
{
    struct buf names = BUF_INIT;
    int rc = do_read_dir(path, &names);
    if (rc == 0)
        rc = memfd_with(names.data, names.len);
    buf_free(&names);
    return rc;
}

static int serve_replace(const struct request *r, int data_fd)
{
    struct stat st;
    if (data_fd < 0 || fstat(data_fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
        return -EINVAL;
    size_t len = (size_t)st.st_size;
    void *data = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, data_fd, 0) : NULL;
    if (data == MAP_FAILED)
        return -errno;
    int rc = do_replace(r->text, r->a, data, len);
    if (len)
        munmap(data, len);
    return rc;
}

// The strings one after another: b of them are the arguments, the others the environment.
static int serve_run(struct request *r)
{
    char *argv[ARGS_MAX + 1] = {NULL}, *env[ARGS_MAX + 1] = {NULL};
    int args = 0, envs = 0;
    for (char *s = r->text; s < r->text + r->text_len; s += strlen(s) + 1) {
        if (args < r->b && args < ARGS_MAX)
            argv[args++] = s;
        else if (args == r->b && envs < ARGS_MAX)
            env[envs++] = s;
        else
            return -E2BIG;
    }
    return args == 0 || args != r->b ? -EINVAL : do_run(argv, env, (unsigned)r->a);
}

// A program may take long: a child of the helper waits for it and answers.
static void serve_run_aside(struct request *r, int reply_fd)
{
    pid_t pid = fork();
    int32_t result = -errno;
    if (pid == 0) {
        signal(SIGCHLD, SIG_DFL);
        result = serve_run(r);
    }
    if (pid <= 0)
        send_with_fds(reply_fd, &result, sizeof(result), -1, -1);
    if (pid == 0)
        _exit(0);
}

static void serve(struct request *r, int reply_fd, int data_fd)
{
    int32_t result = -EINVAL;
    int fd = -1;
    switch (r->op) {
    case OP_OPEN:
        result = fd = do_open(r->text, r->a, r->b);
        break;
    case OP_LISTEN:
        result = fd = serve_listen(r);
        break;
    case OP_READ_DIR:
        result = fd = serve_read_dir(r->text);
        break;
    case OP_REPLACE:
        result = serve_replace(r, data_fd);
        break;
    case OP_UNLINK:
        result = do_unlink(r->text);
        break;
    case OP_RUN:
        serve_run_aside(r, reply_fd);
        return;
    }
    send_with_fds(reply_fd, &result, sizeof(result), fd, -1);
    if (fd >= 0)
        close(fd);
}

static void serve_until_closed(int sock)
{
    static union {
        struct request request;
        char bytes[sizeof(struct request) + REQUEST_MAX];
    } in;
    for (;;) {
        int fds[2];
        ssize_t n = recv_with_fds(sock, &in, sizeof(in), fds);
        if (n == 0)
            return;
        struct request *r = &in.request;
        bool whole = n >= (ssize_t)sizeof(*r) && r->text_len > 0 && r->text_len == (size_t)n - sizeof(*r) &&
                     r->text[r->text_len - 1] == '\0';
        if (whole && fds[0] >= 0)
            serve(r, fds[0], fds[1]);
        for (int i = 0; i < 2; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        if (n < 0 && n != -EBADMSG)
            return;
    }
}

_Noreturn static void helper_main(int sock, const sigset_t *mask)
{
    prctl(PR_SET_NAME, "phalanx-keeper");
    // A terminal's or a service manager's signals go to all processes; the helper leaves when its parent does.
    const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTTOU, SIGTTIN, SIGCHLD};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (sock != 3 && dup3(sock, 3, O_CLOEXEC) < 0)
        _exit(1);
    close_range(4, ~0U, 0);
    serve_until_closed(3);
    _exit(0);
}

// ---- The parent's side.

int keeper_start(void)
{
    ASSERT(keeper_fd < 0);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    // No signal may reach the helper before it ignores them.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        helper_main(pair[1], &before);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        close(pair[0]);
        close(pair[1]);
        return -error;
    }
    close(pair[1]);
    keeper_fd = pair[0];
    keeper_process = pid;
    return 0;
}

void keeper_forget(void)
{
    if (keeper_fd >= 0)
        close(keeper_fd);
    keeper_fd = -1;
    keeper_process = 0;
}

void keeper_stop(void)
{
    pid_t pid = keeper_process;
    keeper_forget();
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
}

pid_t keeper_pid(void)
{
    return keeper_process;
}

// Sends a request and waits for its answer: a value ≥ 0 (a descriptor where the helper passes one) or -errno.
static int ask(struct request *head, const char *text, size_t text_len, int data_fd)
{
    if (text_len > REQUEST_MAX)
        return -ENAMETOOLONG;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    head->text_len = (uint32_t)text_len;
    struct buf out = BUF_INIT;
    buf_add(&out, head, sizeof(*head));
    buf_add(&out, text, text_len);
    int rc = send_with_fds(keeper_fd, out.data, out.len, pair[1], data_fd);
    buf_free(&out);
    close(pair[1]); // the helper's copy is the only one: if it dies, we read the end

    int32_t result = -EIO;
    int fds[2] = {-1, -1};
    if (rc == 0 && recv_with_fds(pair[0], &result, sizeof(result), fds) != sizeof(result))
        result = -EPIPE;
    close(pair[0]);
    if (rc < 0)
        return rc;
    return fds[0] >= 0 ? fds[0] : result;
}

static int ask_path(enum op op, const char *path, int a, int b, int data_fd)
{
    struct request r = {.op = op, .a = a, .b = b};
    return ask(&r, path, strlen(path) + 1, data_fd);
}

int keeper_open(const char *path, int open_flags, int mode)
{
    if (keeper_fd < 0)
        return do_open(path, open_flags, mode);
    return ask_path(OP_OPEN, path, open_flags, mode, -1);
}

int keeper_listen(const struct addr *a, const struct sock_listen_options *o)
{
    // An inherited descriptor is this process's own.
    if (keeper_fd < 0 || a->kind == ADDR_FD)
        return sock_listen(a, o);
    struct request r = {.op = OP_LISTEN, .addr = *a, .listen = *o};
    const char *interface = o->interface ? o->interface : "";
    r.listen.interface = NULL;
    return ask(&r, interface, strlen(interface) + 1, -1);
}

int keeper_read_file(const char *path, size_t max, struct buf *out)
{
    int fd = keeper_open(path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    int rc = read_all(fd, max, out);
    close(fd);
    return rc;
}

int keeper_read_dir(const char *path, struct buf *names)
{
    if (keeper_fd < 0)
        return do_read_dir(path, names);
    int fd = ask_path(OP_READ_DIR, path, 0, 0, -1);
    if (fd < 0)
        return fd;
    int rc = read_all(fd, NAMES_MAX, names);
    close(fd);
    return rc;
}

int keeper_replace_file(const char *path, int mode, const void *data, size_t len)
{
    if (keeper_fd < 0)
        return do_replace(path, mode, data, len);
    int data_fd = memfd_with(data, len);
    if (data_fd < 0)
        return data_fd;
    int rc = ask_path(OP_REPLACE, path, mode, 0, data_fd);
    close(data_fd);
    return rc;
}

int keeper_unlink(const char *path)
{
    return keeper_fd < 0 ? do_unlink(path) : ask_path(OP_UNLINK, path, 0, 0, -1);
}

int keeper_run(char *const argv[], char *const env[], unsigned timeout_ms)
{
    ASSERT(argv[0] != NULL);
    if (keeper_fd < 0)
        return do_run(argv, env, timeout_ms);
    struct request r = {.op = OP_RUN, .a = (int32_t)timeout_ms};
    struct buf text = BUF_INIT;
    for (; argv[r.b]; r.b++)
        buf_add(&text, argv[r.b], strlen(argv[r.b]) + 1);
    for (; env && *env; env++)
        buf_add(&text, *env, strlen(*env) + 1);
    int rc = ask(&r, text.data, text.len, -1);
    buf_free(&text);
    return rc;
}
