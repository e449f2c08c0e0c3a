#include "load/spread.h"

#include <string.h>

void spread_clear(struct spread *s)
{
    memset(s, 0, sizeof(*s));
}

/* Values below SPREAD_FINE have a bucket each; above, every power of two has SPREAD_FINE of them. */
static size_t bucket_of(int64_t value)
{
    if (value < SPREAD_FINE)
        return (size_t)value;
    int power = 63 - __builtin_clzll((unsigned long long)value);
    int shift = power - SPREAD_BITS;
    return (size_t)(shift + 1) * SPREAD_FINE + (size_t)(value >> shift) - SPREAD_FINE;
}

static int64_t highest_of(size_t bucket)
{
    if (bucket < SPREAD_FINE)
        return (int64_t)bucket;
    size_t shift = bucket / SPREAD_FINE - 1;
    return ((int64_t)(bucket % SPREAD_FINE + SPREAD_FINE + 1) << shift) - 1;
}

void spread_add(struct spread *s, int64_t value)
{
    if (value < 0)
        value = 0;
    if (value > SPREAD_MAX)
        value = SPREAD_MAX;
    s->buckets[bucket_of(value)]++;
    s->count++;
    s->sum += (uint64_t)value;
    if (value > s->max)
        s->max = value;
}

int64_t spread_percentile(const struct spread *s, double percent)
{
    double wanted = percent * (double)s->count / 100 - 1e-6; /* what is a whole number stays one */
    uint64_t seen = 0;
    if (!s->count)
        return 0;
    for (size_t i = 0; i < SPREAD_BUCKETS; i++) {
        seen += s->buckets[i];
        if (seen && (double)seen >= wanted)
            return highest_of(i) < s->max ? highest_of(i) : s->max;
    }
    return s->max;
}

double spread_mean(const struct spread *s)
{
    return s->count ? (double)s->sum / (double)s->count : 0;
}
