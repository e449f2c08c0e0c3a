#include "tests/unit/exporter/source.h"

#include "proto/histogram.h"

#include <string.h>

static uint64_t producer_values[2][COUNTERS_FIELDS_MAX];
static uint64_t consumer_values[COUNTERS_FIELDS_MAX];
static uint64_t worker_values[2][COUNTERS_FIELDS_MAX];

static uint64_t transport_values[COUNTERS_FIELDS_MAX];
static uint64_t connect_rows[HISTOGRAM_ROWS], join_rows[HISTOGRAM_ROWS];

static void server(void *arg, struct exporter_server *out)
{
    const struct fake *f = arg;
    *out = (struct exporter_server){.rooms = f->n_rooms,
                                    .joined = 3,
                                    .lobby = 1,
                                    .workers = f->n_workers,
                                    .queue_bytes = 77,
                                    .slow_readers = 2,
                                    .connect = connect_rows,
                                    .join = join_rows};
}

static bool ready(void *arg)
{
    const struct fake *f = arg;
    return f->ready;
}

static bool room_next(void *arg, struct exporter_cursor *c, struct exporter_room *out)
{
    const struct fake *f = arg;
    if (c->a == f->n_rooms)
        return false;
    *out = f->rooms[c->a++];
    return true;
}

static bool stream_next(void *arg, enum counters_level level, struct exporter_cursor *c,
                        struct exporter_stream *out)
{
    const struct fake *f = arg;
    size_t n = level == COUNTERS_PRODUCER ? f->n_producers : f->n_consumers;
    if (n && c->a == n && level == COUNTERS_CONSUMER && ++c->b < f->repeat)
        c->a = 0;
    if (c->a == n)
        return false;
    *out = level == COUNTERS_CONSUMER ? f->consumers[c->a] : f->producers[f->codecs ? 0 : c->a];
    if (f->codecs && level == COUNTERS_PRODUCER)
        out->codec = f->codecs[c->a];
    out->ssrc += (uint32_t)(c->b * n);
    c->a++;
    return true;
}

static bool worker_next(void *arg, struct exporter_cursor *c, struct exporter_worker *out)
{
    const struct fake *f = arg;
    if (c->a == f->n_workers)
        return false;
    *out = f->workers[c->a++];
    return true;
}

static bool transport_next(void *arg, struct exporter_cursor *c, struct exporter_transport *out)
{
    const struct fake *f = arg;
    if (c->a == f->n_transports)
        return false;
    c->a++;
    *out = (struct exporter_transport){1, transport_values};
    return true;
}

static bool totals(void *arg, uint32_t worker, enum counters_level level,
                   uint64_t values[static COUNTERS_FIELDS_MAX])
{
    const struct fake *f = arg;
    if (f->no_totals)
        return false;
    const uint64_t *from = level == COUNTERS_WORKER     ? worker_values[worker % 2]
                           : level == COUNTERS_PRODUCER ? producer_values[worker % 2]
                           : level == COUNTERS_CONSUMER ? consumer_values
                                                        : transport_values;
    memcpy(values, from, COUNTERS_FIELDS_MAX * sizeof(values[0]));
    return true;
}

uint64_t *fake_worker_values(size_t worker)
{
    return worker_values[worker];
}

struct exporter_source fake_source(struct fake *f)
{
    return (struct exporter_source){f,           server,         ready,       room_next,
                                    stream_next, transport_next, worker_next, totals};
}

static struct exporter_stream stream(const char *id, const char *ip, uint32_t ssrc, const char *rid,
                                     const uint64_t *values)
{
    struct exporter_stream s = {
        .room_id = "room two",
        .peer_id = "p1",
        .display_name = "Bob \"B\" \\ \n\xc3\xa9",
        .user_agent = "Firefox",
        .transport_id = "t1",
        .id = id,
        .kind = "video",
        .codec = "VP8",
        .rid = rid,
        .pid = 42,
        .ssrc = ssrc,
        .first = strcmp(rid, "r1") != 0,
        .selected = true,
        .values = values,
    };
    addr_parse(&s.local, "192.0.2.7", 40000);
    addr_parse(&s.remote, ip, 5000);
    return s;
}

void fake_fill(struct fake *f)
{
    *f = (struct fake){.n_rooms = 2,
                       .n_producers = 2,
                       .n_consumers = 1,
                       .n_workers = 2,
                       .n_transports = 5,
                       .ready = true};
    transport_values[COUNTERS_INDEX(transport, ice_state)] = 2;
    transport_values[COUNTERS_INDEX(transport, dtls_state)] = 7; /* nonsense is not counted */
    memset(connect_rows, 0, sizeof(connect_rows));
    histogram_add(connect_rows, &histogram_connect, 150000);
    histogram_add(connect_rows, &histogram_connect, 40000000);
    f->rooms[0] = (struct exporter_room){"room one", 0};
    f->rooms[1] = (struct exporter_room){"room two", 3};
    producer_values[0][COUNTERS_INDEX(producer, bytes)] = 1000;
    producer_values[0][COUNTERS_INDEX(producer, score)] = 10;
    producer_values[1][COUNTERS_INDEX(producer, bytes)] = UINT64_C(5000000000);
    producer_values[1][COUNTERS_INDEX(producer, score)] = 7;
    consumer_values[COUNTERS_INDEX(consumer, bytes)] = 900;
    consumer_values[COUNTERS_INDEX(consumer, score)] = 9;
    worker_values[0][COUNTERS_INDEX(worker, dropped_srtp_auth)] = 5;
    worker_values[1][COUNTERS_INDEX(worker, transports)] = 6;
    worker_values[1][COUNTERS_INDEX(worker, cpu_user)] = 1500000;
    worker_values[1][COUNTERS_INDEX(worker, cpu_system)] = 250000;
    worker_values[0][COUNTERS_INDEX(worker, forward_2)] = 3;
    worker_values[0][COUNTERS_INDEX(worker, forward_sum)] = 450;
    f->producers[0] = stream("prod", "198.51.100.9", 11, "r0", producer_values[0]);
    f->producers[1] = stream("prod", "198.51.100.9", 12, "r1", producer_values[1]);
    f->consumers[0] = stream("cons", "2001:db8:1:2::9", 13, "", consumer_values);
    f->consumers[0].tcp = true;
    f->workers[0] = (struct exporter_worker){.index = 0, .pid = 42, .up = true, .queue_bytes = 9};
    f->workers[1] = (struct exporter_worker){.index = 1};
}
