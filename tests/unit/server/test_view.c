#include "server/view.h"

#include "lib/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>

static struct world w;
static struct counters *counters;

/* What the worker counts, from its own end of the segment. */
static void count_as_worker(void)
{
    assert_int_equal(counters_open(&counters, w.counters_fd[0]), 0);
    counter_add(&counters_worker(counters)->datagrams_received, 7);
    hub_tick(&w.hub, clock_now_us()); /* opens the reader */
}

static size_t streams(struct observer_source *o, enum counters_level level,
                      struct observer_stream *last)
{
    struct observer_cursor cursor = {0};
    size_t n = 0;
    while (o->stream_next(o->arg, level, &cursor, last))
        n++;
    return n;
}

static void shows_what_is_counted_and_known(void **state)
{
    (void)state;
    struct view v, ve;
    struct observer_source o;
    struct exporter_source e;
    world_init(&w, 1);
    count_as_worker();
    view_observer_source(&v, &w.hub, &o);
    view_exporter_source(&ve, &w.hub, &e);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_member(&w, "q", "c");
    assert_non_null(world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL));
    struct producer *p = world_peer(a)->send->producers;
    struct consumer *c = world_peer(b)->recv->consumers;
    int64_t now = clock_now_us();
    struct counters_label label = {.ssrc = 5, .rid = "r0", .mime = "VP8"};
    counters_producer_take(counters, p->obj.handle, p->transport->obj.handle, &label, now);
    counters_producer_take(counters, 12345, 1, &label, now); /* nobody's */
    counters_producer_take(counters, c->obj.handle, 1, &label,
                           now); /* a consumer among the producers */
    counters_consumer_take(counters, c->obj.handle, c->transport->obj.handle, &label, now);
    counters_transport_take(counters, p->transport->obj.handle, 1, now);

    struct observer_stream s;
    assert_int_equal(streams(&o, COUNTERS_PRODUCER, &s), 1);
    struct observer_cursor cursor = {0};
    assert_true(o.stream_next(o.arg, COUNTERS_CONSUMER, &cursor, &s));
    assert_string_equal(s.id, c->obj.id);
    assert_string_equal(s.producer_id, p->obj.id);
    assert_string_equal(s.codec, "VP8");
    assert_string_equal(s.peer_id, "b");
    assert_int_equal(streams(&o, COUNTERS_WORKER, &s), 0);

    struct exporter_cursor ec = {0};
    struct exporter_stream es;
    assert_true(e.stream_next(e.arg, COUNTERS_PRODUCER, &ec, &es));
    assert_string_equal(es.room_id, "r");
    assert_string_equal(es.rid, "r0");
    assert_false(es.selected);
    assert_false(e.stream_next(e.arg, COUNTERS_PRODUCER, &ec, &es));

    struct observer_transport t;
    cursor = (struct observer_cursor){0};
    assert_true(o.transport_next(o.arg, &cursor, &t));
    assert_string_equal(t.direction, "send");
    assert_false(o.transport_next(o.arg, &cursor, &t));
    counters_free(counters);
    world_free(&w);
}

static void walks_rooms_and_peers_that_come_and_go(void **state)
{
    (void)state;
    struct view v;
    struct observer_source o;
    world_init(&w, 1);
    view_observer_source(&v, &w.hub, &o);
    struct edge_session *a = world_member(&w, "one", "a"), *b = world_member(&w, "one", "b");
    world_member(&w, "two", "a");
    world_member(&w, "three", "a");
    assert_int_equal(o.rooms(o.arg), 3);
    assert_int_equal(o.peers(o.arg), 4);
    struct observer_cursor cursor = {0}, peers = {0};
    struct observer_room r;
    struct observer_peer p;
    assert_true(o.room_next(o.arg, &cursor, &r));
    assert_string_equal(r.room_id, "one");
    assert_int_equal(r.peers, 2);
    assert_int_equal(r.lobby, 0);
    assert_true(o.peer_next(o.arg, &peers, &p));
    assert_string_equal(p.peer_id, "a");
    world_close(&w, a, EDGE_CLIENT_LEFT);
    assert_true(o.peer_next(o.arg, &peers, &p));
    assert_string_equal(p.peer_id, "b");
    world_close(&w, b, EDGE_CLIENT_LEFT); /* and its room */
    assert_true(o.room_next(o.arg, &cursor, &r));
    assert_string_equal(r.room_id, "two");
    assert_true(o.peer_next(o.arg, &peers, &p));
    assert_string_equal(p.room_id, "two");
    assert_true(o.room_next(o.arg, &cursor, &r));
    assert_false(o.room_next(o.arg, &cursor, &r));
    assert_true(o.peer_next(o.arg, &peers, &p));
    assert_false(o.peer_next(o.arg, &peers, &p));
    world_free(&w);
}

static void totals_outlive_workers(void **state)
{
    (void)state;
    struct view v;
    struct exporter_source e;
    world_init(&w, 1);
    view_exporter_source(&v, &w.hub, &e);
    size_t index = COUNTERS_INDEX(worker, datagrams_received);
    struct exporter_worker one;
    for (uint64_t round = 1; round <= 3; round++) {
        count_as_worker();
        struct exporter_cursor cursor = {0};
        assert_true(e.worker_next(e.arg, &cursor, &one));
        assert_true(one.up);
        assert_int_equal(one.values[index], 7 * round);
        counters_free(counters);
        fake_free(&w.workers[0]);
        world_turn(&w);
        cursor = (struct exporter_cursor){0};
        assert_true(e.worker_next(e.arg, &cursor, &one));
        assert_false(one.up);
        assert_int_equal(one.values[index], 7 * round);
        world_worker_up(&w, 0);
        world_turn(&w);
    }
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_counted_and_known),
        cmocka_unit_test(walks_rooms_and_peers_that_come_and_go),
        cmocka_unit_test(totals_outlive_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
