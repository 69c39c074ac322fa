// SPDX-License-Identifier: Apache-2.0
// A simulated cluster: nodes that run the production core, links between them, and servers that they check, in virtual
// time. world.c is physics, faults.c breaks things, judge.c says what must hold.
#ifndef PHX_SIM_WORLD_H
#define PHX_SIM_WORLD_H

#include "agenda.h"
#include "cluster/core.h"
#include "random.h"

#define SIM_SERVERS  4
#define SIM_INTER_MS 1000
// For so long after a fault has healed the living may still be called dead by who has not heard.
#define HEARSAY_US 3000000LL

// none: nothing breaks. mild: late ticks, pauses up to 500 ms, 1 % of packets delayed by retransmission, crashes;
// nobody who lives may be called dead. wild: also cuts in one or both directions, partitions, loss, duplicates, long
// pauses.
enum fault_level { FAULTS_NONE, FAULTS_MILD, FAULTS_WILD };

struct sim_options {
    unsigned nodes, seconds;
    uint64_t seed;
    enum fault_level faults;
    bool trace;
};

struct samples {
    int64_t *us;
    size_t count, cap;
};

struct waiting { // a packet that came during a pause
    uint32_t from;
    struct packet *packet;
};

struct sim_node {
    struct world *world;
    uint32_t number;
    struct core *core; // NULL = not running
    uint64_t boot;     // of this life, or the last
    uint64_t epoch;    // one more at each start; events of an earlier one are void
    int64_t clock_skew_us;
    bool paused, holding;
    uint64_t ticks; // only the last one armed counts
    int64_t started_us, tick_due_us, pause_end_us;
    int64_t late_us;        // when it last woke too late
    int64_t doubt_until_us; // slept so long that others may call it dead until then
    struct waiting *waiting;
    unsigned waiting_count, waiting_cap;
    enum verdict own[SIM_SERVERS];
    bool voted_down[SIM_SERVERS];
};

struct link { // of an unordered pair, kept by its lower number
    bool up, trying;
};

struct world {
    struct sim_options options;
    struct chance chance;
    struct agenda agenda;
    int64_t now_us;
    struct sim_node *nodes;
    char (*names)[16];
    const char **name_ptrs;
    bool *cut;             // [from * nodes + to]
    struct link *links;    // [a * nodes + b], a < b
    int64_t *last_arrival; // [from * nodes + to]: mild links keep order
    bool server_down[SIM_SERVERS];
    double loss, duplicate; // of packets, for now
    int64_t extra_delay_us;
    bool quiet;                 // the last part of the run: all is healed
    int64_t disturbed_until_us; // until then even the living may be called dead
    uint64_t digest, messages, bytes;
    struct judge *judge;
    char failure[256]; // first broken promise; "" = none
};

struct world *world_create(const struct sim_options *options);
void world_destroy(struct world **w);
void world_run(struct world *w);

void world_at(struct world *w, int64_t in_us, enum event_kind kind, uint32_t a, uint32_t b, uint64_t value);
void world_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline bool *world_cut(struct world *w, uint32_t from, uint32_t to)
{
    return &w->cut[from * w->options.nodes + to];
}
static inline bool world_running(const struct world *w, uint32_t n)
{
    return w->nodes[n].core != NULL;
}
bool world_linked(const struct world *w, uint32_t a, uint32_t b);
// machine = nobody is told; else its links are reset.
void world_crash(struct world *w, uint32_t n, bool machine);
void world_pause(struct world *w, uint32_t n, int64_t us);
void world_notice_cut(struct world *w, uint32_t a, uint32_t b);

// faults.c
void faults_schedule(struct world *w);
void faults_strike(struct world *w);
void faults_heal(struct world *w, uint32_t fault);
void faults_heal_all(struct world *w);

// judge.c
struct judge *judge_create(struct world *w);
void judge_destroy(struct judge **j);
void judge_state(struct world *w, uint32_t by, uint32_t node, uint64_t boot, enum member_state to);
void judge_crash(struct world *w, uint32_t node);
void judge_long_sleep(struct world *w, uint32_t node, int64_t us);
void judge_must_know(struct world *w, uint32_t node, uint64_t boot);
void judge_posted_down(struct world *w, uint32_t by, uint32_t server);
void judge_server_changed(struct world *w, uint32_t server);
void judge_votes(struct world *w, uint32_t by);
void judge_check_asked(struct world *w, uint32_t by, uint32_t server);
void judge_end(struct world *w);
// Crash to known dead by a survivor; first verdict to check-now elsewhere. Appended to by every run.
extern struct samples judge_deaths, judge_verdicts;
int64_t samples_percentile(struct samples *s, double p); // sorts; 0 when empty
void samples_free(struct samples *s);

#endif
