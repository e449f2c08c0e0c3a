#include "worker/stream/rate.h"

#include <string.h>

/* Empties the pieces between the newest and that of now. */
static void advance(struct rate *r, int64_t now_us)
{
    int64_t piece = now_us / RATE_PIECE_US;
    if (piece <= r->newest)
        return;
    if (piece - r->newest >= RATE_PIECES) {
        memset(r->bytes, 0, sizeof(r->bytes));
        r->total = 0;
        r->newest = piece;
        return;
    }
    while (r->newest < piece) {
        uint32_t *b = &r->bytes[++r->newest % RATE_PIECES];
        r->total -= *b;
        *b = 0;
    }
}

void rate_add(struct rate *r, size_t bytes, int64_t now_us)
{
    advance(r, now_us);
    r->bytes[r->newest % RATE_PIECES] += (uint32_t)bytes;
    r->total += bytes;
}

uint32_t rate_bps(struct rate *r, int64_t now_us)
{
    advance(r, now_us);
    uint64_t bps = r->total * 8 * 1000000 / ((uint64_t)RATE_PIECES * RATE_PIECE_US);
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}
