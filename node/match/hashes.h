// SPDX-License-Identifier: Apache-2.0
// The 32-bit hashes that the manual names ("hash-type", converters). Not for security. Their results are seen by users
// (stick-table keys, maps by hash) and must not change.
#ifndef PHX_MATCH_HASHES_H
#define PHX_MATCH_HASHES_H

#include "node/base/str.h"

uint32_t hash_sdbm(struct str s);
uint32_t hash_djb2(struct str s);
uint32_t hash_wt6(struct str s);
uint32_t hash_crc32(struct str s);
uint32_t hash_crc32c(struct str s);
// Spreads the bits of a weak hash: every input bit reaches every output bit.
uint32_t hash_avalanche(uint32_t h);

#endif
