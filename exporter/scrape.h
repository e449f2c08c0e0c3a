/* scrape.h - one scrape: walks the source in slices and makes the whole text. No socket; the source is the only input.
 *
 * In order: rooms, the streams of producers and of consumers, transports, the workers' totals one level at a time, then the
 * families, then gzip. A slice handles at most EXPORTER_SLICE objects, one level of one worker, SCRAPE_SLICE_BYTES of families (one
 * family at least), SCRAPE_COPY_BYTES of gathered samples or SCRAPE_ZIP_BYTES to be packed.
 *
 * Counters never fall while a worker's place is there: what a total says below the last one (objects closed while it was read, a
 * receiver took a report of loss back) is shown as the last one. `last` remembers that from scrape to scrape.
 */
#ifndef ALTHING_EXPORTER_SCRAPE_H
#define ALTHING_EXPORTER_SCRAPE_H

#include "exporter/accept.h"
#include "exporter/exporter.h"
#include "exporter/metrics.h"
#include "lib/buf.h"

#define SCRAPE_TEXT_MAX    ((size_t)256 << 20) /* bytes; more is not sent at all */
#define SCRAPE_SLICE_BYTES (64 * 1024)
#define SCRAPE_COPY_BYTES  (512 * 1024)
#define SCRAPE_ZIP_BYTES   (128 * 1024)
#define SCRAPE_KINDS_MAX   16 /* pairs of kind and codec; of more, the rest is codec="other" */

/* Host name of an address, or NULL: not known (yet). */
typedef const char *scrape_name_f(const struct addr *a, void *arg);

/* The totals of one worker's place. */
struct scrape_place {
    uint64_t values[COUNTERS_LEVELS][COUNTERS_FIELDS_MAX];
};

struct scrape_last {
    struct scrape_place *places[EXPORTER_WORKERS_MAX]; /* NULL: not seen yet */
};
void scrape_last_free(struct scrape_last *l);

/* All is borrowed and outlives the scrape. */
struct scrape_input {
    const struct exporter_config *config;
    const struct exporter_source *source;
    scrape_name_f *name; /* NULL: addresses stay numbers */
    void *name_arg;
    struct scrape_last *last;
    const struct exporter_self *self;
};

struct scrape;

struct scrape *scrape_new(const struct scrape_input *in, enum exporter_format format, bool gzip);
void scrape_free(struct scrape *s); /* NULL is fine */
bool scrape_step(struct scrape *s); /* one slice; false: it is complete */
struct buf *scrape_buf(struct scrape *s); /* `full`: it would have been too long */

#endif
