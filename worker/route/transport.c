#include "worker/route/transport.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "proto/histogram.h"
#include "worker/cc/twcc_recv.h"
#include "worker/route/data.h"
#include "worker/route/outbound.h"
#include "worker/route/router.h"
#include "worker/route/rtcp_out.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/stream/nack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define REPORT_US 1000000 /* shortest time between two reports; times 1.0 to 1.5 (RFC 3550 6.3.1) */

struct transport *transport_find(const struct engine *e, uint64_t id)
{
    struct transport *t = NULL;
    HASH_FIND(hh, e->transports, &id, sizeof(id), t);
    return t;
}

/* ---- its way ---- */

void transport_set_writable(struct transport *t, bool writable, int64_t now_us)
{
    if (writable == t->writable)
        return;
    t->writable = writable;
    share_writable(t);
    for (struct consumer *c = t->consumers; c; c = c->next)
        consumer_flow_changed(c, now_us);
    if (writable) {
        transport_arm_cc(t);
        data_writable(t, now_us);
    }
}

void transport_tuple_changed(const struct transport *t, const struct tuple *tuple)
{
    const struct engine_config *conf = &t->engine->conf;
    struct engine_event ev = {.kind = ENGINE_TUPLE,
                              .object = t->id,
                              .tcp = tuple->proto == NET_TCP,
                              .remote = tuple->remote};
    if (conf->local)
        conf->local(tuple->sock, ev.tcp, &ev.local, conf->local_arg);
    counter_set(&t->counters->tcp, ev.tcp);
    engine_event(t->engine, &ev);
}

bool transport_writable(const struct transport *t)
{
    return t->writable;
}

const struct tuple *transport_to(const struct transport *t, bool rtcp)
{
    return t->way->to(t, rtcp);
}

/* ---- timers ---- */

static void start_reports(struct transport *t, int64_t now_us)
{
    timer_start(&t->engine->timers, &t->report_timer,
                now_us + REPORT_US + engine_random(t->engine) % (REPORT_US / 2));
}

static void report_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct transport *t = arg;
    transport_due(t, TRANSPORT_DUE_REPORTS);
    start_reports(t, now_us);
}

static void cc_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    (void)now_us;
    transport_due(arg, TRANSPORT_DUE_FEEDBACK);
}

void transport_arm_cc(struct transport *t)
{
    int64_t due_us = remb_recv_next_us(&t->remb);
    if (t->twcc_wanted)
        due_us = time_min_us(due_us, twcc_recv_next_us(t->twcc));
    if (due_us == TIME_NEVER_US)
        timer_stop(&t->engine->timers, &t->cc_timer);
    else if (!t->cc_timer.pos || t->cc_timer.due_us != due_us)
        timer_start(&t->engine->timers, &t->cc_timer, due_us);
}

static void tick_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct transport *t = arg;
    for (struct producer *p = t->producers; p; p = p->next) {
        for (size_t i = 0; i < p->n_streams; i++)
            inbound_tick(p->streams[i], now_us);
        producer_score_changed(p, now_us);
    }
    for (struct consumer *c = t->consumers; c; c = c->next)
        consumer_tick(c, now_us);
    share_tick(t, now_us);
    counter_set(&t->counters->recv_bitrate, rate_bps(&t->rate_in, now_us));
    counter_set(&t->counters->send_bitrate, rate_bps(&t->rate_out, now_us));
    timer_start(&t->engine->timers, &t->tick_timer, now_us + TICK_US);
}

void transport_rtt(struct transport *t, int64_t rtt_us)
{
    counter_set(&t->counters->rtt_us, (uint64_t)rtt_us);
    if (t->share.bwe)
        bwe_rtt(t->share.bwe, rtt_us);
    histogram_add(&t->engine->counts->rtt_0, &histogram_rtt, rtt_us);
    for (struct producer *p = t->producers; p; p = p->next) {
        for (size_t i = 0; i < p->n_streams; i++) {
            nack_set_rtt(p->streams[i]->nack, rtt_us);
            counter_set(&p->streams[i]->counters->rtt_us, (uint64_t)rtt_us);
        }
    }
}

/* ---- making and closing ---- */

int transport_new(struct transport **tp, struct engine *e, const struct transport_way *way,
                  uint64_t router, uint64_t id, const char *peer)
{
    struct router *r = router_find(e, router);
    if (!r)
        return -ENOENT;
    if (transport_find(e, id))
        return -EEXIST;
    if (HASH_COUNT(e->transports) >= LIMIT_TRANSPORTS)
        return -ENOSPC;
    struct transport *t = mem_zalloc(sizeof(*t));
    int err = twcc_recv_new(&t->twcc);
    if (err) {
        free(t);
        return -EINVAL;
    }
    t->id = id;
    t->engine = e;
    t->router = r;
    t->way = way;
    snprintf(t->peer, sizeof(t->peer), "%s", peer);
    t->rtcp_ssrc = rand_u32() | 1;
    rand_token(t->cname, sizeof(t->cname) - 1);
    rtp_ext_map_init(&t->recv_ext);
    share_init(t);
    *tp = t;
    return 0;
}

void transport_free(struct transport *t)
{
    free(t->data); /* data_close() is done, or there was nothing to close */
    t->way->free(t);
    share_clear(t);
    srtp_rx_free(t->rx);
    srtp_tx_free(t->tx);
    twcc_recv_free(t->twcc);
    listener_clear(&t->listener);
    ssrcs_clear(&t->used);
    free(t);
}

