// SPDX-License-Identifier: Apache-2.0
// Whole configurations: what the model says of good ones, every message of bad ones (golden/*.cfg beside *.err; write
// the latter anew with GOLDEN_WRITE=1), the examples, and a large file.
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"

// ---- Helpers -------------------------------------------------------------------------------------------------------
static struct config *load_as(const char *self, const char *text, unsigned alerts, unsigned warnings)
{
    struct config_options options = {.local_peer = self};
    struct diag *diag = diag_create();
    struct config *c = config_load_text("t.cfg", str_of(text), &options, diag);
    if (diag_count(diag, DIAG_ALERT) != alerts || diag_count(diag, DIAG_WARNING) != warnings) {
        struct buf out = BUF_INIT;
        diag_render(diag, &out, DIAG_DIAG);
        print_message("%s\n%s", text, out.data ? out.data : "(no message)\n");
        buf_free(&out);
        fail_msg("%u alerts and %u warnings", diag_count(diag, DIAG_ALERT), diag_count(diag, DIAG_WARNING));
    }
    assert_int_equal(c == NULL, alerts > 0);
    diag_destroy(&diag);
    return c;
}

static struct config *load(const char *text)
{
    return load_as("n1", text, 0, 0);
}

#define TIMEOUTS "timeout client 1s\n timeout server 2s\n timeout connect 3s\n"

static const struct cfg_proxy *proxy(const struct config *c, const char *name, unsigned caps)
{
    const struct cfg_proxy *px = config_find_proxy(c, str_of(name), caps);
    assert_non_null(px);
    return px;
}

static const struct cfg_server *server(const struct cfg_proxy *px, const char *name)
{
    const struct cfg_server *sv = config_find_server(px, str_of(name));
    assert_non_null(sv);
    return sv;
}

