#include "worker/stream/score.h"

#include <math.h>

void score_init(struct score *s)
{
    *s = (struct score){.value = SCORE_MAX};
}

static double pow4(double x)
{
    return x * x * x * x;
}

static uint8_t sample_of(const struct score_counts *c)
{
    if (c->expected == 0)
        return SCORE_MAX;
    if (c->received == 0)
        return 0;
    uint64_t repaired = c->repaired;
    uint64_t retransmitted = c->retransmitted;
    /* Repairs of what was not lost are no repairs, and their resends do not count against the rest. */
    if (repaired > c->lost) {
        uint64_t excess = repaired - c->lost;
        repaired = c->lost;
        retransmitted -= excess < retransmitted ? excess : retransmitted;
    }
    double received = (double)c->received;
    double weight = pow4(1 / ((double)repaired / received + 1));
    if (retransmitted)
        weight *= fmin(1, (double)repaired / (double)retransmitted);
    double lost = fmax(0, (double)c->lost - (double)repaired * weight);
    return (uint8_t)lround(pow4((received - fmin(lost, received)) / received) * SCORE_MAX);
}

static uint8_t mean(const struct score *s)
{
    unsigned sum = 0, weights = 0;
    for (unsigned age = 0; age < s->count; age++) {
        unsigned weight = s->count - age;
        sum += weight * s->samples[(s->next + SCORE_HISTORY - 1u - age) % SCORE_HISTORY];
        weights += weight;
    }
    return (uint8_t)((sum + weights / 2) / weights);
}

static bool set_value(struct score *s, uint8_t value)
{
    bool changed = s->value != value;
    s->value = value;
    return changed;
}

bool score_sample(struct score *s, const struct score_counts *c)
{
    s->samples[s->next] = sample_of(c);
    s->next = (uint8_t)((s->next + 1) % SCORE_HISTORY);
    if (s->count < SCORE_HISTORY)
        s->count++;
    return !s->silent && set_value(s, mean(s));
}

bool score_silence(struct score *s)
{
    s->silent = true;
    return set_value(s, 0);
}

bool score_heard(struct score *s)
{
    if (!s->silent)
        return false;
    score_init(s);
    return true;
}
