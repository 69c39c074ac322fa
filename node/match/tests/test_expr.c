// SPDX-License-Identifier: Apache-2.0
// Expressions, conditions, formats and maps, compiled from models made by hand and fetches made for the test.
#include "node/match/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/match/regex.h"

static struct arena *arena;
static struct diag *diag;
static struct compile *compile;
static struct compiled *compiled;
static struct match_ctx ctx;
static unsigned calls;      // of the counting fetch
static enum eval_result on; // what the pending fetch answers

// ---- fetches of the test

static enum eval_result fetch_str(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    sample_set_str(out, args[0].text);
    return EVAL_FOUND;
}

static enum eval_result fetch_int(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    sample_set_int(out, args[0].num);
    return EVAL_FOUND;
}

static enum eval_result fetch_count(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    sample_set_int(out, ++calls);
    return EVAL_FOUND;
}

static enum eval_result fetch_pending(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    return on;
}

static enum eval_result fetch_growing(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    sample_set_str(out, c->req_bytes);
    out->may_change = true;
    return EVAL_FOUND;
}

// The argument's comma-separated values one by one when an ACL asks, else the last.
static enum eval_result fetch_list(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
{
    struct str piece, rest = args[0].text;
    if (!c->cursor) {
        while (str_split(&rest, ',', &piece))
            sample_set_str(out, piece);
        return EVAL_FOUND;
    }
    if (c->cursor->pos++ == 0)
        c->cursor->rest = args[0].text;
    if (!str_split(&c->cursor->rest, ',', &piece))
        return EVAL_NONE;
    c->cursor->more = c->cursor->rest.ptr != NULL;
    sample_set_str(out, piece);
    return EVAL_FOUND;
}

static bool conv_add(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    s->num += args[0].num;
    return true;
}

static void alias_text(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)
{
    fmt_str(o, arg);
}

static void alias_seven(struct fmt_out *o, struct match_ctx *c, struct str arg, unsigned options)
{
    fmt_int(o, 7007);
}

// ---- models

static struct cfg_expr expr_of(enum fetch_id id, enum sample_type type, const char *text)
{
    struct cfg_arg *arg = ARENA_NEW(arena, struct cfg_arg);
    arg->kind = type == TYPE_INT ? ARG_INT : ARG_STR;
    arg->text = str_of(text);
    str_to_i64(arg->text, &arg->num);
    return (struct cfg_expr){.id = id, .nargs = 1, .args = arg, .type = type};
}

static void add_conv(struct cfg_expr *e, enum conv_id id, enum sample_type in, enum sample_type out, const char *text,
                     const char *second)
{
    struct cfg_conv *convs = ARENA_ARRAY(arena, struct cfg_conv, e->nconvs + 1);
    struct cfg_arg *args = ARENA_ARRAY(arena, struct cfg_arg, 2);
    if (e->nconvs)
        memcpy(convs, e->convs, e->nconvs * sizeof(*convs));
    args[0].kind = strchr(text, '/') ? ARG_FILE : ARG_INT;
    args[0].text = str_of(text);
    str_to_i64(args[0].text, &args[0].num);
    args[1].kind = second ? ARG_STR : ARG_NONE;
    args[1].text = str_of(second);
    str_to_i64(args[1].text, &args[1].num);
    convs[e->nconvs] = (struct cfg_conv){.id = id, .nargs = second ? 2 : 1, .args = args, .in = in, .out = out};
    e->convs = convs;
    e->nconvs++;
    e->type = out;
}

static struct cfg_acl *acl_of(struct cfg_expr e, enum match_method method, unsigned flags, const char *patterns)
{
    struct cfg_acl *acl = ARENA_NEW(arena, struct cfg_acl);
    struct cfg_acl_test *t = ARENA_NEW(arena, struct cfg_acl_test);
    *t = (struct cfg_acl_test){.expr = e, .method = method, .flags = flags};
    t->patterns = ARENA_ARRAY(arena, struct str, 16);
    struct str rest = str_of(patterns), piece;
    while (rest.len && str_split(&rest, ' ', &piece))
        t->patterns[t->npatterns++] = piece;
    acl->tests = t;
    acl->ntests = 1;
    return acl;
}

// Up to four terms; the ones with a preceding `or` start a new conjunction.
static struct cfg_cond *cond_of(unsigned count, const struct cfg_term *terms, unsigned first_of_second, bool unless)
{
    struct cfg_cond *cond = ARENA_NEW(arena, struct cfg_cond);
    cond->ands = ARENA_ARRAY(arena, struct cfg_and, 2);
    cond->count = first_of_second ? 2 : 1;
    cond->unless = unless;
    struct cfg_term *copy = arena_memdup(arena, terms, count * sizeof(*terms));
    cond->ands[0] = (struct cfg_and){.terms = copy, .count = first_of_second ? first_of_second : count};
    if (first_of_second)
        cond->ands[1] = (struct cfg_and){.terms = copy + first_of_second, .count = count - first_of_second};
    return cond;
}

static enum cond_result eval(const struct cfg_cond *cfg)
{
    struct cond *cond = cond_compile(compile, cfg);
    assert_non_null(cond);
    return cond_eval(cond, &ctx);
}

static enum cond_result eval_acl(struct cfg_acl *acl)
{
    return eval(cond_of(1, &(struct cfg_term){.acl = acl}, 0, false));
}

// ---- expressions

static void test_expr(void **state)
{
    (void)state;
    struct cfg_expr cfg = expr_of(FETCH_STR, TYPE_STR, "41");
    add_conv(&cfg, CONV_ADD, TYPE_INT, TYPE_INT, "1", NULL);
    struct expr *e = expr_compile(compile, &cfg);
    struct sample s;
    assert_int_equal(expr_type(e), TYPE_INT);
    assert_int_equal(expr_eval(e, &ctx, TYPE_ANY, &s), EVAL_FOUND);
    assert_int_equal(s.num, 42);
    assert_int_equal(expr_eval(e, &ctx, TYPE_STR, &s), EVAL_FOUND);
    assert_true(str_is(s.str, "42"));
    cfg = expr_of(FETCH_STR, TYPE_STR, "");
    add_conv(&cfg, CONV_ADD, TYPE_INT, TYPE_INT, "1", NULL);
    assert_int_equal(expr_eval(expr_compile(compile, &cfg), &ctx, TYPE_ANY, &s), EVAL_NONE);
}

static void test_final(void **state)
{
    (void)state;
    struct cfg_expr cfg = expr_of(FETCH_REQ_LEN, TYPE_INT, "");
    struct expr *e = expr_compile(compile, &cfg);
    struct sample s;
    on = EVAL_MORE;
    assert_int_equal(expr_eval(e, &ctx, TYPE_ANY, &s), EVAL_MORE);
    ctx.req_final = true;
    assert_int_equal(expr_eval(e, &ctx, TYPE_ANY, &s), EVAL_NONE);
    ctx.where = WHERE_RES;
    assert_int_equal(expr_eval(e, &ctx, TYPE_ANY, &s), EVAL_MORE);
    ctx.where = WHERE_LOG;
    assert_int_equal(expr_eval(e, &ctx, TYPE_ANY, &s), EVAL_NONE);
}

static void test_unbound(void **state)
{
    (void)state;
    struct cfg_expr cfg = expr_of(FETCH_NBSRV, TYPE_INT, "");
    assert_null(expr_compile(compile, &cfg));
    assert_int_equal(diag_count(diag, DIAG_ALERT), 1);
}

// ---- conditions

static void test_methods(void **state)
{
    (void)state;
    struct cfg_expr path = expr_of(FETCH_STR, TYPE_STR, "/img/a.png");
    assert_int_equal(eval_acl(acl_of(path, MATCH_BEG, 0, "/css /img")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_END, 0, ".gif .jpg")), COND_FALSE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_END, ACL_FLAG_NOCASE, ".gif .PNG")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_REG, 0, "^/img/.*png$")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_FOUND, 0, "")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_BOOL, 0, "")), COND_FALSE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_LEN, 0, "10:10")), COND_TRUE);
    struct cfg_expr number = expr_of(FETCH_INT, TYPE_INT, "15");
    assert_int_equal(eval_acl(acl_of(number, MATCH_INT, 0, "1:3 10:20")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(number, MATCH_STR, 0, "15")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(number, MATCH_BOOL, 0, "")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(path, MATCH_IP, 0, "10.0.0.0/8")), COND_FALSE);
    struct cfg_expr address = expr_of(FETCH_STR, TYPE_STR, "10.1.2.3");
    assert_int_equal(eval_acl(acl_of(address, MATCH_IP, 0, "192.168.0.0/16 10.0.0.0/8")), COND_TRUE);
}

