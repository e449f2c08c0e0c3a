#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_prober.h"

#define TARGET 600000.0

static struct bwe_cluster c;

/* Sends the burst that is due as it asks, and lets it arrive at a rate; what it showed. */
static double burst(struct bwe_prober *p, int64_t now_us, double arrive_bps)
{
    assert_true(bwe_prober_take(p, now_us, &c));
    size_t bytes = 1000;
    int64_t arrival_us = now_us + S_US(50);
    uint32_t sent = 0, packets = 0;
    for (; sent < c.min_bytes || packets < c.min_packets; packets++, sent += 1000) {
        assert_int_equal(bwe_prober_sent(p, c.id, bytes, now_us), c.id);
        bwe_prober_arrived(p, c.id, bytes, now_us, arrival_us);
        now_us += (int64_t)(8e9 / c.bps);
        arrival_us += (int64_t)(8e9 / arrive_bps);
    }
    assert_int_equal(bwe_prober_sent(p, 0, bytes, now_us), 0); /* it is out */
    return bwe_prober_result(p, TARGET, now_us + MS_US(50));
}

static void look(struct bwe_prober *p, double target, bool useful, int64_t now_us)
{
    struct bwe_prober_view v = {target, useful};
    bwe_prober_look(p, &v, now_us);
}

static void begins_with_a_burst_each(void **state)
{
    (void)state;
    struct bwe_prober p = {0};
    assert_true(bwe_prober_next_us(&p) == TIME_NEVER_US);
    bwe_prober_want(&p, 0, TARGET, S_US(1));
    bwe_prober_want(&p, 500000, TARGET, S_US(1)); /* less than may be sent anyhow */
    assert_true(bwe_prober_next_us(&p) == TIME_NEVER_US);
    bwe_prober_want(&p, 10000000, TARGET, S_US(2));
    assert_true(bwe_prober_next_us(&p) == S_US(2));
    /* As fast as it was sent: another one, twice that. */
    double bps = burst(&p, S_US(2), 1800000);
    assert_int_equal(c.bps, 1800000);
    assert_int_equal(c.min_packets, 5);
    assert_int_equal(c.min_bytes, 3375);
    assert_in_range((int)bps, 1799000, 1801000);
    bps = burst(&p, S_US(3), 3000000);
    assert_in_range(c.bps, 3598000, 3602000);
    /* Slower than it was sent: 95 % of that; still well enough to go on. */
    assert_in_range((int)bps, 2840000, 2860000);
    bps = burst(&p, S_US(4), 3000000);
    assert_in_range(c.bps, 5690000, 5710000);
    assert_in_range((int)bps, 2840000, 2860000);
    /* That was not what was asked for: it ends. */
    assert_false(bwe_prober_take(&p, S_US(5), &c));
    assert_int_equal(p.asked, 3);
    assert_int_equal(p.good, 3);
}

static void asks_for_no_more_than_is_wanted(void **state)
{
    (void)state;
    struct bwe_prober p = {0};
    bwe_prober_want(&p, 800000, TARGET, S_US(1));
    assert_true(bwe_prober_take(&p, S_US(1), &c));
    assert_int_equal(c.bps, 1000000);
    /* As much as is wanted is there. */
    p = (struct bwe_prober){0};
    bwe_prober_want(&p, 1000000, TARGET, S_US(1));
    assert_true(burst(&p, S_US(1), 1250000) > 1200000);
    look(&p, 1250000, true, S_US(60));
    assert_false(bwe_prober_take(&p, S_US(60), &c));
    assert_true(bwe_prober_next_us(&p) == TIME_NEVER_US);
    /* More is wanted. */
    bwe_prober_want(&p, 5000000, 1250000, S_US(61));
    assert_true(bwe_prober_take(&p, S_US(61), &c));
    assert_int_equal(c.bps, 2500000);
}

