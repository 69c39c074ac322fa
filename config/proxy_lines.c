// SPDX-License-Identifier: Apache-2.0
// Irregular lines of proxies.
#include "config/proxy_lines.h"

#include "config/load.h"
#include "config/log_line.h"

static bool too_many(struct parse *p, unsigned from)
{
    if (p->nwords <= from)
        return false;
    parse_error(p, from, "'%.*s' cannot handle unexpected argument '%.*s'.", STR_ARG(p->words[0]),
                STR_ARG(p->words[from]));
    return true;
}

static bool word_is(const struct parse *p, unsigned word, const char *text)
{
    return word < p->nwords && str_is(p->words[word], text);
}

bool bind_line_proxy(struct parse *p)
{
    return bind_line(p, 1, &p->proxy->binds, &p->proxy->nbinds);
}

// ---- Modes, names --------------------------------------------------------------------------------------------------
bool mode(struct parse *p, unsigned word, void *target)
{
    struct cfg_proxy *px = target;
    struct str name = p->words[word];
    if (str_is(name, "http"))
        px->mode = MODE_HTTP;
    else if (str_is(name, "tcp"))
        px->mode = MODE_TCP;
    else if (str_is(name, "log") || str_is(name, "spop") || str_is(name, "haterm"))
        return parse_error(p, word, "mode '%.*s' is known to HAProxy but not supported yet.", STR_ARG(name));
    else if (str_is(name, "health"))
        return parse_error(p, word, "mode 'health' was removed from HAProxy; use 'http-request return status 200'.");
    else
        return parse_error(p, word, "unknown proxy mode '%.*s': expected 'tcp' or 'http'.", STR_ARG(name));
    return true;
}

struct str joined_words(struct parse *p, unsigned word)
{
    struct str all = p->words[word];
    for (unsigned i = word + 1; i < p->nwords; i++)
        all = arena_printf(p->arena, "%.*s %.*s", STR_ARG(all), STR_ARG(p->words[i]));
    return all;
}

bool description(struct parse *p, unsigned word, void *target)
{
    struct cfg_proxy *px = target;
    px->description = joined_words(p, word);
    return true;
}

bool default_backend(struct parse *p, unsigned word, void *target)
{
    struct cfg_proxy *px = target;
    px->default_backend_name = p->words[word];
    px->default_backend_src = parse_src(p, word);
    return true;
}

bool load_state(struct parse *p, unsigned word, void *target)
{
    (void)target;
    if (str_is(p->words[word], "none"))
        return true;
    return parse_error(p, word, "server states are not kept in files yet: only 'none' is supported.");
}

bool rate_limit(struct parse *p, unsigned word, void *target)
{
    struct cfg_proxy *px = target;
    int64_t rate;
    if (!str_is(p->words[word], "sessions"))
        return parse_error(p, word, "'rate-limit' only supports 'sessions' (got '%.*s')", STR_ARG(p->words[word]));
    if (!parse_int(p, word + 1, 0, INT32_MAX, &rate))
        return false;
    px->rate_limit_sessions = (int)rate;
    return true;
}

// ---- Error answers -------------------------------------------------------------------------------------------------
static struct cfg_errorfile *error_answer(struct parse *p, unsigned word, struct cfg_proxy *px)
{
    static const short known[] = {200, 400, 401, 403, 404, 405, 407, 408, 410, 413,
                                  414, 425, 429, 431, 500, 501, 502, 503, 504};
    int64_t status;
    if (!parse_int(p, word, 100, 599, &status))
        return NULL;
    bool found = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        found |= known[i] == status;
    if (!found) {
        parse_error(p, word,
                    "status code '%.*s' is never answered from here: expected 200, 400, 401, 403, 404, 405, "
                    "407, 408, 410, 413, 414, 425, 429, 431 or 500 to 504.",
                    STR_ARG(p->words[word]));
        return NULL;
    }
    struct cfg_errorfile *e = NULL;
    for (unsigned i = 0; i < px->nerrorfiles; i++)
        if (px->errorfiles[i].status == status)
            e = &px->errorfiles[i];
    if (!e)
        e = PARSE_PUSH(p->arena, px->errorfiles, px->nerrorfiles, struct cfg_errorfile);
    *e = (struct cfg_errorfile){.status = (int)status, .src = parse_src(p, word + 1)};
    return e;
}

