// SPDX-License-Identifier: Apache-2.0
// Whom to ask and whom to tell: rounds of pings, indirect probes, judgement of silence, and the choice of news that
// ride on each message.
#include "cluster/membership_int.h"
#include "node/base/hash.h"

enum {
    DEAD_EVERY_ROUNDS = 5,   // in a mesh, the dead are pinged in every fifth round
    SYNC_MS = 5000,          // all that is known is exchanged with one member so often
    LATENESS_CALM_ROUNDS = 5 // punctual rounds that forgive one lateness
};

uint64_t member_random(struct membership *ms)
{
    ms->random += 0x9e3779b97f4a7c15ULL; // splitmix64
    return hash_mix64(ms->random);
}

bool member_is_mesh(const struct membership *ms)
{
    return ms->count <= MEMBERSHIP_MESH;
}

// ---- messages ----

static void add_entry(struct membership *ms, struct member_msg *msg, uint32_t node)
{
    if (msg->count < MEMBER_MSG_ENTRIES && ms->members[node].boot != 0)
        msg->entries[msg->count++] = member_entry_of(ms, node);
}

// News ride on every message, each a limited number of times; where the last choice ended the next begins.
static void add_news(struct membership *ms, struct member_msg *msg, uint32_t to, uint32_t about)
{
    for (uint32_t n = 0; n < ms->count && msg->count < MEMBER_MSG_ENTRIES; n++) {
        ms->gossip_at = (ms->gossip_at + 1) % ms->count;
        uint32_t node = ms->gossip_at;
        struct member *m = &ms->members[node];
        if (m->gossip_left == 0 || node == to || node == about || node == ms->self)
            continue;
        m->gossip_left--;
        add_entry(ms, msg, node);
    }
}

static struct member_msg *begin_msg(struct membership *ms, enum cluster_msg_kind kind, uint32_t to)
{
    struct member_msg *msg = &member_act(ms, MEMBER_ACT_SEND, to)->msg;
    msg->kind = kind;
    msg->seq = 0;
    msg->asker = msg->target = ms->self;
    msg->want_reply = false;
    msg->admin_digest = 0;
    msg->self = member_entry_of(ms, ms->self);
    msg->count = 0;
    return msg;
}

struct member_msg *member_send(struct membership *ms, enum cluster_msg_kind kind, uint32_t to, uint32_t about)
{
    struct member_msg *msg = begin_msg(ms, kind, to);
    // The accused hears it first: only it can refute.
    if (member_accused(&ms->members[to]) || about == to)
        add_entry(ms, msg, to);
    if (about != CLUSTER_NO_NODE && about != to)
        add_entry(ms, msg, about);
    add_news(ms, msg, to, about);
    return msg;
}

void member_sync(struct membership *ms, uint32_t to, bool want_reply)
{
    struct member_msg *msg = NULL;
    for (uint32_t i = 0; i < ms->count; i++) {
        if (i == ms->self || ms->members[i].boot == 0)
            continue;
        if (msg == NULL || msg->count == MEMBER_MSG_ENTRIES)
            msg = begin_msg(ms, CMSG_SYNC, to);
        add_entry(ms, msg, i);
    }
    if (msg == NULL)
        msg = begin_msg(ms, CMSG_SYNC, to);
    msg->want_reply = want_reply; // on the last piece only
}

// ---- choosing ----

enum { CHOOSE_LIVE = 1, CHOOSE_DEAD = 2 };

static bool eligible(const struct membership *ms, uint32_t node, unsigned which, uint32_t except)
{
    const struct member *m = &ms->members[node];
    if (node == ms->self || node == except || m->forgotten)
        return false;
    if (m->state == MEMBER_DEAD)
        return which & CHOOSE_DEAD;
    return (which & CHOOSE_LIVE) && member_state_is_live(m->state) && m->state != MEMBER_SUSPECT;
}

// Up to `want` different members at random; how many there were.
static unsigned choose(struct membership *ms, unsigned which, uint32_t except, unsigned want, uint32_t *chosen)
{
    uint32_t candidates[CLUSTER_NODES_MAX];
    unsigned n = 0, taken = 0;
    for (uint32_t i = 0; i < ms->count; i++)
        if (eligible(ms, i, which, except))
            candidates[n++] = i;
    while (taken < want && n > 0) {
        unsigned k = (unsigned)(member_random(ms) % n);
        chosen[taken++] = candidates[k];
        candidates[k] = candidates[--n];
    }
    return taken;
}

void member_push_news(struct membership *ms)
{
    if (ms->members[ms->self].state == MEMBER_LEFT) { // the last word goes to everybody
        for (uint32_t i = 0; i < ms->count; i++)
            if (eligible(ms, i, CHOOSE_LIVE, CLUSTER_NO_NODE) || ms->members[i].state == MEMBER_SUSPECT)
                member_send(ms, CMSG_GOSSIP, i, CLUSTER_NO_NODE);
        return;
    }
    uint32_t chosen[MEMBERSHIP_PUSH];
    unsigned n = choose(ms, CHOOSE_LIVE, CLUSTER_NO_NODE, MEMBERSHIP_PUSH, chosen);
    for (unsigned i = 0; i < n; i++)
        member_send(ms, CMSG_GOSSIP, chosen[i], CLUSTER_NO_NODE);
}

// ---- asking ----

void member_ping(struct membership *ms, uint32_t node)
{
    struct member *m = &ms->members[node];
    struct member_msg *msg = member_send(ms, CMSG_PING, node, CLUSTER_NO_NODE);
    msg->seq = m->ping_seq = ++ms->ping_seq;
    m->ping_at = ms->now;
    if (!mono_is_set(m->waiting_since))
        m->waiting_since = ms->now;
}

