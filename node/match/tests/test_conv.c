// SPDX-License-Identifier: Apache-2.0
// Converters against a table. The results are those of HAProxy 2.6 on the same expressions, but for converters that are
// newer, where they follow the manual.
#include "node/match/tests/eval.h"

#include "node/match/hashes.h"

struct conv_case {
    enum conv_id id;
    const char *args[EVAL_ARGS_MAX];
    enum sample_type type; // of the input
    const char *in;        // text; BIN: hexadecimal digits
    const char *want;      // text; NULL = no result
};

#define S(id, in, want, ...)                                                                                           \
    {                                                                                                                  \
        CONV_##id, {__VA_ARGS__}, TYPE_STR, in, want                                                                   \
    }
#define B(id, hex, want, ...)                                                                                          \
    {                                                                                                                  \
        CONV_##id, {__VA_ARGS__}, TYPE_BIN, hex, want                                                                  \
    }
#define I(id, in, want, ...)                                                                                           \
    {                                                                                                                  \
        CONV_##id, {__VA_ARGS__}, TYPE_INT, in, want                                                                   \
    }
#define A(id, in, want, ...)                                                                                           \
    {                                                                                                                  \
        CONV_##id, {__VA_ARGS__}, TYPE_ADDR, in, want                                                                  \
    }
#define INT_MAX_TEXT "9223372036854775807"
#define INT_MIN_TEXT "-9223372036854775808"

