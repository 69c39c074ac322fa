// SPDX-License-Identifier: Apache-2.0
// What must hold: nobody who lives is called dead without a fault that explains it; the dead are known in time; votes
// never take the last server that passes here; and when all has healed, all agree on everything.
#include <stdlib.h>
#include <string.h>

#include "node/base/panic.h"
#include "world.h"

#define MS           1000LL
#define MUST_KNOW_US (3000 * MS)
#define SETTLED_US   (5000 * MS) // a node that runs for so long knows the others

struct samples judge_deaths, judge_verdicts;

struct end_of_life {
    int64_t at_us, lived_us;
    uint64_t boot;
};

struct judge {
    struct end_of_life *ends;           // by node: its last crash
    int64_t down_since_us[SIM_SERVERS]; // first verdict of the change; 0 = nobody has seen it
    bool *asked;                        // [server * nodes + node]: check-now arrived
};

// ---- samples ----

static void add_sample(struct samples *s, int64_t us)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->us = realloc(s->us, s->cap * sizeof(*s->us));
        ASSERT(s->us != NULL);
    }
    s->us[s->count++] = us;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t samples_percentile(struct samples *s, double p)
{
    if (s->count == 0)
        return 0;
    qsort(s->us, s->count, sizeof(*s->us), by_value);
    size_t at = (size_t)(p * (double)s->count);
    return s->us[at < s->count ? at : s->count - 1];
}

void samples_free(struct samples *s)
{
    free(s->us);
    *s = (struct samples){0};
}

struct judge *judge_create(struct world *w)
{
    struct judge *j = calloc(1, sizeof(*j));
    ASSERT(j != NULL);
    j->ends = calloc(w->options.nodes, sizeof(*j->ends));
    j->asked = calloc((size_t)w->options.nodes * SIM_SERVERS, sizeof(*j->asked));
    ASSERT(j->ends != NULL && j->asked != NULL);
    return j;
}

void judge_destroy(struct judge **judge)
{
    free((*judge)->ends);
    free((*judge)->asked);
    free(*judge);
    *judge = NULL;
}

// ---- life and death ----

// A node that was awake, on time and settled since `since_us` has no excuse.
static bool no_excuse(const struct world *w, uint32_t node, int64_t since_us)
{
    const struct sim_node *n = &w->nodes[node];
    return n->core != NULL && !n->paused && n->pause_end_us + SETTLED_US < since_us && n->late_us < since_us &&
           n->started_us + SETTLED_US < since_us && w->now_us >= w->disturbed_until_us;
}

void judge_crash(struct world *w, uint32_t node)
{
    w->judge->ends[node] = (struct end_of_life){
        .at_us = w->now_us, .lived_us = w->now_us - w->nodes[node].started_us, .boot = w->nodes[node].boot};
    world_at(w, MUST_KNOW_US, EVENT_MUST_KNOW, node, 0, w->nodes[node].boot);
}

// With no carrier between two nodes, nor one over a third that is awake, the one cannot know that the other lives.
static bool reachable(const struct world *w, uint32_t from, uint32_t to)
{
    for (uint32_t via = 0; via < w->options.nodes; via++) {
        if (via == from || via == to ? world_linked(w, from, to)
                                     : world_linked(w, from, via) && world_linked(w, via, to) && !w->nodes[via].paused)
            return true;
    }
    return false;
}

// Whether somebody may call this living node dead now.
static bool doubtful(struct world *w, uint32_t by, uint32_t node)
{
    struct sim_node *n = &w->nodes[node];
    if (!reachable(w, by, node) && n->doubt_until_us < w->now_us + HEARSAY_US)
        n->doubt_until_us = w->now_us + HEARSAY_US;
    return w->now_us < w->disturbed_until_us || w->now_us < n->doubt_until_us;
}

void judge_state(struct world *w, uint32_t by, uint32_t node, uint64_t boot, enum member_state to)
{
    const struct sim_node *n = &w->nodes[node];
    const struct end_of_life *end = &w->judge->ends[node];
    bool alive = n->core != NULL && boot == n->boot;
    if (to == MEMBER_SUSPECT && alive && w->options.faults == FAULTS_NONE)
        world_fail(w, "%s suspects %s though nothing is broken", w->names[by], w->names[node]);
    if (to != MEMBER_DEAD)
        return;
    if (alive && !doubtful(w, by, node))
        world_fail(w, "%s calls %s dead, which lives", w->names[by], w->names[node]);
    if (!alive && end->boot == boot && no_excuse(w, by, end->at_us))
        add_sample(&judge_deaths, w->now_us - end->at_us);
}

