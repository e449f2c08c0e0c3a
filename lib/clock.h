/* clock.h - the monotonic clock. Times are `int64_t now_us`; TIME_NEVER_US is "no deadline". */
#ifndef ALTHING_LIB_CLOCK_H
#define ALTHING_LIB_CLOCK_H

#include <stdint.h>

#define TIME_NEVER_US INT64_MAX
#define MS_US(ms)     ((int64_t)(ms)*1000)
#define S_US(s)       ((int64_t)(s)*1000000)

int64_t clock_now_us(void);       /* CLOCK_MONOTONIC */
int64_t clock_wall_us(void);      /* CLOCK_REALTIME, microseconds since 1970 */

static inline int64_t time_min_us(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