static const struct conv_case cases[] = {
    // fields
    S(FIELD, "f1_f2_f3__f5", "f5", "5", "_"),
    S(FIELD, "f1_f2_f3__f5", "", "4", "_"),
    S(FIELD, "f1_f2_f3__f5", NULL, "6", "_"),
    S(FIELD, "f1_f2_f3__f5", "f2_f3__f5", "2", "_", "0"),
    S(FIELD, "f1_f2_f3__f5", "f2_f3", "2", "_", "2"),
    S(FIELD, "f1_f2_f3__f5", "f2_f3_", "-2", "_", "3"),
    S(FIELD, "f1_f2_f3__f5", "f1_f2_f3", "-3", "_", "0"),
    S(FIELD, "f1_f2_f3__f5", NULL, "-6", "_"),
    S(FIELD, "f1_f2_f3__f5", "f1", "-5", "_"),
    S(FIELD, "f1_f2_f3__f5", "f3__f5", "3", "_", "9"),
    S(FIELD, "f1_f2_f3__f5", "f1_f2_f3__f5", "-1", "_", "9"),
    S(FIELD, "", "", "1", "_"),
    S(FIELD, "a_", "", "2", "_"),
    S(FIELD, "a", "a", "1", "_"),
    S(FIELD, "a.b_c", "b", "2", "._"),
    // words
    S(WORD, "f1_f2_f3__f5", "f5", "4", "_"),
    S(WORD, "f1_f2_f3__f5", "", "5", "_"),
    S(WORD, "f1_f2_f3__f5", "f2_f3__f5", "2", "_", "0"),
    S(WORD, "f1_f2_f3__f5", "f3__f5", "3", "_", "2"),
    S(WORD, "f1_f2_f3__f5", "f1_f2_f3", "-2", "_", "3"),
    S(WORD, "f1_f2_f3__f5", "f1_f2", "-3", "_", "0"),
    S(WORD, "f1_f2_f3__f5", "f2_f3__f5", "2", "_", "9"),
    S(WORD, "f1_f2_f3__f5", "", "-9", "_"),
    S(WORD, "/f1/f2/f3/f4", "f1", "1", "/"),
    S(WORD, "/f1/f2/", "f2/", "2", "/", "0"),
    S(WORD, "/f1/f2/", "f2", "-1", "/"),
    S(WORD, "///", "", "1", "/"),
    S(WORD, "/f1//f2/", "/f1//f2", "-1", "/", "0"),
    S(WORD, "", "", "1", "/"),
    // parts
    S(BYTES, "abc", "bc", "1"),
    S(BYTES, "abc", "b", "1", "1"),
    S(BYTES, "abc", "abc", "0", "9"),
    S(BYTES, "abc", "", "3"),
    S(BYTES, "abc", "", "4"),
    S(BYTES, "abc", "", "5", "1"),
    S(BYTES, "abc", "", "-1"),
    S(BYTES, "0123456789", "789", "txn.n"),
    S(BYTES, "abc", NULL, "txn.none"),
    S(LENGTH, "abc", "3"),
    S(LENGTH, "", "0"),
    S(LTRIM, "xxabcx", "abcx", "x"),
    S(RTRIM, "xxabcx", "xxabc", "x"),
    S(LTRIM, "xxx", "", "x"),
    S(LTRIM, "a b", " b", "a"),
    S(CUT_CRLF, "a\r\nb", "a"),
    S(CUT_CRLF, "a\nb", "a"),
    S(CUT_CRLF, "ab", "ab"),
    S(REVERSE, "abc", "cba"),
    S(PARAM, "a=1&b=2", "2", "b"),
    S(PARAM, "aa=1&a=2", "2", "a"),
    S(PARAM, "a&b=2", "", "a"),
    S(PARAM, "a=1;b=2", "2", "b", ";"),
    S(PARAM, "a=1;b=2", "2", "b", "0x3b"),
    S(PARAM, "a=1", NULL, "b"),
    // case, joining
    S(LOWER, "AbC-Z", "abc-z"),
    S(UPPER, "AbC-z", "ABC-Z"),
    S(CONCAT, "abc", "abc<vA>", "<", "txn.a", ">"),
    S(CONCAT, "abc", "abc7", "", "txn.n", ""),
    S(CONCAT, "abc", "abc<>", "<", "txn.none", ">"),
    S(CONCAT, "abc", "abc"),
    S(CONCAT, "", "x", "x"),
    S(ADD_ITEM, "abc", "abc-vA", "-", "txn.a"),
    S(ADD_ITEM, "", "vA", "-", "txn.a"),
    S(ADD_ITEM, "abc", "abc", "-", "txn.none"),
    S(ADD_ITEM, "abc", "abc-suf", "-", NULL, "suf"),
    S(ADD_ITEM, "abc", "abc-suf", "-", "txn.none", "suf"),
    S(ADD_ITEM, "abc", "abc-vAsuf", "-", "txn.a", "suf"),
    {CONV_IIF, {"a", "b"}, TYPE_BOOL, "1", "a"},
    {CONV_IIF, {"a", "b"}, TYPE_BOOL, "0", "b"},
    {CONV_IIF, {"a", ""}, TYPE_BOOL, "0", ""},
    // comparing
    S(STRCMP, "abc", "-21", "txn.a"),
    S(STRCMP, "vA", "0", "txn.a"),
    S(STRCMP, "vB", "1", "txn.a"),
    S(STRCMP, "abc", NULL, "txn.none"),
    S(SECURE_MEMCMP, "vA", "1", "txn.a"),
    S(SECURE_MEMCMP, "vB", "0", "txn.a"),
    S(SECURE_MEMCMP, "vAA", "0", "txn.a"),
    S(SECURE_MEMCMP, "vA", NULL, "txn.none"),
    S(REGSUB, "a.b", "x.b", "a", "x"),
    S(REGSUB, "abc", "[a]c", "(.)b", "[\\1]"),
    S(REGSUB, "xyz", "xyz", "a", "x"),
    S(HAS_CTL, "a\nb", "1"),
    S(HAS_CTL, "a\tb", "0"),
    S(HAS_CTL, "a\tb", "1", "any"),
    S(HAS_CTL, "a\x01", "0", "http"),
    S(HAS_CTL, "a\r", "1", "http"),
    S(HAS_CTL, "a\x01", "1", "2"),
    S(HAS_CTL, "a\x7f", "1", "0x100000000"),
    // hosts
    S(HOST_ONLY, "Host:80", "host"),
    S(HOST_ONLY, "Host", "host"),
    S(HOST_ONLY, "[::1]:80", "[::1]"),
    S(HOST_ONLY, "[::1]", "[::1]"),
    S(HOST_ONLY, "127.0.0.1:80", "127.0.0.1"),
    S(HOST_ONLY, "host:", "host"),
    S(PORT_ONLY, "host:80", "80"),
    S(PORT_ONLY, "host", "0"),
    S(PORT_ONLY, "[::1]:81", "81"),
    S(PORT_ONLY, "[::1]", "0"),
    S(PORT_ONLY, "host:", "0"),
    S(PORT_ONLY, "host:x", "0"),
    S(PORT_ONLY, "", "0"),
    S(REVERSE_DOM, "a.bc.d", "d.bc.a"),
    S(REVERSE_DOM, "a.b.", "b.a"),
    S(REVERSE_DOM, "a..b", NULL),
    S(REVERSE_DOM, "", NULL),
    // languages
    S(LANGUAGE, "da, en-gb;q=0.8, en;q=0.7", "en", "es;fr;en"),
    S(LANGUAGE, "da, en-gb;q=0.8, en;q=0.7", "xx", "de;it", "xx"),
    S(LANGUAGE, "da, en-gb;q=0.8, en;q=0.7", NULL, "de"),
    S(LANGUAGE, "fr-CA;q=0.5, en;q=0.9", "en", "fr;en"),
    S(LANGUAGE, "fr-CA", "fr", "fr;en"),
    S(LANGUAGE, "fr-CA", "fr-CA", "fr;fr-CA"),
    S(LANGUAGE, "FR", NULL, "fr"),
    S(LANGUAGE, "fr;q=0", NULL, "fr"),
    S(LANGUAGE, "fr;q=0.0,en;q=0.001", "en", "fr;en"),
    S(LANGUAGE, "en;q=0.3 , fr ; q=0.3", "en", "fr;en"),
    S(LANGUAGE, "*", NULL, "fr"),
    // numbers
    I(ADD, "5", "8", "3"),
    I(ADD, "5", "12", "txn.n"),
    I(ADD, "5", "5", "txn.a"),
    I(ADD, "5", NULL, "txn.none"),
    I(ADD, INT_MAX_TEXT, INT_MAX_TEXT, "1"),
    I(ADD, INT_MIN_TEXT, INT_MIN_TEXT, "-1"),
    I(SUB, "5", "-2", "7"),
    I(SUB, "-9223372036854775807", INT_MIN_TEXT, "9"),
    I(SUB, "1", INT_MAX_TEXT, INT_MIN_TEXT),
    I(MUL, "5", "-15", "-3"),
    I(MUL, INT_MAX_TEXT, INT_MAX_TEXT, "2"),
    I(MUL, "-9223372036854775807", INT_MIN_TEXT, "2"),
    I(DIV, "5", "2", "2"),
    I(DIV, "-5", "-2", "2"),
    I(DIV, "5", INT_MAX_TEXT, "0"),
    I(DIV, "-5", INT_MAX_TEXT, "0"),
    I(DIV, INT_MIN_TEXT, INT_MAX_TEXT, "-1"),
    I(MOD, "5", "0", "0"),
    I(MOD, "5", "2", "3"),
    I(MOD, "-5", "-2", "3"),
    I(MOD, INT_MIN_TEXT, "0", "-1"),
    I(AND, "6", "2", "3"),
    I(OR, "6", "7", "3"),
    I(XOR, "6", "5", "3"),
    I(CPL, "5", "-6"),
    I(NEG, "5", "-5"),
    I(NEG, INT_MIN_TEXT, INT_MAX_TEXT),
    I(NOT, "5", "0"),
    I(NOT, "0", "1"),
    I(BOOL, "5", "1"),
    I(EVEN, "4", "1"),
    I(ODD, "3", "1"),
    I(ODD, "-3", "1"),
    S(ADD, "abc", "1", "1"),
    S(ADD, "", NULL, "1"),
    S(HEX2I, "0A1f", "2591"),
    S(HEX2I, "xyz", NULL),
    S(HEX2I, "ffffffffffffffffff", "-1"),
    S(HEX2I, "1g", NULL),
    S(HEX2I, "", "0"),
    // addresses
    A(IPMASK, "192.168.7.9", "192.168.7.0", "24"),
    A(IPMASK, "192.168.7.9", "192.168.0.0", "16"),
    A(IPMASK, "192.168.7.9", "192.168.7.8", "31"),
    A(IPMASK, "192.168.7.9", "192.168.7.9", "32"),
    A(IPMASK, "192.168.7.9", "0.0.0.0", "0"),
    A(IPMASK, "2001:db8:1:2:3::9", "2001:db8:1:2::", "24", "64"),
    A(IPMASK, "2001:db8:1:2:3::9", NULL, "24"),
    A(IPMASK, "2001:db8::9", "::", "24", "0"),
    A(IPMASK, "::ffff:1.2.3.4", "1.2.3.0", "24", "64"),
    A(IPMASK, "2001:db8:8001:2:3::9", "2001:db8:8000::", "24", "33"),
    // encodings
    B(HEX, "00ff10", "00FF10"),
    B(HEX, "", ""),
    S(BASE64, "abc", "YWJj"),
    S(BASE64, "a", "YQ=="),
    S(BASE64, "ab", "YWI="),
    S(BASE64, "", ""),
    B(BASE64, "fbff", "+/8="),
    B(UB64ENC, "fbff", "-_8"),
    S(B64DEC, "YWJj", "abc"),
    S(B64DEC, "YQ==", "a"),
    S(B64DEC, "YQ", NULL),
    S(B64DEC, "YQ=", NULL),
    S(B64DEC, "Y", NULL),
    S(B64DEC, "!!!!", NULL),
    S(B64DEC, "====", NULL),
    S(UB64DEC, "YWI_", "ab?"),
    S(UB64DEC, "YQ", "a"),
    S(UB64DEC, "YQ==", "a"),
    S(UB64DEC, "YQ+/", NULL),
    B(BASE2, "05", "00000101"),
    B(BE2DEC, "01020304050607", "258:772:1286:7", ":", "2"),
    B(BE2DEC, "01020304050607", "258-772-1286", "-", "2", "1"),
    B(BE2DEC, "01020304050607", "2587721286", "", "2", "1"),
    B(BE2DEC, "7f000001", "127.0.0.1", ".", "1"),
    B(BE2DEC, "ffffffffffffffff", "18446744073709551615", ".", "8"),
    B(LE2DEC, "01020304050607", "513:1027:1541:7", ":", "2"),
    B(BE2HEX, "01020304050607", "01020304050607"),
    B(BE2HEX, "01020304050607", "0102:0304:0506:07", ":", "2"),
    B(BE2HEX, "01020304050607", "0102--0304--0506", "--", "2", "1"),
    B(BE2HEX, "0102030405060708", "010203040506", "", "3", "1"),
    B(BE2HEX, "01", "", ":", "2", "1"),
    S(URL_DEC, "a%20b+c?d+e%41", "a b+c?d eA"),
    S(URL_DEC, "a%20b+c?d+e%41", "a b c?d eA", "1"),
    S(URL_DEC, "%zz", NULL),
    S(URL_DEC, "a%2", NULL),
    S(URL_DEC, "%", NULL),
    B(URL_ENC, "6120622f633f643d6526662b67257ec3a92d5f2e212a2728297f",
      "a%20b%2Fc%3Fd%3De%26f%2Bg%25~%C3%A9-_.%21%2A%27%28%29%7F"),
    B(JSON, "6122625c632f64", "a\\\"b\\\\c\\/d"),
    B(JSON, "c3a9", "\\u00c3\\u00a9"),
    B(JSON, "c3a9", "\\u00e9", "utf8"),
    B(JSON, "c3", NULL, "utf8"),
    B(JSON, "41c342", "AB", "utf8s"),
    B(JSON, "c081", NULL, "utf8"),
    B(JSON, "c1a1", "a", "utf8p"),
    B(JSON, "c1a1", "a", "utf8ps"),
    B(JSON, "f09f9880", NULL, "utf8"),
    B(JSON, "f09f9880", "", "utf8s"),
    B(JSON, "0a0d090801", "\\n\\r\\t\\b\\u0001"),
    B(JSON, "7f80", "\\u007f\\u0080"),
    B(JSON, "eda080", NULL, "utf8"),
    B(JSON, "eda080", "", "utf8s"),
    // hashes
    S(CRC32, "abc", "891568578"),
    S(CRC32, "abc", "930845320", "1"),
    S(CRC32, "abc", "930845320", "2"),
    S(CRC32C, "abc", "910901175"),
    S(CRC32C, "abc", "1285784220", "1"),
    S(DJB2, "abc", "193485963"),
    S(DJB2, "abc", "2235766107", "1"),
    S(SDBM, "abc", "807794786"),
    S(SDBM, "abc", "659243622", "1"),
    S(WT6, "abc", "2483038440"),
    S(WT6, "abc", "266135527", "1"),
    S(XXH32, "abc", "852579327"),
    S(XXH32, "abc", "1562728233", "5"),
    S(XXH64, "abc", "4952883123889572249"),
    S(XXH64, "abc", "-1753195980308443340", "5"),
    S(XXH3, "abc", "8696274497037089104"),
    S(XXH3, "abc", "6167986026487092235", "5"),
    B(DJB2, "80ff", "5864388"),
    B(SDBM, "80ff", "8396927"),
    B(WT6, "80ff", "3451480062"),
    B(CRC32, "80ff", "1465410873"),
    S(DJB2, "", "5381"),
    S(SDBM, "", "0"),
    S(WT6, "", "4187620192"),
    S(CRC32, "", "0"),
    // dates
    I(UTIME, "1700000000", "2023-11-14T22:13:20", "%Y-%m-%dT%H:%M:%S"),
    I(UTIME, "1700000000", "2023-11-14T22:14:20", "%Y-%m-%dT%H:%M:%S", "60"),
    I(LTIME, "1700000000", "2023-11-14 22:13:20", "%Y-%m-%d %H:%M:%S"),
    I(UTIME, "1700000000", "", ""),
    I(MS_UTIME, "1700000000123", "20.123000000", "%S.%N"),
    I(MS_UTIME, "1700000000123", "20.123", "%S.%3N"),
    I(US_UTIME, "1700000000000045", "20.000045", "%S.%6N"),
    I(US_LTIME, "1700000000000045", "20", "%S"),
    I(MS_LTIME, "1700000000123", "%N 21", "%%N %S", "1000"),
    I(HTTP_DATE, "1700000000", "Tue, 14 Nov 2023 22:13:20 GMT"),
    I(HTTP_DATE, "1700000000", "Tue, 14 Nov 2023 22:13:30 GMT", "10"),
    I(HTTP_DATE, "1700000000123", "Tue, 14 Nov 2023 22:13:20.123 GMT", "0", "ms"),
    I(HTTP_DATE, "1700000000123456", "Tue, 14 Nov 2023 22:13:21.123456 GMT", "1000000", "us"),
    I(HTTP_DATE, "0", "Thu, 01 Jan 1970 00:00:00 GMT"),
    S(DATE, "Tue, 14 Nov 2023 22:13:20 GMT", "1700000000"),
    S(DATE, "Sunday, 06-Nov-94 08:49:37 GMT", "784111777"),
    S(DATE, "Sun Nov  6 08:49:37 1994", "784111777"),
    S(DATE, "yesterday", NULL),
};

