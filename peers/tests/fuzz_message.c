// SPDX-License-Identifier: Apache-2.0
// Fuzzer: what another machine may send, as a hello and as a bulk message that is merged into a table. The first byte
// picks which; updates are read with shapes of one's own, so that they reach the table.
#include <string.h>

#include "peers/hello.h"
#include "peers/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct table *table;
static struct table_shape shape;
static struct message_scratch *scratch;
static unsigned runs;

static void renew_table(void)
{
    static struct cfg_table cfg = {.key = TKEY_STR, .key_len = 16, .size = 500, .expire_ms = 60000};
    static const enum table_data columns[] = {TD_GPT,      TD_GPC0,         TD_GPC_RATE,
                                              TD_CONN_CUR, TD_BYTES_IN_CNT, TD_BYTES_OUT_RATE};
    for (unsigned i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        cfg.data[columns[i]].on = true;
        cfg.data[columns[i]].period_ms = table_data_values(columns[i]) == 3 ? 10000 : 0;
    }
    cfg.data[TD_GPT].elements = cfg.data[TD_GPC_RATE].elements = 2;
    table_unref(&table);
    table = table_create(STR("fuzzed"), &cfg);
    table_set_identity(table, STR("n1"), 1000, (mono_t){1000000}, 2000000);
    table_get_shape(table, &shape);
    if (!scratch)
        scratch = message_scratch_create();
}

static void merge_all(struct message *m)
{
    mono_t now = {1000000 + runs};
    struct message_updates us;
    struct table_update u;
    unsigned nodes[MESSAGE_NODES_MAX];
    if (!message_read_updates(m, &us))
        return;
    for (uint32_t i = 0; i < us.node_count; i++)
        nodes[i] = table_node_index(table, us.nodes[i]);
    while (us.count > 0 && message_read_update(m, &us, &shape, scratch, &u)) {
        for (uint32_t i = 0; i < u.row_count; i++)
            ((struct table_row *)&u.rows[i])->node = nodes[u.rows[i].node];
        table_merge(table, &shape, &u, now);
        struct table_entry *e = table_find(table, u.key, now);
        int64_t v;
        for (unsigned d = 0; d < TD_COUNT && e; d++)
            table_read(table, e, d, 0, now, &v);
        if (e) {
            table_add(table, e, TD_GPC0, 0, 1, now);
            table_set(table, e, TD_BYTES_IN_CNT, 0, 3, now);
        }
        table_release(table, &e);
    }
}

static void read_bulk(struct str bytes)
{
    struct message m;
    struct message_digests d;
    struct message_table t;
    if (!message_read(bytes, &m))
        return;
    struct message again = m;
    for (uint32_t n = message_read_table_count(&again); n > 0 && message_read_table(&again, &t); n--)
        ;
    again = m;
    if (message_read_digests(&again, &d))
        for (uint32_t i = 0; i < d.count; i++)
            message_digest(&d, i);
    merge_all(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (runs++ % 10000 == 0)
        renew_table();
    if (size == 0)
        return 0;
    struct str bytes = str_make((const char *)data + 1, size - 1);
    struct hello h;
    size_t used;
    if (data[0] & 1)
        hello_parse(bytes, &h, &used);
    else
        read_bulk(bytes);
    return 0;
}
