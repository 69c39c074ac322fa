// SPDX-License-Identifier: Apache-2.0
// The parsed configuration: what the text says, checked, with names resolved to pointers inside the model, defaults
// applied, nothing opened, bound or compiled. Everything lives in one arena; immutable once config_load() returned it;
// counted, since old snapshots borrow from it. Times are milliseconds, -1 = not set; sizes are bytes. Arrays are
// pointer + count in file order.
#ifndef PHX_CONFIG_MODEL_H
#define PHX_CONFIG_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/exprs.h"
#include "config/types.h"
#include "node/base/arena.h"
#include "node/base/hash.h"
#include "node/base/str.h"

struct cfg_proxy;
struct cfg_server;
struct cfg_acl;
struct cfg_cond;
struct cfg_cluster;

// Where something stands in the text, for messages.
struct cfg_src {
    uint16_t file; // index into config.files
    uint16_t word; // 0 = first
    uint32_t line; // 1 = first
};

// ---- Addresses -----------------------------------------------------------------------------------------------------
enum cfg_addr_kind { CFG_ADDR_NONE, CFG_ADDR_INET, CFG_ADDR_UNIX, CFG_ADDR_ABSTRACT, CFG_ADDR_FD };
struct cfg_addr {
    enum cfg_addr_kind kind;
    int family;              // INET: AF_INET, AF_INET6, AF_UNSPEC (host name, or '*'/empty = any IPv4)
    struct str host;         // INET: literal or name, "" or "*" = any; UNIX/ABSTRACT: path
    uint16_t port, port_end; // range when port_end > port; 0 = none given
    int16_t port_offset;     // servers: "+N"/"-N" relative to the client's port
    bool port_relative;
    int fd;
};

// ---- Expressions ---------------------------------------------------------------------------------------------------
enum cfg_arg_kind {
    ARG_NONE,
    ARG_STR,
    ARG_INT,
    ARG_IPV4_MASK,
    ARG_IPV6_MASK,
    ARG_PROXY,
    ARG_SERVER,
    ARG_TABLE,
    ARG_REGEX,
    ARG_VAR,
    ARG_USERLIST,
    ARG_FILE
};
enum var_scope { VAR_PROC, VAR_SESS, VAR_TXN, VAR_REQ, VAR_RES, VAR_CHECK };
struct cfg_arg {
    enum cfg_arg_kind kind;
    enum var_scope scope; // VAR
    int64_t num;          // INT (times in ms); IPV4_MASK: prefix length; REGEX: flags (1 = i, 2 = g)
    struct str text;      // STR, REGEX pattern, VAR name without scope, FILE path
    // PROXY: cfg_proxy (NULL = current); SERVER: cfg_server; TABLE: cfg_proxy that has the table (NULL = current
    // proxy's); USERLIST: cfg_userlist
    const void *ref;
    unsigned var_index; // VAR: dense index a scope over the whole configuration, for arrays instead of look-ups
};
#define CFG_ARGS_MAX 8
struct cfg_conv {
    enum conv_id id;
    uint8_t nargs;
    struct cfg_arg *args;
    enum sample_type in, out; // out resolved (never SAME)
};
struct cfg_expr {
    enum fetch_id id;
    uint8_t nargs, nconvs;
    struct cfg_arg *args;
    struct cfg_conv *convs;
    enum sample_type type; // of the whole
    struct str text;       // as written
    struct cfg_src src;
};

// Log-format: literal text, aliases and expressions, in order.
enum cfg_fmt_kind { FMT_TEXT, FMT_ALIAS, FMT_EXPR };
enum { FMT_OPT_QUOTE = 1, FMT_OPT_HEXA = 2, FMT_OPT_MANDATORY = 4, FMT_OPT_ESCAPE = 8 }; // +Q +X +M +E
struct cfg_fmt_node {
    enum cfg_fmt_kind kind;
    uint8_t options;
    enum alias_id alias;
    struct str text; // TEXT; ALIAS: argument of %{...}
    struct cfg_expr *expr;
};
struct cfg_format {
    struct cfg_fmt_node *nodes;
    unsigned count;
    struct str text; // as written
    bool constant;   // no node but TEXT: nodes[0].text or empty
};