// ---- The model -----------------------------------------------------------------------------------------------------
static void test_global(void **state)
{
    (void)state;
    struct config *c =
        load("global\n daemon\n maxconn 5000\n nbthread 3\n hard-stop-after 2m\n user a\n group b\n"
             " chroot /var/empty\n pidfile /run/x\n log /dev/log local0 notice\n log 127.0.0.1 len 200 format "
             "rfc5424 sample 2:5 local7 info err\n stats socket /run/a mode 660 level admin user u\n"
             " stats socket fd@5\n stats timeout 5s\n tune.bufsize 32k\n node me\n description a b\n"
             " setenv A x\n unsetenv B\n");
    const struct cfg_global *g = &c->global;
    assert_true(g->daemon);
    assert_int_equal(g->maxconn, 5000);
    assert_int_equal(g->nbthread, 3);
    assert_int_equal(g->hard_stop_after, 120000);
    assert_int_equal(g->tune.bufsize, 32768);
    assert_true(str_is(g->description, "a b"));
    assert_true(str_is(g->localpeer, "n1"));
    assert_int_equal(g->nlogs, 2);
    assert_int_equal(g->logs[0].target, LOG_TO_UNIX);
    assert_int_equal(g->logs[0].level, 5);
    assert_int_equal(g->logs[1].addr.port, 514);
    assert_int_equal(g->logs[1].format, LOG_FMT_RFC5424);
    assert_int_equal(g->logs[1].facility, 23);
    assert_int_equal(g->logs[1].level, 6);
    assert_int_equal(g->logs[1].min_level, 3);
    assert_int_equal(g->logs[1].sample_from, 2);
    assert_int_equal(g->logs[1].sample_size, 5);
    assert_int_equal(g->nstats_sockets, 2);
    assert_int_equal(g->stats_sockets[0].mode, 0660);
    assert_int_equal(g->stats_sockets[0].level, 2);
    assert_true(str_is(g->stats_sockets[0].user, "u"));
    assert_int_equal(g->stats_sockets[1].addr.kind, CFG_ADDR_FD);
    assert_int_equal(g->stats_sockets[1].addr.fd, 5);
    assert_int_equal(g->nsetenv, 2);
    assert_null(g->setenv_values[1].ptr);
    config_unref(&c);
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cfg_addr_kind kind;
        int family;
        const char *host;
        int port, port_end;
    } rows[] = {
        {":80", CFG_ADDR_INET, AF_UNSPEC, "", 80, 80},
        {"*:80", CFG_ADDR_INET, AF_UNSPEC, "*", 80, 80},
        {"127.0.0.1:80-90", CFG_ADDR_INET, AF_INET, "127.0.0.1", 80, 90},
        {"[::1]:80", CFG_ADDR_INET, AF_INET6, "::1", 80, 80},
        {"::1:80", CFG_ADDR_INET, AF_INET6, "::1", 80, 80},
        {":::80", CFG_ADDR_INET, AF_INET6, "::", 80, 80},
        {"ipv6@:80", CFG_ADDR_INET, AF_INET6, "", 80, 80},
        {"ipv4@1.2.3.4:80", CFG_ADDR_INET, AF_INET, "1.2.3.4", 80, 80},
        {"tcp4@www.example.com:80", CFG_ADDR_INET, AF_INET, "www.example.com", 80, 80},
        {"$PHX_TEST_ADDR:80", CFG_ADDR_INET, AF_INET, "127.0.0.9", 80, 80},
        {"/run/x", CFG_ADDR_UNIX, AF_UNIX, "/run/x", 0, 0},
        {"unix@run/x", CFG_ADDR_UNIX, AF_UNIX, "run/x", 0, 0},
        {"abns@x", CFG_ADDR_ABSTRACT, AF_UNIX, "x", 0, 0},
    };
    setenv("PHX_TEST_ADDR", "127.0.0.9", 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "listen l\n " TIMEOUTS " bind %s\n", rows[i].text);
        struct config *c = load(text);
        const struct cfg_addr *a = &proxy(c, "l", CAP_FRONT)->binds[0].addr;
        assert_int_equal(a->kind, rows[i].kind);
        assert_int_equal(a->family, rows[i].family);
        assert_true(str_is(a->host, rows[i].host));
        assert_int_equal(a->port, rows[i].port);
        assert_int_equal(a->port_end, rows[i].port_end);
        config_unref(&c);
    }
}

static void test_servers(void **state)
{
    (void)state;
    struct config *c = load("defaults\n " TIMEOUTS " mode http\n default-server inter 1s weight 5\n"
                            "backend b\n default-server fall 7 backup\n cookie C insert\n"
                            " server a 1.2.3.4:80 check cookie x no-backup\n server b 1.2.3.4 weight 0 id 1 disabled\n"
                            " server c 1.2.3.4:+10 track a\n server-template t 2-4 10.0.0.1:80 maxconn 3 minconn 5\n"
                            "backend plain\n server a /run/x\n option httpchk HEAD /x HTTP/1.1 www\n");
    const struct cfg_proxy *b = proxy(c, "b", CAP_BACK), *plain = proxy(c, "plain", CAP_BACK);
    const struct cfg_server *a = server(b, "a");
    assert_int_equal(b->nservers, 6);
    assert_int_equal(a->inter, 1000);
    assert_int_equal(a->fall, 7);
    assert_int_equal(a->weight, 5);
    assert_true(a->check);
    assert_false(a->backup);
    assert_int_equal(a->id, 2); // 1 is taken
    assert_ptr_equal(a->proxy, b);
    assert_true(server(b, "b")->addr.port_relative);
    assert_int_equal(server(b, "b")->weight, 0);
    assert_true(server(b, "b")->disabled && server(b, "b")->backup);
    assert_int_equal(server(b, "c")->addr.port_offset, 10);
    assert_ptr_equal(server(b, "c")->track_server, a);
    assert_int_equal(server(b, "t3")->maxconn, 5);
    assert_int_equal(server(b, "t4")->index, 5);
    assert_int_equal(server(plain, "a")->fall, 3);
    assert_int_equal(server(plain, "a")->addr.kind, CFG_ADDR_UNIX);
    assert_int_equal(plain->check_kind, CHECK_HTTP);
    assert_true(str_is(plain->http_check.method, "HEAD"));
    assert_true(str_is(plain->http_check.version, "HTTP/1.1"));
    assert_true(str_is(plain->http_check.headers[0].value.text, "www"));
    config_unref(&c);
}

