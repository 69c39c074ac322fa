// SPDX-License-Identifier: Apache-2.0
// What is believed of each member: merging of entries, accusation and refutation, and the one function that changes a
// state. Of two entries the higher (boot, refutation, accused) wins; so all orders of messages end in the same belief.
#include "cluster/membership_int.h"
#include "node/base/panic.h"

// A receiver of a rumour waits a little longer than its author, so that the author's refuted or confirmed word comes
// first.
#define RUMOUR_SLACK_MS 100

#define BIT(state) (1u << (state))
#define SERVING    (BIT(MEMBER_UP) | BIT(MEMBER_DRAINING) | BIT(MEMBER_DRAINED) | BIT(MEMBER_MAINTENANCE))
#define ENDED      (BIT(MEMBER_SUSPECT) | BIT(MEMBER_DEAD) | BIT(MEMBER_LEFT))

// Which states may follow within one life (boot). In a new life all may but `unknown`.
static const unsigned legal_next[MEMBER_STATE_COUNT] = {
    [MEMBER_UNKNOWN] = BIT(MEMBER_JOINING) | SERVING | ENDED,
    [MEMBER_JOINING] = SERVING | ENDED,
    [MEMBER_UP] = SERVING | ENDED,
    [MEMBER_SUSPECT] = BIT(MEMBER_JOINING) | SERVING | ENDED,
    [MEMBER_DRAINING] = SERVING | ENDED,
    [MEMBER_DRAINED] = SERVING | ENDED,
    [MEMBER_MAINTENANCE] = SERVING | ENDED,
    [MEMBER_DEAD] = BIT(MEMBER_JOINING) | SERVING | ENDED,
    [MEMBER_LEFT] = 0,
};

void member_set_state(struct membership *ms, uint32_t node, enum member_state to, bool new_life, const char *why)
{
    struct member *m = &ms->members[node];
    enum member_state from = m->state;
    if (from == to && !new_life)
        return;
    ASSERT(new_life ? to != MEMBER_UNKNOWN : (legal_next[from] & BIT(to)) != 0);
    m->state = to;
    struct member_action *act = member_act(ms, MEMBER_ACT_STATE, node);
    act->state.from = from;
    act->state.to = to;
    act->state.boot = m->boot;
    act->state.new_life = new_life;
    act->state.why = why;
    if (to == MEMBER_DEAD)
        member_act(ms, MEMBER_ACT_REMAKE, node);
}

// So many messages carry an entry that it reaches everybody with near certainty: 3 × log2(members).
static uint8_t gossip_budget(const struct membership *ms)
{
    unsigned bits = 1;
    while ((ms->count >> bits) != 0)
        bits++;
    return (uint8_t)(3 * bits);
}

static void tell_others(struct membership *ms, uint32_t node)
{
    ms->members[node].gossip_left = gossip_budget(ms);
    ms->news = true;
}

static unsigned dead_after_ms(const struct membership *ms)
{
    return MEMBERSHIP_DEAD_MS * (MEMBER_LATENESS_MAX + ms->lateness) / MEMBER_LATENESS_MAX;
}

void member_evidence(struct membership *ms, uint32_t node)
{
    struct member *m = &ms->members[node];
    if (mono_before(m->alive_at, ms->now)) // it is later while links are dialled anew
        m->alive_at = ms->now;
    m->waiting_since = MONO_NEVER;
}

struct member_entry member_entry_of(const struct membership *ms, uint32_t node)
{
    const struct member *m = &ms->members[node];
    struct member_entry e = {
        .node = node,
        .declared = m->declared,
        .boot = m->boot,
        .refutation = m->refutation,
        .info_seq = m->info_seq,
        .conns = m->conns,
        .isolated = m->isolated,
    };
    if (m->state == MEMBER_DEAD) {
        e.accused = ACCUSED_DEAD;
    } else if (m->state == MEMBER_SUSPECT) {
        e.accused = ACCUSED_SUSPECT;
        e.age_ms = (uint32_t)mono_diff_ms(ms->now, m->suspect_since);
    }
    return e;
}

// What any peer may send without its link being at fault: an entry that breaks a rule is skipped.
bool member_entry_sane(const struct membership *ms, const struct member_entry *e)
{
    const unsigned declarable = BIT(MEMBER_JOINING) | SERVING | BIT(MEMBER_LEFT);
    if (e->node >= ms->count || (unsigned)e->declared >= MEMBER_STATE_COUNT || !(declarable & BIT(e->declared)))
        return false;
    if (e->boot == 0 || e->boot > INT64_MAX || e->refutation > INT32_MAX)
        return false;
    return e->accused == ACCUSED_NONE || e->declared != MEMBER_LEFT;
}

// ---- this node ----

static void raise_boot(struct membership *ms, uint64_t boot)
{
    struct member *self = &ms->members[ms->self];
    self->boot = boot;
    self->refutation = 0;
    member_act(ms, MEMBER_ACT_BOOT, ms->self)->boot = boot;
    ms->news = true;
}

