/* bwe_queue.h - how much longer packets take now than they do at best: one-way delay above the least of the last BWE_QUEUE_US to
 * twice that. The clocks need not agree; how they drift in that time does not matter. Plain struct, zeroed at the start. */
#ifndef ALTHING_WORKER_CC_BWE_QUEUE_H
#define ALTHING_WORKER_CC_BWE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define BWE_QUEUE_US 10000000

struct bwe_queue {
    bool known;
    int64_t least_us, before_us; /* in this piece of time and in the one before */
    int64_t since_us;
    int64_t queue_us;
};

void bwe_queue_packet(struct bwe_queue *q, int64_t sent_us, int64_t arrival_us);

#endif
