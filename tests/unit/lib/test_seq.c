#include "lib/seq.h"
#include "tests/unit/check.h"

static void compares_across_the_wrap(void **state)
{
    (void)state;
    assert_int_equal(seq16_diff(1, 65535), 2);
    assert_int_equal(seq16_diff(65535, 1), -2);
    assert_true(seq16_newer(0, 65535));
    assert_false(seq16_newer(5, 5));
    assert_true(seq32_newer(3, 0xfffffff0u));
    assert_int_equal(seq32_diff(0, 0xffffffffu), 1);
}

static void extends_to_the_nearest(void **state)
{
    (void)state;
    assert_true(seq16_extend(2, 65534) == 65538);
    assert_true(seq16_extend(65534, 65538) == 65534);
    assert_true(seq16_extend(7, 7) == 7);
    assert_true(seq32_extend(1, 0xffffffffLL) == 0x100000001LL);
    /* Every distance within a half-turn is found again. */
    for (int64_t ref = 60000; ref < 600000; ref += 6007)
        for (int64_t d = -32768; d < 32768; d += 211)
            assert_true(seq16_extend((uint16_t)(ref + d), ref) == ref + d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_across_the_wrap),
        cmocka_unit_test(extends_to_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
