// SPDX-License-Identifier: Apache-2.0
// `show cluster`: the object that scripts read, the tables that people read, the exit status of phalanxctl.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above first.
#include <cmocka.h>

#include <string.h>

#include "cluster/cluster.h"
#include "cluster/report.h"
#include "cluster/show.h"
#include "cluster/texttable.h"

static struct cluster *cluster;
static struct buf out;

static int start(void **state)
{
    static const struct cluster_node_options nodes[] = {{"n1", "127.0.0.1:7701", "127.0.0.1:8081"},
                                                        {"n2", "127.0.0.2:7702", ""}};
    struct cluster_options o = {.name = "edge", .nodes = nodes, .node_count = 2, .self = 0, .boot = 1234567890123};
    cluster = cluster_create(&o, &(struct cluster_hooks){0}, &(struct cluster_transport){0});
    return 0;
}

static int stop(void **state)
{
    cluster_destroy(&cluster);
    buf_free(&out);
    return 0;
}

static void each_table(void *arg, show_table_fn *fn, void *ctx)
{
    fn(ctx, &(struct show_table){STR("app"), 12, 102400});
}

static void each_server(void *arg, show_server_fn *fn, void *ctx)
{
    fn(ctx, &(struct show_server){STR("app"), STR("s1"), SHOW_UP, SHOW_UP});
    fn(ctx, &(struct show_server){STR("app"), STR("s2"), SHOW_DRAIN, SHOW_NOCHECK});
}

static const struct show_providers providers = {.each_table = each_table, .each_server = each_server};

static bool show(const char *args)
{
    buf_clear(&out);
    return show_cluster(cluster, &providers, str_of(args), mono_now(), &out);
}

static void the_object_is_as_designed(void **state)
{
    assert_true(show("json"));
    assert_string_equal(
        out.data, "{\"cluster\":\"edge\",\"self\":\"n1\",\"nodes\":["
                  "{\"name\":\"n1\",\"state\":\"joining\",\"isolated\":false,\"addr\":\"127.0.0.1:8081\",\"link\":"
                  "\"127.0.0.1:7701\","
                  "\"incarnation\":1234567890123,\"rtt_ms\":0,\"last_seen_ms\":0,\"conns\":0},"
                  "{\"name\":\"n2\",\"state\":\"unknown\",\"isolated\":false,\"addr\":null,\"link\":\"127.0.0.2:7702\","
                  "\"incarnation\":0,\"rtt_ms\":null,\"last_seen_ms\":null,\"conns\":0}],"
                  "\"tables\":[{\"name\":\"app\",\"entries\":12,\"size\":102400}],"
                  "\"servers\":[{\"backend\":\"app\",\"server\":\"s1\",\"state\":\"up\",\"local\":\"up\",\"votes\":{}},"
                  "{\"backend\":\"app\",\"server\":\"s2\",\"state\":\"drain\",\"local\":\"nocheck\",\"votes\":{}}]}\n");
}

static void parts_are_parts_of_it(void **state)
{
    assert_true(show(" tables  json "));
    assert_string_equal(out.data, "{\"cluster\":\"edge\",\"self\":\"n1\",\"tables\":["
                                  "{\"name\":\"app\",\"entries\":12,\"size\":102400}]}\n");
    assert_false(show("json nodes"));
    assert_false(show("nodes servers"));
    assert_false(show("peers"));
    assert_true(strncmp(out.data, "Usage:", 6) == 0);
}

static void text_is_aligned(void **state)
{
    assert_true(show("nodes"));
    assert_string_equal(out.data,
                        "NODE  STATE    ADDR            LINK            INCARNATION        RTT  SEEN  CONNS\n"
                        "n1 *  joining  127.0.0.1:8081  127.0.0.1:7701  1234567890123  0.00 ms  0 ms      0\n"
                        "n2    unknown  -               127.0.0.2:7702  0                    -     -      0\n");
    assert_true(show("tables"));
    assert_string_equal(out.data, "TABLE  ENTRIES    SIZE\n"
                                  "app         12  102400\n");
    assert_true(show(""));
    assert_non_null(strstr(out.data, "cluster edge: 0 of 2 nodes up, 2 of 2 servers not down (seen from n1)\n"));
    assert_non_null(strstr(out.data, "\nBACKEND  SERVER  STATE  LOCAL    VOTES\n"
                                     "app      s1      up     up       -\n"));
}

static int exit_status(const char *text, unsigned parts)
{
    json_t *status = json_loads(text, 0, NULL);
    assert_non_null(status);
    int result = report_exit_status(status, parts);
    json_decref(status);
    return result;
}

static void exit_status_tells_what_ails(void **state)
{
    assert_int_equal(exit_status("{\"nodes\":[{\"state\":\"up\"},{\"state\":\"left\"},{\"state\":\"drained\"}]}", 7),
                     0);
    assert_int_equal(exit_status("{\"nodes\":[{\"state\":\"suspect\"}]}", 7), 1);
    assert_int_equal(exit_status("{\"nodes\":[{\"state\":\"dead\"}]}", 7), 1);
    assert_int_equal(exit_status("{\"nodes\":[{\"state\":\"unknown\"}]}", REPORT_NODES), 1);
    assert_int_equal(exit_status("{\"nodes\":[{\"state\":\"up\",\"isolated\":true}]}", 7), 1);
    assert_int_equal(exit_status("{\"servers\":[{\"state\":\"maint\"},{\"state\":\"up\",\"local\":\"down\"}]}", 7), 0);
    assert_int_equal(exit_status("{\"servers\":[{\"state\":\"down\"}]}", 7), 1);
    assert_int_equal(exit_status("{\"servers\":[{\"state\":\"down\"}]}", REPORT_NODES), 0);
    assert_int_equal(exit_status("{}", 7), 0);
}

static void colours_wrap_and_votes_are_listed(void **state)
{
    json_t *status = json_loads("{\"servers\":[{\"backend\":\"b\",\"server\":\"s\",\"state\":\"down\",\"local\":\"up\","
                                "\"votes\":{\"n1\":\"up\",\"n2\":\"down\"}}]}",
                                0, NULL);
    report_text(status, REPORT_SERVERS, true, &out);
    assert_non_null(strstr(out.data, "\033[31mdown\033[0m"));
    assert_non_null(strstr(out.data, "\033[31mn1:up n2:down\033[0m\n"));
    buf_clear(&out);
    json_object_clear(status); // nothing in it, nothing but heads out of it
    report_text(status, REPORT_NODES, false, &out);
    assert_non_null(strstr(out.data, "NODE  STATE"));
    json_decref(status);
}

static void no_cluster_is_said(void **state)
{
    assert_true(show_cluster(NULL, &providers, STR("json"), mono_now(), &out));
    assert_non_null(strstr(out.data, "in no cluster"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_object_is_as_designed),
        TEST(parts_are_parts_of_it),
        TEST(text_is_aligned),
        TEST(exit_status_tells_what_ails),
        TEST(colours_wrap_and_votes_are_listed),
        TEST(no_cluster_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