static void test_proxies(void **state)
{
    (void)state;
    struct config *c = load(
        "global\n log 127.0.0.1 local0\ndefaults\n " TIMEOUTS " mode http\n log global\n option httplog\n retries 5\n"
        "frontend same\n bind :8081,:8082 name x\n default_backend same\n option dontlognull\n id 9\n"
        " capture request header Host len 10\n monitor-uri /up\n errorloc303 503 http://sorry/\n errorfile 500 /x\n"
        "backend same\n balance hdr(X-Key) use_domain_only\n hash-type consistent djb2 avalanche\n"
        " cookie SRV insert indirect nocache maxidle 2m attr SameSite=Lax attr Foo\n option httpclose\n"
        " option redispatch 3\n option forwardfor except 127.0.0.0/8 header X-Client if-none\n http-reuse always\n"
        " retry-on conn-failure 503\n timeout queue 4s\n no log\n"
        "listen tcp\n mode tcp\n bind :8083\n option tcplog\n no option httpclose\n retries 1\n");
    const struct cfg_proxy *f = proxy(c, "same", CAP_FRONT), *b = proxy(c, "same", CAP_BACK), *l = proxy(c, "tcp", 3);
    assert_int_equal(f->caps, CAP_FRONT);
    assert_ptr_equal(f->default_backend, b);
    assert_int_equal(f->nbinds, 2);
    assert_int_equal(f->binds[1].id, 2);
    assert_int_equal(f->id, 9);
    assert_int_equal(b->id, 1);
    assert_true(cfg_option(f, OPT_DONTLOGNULL) && !cfg_option(b, OPT_DONTLOGNULL));
    assert_int_equal(f->nlogs, 1);
    assert_int_equal(f->log_line, LOG_LINE_HTTP);
    assert_true(f->log_format.count > 10);
    assert_int_equal(f->nerrorfiles, 2);
    assert_int_equal(f->errorfiles[0].redirect_status, 303);
    assert_int_equal(b->balance, BALANCE_HDR);
    assert_true(str_is(b->balance_arg.name, "X-Key") && b->balance_arg.use_domain_only);
    assert_int_equal(b->hash_fn, HASH_FN_DJB2);
    assert_true(b->hash_avalanche);
    assert_int_equal(b->cookie.flags, COOKIE_INSERT | COOKIE_INDIRECT | COOKIE_NOCACHE);
    assert_int_equal(b->cookie.maxidle, 120);
    assert_true(str_is(b->cookie.attr, "SameSite=Lax; Foo"));
    assert_int_equal(b->http_mode, HTTP_CLOSE);
    assert_int_equal(b->redispatch_interval, 3);
    assert_true(b->forwardfor.if_none && str_is(b->forwardfor.header, "X-Client"));
    assert_int_equal(b->retry_on, RETRY_CONN_FAILURE | RETRY_503);
    assert_int_equal(b->timeout.queue, 4000);
    assert_int_equal(b->timeout.tunnel, -1);
    assert_int_equal(b->retries, 5);
    assert_int_equal(b->nlogs, 0);
    assert_int_equal(l->mode, MODE_TCP);
    assert_int_equal(l->http_mode, HTTP_KEEP_ALIVE);
    assert_int_equal(l->retries, 1);
    config_unref(&c);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config *c = load("defaults base\n " TIMEOUTS " mode http\n errorfile 500 /a\n log 127.0.0.1 local0\n"
                            "defaults more from base\n retries 9\n errorfile 503 /b\n"
                            "defaults rules\n " TIMEOUTS " mode http\n acl x path /x\n http-request deny if x\n"
                            "defaults empty\n " TIMEOUTS "frontend a from base\n bind :8081\n errorfile 502 /c\n"
                            "frontend b from base\n bind :8082\n errorfile 504 /d\n"
                            "frontend c from more\n bind :8083\n"
                            "frontend d from rules\n bind :8084\n http-request set-header x y\n"
                            "frontend e from rules\n bind :8085\n"
                            "frontend f\n bind :8086\n");
    // Arrays of a defaults section are not shared by those that add to them.
    const struct cfg_proxy *a = proxy(c, "a", CAP_FRONT), *b = proxy(c, "b", CAP_FRONT);
    assert_int_equal(a->nerrorfiles, 2);
    assert_int_equal(a->errorfiles[1].status, 502);
    assert_int_equal(b->errorfiles[1].status, 504);
    assert_int_equal(proxy(c, "c", CAP_FRONT)->retries, 9);
    assert_int_equal(proxy(c, "c", CAP_FRONT)->nerrorfiles, 2);
    // Rules come first and belong to the proxy.
    const struct cfg_proxy *d = proxy(c, "d", CAP_FRONT), *e = proxy(c, "e", CAP_FRONT);
    assert_int_equal(d->rules[RULES_HTTP_REQ].count, 2);
    assert_int_equal(d->rules[RULES_HTTP_REQ].rules[0].action.id, ACT_DENY);
    assert_int_equal(e->rules[RULES_HTTP_REQ].count, 1);
    assert_ptr_equal(d->rules[RULES_HTTP_REQ].rules[0].cond->ands[0].terms[0].acl, &d->acls[0]);
    assert_int_equal(proxy(c, "f", CAP_FRONT)->mode, MODE_TCP);
    config_unref(&c);
}

