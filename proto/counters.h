/* counters.h - what a worker counts, in shared memory: written with plain stores, read without asking.
 *
 * One memfd a worker, of a fixed size, sealed against shrinking and growing; the worker writes it, the server maps it read-only and
 * takes it for hostile. counters.def names every counter. The segment describes itself (offsets by level and name), so that a
 * reader of a newer release reads what an older worker writes.
 *
 * A level is an array of slots, one an object: {owner, parent, generation, state, ssrc, rid, mime}, then its counters. Slot 0 of a
 * level (of the worker level: the only slot) is special: it is the sum of what closed objects of that level have counted. So
 *     total of a level = slot 0 + all live slots, and never falls while the worker lives.
 * A freed slot rests COUNTERS_REST_US before it is used again; its generation is then another. When a level is full the object
 * counts into a dummy which nobody reads, and the worker's `slots_refused` grows.
 *
 * The writer belongs to one thread. Any number of readers, in any process. Endianness and word size are the machine's: the segment
 * never leaves it. Labels (room, peer, codec) come from the server; rid and mime here are a help to the eye, already cleaned by
 * the reader.
 */
#ifndef ALTHING_PROTO_COUNTERS_H
#define ALTHING_PROTO_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum counters_level {
    COUNTERS_WORKER,
    COUNTERS_TRANSPORT,
    COUNTERS_PRODUCER, /* a stream of a producer */
    COUNTERS_CONSUMER, /* the stream of a consumer */
    COUNTERS_LEVELS,
};

enum counters_kind {
    COUNTERS_KIND_COUNTER, /* only grows */
    COUNTERS_KIND_GAUGE,
};

/* Slots a level has for live objects. */
#define COUNTERS_TRANSPORTS 4096
#define COUNTERS_PRODUCERS  4096
#define COUNTERS_CONSUMERS  16384

#define COUNTERS_REST_US    2000000
#define COUNTERS_FIELDS_MAX 128 /* of one level */
#define COUNTERS_NAME_MAX   32 /* with its NUL */
#define COUNTERS_TEXT_MAX   16 /* rid, mime: with the NUL; what is longer is cut */

/* The counters of each level, one uint64_t each, in the order of the table. */
#define COUNTERS_MEMBER_(name, kind, unit, help) uint64_t name;
struct counters_worker {
#define COUNTER_WORKER COUNTERS_MEMBER_
#include "proto/counters.def"
};
struct counters_transport {
#define COUNTER_TRANSPORT COUNTERS_MEMBER_
#include "proto/counters.def"
};
struct counters_producer {
#define COUNTER_PRODUCER COUNTERS_MEMBER_
#include "proto/counters.def"
};
struct counters_consumer {
#define COUNTER_CONSUMER COUNTERS_MEMBER_
#include "proto/counters.def"
};
#undef COUNTERS_MEMBER_

/* A row of the table. `offset` is the member's place in its struct counters_<level>, and 8 * its index among the level's rows. */
struct counters_field {
    const char *name;
    const char *unit;
    const char *help; /* one sentence */
    enum counters_kind kind;
    uint32_t offset;
};

const char *counters_level_name(enum counters_level level); /* "worker", "transport", "producer", "consumer" */
const struct counters_field *counters_fields(enum counters_level level, size_t *n);
#define COUNTERS_INDEX(level, name) (offsetof(struct counters_##level, name) / sizeof(uint64_t))

/* ---- making ------------------------------------------------------------------------------------------------------------------ */

size_t counters_size(void);     /* bytes of this release's segment, the trace area (trace.h) at its end included */
int counters_create(void);      /* the memfd, sized and sealed, close-on-exec; the caller's; or -errno */

/* ---- writing (the worker) ---------------------------------------------------------------------------------------------------- */

struct counters;

/* Maps fd (which stays the caller's, and may be closed after) and writes the header. -EINVAL: not a segment of
 * counters_create(). */
int counters_open(struct counters **cp, int fd);
void counters_free(struct counters *c); /* NULL is fine; the segment stays as it is */