// ---- ACLs and conditions
enum { ACL_FLAG_NOCASE = 1, ACL_FLAG_NO_DNS = 2, ACL_FLAG_MAP = 4 };
struct cfg_acl_test { // one `acl NAME criterion …` line
    struct cfg_expr expr;
    enum match_method method;
    unsigned flags;
    struct str id; // -u
    // What to compare with, by method: INT and LEN one normalised range a word, "LOW:HIGH" with either bound omitted
    // ("5:5" for 5 or eq 5, "5:" for ge 5, "6:" for gt 5, ":4" for lt 5); versions are integers, major << 16 | minor.
    // IP "ADDRESS/PREFIX" in canonical form. BIN is checked to be hexadecimal. Others as written. FOUND and BOOL have
    // none.
    struct str *patterns;
    unsigned npatterns;
    struct str *files; // -f / -M
    unsigned nfiles;
    unsigned nocase_files; // -i holds for what follows it: with ACL_FLAG_NOCASE, files from this index on
    struct cfg_src src;
};
// All lines of the same name: any may match.
struct cfg_acl {
    struct str name; // empty for an anonymous one
    struct cfg_acl_test *tests;
    unsigned ntests;
    unsigned index; // dense in its proxy
    unsigned where; // places where all its fetches exist
};
struct cfg_term {
    struct cfg_acl *acl;
    bool negate;
};
struct cfg_and {
    struct cfg_term *terms;
    unsigned count;
};
struct cfg_cond { // OR of ANDs
    struct cfg_and *ands;
    unsigned count;
    bool unless;
    struct cfg_src src;
};

// ---- Actions and rules ---------------------------------------------------------------------------------------------
enum ruleset {
    RULES_TCP_REQ_CONN,
    RULES_TCP_REQ_SESS,
    RULES_TCP_REQ_CONT,
    RULES_TCP_RES_CONT,
    RULES_HTTP_REQ,
    RULES_HTTP_RES,
    RULES_HTTP_AFTER_RES,
    RULESET_COUNT
};
enum cfg_redirect_kind { REDIRECT_LOCATION, REDIRECT_PREFIX, REDIRECT_SCHEME };
struct cfg_header_fmt {
    struct str name;
    struct cfg_format value;
};
struct cfg_reply {           // return, deny, errorfile …
    int status;              // 0 = the action's default
    struct str content_type; // NULL ptr = none
    enum {
        REPLY_DEFAULT,
        REPLY_STRING,
        REPLY_FORMAT,
        REPLY_FILE,
        REPLY_FORMAT_FILE,
        REPLY_ERRORFILES,
        REPLY_ERRORFILE
    } body;
    struct str text;          // STRING, FILE path; ERRORFILES: section name
    struct cfg_format format; // FORMAT
    struct cfg_header_fmt *headers;
    unsigned nheaders;
};
// Conditions of set-var, manual section "http-request set-var".
enum cfg_var_cond { // bits
    VAR_IF_EXISTS = 1,
    VAR_IF_NOT_EXISTS = 2,
    VAR_IF_EMPTY = 4, // of the new value
    VAR_IF_NOT_EMPTY = 8,
    VAR_IF_SET = 16,
    VAR_IF_NOT_SET = 32,
    VAR_IF_GREATER = 64, // the variable's value is greater than the new one; true unless both are integers
    VAR_IF_LESS = 128
};
enum cfg_timeout_kind { // set-timeout
    TIMEOUT_KIND_CLIENT,
    TIMEOUT_KIND_CONNECT,
    TIMEOUT_KIND_QUEUE,
    TIMEOUT_KIND_SERVER,
    TIMEOUT_KIND_TARPIT,
    TIMEOUT_KIND_TUNNEL
};
struct cfg_action { // generic record; which fields count is the action's table row's help
    enum action_id id;
    int number; // track-scN's N, sc-inc-gpc index, log level, nice, code, timeout kind …
    int number2;
    int64_t value;        // constant operand; ms for times
    struct str name;      // header name, variable name, method …
    struct str text;      // regex text (replace-*), path …
    enum var_scope scope; // set-var, unset-var
    unsigned var_index;
    struct cfg_expr *expr;    // track-sc key, set-var expression, capture …
    struct cfg_format format; // set-header value, set-path, deny string …
    struct cfg_reply *reply;  // return, deny, tarpit
    struct cfg_proxy *table;  // track-sc table (NULL = current proxy's)
    enum cfg_redirect_kind redirect;
    struct str cookie; // redirect set-cookie / clear-cookie
    bool drop_query, append_slash, ignore_empty, clear_cookie;
    enum match_method match; // del-header -m
};
struct cfg_rule {
    struct cfg_action action;
    struct cfg_cond *cond; // NULL = always
    struct cfg_src src;
};
struct cfg_rules {
    struct cfg_rule *rules;
    unsigned count;
};

