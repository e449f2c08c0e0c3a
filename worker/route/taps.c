#include "worker/route/taps.h"

#include "lib/clock.h"
#include "worker/route/outbound.h"
#include "worker/stream/pool.h"

#include <errno.h>
#include <string.h>

struct tracer_subject tap_producer(const struct producer *p, bool out, int64_t now_us)
{
    return (struct tracer_subject){p->transport->id, p->id, now_us, out};
}

struct tracer_subject tap_consumer(const struct consumer *c, bool out, int64_t now_us)
{
    return (struct tracer_subject){c->transport->id, c->id, now_us, out};
}

struct tracer_subject tap_transport(const struct transport *t, bool out, int64_t now_us)
{
    return (struct tracer_subject){t->id, t->id, now_us, out};
}

void tap_rtp_in(const struct inbound *s, const struct packet *pk, int64_t now_us)
{
    struct tracer_subject subject = tap_producer(s->producer, false, now_us);
    const uint8_t *d = pk->data; /* of a packet that RTX brought, rtp says what the original said */
    uint32_t wire_ssrc = (uint32_t)d[8] << 24 | (uint32_t)d[9] << 16 | (uint32_t)d[10] << 8 | d[11];
    struct tracer_rtp p = {
        .h = &pk->rtp,
        .exts = &pk->exts,
        .size = pk->len,
        .spatial = s->producer->n_streams > 1 ? s->index : pk->frame.spatial,
        .temporal = pk->frame.temporal,
        .rtx = wire_ssrc != pk->rtp.ssrc,
        .keyframe = s->producer->kind == PARAMS_VIDEO && pk->frame.keyframe,
    };
    tracer_rtp(&s->producer->transport->engine->tracer, &subject, &p);
}

void tap_rtp_out(const struct outbound_item *it, int64_t now_us)
{
    const struct consumer *c = it->consumer;
    struct tracer *t = &c->transport->engine->tracer;
    size_t size = (size_t)it->aad_len + it->head_len + it->payload_len + it->pad_len;
    struct tracer_subject subject = tap_transport(c->transport, true, now_us);
    tracer_packet(t, &subject, false, it->head, it->aad_len, size);
    uint8_t head[OUTBOUND_HEAD_MAX];
    struct rtp h;
    struct rtp_exts exts;
    memcpy(head, it->head, it->aad_len);
    head[0] &= (uint8_t)~0x20; /* its padding is not behind it */
    if (rtp_parse(head, it->aad_len, &h))
        return;
    rtp_ext_parse(head, &h, &c->media.ext, &exts);
    h.payload_len = (uint16_t)(it->head_len + it->payload_len);
    subject.object = c->id;
    struct tracer_rtp p = {
        .h = &h,
        .exts = &exts,
        .size = size,
        .spatial = c->producer->n_streams > 1 ? it->entry.stream : it->pk->frame.spatial,
        .temporal = it->pk->frame.temporal,
        .rtx = it->kind != OUTBOUND_MEDIA,
        .keyframe = c->producer->kind == PARAMS_VIDEO && it->pk->frame.keyframe,
    };
    tracer_rtp(t, &subject, &p);
}

void tap_headers_in(const struct transport *t, const struct packet *pk, int64_t now_us)
{
    struct tracer_subject subject = tap_transport(t, false, now_us);
    tracer_packet(&t->engine->tracer, &subject, false, pk->data, pk->rtp.payload_off, pk->len);
}

void tap_rtcp(const struct transport *t, const uint8_t *data, size_t len, bool out, int64_t now_us)
{
    struct tracer_subject subject = tap_transport(t, out, now_us);
    tracer_packet(&t->engine->tracer, &subject, true, data, len, len);
}

/* ---- requests ---- */

static void arm(struct engine *e)
{
    int64_t due_us = tracer_next_us(&e->tracer);
    if (due_us == TIME_NEVER_US)
        timer_stop(&e->timers, &e->trace_timer);
    else
        timer_start(&e->timers, &e->trace_timer, due_us);
}

void engine_trace_expired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct engine *e = arg;
    tracer_expire(&e->tracer, now_us);
    arm(e);
}

static bool exists(const struct engine *e, uint64_t id)
{
    const struct transport *t = NULL;
    const struct producer *p = NULL;
    const struct consumer *c = NULL;
    HASH_FIND(hh, e->transports, &id, sizeof(id), t);
    HASH_FIND(hh, e->producers, &id, sizeof(id), p);
    HASH_FIND(hh, e->consumers, &id, sizeof(id), c);
    return t || p || c;
}

int engine_trace_start(struct engine *e, unsigned ring, const struct tracer_job *job)
{
    if (!exists(e, job->object))
        return -ENOENT;
    int err = tracer_start(&e->tracer, ring, job);
    arm(e);
    return err;
}

void engine_trace_stop(struct engine *e, uint64_t id)
{
    tracer_stop(&e->tracer, id);
    arm(e);
}

void engine_trace_stop_all(struct engine *e)
{
    tracer_stop_all(&e->tracer);
    arm(e);
}
