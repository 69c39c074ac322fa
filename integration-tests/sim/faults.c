// SPDX-License-Identifier: Apache-2.0
// What breaks: each fault strikes at a random time, for a random while, and heals. Those that can make a living node
// seem dead say so to the judge (disturbed_until_us).
#include <stdio.h>

#include "world.h"

#define MS 1000LL

enum fault_kind {
    FAULT_CRASH,
    FAULT_SLEEP,
    FAULT_LONG_SLEEP,
    FAULT_CUT, // from here on: wild only
    FAULT_CUT_ONE_WAY,
    FAULT_PARTITION,
    FAULT_LOSS,
    FAULT_SLOW,
    FAULT_DUPLICATES,
    FAULT_KINDS
};

static uint32_t some_node(struct world *w)
{
    return (uint32_t)chance_below(&w->chance, w->options.nodes);
}

static void disturb(struct world *w, int64_t for_us)
{
    int64_t until = w->now_us + for_us + HEARSAY_US;
    if (until > w->disturbed_until_us)
        w->disturbed_until_us = until;
}

static void crash(struct world *w)
{
    uint32_t n = some_node(w);
    if (!world_running(w, n))
        return;
    world_crash(w, n, chance_of(&w->chance, 0.5));
    world_at(w, chance_between(&w->chance, 500 * MS, 8000 * MS), EVENT_START, n, 0, 0);
}

static void sleep_a_while(struct world *w, int64_t least_us, int64_t most_us)
{
    uint32_t n = some_node(w);
    // Two sleeps without a word between them are one long sleep.
    if (!world_running(w, n) || w->nodes[n].paused || w->now_us < w->nodes[n].pause_end_us + 1000 * MS)
        return;
    int64_t us = chance_between(&w->chance, least_us, most_us);
    if (us > 500 * MS)
        judge_long_sleep(w, n, us);
    world_pause(w, n, us);
}

static void cut_way(struct world *w, uint32_t from, uint32_t to)
{
    *world_cut(w, from, to) = true;
    world_at(w, chance_between(&w->chance, 1000 * MS, 2000 * MS), EVENT_CUT_NOTICED, from, to, 0);
}

static void cut_some(struct world *w, bool both_ways)
{
    uint32_t a = some_node(w), b = some_node(w);
    if (a == b)
        return;
    world_trace(w, "cut %s %s %s", w->names[a], both_ways ? "-" : "->", w->names[b]);
    cut_way(w, a, b);
    if (both_ways)
        cut_way(w, b, a);
}

static void partition(struct world *w)
{
    uint64_t salt = chance_next(&w->chance);
    world_trace(w, "partition");
    for (uint32_t a = 0; a < w->options.nodes; a++)
        for (uint32_t b = 0; b < w->options.nodes; b++)
            if ((hash_mix64(salt ^ a) ^ hash_mix64(salt ^ b)) & 1)
                cut_way(w, a, b);
}

void faults_strike(struct world *w)
{
    if (w->quiet)
        return;
    uint64_t kinds = w->options.faults == FAULTS_WILD ? FAULT_KINDS : FAULT_CUT;
    enum fault_kind kind = (enum fault_kind)chance_below(&w->chance, kinds);
    int64_t for_us = chance_between(&w->chance, 200 * MS, 6000 * MS);
    if (kind >= FAULT_CUT) {
        disturb(w, for_us);
        world_at(w, for_us, EVENT_HEAL, kind, 0, 0);
    }
    switch (kind) {
    case FAULT_CRASH:
        crash(w);
        break;
    case FAULT_SLEEP:
        sleep_a_while(w, 20 * MS, 500 * MS);
        break;
    case FAULT_LONG_SLEEP:
        sleep_a_while(w, 500 * MS, 5000 * MS);
        break;
    case FAULT_CUT:
    case FAULT_CUT_ONE_WAY:
        cut_some(w, kind == FAULT_CUT);
        break;
    case FAULT_PARTITION:
        partition(w);
        break;
    case FAULT_LOSS:
        w->loss = (double)chance_below(&w->chance, 40) / 100;
        world_trace(w, "%.0f %% of packets are lost", w->loss * 100);
        break;
    case FAULT_SLOW:
        w->extra_delay_us = chance_between(&w->chance, 10 * MS, 300 * MS);
        world_trace(w, "packets take %lld ms longer", (long long)(w->extra_delay_us / MS));
        break;
    case FAULT_DUPLICATES:
        w->duplicate = 0.3;
        world_trace(w, "packets come twice");
        break;
    case FAULT_KINDS:
        break;
    }
    world_at(w, chance_between(&w->chance, 300 * MS, 4000 * MS), EVENT_FAULT, 0, 0, 0);
}

// A healed kind is healed wherever it struck: overlapping faults of one kind end together.
void faults_heal(struct world *w, uint32_t fault)
{
    size_t ways = (size_t)w->options.nodes * w->options.nodes;
    world_trace(w, "fault %u heals", fault);
    if (fault == FAULT_LOSS)
        w->loss = 0;
    else if (fault == FAULT_SLOW)
        w->extra_delay_us = 0;
    else if (fault == FAULT_DUPLICATES)
        w->duplicate = 0;
    else
        for (size_t i = 0; i < ways; i++)
            w->cut[i] = false;
}

void faults_heal_all(struct world *w)
{
    for (uint32_t kind = FAULT_CUT; kind < FAULT_KINDS; kind++)
        faults_heal(w, kind);
    for (uint32_t n = 0; n < w->options.nodes; n++)
        if (!world_running(w, n))
            world_at(w, chance_between(&w->chance, 0, 500 * MS), EVENT_START, n, 0, 0);
}

void faults_schedule(struct world *w)
{
    if (w->options.faults != FAULTS_NONE)
        world_at(w, 4000 * MS, EVENT_FAULT, 0, 0, 0);
}