struct cfg_switch_rule {       // use_backend, use-server
    struct str name;           // static name, or
    struct cfg_format format;  // dynamic
    struct cfg_proxy *backend; // resolved when static
    struct cfg_server *server; // use-server
    struct cfg_cond *cond;
    struct cfg_src src;
};
enum cfg_stick_kind { STICK_MATCH = 1, STICK_STORE_REQ = 2, STICK_STORE_RES = 4 }; // stick on = MATCH | STORE_REQ
struct cfg_stick_rule {
    unsigned kinds;
    struct cfg_expr expr;
    struct str table_name;   // as written, empty = the current proxy's
    struct cfg_proxy *table; // that has the table, never NULL once loaded
    struct cfg_cond *cond;
    struct cfg_src src;
};
struct cfg_cond_list { // monitor fail, force-persist, ignore-persist
    struct cfg_cond **conds;
    unsigned count;
};

// ---- Stick tables
enum table_data { // configuration.txt "stick-table", what can be stored
    TD_SERVER_ID,
    TD_SERVER_KEY,
    TD_GPT0,
    TD_GPT,
    TD_GPC0,
    TD_GPC0_RATE,
    TD_GPC1,
    TD_GPC1_RATE,
    TD_GPC,
    TD_GPC_RATE,
    TD_CONN_CNT,
    TD_CONN_RATE,
    TD_CONN_CUR,
    TD_SESS_CNT,
    TD_SESS_RATE,
    TD_HTTP_REQ_CNT,
    TD_HTTP_REQ_RATE,
    TD_HTTP_ERR_CNT,
    TD_HTTP_ERR_RATE,
    TD_HTTP_FAIL_CNT,
    TD_HTTP_FAIL_RATE,
    TD_BYTES_IN_CNT,
    TD_BYTES_IN_RATE,
    TD_BYTES_OUT_CNT,
    TD_BYTES_OUT_RATE,
    TD_COUNT
};
const char *table_data_name(enum table_data d);
bool table_data_is_rate(enum table_data d);
enum table_key { TKEY_IPV4, TKEY_IPV6, TKEY_INT, TKEY_STR, TKEY_BIN };
struct cfg_table {
    enum table_key key;
    uint32_t key_len;  // STR, BIN: maximum length
    uint64_t size;     // entries
    int64_t expire_ms; // 0 = never
    bool nopurge;
    struct {
        bool on;
        uint32_t period_ms;
        uint16_t elements;
    } data[TD_COUNT];
    struct str peers;            // name of a cluster or peers section, empty = local
    struct cfg_cluster *cluster; // resolved
    bool aggregate_local;        // `aggregate local`
    struct cfg_src src;
};

// ---- Listeners, servers, checks
struct cfg_bind {
    struct cfg_addr addr; // one of possibly several addresses of the line; port ranges are kept as ranges
    struct str name;
    int maxconn, backlog, id;
    bool v6only, v4v6, transparent, defer_accept, tfo;
    struct str interface;
    int mode, uid, gid;     // -1 = unset
    int mss;                // 0 = unset; negative: subtracted from the system's
    struct str user, group; // names, looked up when bound; empty = uid, gid
    int level;              // stats sockets: 0 user 1 operator 2 admin
    bool expose_fd_listeners;
    struct cfg_src src;
};

enum cfg_check_kind { CHECK_TCP, CHECK_HTTP };
enum cfg_http_expect { EXPECT_DEFAULT, EXPECT_STATUS, EXPECT_RSTATUS, EXPECT_STRING, EXPECT_RSTRING };
struct cfg_http_check { // option httpchk + http-check send / expect
    struct str method, uri, version;
    struct cfg_header_fmt *headers;
    unsigned nheaders;
    struct str body;
    enum cfg_http_expect expect;
    bool expect_not;
    struct str expect_text; // "200-399", regex, string
    bool disable_on_404;
};

