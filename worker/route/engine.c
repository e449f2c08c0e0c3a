#include "worker/route/engine.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "worker/route/data.h"
#include "worker/route/expect.h"
#include "worker/route/outbound.h"
#include "worker/route/router.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"
#include "worker/stream/capture.h"
#include "worker/wire/demux.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

/* CLOCK_REALTIME counts from 1970, NTP from 1900. */
#define NTP_OFFSET_US (INT64_C(2208988800) * 1000000)
/* Marked during engine_send(), a transport is visited again at once, this often; then in the next pass. */
#define SEND_ROUNDS 4

int engine_new(struct engine **ep, const struct engine_config *conf)
{
    struct engine *e = mem_zalloc(sizeof(*e));
    e->conf = *conf;
    int err = pool_new(&e->pool, conf->pool_slots ? conf->pool_slots : LIMIT_POOL_SLOTS);
    if (err) {
        free(e);
        return err;
    }
    e->counts = counters_worker(conf->counters);
    counter_set(&e->counts->pool_slots, pool_slots(e->pool));
    e->items = mem_calloc(OUTBOUND_BURST, sizeof(*e->items));
    e->share_items = mem_calloc(LIMIT_TRANSPORT_CONSUMERS, sizeof(*e->share_items));
    e->share_consumers = mem_calloc(LIMIT_TRANSPORT_CONSUMERS, sizeof(struct consumer *));
    e->random = (uint64_t)rand_u32() << 32 | rand_u32() | 1;
    timers_init(&e->timers);
    data_open(e);
    tracer_init(&e->tracer, conf->trace);
    timer_init(&e->trace_timer, engine_trace_expired, e);
    *ep = e;
    return 0;
}

void engine_close_all(struct engine *e, int64_t now_us)
{
    while (e->routers)
        router_close(e, e->routers->id, now_us);
    engine_trace_stop_all(e);
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    e->conf.event = NULL;
    engine_close_all(e, 0);
    data_shut(e);
    packet_unref(e->spare);
    timers_free(&e->timers);
    pool_free(e->pool);
    free(e->items);
    free(e->share_items);
    free(e->share_consumers);
    free(e);
}

uint32_t engine_random(struct engine *e)
{
    e->random ^= e->random << 13;
    e->random ^= e->random >> 7;
    e->random ^= e->random << 17;
    return (uint32_t)(e->random >> 32);
}

int64_t engine_wall_us(const struct engine *e, int64_t now_us)
{
    return now_us + e->conf.wall_offset_us + NTP_OFFSET_US;
}

uint64_t engine_ntp(const struct engine *e, int64_t now_us)
{
    return capture_ntp_of_us(engine_wall_us(e, now_us));
}

/* ---- receiving ---- */

/* STUN by whose name it uses; what has none (an indication), and all else, by where it comes from; media also by its SSRC. */
static struct transport *owner(const struct engine *e, const struct dgram *d, enum demux_kind kind)
{
    char ufrag[ICE_UFRAG_MAX + 1];
    if (kind == DEMUX_STUN && ice_peek_ufrag(d->data, d->len, ufrag, sizeof(ufrag)) == 0)
        return webrtc_find(e, ufrag);
    struct transport *t = path_owner(e, &d->from);
    if (t || (kind != DEMUX_RTP && kind != DEMUX_RTCP))
        return t;
    t = expect_owner(e, d->data, d->len, kind == DEMUX_RTCP);
    return t && t->way->expects(t, d) ? t : NULL;
}

static void receive_one(struct engine *e, const struct dgram *d, int64_t now_us)
{
    enum demux_kind kind = demux_kind(d->data, d->len);
    if (kind == DEMUX_UNKNOWN) {
        counter_add(&e->counts->dropped_unknown, 1);
        return;
    }
    struct transport *t = owner(e, d, kind);
    bool stun = kind == DEMUX_STUN;
    if (!t || (stun && !t->way->stun) || (kind == DEMUX_DTLS && !t->way->dtls)) {
        counter_add(stun ? &e->counts->dropped_bad_stun : &e->counts->dropped_not_validated, 1);
        return;
    }
    switch (kind) {
    case DEMUX_STUN:
        t->way->stun(t, d, now_us);
        break;
    case DEMUX_DTLS:
        t->way->dtls(t, d, now_us);
        break;
    case DEMUX_RTP:
        transport_rtp(t, d, now_us);
        break;
    case DEMUX_RTCP:
        transport_rtcp(t, d, now_us);
        break;
    case DEMUX_UNKNOWN:
        break;
    }
}