static void test_values(void **state)
{
    (void)state;
    struct cfg_expr list = expr_of(FETCH_REQ_HDR, TYPE_STR, "a,10.0.0.1,b");
    assert_int_equal(eval_acl(acl_of(list, MATCH_STR, 0, "a")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(list, MATCH_STR, 0, "b")), COND_TRUE);
    assert_int_equal(eval_acl(acl_of(list, MATCH_STR, 0, "c")), COND_FALSE);
    assert_int_equal(eval_acl(acl_of(list, MATCH_IP, 0, "10.0.0.0/8")), COND_TRUE); // "a" is no address: goes on
    assert_null(ctx.cursor);
}

static void test_logic(void **state)
{
    (void)state;
    struct cfg_acl *yes = acl_of(expr_of(FETCH_INT, TYPE_INT, "1"), MATCH_BOOL, 0, "");
    struct cfg_acl *no = acl_of(expr_of(FETCH_INT, TYPE_INT, "0"), MATCH_BOOL, 0, "");
    struct cfg_acl *count = acl_of(expr_of(FETCH_RAND, TYPE_INT, ""), MATCH_BOOL, 0, "");
    calls = 0;
#define TERMS(...) (struct cfg_term[]){__VA_ARGS__}
#define IS(acl_)                                                                                                       \
    {                                                                                                                  \
        .acl = (acl_)                                                                                                  \
    }
#define NOT(acl_)                                                                                                      \
    {                                                                                                                  \
        .acl = (acl_), .negate = true                                                                                  \
    }
    assert_int_equal(cond_eval(NULL, &ctx), COND_TRUE);
    assert_int_equal(eval(cond_of(2, TERMS(IS(no), IS(count)), 0, false)), COND_FALSE);
    assert_int_equal(calls, 0); // decided before
    assert_int_equal(eval(cond_of(2, TERMS(IS(yes), IS(count)), 0, false)), COND_TRUE);
    assert_int_equal(calls, 1);
    assert_int_equal(eval(cond_of(3, TERMS(IS(no), IS(yes), IS(count)), 1, false)), COND_TRUE);
    assert_int_equal(eval(cond_of(2, TERMS(IS(yes), IS(count)), 1, false)), COND_TRUE);
    assert_int_equal(calls, 2);
    assert_int_equal(eval(cond_of(2, TERMS(IS(yes), NOT(no)), 0, false)), COND_TRUE);
    assert_int_equal(eval(cond_of(1, TERMS(IS(yes)), 0, true)), COND_FALSE);
    assert_int_equal(eval(cond_of(1, TERMS(IS(no)), 0, true)), COND_TRUE);
}

