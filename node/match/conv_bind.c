// SPDX-License-Identifier: Apache-2.0
// Which of node/match's functions computes which converter. The converters of maps, tables, variables and servers are
// bound by their owners.
#include "node/match/conv.h"

static const struct {
    enum conv_id id;
    conv_fn *fn;
} convs[] = {
    // conv_string.c
    {CONV_LOWER, conv_lower},
    {CONV_UPPER, conv_upper},
    {CONV_LENGTH, conv_length},
    {CONV_BYTES, conv_bytes},
    {CONV_CONCAT, conv_concat},
    {CONV_ADD_ITEM, conv_add_item},
    {CONV_LTRIM, conv_ltrim},
    {CONV_RTRIM, conv_rtrim},
    {CONV_CUT_CRLF, conv_cut_crlf},
    {CONV_REGSUB, conv_regsub},
    {CONV_STRCMP, conv_strcmp},
    {CONV_SECURE_MEMCMP, conv_secure_memcmp},
    {CONV_IIF, conv_iif},
    {CONV_REVERSE, conv_reverse},
    {CONV_HAS_CTL, conv_has_ctl},
    {CONV_CAPTURE_REQ, conv_capture_req},
    {CONV_CAPTURE_RES, conv_capture_res},
    // conv_field.c
    {CONV_FIELD, conv_field},
    {CONV_WORD, conv_word},
    {CONV_PARAM, conv_param},
    {CONV_HOST_ONLY, conv_host_only},
    {CONV_PORT_ONLY, conv_port_only},
    {CONV_REVERSE_DOM, conv_reverse_dom},
    {CONV_LANGUAGE, conv_language},
    // conv_number.c
    {CONV_ADD, conv_add},
    {CONV_SUB, conv_sub},
    {CONV_MUL, conv_mul},
    {CONV_DIV, conv_div},
    {CONV_MOD, conv_mod},
    {CONV_AND, conv_and},
    {CONV_OR, conv_or},
    {CONV_XOR, conv_xor},
    {CONV_CPL, conv_cpl},
    {CONV_NEG, conv_neg},
    {CONV_NOT, conv_not},
    {CONV_BOOL, conv_bool},
    {CONV_EVEN, conv_even},
    {CONV_ODD, conv_odd},
    {CONV_HTONL, conv_htonl},
    {CONV_HEX2I, conv_hex2i},
    {CONV_IPMASK, conv_ipmask},
    // conv_hash.c
    {CONV_CRC32, conv_crc32},
    {CONV_CRC32C, conv_crc32c},
    {CONV_DJB2, conv_djb2},
    {CONV_SDBM, conv_sdbm},
    {CONV_WT6, conv_wt6},
    {CONV_XXH3, conv_xxh3},
    {CONV_XXH32, conv_xxh32},
    {CONV_XXH64, conv_xxh64},
    {CONV_SHA1, conv_sha1},
    {CONV_SHA2, conv_sha2},
    {CONV_DIGEST, conv_digest},
    {CONV_HMAC, conv_hmac},
    // conv_encode.c
    {CONV_BASE2, conv_base2},
    {CONV_BASE64, conv_base64},
    {CONV_B64DEC, conv_b64dec},
    {CONV_UB64ENC, conv_ub64enc},
    {CONV_UB64DEC, conv_ub64dec},
    {CONV_HEX, conv_hex},
    {CONV_BE2DEC, conv_be2dec},
    {CONV_BE2HEX, conv_be2hex},
    {CONV_LE2DEC, conv_le2dec},
    {CONV_URL_DEC, conv_url_dec},
    {CONV_URL_ENC, conv_url_enc},
    // conv_json.c
    {CONV_JSON, conv_json},
    // conv_date.c
    {CONV_DATE, conv_date},
    {CONV_HTTP_DATE, conv_http_date},
    {CONV_LTIME, conv_ltime},
    {CONV_UTIME, conv_utime},
    {CONV_MS_LTIME, conv_ms_ltime},
    {CONV_MS_UTIME, conv_ms_utime},
    {CONV_US_LTIME, conv_us_ltime},
    {CONV_US_UTIME, conv_us_utime},
};

void conv_bind_all(void)
{
    for (size_t i = 0; i < sizeof(convs) / sizeof(convs[0]); i++)
        conv_bind(convs[i].id, convs[i].fn);
}
