#include "tests/unit/check.h"

#include "load/spread.h"

#include <stdlib.h>

static struct spread s;

static void is_empty_at_first(void **state)
{
    (void)state;
    spread_clear(&s);
    assert_int_equal(spread_percentile(&s, 50), 0);
    assert_int_equal(spread_percentile(&s, 100), 0);
    assert_true(spread_mean(&s) == 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    spread_clear(&s);
    for (int i = 1; i <= 20; i++)
        spread_add(&s, i);
    assert_int_equal(spread_percentile(&s, 0), 1);
    assert_int_equal(spread_percentile(&s, 50), 10);
    assert_int_equal(spread_percentile(&s, 95), 19);
    assert_int_equal(spread_percentile(&s, 100), 20);
    assert_true(spread_mean(&s) == 10.5);
}

static void takes_what_is_out_of_range(void **state)
{
    (void)state;
    spread_clear(&s);
    spread_add(&s, -5);
    spread_add(&s, INT64_MAX);
    assert_int_equal(spread_percentile(&s, 50), 0);
    assert_int_equal(spread_percentile(&s, 100), SPREAD_MAX);
    assert_int_equal(s.count, 2);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Against sorting: never below the true one, and not more than a bucket above it. */
static void percentiles_are_near_the_true_ones(void **state)
{
    (void)state;
    enum { N = 5000 };
    static int64_t values[N];
    srandom(1);
    for (int round = 0; round < 20; round++) {
        spread_clear(&s);
        for (int i = 0; i < N; i++) {
            values[i] = random() >> (random() % 31);
            spread_add(&s, values[i]);
        }
        qsort(values, N, sizeof(values[0]), compare);
        for (int percent = 1; percent <= 100; percent++) {
            int64_t truth = values[N * percent / 100 - 1];
            int64_t got = spread_percentile(&s, percent);
            if (got < truth || got > truth + truth / SPREAD_FINE + 1)
                fail_msg("%d %%: %lld, not %lld", percent, (long long)got, (long long)truth);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_empty_at_first),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(takes_what_is_out_of_range),
        cmocka_unit_test(percentiles_are_near_the_true_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
