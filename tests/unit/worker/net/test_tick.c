#include "tests/unit/check.h"
#include "worker/net/tick.h"

/* `n` windows at a rate, one pass a millisecond. */
static int64_t run(struct tick *t, int64_t now_us, unsigned windows, uint64_t pps)
{
    for (int64_t end_us = now_us + windows * TICK_WINDOW_US; now_us < end_us; now_us += 1000)
        tick_pass(t, pps / 1000, now_us);
    return now_us;
}

static void follows_the_rate(void **state)
{
    (void)state;
    static const struct {
        uint64_t pps;
        int64_t period_us;
    } rows[] = {
        {0, 0},
        {3000, 0}, /* between the bounds: what was, stays */
        {4000, TICK_MAX_US},
        {3000, TICK_MAX_US},
        {32000, 500},
        {64000, TICK_MIN_US},
        {500000, TICK_MIN_US},
        {1000, 0},
    };
    struct tick t = {0};
    int64_t now_us = 1000000;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        now_us = run(&t, now_us, TICK_QUIET_WINDOWS + 2, rows[i].pps);
        assert_int_equal(t.period_us, rows[i].period_us);
    }
}

static void short_silence_ends_nothing(void **state)
{
    (void)state;
    struct tick t = {0};
    int64_t now_us = run(&t, 1000000, 3, 10000);
    now_us = run(&t, now_us, TICK_QUIET_WINDOWS - 1, 0);
    assert_int_not_equal(t.period_us, 0);
    now_us = run(&t, now_us, 2, 10000);
    now_us = run(&t, now_us, TICK_QUIET_WINDOWS - 1, 0);
    assert_int_not_equal(t.period_us, 0);
    run(&t, now_us, 3, 0);
    assert_int_equal(t.period_us, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_rate),
        cmocka_unit_test(short_silence_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
