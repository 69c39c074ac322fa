// SPDX-License-Identifier: Apache-2.0
// Fetches of the Authorization field: Basic credentials (RFC 7617) and their check against a user list, Bearer tokens
// (RFC 6750). With an absolute URI proxies ask, so Proxy-Authorization counts then.
#include <crypt.h>
#include <stdlib.h>

#include "node/base/panic.h"
#include "node/match/conv.h"
#include "node/match/fetch.h"

struct credentials {
    struct str scheme, data; // as in the field
    struct str user, password;
};

static bool read_field(struct http_msg *m, struct str name, struct credentials *cred)
{
    unsigned pos = 0;
    bool proxied = m->target.len != 0 && m->target.ptr[0] != '/' && str_find(m->target, STR("://")) > 0;
    struct http_hdr *h = NULL;
    if (name.len != 0)
        h = http_hdr_next_name(m, name, &pos);
    else
        h = http_hdr_next(m, proxied ? HDR_PROXY_AUTHORIZATION : HDR_AUTHORIZATION, &pos);
    if (h == NULL)
        return false;
    ptrdiff_t space = str_find_char(h->value, ' ');
    if (space <= 0)
        return false;
    cred->scheme = str_slice(h->value, 0, (size_t)space);
    cred->data = str_trim(str_slice(h->value, (size_t)space, SIZE_MAX));
    return true;
}

static bool decode_basic(struct arena *arena, struct credentials *cred)
{
    size_t n;
    char *plain = arena_alloc(arena, cred->data.len / 4 * 3 + 3);
    if (!str_is_nocase(cred->scheme, "basic") || !base64_decode(cred->data, false, plain, &n))
        return false;
    struct str pair = str_make(plain, n);
    ptrdiff_t colon = str_find_char(pair, ':');
    if (colon < 0)
        return false;
    cred->user = str_slice(pair, 0, (size_t)colon);
    cred->password = str_slice(pair, (size_t)colon + 1, SIZE_MAX);
    return true;
}

static enum eval_result read_basic(struct match_ctx *c, struct credentials *cred)
{
    struct http_msg *m;
    enum eval_result r = fetch_request(c, &m);
    if (r != EVAL_FOUND)
        return r;
    return read_field(m, STR_NONE, cred) && decode_basic(c->arena, cred) ? EVAL_FOUND : EVAL_NONE;
}

// ---- the check

// Takes as long for a wrong guess as for a right one.
static bool equal_in_constant_time(struct str a, struct str b)
{
    unsigned char diff = a.len != b.len;
    for (size_t i = 0; i < a.len && b.len != 0; i++)
        diff |= (unsigned char)(a.ptr[i] ^ b.ptr[i % b.len]);
    return diff == 0;
}

static bool password_matches(struct arena *arena, const struct cfg_user *user, struct str password)
{
    if (user->insecure)
        return equal_in_constant_time(password, user->password);
    if (memchr(password.ptr, '\0', password.len) != NULL)
        return false;
    struct crypt_data *data = calloc(1, sizeof(*data)); // 32 KB: too much for a stack
    if (data == NULL)
        PANIC("out of memory");
    const char *hash = crypt_r(arena_str(arena, password).ptr, arena_str(arena, user->password).ptr, data);
    bool good = hash != NULL && hash[0] != '*' && equal_in_constant_time(str_of(hash), user->password);
    free(data);
    return good;
}

static const struct cfg_user *check_user(struct match_ctx *c, const struct cfg_userlist *list,
                                         const struct credentials *cred)
{
    for (unsigned i = 0; list != NULL && i < list->nusers; i++)
        if (str_eq(list->users[i].name, cred->user))
            return password_matches(c->arena, &list->users[i], cred->password) ? &list->users[i] : NULL;
    return NULL;
}

FETCH(http_auth)
{
    struct credentials cred;
    enum eval_result r = read_basic(c, &cred);
    if (r == EVAL_MORE)
        return r;
    sample_set_bool(out, r == EVAL_FOUND && check_user(c, args[0].ref, &cred) != NULL);
    return EVAL_FOUND;
}

// The user's name; for an ACL the user's groups, since its patterns are names of groups.
FETCH(http_auth_group)
{
    struct credentials cred;
    enum eval_result r = read_basic(c, &cred);
    if (r != EVAL_FOUND)
        return r;
    const struct cfg_user *user = check_user(c, args[0].ref, &cred);
    if (user == NULL)
        return EVAL_NONE;
    if (c->cursor == NULL) {
        sample_set_str(out, user->name);
        return EVAL_FOUND;
    }
    unsigned next = c->cursor->pos++;
    c->cursor->more = next + 1 < user->ngroups;
    if (next >= user->ngroups)
        return EVAL_NONE;
    sample_set_str(out, user->groups[next]);
    return EVAL_FOUND;
}

// ---- the parts

FETCH(http_auth_user)
{
    struct credentials cred;
    enum eval_result r = read_basic(c, &cred);
    if (r == EVAL_FOUND)
        sample_set_str(out, cred.user);
    return r;
}

FETCH(http_auth_pass)
{
    struct credentials cred;
    enum eval_result r = read_basic(c, &cred);
    if (r == EVAL_FOUND)
        sample_set_str(out, cred.password);
    return r;
}

static enum eval_result give_field(struct match_ctx *c, struct str name, struct credentials *cred)
{
    struct http_msg *m;
    enum eval_result r = fetch_request(c, &m);
    if (r != EVAL_FOUND)
        return r;
    return read_field(m, name, cred) ? EVAL_FOUND : EVAL_NONE;
}

FETCH(http_auth_type)
{
    struct credentials cred;
    enum eval_result r = give_field(c, STR_NONE, &cred);
    if (r == EVAL_FOUND)
        sample_set_str(out, cred.scheme);
    return r;
}

FETCH(http_auth_bearer)
{
    struct credentials cred;
    enum eval_result r = give_field(c, arg_text(args, nargs, 0), &cred);
    if (r != EVAL_FOUND)
        return r;
    if (!str_is_nocase(cred.scheme, "bearer"))
        return EVAL_NONE;
    sample_set_str(out, cred.data);
    return EVAL_FOUND;
}
