/* bucket.h - a token bucket: so much at once, so much a second. Pure. */
#ifndef ALTHING_SERVER_EDGE_BUCKET_H
#define ALTHING_SERVER_EDGE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    double per_us; /* tokens */
    double burst;
    double tokens;
    int64_t last_us;
};

static inline void bucket_init(struct bucket *b, double per_second, double burst, int64_t now_us)
{
    *b = (struct bucket){per_second / 1e6, burst, burst, now_us};
}

static inline void bucket_fill(struct bucket *b, int64_t now_us)
{
    b->tokens += (double)(now_us - b->last_us) * b->per_us;
    if (b->tokens > b->burst)
        b->tokens = b->burst;
    b->last_us = now_us;
}

/* Takes `n` tokens if they are there. */
static inline bool bucket_take(struct bucket *b, double n, int64_t now_us)
{
    bucket_fill(b, now_us);
    if (b->tokens < n)
        return false;
    b->tokens -= n;
    return true;
}

#endif
