#include "worker/cc/alloc.h"

#include "lib/clock.h"
#include "lib/rand.h"
#include "tests/unit/check.h"

#include <string.h>

#define VIDEOS 12

static struct alloc alloc;
static struct alloc_item items[VIDEOS];
static struct alloc_state states[VIDEOS];
static struct alloc_sums sums;

/* Three streams of three temporal layers. */
static const uint32_t simulcast[] = {60000,  90000,  150000, 200000, 300000,
                                     500000, 600000, 900000, 1500000};

static void make(size_t i, unsigned priority, const uint32_t *cost, int n)
{
    states[i] = (struct alloc_state){.step = ALLOC_NONE, .fresh = true};
    items[i] = (struct alloc_item){.state = &states[i], .priority = priority, .n = n};
    memcpy(items[i].cost, cost, (size_t)n * sizeof(*cost));
}

static void start(size_t n)
{
    alloc_init(&alloc);
    for (size_t i = 0; i < n; i++)
        make(i, 1, simulcast, 9);
}

static void run(size_t n, uint64_t bps, int64_t now_us)
{
    alloc_run(&alloc, items, n, bps, false, now_us, &sums);
}

static void lowest_first_then_upwards(void **state)
{
    (void)state;
    start(3);
    run(3, 0, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(states[i].step, ALLOC_NONE);
    assert_int_equal(sums.starved, 3);
    assert_int_equal(sums.wanted_bps, 4500000);
    start(3);
    run(3, 180000 * 8 / 7 + 8, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(states[i].step, 0);
    assert_int_equal(sums.given_bps, 180000);
    /* One step each by turns. */
    start(3);
    run(3, 1500000, 0); /* 1312500 without the spare eighth */
    assert_int_equal(states[0].step, 5);
    assert_int_equal(states[1].step, 5);
    assert_int_equal(states[2].step, 4);
    start(3);
    run(3, 100000000, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(states[i].step, 8);
    assert_int_equal(alloc_next_us(&alloc, items, 3, 0), TIME_NEVER_US);
}

static void the_first_by_priority(void **state)
{
    (void)state;
    start(3);
    items[2].priority = 255; /* a shared screen */
    run(3, 2000000, 0);
    assert_int_equal(states[2].step, 8);
    assert_int_equal(states[0].step, 2);
    assert_int_equal(states[1].step, 1);
    run(3, 1500000, 1); /* what is given first is not taken away for those behind */
    assert_int_equal(states[2].step, 7);
    assert_int_equal(states[0].step, 2);
    run(3, 100000, S_US(5));
    assert_int_equal(states[2].step, 0);
    run(3, 100000, S_US(7));
    assert_int_equal(states[0].step, 0); /* a lowest step may exceed it by a quarter */
    assert_int_equal(states[1].step, ALLOC_NONE);
    assert_int_equal(states[2].step, 0);
    assert_int_equal(sums.starved, 1);
}

static void down_at_once_up_after_a_while(void **state)
{
    (void)state;
    start(1);
    run(1, 2000000, 0);
    assert_int_equal(states[0].step, 8);
    run(1, 1499999, S_US(20));
    assert_int_equal(states[0].step, 7);
    run(1, 1600000, S_US(21)); /* nothing to spare */
    assert_int_equal(alloc_next_us(&alloc, items, 1, S_US(21)), TIME_NEVER_US);
    run(1, 1750000, S_US(22));
    int64_t due_us = S_US(22) + ALLOC_HOLD_US;
    assert_int_equal(alloc_next_us(&alloc, items, 1, S_US(22)), due_us);
    run(1, 1750000, due_us - 1);
    assert_int_equal(states[0].step, 7);
    run(1, 1750000, due_us);
    assert_int_equal(states[0].step, 8);
    /* Taken back soon: the next climb waits for longer. */
    run(1, 1000000, due_us + S_US(1));
    assert_int_equal(states[0].step, 7);
    run(1, 1750000, due_us + S_US(2));
    assert_int_equal(alloc_next_us(&alloc, items, 1, due_us + S_US(2)),
                     due_us + S_US(2) + 2 * ALLOC_HOLD_US);
    /* The least of what was to be had meanwhile. */
    run(1, 350000, due_us + S_US(3));
    assert_int_equal(states[0].step, 4);
    run(1, 800000, due_us + S_US(4));
    run(1, 5000000, due_us + S_US(4) + ALLOC_HOLD_MAX);
    assert_int_equal(states[0].step, 6);
}

static void the_lowest_is_not_dropped_lightly(void **state)
{
    (void)state;
    static const uint32_t one[] = {1000000};
    start(1);
    make(0, 1, one, 1);
    run(1, 1100000, 0); /* it would only just fit */
    assert_int_equal(states[0].step, ALLOC_NONE);
    alloc_run(&alloc, items, 1, 100000, true, 1, &sums); /* nothing is known yet */
    assert_int_equal(states[0].step, 0);
    run(1, 810000, S_US(1));
    run(1, 810000, S_US(9));
    assert_int_equal(states[0].step, 0);
    run(1, 400000, S_US(10));
    assert_int_equal(states[0].step, 0);
    assert_int_equal(alloc_next_us(&alloc, items, 1, S_US(10)), S_US(10) + ALLOC_GRACE_US);
    run(1, 400000, S_US(10) + ALLOC_GRACE_US);
    assert_int_equal(states[0].step, ALLOC_NONE);
    assert_int_equal(alloc_next_us(&alloc, items, 1, S_US(12)), TIME_NEVER_US);
    run(1, 1200000, S_US(20));
    assert_int_equal(states[0].step, ALLOC_NONE);
    run(1, 1200000, S_US(20) + ALLOC_HOLD_MAX);
    assert_int_equal(states[0].step, 0);
}

static void passes_over_what_is_absent(void **state)
{
    (void)state;
    start(1);
    for (int i = 0; i < 3; i++)
        items[0].cost[i] = ALLOC_ABSENT; /* the lowest stream is silent */
    run(1, 2000000, 0);
    assert_int_equal(states[0].step, 8);
    for (int i = 6; i < 9; i++)
        items[0].cost[i] = ALLOC_ABSENT;
    run(1, 2000000, 1);
    assert_int_equal(states[0].step, 5);
    assert_false(alloc.any_down);
    items[0].n = 4;
    run(1, 2000000, 2);
    assert_int_equal(states[0].step, 3);
    items[0].n = 0;
    run(1, 2000000, 3);
    assert_int_equal(states[0].step, ALLOC_NONE);
    assert_int_equal(sums.starved, 0);
    assert_int_equal(sums.wanted_bps, 0);
}

static void a_change_of_wishes_is_followed_at_once(void **state)
{
    (void)state;
    start(2);
    items[0].n = 1;
    run(2, 2000000, 0);
    assert_int_equal(states[0].step, 0);
    items[0].n = 9;
    states[0].fresh = true;
    run(2, 4000000, 1);
    assert_int_equal(states[0].step, 8);
}

/* ---- properties ---- */

static uint32_t below(uint32_t n)
{
    return rand_u32() % n;
}

static void random_items(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t cost[ALLOC_STEPS], sum = 0;
        int steps = (int)below(ALLOC_STEPS) + 1;
        for (int k = 0; k < steps; k++) {
            sum += below(200000) + 10000;
            cost[k] = below(8) ? sum : ALLOC_ABSENT;
        }
        make(i, 1 + below(below(2) ? 3 : 255), cost, steps);
    }
}

static void shorten(struct alloc_item *it)
{
    it->n = 1 + (int)below((uint32_t)it->n);
}

static uint64_t lowest_sum(size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t least = ALLOC_ABSENT;
        for (int k = 0; k < items[i].n; k++)
            if (items[i].cost[k] < least)
                least = items[i].cost[k];
        if (least != ALLOC_ABSENT && states[i].step != ALLOC_NONE)
            sum += least;
    }
    return sum;
}

static void never_more_than_there_is(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + below(VIDEOS);
        alloc_init(&alloc);
        random_items(n);
        int64_t now_us = 0;
        for (int k = 0; k < 200; k++) {
            uint64_t bps = below(2) ? below(10000000) : below(500000);
            now_us += below(1500000);
            run(n, bps, now_us);
            assert_true(sums.given_bps <= bps || sums.given_bps <= bps + bps / 4 || alloc.is_short);
            /* beyond it only the lowest steps, and those of what was being sent */
            if (sums.given_bps > bps)
                assert_int_equal(sums.given_bps, lowest_sum(n));
            if (below(10) == 0)
                shorten(&items[below((uint32_t)n)]);
            if (below(20) == 0)
                states[below((uint32_t)n)].fresh = true;
            int64_t next_us = alloc_next_us(&alloc, items, n, now_us);
            assert_true(next_us > now_us);
        }
    }
}

