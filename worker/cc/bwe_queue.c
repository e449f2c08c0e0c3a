#include "worker/cc/bwe_queue.h"

#include "lib/clock.h"

void bwe_queue_packet(struct bwe_queue *q, int64_t sent_us, int64_t arrival_us)
{
    int64_t delay_us = arrival_us - sent_us;
    if (!q->known || sent_us - q->since_us >= BWE_QUEUE_US) {
        q->before_us = q->known ? q->least_us : delay_us;
        q->least_us = delay_us;
        q->since_us = sent_us;
        q->known = true;
    }
    q->least_us = time_min_us(q->least_us, delay_us);
    q->queue_us = delay_us - time_min_us(q->least_us, q->before_us);
}
