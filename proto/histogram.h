/* histogram.h - how often something took how long, in fixed buckets that are plain counters.
 *
 * A histogram is HISTOGRAM_BUCKETS counters and behind them one for the sum of all values. Bucket i counts the values that are at
 * most bounds[i] and over bounds[i - 1]; the last one counts the rest. So the number of values is the sum of all buckets. Units
 * are microseconds. Rows of a segment are made with COUNTER_WORKER_HISTOGRAM (counters.def). Other bounds are another histogram:
 * it gets another name.
 */
#ifndef ALTHING_PROTO_HISTOGRAM_H
#define ALTHING_PROTO_HISTOGRAM_H

#include "proto/counters.h"

#define HISTOGRAM_BOUNDS  12
#define HISTOGRAM_BUCKETS (HISTOGRAM_BOUNDS + 1)
#define HISTOGRAM_ROWS    (HISTOGRAM_BUCKETS + 1)

struct histogram_kind {
    uint32_t bounds_us[HISTOGRAM_BOUNDS];
    const char *bounds[HISTOGRAM_BOUNDS]; /* the same in seconds, as Prometheus writes them */
};

extern const struct histogram_kind histogram_forward; /* through a worker */
extern const struct histogram_kind histogram_rtt;     /* to a browser and back */
extern const struct histogram_kind histogram_connect; /* until a browser is connected */

static inline void histogram_add(uint64_t *rows, const struct histogram_kind *kind, int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t)us : 0;
    size_t i = 0;
    while (i < HISTOGRAM_BOUNDS && value > kind->bounds_us[i])
        i++;
    counter_add(&rows[i], 1);
    counter_add(&rows[HISTOGRAM_BUCKETS], value);
}

#endif
