#include "worker/cc/bwe_limited.h"

#include <math.h>

#define CAPACITY_S 0.5
#define BEGIN      0.8 /* of the capacity */
#define END        0.5

bool bwe_limited_sent(struct bwe_limited *l, size_t bytes, double target_bps, int64_t now_us)
{
    double capacity = target_bps * BWE_LIMITED_USE * CAPACITY_S;
    double seconds = l->filled_us ? fmax((double)(now_us - l->filled_us) / 1000000, 0) : 0;
    l->filled_us = now_us;
    l->bits += seconds * target_bps * BWE_LIMITED_USE - (double)bytes * 8;
    l->bits = fmax(fmin(l->bits, capacity), -capacity);
    if (l->bits > BEGIN * capacity)
        l->limited = true;
    else if (l->bits < END * capacity)
        l->limited = false;
    return l->limited;
}