struct cfg_server {
    struct str name;
    struct cfg_proxy *proxy;
    unsigned index; // in its backend
    int id;         // numeric id, explicit or assigned
    struct cfg_addr addr;
    struct str cookie;
    int weight; // 0..256
    int maxconn, minconn, maxqueue, slowstart;
    bool backup, disabled, check;
    struct cfg_addr check_addr; // `addr`
    int check_port;             // `port`, 0 = the server's
    int inter, fastinter, downinter, rise, fall;
    struct cfg_addr source; // kind NONE = any
    int pool_max_conn, pool_purge_delay;
    int max_reuse;
    enum { ON_MARKED_DOWN_NONE, ON_MARKED_DOWN_SHUTDOWN } on_marked_down;
    enum { ON_MARKED_UP_NONE, ON_MARKED_UP_SHUTDOWN_BACKUP } on_marked_up;
    enum { OBSERVE_NONE, OBSERVE_LAYER4, OBSERVE_LAYER7 } observe;
    enum { ON_ERROR_FASTINTER, ON_ERROR_FAIL_CHECK, ON_ERROR_SUDDEN_DEATH, ON_ERROR_MARK_DOWN } on_error;
    int error_limit;
    struct str track; // "[backend/]server"
    struct cfg_server *track_server;
    int resolve_family; // AF_UNSPEC, AF_INET, AF_INET6
    struct str init_addr;
    int tcp_ut;
    struct cfg_src src;
};

// ---- Logs
enum cfg_log_target { LOG_TO_UDP, LOG_TO_UNIX, LOG_TO_STDOUT, LOG_TO_STDERR, LOG_TO_FD };
enum cfg_log_format {
    LOG_FMT_RFC3164,
    LOG_FMT_RFC5424,
    LOG_FMT_SHORT,
    LOG_FMT_RAW,
    LOG_FMT_TIMED,
    LOG_FMT_ISO,
    LOG_FMT_PRIORITY,
    LOG_FMT_LOCAL
};
struct cfg_log {
    enum cfg_log_target target;
    struct cfg_addr addr; // UDP (default port 514), UNIX
    int fd;               // FD
    enum cfg_log_format format;
    int len;                                      // maximum line, default 1024
    int facility;                                 // 0..23
    int level, min_level;                         // 0 emerg … 7 debug
    unsigned sample_from, sample_to, sample_size; // sample ranges, 0 = all
    struct cfg_src src;
};

// ---- Proxies
enum cfg_proxy_cap { CAP_FRONT = 1, CAP_BACK = 2 }; // listen = both
enum cfg_mode { MODE_TCP, MODE_HTTP };
enum cfg_balance {
    BALANCE_ROUNDROBIN,
    BALANCE_STATIC_RR,
    BALANCE_LEASTCONN,
    BALANCE_FIRST,
    BALANCE_SOURCE,
    BALANCE_URI,
    BALANCE_URL_PARAM,
    BALANCE_HDR,
    BALANCE_RANDOM,
    BALANCE_HASH
};
enum cfg_reuse { REUSE_NEVER, REUSE_SAFE, REUSE_AGGRESSIVE, REUSE_ALWAYS };
enum cfg_http_mode { HTTP_KEEP_ALIVE, HTTP_SERVER_CLOSE, HTTP_CLOSE };
enum cfg_option { // boolean options; bits of cfg_proxy.options
    OPT_DONTLOGNULL,
    OPT_DONTLOG_NORMAL,
    OPT_LOG_SEPARATE_ERRORS,
    OPT_LOGASAP,
    OPT_REDISPATCH,
    OPT_ABORTONCLOSE,
    OPT_FORWARDFOR,
    OPT_HTTP_IGNORE_PROBES,
    OPT_HTTP_NO_DELAY,
    OPT_HTTP_BUFFER_REQUEST,
    OPT_HTTP_PRETEND_KEEPALIVE,
    OPT_ACCEPT_INVALID_REQ,
    OPT_ACCEPT_INVALID_RES,
    OPT_ALLBACKUPS,
    OPT_CLITCPKA,
    OPT_SRVTCPKA,
    OPT_CONTSTATS,
    OPT_LOG_HEALTH_CHECKS,
    OPT_NOLINGER,
    OPT_ORIGINALTO,
    OPT_PERSIST,
    OPT_PREFER_LAST_SERVER,
    OPT_SPLICE_AUTO,
    OPT_SPLICE_REQUEST,
    OPT_SPLICE_RESPONSE,
    OPT_TCP_SMART_ACCEPT,
    OPT_TCP_SMART_CONNECT,
    OPT_DISABLE_H2_UPGRADE,
    OPT_TCPKA
};
enum {
    COOKIE_INSERT = 1,
    COOKIE_REWRITE = 2,
    COOKIE_PREFIX = 4,
    COOKIE_INDIRECT = 8,
    COOKIE_NOCACHE = 16,
    COOKIE_POSTONLY = 32,
    COOKIE_PRESERVE = 64,
    COOKIE_HTTPONLY = 128,
    COOKIE_SECURE = 256,
    COOKIE_DYNAMIC = 512
};
struct cfg_cookie {
    struct str name; // empty = no cookie persistence
    unsigned flags;
    struct str domain;
    struct str attr;          // all `attr` values joined by "; "
    int64_t maxidle, maxlife; // seconds, 0 = none
};
struct cfg_errorfile {
    int status;
    struct str path;     // errorfile
    struct str location; // errorloc: then `redirect_status` 302 or 303
    int redirect_status;
    struct cfg_src src;
};
struct cfg_capture { // capture request/response header, declare capture
    struct str name;
    unsigned len;
};
struct cfg_timeouts { // ms, -1 = not set = infinite
    int connect, client, server, queue, check, http_request, http_keep_alive, tunnel, client_fin, server_fin, tarpit;
};

