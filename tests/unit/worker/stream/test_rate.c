#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/stream/rate.h"

static void measures_over_its_window(void **state)
{
    (void)state;
    struct rate r = {0};
    assert_int_equal(rate_bps(&r, S_US(1000)), 0);
    /* 1000 bytes every 10 ms are 800 kbit/s. */
    int64_t t = S_US(1000);
    for (int i = 0; i < 1000; i++, t += MS_US(10))
        rate_add(&r, 1000, t);
    assert_in_range(rate_bps(&r, t), 760000, 800000);
    assert_in_range(rate_bps(&r, t + MS_US(1250)), 350000, 420000);
    assert_int_equal(rate_bps(&r, t + MS_US(2600)), 0);
    assert_int_equal(r.total, 0);
    rate_add(&r, 2500, t + S_US(100));
    assert_int_equal(rate_bps(&r, t + S_US(101)), 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(measures_over_its_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
