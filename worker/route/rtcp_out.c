#include "worker/route/rtcp_out.h"

#include "lib/cursor.h"
#include "worker/cc/twcc_recv.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"
#include "worker/stream/layers.h"
#include "worker/stream/nack.h"
#include "worker/stream/recv.h"
#include "worker/stream/send.h"
#include "worker/wire/rtcp.h"

#define NACK_BATCH 128
/* Sizes on the wire: of a packet with its report blocks, and of SDES with the longest CNAME. */
#define SR_SIZE(n) (28 + 24 * (n))
#define SDES_MAX   (4 + 4 + 2 + LIMIT_CNAME + 4)
#define PSFB_SIZE  20
#define REMB_MAX   (20 + 4 * RTCP_SSRCS_MAX)

/* A compound that is being written. */
struct compound {
    struct transport *t;
    int64_t now_us;
    struct writer w;
    uint8_t buf[RTCP_OUT_MAX];
    bool begun;
};

static void flush(struct compound *c)
{
    if (c->begun && !c->w.bad)
        transport_send_rtcp(c->t, c->buf, writer_len(&c->w), c->now_us);
    c->w = writer_of(c->buf, sizeof(c->buf));
    c->begun = false;
}

static size_t room(const struct compound *c)
{
    return (size_t)(c->w.end - c->w.p);
}

/* Makes sure that `size` more bytes fit behind an RR and a CNAME. */
static void begin(struct compound *c, size_t size)
{
    if (c->begun && room(c) < size)
        flush(c);
    if (c->begun)
        return;
    rtcp_write_rr(&c->w, c->t->rtcp_ssrc, NULL, 0);
    rtcp_write_sdes(&c->w, c->t->rtcp_ssrc, c->t->cname);
    c->begun = true;
}

/* ---- reports ---- */

/* The report blocks of up to 31 streams from *s on, which moves on. */
static size_t blocks(struct transport *t, struct producer **p, size_t *stream,
                     struct rtcp_report out[static RTCP_REPORTS_MAX], int64_t now_us)
{
    size_t n = 0;
    while (*p && n < RTCP_REPORTS_MAX) {
        if (*stream == (*p)->n_streams) {
            *p = (*p)->next;
            *stream = 0;
            continue;
        }
        struct inbound *s = (*p)->streams[(*stream)++];
        if (!s->recv || !recv_started(s->recv))
            continue;
        recv_report(s->recv, now_us, &out[n]);
        if (out[n].fraction > t->loss_in)
            t->loss_in = out[n].fraction;
        n++;
    }
    return n;
}

static bool sender_report(struct consumer *c, struct rtcp_sr *sr, int64_t now_us)
{
    int current = layers_current_stream(c->layers);
    const struct capture *line = current >= 0 ? &c->producer->captures[c->base + current] : NULL;
    return send_make_report(c->send, line, layers_ts_shift(c->layers),
                            engine_wall_us(c->transport->engine, now_us), now_us, sr);
}

static void sender_reports(struct compound *out, int64_t now_us)
{
    for (struct consumer *c = out->t->consumers; c; c = c->next) {
        struct rtcp_sr sr;
        if (!c->flowing || !sender_report(c, &sr, now_us))
            continue;
        if (room(out) < SR_SIZE(0) + SDES_MAX)
            flush(out);
        rtcp_write_sr(&out->w, &sr, NULL, 0);
        if (tapped(out->t)) {
            struct tracer_subject subject = tap_consumer(c, true, now_us);
            tracer_sr(&out->t->engine->tracer, &subject, &sr);
        }
        rtcp_write_sdes(&out->w, c->ssrc, c->media.cname);
        out->begun = true;
    }
}

static void receiver_reports(struct compound *out, int64_t now_us)
{
    struct transport *t = out->t;
    struct producer *p = t->producers;
    size_t stream = 0;
    struct rtcp_report r[RTCP_REPORTS_MAX];
    t->loss_in = 0;
    for (size_t n; (n = blocks(t, &p, &stream, r, now_us)) > 0;) {
        if (room(out) < SR_SIZE(n) + SDES_MAX)
            flush(out);
        rtcp_write_rr(&out->w, t->rtcp_ssrc, r, n);
        if (!out->begun)
            rtcp_write_sdes(&out->w, t->rtcp_ssrc, t->cname);
        out->begun = true;
    }
    counter_set(&t->counters->loss_received, t->loss_in);
    if (t->producers) {
        begin(out, PSFB_SIZE);
        rtcp_write_rrt(&out->w, t->rtcp_ssrc, engine_ntp(t->engine, now_us));
    }
}

