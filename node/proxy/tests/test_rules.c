// SPDX-License-Identifier: Apache-2.0
// The rule engine: where a list goes on after it was left, and when it ends. Actions here are fakes that follow a
// script and write down that they were called; conditions are compiled from a configuration.
#include "node/proxy/tests/running.h"

static struct stream st;
static struct arena *arena;
static char trace[128];

// An action's script: a letter a call. d done, m more, w wait, f final.
struct fake {
    struct action action;
    const char *name, *script;
    unsigned calls;
    uint64_t states[8]; // run->state as each call found it
};

static enum step play(struct stream *stream, const struct action *a, struct rule_run *run)
{
    struct fake *f = CONTAINER_OF(a, struct fake, action);
    char letter = f->script[f->calls];
    assert_ptr_equal(stream, &st);
    assert_int_not_equal(letter, '\0'); // called more often than expected
    f->states[f->calls++] = run->state;
    run->state++;
    run->data = f;
    strcat(trace, f->name);
    return letter == 'd' ? STEP_DONE : letter == 'm' ? STEP_MORE : letter == 'w' ? STEP_WAIT : STEP_FINAL;
}

#define FAKE(text, calls_script)                                                                                       \
    {                                                                                                                  \
        .action = {.fn = play}, .name = text, .script = calls_script                                                   \
    }

// A list of up to four rules.
static struct rule_list *list_of(struct fake *fakes, unsigned count, struct cond *const conds[])
{
    static struct rule rules[4];
    static struct rule_list list;
    for (unsigned i = 0; i < count; i++)
        rules[i] = (struct rule){.cond = conds ? conds[i] : NULL, .action = &fakes[i].action};
    list = (struct rule_list){.rules = rules, .count = count};
    return &list;
}

static enum step run(struct rule_list *list)
{
    trace[0] = '\0';
    return rules_run(&st, list, &st.run);
}

static void test_all_in_order(void **state)
{
    (void)state;
    struct fake f[] = {FAKE("a", "dd"), FAKE("b", "dd"), FAKE("c", "dd")};
    struct rule_list *l = list_of(f, 3, NULL), empty = {0};
    assert_int_equal(run(l), STEP_DONE);
    assert_string_equal(trace, "abc");
    assert_null(st.run.list);
    assert_int_equal(run(l), STEP_DONE); // again from the beginning
    assert_string_equal(trace, "abc");
    assert_int_equal(run(&empty), STEP_DONE);
}

static void test_goes_on_at_the_same_rule(void **state)
{
    (void)state;
    struct fake f[] = {FAKE("a", "d"), FAKE("b", "mwwd"), FAKE("c", "wd")};
    struct rule_list *l = list_of(f, 3, NULL);
    assert_int_equal(run(l), STEP_MORE);
    assert_string_equal(trace, "ab");
    assert_int_equal(run(l), STEP_WAIT);
    assert_string_equal(trace, "b"); // a is not run a second time
    assert_int_equal(run(l), STEP_WAIT);
    assert_int_equal(run(l), STEP_WAIT);
    assert_string_equal(trace, "bc");
    assert_int_equal(run(l), STEP_DONE);
    assert_string_equal(trace, "c");
    for (unsigned i = 0; i < 4; i++) // its own state stayed …
        assert_int_equal(f[1].states[i], i);
    assert_int_equal(f[2].states[0], 0); // … and the next action began with none
}

static void test_final_ends_it(void **state)
{
    (void)state;
    struct fake f[] = {FAKE("a", "wf"), FAKE("b", "")};
    struct rule_list *l = list_of(f, 2, NULL);
    assert_int_equal(run(l), STEP_WAIT);
    assert_int_equal(run(l), STEP_FINAL);
    assert_null(st.run.list);
}

static void test_stops_skips_the_rest(void **state)
{
    (void)state;
    struct fake f[] = {FAKE("a", "d"), FAKE("b", "wd"), FAKE("c", "")};
    struct rule_list *l = list_of(f, 3, NULL);
    f[1].action.stops = true;
    assert_int_equal(run(l), STEP_WAIT);
    assert_int_equal(run(l), STEP_DONE);
    assert_string_equal(trace, "b");
    assert_null(st.run.list);
}