bool error_file(struct parse *p, unsigned word, void *target)
{
    struct cfg_errorfile *e = error_answer(p, word, target);
    if (e)
        e->path = p->words[word + 1];
    return e != NULL;
}

static bool error_loc(struct parse *p, unsigned word, struct cfg_proxy *px, int redirect_status)
{
    struct cfg_errorfile *e = error_answer(p, word, px);
    if (!e)
        return false;
    e->location = p->words[word + 1];
    e->redirect_status = redirect_status;
    return true;
}

bool error_loc_302(struct parse *p, unsigned word, void *target)
{
    return error_loc(p, word, target, 302);
}

bool error_loc_303(struct parse *p, unsigned word, void *target)
{
    return error_loc(p, word, target, 303);
}

// ---- Captures ------------------------------------------------------------------------------------------------------
static bool capture_len(struct parse *p, unsigned word, unsigned *len)
{
    int64_t value;
    if (!word_is(p, word, "len"))
        return parse_error(p, word, "'%.*s' expects 'len' and a length here.", STR_ARG(p->words[0]));
    if (!parse_int(p, word + 1, 1, 65535, &value) || too_many(p, word + 2))
        return false;
    *len = (unsigned)value;
    return true;
}

static bool capture_header(struct parse *p, bool request)
{
    struct cfg_proxy *px = p->proxy;
    struct cfg_capture c = {.name = STR_NONE};
    if (!word_is(p, 2, "header") || p->nwords < 4)
        return parse_error(p, 2, "'capture %s' expects 'header <name> len <length>'.",
                           request ? "request" : "response");
    c.name = p->words[3];
    if (!capture_len(p, 4, &c.len))
        return false;
    if (request)
        *PARSE_PUSH(p->arena, px->req_captures, px->nreq_captures, struct cfg_capture) = c;
    else
        *PARSE_PUSH(p->arena, px->res_captures, px->nres_captures, struct cfg_capture) = c;
    return true;
}

bool capture_line(struct parse *p)
{
    if (word_is(p, 1, "request") || word_is(p, 1, "response"))
        return capture_header(p, word_is(p, 1, "request"));
    if (!word_is(p, 1, "cookie") || p->nwords < 3)
        return parse_error(p, 1,
                           "'capture' expects 'cookie <name>', 'request header <name>' or 'response header "
                           "<name>', and 'len <length>'.");
    p->proxy->capture_cookie.name = p->words[2];
    return capture_len(p, 3, &p->proxy->capture_cookie.len);
}

bool declare_line(struct parse *p)
{
    struct cfg_proxy *px = p->proxy;
    struct cfg_capture c = {.name = STR_NONE};
    bool request = word_is(p, 2, "request");
    if (!word_is(p, 1, "capture") || (!request && !word_is(p, 2, "response")))
        return parse_error(p, 1,
                           "'declare' expects 'capture request len <length>' or 'capture response len <length>'.");
    if (!capture_len(p, 3, &c.len))
        return false;
    if (request)
        *PARSE_PUSH(p->arena, px->req_captures, px->nreq_captures, struct cfg_capture) = c;
    else
        *PARSE_PUSH(p->arena, px->res_captures, px->nres_captures, struct cfg_capture) = c;
    return true;
}

// ---- Addresses -----------------------------------------------------------------------------------------------------
bool source_line(struct parse *p)
{
    if (p->nwords < 2)
        return parse_error(p, 1, "'source' expects <address>[:<port>].");
    if (word_is(p, 2, "usesrc") || word_is(p, 2, "interface"))
        return parse_error(p, 2, "'%.*s' is known to HAProxy but not supported yet.", STR_ARG(p->words[2]));
    return !too_many(p, 2) && source_addr(p, 1, &p->proxy->source);
}

// ---- Persistence, monitoring, limits -------------------------------------------------------------------------------
bool force_persist_line(struct parse *p)
{
    return parse_cond_list_line(p, &p->proxy->force_persist, 1);
}

bool ignore_persist_line(struct parse *p)
{
    return parse_cond_list_line(p, &p->proxy->ignore_persist, 1);
}

