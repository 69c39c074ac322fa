// SPDX-License-Identifier: Apache-2.0
// Inside of membership, shared by its three files: membership.c (events in, queries), member_belief.c (what is believed
// of whom) and member_probe.c (whom to ask, whom to tell). For no one else.
#ifndef PHX_CLUSTER_MEMBERSHIP_INT_H
#define PHX_CLUSTER_MEMBERSHIP_INT_H

#include "cluster/membership.h"

// Own lateness (Lifeguard's local health): 0 = on time; this value doubles the time from suspect to dead.
#define MEMBER_LATENESS_MAX 8

struct member {
    enum member_state state; // as shown: `declared`, or what it is accused of; see member_set_state()
    enum member_state declared;
    bool forgotten;
    bool isolated;
    uint64_t boot;
    uint32_t refutation;
    uint32_t info_seq, conns; // info_seq 0 = conns unknown
    uint8_t gossip_left;      // how many more messages shall carry its entry
    mono_t suspect_since, dead_at;
    mono_t alive_at;      // last evidence of life, also through others
    mono_t seen_at;       // last message from itself
    mono_t waiting_since; // first ping since the last evidence; NEVER = none is out
    mono_t indirect_at;   // when others were asked last
    uint64_t ping_seq;    // of the last ping, for the round-trip time
    mono_t ping_at;
    int64_t rtt_us;
};

struct membership {
    struct member members[CLUSTER_NODES_MAX];
    uint32_t count, self;
    uint64_t random; // state of member_random()
    uint64_t ping_seq;
    mono_t next_round, next_sync;
    uint32_t round;
    bool holding; // between LATE and DRAINED: nothing is judged
    unsigned lateness, calm_rounds;
    uint32_t rotation[CLUSTER_NODES_MAX]; // sparse probing: a shuffled order …
    uint32_t rotation_at, rotation_len;   // … and the place in it
    uint32_t gossip_at;                   // where the last choice of news ended
    bool news;                            // learned in this step, told at its end
    uint64_t bad_messages;
    mono_t now;                 // of the step that runs
    struct member_actions *out; // of the step that runs
};

// member_belief.c
void member_set_state(struct membership *ms, uint32_t node, enum member_state to, bool new_life, const char *why);
void member_merge(struct membership *ms, const struct member_entry *e);
void member_declare(struct membership *ms, enum member_state state);
void member_suspect(struct membership *ms, uint32_t node, const char *why);
void member_die(struct membership *ms, uint32_t node);
void member_evidence(struct membership *ms, uint32_t node);
struct member_entry member_entry_of(const struct membership *ms, uint32_t node);
bool member_entry_sane(const struct membership *ms, const struct member_entry *e);
static inline bool member_accused(const struct member *m)
{
    return m->state == MEMBER_SUSPECT || m->state == MEMBER_DEAD;
}

// member_probe.c
void member_round(struct membership *ms);
void member_judge(struct membership *ms);
void member_ping(struct membership *ms, uint32_t node);
void member_probe_indirectly(struct membership *ms, uint32_t node);
void member_push_news(struct membership *ms);
void member_sync(struct membership *ms, uint32_t to, bool want_reply);
// A message to `to` with what it must know; `about` = a member whose entry must be in it, or CLUSTER_NO_NODE. Valid
// until the next one.
struct member_msg *member_send(struct membership *ms, enum cluster_msg_kind kind, uint32_t to, uint32_t about);
bool member_is_mesh(const struct membership *ms);
uint64_t member_random(struct membership *ms);

struct member_action *member_act(struct membership *ms, enum member_action_kind kind, uint32_t node);

#endif
