// SPDX-License-Identifier: Apache-2.0
// phalanx-sim: runs the production core of the cluster in virtual time, seed after seed, and stops at the first broken
// promise with the command that repeats it exactly.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

// What is promised: a dead node is known within 1.5 s, a failed server within 300 ms, for 99 of 100.
#define DEATH_P99_US   1500000
#define VERDICT_P99_US 300000

static const char usage[] = "Usage: phalanx-sim [--nodes N] [--seeds COUNT] [--seed FIRST] [--seconds S]\n"
                            "                   [--faults none|mild|wild] [--trace]\n"
                            "\n"
                            "  --nodes N       nodes of the cluster, 2 to 256 (5)\n"
                            "  --seeds COUNT   runs, with the seeds FIRST, FIRST+1 … (10)\n"
                            "  --seed FIRST    first seed (1); alone: only this one\n"
                            "  --seconds S     virtual seconds of a run, of which the last 15 are without faults (60)\n"
                            "  --faults LEVEL  what breaks (wild)\n"
                            "  --trace         print every change of state\n";

static const char *const fault_names[] = {"none", "mild", "wild"};

struct run_result {
    uint64_t digest, messages, bytes;
};

static bool run(const struct sim_options *o, struct run_result *result)
{
    struct world *w = world_create(o);
    world_run(w);
    *result = (struct run_result){w->digest, w->messages, w->bytes};
    bool ok = w->failure[0] == '\0';
    if (!ok) {
        printf("FAILED with seed %llu: %s\n", (unsigned long long)o->seed, w->failure);
        printf("again: phalanx-sim --nodes %u --seconds %u --faults %s --seed %llu --trace\n", o->nodes, o->seconds,
               fault_names[o->faults], (unsigned long long)o->seed);
    }
    world_destroy(&w);
    return ok;
}

// The first seed runs twice: a run that cannot be repeated is worth nothing.
static bool repeats(const struct sim_options *o, const struct run_result *first)
{
    struct run_result again;
    struct samples deaths = judge_deaths, verdicts = judge_verdicts;
    judge_deaths = judge_verdicts = (struct samples){0};
    bool same = run(o, &again) && again.digest == first->digest && again.messages == first->messages;
    samples_free(&judge_deaths);
    samples_free(&judge_verdicts);
    judge_deaths = deaths;
    judge_verdicts = verdicts;
    if (!same)
        printf("FAILED: seed %llu does not repeat itself\n", (unsigned long long)o->seed);
    return same;
}

static bool in_time(const char *what, struct samples *s, int64_t limit_us)
{
    int64_t p99 = samples_percentile(s, 0.99);
    printf("  %-28s %6zu samples, p50 %4lld ms, p99 %4lld ms, longest %4lld ms\n", what, s->count,
           (long long)(samples_percentile(s, 0.5) / 1000), (long long)(p99 / 1000),
           (long long)(samples_percentile(s, 1) / 1000));
    if (p99 <= limit_us)
        return true;
    printf("FAILED: %s takes longer than %lld ms\n", what, (long long)(limit_us / 1000));
    return false;
}

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    if (str_to_u64(str_of(text), out) && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "phalanx-sim: '%s' is no number from %llu to %llu\n", text, (unsigned long long)least,
            (unsigned long long)most);
    return false;
}

static bool parse_faults(const char *text, enum fault_level *level)
{
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, fault_names[i]) == 0) {
            *level = (enum fault_level)i;
            return true;
        }
    }
    fprintf(stderr, "phalanx-sim: --faults takes none, mild or wild\n");
    return false;
}

static bool parse(int argc, char **argv, struct sim_options *o, uint64_t *seeds)
{
    static const struct option options[] = {
        {"nodes", required_argument, NULL, 'n'},  {"seeds", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},   {"seconds", required_argument, NULL, 't'},
        {"faults", required_argument, NULL, 'f'}, {"trace", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    bool ok = true;
    uint64_t number = 0;
    *seeds = 0;
    for (int c; ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'n' && (ok = parse_number(optarg, 2, CLUSTER_NODES_MAX, &number)))
            o->nodes = (unsigned)number;
        else if (c == 'c')
            ok = parse_number(optarg, 1, 1000000, seeds);
        else if (c == 's' && (ok = parse_number(optarg, 0, UINT64_MAX, &o->seed)))
            *seeds = *seeds ? *seeds : 1;
        else if (c == 't' && (ok = parse_number(optarg, 20, 1000000, &number)))
            o->seconds = (unsigned)number;
        else if (c == 'f')
            ok = parse_faults(optarg, &o->faults);
        else if (c == 'v')
            o->trace = true;
        else if (c == 'h' || c == '?')
            ok = false;
    }
    if (*seeds == 0)
        *seeds = 10;
    if (!ok || optind < argc)
        fputs(usage, stderr);
    return ok && optind == argc;
}

int main(int argc, char **argv)
{
    struct sim_options o = {.nodes = 5, .seconds = 60, .seed = 1, .faults = FAULTS_WILD};
    struct run_result result, sum = {0};
    uint64_t seeds;
    if (!parse(argc, argv, &o, &seeds))
        return 2;
    bool ok = true;
    uint64_t first = o.seed;
    for (uint64_t i = 0; ok && i < seeds; i++) {
        o.seed = first + i;
        ok = run(&o, &result);
        if (ok && i == 0 && !o.trace)
            ok = repeats(&o, &result);
        sum.messages += result.messages;
        sum.bytes += result.bytes;
    }
    if (ok) {
        printf("%u nodes, %llu x %u s, faults %s, seeds %llu to %llu: all promises kept\n", o.nodes,
               (unsigned long long)seeds, o.seconds, fault_names[o.faults], (unsigned long long)first,
               (unsigned long long)o.seed);
        double node_seconds = (double)seeds * o.seconds * o.nodes;
        printf("  messages a node a second     %6.0f, %.1f kB\n", (double)sum.messages / node_seconds,
               (double)sum.bytes / node_seconds / 1000);
        // In wild runs few samples are free of other faults: their times are told, not judged.
        bool judged = o.faults != FAULTS_WILD;
        ok = in_time("death known by a survivor", &judge_deaths, judged ? DEATH_P99_US : INT64_MAX);
        ok &= in_time("failure known by a node", &judge_verdicts, judged ? VERDICT_P99_US : INT64_MAX);
    }
    samples_free(&judge_deaths);
    samples_free(&judge_verdicts);
    return ok ? 0 : 1;
}
