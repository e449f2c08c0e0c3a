/* layer_rates.h - bits a second of each layer of a received stream, over the last 2.5 s.
 *
 * Plain struct, zeroed at the start. Bytes are put into the piece of time that is open; layer_rates_tick() closes it, about every
 * half second. A rate is known when at least one piece is closed. Layers beyond the table count as its last.
 */
#ifndef ALTHING_WORKER_STREAM_LAYER_RATES_H
#define ALTHING_WORKER_STREAM_LAYER_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYER_RATES_SPATIAL  4
#define LAYER_RATES_TEMPORAL 4
#define LAYER_RATES_PIECES   5
#define LAYER_RATES_LEAST_US 400000 /* of a piece: before that it stays open */

struct layer_rates {
    struct layer_piece {
        uint32_t bytes[LAYER_RATES_SPATIAL][LAYER_RATES_TEMPORAL];
        int64_t us;
    } pieces[LAYER_RATES_PIECES];
    uint32_t open[LAYER_RATES_SPATIAL][LAYER_RATES_TEMPORAL];
    int64_t since_us; /* of the open one */
    unsigned closed;  /* ever */
    bool begun;
};

void layer_rates_add(struct layer_rates *r, unsigned spatial, unsigned temporal, size_t bytes,
                     int64_t now_us);
void layer_rates_tick(struct layer_rates *r, int64_t now_us);
void layer_rates_reset(struct layer_rates *r); /* the stream went silent */
bool layer_rates_known(const struct layer_rates *r);
/* Of all layers up to these together. */
uint32_t layer_rates_bps(const struct layer_rates *r, unsigned spatial, unsigned temporal);

#endif
