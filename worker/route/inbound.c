#include "worker/route/inbound.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/route/audio.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"
#include "worker/stream/capture.h"
#include "worker/stream/nack.h"
#include "worker/stream/pool.h"
#include "worker/stream/recv.h"
#include "worker/stream/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define ROOM_PACKETS                                                                               \
    32 /* dropped at once from a history, so that an empty pool is not searched for each packet */

static struct engine *engine_of(const struct inbound *s)
{
    return s->producer->transport->engine;
}

static void timer_fired(struct timer *t, int64_t now_us, void *arg)
{
    (void)t;
    (void)now_us;
    struct inbound *s = arg;
    transport_due(s->producer->transport, TRANSPORT_DUE_FEEDBACK);
}

static void make_buffers(struct inbound *s)
{
    bool audio = s->producer->kind == PARAMS_AUDIO;
    /* constants in range: cannot fail but for memory */
    if (ring_new(&s->ring, audio ? RING_SLOTS_AUDIO : RING_SLOTS_MAX,
                 audio ? RING_AGE_AUDIO_US : RING_AGE_VIDEO_US) ||
        nack_new(&s->nack, audio ? NACK_MAX_AUDIO : NACK_MAX))
        abort();
}

/* What any of its codecs has: some, such as telephone-event, have none, and may be named first. */
static void take_feedback(struct inbound *s)
{
    const struct params_media *media = &s->producer->media;
    s->silence_us = SCORE_SILENCE_US;
    for (size_t i = 0; i < media->n_codecs; i++) {
        s->nack_wanted |= media->codecs[i].nack;
        s->pli_wanted |= media->codecs[i].pli;
        s->fir_wanted |= media->codecs[i].fir;
        if (media->codecs[i].use_dtx)
            s->silence_us = SCORE_SILENCE_DTX_US;
    }
}

void inbound_new(struct inbound **sp, struct producer *p, const struct params_encoding *enc,
                 uint8_t index, int64_t now_us)
{
    const struct params_codec *codec = &p->media.codecs[0];
    struct inbound *s = mem_zalloc(sizeof(*s));
    s->producer = p;
    s->index = index;
    snprintf(s->rid, sizeof(s->rid), "%s", enc->rid);
    s->rtx_ssrc = enc->rtx_ssrc;
    s->ssrc_signalled = enc->ssrc != 0;
    s->rtx_signalled = enc->rtx_ssrc != 0;
    s->spatial_layers = enc->spatial_layers;
    s->temporal_layers = enc->temporal_layers;
    take_feedback(s);
    make_buffers(s);
    score_init(&s->score);
    keyreq_init(&s->keyreq);
    timer_init(&s->timer, timer_fired, s);
    struct counters_label label = {enc->ssrc, index, s->rid, codec->subtype};
    s->counters = counters_producer_take(engine_of(s)->conf.counters, p->id, p->transport->id,
                                         &label, now_us);
    counter_set(&s->counters->score, SCORE_MAX);
    DL_APPEND(engine_of(s)->streams, s);
    if (enc->ssrc)
        inbound_set_ssrc(s, enc->ssrc, now_us);
    *sp = s;
}

void inbound_free(struct inbound *s, int64_t now_us)
{
    if (!s)
        return;
    struct engine *e = engine_of(s);
    timer_stop(&e->timers, &s->timer);
    DL_DELETE(e->streams, s);
    counters_producer_release(e->conf.counters, s->counters, now_us);
    recv_free(s->recv);
    nack_free(s->nack);
    ring_free(s->ring);
    free(s);
}

/* Consumers of the stream wait for a key frame again. */
static void restart_consumers(struct inbound *s)
{
    for (struct consumer *c = s->producer->consumers; c; c = c->next_same)
        consumer_source_restarted(c, s->index);
}

static void forget(struct inbound *s)
{
    ring_clear(s->ring);
    nack_reset(s->nack);
    memset(&s->frame, 0, sizeof(s->frame));
    memset(&s->producer->captures[s->index], 0, sizeof(s->producer->captures[0]));
    restart_consumers(s);
}

void inbound_set_ssrc(struct inbound *s, uint32_t ssrc, int64_t now_us)
{
    /* Numbers go on above those of the SSRC before: histories of consumers name packets by them. */
    if (s->recv) {
        forget(s);
        recv_change_ssrc(s->recv, ssrc);
    } else if (recv_new(&s->recv, ssrc, s->producer->media.codecs[0].clock_rate)) {
        abort(); /* the clock rate was checked */
    }
    s->ssrc = ssrc;
    counters_producer_set_ssrc(engine_of(s)->conf.counters, s->counters, ssrc);
    inbound_arm(s, now_us);
}

static void set_active(struct inbound *s, bool active)
{
    s->active = active;
    for (struct consumer *c = s->producer->consumers; c; c = c->next_same)
        consumer_source_active(c, s->index, active);
}

static void heard(struct inbound *s, int64_t now_us)
{
    if (!s->active)
        set_active(s, true);
    if (score_heard(&s->score))
        producer_score_changed(s->producer, now_us);
}

static void count_stats(struct inbound *s)
{
    struct recv_stats st;
    recv_stats(s->recv, &st);
    struct counters_producer *c = s->counters;
    counter_set(&c->packets_lost, (uint64_t)st.lost);
    counter_set(&c->fraction_lost, st.fraction);
    counter_set(&c->jitter, st.jitter);
    counter_set(&c->packets_discarded, st.discarded);
    counter_set(&c->packets_retransmitted, st.retransmitted);
    counter_set(&c->packets_repaired, st.repaired);
    counter_set(&c->rtx_packets_discarded, st.rtx_discarded);
}

