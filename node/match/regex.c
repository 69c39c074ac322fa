// SPDX-License-Identifier: Apache-2.0
// Regular expressions over PCRE2. Compiled once by the builder thread and matched by all workers; what a match needs to
// write (offsets, JIT stack) belongs to the matching thread. Limits bound the time a hostile subject can cost.
#include "node/match/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/base/panic.h"

#define GROUPS      10       // \0 … \9
#define MATCH_LIMIT 1000000u // backtracking steps of one match: some 10 ms
#define DEPTH_LIMIT 10000u   // interpreter only
#define HEAP_LIMIT  4096u    // KiB, interpreter only
#define STACK_START (32 * 1024)
#define STACK_MAX   (512 * 1024)

struct regex {
    pcre2_code *code;
    bool jit;
};

// One a thread, made at its first match.
struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    unsigned groups; // of the last match, with \0; offsets of further ones are stale
};

static _Thread_local struct scratch scratch;
static pthread_key_t scratch_key;
static pthread_once_t scratch_key_once = PTHREAD_ONCE_INIT;

static void scratch_free(void *arg)
{
    struct scratch *s = arg;
    pcre2_jit_stack_free(s->stack);
    pcre2_match_context_free(s->context);
    pcre2_match_data_free(s->data);
    *s = (struct scratch){0};
}

static void scratch_make_key(void)
{
    if (pthread_key_create(&scratch_key, scratch_free) != 0)
        PANIC("out of thread keys");
}

static void scratch_make(void)
{
    pthread_once(&scratch_key_once, scratch_make_key);
    scratch.data = pcre2_match_data_create(GROUPS, NULL);
    scratch.context = pcre2_match_context_create(NULL);
    scratch.stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
    if (!scratch.data || !scratch.context || !scratch.stack)
        PANIC("out of memory for a regex match");
    pcre2_set_match_limit(scratch.context, MATCH_LIMIT);
    pcre2_set_depth_limit(scratch.context, DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch.context, HEAP_LIMIT);
    pcre2_jit_stack_assign(scratch.context, NULL, scratch.stack);
    pthread_setspecific(scratch_key, &scratch);
}

void regex_thread_exit(void)
{
    if (!scratch.data)
        return;
    pthread_setspecific(scratch_key, NULL);
    scratch_free(&scratch);
}

struct regex *regex_create(struct str pattern, bool nocase, char *err, size_t err_size)
{
    int code;
    PCRE2_SIZE offset;
    uint32_t options = PCRE2_NEVER_UTF | (nocase ? PCRE2_CASELESS : 0);
    PCRE2_SPTR text = (PCRE2_SPTR)(pattern.ptr ? pattern.ptr : "");
    pcre2_code *compiled = pcre2_compile(text, pattern.len, options, &code, &offset, NULL);
    if (!compiled) {
        char reason[128];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
        snprintf(err, err_size, "regex '%.*s' is invalid at character %zu: %s", STR_ARG(pattern), (size_t)offset + 1,
                 reason);
        return NULL;
    }
    struct regex *r = malloc(sizeof(*r));
    if (!r)
        PANIC("out of memory");
    r->code = compiled;
    r->jit = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
    return r;
}

void regex_destroy(struct regex **r)
{
    if (!*r)
        return;
    pcre2_code_free((*r)->code);
    free(*r);
    *r = NULL;
}

// Group offsets are left in scratch.data. Running into a limit counts as no match.
static bool match_at(const struct regex *r, struct str subject, size_t start, uint32_t options)
{
    if (!scratch.data)
        scratch_make();
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.ptr ? subject.ptr : "");
    int rc = r->jit ? pcre2_jit_match(r->code, text, subject.len, start, options, scratch.data, scratch.context)
                    : pcre2_match(r->code, text, subject.len, start, options, scratch.data, scratch.context);
    scratch.groups = rc == 0 ? GROUPS : rc > 0 ? (unsigned)rc : 0; // 0: more groups than room
    return rc >= 0;
}

bool regex_match(const struct regex *r, struct str subject)
{
    return match_at(r, subject, 0, 0);
}

// A growing result in the arena: doubled, so that the whole costs linear time.
struct result {
    struct arena *arena;
    char *text;
    size_t len, cap;
};

static void result_add(struct result *out, const char *src, size_t len)
{
    if (len == 0)
        return;
    if (len > out->cap - out->len) {
        size_t cap = (out->len + len) * 2 + 64;
        char *text = arena_alloc(out->arena, cap);
        if (out->len)
            memcpy(text, out->text, out->len);
        out->text = text;
        out->cap = cap;
    }
    memcpy(out->text + out->len, src, len);
    out->len += len;
}

static void result_add_group(struct result *out, struct str subject, unsigned group)
{
    if (group >= scratch.groups)
        return;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch.data) + 2 * group;
    if (ends[0] != PCRE2_UNSET && ends[1] > ends[0])
        result_add(out, subject.ptr + ends[0], ends[1] - ends[0]);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Appends the replacement for the match in scratch.data: \0 … \9 are groups, \xHH a byte, any other escaped character
// itself.
static void result_add_replacement(struct result *out, struct str subject, struct str replacement)
{
    for (size_t i = 0; i < replacement.len; i++) {
        const char *at = replacement.ptr + i;
        size_t left = replacement.len - i;
        if (*at != '\\' || left < 2) {
            result_add(out, at, 1);
        } else if (at[1] >= '0' && at[1] <= '9') {
            result_add_group(out, subject, (unsigned)(at[1] - '0'));
            i += 1;
        } else if (at[1] == 'x' && left >= 4 && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
            char byte = (char)(hex_digit(at[2]) * 16 + hex_digit(at[3]));
            result_add(out, &byte, 1);
            i += 3;
        } else {
            result_add(out, at + 1, 1);
            i += 1;
        }
    }
}

bool regex_expand(const struct regex *r, struct str subject, struct str replacement, struct arena *arena,
                  struct str *out)
{
    if (!match_at(r, subject, 0, 0))
        return false;
    struct result result = {.arena = arena};
    result_add_replacement(&result, subject, replacement);
    *out = str_make(result.text ? result.text : "", result.len);
    return true;
}

bool regex_replace(const struct regex *r, struct str subject, struct str replacement, bool global, struct arena *arena,
                   struct str *out)
{
    struct result result = {.arena = arena};
    size_t copied = 0; // of the subject
    size_t start = 0;
    bool matched = false;
    while (start <= subject.len && match_at(r, subject, start, start ? PCRE2_NOTBOL : 0)) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch.data);
        size_t from = ends[0], to = ends[1] > ends[0] ? ends[1] : ends[0]; // \K may turn them around
        if (from < copied)
            break;
        matched = true;
        result_add(&result, subject.ptr + copied, from - copied);
        result_add_replacement(&result, subject, replacement);
        copied = to;
        start = to > from ? to : to + 1; // an empty match must move on
        if (!global)
            break;
    }
    if (!matched)
        return false;
    result_add(&result, subject.ptr + copied, subject.len - copied);
    *out = str_make(result.text ? result.text : "", result.len);
    return true;
}
