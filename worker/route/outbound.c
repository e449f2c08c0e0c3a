#include "worker/route/outbound.h"

#include "lib/seq.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/redundancy.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"
#include "worker/secure/srtp.h"
#include "worker/stream/layers.h"
#include "worker/stream/pacer.h"
#include "worker/stream/pool.h"
#include "worker/stream/recv.h"
#include "worker/stream/ring.h"
#include "worker/wire/red.h"
#include "worker/wire/vp8.h"
#include "worker/wire/vp9.h"

#include <string.h>

/* Extensions that go through as they came, if the receiver negotiated them. */
#define PASSED                                                                                     \
    (RTP_EXT_BIT(RTP_EXT_AUDIO_LEVEL) | RTP_EXT_BIT(RTP_EXT_DEPENDENCY_DESCRIPTOR) |               \
     RTP_EXT_BIT(RTP_EXT_VIDEO_ORIENTATION) | RTP_EXT_BIT(RTP_EXT_TOFFSET) |                       \
     RTP_EXT_BIT(RTP_EXT_ABS_CAPTURE_TIME) | RTP_EXT_BIT(RTP_EXT_PLAYOUT_DELAY))
#define REWRITTEN_MAX RED_HEAD_MAX
_Static_assert(VP9_HEAD_MAX <= REWRITTEN_MAX && VP8_DESCRIPTOR_MAX <= REWRITTEN_MAX, "the longest");
/* And those that are the transport's own, on every packet. */
#define OWN                                                                                        \
    (RTP_EXT_BIT(RTP_EXT_MID) | RTP_EXT_BIT(RTP_EXT_ABS_SEND_TIME) |                               \
     RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC))

static uint32_t abs_send_time(int64_t now_us)
{
    return (uint32_t)(((uint64_t)now_us << 18) / 1000000) & 0xffffff;
}

/* ---- composing ---- */

static const struct params_codec *codec_of(const struct consumer *c, const struct packet *pk)
{
    return redundancy_in(c, pk) ? redundancy_codec(c, pk) : consumer_codec(c, pk->rtp.pt);
}

/* RED's headers with the receiver's payload types, or nothing before the newest block. */
static void rewrite_red(struct outbound_item *it, struct writer *w)
{
    uint8_t head[RED_HEAD_MAX];
    size_t old, len = redundancy_head(it->consumer, it->pk, head, &old);
    writer_bytes(w, head, len);
    it->payload += old;
    it->payload_len -= (uint32_t)old;
}

/* The start of a VP8 or VP9 payload, with our own picture numbers. */
static void rewrite(struct outbound_item *it, struct writer *w)
{
    const struct send_entry *e = &it->entry;
    uint8_t head[REWRITTEN_MAX];
    size_t len, old;
    union {
        struct vp8 vp8;
        struct vp9 vp9;
    } d;
    if (e->rewritten == SEND_REWRITTEN_VP8 && !vp8_parse(it->payload, it->payload_len, &d.vp8)) {
        len = vp8_compose(head, &d.vp8, e->picture_id, e->tl0picidx);
        old = d.vp8.len;
    } else if (e->rewritten == SEND_REWRITTEN_VP9 &&
               !vp9_parse(it->payload, it->payload_len, &d.vp9)) {
        len = vp9_compose(head, it->payload, &d.vp9, e->picture_id, e->tl0picidx);
        old = d.vp9.head_len;
    } else {
        return;
    }
    writer_bytes(w, head, len);
    it->payload += old;
    it->payload_len -= (uint32_t)old;
}

/* What stands between the header and the shared payload. */
static void compose_head(struct outbound_item *it)
{
    struct writer w = writer_of(it->head + it->aad_len, sizeof(it->head) - it->aad_len);
    const struct packet *pk = it->pk;
    it->payload = packet_payload(pk);
    it->payload_len = pk->rtp.payload_len;
    if (it->kind == OUTBOUND_RTX)
        writer_u16(&w, it->entry.seq);
    if (redundancy_in(it->consumer, pk))
        rewrite_red(it, &w);
    else if (it->entry.rewritten)
        rewrite(it, &w);
    it->head_len = (uint16_t)writer_len(&w);
}

