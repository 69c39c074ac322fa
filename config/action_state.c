// SPDX-License-Identifier: Apache-2.0
// Actions on variables, sticky counters, captures, facts of the connection, and those that wait.
#include "config/action.h"

bool action_none(struct action_parse *ap)
{
    return true;
}

bool action_silent_drop(struct action_parse *ap)
{
    return !action_skip(ap, "rst-ttl") ||
           parse_error(ap->p, ap->word - 1, "'rst-ttl' of 'silent-drop' is not supported by Phalanx yet");
}

// ---- variables -----------------------------------------------------------------------------------------------------
static bool take_var(struct action_parse *ap, const char *letters)
{
    struct cfg_arg *args;
    uint8_t n;
    if (!action_args(ap, letters, &args, &n))
        return false;
    ap->a->scope = args[0].scope;
    ap->a->name = args[0].text;
    ap->a->var_index = args[0].var_index;
    ap->a->number2 = n > 1 ? (int)args[1].num : 0;
    return true;
}

bool action_set_var(struct action_parse *ap)
{
    return take_var(ap, "Ew") && action_take_expr(ap, &ap->a->expr);
}

bool action_set_var_fmt(struct action_parse *ap)
{
    return take_var(ap, "Ew") && action_take_format(ap, "a log-format string", &ap->a->format);
}

bool action_unset_var(struct action_parse *ap)
{
    return take_var(ap, "E");
}

// ---- sticky counters -----------------------------------------------------------------------------------------------
// The table's name waits in a->name until resolve_exprs() has found its owner.
bool action_track(struct action_parse *ap)
{
    char digit = ap->name.ptr[ap->name.len - 1];
    if (digit == 'c') // plain "track-sc"
        digit = '0';
    if (digit > '2')
        return parse_error(ap->p, ap->name_word, "'%.*s': there are three sticky counters, 0 to 2", STR_ARG(ap->name));
    ap->a->number = digit - '0';
    if (!action_take_expr(ap, &ap->a->expr))
        return false;
    if (!action_skip(ap, "table"))
        return true;
    if (!action_need(ap, "the name of a table"))
        return false;
    ap->a->name = action_take(ap);
    return true;
}

// Index and counter of "(idx,sc)", or the counter alone, which is 0 when left out.
static bool take_counter(struct action_parse *ap)
{
    struct cfg_arg *args;
    uint8_t n;
    bool array = ap->a->id == ACT_SC_INC_GPC || ap->a->id == ACT_SC_ADD_GPC || ap->a->id == ACT_SC_SET_GPT;
    if (!action_args(ap, array ? "KC" : "c", &args, &n))
        return false;
    ap->a->number = array ? (int)args[0].num : 0;
    ap->a->number2 = n > 0 ? (int)args[n - 1].num : 0;
    return true;
}

bool action_sc_inc(struct action_parse *ap)
{
    return take_counter(ap);
}

// An integer constant or an expression.
static bool take_operand(struct action_parse *ap)
{
    if (!action_need(ap, "an integer or an expression"))
        return false;
    if (!str_to_i64(ap->p->words[ap->word], &ap->a->value))
        return action_take_expr(ap, &ap->a->expr);
    ap->word++;
    return true;
}

bool action_sc_set(struct action_parse *ap)
{
    return take_counter(ap) && take_operand(ap);
}

// ---- captures ------------------------------------------------------------------------------------------------------
// "len N" declares a slot of the frontend's, "id N" names one.
bool action_capture(struct action_parse *ap)
{
    struct cfg_proxy *px = ap->p->proxy;
    bool request = ap->set == RULES_HTTP_REQ || ap->set == RULES_TCP_REQ_CONT;
    int64_t n;
    if (!action_take_expr(ap, &ap->a->expr))
        return false;
    if (request && action_skip(ap, "len")) {
        if (!(px->caps & CAP_FRONT))
            return parse_error(ap->p, ap->word - 1, "'len' declares a capture slot, which a backend has not: use 'id'");
        if (!action_number(ap, "a length", 1, 65535, &n))
            return false;
        ap->a->number = (int)px->nreq_captures;
        PARSE_PUSH(ap->p->arena, px->req_captures, px->nreq_captures, struct cfg_capture)->len = (unsigned)n;
        return true;
    }
    if (!action_skip(ap, "id"))
        return parse_error(ap->p, ap->word < ap->p->nwords ? ap->word : ap->p->nwords - 1, "'%.*s' expects %s",
                           STR_ARG(ap->name), request ? "'len LENGTH' or 'id SLOT'" : "'id SLOT'");
    if (!action_number(ap, "a slot", 0, 65535, &n))
        return false;
    ap->a->number = (int)n;
    return true;
}

// ---- facts ---------------------------------------------------------------------------------------------------------
bool action_expr(struct action_parse *ap)
{
    return action_take_expr(ap, &ap->a->expr);
}