bool monitor_line(struct parse *p)
{
    if (!word_is(p, 1, "fail"))
        return parse_error(p, 1, "'monitor' expects 'fail if <condition>' or 'fail unless <condition>'.");
    return parse_cond_list_line(p, &p->proxy->monitor_fail, 2);
}

bool retry_on_line(struct parse *p)
{
    static const struct kw_choice events[] = {
        {"conn-failure", RETRY_CONN_FAILURE},
        {"empty-response", RETRY_EMPTY_RESPONSE},
        {"junk-response", RETRY_JUNK_RESPONSE},
        {"response-timeout", RETRY_RESPONSE_TIMEOUT},
        {"0rtt-rejected", RETRY_0RTT_REJECTED},
        {"401", RETRY_401},
        {"403", RETRY_403},
        {"404", RETRY_404},
        {"408", RETRY_408},
        {"425", RETRY_425},
        {"500", RETRY_500},
        {"501", RETRY_501},
        {"502", RETRY_502},
        {"503", RETRY_503},
        {"504", RETRY_504},
        {"all-retryable-errors", RETRY_CONN_FAILURE | RETRY_EMPTY_RESPONSE | RETRY_JUNK_RESPONSE |
                                     RETRY_RESPONSE_TIMEOUT | RETRY_0RTT_REJECTED | RETRY_500 | RETRY_502 | RETRY_503 |
                                     RETRY_504}};
    unsigned n = sizeof(events) / sizeof(events[0]), bits = 0;
    if (p->nwords < 2)
        return parse_error(p, 1, "'retry-on' expects the events, or 'none'.");
    for (unsigned word = 1; word < p->nwords; word++) {
        if (str_is(p->words[word], "none")) {
            if (p->nwords > 2)
                return parse_error(p, word, "'none' must stand alone.");
            break;
        }
        unsigned i = 0;
        while (i < n && !str_is(p->words[word], events[i].name))
            i++;
        const char *near = i < n ? NULL : parse_nearest(p->words[word], events, n, sizeof(events[0]));
        if (i == n)
            return parse_error(p, word, "unknown event '%.*s' of 'retry-on'%s%s%s", STR_ARG(p->words[word]),
                               near ? "; did you mean '" : "", near ? near : "", near ? "' maybe ?" : "");
        bits |= (unsigned)events[i].value;
    }
    p->proxy->retry_on = bits;
    return true;
}

// ---- Logs ----------------------------------------------------------------------------------------------------------
bool log_line_proxy(struct parse *p)
{
    struct cfg_proxy *px = p->proxy;
    if (p->prefix == PREFIX_NO) {
        px->nlogs = 0;
        px->logs = NULL;
        px->log_global = false;
        return !too_many(p, 1);
    }
    if (p->prefix == PREFIX_DEFAULT)
        return parse_error(p, 0, "'default' is not supported for keyword 'log'.");
    if (word_is(p, 1, "global")) {
        px->log_global = true;
        return !too_many(p, 2);
    }
    return log_line(p, &px->logs, &px->nlogs);
}

bool log_format_line(struct parse *p)
{
    struct cfg_proxy *px = p->proxy;
    bool structured = word_is(p, 0, "log-format-sd");
    if (p->nwords < 2)
        return parse_error(p, 1, "'%.*s' expects a format.", STR_ARG(p->words[0]));
    if (p->nwords > 2)
        return parse_error(p, 2, "'%.*s' expects one word: use quotes or escape the spaces.", STR_ARG(p->words[0]));
    struct cfg_format format = {.nodes = NULL};
    if (!parse_format(p, 1, p->words[1], WHERE_LOG, &format))
        return false;
    if (structured) {
        px->log_format_sd = format;
        return true;
    }
    px->log_line = LOG_LINE_CUSTOM;
    px->log_line_src = p->src;
    px->log_format = format;
    return true;
}

bool unique_id_format_line(struct parse *p)
{
    if (p->nwords < 2)
        return parse_error(p, 1, "'unique-id-format' expects a format.");
    return !too_many(p, 2) && parse_format(p, 1, p->words[1], WHERE_FRONT_REQ | WHERE_LOG, &p->proxy->unique_id_format);
}
