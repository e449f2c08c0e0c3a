/* bwe_trend.h - whether the one-way delay grows (draft-ietf-rmcat-gcc-02 4; Carlucci et al., "Congestion control for web
 * real-time communication", 2017).
 *
 * Packets sent within BWE_TREND_GROUP_US are one group. What a group's delay changed by since the one before is added up and
 * smoothed; the slope of a line through the last BWE_TREND_WINDOW sums, times a gain, is compared with a threshold that follows
 * it slowly, so that a flow beside one that fills the queue is not starved:
 *
 *     d threshold / dt = k (|slope| - threshold),  k = 0.0087 / ms above it, 0.039 / ms below it,  6 ms .. 600 ms
 *
 * Overuse: above it for more than 10 ms, in more than one group, and not falling. Packets are given in the order in which they
 * were sent; one that was sent before its group began is left out. After a jump of over BWE_TREND_JUMP_US it starts anew.
 * Plain struct, O(1) a packet, O(window) a group.
 */
#ifndef ALTHING_WORKER_CC_BWE_TREND_H
#define ALTHING_WORKER_CC_BWE_TREND_H

#include "worker/cc/bwe.h"

#include <stdbool.h>
#include <stdint.h>

#define BWE_TREND_WINDOW   20
#define BWE_TREND_GROUP_US 5000
#define BWE_TREND_JUMP_US  3000000

struct bwe_group {
    int64_t first_sent_us, last_sent_us;
    int64_t first_arrival_us, arrival_us; /* of its first and of its latest packet */
};

struct bwe_trend {
    unsigned groups; /* begun: 0, 1, 2: two, `before` is complete */
    struct bwe_group now, before;

    unsigned deltas; /* seen, counted up to 1000 */
    double delay_ms, smoothed_ms; /* added up since the start */
    double at_ms[BWE_TREND_WINDOW], value_ms[BWE_TREND_WINDOW];
    int64_t start_us; /* at_ms is relative to it */
    double slope;     /* ms a ms; 0 until the window is full */

    double threshold_ms;
    double last_slope;
    double over_ms; /* time above the threshold; below 0: not above */
    unsigned over_count;
    int64_t adapted_us;
    enum bwe_usage usage;
};

void bwe_trend_init(struct bwe_trend *t);
/* One packet's times, each on its own clock. The usage after it. */
enum bwe_usage bwe_trend_packet(struct bwe_trend *t, int64_t sent_us, int64_t arrival_us);

#endif
