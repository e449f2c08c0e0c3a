#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe_aimd.h"

static const struct bwe_aimd_input normal = {
    .usage = BWE_NORMAL,
    .acked_bps = 1000000,
    .acked_short_bps = 1000000,
    .rtt_us = MS_US(100),
};

static int64_t now_us;

static struct bwe_aimd aimd_at(uint32_t bps)
{
    struct bwe_aimd a;
    now_us = S_US(100);
    bwe_aimd_init(&a, bps, 30000, 10000000);
    return a;
}

/* Each 50 ms for a time. */
static void go_on(struct bwe_aimd *a, const struct bwe_aimd_input *in, int64_t us)
{
    for (int64_t end_us = now_us + us; now_us < end_us; now_us += MS_US(50))
        bwe_aimd_update(a, in, now_us);
}

static void overuse(struct bwe_aimd *a, int64_t queue_us)
{
    struct bwe_aimd_input in = normal;
    in.usage = BWE_OVERUSE;
    in.queue_us = in.standing_us = queue_us;
    bwe_aimd_update(a, &in, now_us);
}

static void grows(void **state)
{
    (void)state;
    struct bwe_aimd a = aimd_at(1000000);
    struct bwe_aimd_input in = normal;
    in.acked_bps = 0; /* nothing is known yet */
    go_on(&a, &in, S_US(1));
    assert_true(a.bps == 1000000);
    go_on(&a, &normal, S_US(1));
    assert_in_range((int)a.bps, 1070000, 1080000); /* 8 % a second */
    go_on(&a, &normal, S_US(20));
    assert_in_range((int)a.bps, 1509000, 1511000); /* no more than that above what arrives */
    assert_true(a.capped);
    in = normal;
    in.app_limited = true;
    a = aimd_at(1000000);
    go_on(&a, &in, S_US(5));
    assert_true(a.bps == 1000000);
    /* The limits hold. */
    bwe_aimd_set_limits(&a, 30000, 800000);
    assert_true(a.bps == 800000);
    go_on(&a, &normal, S_US(5));
    assert_true(a.bps == 800000);
    bwe_aimd_set(&a, 1000, now_us);
    assert_true(a.bps == 30000);
}

static void falls_below_what_arrives(void **state)
{
    (void)state;
    static const struct {
        int64_t queue_us;
        int from_bps, to_bps;
    } rows[] = {
        {MS_US(5), 1200000, 1200000},  /* hardly a queue */
        {MS_US(50), 1200000, 890000},  /* 90 %, and what makes it drain in a second */
        {MS_US(140), 1200000, 750000}, /* 85 %, and that */
        {S_US(5), 1200000, 600000},    /* a quarter at most, for that */
        {MS_US(50), 500000, 450000},   /* the rate had just fallen, and it was not enough */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bwe_aimd a = aimd_at((uint32_t)rows[i].from_bps);
        overuse(&a, rows[i].queue_us);
        assert_in_range((int)a.bps, rows[i].to_bps - 1, rows[i].to_bps + 1);
        assert_int_equal(a.falls, rows[i].from_bps != rows[i].to_bps);
    }
}

static void falls_again_only_if_the_queue_stays(void **state)
{
    (void)state;
    struct bwe_aimd a = aimd_at(1200000);
    overuse(&a, MS_US(50));
    now_us += MS_US(100);
    overuse(&a, MS_US(60)); /* less than a round trip later */
    assert_int_equal(a.falls, 1);
    now_us += MS_US(150);
    overuse(&a, MS_US(40)); /* it drains */
    assert_int_equal(a.falls, 1);
    overuse(&a, MS_US(60));
    assert_int_equal(a.falls, 2);
    now_us += S_US(1);
    overuse(&a, MS_US(40)); /* that was another one */
    assert_int_equal(a.falls, 3);
}

static void is_careful_near_the_capacity(void **state)
{
    (void)state;
    struct bwe_aimd a = aimd_at(1200000);
    overuse(&a, MS_US(40));
    assert_true(a.capacity_bps == 1000000);
    go_on(&a, &normal, MS_US(50));
    double before = a.bps;
    go_on(&a, &normal, S_US(1));
    assert_in_range((int)(a.bps - before), 44000, 52000); /* a packet each 200 ms */
    /* More arrives than ever did: the capacity is not known any more. */
    struct bwe_aimd_input more = normal;
    more.acked_bps = 1200000;
    go_on(&a, &more, MS_US(50));
    assert_true(a.capacity_bps == 0);
    /* Holds while the queue drains. */
    struct bwe_aimd_input drains = normal;
    drains.usage = BWE_UNDERUSE;
    before = a.bps;
    go_on(&a, &drains, S_US(1));
    assert_true(a.bps == before);
}

static void drains_a_long_queue(void **state)
{
    (void)state;
    struct bwe_aimd a = aimd_at(1200000);
    overuse(&a, MS_US(240));
    assert_in_range((int)a.bps, 649000, 651000);
    struct bwe_aimd_input in = normal;
    in.queue_us = MS_US(30);
    go_on(&a, &in, MS_US(100));
    assert_in_range((int)a.bps, 850000, 860000);
}

static void little_sent_takes_little(void **state)
{
    (void)state;
    struct bwe_aimd a = aimd_at(1000000);
    struct bwe_aimd_input in = normal;
    in.usage = BWE_OVERUSE;
    in.app_limited = true;
    in.acked_bps = in.acked_short_bps = 100000;
    in.queue_us = in.standing_us = MS_US(50);
    bwe_aimd_update(&a, &in, now_us);
    assert_in_range((int)a.bps, 699999, 700001);
    assert_true(a.capacity_bps == 0);
}

static void leaps(void **state)
{
    (void)state;
    static const struct {
        double leap;
        int to_bps;
    } rows[] = {{0.4, 510000}, {0.9, 350000}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bwe_aimd a = aimd_at(1000000);
        struct bwe_aimd_input in = normal;
        in.leap = rows[i].leap;
        in.queue_us = in.standing_us = MS_US(80);
        bwe_aimd_update(&a, &in, now_us);
        assert_in_range((int)a.bps, rows[i].to_bps - 1, rows[i].to_bps + 1);
        now_us += MS_US(50);
        bwe_aimd_update(&a, &in, now_us); /* once */
        assert_in_range((int)a.bps, rows[i].to_bps - 1, rows[i].to_bps + 1);
        /* It was a hiccup. */
        go_on(&a, &normal, MS_US(100));
        assert_in_range((int)a.bps, 950000, 960000);
    }
}

static void a_probe_has_its_own_queue(void **state)
{
    (void)state;
    struct bwe_aimd a = aimd_at(1200000);
    struct bwe_aimd_input in = normal;
    in.usage = BWE_OVERUSE;
    in.probing = true;
    in.queue_us = in.standing_us = MS_US(90);
    bwe_aimd_update(&a, &in, now_us);
    assert_int_equal(a.falls, 0);
    in.queue_us = MS_US(110);
    bwe_aimd_update(&a, &in, now_us);
    assert_int_equal(a.falls, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(falls_below_what_arrives),
        cmocka_unit_test(falls_again_only_if_the_queue_stays),
        cmocka_unit_test(is_careful_near_the_capacity),
        cmocka_unit_test(drains_a_long_queue),
        cmocka_unit_test(little_sent_takes_little),
        cmocka_unit_test(leaps),
        cmocka_unit_test(a_probe_has_its_own_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
