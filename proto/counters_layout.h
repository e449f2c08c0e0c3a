/* counters_layout.h - the segment's bytes, for counters*.c and their tests alone.
 *
 * header, then for each level an array of slots at levels[].offset. A slot is a counters_slot, then the level's values.
 * Version 1 fixes the header and the slot's head; where the values are is said by name in fields[].
 */
#ifndef ALTHING_PROTO_COUNTERS_LAYOUT_H
#define ALTHING_PROTO_COUNTERS_LAYOUT_H

#include "proto/counters.h"

#define COUNTERS_MAGIC         UINT64_C(0x31726e7563746c61)
#define COUNTERS_VERSION       1
#define COUNTERS_ALL_FIELDS    (COUNTERS_LEVELS * COUNTERS_FIELDS_MAX)
#define COUNTERS_SIZE_MAX      (UINT64_C(256) << 20)
#define COUNTERS_SLOT_SIZE_MAX 4096

struct counters_level_desc {
    uint64_t offset;      /* of slot 0, from the start of the segment; multiple of 8 */
    uint32_t slot_size;   /* multiple of 8 */
    uint32_t slots;       /* slot 0 included */
    uint32_t first_field; /* in fields[] */
    uint32_t n_fields;
    uint32_t used;        /* slots ever taken are below this one: it changes while the writer runs */
    uint32_t reserved;
};

struct counters_field_desc {
    char name[COUNTERS_NAME_MAX];
    uint32_t offset; /* from the start of the slot, multiple of 8 */
    uint32_t kind;
};

struct counters_header {
    uint64_t magic; /* written last */
    uint32_t version;
    uint32_t header_size;
    uint64_t layout_hash;
    uint64_t size; /* of the segment */
    struct counters_level_desc levels[COUNTERS_LEVELS];
    struct counters_field_desc fields[COUNTERS_ALL_FIELDS];
};

enum counters_slot_state { COUNTERS_SLOT_FREE, COUNTERS_SLOT_LIVE, COUNTERS_SLOT_SUM };

struct counters_slot {
    uint32_t generation; /* of slot 0: odd while a sum is being changed */
    uint32_t state;
    uint64_t owner, parent;
    uint32_t ssrc;
    uint32_t encoding;
    char rid[COUNTERS_TEXT_MAX];
    char mime[COUNTERS_TEXT_MAX];
    uint64_t values[];
};

uint64_t counters_layout_hash(void); /* of this program's table */

#endif