struct cfg_proxy {
    struct str name;
    unsigned caps;  // enum cfg_proxy_cap
    unsigned index; // in config.proxies
    int id;         // numeric
    enum cfg_mode mode;
    bool disabled;
    struct cfg_src src;
    struct str description;

    uint64_t options; // 1 << enum cfg_option
    struct cfg_timeouts timeout;
    int maxconn; // frontend; 0 = global's
    int backlog;
    int fullconn;
    int rate_limit_sessions;
    struct cfg_bind *binds;
    unsigned nbinds;

    struct cfg_proxy *default_backend; // NULL = none
    struct str default_backend_name;   // as written
    struct cfg_src default_backend_src;
    struct cfg_switch_rule *use_backends;
    unsigned nuse_backends;
    struct cfg_switch_rule *use_servers;
    unsigned nuse_servers;

    struct cfg_acl *acls; // named ones, then anonymous ones
    unsigned nacls;
    struct cfg_rules rules[RULESET_COUNT];
    struct cfg_rules redirects;               // the `redirect` keyword, after http-request rules
    int inspect_delay_req, inspect_delay_res; // tcp-request / tcp-response inspect-delay, -1 = none

    struct cfg_stick_rule *stick_rules;
    unsigned nstick_rules;
    struct cfg_table *table; // stick-table of this proxy, or NULL

    enum cfg_balance balance;
    struct {
        struct str name;       // hdr name, url_param name
        bool whole, path_only; // uri
        int len, depth;        // uri
        int draws;             // random(N)
        bool use_domain_only;  // hdr
        struct cfg_expr *expr; // hash
    } balance_arg;
    enum { HASH_MAP_BASED, HASH_CONSISTENT } hash_type;
    enum { HASH_FN_SDBM, HASH_FN_DJB2, HASH_FN_WT6, HASH_FN_CRC32, HASH_FN_NONE } hash_fn;
    bool hash_avalanche;
    int hash_balance_factor;
    struct cfg_server *servers;
    unsigned nservers;
    enum cfg_reuse reuse;
    enum cfg_http_mode http_mode;
    int retries;
    unsigned retry_on;       // bits, see enum cfg_retry_on
    int redispatch_interval; // option redispatch N; -1, 0 …
    struct cfg_addr source;  // `source`
    struct cfg_cookie cookie;
    struct cfg_cond_list force_persist, ignore_persist;
    struct {
        struct str header;      // forwardfor header name, default X-Forwarded-For
        struct str except_text; // except NETWORK
        bool if_none;
    } forwardfor, originalto;

    enum cfg_check_kind check_kind;
    struct cfg_http_check http_check;

    struct str monitor_uri;
    struct cfg_cond_list monitor_fail;
    struct cfg_errorfile *errorfiles;
    unsigned nerrorfiles;

    struct cfg_log *logs; // own and, where `log global` stands, global ones
    unsigned nlogs;
    bool log_global;
    struct cfg_src log_line_src;
    enum { LOG_LINE_NONE, LOG_LINE_DEFAULT, LOG_LINE_TCP, LOG_LINE_HTTP, LOG_LINE_CLF, LOG_LINE_CUSTOM } log_line;
    struct cfg_format log_format; // parsed form of what log_line says
    struct cfg_format log_format_sd;
    struct str log_tag;
    struct cfg_format unique_id_format; // empty = none
    struct str unique_id_header;
    struct cfg_capture *req_captures, *res_captures; // headers
    unsigned nreq_captures, nres_captures;
    struct cfg_capture capture_cookie; // name ends as in the manual: prefix or exact
    uint32_t digest;                   // of its text, to see what a reload changed
    struct cfg_proxy *same_name;       // the other one of a frontend and a backend that share a name
};
enum cfg_retry_on {
    RETRY_CONN_FAILURE = 1,
    RETRY_EMPTY_RESPONSE = 2,
    RETRY_JUNK_RESPONSE = 4,
    RETRY_RESPONSE_TIMEOUT = 8,
    RETRY_0RTT_REJECTED = 16,
    RETRY_401 = 32,
    RETRY_403 = 64,
    RETRY_404 = 128,
    RETRY_408 = 256,
    RETRY_425 = 512,
    RETRY_500 = 1024,
    RETRY_501 = 2048,
    RETRY_502 = 4096,
    RETRY_503 = 8192,
    RETRY_504 = 16384
};