void rtcp_out_reports(struct transport *t, int64_t now_us)
{
    struct compound out = {.t = t, .now_us = now_us};
    flush(&out);
    receiver_reports(&out, now_us);
    sender_reports(&out, now_us);
    flush(&out);
}

/* ---- feedback ---- */

static void nacks(struct compound *out, struct inbound *s, int64_t now_us)
{
    uint16_t seqs[NACK_BATCH];
    size_t n;
    while ((n = nack_due(s->nack, now_us, seqs, NACK_BATCH)) > 0) {
        counter_add(&s->counters->nack_packet_count, n);
        for (size_t done = 0; done < n;) {
            begin(out, PSFB_SIZE);
            size_t took =
                rtcp_write_nack(&out->w, out->t->rtcp_ssrc, s->ssrc, seqs + done, n - done);
            counter_add(&s->counters->nack_count, took > 0);
            if (tapped(out->t)) {
                struct tracer_subject subject = tap_producer(s->producer, true, now_us);
                tracer_nack(&out->t->engine->tracer, &subject, s->ssrc, seqs + done, took);
            }
            done += took;
            if (done < n)
                flush(out);
        }
    }
}

static void trace_key_request(struct compound *out, const struct inbound *s, int64_t now_us)
{
    struct tracer *tracer = &out->t->engine->tracer;
    struct tracer_subject subject = tap_producer(s->producer, true, now_us);
    if (s->pli_wanted)
        tracer_pli(tracer, &subject, s->ssrc);
    else
        tracer_fir(tracer, &subject, s->ssrc, s->fir_seq);
}

static void key_request(struct compound *out, struct inbound *s, int64_t now_us)
{
    if (!keyreq_due(&s->keyreq, now_us))
        return;
    begin(out, PSFB_SIZE);
    if (tapped(out->t))
        trace_key_request(out, s, now_us);
    if (s->pli_wanted) {
        rtcp_write_pli(&out->w, out->t->rtcp_ssrc, s->ssrc);
        counter_add(&s->counters->pli_count, 1);
    } else {
        rtcp_write_fir(&out->w, out->t->rtcp_ssrc, s->ssrc, s->fir_seq++);
        counter_add(&s->counters->fir_count, 1);
    }
}

static void remb(struct compound *out, int64_t now_us)
{
    struct transport *t = out->t;
    uint32_t bps, ssrcs[RTCP_SSRCS_MAX];
    size_t n = 0;
    if (!remb_recv_due(&t->remb, t->loss_in, now_us, &bps))
        return;
    for (const struct producer *p = t->producers; p; p = p->next) {
        for (size_t i = 0; i < p->n_streams && n < RTCP_SSRCS_MAX; i++) {
            if (p->streams[i]->ssrc)
                ssrcs[n++] = p->streams[i]->ssrc;
        }
    }
    counter_set(&t->counters->available_incoming_bitrate, bps);
    if (n == 0)
        return;
    begin(out, REMB_MAX);
    rtcp_write_remb(&out->w, t->rtcp_ssrc, bps, ssrcs, n);
}

static void transport_cc(struct compound *out, int64_t now_us)
{
    struct transport *t = out->t;
    bool more = t->twcc_wanted && twcc_recv_next_us(t->twcc) <= now_us;
    while (more) {
        flush(out); /* a feedback packet wants the room of one compound */
        begin(out, 0);
        more = twcc_recv_feedback(t->twcc, t->rtcp_ssrc, now_us, &out->w);
    }
}

void rtcp_out_feedback(struct transport *t, int64_t now_us)
{
    struct compound out = {.t = t, .now_us = now_us};
    flush(&out);
    for (struct producer *p = t->producers; p; p = p->next) {
        for (size_t i = 0; i < p->n_streams; i++) {
            struct inbound *s = p->streams[i];
            if (!s->recv || !recv_started(s->recv))
                continue;
            if (s->nack_wanted)
                nacks(&out, s, now_us);
            key_request(&out, s, now_us);
            inbound_arm(s, now_us);
        }
    }
    remb(&out, now_us);
    transport_cc(&out, now_us);
    flush(&out);
}
