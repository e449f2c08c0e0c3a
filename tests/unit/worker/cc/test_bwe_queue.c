#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_queue.h"

#define OFFSET_US S_US(5000) /* between the clocks */
#define RATE_BPS  1000000.0

static void packet(struct bwe_queue *q, int64_t sent_us, int64_t delay_us)
{
    bwe_queue_packet(q, sent_us, sent_us + OFFSET_US + delay_us);
}

static void above_the_least(void **state)
{
    (void)state;
    struct bwe_queue q = {0};
    packet(&q, S_US(1), MS_US(40));
    assert_int_equal(q.queue_us, 0);
    packet(&q, S_US(2), MS_US(65));
    assert_int_equal(q.queue_us, MS_US(25));
    packet(&q, S_US(3), MS_US(30));
    assert_int_equal(q.queue_us, 0);
    assert_true(bwe_queue_round(&q, RATE_BPS) == 0);
    assert_int_equal(q.standing_us, 0);
    /* Remembered for one to two periods: then another way is the best there is. */
    packet(&q, S_US(12), MS_US(90));
    assert_int_equal(q.queue_us, MS_US(60));
    packet(&q, S_US(23), MS_US(90));
    assert_int_equal(q.queue_us, 0);
}

static void what_stands(void **state)
{
    (void)state;
    struct bwe_queue q = {0};
    packet(&q, S_US(1), 0);
    bwe_queue_round(&q, RATE_BPS);
    packet(&q, S_US(1) + MS_US(10), MS_US(30));
    packet(&q, S_US(1) + MS_US(20), MS_US(12));
    packet(&q, S_US(1) + MS_US(30), MS_US(20));
    bwe_queue_round(&q, RATE_BPS);
    assert_int_equal(q.standing_us, MS_US(12));
    assert_int_equal(q.queue_us, MS_US(20));
    bwe_queue_round(&q, RATE_BPS); /* nothing arrived */
    assert_int_equal(q.standing_us, 0);
}

/* Feedback each 50 ms of arrival time: how much the delay grows by in each. */
static void leaps(void **state)
{
    (void)state;
    static const struct {
        int64_t more_ms[4];
        double rate_bps;
        double leap[4];
    } rows[] = {
        {{10, 10, 10, 10}, 3e6, {0, 0, 0, 0}},       /* a trend, not a leap */
        {{40, 40, 40, 40}, 3e6, {0, 0.8, 0.8, 0.8}}, /* five times too much */
        {{40, 40, 40, 40}, 1e6, {0, 0.8, 0.8, 0.8}},
        {{40, 40, 40, 40}, 3e5, {0, 0, 0, 0.8}}, /* two packets more are nothing special */
        {{200, 0, 0, 0}, 3e6, {1, 1, 1, 1}},     /* all was held up */
        {{40, -40, 40, -40}, 3e6, {0, 0, 0, 0}}, /* jitter */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bwe_queue q = {0};
        int64_t arrival_us = S_US(100), delay_us = 0;
        for (int k = 0; k < 5; k++) {
            bwe_queue_packet(&q, arrival_us, arrival_us);
            assert_true(bwe_queue_round(&q, rows[i].rate_bps) == 0);
            arrival_us += MS_US(50);
        }
        for (int k = 0; k < 4; k++) {
            delay_us += MS_US(rows[i].more_ms[k]);
            bwe_queue_packet(&q, arrival_us - delay_us, arrival_us);
            double leap = bwe_queue_round(&q, rows[i].rate_bps);
            assert_true(leap > rows[i].leap[k] - 0.02 && leap < rows[i].leap[k] + 0.02);
            arrival_us += MS_US(50);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(above_the_least),
        cmocka_unit_test(what_stands),
        cmocka_unit_test(leaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