static void test_digests(void **state)
{
    (void)state;
    struct config *one = load("defaults\n " TIMEOUTS "listen a\n bind :8081\nlisten b\n bind :8082\n");
    struct config *two = load("defaults\n " TIMEOUTS "listen a\n bind :8081 # same\nlisten b\n bind :8083\n");
    assert_true(one->digest != two->digest);
    assert_true(proxy(one, "a", 3)->digest == proxy(two, "a", 3)->digest);
    assert_true(proxy(one, "b", 3)->digest != proxy(two, "b", 3)->digest);
    struct config *ref = config_ref(one);
    config_unref(&one);
    assert_true(str_is(proxy(ref, "a", 3)->name, "a"));
    config_unref(&ref);
    config_unref(&two);
}

#define EDGE                                                                                                           \
    "cluster edge\n node n1 127.0.0.1:7701 addr 127.0.0.1:8081 # where clients reach it\n"                             \
    " node n2 127.0.0.2:7702 addr 127.0.0.2:8082\n node n3 127.0.0.3:7703\n"

static void test_cluster(void **state)
{
    (void)state;
    struct config *c =
        load_as("n2",
                EDGE " health any\n tables replicated\n bind :7777\n"
                     "backend app\n stick-table type ip size 100k expire 30m store http_req_cnt peers edge\n",
                0, 0);
    const struct cfg_cluster *edge = &c->clusters[0];
    assert_int_equal(edge->nnodes, 3);
    assert_int_equal(edge->self, 1);
    assert_int_equal(edge->health, CLUSTER_HEALTH_ANY);
    assert_int_equal(edge->nodes[1].link.port, 7702);
    assert_int_equal(edge->nodes[1].addr.port, 8082);
    assert_int_equal(edge->nodes[2].addr.kind, CFG_ADDR_NONE);
    assert_int_equal(edge->binds[0].addr.port, 7777);
    assert_ptr_equal(proxy(c, "app", CAP_BACK)->table->cluster, edge);
    config_unref(&c);
    c = load_as("n2", EDGE " tables local\nbackend app\n stick-table type ip size 100k peers edge\n", 0, 0);
    assert_null(proxy(c, "app", CAP_BACK)->table->cluster);
    config_unref(&c);
    c = load_as(NULL, "global\n localpeer n3\n" EDGE, 0, 0);
    assert_int_equal(c->clusters[0].self, 2);
    config_unref(&c);
    c = load_as("n2", "global\n localpeer n3\n" EDGE, 0, 0); // -L goes before
    assert_int_equal(c->clusters[0].self, 1);
    config_unref(&c);
    load_as("n4", EDGE, 1, 0);
    c = load_as("n4", "backend b\n", 0, 0); // without a cluster any name will do
    config_unref(&c);
}