static void looks_again(void **state)
{
    (void)state;
    struct bwe_prober p = {0};
    bwe_prober_want(&p, 10000000, TARGET, S_US(1));
    burst(&p, S_US(1), 1000000);
    int64_t due_us = bwe_prober_next_us(&p);
    assert_in_range(due_us, S_US(6), S_US(6) + MS_US(100));
    look(&p, TARGET, true, due_us - 1);
    assert_false(bwe_prober_take(&p, due_us, &c));
    look(&p, TARGET, false, due_us); /* it would show nothing */
    assert_false(bwe_prober_take(&p, due_us, &c));
    assert_true(bwe_prober_next_us(&p) == due_us + BWE_PROBER_AGAIN_US);
    due_us += BWE_PROBER_AGAIN_US;
    look(&p, TARGET, true, due_us);
    assert_true(bwe_prober_take(&p, due_us, &c));
    assert_int_equal(c.bps, 1200000);
}

static void gives_up(void **state)
{
    (void)state;
    struct bwe_prober p = {0};
    bwe_prober_want(&p, 10000000, TARGET, S_US(1));
    /* At the start, when no burst was answered yet, it is asked for again, some times. */
    int64_t now_us = S_US(1);
    for (int i = 0; i < BWE_PROBER_TRIES; i++) {
        assert_true(bwe_prober_take(&p, now_us, &c));
        assert_true(bwe_prober_next_us(&p) == now_us + BWE_PROBE_GIVE_UP_US);
        now_us += BWE_PROBE_GIVE_UP_US;
        look(&p, TARGET, false, now_us);
    }
    assert_false(bwe_prober_take(&p, now_us, &c));
    assert_int_equal(p.state, BWE_PROBER_IDLE);
    /* A packet of a burst that is over is nobody's. */
    assert_int_equal(bwe_prober_sent(&p, c.id, 1000, now_us), 0);
    bwe_prober_arrived(&p, c.id, 1000, now_us, now_us);
    assert_int_equal(p.packets, 0);
}

static void media_between_counts(void **state)
{
    (void)state;
    struct bwe_prober p = {0};
    bwe_prober_want(&p, 10000000, TARGET, S_US(1));
    assert_true(bwe_prober_take(&p, S_US(1), &c));
    assert_int_equal(bwe_prober_sent(&p, 0, 1000, S_US(1)), 0); /* it has not begun */
    assert_int_equal(bwe_prober_sent(&p, c.id, 1000, S_US(1)), c.id);
    assert_int_equal(bwe_prober_sent(&p, 0, 1000, S_US(1) + 100), c.id);
    assert_int_equal(p.sent_packets, 1);
}

static void absurd_times_show_nothing(void **state)
{
    (void)state;
    static const struct {
        int64_t between_us; /* arrivals */
    } rows[] = {{0}, {-100}, {S_US(1)}, {100}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bwe_prober p = {0};
        bwe_prober_want(&p, 10000000, TARGET, S_US(1));
        assert_true(bwe_prober_take(&p, S_US(1), &c));
        for (int k = 0; k < 5; k++) {
            bwe_prober_sent(&p, c.id, 1000, S_US(1) + k * MS_US(4));
            bwe_prober_arrived(&p, c.id, 1000, S_US(1) + k * MS_US(4),
                               S_US(9) + k * rows[i].between_us);
        }
        assert_true(bwe_prober_result(&p, TARGET, S_US(2)) == 0);
        assert_int_equal(p.state, BWE_PROBER_IDLE);
    }
}

/* What shows less than is sent anyhow was disturbed: the next one is longer, so that it is less
 * so. */
static void grows_longer(void **state)
{
    (void)state;
    struct bwe_prober p = {0};
    static const uint32_t bytes[] = {3375, 4500, 4500, 4500};
    bwe_prober_want(&p, 10000000, TARGET, S_US(1));
    int64_t now_us = S_US(1);
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
        assert_true(burst(&p, now_us, 400000) < TARGET);
        assert_int_equal(c.min_bytes, bytes[i]);
        now_us += BWE_PROBE_EVERY_US;
        look(&p, TARGET, true, now_us + S_US(1));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_a_burst_each),
        cmocka_unit_test(asks_for_no_more_than_is_wanted),
        cmocka_unit_test(looks_again),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(media_between_counts),
        cmocka_unit_test(absurd_times_show_nothing),
        cmocka_unit_test(grows_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
