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

static void shows_what_is_counted_and_known(void **state)
{
    (void)state;
    struct view ve;
    struct exporter_source e;
    world_init(&w, 1);
    count_as_worker();
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

    struct exporter_cursor ec = {0};
    struct exporter_stream es;
    assert_true(e.stream_next(e.arg, COUNTERS_PRODUCER, &ec, &es));
    assert_string_equal(es.room_id, "r");
    assert_string_equal(es.rid, "r0");
    assert_false(es.selected);
    assert_false(e.stream_next(e.arg, COUNTERS_PRODUCER, &ec, &es));

    counters_free(counters);
    world_free(&w);
}

static uint64_t total_of(const struct exporter_source *e, uint32_t worker, size_t row)
{
    uint64_t values[COUNTERS_FIELDS_MAX] = {0};
    assert_true(e->totals(e->arg, worker, COUNTERS_WORKER, values));
    return values[row];
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
        assert_int_equal(total_of(&e, one.index, index), 7 * round);
        counters_free(counters);
        fake_free(&w.workers[0]);
        world_turn(&w);
        cursor = (struct exporter_cursor){0};
        assert_true(e.worker_next(e.arg, &cursor, &one));
        assert_false(one.up);
        assert_int_equal(total_of(&e, one.index, index), 7 * round);
        world_worker_up(&w, 0);
        world_turn(&w);
    }
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_counted_and_known),
        cmocka_unit_test(totals_outlive_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
