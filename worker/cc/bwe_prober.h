/* bwe_prober.h - when to probe, at which rate, and what came of it.
 *
 * One burst at a time: due, then out (told packet by packet), then answered by feedback or given up. A burst shows
 * min(rate sent, rate arrived), both between its first and last packet; where it arrived clearly slower than it was sent, 95 %
 * of that, so that what queued drains. One that showed at least BWE_PROBER_GOOD of what it was sent at is followed at once
 * by one of twice what it showed. No burst is faster than BWE_PROBER_OVER times what is wanted, nor asked for while the target
 * is as much as is wanted. Plain struct, zeroed at the start.
 */
#ifndef ALTHING_WORKER_CC_BWE_PROBER_H
#define ALTHING_WORKER_CC_BWE_PROBER_H

#include "worker/cc/bwe.h"

#define BWE_PROBER_GOOD     0.7
#define BWE_PROBER_OVER     1.25
#define BWE_PROBER_PACKETS  5
#define BWE_PROBER_US       15000 /* a burst's length */
#define BWE_PROBER_LONGER   1     /* times that it doubles */
#define BWE_PROBER_TRIES    4     /* at the start, while none is answered */
#define BWE_PROBER_FIRST    3.0   /* times the start rate */
#define BWE_PROBER_AGAIN_US 1000000 /* at least, between two because more is wanted, and between two looks whether to */

enum bwe_prober_state { BWE_PROBER_IDLE, BWE_PROBER_DUE, BWE_PROBER_OUT };

struct bwe_prober {
    enum bwe_prober_state state;
    struct bwe_cluster burst;
    uint32_t wanted_bps;
    unsigned longer; /* a burst's length is doubled so often: the last ones showed less than what is sent anyhow, since of jitter */
    bool begun;        /* the first one was asked for */
    int64_t asked_us;  /* the last one */
    int64_t look_us;   /* when to see whether a periodic one is due; 0: never */
    uint32_t sent_packets, sent_bytes;
    uint32_t packets, bytes; /* arrived */
    int64_t first_sent_us, last_sent_us, first_arrival_us, last_arrival_us;
    uint32_t last_sent_bytes, first_arrival_bytes;
    uint64_t asked, good;
};

/* What the prober has to know of the rest: the target, and whether it would find anything out by a periodic burst. */
struct bwe_prober_view {
    double target_bps;
    bool useful;
};

void bwe_prober_want(struct bwe_prober *p, uint32_t max_bps, double target_bps, int64_t now_us);
void bwe_prober_again(struct bwe_prober *p, double bps, int64_t now_us); /* soon, at this rate: something was overcome */
void bwe_prober_look(struct bwe_prober *p, const struct bwe_prober_view *v, int64_t now_us);
bool bwe_prober_take(struct bwe_prober *p, int64_t now_us, struct bwe_cluster *c); /* as bwe_probe */
int64_t bwe_prober_next_us(const struct bwe_prober *p);
/* id 0: not for the burst. What is sent between its packets is part of what it shows: the burst's id is returned for that too. */
uint8_t bwe_prober_sent(struct bwe_prober *p, uint8_t id, size_t bytes, int64_t now_us);
void bwe_prober_arrived(struct bwe_prober *p, uint8_t id, size_t bytes, int64_t sent_us,
                        int64_t arrival_us);
/* After a feedback was taken: what the burst showed, once; 0: nothing (yet). */
double bwe_prober_result(struct bwe_prober *p, double target_bps, int64_t now_us);

#endif
