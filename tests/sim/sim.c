#include "tests/sim/sim.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>

#define LINKS    8
#define CHANGES  16
#define START_US S_US(1000)

struct event {
    int64_t at_us;
    uint64_t order; /* of two at the same time, the one that was asked for first */
    sim_event_fn *fn;
    void *arg;
};

struct sim {
    int64_t now_us;
    uint64_t random;
    uint64_t order;
    struct event *heap;
    size_t n, room;
    struct sim_link *links[LINKS];
    size_t links_n;
};

struct flight {
    struct sim_packet packet;
    struct flight *next;
};

struct change {
    struct sim_link *link;
    uint32_t rate_bps;
};

struct sim_link {
    struct sim *sim;
    struct sim_link_conf conf;
    struct flight *first, **last; /* waiting, the first being sent */
    size_t waiting_bytes;
    bool busy, bursting;
    int64_t last_arrival_us;
    uint64_t dropped;
    struct change changes[CHANGES];
    size_t changes_n;
};

/* ---- time ------------------------------------------------------------------------------------ */

struct sim *sim_new(uint64_t seed)
{
    struct sim *s = mem_zalloc(sizeof(*s));
    s->random = seed * 0x9e3779b97f4a7c15u + 1;
    s->now_us = START_US;
    return s;
}

static void arrive(int64_t now_us, void *arg)
{
    struct flight *f = arg;
    f->packet.deliver(&f->packet, now_us, f->packet.arg);
    free(f);
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        if (s->heap[i].fn == arrive)
            free(s->heap[i].arg);
    for (size_t i = 0; i < s->links_n; i++) {
        for (struct flight *f = s->links[i]->first, *next; f; f = next) {
            next = f->next;
            free(f);
        }
        free(s->links[i]);
    }
    free(s->heap);
    free(s);
}

int64_t sim_now_us(const struct sim *s)
{
    return s->now_us;
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void sim_at(struct sim *s, int64_t at_us, sim_event_fn *fn, void *arg)
{
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->heap = mem_realloc(s->heap, s->room, sizeof(*s->heap));
    }
    struct event e = {at_us > s->now_us ? at_us : s->now_us, s->order++, fn, arg};
    size_t i = s->n++;
    for (; i && before(&e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = e;
}

static struct event pop(struct sim *s)
{
    struct event first = s->heap[0], last = s->heap[--s->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < s->n; i = child) {
        if (child + 1 < s->n && before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!before(&s->heap[child], &last))
            break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = last;
    return first;
}

void sim_run(struct sim *s, int64_t until_us)
{
    while (s->n && s->heap[0].at_us <= until_us) {
        struct event e = pop(s);
        s->now_us = e.at_us;
        e.fn(s->now_us, e.arg);
    }
    s->now_us = until_us;
}

double sim_chance(struct sim *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return (double)(s->random >> 11) / 9007199254740992.0;
}

/* ---- links ----------------------------------------------------------------------------------- */

struct sim_link *sim_link_new(struct sim *s, const struct sim_link_conf *conf)
{
    if (s->links_n == LINKS)
        abort();
    struct sim_link *l = mem_zalloc(sizeof(*l));
    l->sim = s;
    l->conf = *conf;
    l->last = &l->first;
    s->links[s->links_n++] = l;
    return l;
}

struct sim_link_conf *sim_link_conf(struct sim_link *l)
{
    return &l->conf;
}

static void change_rate(int64_t now_us, void *arg)
{
    (void)now_us;
    struct change *c = arg;
    c->link->conf.rate_bps = c->rate_bps;
}

void sim_link_set_rate_at(struct sim_link *l, int64_t at_us, uint32_t rate_bps)
{
    if (l->changes_n == CHANGES)
        abort();
    struct change *c = &l->changes[l->changes_n++];
    *c = (struct change){l, rate_bps};
    sim_at(l->sim, at_us, change_rate, c);
}

static int64_t time_of(size_t bytes, uint32_t rate_bps)
{
    return rate_bps ? (int64_t)(bytes * 8 * 1000000 / rate_bps) : 0;
}

int64_t sim_link_queue_us(const struct sim_link *l)
{
    return time_of(l->waiting_bytes, l->conf.rate_bps);
}

uint64_t sim_link_dropped(const struct sim_link *l)
{
    return l->dropped;
}

static bool loses(struct sim_link *l)
{
    const struct sim_link_conf *c = &l->conf;
    if (c->burst_begin > 0)
        l->bursting = sim_chance(l->sim) < (l->bursting ? 1 - c->burst_end : c->burst_begin);
    return l->bursting || (c->loss > 0 && sim_chance(l->sim) < c->loss);
}

static struct flight *flight_of(const struct sim_packet *p)
{
    struct flight *f = mem_zalloc(sizeof(*f));
    f->packet = *p;
    return f;
}

/* Over the bottleneck: now the way. */
static void propagate(struct sim_link *l, struct flight *f)
{
    const struct sim_link_conf *c = &l->conf;
    struct sim *s = l->sim;
    int64_t at_us = s->now_us + c->delay_us;
    if (c->jitter_us)
        at_us += (int64_t)(sim_chance(s) * (double)c->jitter_us);
    if (c->reorder > 0 && sim_chance(s) < c->reorder) {
        at_us += c->reorder_us;
    } else {
        at_us = at_us < l->last_arrival_us ? l->last_arrival_us : at_us;
        l->last_arrival_us = at_us;
    }
    if (loses(l)) {
        free(f);
        return;
    }
    if (c->duplicate > 0 && sim_chance(s) < c->duplicate)
        sim_at(s, at_us + c->reorder_us, arrive, flight_of(&f->packet));
    sim_at(s, at_us, arrive, f);
}

static void serve(struct sim_link *l);

static void served(int64_t now_us, void *arg)
{
    (void)now_us;
    struct sim_link *l = arg;
    struct flight *f = l->first;
    l->first = f->next;
    if (!l->first)
        l->last = &l->first;
    l->waiting_bytes -= f->packet.bytes;
    l->busy = false;
    propagate(l, f);
    serve(l);
}

static void serve(struct sim_link *l)
{
    if (l->busy || !l->first)
        return;
    l->busy = true;
    int64_t us = time_of(l->first->packet.bytes, l->conf.rate_bps);
    sim_at(l->sim, l->sim->now_us + us, served, l);
}

void sim_link_send(struct sim_link *l, const struct sim_packet *p)
{
    struct flight *f = flight_of(p);
    if (l->conf.rate_bps == 0 && !l->first) {
        propagate(l, f);
        return;
    }
    if (l->conf.queue_us && sim_link_queue_us(l) > l->conf.queue_us) {
        l->dropped++;
        free(f);
        return;
    }
    *l->last = f;
    l->last = &f->next;
    l->waiting_bytes += p->bytes;
    serve(l);
}
