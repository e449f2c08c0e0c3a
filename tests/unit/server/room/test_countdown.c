#include "server/room/countdown.h"

#include "tests/unit/check.h"

static void reads_and_prints_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint32_t seconds;
    } rows[] = {
        {"00:00:00", true, 0},     {"00:01:05", true, 65}, {"23:59:59", true, 86399},
        {"24:00:00", false, 0},    {"00:60:00", false, 0}, {"00:00:60", false, 0},
        {"0:00:00", false, 0},     {"", false, 0},         {"00:00:0a", false, 0},
        {"00-00-00", false, 0},    {"+1:00:00", false, 0}, {"00:00:00 ", false, 0},
        {"00:00:00:00", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t s = 1;
        assert_int_equal(countdown_parse(rows[i].text, &s), rows[i].ok);
        if (!rows[i].ok)
            continue;
        assert_int_equal(s, rows[i].seconds);
        char text[COUNTDOWN_TEXT];
        countdown_print(text, s);
        assert_string_equal(text, rows[i].text);
    }
}

static void counts_and_ends_once(void **state)
{
    (void)state;
    struct countdown c;
    countdown_init(&c);
    assert_true(c.enabled);
    assert_false(countdown_start(&c, 0)); /* nothing was set */
    countdown_set(&c, 10);
    assert_true(countdown_start(&c, 1000));
    assert_false(countdown_start(&c, 1500));
    assert_int_equal(countdown_remaining(&c, 1000), 10);
    assert_int_equal(countdown_remaining(&c, 1001), 10);
    assert_int_equal(countdown_remaining(&c, 2000), 9);
    assert_true(countdown_stop(&c, 4200));
    assert_false(countdown_stop(&c, 4200));
    assert_int_equal(countdown_remaining(&c, 99999), 7);
    assert_true(countdown_start(&c, 100000));
    assert_false(countdown_ended(&c, 106999));
    assert_true(countdown_ended(&c, 107000));
    assert_false(countdown_ended(&c, 107001));
    assert_int_equal(countdown_remaining(&c, 107001), 0);
    assert_int_equal(c.initial_s, 10);
    countdown_set(&c, UINT32_MAX);
    assert_int_equal(c.remaining_s, 86399);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints_times),
        cmocka_unit_test(counts_and_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
