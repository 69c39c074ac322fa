// SPDX-License-Identifier: Apache-2.0
// The request path with real sockets: workers in threads, an origin in others, a client in the test.
#include "node/proxy/tests/running.h"

#include "node/proxy/listener.h"
#include "node/proxy/tests/origin.h"

#define FRONTS 5

static int origin_fd, front_fds[FRONTS];
static uint16_t origin_port, ports[FRONTS];
static pthread_t origin_thread;
enum { HTTP, TCP, QUEUE, NEVER, COOKIE };

static struct snapshot *load(void)
{
    struct diag *diag = diag_create();
    struct config_options options = {.local_peer = "n1"};
    struct buf text = BUF_INIT, said = BUF_INIT;
    buf_printf(&text,
               RUNNING_DEFAULTS
               " timeout http-request 500ms\n timeout queue 5s\n retries 1\n"
               "frontend http\n bind fd@%d\n"
               " http-request deny if { path /deny }\n"
               " http-request return status 200 content-type text/plain string hi if { path /return }\n"
               " http-request redirect location /there if { path /redirect }\n"
               " http-request wait-for-body time 5s if { path /body-first }\n"
               " monitor-uri /alive\n"
               " use_backend dead if { path /dead }\n default_backend app\n"
               "backend app\n http-reuse always\n http-response set-header X-Seen yes\n"
               " server s1 127.0.0.1:%u\n"
               "backend dead\n retries 0\n server s1 127.0.0.1:1\n"
               "listen tcp\n mode tcp\n bind fd@%d\n server s1 127.0.0.1:%u\n"
               "listen queue\n bind fd@%d\n server s1 127.0.0.1:%u maxconn 1\n"
               "listen never\n bind fd@%d\n http-reuse never\n server s1 127.0.0.1:%u\n"
               "listen cookie\n bind fd@%d\n balance roundrobin\n cookie SRV insert indirect\n"
               " server s1 127.0.0.1:%u cookie one\n server s2 127.0.0.1:%u cookie two\n",
               front_fds[HTTP], origin_port, front_fds[TCP], origin_port, front_fds[QUEUE], origin_port,
               front_fds[NEVER], origin_port, front_fds[COOKIE], origin_port, origin_port);
    struct config *c = config_load_text("test.cfg", buf_str(&text), &options, diag);
    struct snapshot *s = c ? snapshot_build(&c, snapshot_current(), false, diag) : NULL;
    diag_render(diag, &said, DIAG_ALERT);
    if (!s)
        fail_msg("%.*s", STR_ARG(buf_str(&said)));
    diag_destroy(&diag);
    buf_free(&text);
    buf_free(&said);
    return s;
}

static int start(void **state)
{
    running_init();
    origin_fd = listen_anywhere(&origin_port);
    for (int i = 0; i < FRONTS; i++)
        front_fds[i] = listen_anywhere(&ports[i]);
    pthread_create(&origin_thread, NULL, origin_main, (void *)(intptr_t)origin_fd);
    worker_count = 2;
    for (unsigned i = 0; i < worker_count; i++)
        workers[i] = worker_create(THREAD_WORKER, i);
    snapshot_publish(load());
    for (unsigned i = 0; i < worker_count; i++)
        worker_start(workers[i], NULL);
    return 0;
}

static void on_stop(struct msg *m)
{
    free(m);
    loop_stop(worker_self->loop);
}

static int stop(void **state)
{
    for (unsigned i = 0; i < worker_count; i++) {
        struct msg *m = calloc(1, sizeof(*m));
        m->kind = MSG_CALL;
        m->fn = on_stop;
        inbox_send(loop_inbox(workers[i]->loop), m);
    }
    for (unsigned i = 0; i < worker_count; i++)
        worker_join(workers[i]);
    for (unsigned i = 0; i < worker_count; i++) {
        worker_self = workers[i];
        stream_worker_end(workers[i]);
    }
    worker_self = NULL;
    retire_now_single_threaded();
    for (unsigned i = 0; i < worker_count; i++)
        worker_destroy(&workers[i]);
    worker_count = 0;
    running_end();
    stream_shutdown();
    shutdown(origin_fd, SHUT_RDWR);
    pthread_join(origin_thread, NULL);
    close(origin_fd);
    for (int i = 0; i < FRONTS; i++)
        close(front_fds[i]);
    return 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

// ---- HTTP ----------------------------------------------------------------------------------------------------------

static void requests_of_one_connection_share_a_server_connection(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]), before = atomic_load(&origin_connections);
    for (int i = 0; i < 20; i++) {
        buf_clear(&in);
        SEND(fd, GET("/a"));
        client_expect(fd, &in, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_true(contains(&in, "x-seen: yes") || contains(&in, "X-Seen: yes"));
    }
    assert_in_range(atomic_load(&origin_connections) - before, 0, 1);
    close(fd);
    buf_free(&in);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd,
         GET("/first") GET("/return") "POST /third HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" GET("/4"));
    client_expect(fd, &in, "GET /4");
    ptrdiff_t at[] = {str_find(buf_str(&in), STR("GET /first")), str_find(buf_str(&in), STR("\r\n\r\nhi")),
                      str_find(buf_str(&in), STR("POST /third")), str_find(buf_str(&in), STR("GET /4"))};
    for (int i = 0; i < 4; i++)
        assert_true(at[i] >= 0 && (i == 0 || at[i] > at[i - 1]));
    assert_true(contains(&in, "\r\n\r\nhello"));
    close(fd);
    buf_free(&in);
}

