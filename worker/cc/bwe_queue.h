/* bwe_queue.h - how much longer packets take now than they do at best: one-way delay above the least of the last BWE_QUEUE_US to
 * twice that. The clocks need not agree; how they drift in that time does not matter.
 *
 * It leaps when it has grown by BWE_QUEUE_LEAP_US and two packets, to half as much again, by at least a third of the time that
 * passed, within BWE_QUEUE_LOOK_US: that is what a path looks like that has just become much narrower, some time before the trend
 * is sure. While a path queues, it takes 1 - grown / passed of what is sent. Plain struct, zeroed at the start. */
#ifndef ALTHING_WORKER_CC_BWE_QUEUE_H
#define ALTHING_WORKER_CC_BWE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define BWE_QUEUE_US      10000000
#define BWE_QUEUE_LEAP_US 25000
#define BWE_QUEUE_LOOK_US 200000
#define BWE_QUEUE_MARKS   4

struct bwe_queue {
    bool known;
    int64_t least_us, before_us; /* in this piece of time and in the one before */
    int64_t since_us;
    int64_t queue_us;
    int64_t arrival_us; /* of the packet that it was seen at */
    int64_t round_us;   /* the least in this feedback; INT64_MAX: nothing arrived yet */
    int64_t standing_us; /* in the last one: what is there between two frames too */
    struct bwe_queue_mark {
        int64_t arrival_us, queue_us;
    } mark[BWE_QUEUE_MARKS]; /* at the last feedbacks */
    unsigned marks;          /* ever */
};

void bwe_queue_packet(struct bwe_queue *q, int64_t sent_us, int64_t arrival_us);
/* At the end of each feedback that told of an arrival, while rate_bps is what may be sent: when it leaps, the share of that
 * which is too much; else 0. */
double bwe_queue_round(struct bwe_queue *q, double rate_bps);

#endif
