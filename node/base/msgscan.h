// SPDX-License-Identifier: Apache-2.0
// Bounded reading of msgpack bytes from another machine, without allocation. msgscan_check() proves that a message is
// whole and within limits before anything is built from it (a 5-byte array header may claim 4 billion elements); the
// cursor then reads it in place. Pure: any thread.
#ifndef PHX_BASE_MSGSCAN_H
#define PHX_BASE_MSGSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/str.h"

// Deepest nesting that limits may allow.
#define MSGSCAN_DEPTH_MAX 16

struct msgscan_limits {
    size_t bytes;   // of the whole message
    unsigned depth; // arrays and maps inside each other; a scalar has depth 0
    unsigned items; // values in all, containers and map keys included
};

enum msgscan_error {
    MSGSCAN_OK,
    MSGSCAN_SHORT,    // ends inside a value
    MSGSCAN_TRAILING, // bytes behind the first value
    MSGSCAN_LARGE,    // more bytes than allowed
    MSGSCAN_DEEP,     // nested deeper than allowed
    MSGSCAN_MANY,     // more values than allowed
    MSGSCAN_TYPE,     // the byte 0xc1, which msgpack never uses
};

// The bytes must be exactly one value within the limits.
enum msgscan_error msgscan_check(struct str bytes, const struct msgscan_limits *limits);

enum msgscan_type {
    MSGSCAN_NIL,
    MSGSCAN_BOOL,
    MSGSCAN_UINT,
    MSGSCAN_INT, // negative only
    MSGSCAN_FLOAT,
    MSGSCAN_STR,
    MSGSCAN_BIN,
    MSGSCAN_EXT,
    MSGSCAN_ARRAY,
    MSGSCAN_MAP,
};

// One value, or the head of a container: its elements follow (a map has 2 × count).
struct msgscan_token {
    enum msgscan_type type;
    int8_t ext; // MSGSCAN_EXT: the application's type
    union {
        bool truth;
        uint64_t u;
        int64_t i;
        double f;
        struct str bytes; // STR, BIN, EXT: slice of the input
        uint32_t count;   // ARRAY, MAP
    };
};

// A reading position. After the first mismatch `failed` stays set and every read returns zero, so a decoder asks once
// at the end.
struct msgscan {
    const unsigned char *at, *end;
    bool failed;
};

struct msgscan msgscan_begin(struct str bytes);
// False at the end of the bytes or when they make no value; sets `failed`.
bool msgscan_next(struct msgscan *s, struct msgscan_token *token);
// The next value must be of that type.
uint64_t msgscan_uint(struct msgscan *s, uint64_t max);
int64_t msgscan_int(struct msgscan *s);
bool msgscan_bool(struct msgscan *s);
struct str msgscan_str(struct msgscan *s); // STR or BIN
uint32_t msgscan_array(struct msgscan *s);
uint32_t msgscan_map(struct msgscan *s);
// Passes over one value with all that it contains.
void msgscan_skip(struct msgscan *s);

#endif
