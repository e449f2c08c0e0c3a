#include "worker/stream/tracer.h"

#include "lib/clock.h"

#include <errno.h>
#include <string.h>

void tracer_init(struct tracer *t, struct trace *out)
{
    *t = (struct tracer){.out = out};
}

/* ---- which are on ---- */

static void changed(struct tracer *t)
{
    t->kinds = 0;
    for (unsigned i = 0; i < TRACE_RINGS; i++) {
        if (t->jobs[i].id)
            t->kinds |= t->jobs[i].kinds;
    }
}

int tracer_start(struct tracer *t, unsigned ring, const struct tracer_job *job)
{
    uint32_t kinds = job->kinds & ((1u << TRACE_KINDS) - 1);
    if (ring >= TRACE_RINGS || !kinds || !job->id || !job->object)
        return -EINVAL;
    if (!t->out)
        return -ENOTSUP;
    if (t->jobs[ring].id)
        return -EEXIST;
    t->jobs[ring] = *job;
    t->jobs[ring].kinds = kinds;
    trace_start(t->out, ring, job->id);
    changed(t);
    return 0;
}

void tracer_stop(struct tracer *t, uint64_t id)
{
    for (unsigned i = 0; id && i < TRACE_RINGS; i++) {
        if (t->jobs[i].id == id)
            t->jobs[i] = (struct tracer_job){0};
    }
    changed(t);
}

void tracer_stop_all(struct tracer *t)
{
    memset(t->jobs, 0, sizeof(t->jobs));
    changed(t);
}

int64_t tracer_next_us(const struct tracer *t)
{
    int64_t next_us = TIME_NEVER_US;
    for (unsigned i = 0; i < TRACE_RINGS; i++) {
        if (t->jobs[i].id)
            next_us = time_min_us(next_us, t->jobs[i].end_us);
    }
    return next_us;
}

void tracer_expire(struct tracer *t, int64_t now_us)
{
    for (unsigned i = 0; i < TRACE_RINGS; i++) {
        if (t->jobs[i].id && t->jobs[i].end_us <= now_us)
            tracer_stop(t, t->jobs[i].id);
    }
}

/* ---- what is written ---- */

static bool wanted(const struct tracer *t, enum trace_kind kind)
{
    return t->kinds & (1u << kind);
}

/* The record for everyone who has asked for it. */
static void emit(struct tracer *t, const struct tracer_subject *s, enum trace_kind kind,
                 struct trace_record *rec)
{
    rec->at_us = s->at_us;
    rec->object = s->object;
    rec->kind = (uint8_t)kind;
    if (s->out)
        rec->flags |= TRACE_OUT;
    for (unsigned i = 0; i < TRACE_RINGS; i++) {
        const struct tracer_job *j = &t->jobs[i];
        if (!j->id || !(j->kinds & (1u << kind)) ||
            (j->object != s->object && j->object != s->transport))
            continue;
        size_t len = offsetof(struct trace_record, data) + rec->data_len;
        memcpy(trace_begin(t->out, i), rec, len);
        trace_commit(t->out, i);
    }
}

static void copy_text(char to[static TRACE_TEXT_MAX], const uint8_t *from, size_t len)
{
    memcpy(to, from, len < TRACE_TEXT_MAX ? len : TRACE_TEXT_MAX - 1);
}

static void copy_exts(struct trace_record *rec, const struct rtp_exts *x)
{
    if (x->present & RTP_EXT_BIT(RTP_EXT_MID))
        copy_text(rec->mid, x->mid, x->mid_len);
    if (x->present & RTP_EXT_BIT(RTP_EXT_RID))
        copy_text(rec->rid, x->rid, x->rid_len);
    else if (x->present & RTP_EXT_BIT(RTP_EXT_REPAIRED_RID))
        copy_text(rec->rid, x->rrid, x->rrid_len);
    if (x->present & RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC)) {
        rec->twcc = x->twcc;
        rec->flags |= TRACE_TWCC;
    }
}

void tracer_rtp(struct tracer *t, const struct tracer_subject *s, const struct tracer_rtp *p)
{
    if (!wanted(t, TRACE_RTP) && !(p->keyframe && wanted(t, TRACE_KEYFRAME)))
        return;
    struct trace_record rec = {
        .ssrc = p->h->ssrc,
        .rtp_ts = p->h->ts,
        .size = (uint32_t)p->size,
        .payload_size = p->h->payload_len,
        .seq = p->h->seq,
        .pt = p->h->pt,
        .spatial = p->spatial,
        .temporal = p->temporal,
        .flags = (uint8_t)((p->h->marker ? TRACE_MARKER : 0) | (p->keyframe ? TRACE_START : 0) |
                           (p->rtx ? TRACE_RTX : 0)),
    };
    copy_exts(&rec, p->exts);
    emit(t, s, TRACE_RTP, &rec);
    if (p->keyframe)
        emit(t, s, TRACE_KEYFRAME, &rec);
}

void tracer_nack(struct tracer *t, const struct tracer_subject *s, uint32_t ssrc,
                 const uint16_t *seqs, size_t n)
{
    if (!n || !wanted(t, TRACE_NACK))
        return;
    struct trace_record rec = {.ssrc = ssrc, .seq = seqs[0], .count = (uint16_t)n};
    size_t told = n < TRACE_DATA_MAX / 2 ? n : TRACE_DATA_MAX / 2;
    rec.data_len = (uint16_t)(told * 2);
    memcpy(rec.data, seqs, rec.data_len);
    emit(t, s, TRACE_NACK, &rec);
}

void tracer_pli(struct tracer *t, const struct tracer_subject *s, uint32_t ssrc)
{
    struct trace_record rec = {.ssrc = ssrc};
    emit(t, s, TRACE_PLI, &rec);
}

void tracer_fir(struct tracer *t, const struct tracer_subject *s, uint32_t ssrc, uint8_t seq)
{
    struct trace_record rec = {.ssrc = ssrc, .seq = seq};
    emit(t, s, TRACE_FIR, &rec);
}

void tracer_sr(struct tracer *t, const struct tracer_subject *s, const struct rtcp_sr *sr)
{
    struct trace_record rec = {
        .ssrc = sr->ssrc, .rtp_ts = sr->rtp_ts, .values = {sr->ntp, sr->packets, sr->octets}};
    emit(t, s, TRACE_SR, &rec);
}

void tracer_layers(struct tracer *t, const struct tracer_subject *s, bool none, uint32_t spatial,
                   uint32_t temporal)
{
    struct trace_record rec = {.spatial = none ? TRACE_NO_LAYER : (uint8_t)spatial,
                               .temporal = none ? TRACE_NO_LAYER : (uint8_t)temporal};
    emit(t, s, TRACE_LAYERS, &rec);
}

void tracer_bwe(struct tracer *t, const struct tracer_subject *s, bool transport_cc,
                uint64_t available, uint64_t desired)
{
    struct trace_record rec = {.values = {available, desired},
                               .flags = transport_cc ? TRACE_TWCC : 0};
    emit(t, s, TRACE_BWE, &rec);
}

void tracer_packet(struct tracer *t, const struct tracer_subject *s, bool rtcp, const uint8_t *data,
                   size_t len, size_t size)
{
    if (!wanted(t, TRACE_PACKET))
        return;
    struct trace_record rec = {.size = (uint32_t)size, .flags = rtcp ? TRACE_RTCP : 0};
    rec.data_len = (uint16_t)(len < TRACE_DATA_MAX ? len : TRACE_DATA_MAX);
    memcpy(rec.data, data, rec.data_len);
    emit(t, s, TRACE_PACKET, &rec);
}
