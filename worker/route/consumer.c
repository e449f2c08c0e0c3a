#include "worker/route/consumer.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"
#include "worker/stream/layers.h"
#include "worker/stream/send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct consumer *consumer_find(const struct engine *e, uint64_t id)
{
    struct consumer *c = NULL;
    HASH_FIND(hh, e->consumers, &id, sizeof(id), c);
    return c;
}

/* ---- making and closing ---- */

static int check_free(const struct engine *e, const struct transport *t,
                      const struct params_consumer *in)
{
    if (consumer_find(e, in->consumer) || in->ssrc == t->rtcp_ssrc ||
        in->rtx_ssrc == t->rtcp_ssrc || ssrcs_has(&t->used, in->ssrc) ||
        (in->rtx_ssrc && ssrcs_has(&t->used, in->rtx_ssrc)))
        return -EEXIST;
    for (const struct consumer *c = t->consumers; c; c = c->next) {
        if (in->media.mid[0] && strcmp(c->media.mid, in->media.mid) == 0)
            return -EEXIST;
    }
    if (HASH_COUNT(e->consumers) >= LIMIT_CONSUMERS ||
        t->n_consumers >= LIMIT_TRANSPORT_CONSUMERS || t->used.count + 2 > SSRCS_MAX)
        return -ENOSPC;
    return 0;
}

/* Key frames can be told of these, but of AV1 without its dependency descriptor: a consumer would wait for ever. */
static bool key_frames_told(const struct producer *p)
{
    switch (p->media.codecs[0].type) {
    case FRAME_CODEC_VP8:
    case FRAME_CODEC_VP9:
    case FRAME_CODEC_H264:
    case FRAME_CODEC_H265:
        return p->kind == PARAMS_VIDEO;
    case FRAME_CODEC_AV1:
        return p->kind == PARAMS_VIDEO && p->media.ext.id_of[RTP_EXT_DEPENDENCY_DESCRIPTOR] != 0;
    default:
        return false;
    }
}

static int make_layers(struct consumer *c, const struct params_consumer *in)
{
    const struct producer *p = c->producer;
    struct layers_conf conf = {
        .n_streams = c->n_streams,
        .spatial_layers = c->n_streams > 1 ? 1 : p->streams[c->base]->spatial_layers,
        .temporal_layers = 1,
        .clock_rate = p->media.codecs[0].clock_rate,
        .key_frames = key_frames_told(p),
        .described = p->media.ext.id_of[RTP_EXT_DEPENDENCY_DESCRIPTOR] != 0,
    };
    for (size_t i = c->base; i < c->base + c->n_streams; i++) {
        if (p->streams[i]->temporal_layers > conf.temporal_layers)
            conf.temporal_layers = p->streams[i]->temporal_layers;
    }
    c->layered = conf.n_streams > 1 || conf.spatial_layers > 1 || conf.temporal_layers > 1;
    int err = layers_new(&c->layers, &conf);
    if (err)
        return err;
    layers_prefer(c->layers, in->preferred_spatial, in->preferred_temporal);
    for (size_t i = 0; i < c->n_streams; i++) {
        if (p->streams[c->base + i]->active)
            layers_active(c->layers, i, true);
    }
    return 0;
}

static void destroy(struct consumer *c, int64_t now_us)
{
    if (c->counters)
        counters_consumer_release(c->transport->engine->conf.counters, c->counters, now_us);
    layers_free(c->layers);
    send_free(c->send);
    free(c);
}

static int fill(struct consumer *c, const struct params_consumer *in, int64_t now_us)
{
    c->id = in->consumer;
    c->media = in->media;
    c->ssrc = in->ssrc;
    c->rtx_ssrc = in->rtx_ssrc;
    c->paused = in->paused;
    c->priority = in->priority ? in->priority : 1;
    c->base = in->only_encoding ? (uint8_t)(in->only_encoding - 1) : 0;
    c->n_streams = in->only_encoding ? 1 : (uint8_t)c->producer->n_streams;
    c->score_told = SCORE_MAX;
    c->score_told_us = now_us - EVENT_SPACING_US;
    for (size_t i = 0; i < in->media.n_codecs; i++)
        c->by_pt[in->media.codecs[i].producer_payload_type] = (uint8_t)(i + 1);
    uint32_t random = rand_u32();
    c->rtx_seq = random >> 16 & 0x3fff;
    seqmap_init(&c->seqmap, (uint16_t)random);
    picture_map_init(&c->vp8);
    score_init(&c->score);
    int err = make_layers(c, in);
    if (!err)
        err = send_new(&c->send, c->ssrc, in->media.codecs[0].clock_rate,
                       c->producer->kind == PARAMS_AUDIO ? SEND_SLOTS_AUDIO : SEND_SLOTS_VIDEO);
    return err;
}

static void take_counters(struct consumer *c, int64_t now_us)
{
    struct counters_label label = {c->ssrc, 0, NULL, c->media.codecs[0].subtype};
    c->counters = counters_consumer_take(c->transport->engine->conf.counters, c->id,
                                         c->transport->id, &label, now_us);
    counter_set(&c->counters->score, SCORE_MAX);
    counter_set(&c->counters->paused, 1);
}