// Somebody speaks of this node: an accusation is refuted, an unknown later life is overtaken.
static void merge_self(struct membership *ms, const struct member_entry *e)
{
    struct member *self = &ms->members[ms->self];
    if (e->boot > self->boot) {
        raise_boot(ms, e->boot + 1);
        return;
    }
    if (e->boot < self->boot || e->refutation < self->refutation)
        return;
    if (e->accused == ACCUSED_NONE && e->refutation == self->refutation)
        return;
    self->refutation = e->refutation + 1;
    if (self->declared != MEMBER_LEFT && ms->lateness < MEMBER_LATENESS_MAX)
        ms->lateness++; // others found this node slow
    ms->news = true;
}

void member_declare(struct membership *ms, enum member_state state)
{
    struct member *self = &ms->members[ms->self];
    ASSERT(state != MEMBER_UNKNOWN && state != MEMBER_SUSPECT && state != MEMBER_DEAD);
    if (self->declared == state)
        return;
    self->refutation++;
    self->declared = state;
    member_set_state(ms, ms->self, state, false, "declared");
    ms->news = true;
}

// ---- others ----

static void begin_suspicion(struct membership *ms, uint32_t node, uint32_t age_ms, unsigned slack_ms, const char *why)
{
    struct member *m = &ms->members[node];
    unsigned wait = dead_after_ms(ms);
    if (age_ms > wait)
        age_ms = wait;
    m->suspect_since = mono_add_ms(ms->now, -(int64_t)age_ms);
    m->dead_at = mono_add_ms(m->suspect_since, wait + slack_ms);
    member_set_state(ms, node, MEMBER_SUSPECT, false, why);
}

void member_suspect(struct membership *ms, uint32_t node, const char *why)
{
    begin_suspicion(ms, node, 0, 0, why);
    tell_others(ms, node);
}

void member_die(struct membership *ms, uint32_t node)
{
    ms->members[node].waiting_since = MONO_NEVER;
    member_set_state(ms, node, MEMBER_DEAD, false, "did not answer");
    tell_others(ms, node);
}

// Somebody accuses a member. Who hears it himself does not believe in its death, but lets it answer; and who reads what
// waited while he slept does not either: the refutation may be further down the pile.
static void accept_accusation(struct membership *ms, const struct member_entry *e)
{
    struct member *m = &ms->members[e->node];
    bool heard = mono_is_set(m->seen_at) && mono_diff_ms(ms->now, m->seen_at) < MEMBERSHIP_SUSPECT_MS;
    bool doubted = heard || ms->holding;
    if (e->accused == ACCUSED_DEAD && !doubted) {
        member_set_state(ms, e->node, MEMBER_DEAD, false, "said to be dead");
        return;
    }
    if (m->state == MEMBER_SUSPECT)
        return;
    if (e->accused == ACCUSED_SUSPECT && !ms->holding) {
        begin_suspicion(ms, e->node, e->age_ms, RUMOUR_SLACK_MS, "said to be silent");
        return;
    }
    begin_suspicion(ms, e->node, 0, RUMOUR_SLACK_MS, heard ? "said to be dead, but heard" : "accused long ago");
    member_ping(ms, e->node);
}

static void begin_life(struct membership *ms, const struct member_entry *e)
{
    struct member *m = &ms->members[e->node];
    m->boot = e->boot;
    m->refutation = e->refutation;
    m->declared = e->declared;
    m->info_seq = 0;
    m->isolated = false;
    m->seen_at = m->ping_at = MONO_NEVER;
    m->rtt_us = -1;
    member_evidence(ms, e->node);
    member_set_state(ms, e->node, e->declared, true, "new life");
}

// Within a life `joining` does not come back and `left` is final.
static bool declaration_legal(const struct member *m, const struct member_entry *e)
{
    if (m->declared == e->declared)
        return true;
    return e->declared != MEMBER_JOINING && m->declared != MEMBER_LEFT;
}

static enum accusation accused_of(const struct member *m)
{
    return m->state == MEMBER_DEAD ? ACCUSED_DEAD : m->state == MEMBER_SUSPECT ? ACCUSED_SUSPECT : ACCUSED_NONE;
}

static void merge_info(struct member *m, const struct member_entry *e)
{
    if (e->boot != m->boot || e->info_seq <= m->info_seq)
        return;
    m->info_seq = e->info_seq;
    m->conns = e->conns;
    m->isolated = e->isolated;
}

void member_merge(struct membership *ms, const struct member_entry *e)
{
    if (e->node == ms->self) {
        merge_self(ms, e);
        return;
    }
    struct member *m = &ms->members[e->node];
    if (m->forgotten || e->boot < m->boot)
        return;
    bool told = false;
    if (e->boot > m->boot) {
        begin_life(ms, e);
        told = true;
    } else if (e->refutation > m->refutation) {
        if (!declaration_legal(m, e)) {
            ms->bad_messages++;
            return;
        }
        m->refutation = e->refutation;
        m->declared = e->declared;
        member_evidence(ms, e->node);
        member_set_state(ms, e->node, e->declared, false, "says so");
        told = true;
    }
    if (e->refutation == m->refutation && e->accused > accused_of(m) && m->declared != MEMBER_LEFT) {
        enum member_state before = m->state;
        accept_accusation(ms, e);
        told |= m->state != before;
    }
    merge_info(m, e);
    if (told)
        tell_others(ms, e->node);
}
