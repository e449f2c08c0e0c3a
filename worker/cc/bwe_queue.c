#include "worker/cc/bwe_queue.h"

#include "lib/clock.h"

#include <math.h>

#define PACKET_BITS 9600

void bwe_queue_packet(struct bwe_queue *q, int64_t sent_us, int64_t arrival_us)
{
    int64_t delay_us = arrival_us - sent_us;
    if (!q->known || sent_us - q->since_us >= BWE_QUEUE_US) {
        q->before_us = q->known ? q->least_us : delay_us;
        q->least_us = delay_us;
        q->since_us = sent_us;
        q->round_us = q->known ? q->round_us : INT64_MAX;
        q->known = true;
    }
    q->least_us = time_min_us(q->least_us, delay_us);
    q->queue_us = delay_us - time_min_us(q->least_us, q->before_us);
    q->round_us = time_min_us(q->round_us, q->queue_us);
    q->arrival_us = arrival_us;
}

double bwe_queue_round(struct bwe_queue *q, double rate_bps)
{
    int64_t leap_us = BWE_QUEUE_LEAP_US + (int64_t)(2 * PACKET_BITS * 1e6 / rate_bps);
    double leap = 0;
    unsigned n = q->marks < BWE_QUEUE_MARKS ? q->marks : BWE_QUEUE_MARKS;
    for (unsigned i = 0; i < n; i++) {
        int64_t passed = q->arrival_us - q->mark[i].arrival_us;
        int64_t grown = q->queue_us - q->mark[i].queue_us;
        if (passed > 0 && passed <= BWE_QUEUE_LOOK_US && grown >= leap_us && grown * 3 >= passed &&
            q->queue_us * 2 >= 3 * leap_us)
            leap = fmax(leap, (double)grown / (double)passed);
    }
    q->mark[q->marks++ % BWE_QUEUE_MARKS] = (struct bwe_queue_mark){q->arrival_us, q->queue_us};
    q->standing_us = q->round_us == INT64_MAX ? 0 : q->round_us;
    q->round_us = INT64_MAX;
    return fmin(leap, 1);
}