// ---- Cluster
struct cfg_node {
    struct str name;
    struct cfg_addr link; // peer address
    struct cfg_addr addr; // where clients reach it; kind NONE = unknown
    struct cfg_src src;
};
struct cfg_cluster {
    struct str name;
    struct cfg_node *nodes;
    unsigned nnodes;
    int self; // index of the local node, -1 when not resolved
    enum { CLUSTER_HEALTH_QUORUM, CLUSTER_HEALTH_ANY, CLUSTER_HEALTH_LOCAL } health;
    bool tables_replicated;
    struct cfg_bind *binds; // overrides the own node's link address
    unsigned nbinds;
    struct cfg_src src;
};

// ---- Userlists
struct cfg_user {
    struct str name, password;
    bool insecure;
    struct str *groups;
    unsigned ngroups;
    struct cfg_src src;
};
struct cfg_group {
    struct str name;
    struct str users; // as written, comma separated; resolved into cfg_user.groups
    struct cfg_src src;
};
struct cfg_userlist {
    struct str name;
    struct cfg_group *groups;
    unsigned ngroups;
    struct cfg_user *users;
    unsigned nusers;
};

// ---- The whole
struct cfg_global {
    int nbthread; // 0 = one a core
    int maxconn;  // 0 = from the descriptor limit
    int maxpipes; // 0 = maxconn / 4
    int ulimit_n; // 0 = computed
    bool daemon, quiet, debug;
    bool strict_limits;     // a descriptor limit that cannot be set is fatal (default); else a warning
    bool log_hostname_sent; // `log-send-hostname`; without a name log_send_hostname is empty: the machine's own
    struct str pidfile, chroot, user, group, node, description, log_tag, log_send_hostname;
    int uid, gid;        // -1 = unchanged
    int hard_stop_after; // ms, -1 = never
    int grace;
    int spread_checks; // percent
    struct cfg_bind *stats_sockets;
    unsigned nstats_sockets;
    int stats_timeout; // ms
    int stats_maxconn;
    struct cfg_log *logs;
    unsigned nlogs;
    struct str localpeer;
    struct {
        int bufsize, maxrewrite, maxhdr, maxaccept, pipesize, logurilen;
    } tune;
    // Applied by the node once accepted, in order: value ptr NULL = unset; an empty name = clear all.
    struct str *setenv_names, *setenv_values;
    unsigned nsetenv;
    unsigned var_counts[6];    // dense variables a scope (enum var_scope)
    struct str *var_names[6];  // names by index, for %[var()] by dump and set-var in global
    struct cfg_rules set_vars; // set-var / set-var-fmt in global
};

struct config {
    uint32_t magic; // CONFIG_MAGIC
    _Atomic int refs;
    struct arena *arena;
    struct str *files; // paths in reading order
    unsigned nfiles;
    struct cfg_global global;
    struct cfg_proxy **proxies;
    unsigned nproxies;
    struct strmap proxy_names; // name → the first cfg_proxy of that name
    struct cfg_cluster *clusters;
    unsigned nclusters;
    struct cfg_userlist *userlists;
    unsigned nuserlists;
    uint64_t digest;   // of the text as read: shown by phalanxctl, compared between nodes
    unsigned warnings; // printed while loading
};
#define CONFIG_MAGIC 0x434f4e46u

struct config *config_ref(struct config *c);
void config_unref(struct config **c); // any thread

struct cfg_proxy *config_find_proxy(const struct config *c, struct str name, unsigned caps);
struct cfg_server *config_find_server(const struct cfg_proxy *p, struct str name);
static inline bool cfg_option(const struct cfg_proxy *p, enum cfg_option o)
{
    return (p->options >> o) & 1;
}

#endif
