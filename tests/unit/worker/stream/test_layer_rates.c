#include "worker/stream/layer_rates.h"

#include "lib/clock.h"
#include "tests/unit/check.h"

static void sums_up_to_a_layer(void **state)
{
    (void)state;
    struct layer_rates r = {0};
    layer_rates_tick(&r, S_US(1));
    assert_false(layer_rates_known(&r));
    for (int i = 0; i < 500; i++) { /* 10 kB/s in each of three temporal layers, twice that above */
        int64_t now_us = S_US(1) + MS_US(10) * i;
        layer_rates_add(&r, 0, (unsigned)i % 3, 300, now_us);
        layer_rates_add(&r, 7, 9, 200, now_us);
        if (i % 50 == 49)
            layer_rates_tick(&r, now_us + MS_US(10));
    }
    assert_true(layer_rates_known(&r));
    assert_in_range(layer_rates_bps(&r, 0, 0), 78000, 82000);
    assert_in_range(layer_rates_bps(&r, 0, 1), 158000, 162000);
    assert_in_range(layer_rates_bps(&r, 1, 2), 238000, 242000);
    assert_in_range(layer_rates_bps(&r, 3, 3), 398000, 402000);
    assert_int_equal(layer_rates_bps(&r, 9, 9), layer_rates_bps(&r, 3, 3));
    /* What is old is forgotten. */
    for (int i = 1; i <= 5; i++)
        layer_rates_tick(&r, S_US(6) + MS_US(500) * i);
    assert_int_equal(layer_rates_bps(&r, 9, 9), 0);
    layer_rates_reset(&r);
    assert_false(layer_rates_known(&r));
    assert_int_equal(layer_rates_bps(&r, 9, 9), 0);
}

static void a_short_piece_stays_open(void **state)
{
    (void)state;
    struct layer_rates r = {0};
    layer_rates_add(&r, 0, 0, 50000, 0);
    layer_rates_tick(&r, LAYER_RATES_LEAST_US - 1);
    assert_false(layer_rates_known(&r));
    layer_rates_tick(&r, MS_US(500));
    assert_int_equal(layer_rates_bps(&r, 0, 0), 800000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_up_to_a_layer),
        cmocka_unit_test(a_short_piece_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