void engine_receive(struct engine *e, const struct dgram *dgrams, size_t n, int64_t now_us)
{
    for (size_t i = 0; i < n; i++)
        receive_one(e, &dgrams[i], now_us);
}

void engine_tcp_gone(struct engine *e, const struct tuple *gone, int64_t now_us)
{
    struct transport *t = path_owner(e, gone);
    if (t && t->way->tcp_gone)
        t->way->tcp_gone(t, gone, now_us);
}

bool engine_local(const struct engine *e, uint32_t sock, struct addr *local)
{
    return e->conf.local && e->conf.local(sock, false, local, e->conf.local_arg);
}

/* ---- the batch ---- */

void engine_batch(struct engine *e, struct inbound *s, struct packet *pk, int64_t now_us)
{
    struct producer *p = s->producer;
    if (p->paused || !p->consumers) {
        packet_unref(pk);
        return;
    }
    struct batch_entry *b = &e->batch[e->n_batch++];
    *b = (struct batch_entry){.pk = pk, .stream = s};
    if (p->first) {
        p->last->next = b;
    } else {
        p->first = b;
        for (struct consumer *c = p->consumers; c; c = c->next_same) {
            if (c->flowing)
                consumer_ready(c);
        }
    }
    p->last = b;
    /* Not before the packet is in it: its stream's history has it already, see catch_up() in outbound.c. */
    if (e->n_batch == LIMIT_BATCH)
        engine_send(e, now_us);
}

void engine_unbatch(struct producer *p)
{
    for (struct batch_entry *b = p->first; b; b = b->next) {
        packet_unref(b->pk);
        b->pk = NULL;
    }
    p->first = p->last = NULL;
}

static void release_batch(struct engine *e)
{
    for (size_t i = 0; i < e->n_batch; i++) {
        struct batch_entry *b = &e->batch[i];
        if (b->pk) {
            b->stream->producer->first = b->stream->producer->last = NULL;
            packet_unref(b->pk);
        }
    }
    e->n_batch = 0;
}

/* ---- sending ---- */

void engine_mark(struct engine *e, struct transport *t)
{
    if (t->dirty)
        return;
    t->dirty = true;
    e->n_dirty++;
    DL_APPEND2(e->dirty, t, prev_dirty, next_dirty);
}

void engine_unmark(struct engine *e, struct transport *t)
{
    if (!t->dirty)
        return;
    t->dirty = false;
    e->n_dirty--;
    DL_DELETE2(e->dirty, t, prev_dirty, next_dirty);
}

/* Another one is first in every batch, so that nobody is always last. */
static void rotate(struct engine *e)
{
    size_t steps = e->n_dirty ? e->turn++ % e->n_dirty : 0;
    while (steps--) {
        struct transport *t = e->dirty;
        DL_DELETE2(e->dirty, t, prev_dirty, next_dirty);
        DL_APPEND2(e->dirty, t, prev_dirty, next_dirty);
    }
}

void engine_send(struct engine *e, int64_t now_us)
{
    rotate(e);
    for (int round = 0; round < SEND_ROUNDS && e->dirty; round++) {
        for (size_t n = e->n_dirty; n > 0; n--) {
            struct transport *t = e->dirty;
            engine_unmark(e, t);
            transport_send(t, now_us);
        }
    }
    outbound_flush(e, now_us);
    release_batch(e);
    outbox_flush(e->conf.outbox);
    counter_set(&e->counts->pool_used, pool_used(e->pool));
}

void engine_timers(struct engine *e, int64_t now_us)
{
    timers_run(&e->timers, now_us);
}

int64_t engine_next_us(const struct engine *e)
{
    return e->dirty ? 0 : timers_next_us(&e->timers);
}
