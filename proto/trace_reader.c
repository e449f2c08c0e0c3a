#include "lib/mem.h"
#include "proto/trace.h"
#include "proto/trace_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NEED_SEALS  (F_SEAL_SHRINK | F_SEAL_GROW)
#define SEGMENT_MAX (INT64_C(1) << 30)
#define FLAGS       (TRACE_OUT | TRACE_MARKER | TRACE_START | TRACE_RTX | TRACE_TWCC | TRACE_RTCP)
#define MARGIN                                                                                     \
    (TRACE_RECORDS / 8) /* after a gap: records that the writer may overwrite meanwhile */

struct trace_reader {
    const uint8_t *map;
    size_t size;
    const struct trace_ring *rings;
};

/* Looked at once, on a copy. The rings are where our own layout says, or nowhere. */
static int check(const struct trace_reader *r)
{
    const struct trace_area *shared = (const void *)(r->map + r->size - sizeof(*shared));
    if (__atomic_load_n(&shared->magic, __ATOMIC_ACQUIRE) != TRACE_MAGIC)
        return -ENOENT;
    struct trace_area a;
    memcpy(&a, shared, sizeof(a));
    size_t size = TRACE_RINGS * sizeof(struct trace_ring) + sizeof(a);
    if (a.version != TRACE_VERSION || a.rings != TRACE_RINGS || a.records != TRACE_RECORDS ||
        a.slot_size != sizeof(struct trace_slot) || a.size != size || size > r->size)
        return -EPROTO;
    return 0;
}

int trace_reader_open(struct trace_reader **rp, int fd)
{
    *rp = NULL;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & NEED_SEALS) != NEED_SEALS)
        return -EPERM;
    if (st.st_size % 64 || st.st_size < (off_t)sizeof(struct trace_area) ||
        st.st_size > SEGMENT_MAX)
        return -EPROTO;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    struct trace_reader *r = mem_zalloc(sizeof(*r));
    r->map = map;
    r->size = (size_t)st.st_size;
    int err = check(r);
    if (err) {
        trace_reader_free(r);
        return err;
    }
    r->rings = (const void *)(r->map + r->size - sizeof(struct trace_area) -
                              TRACE_RINGS * sizeof(struct trace_ring));
    *rp = r;
    return 0;
}

void trace_reader_free(struct trace_reader *r)
{
    if (!r)
        return;
    munmap((void *)(uintptr_t)r->map, r->size);
    free(r);
}

static bool text_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static void clean_text(char text[static TRACE_TEXT_MAX])
{
    size_t n = 0;
    while (n < TRACE_TEXT_MAX - 1 && text_char(text[n]))
        n++;
    memset(text + n, 0, TRACE_TEXT_MAX - n);
}

/* False: it was being written, or is nonsense. */
static bool copy(const struct trace_slot *s, uint64_t number, struct trace_record *out)
{
    if (__atomic_load_n(&s->number, __ATOMIC_ACQUIRE) != number)
        return false;
    memcpy(out, &s->record, sizeof(*out));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&s->number, __ATOMIC_RELAXED) != number || out->kind >= TRACE_KINDS ||
        out->data_len > TRACE_DATA_MAX)
        return false;
    out->flags &= FLAGS;
    memset(out->data + out->data_len, 0, sizeof(out->data) - out->data_len);
    clean_text(out->mid);
    clean_text(out->rid);
    return true;
}

bool trace_reader_next(const struct trace_reader *r, struct trace_cursor *c,
                       struct trace_record *out)
{
    const struct trace_ring *ring = &r->rings[c->ring % TRACE_RINGS];
    if (c->id == 0 || __atomic_load_n(&ring->id, __ATOMIC_ACQUIRE) != c->id)
        return false;
    uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    if (head < c->next)
        return false;
    if (head - c->next > TRACE_RECORDS) {
        uint64_t from = head - TRACE_RECORDS + MARGIN;
        c->lost += from - c->next;
        c->next = from;
    }
    while (c->next < head) {
        const struct trace_slot *s = &ring->slots[c->next % TRACE_RECORDS];
        if (copy(s, ++c->next, out))
            return true;
        c->lost++;
    }
    return false;
}
