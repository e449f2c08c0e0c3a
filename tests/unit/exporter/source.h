/* source.h - rooms and streams for the exporter's tests: what it shows is set in these variables. */
#ifndef ALTHING_TESTS_EXPORTER_SOURCE_H
#define ALTHING_TESTS_EXPORTER_SOURCE_H

#include "exporter/exporter.h"

struct fake {
    struct exporter_room rooms[4];
    size_t n_rooms;
    struct exporter_stream producers[4], consumers[4];
    size_t n_producers, n_consumers;
    char (*codecs)[8]; /* NULL, or of the producers, which are then all like the first one */
    uint64_t repeat; /* show the consumers this many times over, their SSRCs counting up */
    struct exporter_worker workers[2];
    size_t n_workers, n_transports;
    bool ready, no_totals;
};

uint64_t *fake_worker_values(size_t worker);
struct exporter_source fake_source(struct fake *f);
void fake_fill(struct fake *f); /* two rooms, a simulcast producer, two consumers, two workers */

#endif
