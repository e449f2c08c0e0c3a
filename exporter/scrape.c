#include "exporter/scrape.h"

#include "exporter/scrape_int.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define ZIP_LEVEL 1 /* the text repeats itself so much that more is not worth its time */

void scrape_last_free(struct scrape_last *l)
{
    for (size_t i = 0; i < EXPORTER_WORKERS_MAX; i++)
        free(l->places[i]);
    *l = (struct scrape_last){0};
}

struct scrape *scrape_new(const struct scrape_input *in, enum exporter_format format, bool gzip)
{
    struct scrape *s = mem_zalloc(sizeof(*s));
    s->in = *in;
    s->format = format;
    s->gzip =
        gzip && deflateInit2(&s->z, ZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    buf_init(&s->out, SCRAPE_TEXT_MAX);
    buf_init(&s->bytes, SCRAPE_TEXT_MAX);
    buf_init(&s->score, SCRAPE_TEXT_MAX);
    buf_init(&s->labels, 32 * EXPORTER_LABEL_MAX);
    buf_init(&s->zipped, SCRAPE_TEXT_MAX);
    return s;
}

void scrape_free(struct scrape *s)
{
    if (!s)
        return;
    if (s->gzip)
        deflateEnd(&s->z);
    buf_free(&s->out);
    buf_free(&s->bytes);
    buf_free(&s->score);
    buf_free(&s->labels);
    buf_free(&s->zipped);
    free(s);
}

/* ---- totals --------------------------------------------------------------------------------------------------------------------- */

static void list_workers(struct scrape *s)
{
    const struct exporter_source *source = s->in.source;
    struct exporter_cursor cursor = {0};
    struct exporter_worker w;
    while (s->n_workers < EXPORTER_WORKERS_MAX && source->worker_next(source->arg, &cursor, &w)) {
        if (w.index >= EXPORTER_WORKERS_MAX)
            break;
        struct scrape_place **place = &s->in.last->places[w.index];
        if (!*place)
            *place = mem_zalloc(sizeof(**place));
        s->workers[s->n_workers++] = w;
    }
}

static void read_level(struct scrape *s, enum counters_level level)
{
    const struct exporter_source *source = s->in.source;
    uint32_t index = s->workers[s->worker].index;
    uint64_t *last = s->in.last->places[index]->values[level];
    uint64_t now[COUNTERS_FIELDS_MAX] = {0};
    size_t n;
    const struct counters_field *f = counters_fields(level, &n);
    if (!source->totals(source->arg, index, level, now))
        return;
    for (size_t i = 0; i < n; i++) {
        if (f[i].kind == COUNTERS_KIND_GAUGE || now[i] > last[i])
            last[i] = now[i];
    }
}

static void step_totals(struct scrape *s)
{
    if (s->worker == 0 && s->level == 0)
        list_workers(s);
    if (s->worker < s->n_workers) {
        read_level(s, (enum counters_level)s->level);
        s->level = (s->level + 1) % COUNTERS_LEVELS;
        s->worker += s->level == 0;
        return;
    }
    s->in.source->server(s->in.source->arg, &s->server);
    s->phase++;
}

/* ---- the text ------------------------------------------------------------------------------------------------------------------- */

static void step_families(struct scrape *s)
{
    size_t n, start = s->out.len;
    const struct metric *m = metrics_all(&n);
    while (s->family < n && s->out.len - start < SCRAPE_SLICE_BYTES)
        families_write(s, &m[s->family++]);
    if (s->family < n)
        return;
    if (s->format == EXPORTER_OPENMETRICS)
        buf_puts(&s->out, "# EOF\n");
    s->phase = s->gzip && !s->out.full ? PHASE_GZIP : PHASE_DONE;
}

static void step_gzip(struct scrape *s)
{
    unsigned char packed[16 * 1024];
    size_t left = s->out.len - s->zipped_to;
    size_t take = left < SCRAPE_ZIP_BYTES ? left : SCRAPE_ZIP_BYTES;
    bool last = take == left;
    s->z.next_in = (unsigned char *)s->out.data + s->zipped_to;
    s->z.avail_in = (unsigned)take;
    do {
        s->z.next_out = packed;
        s->z.avail_out = sizeof(packed);
        deflate(&s->z, last ? Z_FINISH : Z_NO_FLUSH);
        buf_add(&s->zipped, packed, sizeof(packed) - s->z.avail_out);
    } while (s->z.avail_out == 0);
    s->zipped_to += take;
    if (!last)
        return;
    buf_free(&s->out);
    s->phase = PHASE_DONE;
}

bool scrape_step(struct scrape *s)
{
    switch (s->phase) {
    case PHASE_ROOMS:
        walk_rooms(s);
        break;
    case PHASE_PRODUCERS:
        walk_streams(s, COUNTERS_PRODUCER);
        break;
    case PHASE_CONSUMERS:
        walk_streams(s, COUNTERS_CONSUMER);
        break;
    case PHASE_TRANSPORTS:
        walk_transports(s);
        break;
    case PHASE_TOTALS:
        step_totals(s);
        break;
    case PHASE_FAMILIES:
        step_families(s);
        break;
    case PHASE_GZIP:
        step_gzip(s);
        break;
    case PHASE_DONE:
        break;
    }
    return s->phase != PHASE_DONE;
}

struct buf *scrape_buf(struct scrape *s)
{
    return s->gzip && !s->out.full ? &s->zipped : &s->out;
}
