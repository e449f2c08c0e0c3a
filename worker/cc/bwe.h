/* bwe.h - how much one transport may send: the send side's bandwidth estimate (draft-ietf-rmcat-gcc-02, with probing).
 *
 * One a transport, over all its SSRCs: every packet that carries a transport-wide number is told with bwe_sent, every feedback
 * with bwe_feedback, and then bwe_target_bps is what media, retransmissions and padding together should not exceed on average,
 * and bwe_pacing_bps how fast they may leave. Estimates:
 *
 *     target = min(delay, loss, REMB, feedback missing, max), and never below min
 *
 *   delay   grows until the one-way delay does (bwe_trend, bwe_queue), then falls below what arrives (bwe_aimd, bwe_acked); a
 *           probe that arrived at a higher rate lifts it at once (bwe_prober)
 *   loss    falls when more is lost than the path loses anyhow (bwe_loss)
 *
 * Where no transport-cc feedback ever came, there is no delay part: what REMB says, and the loss in receiver reports, decide.
 *
 * Probing: bwe_probe asks for a burst at a rate over the target, of padding or resent media. It asks only while more is wanted
 * than the target (bwe_set_wanted): at first; after a probe that went well; when more is wanted than before; each
 * BWE_PROBE_EVERY_US while so little is sent that nothing else shows whether there is room, or the path's capacity is not known.
 *
 * Bounds: the last BWE_HISTORY packets are remembered, feedback about others is counted and not used. The cost of a feedback is
 * linear in its statuses, and nothing in it is believed beyond what was really sent. Sans-I/O; no allocation but its own.
 */
#ifndef ALTHING_WORKER_CC_BWE_H
#define ALTHING_WORKER_CC_BWE_H

#include "worker/wire/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BWE_START_BPS       600000
#define BWE_MIN_BPS         30000
#define BWE_MAX_BPS         100000000
#define BWE_HISTORY         4096    /* packets sent, whose feedback is understood */
#define BWE_PROBE_EVERY_US  5000000 /* between two probes of the same reason */
#define BWE_PROBE_GIVE_UP_US 1000000 /* a burst that is not out by then is not waited for */
#define BWE_SILENCE_US      1000000 /* of feedback while packets are out: from then on the target falls */

struct bwe_conf {
    uint32_t start_bps; /* 0: BWE_START_BPS */
    uint32_t min_bps;   /* 0: BWE_MIN_BPS */
    uint32_t max_bps;   /* 0: BWE_MAX_BPS; below min_bps: min_bps */
};

/* A burst that is asked for: packets at `bps` that are told with this id, until min_packets and min_bytes are out. */
struct bwe_cluster {
    uint8_t id;           /* 1..255, again and again */
    uint32_t bps;
    uint32_t min_packets;
    uint32_t min_bytes;
};

enum bwe_usage { BWE_NORMAL, BWE_OVERUSE, BWE_UNDERUSE };

struct bwe_stats {
    uint32_t target_bps;
    uint32_t delay_bps;   /* 0: there is no such part */
    uint32_t loss_bps;    /* 0: no limit */
    uint32_t remb_bps;    /* 0: never told */
    uint32_t acked_bps;   /* what arrives, over the last half second; 0: not known */
    uint32_t sent_bps;    /* over the last 2.5 s */
    enum bwe_usage usage; /* of the path, as the delay shows it */
    bool app_limited;     /* much less is sent than may be */
    uint8_t loss;         /* share lost, in 1/256 */
    int64_t rtt_us;       /* 0: not known */
    int64_t queue_us;     /* one-way delay above the least seen lately */
    uint64_t feedbacks, unknown; /* feedback packets; statuses in them of packets not known (any more) */
    uint64_t overuses;           /* times that the delay made the target fall */
    uint64_t silences;           /* times that feedback was missing */
    uint64_t probes, probes_good; /* bursts asked for; those that showed a rate */
};

struct bwe;

int bwe_new(struct bwe **bp, const struct bwe_conf *conf, int64_t now_us); /* conf NULL: the defaults */
void bwe_free(struct bwe *b);                                              /* NULL is fine */
/* Limits may change at any time; the target follows at once. 0 as in bwe_conf. */
void bwe_set_limits(struct bwe *b, uint32_t min_bps, uint32_t max_bps);
/* allocated_bps: what the chosen layers take now. max_bps: what would be sent if the path had room for all. 0, 0: nothing is
 * to be sent, and nothing is probed for. */
void bwe_set_wanted(struct bwe *b, uint32_t allocated_bps, uint32_t max_bps, int64_t now_us);

/* A packet went out with this transport-wide number (they ascend by one). bytes: the datagram, without IP and UDP.
 * cluster: the id of the burst it was sent for, else 0. */
void bwe_sent(struct bwe *b, uint16_t seq, size_t bytes, uint8_t cluster, int64_t now_us);
/* One without such a number; it counts in how much is sent. */
void bwe_sent_other(struct bwe *b, size_t bytes, int64_t now_us);
/* What rtcp_parse_twcc gave. */
void bwe_feedback(struct bwe *b, const struct rtcp_twcc_status *st, size_t n, int64_t now_us);
void bwe_remb(struct bwe *b, uint64_t bps, int64_t now_us);
void bwe_rtt(struct bwe *b, int64_t rtt_us); /* from receiver reports; out of 0..10 s: ignored */
/* From a receiver report, over all SSRCs: share lost in 1/256 of about `packets`. Used only where there is no transport-cc. */
void bwe_loss(struct bwe *b, uint8_t fraction, uint32_t packets, int64_t now_us);

/* A burst is to be sent now; what is left of an earlier one is not wanted any more. False: none is due. */
bool bwe_probe(struct bwe *b, int64_t now_us, struct bwe_cluster *c);
/* When bwe_tick and bwe_probe have something to do next; TIME_NEVER_US: nothing. */
int64_t bwe_next_us(const struct bwe *b);
void bwe_tick(struct bwe *b, int64_t now_us); /* late or early is fine */

uint32_t bwe_target_bps(const struct bwe *b);
uint32_t bwe_pacing_bps(const struct bwe *b); /* for media: it has to be faster than the target, since frames come at once */
bool bwe_app_limited(const struct bwe *b);
void bwe_stats(const struct bwe *b, struct bwe_stats *out);

#endif
