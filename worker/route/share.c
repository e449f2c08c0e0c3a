#include "worker/route/share.h"

#include "lib/clock.h"
#include "worker/route/consumer.h"
#include "worker/route/ladder.h"
#include "worker/route/outbound.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"
#include "worker/stream/layers.h"
#include "worker/stream/pacer.h"

#include <errno.h>

#define PADDING_MAX 255

static void share_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct transport *t = arg;
    bwe_tick(t->share.bwe, now_us);
    transport_due(t, TRANSPORT_DUE_SHARE);
}

void share_init(struct transport *t)
{
    timer_init(&t->share.timer, share_fired, t);
    alloc_init(&t->share.alloc);
    t->share.again_us = TIME_NEVER_US;
}

void share_clear(struct transport *t)
{
    timer_stop(&t->engine->timers, &t->share.timer);
    bwe_free(t->share.bwe);
    pacer_free(t->share.pacer);
}

int share_set_limits(struct transport *t, uint32_t initial, uint32_t min, uint32_t max)
{
    if (min && max && min > max)
        return -EINVAL;
    t->share.conf = (struct bwe_conf){.start_bps = initial, .min_bps = min, .max_bps = max};
    if (t->share.bwe)
        bwe_set_limits(t->share.bwe, min, max);
    share_changed(t);
    return 0;
}

static bool is_video(const struct consumer *c)
{
    return c->producer->kind == PARAMS_VIDEO;
}

static bool is_told_of(const struct consumer *c)
{
    const struct params_codec *codec = &c->media.codecs[0];
    return (codec->transport_cc && c->media.ext.id_of[RTP_EXT_TRANSPORT_CC]) || codec->remb;
}

void share_joined(struct consumer *c, int64_t now_us)
{
    struct share *s = &c->transport->share;
    c->share = (struct alloc_state){.step = ALLOC_NONE, .fresh = true};
    if (!s->bwe && c->transport->webrtc && is_video(c) && is_told_of(c)) {
        /* no other outcome with what is in its range */
        if (bwe_new(&s->bwe, &s->conf, now_us))
            return;
        pacer_new(&s->pacer, bwe_pacing_bps(s->bwe), now_us);
    }
    share_changed(c->transport);
}

void share_gone(struct consumer *c)
{
    if (c->transport->share.pacer)
        pacer_forget(c->transport->share.pacer, c);
    share_changed(c->transport);
}

void share_changed(struct transport *t)
{
    if (!t->share.bwe)
        return;
    t->share.stale = true;
    transport_due(t, TRANSPORT_DUE_SHARE);
}

void share_tick(struct transport *t, int64_t now_us)
{
    if (!t->share.bwe)
        return;
    bwe_tick(t->share.bwe, now_us);
    share_changed(t);
}

/* What waited goes on nowhere, or to another place. */
void share_writable(struct transport *t)
{
    if (!t->share.pacer)
        return;
    for (struct consumer *c = t->consumers; c; c = c->next)
        pacer_forget(t->share.pacer, c);
}

/* ---- from the receiver ---- */

static void told(struct transport *t, int64_t now_us)
{
    struct share *s = &t->share;
    uint32_t bps = bwe_target_bps(s->bwe);
    pacer_set_rate(s->pacer, bwe_pacing_bps(s->bwe), now_us);
    if (bps < s->spread_bps || now_us - s->spread_us >= SHARE_UP_US)
        share_changed(t);
    else
        transport_due(t, TRANSPORT_DUE_SHARE); /* a probe may be due */
}

void share_feedback(struct transport *t, const struct rtcp_twcc_status *st, size_t n,
                    int64_t now_us)
{
    if (!t->share.bwe)
        return;
    bwe_feedback(t->share.bwe, st, n, now_us);
    told(t, now_us);
}

void share_remb(struct transport *t, uint64_t bps, int64_t now_us)
{
    if (!t->share.bwe)
        return;
    bwe_remb(t->share.bwe, bps, now_us);
    told(t, now_us);
}

