#include "worker/stream/speaker.h"

#include <math.h>
#include <string.h>
#include <utlist.h>

#define SCORE_MIN   1e-10
#define LEVEL_MAX   127
#define IMMEDIATES  13 /* steps of loudness */
#define STEP        ((LEVEL_MAX + IMMEDIATES - 1) / IMMEDIATES)
#define SUBSLOTS    (SPEAKER_SLOTS / SPEAKER_MEDIUMS)
#define MEDIUM_LOUD 7 /* a slot is loud above */
#define LONG_ACTIVE 4 /* five slots are active above */
#define MIN_WINDOW  (15 * 50)
#define HELD_SLOTS  6 /* a packet speaks for up to 120 ms: the longest that Opus makes */

void speakers_add(struct speakers *ss, struct speaker *s)
{
    bool muted = s->muted;
    memset(s, 0, sizeof(*s));
    s->muted = muted;
    DL_APPEND(ss->list, s);
}

bool speakers_remove(struct speakers *ss, struct speaker *s)
{
    DL_DELETE(ss->list, s);
    if (ss->dominant != s)
        return false;
    ss->dominant = NULL;
    return true;
}

/* ---- levels ---- */

static void learn_minimum(struct speaker *s, uint8_t level)
{
    if (level == 0)
        return;
    if (s->min_level == 0 || level < s->min_level) {
        s->min_level = level;
        s->next_min = 0;
        s->min_slots = 0;
        return;
    }
    if (s->next_min == 0 || level < s->next_min)
        s->next_min = level;
    if (++s->min_slots < MIN_WINDOW)
        return;
    s->min_level = (uint8_t)lround(sqrt((double)s->min_level * s->next_min));
    s->next_min = 0;
    s->min_slots = 0;
}

/* Makes `slot` the newest; those in between are silent. */
static void advance(struct speaker *s, int64_t slot)
{
    int64_t n = slot - s->slot;
    if (n <= 0)
        return;
    if (n > SPEAKER_SLOTS)
        n = SPEAKER_SLOTS;
    memmove(s->levels + n, s->levels, SPEAKER_SLOTS - (size_t)n);
    memset(s->levels, 0, (size_t)n);
    s->slot = slot;
}

void speaker_level(struct speaker *s, uint8_t level, int64_t now_us)
{
    int64_t slot = now_us / SPEAKER_SLOT_US, n = slot - s->slot;
    advance(s, slot);
    if (n <= 0 && s->levels[0] > level)
        return; /* of two in a slot the louder */
    if (n < 1 || n > HELD_SLOTS)
        n = 1;
    memset(s->levels, level, (size_t)n);
    learn_minimum(s, level);
}

/* ---- scores ---- */

static double log_choose(unsigned n, unsigned k)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* p is 0.5: both of its terms together are n ln 0.5. */
static double score(unsigned v, unsigned n, double lambda)
{
    double x = log_choose(n, v) + n * log(0.5) - log(lambda) + lambda * v;
    return x > SCORE_MIN ? x : SCORE_MIN;
}

static unsigned loudness(const struct speaker *s, uint8_t level)
{
    unsigned steps = level < s->min_level + STEP ? 0 : level / STEP;
    return steps < IMMEDIATES ? steps : IMMEDIATES;
}

static void evaluate(struct speaker *s, int64_t now_us)
{
    unsigned first = 0, active = 0;
    advance(s, (now_us - SPEAKER_IDLE_US) / SPEAKER_SLOT_US);
    for (unsigned m = 0; m < SPEAKER_MEDIUMS; m++) {
        unsigned loud = 0;
        for (unsigned i = 0; i < SUBSLOTS; i++)
            loud += loudness(s, s->levels[m * SUBSLOTS + i]) > MEDIUM_LOUD;
        if (m == 0)
            first = loud;
        active += loud > LONG_ACTIVE;
    }
    s->immediate = score(loudness(s, s->levels[0]), IMMEDIATES, 0.78);
    s->medium = score(first, SUBSLOTS, 24);
    s->lengthy = score(active, SPEAKER_MEDIUMS, 47);
}

bool speakers_choose(struct speakers *ss, int64_t now_us)
{
    static const struct speaker silence = {
        .immediate = SCORE_MIN, .medium = SCORE_MIN, .lengthy = SCORE_MIN};
    struct speaker *s, *best = NULL;
    double best_medium = 2;
    DL_FOREACH (ss->list, s)
        evaluate(s, now_us);
    const struct speaker *d = ss->dominant ? ss->dominant : &silence;
    DL_FOREACH (ss->list, s) {
        if (s == d || s->muted || log(s->immediate / d->immediate) <= 3 ||
            log(s->lengthy / d->lengthy) <= 0)
            continue;
        double medium = log(s->medium / d->medium);
        if (medium > best_medium) {
            best_medium = medium;
            best = s;
        }
    }
    if (!best)
        return false;
    ss->dominant = best;
    return true;
}
