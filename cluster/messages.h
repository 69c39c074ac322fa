// SPDX-License-Identifier: Apache-2.0
// The control messages that nodes send to each other, as the pure cores see them. Nodes are local numbers here; wire.c
// replaces them by names, since numbers differ between machines. Names of servers are "backend/server". The enums
// travel as their values: new ones are added at the end.
#ifndef PHX_CLUSTER_MESSAGES_H
#define PHX_CLUSTER_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/str.h"

#define CLUSTER_NODES_MAX       256
#define CLUSTER_SERVER_NAME_MAX 256
#define CLUSTER_NO_NODE         UINT32_MAX

// A node's state as another one sees it, and as `show cluster` names it.
enum member_state {
    MEMBER_UNKNOWN, // never contacted
    MEMBER_JOINING, // started, does not serve yet (learning tables)
    MEMBER_UP,
    MEMBER_SUSPECT, // silent, or said to be
    MEMBER_DRAINING,
    MEMBER_DRAINED,
    MEMBER_MAINTENANCE,
    MEMBER_DEAD,
    MEMBER_LEFT, // clean exit
    MEMBER_STATE_COUNT
};

enum accusation { ACCUSED_NONE, ACCUSED_SUSPECT, ACCUSED_DEAD };

// What is known of one node. Of two entries the one with the higher (boot, refutation, accused) is right: only the node
// itself raises refutation, others may only accuse.
struct member_entry {
    uint32_t node;
    enum member_state declared; // what the node says of itself
    enum accusation accused;
    uint32_t age_ms; // ACCUSED_SUSPECT: for how long
    uint64_t boot;   // its process life; 0 = never contacted
    uint32_t refutation;
    uint32_t info_seq; // orders conns and isolated within a boot
    uint32_t conns;
    bool isolated;
};

enum cluster_msg_kind {
    CMSG_PING = 1, // answer with ACK
    CMSG_ACK,
    CMSG_PING_REQ, // ping `target` for me
    CMSG_GOSSIP,   // news only; also a clean exit
    CMSG_SYNC,     // all that is known, in pieces
    CMSG_VERDICTS, // results of health checks
    CMSG_ADMIN,    // administrative registers
};

#define MEMBER_MSG_ENTRIES 16

// PING, ACK, PING_REQ, GOSSIP, SYNC
struct member_msg {
    enum cluster_msg_kind kind;
    uint64_t seq;             // PING, PING_REQ: the asker's number; ACK: the same number back
    uint32_t asker;           // PING, ACK: on whose behalf, mostly the sender
    uint32_t target;          // PING_REQ: whom to ping; ACK: who answered
    bool want_reply;          // SYNC
    uint64_t admin_digest;    // PING, ACK: of the sender's administrative registers, see admin_state_digest()
    struct member_entry self; // the sender on itself
    uint32_t count;
    struct member_entry entries[MEMBER_MSG_ENTRIES];
};

enum verdict { VERDICT_NONE /* not checked */, VERDICT_UP, VERDICT_DOWN };

// One node's verdict on one server.
struct verdict_report {
    struct str name;
    enum verdict verdict;
    bool failing; // the last check failed, though too few did to call it down
    uint64_t seq; // raised by the reporter at each change or repetition
    uint32_t age_ms;
    uint32_t inter_ms; // time between its checks: the report is fresh for three of them
};

#define VERDICT_MSG_REPORTS 64
struct verdict_msg {
    uint64_t boot; // of the sender
    uint32_t count;
    struct verdict_report reports[VERDICT_MSG_REPORTS];
};

// What an administrator set for a server through the runtime API of any node.
enum admin_field { ADMIN_STATE, ADMIN_WEIGHT, ADMIN_FIELD_COUNT };
enum admin_server_state { ADMIN_READY, ADMIN_DRAIN, ADMIN_MAINT };

// A register: the newest stamp wins; of equal stamps the greater value, so that merging needs no name of the writer.
struct admin_register {
    struct str name;
    enum admin_field field;
    int32_t value;  // enum admin_server_state, or a weight 0..256
    uint64_t stamp; // hybrid logical clock, see hlc.h
};

#define ADMIN_MSG_REGISTERS 64
struct admin_msg {
    uint32_t count;
    struct admin_register registers[ADMIN_MSG_REGISTERS];
};

// Strings borrow the bytes that the message was decoded from.
struct cluster_msg {
    enum cluster_msg_kind kind;
    uint32_t from;
    union {
        struct member_msg member;
        struct verdict_msg verdicts;
        struct admin_msg admin;
    };
};

const char *member_state_name(enum member_state state);

#endif
