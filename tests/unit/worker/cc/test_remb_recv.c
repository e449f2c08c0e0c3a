#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/remb_recv.h"

static void tells_a_limit_and_its_end(void **state)
{
    (void)state;
    struct remb_recv r;
    uint32_t bps;
    remb_recv_init(&r);
    assert_true(remb_recv_next_us(&r) == TIME_NEVER_US);
    assert_false(remb_recv_due(&r, 0, S_US(1), &bps));
    remb_recv_set_max(&r, 500000, S_US(1));
    assert_true(remb_recv_due(&r, 0, S_US(1), &bps));
    assert_int_equal(bps, 500000);
    assert_false(remb_recv_due(&r, 0, S_US(2), &bps));
    assert_true(remb_recv_next_us(&r) == S_US(1) + MS_US(1500));
    assert_true(remb_recv_due(&r, 0, S_US(3), &bps));
    remb_recv_set_max(&r, 0, S_US(4));
    unsigned told = 0;
    for (int64_t t = S_US(4); t < S_US(60); t += MS_US(100)) {
        if (remb_recv_due(&r, 0, t, &bps)) {
            assert_int_equal(bps, REMB_RECV_UNLIMITED_BPS);
            told++;
        }
    }
    assert_int_equal(told, 4);
    assert_true(remb_recv_next_us(&r) == TIME_NEVER_US);
}

/* A sender that sends what it is told, up to a link that takes 2 Mbit/s and loses the rest. */
static void estimates_up_to_what_the_link_takes(void **state)
{
    (void)state;
    struct remb_recv r;
    uint32_t bps = 300000, highest = 0;
    uint8_t loss = 0;
    remb_recv_init(&r);
    remb_recv_set_estimate(&r, true, S_US(1));
    for (int64_t t = S_US(1); t < S_US(60); t += MS_US(10)) {
        uint32_t through = bps < 2000000 ? bps : 2000000;
        loss = (uint8_t)((uint64_t)(bps - through) * 256 / bps);
        remb_recv_packet(&r, through / 800, t);
        if (remb_recv_due(&r, loss, t, &bps) && t > S_US(10)) {
            assert_in_range(bps, 1500000, 3100000);
            highest = bps > highest ? bps : highest;
        }
    }
    assert_true(highest >= 2000000);
    /* The server's limit holds. */
    remb_recv_set_max(&r, 400000, S_US(60));
    assert_true(remb_recv_due(&r, 0, S_US(60), &bps));
    assert_int_equal(bps, 400000);
    /* Nothing gets through at all. */
    for (int64_t t = S_US(61); t < S_US(90); t += S_US(1))
        remb_recv_due(&r, 255, t, &bps);
    assert_int_equal(bps, REMB_RECV_FLOOR_BPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_limit_and_its_end),
        cmocka_unit_test(estimates_up_to_what_the_link_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
