#include "worker/cc/bwe_aimd.h"

#include "lib/clock.h"

#include <math.h>

#define BETA             0.85
#define GROWTH           1.08 /* a second */
#define GROWTH_LEAST_BPS 1000.0
#define STEP_LEAST_BPS   4000.0
#define ABOVE_ACKED      1.5
#define ABOVE_ACKED_BPS  10000.0
#define FRAMES           30.0
#define PACKET_BITS      9600.0
#define RESPONSE_US      MS_US(100)

#define CAPACITY_WEIGHT   0.05
#define DEVIATION         0.4 /* kbit/s, at first and at least */
#define DEVIATION_MAX     2.5
#define CAPACITY_MARGIN   3.0 /* deviations */
#define FALL_AGAIN_MIN_US MS_US(10)
#define FALL_AGAIN_MAX_US MS_US(200)

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
    a->capacity_bps = 0;
}

/* ---- the path's capacity
 * -------------------------------------------------------------------------------------------------------- */

static double margin_bps(const struct bwe_aimd *a)
{
    return CAPACITY_MARGIN * 1000 * sqrt(a->deviation_kbps * a->capacity_bps / 1000);
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

/* ---- up and down
 * ---------------------------------------------------------------------------------------------------------------- */

/* About one packet each response time; the packet's size is guessed from the rate of a video of 30 frames a second. */
static double step_bps(const struct bwe_aimd *a, int64_t rtt_us)
{
    double frame_bits = a->bps / FRAMES;
    double packet_bits = frame_bits / ceil(fmax(frame_bits / PACKET_BITS, 1));
    return fmax(packet_bits * 1000000 / (double)(rtt_us + RESPONSE_US), STEP_LEAST_BPS);
}

static void grow(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    double seconds = a->grown_us ? fmin((double)(now_us - a->grown_us) / 1000000, 1) : 0;
    a->grown_us = now_us;
    forget_capacity(a, in->acked_bps);
    if (in->app_limited || seconds <= 0)
        return;
    double more = a->capacity_bps > 0
                      ? seconds * step_bps(a, in->rtt_us)
                      : fmax(a->bps * (pow(GROWTH, seconds) - 1), seconds * GROWTH_LEAST_BPS);
    double most = ABOVE_ACKED * in->acked_bps + ABOVE_ACKED_BPS;
    if (a->bps < most)
        a->bps = clamp(a, fmin(a->bps + more, most));
}

static bool may_fall(const struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    int64_t wait = in->rtt_us < FALL_AGAIN_MIN_US ? FALL_AGAIN_MIN_US : in->rtt_us;
    wait = time_min_us(wait, FALL_AGAIN_MAX_US);
    return a->fallen_us == 0 || now_us - a->fallen_us >= wait || in->acked_short_bps < a->bps / 2;
}

static void fall(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    a->grown_us = 0;
    a->holding = true;
    if (!may_fall(a, in, now_us))
        return;
    double acked = in->acked_short_bps ? in->acked_short_bps : in->acked_bps;
    double bps = BETA * acked;
    if (in->app_limited)
        bps = fmax(bps, (1 - BWE_AIMD_LIMITED_FALL) * a->bps);
    else
        learn_capacity(a, acked);
    /* What arrives may be over the rate, when a queue drains or the rate has just fallen. */
    if (bps > a->bps && a->capacity_bps > 0)
        bps = BETA * a->capacity_bps;
    a->falls++;
    a->fallen_us = now_us;
    if (bps < a->bps)
        a->bps = clamp(a, bps);
}

void bwe_aimd_update(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t now_us)
{
    if (in->acked_bps == 0)
        return;
    if (in->usage == BWE_OVERUSE) {
        fall(a, in, now_us);
    } else if (in->usage == BWE_UNDERUSE) {
        a->holding = true;
        a->grown_us = 0;
    } else {
        if (a->holding)
            a->grown_us = now_us;
        a->holding = false;
        grow(a, in, now_us);
    }
}