void judge_must_know(struct world *w, uint32_t node, uint64_t boot)
{
    const struct end_of_life *end = &w->judge->ends[node];
    if (world_running(w, node) || end->boot != boot || end->lived_us < SETTLED_US)
        return; // it is back, and the new life is what must be known; or hardly anybody knew it
    for (uint32_t by = 0; by < w->options.nodes; by++) {
        if (by == node || !no_excuse(w, by, end->at_us))
            continue;
        enum member_state state = membership_state(core_membership(w->nodes[by].core), node);
        if (state != MEMBER_DEAD)
            world_fail(w, "%s calls %s %s, %lld ms after its crash", w->names[by], w->names[node],
                       member_state_name(state), (long long)(MUST_KNOW_US / MS));
    }
}

// Others may call it dead; and what it believed of others when it fell asleep, it believes and tells when it wakes.
void judge_long_sleep(struct world *w, uint32_t node, int64_t us)
{
    int64_t until = w->now_us + us + HEARSAY_US;
    for (uint32_t i = 0; i < w->options.nodes; i++) {
        struct sim_node *n = &w->nodes[i];
        if (i == node || (n->doubt_until_us > w->now_us && n->doubt_until_us < until))
            n->doubt_until_us = until;
    }
}

// ---- health ----

void judge_server_changed(struct world *w, uint32_t server)
{
    w->judge->down_since_us[server] = 0;
    memset(&w->judge->asked[server * w->options.nodes], 0, w->options.nodes);
}

void judge_posted_down(struct world *w, uint32_t by, uint32_t server)
{
    int64_t *since = &w->judge->down_since_us[server];
    if (*since == 0)
        *since = w->now_us;
}

void judge_check_asked(struct world *w, uint32_t by, uint32_t server)
{
    int64_t since = w->judge->down_since_us[server];
    bool *asked = &w->judge->asked[server * w->options.nodes + by];
    if (since != 0 && !*asked && no_excuse(w, by, since))
        add_sample(&judge_verdicts, w->now_us - since);
    *asked = true;
}

void judge_votes(struct world *w, uint32_t by)
{
    const struct sim_node *n = &w->nodes[by];
    bool passing = false, serving = false;
    for (uint32_t s = 0; s < SIM_SERVERS; s++) {
        passing |= n->own[s] == VERDICT_UP;
        serving |= n->own[s] == VERDICT_UP && !n->voted_down[s];
    }
    if (passing && !serving)
        world_fail(w, "votes took the last server that passes at %s", w->names[by]);
}

// ---- the end ----

static void agree_on_nodes(struct world *w, uint32_t by)
{
    const struct membership *m = core_membership(w->nodes[by].core);
    for (uint32_t n = 0; n < w->options.nodes; n++) {
        struct member_info info;
        membership_get(m, n, &info);
        if (info.state != MEMBER_UP || info.boot != w->nodes[n].boot)
            world_fail(w, "at the end %s calls %s %s in life %llu, which is up in %llu", w->names[by], w->names[n],
                       member_state_name(info.state), (unsigned long long)info.boot,
                       (unsigned long long)w->nodes[n].boot);
    }
    if (membership_bad_messages(m) > 0)
        world_fail(w, "%s got messages that made no sense", w->names[by]);
}

static void agree_on_servers(struct world *w, uint32_t by)
{
    for (uint32_t s = 0; s < SIM_SERVERS; s++) {
        char name[] = "app/s0";
        name[5] = (char)('0' + s);
        if (health_effective_down(core_health(w->nodes[by].core), str_of(name)) != w->server_down[s])
            world_fail(w, "at the end %s is wrong about %s", w->names[by], name);
    }
}

void judge_end(struct world *w)
{
    if (w->failure[0] != '\0')
        return;
    for (uint32_t n = 0; n < w->options.nodes; n++) {
        if (!world_running(w, n)) {
            world_fail(w, "%s does not run at the end", w->names[n]);
            return;
        }
        agree_on_nodes(w, n);
        agree_on_servers(w, n);
        const struct admin_state *first = core_admin_state(w->nodes[0].core),
                                 *mine = core_admin_state(w->nodes[n].core);
        if (admin_state_digest(first) != admin_state_digest(mine))
            world_fail(w, "at the end %s and %s differ in administration", w->names[0], w->names[n]);
    }
}