/* False: the header does not fit. `h` has the fields that differ by kind; times and numbers are those to put on the wire. */
static bool compose(struct outbound_item *it, const struct rtp *h, uint32_t send_time,
                    uint16_t twcc)
{
    const struct consumer *c = it->consumer;
    struct rtp_exts exts = {0};
    if (it->pk)
        exts = it->pk->exts;
    exts.present = (exts.present & PASSED) | OWN;
    exts.abs_send_time = send_time;
    exts.twcc = twcc;
    exts.mid = (const uint8_t *)c->media.mid;
    exts.mid_len = (uint8_t)strlen(c->media.mid);
    if (!exts.mid_len)
        exts.present &= ~RTP_EXT_BIT(RTP_EXT_MID);
    it->aad_len = (uint16_t)rtp_compose(it->head, sizeof(it->head) - 2 - REWRITTEN_MAX, h, &exts,
                                        &c->media.ext);
    if (!it->aad_len)
        return false;
    if (it->pk)
        compose_head(it);
    return it->aad_len + it->head_len + it->payload_len + it->pad_len + SRTP_TRAILER_MAX <=
           OUTBOX_DATA_MAX;
}

static struct outbound_item *item_of(struct consumer *c, const struct packet *pk,
                                     enum outbound_kind kind, const struct send_entry *entry,
                                     int64_t now_us)
{
    struct engine *e = c->transport->engine;
    if (e->n_items == OUTBOUND_BURST)
        outbound_flush(e, now_us);
    struct outbound_item *it = &e->items[e->n_items];
    it->consumer = c;
    it->pk = pk;
    it->kind = kind;
    it->entry = *entry;
    it->pad_len = 0;
    it->head_len = 0;
    it->payload = NULL;
    it->payload_len = 0;
    it->numbered = false;
    it->probe = c->transport->share.pacer ? pacer_probe_id(c->transport->share.pacer) : 0;
    return it;
}

static uint16_t next_twcc(struct outbound_item *it)
{
    struct consumer *c = it->consumer;
    if (!c->media.ext.id_of[RTP_EXT_TRANSPORT_CC])
        return 0;
    it->numbered = true;
    it->twcc = c->transport->twcc_out++;
    return it->twcc;
}

static size_t plain_len(const struct outbound_item *it)
{
    return it->aad_len + it->head_len + it->payload_len + it->pad_len;
}

/* It is whole: it goes with the next flush. */
static void keep(struct outbound_item *it, int64_t now_us)
{
    struct transport *t = it->consumer->transport;
    t->engine->n_items++;
    if (t->share.pacer)
        pacer_sent(t->share.pacer, plain_len(it), it->numbered, now_us);
}

/* Who paces what this consumer sends; NULL: nobody. Audio never waits. */
static struct pacer *pacer_of(const struct consumer *c)
{
    return c->producer->kind == PARAMS_VIDEO ? c->transport->share.pacer : NULL;
}

/* ---- media ---- */

static unsigned rewriting(const struct params_codec *codec, const struct packet *pk)
{
    if (!pk->frame.has_picture_id)
        return 0;
    return codec->type == FRAME_CODEC_VP8   ? SEND_REWRITTEN_VP8
           : codec->type == FRAME_CODEC_VP9 ? SEND_REWRITTEN_VP9
                                            : 0;
}

static void leave_out(struct consumer *c, const struct packet *pk)
{
    seqmap_drop(&c->seqmap, pk->ext_seq);
    /* In VP9 the layers of a picture share its id, and ids refer to each other by difference: gaps stay. */
    if (pk->frame.has_picture_id && c->media.codecs[0].type == FRAME_CODEC_VP8)
        picture_map_drop(&c->vp8, &pk->frame);
}

/* Which numbers the packet gets. False: it is not sent. */
static bool number(struct consumer *c, const struct batch_entry *b,
                   const struct params_codec *codec, struct send_entry *entry, int64_t *out_seq,
                   bool *switched, int64_t now_us)
{
    const struct packet *pk = b->pk;
    struct layers_result r;
    layers_packet(c->layers, (size_t)(b->stream->index - c->base), pk,
                  c->producer->captures + c->base, now_us, &r);
    *switched = r.switched;
    if (r.switched) {
        seqmap_switch(&c->seqmap, pk->ext_seq, r.skip_seq);
        picture_map_switch(&c->vp8);
        score_init(&c->score);
    }
    if (!r.forward) {
        if (r.current)
            leave_out(c, pk);
        return false;
    }
    *entry = (struct send_entry){.in_seq = pk->ext_seq,
                                 .ts = pk->rtp.ts + r.ts_shift,
                                 .stream = b->stream->index,
                                 .marker = r.marker,
                                 .rewritten = rewriting(codec, pk) & 3};
    if (entry->rewritten &&
        !picture_map_frame(&c->vp8, &pk->frame, &entry->picture_id, &entry->tl0picidx)) {
        seqmap_drop(&c->seqmap, pk->ext_seq);
        return false;
    }
    if (!seqmap_map(&c->seqmap, pk->ext_seq, out_seq))
        return false;
    entry->seq = (uint16_t)*out_seq;
    return true;
}

