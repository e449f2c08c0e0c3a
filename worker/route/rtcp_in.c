#include "worker/route/rtcp_in.h"

#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"
#include "worker/wire/rtcp.h"

#include <errno.h>

static struct consumer *consumer_of(const struct transport *t, uint32_t ssrc)
{
    struct consumer *c = NULL;
    HASH_FIND(hh_ssrc, t->by_ssrc, &ssrc, sizeof(ssrc), c);
    return c;
}

static void reports(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    struct rtcp_report r[RTCP_REPORTS_MAX];
    uint32_t sender;
    size_t n;
    if (rtcp_parse_reports(p, &sender, r, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct consumer *c = consumer_of(t, r[i].ssrc);
        if (!c)
            continue;
        consumer_report(c, &r[i], now_us);
        if (consumer_rtt_us(c) > 0)
            transport_rtt(t, consumer_rtt_us(c));
    }
}

static void sender_report(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    struct rtcp_sr sr;
    if (rtcp_parse_sr(p, &sr))
        return;
    const struct listener_entry *found = listener_find(&t->listener, sr.ssrc);
    if (found && !found->rtx && tapped(t)) {
        struct tracer_subject subject = tap_producer(found->stream->producer, false, now_us);
        tracer_sr(&t->engine->tracer, &subject, &sr);
    }
    if (found && !found->rtx)
        inbound_sender_report(found->stream, &sr, now_us);
    reports(t, p, now_us);
}

static void extended_report(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    struct rtcp_xr xr;
    if (rtcp_parse_xr(p, &xr))
        return;
    for (size_t i = 0; i < xr.n_dlrr; i++) {
        if (xr.dlrr[i].ssrc != t->rtcp_ssrc || !xr.dlrr[i].lrr)
            continue;
        uint32_t now = (uint32_t)(engine_ntp(t->engine, now_us) >> 16);
        int32_t rtt = (int32_t)(now - xr.dlrr[i].lrr - xr.dlrr[i].dlrr); /* 1/65536 s */
        if (rtt >= 0)
            transport_rtt(t, (int64_t)rtt * 1000000 / 65536);
    }
}

static void nack(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    uint16_t seqs[LIMIT_RESENDS];
    uint32_t ssrc;
    size_t n;
    if (rtcp_parse_nack(p, &ssrc, seqs, LIMIT_RESENDS, &n))
        return;
    struct consumer *c = consumer_of(t, ssrc);
    if (!c)
        return;
    if (tapped(t)) {
        struct tracer_subject subject = tap_consumer(c, false, now_us);
        tracer_nack(&t->engine->tracer, &subject, ssrc, seqs, n);
    }
    consumer_nacked(c, seqs, n);
}

static void transport_cc(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    struct rtcp_twcc head;
    struct rtcp_twcc_status *st = t->engine->statuses;
    size_t n;
    if (rtcp_parse_twcc(p, &head, st, TWCC_STATUSES, &n) || n == 0)
        return;
    size_t lost = 0;
    for (size_t i = 0; i < n; i++)
        lost += !st[i].received;
    counter_set(&t->counters->loss_sent, lost * 256 / n > 255 ? 255 : lost * 256 / n);
    share_feedback(t, st, n, now_us);
}

static void pli(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    uint32_t ssrc;
    if (rtcp_parse_pli(p, &ssrc))
        return;
    struct consumer *c = consumer_of(t, ssrc);
    if (!c)
        return;
    if (tapped(t)) {
        struct tracer_subject subject = tap_consumer(c, false, now_us);
        tracer_pli(&t->engine->tracer, &subject, ssrc);
    }
    consumer_pli(c, now_us);
}

static void fir(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    struct rtcp_fir f[RTCP_SSRCS_MAX];
    size_t n;
    if (rtcp_parse_fir(p, f, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct consumer *c = consumer_of(t, f[i].ssrc);
        if (!c)
            continue;
        if (tapped(t)) {
            struct tracer_subject subject = tap_consumer(c, false, now_us);
            tracer_fir(&t->engine->tracer, &subject, f[i].ssrc, f[i].seq);
        }
        consumer_fir(c, f[i].seq, now_us);
    }
}

static void remb(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    struct rtcp_remb r;
    if (rtcp_parse_remb(p, &r))
        return;
    share_remb(t, r.bitrate, now_us);
    if (tapped(t)) {
        struct tracer_subject subject = tap_transport(t, false, now_us);
        tracer_bwe(&t->engine->tracer, &subject, false, r.bitrate, 0);
    }
}

static void feedback(struct transport *t, const struct rtcp_packet *p, int64_t now_us)
{
    if (p->pt == RTCP_RTPFB && p->count == RTCP_RTPFB_NACK)
        nack(t, p, now_us);
    else if (p->pt == RTCP_RTPFB && p->count == RTCP_RTPFB_TWCC)
        transport_cc(t, p, now_us);
    else if (p->pt == RTCP_PSFB && p->count == RTCP_PSFB_PLI)
        pli(t, p, now_us);
    else if (p->pt == RTCP_PSFB && p->count == RTCP_PSFB_FIR)
        fir(t, p, now_us);
    else if (p->pt == RTCP_PSFB && p->count == RTCP_PSFB_AFB)
        remb(t, p, now_us);
}

void rtcp_in(struct transport *t, const uint8_t *data, size_t len, int64_t now_us)
{
    struct rtcp_iter it = rtcp_iter_of(data, len);
    struct rtcp_packet p;
    while (rtcp_next(&it, &p)) {
        switch (p.pt) {
        case RTCP_SR:
            sender_report(t, &p, now_us);
            break;
        case RTCP_RR:
            reports(t, &p, now_us);
            break;
        case RTCP_XR:
            extended_report(t, &p, now_us);
            break;
        default:
            feedback(t, &p, now_us);
        }
    }
    if (it.bad)
        counter_add(&t->engine->counts->dropped_rtcp_parse, 1);
}
