/* scrape_int.h - what the files of a scrape share: the walks fill it in, the families are written from it. */
#ifndef ALTHING_EXPORTER_SCRAPE_INT_H
#define ALTHING_EXPORTER_SCRAPE_INT_H

#include "exporter/scrape.h"

#include <zlib.h>

#define ICE_STATES  4
#define DTLS_STATES 5

enum phase {
    PHASE_ROOMS,
    PHASE_PRODUCERS,
    PHASE_CONSUMERS,
    PHASE_TRANSPORTS,
    PHASE_TOTALS,
    PHASE_FAMILIES,
    PHASE_GZIP,
    PHASE_DONE,
};

struct scrape_kind {
    char kind[8], codec[16];
    uint64_t producers, consumers;
};

struct scrape {
    struct scrape_input in;
    enum exporter_format format;
    bool gzip;
    enum phase phase;
    struct exporter_cursor cursor;
    struct buf out;
    struct buf bytes, score; /* of the families that are walked together: their samples must not mix */
    bool walked;     /* all objects of the phase */
    bool bytes_done; /* the first of its two families is in `out` */
    size_t copied;  /* of the family that is being put into `out` */
    bool in_family; /* its head is there */
    struct buf labels;
    /* from the walks */
    uint32_t streams_shown, rooms_shown;
    uint64_t rooms_omitted, producers_omitted, consumers_omitted;
    struct scrape_kind kinds[SCRAPE_KINDS_MAX];
    size_t n_kinds;
    uint32_t ice[EXPORTER_WORKERS_MAX][ICE_STATES], dtls[EXPORTER_WORKERS_MAX][DTLS_STATES];
    struct exporter_worker workers[EXPORTER_WORKERS_MAX];
    size_t n_workers;
    /* where it is */
    size_t worker;
    unsigned level;
    size_t family;
    struct exporter_server server;
    z_stream z;
    struct buf zipped;
    size_t zipped_to; /* of `out` */
};

/* One slice of a walk, or of writing its families; the last one goes on to the next phase. walk.c */
void walk_rooms(struct scrape *s);
void walk_streams(struct scrape *s, enum counters_level level);
void walk_transports(struct scrape *s);
/* All samples of a family and its head, unless a walk wrote them. families.c */
void families_write(struct scrape *s, const struct metric *m);
/* The family that a walk writes. */
const struct metric *families_find(enum metric_from from, enum counters_level level);

#endif
