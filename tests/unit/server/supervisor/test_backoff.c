#include "tests/unit/check.h"

#include "lib/clock.h"
#include "server/supervisor/backoff.h"

static void doubles_to_the_bound(void **state)
{
    (void)state;
    static const int64_t waits_ms[] = {0, 250, 500, 1000, 2000, 4000, 8000, 10000, 10000};
    struct backoff b = {0};
    for (size_t i = 0; i < ARRAY_LEN(waits_ms); i++)
        assert_int_equal(backoff_wait_us(&b, MS_US(5)), MS_US(waits_ms[i]));
}

static void forgets_after_a_calm_time(void **state)
{
    (void)state;
    struct backoff b = {0};
    for (int i = 0; i < 5; i++)
        backoff_wait_us(&b, 0);
    assert_int_equal(backoff_wait_us(&b, BACKOFF_CALM_US - 1), S_US(4));
    assert_int_equal(backoff_wait_us(&b, BACKOFF_CALM_US), 0);
    assert_int_equal(backoff_wait_us(&b, 0), BACKOFF_FIRST_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_to_the_bound),
        cmocka_unit_test(forgets_after_a_calm_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
