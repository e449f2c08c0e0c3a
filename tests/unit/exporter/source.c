#include "tests/unit/exporter/source.h"

static uint64_t producer_values[2][COUNTERS_FIELDS_MAX];
static uint64_t consumer_values[COUNTERS_FIELDS_MAX];
static uint64_t worker_values[2][COUNTERS_FIELDS_MAX];

static size_t rooms(void *arg)
{
    const struct fake *f = arg;
    return f->n_rooms;
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
    *out = level == COUNTERS_PRODUCER ? f->producers[c->a] : f->consumers[c->a];
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

struct exporter_source fake_source(struct fake *f)
{
    return (struct exporter_source){f, rooms, room_next, stream_next, worker_next};
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
        .selected = true,
        .values = values,
    };
    addr_parse(&s.local, "192.0.2.7", 40000);
    addr_parse(&s.remote, ip, 5000);
    return s;
}

void fake_fill(struct fake *f)
{
    *f = (struct fake){.n_rooms = 2, .n_producers = 2, .n_consumers = 1, .n_workers = 2};
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
    f->producers[0] = stream("prod", "198.51.100.9", 11, "r0", producer_values[0]);
    f->producers[1] = stream("prod", "198.51.100.9", 12, "r1", producer_values[1]);
    f->consumers[0] = stream("cons", "2001:db8:1:2::9", 13, "", consumer_values);
    f->consumers[0].tcp = true;
    f->workers[0] = (struct exporter_worker){0, 42, true, worker_values[0]};
    f->workers[1] = (struct exporter_worker){1, 0, false, worker_values[1]};
}