void share_loss(struct transport *t, uint8_t fraction, uint64_t packets, int64_t now_us)
{
    if (!t->share.bwe || packets == 0)
        return;
    bwe_loss(t->share.bwe, fraction, packets > UINT32_MAX ? UINT32_MAX : (uint32_t)packets, now_us);
    told(t, now_us);
}

/* ---- spreading ---- */

static void tell_short(struct consumer *c, bool is_short)
{
    if (c->bandwidth_short == is_short)
        return;
    c->bandwidth_short = is_short;
    struct engine_event ev = {
        .kind = ENGINE_BANDWIDTH_SHORT, .object = c->id, .is_short = is_short};
    engine_event(c->transport->engine, &ev);
}

static void apply(struct consumer *c, const struct alloc_item *it, int64_t now_us)
{
    int step = it->state->step;
    bool comes = ladder_comes(it);
    if (step != ALLOC_NONE)
        layers_allow(c->layers, ladder_spatial(step), ladder_temporal(step));
    else if (comes)
        layers_allow_none(c->layers);
    else
        layers_allow(c->layers, 0, LAYERS_ALL); /* what will come begins with the lowest */
    tell_short(c, step == ALLOC_NONE && comes);
    consumer_check(c, now_us);
}

/* A layer that was not there before is as good as a new wish. */
static void look_for_new(struct consumer *c, const struct alloc_item *it)
{
    uint32_t there = 0;
    for (int i = 0; i < it->n; i++)
        there |= (uint32_t)(it->cost[i] != ALLOC_ABSENT) << i;
    c->share.fresh |= (there & ~c->steps_there) != 0;
    c->steps_there = there;
}

static size_t gather(struct transport *t, uint64_t *audio_bps, int64_t now_us)
{
    struct engine *e = t->engine;
    size_t n = 0;
    for (struct consumer *c = t->consumers; c; c = c->next) {
        if (!c->flowing) {
            tell_short(c, false);
        } else if (!is_video(c)) {
            *audio_bps += rate_bps(&c->rate, now_us);
        } else {
            e->share_consumers[n] = c;
            ladder_make(&e->share_items[n], c);
            look_for_new(c, &e->share_items[n++]);
        }
    }
    return n;
}

static struct consumer *padded(const struct transport *t)
{
    for (struct consumer *c = t->consumers; c; c = c->next) {
        if (c->flowing && is_video(c) && c->rtx_ssrc && c->media.codecs[0].has_rtx &&
            c->media.ext.id_of[RTP_EXT_TRANSPORT_CC])
            return c;
    }
    return NULL;
}

static void spread(struct transport *t, int64_t now_us)
{
    struct engine *e = t->engine;
    struct share *s = &t->share;
    struct bwe_stats st;
    struct alloc_sums sums;
    uint64_t audio = 0;
    size_t n = gather(t, &audio, now_us);
    if (n && !s->begun) {
        s->begun = true;
        s->begun_us = now_us;
    }
    for (size_t i = 0; i < n && now_us - s->begun_us < SHARE_BEGIN_US; i++)
        e->share_items[i].state->fresh = true;
    bwe_stats(s->bwe, &st);
    uint64_t first = audio + rate_bps(&s->resent, now_us);
    /* One that cannot be probed would never get anything again. */
    bool learning = (st.feedbacks == 0 && st.remb_bps == 0) || !padded(t);
    uint64_t left = st.target_bps > first ? st.target_bps - first : 0;
    alloc_run(&s->alloc, e->share_items, n, left, learning, now_us, &sums);
    s->wants_more = sums.wanted_bps > sums.given_bps;
    s->again_us = alloc_next_us(&s->alloc, e->share_items, n, now_us);
    s->spread_us = now_us;
    s->spread_bps = st.target_bps;
    for (size_t i = 0; i < n; i++)
        apply(e->share_consumers[i], &e->share_items[i], now_us);
    /* Room for a climb is wanted, too, else it would never come. */
    uint64_t most = audio + sums.wanted_bps + sums.wanted_bps / 4;
    bwe_set_wanted(s->bwe, (uint32_t)(audio + sums.given_bps),
                   most > UINT32_MAX ? UINT32_MAX : (uint32_t)most, now_us);
    pacer_set_rate(s->pacer, bwe_pacing_bps(s->bwe), now_us);
    counter_set(&t->counters->available_outgoing_bitrate, st.target_bps);
}

