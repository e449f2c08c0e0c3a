/* bwe_limited.h - whether the application sends much less than it may.
 *
 * A budget fills at BWE_LIMITED_USE of the target and is used up by what is sent; it holds half a second's worth. Nearly full:
 * limited, until it is half empty. Plain struct, zeroed at the start.
 */
#ifndef ALTHING_WORKER_CC_BWE_LIMITED_H
#define ALTHING_WORKER_CC_BWE_LIMITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BWE_LIMITED_USE 0.65

struct bwe_limited {
    double bits; /* -capacity .. capacity */
    int64_t filled_us; /* 0: not begun */
    bool limited;
};

/* Nothing sent: bytes 0. Whether it is limited now. */
bool bwe_limited_sent(struct bwe_limited *l, size_t bytes, double target_bps, int64_t now_us);

#endif
