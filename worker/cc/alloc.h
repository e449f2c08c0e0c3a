/* alloc.h - how a viewer's bandwidth is spread over the videos that it is sent.
 *
 * Each video has a ladder: the steps from its lowest spatial and temporal layers to what its receiver prefers, each with the
 * bits a second of all that is sent at that step. ALLOC_ABSENT: nothing comes there now. First everybody gets the lowest step
 * there is, in the order of priority; then, in rounds, everybody may climb `priority` steps, until nothing more fits. Audio is
 * not here: the caller takes it off `available_bps` first.
 *
 * Invariants. What is given does not exceed available_bps, but for lowest steps: one that is being sent goes on while it fits
 * in a quarter more, and ALLOC_GRACE_US longer whatever the estimate; while `learning`, all are given. Down at once; up only
 * with an eighth of available_bps to spare, and when that was so for the hold time, which grows with each climb that has to be
 * taken back. So an estimate, or rates, that waver by a tenth change nothing. A higher priority gets no less.
 *
 * Plain structs, no allocation, no clock.
 */
#ifndef ALTHING_WORKER_CC_ALLOC_H
#define ALTHING_WORKER_CC_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALLOC_STEPS    16
#define ALLOC_NONE     (-1)
#define ALLOC_ABSENT   UINT32_MAX
#define ALLOC_GRACE_US 1000000
#define ALLOC_HOLD_US  2000000 /* at first, and after ALLOC_CALM_US without a step down */
#define ALLOC_HOLD_MAX 4000000
#define ALLOC_CALM_US  20000000
#define ALLOC_SOON_US  10000000 /* down within this after up: the climb is taken back */

/* What is kept of one video; zeroed and with step ALLOC_NONE at the start. */
struct alloc_state {
    int step;  /* given */
    int up_to; /* the least that was to be had since up_since_us */
    int64_t up_since_us;
    bool waiting; /* up_since_us counts */
    /* Set by the caller when it is new or wants other than before: it climbs without the hold time. Stays while it gets nothing. */
    bool fresh;
};

struct alloc_item {
    struct alloc_state *state;
    unsigned priority; /* 1..255 */
    int n;             /* steps, 0..ALLOC_STEPS; those above are not wanted */
    uint32_t cost[ALLOC_STEPS];
    int max, given, next; /* scratch */
    bool done;
};

struct alloc {
    int64_t hold_us, last_up_us, last_down_us, short_since_us;
    bool any_up, any_down, is_short; /* the times count */
};

struct alloc_sums {
    uint64_t given_bps;  /* of all steps given */
    uint64_t wanted_bps; /* of the highest steps */
    size_t starved;      /* videos with something to send that got nothing */
};

void alloc_init(struct alloc *a);
/* Sets state->step of all. */
void alloc_run(struct alloc *a, struct alloc_item *items, size_t n, uint64_t available_bps,
               bool learning, int64_t now_us, struct alloc_sums *sums);
/* After a run: when to run it again though nothing has changed; TIME_NEVER_US: not at all. */
int64_t alloc_next_us(const struct alloc *a, const struct alloc_item *items, size_t n,
                      int64_t now_us);

#endif