static void join(struct consumer *c, struct engine *e)
{
    struct transport *t = c->transport;
    ssrcs_add(&t->used, c->ssrc);
    if (c->rtx_ssrc)
        ssrcs_add(&t->used, c->rtx_ssrc);
    HASH_ADD(hh, e->consumers, id, sizeof(c->id), c);
    HASH_ADD(hh_ssrc, t->by_ssrc, ssrc, sizeof(c->ssrc), c);
    DL_APPEND(t->consumers, c);
    t->n_consumers++;
    DL_APPEND2(c->producer->consumers, c, prev_same, next_same);
    counter_set(&e->counts->consumers, HASH_COUNT(e->consumers));
}

int consumer_create(struct engine *e, const struct params_consumer *in, int64_t now_us)
{
    struct transport *t = transport_find(e, in->transport);
    struct producer *p = producer_find(e, in->producer);
    if (!t || !p || p->transport->router != t->router)
        return -ENOENT;
    if (in->only_encoding > p->n_streams)
        return -EINVAL;
    int err = check_free(e, t, in);
    if (err)
        return err;
    struct consumer *c = mem_zalloc(sizeof(*c));
    c->transport = t;
    c->producer = p;
    err = fill(c, in, now_us);
    if (err) {
        destroy(c, now_us);
        return -EINVAL;
    }
    take_counters(c, now_us);
    join(c, e);
    share_joined(c, now_us);
    consumer_flow_changed(c, now_us);
    return 0;
}

void consumer_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct consumer *c = consumer_find(e, id);
    if (!c)
        return;
    struct transport *t = c->transport;
    share_gone(c);
    if (c->ready)
        DL_DELETE2(t->ready, c, prev_ready, next_ready);
    DL_DELETE2(c->producer->consumers, c, prev_same, next_same);
    DL_DELETE(t->consumers, c);
    t->n_consumers--;
    HASH_DELETE(hh_ssrc, t->by_ssrc, c);
    HASH_DELETE(hh, e->consumers, c);
    if (t->tx) {
        srtp_tx_forget(t->tx, c->ssrc);
        srtp_tx_forget(t->tx, c->rtx_ssrc);
    }
    destroy(c, now_us);
    counter_set(&e->counts->consumers, HASH_COUNT(e->consumers));
}

/* ---- flow ---- */

void consumer_ready(struct consumer *c)
{
    if (c->ready)
        return;
    c->ready = true;
    DL_APPEND2(c->transport->ready, c, prev_ready, next_ready);
    engine_mark(c->transport->engine, c->transport);
}

void consumer_flow_changed(struct consumer *c, int64_t now_us)
{
    bool flowing = !c->paused && !c->producer->paused && transport_writable(c->transport);
    if (flowing != c->flowing) {
        c->flowing = flowing;
        c->n_resends = 0;
        layers_restart(c->layers);
        c->share = (struct alloc_state){.step = ALLOC_NONE, .fresh = true};
        share_changed(c->transport);
        counter_set(&c->counters->paused, !flowing);
    }
    consumer_check(c, now_us);
}

void consumer_source_active(struct consumer *c, size_t stream, bool active)
{
    if (!consumer_carries(c, stream))
        return;
    layers_active(c->layers, stream - c->base, active);
    share_changed(c->transport);
}

void consumer_source_restarted(struct consumer *c, size_t stream)
{
    if (layers_current_stream(c->layers) == (int)stream - c->base)
        layers_restart(c->layers);
}

static void say_layers(const struct consumer *c, bool none, uint32_t spatial, uint32_t temporal)
{
    struct engine_event ev = {.kind = ENGINE_LAYERS,
                              .object = c->id,
                              .none = none,
                              .spatial = none ? 0 : spatial,
                              .temporal = none ? 0 : temporal};
    engine_event(c->transport->engine, &ev);
}

/* Of the stream that it is sent; 0: none is. */
static unsigned producer_score_now(const struct consumer *c)
{
    int current = layers_current_stream(c->layers);
    return current >= 0 ? c->producer->streams[c->base + current]->score.value : 0;
}

static void say_score(const struct consumer *c)
{
    struct engine_score streams[LIMIT_ENCODINGS];
    struct engine_event ev = {.kind = ENGINE_SCORE,
                              .object = c->id,
                              .score = c->score_told,
                              .producer_score = c->producer_score_told,
                              .streams = streams};
    ev.n_streams = producer_scores(c->producer, streams);
    engine_event(c->transport->engine, &ev);
}

void consumer_tell(const struct consumer *c)
{
    bool none;
    uint32_t spatial, temporal;
    layers_told(c->layers, &none, &spatial, &temporal);
    if (c->layered)
        say_layers(c, none, spatial, temporal);
    say_score(c);
}

