#include "load/sink.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "load/stamp.h"
#include "worker/stream/nack.h"
#include "worker/stream/recv.h"

#include <stdlib.h>

#define NACK_KEPT     256
#define NACK_BATCH    64
#define FREEZE_US     150000
#define FREEZE_FRAMES 3

struct sink {
    struct sink_config conf;
    struct recv *recv;
    struct nack *nack;   /* NULL: nothing is asked for again */
    int64_t first, last; /* extended numbers of the counted packets; -1: none */
    int64_t frame_us;    /* when the last whole frame came; 0: none yet */
    double mean_frame_us;
    struct sink_totals totals;
};

void sink_new(struct sink **sp, const struct sink_config *conf)
{
    struct sink *s = mem_zalloc(sizeof(*s));
    s->conf = *conf;
    s->first = s->last = -1;
    (void)recv_new(&s->recv, conf->ssrc, conf->media == MEDIA_AUDIO ? 48000 : 90000);
    if (conf->media == MEDIA_VIDEO)
        (void)nack_new(&s->nack, NACK_KEPT);
    *sp = s;
}

void sink_free(struct sink *s)
{
    if (!s)
        return;
    recv_free(s->recv);
    nack_free(s->nack);
    free(s);
}

uint32_t sink_ssrc(const struct sink *s)
{
    return s->conf.ssrc;
}

enum media sink_media(const struct sink *s)
{
    return s->conf.media;
}

/* ---- what comes ---- */

static void count(struct sink *s, const uint8_t *data, size_t len, const struct rtp *h,
                  int64_t index, int64_t rx_us)
{
    int64_t sent_us;
    struct measure *m = s->conf.measure;
    s->totals.packets++;
    s->totals.bytes += len;
    if (!stamp_read(data + h->payload_off, h->payload_len, m->tag, &sent_us) ||
        !measure_counts(m, sent_us))
        return;
    s->totals.counted++;
    s->totals.counted_bytes += len;
    spread_add(&m->latency[s->conf.media], rx_us - sent_us);
    if (s->first < 0 || index < s->first)
        s->first = index;
    if (index > s->last)
        s->last = index;
}

static void end_of_frame(struct sink *s, int64_t rx_us)
{
    struct measure *m = s->conf.measure;
    int64_t gap_us = rx_us - s->frame_us;
    double limit_us = s->mean_frame_us + FREEZE_US;
    if (limit_us < FREEZE_FRAMES * s->mean_frame_us)
        limit_us = FREEZE_FRAMES * s->mean_frame_us;
    if (s->frame_us && s->mean_frame_us > 0 && (double)gap_us > limit_us &&
        measure_counts(m, s->frame_us)) {
        m->freezes++;
        m->freeze_us += gap_us;
    }
    if (s->frame_us)
        s->mean_frame_us += ((double)gap_us - s->mean_frame_us) / (s->mean_frame_us > 0 ? 16 : 1);
    s->frame_us = rx_us;
    s->totals.frames++;
}

void sink_packet(struct sink *s, uint8_t *data, size_t len, const struct rtp *h, int64_t rx_us)
{
    struct rtp own = *h;
    int64_t index;
    bool rtx = s->conf.rtx_ssrc && h->ssrc == s->conf.rtx_ssrc;
    if (!h->payload_len || /* a probe for bandwidth */
        (rtx && recv_rtx_unwrap(data, &own, s->conf.payload_type, s->conf.ssrc)))
        return;
    enum recv_result r = rtx ? recv_rtx_packet(s->recv, &own, len, rx_us, &index)
                             : recv_packet(s->recv, &own, len, rx_us, &index);
    if (r == RECV_DUPLICATE || r == RECV_DROPPED) {
        s->totals.duplicate++;
        return;
    }
    s->totals.repaired += rtx;
    if (s->nack && r == RECV_RESTARTED)
        nack_reset(s->nack);
    if (s->nack)
        nack_received(s->nack, index, false, rx_us);
    count(s, data, len, &own, index, rx_us);
    if (own.marker && s->conf.media == MEDIA_VIDEO)
        end_of_frame(s, rx_us);
}

void sink_sender_report(struct sink *s, uint64_t ntp, int64_t now_us)
{
    recv_sender_report(s->recv, ntp, now_us);
}

/* ---- what is said ---- */

bool sink_report(struct sink *s, int64_t now_us, struct rtcp_report *out)
{
    if (!recv_started(s->recv))
        return false;
    recv_report(s->recv, now_us, out);
    return true;
}

void sink_feedback(struct sink *s, uint32_t sender_ssrc, int64_t now_us, struct writer *w)
{
    uint16_t seqs[NACK_BATCH];
    if (!s->nack)
        return;
    size_t n = nack_next_us(s->nack) <= now_us ? nack_due(s->nack, now_us, seqs, NACK_BATCH) : 0;
    if (n) {
        rtcp_write_nack(w, sender_ssrc, s->conf.ssrc, seqs, n);
        s->totals.nacked += n;
    }
    if (nack_needs_key(s->nack)) {
        rtcp_write_pli(w, sender_ssrc, s->conf.ssrc);
        s->totals.key_requests++;
    }
}

void sink_count_anew(struct sink *s)
{
    s->first = s->last = -1;
    s->totals.counted = s->totals.counted_bytes = 0;
}

struct sink_totals sink_totals(const struct sink *s)
{
    struct sink_totals t = s->totals;
    uint64_t expected = s->first < 0 ? 0 : (uint64_t)(s->last - s->first + 1);
    t.lost = expected > t.counted ? expected - t.counted : 0;
    return t;
}
