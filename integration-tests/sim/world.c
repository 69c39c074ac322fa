// SPDX-License-Identifier: Apache-2.0
// Physics of the simulated cluster: time, packets, links that are lost and dialled anew, nodes that start, stop and
// sleep, and their health checks.
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/panic.h"

#define MS            1000LL // µs
#define START_US      1000000LL
#define WALL_US       1700000000000000LL
#define FIRST_BOOT    1000000
#define QUIET_SECONDS 15 // at the end: everything is healed and must come to agree

// ---- telling ----

// Every state change goes into the digest, so that a replay can be compared; it is printed only when asked for.
void world_trace(struct world *w, const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    w->digest = hash64(line, len < (int)sizeof(line) ? (size_t)len : sizeof(line) - 1, w->digest ^ (uint64_t)w->now_us);
    if (w->options.trace)
        printf("%10.4f  %s\n", (double)w->now_us / 1e6, line);
}

void world_fail(struct world *w, const char *fmt, ...)
{
    if (w->failure[0] != '\0')
        return;
    va_list ap;
    va_start(ap, fmt);
    int len = snprintf(w->failure, sizeof(w->failure), "at %.3f s: ", (double)w->now_us / 1e6);
    vsnprintf(w->failure + len, sizeof(w->failure) - (size_t)len, fmt, ap);
    va_end(ap);
}

void world_at(struct world *w, int64_t in_us, enum event_kind kind, uint32_t a, uint32_t b, uint64_t value)
{
    agenda_add(&w->agenda, (struct event){.at_us = w->now_us + in_us, .kind = kind, .a = a, .b = b, .value = value});
}

static struct core_time node_time(const struct sim_node *n)
{
    int64_t now = n->world->now_us;
    return (struct core_time){.mono = {START_US + now}, .wall_us = WALL_US + now + n->clock_skew_us};
}

// ---- links ----

static struct link *link_of(struct world *w, uint32_t a, uint32_t b)
{
    return a < b ? &w->links[a * w->options.nodes + b] : &w->links[b * w->options.nodes + a];
}

bool world_linked(const struct world *w, uint32_t a, uint32_t b)
{
    return w->links[a < b ? a * w->options.nodes + b : b * w->options.nodes + a].up;
}

static void dial_later(struct world *w, uint32_t a, uint32_t b, int64_t in_us)
{
    struct link *l = link_of(w, a, b);
    if (l->trying)
        return;
    l->trying = true;
    world_at(w, in_us, EVENT_LINK_UP, a, b, 0);
}

static void lose_link(struct world *w, uint32_t a, uint32_t b)
{
    struct link *l = link_of(w, a, b);
    if (l->up) {
        l->up = false;
        world_at(w, chance_between(&w->chance, 0, 5 * MS), EVENT_LINK_DOWN, a, b, w->nodes[a].epoch);
        world_at(w, chance_between(&w->chance, 0, 5 * MS), EVENT_LINK_DOWN, b, a, w->nodes[b].epoch);
    }
    dial_later(w, a, b, chance_between(&w->chance, 100 * MS, 1000 * MS));
}

static void on_dialled(struct world *w, uint32_t a, uint32_t b)
{
    struct link *l = link_of(w, a, b);
    struct sim_node *x = &w->nodes[a], *y = &w->nodes[b];
    l->trying = false;
    if (l->up || x->core == NULL || y->core == NULL)
        return; // who starts dials
    if (x->paused || y->paused || *world_cut(w, a, b) || *world_cut(w, b, a)) {
        dial_later(w, a, b, chance_between(&w->chance, 100 * MS, 1000 * MS));
        return;
    }
    l->up = true;
    core_link_up(x->core, b, node_time(x));
    core_link_up(y->core, a, node_time(y));
}

static void on_link_down(struct world *w, const struct event *ev)
{
    struct sim_node *n = &w->nodes[ev->a];
    if (n->core != NULL && n->epoch == ev->value && !n->paused && !link_of(w, ev->a, ev->b)->up)
        core_link_down(n->core, ev->b, node_time(n));
}

void world_notice_cut(struct world *w, uint32_t a, uint32_t b)
{
    if (*world_cut(w, a, b) || *world_cut(w, b, a))
        lose_link(w, a, b);
}

