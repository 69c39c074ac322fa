// SPDX-License-Identifier: Apache-2.0
// Private to the converters of node/match: the functions that conv_bind.c binds, and what they share. A converter
// changes a sample in place; bytes it makes live in the context's arena.
#ifndef PHX_MATCH_CONV_H
#define PHX_MATCH_CONV_H

#include "node/match/args.h"
#include "node/match/sample.h"

// Replaces the value, keeps may_change.
static inline void conv_give_int(struct sample *s, int64_t v)
{
    *s = (struct sample){.type = TYPE_INT, .may_change = s->may_change, .num = v};
}
static inline void conv_give_bool(struct sample *s, bool v)
{
    *s = (struct sample){.type = TYPE_BOOL, .may_change = s->may_change, .num = v};
}
// STR or BIN that nobody else owns.
static inline void conv_give_made(struct sample *s, enum sample_type type, const char *bytes, size_t len)
{
    *s = (struct sample){.type = type, .may_change = s->may_change, .str = str_make(bytes, len)};
}
static inline void conv_give_const(struct sample *s, struct str text)
{
    *s = (struct sample){.type = TYPE_STR, .may_change = s->may_change, .constant = true};
    s->str = text.ptr != NULL ? text : STR("");
}

// The value of a variable as text. False when it is not set.
bool conv_var_text(struct match_ctx *c, const struct arg *a, struct str *out);

// Base64 (RFC 4648): the standard alphabet needs its padding, the URL alphabet may go without. False on a bad character
// or length. `dst` has room for len / 4 * 3 + 3 bytes.
bool base64_decode(struct str in, bool url_alphabet, char *dst, size_t *n);

#define CONV(name) bool conv_##name(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *s)
// conv_string.c
CONV(lower);
CONV(upper);
CONV(length);
CONV(bytes);
CONV(concat);
CONV(add_item);
CONV(ltrim);
CONV(rtrim);
CONV(cut_crlf);
CONV(regsub);
CONV(strcmp);
CONV(secure_memcmp);
CONV(iif);
CONV(reverse);
CONV(has_ctl);
CONV(capture_req);
CONV(capture_res);
// conv_field.c
CONV(field);
CONV(word);
CONV(param);
CONV(host_only);
CONV(port_only);
CONV(reverse_dom);
CONV(language);
// conv_number.c
CONV(add);
CONV(sub);
CONV(mul);
CONV(div);
CONV(mod);
CONV(and);
CONV(or);
CONV(xor);
CONV(cpl);
CONV(neg);
CONV(not );
CONV(bool);
CONV(even);
CONV(odd);
CONV(htonl);
CONV(hex2i);
CONV(ipmask);
// conv_hash.c
CONV(crc32);
CONV(crc32c);
CONV(djb2);
CONV(sdbm);
CONV(wt6);
CONV(xxh3);
CONV(xxh32);
CONV(xxh64);
CONV(sha1);
CONV(sha2);
CONV(digest);
CONV(hmac);
// conv_encode.c
CONV(base2);
CONV(base64);
CONV(b64dec);
CONV(ub64enc);
CONV(ub64dec);
CONV(hex);
CONV(be2dec);
CONV(be2hex);
CONV(le2dec);
CONV(url_dec);
CONV(url_enc);
// conv_json.c
CONV(json);
// conv_date.c
CONV(date);
CONV(http_date);
CONV(ltime);
CONV(utime);
CONV(ms_ltime);
CONV(ms_utime);
CONV(us_ltime);
CONV(us_utime);

#endif
