#include "lib/mem.h"
#include "proto/counters.h"
#include "proto/counters_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NEED_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)
#define TRIES      4

struct level {
    size_t offset;
    uint32_t slot_size;
    uint32_t slots;
    size_t n;                         /* rows of our table */
    uint32_t at[COUNTERS_FIELDS_MAX]; /* in the slot; 0: the writer has no such row */
};

struct counters_reader {
    const uint8_t *map;
    size_t size;
    bool same_layout;
    struct level levels[COUNTERS_LEVELS];
};

static const struct counters_header *header_of(const struct counters_reader *r)
{
    return (const struct counters_header *)(const void *)r->map;
}

static bool level_is_sane(const struct counters_level_desc *d, size_t size)
{
    return d->offset % 8 == 0 && d->offset >= sizeof(struct counters_header) && d->offset <= size &&
           d->slot_size % 8 == 0 && d->slot_size >= sizeof(struct counters_slot) &&
           d->slot_size <= COUNTERS_SLOT_SIZE_MAX && d->slots >= 1 &&
           d->slots <= (size - d->offset) / d->slot_size && d->n_fields <= COUNTERS_FIELDS_MAX &&
           d->first_field <= COUNTERS_ALL_FIELDS - d->n_fields;
}

static bool field_is_sane(const struct counters_field_desc *f, uint32_t slot_size)
{
    return memchr(f->name, 0, sizeof(f->name)) && f->offset % 8 == 0 &&
           f->offset >= sizeof(struct counters_slot) && f->offset <= slot_size - 8;
}

static int read_level(struct level *level, enum counters_level which,
                      const struct counters_header *h, size_t size)
{
    const struct counters_level_desc *d = &h->levels[which];
    if (!level_is_sane(d, size))
        return -EPROTO;
    level->offset = (size_t)d->offset;
    level->slot_size = d->slot_size;
    level->slots = d->slots;
    const struct counters_field *ours = counters_fields(which, &level->n);
    for (size_t k = 0; k < d->n_fields; k++) {
        const struct counters_field_desc *f = &h->fields[d->first_field + k];
        if (!field_is_sane(f, d->slot_size))
            return -EPROTO;
        for (size_t i = 0; i < level->n; i++) {
            if (strcmp(f->name, ours[i].name) == 0)
                level->at[i] = f->offset;
        }
    }
    return 0;
}

static int read_header(struct counters_reader *r)
{
    const struct counters_header *shared = header_of(r);
    uint64_t magic = __atomic_load_n(&shared->magic, __ATOMIC_ACQUIRE);
    if (magic == 0)
        return -EAGAIN;
    struct counters_header *h = mem_zalloc(sizeof(*h));
    memcpy(h, shared, sizeof(*h));
    int error = 0;
    if (magic != COUNTERS_MAGIC || h->version != COUNTERS_VERSION || h->size != r->size ||
        h->header_size != sizeof(*h))
        error = -EPROTO;
    for (int l = 0; l < COUNTERS_LEVELS && !error; l++)
        error = read_level(&r->levels[l], (enum counters_level)l, h, r->size);
    r->same_layout = h->layout_hash == counters_layout_hash();
    free(h);
    return error;
}

int counters_reader_open(struct counters_reader **rp, int fd)
{
    *rp = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & NEED_SEALS) != NEED_SEALS)
        return -EPERM;
    if (st.st_size < (off_t)sizeof(struct counters_header) || st.st_size > (off_t)COUNTERS_SIZE_MAX)
        return -EPROTO;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    struct counters_reader *r = mem_zalloc(sizeof(*r));
    r->map = map;
    r->size = (size_t)st.st_size;
    int error = read_header(r);
    if (error) {
        counters_reader_free(r);
        return error;
    }
    *rp = r;
    return 0;
}

void counters_reader_free(struct counters_reader *r)
{
    if (!r)
        return;
    munmap((void *)(uintptr_t)r->map, r->size);
    free(r);
}

bool counters_reader_same_layout(const struct counters_reader *r)
{
    return r->same_layout;
}

bool counters_reader_has(const struct counters_reader *r, enum counters_level level, size_t index)
{
    return index < r->levels[level].n && r->levels[level].at[index] != 0;
}

static const struct counters_slot *slot_at(const struct counters_reader *r,
                                           enum counters_level level, size_t index)
{
    const struct level *l = &r->levels[level];
    return (const void *)(r->map + l->offset + index * l->slot_size);
}

