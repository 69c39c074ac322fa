// SPDX-License-Identifier: Apache-2.0
// Replication: the tick that sends changes, what arrives, and who is there. Comparing tables is in replicate_sync.c.
#include "peers/replicate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "peers/replicate_impl.h"

// Entries drained at a time from a table, between looks at the frame's length.
#define DRAIN_MAX 4096

mono_t rep_now(const struct replicate *r)
{
    return loop_now(r->worker->loop);
}

// For other threads.
static void show_peer(struct rep_peer *p)
{
    p->shown_up = p->up;
    p->shown_synced = p->synced;
    p->shown_unacked = p->sent - p->acked;
}

// ---- sending

struct message_writer *rep_frame(struct replicate *r, enum message_kind kind)
{
    struct message_head h = {.kind = kind, .origin = str_of(r->self), .boot = r->boot, .seq = ++r->seq};
    message_write(&r->writer, &r->frame, &h);
    return &r->writer;
}

bool rep_send(struct replicate *r, struct rep_peer *p)
{
    message_set_ack(&r->writer, p->received);
    if (!p->up || !links_send(r->links, p->node, buf_str(&r->frame)))
        return false;
    mono_t now = rep_now(r);
    p->sent = r->seq;
    if (p->acked >= p->marked) {
        p->marked = p->sent;
        p->marked_at = now;
    }
    p->acked_to = p->received;
    p->unacked_in = 0;
    p->spoke = now;
    p->messages_out++;
    r->bytes_out += r->frame.len;
    return true;
}

void rep_fall_behind(struct rep_peer *p)
{
    if (!p->behind)
        p->resyncs++;
    p->behind = true;
}

static void broadcast(struct replicate *r)
{
    for (unsigned i = 0; i < r->node_count; i++) {
        struct rep_peer *p = &r->peers[i];
        if (p->up && !p->behind && !rep_send(r, p))
            rep_fall_behind(p);
    }
}

static void say_alive(struct replicate *r, struct rep_peer *p)
{
    rep_frame(r, MESSAGE_ALIVE);
    rep_send(r, p);
}

void rep_send_tables(struct replicate *r, struct rep_peer *p)
{
    struct message_table *tables = calloc(r->table_count + 1, sizeof(*tables));
    if (!tables)
        PANIC("out of memory");
    for (unsigned i = 0; i < r->table_count; i++) {
        const struct cfg_table *cfg = table_config(r->tables[i].table);
        tables[i] = (struct message_table){.id = r->tables[i].id,
                                           .name = table_name(r->tables[i].table),
                                           .key_type = cfg->key,
                                           .key_len = cfg->key_len,
                                           .entries = table_count(r->tables[i].table),
                                           .shape = r->tables[i].shape};
    }
    message_write_tables(rep_frame(r, MESSAGE_TABLES), tables, r->table_count);
    if (!rep_send(r, p))
        rep_fall_behind(p);
    free(tables);
}

// ---- the tick: changes

struct draining {
    struct replicate *r;
    struct rep_table *t;
    bool open;
};

static void end_frame(struct draining *d)
{
    message_end_updates(&d->r->writer);
    broadcast(d->r);
    d->open = false;
}

static void add_change(void *arg, const struct table_update *u)
{
    struct draining *d = arg;
    struct replicate *r = d->r;
    if (d->open && r->frame.len > MESSAGE_FULL)
        end_frame(d);
    if (!d->open) {
        message_begin_updates(rep_frame(r, MESSAGE_UPDATES), d->t->id, d->t->table, &d->t->shape);
        d->open = true;
    }
    message_add_update(&r->writer, u);
    r->updates_out++;
}

static void drop_change(void *arg, const struct table_update *u)
{
}

static bool anybody_listens(const struct replicate *r)
{
    for (unsigned i = 0; i < r->node_count; i++)
        if (r->peers[i].up && !r->peers[i].behind)
            return true;
    return false;
}

