// SPDX-License-Identifier: Apache-2.0
// Hello: "PHXL", two bytes of length (big-endian), then a msgpack map of small integers to values.
#include "peers/hello.h"

#include <msgpack.h>

#include "node/base/msgscan.h"

#define MAGIC      "PHXL"
#define MAGIC_LEN  4
#define PREFIX_LEN 6

enum { KEY_VERSION, KEY_CLUSTER, KEY_FROM, KEY_TO, KEY_CLASS, KEY_BOOT, KEY_RECEIVED, KEY_COUNT };

static void pack_text(msgpack_packer *p, int key, struct str s)
{
    msgpack_pack_int(p, key);
    msgpack_pack_str(p, s.len);
    msgpack_pack_str_body(p, s.ptr, s.len);
}

static void pack_number(msgpack_packer *p, int key, uint64_t v)
{
    msgpack_pack_int(p, key);
    msgpack_pack_uint64(p, v);
}

static int write_buf(void *data, const char *bytes, size_t len)
{
    buf_add(data, bytes, len);
    return 0;
}

void hello_encode(const struct hello *h, struct buf *out)
{
    size_t at = out->len;
    buf_add(out, MAGIC "\0\0", PREFIX_LEN);
    msgpack_packer p;
    msgpack_packer_init(&p, out, write_buf);
    msgpack_pack_map(&p, KEY_COUNT);
    pack_number(&p, KEY_VERSION, h->version);
    pack_text(&p, KEY_CLUSTER, h->cluster);
    pack_text(&p, KEY_FROM, h->from);
    pack_text(&p, KEY_TO, h->to);
    pack_number(&p, KEY_CLASS, h->class);
    pack_number(&p, KEY_BOOT, h->boot);
    pack_number(&p, KEY_RECEIVED, h->received);
    size_t len = out->len - at - PREFIX_LEN;
    out->data[at + MAGIC_LEN] = (char)(len >> 8);
    out->data[at + MAGIC_LEN + 1] = (char)len;
}

static void read_pair(struct msgscan *s, struct hello *h)
{
    switch (msgscan_uint(s, UINT32_MAX)) {
    case KEY_VERSION:
        h->version = (uint32_t)msgscan_uint(s, UINT32_MAX);
        break;
    case KEY_CLUSTER:
        h->cluster = msgscan_str(s);
        break;
    case KEY_FROM:
        h->from = msgscan_str(s);
        break;
    case KEY_TO:
        h->to = msgscan_str(s);
        break;
    case KEY_CLASS:
        h->class = (uint32_t)msgscan_uint(s, UINT32_MAX);
        break;
    case KEY_BOOT:
        h->boot = msgscan_uint(s, UINT64_MAX);
        break;
    case KEY_RECEIVED:
        h->received = msgscan_uint(s, UINT64_MAX);
        break;
    default: // of a later version
        msgscan_skip(s);
    }
}

static enum hello_result read_map(struct str map, struct hello *h)
{
    static const struct msgscan_limits limits = {.bytes = HELLO_MAX, .depth = 4, .items = 64};
    if (msgscan_check(map, &limits) != MSGSCAN_OK)
        return HELLO_BAD;
    struct msgscan s = msgscan_begin(map);
    *h = (struct hello){0};
    for (uint32_t n = msgscan_map(&s); n > 0 && !s.failed; n--)
        read_pair(&s, h);
    bool named = h->from.len > 0 && h->from.len <= HELLO_NAME_MAX && h->to.len > 0 && h->to.len <= HELLO_NAME_MAX;
    return s.failed || !named || h->version != HELLO_VERSION ? HELLO_BAD : HELLO_OK;
}

enum hello_result hello_parse(struct str bytes, struct hello *h, size_t *used)
{
    size_t sure = bytes.len < MAGIC_LEN ? bytes.len : MAGIC_LEN;
    if (sure > 0 && memcmp(bytes.ptr, MAGIC, sure) != 0)
        return HELLO_BAD;
    if (bytes.len < PREFIX_LEN)
        return HELLO_MORE;
    size_t len = (size_t)(unsigned char)bytes.ptr[MAGIC_LEN] << 8 | (unsigned char)bytes.ptr[MAGIC_LEN + 1];
    if (len == 0 || PREFIX_LEN + len > HELLO_MAX)
        return HELLO_BAD;
    if (bytes.len < PREFIX_LEN + len)
        return HELLO_MORE;
    *used = PREFIX_LEN + len;
    return read_map(str_slice(bytes, PREFIX_LEN, len), h);
}
