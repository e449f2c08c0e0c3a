#include "worker/cc/bwe_trend.h"

#include <math.h>

#define SMOOTHING      0.9
#define GAIN           4.0
#define DELTAS_IN_GAIN 60 /* until so many groups were seen, the slope counts less */
#define DELTAS_MAX     1000

#define THRESHOLD_MS     12.5
#define THRESHOLD_MIN_MS 6.0
#define THRESHOLD_MAX_MS 600.0
#define K_UP             0.0087
#define K_DOWN           0.039
#define OUTLIER_MS       15.0 /* so far above the threshold, it does not follow */
#define ADAPT_MAX_MS     100.0
#define OVER_MS          10.0

#define BURST_US                                                                                   \
    5000 /* packets that arrive so close after a wait are one group: they were held up together */
#define BURST_MAX_US 100000 /* ... up to this */

void bwe_trend_init(struct bwe_trend *t)
{
    *t = (struct bwe_trend){.threshold_ms = THRESHOLD_MS, .over_ms = -1, .usage = BWE_NORMAL};
}

/* Begins again with the groups, and keeps what the threshold has learnt. */
static void start_anew(struct bwe_trend *t)
{
    double threshold = t->threshold_ms;
    bwe_trend_init(t);
    t->threshold_ms = threshold;
}

/* The slope of the least-squares line through the window, the smoothed delay over the arrival
 * time. */
static double line_slope(const struct bwe_trend *t)
{
    double mean_x = 0, mean_y = 0;
    for (size_t i = 0; i < BWE_TREND_WINDOW; i++) {
        mean_x += t->at_ms[i] / BWE_TREND_WINDOW;
        mean_y += t->value_ms[i] / BWE_TREND_WINDOW;
    }
    double xy = 0, xx = 0;
    for (size_t i = 0; i < BWE_TREND_WINDOW; i++) {
        double dx = t->at_ms[i] - mean_x;
        xy += dx * (t->value_ms[i] - mean_y);
        xx += dx * dx;
    }
    return xx > 0 ? xy / xx : t->slope;
}

static void adapt(struct bwe_trend *t, double value_ms, int64_t arrival_us)
{
    double dt_ms = t->adapted_us ? (double)(arrival_us - t->adapted_us) / 1000 : 0;
    t->adapted_us = arrival_us;
    double distance = fabs(value_ms) - t->threshold_ms;
    if (distance > OUTLIER_MS)
        return;
    if (dt_ms > ADAPT_MAX_MS)
        dt_ms = ADAPT_MAX_MS;
    double k = distance < 0 ? K_DOWN : K_UP;
    double threshold = t->threshold_ms + k * distance * dt_ms;
    t->threshold_ms = fmin(fmax(threshold, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS);
}

static void judge(struct bwe_trend *t, double sent_delta_ms, int64_t arrival_us)
{
    unsigned n = t->deltas < DELTAS_IN_GAIN ? t->deltas : DELTAS_IN_GAIN;
    double value_ms = n * t->slope * GAIN;
    if (t->deltas < 2) {
        t->usage = BWE_NORMAL;
    } else if (value_ms > t->threshold_ms) {
        /* It went over somewhere within the group. */
        t->over_ms = t->over_ms < 0 ? sent_delta_ms / 2 : t->over_ms + sent_delta_ms;
        t->over_count++;
        if (t->over_ms > OVER_MS && t->over_count > 1 && t->slope >= t->last_slope) {
            t->over_ms = 0;
            t->over_count = 0;
            t->usage = BWE_OVERUSE;
        }
    } else {
        t->over_ms = -1;
        t->over_count = 0;
        t->usage = value_ms < -t->threshold_ms ? BWE_UNDERUSE : BWE_NORMAL;
    }
    t->last_slope = t->slope;
    adapt(t, value_ms, arrival_us);
}

static void take_delta(struct bwe_trend *t, int64_t sent_delta_us, int64_t arrival_delta_us)
{
    int64_t arrival_us = t->now.arrival_us;
    if (t->deltas == 0)
        t->start_us = arrival_us;
    t->delay_ms += (double)(arrival_delta_us - sent_delta_us) / 1000;
    t->smoothed_ms = SMOOTHING * t->smoothed_ms + (1 - SMOOTHING) * t->delay_ms;
    size_t i = t->deltas % BWE_TREND_WINDOW;
    if (t->deltas >= BWE_TREND_WINDOW)
        for (i = 0; i + 1 < BWE_TREND_WINDOW; i++) {
            t->at_ms[i] = t->at_ms[i + 1];
            t->value_ms[i] = t->value_ms[i + 1];
        }
    t->at_ms[i] = (double)(arrival_us - t->start_us) / 1000;
    t->value_ms[i] = t->smoothed_ms;
    if (t->deltas < DELTAS_MAX)
        t->deltas++;
    if (t->deltas >= BWE_TREND_WINDOW)
        t->slope = line_slope(t);
    judge(t, (double)sent_delta_us / 1000, arrival_us);
}

static bool is_jump(int64_t sent_delta_us, int64_t arrival_delta_us)
{
    int64_t d = arrival_delta_us - sent_delta_us;
    return d > BWE_TREND_JUMP_US || d < -BWE_TREND_JUMP_US;
}

/* The group `now` is complete: compares it with the one before. What arrived before its
 * forerunner takes back what that one added, so that packets which overtake each other do not
 * look like a queue. False: everything begins anew. */
static bool complete(struct bwe_trend *t)
{
    if (t->groups < 2)
        return true;
    int64_t sent = t->now.last_sent_us - t->before.last_sent_us;
    int64_t arrival = t->now.arrival_us - t->before.arrival_us;
    if (is_jump(sent, arrival))
        return false;
    take_delta(t, sent, arrival);
    return true;
}

static bool belongs(const struct bwe_group *g, int64_t sent_us, int64_t arrival_us)
{
    if (sent_us - g->first_sent_us <= BWE_TREND_GROUP_US)
        return true;
    int64_t arrival = arrival_us - g->arrival_us;
    int64_t sent = sent_us - g->last_sent_us;
    return arrival >= 0 && arrival < sent && arrival <= BURST_US &&
           arrival_us - g->first_arrival_us < BURST_MAX_US;
}

enum bwe_usage bwe_trend_packet(struct bwe_trend *t, int64_t sent_us, int64_t arrival_us)
{
    struct bwe_group *g = &t->now;
    if (t->groups && sent_us < g->first_sent_us)
        return t->usage;
    if (t->groups && is_jump(sent_us - g->last_sent_us, arrival_us - g->arrival_us))
        start_anew(t);
    if (t->groups && belongs(g, sent_us, arrival_us)) {
        if (sent_us > g->last_sent_us)
            g->last_sent_us = sent_us;
        if (arrival_us > g->arrival_us)
            g->arrival_us = arrival_us;
        return t->usage;
    }
    if (t->groups) {
        if (complete(t))
            t->before = t->now;
        else
            start_anew(t);
    }
    *g = (struct bwe_group){sent_us, sent_us, arrival_us, arrival_us};
    t->groups += t->groups < 2;
    return t->usage;
}
