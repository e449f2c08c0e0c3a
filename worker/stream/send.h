/* send.h - a sent stream: what was sent, so that it can be sent again, and what the receiver reports of it (RFC 3550 6.4, RFC
 * 4585).
 *
 * The history keeps of each packet what its header cannot be composed without; the payload is in the producer stream's ring,
 * under in_seq. So a resend without RTX is the same to the bit. Bounded: the last `slots` packets. A packet is resent at most
 * once a round trip and SEND_RESENDS_MAX times, and all resends together at most half of the bytes of the media after a burst
 * of SEND_BURST_BYTES; what exceeds that is refused and counted, and the receiver asks again.
 */
#ifndef ALTHING_WORKER_STREAM_SEND_H
#define ALTHING_WORKER_STREAM_SEND_H

#include "worker/stream/score.h"
#include "worker/wire/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEND_SLOTS_VIDEO    1024
#define SEND_SLOTS_AUDIO    128
#define SEND_RESENDS_MAX    10
#define SEND_BURST_BYTES    262144
#define SEND_DEFAULT_RTT_US 100000
#define SEND_SRS            8       /* sender reports that a round trip can be measured by */
#define SEND_IDLE_US        2000000 /* no sender report of a stream that is idle for longer */
#define SEND_LINE_US        8000000 /* a sender's first report is waited for; of audio it takes 7.5 s */

struct capture;
struct send;

enum { SEND_REWRITTEN_VP8 = 1, SEND_REWRITTEN_VP9 = 2 };

struct send_entry {
    int64_t in_seq;         /* ext_seq in the ring */
    uint32_t ts;            /* as sent */
    uint32_t abs_send_time; /* as sent, 24 bits */
    uint32_t sent_ms;       /* last time: set here */
    uint16_t seq;           /* as sent */
    uint16_t twcc;          /* as sent */
    uint16_t picture_id;    /* as sent (picture_map.h) */
    uint16_t bytes;         /* of the RTP packet: set here; 0: the place is empty */
    uint8_t tl0picidx;      /* as sent */
    uint8_t stream;         /* of the producer: which ring */
    uint8_t pad_len;        /* RTP padding */
    uint8_t resends : 4;    /* set here */
    uint8_t marker : 1;
    uint8_t rewritten : 2; /* one of these: picture_id and tl0picidx count */
};

struct send_stats {
    uint64_t packets, bytes;             /* media, resends excluded */
    uint64_t retransmitted, rtx_bytes;   /* resends */
    uint64_t repaired;                   /* packets resent at least once */
    uint64_t nack_misses;                /* asked for, not in the history */
    uint64_t nack_guarded, nack_refused; /* asked for again too soon; over the budget */
    int64_t rtt_us;                      /* 0: unknown */
    int32_t lost;                        /* as reported */
    uint32_t jitter;                     /* as reported, RTP ticks */
    uint8_t fraction;                    /* as reported, 1/256 */
};

int send_new(struct send **sp, uint32_t ssrc, uint32_t clock_rate,
             size_t slots);     /* slots: a power of two up to 32768; 0 or -EINVAL */
void send_free(struct send *s); /* NULL is fine */

void send_sent(struct send *s, const struct send_entry *e, size_t bytes, int64_t now_us);
/* The entry of a packet that a NACK asks for, if it may be sent again now; the caller looks in the ring, sends, and calls
 * send_resent(). NULL: it may not. The pointer lasts until the next send_sent(). */
const struct send_entry *send_nacked(struct send *s, uint16_t seq, int64_t now_us);
void send_resent(struct send *s, uint16_t seq, size_t bytes, int64_t now_us);
void send_missed(struct send *s); /* the ring has it no more */

/* A receiver's report on this stream. *c: what happened since its report before, for a sample of the score. False: nothing did. */
bool send_report(struct send *s, const struct rtcp_report *r, int64_t now_us,
                 struct score_counts *c);
/* Composes a sender report: on the sender's own line, so that audio and video stay in step; when it has told none for SEND_LINE_US,
 * by the last packet sent and our clock. A report is never on our clock after one on the sender's: the receiver takes them for one.
 * ts_shift: what is added to the current source's timestamps (layers.h). wall_us: microseconds since 1900 at now_us. False: none is
 * due: nothing was sent, the stream is idle, or its line is not known. */
bool send_make_report(struct send *s, const struct capture *c, uint32_t ts_shift, int64_t wall_us,
                      int64_t now_us, struct rtcp_sr *out);
int64_t send_rtt_us(const struct send *s); /* or SEND_DEFAULT_RTT_US */
void send_stats(const struct send *s, struct send_stats *out);

#endif
