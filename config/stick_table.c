// SPDX-License-Identifier: Apache-2.0
// The stick-table line: type, size, expiry and what each entry stores (configuration.txt, "stick-table").
#include "config/resolve.h"

// Bounded only so that sizes multiply without overflow; memory is asked for entry by entry.
#define ENTRIES_MAX     (UINT64_C(1) << 40)
#define KEY_LEN_DEFAULT 32
#define KEY_LEN_MAX     1024

struct table_parse {
    struct parse *p;
    unsigned word;
    struct cfg_table *t;
    bool has_type, has_size;
};

static bool need(struct table_parse *tp, const char *what)
{
    return tp->word < tp->p->nwords ||
           parse_error(tp->p, tp->p->nwords - 1, "'%.*s' expects %s", STR_ARG(tp->p->words[tp->p->nwords - 1]), what);
}

// ---- type and size -------------------------------------------------------------------------------------------------
static bool parse_type(struct table_parse *tp)
{
    static const struct {
        const char *name;
        enum table_key key;
    } types[] = {{"ip", TKEY_IPV4},     {"ipv4", TKEY_IPV4},  {"ipv6", TKEY_IPV6},
                 {"integer", TKEY_INT}, {"string", TKEY_STR}, {"binary", TKEY_BIN}};
    struct parse *p = tp->p;
    int64_t len = KEY_LEN_DEFAULT;
    unsigned i = 0;
    if (!need(tp, "a type"))
        return false;
    while (i < sizeof types / sizeof *types && !str_is(p->words[tp->word], types[i].name))
        i++;
    if (i == sizeof types / sizeof *types)
        return parse_error(p, tp->word, "unknown type '%.*s', expected ip, ipv4, ipv6, integer, string or binary",
                           STR_ARG(p->words[tp->word]));
    tp->word++;
    tp->has_type = true;
    tp->t->key = types[i].key;
    if (tp->t->key != TKEY_STR && tp->t->key != TKEY_BIN)
        return true;
    if (tp->word < p->nwords && str_is(p->words[tp->word], "len")) {
        tp->word++;
        if (!need(tp, "a length") || !parse_int(p, tp->word++, 1, KEY_LEN_MAX, &len))
            return false;
    }
    tp->t->key_len = (uint32_t)len;
    return true;
}

static bool parse_table_size(struct table_parse *tp)
{
    if (!need(tp, "a number of entries") || !parse_size(tp->p, tp->word, &tp->t->size))
        return false;
    if (tp->t->size == 0 || tp->t->size > ENTRIES_MAX)
        return parse_error(tp->p, tp->word, "a table has at least one entry and at most 2^40");
    tp->word++;
    tp->has_size = true;
    return true;
}

// ---- store ---------------------------------------------------------------------------------------------------------
static bool find_data(struct str name, enum table_data *out)
{
    for (unsigned d = 0; d < TD_COUNT; d++) {
        *out = (enum table_data)d;
        if (str_is(name, table_data_name(*out)))
            return true;
    }
    return false;
}

static bool is_array(enum table_data d)
{
    return d == TD_GPT || d == TD_GPC || d == TD_GPC_RATE;
}

// "(elements)", "(period)" or "(elements,period)".
static bool parse_data_args(struct table_parse *tp, enum table_data d, struct str args)
{
    const char *name = table_data_name(d);
    struct parse *p = tp->p;
    struct str piece;
    int64_t us, n;
    if (!is_array(d) && !table_data_is_rate(d))
        return args.ptr == NULL || parse_error(p, tp->word, "store option '%s' takes no argument", name);
    if (args.ptr == NULL)
        return parse_error(p, tp->word, "missing argument to store option '%s'", name);
    if (is_array(d)) {
        if (!str_split(&args, ',', &piece) || !str_to_i64(str_trim(piece), &n) || n < 1 || n > 100)
            return parse_error(p, tp->word, "store option '%s' expects a number of elements from 1 to 100", name);
        tp->t->data[d].elements = (uint16_t)n;
    }
    if (table_data_is_rate(d)) {
        if (!args.ptr || !time_from_text(str_trim(args), 1000, &us) || us < 1000 || us / 1000 > INT32_MAX)
            return parse_error(p, tp->word, "store option '%s' expects a period, such as 10s", name);
        tp->t->data[d].period_ms = (uint32_t)(us / 1000);
    } else if (args.ptr) {
        return parse_error(p, tp->word, "store option '%s' takes one argument", name);
    }
    return true;
}

static bool store_one(struct table_parse *tp, struct str item)
{
    struct parse *p = tp->p;
    struct str name = item, args = STR_NONE;
    ptrdiff_t open = str_find_char(item, '(');
    enum table_data d;
    if (open >= 0) {
        if (item.ptr[item.len - 1] != ')')
            return parse_error(p, tp->word, "missing ')' in '%.*s'", STR_ARG(item));
        name = str_slice(item, 0, (size_t)open);
        args = str_slice(item, (size_t)open + 1, item.len - (size_t)open - 2);
    }
    if (str_is(name, "glitch_cnt") || str_is(name, "glitch_rate"))
        return parse_error(p, tp->word,
                           "store option '%.*s' is not supported: protocol glitches are not counted in "
                           "Phalanx yet",
                           STR_ARG(name));
    if (!find_data(name, &d))
        return parse_error(p, tp->word, "unknown store option '%.*s'", STR_ARG(name));
    if (tp->t->data[d].on)
        parse_warning(p, tp->word, "store option '%.*s' already enabled", STR_ARG(name));
    tp->t->data[d].on = true;
    return parse_data_args(tp, d, args);
}