// Binary results, compared as hexadecimal digits.
static const struct conv_case binary_cases[] = {
    I(HTONL, "1", "00000001"),
    I(HTONL, "-1", "FFFFFFFF"),
    I(HTONL, "4294967298", "00000002"),
    S(UB64DEC, "-_8", "FBFF"),
    S(SHA1, "abc", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
    S(SHA2, "abc", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
    S(SHA2, "abc", "23097D223405D8228642A477BDA255B32AADBCE4BDA0B3F7E36C9DA7", "224"),
    S(DIGEST, "abc", "900150983CD24FB0D6963F7D28E17F72", "md5"),
    S(DIGEST, "abc", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "sha256"),
    S(DIGEST, "abc", NULL, "nothing"),
    S(HMAC, "abc", "9C196E32DC0175F86F4B1CB89289D6619DE6BEE699E4C378E68309ED97A1A6AB", "sha256", "a2V5"),
    S(HMAC, "abc", "4FD0B215276EF12F2B3E4C8ECAC2811498B656FC", "sha1", "txn.key"),
    S(HMAC, "abc", NULL, "sha1", "txn.none"),
    S(HMAC, "abc", NULL, "sha1", "!"),
    S(URL_DEC, "a%00b", "610062"),
};

static struct match_ctx ctx;

static int setup(void **state)
{
    struct sample value;
    ctx.arena = arena_create(4096);
    sample_set_str(&value, STR("vA"));
    eval_set_var(&ctx, "txn.a", &value);
    sample_set_int(&value, 7);
    eval_set_var(&ctx, "txn.n", &value);
    sample_set_str(&value, STR("a2V5"));
    eval_set_var(&ctx, "txn.key", &value);
    conv_bind_all();
    setenv("TZ", "UTC", 1);
    return 0;
}

static int teardown(void **state)
{
    arena_destroy(&ctx.arena);
    regex_thread_exit();
    return 0;
}

static char unhex(char c)
{
    return (char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void make_input(const struct conv_case *c, struct sample *s)
{
    struct str text = str_of(c->in);
    if (c->type == TYPE_BIN) {
        char *bytes = arena_alloc(ctx.arena, text.len / 2);
        for (size_t i = 0; i < text.len / 2; i++)
            bytes[i] = (char)(unhex(text.ptr[2 * i]) << 4 | unhex(text.ptr[2 * i + 1]));
        text = str_make(bytes, text.len / 2);
    }
    sample_set_str(s, text);
    if (c->type == TYPE_BIN)
        s->type = TYPE_BIN;
    else if (c->type != TYPE_STR)
        assert_true(sample_cast(&ctx, s, c->type));
    s->may_change = true;
}

static void run(const struct conv_case *c, bool as_hex)
{
    static const char *const none[EVAL_ARGS_MAX];
    struct sample s;
    make_input(c, &s);
    bool found = eval_conv(&ctx, c->id, c->args, &s);
    const char *name = conv_rows[c->id].name;
    if (found != (c->want != NULL))
        fail_msg("%s of '%s': %s", name, c->in, found ? "found" : "not found");
    if (!found)
        return;
    assert_true(s.may_change); // what is made of unfinished input is unfinished
    if (as_hex)
        assert_true(eval_conv(&ctx, CONV_HEX, none, &s));
    struct str text;
    assert_true(sample_text(&ctx, &s, &text));
    if (!str_is(text, c->want))
        fail_msg("%s of '%s': got '%.*s', want '%s'", name, c->in, STR_ARG(text), c->want);
}

static void test_table(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run(&cases[i], false);
}

static void test_binary_results(void **state)
{
    for (size_t i = 0; i < sizeof(binary_cases) / sizeof(binary_cases[0]); i++)
        run(&binary_cases[i], true);
}

static void test_regsub_flags(void **state)
{
    char err[100];
    struct arg args[] = {{.kind = ARG_REGEX, .num = 3}, {.kind = ARG_STR, .text = STR("x")}};
    struct sample s;
    args[0].regex = regex_create(STR("a"), true, err, sizeof(err));
    sample_set_str(&s, STR("aAb"));
    assert_true(conv_bound(CONV_REGSUB)(&ctx, args, 2, &s));
    eval_assert_text(&ctx, "regsub", &s, STR("xxb"));
    regex_destroy(&args[0].regex);
}

static void test_captures(void **state)
{
    static const char *const slot[EVAL_ARGS_MAX] = {"1"};
    struct str caps[2] = {STR_NONE, STR_NONE};
    struct sample s;
    sample_set_str(&s, STR("kept"));
    assert_false(eval_conv(&ctx, CONV_CAPTURE_REQ, slot, &s));
    ctx.req_caps = caps;
    assert_true(eval_conv(&ctx, CONV_CAPTURE_REQ, slot, &s));
    assert_true(str_is(caps[1], "kept") && caps[0].ptr == NULL);
    ctx.req_caps = NULL;
}

// Every supported converter but those that other parts of the program bind.
static void test_all_bound(void **state)
{
    static const enum conv_id others[] = {CONV_FE_EXISTS, CONV_NBSRV,   CONV_SRV_IS_UP, CONV_SRV_QUEUE,
                                          CONV_IN_TABLE,  CONV_SET_VAR, CONV_UNSET_VAR};
    for (int id = 0; id < CONV_ID_COUNT; id++) {
        struct str name = str_of(conv_rows[id].name);
        bool elsewhere = str_starts(name, STR("table_")) || str_starts(name, STR("map"));
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
            elsewhere = elsewhere || (int)others[i] == id;
        if (conv_rows[id].status == KW_SUPPORTED && !elsewhere && conv_bound((enum conv_id)id) == NULL)
            fail_msg("converter %s is not bound", conv_rows[id].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),    cmocka_unit_test(test_binary_results), cmocka_unit_test(test_regsub_flags),
        cmocka_unit_test(test_captures), cmocka_unit_test(test_all_bound),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
