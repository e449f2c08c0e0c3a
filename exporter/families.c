#include "exporter/scrape_int.h"
#include "exporter/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const struct metric *families_find(enum metric_from from, enum counters_level level)
{
    size_t n;
    const struct metric *m = metrics_all(&n);
    for (size_t i = 0; i < n; i++) {
        if (m[i].from == from && m[i].level == level)
            return &m[i];
    }
    return NULL;
}

/* A sample whose label values need no escapes: "name=\"value\",..." */
static void sample(struct scrape *s, const struct metric *m, uint64_t value, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

static void sample(struct scrape *s, const struct metric *m, uint64_t value, const char *format,
                   ...)
{
    char labels[160];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(labels, sizeof(labels), format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(labels))
        return;
    text_sample(&s->out, m, labels, (size_t)n, value);
}

static const uint64_t *row(const struct scrape *s, size_t worker, const struct metric_part *p)
{
    return &s->in.last->places[s->workers[worker].index]->values[p->level][p->at];
}

static void write_rows(struct scrape *s, const struct metric *m)
{
    for (size_t w = 0; w < s->n_workers; w++) {
        uint32_t index = s->workers[w].index;
        char labels[32];
        snprintf(labels, sizeof(labels), "worker=\"%" PRIu32 "\"", index);
        for (size_t i = 0; i < m->n_parts; i++) {
            const struct metric_part *p = &m->parts[i];
            if (m->histogram)
                text_histogram(&s->out, m, labels, row(s, w, p));
            else if (m->label)
                sample(s, m, *row(s, w, p), "{%s,%s=\"%s\"}", labels, m->label, p->value);
            else
                sample(s, m, *row(s, w, p), "{%s}", labels);
        }
    }
}

/* `from`: a struct of uint64_t, and of pointers to the rows of histograms. */
static void write_members(struct scrape *s, const struct metric *m, const void *from)
{
    for (size_t i = 0; i < m->n_parts; i++) {
        const char *at = (const char *)from + m->parts[i].at;
        uint64_t value;
        if (m->histogram) {
            const uint64_t *rows;
            memcpy(&rows, at, sizeof(rows));
            text_histogram(&s->out, m, "", rows);
            continue;
        }
        memcpy(&value, at, sizeof(value));
        if (m->label)
            sample(s, m, value, "{%s=\"%s\"}", m->label, m->parts[i].value);
        else
            sample(s, m, value, "%s", "");
    }
}

static void write_kinds(struct scrape *s, const struct metric *m)
{
    for (size_t i = 0; i < s->n_kinds; i++) {
        const struct scrape_kind *k = &s->kinds[i];
        buf_clear(&s->labels);
        text_label(&s->labels, "kind", k->kind);
        text_label(&s->labels, "codec", k->codec);
        buf_puts(&s->labels, "}");
        text_sample(&s->out, m, s->labels.data, s->labels.len,
                    m->level == COUNTERS_PRODUCER ? k->producers : k->consumers);
    }
}

static void write_states(struct scrape *s, const struct metric *m, bool ice)
{
    static const char *const ice_names[ICE_STATES] = {"new", "connected", "completed",
                                                      "disconnected"};
    static const char *const dtls_names[DTLS_STATES] = {"new", "connecting", "connected", "failed",
                                                        "closed"};
    for (size_t w = 0; w < s->n_workers; w++) {
        uint32_t index = s->workers[w].index;
        for (size_t i = 0; i < (ice ? ICE_STATES : DTLS_STATES); i++)
            sample(s, m, ice ? s->ice[index][i] : s->dtls[index][i],
                   "{worker=\"%" PRIu32 "\",state=\"%s\"}", index,
                   ice ? ice_names[i] : dtls_names[i]);
    }
}

static void write_worker(struct scrape *s, const struct metric *m)
{
    for (size_t i = 0; i < s->n_workers; i++) {
        const struct exporter_worker *w = &s->workers[i];
        if (m->from == METRIC_WORKER_PID)
            sample(s, m, 1, "{worker=\"%" PRIu32 "\",pid=\"%" PRId32 "\"}", w->index, w->pid);
        else
            sample(s, m,
                   m->from == METRIC_WORKER_UP      ? w->up
                   : m->from == METRIC_WORKER_QUEUE ? w->queue_bytes
                                                    : w->requests,
                   "{worker=\"%" PRIu32 "\"}", w->index);
    }
}

/* ---- this process --------------------------------------------------------------------------------------------------------------- */

static uint64_t cpu_us(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* Pages: all, then those that are resident. */
static uint64_t resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void write_process(struct scrape *s, const struct metric *m)
{
    uint64_t own = m->from == METRIC_CPU        ? cpu_us()
                   : m->from == METRIC_RESIDENT ? resident_bytes()
                                                : s->in.self->started_us;
    sample(s, m, own, "{process=\"server\"}");
    for (size_t w = 0; w < s->n_workers && m->n_parts; w++) {
        uint64_t value = 0;
        for (size_t i = 0; i < m->n_parts; i++)
            value += *row(s, w, &m->parts[i]);
        sample(s, m, value, "{process=\"worker-%" PRIu32 "\"}", s->workers[w].index);
    }
}

/* ---- the exporter --------------------------------------------------------------------------------------------------------------- */

static void write_build(struct scrape *s, const struct metric *m)
{
    buf_clear(&s->labels);
    text_label(&s->labels, "version", s->in.config->version ? s->in.config->version : "");
    buf_puts(&s->labels, "}");
    text_sample(&s->out, m, s->labels.data, s->labels.len, 1);
}

static void write_omitted(struct scrape *s, const struct metric *m)
{
    const struct {
        enum metric_from from;
        enum counters_level level;
        uint64_t n;
    } rows[] = {
        {METRIC_ROOM_PEERS, COUNTERS_WORKER, s->rooms_omitted},
        {METRIC_STREAM_BYTES, COUNTERS_PRODUCER, s->producers_omitted},
        {METRIC_STREAM_SCORE, COUNTERS_PRODUCER, s->producers_omitted},
        {METRIC_STREAM_BYTES, COUNTERS_CONSUMER, s->consumers_omitted},
        {METRIC_STREAM_SCORE, COUNTERS_CONSUMER, s->consumers_omitted},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sample(s, m, rows[i].n, "{family=\"%s\"}",
               families_find(rows[i].from, rows[i].level)->name);
}

void families_write(struct scrape *s, const struct metric *m)
{
    if (m->from == METRIC_ROOM_PEERS || m->from == METRIC_STREAM_BYTES ||
        m->from == METRIC_STREAM_SCORE)
        return;
    text_family(&s->out, s->format, m);
    switch (m->from) {
    case METRIC_ROWS:
        write_rows(s, m);
        break;
    case METRIC_SERVER:
        write_members(s, m, &s->server);
        break;
    case METRIC_SELF:
        write_members(s, m, s->in.self);
        break;
    case METRIC_STREAM_COUNT:
        write_kinds(s, m);
        break;
    case METRIC_ICE_STATES:
    case METRIC_DTLS_STATES:
        write_states(s, m, m->from == METRIC_ICE_STATES);
        break;
    case METRIC_WORKER_UP:
    case METRIC_WORKER_PID:
    case METRIC_WORKER_QUEUE:
    case METRIC_WORKER_REQUESTS:
        write_worker(s, m);
        break;
    case METRIC_CPU:
    case METRIC_RESIDENT:
    case METRIC_START_TIME:
        write_process(s, m);
        break;
    case METRIC_BUILD:
        write_build(s, m);
        break;
    case METRIC_OMITTED:
        write_omitted(s, m);
        break;
    case METRIC_ROOM_PEERS:
    case METRIC_STREAM_BYTES:
    case METRIC_STREAM_SCORE:
        break;
    }
}
