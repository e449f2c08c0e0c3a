/* Ten thousand consumers, in a real segment and a real hub: how a scrape is cut into slices. What it takes is printed, not judged. */
#include "exporter/scrape.h"
#include "lib/clock.h"
#include "server/view.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <stdio.h>
#include <time.h>

#define ROOMS  20
#define PEOPLE 23 /* of a room, each sending to all others: 20 * 23 * 22 = 10120 consumers */

static struct world w;
static struct counters *counters;
static struct exporter_source source;
static unsigned visited; /* objects that the source has shown */

static bool count_streams(void *arg, enum counters_level level, struct exporter_cursor *cursor,
                          struct exporter_stream *out)
{
    visited++;
    return source.stream_next(arg, level, cursor, out);
}

static struct transport *transport_of(struct peer *p, enum direction d)
{
    static uint32_t seed = 1000;
    struct transport *t = transport_new(p, d, media_handle(w.hub.media), seed += 100000);
    t->obj.confirmed = t->selected = true;
    addr_parse(&t->local, "192.0.2.1", 40000);
    addr_parse(&t->remote, "2001:db8:1:2:3:4:5:6", (uint16_t)(seed % 50000));
    counter_set(&counters_transport_take(counters, t->obj.handle, 1, 1)->ice_state, 2);
    return t;
}

static void add_consumer(struct peer *p, struct producer *from)
{
    struct consumer *c = consumer_new(p->recv, from, media_handle(w.hub.media), true);
    struct counters_label label = {.ssrc = c->ssrc, .mime = "VP8"};
    c->obj.confirmed = true;
    struct counters_consumer *k =
        counters_consumer_take(counters, c->obj.handle, p->recv->obj.handle, &label, 1);
    counter_add(&k->bytes, UINT64_C(1234567890) + c->ssrc);
    counter_set(&k->score, 10);
}

static struct producer *add_producer(struct peer *p)
{
    struct producer *pr = producer_new(p->send, media_handle(w.hub.media), true, "webcam", "k");
    struct counters_label label = {.ssrc = (uint32_t)p->serial, .mime = "VP8"};
    snprintf(pr->codec, sizeof(pr->codec), "VP8");
    pr->obj.confirmed = true;
    counters_producer_take(counters, pr->obj.handle, p->send->obj.handle, &label, 1);
    return pr;
}

static void fill_room(unsigned number)
{
    char id[40];
    struct peer *people[PEOPLE];
    snprintf(id, sizeof(id), "room-%u", number);
    struct room *r = room_new(&w.hub.rooms, id, 1);
    struct media_router *router = media_router_new(w.hub.media, id, r);
    assert_non_null(router);
    for (size_t i = 0; i < PEOPLE; i++) {
        snprintf(id, sizeof(id), "3f2a91c7-0000-4000-8000-%04u%08zu", number, i);
        struct peer *p = people[i] = peer_new(r, id, "key");
        peer_set_name(p, "Somebody With A Name");
        snprintf(p->user_agent, sizeof(p->user_agent),
                 "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                 "Chrome/120.0.0.0 Safari/537.36");
        p->state = PEER_JOINED;
        p->media = router;
        p->send = transport_of(p, DIRECTION_SEND);
        p->recv = transport_of(p, DIRECTION_RECV);
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        struct producer *pr = add_producer(people[i]);
        for (size_t k = 0; k < PEOPLE; k++) {
            if (k != i)
                add_consumer(people[k], pr);
        }
    }
}

static int64_t cpu_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void scrape(const struct scrape_input *in, enum exporter_format format, bool gzip)
{
    unsigned slices = 0;
    int64_t all_us = 0, longest_us = 0;
    struct scrape *s = scrape_new(in, format, gzip);
    for (bool more = true; more; slices++) {
        visited = 0;
        int64_t start_us = cpu_us();
        more = scrape_step(s);
        int64_t took_us = cpu_us() - start_us;
        all_us += took_us;
        longest_us = took_us > longest_us ? took_us : longest_us;
        assert_in_range(visited, 0, EXPORTER_SLICE);
    }
    assert_false(scrape_buf(s)->full);
    printf("scrape format=%d gzip=%d bytes=%zu slices=%u all=%.1f ms longest=%.2f ms\n", format,
           gzip, scrape_buf(s)->len, slices, (double)all_us / 1000, (double)longest_us / 1000);
    unsigned streams = ROOMS * PEOPLE * PEOPLE;
    assert_in_range(slices, streams / EXPORTER_SLICE, 60 + 8 * streams / EXPORTER_SLICE);
    scrape_free(s);
}

static void ten_thousand_consumers(void **state)
{
    (void)state;
    struct view v;
    static struct scrape_last last;
    static const struct exporter_self self;
    static const struct exporter_config config = {
        .numeric = true, .max_streams = 100000, .max_rooms = 1000};
    world_init(&w, 1);
    assert_int_equal(counters_open(&counters, w.counters_fd[0]), 0);
    hub_tick(&w.hub, clock_now_us());
    for (unsigned i = 0; i < ROOMS; i++)
        fill_room(i);
    view_exporter_source(&v, &w.hub, &source);
    struct exporter_source counting = source;
    counting.stream_next = count_streams;
    const struct scrape_input in = {&config, &counting, NULL, NULL, &last, &self};
    scrape(&in, EXPORTER_TEXT, false);
    scrape(&in, EXPORTER_OPENMETRICS, true);
    scrape_last_free(&last);
    counters_free(counters);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ten_thousand_consumers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
