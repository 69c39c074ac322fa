// SPDX-License-Identifier: Apache-2.0
// Membership: events in, actions out, and what others may ask. What is believed of whom is in member_belief.c, whom to
// ask and whom to tell in member_probe.c.
#include "cluster/membership.h"

#include <stdlib.h>

#include "cluster/membership_int.h"
#include "node/base/hash.h"
#include "node/base/panic.h"

struct membership *membership_create(const struct membership_options *o, mono_t now)
{
    ASSERT(o->node_count >= 1 && o->node_count <= CLUSTER_NODES_MAX && o->self < o->node_count && o->boot > 0);
    struct membership *ms = calloc(1, sizeof(*ms));
    ASSERT(ms != NULL);
    ms->self = o->self;
    ms->random = hash_mix64(o->seed) | 1;
    for (uint32_t i = 0; i < o->node_count; i++)
        membership_add(ms, now);
    struct member *self = &ms->members[ms->self];
    self->boot = o->boot;
    self->state = self->declared = MEMBER_JOINING;
    self->rtt_us = 0;
    // Nodes that start together do not ping together.
    ms->next_round = mono_add_ms(now, (int64_t)(member_random(ms) % MEMBERSHIP_PING_MS));
    return ms;
}

void membership_destroy(struct membership **m)
{
    free(*m);
    *m = NULL;
}

void member_actions_free(struct member_actions *actions)
{
    free(actions->items);
    *actions = (struct member_actions){0};
}

struct member_action *member_act(struct membership *ms, enum member_action_kind kind, uint32_t node)
{
    struct member_actions *out = ms->out;
    if (out->count == out->cap) {
        out->cap = out->cap ? out->cap * 2 : 16;
        out->items = realloc(out->items, out->cap * sizeof(*out->items));
        ASSERT(out->items != NULL);
    }
    struct member_action *action = &out->items[out->count++];
    action->kind = kind;
    action->node = node;
    return action;
}

uint32_t membership_add(struct membership *ms, mono_t now)
{
    if (ms->count == CLUSTER_NODES_MAX)
        return CLUSTER_NO_NODE;
    ms->members[ms->count] = (struct member){.rtt_us = -1};
    ms->rotation_len = 0; // shuffled anew
    return ms->count++;
}

void membership_forget(struct membership *ms, uint32_t node)
{
    ASSERT(node < ms->count && node != ms->self);
    ms->members[node] = (struct member){.forgotten = true, .rtt_us = -1};
    ms->rotation_len = 0;
}

// ---- events ----

static void on_ping(struct membership *ms, uint32_t from, const struct member_msg *msg)
{
    struct member_msg *ack = member_send(ms, CMSG_ACK, from, CLUSTER_NO_NODE);
    ack->seq = msg->seq;
    ack->asker = msg->asker;
    ack->target = ms->self;
}

static void measure_rtt(struct membership *ms, struct member *m, uint64_t seq)
{
    if (seq != m->ping_seq || !mono_is_set(m->ping_at))
        return;
    int64_t sample = mono_diff_us(ms->now, m->ping_at);
    m->rtt_us = m->rtt_us < 0 ? sample : (7 * m->rtt_us + sample) / 8;
    m->ping_at = MONO_NEVER;
}

static void on_ack(struct membership *ms, uint32_t from, const struct member_msg *msg)
{
    if (msg->asker == ms->self && msg->target == from) {
        measure_rtt(ms, &ms->members[from], msg->seq);
    } else if (msg->asker == ms->self) {
        member_evidence(ms, msg->target); // a relay vouches for it
    } else if (msg->target == from) {
        struct member_msg *relayed = member_send(ms, CMSG_ACK, msg->asker, from);
        relayed->seq = msg->seq;
        relayed->asker = msg->asker;
        relayed->target = from;
    }
}

static void on_ping_req(struct membership *ms, uint32_t from, const struct member_msg *msg)
{
    if (msg->target == ms->self) {
        on_ping(ms, from, msg);
        return;
    }
    struct member_msg *ping = member_send(ms, CMSG_PING, msg->target, CLUSTER_NO_NODE);
    ping->seq = msg->seq;
    ping->asker = from;
}

static bool nodes_sane(const struct membership *ms, uint32_t from, const struct member_msg *msg)
{
    return msg->self.node == from && msg->self.accused == ACCUSED_NONE && member_entry_sane(ms, &msg->self) &&
           msg->asker < ms->count && !ms->members[msg->asker].forgotten && msg->target < ms->count &&
           !ms->members[msg->target].forgotten && msg->count <= MEMBER_MSG_ENTRIES;
}

static void on_message(struct membership *ms, uint32_t from, const struct member_msg *msg)
{
    if (from >= ms->count || from == ms->self || ms->members[from].forgotten)
        return;
    if (!nodes_sane(ms, from, msg)) {
        ms->bad_messages++;
        return;
    }
    if (msg->self.boot < ms->members[from].boot) {
        // A message of an earlier life, or a node that lost its saved boot: tell it what is remembered.
        member_send(ms, CMSG_GOSSIP, from, from);
        return;
    }
    member_merge(ms, &msg->self);
    ms->members[from].seen_at = ms->now;
    member_evidence(ms, from);
    for (uint32_t i = 0; i < msg->count; i++) {
        if (member_entry_sane(ms, &msg->entries[i]))
            member_merge(ms, &msg->entries[i]);
        else
            ms->bad_messages++;
    }
    if (msg->kind == CMSG_PING)
        on_ping(ms, from, msg);
    else if (msg->kind == CMSG_ACK)
        on_ack(ms, from, msg);
    else if (msg->kind == CMSG_PING_REQ)
        on_ping_req(ms, from, msg);
    else if (msg->kind == CMSG_SYNC && msg->want_reply)
        member_sync(ms, from, false);
}