bool action_log_level(struct action_parse *ap)
{
    static const char *const levels[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
    if (!action_need(ap, "a log level"))
        return false;
    struct str level = action_take(ap);
    ap->a->number = -1;
    if (str_is(level, "silent"))
        return true;
    for (int i = 0; i < 8; i++)
        if (str_is(level, levels[i])) {
            ap->a->number = i;
            return true;
        }
    return parse_error(ap->p, ap->word - 1,
                       "unknown log level '%.*s', expected silent, emerg, alert, crit, err, warning, notice, info or "
                       "debug",
                       STR_ARG(level));
}

bool action_nice(struct action_parse *ap)
{
    int64_t nice;
    if (!action_number(ap, "a priority", -1024, 1024, &nice))
        return false;
    ap->a->number = (int)nice;
    return true;
}

// Decimal, or hexadecimal behind "0x".
static bool take_bits(struct action_parse *ap, const char *what, int64_t max)
{
    if (!action_need(ap, what))
        return false;
    struct str s = action_take(ap), digits = s;
    bool hex = str_starts_nocase(s, STR("0x"));
    uint64_t value = 0;
    bool good = s.len > 0;
    if (hex)
        digits = str_slice(s, 2, s.len);
    if (!hex)
        good = str_to_u64(s, &value);
    for (size_t i = 0; hex && i < digits.len; i++) {
        char c = str_lower(digits.ptr[i]);
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        good = good && digit >= 0 && value <= (uint64_t)max;
        value = value << 4 | (uint64_t)(digit & 15);
    }
    if (!good || digits.len == 0 || value > (uint64_t)max)
        return parse_error(ap->p, ap->word - 1, "'%.*s' is not %s of at most %lld", STR_ARG(s), what, (long long)max);
    ap->a->number = (int)(uint32_t)value;
    return true;
}

bool action_mark(struct action_parse *ap)
{
    ap->a->id = ACT_SET_MARK; // set-fc-mark is its new name
    return take_bits(ap, "a mark", UINT32_MAX);
}

bool action_tos(struct action_parse *ap)
{
    ap->a->id = ACT_SET_TOS;
    return take_bits(ap, "a TOS value", 255);
}

// ---- times ---------------------------------------------------------------------------------------------------------
// A time or an expression that gives milliseconds.
static bool take_time_or_expr(struct action_parse *ap)
{
    int64_t us;
    if (!action_need(ap, "a time or an expression"))
        return false;
    if (!time_from_text(ap->p->words[ap->word], 1000, &us))
        return action_take_expr(ap, &ap->a->expr);
    return action_time(ap, "a time", &ap->a->value);
}

bool action_set_timeout(struct action_parse *ap)
{
    static const char *const kinds[] = {
        [TIMEOUT_KIND_CLIENT] = "client", [TIMEOUT_KIND_CONNECT] = "connect", [TIMEOUT_KIND_QUEUE] = "queue",
        [TIMEOUT_KIND_SERVER] = "server", [TIMEOUT_KIND_TARPIT] = "tarpit",   [TIMEOUT_KIND_TUNNEL] = "tunnel",
    };
    if (!action_need(ap, "client, connect, queue, server, tarpit or tunnel"))
        return false;
    struct str kind = action_take(ap);
    for (int i = 0; i <= TIMEOUT_KIND_TUNNEL; i++)
        if (str_is(kind, kinds[i])) {
            if (i != TIMEOUT_KIND_CLIENT && i != TIMEOUT_KIND_TARPIT && !(ap->p->proxy->caps & CAP_BACK) &&
                ap->p->section != SECTION_DEFAULTS)
                return parse_error(ap->p, ap->word - 1, "timeout '%s' is a backend's, and '%.*s' is none", kinds[i],
                                   STR_ARG(ap->p->proxy->name));
            ap->a->number = i;
            return take_time_or_expr(ap);
        }
    return parse_error(ap->p, ap->word - 1,
                       "'set-timeout' expects client, connect, queue, server, tarpit or tunnel, not '%.*s'",
                       STR_ARG(kind));
}

bool action_pause(struct action_parse *ap)
{
    return take_time_or_expr(ap);
}

bool action_wait_for_body(struct action_parse *ap)
{
    bool timed = false;
    for (;;) {
        if (action_skip(ap, "time")) {
            if (!action_time(ap, "a time", &ap->a->value))
                return false;
            timed = true;
        } else if (action_skip(ap, "at-least")) {
            uint64_t bytes;
            if (!action_need(ap, "a size"))
                return false;
            if (!parse_size(ap->p, ap->word, &bytes))
                return false;
            if (bytes > INT32_MAX)
                return parse_error(ap->p, ap->word, "'at-least' takes at most 2 GB");
            ap->a->number = (int)bytes;
            ap->word++;
        } else {
            break;
        }
    }
    return timed || parse_error(ap->p, ap->name_word,
                                "'wait-for-body' expects 'time TIME' and optionally 'at-least "
                                "BYTES'");
}

bool action_strict_mode(struct action_parse *ap)
{
    if (!action_need(ap, "'on' or 'off'"))
        return false;
    struct str word = action_take(ap);
    ap->a->number = str_is(word, "on");
    return ap->a->number || str_is(word, "off") ||
           parse_error(ap->p, ap->word - 1, "'strict-mode' expects 'on' or 'off', not '%.*s'", STR_ARG(word));
}

bool action_test_wait(struct action_parse *ap)
{
    return action_time(ap, "a time", &ap->a->value);
}
