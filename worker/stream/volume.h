/* volume.h - the mean level of a sender over an interval (RFC 6464). Plain struct, zeroed at the start. */
#ifndef ALTHING_WORKER_STREAM_VOLUME_H
#define ALTHING_WORKER_STREAM_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#define VOLUME_PACKETS_MIN 10 /* fewer in an interval say nothing */

struct volume {
    uint32_t sum, packets;
};

/* minus_dbov: 0..127, as the extension has it. */
static inline void volume_packet(struct volume *v, uint8_t minus_dbov)
{
    v->sum += minus_dbov;
    v->packets++;
}

/* Ends the interval. False: too few packets. *dbov: -127..0. */
static inline bool volume_take(struct volume *v, int *dbov)
{
    bool enough = v->packets >= VOLUME_PACKETS_MIN;
    if (enough)
        *dbov = -(int)((v->sum + v->packets / 2) / v->packets);
    *v = (struct volume){0};
    return enough;
}

#endif
