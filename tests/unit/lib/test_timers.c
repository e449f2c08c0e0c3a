#include "lib/clock.h"
#include "lib/timers.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static int64_t last_due;
static unsigned fired;

static void in_order(struct timer *t, int64_t now_us, void *arg)
{
    (void)arg;
    assert_true(t->due_us >= last_due);
    assert_true(t->due_us <= now_us);
    last_due = t->due_us;
    fired++;
}

static void fires_all_in_order(void **state)
{
    (void)state;
    struct timers ts;
    static struct timer t[500];
    timers_init(&ts);
    srand(7);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        timer_init(&t[i], in_order, NULL);
        timer_start(&ts, &t[i], rand() % 1000);
    }
    for (size_t i = 0; i < ARRAY_LEN(t); i += 3) /* moved */
        timer_start(&ts, &t[i], rand() % 1000);
    for (size_t i = 0; i < ARRAY_LEN(t); i += 5) /* stopped, some twice */
        timer_stop(&ts, &t[i]);
    timer_stop(&ts, &t[0]);
    fired = 0;
    for (int64_t now = 0; now <= 1000; now += 10) {
        timers_run(&ts, now);
        assert_true(timers_next_us(&ts) > now);
    }
    assert_int_equal(fired, 400);
    assert_true(timers_next_us(&ts) == TIME_NEVER_US);
    timers_free(&ts);
}

static struct timers loop;

static void again_at_once(struct timer *t, int64_t now_us, void *arg)
{
    (void)arg;
    fired++;
    timer_start(&loop, t, now_us);
}

static void a_timer_in_the_past_does_not_hold_the_loop(void **state)
{
    (void)state;
    struct timer t;
    timers_init(&loop);
    timer_init(&t, again_at_once, NULL);
    timer_start(&loop, &t, 1);
    fired = 0;
    timers_run(&loop, 5);
    assert_int_equal(fired, 1);
    timers_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_all_in_order),
        cmocka_unit_test(a_timer_in_the_past_does_not_hold_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
