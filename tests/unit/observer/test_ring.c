#include "observer/filter.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

static struct observer_ring ring;

static void numbers_and_drops(void **state)
{
    (void)state;
    observer_ring_init(&ring);
    assert_null(observer_ring_at(&ring, 1));
    observer_ring_add(&ring, OBSERVER_PEER, 0, "r", "p", "\"x\":1}");
    struct observer_event *e = observer_ring_at(&ring, 1);
    assert_memory_equal(e->line, "{\"seq\":1,\"x\":1}\n", e->len);
    assert_string_equal(e->room, "r");
    assert_string_equal(e->peer, "p");
    observer_event_hold(e);
    for (size_t i = 0; i < OBSERVER_EVENTS_MAX; i++)
        observer_ring_add(&ring, OBSERVER_ROOM, 0, "r", NULL, "}");
    assert_null(observer_ring_at(&ring, 1));
    assert_int_equal(ring.first, 2);
    assert_int_equal(ring.next - ring.first, OBSERVER_EVENTS_MAX);
    assert_string_equal(e->room, "r"); /* still ours */
    observer_event_release(e);
    assert_non_null(observer_ring_at(&ring, 2));
    assert_null(observer_ring_at(&ring, ring.next));
    observer_ring_free(&ring);
    assert_int_equal(ring.bytes, 0);
}

static void bounds_the_bytes(void **state)
{
    (void)state;
    char *big = calloc(1, OBSERVER_EVENTS_BYTES / 4);
    memset(big, 'x', OBSERVER_EVENTS_BYTES / 4 - 1);
    observer_ring_init(&ring);
    for (size_t i = 0; i < 100; i++) {
        observer_ring_add(&ring, OBSERVER_ROOM, 0, NULL, NULL, big);
        assert_true(ring.bytes <= OBSERVER_EVENTS_BYTES);
    }
    assert_int_equal(ring.next - ring.first, 3);
    observer_ring_free(&ring);
    free(big);
}

static void filters(void **state)
{
    (void)state;
    struct observer_filter f = {0};
    assert_false(observer_filter_passes(&f, OBSERVER_ROOM, "a", NULL));
    observer_filter_set(&f, OBSERVER_BIT(OBSERVER_PEER) | OBSERVER_BIT(OBSERVER_WORKER), "a", "p",
                        LOG_LEVEL_INFO);
    assert_true(observer_filter_passes(&f, OBSERVER_PEER, "a", "p"));
    assert_false(observer_filter_passes(&f, OBSERVER_PEER, "a", "q"));
    assert_false(observer_filter_passes(&f, OBSERVER_PEER, "b", "p"));
    assert_false(observer_filter_passes(&f, OBSERVER_ROOM, "a", NULL));
    assert_true(observer_filter_passes(&f, OBSERVER_WORKER, NULL, NULL));
    observer_filter_set(&f, OBSERVER_BIT(OBSERVER_LOG), f.room, NULL, LOG_LEVEL_WARN); /* its own */
    struct observer_event e = {.kind = OBSERVER_LOG, .level = LOG_LEVEL_WARN};
    assert_true(observer_filter_event(&f, &e));
    e.level = LOG_LEVEL_INFO;
    assert_false(observer_filter_event(&f, &e));
    observer_filter_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_drops),
        cmocka_unit_test(bounds_the_bytes),
        cmocka_unit_test(filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
