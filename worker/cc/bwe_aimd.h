/* bwe_aimd.h - the delay part's rate: up while the path takes it, down below what arrives when its queue grows
 * (draft-ietf-rmcat-gcc-02 5).
 *
 *     up, capacity not known    8 % a second
 *     up, capacity known        a packet each (RTT + 100 ms), whatever the rate: flows that share a path become equal
 *     down                      90 % of what arrives; 85 % when much queues, and less still until that has drained
 *
 * It goes down only if there is a queue, and again only a round trip later and if that is no shorter: the trend takes its time to
 * see that a queue drains. When the queue leaps (bwe_queue), it goes down at once by what is too much, two thirds at most; if that
 * was a hiccup, nearly all is given back when it is over. For a moment after a probe, a short queue is the probe's own.
 *
 * The capacity is known after a fall: the mean of what arrived at falls, with its deviation; forgotten when what arrives is three
 * deviations off. It never grows beyond one and a half times what arrives. While little is sent (app_limited) it does not grow,
 * and while the queue is short a fall takes at most BWE_AIMD_LIMITED_FALL of it: what little was sent did not fill it alone.
 * Plain struct.
 */
#ifndef ALTHING_WORKER_CC_BWE_AIMD_H
#define ALTHING_WORKER_CC_BWE_AIMD_H

#include "worker/cc/bwe.h"

#define BWE_AIMD_LIMITED_FALL 0.3

struct bwe_aimd {
    double bps;
    double min_bps, max_bps;
    bool holding; /* until the queue has drained */
    int64_t grown_us; /* 0: not growing */
    int64_t fallen_us, leapt_us;
    int64_t fallen_standing_us; /* the longest queue then and since */
    bool capped; /* as high as what arrives lets it be */
    double drained_bps;  /* what to go on with when the queue has drained; 0: nothing drains */
    double capacity_bps;   /* 0: not known */
    double deviation_kbps; /* normalized: of capacity / sqrt(capacity) */
    uint64_t falls;
};

/* What there is to judge by. */
struct bwe_aimd_input {
    enum bwe_usage usage;
    double leap; /* of the queue; 0: it does not leap */
    uint32_t acked_bps;       /* on average; 0: not known, and nothing changes */
    uint32_t acked_short_bps; /* lately: what the path lets through while it queues */
    int64_t queue_us;    /* as the last packet saw it */
    int64_t standing_us; /* at least */
    bool app_limited;
    bool probing; /* or it was just now */
    int64_t rtt_us;
};

void bwe_aimd_init(struct bwe_aimd *a, uint32_t start_bps, uint32_t min_bps, uint32_t max_bps);
void bwe_aimd_set_limits(struct bwe_aimd *a, uint32_t min_bps, uint32_t max_bps);
void bwe_aimd_set(struct bwe_aimd *a, double bps, int64_t now_us); /* a probe showed it, or silence ended */
void bwe_aimd_update(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us);

#endif
