/* result.h - what a measurement came to, and how it is written: as a table, as JSON. */
#ifndef ALTHING_LOAD_RESULT_H
#define ALTHING_LOAD_RESULT_H

#include "load/options.h"
#include "load/measure.h"
#include "load/process.h"
#include "load/sockets.h"

#include <stdio.h>

#include <jansson.h>

struct result_media {
    size_t streams;          /* received, by all peers */
    uint64_t sent, sent_bytes; /* packets and bytes of what was sent; bytes of whole datagrams */
    uint64_t received, received_bytes;
    uint64_t lost;
    uint64_t repaired, nacked, skipped_frames;
};

struct result {
    unsigned rooms, peers, up, failed;
    size_t streams_expected;
    char reason[160]; /* why the first that failed did */
    double seconds;
    struct result_media media[MEDIA_COUNT];
    const struct measure *measure;    /* borrowed */
    struct sockets_totals datagrams;  /* in that time */
    struct sockets_totals all;        /* since the start */
    uint64_t bad;                     /* datagrams that did not open, since the start */
    struct process_usage own, server; /* CPU in that time; memory at its end */
    bool has_server;
};

double result_loss(const struct result *r); /* percent of what was to be received */
int64_t result_latency_us(const struct result *r, double percent); /* the worse of audio and video */
void result_print(const struct result *r, const struct options *o, FILE *out);
json_t *result_json(const struct result *r, const struct options *o); /* a new reference */

#endif
