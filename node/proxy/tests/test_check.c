// SPDX-License-Identifier: Apache-2.0
// Health checks without network: what results mean over time, and what an answer means.
#include "node/proxy/tests/running.h"

#include "node/match/regex.h"

// ---- rise and fall

// One letter a check: p passes, f fails; the result is U or D after each.
static const char *steps(int health, const char *results, int rise, int fall)
{
    static char text[64];
    unsigned n = 0;
    for (; results[n]; n++) {
        health = check_step(health, results[n] == 'p', rise, fall);
        assert_in_range(health, 0, rise + fall - 1);
        text[n] = health >= rise ? 'U' : 'D';
    }
    text[n] = '\0';
    return text;
}

static void test_rise_and_fall(void **state)
{
    (void)state;
    static const struct {
        int rise, fall, from;
        const char *results, *states;
    } cases[] = {
        {2, 3, 4, "fff", "UUD"},       // fall consecutive failures
        {2, 3, 4, "ffpfff", "UUUUUD"}, // a success in between begins anew
        {2, 3, 0, "pp", "DU"},         // rise consecutive successes
        {2, 3, 0, "pfpp", "DDDU"},     // a failure in between begins anew
        {2, 3, 2, "f", "D"},           // at start: the first failure takes it down
        {2, 3, 2, "pff", "UUU"},       // … and the first success makes it fully up
        {1, 1, 1, "fpf", "DUD"},       //
        {3, 1, 3, "fppp", "DDDU"},     //
        {1, 3, 3, "fffp", "UUDU"},     //
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(steps(cases[i].from, cases[i].results, cases[i].rise, cases[i].fall), cases[i].states);
    assert_int_equal(check_step(4, true, 2, 3), 4); // does not grow
    assert_int_equal(check_step(0, false, 2, 3), 0);
}

static void test_status_names(void **state)
{
    (void)state;
    for (int i = 0; i < CHECK_STATUS_COUNT; i++) {
        assert_non_null(check_status_name((enum check_status)i));
        assert_non_null(check_status_text((enum check_status)i));
    }
    assert_true(check_status_passes(CHECK_L4OK) && check_status_passes(CHECK_L7OK) && check_status_passes(CHECK_L7OKC));
    assert_false(check_status_passes(CHECK_L7STS) || check_status_passes(CHECK_L4TOUT) ||
                 check_status_passes(CHECK_INI));
    assert_string_equal(check_status_name(CHECK_L7STS), "L7STS");
    assert_string_equal(check_status_text(CHECK_L4TOUT), "Layer4 timeout");
}

// ---- HTTP

static struct cfg_server server = {.rise = 2, .fall = 3};
static struct cfg_proxy proxy;
static struct health_check check;

static void expect(enum cfg_http_expect kind, bool negate, const char *text)
{
    char err[128];
    regex_destroy(&check.expect);
    buf_free(&check.in);
    proxy = (struct cfg_proxy){.check_kind = CHECK_HTTP};
    proxy.http_check.expect = kind;
    proxy.http_check.expect_not = negate;
    proxy.http_check.expect_text = str_of(text);
    check = (struct health_check){.cfg = &server, .proxy = &proxy, .health = 4};
    if (kind == EXPECT_RSTATUS || kind == EXPECT_RSTRING)
        check.expect = regex_create(str_of(text), false, err, sizeof(err));
}

// Name of the verdict, "more" when it wants more bytes.
static const char *judge(const char *answer, bool eof, struct check_verdict *v)
{
    buf_clear(&check.in);
    buf_add_cstr(&check.in, answer);
    return check_http_judge(&check, eof, v) ? check_status_name(v->status) : "more";
}

static const char *status(const char *line)
{
    struct check_verdict v;
    char answer[128];
    snprintf(answer, sizeof(answer), "HTTP/1.0 %s\r\nServer: x\r\n\r\n", line);
    return judge(answer, false, &v);
}

static void test_default(void **state)
{
    (void)state;
    struct check_verdict v;
    expect(EXPECT_DEFAULT, false, "");
    assert_string_equal(status("200 OK"), "L7OK");
    assert_string_equal(status("302 Found"), "L7OK");
    assert_string_equal(status("399 x"), "L7OK");
    assert_string_equal(status("400 Bad"), "L7STS");
    assert_string_equal(status("199 x"), "L7STS");
    assert_string_equal(status("404 Not Found"), "L7STS");
    assert_string_equal(judge("HTTP/1.1 503 Service Unavailable\r\n\r\n", false, &v), "L7STS");
    assert_int_equal(v.code, 503);
    assert_string_equal(v.text, "Service Unavailable");
    assert_string_equal(judge("HTTP/1.1 200 OK\r\n\r\n", false, &v), "L7OK");
    assert_int_equal(v.code, 200);
    assert_string_equal(v.text, ""); // nothing to explain
}

static void test_expect_status(void **state)
{
    (void)state;
    expect(EXPECT_STATUS, false, "200,201,300-310");
    assert_string_equal(status("200 OK"), "L7OK");
    assert_string_equal(status("201 x"), "L7OK");
    assert_string_equal(status("202 x"), "L7STS");
    assert_string_equal(status("300 x"), "L7OK");
    assert_string_equal(status("310 x"), "L7OK");
    assert_string_equal(status("311 x"), "L7STS");
    expect(EXPECT_STATUS, true, "500-599");
    assert_string_equal(status("404 x"), "L7OK");
    assert_string_equal(status("503 x"), "L7STS");
    expect(EXPECT_RSTATUS, false, "^[23][0-9]4$");
    assert_string_equal(status("204 x"), "L7OK");
    assert_string_equal(status("200 x"), "L7STS");
    expect(EXPECT_RSTATUS, true, "^5");
    assert_string_equal(status("200 x"), "L7OK");
    assert_string_equal(status("500 x"), "L7STS");
}

#define PAGE(body) "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" body
static void test_expect_string(void **state)
{
    (void)state;
    struct check_verdict v;
    expect(EXPECT_STRING, false, "world");
    assert_string_equal(judge(PAGE("hello world"), false, &v), "L7OK");
    assert_string_equal(judge(PAGE("hello wor"), false, &v), "more");
    assert_string_equal(judge(PAGE("hello wor"), true, &v), "L7RSP");
    assert_string_equal(judge(PAGE("hello there"), false, &v), "L7RSP"); // the body is complete
    assert_string_equal(v.text, "HTTP content check did not match");
    assert_int_equal(v.code, 0);
    assert_string_equal(judge("HTTP/1.0 500 x\r\n\r\nthe world", false, &v), "L7OK"); // the status does not matter
    expect(EXPECT_RSTRING, false, "w.r+ld$");
    assert_string_equal(judge(PAGE("hello world"), false, &v), "L7OK");
    expect(EXPECT_STRING, true, "world");
    assert_string_equal(judge(PAGE("hello world"), false, &v), "L7RSP");
    assert_string_equal(v.text, "HTTP check matched unwanted content");
    assert_string_equal(judge(PAGE("hello"), false, &v), "more");
    assert_string_equal(judge(PAGE("hello there"), false, &v), "L7OK");
}

static void test_disable_on_404(void **state)
{
    (void)state;
    static const enum cfg_http_expect kinds[] = {EXPECT_DEFAULT, EXPECT_STATUS, EXPECT_STRING};
    for (unsigned i = 0; i < 3; i++) { // goes before any expectation
        expect(kinds[i], false, kinds[i] == EXPECT_STATUS ? "200" : "x");
        proxy.http_check.disable_on_404 = true;
        assert_string_equal(status("404 Not Found"), "L7OKC");
        check.health = 0; // a stopped server stays stopped
        assert_string_not_equal(status("404 Not Found"), "L7OKC");
    }
}

// An answer in pieces is judged once its head is there; what is no answer is refused.
static void test_fragments(void **state)
{
    (void)state;
    struct check_verdict v;
    static const char whole[] = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n";
    expect(EXPECT_DEFAULT, false, "");
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        char piece[sizeof(whole)] = "";
        memcpy(piece, whole, n);
        assert_string_equal(judge(piece, false, &v), "more");
        assert_string_equal(judge(piece, true, &v), "L7RSP");
    }
    assert_string_equal(judge("SSH-2.0-OpenSSH_9.2\r\n", false, &v), "L7RSP");
    assert_string_equal(v.text, "not an HTTP response");
    buf_clear(&check.in);
    assert_true(check_http_judge(&check, true, &v));
    assert_string_equal(v.text, "connection closed without an answer");
}

