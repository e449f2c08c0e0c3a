/* trace_layout.h - the area's bytes, for trace*.c and their tests alone: the rings, one behind the other, each a trace_ring and its
 * slots; at the very end of the segment a trace_area. */
#ifndef ALTHING_PROTO_TRACE_LAYOUT_H
#define ALTHING_PROTO_TRACE_LAYOUT_H

#include "proto/trace.h"

#define TRACE_MAGIC   UINT64_C(0x316563617274616c)
#define TRACE_VERSION 1

struct trace_slot {
    uint64_t number; /* see trace.h */
    struct trace_record record;
};
_Static_assert(sizeof(struct trace_slot) == 256, "version 1");

struct trace_ring {
    uint64_t id;   /* 0: never started */
    uint64_t head; /* records written since the start */
    uint64_t reserved[6];
    struct trace_slot slots[TRACE_RECORDS];
};

struct trace_area {
    uint32_t version;
    uint32_t rings;
    uint32_t records;   /* of a ring */
    uint32_t slot_size; /* bytes */
    uint64_t size;      /* of the whole area, this included */
    uint64_t reserved[4];
    uint64_t magic; /* written last */
};
_Static_assert(sizeof(struct trace_area) == 64, "version 1");

#endif
