// SPDX-License-Identifier: Apache-2.0
// Types of values in expressions, shared by the grammar (which checks) and the node (which computes).
#ifndef PHX_CONFIG_TYPES_H
#define PHX_CONFIG_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/str.h"

enum sample_type {
    TYPE_ANY,  // converters that take anything; fetches whose type depends on the arguments
    TYPE_SAME, // converters that give back what they take
    TYPE_BOOL,
    TYPE_INT,  // 64 bits, signed
    TYPE_ADDR, // IPv4 or IPv6, known at run time
    TYPE_IPV4,
    TYPE_IPV6,
    TYPE_STR,
    TYPE_BIN,
    TYPE_METH,
    TYPE_COUNT
};
const char *sample_type_name(enum sample_type t); // as the manual says: "boolean", "integer" …
// Can a value of type `from` be used where `to` is wanted (configuration.txt 7.3, the cast matrix)?
bool sample_type_casts(enum sample_type from, enum sample_type to);

// Where an expression is evaluated; a fetch says at which of these its data exists. Bits.
enum cfg_where {
    WHERE_FRONT_CONN = 1 << 0, // tcp-request connection, session
    WHERE_FRONT_REQ = 1 << 1,  // request rules in a frontend
    WHERE_BACK_REQ = 1 << 2,   // request rules in a backend
    WHERE_RES = 1 << 3,        // response rules
    WHERE_LOG = 1 << 4,        // log-format
    WHERE_CHECK = 1 << 5,      // health-check rules
    WHERE_CLI = 1 << 6,
    WHERE_INIT = 1 << 7, // set-var in global
    WHERE_HTTP = 1 << 8  // log-format aliases: in proxies of mode http only
};

enum match_method { // the manual's -m, section 7.1.1
    MATCH_FOUND,
    MATCH_BOOL,
    MATCH_INT,
    MATCH_IP,
    MATCH_BIN,
    MATCH_LEN,
    MATCH_STR,
    MATCH_BEG,
    MATCH_SUB,
    MATCH_DIR,
    MATCH_DOM,
    MATCH_END,
    MATCH_REG,
    MATCH_COUNT
};
const char *match_method_name(enum match_method m);

// "10s", "5m", a bare number in the default unit; "100k". False: not such a text, or out of range.
bool time_from_text(struct str s, int64_t default_unit_us, int64_t *out_us);
bool size_from_text(struct str s, uint64_t *out);

#endif