static void bodies_of_every_framing_pass(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd, GET("/chunked"));
    client_expect(fd, &in, "3\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
    buf_clear(&in);
    SEND(fd, GET("/not-modified") "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
    client_expect(fd, &in, "304 Not Modified");
    client_expect(fd, &in, "Content-Length: 1234\r\n");
    buf_clear(&in);
    SEND(fd, GET("/until-close"));
    client_expect_end(fd, &in);
    assert_true(contains(&in, "onnection: close\r\n"));
    assert_true(contains(&in, "to the end"));
    close(fd);
    buf_free(&in);
}

static void interim_answers_pass(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd, "POST /continue HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    client_expect(fd, &in, "HTTP/1.1 100 Continue\r\n\r\n");
    SEND(fd, "body");
    client_expect(fd, &in, "\r\n\r\nbody");
    close(fd);
    buf_free(&in);
}

static void an_upgrade_becomes_a_tunnel(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd, "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    client_expect(fd, &in, "hello");
    SEND(fd, "ping");
    client_expect(fd, &in, "helloping");
    shutdown(fd, SHUT_WR);
    client_expect_end(fd, &in);
    close(fd);
    buf_free(&in);
}

static void answers_made_here(void **state)
{
    exchange(ports[HTTP], GET("/deny"), "HTTP/1.1 403 Forbidden\r\ncontent-length: 93\r\n");
    exchange(ports[HTTP], GET("/return"), "content-length: 2\r\ncontent-type: text/plain\r\n\r\nhi");
    exchange(ports[HTTP], GET("/redirect"), "location: /there\r\n");
    exchange(ports[HTTP], GET("/alive"), "HTTP/1.1 200 OK");
    exchange(ports[HTTP], GET("/dead"), "HTTP/1.1 503 Service Unavailable");
    exchange(ports[HTTP], "BAD REQUEST\r\n\r\n", "HTTP/1.1 400 Bad request");
    exchange(ports[HTTP], GET("/junk"), "HTTP/1.1 502 Bad Gateway");
    exchange(ports[HTTP], GET("/silent"), "HTTP/1.1 504 Gateway Time-out");
    exchange(ports[HTTP], "GET / HT", "HTTP/1.1 408 Request Time-out");
}

static void a_refused_upload_gets_its_answer(void **state)
{
    struct buf in = BUF_INIT;
    static char body[300000];
    int fd = client_open(ports[HTTP]);
    SEND(fd, "POST /deny HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    send_all(fd, body, sizeof(body));
    client_expect(fd, &in, "</html>");
    assert_true(contains(&in, "onnection: close"));
    close(fd);
    buf_free(&in);
}

static void a_kept_connection_that_dies_is_replaced(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[NEVER]);
    SEND(fd, GET("/dies-after"));
    client_expect(fd, &in, "\r\n\r\nok");
    buf_clear(&in);
    SEND(fd, GET("/again")); // goes out on the same connection, which ends instead of answering
    client_expect(fd, &in, "GET /again");
    close(fd);
    buf_free(&in);
}

static void a_truncated_answer_is_not_completed(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd, GET("/short"));
    client_expect_end(fd, &in);
    assert_true(str_ends(buf_str(&in), STR("\r\n\r\nabc")));
    close(fd);
    buf_free(&in);
}

static void a_rule_waits_for_the_body(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd, "POST /body-first HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
    usleep(20000);
    SEND(fd, "def");
    client_expect(fd, &in, "\r\n\r\nabcdef");
    close(fd);
    buf_free(&in);
}