#define KEY_FRAME_US 1000000 /* a key frame may take so long to go out */
#define CATCH_UP_MAX 256     /* packets: a large key frame */

static bool in_rest_of_batch(const struct batch_entry *b, const struct packet *pk)
{
    for (b = b->next; b; b = b->next)
        if (b->pk == pk)
            return true;
    return false;
}

static void add_media(struct consumer *c, const struct batch_entry *b, int64_t now_us);

/* After a switch: the first packet of the key frame came late, and what follows it was passed over before. */
static void catch_up(struct consumer *c, const struct batch_entry *b, int64_t now_us)
{
    int64_t newest = recv_newest(b->stream->recv);
    if (newest > b->pk->ext_seq + CATCH_UP_MAX)
        newest = b->pk->ext_seq + CATCH_UP_MAX;
    for (int64_t seq = b->pk->ext_seq + 1; seq <= newest; seq++) {
        struct packet *pk = ring_get(b->stream->ring, seq);
        if (!pk || in_rest_of_batch(b, pk))
            continue;
        const struct batch_entry again = {.pk = pk, .stream = b->stream};
        add_media(c, &again, now_us);
    }
}

static void send_media(struct consumer *c, const struct packet *pk,
                       const struct params_codec *codec, const struct send_entry *entry,
                       int64_t out_seq, int64_t now_us)
{
    struct outbound_item *it = item_of(c, pk, OUTBOUND_MEDIA, entry, now_us);
    it->entry.abs_send_time = abs_send_time(now_us);
    it->entry.twcc = next_twcc(it);
    struct rtp h = {.pt = codec->payload_type,
                    .marker = entry->marker,
                    .seq = entry->seq,
                    .ts = entry->ts,
                    .ssrc = c->ssrc};
    it->roc = (uint32_t)(out_seq >> 16);
    if (compose(it, &h, it->entry.abs_send_time, it->entry.twcc))
        keep(it, now_us);
    else
        counter_add(&c->counters->packets_discarded, 1);
}

/* At once, or behind what waits. */
static void send_or_wait(struct consumer *c, const struct packet *pk,
                         const struct params_codec *codec, const struct send_entry *entry,
                         int64_t out_seq, int64_t now_us)
{
    struct pacer *p = pacer_of(c);
    if (!p || (!pacer_waiting(p) && pacer_may_send(p, now_us))) {
        send_media(c, pk, codec, entry, out_seq, now_us);
        return;
    }
    const struct pacer_entry waits = {
        .owner = c, .entry = *entry, .out_seq = out_seq, .bytes = pk->len};
    if (!pacer_wait(p, &waits))
        counter_add(&c->counters->packets_discarded, 1);
}

static void add_media(struct consumer *c, const struct batch_entry *b, int64_t now_us)
{
    const struct packet *pk = b->pk;
    const struct params_codec *codec = codec_of(c, pk);
    if (pk->rtp.payload_len == 0 || !codec) {
        if (layers_current_stream(c->layers) == b->stream->index - c->base)
            seqmap_drop(&c->seqmap, pk->ext_seq);
        counter_add(&c->counters->packets_discarded, pk->rtp.payload_len != 0);
        return;
    }
    struct send_entry entry;
    int64_t out_seq;
    bool switched;
    if (!number(c, b, codec, &entry, &out_seq, &switched, now_us))
        return;
    if (pk->frame.keyframe)
        c->key_us = now_us;
    send_or_wait(c, pk, codec, &entry, out_seq, now_us);
    if (switched)
        catch_up(c, b, now_us);
}

void outbound_paced(struct transport *t, int64_t now_us)
{
    struct pacer_entry w;
    while (pacer_take(t->share.pacer, now_us, &w)) {
        struct consumer *c = w.owner;
        const struct packet *pk =
            ring_get(c->producer->streams[w.entry.stream]->ring, w.entry.in_seq);
        const struct params_codec *codec = pk ? codec_of(c, pk) : NULL;
        if (codec)
            send_media(c, pk, codec, &w.entry, w.out_seq, now_us);
        else
            counter_add(&c->counters->packets_discarded, 1);
    }
}

