#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/stream/keyreq.h"

static void a_thousand_asks_are_one_request(void **state)
{
    (void)state;
    struct keyreq k;
    keyreq_init(&k);
    assert_true(keyreq_next_us(&k) == TIME_NEVER_US);
    assert_false(keyreq_due(&k, 0));
    unsigned sent = 0;
    /* A hundred viewers ask every millisecond for ten seconds; each request is answered within 50 ms. */
    int64_t answer = TIME_NEVER_US;
    for (int64_t t = S_US(1); t < S_US(11); t += MS_US(1)) {
        for (int i = 0; i < 100; i++)
            keyreq_ask(&k);
        if (keyreq_due(&k, t)) {
            sent++;
            answer = t + MS_US(50);
        }
        if (t >= answer) {
            keyreq_key_frame(&k);
            answer = TIME_NEVER_US;
        }
    }
    assert_in_range(sent, 19, 20);
}

static void repeats_what_is_not_answered(void **state)
{
    (void)state;
    struct keyreq k;
    keyreq_init(&k);
    keyreq_ask(&k);
    assert_true(keyreq_due(&k, S_US(1)));
    assert_false(keyreq_due(&k, S_US(1) + MS_US(999)));
    keyreq_ask(&k);
    assert_true(keyreq_next_us(&k) == S_US(2));
    unsigned sent = 1;
    for (int64_t t = S_US(2); t < S_US(60); t += MS_US(100))
        sent += keyreq_due(&k, t);
    assert_int_equal(sent, 1 + KEYREQ_RETRIES);
    assert_true(keyreq_next_us(&k) == TIME_NEVER_US);
    keyreq_ask(&k);
    assert_true(keyreq_due(&k, S_US(61)));
    keyreq_key_frame(&k);
    assert_true(keyreq_next_us(&k) == TIME_NEVER_US);
    keyreq_ask(&k);
    assert_false(keyreq_due(&k, S_US(61) + MS_US(499)));
    assert_true(keyreq_due(&k, S_US(61) + MS_US(500)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_asks_are_one_request),
        cmocka_unit_test(repeats_what_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
