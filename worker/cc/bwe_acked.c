#include "worker/cc/bwe_acked.h"

#include <string.h>

static void restart(struct bwe_acked *a, int64_t piece)
{
    memset(a->bytes, 0, sizeof(a->bytes));
    a->first = a->newest = piece;
}

void bwe_acked_packet(struct bwe_acked *a, int64_t arrival_us, size_t bytes)
{
    int64_t piece = arrival_us / BWE_ACKED_PIECE_US;
    if (a->first == 0 || piece >= a->newest + BWE_ACKED_PIECES)
        restart(a, piece);
    if (piece <= a->newest - BWE_ACKED_PIECES)
        return;
    while (a->newest < piece)
        a->bytes[++a->newest % BWE_ACKED_PIECES] = 0;
    if (piece < a->first)
        a->first = piece;
    a->bytes[piece % BWE_ACKED_PIECES] += (uint32_t)bytes;
}

uint32_t bwe_acked_bps(const struct bwe_acked *a, int64_t window_us)
{
    /* The newest piece is not full yet. */
    int64_t known = a->newest - a->first;
    int64_t n = window_us / BWE_ACKED_PIECE_US;
    if (n > BWE_ACKED_PIECES - 2)
        n = BWE_ACKED_PIECES - 2;
    if (n > known)
        n = known;
    if (n * BWE_ACKED_PIECE_US < BWE_ACKED_LEAST_US)
        return 0;
    uint64_t sum = 0;
    for (int64_t i = a->newest - n; i < a->newest; i++)
        sum += a->bytes[i % BWE_ACKED_PIECES];
    uint64_t bps = sum * 8 * 1000000 / (uint64_t)(n * BWE_ACKED_PIECE_US);
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}
