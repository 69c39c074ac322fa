// SPDX-License-Identifier: Apache-2.0
// Actions that edit header fields and the start line.
#include "node/match/regex.h"
#include "node/proxy/actions.h"

enum step act_add_header(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct http_msg *m = action_message(st);
    struct str value = format_text(a->format, &st->ctx);
    if (!m || !http_value_ok(value))
        return action_failed(st);
    http_hdr_add(m, a->text, value);
    return STEP_DONE;
}

enum step act_set_header(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct http_msg *m = action_message(st);
    struct str value = format_text(a->format, &st->ctx);
    if (!m || !http_value_ok(value))
        return action_failed(st);
    http_hdr_set(m, a->text, value);
    return STEP_DONE;
}

static bool name_matches(const struct action *a, struct str name)
{
    struct str want = a->cfg->name;
    switch (a->cfg->match) {
    case MATCH_BEG:
        return str_starts_nocase(name, want);
    case MATCH_END:
        return str_ends_nocase(name, want);
    case MATCH_SUB:
        return str_find_nocase(name, want) >= 0;
    case MATCH_REG:
        return regex_match(a->regex, name);
    default:
        return str_eq_nocase(name, want);
    }
}

enum step act_del_header(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct http_msg *m = action_message(st);
    if (!m)
        return STEP_DONE;
    if (a->cfg->match == MATCH_STR || a->cfg->match == MATCH_FOUND) {
        http_hdr_del(m, a->cfg->name);
        return STEP_DONE;
    }
    for (unsigned i = 0; i < m->nhdrs; i++)
        if (m->hdrs[i].name.ptr && name_matches(a, m->hdrs[i].name))
            http_hdr_remove(&m->hdrs[i]);
    return STEP_DONE;
}

// Each field of that name as a whole: a value that matches is replaced.
enum step act_replace_header(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct http_msg *m = action_message(st);
    struct http_hdr *h;
    struct str value;
    unsigned pos = 0;
    if (!m)
        return STEP_DONE;
    struct str replacement = format_text(a->format, &st->ctx);
    while ((h = http_hdr_next_name(m, a->cfg->name, &pos)) != NULL) {
        if (!regex_expand(a->regex, h->value, replacement, st->arena, &value))
            continue;
        if (!http_value_ok(value))
            return action_failed(st);
        h->value = value;
    }
    return STEP_DONE;
}

// The values of one field that match are replaced, with the blanks around them; all else stays as it came. False:
// nothing matched.
static bool replace_values(const struct action *a, struct str field, struct str replacement, struct arena *arena,
                           struct str *out)
{
    const char *end = field.ptr + field.len, *copied = field.ptr;
    struct str rest = field, piece, value;
    struct buf joined = BUF_INIT;
    while (http_list_next(&rest, &piece)) {
        if (!regex_expand(a->regex, piece, replacement, arena, &value))
            continue;
        const char *from = piece.ptr;
        while (from > copied && (from[-1] == ' ' || from[-1] == '\t'))
            from--;
        buf_add(&joined, copied, (size_t)(from - copied));
        buf_add_str(&joined, value);
        copied = rest.ptr ? rest.ptr - 1 : end; // at the comma
    }
    bool changed = copied != field.ptr;
    if (changed) {
        buf_add(&joined, copied, (size_t)(end - copied));
        *out = arena_str(arena, buf_str(&joined));
    }
    buf_free(&joined);
    return changed;
}

// Each comma-separated value by itself.
enum step act_replace_value(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct http_msg *m = action_message(st);
    struct http_hdr *h;
    struct str value;
    unsigned pos = 0;
    if (!m)
        return STEP_DONE;
    struct str replacement = format_text(a->format, &st->ctx);
    while ((h = http_hdr_next_name(m, a->cfg->name, &pos)) != NULL) {
        if (!replace_values(a, h->value, replacement, st->arena, &value))
            continue;
        if (!http_value_ok(value))
            return action_failed(st);
        h->value = value;
    }
    return STEP_DONE;
}

enum step act_set_status(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct http_msg *m = st->ctx.res;
    if (!m)
        return STEP_DONE;
    m->status = (uint16_t)a->cfg->number;
    m->reason = a->cfg->text.len ? a->cfg->text : str_of(http_reason(m->status));
    st->status = m->status;
    return STEP_DONE;
}

enum step act_set_method(struct stream *st, const struct action *a, struct rule_run *run)
{
    struct str method = format_text(a->format, &st->ctx);
    if (!st->ctx.req || !http_name_ok(method))
        return action_failed(st);
    st->req.method_text = method;
    st->req.method = (uint8_t)http_method_of(method);
    return STEP_DONE;
}
