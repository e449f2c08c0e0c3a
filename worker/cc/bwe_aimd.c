#include "worker/cc/bwe_aimd.h"

#include "lib/clock.h"

#include <math.h>

#define BETA             0.85
#define BETA_SHORT       0.9
#define GROWTH           1.08 /* a second */
#define GROWTH_LEAST_BPS 1000.0
#define STEP_LEAST_BPS   4000.0
#define STEP_MOST        0.1 /* of the rate */
#define ABOVE_ACKED      1.5
#define ABOVE_ACKED_BPS  10000.0
#define CAPPED           0.95
#define PACKET_BITS      9600.0
#define RESPONSE_US      MS_US(100)

#define CAPACITY_WEIGHT 0.05
#define DEVIATION       0.4 /* kbit/s, at first and at least */
#define DEVIATION_MAX   2.5
#define CAPACITY_MARGIN 3.0  /* deviations */
#define CAPACITY_LEAST  0.15 /* of it: a share of a path changes as much */
#define LONG_QUEUE_US   MS_US(100)
#define DRAINED_US      MS_US(40)
#define DRAIN_US        MS_US(1000) /* the queue, over this, is what is sent less */
#define DRAIN_MOST      0.25
#define LEAP_MOST       0.35 /* of the rate is left */
#define HICCUP          0.95 /* given back */
#define QUEUE_LEAST_US  MS_US(15)
#define DRAINS_US       MS_US(1000)

static double clamp(const struct bwe_aimd *a, double bps)
{
    return fmax(fmin(bps, a->max_bps), a->min_bps);
}

void bwe_aimd_init(struct bwe_aimd *a, uint32_t start_bps, uint32_t min_bps, uint32_t max_bps)
{
    *a = (struct bwe_aimd){.bps = start_bps, .deviation_kbps = DEVIATION};
    bwe_aimd_set_limits(a, min_bps, max_bps);
}

void bwe_aimd_set_limits(struct bwe_aimd *a, uint32_t min_bps, uint32_t max_bps)
{
    a->min_bps = min_bps;
    a->max_bps = max_bps;
    a->bps = clamp(a, a->bps);
}

void bwe_aimd_set(struct bwe_aimd *a, double bps, int64_t now_us)
{
    a->bps = clamp(a, bps);
    a->grown_us = now_us;
    a->capacity_bps = a->drained_bps = 0;
}

/* ---- the path's capacity --------------------------------------------------------------------- */

static double margin_bps(const struct bwe_aimd *a)
{
    double deviations = CAPACITY_MARGIN * 1000 * sqrt(a->deviation_kbps * a->capacity_bps / 1000);
    return fmax(deviations, CAPACITY_LEAST * a->capacity_bps);
}

static void learn_capacity(struct bwe_aimd *a, double acked_bps)
{
    if (a->capacity_bps > 0 && acked_bps < a->capacity_bps - margin_bps(a))
        a->capacity_bps = 0;
    if (a->capacity_bps <= 0)
        a->capacity_bps = acked_bps;
    else
        a->capacity_bps += CAPACITY_WEIGHT * (acked_bps - a->capacity_bps);
    double norm = fmax(a->capacity_bps / 1000, 1);
    double error = (a->capacity_bps - acked_bps) / 1000;
    double d = (1 - CAPACITY_WEIGHT) * a->deviation_kbps + CAPACITY_WEIGHT * error * error / norm;
    a->deviation_kbps = fmin(fmax(d, DEVIATION), DEVIATION_MAX);
}

static void forget_capacity(struct bwe_aimd *a, double acked_bps)
{
    if (a->capacity_bps > 0 && acked_bps > a->capacity_bps + margin_bps(a))
        a->capacity_bps = 0;
}

/* ---- up and down ----------------------------------------------------------------------------- */

/* One packet each response time, whatever the rate is, so that flows which share a path become
 * equal. */
static double step_bps(const struct bwe_aimd *a, int64_t rtt_us)
{
    double bps = PACKET_BITS * 1000000 / (double)(rtt_us + RESPONSE_US);
    return fmax(fmin(bps, STEP_MOST * a->bps), STEP_LEAST_BPS);
}