static void test_request(void **state)
{
    (void)state;
    expect(EXPECT_DEFAULT, false, "");
    check_http_request(&check);
    assert_memory_equal(check.out.data, "OPTIONS / HTTP/1.0\r\n\r\n", check.out.len);
    struct cfg_header_fmt headers[] = {{.name = STR("host"), .value = {.text = STR("a.example")}}};
    proxy.http_check = (struct cfg_http_check){.method = STR("POST"),
                                               .uri = STR("/health"),
                                               .version = STR("HTTP/1.1"),
                                               .headers = headers,
                                               .nheaders = 1,
                                               .body = STR("ping")};
    buf_clear(&check.out);
    check_http_request(&check);
    const char *want = "POST /health HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\ncontent-length: 4\r\n\r\nping";
    assert_int_equal(check.out.len, strlen(want));
    assert_memory_equal(check.out.data, want, check.out.len);
    buf_free(&check.out);
}

static int teardown(void **state)
{
    (void)state;
    regex_destroy(&check.expect);
    buf_free(&check.in);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rise_and_fall), cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_default),       cmocka_unit_test(test_expect_status),
        cmocka_unit_test(test_expect_string), cmocka_unit_test(test_disable_on_404),
        cmocka_unit_test(test_fragments),     cmocka_unit_test(test_request),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