// A step that was given up in the middle of a list leaves nothing to the next list.
static void test_another_list_begins_anew(void **state)
{
    (void)state;
    struct fake f[] = {FAKE("a", "d"), FAKE("b", "w")}, g[] = {FAKE("x", "d"), FAKE("y", "d")};
    struct rule other_rules[] = {{.action = &g[0].action}, {.action = &g[1].action}};
    struct rule_list *l = list_of(f, 2, NULL), other = {.rules = other_rules, .count = 2};
    assert_int_equal(run(l), STEP_WAIT);
    assert_int_equal(run(&other), STEP_DONE);
    assert_string_equal(trace, "xy");
    assert_int_equal(g[0].states[0], 0);
}

// ---- conditions

static void test_conditions(void **state)
{
    (void)state;
    running_load("frontend f\n mode tcp\n tcp-request inspect-delay 1s\n"
                 " tcp-request content accept if { req.len gt 3 }\n tcp-request content accept if { always_false }\n"
                 " tcp-request content accept unless { always_false }\n");
    struct proxy *p = snapshot_find(snapshot_current(), STR("f"), CAP_FRONT);
    struct rule_list *compiled = &p->rules[RULES_TCP_REQ_CONT];
    assert_int_equal(compiled->count, 3);
    struct fake f[] = {FAKE("a", "wd"), FAKE("b", ""), FAKE("c", "d")};
    struct cond *conds[] = {compiled->rules[0].cond, compiled->rules[1].cond, compiled->rules[2].cond};
    struct rule_list *l = list_of(f, 3, conds);
    st.ctx.req_bytes = STR("ab"); // may still become longer
    assert_int_equal(run(l), STEP_MORE);
    assert_int_equal(run(l), STEP_MORE);
    assert_string_equal(trace, "");
    st.ctx.req_bytes = STR("abcd");
    assert_int_equal(run(l), STEP_WAIT);
    assert_string_equal(trace, "a");
    st.ctx.req_bytes = STR_NONE; // held once: is not asked again while the action runs
    assert_int_equal(run(l), STEP_DONE);
    assert_string_equal(trace, "ac");
}

static void test_condition_at_the_end_of_input(void **state)
{
    (void)state;
    running_load("frontend f\n mode tcp\n tcp-request content accept if { req.len gt 3 }\n");
    struct proxy *p = snapshot_find(snapshot_current(), STR("f"), CAP_FRONT);
    struct fake f[] = {FAKE("a", ""), FAKE("b", "d")};
    struct cond *conds[] = {p->rules[RULES_TCP_REQ_CONT].rules[0].cond, NULL};
    struct rule_list *l = list_of(f, 2, conds);
    st.ctx.req_bytes = STR("ab");
    assert_int_equal(run(l), STEP_MORE);
    st.ctx.req_final = true; // inspect-delay is over, or the client has sent its end
    assert_int_equal(run(l), STEP_DONE);
    assert_string_equal(trace, "b");
}

// Every action that the configuration takes has a function, and what the rows need is compiled.
static void test_actions_are_bound(void **state)
{
    (void)state;
    actions_check_bound();
    running_load("frontend f\n http-request set-header X-A %[path]\n http-request deny deny_status 429 if { path /x }\n"
                 " http-request replace-path /a/(.*) /\\1\n http-request del-header ^X- -m reg\n http-request allow\n");
    const struct rule_list *l = &snapshot_find(snapshot_current(), STR("f"), CAP_FRONT)->rules[RULES_HTTP_REQ];
    assert_int_equal(l->count, 5);
    assert_non_null(l->rules[0].action->format);
    assert_true(str_is(l->rules[0].action->text, "x-a"));
    assert_non_null(l->rules[1].cond);
    assert_non_null(l->rules[1].action->reply);
    assert_non_null(l->rules[2].action->regex);
    assert_non_null(l->rules[3].action->regex);
    assert_false(l->rules[3].action->stops);
    assert_true(l->rules[4].action->stops);
}

static int setup(void **state)
{
    (void)state;
    arena = arena_create(1024);
    memset(&st, 0, sizeof(st));
    st.magic = STREAM_MAGIC;
    st.arena = arena;
    st.ctx = (struct match_ctx){.arena = arena, .where = WHERE_FRONT_REQ, .stream = &st};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    running_end();
    arena_destroy(&arena);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_in_order),
        TEST(test_goes_on_at_the_same_rule),
        TEST(test_final_ends_it),
        TEST(test_stops_skips_the_rest),
        TEST(test_another_list_begins_anew),
        TEST(test_conditions),
        TEST(test_condition_at_the_end_of_input),
        TEST(test_actions_are_bound),
    };
    running_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
