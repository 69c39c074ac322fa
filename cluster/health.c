// SPDX-License-Identifier: Apache-2.0
// Shared health. Servers are kept by backend, since the votes never take a backend's last passing server. Events only
// note what changed; the tick counts votes and sends, so that a thousand verdicts at once cost one count a backend.
#include "cluster/health.h"

#include <stdlib.h>

#include "node/base/hash.h"
#include "node/base/panic.h"

// All backends are counted anew within so many ticks, so that old reports fade.
#define AGING_TICKS 10

struct vote {
    mono_t at; // when the check was made, by our clock
    uint64_t seq;
    uint32_t inter_ms;
    uint8_t verdict; // as reported
    uint8_t counted; // as counted last: NONE once it is too old
    bool failing;
};

struct tally {
    unsigned up, down;
};

struct server {
    char *name; // "backend/server"
    size_t name_len;
    struct backend *backend;
    enum verdict own;
    bool own_failing, usable;
    bool voted_down;
    bool unsent; // own verdict changed since it was sent
    uint32_t inter_ms;
    uint64_t seq;
    mono_t posted_at, sent_at;
    struct vote *votes; // by node
    uint32_t vote_count;
    struct tally others; // their fresh votes as counted last
};

struct backend {
    char *name;
    size_t name_len;
    struct server **servers; // in the order they became known
    unsigned count, cap;
    bool dirty; // to be counted at the next tick
};

struct health {
    uint32_t self;
    enum health_mode mode;
    uint64_t boot;
    uint64_t boots[CLUSTER_NODES_MAX]; // life that a node's reports must be of
    struct backend **backends;
    unsigned backend_count, backend_cap, aging_at;
    struct strmap backends_by_name, servers_by_name;
    unsigned server_count, own_up, own_down;
    bool isolated;
    uint64_t version;
    mono_t now;
    struct health_actions *out; // of the step that runs
};

struct health *health_create(uint32_t self, enum health_mode mode, uint64_t boot)
{
    struct health *h = calloc(1, sizeof(*h));
    ASSERT(h != NULL && self < CLUSTER_NODES_MAX);
    h->self = self;
    h->mode = mode;
    h->boot = boot;
    return h;
}

static void free_server(struct server *s)
{
    free(s->votes);
    free(s->name);
    free(s);
}

static void free_backend(struct backend *b)
{
    free(b->servers);
    free(b->name);
    free(b);
}

void health_destroy(struct health **health)
{
    struct health *h = *health;
    *health = NULL;
    for (unsigned i = 0; i < h->backend_count; i++) {
        for (unsigned k = 0; k < h->backends[i]->count; k++)
            free_server(h->backends[i]->servers[k]);
        free_backend(h->backends[i]);
    }
    free(h->backends);
    strmap_free(&h->backends_by_name);
    strmap_free(&h->servers_by_name);
    free(h);
}

void health_actions_free(struct health_actions *actions)
{
    free(actions->items);
    *actions = (struct health_actions){0};
}

static struct health_action *act(struct health *h, enum health_action_kind kind, uint32_t node)
{
    struct health_actions *out = h->out;
    if (out->count == out->cap) {
        out->cap = out->cap ? out->cap * 2 : 4;
        out->items = realloc(out->items, out->cap * sizeof(*out->items));
        ASSERT(out->items != NULL);
    }
    struct health_action *a = &out->items[out->count++];
    a->kind = kind;
    a->node = node;
    return a;
}

static struct str server_name(const struct server *s)
{
    return str_make(s->name, s->name_len);
}

// ---- the servers ----

