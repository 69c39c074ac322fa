// SPDX-License-Identifier: Apache-2.0
// http-check lines: what a health check sends and what it expects (configuration.txt, "http-check").
#include "config/resolve.h"

static bool need_value(struct parse *p, unsigned word)
{
    return word + 1 < p->nwords || parse_error(p, word, "'%.*s' expects a value", STR_ARG(p->words[word]));
}

static bool add_header(struct parse *p, unsigned word, struct cfg_http_check *check)
{
    if (word + 2 >= p->nwords)
        return parse_error(p, word, "'hdr' expects a name and a value");
    struct cfg_header_fmt *h = PARSE_PUSH(p->arena, check->headers, check->nheaders, struct cfg_header_fmt);
    h->name = p->words[word + 1];
    if (str_is_nocase(h->name, "connection") || str_is_nocase(h->name, "content-length") ||
        str_is_nocase(h->name, "transfer-encoding"))
        return parse_error(p, word + 1, "header '%.*s' is set by the check itself", STR_ARG(h->name));
    return parse_format(p, word + 2, p->words[word + 2], WHERE_CHECK, &h->value);
}

static bool parse_send(struct parse *p)
{
    struct cfg_http_check *check = &p->proxy->http_check;
    for (unsigned word = 2; word < p->nwords; word += 2) {
        struct str option = p->words[word];
        if (!need_value(p, word))
            return false;
        struct str value = p->words[word + 1];
        if (str_is(option, "meth"))
            check->method = value;
        else if (str_is(option, "uri"))
            check->uri = value;
        else if (str_is(option, "ver"))
            check->version = value;
        else if (str_is(option, "body"))
            check->body = value;
        else if (str_is(option, "hdr")) {
            if (!add_header(p, word++, check))
                return false;
        } else if (str_is(option, "uri-lf") || str_is(option, "body-lf") || str_is(option, "comment"))
            return parse_error(p, word, "'%.*s' of 'http-check send' is not supported by Phalanx yet", STR_ARG(option));
        else
            return parse_error(p, word, "'http-check send' expects 'meth', 'uri', 'ver', 'hdr' or 'body', not '%.*s'",
                               STR_ARG(option));
    }
    return true;
}

// "200-299,401"
static bool check_status_list(struct parse *p, unsigned word)
{
    struct str list = p->words[word], item;
    while (str_split(&list, ',', &item)) {
        struct str high = item, low;
        uint64_t from = 0, to;
        str_split(&high, '-', &low);
        bool good = str_to_u64(low, &from) && from >= 100 && from <= 999;
        to = from;
        if (good && high.ptr)
            good = str_to_u64(high, &to) && to >= from && to <= 999;
        if (!good)
            return parse_error(p, word, "'%.*s' is not a status or a range of them, such as 200-399", STR_ARG(item));
    }
    return true;
}

static bool find_expect(struct str name, enum cfg_http_expect *out)
{
    static const char *const names[] = {[EXPECT_STATUS] = "status",
                                        [EXPECT_RSTATUS] = "rstatus",
                                        [EXPECT_STRING] = "string",
                                        [EXPECT_RSTRING] = "rstring"};
    for (unsigned i = EXPECT_STATUS; i <= EXPECT_RSTRING; i++)
        if (str_is(name, names[i])) {
            *out = (enum cfg_http_expect)i;
            return true;
        }
    return false;
}

static bool parse_expect(struct parse *p)
{
    struct cfg_http_check *check = &p->proxy->http_check;
    unsigned word = 2;
    if (check->expect != EXPECT_DEFAULT)
        return parse_error(p, 0, "a second 'http-check expect' is not supported by Phalanx yet");
    bool negate = word < p->nwords && str_is(p->words[word], "!");
    word += negate;
    if (word + 1 >= p->nwords)
        return parse_error(p, p->nwords - 1, "'http-check expect' expects '[!] status|rstatus|string|rstring PATTERN'");
    enum cfg_http_expect kind;
    if (!find_expect(p->words[word], &kind))
        return parse_error(p, word,
                           "'http-check expect %.*s' is not supported by Phalanx yet; expected status, "
                           "rstatus, string or rstring",
                           STR_ARG(p->words[word]));
    if (kind == EXPECT_STATUS && !check_status_list(p, word + 1))
        return false;
    if (word + 2 < p->nwords)
        return parse_error(p, word + 2,
                           "unexpected '%.*s' behind the pattern: options stand in front of it and are "
                           "not supported by Phalanx yet",
                           STR_ARG(p->words[word + 2]));
    check->expect = kind;
    check->expect_not = negate;
    check->expect_text = p->words[word + 1];
    return true;
}

bool parse_http_check_line(struct parse *p)
{
    if (p->nwords < 2)
        return parse_error(p, 0, "'http-check' expects 'send', 'expect' or 'disable-on-404'");
    struct str kind = p->words[1];
    if (str_is(kind, "send"))
        return parse_send(p);
    if (str_is(kind, "expect"))
        return parse_expect(p);
    if (str_is(kind, "disable-on-404")) {
        p->proxy->http_check.disable_on_404 = true;
        return p->nwords == 2 || parse_error(p, 2, "'disable-on-404' takes no argument");
    }
    static const char *const refused[] = {"comment", "connect", "send-state", "set-var", "set-var-fmt", "unset-var"};
    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
        if (str_starts(kind, str_of(refused[i])))
            return parse_error(p, 1, "'http-check %s' is not supported by Phalanx yet", refused[i]);
    return parse_error(p, 1, "'http-check' expects 'send', 'expect' or 'disable-on-404', not '%.*s'", STR_ARG(kind));
}
