// SPDX-License-Identifier: Apache-2.0
// show stat: CSV, typed and JSON, over all proxies in slices.
#include <stdlib.h>

#include <stdio.h>

#include "node/admin/commands.h"
#include "node/admin/stats.h"
#include "node/base/panic.h"

enum form { FORM_CSV, FORM_TYPED, FORM_JSON };
struct walk {
    struct snapshot *snapshot;
    unsigned proxy, item; // next: frontend, servers…, backend
    enum form form;
    bool up_only, no_maint, begun;
    long iid, type, sid; // filter; -1 = any
    char name[128];      // or the proxy's name
    struct stat_row row;
};

static void walk_free(void *state)
{
    struct walk *w = state;
    snapshot_unref(&w->snapshot);
    free(w);
}

static void csv_value(struct buf *out, const struct stat_value *v)
{
    switch (v->kind) {
    case STAT_U32:
    case STAT_U64:
        buf_printf(out, "%llu,", (unsigned long long)v->num);
        return;
    case STAT_S32:
        buf_printf(out, "%lld,", (long long)(int64_t)v->num);
        return;
    case STAT_STR:
        if (strpbrk(v->text, ",\"\n")) {
            buf_add_char(out, '"');
            for (const char *p = v->text; *p; p++) {
                if (*p == '"')
                    buf_add_char(out, '"');
                buf_add_char(out, *p);
            }
            buf_add_cstr(out, "\",");
            return;
        }
        buf_printf(out, "%s,", v->text);
        return;
    case STAT_NONE:
        buf_add_char(out, ',');
        return;
    }
}

static const char *kind_name(enum stat_kind k)
{
    return k == STAT_U32 ? "u32" : k == STAT_S32 ? "s32" : k == STAT_U64 ? "u64" : "str";
}

static void number_text(const struct stat_value *v, char *dst, size_t size)
{
    if (v->kind == STAT_S32)
        snprintf(dst, size, "%lld", (long long)(int64_t)v->num);
    else
        snprintf(dst, size, "%llu", (unsigned long long)v->num);
}

static void typed_row(struct buf *out, const struct stat_row *r)
{
    char number[32];
    for (unsigned i = 0; i < STAT_COUNT; i++) {
        const struct stat_value *v = &r->values[i];
        if (v->kind == STAT_NONE)
            continue;
        number_text(v, number, sizeof(number));
        buf_printf(out, "%c.%u.%u.%u.%s.1:%s:%s:%s\n", r->type, r->proxy_id, r->server_id, i, stat_names[i].name,
                   stat_names[i].tags, kind_name(v->kind), v->kind == STAT_STR ? v->text : number);
    }
}

static void json_row(struct buf *out, const struct stat_row *r)
{
    const char *object = r->type == 'F' ? "Frontend" : r->type == 'B' ? "Backend" : "Server";
    bool first = true;
    char number[32];
    buf_add_char(out, '[');
    for (unsigned i = 0; i < STAT_COUNT; i++) {
        const struct stat_value *v = &r->values[i];
        if (v->kind == STAT_NONE)
            continue;
        number_text(v, number, sizeof(number));
        buf_printf(out,
                   "%s{\"objType\":\"%s\",\"proxyId\":%u,\"id\":%u,\"field\":{\"pos\":%u,\"name\":\"%s\"},"
                   "\"processNum\":1,\"tags\":{",
                   first ? "" : ",", object, r->proxy_id, r->server_id, i, stat_names[i].name);
        stats_json_tags(out, stat_names[i].tags);
        buf_printf(out, "},\"value\":{\"type\":\"%s\",\"value\":", kind_name(v->kind));
        if (v->kind == STAT_STR)
            stats_json_string(out, v->text);
        else
            buf_add_cstr(out, number);
        buf_add_cstr(out, "}}");
        first = false;
    }
    buf_add_char(out, ']');
}

