#include "worker/cc/bwe_loss.h"

#include "lib/clock.h"

#include <math.h>

#define LOW             0.02
#define HIGH            0.10
#define RESPONSE        0.5
#define GROWTH          1.08 /* a second */
#define WELL_OVER       1.3
#define INHERENT_WEIGHT 0.1 /* of a period that lost less */
#define SETTLE_US       MS_US(100)

void bwe_loss_take(struct bwe_loss *l, int lost, unsigned total)
{
    l->lost += lost;
    l->total += total;
}

void bwe_loss_forget(struct bwe_loss *l)
{
    l->lost = l->total = 0;
    l->since_us = 0;
    l->fell_by = 0;
}

void bwe_loss_raise(struct bwe_loss *l, double bps)
{
    if (l->bps > 0 && l->bps < bps)
        l->bps = bps;
}

static void judge_fall(struct bwe_loss *l)
{
    if (l->fell_by <= 0)
        return;
    double if_ours = fmax(1 - (1 - l->fell_from) / l->fell_by, 0);
    if (l->share > (l->fell_from + if_ours) / 2)
        l->inherent = fmin(fmax(l->inherent, fmin(l->share, l->fell_from)), BWE_LOSS_INHERENT_MAX);
    l->fell_by = 0;
}

static void fall(struct bwe_loss *l, double rate_bps, int64_t rtt_us, int64_t now_us)
{
    double by = 1 - RESPONSE * l->share;
    l->bps = rate_bps * by;
    l->fell_from = l->share;
    l->fell_by = by;
    /* What is told until then was sent before. */
    l->since_us = now_us + rtt_us + SETTLE_US;
}

static void grow(struct bwe_loss *l, double rate_bps, int64_t period_us)
{
    l->bps *= pow(GROWTH, fmin((double)period_us / 1000000, 1));
    if (l->bps > rate_bps * WELL_OVER)
        l->bps = 0;
}

void bwe_loss_update(struct bwe_loss *l, double rate_bps, int64_t rtt_us, int64_t now_us)
{
    if (l->since_us == 0)
        l->since_us = now_us;
    int64_t period_us = now_us - l->since_us;
    if (period_us < 0) {
        l->lost = l->total = 0;
        return;
    }
    if (period_us < BWE_LOSS_PERIOD_US || l->total <= 0 ||
        (l->total < BWE_LOSS_PACKETS && period_us < BWE_LOSS_PERIOD_MAX_US))
        return;
    l->share = fmin(fmax((double)l->lost / (double)l->total, 0), 1);
    l->lost = l->total = 0;
    l->since_us = now_us;
    judge_fall(l);
    if (l->share < l->inherent)
        l->inherent += INHERENT_WEIGHT * (l->share - l->inherent);
    if (l->share > l->inherent + HIGH)
        fall(l, rate_bps, rtt_us, now_us);
    else if (l->bps > 0 && l->share < l->inherent + LOW)
        grow(l, rate_bps, period_us);
}
