#include "worker/route/ladder.h"

#include "worker/route/consumer.h"
#include "worker/route/inbound.h"
#include "worker/route/producer.h"
#include "worker/stream/layer_rates.h"
#include "worker/stream/layers.h"

#define WIDTH LAYER_RATES_TEMPORAL
_Static_assert(LAYER_RATES_SPATIAL *WIDTH == ALLOC_STEPS, "a step for each layer");

uint32_t ladder_spatial(int step)
{
    return (uint32_t)step / WIDTH;
}

uint32_t ladder_temporal(int step)
{
    return (uint32_t)step % WIDTH;
}

bool ladder_comes(const struct alloc_item *it)
{
    for (int i = 0; i < it->n; i++) {
        if (it->cost[i] != ALLOC_ABSENT)
            return true;
    }
    return false;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* With its temporal layers up to `temporal`; the highest said has all beyond. */
static void put(struct alloc_item *it, uint32_t at, const struct inbound *s, unsigned spatial,
                uint32_t temporal, bool lowest)
{
    bool known = layer_rates_known(&s->layer_rates);
    if (!s->active || (!known && !lowest))
        return;
    uint32_t top = least(s->temporal_layers ? s->temporal_layers - 1U : 0, WIDTH - 1);
    for (uint32_t t = known ? 0 : least(temporal, top); t <= least(temporal, top); t++)
        it->cost[at * WIDTH + t] =
            known ? layer_rates_bps(&s->layer_rates, spatial, t < top ? t : WIDTH - 1) : 0;
    it->n = (int)(at * WIDTH + WIDTH);
}

static void put_streams(struct alloc_item *it, const struct consumer *c, uint32_t spatial,
                        uint32_t temporal)
{
    for (uint32_t i = 0; i < c->n_streams; i++) {
        if (i > spatial && it->n)
            return;
        put(it, i, c->producer->streams[c->base + i], LAYER_RATES_SPATIAL - 1, temporal,
            it->n == 0);
    }
}

static void put_spatial(struct alloc_item *it, const struct consumer *c, uint32_t spatial,
                        uint32_t temporal)
{
    const struct inbound *s = c->producer->streams[c->base];
    uint32_t top = least(s->spatial_layers ? s->spatial_layers - 1U : 0, LAYER_RATES_SPATIAL - 1);
    for (uint32_t i = 0; i <= least(spatial, top); i++)
        put(it, i, s, i < top ? i : LAYER_RATES_SPATIAL - 1, temporal, it->n == 0);
}

void ladder_make(struct alloc_item *it, struct consumer *c)
{
    uint32_t spatial, temporal;
    layers_preferred(c->layers, &spatial, &temporal);
    it->state = &c->share;
    it->priority = c->priority;
    it->n = 0;
    for (int i = 0; i < ALLOC_STEPS; i++)
        it->cost[i] = ALLOC_ABSENT;
    if (c->n_streams > 1)
        put_streams(it, c, spatial, temporal);
    else
        put_spatial(it, c, spatial, temporal);
}
