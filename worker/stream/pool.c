#include "worker/stream/pool.h"

#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pool {
    struct packet *slots;
    struct packet *free; /* given back */
    size_t n;
    size_t fresh; /* never used yet from here on: their memory is not touched before */
    size_t used;
};

int pool_new(struct pool **pp, size_t slots)
{
    void *mem;
    if (slots == 0 || slots > SIZE_MAX / POOL_SLOT)
        return -EINVAL;
    if (posix_memalign(&mem, _Alignof(struct packet), slots * POOL_SLOT) != 0)
        return -ENOMEM;
    struct pool *p = mem_zalloc(sizeof(*p));
    p->slots = mem;
    p->n = slots;
    *pp = p;
    return 0;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    free(p->slots);
    free(p);
}

struct packet *pool_get(struct pool *p)
{
    struct packet *pk = p->free;
    if (pk)
        p->free = pk->next_free;
    else if (p->fresh < p->n)
        pk = &p->slots[p->fresh++];
    else
        return NULL;
    memset(pk, 0, offsetof(struct packet, data));
    pk->pool = p;
    pk->refs = 1;
    p->used++;
    return pk;
}

size_t pool_slots(const struct pool *p)
{
    return p->n;
}

size_t pool_used(const struct pool *p)
{
    return p->used;
}

void packet_unref(struct packet *pk)
{
    if (!pk || --pk->refs)
        return;
    struct pool *p = pk->pool;
    pk->next_free = p->free;
    p->free = pk;
    p->used--;
}
