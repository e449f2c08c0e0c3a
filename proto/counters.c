#include "proto/counters.h"
#include "lib/mem.h"
#include "proto/counters_layout.h"
#include "proto/trace.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD_(name, kind, unit, help, level)                                                      \
    {#name, unit, help, COUNTERS_KIND_##kind, (uint32_t)offsetof(struct counters_##level, name)},

static const struct counters_field worker_fields[] = {
#define COUNTER_WORKER(name, kind, unit, help) FIELD_(name, kind, unit, help, worker)
#include "proto/counters.def"
};
static const struct counters_field transport_fields[] = {
#define COUNTER_TRANSPORT(name, kind, unit, help) FIELD_(name, kind, unit, help, transport)
#include "proto/counters.def"
};
static const struct counters_field producer_fields[] = {
#define COUNTER_PRODUCER(name, kind, unit, help) FIELD_(name, kind, unit, help, producer)
#include "proto/counters.def"
};
static const struct counters_field consumer_fields[] = {
#define COUNTER_CONSUMER(name, kind, unit, help) FIELD_(name, kind, unit, help, consumer)
#include "proto/counters.def"
};

#define N_FIELDS(table) (sizeof(table) / sizeof((table)[0]))
static_assert(N_FIELDS(worker_fields) <= COUNTERS_FIELDS_MAX, "too many rows");
static_assert(N_FIELDS(transport_fields) <= COUNTERS_FIELDS_MAX, "too many rows");
static_assert(N_FIELDS(producer_fields) <= COUNTERS_FIELDS_MAX, "too many rows");
static_assert(N_FIELDS(consumer_fields) <= COUNTERS_FIELDS_MAX, "too many rows");

static const struct {
    const char *name;
    const struct counters_field *fields;
    size_t n_fields;
    uint32_t slots; /* slot 0 included */
} levels[COUNTERS_LEVELS] = {
    {"worker", worker_fields, N_FIELDS(worker_fields), 1},
    {"transport", transport_fields, N_FIELDS(transport_fields), COUNTERS_TRANSPORTS + 1},
    {"producer", producer_fields, N_FIELDS(producer_fields), COUNTERS_PRODUCERS + 1},
    {"consumer", consumer_fields, N_FIELDS(consumer_fields), COUNTERS_CONSUMERS + 1},
};

const char *counters_level_name(enum counters_level level)
{
    return levels[level].name;
}

const struct counters_field *counters_fields(enum counters_level level, size_t *n)
{
    *n = levels[level].n_fields;
    return levels[level].fields;
}

/* FNV-1a over what the layout depends on. */
uint64_t counters_layout_hash(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t l = 0; l < COUNTERS_LEVELS; l++) {
        for (size_t i = 0; i < levels[l].n_fields; i++) {
            const struct counters_field *f = &levels[l].fields[i];
            for (size_t k = 0; k <= strlen(f->name); k++)
                hash = (hash ^ (uint8_t)f->name[k]) * UINT64_C(0x100000001b3);
            hash = (hash ^ (l << 8 | (uint8_t)f->kind)) * UINT64_C(0x100000001b3);
        }
    }
    return hash;
}

/* A slot starts on a cache line, so that no two objects share one. */
static size_t slot_size(size_t level)
{
    size_t size = sizeof(struct counters_slot) + levels[level].n_fields * sizeof(uint64_t);
    return (size + 63) & ~(size_t)63;
}

static size_t level_offset(size_t level)
{
    size_t offset = (sizeof(struct counters_header) + 4095) & ~(size_t)4095;
    for (size_t l = 0; l < level; l++)
        offset += slot_size(l) * levels[l].slots;
    return offset;
}

size_t counters_size(void)
{
    return ((level_offset(COUNTERS_LEVELS) + 4095) & ~(size_t)4095) + trace_size();
}

