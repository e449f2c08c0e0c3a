#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_trend.h"

#define GAP_US 10000 /* between groups */

/* n groups of two packets, each delayed by `more_us` more than the one before, and every other
 * one by noise_us besides. Counts what it says after each group. */
static void feed(struct bwe_trend *t, int n, int64_t more_us, int64_t noise_us, int seen[3])
{
    static int64_t sent_us = S_US(5);
    static int64_t delay_us = MS_US(50);
    for (int i = 0; i < n; i++) {
        sent_us += GAP_US;
        delay_us += more_us;
        int64_t at_us = sent_us + delay_us + (i % 2 ? noise_us : 0) + S_US(1000);
        bwe_trend_packet(t, sent_us, at_us);
        seen[bwe_trend_packet(t, sent_us + 500, at_us + 500)]++;
    }
}

static void follows_the_delay(void **state)
{
    (void)state;
    static const struct {
        int64_t more_us, noise_us;
        enum bwe_usage expect;
    } rows[] = {
        {0, 0, BWE_NORMAL},       {0, 1000, BWE_NORMAL},      {20, 0, BWE_NORMAL},
        {1000, 0, BWE_OVERUSE},   {5000, 1000, BWE_OVERUSE},  {30000, 0, BWE_OVERUSE},
        {-1000, 0, BWE_UNDERUSE}, {-3000, 500, BWE_UNDERUSE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bwe_trend t;
        int seen[3] = {0};
        bwe_trend_init(&t);
        feed(&t, 60, 0, rows[i].noise_us, seen);
        assert_int_equal(seen[BWE_NORMAL], 60);
        feed(&t, 30, rows[i].more_us, rows[i].noise_us, seen);
        if (rows[i].expect == BWE_NORMAL)
            assert_int_equal(seen[BWE_NORMAL], 90);
        else
            assert_in_range(seen[rows[i].expect], 10, 30);
        int again[3] = {0};
        feed(&t, 60, 0, 0, again);
        assert_int_equal(t.usage, BWE_NORMAL);
    }
}

static void threshold_follows(void **state)
{
    (void)state;
    struct bwe_trend t;
    int seen[3] = {0};
    bwe_trend_init(&t);
    feed(&t, 200, 0, 0, seen);
    assert_true(t.threshold_ms == 6.0);
    feed(&t, 300, 500, 0, seen); /* a slope of 12 ms, as it is counted */
    assert_true(t.threshold_ms > 9 && t.threshold_ms < 13);
    feed(&t, 2000, 0, 0, seen);
    assert_true(t.threshold_ms == 6.0);
}

/* A late packet adds to the delay what the next one takes back. */
static void reordering_is_no_trend(void **state)
{
    (void)state;
    struct bwe_trend t;
    bwe_trend_init(&t);
    for (int i = 0; i < 2000; i++) {
        int64_t sent_us = S_US(1) + i * INT64_C(6000);
        bwe_trend_packet(&t, sent_us, sent_us + (i % 10 == 9 ? MS_US(20) : 0));
        assert_int_not_equal(t.usage, i < 100 ? 3 : BWE_UNDERUSE);
    }
    assert_true(t.delay_ms < 25 && t.delay_ms > -25);
}

static void begins_anew_after_a_jump(void **state)
{
    (void)state;
    struct bwe_trend t;
    bwe_trend_init(&t);
    int64_t at_us = S_US(100);
    for (int i = 0; i < 100; i++)
        bwe_trend_packet(&t, S_US(1) + i * INT64_C(10000), at_us + i * INT64_C(10000));
    assert_int_equal(t.deltas, 98);
    at_us += S_US(60);
    for (int i = 100; i < 200; i++)
        assert_int_equal(
            bwe_trend_packet(&t, S_US(1) + i * INT64_C(10000), at_us + i * INT64_C(10000)),
            BWE_NORMAL);
    assert_int_equal(t.deltas, 98);
}

static void bursts_are_one_group(void **state)
{
    (void)state;
    struct bwe_trend t;
    bwe_trend_init(&t);
    /* Held up for 60 ms, then all at once: sent 10 ms apart, arriving within one. */
    for (int i = 0; i < 6; i++)
        bwe_trend_packet(&t, S_US(1) + i * INT64_C(10000), S_US(1) + MS_US(100) + i * 100);
    assert_int_equal(t.groups, 1);
    /* One that was sent before the group began is left out. */
    bwe_trend_packet(&t, S_US(1) - MS_US(50), S_US(1) + MS_US(101));
    assert_int_equal(t.groups, 1);
    assert_int_equal(t.now.last_sent_us, S_US(1) + MS_US(50));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_delay),      cmocka_unit_test(threshold_follows),
        cmocka_unit_test(reordering_is_no_trend), cmocka_unit_test(begins_anew_after_a_jump),
        cmocka_unit_test(bursts_are_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
