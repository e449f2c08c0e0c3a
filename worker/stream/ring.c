#include "worker/stream/ring.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/stream/pool.h"

#include <errno.h>
#include <stdlib.h>

struct ring {
    int64_t max_age_us;
    int64_t newest; /* highest ext_seq held or held before */
    int64_t oldest; /* no packet below; the packet here may be gone */
    size_t mask;
    size_t count;
    struct packet *slots[]; /* by ext_seq */
};

int ring_new(struct ring **rp, size_t slots, int64_t max_age_us)
{
    size_t n = 1;
    if (slots == 0 || slots > RING_SLOTS_MAX || max_age_us <= 0)
        return -EINVAL;
    while (n < slots)
        n *= 2;
    struct ring *r = mem_zalloc(sizeof(*r) + n * sizeof(struct packet *));
    r->mask = n - 1;
    r->max_age_us = max_age_us;
    *rp = r;
    return 0;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    ring_clear(r);
    free(r);
}

static struct packet **place(struct ring *r, int64_t ext_seq)
{
    return &r->slots[(size_t)ext_seq & r->mask];
}

static void drop_at_oldest(struct ring *r)
{
    struct packet **at = place(r, r->oldest++);
    if (!*at)
        return;
    packet_unref(*at);
    *at = NULL;
    r->count--;
}

bool ring_drop_oldest(struct ring *r)
{
    size_t before = r->count;
    while (before && r->count == before)
        drop_at_oldest(r);
    return before > 0;
}

void ring_clear(struct ring *r)
{
    while (ring_drop_oldest(r))
        continue;
}

bool ring_put(struct ring *r, struct packet *pk)
{
    int64_t seq = pk->ext_seq;
    if (r->count == 0)
        r->oldest = r->newest = seq;
    int64_t lowest = (seq > r->newest ? seq : r->newest) - (int64_t)r->mask;
    if (seq < lowest)
        return false;
    while (r->count && r->oldest < lowest)
        drop_at_oldest(r);
    struct packet **at = place(r, seq);
    if (*at)
        return false;
    *at = packet_ref(pk);
    if (r->count++ == 0 || seq < r->oldest)
        r->oldest = seq;
    if (seq > r->newest)
        r->newest = seq;
    return true;
}

struct packet *ring_get(const struct ring *r, int64_t ext_seq)
{
    struct packet *pk = r->slots[(size_t)ext_seq & r->mask];
    return pk && pk->ext_seq == ext_seq ? pk : NULL;
}

/* The oldest packet; `oldest` moves up to it. NULL: the ring is empty. */
static struct packet *first(struct ring *r)
{
    if (r->count == 0)
        return NULL;
    while (!*place(r, r->oldest))
        r->oldest++;
    return *place(r, r->oldest);
}

void ring_expire(struct ring *r, int64_t now_us)
{
    const struct packet *pk;
    while ((pk = first(r)) && now_us - pk->rx_us > r->max_age_us)
        drop_at_oldest(r);
}

int64_t ring_oldest_us(const struct ring *r)
{
    if (r->count == 0)
        return TIME_NEVER_US;
    int64_t seq = r->oldest;
    while (!r->slots[(size_t)seq & r->mask])
        seq++;
    return r->slots[(size_t)seq & r->mask]->rx_us;
}

size_t ring_count(const struct ring *r)
{
    return r->count;
}