void member_probe_indirectly(struct membership *ms, uint32_t node)
{
    struct member *m = &ms->members[node];
    uint32_t relays[MEMBERSHIP_RELAYS];
    unsigned n = choose(ms, CHOOSE_LIVE, node, MEMBERSHIP_RELAYS, relays);
    for (unsigned i = 0; i < n; i++) {
        struct member_msg *msg = member_send(ms, CMSG_PING_REQ, relays[i], node);
        msg->seq = m->ping_seq;
        msg->target = node;
    }
    m->indirect_at = ms->now;
}

static void round_mesh(struct membership *ms)
{
    for (uint32_t i = 0; i < ms->count; i++) {
        const struct member *m = &ms->members[i];
        if (i == ms->self || m->forgotten || m->state == MEMBER_LEFT)
            continue;
        if (m->state != MEMBER_DEAD || (ms->round + i) % DEAD_EVERY_ROUNDS == 0)
            member_ping(ms, i);
    }
}

static void shuffle_rotation(struct membership *ms)
{
    ms->rotation_len = 0;
    for (uint32_t i = 0; i < ms->count; i++) {
        if (i == ms->self)
            continue;
        uint32_t k = (uint32_t)(member_random(ms) % (ms->rotation_len + 1));
        ms->rotation[ms->rotation_len] = ms->rotation[k];
        ms->rotation[k] = i;
        ms->rotation_len++;
    }
    ms->rotation_at = 0;
}

static void round_sparse(struct membership *ms)
{
    // Who did not answer is asked again …
    for (uint32_t i = 0; i < ms->count; i++) {
        const struct member *m = &ms->members[i];
        if (i != ms->self && mono_is_set(m->waiting_since) && member_state_is_live(m->state))
            member_ping(ms, i);
    }
    // … then the next in the rotation, which finds everybody within a bounded time …
    unsigned pinged = 0;
    for (uint32_t n = 0; n < ms->count && pinged < MEMBERSHIP_FANOUT; n++) {
        if (ms->rotation_at >= ms->rotation_len)
            shuffle_rotation(ms);
        uint32_t node = ms->rotation[ms->rotation_at++];
        const struct member *m = &ms->members[node];
        bool waiting = mono_is_set(m->waiting_since) && m->state != MEMBER_UNKNOWN;
        if (m->forgotten || m->state == MEMBER_DEAD || m->state == MEMBER_LEFT || waiting)
            continue;
        member_ping(ms, node);
        pinged++;
    }
    // … and one of the dead, in case a cut has healed.
    uint32_t dead;
    if (choose(ms, CHOOSE_DEAD, CLUSTER_NO_NODE, 1, &dead) == 1)
        member_ping(ms, dead);
}

static void sync_sometimes(struct membership *ms)
{
    if (!mono_is_set(ms->next_sync))
        ms->next_sync = mono_add_ms(ms->now, (int64_t)(member_random(ms) % SYNC_MS));
    if (mono_before(ms->now, ms->next_sync))
        return;
    ms->next_sync = mono_add_ms(ms->now, SYNC_MS);
    uint32_t partner;
    if (choose(ms, CHOOSE_LIVE, CLUSTER_NO_NODE, 1, &partner) == 1)
        member_sync(ms, partner, true);
}

void member_round(struct membership *ms)
{
    if (ms->members[ms->self].state == MEMBER_LEFT)
        return;
    ms->round++;
    if (ms->lateness > 0 && ++ms->calm_rounds >= LATENESS_CALM_ROUNDS) {
        ms->calm_rounds = 0;
        ms->lateness--;
    }
    if (ms->count < 2)
        return;
    if (member_is_mesh(ms))
        round_mesh(ms);
    else
        round_sparse(ms);
    sync_sometimes(ms);
}

// ---- judging ----

// A suspect dies when its time is over without a refutation; but not while it is heard of.
static void judge_suspect(struct membership *ms, uint32_t node)
{
    struct member *m = &ms->members[node];
    if (mono_before(m->suspect_since, m->alive_at)) {
        mono_t after_life = mono_add_ms(m->alive_at, MEMBERSHIP_DEAD_MS);
        if (mono_before(m->dead_at, after_life))
            m->dead_at = after_life;
    }
    if (mono_before(ms->now, m->dead_at))
        return;
    member_die(ms, node);
}

static int64_t silence_ms(const struct membership *ms, const struct member *m)
{
    if (member_is_mesh(ms))
        return mono_diff_ms(ms->now, m->alive_at);
    return mono_is_set(m->waiting_since) ? mono_diff_ms(ms->now, m->waiting_since) : 0;
}

void member_judge(struct membership *ms)
{
    if (ms->members[ms->self].state == MEMBER_LEFT)
        return;
    for (uint32_t i = 0; i < ms->count; i++) {
        struct member *m = &ms->members[i];
        if (i == ms->self || m->forgotten || !member_state_is_live(m->state))
            continue;
        int64_t silence = silence_ms(ms, m);
        if (m->state == MEMBER_SUSPECT)
            judge_suspect(ms, i);
        else if (silence >= MEMBERSHIP_SUSPECT_MS)
            member_suspect(ms, i, "silent");
        bool asked = mono_is_set(m->indirect_at) && mono_diff_ms(ms->now, m->indirect_at) < MEMBERSHIP_PING_MS;
        if (silence >= MEMBERSHIP_INDIRECT_MS && m->state != MEMBER_DEAD && !asked)
            member_probe_indirectly(ms, i);
    }
}
