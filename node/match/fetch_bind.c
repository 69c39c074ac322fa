// SPDX-License-Identifier: Apache-2.0
// Which of node/match's functions computes which fetch. The fetches of proxies, servers and stick tables are bound by
// their owners.
#include "node/match/fetch.h"

struct binding {
    enum fetch_id id;
    fetch_fn *fn;
};

static const struct binding http_fetches[] = {
    // the request
    {FETCH_BASE, fetch_base},
    {FETCH_BASE32, fetch_base32},
    {FETCH_BASE32_SRC, fetch_base32_src},
    {FETCH_BASEQ, fetch_baseq},
    {FETCH_URL, fetch_url},
    {FETCH_URL32, fetch_url32},
    {FETCH_URL32_SRC, fetch_url32_src},
    {FETCH_URL_IP, fetch_url_ip},
    {FETCH_URL_PORT, fetch_url_port},
    {FETCH_PATH, fetch_path},
    {FETCH_PATHQ, fetch_pathq},
    {FETCH_QUERY, fetch_query},
    {FETCH_URLP, fetch_urlp},
    {FETCH_URLP_VAL, fetch_urlp_val},
    {FETCH_METHOD, fetch_method},
    {FETCH_REQ_VER, fetch_req_ver},
    {FETCH_HTTP_FIRST_REQ, fetch_http_first_req},
    {FETCH_REQ_PROTO_HTTP, fetch_proto_http},
    // the response
    {FETCH_RES_VER, fetch_res_ver},
    {FETCH_STATUS, fetch_status},
    // captures
    {FETCH_CAPTURE_REQ_METHOD, fetch_capture_req_method},
    {FETCH_CAPTURE_REQ_URI, fetch_capture_req_uri},
    {FETCH_CAPTURE_REQ_VER, fetch_capture_req_ver},
    {FETCH_CAPTURE_RES_VER, fetch_capture_res_ver},
    {FETCH_CAPTURE_REQ_HDR, fetch_capture_req_hdr},
    {FETCH_CAPTURE_RES_HDR, fetch_capture_res_hdr},
    // fields
    {FETCH_HDR, fetch_hdr},
    {FETCH_HDR_CNT, fetch_req_hdr_cnt},
    {FETCH_HDR_IP, fetch_req_hdr_ip},
    {FETCH_HDR_VAL, fetch_req_hdr_val},
    {FETCH_REQ_HDR, fetch_req_hdr},
    {FETCH_REQ_HDR_CNT, fetch_req_hdr_cnt},
    {FETCH_REQ_HDR_IP, fetch_req_hdr_ip},
    {FETCH_REQ_HDR_VAL, fetch_req_hdr_val},
    {FETCH_REQ_HDR_NAMES, fetch_req_hdr_names},
    {FETCH_REQ_FHDR, fetch_req_fhdr},
    {FETCH_REQ_FHDR_CNT, fetch_req_fhdr_cnt},
    {FETCH_REQ_HDRS, fetch_req_hdrs},
    {FETCH_REQ_HDRS_BIN, fetch_req_hdrs_bin},
    {FETCH_RES_HDR, fetch_res_hdr},
    {FETCH_RES_HDR_CNT, fetch_res_hdr_cnt},
    {FETCH_RES_HDR_IP, fetch_res_hdr_ip},
    {FETCH_RES_HDR_VAL, fetch_res_hdr_val},
    {FETCH_RES_HDR_NAMES, fetch_res_hdr_names},
    {FETCH_RES_FHDR, fetch_res_fhdr},
    {FETCH_RES_FHDR_CNT, fetch_res_fhdr_cnt},
    {FETCH_RES_HDRS, fetch_res_hdrs},
    {FETCH_RES_HDRS_BIN, fetch_res_hdrs_bin},
    // cookies
    {FETCH_COOKIE, fetch_cookie},
    {FETCH_REQ_COOK, fetch_req_cook},
    {FETCH_REQ_COOK_CNT, fetch_req_cook_cnt},
    {FETCH_REQ_COOK_VAL, fetch_req_cook_val},
    {FETCH_REQ_COOK_NAMES, fetch_req_cook_names},
    {FETCH_RES_COOK, fetch_res_cook},
    {FETCH_RES_COOK_CNT, fetch_res_cook_cnt},
    {FETCH_RES_COOK_VAL, fetch_res_cook_val},
    {FETCH_RES_COOK_NAMES, fetch_res_cook_names},
    // credentials
    {FETCH_HTTP_AUTH, fetch_http_auth},
    {FETCH_HTTP_AUTH_BEARER, fetch_http_auth_bearer},
    {FETCH_HTTP_AUTH_GROUP, fetch_http_auth_group},
    {FETCH_HTTP_AUTH_PASS, fetch_http_auth_pass},
    {FETCH_HTTP_AUTH_TYPE, fetch_http_auth_type},
    {FETCH_HTTP_AUTH_USER, fetch_http_auth_user},
    // bodies
    {FETCH_REQ_BODY, fetch_req_body},
    {FETCH_REQ_BODY_LEN, fetch_req_body_len},
    {FETCH_REQ_BODY_SIZE, fetch_req_body_size},
    {FETCH_REQ_BODY_PARAM, fetch_req_body_param},
    {FETCH_RES_BODY, fetch_res_body},
    {FETCH_RES_BODY_LEN, fetch_res_body_len},
    {FETCH_RES_BODY_SIZE, fetch_res_body_size},
};

