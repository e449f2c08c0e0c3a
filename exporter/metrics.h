/* metrics.h - the one table of every family that is exposed: name, type, unit, labels, help, and where its samples come from.
 *
 * docs/metrics.md is made from it. Families over rows of counters.def name the rows; a row that none of them names gets a family of
 * its own, althing_<level>_<row>, so that whatever is counted is shown (of transports, producers and consumers: the counters).
 */
#ifndef ALTHING_EXPORTER_METRICS_H
#define ALTHING_EXPORTER_METRICS_H

#include "proto/histogram.h"

#include <stddef.h>
#include <stdio.h>

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER,     /* the name without its _total */
    METRIC_OLD_COUNTER, /* a counter whose name has no _total; OpenMetrics knows no such thing, there it is `unknown` */
    METRIC_HISTOGRAM,
    METRIC_INFO, /* the name without its _info */
};

/* Where the samples come from. */
enum metric_from {
    METRIC_ROWS,   /* parts: rows, one sample a worker and part */
    METRIC_SERVER, /* parts: members of struct exporter_server */
    METRIC_ROOM_PEERS,
    METRIC_STREAM_BYTES, /* the producers' families: level; so below */
    METRIC_STREAM_SCORE,
    METRIC_STREAM_COUNT,
    METRIC_ICE_STATES,
    METRIC_DTLS_STATES,
    METRIC_WORKER_UP,
    METRIC_WORKER_PID,
    METRIC_WORKER_QUEUE,
    METRIC_WORKER_REQUESTS,
    METRIC_CPU,
    METRIC_RESIDENT,
    METRIC_START_TIME,
    METRIC_BUILD,
    METRIC_OMITTED,
    METRIC_SELF, /* parts: members of struct exporter_self */
};

/* Of a family with a label of its own: its value, and the row or member. */
struct metric_part {
    const char *value; /* NULL: there is no such label */
    enum counters_level level;
    size_t at; /* index of the row; offset of the member */
};

struct metric {
    const char *name;
    const char *help; /* one sentence */
    const char *unit; /* "seconds", "bytes", ...; "": none */
    const char *labels; /* in their order, with ", " in between; "": none */
    const char *label;  /* the one that the parts have values of; NULL: none */
    const struct metric_part *parts;
    size_t n_parts;
    const char *prefix; /* of further rows of the workers that are parts; NULL: none */
    const struct histogram_kind *histogram; /* of METRIC_HISTOGRAM: the part is its first row */
    enum metric_type type;
    enum metric_from from;
    enum counters_level level;
    bool micro; /* the numbers are millionths of the unit */
};

/* What the exporter knows of itself. */
struct exporter_self {
    uint64_t scrapes, refused, cut_off, slices, slowest_us, last_us;
    uint64_t started_us; /* since 1970 */
};

#define METRICS_MAX      320
#define METRICS_NAME_MAX 80

const struct metric *metrics_all(size_t *n);
const char *metrics_suffix(enum metric_type type); /* what samples and the text format's head have behind the name */
void metrics_print(FILE *out);                     /* docs/metrics.md */

#endif