// "a,b(10s),c(2,1m)": commas within parentheses belong to the item.
static bool parse_store(struct table_parse *tp)
{
    if (!need(tp, "what to store"))
        return false;
    struct str list = tp->p->words[tp->word];
    size_t start = 0;
    bool inside = false;
    for (size_t i = 0; i <= list.len; i++) {
        char c = i < list.len ? list.ptr[i] : ',';
        inside = c == '(' || (inside && c != ')' && i < list.len);
        if (c != ',' || inside)
            continue;
        if (i == start || !store_one(tp, str_slice(list, start, i - start)))
            return i > start ? false : parse_error(tp->p, tp->word, "empty store option in '%.*s'", STR_ARG(list));
        start = i + 1;
    }
    tp->word++;
    return true;
}

// Arrays take the place of the numbered counters.
static bool check_store(struct table_parse *tp)
{
    const struct cfg_table *t = tp->t;
    if ((t->data[TD_GPC].on || t->data[TD_GPC_RATE].on) &&
        (t->data[TD_GPC0].on || t->data[TD_GPC1].on || t->data[TD_GPC0_RATE].on || t->data[TD_GPC1_RATE].on))
        return parse_error(tp->p, 0, "a table cannot store 'gpc' along with 'gpc0' or 'gpc1', which it overrides");
    if (t->data[TD_GPT].on && t->data[TD_GPT0].on)
        return parse_error(tp->p, 0, "a table cannot store 'gpt' along with 'gpt0', which it overrides");
    return true;
}

// ---- the line ------------------------------------------------------------------------------------------------------
static bool refuse(struct table_parse *tp, struct str option)
{
    static const char *const refused[] = {"write-to", "recv-only", "brates-factor"};
    for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
        if (str_is(option, refused[i]))
            return parse_error(tp->p, tp->word - 1, "'%s' of 'stick-table' is not supported by Phalanx yet",
                               refused[i]);
    return parse_error(tp->p, tp->word - 1,
                       "unknown argument '%.*s', expected type, size, expire, nopurge, peers, srvkey, store or "
                       "aggregate",
                       STR_ARG(option));
}

static bool parse_srvkey(struct table_parse *tp)
{
    if (!need(tp, "'name' or 'addr'"))
        return false;
    struct str key = tp->p->words[tp->word++];
    if (str_is(key, "name")) // servers go by their names
        return true;
    return parse_error(tp->p, tp->word - 1,
                       str_is(key, "addr") ? "'srvkey addr' is not supported by Phalanx: a server "
                                             "is remembered by its name"
                                           : "'srvkey' expects 'name' or 'addr'");
}

static bool parse_aggregate(struct table_parse *tp)
{
    if (!need(tp, "'sum' or 'local'"))
        return false;
    struct str how = tp->p->words[tp->word++];
    tp->t->aggregate_local = str_is(how, "local");
    return tp->t->aggregate_local || str_is(how, "sum") ||
           parse_error(tp->p, tp->word - 1, "'aggregate' expects 'sum' or 'local', not '%.*s'", STR_ARG(how));
}

static bool parse_option(struct table_parse *tp)
{
    struct str option = tp->p->words[tp->word++];
    if (str_is(option, "type"))
        return parse_type(tp);
    if (str_is(option, "size"))
        return parse_table_size(tp);
    if (str_is(option, "expire"))
        return need(tp, "a time") && parse_time_ms(tp->p, tp->word++, &tp->t->expire_ms);
    if (str_is(option, "store"))
        return parse_store(tp);
    if (str_is(option, "srvkey"))
        return parse_srvkey(tp);
    if (str_is(option, "aggregate"))
        return parse_aggregate(tp);
    if (str_is(option, "nopurge")) {
        tp->t->nopurge = true;
        return true;
    }
    if (!str_is(option, "peers"))
        return refuse(tp, option);
    if (!need(tp, "the name of a cluster or peers section"))
        return false;
    tp->t->peers = tp->p->words[tp->word++];
    return true;
}

bool parse_stick_table_line(struct parse *p)
{
    struct table_parse tp = {.p = p, .word = 1, .t = ARENA_NEW(p->arena, struct cfg_table)};
    tp.t->src = parse_src(p, 0);
    if (p->proxy->table)
        return parse_error(p, 0, "'%.*s' has a stick-table already, at line %u", STR_ARG(p->proxy->name),
                           p->proxy->table->src.line);
    while (tp.word < p->nwords)
        if (!parse_option(&tp))
            return false;
    if (!tp.has_type || !tp.has_size)
        return parse_error(p, 0, "stick-table: missing %s", tp.has_type ? "size" : "type");
    if (!check_store(&tp))
        return false;
    p->proxy->table = tp.t;
    return true;
}
