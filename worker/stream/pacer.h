/* pacer.h - how fast a transport's packets leave: what may go at once, what waits, and the bursts that probe for bandwidth.
 *
 * A bucket that drains at the pacing rate; everything that leaves is poured in. While it holds less than the burst (what drains
 * in PACER_BURST_US, at least PACER_BURST_MIN bytes) media goes at once, so that the packets of a frame leave together; what
 * exceeds it waits here, in order, and is let go in portions of half a burst. A waiting packet is not composed yet: it is named
 * by its owner and the history entry that it will have. Audio asks for nothing: it is poured in and goes.
 *
 * Bounds: PACER_MAX packets wait; the caller stops a video whose packets would wait for PACER_DELAY_US, until its next key frame.
 * A probe ends when it is out, or after PACER_PROBE_US. One a transport; sans-I/O; no allocation but its own.
 */
#ifndef ALTHING_WORKER_STREAM_PACER_H
#define ALTHING_WORKER_STREAM_PACER_H

#include "worker/stream/send.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACER_MAX       512
#define PACER_BURST_US  40000
#define PACER_BURST_MIN 4800 /* bytes */
#define PACER_DELAY_US  300000
#define PACER_PROBE_US  500000
#define PACER_STEP_US   2000 /* between two portions of a probe */

struct pacer;

struct pacer_entry {
    void *owner;
    struct send_entry entry;
    int64_t out_seq; /* extended */
    uint32_t bytes;  /* about */
};

struct pacer_probe {
    uint8_t id; /* 0: none */
    uint32_t bps;
    uint32_t min_packets, min_bytes;
};

void pacer_new(struct pacer **pp, uint32_t bps, int64_t now_us);
void pacer_free(struct pacer *p); /* NULL is fine */
void pacer_set_rate(struct pacer *p, uint32_t bps, int64_t now_us);

bool pacer_may_send(struct pacer *p, int64_t now_us); /* the bucket has room */
/* told: the receiver will tell when it arrived, so that it counts for a probe. */
void pacer_sent(struct pacer *p, size_t bytes, bool told, int64_t now_us);
/* Media behind which nothing else of the video may go. False: PACER_MAX wait, it is dropped. */
bool pacer_wait(struct pacer *p, const struct pacer_entry *e);
size_t pacer_waiting(const struct pacer *p);
int64_t pacer_delay_us(const struct pacer *p); /* how long the next one to wait would */
/* The first that waits, if the bucket has room. Its pacer_sent() is the caller's. False: none. */
bool pacer_take(struct pacer *p, int64_t now_us, struct pacer_entry *e);
void pacer_forget(struct pacer *p, const void *owner); /* it goes: so does what waits of it */

/* Instead of one before. */
void pacer_probe(struct pacer *p, const struct pacer_probe *probe, int64_t now_us);
uint8_t
pacer_probe_id(const struct pacer *p); /* what leaves now belongs to this probe; 0: to none */
/* Bytes of padding that the probe lacks now. */
size_t pacer_padding(struct pacer *p, int64_t now_us);
/* When something that waits may go; TIME_NEVER_US: nothing does. more: something waits elsewhere. */
int64_t pacer_next_us(const struct pacer *p, bool more);

#endif
