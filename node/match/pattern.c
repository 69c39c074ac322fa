// SPDX-License-Identifier: Apache-2.0
// Pattern sets: their life, their texts, and the choice of the structure that answers.
#include "node/match/pattern.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/io/sock.h"
#include "node/match/pattern_index.h"
#include "node/match/regex.h"

#define SET_MAGIC 0x50415453u
#define CHUNK     2048

// What indexes an entry.
union pattern_key {
    struct text_key text;
    struct range_key range;
    struct ip_key ip;
};

struct pattern_set {
    uint32_t magic;
    _Atomic int refs;
    struct pattern_options options;
    struct arena *arena; // texts and index
    struct pattern_entry *entries;
    union pattern_key *keys; // of the entries, until sealed
    unsigned count, cap;
    bool sealed;
    union {
        struct text_index text;
        struct range_index range;
        struct ip_index ip;
    } index;
};

struct pattern_set *pattern_set_create(const struct pattern_options *o)
{
    struct pattern_set *p = calloc(1, sizeof(*p));
    if (!p)
        PANIC("out of memory");
    p->magic = SET_MAGIC;
    atomic_init(&p->refs, 1);
    p->options = *o;
    p->arena = arena_create(CHUNK);
    p->options.name = arena_str(p->arena, o->name);
    return p;
}

struct pattern_set *pattern_set_ref(struct pattern_set *p)
{
    CHECK_OBJ(p, SET_MAGIC);
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void pattern_set_unref(struct pattern_set **set)
{
    struct pattern_set *p = *set;
    *set = NULL;
    if (!p)
        return;
    CHECK_OBJ(p, SET_MAGIC);
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < p->count; i++)
        regex_destroy(&p->entries[i].regex);
    free(p->entries);
    free(p->keys);
    arena_destroy(&p->arena);
    p->magic = 0;
    free(p);
}

// ---- adding

static bool value_parse(const struct pattern_set *p, struct pattern_entry *e, char *err, size_t size)
{
    struct str text = e->value;
    struct inet_addr addr;
    int64_t n;
    switch (p->options.value) {
    case TYPE_INT:
        if (str_to_i64(text, &n)) {
            sample_set_int(&e->out, n);
            return true;
        }
        snprintf(err, size, "value '%.*s' is not an integer", STR_ARG(text));
        return false;
    case TYPE_ADDR:
        if (inet_parse(text, &addr)) {
            sample_set_addr(&e->out, &addr);
            return true;
        }
        snprintf(err, size, "value '%.*s' is not an address", STR_ARG(text));
        return false;
    default:
        sample_set_str(&e->out, text);
        return true;
    }
}

// A host name stands for its address at the time the configuration is read.
static bool ip_of_name(const struct pattern_set *p, struct str text, struct ip_key *out)
{
    char host[256];
    struct inet_addr addr;
    if (p->options.no_dns || text.len >= sizeof(host) || str_find_char(text, ':') >= 0 || str_find_char(text, '/') >= 0)
        return false;
    if (addr_resolve(str_copy(host, sizeof(host), text), AF_INET, &addr) != 0)
        return false;
    *out = (struct ip_key){.first = ntohl(addr.in.sin_addr.s_addr), .last = ntohl(addr.in.sin_addr.s_addr)};
    return true;
}

static int hex_value(char c)
{
    c = str_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool bytes_of_hex(struct arena *arena, struct str text, struct text_key *out)
{
    if (text.len % 2)
        return false;
    char *bytes = arena_alloc(arena, text.len / 2 + 1);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]), low = hex_value(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (char)(high * 16 + low);
    }
    *out = (struct text_key){.ptr = bytes, .len = (uint32_t)text.len / 2};
    return true;
}

// The key by which the entry's text is found; false when the text is none.
static bool key_parse(struct pattern_set *p, struct pattern_entry *e, union pattern_key *key, char *err, size_t size)
{
    const char *wanted;
    bool ok;
    switch (p->options.method) {
    case MATCH_INT:
    case MATCH_LEN:
        wanted = "an integer or a range such as 1:10";
        ok = range_parse(str_trim(e->text), &key->range.low, &key->range.high);
        break;
    case MATCH_IP:
        wanted = "an IPv4 or IPv6 address or network";
        ok = ip_parse(str_trim(e->text), &key->ip) || ip_of_name(p, str_trim(e->text), &key->ip);
        break;
    case MATCH_BIN:
        wanted = "an even number of hexadecimal digits";
        ok = bytes_of_hex(p->arena, str_trim(e->text), &key->text);
        break;
    case MATCH_REG:
        e->regex = regex_create(e->text, p->options.nocase, err, size);
        return e->regex != NULL;
    default:
        wanted = "a shorter text";
        ok = e->text.len < UINT32_MAX;
        key->text = (struct text_key){.ptr = e->text.ptr, .len = (uint32_t)e->text.len};
        break;
    }
    if (!ok)
        snprintf(err, size, "'%.*s' is not %s", STR_ARG(e->text), wanted);
    return ok;
}

static void grow(struct pattern_set *p)
{
    p->cap = p->cap ? p->cap * 2 : 4;
    p->entries = realloc(p->entries, p->cap * sizeof(*p->entries));
    p->keys = realloc(p->keys, p->cap * sizeof(*p->keys));
    if (!p->entries || !p->keys)
        PANIC("out of memory: %u patterns", p->cap);
}