// ---- packets ----

static int64_t travel_us(struct world *w)
{
    int64_t us = chance_between(&w->chance, 100, 2 * MS) + w->extra_delay_us;
    // Links are TCP: a packet lost in the net comes late, it does not vanish.
    if (w->options.faults == FAULTS_MILD && chance_of(&w->chance, 0.01))
        us += chance_between(&w->chance, 10 * MS, 210 * MS);
    return us;
}

static void post_packet(struct world *w, uint32_t from, uint32_t to, struct str bytes)
{
    struct packet *p = malloc(sizeof(*p) + bytes.len);
    ASSERT(p != NULL);
    p->len = bytes.len;
    memcpy(p->bytes, bytes.ptr, bytes.len);
    int64_t at = w->now_us + travel_us(w), *last = &w->last_arrival[from * w->options.nodes + to];
    if (w->options.faults != FAULTS_WILD && at < *last)
        at = *last;
    *last = at;
    agenda_add(&w->agenda,
               (struct event){
                   .at_us = at, .kind = EVENT_DELIVER, .a = from, .b = to, .value = w->nodes[to].epoch, .packet = p});
}

static void on_send(void *arg, uint32_t to, struct str bytes)
{
    struct sim_node *n = arg;
    struct world *w = n->world;
    w->messages++;
    w->bytes += bytes.len;
    if (!link_of(w, n->number, to)->up || *world_cut(w, n->number, to) || chance_of(&w->chance, w->loss))
        return;
    post_packet(w, n->number, to, bytes);
    if (chance_of(&w->chance, w->duplicate))
        post_packet(w, n->number, to, bytes);
}

static void watch_lateness(struct world *w, struct sim_node *n);

static void hand_over(struct world *w, struct sim_node *n, uint32_t from, struct packet *p)
{
    watch_lateness(w, n);
    if (!core_receive(n->core, from, str_make(p->bytes, p->len), node_time(n)))
        world_fail(w, "%s refused a message of %s", w->names[n->number], w->names[from]);
    free(p);
}

static void keep_waiting(struct world *w, struct sim_node *n, uint32_t from, struct packet *p)
{
    if (n->waiting_count == n->waiting_cap) {
        n->waiting_cap = n->waiting_cap ? n->waiting_cap * 2 : 64;
        n->waiting = realloc(n->waiting, n->waiting_cap * sizeof(*n->waiting));
        ASSERT(n->waiting != NULL);
    }
    n->waiting[n->waiting_count++] = (struct waiting){from, p};
    if (n->waiting_count > 1000 + 400 * w->options.nodes)
        world_fail(w, "%u messages wait for %s: that is not bounded", n->waiting_count, w->names[n->number]);
}

static void on_deliver(struct world *w, const struct event *ev)
{
    struct sim_node *n = &w->nodes[ev->b];
    if (n->core == NULL || n->epoch != ev->value)
        free(ev->packet); // its connection died with the process
    else if (n->paused)
        keep_waiting(w, n, ev->a, ev->packet);
    else
        hand_over(w, n, ev->a, ev->packet);
}

static void drop_waiting(struct sim_node *n)
{
    for (unsigned i = 0; i < n->waiting_count; i++)
        free(n->waiting[i].packet);
    n->waiting_count = 0;
}

// ---- what a core tells ----

static void on_remake(void *arg, uint32_t node)
{
    struct sim_node *n = arg;
    lose_link(n->world, n->number, node);
}

static void on_node_state(void *arg, uint32_t node, uint64_t boot, enum member_state from, enum member_state to,
                          const char *why)
{
    struct sim_node *n = arg;
    struct world *w = n->world;
    world_trace(w, "%s: %s %s -> %s (%s)", w->names[n->number], w->names[node], member_state_name(from),
                member_state_name(to), why);
    judge_state(w, n->number, node, boot, to);
}

static void on_boot_raised(void *arg, uint64_t boot)
{
    struct sim_node *n = arg;
    n->boot = boot;
    world_trace(n->world, "%s: boot raised to %llu", n->world->names[n->number], (unsigned long long)boot);
}

static uint32_t server_number(struct str name)
{
    return (uint32_t)(name.ptr[name.len - 1] - '0');
}

