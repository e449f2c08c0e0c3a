/* measure.h - what all peers of a run measure together, and when: only packets that were sent in [from_us, to_us) count, whenever
 * they arrive. So what is expected of a receiver is known exactly. The owner sets the times; pure data. */
#ifndef ALTHING_LOAD_MEASURE_H
#define ALTHING_LOAD_MEASURE_H

#include "load/spread.h"

#include <stdbool.h>
#include <stdint.h>

enum media { MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_COUNT };

struct measure {
    uint64_t tag;            /* of this run's stamps */
    int64_t from_us, to_us;  /* TIME_NEVER_US: not begun, not over */
    struct spread latency[MEDIA_COUNT]; /* us, from the stamp to the arrival at our kernel */
    struct spread join;      /* us, from the connection's start until all transports of a peer are up */
    uint64_t freezes;
    int64_t freeze_us;       /* how long pictures stood still in all */
};

static inline bool measure_counts(const struct measure *m, int64_t sent_us)
{
    return sent_us >= m->from_us && sent_us < m->to_us;
}

#endif