static void tell_layers(struct consumer *c, int64_t now_us)
{
    bool none;
    uint32_t spatial, temporal;
    if (!layers_changed(c->layers, &none, &spatial, &temporal))
        return;
    counter_set(&c->counters->spatial_layer, none ? 0 : spatial);
    counter_set(&c->counters->temporal_layer, none ? 0 : temporal);
    if (tapped(c->transport)) {
        struct tracer_subject subject = tap_consumer(c, true, now_us);
        tracer_layers(&c->transport->engine->tracer, &subject, none, spatial, temporal);
    }
    if (c->layered)
        say_layers(c, none, spatial, temporal);
}

void consumer_check(struct consumer *c, int64_t now_us)
{
    tell_layers(c, now_us);
    int wanted = c->flowing ? layers_wants_key(c->layers) : -1;
    if (wanted >= 0)
        inbound_ask_key(c->producer->streams[c->base + wanted], now_us);
}

static void tell_score(struct consumer *c, int64_t now_us)
{
    unsigned producer = producer_score_now(c);
    if ((c->score.value == c->score_told && producer == c->producer_score_told) ||
        now_us - c->score_told_us < EVENT_SPACING_US)
        return;
    c->score_told = c->score.value;
    c->producer_score_told = producer;
    c->score_told_us = now_us;
    say_score(c);
}

void consumer_tick(struct consumer *c, int64_t now_us)
{
    struct send_stats st;
    send_stats(c->send, &st);
    struct counters_consumer *k = c->counters;
    counter_set(&k->bitrate, rate_bps(&c->rate, now_us));
    counter_set(&k->packets_lost, st.lost > 0 ? (uint64_t)st.lost : 0);
    counter_set(&k->fraction_lost, st.fraction);
    counter_set(&k->jitter, st.jitter);
    counter_set(&k->packets_retransmitted, st.retransmitted);
    counter_set(&k->packets_repaired, st.repaired);
    counter_set(&k->nack_misses, st.nack_misses);
    counter_set(&k->rtt_us, (uint64_t)st.rtt_us);
    counter_set(&k->score, c->score.value);
    tell_score(c, now_us);
    consumer_check(c, now_us);
}

/* ---- requests ---- */

int consumer_pause(struct engine *e, uint64_t id, bool paused, int64_t now_us)
{
    struct consumer *c = consumer_find(e, id);
    if (!c)
        return -ENOENT;
    c->paused = paused;
    consumer_flow_changed(c, now_us);
    return 0;
}

int consumer_set_preferred(struct engine *e, uint64_t id, uint32_t spatial, uint32_t temporal,
                           int64_t now_us)
{
    struct consumer *c = consumer_find(e, id);
    if (!c)
        return -ENOENT;
    layers_prefer(c->layers, spatial, temporal);
    c->share.fresh = true;
    share_changed(c->transport);
    consumer_check(c, now_us);
    return 0;
}

int consumer_set_priority(struct engine *e, uint64_t id, unsigned priority)
{
    struct consumer *c = consumer_find(e, id);
    if (!c)
        return -ENOENT;
    c->priority = priority;
    share_changed(c->transport);
    return 0;
}

static void ask_key(struct consumer *c, int64_t now_us)
{
    int stream = layers_current_stream(c->layers);
    if (stream < 0)
        stream = layers_target_stream(c->layers);
    if (c->flowing && stream >= 0)
        inbound_ask_key(c->producer->streams[c->base + stream], now_us);
}

int consumer_request_key_frame(struct engine *e, uint64_t id, int64_t now_us)
{
    struct consumer *c = consumer_find(e, id);
    if (!c)
        return -ENOENT;
    ask_key(c, now_us);
    return 0;
}

/* ---- from the receiver ---- */

void consumer_report(struct consumer *c, const struct rtcp_report *r, int64_t now_us)
{
    struct score_counts counts;
    if (!send_report(c->send, r, now_us, &counts))
        return;
    share_loss(c->transport, r->fraction, counts.expected, now_us);
    if (score_sample(&c->score, &counts))
        tell_score(c, now_us);
}

void consumer_nacked(struct consumer *c, const uint16_t *seqs, size_t n)
{
    counter_add(&c->counters->nack_count, 1);
    counter_add(&c->counters->nack_packet_count, n);
    if (!c->flowing || n == 0)
        return;
    for (size_t i = 0; i < n && c->n_resends < LIMIT_RESENDS; i++)
        c->resends[c->n_resends++] = seqs[i];
    consumer_ready(c);
}

const struct params_codec *consumer_codec(const struct consumer *c, uint8_t pt)
{
    uint8_t i = c->by_pt[pt & 127];
    return i ? &c->media.codecs[i - 1] : NULL;
}

void consumer_pli(struct consumer *c, int64_t now_us)
{
    counter_add(&c->counters->pli_count, 1);
    ask_key(c, now_us);
}

void consumer_fir(struct consumer *c, uint8_t seq, int64_t now_us)
{
    counter_add(&c->counters->fir_count, 1);
    if (c->had_fir && c->last_fir == seq)
        return; /* said again, not asked again (RFC 5104 4.3.1.2) */
    c->had_fir = true;
    c->last_fir = seq;
    ask_key(c, now_us);
}

int64_t consumer_rtt_us(const struct consumer *c)
{
    struct send_stats st;
    send_stats(c->send, &st);
    return st.rtt_us;
}
