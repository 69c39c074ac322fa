// SPDX-License-Identifier: Apache-2.0
// Types of values: their names and which converts to which; names of match methods and of what tables store.
#include "config/types.h"

#include <stdbool.h>

#include "config/model.h"
#include "node/base/panic.h"

static const char *const type_names[TYPE_COUNT] = {
    [TYPE_ANY] = "any",      [TYPE_SAME] = "same",   [TYPE_BOOL] = "boolean", [TYPE_INT] = "integer",
    [TYPE_ADDR] = "address", [TYPE_IPV4] = "ipv4",   [TYPE_IPV6] = "ipv6",    [TYPE_STR] = "string",
    [TYPE_BIN] = "binary",   [TYPE_METH] = "method",
};

const char *sample_type_name(enum sample_type t)
{
    ASSERT((unsigned)t < TYPE_COUNT);
    return type_names[t];
}

// Rows: from; bits: to. Text converts to all that can be read from text; addresses count as their bytes; booleans and
// integers stand for one another.
#define TO(type) (1u << TYPE_##type)
static const unsigned casts[TYPE_COUNT] = {
    [TYPE_ANY] = ~0u,
    [TYPE_SAME] = ~0u,
    [TYPE_BOOL] = TO(ANY) | TO(BOOL) | TO(INT) | TO(STR) | TO(BIN),
    [TYPE_INT] = TO(ANY) | TO(BOOL) | TO(INT) | TO(ADDR) | TO(IPV4) | TO(IPV6) | TO(STR) | TO(BIN),
    [TYPE_ADDR] = TO(ANY) | TO(INT) | TO(ADDR) | TO(IPV4) | TO(IPV6) | TO(STR) | TO(BIN),
    [TYPE_IPV4] = TO(ANY) | TO(INT) | TO(ADDR) | TO(IPV4) | TO(IPV6) | TO(STR) | TO(BIN),
    [TYPE_IPV6] = TO(ANY) | TO(ADDR) | TO(IPV4) | TO(IPV6) | TO(STR) | TO(BIN),
    [TYPE_STR] = TO(ANY) | TO(BOOL) | TO(INT) | TO(ADDR) | TO(IPV4) | TO(IPV6) | TO(STR) | TO(BIN) | TO(METH),
    [TYPE_BIN] = TO(ANY) | TO(STR) | TO(BIN),
    [TYPE_METH] = TO(ANY) | TO(STR) | TO(BIN) | TO(METH),
};

bool sample_type_casts(enum sample_type from, enum sample_type to)
{
    ASSERT((unsigned)from < TYPE_COUNT && (unsigned)to < TYPE_COUNT);
    return (casts[from] >> to) & 1;
}

static const char *const match_names[MATCH_COUNT] = {
    [MATCH_FOUND] = "found", [MATCH_BOOL] = "bool", [MATCH_INT] = "int", [MATCH_IP] = "ip",   [MATCH_BIN] = "bin",
    [MATCH_LEN] = "len",     [MATCH_STR] = "str",   [MATCH_BEG] = "beg", [MATCH_SUB] = "sub", [MATCH_DIR] = "dir",
    [MATCH_DOM] = "dom",     [MATCH_END] = "end",   [MATCH_REG] = "reg",
};

const char *match_method_name(enum match_method m)
{
    ASSERT((unsigned)m < MATCH_COUNT);
    return match_names[m];
}

static const char *const data_names[TD_COUNT] = {
    [TD_SERVER_ID] = "server_id",
    [TD_SERVER_KEY] = "server_key",
    [TD_GPT0] = "gpt0",
    [TD_GPT] = "gpt",
    [TD_GPC0] = "gpc0",
    [TD_GPC0_RATE] = "gpc0_rate",
    [TD_GPC1] = "gpc1",
    [TD_GPC1_RATE] = "gpc1_rate",
    [TD_GPC] = "gpc",
    [TD_GPC_RATE] = "gpc_rate",
    [TD_CONN_CNT] = "conn_cnt",
    [TD_CONN_RATE] = "conn_rate",
    [TD_CONN_CUR] = "conn_cur",
    [TD_SESS_CNT] = "sess_cnt",
    [TD_SESS_RATE] = "sess_rate",
    [TD_HTTP_REQ_CNT] = "http_req_cnt",
    [TD_HTTP_REQ_RATE] = "http_req_rate",
    [TD_HTTP_ERR_CNT] = "http_err_cnt",
    [TD_HTTP_ERR_RATE] = "http_err_rate",
    [TD_HTTP_FAIL_CNT] = "http_fail_cnt",
    [TD_HTTP_FAIL_RATE] = "http_fail_rate",
    [TD_BYTES_IN_CNT] = "bytes_in_cnt",
    [TD_BYTES_IN_RATE] = "bytes_in_rate",
    [TD_BYTES_OUT_CNT] = "bytes_out_cnt",
    [TD_BYTES_OUT_RATE] = "bytes_out_rate",
};

const char *table_data_name(enum table_data d)
{
    ASSERT((unsigned)d < TD_COUNT);
    return data_names[d];
}

bool table_data_is_rate(enum table_data d)
{
    switch (d) {
    case TD_GPC0_RATE:
    case TD_GPC1_RATE:
    case TD_GPC_RATE:
    case TD_CONN_RATE:
    case TD_SESS_RATE:
    case TD_HTTP_REQ_RATE:
    case TD_HTTP_ERR_RATE:
    case TD_HTTP_FAIL_RATE:
    case TD_BYTES_IN_RATE:
    case TD_BYTES_OUT_RATE:
        return true;
    default:
        return false;
    }
}