static void test_userlists(void **state)
{
    (void)state;
    struct config *c = load("userlist u\n group g1 users a,b\n group g2\n user a insecure-password x groups g2\n"
                            " user b password $5$y\n");
    const struct cfg_userlist *u = &c->userlists[0];
    assert_int_equal(u->nusers, 2);
    assert_true(u->users[0].insecure && !u->users[1].insecure);
    assert_int_equal(u->users[0].ngroups, 2);
    assert_true(str_is(u->users[1].groups[0], "g1"));
    config_unref(&c);
}

static void test_zero_warning(void **state)
{
    (void)state;
    load_as("n1", "global\n zero-warning\nfrontend f\n bind :8081\n", 1, 1);
    struct config *c = load_as("n1", "frontend f\n bind :8081\n", 0, 1);
    assert_int_equal(c->warnings, 1);
    config_unref(&c);
}

// ---- Files ---------------------------------------------------------------------------------------------------------
static void put_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void remove_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/phx-test-load-XXXXXX";
    static const char *const names[] = {"b.cfg", "a.cfg", ".hidden.cfg", "c.txt", "first"};
    assert_non_null(mkdtemp(folder));
    put_file(folder, "b.cfg", "defaults\n " TIMEOUTS "listen b\n bind :8082\n");
    put_file(folder, "a.cfg", "listen a\n bind :8081\n timeout client 1s\n");
    put_file(folder, ".hidden.cfg", "foo\n");
    put_file(folder, "c.txt", "foo\n");
    put_file(folder, "first", "global\n maxconn 10\n");
    char first[512];
    snprintf(first, sizeof(first), "%s/first", folder);
    const char *paths[] = {first, folder};
    struct config_options options = {.paths = paths, .npaths = 2, .local_peer = "n1"};
    struct diag *diag = diag_create();
    struct config *c = config_load(&options, diag);
    assert_non_null(c);
    assert_int_equal(c->nfiles, 3);
    assert_true(str_ends(c->files[1], STR("/a.cfg")));
    assert_int_equal(c->nproxies, 2);
    assert_int_equal(proxy(c, "b", 3)->src.file, 2);
    config_unref(&c);
    paths[0] = "/nonexistent";
    assert_null(config_load(&options, diag));
    assert_int_equal(diag_count(diag, DIAG_ALERT), 1);
    diag_destroy(&diag);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        remove_file(folder, names[i]);
    rmdir(folder);
}

static void read_whole(const char *path, struct buf *out)
{
    char chunk[4096];
    size_t n;
    FILE *f = fopen(path, "r");
    buf_add_cstr(out, "");
    if (!f)
        return;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(out, chunk, n);
    fclose(f);
}

// Calls fn for each *.cfg of a folder; returns how many there were.
static unsigned each_config(const char *folder, void (*fn)(const char *folder, const char *name))
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    unsigned n = 0;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (str_ends(str_of(entry->d_name), STR(".cfg"))) {
            fn(folder, entry->d_name);
            n++;
        }
    closedir(dir);
    return n;
}

// The process's number is not the same twice.
static void hide_pid(struct str text, struct buf *out)
{
    char pid[32];
    snprintf(pid, sizeof(pid), " (%d) ", (int)getpid());
    buf_add_cstr(out, "");
    for (ptrdiff_t at; (at = str_find(text, str_of(pid))) >= 0;
         text = str_slice(text, (size_t)at + strlen(pid), text.len)) {
        buf_add(out, text.ptr, (size_t)at);
        buf_add_cstr(out, " (PID) ");
    }
    buf_add_str(out, text);
}