static void on_voted_down(void *arg, struct str server, bool down)
{
    struct sim_node *n = arg;
    n->voted_down[server_number(server)] = down;
    world_trace(n->world, "%s: votes take %.*s %s", n->world->names[n->number], STR_ARG(server), down ? "down" : "up");
}

static void on_check_now(void *arg, struct str server)
{
    struct sim_node *n = arg;
    uint32_t s = server_number(server);
    judge_check_asked(n->world, n->number, s);
    world_at(n->world, chance_between(&n->world->chance, 1 * MS, 20 * MS), EVENT_CHECK_NOW, n->number, s, n->epoch);
}

static void on_isolated(void *arg, bool isolated)
{
    struct sim_node *n = arg;
    world_trace(n->world, "%s: isolated %d", n->world->names[n->number], isolated);
}

static void on_admin_set(void *arg, const struct admin_register *r)
{
}

// ---- nodes ----

static void arm_tick(struct world *w, struct sim_node *n, int64_t in_us)
{
    n->tick_due_us = w->now_us + in_us;
    int64_t late = chance_between(&w->chance, 0, 2 * MS);
    if (w->options.faults != FAULTS_NONE && !w->quiet && chance_of(&w->chance, 0.03))
        late = chance_between(&w->chance, 5 * MS, 180 * MS); // the processor is busy elsewhere
    world_at(w, in_us + late, EVENT_TICK, n->number, 0, ++n->ticks);
}

// As cluster.c does it: who wakes late says so before it reads, and judges when it has had time to read.
static void watch_lateness(struct world *w, struct sim_node *n)
{
    int64_t late_ms = (w->now_us - n->tick_due_us) / MS;
    if (late_ms <= MEMBERSHIP_LATE_MS)
        return;
    core_late(n->core, (unsigned)late_ms, node_time(n));
    n->holding = true;
    n->late_us = n->tick_due_us = w->now_us;
}

static void run_tick(struct world *w, struct sim_node *n)
{
    watch_lateness(w, n);
    if (n->holding && n->tick_due_us < w->now_us) {
        core_drained(n->core, node_time(n));
        n->holding = false;
    }
    core_tick(n->core, node_time(n));
    judge_votes(w, n->number);
    arm_tick(w, n, n->holding ? 10 * MS : MEMBERSHIP_TICK_MS * MS);
}

static void on_tick(struct world *w, const struct event *ev)
{
    struct sim_node *n = &w->nodes[ev->a];
    if (n->core != NULL && n->ticks == ev->value && !n->paused)
        run_tick(w, n); // a paused one ticks when it resumes
}

static uint64_t next_boot(struct world *w, const struct sim_node *n)
{
    if (w->options.faults == FAULTS_WILD && n->epoch > 0 && chance_of(&w->chance, 0.2))
        return n->epoch; // it lost its memory and its clock is wrong
    return n->epoch == 0 ? FIRST_BOOT : n->boot + 1;
}

static void start_node(struct world *w, uint32_t number)
{
    struct sim_node *n = &w->nodes[number];
    if (n->core != NULL)
        return;
    n->boot = next_boot(w, n);
    n->epoch++;
    n->started_us = w->now_us;
    n->paused = n->holding = false;
    n->doubt_until_us = 0;
    memset(n->own, 0, sizeof(n->own));
    memset(n->voted_down, 0, sizeof(n->voted_down));
    n->clock_skew_us = chance_between(&w->chance, -2000 * MS, 2000 * MS);
    struct core_options o = {.names = w->name_ptrs,
                             .node_count = w->options.nodes,
                             .self = number,
                             .health = HEALTH_QUORUM,
                             .boot = n->boot,
                             .seed = chance_next(&w->chance)};
    struct core_ports ports = {
        n, on_send, on_remake, on_node_state, on_boot_raised, on_voted_down, on_check_now, on_isolated, on_admin_set};
    world_trace(w, "%s starts, boot %llu", w->names[number], (unsigned long long)n->boot);
    n->core = core_create(&o, &ports, node_time(n));
    core_declare(n->core, MEMBER_UP, node_time(n));
    arm_tick(w, n, chance_between(&w->chance, 0, MEMBERSHIP_TICK_MS * MS));
    for (uint32_t s = 0; s < SIM_SERVERS; s++)
        world_at(w, chance_between(&w->chance, 0, SIM_INTER_MS * MS), EVENT_CHECK, number, s, n->epoch);
    for (uint32_t i = 0; i < w->options.nodes; i++)
        if (i != number)
            dial_later(w, number, i, chance_between(&w->chance, 10 * MS, 300 * MS));
}

