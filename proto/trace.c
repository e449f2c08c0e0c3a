#include "proto/trace.h"

#include "lib/mem.h"
#include "proto/trace_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char *const names[TRACE_KINDS] = {"rtp", "keyframe", "nack", "pli",   "fir",
                                               "sr",  "layers",   "bwe",  "packet"};

const char *trace_kind_name(enum trace_kind kind)
{
    return names[kind];
}

int trace_kind_of(const char *name)
{
    for (int i = 0; i < TRACE_KINDS; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static size_t used_size(void)
{
    return TRACE_RINGS * sizeof(struct trace_ring) + sizeof(struct trace_area);
}

/* Whole pages, so that what is before the area shares none with it. */
size_t trace_size(void)
{
    return (used_size() + 4095) & ~(size_t)4095;
}

struct trace {
    uint8_t *map;
    size_t size;
    struct trace_ring *rings;
};

int trace_open(struct trace **tp, int fd)
{
    *tp = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size % 64 || st.st_size < (off_t)trace_size())
        return -EINVAL;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    struct trace *t = mem_zalloc(sizeof(*t));
    t->map = map;
    t->size = (size_t)st.st_size;
    t->rings = (void *)(t->map + t->size - used_size());
    struct trace_area *a = (void *)(t->map + t->size - sizeof(*a));
    *a = (struct trace_area){.version = TRACE_VERSION,
                             .rings = TRACE_RINGS,
                             .records = TRACE_RECORDS,
                             .slot_size = sizeof(struct trace_slot),
                             .size = used_size()};
    __atomic_store_n(&a->magic, TRACE_MAGIC, __ATOMIC_RELEASE);
    *tp = t;
    return 0;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    munmap(t->map, t->size);
    free(t);
}

void trace_start(struct trace *t, unsigned ring, uint64_t id)
{
    struct trace_ring *r = &t->rings[ring];
    __atomic_store_n(&r->id, 0, __ATOMIC_RELEASE);
    for (size_t i = 0; i < TRACE_RECORDS && i < r->head; i++)
        __atomic_store_n(&r->slots[i].number, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&r->head, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&r->id, id, __ATOMIC_RELEASE);
}

struct trace_record *trace_begin(struct trace *t, unsigned ring)
{
    struct trace_ring *r = &t->rings[ring];
    struct trace_slot *s = &r->slots[r->head % TRACE_RECORDS];
    __atomic_store_n(&s->number, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memset(&s->record, 0, offsetof(struct trace_record, data));
    return &s->record;
}

void trace_commit(struct trace *t, unsigned ring)
{
    struct trace_ring *r = &t->rings[ring];
    __atomic_store_n(&r->slots[r->head % TRACE_RECORDS].number, r->head + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
}