static void send_changes(struct replicate *r)
{
    bool heard = anybody_listens(r);
    for (unsigned i = 0; i < r->table_count; i++) {
        struct draining d = {r, &r->tables[i], false};
        while (table_drain(d.t->table, r->out_scratch, DRAIN_MAX, rep_now(r), heard ? add_change : drop_change, &d) ==
               DRAIN_MAX)
            ;
        if (d.open)
            end_frame(&d);
    }
}

static void tend(struct replicate *r, struct rep_peer *p)
{
    mono_t now = rep_now(r);
    if (mono_diff_ms(now, p->heard) > SILENT_MS) {
        links_remake(r->links, p->node);
        return;
    }
    if (p->behind && (p->acked == p->sent || p->sent == 0)) {
        p->behind = false;
        sync_reset(p);
        p->owed = true;
        rep_send_tables(r, p);
    }
    sync_pump(r, p);
    if (p->up && (p->received != p->acked_to || mono_diff_ms(now, p->spoke) > ALIVE_MS))
        say_alive(r, p);
}

static void show_lag(struct replicate *r)
{
    int64_t lag = 0;
    uint64_t pending = 0;
    for (unsigned i = 0; i < r->node_count; i++) {
        struct rep_peer *p = &r->peers[i];
        show_peer(p);
        if (p->up && p->acked < p->marked && mono_diff_ms(rep_now(r), p->marked_at) > lag)
            lag = mono_diff_ms(rep_now(r), p->marked_at);
    }
    for (unsigned i = 0; i < r->table_count; i++)
        pending += table_dirty_count(r->tables[i].table);
    r->lag_ms = lag;
    r->pending = pending;
}

static void on_tick(struct timer *t)
{
    struct replicate *r = CONTAINER_OF(t, struct replicate, tick);
    timer_set(loop_timers(r->worker->loop), t, mono_add_ms(rep_now(r), TICK_MS));
    send_changes(r);
    for (unsigned i = 0; i < r->node_count; i++)
        if (r->peers[i].up)
            tend(r, &r->peers[i]);
    show_lag(r);
}

static void set_identity(struct replicate *r, struct table *t)
{
    table_set_identity(t, str_of(r->self), r->boot, rep_now(r), loop_wall_us(r->worker->loop));
}

// Some buckets after the other, table by table, node by node.
static void compare_next(struct replicate *r)
{
    if (r->table_count == 0)
        return;
    struct rep_peer *p = &r->peers[r->compare_peer % r->node_count];
    unsigned local = r->compare_table % r->table_count, bucket = r->compare_bucket;
    bool busy = !p->up || p->behind || p->awaited > 0 || p->dumps[local].left > 0;
    if (!busy)
        sync_ask(r, p, local, bucket, COMPARE_BUCKETS);
    r->compare_bucket = busy ? 0 : (bucket + COMPARE_BUCKETS) % TABLE_BUCKETS;
    if (r->compare_bucket == 0 && ++r->compare_table >= r->table_count) {
        r->compare_table = 0;
        r->compare_peer = (r->compare_peer + 1) % r->node_count;
    }
}

static void on_compare(struct timer *t)
{
    struct replicate *r = CONTAINER_OF(t, struct replicate, compare);
    mono_t now = rep_now(r);
    timer_set(loop_timers(r->worker->loop), t, mono_add_ms(now, COMPARE_MS));
    if (mono_diff_ms(now, r->clock_set) > CLOCK_MS) {
        r->clock_set = now;
        for (unsigned i = 0; i < r->table_count; i++)
            set_identity(r, r->tables[i].table);
    }
    compare_next(r);
}

// ---- what arrives

static struct rep_remote *find_remote(struct rep_peer *p, uint32_t id)
{
    for (unsigned i = 0; i < p->remote_count; i++)
        if (p->remotes[i].id == id)
            return p->remotes[i].local == UINT_MAX ? NULL : &p->remotes[i];
    return NULL;
}