/* Turns an RTX packet into its original, in pk's header. */
static bool unwrap(struct inbound *s, struct packet *pk)
{
    bool rtx = false;
    const struct params_codec *codec = producer_codec(s->producer, pk->rtp.pt, &rtx);
    if (codec && rtx && s->recv &&
        recv_rtx_unwrap(pk->data, &pk->rtp, codec->payload_type, s->ssrc) == 0)
        return true;
    if (s->recv)
        recv_rtx_discarded(s->recv, pk->len);
    return false;
}

static void parse_frame(struct inbound *s, struct packet *pk)
{
    if (pk->rtp.payload_len == 0)
        return;
    bool rtx = false;
    const struct params_codec *codec = producer_codec(s->producer, pk->rtp.pt, &rtx);
    if (!codec || rtx) /* nobody can be sent it, and it is no key frame */
        return;
    frame_parse(codec->type, packet_payload(pk), pk->rtp.payload_len, pk->rtp.marker, &pk->exts,
                &s->frame, &pk->frame);
}

static bool is_video(const struct inbound *s)
{
    return s->producer->kind == PARAMS_VIDEO;
}

/* A packet that is new to the stream. */
static void take(struct inbound *s, struct packet *pk, int64_t now_us)
{
    parse_frame(s, pk);
    audio_packet(s->producer, &pk->exts, now_us);
    layer_rates_add(&s->layer_rates, pk->frame.spatial, pk->frame.temporal, pk->len, now_us);
    bool key = is_video(s) && pk->frame.keyframe;
    if (key) {
        keyreq_key_frame(&s->keyreq);
        counter_add(&s->counters->key_frames, 1);
    }
    if (tapped(s->producer->transport))
        tap_rtp_in(s, pk, now_us);
    if (s->nack_wanted)
        nack_received(s->nack, pk->ext_seq, key, now_us);
    if (s->nack_wanted && nack_needs_key(s->nack))
        inbound_ask_key(s, now_us);
    inbound_arm(s, now_us);
    /* padding alone is nothing to send again, but consumers close the gap of its number */
    if (pk->rtp.payload_len == 0 || ring_put(s->ring, pk))
        engine_batch(engine_of(s), s, pk, now_us);
    else
        packet_unref(pk);
}

void inbound_packet(struct inbound *s, struct packet *pk, bool rtx, int64_t now_us)
{
    if ((rtx && !unwrap(s, pk)) || !s->recv) {
        packet_unref(pk);
        return;
    }
    enum recv_result result =
        rtx ? recv_rtx_packet(s->recv, &pk->rtp, pk->len, pk->rx_us, &pk->ext_seq)
            : recv_packet(s->recv, &pk->rtp, pk->len, pk->rx_us, &pk->ext_seq);
    if (result == RECV_DUPLICATE || result == RECV_DROPPED) {
        packet_unref(pk);
        return;
    }
    if (result == RECV_RESTARTED)
        forget(s);
    counter_add(&s->counters->packets, 1);
    counter_add(&s->counters->bytes, pk->len);
    rate_add(&s->rate, pk->len, now_us);
    heard(s, now_us);
    take(s, pk, now_us);
}

void inbound_sender_report(struct inbound *s, const struct rtcp_sr *sr, int64_t now_us)
{
    if (!s->recv)
        return;
    recv_sender_report(s->recv, sr->ntp, now_us);
    capture_report(&s->producer->captures[s->index], s->producer->media.codecs[0].clock_rate,
                   sr->ntp, sr->rtp_ts, now_us);
    if (!recv_started(s->recv))
        return;
    struct score_counts counts;
    recv_interval(s->recv, &counts);
    if (score_sample(&s->score, &counts))
        producer_score_changed(s->producer, now_us);
}

void inbound_ask_key(struct inbound *s, int64_t now_us)
{
    if (!is_video(s) || (!s->pli_wanted && !s->fir_wanted))
        return;
    keyreq_ask(&s->keyreq);
    inbound_arm(s, now_us);
}

void inbound_arm(struct inbound *s, int64_t now_us)
{
    struct engine *e = engine_of(s);
    int64_t due_us = s->ssrc && s->recv && recv_started(s->recv)
                         ? time_min_us(nack_next_us(s->nack), keyreq_next_us(&s->keyreq))
                         : TIME_NEVER_US;
    if (due_us <= now_us)
        transport_due(s->producer->transport, TRANSPORT_DUE_FEEDBACK);
    else if (due_us == TIME_NEVER_US)
        timer_stop(&e->timers, &s->timer);
    else if (!s->timer.pos || s->timer.due_us != due_us)
        timer_start(&e->timers, &s->timer, due_us);
}

void inbound_tick(struct inbound *s, int64_t now_us)
{
    ring_expire(s->ring, now_us);
    layer_rates_tick(&s->layer_rates, now_us);
    counter_set(&s->counters->bitrate, rate_bps(&s->rate, now_us));
    counter_set(&s->counters->score, s->score.value);
    if (!s->recv)
        return;
    count_stats(s);
    if (s->active && now_us - recv_last_us(s->recv) > s->silence_us) {
        set_active(s, false);
        layer_rates_reset(&s->layer_rates);
        if (score_silence(&s->score))
            producer_score_changed(s->producer, now_us);
    }
}

bool inbound_make_room(struct engine *e)
{
    struct inbound *oldest = NULL;
    int64_t oldest_us = TIME_NEVER_US;
    for (struct inbound *s = e->streams; s; s = s->next) {
        int64_t at_us = ring_oldest_us(s->ring);
        if (at_us < oldest_us) {
            oldest_us = at_us;
            oldest = s;
        }
    }
    for (int i = 0; oldest && i < ROOM_PACKETS; i++) {
        if (!ring_drop_oldest(oldest->ring))
            break;
    }
    return oldest != NULL;
}
