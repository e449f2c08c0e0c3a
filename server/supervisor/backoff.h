/* backoff.h - how long to wait before a program that ended is started again. Pure.
 *
 * At once the first time; a program that keeps ending waits 0.25 s, 0.5 s, ... up to BACKOFF_MAX_US. One that has lived for
 * BACKOFF_CALM_US starts from the beginning.
 */
#ifndef ALTHING_SERVER_SUPERVISOR_BACKOFF_H
#define ALTHING_SERVER_SUPERVISOR_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_US INT64_C(250000)
#define BACKOFF_MAX_US   INT64_C(10000000)
#define BACKOFF_CALM_US  INT64_C(30000000)

struct backoff {
    int64_t next_us; /* all zero at the start */
};

int64_t backoff_wait_us(struct backoff *b, int64_t lived_us);

#endif
