#include "worker/stream/layer_rates.h"

#include <string.h>

static unsigned at_most(unsigned v, unsigned max)
{
    return v < max ? v : max;
}

void layer_rates_add(struct layer_rates *r, unsigned spatial, unsigned temporal, size_t bytes,
                     int64_t now_us)
{
    if (!r->begun) {
        r->begun = true;
        r->since_us = now_us;
    }
    r->open[at_most(spatial, LAYER_RATES_SPATIAL - 1)]
           [at_most(temporal, LAYER_RATES_TEMPORAL - 1)] += (uint32_t)bytes;
}

void layer_rates_tick(struct layer_rates *r, int64_t now_us)
{
    if (!r->begun || now_us - r->since_us < LAYER_RATES_LEAST_US)
        return;
    struct layer_piece *p = &r->pieces[r->closed++ % LAYER_RATES_PIECES];
    memcpy(p->bytes, r->open, sizeof(p->bytes));
    p->us = now_us - r->since_us;
    memset(r->open, 0, sizeof(r->open));
    r->since_us = now_us;
}

void layer_rates_reset(struct layer_rates *r)
{
    memset(r, 0, sizeof(*r));
}

bool layer_rates_known(const struct layer_rates *r)
{
    return r->closed > 0;
}

uint32_t layer_rates_bps(const struct layer_rates *r, unsigned spatial, unsigned temporal)
{
    uint64_t bytes = 0;
    int64_t us = 0;
    unsigned n = at_most(r->closed, LAYER_RATES_PIECES);
    for (unsigned i = 0; i < n; i++) {
        const struct layer_piece *p = &r->pieces[i];
        us += p->us;
        for (unsigned s = 0; s <= at_most(spatial, LAYER_RATES_SPATIAL - 1); s++) {
            for (unsigned t = 0; t <= at_most(temporal, LAYER_RATES_TEMPORAL - 1); t++)
                bytes += p->bytes[s][t];
        }
    }
    uint64_t bps = us > 0 ? bytes * 8 * 1000000 / (uint64_t)us : 0;
    return bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX - 1;
}
