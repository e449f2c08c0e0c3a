/* taps.h - where the packet path tells the traces that are on (stream/tracer.h) what passes. The caller asks tapped() first. */
#ifndef ALTHING_WORKER_ROUTE_TAPS_H
#define ALTHING_WORKER_ROUTE_TAPS_H

#include "worker/route/state.h"

struct outbound_item;
struct packet;

static inline bool tapped(const struct transport *t)
{
    return tracer_on(&t->engine->tracer);
}

/* A packet that is new to its stream; parsed, its frame too. */
void tap_rtp_in(const struct inbound *s, const struct packet *pk, int64_t now_us);
/* A packet that was sealed. */
void tap_rtp_out(const struct outbound_item *it, int64_t now_us);
/* The headers of a packet that was opened, as it came. */
void tap_headers_in(const struct transport *t, const struct packet *pk, int64_t now_us);
void tap_rtcp(const struct transport *t, const uint8_t *data, size_t len, bool out, int64_t now_us);

struct tracer_subject tap_producer(const struct producer *p, bool out, int64_t now_us);
struct tracer_subject tap_consumer(const struct consumer *c, bool out, int64_t now_us);
struct tracer_subject tap_transport(const struct transport *t, bool out, int64_t now_us);

#endif
