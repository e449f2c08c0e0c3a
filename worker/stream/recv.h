/* recv.h - a received stream's numbers: extended sequence numbers, loss, jitter, reports (RFC 3550 A.1, A.3, A.8), RTX (RFC 4588).
 *
 * Invariant: a packet's extended number is given out once: a second packet of that number is RECV_DUPLICATE as long as it is within
 * RECV_WINDOW of the newest. A jump of up to 3000 ahead is loss, up to 1500 back is reordering; anything else is dropped until two
 * packets in a row follow each other there: then the stream starts anew, with numbers above all before.
 * There is no probation: what is here is authenticated. All memory is in the struct.
 */
#ifndef ALTHING_WORKER_STREAM_RECV_H
#define ALTHING_WORKER_STREAM_RECV_H

#include "worker/stream/score.h"
#include "worker/wire/rtcp.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECV_MAX_DROPOUT  3000
#define RECV_MAX_MISORDER 1500
#define RECV_WINDOW       4096 /* sequence numbers that duplicates are known of */

enum recv_result {
    RECV_NEW,       /* newest so far, or fills a gap */
    RECV_RESTARTED, /* new, and the stream has started anew: forget histories, maps and lists */
    RECV_DUPLICATE, /* was here before */
    RECV_DROPPED,   /* out of range */
};

struct recv_stats {                   /* all since the start */
    uint64_t packets, bytes;          /* received and new, RTX repairs included */
    uint64_t retransmitted, repaired; /* RTX packets, and those of them that were missing */
    uint64_t rtx_bytes, rtx_discarded;
    uint64_t discarded; /* duplicate or out of range */
    int64_t lost;       /* expected minus received, never below 0 */
    uint32_t jitter;    /* RTP ticks */
    uint8_t fraction;   /* of the last report */
};

struct recv;

int recv_new(struct recv **rp, uint32_t ssrc, uint32_t clock_rate); /* 0 or -EINVAL */
void recv_free(struct recv *r);                                     /* NULL is fine */

/* A packet of the stream; bytes is its length with header. *ext_seq is set for NEW and RESTARTED. */
enum recv_result recv_packet(struct recv *r, const struct rtp *h, size_t bytes, int64_t now_us,
                             int64_t *ext_seq);

/* Turns the parsed header of an RTX packet into that of its original: takes the two bytes of OSN off the payload, sets seq, pt
 * and ssrc. -ENODATA: it has no payload (a probe for bandwidth); -EBADMSG: too short. */
int recv_rtx_unwrap(const uint8_t *data, struct rtp *h, uint8_t media_pt, uint32_t media_ssrc);
/* An unwrapped packet. NEW: it was missing, it is repaired. Never RESTARTED. */
enum recv_result recv_rtx_packet(struct recv *r, const struct rtp *h, size_t bytes, int64_t now_us,
                                 int64_t *ext_seq);
/* RTX packets of a stream that nothing came of yet, or without payload. */
void recv_rtx_discarded(struct recv *r, size_t bytes);

/* The stream goes on under another SSRC: its next packet is RESTARTED, numbers and totals go on. */
void recv_change_ssrc(struct recv *r, uint32_t ssrc);
bool recv_started(const struct recv *r);   /* a packet of this SSRC was received */
int64_t recv_first(const struct recv *r);  /* lowest extended number since it (last) started */
int64_t recv_newest(const struct recv *r); /* highest extended number; -1: none yet */
int64_t
recv_last_us(const struct recv *r); /* arrival of the last packet that was new; 0: none yet */
void recv_sender_report(struct recv *r, uint64_t ntp, int64_t now_us);
void recv_report(struct recv *r, int64_t now_us,
                 struct rtcp_report *out); /* ends the interval of `fraction` */
void recv_interval(
    struct recv *r,
    struct score_counts *out); /* since the last call of it: one sample of the score */
void recv_stats(const struct recv *r, struct recv_stats *out);

#endif
