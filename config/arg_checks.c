// SPDX-License-Identifier: Apache-2.0
// What argument letters cannot say about single fetches and converters: bounds, and words of a closed list.
#include "config/resolve.h"

struct check {
    int id; // fetch_id or conv_id
    unsigned arg;
    bool is_word;       // one of words, else a number of [min, max]
    int64_t min, max;   // when is_word is false
    const char *words;  // separated by spaces
    const char *expect; // for the message
};

#define NUMBER(id, arg, min, max, expect)                                                                              \
    {                                                                                                                  \
        (int)(id), arg, false, min, max, NULL, expect                                                                  \
    }
#define WORD(id, arg, words)                                                                                           \
    {                                                                                                                  \
        (int)(id), arg, true, 0, 0, words, words                                                                       \
    }
#define OCCURRENCE(id) NUMBER(id, 1, -10, INT32_MAX, "a header occurrence must be -10 or more")

static const struct check fetch_checks[] = {
    OCCURRENCE(FETCH_HDR),
    OCCURRENCE(FETCH_HDR_IP),
    OCCURRENCE(FETCH_HDR_VAL),
    OCCURRENCE(FETCH_REQ_HDR),
    OCCURRENCE(FETCH_REQ_FHDR),
    OCCURRENCE(FETCH_REQ_HDR_IP),
    OCCURRENCE(FETCH_REQ_HDR_VAL),
    OCCURRENCE(FETCH_RES_HDR),
    OCCURRENCE(FETCH_RES_FHDR),
    OCCURRENCE(FETCH_RES_HDR_IP),
    OCCURRENCE(FETCH_RES_HDR_VAL),
    NUMBER(FETCH_PAYLOAD, 0, 0, INT32_MAX, "a payload offset is not negative"),
    NUMBER(FETCH_REQ_PAYLOAD, 0, 0, INT32_MAX, "a payload offset is not negative"),
    NUMBER(FETCH_RES_PAYLOAD, 0, 0, INT32_MAX, "a payload offset is not negative"),
    NUMBER(FETCH_PAYLOAD_LV, 1, 1, 8, "a payload length is held in 1 to 8 bytes"),
    NUMBER(FETCH_REQ_PAYLOAD_LV, 1, 1, 8, "a payload length is held in 1 to 8 bytes"),
    NUMBER(FETCH_RES_PAYLOAD_LV, 1, 1, 8, "a payload length is held in 1 to 8 bytes"),
    NUMBER(FETCH_CAPTURE_REQ_HDR, 0, 0, INT32_MAX, "a capture slot is not negative"),
    NUMBER(FETCH_CAPTURE_RES_HDR, 0, 0, INT32_MAX, "a capture slot is not negative"),
    NUMBER(FETCH_RAND, 0, 0, INT32_MAX, "a range is not negative"),
    WORD(FETCH_QUERY, 0, "with_qm"),
    WORD(FETCH_URLP, 2, "i"),
    WORD(FETCH_URLP_VAL, 2, "i"),
    WORD(FETCH_REQ_BODY_PARAM, 1, "i"),
};

static const struct check conv_checks[] = {
    WORD(CONV_JSON, 0, "ascii utf8 utf8s utf8p utf8ps"),
    WORD(CONV_URL_ENC, 0, "query"),
    NUMBER(CONV_BE2DEC, 1, 1, 8, "a chunk has 1 to 8 bytes"),
    NUMBER(CONV_LE2DEC, 1, 1, 8, "a chunk has 1 to 8 bytes"),
    NUMBER(CONV_BE2HEX, 1, 0, INT32_MAX, "a chunk size is not negative"),
    NUMBER(CONV_CAPTURE_REQ, 0, 0, INT32_MAX, "a capture slot is not negative"),
    NUMBER(CONV_CAPTURE_RES, 0, 0, INT32_MAX, "a capture slot is not negative"),
};

static bool is_listed(struct str word, struct str list)
{
    struct str item;
    while (str_split(&list, ' ', &item))
        if (str_eq(item, word))
            return true;
    return false;
}

static bool run(struct parse *p, unsigned word, const struct check *c, const char *kind, const char *name,
                const struct cfg_arg *args, unsigned n)
{
    if (c->arg >= n || args[c->arg].kind == ARG_NONE)
        return true;
    const struct cfg_arg *arg = &args[c->arg];
    if (c->is_word) {
        if (arg->text.len == 0 || is_listed(arg->text, str_of(c->words)))
            return true;
        return parse_error(p, word, "%s '%s': expected %s, got '%.*s'", kind, name, c->words, STR_ARG(arg->text));
    }
    if (arg->kind != ARG_INT || (arg->num >= c->min && arg->num <= c->max))
        return true;
    return parse_error(p, word, "%s '%s': %s, got %lld", kind, name, c->expect, (long long)arg->num);
}

// Where a payload's second offset is: absolute, or relative to the end of the length ("+4", "-2").
static bool check_payload_lv(struct parse *p, unsigned word, enum fetch_id id, const struct cfg_arg *args, unsigned n)
{
    if (id != FETCH_PAYLOAD_LV && id != FETCH_REQ_PAYLOAD_LV && id != FETCH_RES_PAYLOAD_LV)
        return true;
    int64_t offset;
    if (n < 3 || args[2].text.len == 0)
        return true;
    struct str s = args[2].text;
    bool plus = s.ptr[0] == '+';
    if (!str_to_i64(plus ? str_slice(s, 1, s.len) : s, &offset))
        return parse_error(p, word, "fetch '%s': the second offset '%.*s' is not a number", fetch_rows[id].name,
                           STR_ARG(s));
    if (offset < 0 && args[0].num + args[1].num + offset < 0)
        return parse_error(p, word, "fetch '%s': the second offset is too negative", fetch_rows[id].name);
    return true;
}

bool args_check_fetch(struct parse *p, unsigned word, enum fetch_id id, const struct cfg_arg *args, unsigned n)
{
    for (unsigned i = 0; i < sizeof fetch_checks / sizeof *fetch_checks; i++)
        if (fetch_checks[i].id == (int)id && !run(p, word, &fetch_checks[i], "fetch", fetch_rows[id].name, args, n))
            return false;
    if (id == FETCH_UUID && n > 0 && args[0].num != 4 && args[0].num != 7)
        return parse_error(p, word, "fetch 'uuid': versions are 4 and 7, not %lld", (long long)args[0].num);
    return check_payload_lv(p, word, id, args, n);
}

bool args_check_conv(struct parse *p, unsigned word, enum conv_id id, const struct cfg_arg *args, unsigned n)
{
    for (unsigned i = 0; i < sizeof conv_checks / sizeof *conv_checks; i++)
        if (conv_checks[i].id == (int)id && !run(p, word, &conv_checks[i], "converter", conv_rows[id].name, args, n))
            return false;
    if ((id == CONV_FIELD || id == CONV_WORD) && n > 0 && args[0].num == 0)
        return parse_error(p, word, "converter '%s': the index counts from 1, or from -1 for the last",
                           conv_rows[id].name);
    int64_t bits = id == CONV_SHA2 && n > 0 ? args[0].num : 256;
    if (bits != 224 && bits != 256 && bits != 384 && bits != 512)
        return parse_error(p, word, "converter 'sha2': 224, 256, 384 or 512 bits, not %lld", (long long)bits);
    return true;
}
