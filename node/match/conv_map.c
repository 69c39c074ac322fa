// SPDX-License-Identifier: Apache-2.0
// map_<match>[_<output>](file[,default]): the value is looked up in the file's pattern set and replaced by what the
// file says for it.
#include <string.h>

#include "node/match/compile.h"
#include "node/match/regex.h"

// Every map converter: its row, method, and the type of its values (TYPE_ANY: the matched key itself).
static const struct map_row {
    enum conv_id id;
    uint8_t method, value;
} rows[] = {
    {CONV_MAP, MATCH_STR, TYPE_STR},
#define MAP_ROWS(NAME)                                                                                                 \
    {CONV_MAP_##NAME, MATCH_##NAME, TYPE_STR}, {CONV_MAP_##NAME##_INT, MATCH_##NAME, TYPE_INT},                        \
        {CONV_MAP_##NAME##_IP, MATCH_##NAME, TYPE_ADDR},                                                               \
    {                                                                                                                  \
        CONV_MAP_##NAME##_KEY, MATCH_##NAME, TYPE_ANY                                                                  \
    }
    MAP_ROWS(STR),
    MAP_ROWS(BEG),
    MAP_ROWS(SUB),
    MAP_ROWS(DIR),
    MAP_ROWS(DOM),
    MAP_ROWS(END),
    MAP_ROWS(REG),
    MAP_ROWS(INT),
    MAP_ROWS(IP),
    {CONV_MAP_REGM, MATCH_REG, TYPE_STR},
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static const struct map_row *row_of(enum conv_id id)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].id == id)
            return &rows[i];
    return NULL;
}

bool conv_map_kind(enum conv_id id, struct pattern_options *out)
{
    const struct map_row *row = row_of(id);
    if (!row)
        return false;
    *out = (struct pattern_options){
        .method = (enum match_method)row->method,
        .map = true,
        .value = row->value == TYPE_ANY ? TYPE_STR : (enum sample_type)row->value,
    };
    return true;
}

const struct sample *conv_map_default(struct arena *arena, const struct cfg_conv *cfg)
{
    const struct map_row *row = row_of(cfg->id);
    if (!row || cfg->nargs < 2 || cfg->args[1].kind == ARG_NONE)
        return NULL;
    const struct cfg_arg *arg = &cfg->args[1];
    struct sample *s = ARENA_NEW(arena, struct sample);
    struct inet_addr addr;
    if (row->value == TYPE_INT) {
        sample_set_int(s, arg->num);
    } else if (row->value == TYPE_ADDR) {
        if (!inet_parse(arg->text, &addr))
            return NULL; // config has checked that it is one
        sample_set_addr(s, &addr);
    } else {
        sample_set_str(s, arg->text);
    }
    return s;
}

// args[0]: map = the set, ref = the default (struct sample) or NULL.
static bool look_up(const struct arg *args, struct sample *s, const struct pattern_entry **found)
{
    *found = pattern_match(args[0].map, s);
    if (*found)
        return true;
    if (!args[0].ref)
        return false;
    *s = *(const struct sample *)args[0].ref;
    return true;
}

static bool conv_map(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    const struct pattern_entry *e;
    if (!look_up(args, s, &e))
        return false;
    if (e)
        *s = e->out;
    return true;
}

static bool conv_map_key(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    const struct pattern_entry *e;
    if (!look_up(args, s, &e))
        return false;
    if (e)
        sample_set_str(s, e->text);
    return true;
}

// Groups of the regex in the value.
static bool conv_map_regm(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
{
    const struct pattern_entry *e;
    struct str subject = s->str, text;
    if (!look_up(args, s, &e))
        return false;
    if (!e)
        return true;
    if (!regex_expand(e->regex, subject, e->value, c->arena, &text))
        return false;
    sample_set_str(s, text);
    return true;
}

void conv_bind_map(void)
{
    for (size_t i = 0; i < ROWS; i++)
        conv_bind(rows[i].id, rows[i].value == TYPE_ANY ? conv_map_key : conv_map);
    conv_bind(CONV_MAP_REGM, conv_map_regm);
}