static unsigned find_local(const struct replicate *r, const struct message_table *m)
{
    for (unsigned i = 0; i < r->table_count; i++) {
        const struct cfg_table *cfg = table_config(r->tables[i].table);
        if (str_eq(table_name(r->tables[i].table), m->name) && (uint32_t)cfg->key == m->key_type &&
            cfg->key_len == m->key_len)
            return i;
    }
    return UINT_MAX;
}

static bool on_tables(struct replicate *r, struct rep_peer *p, struct message *m)
{
    uint32_t count = message_read_table_count(m);
    if (count > 4096)
        return false;
    free(p->remotes);
    p->remote_count = 0;
    p->remotes = calloc(count + 1, sizeof(*p->remotes));
    if (!p->remotes)
        PANIC("out of memory");
    sync_reset(p);
    for (uint32_t i = 0; i < count; i++) {
        struct message_table mt;
        if (!message_read_table(m, &mt))
            return false;
        unsigned local = find_local(r, &mt);
        p->remotes[p->remote_count++] = (struct rep_remote){mt.id, local, mt.shape};
        if (local != UINT_MAX)
            sync_compare(r, p, local, mt.entries);
    }
    p->owed = true;
    return true;
}

static bool on_updates(struct replicate *r, struct rep_peer *p, struct message *m)
{
    struct message_updates us;
    if (!message_read_updates(m, &us))
        return false;
    struct rep_remote *remote = find_remote(p, us.table);
    if (!remote)
        return true; // a table that we do not have, or no more
    struct table *t = r->tables[remote->local].table;
    unsigned nodes[MESSAGE_NODES_MAX];
    for (uint32_t i = 0; i < us.node_count; i++)
        nodes[i] = table_node_index(t, us.nodes[i]);
    while (us.count > 0) {
        struct table_update u;
        if (!message_read_update(m, &us, &remote->shape, r->in_scratch, &u))
            return false;
        for (uint32_t i = 0; i < u.row_count; i++) {
            struct table_row *row = (struct table_row *)&u.rows[i];
            row->node = nodes[row->node];
        }
        table_merge(t, &remote->shape, &u, rep_now(r));
        r->updates_in++;
    }
    return true;
}

static bool on_digests(struct replicate *r, struct rep_peer *p, struct message *m)
{
    struct message_digests d;
    if (!message_read_digests(m, &d))
        return false;
    struct rep_remote *remote = find_remote(p, d.table);
    if (remote)
        sync_on_digests(r, p, &d, remote->local);
    return true;
}

static void on_synced(struct replicate *r, struct rep_peer *p)
{
    p->synced = true;
    show_peer(p);
    if (!r->synced_told && r->synced)
        r->synced(r->arg);
    r->synced_told = true;
}

static bool dispatch(struct replicate *r, struct rep_peer *p, struct message *m)
{
    switch (m->head.kind) {
    case MESSAGE_TABLES:
        return on_tables(r, p, m);
    case MESSAGE_UPDATES:
        return on_updates(r, p, m);
    case MESSAGE_DIGESTS:
        return on_digests(r, p, m);
    case MESSAGE_SYNCED:
        on_synced(r, p);
        return true;
    default: // ALIVE, or of a later version
        return true;
    }
}

static bool accept_head(struct replicate *r, struct rep_peer *p, const struct message_head *h, size_t len)
{
    if (!str_is(h->origin, r->names[p->node]) || h->boot != p->boot || h->seq <= p->received || h->ack > p->sent)
        return false;
    p->heard = rep_now(r);
    p->received = h->seq;
    p->messages_in++;
    r->bytes_in += len;
    if (h->ack > p->acked) {
        p->acked = h->ack;
        sync_acked(p);
    }
    return true;
}

