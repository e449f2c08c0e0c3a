#include "worker/stream/pacer.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>

#define US        1000000
#define LEAST_BPS 10000

struct pacer {
    uint32_t bps;
    int64_t level; /* bytes in the bucket, never below 0 */
    int64_t at_us; /* when that was so */
    struct pacer_probe probe;
    int64_t probe_us; /* it began */
    uint32_t probe_packets, probe_bytes;
    size_t first, n;
    uint64_t bytes; /* that wait */
    struct pacer_entry queue[PACER_MAX];
};

void pacer_new(struct pacer **pp, uint32_t bps, int64_t now_us)
{
    struct pacer *p = mem_zalloc(sizeof(*p));
    p->bps = bps > LEAST_BPS ? bps : LEAST_BPS;
    p->at_us = now_us;
    *pp = p;
}

void pacer_free(struct pacer *p)
{
    free(p);
}

/* ---- the bucket ---- */

static int64_t bytes_in(const struct pacer *p, int64_t us)
{
    return us * p->bps / 8 / US;
}

static int64_t us_of(const struct pacer *p, int64_t bytes)
{
    return (bytes * 8 * US + p->bps - 1) / p->bps;
}

static int64_t burst(const struct pacer *p)
{
    int64_t b = bytes_in(p, PACER_BURST_US);
    return b > PACER_BURST_MIN ? b : PACER_BURST_MIN;
}

static void drain(struct pacer *p, int64_t now_us)
{
    int64_t out = now_us > p->at_us ? bytes_in(p, now_us - p->at_us) : 0;
    if (p->level == 0)
        p->at_us = now_us;
    if (out == 0)
        return; /* not in steps so small that they are rounded away */
    p->level = p->level > out ? p->level - out : 0;
    p->at_us = now_us;
}

void pacer_set_rate(struct pacer *p, uint32_t bps, int64_t now_us)
{
    drain(p, now_us);
    p->bps = bps > LEAST_BPS ? bps : LEAST_BPS;
}

bool pacer_may_send(struct pacer *p, int64_t now_us)
{
    drain(p, now_us);
    return p->level < burst(p);
}

void pacer_sent(struct pacer *p, size_t bytes, bool told, int64_t now_us)
{
    drain(p, now_us);
    p->level += (int64_t)bytes;
    if (!p->probe.id || !told)
        return;
    p->probe_packets++;
    p->probe_bytes += (uint32_t)bytes;
    if (p->probe_packets >= p->probe.min_packets && p->probe_bytes >= p->probe.min_bytes)
        p->probe.id = 0;
}

/* ---- what waits ---- */

bool pacer_wait(struct pacer *p, const struct pacer_entry *e)
{
    if (p->n == PACER_MAX)
        return false;
    p->queue[(p->first + p->n++) % PACER_MAX] = *e;
    p->bytes += e->bytes;
    return true;
}

size_t pacer_waiting(const struct pacer *p)
{
    return p->n;
}

int64_t pacer_delay_us(const struct pacer *p)
{
    int64_t over = p->level + (int64_t)p->bytes - burst(p);
    return over > 0 ? us_of(p, over) : 0;
}

bool pacer_take(struct pacer *p, int64_t now_us, struct pacer_entry *e)
{
    if (p->n == 0 || !pacer_may_send(p, now_us))
        return false;
    *e = p->queue[p->first];
    p->first = (p->first + 1) % PACER_MAX;
    p->n--;
    p->bytes -= e->bytes;
    return true;
}

void pacer_forget(struct pacer *p, const void *owner)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct pacer_entry e = p->queue[(p->first + i) % PACER_MAX];
        if (e.owner != owner)
            p->queue[(p->first + kept++) % PACER_MAX] = e;
        else
            p->bytes -= e.bytes;
    }
    p->n = kept;
}

/* ---- probes ---- */

void pacer_probe(struct pacer *p, const struct pacer_probe *probe, int64_t now_us)
{
    p->probe = *probe;
    p->probe_us = now_us;
    p->probe_packets = p->probe_bytes = 0;
}

uint8_t pacer_probe_id(const struct pacer *p)
{
    return p->probe.id;
}

/* Bytes that should be out `us` after its start: the first portion goes at once. */
static int64_t probe_goal(const struct pacer *p, int64_t us)
{
    return (us + PACER_STEP_US) * p->probe.bps / 8 / US;
}

size_t pacer_padding(struct pacer *p, int64_t now_us)
{
    int64_t us = now_us - p->probe_us;
    if (p->probe.id && us > PACER_PROBE_US)
        p->probe.id = 0;
    if (!p->probe.id)
        return 0;
    int64_t lacking = probe_goal(p, us) - p->probe_bytes;
    return lacking > 0 ? (size_t)lacking : 0;
}

int64_t pacer_next_us(const struct pacer *p, bool more)
{
    int64_t next_us = TIME_NEVER_US;
    if (p->n || more) {
        int64_t over = p->level - burst(p) / 2;
        next_us = over > 0 ? p->at_us + us_of(p, over) : p->at_us;
    }
    if (p->probe.id) {
        int64_t due_us = (int64_t)p->probe_bytes * 8 * US / (p->probe.bps ? p->probe.bps : 1);
        if (due_us > PACER_PROBE_US)
            due_us = PACER_PROBE_US + 1;
        next_us = time_min_us(next_us, p->probe_us + due_us);
    }
    return next_us;
}