static void stop_core(struct sim_node *n)
{
    if (n->core != NULL)
        core_destroy(&n->core);
    drop_waiting(n);
}

void world_crash(struct world *w, uint32_t number, bool machine)
{
    struct sim_node *n = &w->nodes[number];
    world_trace(w, "%s crashes%s", w->names[number], machine ? " with its machine" : "");
    judge_crash(w, number);
    stop_core(n);
    n->epoch++; // what is on its way to it is lost
    for (uint32_t i = 0; i < w->options.nodes; i++) {
        struct link *l = link_of(w, number, i);
        if (i == number || !l->up)
            continue;
        l->up = false;
        if (!machine) // the kernel resets its connections
            world_at(w, chance_between(&w->chance, 0, 5 * MS), EVENT_LINK_DOWN, i, number, w->nodes[i].epoch);
    }
}

void world_pause(struct world *w, uint32_t number, int64_t us)
{
    struct sim_node *n = &w->nodes[number];
    world_trace(w, "%s sleeps %lld ms", w->names[number], (long long)(us / MS));
    n->paused = true;
    n->pause_end_us = w->now_us + us;
    world_at(w, us, EVENT_RESUME, number, 0, n->epoch);
}

// What came meanwhile is read before or after the timer notices, as it happens.
static void on_resume(struct world *w, const struct event *ev)
{
    struct sim_node *n = &w->nodes[ev->a];
    if (n->core == NULL || n->epoch != ev->value)
        return;
    n->paused = false;
    bool tick_first = chance_of(&w->chance, 0.5);
    if (tick_first)
        run_tick(w, n);
    for (unsigned i = 0; i < n->waiting_count; i++)
        hand_over(w, n, n->waiting[i].from, n->waiting[i].packet);
    n->waiting_count = 0;
    if (!tick_first)
        run_tick(w, n);
}

// ---- servers and administrators ----

static void on_check(struct world *w, const struct event *ev)
{
    struct sim_node *n = &w->nodes[ev->a];
    if (n->core == NULL || n->epoch != ev->value)
        return;
    if (ev->kind == EVENT_CHECK)
        world_at(w, SIM_INTER_MS * MS, EVENT_CHECK, ev->a, ev->b, n->epoch);
    if (n->paused)
        return;
    char name[16];
    int len = snprintf(name, sizeof(name), "app/s%u", ev->b);
    enum verdict v = w->server_down[ev->b] ? VERDICT_DOWN : VERDICT_UP;
    if (v == VERDICT_DOWN && n->own[ev->b] != v)
        judge_posted_down(w, ev->a, ev->b);
    n->own[ev->b] = v;
    struct verdict_report r = {.name = str_make(name, (size_t)len), .verdict = v, .inter_ms = SIM_INTER_MS};
    core_verdict(n->core, &r, true, node_time(n));
}

static void on_server(struct world *w)
{
    if (w->quiet)
        return;
    uint32_t s = (uint32_t)chance_below(&w->chance, SIM_SERVERS);
    w->server_down[s] = !w->server_down[s];
    world_trace(w, "server s%u goes %s", s, w->server_down[s] ? "down" : "up");
    judge_server_changed(w, s);
    world_at(w, chance_between(&w->chance, 2000 * MS, 6000 * MS), EVENT_SERVER, 0, 0, 0);
}

static void on_admin(struct world *w)
{
    if (w->quiet)
        return;
    struct sim_node *n = &w->nodes[chance_below(&w->chance, w->options.nodes)];
    if (n->core != NULL && !n->paused) {
        enum admin_field field = (enum admin_field)chance_below(&w->chance, ADMIN_FIELD_COUNT);
        int32_t value = (int32_t)chance_below(&w->chance, 3);
        core_admin(n->core, chance_of(&w->chance, 0.5) ? STR("app/s0") : STR("app/s1"), field, value, node_time(n));
    }
    world_at(w, chance_between(&w->chance, 200 * MS, 3000 * MS), EVENT_ADMIN, 0, 0, 0);
}