static bool on_message(void *arg, unsigned node, struct str bytes)
{
    struct replicate *r = arg;
    struct rep_peer *p = &r->peers[node];
    struct message m;
    if (!message_read(bytes, &m) || !accept_head(r, p, &m.head, bytes.len) || !dispatch(r, p, &m)) {
        r->bad++;
        log_warning("cluster : a bad message from node %s ended its bulk link.", r->names[node]);
        return false;
    }
    if (!p->up)
        return true;
    sync_pump(r, p);
    if (++p->unacked_in >= ACK_EVERY)
        say_alive(r, p);
    return true;
}

// ---- who is there

static void mark_node(struct replicate *r, struct table *t, unsigned node, bool alive, uint64_t boot)
{
    unsigned n = table_node_index(t, str_of(r->names[node]));
    if (n != TABLE_NO_NODE && n != 0)
        table_set_node(t, n, alive, boot);
}

static void on_up(void *arg, unsigned node, uint64_t boot, uint64_t received)
{
    struct replicate *r = arg;
    struct rep_peer *p = &r->peers[node];
    bool same_life = p->boot == boot;
    p->up = true;
    p->behind = false;
    p->owed = true;
    p->synced = false;
    p->boot = boot;
    p->received = p->acked_to = same_life ? p->received : 0;
    p->sent = p->acked = p->marked = r->seq;
    p->unacked_in = 0;
    p->heard = p->spoke = rep_now(r);
    show_peer(p);
    sync_reset(p);
    for (unsigned i = 0; i < r->table_count; i++)
        mark_node(r, r->tables[i].table, node, true, boot);
    rep_send_tables(r, p);
}

static void on_down(void *arg, unsigned node)
{
    struct replicate *r = arg;
    struct rep_peer *p = &r->peers[node];
    p->up = p->synced = false;
    show_peer(p);
    p->remote_count = 0;
    sync_reset(p);
}

static void on_writable(void *arg, unsigned node)
{
    struct replicate *r = arg;
    sync_pump(r, &r->peers[node]);
}

static uint64_t last_received(void *arg, unsigned node)
{
    return ((struct replicate *)arg)->peers[node].received;
}

// ---- what other threads ask for

enum posted_kind { POSTED_TABLES, POSTED_NODE, POSTED_BOOT };
struct posted {
    struct msg msg;
    struct list link; // before the thread runs
    struct replicate *r;
    enum posted_kind kind;
    unsigned node, count;
    bool alive;
    uint64_t boot;
    struct table *tables[];
};

static void free_posted(struct posted *m)
{
    for (unsigned i = 0; i < m->count; i++)
        table_unref(&m->tables[i]);
    free(m);
}

static struct rep_table adopt(struct replicate *r, struct table **tp)
{
    struct table *t = *tp;
    struct rep_table new = {.table = t};
    *tp = NULL;
    for (unsigned i = 0; i < r->table_count; i++)
        if (r->tables[i].table == t)
            new.id = r->tables[i].id;
    if (new.id == 0) {
        new.id = ++r->next_table_id;
        set_identity(r, t);
        for (unsigned n = 0; n < r->node_count; n++)
            if (r->peers[n].boot)
                mark_node(r, t, n, true, r->peers[n].boot);
    }
    table_get_shape(t, &new.shape);
    return new;
}

static void set_tables(struct replicate *r, struct posted *m)
{
    struct rep_table *tables = calloc(m->count + 1, sizeof(*tables));
    if (!tables)
        PANIC("out of memory");
    for (unsigned i = 0; i < m->count; i++)
        tables[i] = adopt(r, &m->tables[i]);
    for (unsigned i = 0; i < r->table_count; i++)
        table_unref(&r->tables[i].table);
    free(r->tables);
    r->tables = tables;
    r->table_count = m->count;
    for (unsigned i = 0; i < r->node_count; i++) {
        struct rep_peer *p = &r->peers[i];
        p->remote_count = 0; // local indices changed: it tells its tables again, as we do
        free(p->dumps);
        p->dumps = calloc(r->table_count + 1, sizeof(*p->dumps));
        if (!p->dumps)
            PANIC("out of memory");
        sync_reset(p);
        if (p->up)
            links_remake(r->links, i);
    }
}