static bool text_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* The writer may change the bytes under us: each is read once. */
static void copy_text(char to[static COUNTERS_TEXT_MAX], const char *from)
{
    size_t n = 0;
    memset(to, 0, COUNTERS_TEXT_MAX);
    for (; n < COUNTERS_TEXT_MAX - 1; n++) {
        char c = __atomic_load_n(&from[n], __ATOMIC_RELAXED);
        if (!text_char(c))
            break;
        to[n] = c;
    }
}

static void copy_values(const struct level *l, const struct counters_slot *s,
                        uint64_t values[static COUNTERS_FIELDS_MAX])
{
    const uint8_t *base = (const uint8_t *)s;
    for (size_t i = 0; i < l->n; i++) {
        const uint64_t *at = (const void *)(base + l->at[i]);
        values[i] = l->at[i] ? __atomic_load_n(at, __ATOMIC_RELAXED) : 0;
    }
}

/* False: the slot is not live, or changed meanwhile. */
static bool copy_slot(const struct counters_reader *r, enum counters_level level, size_t index,
                      struct counters_view *v)
{
    const struct counters_slot *s = slot_at(r, level, index);
    v->generation = __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != COUNTERS_SLOT_LIVE)
        return false;
    v->owner = __atomic_load_n(&s->owner, __ATOMIC_RELAXED);
    v->parent = __atomic_load_n(&s->parent, __ATOMIC_RELAXED);
    v->ssrc = __atomic_load_n(&s->ssrc, __ATOMIC_RELAXED);
    v->encoding = __atomic_load_n(&s->encoding, __ATOMIC_RELAXED);
    copy_text(v->rid, s->rid);
    copy_text(v->mime, s->mime);
    copy_values(&r->levels[level], s, v->values);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&s->state, __ATOMIC_RELAXED) == COUNTERS_SLOT_LIVE &&
           __atomic_load_n(&s->generation, __ATOMIC_RELAXED) == v->generation;
}

static size_t end_of(const struct counters_reader *r, enum counters_level level)
{
    uint32_t used = __atomic_load_n(&header_of(r)->levels[level].used, __ATOMIC_ACQUIRE);
    return used < r->levels[level].slots ? used : r->levels[level].slots;
}

bool counters_reader_next_owner(const struct counters_reader *r, enum counters_level level,
                                size_t *cursor, uint64_t *owner)
{
    size_t end = end_of(r, level);
    for (size_t i = *cursor ? *cursor : 1; i < end; i++) {
        const struct counters_slot *s = slot_at(r, level, i);
        if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != COUNTERS_SLOT_LIVE)
            continue;
        *owner = __atomic_load_n(&s->owner, __ATOMIC_RELAXED);
        *cursor = i + 1;
        return true;
    }
    return false;
}

bool counters_reader_slot(const struct counters_reader *r, enum counters_level level, size_t slot,
                          struct counters_view *view)
{
    memset(view, 0, sizeof(*view));
    return slot && slot < end_of(r, level) && copy_slot(r, level, slot, view);
}

bool counters_reader_next(const struct counters_reader *r, enum counters_level level,
                          size_t *cursor, struct counters_view *view)
{
    size_t end = end_of(r, level);
    memset(view, 0, sizeof(*view));
    for (size_t i = *cursor ? *cursor : 1; i < end; i++) {
        if (copy_slot(r, level, i, view)) {
            *cursor = i + 1;
            return true;
        }
    }
    return false;
}

void counters_reader_closed(const struct counters_reader *r, enum counters_level level,
                            struct counters_view *view)
{
    const struct counters_slot *s = slot_at(r, level, 0);
    memset(view, 0, sizeof(*view));
    for (int i = 0; i < TRIES; i++) {
        uint32_t before = __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
        copy_values(&r->levels[level], s, view->values);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && __atomic_load_n(&s->generation, __ATOMIC_RELAXED) == before)
            return;
    }
}

static void total_once(const struct counters_reader *r, enum counters_level level, uint64_t *values)
{
    struct counters_view v;
    size_t cursor = 0;
    copy_values(&r->levels[level], slot_at(r, level, 0), values);
    while (counters_reader_next(r, level, &cursor, &v)) {
        for (size_t i = 0; i < r->levels[level].n; i++)
            values[i] += v.values[i];
    }
}

int counters_reader_total(const struct counters_reader *r, enum counters_level level,
                          uint64_t values[static COUNTERS_FIELDS_MAX])
{
    const struct counters_slot *s = slot_at(r, level, 0);
    for (int i = 0; i < TRIES; i++) {
        uint32_t before = __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
        memset(values, 0, COUNTERS_FIELDS_MAX * sizeof(values[0]));
        total_once(r, level, values);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && __atomic_load_n(&s->generation, __ATOMIC_RELAXED) == before)
            return 0;
    }
    return -EAGAIN;
}
