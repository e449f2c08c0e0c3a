#include "worker/net/tick.h"

static int64_t period_for(uint64_t pps)
{
    int64_t us = (int64_t)(TICK_GATHER * 1000000ull / pps);
    return us < TICK_MIN_US ? TICK_MIN_US : us > TICK_MAX_US ? TICK_MAX_US : us;
}

bool tick_pass(struct tick *t, size_t received, int64_t now_us)
{
    int64_t before = t->period_us;
    int64_t age_us = now_us - t->window_us;
    t->count += received;
    if (age_us < TICK_WINDOW_US)
        return false;
    uint64_t pps = t->count * 1000000ull / (uint64_t)age_us;
    if (pps >= TICK_LOADED_PPS || (t->period_us && pps >= TICK_QUIET_PPS)) {
        t->quiet = 0;
        t->period_us = period_for(pps);
    } else if (t->period_us && ++t->quiet >= TICK_QUIET_WINDOWS) {
        t->quiet = 0;
        t->period_us = 0;
    }
    t->window_us = now_us;
    t->count = 0;
    return t->period_us != before;
}