static void grow(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    double seconds = a->grown_us ? fmin((double)(now_us - a->grown_us) / 1000000, 1) : 0;
    a->grown_us = now_us;
    forget_capacity(a, in->acked_bps);
    double most = ABOVE_ACKED * in->acked_bps + ABOVE_ACKED_BPS;
    a->capped = a->bps >= CAPPED * most;
    if (in->app_limited || seconds <= 0 || a->bps >= most)
        return;
    double more = a->capacity_bps > 0
                      ? seconds * step_bps(a, in->rtt_us)
                      : fmax(a->bps * (pow(GROWTH, seconds) - 1), seconds * GROWTH_LEAST_BPS);
    a->bps = clamp(a, fmin(a->bps + more, most));
}

/* While much queues, packets arrive as fast as the path takes them, and a short look is exact;
 * else it would see single frames. */
static double arriving_bps(const struct bwe_aimd_input *in)
{
    bool queues = in->queue_us > LONG_QUEUE_US && in->acked_short_bps;
    return queues ? in->acked_short_bps : in->acked_bps;
}

static bool may_leap(const struct bwe_aimd *a, int64_t now_us)
{
    return a->leapt_us == 0 || now_us - a->leapt_us >= DRAINS_US;
}

/* For a round trip after a fall, what is told was sent before it. */
static bool may_fall(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    int64_t since_us = now_us - a->fallen_us;
    if (a->fallen_us == 0 || since_us >= DRAINS_US)
        return true;
    bool drains = in->standing_us < a->fallen_standing_us;
    if (!drains)
        a->fallen_standing_us = in->standing_us;
    return since_us >= RESPONSE_US + in->rtt_us && !drains;
}

/* What to fall to so that the queue drains, while `acked` arrives. */
static double below(struct bwe_aimd *a, const struct bwe_aimd_input *in, double acked)
{
    double queued = (double)(in->queue_us - DRAINED_US) / DRAIN_US;
    if (in->queue_us > LONG_QUEUE_US)
        a->drained_bps = BETA * acked;
    double beta = in->queue_us > LONG_QUEUE_US ? BETA : BETA_SHORT;
    return acked * (beta - fmin(fmax(queued, 0), DRAIN_MOST));
}

static double leap(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    a->leapt_us = now_us;
    a->drained_bps = HICCUP * a->bps;
    return fmax(BETA * (1 - in->leap), LEAP_MOST) * fmin(a->bps, in->acked_bps);
}

static double overuse(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    double acked = arriving_bps(in);
    a->fallen_us = now_us;
    a->fallen_standing_us = in->standing_us;
    if (!in->app_limited)
        learn_capacity(a, acked);
    /* What arrives may be over the rate, when that has just fallen. The capacity is no measure:
     * of a shared path it would hold on to the share. */
    return fmin(below(a, in, acked), BETA_SHORT * a->bps);
}

static void fall(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    a->grown_us = 0;
    a->holding = true;
    if (in->standing_us < QUEUE_LEAST_US || (in->probing && in->queue_us <= LONG_QUEUE_US))
        return;
    double bps;
    if (in->leap > 0 && may_leap(a, now_us))
        bps = leap(a, in, now_us);
    else if (in->usage == BWE_OVERUSE && may_fall(a, in, now_us))
        bps = overuse(a, in, now_us);
    else
        return;
    if (in->app_limited && in->queue_us <= LONG_QUEUE_US)
        bps = fmax(bps, (1 - BWE_AIMD_LIMITED_FALL) * a->bps);
    a->falls++;
    a->bps = clamp(a, bps);
}

/* The queue is gone: what was taken so that it goes is given back. */
static void recover(struct bwe_aimd *a, const struct bwe_aimd_input *in)
{
    if (a->drained_bps <= 0 || in->queue_us >= DRAINED_US)
        return;
    a->bps = clamp(a, fmax(a->bps, a->drained_bps));
    a->drained_bps = 0;
}

void bwe_aimd_update(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    if (in->acked_bps == 0)
        return;
    if (in->usage == BWE_OVERUSE || in->leap > 0) {
        fall(a, in, now_us);
        return;
    }
    recover(a, in);
    if (in->usage == BWE_UNDERUSE) {
        a->holding = true;
        a->grown_us = 0;
    } else {
        if (a->holding)
            a->grown_us = now_us;
        a->holding = false;
        grow(a, in, now_us);
    }
}
