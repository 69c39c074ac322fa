// SPDX-License-Identifier: Apache-2.0
// The rows of fetches, converters, aliases, actions and ACL words as arrays, and looking them up by name. The .def
// files are the tables; here their short words get their meaning.
#include "config/exprs.h"

#include <pthread.h>
#include <stdlib.h>

#include "config/model.h"
#include "node/base/hash.h"
#include "node/base/panic.h"

// WHERE sets of the .def files: places at which the data exists.
#define WHERE_REQ_DATA    (WHERE_FRONT_REQ | WHERE_BACK_REQ)       // bytes and heads of the request
#define WHERE_RES_DATA    (WHERE_RES | WHERE_CHECK)                // bytes and heads of the response
#define WHERE_DATA        (WHERE_REQ_DATA | WHERE_RES_DATA)        // those of the current direction
#define WHERE_TXN         (WHERE_REQ_DATA | WHERE_RES | WHERE_LOG) // facts kept to the end of a transaction
#define WHERE_CLIENT      (WHERE_FRONT_CONN | WHERE_TXN)           // facts of the client connection
#define WHERE_STREAM      (WHERE_CLIENT | WHERE_CHECK)             // … that checks have as well
#define WHERE_BACK        (WHERE_BACK_REQ | WHERE_RES | WHERE_LOG | WHERE_CHECK) // once the backend is known
#define WHERE_SERVER      (WHERE_RES | WHERE_LOG | WHERE_CHECK)                  // once the server is known
#define WHERE_HTTP_TXN    (WHERE_TXN | WHERE_HTTP)
#define WHERE_HTTP_SERVER (WHERE_SERVER | WHERE_HTTP)
#define WHERE_RUN         (WHERE_STREAM | WHERE_CLI) // state of the process
#define WHERE_ANY         (WHERE_RUN | WHERE_INIT)

// Reasons that many rows share.
#define NEEDS_TLS    "needs TLS termination, not in Phalanx yet"
#define HAPROXY_ONLY "shows HAProxy's internal message form, which Phalanx does not have"

#define FETCH(id, name, args, type, where, status, help) {name, args, TYPE_##type, WHERE_##where, KW_##status, help},
const struct fetch_row fetch_rows[FETCH_ID_COUNT] = {
#include "config/fetches.def"
};
#undef FETCH

#define CONV(id, name, args, in, out, status, help) {name, args, TYPE_##in, TYPE_##out, KW_##status, help},
const struct conv_row conv_rows[CONV_ID_COUNT] = {
#include "config/converters.def"
};
#undef CONV

#define ALIAS(id, name, where, status, help) {name, WHERE_##where, KW_##status, help},
const struct alias_row alias_rows[ALIAS_ID_COUNT] = {
#include "config/aliases.def"
};
#undef ALIAS

// Rule sets of actions.def.
enum {
    CONN = 1 << RULES_TCP_REQ_CONN,
    SESS = 1 << RULES_TCP_REQ_SESS,
    CONT = 1 << RULES_TCP_REQ_CONT,
    TCP_RES = 1 << RULES_TCP_RES_CONT,
    HTTP_REQ = 1 << RULES_HTTP_REQ,
    HTTP_RES = 1 << RULES_HTTP_RES,
    AFTER = 1 << RULES_HTTP_AFTER_RES,
    TCP_REQ = CONN | SESS | CONT,
    HTTP = HTTP_REQ | HTTP_RES,
    HTTP_ALL = HTTP | AFTER,
    ALL = TCP_REQ | TCP_RES | HTTP_ALL
};

#define ACTION(id, name, rulesets, status, help) {name, rulesets, KW_##status, help},
const struct action_row action_rows[ACT_ID_COUNT] = {
#include "config/actions.def"
};
#undef ACTION

#define SYNONYM(name, id, lead) {name, FETCH_##id, lead},
const struct fetch_synonym fetch_synonyms[] = {
#include "config/fetch_synonyms.def"
};
#undef SYNONYM
const unsigned fetch_synonym_count = sizeof fetch_synonyms / sizeof *fetch_synonyms;

#define ACL_KEYWORD(name, id, method) {name, FETCH_##id, MATCH_##method},
const struct acl_keyword acl_keywords[] = {
#include "config/acl_keywords.def"
};
#undef ACL_KEYWORD
const unsigned acl_keyword_count = sizeof acl_keywords / sizeof *acl_keywords;

// ---- look-ups ------------------------------------------------------------------------------------------------------
// One map a table, from name to row, filled once (threads that build snapshots may meet here) and kept to the exit.
static struct {
    struct strmap fetches, synonyms, convs, aliases, actions, acl_words;
} index_;
static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static bool test_rows;

static void fill(struct strmap *map, const void *rows, unsigned n, size_t stride)
{
    for (unsigned i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * stride;
        const char *name = *(const char *const *)row;
        if (*name)
            ASSERT(strmap_put(map, str_of(name), (void *)row) == NULL);
    }
}

static void drop_index(void)
{
    strmap_free(&index_.fetches);
    strmap_free(&index_.synonyms);
    strmap_free(&index_.convs);
    strmap_free(&index_.aliases);
    strmap_free(&index_.actions);
    strmap_free(&index_.acl_words);
}

static void fill_index(void)
{
    fill(&index_.fetches, fetch_rows, FETCH_ID_COUNT, sizeof *fetch_rows);
    fill(&index_.synonyms, fetch_synonyms, fetch_synonym_count, sizeof *fetch_synonyms);
    fill(&index_.convs, conv_rows, CONV_ID_COUNT, sizeof *conv_rows);
    fill(&index_.aliases, alias_rows, ALIAS_ID_COUNT, sizeof *alias_rows);
    fill(&index_.actions, action_rows, ACT_ID_COUNT, sizeof *action_rows);
    fill(&index_.acl_words, acl_keywords, acl_keyword_count, sizeof *acl_keywords);
    atexit(drop_index);
}

static const void *look_up(const struct strmap *map, struct str name)
{
    pthread_once(&index_once, fill_index);
    return strmap_get(map, name);
}

int fetch_find(struct str name, int *lead)
{
    const struct fetch_row *row = look_up(&index_.fetches, name);
    *lead = -1;
    if (row)
        return (int)(row - fetch_rows);
    const struct fetch_synonym *synonym = look_up(&index_.synonyms, name);
    if (!synonym)
        return -1;
    *lead = synonym->lead;
    return (int)synonym->id;
}

int conv_find(struct str name)
{
    const struct conv_row *row = look_up(&index_.convs, name);
    return row ? (int)(row - conv_rows) : -1;
}

int alias_find(struct str name)
{
    const struct alias_row *row = look_up(&index_.aliases, name);
    return row ? (int)(row - alias_rows) : -1;
}

int action_find(struct str name)
{
    static const struct str track = {"track-sc", 8};
    if (test_rows && str_is(name, "test-wait"))
        return ACT_TEST_WAIT;
    if (str_starts(name, STR("lua.")))
        return ACT_LUA;
    if (str_starts(name, track) && name.len == track.len + 1 && name.ptr[track.len] >= '0' &&
        name.ptr[track.len] <= '9')
        return ACT_TRACK_SC;
    const struct action_row *row = look_up(&index_.actions, name);
    return row ? (int)(row - action_rows) : -1;
}

const struct acl_keyword *acl_keyword_find(struct str name)
{
    return look_up(&index_.acl_words, name);
}

void action_enable_test_rows(void)
{
    test_rows = true;
}
