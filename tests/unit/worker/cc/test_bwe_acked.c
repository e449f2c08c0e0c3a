#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_acked.h"

static void counts_by_arrival(void **state)
{
    (void)state;
    struct bwe_acked a = {0};
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), 0);
    for (int i = 0; i < 5; i++)
        bwe_acked_packet(&a, S_US(1) + i * INT64_C(10000), 1250);
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), 0); /* too short to say */
    for (int i = 5; i < 200; i++)
        bwe_acked_packet(&a, S_US(1) + i * INT64_C(10000), 1250);
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), 1000000);
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_SHORT_US), 1000000);
    /* A third of it for 150 ms. */
    for (int i = 200; i < 216; i++)
        bwe_acked_packet(&a, S_US(1) + i * INT64_C(10000), 417);
    assert_in_range(bwe_acked_bps(&a, BWE_ACKED_SHORT_US), 330000, 340000);
    assert_in_range(bwe_acked_bps(&a, BWE_ACKED_US), 790000, 810000);
    assert_int_equal(bwe_acked_bps(&a, S_US(3600)), bwe_acked_bps(&a, MS_US(620)));
}

static void late_old_and_ahead(void **state)
{
    (void)state;
    struct bwe_acked a = {0};
    for (int i = 0; i < 100; i++)
        bwe_acked_packet(&a, S_US(9) + i * INT64_C(10000), 1250);
    uint32_t before = bwe_acked_bps(&a, BWE_ACKED_US);
    bwe_acked_packet(&a, S_US(9), 1250); /* too old */
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), before);
    bwe_acked_packet(&a, S_US(9) + MS_US(800), 12500); /* late, and counted where it belongs */
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), before + 200000);
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_SHORT_US), before);
    bwe_acked_packet(&a, S_US(3600), 1250); /* a leap: begins anew */
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), 0);
    bwe_acked_packet(&a, S_US(3600) + MS_US(300), 1250);
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), 1250 * 8 * 10 / 3);
    /* An earlier one moves the beginning back. */
    bwe_acked_packet(&a, S_US(3600) - MS_US(100), 1250);
    assert_int_equal(bwe_acked_bps(&a, BWE_ACKED_US), 2 * 1250 * 8 * 10 / 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_arrival),
        cmocka_unit_test(late_old_and_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
