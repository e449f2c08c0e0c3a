/* rate.h - bits a second over the last 2500 ms, in 25 pieces. Plain struct, zeroed at the start; time must not go back. */
#ifndef ALTHING_WORKER_STREAM_RATE_H
#define ALTHING_WORKER_STREAM_RATE_H

#include <stddef.h>
#include <stdint.h>

#define RATE_PIECES   25
#define RATE_PIECE_US 100000

struct rate {
    uint64_t total;              /* bytes in all pieces */
    int64_t newest;              /* number of the newest piece: time / RATE_PIECE_US */
    uint32_t bytes[RATE_PIECES]; /* by piece number modulo RATE_PIECES */
};

void rate_add(struct rate *r, size_t bytes, int64_t now_us);
uint32_t rate_bps(struct rate *r, int64_t now_us);

#endif