void transport_start(struct transport *t, uint32_t max_incoming_bitrate, int64_t now_us)
{
    struct engine *e = t->engine;
    t->counters = counters_transport_take(e->conf.counters, t->id, t->router->id, now_us);
    counter_set(&t->counters->max_incoming_bitrate, max_incoming_bitrate);
    timer_init(&t->report_timer, report_fired, t);
    timer_init(&t->cc_timer, cc_fired, t);
    timer_init(&t->tick_timer, tick_fired, t);
    remb_recv_init(&t->remb);
    if (max_incoming_bitrate)
        remb_recv_set_max(&t->remb, max_incoming_bitrate, now_us);
    HASH_ADD(hh, e->transports, id, sizeof(t->id), t);
    DL_APPEND(t->router->transports, t);
    counter_set(&e->counts->transports, HASH_COUNT(e->transports));
    start_reports(t, now_us);
    timer_start(&e->timers, &t->tick_timer, now_us + TICK_US + engine_random(e) % TICK_US);
    transport_arm_cc(t);
}

void transport_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return;
    while (t->consumers)
        consumer_close(e, t->consumers->id, now_us);
    while (t->producers)
        producer_close(e, t->producers->id, now_us);
    data_close(t, now_us);
    engine_unmark(e, t);
    timer_stop(&e->timers, &t->report_timer);
    timer_stop(&e->timers, &t->cc_timer);
    timer_stop(&e->timers, &t->tick_timer);
    DL_DELETE(t->router->transports, t);
    HASH_DEL(e->transports, t);
    counters_transport_release(e->conf.counters, t->counters, now_us);
    counter_set(&e->counts->transports, HASH_COUNT(e->transports));
    transport_free(t);
}

/* ---- requests ---- */

int transport_set_max_incoming(struct engine *e, uint64_t id, uint32_t bitrate, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return -ENOENT;
    remb_recv_set_max(&t->remb, bitrate, now_us);
    counter_set(&t->counters->max_incoming_bitrate, bitrate);
    transport_arm_cc(t);
    return 0;
}

int transport_set_outgoing(struct engine *e, uint64_t id, uint32_t min, uint32_t max)
{
    struct transport *t = transport_find(e, id);
    return t ? share_set_limits(t, t->share.conf.start_bps, min, max) : -ENOENT;
}

/* ---- producers ---- */

bool transport_ext_fits(const struct transport *t, const struct rtp_ext_map *ext)
{
    for (unsigned type = 1; type < RTP_EXT_COUNT; type++) {
        uint8_t id = ext->id_of[type];
        if (id && t->recv_ext.type_of[id] && t->recv_ext.type_of[id] != type)
            return false;
    }
    return true;
}

static void learn_ext(struct transport *t, const struct rtp_ext_map *ext)
{
    for (unsigned type = 1; type < RTP_EXT_COUNT; type++) {
        uint8_t id = ext->id_of[type];
        /* one extension may have several ids to read it by */
        if (id && rtp_ext_map_set(&t->recv_ext, (enum rtp_ext_type)type, id))
            t->recv_ext.type_of[id] = (uint8_t)type;
    }
}

void transport_producers_changed(struct transport *t, const struct params_media *media,
                                 int64_t now_us)
{
    bool remb = false;
    if (media)
        learn_ext(t, &media->ext);
    t->twcc_wanted = false;
    for (const struct producer *p = t->producers; p; p = p->next) {
        t->twcc_wanted |=
            p->media.codecs[0].transport_cc && p->media.ext.id_of[RTP_EXT_TRANSPORT_CC] != 0;
        remb |= p->media.codecs[0].remb;
    }
    remb_recv_set_estimate(&t->remb, remb && !t->twcc_wanted, now_us);
    transport_arm_cc(t);
}

/* ---- sending ---- */

void transport_due(struct transport *t, unsigned due)
{
    t->due |= due;
    engine_mark(t->engine, t);
}

void transport_count_sent(struct transport *t, size_t bytes, int64_t now_us)
{
    counter_add(&t->counters->packets_sent, 1);
    counter_add(&t->counters->bytes_sent, bytes);
    rate_add(&t->rate_out, bytes, now_us);
}

void transport_send_rtcp(struct transport *t, const uint8_t *data, size_t len, int64_t now_us)
{
    if (len == 0 || len + SRTP_TRAILER_MAX > OUTBOX_DATA_MAX)
        return;
    const struct tuple *to = transport_to(t, true);
    if (!to)
        return;
    struct out_slot *slot = outbox_take(t->engine->conf.outbox, to);
    size_t sealed = len;
    memcpy(slot->data, data, len);
    slot->len = 0;
    if (srtp_tx_rtcp(t->tx, slot->data, &sealed, sizeof(slot->data)))
        return;
    if (t->way->deliver)
        t->way->deliver(t, slot->data, sealed, true);
    else
        slot->len = (uint32_t)sealed;
    counter_add(&t->counters->rtcp_packets_sent, 1);
    transport_count_sent(t, sealed, now_us);
    if (tapped(t))
        tap_rtcp(t, data, len, true, now_us);
}

static void send_consumers(struct transport *t, int64_t now_us)
{
    while (t->ready) {
        struct consumer *c = t->ready;
        DL_DELETE2(t->ready, c, prev_ready, next_ready);
        c->ready = false;
        if (c->flowing)
            outbound_consumer(c, now_us);
        else
            c->n_resends = 0;
    }
}

void transport_send(struct transport *t, int64_t now_us)
{
    unsigned due = t->due;
    t->due = 0;
    if (t->writable && due & TRANSPORT_DUE_REPORTS)
        rtcp_out_reports(t, now_us);
    if (t->writable && due & TRANSPORT_DUE_FEEDBACK) {
        rtcp_out_feedback(t, now_us);
        transport_arm_cc(t);
    }
    share_before_send(t, now_us);
    send_consumers(t, now_us);
    share_after_send(t, now_us);
}