/* ---- sending ---- */

void share_sent(struct transport *t, const struct outbound_item *it, size_t bytes, int64_t now_us)
{
    struct share *s = &t->share;
    if (!s->bwe)
        return;
    if (it->kind == OUTBOUND_RTX || it->kind == OUTBOUND_AGAIN)
        rate_add(&s->resent, bytes, now_us);
    if (it->numbered)
        s->beat_us = now_us + SHARE_BEAT_US;
    if (it->numbered)
        bwe_sent(s->bwe, it->twcc, bytes, it->probe, now_us);
    else
        bwe_sent_other(s->bwe, bytes, now_us);
}

void share_before_send(struct transport *t, int64_t now_us)
{
    struct share *s = &t->share;
    if (!s->bwe)
        return;
    if (s->stale || s->again_us <= now_us) {
        s->stale = false;
        spread(t, now_us);
    }
    if (!t->writable)
        return;
    if (s->held) {
        s->held = false;
        for (struct consumer *c = t->consumers; c; c = c->next) {
            if (c->n_resends)
                outbound_resends(c, now_us);
        }
    }
    if (pacer_waiting(s->pacer))
        outbound_paced(t, now_us);
}

static void probe(struct transport *t, int64_t now_us)
{
    struct pacer *p = t->share.pacer;
    struct bwe_cluster c;
    if (bwe_probe(t->share.bwe, now_us, &c)) {
        const struct pacer_probe burst = {c.id, c.bps, c.min_packets, c.min_bytes};
        pacer_probe(p, &burst, now_us);
    }
    if (!pacer_probe_id(p))
        return;
    struct consumer *by = padded(t);
    size_t lacking = pacer_padding(p, now_us);
    if (!by) {
        const struct pacer_probe none = {0};
        pacer_probe(p, &none, now_us);
        return;
    }
    while (lacking > 0 && pacer_probe_id(p)) {
        size_t sent = outbound_padding(by, PADDING_MAX, now_us);
        lacking = lacking > sent && sent ? lacking - sent : 0;
    }
}

/* Without anything that is told of, what the estimate knows of the way would stay as it was when the last video was stopped. */
static void beat(struct transport *t, int64_t now_us)
{
    struct share *s = &t->share;
    if (!s->wants_more || now_us < s->beat_us)
        return;
    s->beat_us = now_us + SHARE_BEAT_US;
    struct consumer *by = padded(t);
    if (by)
        outbound_padding(by, 1, now_us);
}

static void arm(struct transport *t)
{
    struct share *s = &t->share;
    int64_t due_us = time_min_us(bwe_next_us(s->bwe), s->again_us);
    if (t->writable)
        due_us = time_min_us(due_us, pacer_next_us(s->pacer, s->held));
    if (t->writable && s->wants_more)
        due_us = time_min_us(due_us, s->beat_us);
    if (due_us == TIME_NEVER_US)
        timer_stop(&t->engine->timers, &s->timer);
    else if (!s->timer.pos || s->timer.due_us != due_us)
        timer_start(&t->engine->timers, &s->timer, due_us);
}

void share_after_send(struct transport *t, int64_t now_us)
{
    if (!t->share.bwe)
        return;
    if (t->writable) {
        probe(t, now_us);
        beat(t, now_us);
    }
    arm(t);
}