/* ---- resends ---- */

static bool compose_rtx(struct consumer *c, struct outbound_item *it,
                        const struct params_codec *codec, int64_t now_us)
{
    it->kind = OUTBOUND_RTX;
    c->rtx_seq++;
    struct rtp h = {.pt = codec->rtx_payload_type,
                    .marker = it->entry.marker,
                    .seq = (uint16_t)c->rtx_seq,
                    .ts = it->entry.ts,
                    .ssrc = c->rtx_ssrc};
    it->roc = (uint32_t)(c->rtx_seq >> 16);
    return compose(it, &h, abs_send_time(now_us), next_twcc(it));
}

/* The packet as it was: every field is in the entry. */
static bool compose_again(struct consumer *c, struct outbound_item *it,
                          const struct params_codec *codec)
{
    it->kind = OUTBOUND_AGAIN;
    it->pad_len = it->entry.pad_len;
    struct rtp h = {.pt = codec->payload_type,
                    .marker = it->entry.marker,
                    .seq = it->entry.seq,
                    .ts = it->entry.ts,
                    .ssrc = c->ssrc,
                    .pad_len = it->pad_len};
    it->roc = (uint32_t)(seq16_extend(it->entry.seq, c->seqmap.newest_out) >> 16);
    return compose(it, &h, it->entry.abs_send_time, it->entry.twcc);
}

static void add_resend(struct consumer *c, uint16_t seq, int64_t now_us)
{
    const struct send_entry *found = send_nacked(c->send, seq, now_us);
    if (!found)
        return;
    const struct send_entry entry = *found; /* a flush below may move it */
    struct packet *pk = ring_get(c->producer->streams[entry.stream]->ring, entry.in_seq);
    const struct params_codec *codec = pk ? codec_of(c, pk) : NULL;
    if (!codec) {
        send_missed(c->send);
        return;
    }
    struct outbound_item *it = item_of(c, pk, OUTBOUND_AGAIN, &entry, now_us);
    bool ok = c->rtx_ssrc && codec->has_rtx ? compose_rtx(c, it, codec, now_us)
                                            : compose_again(c, it, codec);
    if (!ok)
        return;
    send_resent(c->send, seq, plain_len(it), now_us);
    keep(it, now_us);
}

void outbound_resends(struct consumer *c, int64_t now_us)
{
    struct pacer *p = pacer_of(c);
    size_t n = 0;
    for (; n < c->n_resends && (!p || pacer_may_send(p, now_us)); n++)
        add_resend(c, c->resends[n], now_us);
    c->n_resends -= n;
    memmove(c->resends, c->resends + n, c->n_resends * sizeof(c->resends[0]));
    if (c->n_resends)
        c->transport->share.held = true;
}

size_t outbound_padding(struct consumer *c, size_t bytes, int64_t now_us)
{
    struct send_entry none = {0};
    struct outbound_item *it = item_of(c, NULL, OUTBOUND_PADDING, &none, now_us);
    it->pad_len = bytes < UINT8_MAX ? (uint8_t)bytes : UINT8_MAX;
    c->rtx_seq++;
    struct rtp h = {.pt = c->media.codecs[0].rtx_payload_type,
                    .seq = (uint16_t)c->rtx_seq,
                    .ts = c->last_ts,
                    .ssrc = c->rtx_ssrc,
                    .pad_len = it->pad_len};
    it->roc = (uint32_t)(c->rtx_seq >> 16);
    if (!compose(it, &h, abs_send_time(now_us), next_twcc(it)))
        return 0;
    keep(it, now_us);
    return plain_len(it);
}

/* What waits would come too late: the video begins anew with a key frame. Not on account of the last one itself. */
static void cut_short(struct consumer *c, int64_t now_us)
{
    struct pacer *p = pacer_of(c);
    if (!p || pacer_delay_us(p) < PACER_DELAY_US || now_us - c->key_us < KEY_FRAME_US ||
        layers_current_stream(c->layers) < 0)
        return;
    layers_restart(c->layers);
    counter_add(&c->transport->counters->pacer_cuts, 1);
}