static const struct binding l4_fetches[] = {
    // constants and the process
    {FETCH_ALWAYS_FALSE, fetch_always_false},
    {FETCH_ALWAYS_TRUE, fetch_always_true},
    {FETCH_INT, fetch_const_int},
    {FETCH_BOOL, fetch_const_bool},
    {FETCH_STR, fetch_const_str},
    {FETCH_BIN, fetch_const_bin},
    {FETCH_IPV4, fetch_const_ipv4},
    {FETCH_IPV6, fetch_const_ipv6},
    {FETCH_METH, fetch_const_meth},
    {FETCH_DATE, fetch_date},
    {FETCH_DATE_US, fetch_date_us},
    {FETCH_ENV, fetch_env},
    {FETCH_HOSTNAME, fetch_hostname},
    {FETCH_NBPROC, fetch_one},
    {FETCH_PID, fetch_pid},
    {FETCH_PROC, fetch_one},
    {FETCH_QUIC_ENABLED, fetch_always_false},
    {FETCH_RAND, fetch_rand},
    {FETCH_TGROUP, fetch_zero},
    {FETCH_THREAD, fetch_thread},
    {FETCH_UPTIME, fetch_uptime},
    {FETCH_UUID, fetch_uuid},
    {FETCH_WAIT_END, fetch_wait_end},
    // the client's connection
    {FETCH_ACCEPT_DATE, fetch_accept_date},
    {FETCH_SRC, fetch_src},
    {FETCH_SRC_PORT, fetch_src_port},
    {FETCH_SRC_IS_LOCAL, fetch_src_is_local},
    {FETCH_DST, fetch_dst},
    {FETCH_DST_PORT, fetch_dst_port},
    {FETCH_DST_IS_LOCAL, fetch_dst_is_local},
    {FETCH_FC_SRC, fetch_src},
    {FETCH_FC_SRC_PORT, fetch_src_port},
    {FETCH_FC_SRC_IS_LOCAL, fetch_src_is_local},
    {FETCH_FC_DST, fetch_dst},
    {FETCH_FC_DST_PORT, fetch_dst_port},
    {FETCH_FC_DST_IS_LOCAL, fetch_dst_is_local},
    {FETCH_FC_HTTP_MAJOR, fetch_fc_http_major},
    {FETCH_FC_RTT, fetch_fc_rtt},
    {FETCH_FC_RTTVAR, fetch_fc_rttvar},
    {FETCH_FC_UNACKED, fetch_fc_unacked},
    {FETCH_FC_SACKED, fetch_fc_sacked},
    {FETCH_FC_LOST, fetch_fc_lost},
    {FETCH_FC_RETRANS, fetch_fc_retrans},
    {FETCH_FC_FACKETS, fetch_fc_fackets},
    {FETCH_FC_REORDERING, fetch_fc_reordering},
    {FETCH_SSL_FC, fetch_always_false},
    {FETCH_SSL_BC, fetch_always_false},
    // bytes
    {FETCH_REQ_LEN, fetch_req_len},
    {FETCH_RES_LEN, fetch_res_len},
    {FETCH_PAYLOAD, fetch_payload},
    {FETCH_PAYLOAD_LV, fetch_payload_lv},
    {FETCH_REQ_PAYLOAD, fetch_req_payload},
    {FETCH_REQ_PAYLOAD_LV, fetch_req_payload_lv},
    {FETCH_RES_PAYLOAD, fetch_res_payload},
    {FETCH_RES_PAYLOAD_LV, fetch_res_payload_lv},
    {FETCH_REQ_RDP_COOKIE, fetch_rdp_cookie},
    {FETCH_REQ_RDP_COOKIE_CNT, fetch_rdp_cookie_cnt},
    {FETCH_REQ_SSL_ALPN, fetch_req_ssl_alpn},
    {FETCH_REQ_SSL_EC_EXT, fetch_req_ssl_ec_ext},
    {FETCH_REQ_SSL_HELLO_TYPE, fetch_req_ssl_hello_type},
    {FETCH_REQ_SSL_SNI, fetch_req_ssl_sni},
    {FETCH_REQ_SSL_ST_EXT, fetch_req_ssl_st_ext},
    {FETCH_REQ_SSL_VER, fetch_req_ssl_ver},
    {FETCH_RES_SSL_HELLO_TYPE, fetch_res_ssl_hello_type},
};

static void bind_all(const struct binding *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fetch_bind(list[i].id, list[i].fn);
}

void fetch_bind_http(void)
{
    bind_all(http_fetches, sizeof(http_fetches) / sizeof(http_fetches[0]));
}

void fetch_bind_l4(void)
{
    bind_all(l4_fetches, sizeof(l4_fetches) / sizeof(l4_fetches[0]));
}
