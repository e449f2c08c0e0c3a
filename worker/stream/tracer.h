/* tracer.h - which packet traces are on, and what is written for them (proto/trace.h).
 *
 * A trace is of one transport with all on it, of one producer or of one consumer, by handle: an object that goes leaves a trace
 * that writes nothing. At most TRACE_RINGS at the same time, one a ring, each until its end, which tracer_expire() sees to. The
 * packet path asks tracer_on() first and calls nothing else while no trace is on. Pure: no clock, no allocation.
 */
#ifndef ALTHING_WORKER_STREAM_TRACER_H
#define ALTHING_WORKER_STREAM_TRACER_H

#include "proto/trace.h"
#include "worker/wire/frame.h"
#include "worker/wire/rtcp.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracer_job {
    uint64_t id; /* 0: none */
    uint64_t object;
    uint32_t kinds; /* bit 1 << enum trace_kind */
    int64_t end_us;
};

struct tracer {
    struct trace *out; /* borrowed; NULL: no trace can be started */
    uint32_t kinds;    /* of all jobs; 0: none is on */
    struct tracer_job jobs[TRACE_RINGS];
};

void tracer_init(struct tracer *t, struct trace *out);
static inline bool tracer_on(const struct tracer *t)
{
    return __builtin_expect(t->kinds != 0, 0);
}

/* 0; -EINVAL (no such ring, no kinds, id or object 0); -EEXIST (another trace has the ring); -ENOTSUP (nowhere to write to). */
int tracer_start(struct tracer *t, unsigned ring, const struct tracer_job *job);
void tracer_stop(struct tracer *t, uint64_t id); /* unknown: fine */
void tracer_stop_all(struct tracer *t);
int64_t tracer_next_us(const struct tracer *t); /* the first end; TIME_NEVER_US: none is on */
void tracer_expire(struct tracer *t, int64_t now_us);

/* Whom something happens to. */
struct tracer_subject {
    uint64_t transport;
    uint64_t object; /* producer or consumer; of BWE and PACKET the transport again */
    int64_t at_us;
    bool out; /* it is sent */
};

struct tracer_rtp {
    const struct rtp *h;
    const struct rtp_exts *exts;
    size_t size; /* of the packet */
    uint8_t spatial, temporal;
    bool rtx;
    bool keyframe; /* it starts one */
};

void tracer_rtp(struct tracer *t, const struct tracer_subject *s, const struct tracer_rtp *p);
void tracer_nack(struct tracer *t, const struct tracer_subject *s, uint32_t ssrc,
                 const uint16_t *seqs, size_t n);
void tracer_pli(struct tracer *t, const struct tracer_subject *s, uint32_t ssrc);
void tracer_fir(struct tracer *t, const struct tracer_subject *s, uint32_t ssrc, uint8_t seq);
void tracer_sr(struct tracer *t, const struct tracer_subject *s, const struct rtcp_sr *sr);
void tracer_layers(struct tracer *t, const struct tracer_subject *s, bool none, uint32_t spatial,
                   uint32_t temporal);
void tracer_bwe(struct tracer *t, const struct tracer_subject *s, bool transport_cc,
                uint64_t available, uint64_t desired);
/* `data` is what may be shown of a packet of `size` bytes: its headers; what is over TRACE_DATA_MAX is cut off. */
void tracer_packet(struct tracer *t, const struct tracer_subject *s, bool rtcp, const uint8_t *data,
                   size_t len, size_t size);

#endif
