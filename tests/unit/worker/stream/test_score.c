#include "tests/unit/check.h"
#include "worker/stream/score.h"

static unsigned first_sample(struct score_counts c)
{
    struct score s;
    score_init(&s);
    score_sample(&s, &c);
    return s.value;
}

static void samples_by_the_formula(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct score_counts c; /* expected, received, lost, repaired, retransmitted */
        unsigned value;
    } rows[] = {
        {"nothing expected", {0, 0, 0, 0, 0}, 10},
        {"nothing received", {10, 0, 10, 0, 0}, 0},
        {"all received", {100, 100, 0, 0, 0}, 10},
        {"a tenth lost", {100, 90, 10, 0, 0}, 6},                 /* (80/90)^4 = 0.62 */
        {"a tenth lost, all repaired", {100, 90, 10, 10, 10}, 9}, /* weight 0.656: lost' 3.44 */
        {"repaired at the second try", {100, 90, 10, 10, 20}, 7}, /* weight 0.328: lost' 6.72 */
        {"half lost", {100, 50, 50, 0, 0}, 0},
        {"more lost than received", {100, 10, 90, 0, 0}, 0},
        {"more repaired than lost", {100, 100, 0, 10, 10}, 10},
        /* Five of fifteen resends were not needed: as if ten had been for ten. */
        {"repairs of what was there", {100, 90, 10, 15, 15}, 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (first_sample(rows[i].c) != rows[i].value)
            fail_msg("%s: %u", rows[i].what, first_sample(rows[i].c));
}

static void weighs_the_newest_most(void **state)
{
    (void)state;
    struct score s;
    const struct score_counts good = {100, 100, 0, 0, 0}, bad = {100, 0, 100, 0, 0};
    score_init(&s);
    assert_int_equal(s.value, 10);
    for (int i = 0; i < 30; i++)
        score_sample(&s, &good);
    assert_int_equal(s.value, 10);
    /* One bad one weighs 24 of 300. */
    assert_true(score_sample(&s, &bad));
    assert_int_equal(s.value, 9);
    unsigned last = 9;
    for (int i = 0; i < 23; i++) {
        score_sample(&s, &bad);
        assert_true(s.value <= last);
        last = s.value;
    }
    assert_int_equal(s.value, 0);
    assert_true(score_sample(&s, &good));
    assert_int_equal(s.value, 1);
}

static void silence_is_zero_at_once(void **state)
{
    (void)state;
    struct score s;
    const struct score_counts good = {100, 100, 0, 0, 0};
    score_init(&s);
    assert_false(score_heard(&s));
    assert_true(score_silence(&s));
    assert_int_equal(s.value, 0);
    assert_false(score_silence(&s));
    assert_false(score_sample(&s, &good));
    assert_int_equal(s.value, 0);
    assert_true(score_heard(&s));
    assert_int_equal(s.value, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_by_the_formula),
        cmocka_unit_test(weighs_the_newest_most),
        cmocka_unit_test(silence_is_zero_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
