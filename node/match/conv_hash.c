// SPDX-License-Identifier: Apache-2.0
// Converters that hash: the manual's 32-bit hashes, xxHash, and digests from OpenSSL. Algorithms are fetched from
// OpenSSL once a process, since each fetch takes locks there.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "node/base/panic.h"
#include "node/match/conv.h"
#include "node/match/hashes.h"

// ---- 32-bit hashes; any argument but 0 asks for the avalanche

static bool give_hash(const struct arg *args, unsigned nargs, struct sample *s, uint32_t hash)
{
    conv_give_int(s, arg_num(args, nargs, 0, 0) ? hash_avalanche(hash) : hash);
    return true;
}

CONV(crc32)
{
    return give_hash(args, nargs, s, hash_crc32(s->str));
}

CONV(crc32c)
{
    return give_hash(args, nargs, s, hash_crc32c(s->str));
}

CONV(djb2)
{
    return give_hash(args, nargs, s, hash_djb2(s->str));
}

CONV(sdbm)
{
    return give_hash(args, nargs, s, hash_sdbm(s->str));
}

CONV(wt6)
{
    return give_hash(args, nargs, s, hash_wt6(s->str));
}

// ---- xxHash with a seed

CONV(xxh32)
{
    conv_give_int(s, XXH32(s->str.ptr, s->str.len, (XXH32_hash_t)arg_num(args, nargs, 0, 0)));
    return true;
}

CONV(xxh64)
{
    conv_give_int(s, (int64_t)XXH64(s->str.ptr, s->str.len, (XXH64_hash_t)arg_num(args, nargs, 0, 0)));
    return true;
}

CONV(xxh3)
{
    conv_give_int(s, (int64_t)XXH3_64bits_withSeed(s->str.ptr, s->str.len, (XXH64_hash_t)arg_num(args, nargs, 0, 0)));
    return true;
}

// ---- digests

// Algorithms by the name that the configuration used. The list only grows, by as many names as there are; readers take
// no lock.
struct algorithm {
    struct algorithm *next;
    EVP_MD *md; // NULL: OpenSSL does not know the name
    char *name;
};
static _Atomic(struct algorithm *) algorithms;
static pthread_mutex_t algorithms_lock = PTHREAD_MUTEX_INITIALIZER; // writers

static const struct algorithm *find_algorithm(struct str name)
{
    for (struct algorithm *a = atomic_load_explicit(&algorithms, memory_order_acquire); a != NULL; a = a->next)
        if (str_is(name, a->name))
            return a;
    return NULL;
}

static const EVP_MD *algorithm_of(struct str name)
{
    const struct algorithm *known = find_algorithm(name);
    if (known != NULL)
        return known->md;
    pthread_mutex_lock(&algorithms_lock);
    known = find_algorithm(name);
    if (known == NULL) {
        struct algorithm *a = malloc(sizeof(*a));
        if (a == NULL)
            PANIC("out of memory");
        a->name = str_dup(name);
        a->md = EVP_MD_fetch(NULL, a->name, NULL);
        a->next = atomic_load_explicit(&algorithms, memory_order_relaxed);
        atomic_store_explicit(&algorithms, a, memory_order_release);
        known = a;
    }
    pthread_mutex_unlock(&algorithms_lock);
    return known->md;
}

static bool give_digest(struct match_ctx *c, struct str algorithm, struct sample *s)
{
    const EVP_MD *md = algorithm_of(algorithm);
    unsigned len = 0;
    unsigned char *out = arena_alloc(c->arena, EVP_MAX_MD_SIZE);
    if (md == NULL || EVP_Digest(s->str.ptr, s->str.len, out, &len, md, NULL) != 1)
        return false;
    conv_give_made(s, TYPE_BIN, (const char *)out, len);
    return true;
}

CONV(sha1)
{
    return give_digest(c, STR("SHA1"), s);
}

CONV(sha2)
{
    switch (arg_num(args, nargs, 0, 256)) {
    case 224:
        return give_digest(c, STR("SHA224"), s);
    case 384:
        return give_digest(c, STR("SHA384"), s);
    case 512:
        return give_digest(c, STR("SHA512"), s);
    default:
        return give_digest(c, STR("SHA256"), s);
    }
}

CONV(digest)
{
    return give_digest(c, args[0].text, s);
}

// The key is base64 text, in the argument or in a variable.
CONV(hmac)
{
    const EVP_MD *md = algorithm_of(args[0].text);
    struct str text = args[1].text;
    if (md == NULL || (args[1].kind == ARG_VAR && !conv_var_text(c, &args[1], &text)))
        return false;
    size_t key_len;
    unsigned len = 0;
    char *key = arena_alloc(c->arena, text.len / 4 * 3 + 3);
    unsigned char *out = arena_alloc(c->arena, EVP_MAX_MD_SIZE);
    if (!base64_decode(text, false, key, &key_len))
        return false;
    if (HMAC(md, key, (int)key_len, (const unsigned char *)s->str.ptr, s->str.len, out, &len) == NULL)
        return false;
    conv_give_made(s, TYPE_BIN, (const char *)out, len);
    return true;
}