static void test_unknown(void **state)
{
    (void)state;
    struct cfg_acl *yes = acl_of(expr_of(FETCH_INT, TYPE_INT, "1"), MATCH_BOOL, 0, "");
    struct cfg_acl *no = acl_of(expr_of(FETCH_INT, TYPE_INT, "0"), MATCH_BOOL, 0, "");
    struct cfg_acl *pending = acl_of(expr_of(FETCH_REQ_LEN, TYPE_INT, ""), MATCH_BOOL, 0, "");
    on = EVAL_MORE;
    assert_int_equal(eval(cond_of(2, TERMS(IS(pending), IS(no)), 0, false)), COND_FALSE);
    assert_int_equal(eval(cond_of(2, TERMS(IS(pending), IS(yes)), 0, false)), COND_MORE);
    assert_int_equal(eval(cond_of(2, TERMS(NOT(pending), IS(yes)), 0, false)), COND_MORE);
    assert_int_equal(eval(cond_of(2, TERMS(IS(pending), IS(yes)), 1, false)), COND_TRUE);
    assert_int_equal(eval(cond_of(2, TERMS(IS(pending), IS(no)), 1, false)), COND_MORE);
    assert_int_equal(eval(cond_of(2, TERMS(IS(pending), IS(no)), 1, true)), COND_MORE);
    ctx.req_final = true;
    assert_int_equal(eval(cond_of(1, TERMS(IS(pending)), 0, false)), COND_FALSE);
    assert_int_equal(eval(cond_of(1, TERMS(NOT(pending)), 0, false)), COND_TRUE);
    assert_int_equal(eval(cond_of(1, TERMS(IS(pending)), 0, true)), COND_TRUE);
    on = EVAL_WAIT;
    assert_int_equal(eval(cond_of(2, TERMS(IS(pending), IS(yes)), 0, false)), COND_WAIT);
}

