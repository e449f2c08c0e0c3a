#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/stream/capture.h"

#define NTP(s, frac) ((uint64_t)(s) << 32 | (frac))

static void maps_one_stream_to_another(void **state)
{
    (void)state;
    struct capture a = {0}, b = {0};
    assert_false(capture_valid(&a, 0));
    capture_report(&a, 90000, NTP(3900000000u, 0), 1000, S_US(5));
    capture_report(&b, 90000, NTP(3900000000u, 0x80000000u), 0xffffff00u, S_US(6));
    assert_true(capture_valid(&a, S_US(15)));
    assert_false(capture_valid(&a, S_US(15) + 1));
    /* b's report is half a second after a's: 45000 ticks. */
    assert_int_equal(capture_convert(&a, &b, 46000), 0xffffff00u);
    assert_int_equal(capture_convert(&b, &a, 0xffffff00u + 90000), 136000);
    assert_int_equal(capture_convert(&a, &b, 1000), (uint32_t)(0xffffff00u - 45000));
    capture_report(&a, 90000, 0, 1000, S_US(5));
    assert_false(capture_valid(&a, S_US(5)));
}

static void goes_on_along_the_line(void **state)
{
    (void)state;
    struct capture c = {0};
    uint64_t ntp;
    uint32_t ts;
    capture_report(&c, 48000, NTP(3900000000u, 0x40000000u), 0xfffffff0u, S_US(5));
    capture_at(&c, S_US(6) + MS_US(500), &ntp, &ts);
    assert_int_equal(ntp >> 32, 3900000001u);
    assert_in_range(ntp & UINT32_MAX, 0xc0000000u - 8000, 0xc0000000u);
    assert_int_equal(ts, (uint32_t)(0xfffffff0u + 72000));
    /* Absurd reports of a hostile sender only give absurd numbers. */
    capture_report(&c, 90000, UINT64_MAX, 0, 0);
    struct capture d = {0};
    capture_report(&d, UINT32_MAX, 1, 0x80000000u, 0);
    capture_convert(&c, &d, 0x80000000u);
    capture_convert(&d, &c, 0);
    capture_at(&d, S_US(10), &ntp, &ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_one_stream_to_another),
        cmocka_unit_test(goes_on_along_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