static void set_boot(struct replicate *r, uint64_t boot)
{
    if (boot <= r->boot)
        return;
    r->boot = boot;
    links_set_boot(r->links, boot);
    for (unsigned i = 0; i < r->table_count; i++)
        set_identity(r, r->tables[i].table);
    for (unsigned i = 0; i < r->node_count; i++) // their links were made by an earlier life
        if (i != r->self_node)
            links_remake(r->links, i);
}

static void set_node(struct replicate *r, const struct posted *m)
{
    struct rep_peer *p = &r->peers[m->node];
    for (unsigned i = 0; i < r->table_count; i++)
        mark_node(r, r->tables[i].table, m->node, m->alive, m->boot);
    if (!m->alive && p->up)
        links_remake(r->links, m->node);
}

static void on_posted(struct msg *msg)
{
    struct posted *m = CONTAINER_OF(msg, struct posted, msg);
    struct replicate *r = m->r;
    if (r->worker) {
        switch (m->kind) {
        case POSTED_TABLES:
            set_tables(r, m);
            break;
        case POSTED_NODE:
            set_node(r, m);
            break;
        case POSTED_BOOT:
            set_boot(r, m->boot);
        }
    }
    free_posted(m);
}

static struct posted *new_posted(struct replicate *r, enum posted_kind kind, unsigned tables)
{
    struct posted *m = calloc(1, sizeof(*m) + tables * sizeof(m->tables[0]));
    if (!m)
        PANIC("out of memory");
    m->msg = (struct msg){.kind = MSG_CALL, .fn = on_posted};
    m->r = r;
    m->kind = kind;
    return m;
}

static void post(struct replicate *r, struct posted *m)
{
    CHECK_OBJ(r, REPLICATE_MAGIC);
    pthread_mutex_lock(&r->post_lock);
    if (r->open)
        inbox_send(loop_inbox(r->worker->loop), &m->msg);
    else
        list_push(&r->posted, &m->link);
    pthread_mutex_unlock(&r->post_lock);
}

void replicate_set_tables(struct replicate *r, struct table *const *tables, unsigned count)
{
    struct posted *m = new_posted(r, POSTED_TABLES, count);
    m->count = count;
    for (unsigned i = 0; i < count; i++)
        m->tables[i] = table_ref(tables[i]);
    post(r, m);
}

void replicate_post_node(struct replicate *r, unsigned node, bool alive, uint64_t boot)
{
    ASSERT(node < r->node_count);
    if (node == r->self_node)
        return;
    struct posted *m = new_posted(r, POSTED_NODE, 0);
    m->node = node;
    m->alive = alive;
    m->boot = boot;
    post(r, m);
}

void replicate_post_boot(struct replicate *r, uint64_t boot)
{
    struct posted *m = new_posted(r, POSTED_BOOT, 0);
    m->boot = boot;
    post(r, m);
}

// ---- life

struct replicate *replicate_create(const struct replicate_options *o)
{
    struct replicate *r = calloc(1, sizeof(*r));
    if (!r || !(r->peers = calloc(o->link.node_count, sizeof(*r->peers))) ||
        !(r->names = calloc(o->link.node_count, sizeof(*r->names))))
        PANIC("out of memory");
    r->magic = REPLICATE_MAGIC;
    r->arg = o->arg;
    r->synced = o->synced;
    r->self_node = o->link.self;
    r->node_count = o->link.node_count;
    r->boot = o->link.boot;
    str_copy(r->self, sizeof(r->self), str_of(o->link.nodes[o->link.self].name));
    for (unsigned i = 0; i < r->node_count; i++) {
        r->names[i] = str_dup(str_of(o->link.nodes[i].name));
        r->peers[i].owner = r;
        r->peers[i].node = i;
    }
    r->out_scratch = table_scratch_create();
    r->in_scratch = message_scratch_create();
    pthread_mutex_init(&r->post_lock, NULL);
    list_init(&r->posted);
    r->links = links_create(&o->link, LINK_BULK,
                            &(struct link_events){.arg = r,
                                                  .up = on_up,
                                                  .down = on_down,
                                                  .message = on_message,
                                                  .writable = on_writable,
                                                  .received = last_received});
    return r;
}