// A text that still grows: a match stands, a miss does not.
static void test_growing(void **state)
{
    (void)state;
    struct cfg_acl *acl = acl_of(expr_of(FETCH_REQ_PAYLOAD, TYPE_STR, ""), MATCH_SUB, 0, "needle");
    ctx.req_bytes = STR("hay");
    assert_int_equal(eval_acl(acl), COND_MORE);
    ctx.req_final = true;
    assert_int_equal(eval_acl(acl), COND_FALSE);
    ctx.req_final = false;
    ctx.req_bytes = STR("hay needle");
    assert_int_equal(eval_acl(acl), COND_TRUE);
}

static void test_bad_pattern(void **state)
{
    (void)state;
    struct cfg_acl *acl = acl_of(expr_of(FETCH_STR, TYPE_STR, ""), MATCH_REG, 0, "a(");
    assert_null(cond_compile(compile, cond_of(1, TERMS(IS(acl)), 0, false)));
    assert_int_equal(diag_count(diag, DIAG_ALERT), 1);
}

// ---- files

static char folder[] = "/tmp/test_match_XXXXXX";

static const char *file(const char *name, const char *text)
{
    char *path = (char *)arena_printf(arena, "%s/%s", folder, name).ptr;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static const char *map(enum conv_id id, enum sample_type in, const char *path, const char *value, const char *otherwise)
{
    struct cfg_expr cfg = expr_of(FETCH_STR, TYPE_STR, value);
    add_conv(&cfg, id, in, TYPE_STR, path, otherwise);
    struct expr *e = expr_compile(compile, &cfg);
    assert_non_null(e);
    struct sample s;
    struct str text;
    if (expr_eval(e, &ctx, TYPE_ANY, &s) != EVAL_FOUND || !sample_text(&ctx, &s, &text))
        return "(none)";
    return arena_str(arena, text).ptr;
}

static void test_maps(void **state)
{
    (void)state;
    const char *hosts = file("hosts.map", "a.com A\nb.com  B b \n");
    assert_string_equal(map(CONV_MAP, TYPE_STR, hosts, "a.com", NULL), "A");
    assert_string_equal(map(CONV_MAP_STR, TYPE_STR, hosts, "b.com", NULL), "B b");
    assert_string_equal(map(CONV_MAP_STR, TYPE_STR, hosts, "c.com", NULL), "(none)");
    assert_string_equal(map(CONV_MAP_STR, TYPE_STR, hosts, "c.com", "dflt"), "dflt");
    assert_string_equal(map(CONV_MAP_END, TYPE_STR, hosts, "www.a.com", NULL), "A");
    assert_string_equal(map(CONV_MAP_END_KEY, TYPE_STR, hosts, "www.a.com", NULL), "a.com");
    const char *ints = file("ints.map", "10:20 1\n30 2\n");
    assert_string_equal(map(CONV_MAP_INT_INT, TYPE_INT, ints, "15", NULL), "1");
    assert_string_equal(map(CONV_MAP_INT_INT, TYPE_INT, ints, "25", "9"), "9");
    const char *nets = file("nets.map", "10.0.0.0/8 1.1.1.1\n10.1.0.0/16 2.2.2.2\n");
    assert_string_equal(map(CONV_MAP_IP_IP, TYPE_ADDR, nets, "10.1.0.5", NULL), "2.2.2.2");
    assert_string_equal(map(CONV_MAP_IP, TYPE_ADDR, nets, "10.2.0.5", NULL), "1.1.1.1");
    assert_string_equal(map(CONV_MAP_IP_IP, TYPE_ADDR, nets, "11.2.0.5", "9.9.9.9"), "9.9.9.9");
    const char *regs = file("regs.map", "^/x(.*)$ got\\1-\\2\\x41\n");
    assert_string_equal(map(CONV_MAP_REGM, TYPE_STR, regs, "/xyz", NULL), "gotyz-A");
    assert_string_equal(map(CONV_MAP_REG, TYPE_STR, regs, "/xyz", NULL), "got\\1-\\2\\x41");
    assert_string_equal(map(CONV_MAP_REGM, TYPE_STR, regs, "/abc", "d"), "d");
    assert_string_equal(map(CONV_MAP, TYPE_STR, "virt@x/y", "a", "d"), "d");
    assert_string_equal(map(CONV_MAP, TYPE_STR, "opt@/nonexistent/y", "a", "d"), "d");
    assert_int_equal(diag_count(diag, DIAG_ALERT), 0);
}

static void test_file_errors(void **state)
{
    (void)state;
    struct cfg_expr cfg = expr_of(FETCH_STR, TYPE_STR, "x");
    add_conv(&cfg, CONV_MAP, TYPE_STR, TYPE_STR, "/nonexistent/x.map", NULL);
    assert_null(expr_compile(compile, &cfg));
    cfg = expr_of(FETCH_STR, TYPE_STR, "x");
    add_conv(&cfg, CONV_MAP_IP, TYPE_ADDR, TYPE_STR, file("bad.map", "10.0.0.1 a\n10.0.0.1/77 b\n"), NULL);
    assert_null(expr_compile(compile, &cfg));
    assert_int_equal(diag_count(diag, DIAG_ALERT), 2);
    struct buf text = BUF_INIT;
    diag_render(diag, &text, DIAG_ALERT);
    assert_non_null(strstr(text.data, "/nonexistent/x.map"));
    assert_non_null(strstr(text.data, "line 2"));
    buf_free(&text);
}

static void test_acl_files(void **state)
{
    (void)state;
    struct cfg_acl *acl = acl_of(expr_of(FETCH_STR, TYPE_STR, "ABC"), MATCH_STR, ACL_FLAG_NOCASE, "zzz");
    struct str files[] = {str_of(file("one.lst", "abc\n")), str_of(file("two.lst", "xyz\n"))};
    acl->tests[0].files = files;
    acl->tests[0].nfiles = 2;
    acl->tests[0].nocase_files = 1; // -f one.lst -i -f two.lst
    assert_int_equal(eval_acl(acl), COND_FALSE);
    struct cfg_acl *upper = acl_of(expr_of(FETCH_STR, TYPE_STR, "XYZ"), MATCH_STR, ACL_FLAG_NOCASE, "");
    upper->tests[0] = acl->tests[0];
    upper->tests[0].expr = expr_of(FETCH_STR, TYPE_STR, "XYZ");
    assert_int_equal(eval_acl(upper), COND_TRUE);
}

// ---- formats

static struct cfg_fmt_node node_expr(const char *text, uint8_t options)
{
    struct cfg_expr *e = ARENA_NEW(arena, struct cfg_expr);
    *e = text ? expr_of(FETCH_STR, TYPE_STR, text) : expr_of(FETCH_REQ_LEN, TYPE_INT, "");
    return (struct cfg_fmt_node){.kind = FMT_EXPR, .options = options, .expr = e};
}

static void renders(struct cfg_fmt_node node, bool log, const char *want)
{
    struct cfg_fmt_node nodes[] = {{.kind = FMT_TEXT, .text = STR("<")}, node, {.kind = FMT_TEXT, .text = STR(">")}};
    struct format *f = format_compile(compile, &(struct cfg_format){.nodes = nodes, .count = 3});
    assert_non_null(f);
    char text[200];
    size_t len = format_render(f, &ctx, text, sizeof(text) - 1, log);
    text[len] = '\0';
    assert_string_equal(text, want);
    if (!log) {
        struct str in_arena = format_text(f, &ctx);
        assert_true(str_is(in_arena, want));
    }
    for (size_t size = 0; size < len; size++)
        assert_true(format_render(f, &ctx, text, size, log) <= size);
}

// As HAProxy 2.6 was seen to write, but for control characters of expressions in logs.
static void test_format(void **state)
{
    (void)state;
    const char *odd = "a\"b#c{d|e}f\\g]h\x7fi\xc3";
    on = EVAL_NONE;
    renders(node_expr(odd, 0), true, "<a\"b#c{d|e}f\\g]h#7Fi\xc3>");
    renders(node_expr(odd, 0), false, "<a\"b#c{d|e}f\\g]h%7Fi\xc3>");
    renders(node_expr("a\tb\nc", 0), false, "<a\tb%0Ac>");
    renders(node_expr("a\nb", 0), true, "<a#0Ab>");
    renders(node_expr("a\"\\]", FMT_OPT_ESCAPE), true, "<a\\\"\\\\\\]>");
    renders(node_expr("a]", FMT_OPT_ESCAPE), false, "<a\\]>");
    renders(node_expr("a", FMT_OPT_QUOTE), true, "<\"a\">");
    renders(node_expr("a", FMT_OPT_QUOTE), false, "<a>");
    renders(node_expr(NULL, FMT_OPT_MANDATORY), true, "<->");
    renders(node_expr(NULL, FMT_OPT_MANDATORY | FMT_OPT_QUOTE), true, "<\"\">");
    renders(node_expr(NULL, 0), true, "<>");
    renders(node_expr(NULL, FMT_OPT_MANDATORY), false, "<>");
    struct cfg_fmt_node alias = {.kind = FMT_ALIAS, .alias = ALIAS_r, .text = str_of(odd)};
    renders(alias, true, "<a#22b#23c{d|e}f\\g]h#7Fi#C3>");
    alias.options = FMT_OPT_QUOTE;
    renders(alias, false, "<\"a#22b#23c{d|e}f\\g]h#7Fi#C3\">");
    alias.text = STR("");
    renders(alias, true, "<\"\">");
    alias.options = FMT_OPT_MANDATORY;
    renders(alias, true, "<->");
    struct cfg_fmt_node number = {.kind = FMT_ALIAS, .alias = ALIAS_rt};
    renders(number, true, "<7007>");
    number.options = FMT_OPT_HEXA;
    renders(number, true, "<1B5F>");
}

static void test_blanks(void **state)
{
    (void)state;
    on = EVAL_NONE;
    struct cfg_fmt_node blank = {.kind = FMT_TEXT, .text = STR(" ")};
    struct cfg_fmt_node nodes[] = {{.kind = FMT_TEXT, .text = STR("a ")},
                                   node_expr(NULL, 0),
                                   blank,
                                   node_expr(NULL, 0),
                                   {.kind = FMT_TEXT, .text = STR(" b ")},
                                   node_expr("c ", 0),
                                   {.kind = FMT_TEXT, .text = STR(" d")}};
    struct format *f = format_compile(compile, &(struct cfg_format){.nodes = nodes, .count = 7});
    char text[100];
    text[format_render(f, &ctx, text, sizeof(text) - 1, true)] = '\0';
    assert_string_equal(text, "a b c  d");
    assert_true(str_is(format_text(f, &ctx), "a   b c  d"));
    f = format_compile(compile, &(struct cfg_format){.nodes = nodes + 4, .count = 1});
    text[format_render(f, &ctx, text, sizeof(text) - 1, true)] = '\0';
    assert_string_equal(text, "b ");
}

static void test_constant_format(void **state)
{
    (void)state;
    struct cfg_fmt_node node = {.kind = FMT_TEXT, .text = STR("hello")};
    struct format *f = format_compile(compile, &(struct cfg_format){.nodes = &node, .count = 1, .constant = true});
    struct str text;
    assert_true(format_is_constant(f, &text));
    assert_true(str_is(text, "hello"));
    assert_ptr_equal(format_text(f, &ctx).ptr, text.ptr);
    f = format_compile(compile, &(struct cfg_format){.constant = true});
    assert_true(format_is_constant(f, &text));
    assert_int_equal(text.len, 0);
}

static void test_long_text(void **state)
{
    (void)state;
    char *longer = arena_alloc(arena, 5001);
    memset(longer, 'x', 5000);
    longer[5000] = '\0';
    struct cfg_fmt_node nodes[] = {node_expr(longer, 0), node_expr(longer, 0)};
    struct format *f = format_compile(compile, &(struct cfg_format){.nodes = nodes, .count = 2});
    assert_int_equal(format_text(f, &ctx).len, 10000);
}

// ---- fixture

static int setup(void **state)
{
    (void)state;
    arena = arena_create(4096);
    diag = diag_create();
    compile = compile_begin(&(struct compile_options){.arena = arena, .diag = diag});
    ctx = (struct match_ctx){.arena = arena, .where = WHERE_FRONT_REQ};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    compiled = compile_end(&compile);
    compiled_free(&compiled);
    diag_destroy(&diag);
    arena_destroy(&arena);
    return 0;
}

static int setup_all(void **state)
{
    (void)state;
    fetch_bind(FETCH_STR, fetch_str);
    fetch_bind(FETCH_INT, fetch_int);
    fetch_bind(FETCH_RAND, fetch_count);
    fetch_bind(FETCH_REQ_LEN, fetch_pending);
    fetch_bind(FETCH_REQ_PAYLOAD, fetch_growing);
    fetch_bind(FETCH_REQ_HDR, fetch_list);
    conv_bind(CONV_ADD, conv_add);
    conv_bind_map();
    alias_bind(ALIAS_r, alias_text);
    alias_bind(ALIAS_rt, alias_seven);
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown_all(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    regex_thread_exit();
    return system(command);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_expr),   TEST(test_final),       TEST(test_unbound),         TEST(test_methods),
        TEST(test_values), TEST(test_logic),       TEST(test_unknown),         TEST(test_growing),
        TEST(test_maps),   TEST(test_file_errors), TEST(test_acl_files),       TEST(test_bad_pattern),
        TEST(test_format), TEST(test_long_text),   TEST(test_constant_format), TEST(test_blanks),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
