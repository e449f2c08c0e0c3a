#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_loss.h"

#define RTT_US MS_US(50)

static int64_t now_us;

/* A second in which 400 packets are sent at *rate_bps, which follows the limit: `lost` of 100
 * are lost whatever is sent, and all over capacity_bps. */
static void second(struct bwe_loss *l, double *rate_bps, double lost, double capacity_bps)
{
    double owed = 0;
    for (int i = 0; i < 20; i++) {
        double over = *rate_bps > capacity_bps ? 1 - capacity_bps / *rate_bps : 0;
        owed += 20 * (lost / 100 + over);
        int now = (int)owed;
        owed -= now;
        bwe_loss_take(l, now, 20);
        bwe_loss_update(l, *rate_bps, RTT_US, now_us);
        if (l->bps > 0 && l->bps < *rate_bps)
            *rate_bps = l->bps;
        now_us += MS_US(50);
    }
}

static void by_share(void **state)
{
    (void)state;
    static const struct {
        int lost;
        double limit_bps; /* 0: none */
    } rows[] = {{0, 0}, {1, 0}, {5, 0}, {9, 0}, {20, 900000}, {40, 800000}, {100, 500000}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bwe_loss l = {0};
        now_us = S_US(100);
        bwe_loss_update(&l, 1000000, RTT_US, now_us);
        for (int k = 0; k < 11 && l.bps <= 0; k++) {
            bwe_loss_take(&l, rows[i].lost, 100);
            bwe_loss_update(&l, 1000000, RTT_US, now_us);
            now_us += MS_US(50);
        }
        assert_true(l.bps == rows[i].limit_bps);
    }
}

static void loss_of_ours_goes_when_less_is_sent(void **state)
{
    (void)state;
    struct bwe_loss l = {0};
    now_us = S_US(100);
    double rate = 1500000;
    for (int i = 0; i < 12; i++)
        second(&l, &rate, 0, 1000000);
    assert_true(rate < 1120000 && rate > 900000);
    assert_true(l.inherent < 0.02);
    /* The limit grows, and goes. */
    for (int i = 0; i < 10; i++)
        second(&l, &rate, 0, 2000000);
    assert_true(l.bps == 0);
}

static void loss_of_the_path_stays(void **state)
{
    (void)state;
    struct bwe_loss l = {0};
    now_us = S_US(100);
    double rate = 1000000;
    for (int i = 0; i < 60; i++)
        second(&l, &rate, 15, 2000000);
    assert_true(l.inherent > 0.1);
    assert_true(rate > 850000);
    /* More than it ever may be is ours again. */
    for (int i = 0; i < 60; i++)
        second(&l, &rate, 60, 2000000);
    assert_true(l.inherent <= BWE_LOSS_INHERENT_MAX);
    assert_true(rate < 100000);
    /* The path gets better. */
    for (int i = 0; i < 60; i++)
        second(&l, &rate, 0, 2000000);
    assert_true(l.inherent < 0.01);
}

static void few_packets_take_longer(void **state)
{
    (void)state;
    struct bwe_loss l = {0};
    now_us = S_US(100);
    bwe_loss_update(&l, 1000000, RTT_US, now_us);
    bwe_loss_take(&l, 5, 10);
    bwe_loss_update(&l, 1000000, RTT_US, now_us + S_US(1));
    assert_true(l.share == 0);
    bwe_loss_update(&l, 1000000, RTT_US, now_us + BWE_LOSS_PERIOD_MAX_US);
    assert_true(l.share == 0.5);
    /* Told lost, arrived after all; more than were lost in this period. */
    bwe_loss_forget(&l);
    bwe_loss_update(&l, 1000000, RTT_US, now_us + S_US(10));
    bwe_loss_take(&l, -20, 100);
    bwe_loss_update(&l, 1000000, RTT_US, now_us + S_US(11));
    assert_true(l.share == 0);
}

static void a_probe_raises(void **state)
{
    (void)state;
    struct bwe_loss l = {0};
    bwe_loss_raise(&l, 5000);
    assert_true(l.bps == 0);
    l.bps = 1000;
    bwe_loss_raise(&l, 5000);
    assert_true(l.bps == 5000);
    bwe_loss_raise(&l, 2000);
    assert_true(l.bps == 5000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_share),
        cmocka_unit_test(loss_of_ours_goes_when_less_is_sent),
        cmocka_unit_test(loss_of_the_path_stays),
        cmocka_unit_test(few_packets_take_longer),
        cmocka_unit_test(a_probe_raises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