int counters_create(void)
{
    int fd = memfd_create("althing-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)counters_size()) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/* ---- writing
 * -------------------------------------------------------------------------------------------------------------------
 */

/* Slots that rest, oldest first: a ring of as many places as the level has slots. */
struct rest {
    uint32_t *slot;
    int64_t *freed_us;
    uint32_t head, count;
};

struct counters {
    uint8_t *map;
    struct rest rest[COUNTERS_LEVELS];
    uint32_t used[COUNTERS_LEVELS]; /* ours; the header's copy is for the readers */
    uint64_t dummy[COUNTERS_FIELDS_MAX];
};

/* What is counted without a segment goes here; nobody reads it. */
static uint64_t nowhere[COUNTERS_FIELDS_MAX];

static struct counters_header *header_of(struct counters *c)
{
    return (struct counters_header *)(void *)c->map;
}

static struct counters_slot *slot_at(struct counters *c, size_t level, uint32_t index)
{
    return (struct counters_slot *)(void *)(c->map + level_offset(level) +
                                            slot_size(level) * index);
}

static void write_header(struct counters_header *h)
{
    h->version = COUNTERS_VERSION;
    h->header_size = sizeof(*h);
    h->layout_hash = counters_layout_hash();
    h->size = counters_size();
    uint32_t next = 0;
    for (size_t l = 0; l < COUNTERS_LEVELS; l++) {
        h->levels[l] = (struct counters_level_desc){
            .offset = level_offset(l),
            .slot_size = (uint32_t)slot_size(l),
            .slots = levels[l].slots,
            .first_field = next,
            .n_fields = (uint32_t)levels[l].n_fields,
            .used = 1,
        };
        for (size_t i = 0; i < levels[l].n_fields; i++) {
            struct counters_field_desc *f = &h->fields[next++];
            memset(f, 0, sizeof(*f));
            memcpy(f->name, levels[l].fields[i].name, strlen(levels[l].fields[i].name));
            f->offset = (uint32_t)sizeof(struct counters_slot) + levels[l].fields[i].offset;
            f->kind = (uint32_t)levels[l].fields[i].kind;
        }
    }
    __atomic_store_n(&h->magic, COUNTERS_MAGIC, __ATOMIC_RELEASE);
}

int counters_open(struct counters **cp, int fd)
{
    *cp = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size != (off_t)counters_size())
        return -EINVAL;
    void *map = mmap(NULL, counters_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    struct counters *c = mem_zalloc(sizeof(*c));
    c->map = map;
    memset(map, 0, level_offset(COUNTERS_WORKER));
    for (size_t l = 0; l < COUNTERS_LEVELS; l++) {
        c->rest[l].slot = mem_calloc(levels[l].slots, sizeof(uint32_t));
        c->rest[l].freed_us = mem_calloc(levels[l].slots, sizeof(int64_t));
        c->used[l] = 1;
        struct counters_slot *sum = slot_at(c, l, 0);
        memset(sum, 0, slot_size(l));
        sum->state = COUNTERS_SLOT_SUM;
    }
    write_header(header_of(c));
    *cp = c;
    return 0;
}

void counters_free(struct counters *c)
{
    if (!c)
        return;
    for (size_t l = 0; l < COUNTERS_LEVELS; l++) {
        free(c->rest[l].slot);
        free(c->rest[l].freed_us);
    }
    munmap(c->map, counters_size());
    free(c);
}

/* The index of a slot that may be used now, or 0: none. */
static uint32_t find_slot(struct counters *c, enum counters_level level, int64_t now_us)
{
    struct rest *r = &c->rest[level];
    if (r->count && now_us - r->freed_us[r->head] >= COUNTERS_REST_US) {
        uint32_t index = r->slot[r->head];
        r->head = (r->head + 1) % levels[level].slots;
        r->count--;
        return index;
    }
    if (c->used[level] == levels[level].slots)
        return 0;
    uint32_t index = c->used[level]++;
    __atomic_store_n(&header_of(c)->levels[level].used, c->used[level], __ATOMIC_RELEASE);
    return index;
}

static void copy_text(char to[static COUNTERS_TEXT_MAX], const char *from)
{
    size_t n = from ? strnlen(from, COUNTERS_TEXT_MAX - 1) : 0;
    memset(to, 0, COUNTERS_TEXT_MAX);
    if (n)
        memcpy(to, from, n);
}

static void *take(struct counters *c, enum counters_level level, uint64_t owner, uint64_t parent,
                  const struct counters_label *label, int64_t now_us)
{
    if (!c)
        return nowhere;
    uint32_t index = find_slot(c, level, now_us);
    if (!index) {
        counter_add(&counters_worker(c)->slots_refused, 1);
        return c->dummy;
    }
    struct counters_slot *s = slot_at(c, level, index);
    uint32_t generation = s->generation;
    memset(s->values, 0, levels[level].n_fields * sizeof(uint64_t));
    s->owner = owner;
    s->parent = parent;
    s->ssrc = label ? label->ssrc : 0;
    s->encoding = label ? label->encoding : 0;
    copy_text(s->rid, label ? label->rid : NULL);
    copy_text(s->mime, label ? label->mime : NULL);
    __atomic_store_n(&s->generation, generation + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&s->state, COUNTERS_SLOT_LIVE, __ATOMIC_RELEASE);
    return s->values;
}

/* The slot that `values` belong to and its index, or NULL for a dummy. */
static struct counters_slot *slot_of(struct counters *c, enum counters_level level, void *values,
                                     uint32_t *index)
{
    if (!c || !values)
        return NULL;
    uintptr_t p = (uintptr_t)values;
    uintptr_t first = (uintptr_t)slot_at(c, level, 1);
    if (p < first || p >= (uintptr_t)slot_at(c, level, levels[level].slots))
        return NULL;
    *index = (uint32_t)((p - first) / slot_size(level)) + 1;
    return slot_at(c, level, *index);
}

/* The sum's generation is odd from before the slot leaves the live ones until it is in the sum: a
 * reader's total sees it once. */
static void release(struct counters *c, enum counters_level level, void *values, int64_t now_us)
{
    uint32_t index;
    struct counters_slot *s = slot_of(c, level, values, &index);
    if (!s || s->state != COUNTERS_SLOT_LIVE)
        return;
    struct counters_slot *sum = slot_at(c, level, 0);
    __atomic_store_n(&sum->generation, sum->generation + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (size_t i = 0; i < levels[level].n_fields; i++) {
        if (levels[level].fields[i].kind == COUNTERS_KIND_COUNTER)
            counter_add(&sum->values[i], s->values[i]);
    }
    __atomic_store_n(&s->state, COUNTERS_SLOT_FREE, __ATOMIC_RELEASE);
    __atomic_store_n(&s->generation, s->generation + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&sum->generation, sum->generation + 1, __ATOMIC_RELEASE);
    struct rest *r = &c->rest[level];
    uint32_t tail = (r->head + r->count) % levels[level].slots;
    r->slot[tail] = index;
    r->freed_us[tail] = now_us;
    r->count++;
}

struct counters_worker *counters_worker(struct counters *c)
{
    return (void *)(c ? slot_at(c, COUNTERS_WORKER, 0)->values : nowhere);
}

struct counters_transport *counters_transport_take(struct counters *c, uint64_t owner,
                                                   uint64_t parent, int64_t now_us)
{
    return take(c, COUNTERS_TRANSPORT, owner, parent, NULL, now_us);
}

struct counters_producer *counters_producer_take(struct counters *c, uint64_t owner,
                                                 uint64_t parent,
                                                 const struct counters_label *label, int64_t now_us)
{
    return take(c, COUNTERS_PRODUCER, owner, parent, label, now_us);
}

struct counters_consumer *counters_consumer_take(struct counters *c, uint64_t owner,
                                                 uint64_t parent,
                                                 const struct counters_label *label, int64_t now_us)
{
    return take(c, COUNTERS_CONSUMER, owner, parent, label, now_us);
}

void counters_producer_set_ssrc(struct counters *c, struct counters_producer *p, uint32_t ssrc)
{
    uint32_t index;
    struct counters_slot *s = slot_of(c, COUNTERS_PRODUCER, p, &index);
    if (s)
        __atomic_store_n(&s->ssrc, ssrc, __ATOMIC_RELAXED);
}

void counters_transport_release(struct counters *c, struct counters_transport *t, int64_t now_us)
{
    release(c, COUNTERS_TRANSPORT, t, now_us);
}

void counters_producer_release(struct counters *c, struct counters_producer *p, int64_t now_us)
{
    release(c, COUNTERS_PRODUCER, p, now_us);
}

void counters_consumer_release(struct counters *c, struct counters_consumer *p, int64_t now_us)
{
    release(c, COUNTERS_CONSUMER, p, now_us);
}