static void noise_changes_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + below(VIDEOS);
        uint64_t mean = 100000 + below(8000000);
        alloc_init(&alloc);
        random_items(n);
        bool rose[VIDEOS] = {false};
        for (int k = 0; k < 1200; k++) { /* two minutes */
            int before[VIDEOS];
            for (size_t i = 0; i < n; i++)
                before[i] = states[i].step;
            run(n, mean * (900 + below(201)) / 1000, k * INT64_C(100000));
            for (size_t i = 0; i < n; i++) {
                states[i].fresh = false;
                /* what was climbed once things were settled is never taken back */
                assert_false(rose[i] && states[i].step < before[i]);
                rose[i] |= k > 200 && states[i].step > before[i];
            }
        }
    }
}

static void more_priority_is_no_less(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t n = 1 + below(VIDEOS), i = below((uint32_t)n);
        uint64_t bps = below(8000000);
        alloc_init(&alloc);
        random_items(n);
        run(n, bps, 0);
        int before = states[i].step;
        for (size_t k = 0; k < n; k++)
            states[k] = (struct alloc_state){.step = ALLOC_NONE, .fresh = true};
        items[i].priority += below(256 - items[i].priority);
        alloc_init(&alloc);
        run(n, bps, 0);
        assert_true(states[i].step >= before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowest_first_then_upwards),
        cmocka_unit_test(the_first_by_priority),
        cmocka_unit_test(down_at_once_up_after_a_while),
        cmocka_unit_test(the_lowest_is_not_dropped_lightly),
        cmocka_unit_test(passes_over_what_is_absent),
        cmocka_unit_test(a_change_of_wishes_is_followed_at_once),
        cmocka_unit_test(never_more_than_there_is),
        cmocka_unit_test(noise_changes_nothing),
        cmocka_unit_test(more_priority_is_no_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
