#include "proto/histogram.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static const struct histogram_kind *const kinds[] = {&histogram_forward, &histogram_rtt,
                                                     &histogram_connect};

static void bounds_grow_and_are_written_as_they_are(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
            assert_true(i == 0 || kinds[k]->bounds_us[i] > kinds[k]->bounds_us[i - 1]);
            double us = strtod(kinds[k]->bounds[i], NULL) * 1e6;
            assert_int_equal((uint32_t)(us + 0.5), kinds[k]->bounds_us[i]);
        }
    }
}

static void a_value_is_in_one_bucket(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        size_t bucket;
    } rows[] = {{-5, 0}, {0, 0}, {50, 0}, {51, 1}, {200000, 11}, {200001, 12}, {INT32_MAX, 12}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t h[HISTOGRAM_ROWS] = {0};
        histogram_add(h, &histogram_forward, rows[i].us);
        for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++)
            assert_int_equal(h[b], b == rows[i].bucket);
        assert_int_equal(h[HISTOGRAM_BUCKETS], rows[i].us > 0 ? rows[i].us : 0);
    }
}

static void its_rows_stand_together(void **state)
{
    (void)state;
    assert_int_equal(COUNTERS_INDEX(worker, forward_12) - COUNTERS_INDEX(worker, forward_0),
                     HISTOGRAM_BOUNDS);
    assert_int_equal(COUNTERS_INDEX(worker, forward_sum) - COUNTERS_INDEX(worker, forward_0),
                     HISTOGRAM_BUCKETS);
    assert_int_equal(COUNTERS_INDEX(worker, rtt_sum) - COUNTERS_INDEX(worker, rtt_0),
                     HISTOGRAM_BUCKETS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_grow_and_are_written_as_they_are),
        cmocka_unit_test(a_value_is_in_one_bucket),
        cmocka_unit_test(its_rows_stand_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
