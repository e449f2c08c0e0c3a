/* sink.h - one RTP stream that a peer receives: what of it arrived, how late, and what is to be asked for again.
 *
 * Packets count when their stamp lies in the time that is measured, each once. `lost` is what this stream's sequence numbers miss
 * in the packets from the first counted one to the last. A picture freezes when the next whole frame comes more than three mean
 * frame times and 150 ms later than the one before it (as W3C's freezeCount).
 */
#ifndef ALTHING_LOAD_SINK_H
#define ALTHING_LOAD_SINK_H

#include "load/measure.h"
#include "worker/wire/rtcp.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>
#include <stdint.h>

struct sink;

struct sink_config {
    enum media media;
    uint32_t ssrc, rtx_ssrc;  /* rtx_ssrc 0: none */
    uint8_t payload_type;
    struct measure *measure; /* borrowed */
};

struct sink_totals {
    uint64_t packets, bytes;  /* new ones, as they are on the wire but for the SRTP tag */
    uint64_t counted;         /* of the time that is measured */
    uint64_t counted_bytes;
    uint64_t lost;            /* see above */
    uint64_t repaired, duplicate, nacked, key_requests, frames;
};

void sink_new(struct sink **sp, const struct sink_config *conf);
void sink_free(struct sink *s); /* NULL is fine */
uint32_t sink_ssrc(const struct sink *s);
enum media sink_media(const struct sink *s);

/* A packet with either SSRC. */
void sink_packet(struct sink *s, uint8_t *data, size_t len, const struct rtp *h, int64_t rx_us);
void sink_sender_report(struct sink *s, uint64_t ntp, int64_t now_us);
bool sink_report(struct sink *s, int64_t now_us, struct rtcp_report *out); /* false: nothing came yet */
/* Writes NACK and PLI as they are due. */
void sink_feedback(struct sink *s, uint32_t sender_ssrc, int64_t now_us, struct writer *w);
void sink_count_anew(struct sink *s); /* `counted` and `lost` begin again */
struct sink_totals sink_totals(const struct sink *s);

#endif
