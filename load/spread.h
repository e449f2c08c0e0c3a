/* spread.h - how values of something are spread: counts in buckets that grow with the value, for percentiles.
 *
 * Values are whole numbers from 0 on (microseconds, mostly); a bucket is at most 1/SPREAD_FINE of its values wide, so a percentile
 * is at most that much above the true one, and never below it. What is over SPREAD_MAX counts as SPREAD_MAX, what is negative as
 * 0. Fixed in size; pure.
 */
#ifndef ALTHING_LOAD_SPREAD_H
#define ALTHING_LOAD_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#define SPREAD_BITS    5
#define SPREAD_FINE    (1 << SPREAD_BITS)
#define SPREAD_POWERS  36 /* powers of two */
#define SPREAD_BUCKETS (SPREAD_FINE * (SPREAD_POWERS - SPREAD_BITS + 1))
#define SPREAD_MAX     ((INT64_C(1) << SPREAD_POWERS) - 1)

struct spread {
    uint64_t count;
    uint64_t sum;
    int64_t max;
    uint64_t buckets[SPREAD_BUCKETS];
};

void spread_clear(struct spread *s);
void spread_add(struct spread *s, int64_t value);
/* The least value that at least `percent` of the values are not over; 0 when there are none. percent is 0..100. */
int64_t spread_percentile(const struct spread *s, double percent);
double spread_mean(const struct spread *s); /* 0 when there are none */

#endif