static void golden(const char *folder, const char *name)
{
    char path[512];
    struct config_options options = {.local_peer = "nn"};
    struct buf text = BUF_INIT, rendered = BUF_INIT, got = BUF_INIT, expected = BUF_INIT;
    struct diag *diag = diag_create();
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    read_whole(path, &text);
    struct config *c = config_load_text(name, buf_str(&text), &options, diag);
    config_unref(&c);
    diag_render(diag, &rendered, DIAG_DIAG);
    hide_pid(buf_str(&rendered), &got);
    memcpy(path + strlen(path) - 3, "err", 3);
    if (getenv("GOLDEN_WRITE")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fwrite(got.data, 1, got.len, f);
        fclose(f);
    }
    read_whole(path, &expected);
    if (strcmp(got.data, expected.data) != 0)
        fail_msg("%s: the messages are now\n%s", name, got.data);
    buf_free(&text);
    buf_free(&rendered);
    buf_free(&got);
    buf_free(&expected);
    diag_destroy(&diag);
}

static void test_golden(void **state)
{
    (void)state;
    assert_true(each_config(TEST_DIR "/golden", golden) >= 9);
}

static void example(const char *folder, const char *name)
{
    struct buf text = BUF_INIT;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    read_whole(path, &text);
    struct config *c = load(text.data);
    config_unref(&c);
    buf_free(&text);
}

static void test_examples(void **state)
{
    (void)state;
    assert_true(each_config(TEST_DIR "/../examples", example) >= 4);
}

// ---- Size and help -------------------------------------------------------------------------------------------------
static void test_large(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    buf_add_cstr(&text, "defaults\n mode http\n " TIMEOUTS "frontend f\n bind :8081\n");
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&text, " use_backend b%u if { path_beg /b%u }\n", i, i);
    for (unsigned i = 0; i < 1000; i++) {
        buf_printf(&text, "backend b%u\n balance roundrobin\n", i);
        for (unsigned s = 0; s < 10; s++)
            buf_printf(&text, " server s%u 127.0.0.1:%u check inter 5s maxconn 100\n", s, 1000 + s);
    }
    struct config *c = load(text.data);
    assert_int_equal(c->nproxies, 1001);
    assert_ptr_equal(proxy(c, "f", CAP_FRONT)->use_backends[999].backend, proxy(c, "b999", CAP_BACK));
    config_unref(&c);
    buf_free(&text);
}

static void test_help(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    assert_true(config_help("maxconn", &out));
    assert_true(str_find(buf_str(&out), STR("bind … maxconn")) > 0);
    buf_clear(&out);
    assert_true(config_help("timeout client", &out));
    assert_true(str_find(buf_str(&out), STR("defaults, frontend, listen")) > 0);
    buf_clear(&out);
    assert_false(config_help("maxcon", &out));
    assert_true(str_find(buf_str(&out), STR("did you mean 'maxconn'")) > 0);
    buf_clear(&out);
    assert_true(config_help("", &out));
    buf_clear(&out);
    config_reference(&out);
    struct str rest = buf_str(&out), line, cell;
    while (str_split(&rest, '\n', &line) && line.len) {
        unsigned cells = 0;
        while (str_split(&line, '\t', &cell))
            cells++;
        assert_int_equal(cells, 5);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_global),  cmocka_unit_test(test_addresses), cmocka_unit_test(test_servers),
        cmocka_unit_test(test_proxies), cmocka_unit_test(test_defaults),  cmocka_unit_test(test_digests),
        cmocka_unit_test(test_cluster), cmocka_unit_test(test_userlists), cmocka_unit_test(test_zero_warning),
        cmocka_unit_test(test_files),   cmocka_unit_test(test_golden),    cmocka_unit_test(test_examples),
        cmocka_unit_test(test_large),   cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