bool pattern_add(struct pattern_set *p, struct str text, struct str value, unsigned line, char *err, size_t size)
{
    CHECK_OBJ(p, SET_MAGIC);
    ASSERT(!p->sealed);
    struct pattern_entry e = {.text = arena_str(p->arena, text), .line = line};
    if (p->options.map)
        e.value = arena_str(p->arena, value);
    union pattern_key key = {0};
    if (p->options.map && !value_parse(p, &e, err, size))
        return false;
    if (!key_parse(p, &e, &key, err, size))
        return false;
    if (p->count == p->cap)
        grow(p);
    p->keys[p->count] = key;
    p->entries[p->count++] = e;
    return true;
}

static struct str cut_word(struct str *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t')
        len++;
    struct str word = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return word;
}

static bool add_line(struct pattern_set *p, struct str line, unsigned number, char *err, size_t size)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len && line.ptr[0] == '#')
        return true;
    while (line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        line = str_slice(line, 1, line.len);
    if (line.len == 0)
        return true;
    if (!p->options.map)
        return pattern_add(p, line, STR_NONE, number, err, size);
    struct str rest = line;
    struct str key = cut_word(&rest);
    return pattern_add(p, key, str_trim(rest), number, err, size);
}

bool pattern_add_file(struct pattern_set *p, struct str content, unsigned *bad_line, char *err, size_t size)
{
    struct str rest = content, line;
    for (unsigned number = 1; str_split(&rest, '\n', &line); number++) {
        *bad_line = number;
        if (!add_line(p, line, number, err, size))
            return false;
    }
    return true;
}

// ---- sealing

static void seal_text(struct pattern_set *p)
{
    struct text_key *keys = ARENA_ARRAY(p->arena, struct text_key, p->count);
    for (unsigned i = 0; i < p->count; i++) {
        keys[i] = p->keys[i].text;
        keys[i].entry = i;
    }
    bool nocase = p->options.nocase && p->options.method != MATCH_BIN;
    text_index_build(&p->index.text, p->arena, p->options.method, nocase, keys, p->count);
}

static void seal_ranges(struct pattern_set *p)
{
    struct range_key *keys = ARENA_ARRAY(p->arena, struct range_key, p->count);
    for (unsigned i = 0; i < p->count; i++) {
        keys[i] = p->keys[i].range;
        keys[i].entry = i;
    }
    range_index_build(&p->index.range, keys, p->count);
}

static void seal_ips(struct pattern_set *p)
{
    struct ip_key *keys = ARENA_ARRAY(p->arena, struct ip_key, p->count);
    for (unsigned i = 0; i < p->count; i++) {
        keys[i] = p->keys[i].ip;
        keys[i].entry = i;
    }
    ip_index_build(&p->index.ip, p->arena, keys, p->count);
}

void pattern_seal(struct pattern_set *p)
{
    CHECK_OBJ(p, SET_MAGIC);
    ASSERT(!p->sealed);
    p->sealed = true;
    switch (p->options.method) {
    case MATCH_FOUND:
    case MATCH_BOOL:
    case MATCH_REG:
        break;
    case MATCH_INT:
    case MATCH_LEN:
        seal_ranges(p);
        break;
    case MATCH_IP:
        seal_ips(p);
        break;
    default:
        seal_text(p);
    }
    free(p->keys);
    p->keys = NULL;
}

// ---- looking up

enum sample_type pattern_input(enum match_method m)
{
    switch (m) {
    case MATCH_FOUND:
        return TYPE_ANY;
    case MATCH_BOOL:
        return TYPE_BOOL;
    case MATCH_INT:
        return TYPE_INT;
    case MATCH_IP:
        return TYPE_ADDR;
    case MATCH_BIN:
        return TYPE_BIN;
    default:
        return TYPE_STR;
    }
}

static int64_t find_regex(const struct pattern_set *p, struct str subject)
{
    for (unsigned i = 0; i < p->count; i++)
        if (regex_match(p->entries[i].regex, subject))
            return i;
    return PATTERN_NONE;
}

// Across families as configuration.txt 7.1.6 says.
static int64_t find_ip(const struct ip_index *x, const struct sample *s)
{
    if (s->type == TYPE_IPV4) {
        int64_t found = ip_index_find4(x, s->ip4);
        if (found >= 0 || x->count6 <= 1)
            return found;
        struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(mapped.s6_addr + 12, &s->ip4, 4);
        return ip_index_find6(x, &mapped);
    }
    int64_t found = ip_index_find6(x, &s->ip6);
    struct in_addr ip4;
    if (found >= 0 || !ip_v4_in_v6(&s->ip6, &ip4))
        return found;
    return ip_index_find4(x, ip4);
}

const struct pattern_entry *pattern_match(const struct pattern_set *p, const struct sample *s)
{
    int64_t found;
    switch (p->options.method) {
    case MATCH_FOUND:
    case MATCH_BOOL:
        found = PATTERN_NONE; // have no patterns
        break;
    case MATCH_INT:
        found = range_index_find(&p->index.range, s->num);
        break;
    case MATCH_LEN:
        found = range_index_find(&p->index.range, (int64_t)s->str.len);
        break;
    case MATCH_IP:
        found = find_ip(&p->index.ip, s);
        break;
    case MATCH_REG:
        found = find_regex(p, s->str);
        break;
    default:
        found = text_index_find(&p->index.text, s->str);
    }
    return found < 0 ? NULL : &p->entries[found];
}

const struct pattern_options *pattern_set_options(const struct pattern_set *p)
{
    return &p->options;
}

unsigned pattern_count(const struct pattern_set *p)
{
    return p->count;
}

const struct pattern_entry *pattern_entry(const struct pattern_set *p, unsigned index)
{
    ASSERT(index < p->count);
    return &p->entries[index];
}
