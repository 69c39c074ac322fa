// SPDX-License-Identifier: Apache-2.0
// Private to the fetches of node/match: the functions that fetch_bind.c binds, and what they share.
#ifndef PHX_MATCH_FETCH_H
#define PHX_MATCH_FETCH_H

#include "node/match/args.h"
#include "node/match/sample.h"

// The head of a message. In TCP the bytes received so far are parsed, as "tcp-request content" rules want it.
enum eval_result fetch_request(struct match_ctx *c, struct http_msg **m);
enum eval_result fetch_response(struct match_ctx *c, struct http_msg **m);
// hdr, cookie …: of the response in response rules, else of the request.
enum eval_result fetch_message(struct match_ctx *c, struct http_msg **m);
// Which side a name without "req." or "res." means.
static inline bool fetch_is_response(const struct match_ctx *c)
{
    return (c->where & WHERE_RES) != 0;
}
// Host and what follows it in the URI, in the arena. Empty when there is neither.
enum url_part { URL_PATH, URL_PATH_QUERY, URL_WHOLE };
struct str fetch_host_and(struct match_ctx *c, struct http_msg *m, enum url_part part);

#define FETCH(name)                                                                                                    \
    enum eval_result fetch_##name(struct match_ctx *c, const struct arg *args, unsigned nargs, struct sample *out)
// fetch_const.c
FETCH(always_false);
FETCH(always_true);
FETCH(const_int);
FETCH(const_bool);
FETCH(const_str);
FETCH(const_bin);
FETCH(const_ipv4);
FETCH(const_ipv6);
FETCH(const_meth);
FETCH(one);
FETCH(zero);
FETCH(date);
FETCH(date_us);
FETCH(env);
FETCH(hostname);
FETCH(pid);
FETCH(rand);
FETCH(thread);
FETCH(uptime);
FETCH(uuid);
FETCH(wait_end);
// fetch_l4.c
FETCH(accept_date);
FETCH(src);
FETCH(src_port);
FETCH(src_is_local);
FETCH(dst);
FETCH(dst_port);
FETCH(dst_is_local);
FETCH(fc_http_major);
// fetch_tcp_info.c
FETCH(fc_rtt);
FETCH(fc_rttvar);
FETCH(fc_unacked);
FETCH(fc_sacked);
FETCH(fc_lost);
FETCH(fc_retrans);
FETCH(fc_fackets);
FETCH(fc_reordering);
// fetch_http.c
FETCH(base);
FETCH(base32);
FETCH(base32_src);
FETCH(baseq);
FETCH(url);
FETCH(url32);
FETCH(url32_src);
FETCH(url_ip);
FETCH(url_port);
FETCH(path);
FETCH(pathq);
FETCH(query);
FETCH(method);
FETCH(req_ver);
FETCH(res_ver);
FETCH(status);
FETCH(http_first_req);
FETCH(proto_http);
FETCH(capture_req_method);
FETCH(capture_req_uri);
FETCH(capture_req_ver);
FETCH(capture_res_ver);
FETCH(capture_req_hdr);
FETCH(capture_res_hdr);
// fetch_hdr.c
FETCH(hdr);
FETCH(hdr_cnt);
FETCH(req_hdr);
FETCH(req_hdr_cnt);
FETCH(req_hdr_ip);
FETCH(req_hdr_val);
FETCH(req_hdr_names);
FETCH(req_fhdr);
FETCH(req_fhdr_cnt);
FETCH(req_hdrs);
FETCH(req_hdrs_bin);
FETCH(res_hdr);
FETCH(res_hdr_cnt);
FETCH(res_hdr_ip);
FETCH(res_hdr_val);
FETCH(res_hdr_names);
FETCH(res_fhdr);
FETCH(res_fhdr_cnt);
FETCH(res_hdrs);
FETCH(res_hdrs_bin);
// fetch_cookie.c
FETCH(cookie);
FETCH(req_cook);
FETCH(req_cook_cnt);
FETCH(req_cook_val);
FETCH(req_cook_names);
FETCH(res_cook);
FETCH(res_cook_cnt);
FETCH(res_cook_val);
FETCH(res_cook_names);
// fetch_param.c
FETCH(urlp);
FETCH(urlp_val);
FETCH(req_body_param);
// fetch_auth.c
FETCH(http_auth);
FETCH(http_auth_group);
FETCH(http_auth_pass);
FETCH(http_auth_type);
FETCH(http_auth_user);
FETCH(http_auth_bearer);
// fetch_payload.c
FETCH(req_body);
FETCH(req_body_len);
FETCH(req_body_size);
FETCH(res_body);
FETCH(res_body_len);
FETCH(res_body_size);
FETCH(req_len);
FETCH(res_len);
FETCH(payload);
FETCH(payload_lv);
FETCH(req_payload);
FETCH(req_payload_lv);
FETCH(res_payload);
FETCH(res_payload_lv);
FETCH(rdp_cookie);
FETCH(rdp_cookie_cnt);
// fetch_tls_hello.c
FETCH(req_ssl_alpn);
FETCH(req_ssl_ec_ext);
FETCH(req_ssl_hello_type);
FETCH(req_ssl_sni);
FETCH(req_ssl_st_ext);
FETCH(req_ssl_ver);
FETCH(res_ssl_hello_type);

#endif