static void on_link_up(struct membership *ms, uint32_t node)
{
    member_ping(ms, node);
    // In a large cluster the periodic exchange is enough for those who know most already.
    if (member_is_mesh(ms) || ms->members[ms->self].state == MEMBER_JOINING)
        member_sync(ms, node, true);
}

static void on_link_down(struct membership *ms, uint32_t node)
{
    if (!member_state_is_live(ms->members[node].state))
        return;
    member_ping(ms, node);
    member_probe_indirectly(ms, node);
}

static mono_t later(mono_t t, unsigned by_ms, mono_t limit)
{
    mono_t moved = mono_add_ms(t, by_ms);
    return mono_is_set(t) ? (mono_before(limit, moved) ? limit : moved) : t;
}

// Time in which nothing was read says nothing about others' silence: their clocks are set forward by it. Who slept so
// long that others may have given it up must have its links dialled anew before it can hear anybody.
static void on_late(struct membership *ms, unsigned late_ms)
{
    mono_t fresh_death = mono_add_ms(ms->now, 2 * MEMBERSHIP_DEAD_MS);
    unsigned redial_ms = late_ms >= MEMBERSHIP_SUSPECT_MS ? MEMBERSHIP_REDIAL_MS : 0;
    mono_t heard = mono_add_ms(ms->now, redial_ms);
    ms->holding = true;
    ms->calm_rounds = 0;
    if (ms->lateness < MEMBER_LATENESS_MAX)
        ms->lateness++;
    for (uint32_t i = 0; i < ms->count; i++) {
        struct member *m = &ms->members[i];
        m->alive_at = later(m->alive_at, late_ms + redial_ms, heard);
        m->waiting_since = later(m->waiting_since, late_ms + redial_ms, heard);
        m->dead_at = later(m->dead_at, late_ms, fresh_death);
    }
}

static void on_tick(struct membership *ms)
{
    if (!ms->holding)
        member_judge(ms);
    if (mono_before(ms->now, ms->next_round))
        return;
    ms->next_round = mono_add_ms(ms->next_round, MEMBERSHIP_PING_MS);
    if (mono_before(ms->next_round, ms->now))
        ms->next_round = mono_add_ms(ms->now, MEMBERSHIP_PING_MS);
    member_round(ms);
}

static void on_info(struct membership *ms, uint32_t conns, bool isolated)
{
    struct member *self = &ms->members[ms->self];
    if (self->info_seq != 0 && self->conns == conns && self->isolated == isolated)
        return;
    if (self->isolated != isolated)
        ms->news = true;
    self->info_seq++;
    self->conns = conns;
    self->isolated = isolated;
}

void membership_step(struct membership *ms, const struct member_event *ev, mono_t now, struct member_actions *out)
{
    ms->now = now;
    ms->out = out;
    switch (ev->kind) {
    case MEMBER_EV_TICK:
        on_tick(ms);
        break;
    case MEMBER_EV_MESSAGE:
        on_message(ms, ev->node, ev->msg);
        break;
    case MEMBER_EV_LINK_UP:
        if (ev->node < ms->count && ev->node != ms->self && !ms->members[ev->node].forgotten)
            on_link_up(ms, ev->node);
        break;
    case MEMBER_EV_LINK_DOWN:
        if (ev->node < ms->count && ev->node != ms->self)
            on_link_down(ms, ev->node);
        break;
    case MEMBER_EV_LATE:
        on_late(ms, ev->late_ms);
        break;
    case MEMBER_EV_DRAINED:
        ms->holding = false;
        break;
    case MEMBER_EV_DECLARE:
        member_declare(ms, ev->state);
        break;
    case MEMBER_EV_INFO:
        on_info(ms, ev->info.conns, ev->info.isolated);
        break;
    }
    if (ms->news)
        member_push_news(ms);
    ms->news = false;
    ms->out = NULL;
}

// ---- queries ----

bool member_state_is_live(enum member_state state)
{
    return state != MEMBER_UNKNOWN && state != MEMBER_DEAD && state != MEMBER_LEFT;
}

void membership_get(const struct membership *ms, uint32_t node, struct member_info *info)
{
    ASSERT(node < ms->count);
    const struct member *m = &ms->members[node];
    *info = (struct member_info){
        .state = m->state,
        .boot = m->boot,
        .isolated = m->isolated,
        .forgotten = m->forgotten,
        .rtt_us = m->rtt_us,
        .conns = m->info_seq ? (int64_t)m->conns : -1,
        .seen_at = node == ms->self ? ms->now : m->seen_at,
    };
}

enum member_state membership_state(const struct membership *ms, uint32_t node)
{
    ASSERT(node < ms->count);
    return ms->members[node].state;
}

uint32_t membership_count(const struct membership *ms)
{
    return ms->count;
}

bool membership_majority(const struct membership *ms)
{
    unsigned members = 0, live = 0;
    for (uint32_t i = 0; i < ms->count; i++) {
        const struct member *m = &ms->members[i];
        if (m->forgotten || m->state == MEMBER_LEFT)
            continue;
        members++;
        live += member_state_is_live(m->state);
    }
    return live * 2 > members;
}

uint64_t membership_bad_messages(const struct membership *ms)
{
    return ms->bad_messages;
}