// Room for one more pointer in an array that doubles.
static void *grow(void *array, unsigned count, unsigned *cap)
{
    if (count < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 4;
    array = realloc(array, *cap * sizeof(void *));
    ASSERT(array != NULL);
    return array;
}

static struct backend *backend_of(struct health *h, struct str server)
{
    ptrdiff_t slash = str_find_char(server, '/');
    struct str name = slash < 0 ? server : str_slice(server, 0, (size_t)slash);
    struct backend *b = strmap_get(&h->backends_by_name, name);
    if (b != NULL)
        return b;
    b = calloc(1, sizeof(*b));
    ASSERT(b != NULL);
    b->name = str_dup(name);
    b->name_len = name.len;
    strmap_put(&h->backends_by_name, str_make(b->name, b->name_len), b);
    h->backends = grow(h->backends, h->backend_count, &h->backend_cap);
    h->backends[h->backend_count++] = b;
    return b;
}

static struct server *add_server(struct health *h, struct str name)
{
    struct server *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    s->name = str_dup(name);
    s->name_len = name.len;
    s->backend = backend_of(h, name);
    struct backend *b = s->backend;
    b->servers = grow(b->servers, b->count, &b->cap);
    b->servers[b->count++] = s;
    strmap_put(&h->servers_by_name, server_name(s), s);
    h->server_count++;
    h->version++;
    return s;
}

static void remove_backend(struct health *h, struct backend *b)
{
    unsigned at = 0;
    while (h->backends[at] != b)
        at++;
    memmove(&h->backends[at], &h->backends[at + 1], (h->backend_count - at - 1) * sizeof(struct backend *));
    h->backend_count--;
    strmap_remove(&h->backends_by_name, str_make(b->name, b->name_len));
    free_backend(b);
}

static void count_own(struct health *h, enum verdict verdict, int by)
{
    if (verdict == VERDICT_UP)
        h->own_up += (unsigned)by;
    else if (verdict == VERDICT_DOWN)
        h->own_down += (unsigned)by;
}

static void on_gone(struct health *h, struct str name)
{
    struct server *s = strmap_remove(&h->servers_by_name, name);
    if (s == NULL)
        return;
    struct backend *b = s->backend;
    unsigned at = 0;
    while (b->servers[at] != s)
        at++;
    memmove(&b->servers[at], &b->servers[at + 1], (b->count - at - 1) * sizeof(struct server *));
    b->count--;
    b->dirty = true;
    count_own(h, s->own, -1);
    h->server_count--;
    h->version++;
    free_server(s);
    if (b->count == 0)
        remove_backend(h, b);
}

// ---- counting ----

static uint8_t count_vote(const struct vote *v, mono_t now)
{
    bool fresh = mono_diff_ms(now, v->at) <= (int64_t)HEALTH_FRESH_INTERS * v->inter_ms;
    return fresh ? v->verdict : VERDICT_NONE;
}

static void count_votes(struct health *h, struct server *s)
{
    struct tally t = {0};
    for (uint32_t i = 0; i < s->vote_count; i++) {
        struct vote *v = &s->votes[i];
        uint8_t counted = count_vote(v, h->now);
        if (counted != v->counted) {
            v->counted = counted;
            h->version++;
        }
        t.up += counted == VERDICT_UP;
        t.down += counted == VERDICT_DOWN;
    }
    s->others = t;
}

// What the votes say of a server before its backend's last one is spared. A tie leaves it to the node's own verdict,
// and to `up` when it has none.
static bool votes_say_down(const struct health *h, const struct server *s)
{
    struct tally t = s->others;
    if (h->mode == HEALTH_LOCAL)
        return false;
    if (h->mode == HEALTH_ANY)
        return t.down > 0;
    t.up += s->own == VERDICT_UP;
    t.down += s->own == VERDICT_DOWN;
    return t.down > t.up;
}

static bool passes_here(const struct server *s)
{
    return s->own == VERDICT_UP && s->usable;
}

static void set_voted(struct health *h, struct server *s, bool down)
{
    if (s->voted_down == down)
        return;
    s->voted_down = down;
    h->version++;
    struct health_action *a = act(h, HEALTH_ACT_VOTED, h->self);
    a->voted.name = server_name(s);
    a->voted.down = down;
}

// The votes would take all servers that pass here: the one to spare is the least accused, of equals one that serves
// now.
static bool spare_rather(const struct server *a, const struct server *b)
{
    if (b == NULL || a->others.down != b->others.down)
        return b == NULL || a->others.down < b->others.down;
    return b->voted_down && !a->voted_down;
}

static void count_backend(struct health *h, struct backend *b)
{
    const struct server *spared = NULL;
    bool one_remains = false;
    b->dirty = false;
    for (unsigned i = 0; i < b->count; i++) {
        struct server *s = b->servers[i];
        count_votes(h, s);
        if (!passes_here(s))
            continue;
        if (!votes_say_down(h, s))
            one_remains = true;
        else if (spare_rather(s, spared))
            spared = s;
    }
    for (unsigned i = 0; i < b->count; i++) {
        struct server *s = b->servers[i];
        set_voted(h, s, votes_say_down(h, s) && (one_remains || s != spared));
    }
}

static bool another_sees_it_up(const struct server *s)
{
    for (uint32_t i = 0; i < s->vote_count; i++)
        if (s->votes[i].counted == VERDICT_UP)
            return true;
    return false;
}

// Isolated: all that this node checks is down, and another node sees one of these up.
static bool find_isolated(const struct health *h)
{
    if (h->own_up > 0 || h->own_down == 0)
        return false;
    for (unsigned i = 0; i < h->backend_count; i++) {
        const struct backend *b = h->backends[i];
        for (unsigned k = 0; k < b->count; k++)
            if (b->servers[k]->own == VERDICT_DOWN && another_sees_it_up(b->servers[k]))
                return true;
    }
    return false;
}

// ---- telling ----

static void add_report(struct health *h, struct verdict_msg **msg, uint32_t to, struct server *s)
{
    if (*msg == NULL || (*msg)->count == VERDICT_MSG_REPORTS) {
        *msg = &act(h, HEALTH_ACT_SEND, to)->msg;
        (*msg)->boot = h->boot;
        (*msg)->count = 0;
    }
    // A verdict that was posted once and stands is as young as its interval: this node vouches for it.
    int64_t age = mono_diff_ms(h->now, s->posted_at);
    (*msg)->reports[(*msg)->count++] = (struct verdict_report){
        .name = server_name(s),
        .verdict = s->own,
        .failing = s->own_failing,
        .seq = s->seq,
        .age_ms = age < s->inter_ms ? (uint32_t)age : s->inter_ms,
        .inter_ms = s->inter_ms,
    };
}

static bool report_due(const struct health *h, const struct server *s)
{
    if (s->unsent)
        return true;
    return s->own != VERDICT_NONE && mono_diff_ms(h->now, s->sent_at) >= s->inter_ms;
}

static void send_due_reports(struct health *h)
{
    struct verdict_msg *msg = NULL;
    for (unsigned i = 0; i < h->backend_count; i++) {
        struct backend *b = h->backends[i];
        for (unsigned k = 0; k < b->count; k++) {
            struct server *s = b->servers[k];
            if (!report_due(h, s))
                continue;
            s->seq++;
            s->sent_at = h->now;
            s->unsent = false;
            add_report(h, &msg, CLUSTER_NO_NODE, s);
        }
    }
}

static void on_greet(struct health *h, uint32_t node)
{
    struct verdict_msg *msg = NULL;
    for (unsigned i = 0; i < h->backend_count; i++) {
        struct backend *b = h->backends[i];
        for (unsigned k = 0; k < b->count; k++) {
            struct server *s = b->servers[k];
            if (s->own == VERDICT_NONE)
                continue;
            s->seq++;
            add_report(h, &msg, node, s);
        }
    }
}

// ---- events ----

static uint32_t clamp_inter(uint32_t inter_ms)
{
    if (inter_ms < HEALTH_INTER_MIN_MS)
        return HEALTH_INTER_MIN_MS;
    return inter_ms > HEALTH_INTER_MAX_MS ? HEALTH_INTER_MAX_MS : inter_ms;
}

static void on_local(struct health *h, const struct verdict_report *r, bool usable)
{
    struct server *s = strmap_get(&h->servers_by_name, r->name);
    if (s == NULL)
        s = add_server(h, r->name);
    if (s->own != r->verdict || s->own_failing != r->failing)
        s->unsent = true;
    if (s->own != r->verdict)
        h->version++;
    count_own(h, s->own, -1);
    count_own(h, r->verdict, 1);
    s->own = r->verdict;
    s->own_failing = r->failing;
    s->usable = usable;
    s->inter_ms = clamp_inter(r->inter_ms);
    s->posted_at = h->now;
    s->backend->dirty = true;
}

static struct vote *vote_of(struct server *s, uint32_t node)
{
    if (node >= s->vote_count) {
        s->votes = realloc(s->votes, (node + 1) * sizeof(*s->votes));
        ASSERT(s->votes != NULL);
        memset(&s->votes[s->vote_count], 0, (node + 1 - s->vote_count) * sizeof(*s->votes));
        s->vote_count = node + 1;
    }
    return &s->votes[node];
}

static void on_life(struct health *h, uint32_t node, uint64_t boot)
{
    if (boot > h->boots[node])
        h->boots[node] = boot;
    for (unsigned i = 0; i < h->backend_count; i++) {
        struct backend *b = h->backends[i];
        for (unsigned k = 0; k < b->count; k++) {
            if (node >= b->servers[k]->vote_count)
                continue;
            struct vote *v = &b->servers[k]->votes[node];
            *v = (struct vote){.counted = v->counted}; // the count notices the change
            b->dirty = true;
        }
    }
}

static void on_report(struct health *h, uint32_t node, uint64_t boot, const struct verdict_report *r)
{
    struct server *s = strmap_get(&h->servers_by_name, r->name);
    if (s == NULL || boot < h->boots[node] || (unsigned)r->verdict > VERDICT_DOWN)
        return;
    if (boot > h->boots[node])
        on_life(h, node, boot);
    struct vote *v = vote_of(s, node);
    if (r->seq <= v->seq)
        return;
    bool worse = (r->verdict == VERDICT_DOWN && v->verdict != VERDICT_DOWN) || (r->failing && !v->failing);
    *v = (struct vote){
        .at = mono_add_ms(h->now, -(int64_t)(r->age_ms < HEALTH_INTER_MAX_MS ? r->age_ms : HEALTH_INTER_MAX_MS)),
        .seq = r->seq,
        .inter_ms = clamp_inter(r->inter_ms),
        .verdict = (uint8_t)r->verdict,
        .counted = v->counted,
        .failing = r->failing,
    };
    if (v->counted != count_vote(v, h->now))
        s->backend->dirty = true;
    if (worse && s->own == VERDICT_UP)
        act(h, HEALTH_ACT_CHECK, node)->check = server_name(s);
}

static void on_tick(struct health *h)
{
    unsigned aging = (h->backend_count + AGING_TICKS - 1) / AGING_TICKS;
    for (; aging > 0; aging--) {
        h->aging_at = (h->aging_at + 1) % h->backend_count;
        h->backends[h->aging_at]->dirty = true;
    }
    for (unsigned i = 0; i < h->backend_count; i++)
        if (h->backends[i]->dirty)
            count_backend(h, h->backends[i]);
    send_due_reports(h);
    bool isolated = find_isolated(h);
    if (isolated != h->isolated) {
        h->isolated = isolated;
        act(h, HEALTH_ACT_ISOLATED, h->self)->isolated = isolated;
    }
}

void health_step(struct health *h, const struct health_event *ev, mono_t now, struct health_actions *out)
{
    h->now = now;
    h->out = out;
    bool other = ev->node < CLUSTER_NODES_MAX && ev->node != h->self;
    switch (ev->kind) {
    case HEALTH_EV_TICK:
        on_tick(h);
        break;
    case HEALTH_EV_LOCAL:
        ASSERT(ev->report.name.len > 0 && ev->report.name.len <= CLUSTER_SERVER_NAME_MAX);
        on_local(h, &ev->report, ev->usable);
        break;
    case HEALTH_EV_GONE:
        on_gone(h, ev->report.name);
        break;
    case HEALTH_EV_REPORT:
        if (other)
            on_report(h, ev->node, ev->boot, &ev->report);
        break;
    case HEALTH_EV_LIFE:
        if (ev->node == h->self)
            h->boot = ev->boot;
        else if (other)
            on_life(h, ev->node, ev->boot);
        break;
    case HEALTH_EV_GREET:
        if (other)
            on_greet(h, ev->node);
        break;
    }
    h->out = NULL;
}

// ---- queries ----

bool health_isolated(const struct health *h)
{
    return h->isolated;
}

bool health_effective_down(const struct health *h, struct str name)
{
    const struct server *s = strmap_get(&h->servers_by_name, name);
    return s != NULL && (s->own == VERDICT_DOWN || s->voted_down);
}

uint64_t health_version(const struct health *h)
{
    return h->version;
}

unsigned health_server_count(const struct health *h)
{
    return h->server_count;
}

void health_each(const struct health *h, uint32_t nodes, health_each_fn *fn, void *arg)
{
    uint8_t votes[CLUSTER_NODES_MAX];
    ASSERT(nodes <= CLUSTER_NODES_MAX);
    for (unsigned i = 0; i < h->backend_count; i++) {
        const struct backend *b = h->backends[i];
        for (unsigned k = 0; k < b->count; k++) {
            const struct server *s = b->servers[k];
            memset(votes, VERDICT_NONE, sizeof(votes));
            for (uint32_t n = 0; n < s->vote_count; n++)
                votes[n] = s->votes[n].counted;
            votes[h->self] = (uint8_t)s->own;
            fn(arg, server_name(s), votes);
        }
    }
}