/* A stream's names. */
struct counters_label {
    uint32_t ssrc;     /* 0: not known yet, see counters_set_ssrc() */
    uint32_t encoding; /* index among the producer's encodings */
    const char *rid;   /* NULL or "": none */
    const char *mime;  /* subtype: "VP8", "opus" */
};

/* The counters to write to, all zero; never NULL: with c NULL or the level full it is a dummy, whose values mean nothing.
 * `owner` is the object's handle, `parent` that of its router (transports) or transport (streams). */
struct counters_worker *counters_worker(struct counters *c);
struct counters_transport *counters_transport_take(struct counters *c, uint64_t owner,
                                                   uint64_t parent, int64_t now_us);
struct counters_producer *counters_producer_take(struct counters *c, uint64_t owner, uint64_t parent,
                                                 const struct counters_label *label,
                                                 int64_t now_us);
struct counters_consumer *counters_consumer_take(struct counters *c, uint64_t owner, uint64_t parent,
                                                 const struct counters_label *label,
                                                 int64_t now_us);

void counters_producer_set_ssrc(struct counters *c, struct counters_producer *p, uint32_t ssrc); /* learnt */

/* The object is closed: adds what it counted to its level's sum, frees the slot. NULL and dummies are fine. */
void counters_transport_release(struct counters *c, struct counters_transport *t, int64_t now_us);
void counters_producer_release(struct counters *c, struct counters_producer *p, int64_t now_us);
void counters_consumer_release(struct counters *c, struct counters_consumer *p, int64_t now_us);

/* One writer: so a load and a store, which no reader can see torn. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline void counter_set(uint64_t *gauge, uint64_t value)
{
    __atomic_store_n(gauge, value, __ATOMIC_RELAXED);
}

/* ---- reading (the server) ---------------------------------------------------------------------------------------------------- */

struct counters_reader;

/* What a slot said at one moment. */
struct counters_view {
    uint64_t owner, parent;
    uint32_t generation;
    uint32_t ssrc;
    uint32_t encoding;
    char rid[COUNTERS_TEXT_MAX];  /* only [A-Za-z0-9._-] */
    char mime[COUNTERS_TEXT_MAX]; /* only [A-Za-z0-9._-] */
    uint64_t values[COUNTERS_FIELDS_MAX]; /* by the index of this program's table; what the writer does not know is 0 */
};

/* Maps fd read-only (it stays the caller's). Checks seals, size, and every offset, once, on a copy: what the worker writes later
 * into the header is not looked at again. 0; -EAGAIN: no writer has opened it yet; -EBADF, -EPERM (seals), -EPROTO (nonsense) or
 * other -errno. */
int counters_reader_open(struct counters_reader **rp, int fd);
void counters_reader_free(struct counters_reader *r); /* NULL is fine */

bool counters_reader_same_layout(const struct counters_reader *r); /* writer and reader have the same table */
bool counters_reader_has(const struct counters_reader *r, enum counters_level level, size_t index); /* the writer has it */

/* The next live slot of a level; *cursor starts at 0. False: no more. A slot that changes under the reader is skipped. */
bool counters_reader_next(const struct counters_reader *r, enum counters_level level, size_t *cursor,
                          struct counters_view *view);
/* For who looks for some of many: the owner of the next live slot alone, which is slot *cursor - 1; and one slot by its place
 * (false: not live). */
bool counters_reader_next_owner(const struct counters_reader *r, enum counters_level level, size_t *cursor, uint64_t *owner);
bool counters_reader_slot(const struct counters_reader *r, enum counters_level level, size_t slot, struct counters_view *view);
/* The sum of the closed objects; of the worker level: the worker's own counters. Gauges of a sum are 0. */
void counters_reader_closed(const struct counters_reader *r, enum counters_level level,
                            struct counters_view *view);
/* Closed and live ones together (gauges: of the live ones); -EAGAIN: objects were closing all the while, the last total still
 * stands. */
int counters_reader_total(const struct counters_reader *r, enum counters_level level,
                          uint64_t values[static COUNTERS_FIELDS_MAX]);

#endif