static void a_cookie_brings_the_client_back(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[COOKIE]);
    SEND(fd, GET("/"));
    client_expect(fd, &in, "set-cookie: SRV=");
    client_expect(fd, &in, "GET /");
    buf_clear(&in);
    SEND(fd, "GET /known HTTP/1.1\r\nHost: h\r\nCookie: a=1; SRV=two\r\n\r\n");
    client_expect(fd, &in, "GET /known HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\n\r\n");
    assert_false(contains(&in, "set-cookie"));
    close(fd);
    buf_free(&in);
}

// ---- queue ---------------------------------------------------------------------------------------------------------

static void *queued_client(void *arg)
{
    for (int i = 0; i < 20; i++)
        exchange(ports[QUEUE], "GET /q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /q");
    return arg;
}

static void one_slot_serves_all_who_wait(void **state)
{
    pthread_t clients[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&clients[i], NULL, queued_client, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(clients[i], NULL);
    struct server_state *s = running_server(running_backend("queue"), "s1");
    assert_int_equal(atomic_load(&s->served_max), 1);
}

// ---- TCP -----------------------------------------------------------------------------------------------------------

static void tcp_passes_both_ways_and_half_closes(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[TCP]);
    SEND(fd, GET("/tcp"));
    shutdown(fd, SHUT_WR);
    client_expect_end(fd, &in);
    assert_true(contains(&in, "GET /tcp"));
    close(fd);
    buf_free(&in);
}

static void *sender(void *arg)
{
    static char chunk[1 << 16];
    int fd = (int)(intptr_t)arg;
    memset(chunk, 'x', sizeof(chunk));
    for (int i = 0; i < 256; i++)
        send_all(fd, chunk, sizeof(chunk));
    return NULL;
}

// 16 MiB up and down again: over the point where the relay goes over to a pipe.
static void echo_bulk(uint16_t port)
{
    enum { TOTAL = 256 << 16 };
    char head[128];
    struct buf in = BUF_INIT;
    pthread_t t;
    int fd = client_open(port);
    send_all(
        fd, head,
        (size_t)snprintf(head, sizeof(head), "POST /bulk HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", TOTAL));
    pthread_create(&t, NULL, sender, (void *)(intptr_t)fd);
    client_expect(fd, &in, "\r\n\r\n");
    pthread_join(t, NULL);
    size_t head_len = (size_t)str_find(buf_str(&in), STR("\r\n\r\n")) + 4;
    size_t total = strtoul(in.data + str_find_nocase(buf_str(&in), STR("content-length: ")) + 16, NULL, 10);
    while (in.len < head_len + total && receive_more(fd, &in))
        ;
    assert_int_equal(in.len, head_len + total);
    size_t echoed_head = total - TOTAL;
    for (size_t i = head_len + echoed_head; i < in.len; i++)
        assert_int_equal(in.data[i], 'x');
    close(fd);
    buf_free(&in);
}

static void bulk_passes_whole(void **state)
{
    echo_bulk(ports[TCP]);
    echo_bulk(ports[HTTP]);
}

// ---- reload --------------------------------------------------------------------------------------------------------

static void a_reload_keeps_listeners_and_connections(void **state)
{
    struct buf in = BUF_INIT;
    int fd = client_open(ports[HTTP]);
    SEND(fd, GET("/before"));
    client_expect(fd, &in, "GET /before");
    struct listener *kept = snapshot_current()->listeners[0];
    snapshot_publish(load());
    assert_ptr_equal(snapshot_current()->listeners[0], kept);
    SEND(fd, GET("/after"));
    client_expect(fd, &in, "GET /after");
    exchange(ports[HTTP], GET("/new"), "GET /new");
    close(fd);
    buf_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_one_connection_share_a_server_connection),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(bodies_of_every_framing_pass),
        cmocka_unit_test(interim_answers_pass),
        cmocka_unit_test(an_upgrade_becomes_a_tunnel),
        cmocka_unit_test(answers_made_here),
        cmocka_unit_test(a_refused_upload_gets_its_answer),
        cmocka_unit_test(a_kept_connection_that_dies_is_replaced),
        cmocka_unit_test(a_truncated_answer_is_not_completed),
        cmocka_unit_test(a_rule_waits_for_the_body),
        cmocka_unit_test(a_cookie_brings_the_client_back),
        cmocka_unit_test(one_slot_serves_all_who_wait),
        cmocka_unit_test(tcp_passes_both_ways_and_half_closes),
        cmocka_unit_test(bulk_passes_whole),
        cmocka_unit_test(a_reload_keeps_listeners_and_connections),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
