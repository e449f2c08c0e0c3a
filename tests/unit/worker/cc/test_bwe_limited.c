#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_limited.h"

static int64_t now_us;

/* Sends 100 packets a second, at this rate, for a time. */
static bool send_for(struct bwe_limited *l, double bps, int64_t us)
{
    for (int64_t end_us = now_us + us; now_us < end_us; now_us += MS_US(10))
        bwe_limited_sent(l, (size_t)(bps / 800), 1000000, now_us);
    return l->limited;
}

static void by_what_is_sent(void **state)
{
    (void)state;
    struct bwe_limited l = {0};
    now_us = S_US(100);
    assert_false(send_for(&l, 1000000, S_US(5)));
    assert_false(send_for(&l, 700000, S_US(5)));
    assert_false(send_for(&l, 300000, MS_US(300))); /* a pause is not yet a habit */
    assert_true(send_for(&l, 300000, S_US(2)));
    assert_true(send_for(&l, 1000000, MS_US(200)));
    assert_false(send_for(&l, 1000000, MS_US(400)));
    /* Nothing sent at all, and then asked. */
    assert_true(bwe_limited_sent(&l, 0, 1000000, now_us + S_US(2)));
    /* Time that goes back is no time. */
    assert_true(bwe_limited_sent(&l, 0, 1000000, now_us));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(by_what_is_sent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