static void print_row(struct buf *out, struct walk *w)
{
    if (w->form == FORM_CSV) {
        for (unsigned i = 0; i < STAT_COUNT; i++)
            csv_value(out, &w->row.values[i]);
        buf_add_char(out, '\n');
    } else if (w->form == FORM_TYPED) {
        typed_row(out, &w->row);
    } else {
        if (w->begun)
            buf_add_char(out, ',');
        json_row(out, &w->row);
    }
    w->begun = true;
}

static bool wanted(const struct walk *w, const struct stat_row *r, unsigned type_bit)
{
    if (w->type >= 0 && !(w->type & type_bit))
        return false;
    if (w->sid >= 0 && r->type == 'S' && (long)r->server_id != w->sid)
        return false;
    const char *status = r->values[STAT_STATUS].text;
    if (w->up_only && r->type != 'F' && strncmp(status, "UP", 2) != 0 && strcmp(status, "no check") != 0)
        return false;
    return !(w->no_maint && strncmp(status, "MAINT", 5) == 0);
}

static bool proxy_wanted(const struct walk *w, const struct proxy *p)
{
    if (w->name[0])
        return str_is(p->cfg->name, w->name);
    return w->iid < 0 || p->cfg->id == w->iid;
}

// The order of HAProxy: a proxy's frontend, its servers, its backend.
static void proxy_rows(struct buf *out, struct walk *w, struct proxy *p)
{
    if (w->item == 0) {
        w->item = 1;
        if (p->front) {
            stats_frontend(&w->row, p);
            if (wanted(w, &w->row, 1))
                print_row(out, w);
        }
    }
    while (p->back && w->item <= p->nservers) {
        if (out->len > CLI_SLICE)
            return;
        stats_server(&w->row, p->servers[w->item++ - 1]);
        if (wanted(w, &w->row, 4))
            print_row(out, w);
    }
    if (p->back) {
        stats_backend(&w->row, p);
        if (wanted(w, &w->row, 2))
            print_row(out, w);
    }
    w->item = 0;
    w->proxy++;
}

static struct walk *walk_begin(struct cli *c)
{
    struct walk *w = calloc(1, sizeof(*w));
    ASSERT(w != NULL);
    w->snapshot = snapshot_ref(snapshot_current());
    w->iid = w->type = w->sid = -1;
    unsigned filter = 0;
    for (unsigned i = 0; i < cli_nargs(c); i++) {
        struct str a = cli_arg(c, i);
        if (str_is(a, "typed"))
            w->form = FORM_TYPED;
        else if (str_is(a, "json"))
            w->form = FORM_JSON;
        else if (str_is(a, "up"))
            w->up_only = true;
        else if (str_is(a, "no-maint"))
            w->no_maint = true;
        else if (filter == 0 && (a.ptr[0] < '0' || a.ptr[0] > '9') && a.ptr[0] != '-' && !str_is(a, "desc"))
            str_copy(w->name, sizeof(w->name), a), filter++;
        else if (filter < 3 && !str_is(a, "desc"))
            *(filter == 0 ? &w->iid : filter == 1 ? &w->type : &w->sid) = strtol(a.ptr, NULL, 10), filter++;
    }
    return w;
}

enum cli_result cmd_show_stat(struct cli *c)
{
    struct cli_request *r = cli_request(c);
    struct walk *w = r->state;
    if (!w) {
        w = r->state = walk_begin(c);
        r->free_state = walk_free;
        if (w->form == FORM_CSV) {
            buf_add_cstr(&r->out, "# ");
            for (unsigned i = 0; i < STAT_COUNT; i++)
                buf_printf(&r->out, "%s,", stat_names[i].name);
            buf_add_char(&r->out, '\n');
        } else if (w->form == FORM_JSON) {
            buf_add_char(&r->out, '[');
        }
    }
    while (w->proxy < w->snapshot->nproxies) {
        if (r->out.len > CLI_SLICE)
            return CLI_AGAIN;
        struct proxy *p = w->snapshot->proxies[w->proxy];
        if (proxy_wanted(w, p))
            proxy_rows(&r->out, w, p);
        else
            w->proxy++;
    }
    return w->form == FORM_JSON ? cli_say(c, "]\n") : CLI_DONE;
}