// ---- the run ----

static void happen(struct world *w, const struct event *ev)
{
    switch (ev->kind) {
    case EVENT_TICK:
        on_tick(w, ev);
        break;
    case EVENT_DELIVER:
        on_deliver(w, ev);
        break;
    case EVENT_RESUME:
        on_resume(w, ev);
        break;
    case EVENT_START:
        start_node(w, ev->a);
        break;
    case EVENT_LINK_DOWN:
        on_link_down(w, ev);
        break;
    case EVENT_LINK_UP:
        on_dialled(w, ev->a, ev->b);
        break;
    case EVENT_CUT_NOTICED:
        world_notice_cut(w, ev->a, ev->b);
        break;
    case EVENT_FAULT:
        faults_strike(w);
        break;
    case EVENT_HEAL:
        faults_heal(w, ev->a);
        break;
    case EVENT_HEAL_ALL:
        w->quiet = true;
        faults_heal_all(w);
        break;
    case EVENT_CHECK:
    case EVENT_CHECK_NOW:
        on_check(w, ev);
        break;
    case EVENT_SERVER:
        on_server(w);
        break;
    case EVENT_ADMIN:
        on_admin(w);
        break;
    case EVENT_MUST_KNOW:
        judge_must_know(w, ev->a, ev->value);
        break;
    case EVENT_KIND_COUNT:
        PANIC("no event");
    }
}

void world_run(struct world *w)
{
    int64_t end_us = (int64_t)w->options.seconds * 1000 * MS;
    int64_t quiet_us = end_us - QUIET_SECONDS * 1000 * MS;
    for (uint32_t i = 0; i < w->options.nodes; i++)
        world_at(w, chance_between(&w->chance, 0, 500 * MS), EVENT_START, i, 0, 0);
    world_at(w, 3000 * MS, EVENT_SERVER, 0, 0, 0);
    world_at(w, 3000 * MS, EVENT_ADMIN, 0, 0, 0);
    world_at(w, quiet_us > 0 ? quiet_us : 0, EVENT_HEAL_ALL, 0, 0, 0);
    faults_schedule(w);
    struct event ev;
    while (w->failure[0] == '\0' && agenda_next(&w->agenda, &ev)) {
        if (ev.at_us > end_us) {
            free(ev.packet);
            break;
        }
        w->now_us = ev.at_us;
        happen(w, &ev);
    }
    size_t bound = 4096 + 64 * (size_t)w->options.nodes * w->options.nodes;
    if (w->agenda.most > bound)
        world_fail(w, "%zu events were under way at once: that is not bounded", w->agenda.most);
    judge_end(w);
}

static void *array(size_t count, size_t size)
{
    void *p = calloc(count, size);
    ASSERT(p != NULL);
    return p;
}

struct world *world_create(const struct sim_options *options)
{
    struct world *w = array(1, sizeof(*w));
    size_t n = options->nodes;
    w->options = *options;
    w->chance.state = options->seed;
    w->nodes = array(n, sizeof(*w->nodes));
    w->names = array(n, sizeof(*w->names));
    w->name_ptrs = array(n, sizeof(*w->name_ptrs));
    w->cut = array(n * n, sizeof(*w->cut));
    w->links = array(n * n, sizeof(*w->links));
    w->last_arrival = array(n * n, sizeof(*w->last_arrival));
    for (uint32_t i = 0; i < n; i++) {
        w->nodes[i] = (struct sim_node){.world = w, .number = i};
        snprintf(w->names[i], sizeof(w->names[i]), "n%u", i + 1);
        w->name_ptrs[i] = w->names[i];
    }
    w->judge = judge_create(w);
    return w;
}

void world_destroy(struct world **world)
{
    struct world *w = *world;
    *world = NULL;
    for (uint32_t i = 0; i < w->options.nodes; i++) {
        stop_core(&w->nodes[i]);
        free(w->nodes[i].waiting);
    }
    judge_destroy(&w->judge);
    agenda_free(&w->agenda);
    free(w->nodes);
    free(w->names);
    free(w->name_ptrs);
    free(w->cut);
    free(w->links);
    free(w->last_arrival);
    free(w);
}