void outbound_consumer(struct consumer *c, int64_t now_us)
{
    outbound_resends(c, now_us);
    cut_short(c, now_us);
    for (const struct batch_entry *b = c->producer->first; b; b = b->next) {
        /* Behind what came before its stream started anew, the new numbers would seem to leap. */
        if (consumer_carries(c, b->stream->index) && b->pk->ext_seq >= recv_first(b->stream->recv))
            add_media(c, b, now_us);
    }
    consumer_check(c, now_us);
}

/* ---- sealing ---- */

static bool same_frame(const struct outbound_item *a, const struct outbound_item *b)
{
    return a->consumer == b->consumer && a->kind == OUTBOUND_MEDIA && b->kind == OUTBOUND_MEDIA &&
           a->entry.ts == b->entry.ts;
}

static void level_frame(struct outbound_item *items, size_t n)
{
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
        if (plain_len(&items[i]) > longest)
            longest = plain_len(&items[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (plain_len(&items[i]) + 1 != longest || items[i].pad_len)
            continue;
        items[i].pad_len = items[i].entry.pad_len = 1;
        items[i].head[0] |= 0x20; /* the P bit */
    }
}

void outbound_level(struct outbound_item *items, size_t n)
{
    for (size_t i = 0, next; i < n; i = next) {
        next = i + 1;
        while (next < n && same_frame(&items[i], &items[next]))
            next++;
        if (next - i > 1 && items[i].kind == OUTBOUND_MEDIA)
            level_frame(items + i, next - i);
    }
}

static void count(struct outbound_item *it, size_t sealed, int64_t now_us)
{
    struct consumer *c = it->consumer;
    struct counters_transport *t = c->transport->counters;
    size_t bytes = plain_len(it);
    transport_count_sent(c->transport, sealed, now_us);
    share_sent(c->transport, it, sealed, now_us);
    if (it->kind == OUTBOUND_PADDING) {
        counter_add(&t->probation_bytes_sent, bytes);
        return;
    }
    if (tapped(c->transport))
        tap_rtp_out(it, now_us);
    if (it->kind != OUTBOUND_MEDIA) {
        counter_add(&t->rtx_bytes_sent, bytes);
        return;
    }
    c->last_ts = it->entry.ts;
    if (it->pad_len)
        counter_add(&c->transport->engine->counts->packets_padded, 1);
    send_sent(c->send, &it->entry, bytes, now_us);
    rate_add(&c->rate, bytes, now_us);
    counter_add(&c->counters->packets, 1);
    counter_add(&c->counters->bytes, bytes);
    counter_add(&t->rtp_packets_sent, 1);
    counter_add(&t->rtp_bytes_sent, bytes);
}

static struct srtp_job job_of(const struct outbound_item *it, struct out_slot *slot)
{
    memcpy(slot->data, it->head, (size_t)it->aad_len + it->head_len);
    return (struct srtp_job){.tx = it->consumer->transport->tx,
                             .out = slot->data,
                             .payload = it->payload,
                             .aad_len = it->aad_len,
                             .head_len = it->head_len,
                             .payload_len = it->payload_len,
                             .pad_len = it->pad_len,
                             .roc = it->roc};
}

void outbound_flush(struct engine *e, int64_t now_us)
{
    struct outbox *ob = e->conf.outbox;
    struct srtp_job jobs[OUTBOUND_BURST];
    struct out_slot *slots[OUTBOUND_BURST];
    size_t n = e->n_items;
    outbound_level(e->items, n);
    /* all slots of a burst are filled together, so none of them may be flushed before */
    if (OUTBOX_SLOTS - ob->n < n)
        outbox_flush(ob);
    for (size_t i = 0; i < n; i++) {
        slots[i] = outbox_take(ob, transport_to(e->items[i].consumer->transport, false));
        slots[i]->len = 0;
        jobs[i] = job_of(&e->items[i], slots[i]);
    }
    srtp_tx_rtp(jobs, n);
    for (size_t i = 0; i < n; i++) {
        const struct transport *t = e->items[i].consumer->transport;
        if (t->way->deliver && jobs[i].out_len)
            t->way->deliver(t, slots[i]->data, jobs[i].out_len, false);
        else
            slots[i]->len = jobs[i].out_len;
        if (e->items[i].kind == OUTBOUND_MEDIA)
            slots[i]->rx_us = e->items[i].pk->rx_us;
        if (jobs[i].out_len)
            count(&e->items[i], jobs[i].out_len, now_us);
    }
    e->n_items = 0;
}
