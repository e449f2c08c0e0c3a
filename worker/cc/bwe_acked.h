/* bwe_acked.h - the rate at which packets arrive, by their arrival times in feedback.
 *
 * Bytes are counted in BWE_ACKED_PIECES pieces of BWE_ACKED_PIECE_US, up to the newest arrival; older ones are forgotten, an
 * arrival that jumps ahead of them all starts anew. Plain struct, zeroed at the start; O(pieces) at most.
 */
#ifndef ALTHING_WORKER_CC_BWE_ACKED_H
#define ALTHING_WORKER_CC_BWE_ACKED_H

#include <stddef.h>
#include <stdint.h>

#define BWE_ACKED_PIECES   64
#define BWE_ACKED_PIECE_US 10000
#define BWE_ACKED_US       500000 /* for what is sent on average: frames come in bursts */
#define BWE_ACKED_SHORT_US 150000 /* for what a full queue lets through */
#define BWE_ACKED_LEAST_US 100000 /* no rate before so much time is seen */

struct bwe_acked {
    int64_t first;  /* number of the first piece with anything known; 0: none yet */
    int64_t newest; /* and of the newest */
    uint32_t bytes[BWE_ACKED_PIECES];
};

void bwe_acked_packet(struct bwe_acked *a, int64_t arrival_us, size_t bytes); /* arrival_us > 0 */
/* Bits a second over the last window_us (up to 600 ms), or as long as there was anything; 0: too short to say. */
uint32_t bwe_acked_bps(const struct bwe_acked *a, int64_t window_us);

#endif