struct links *replicate_links(struct replicate *r)
{
    return r->links;
}

void replicate_attach(struct replicate *r, struct worker *w)
{
    CHECK_OBJ(r, REPLICATE_MAGIC);
    timer_init(&r->tick, on_tick);
    timer_init(&r->compare, on_compare);
    pthread_mutex_lock(&r->post_lock);
    r->worker = w;
    pthread_mutex_unlock(&r->post_lock);
    for (struct list *it; (it = list_pop(&r->posted)) != NULL;)
        on_posted(&CONTAINER_OF(it, struct posted, link)->msg);
    pthread_mutex_lock(&r->post_lock);
    r->open = true;
    for (struct list *it; (it = list_pop(&r->posted)) != NULL;)
        inbox_send(loop_inbox(w->loop), &CONTAINER_OF(it, struct posted, link)->msg);
    pthread_mutex_unlock(&r->post_lock);
    timer_set(loop_timers(w->loop), &r->tick, mono_add_ms(rep_now(r), TICK_MS));
    timer_set(loop_timers(w->loop), &r->compare, mono_add_ms(rep_now(r), COMPARE_MS));
    links_attach(r->links, w->loop);
}

void replicate_detach(struct replicate *r)
{
    CHECK_OBJ(r, REPLICATE_MAGIC);
    send_changes(r); // the last ones
    pthread_mutex_lock(&r->post_lock);
    r->open = false;
    pthread_mutex_unlock(&r->post_lock);
    timer_cancel(&r->tick);
    timer_cancel(&r->compare);
    links_detach(r->links);
}

void replicate_destroy(struct replicate **rp)
{
    struct replicate *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    CHECK_OBJ(r, REPLICATE_MAGIC);
    for (struct list *it; (it = list_pop(&r->posted)) != NULL;)
        free_posted(CONTAINER_OF(it, struct posted, link));
    links_destroy(&r->links);
    for (unsigned i = 0; i < r->table_count; i++)
        table_unref(&r->tables[i].table);
    for (unsigned i = 0; i < r->node_count; i++) {
        free(r->names[i]);
        free(r->peers[i].remotes);
        free(r->peers[i].dumps);
    }
    table_scratch_destroy(&r->out_scratch);
    message_scratch_destroy(&r->in_scratch);
    buf_free(&r->frame);
    pthread_mutex_destroy(&r->post_lock);
    free(r->tables);
    free(r->names);
    free(r->peers);
    r->magic = 0;
    free(r);
}

// ---- status

bool replicate_peer_status(struct replicate *r, unsigned node, struct replicate_peer_status *out)
{
    if (node >= r->node_count || node == r->self_node)
        return false;
    struct rep_peer *p = &r->peers[node];
    *out = (struct replicate_peer_status){.up = p->shown_up,
                                          .synced = p->shown_synced,
                                          .sent = p->messages_out,
                                          .unacked = p->shown_unacked,
                                          .received = p->messages_in,
                                          .resyncs = p->resyncs};
    return true;
}

struct replicate_status replicate_status(struct replicate *r)
{
    return (struct replicate_status){.updates_out = r->updates_out,
                                     .updates_in = r->updates_in,
                                     .bytes_out = r->bytes_out,
                                     .bytes_in = r->bytes_in,
                                     .bad = r->bad,
                                     .pending = r->pending,
                                     .lag_ms = r->lag_ms};
}
