#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/cc/bwe.h"

#include <string.h>

static struct bwe *b;
static struct bwe_stats stats;
static int64_t now_us;
static uint16_t seq;
static struct rtcp_twcc_status st[RTCP_TWCC_MAX];

static int set_up(void **state)
{
    (void)state;
    now_us = S_US(1000);
    seq = 65500;
    return bwe_new(&b, NULL, now_us);
}

static int tear_down(void **state)
{
    (void)state;
    bwe_free(b);
    bwe_free(NULL);
    return 0;
}

/* Sends 1000 bytes each 10 ms, 800 kbit/s, for a time; a feedback each 50 ms, all arriving after
 * 30 ms, on a clock that wraps. */
static void go_on(int64_t us)
{
    size_t n = 0;
    for (int64_t end_us = now_us + us; now_us < end_us;) {
        bwe_sent(b, seq, 1000, 0, now_us);
        st[n++] = (struct rtcp_twcc_status){
            .seq = seq++, .received = true, .arrival_us = (now_us + MS_US(30)) % S_US(900)};
        now_us += MS_US(10);
        if (n == 5) {
            bwe_feedback(b, st, n, now_us + MS_US(60));
            n = 0;
        }
        bwe_tick(b, now_us);
    }
}

static void send_for(int64_t us)
{
    for (int64_t end_us = now_us + us; now_us < end_us; now_us += MS_US(10)) {
        bwe_sent(b, seq++, 1000, 0, now_us);
        if (bwe_next_us(b) <= now_us)
            bwe_tick(b, now_us);
    }
}

static void begins(void **state)
{
    (void)state;
    assert_int_equal(bwe_target_bps(b), BWE_START_BPS);
    assert_int_equal(bwe_pacing_bps(b), BWE_START_BPS * 5 / 2);
    assert_true(bwe_next_us(b) == TIME_NEVER_US);
    bwe_set_limits(b, 0, 400000);
    assert_int_equal(bwe_target_bps(b), 400000);
    bwe_set_limits(b, 500000, 1000); /* max below min */
    assert_int_equal(bwe_target_bps(b), 500000);
    struct bwe *other;
    struct bwe_conf conf = {.start_bps = 5000000, .max_bps = 2000000};
    bwe_new(&other, &conf, now_us);
    assert_int_equal(bwe_target_bps(other), 2000000);
    bwe_free(other);
}

static void grows_with_feedback(void **state)
{
    (void)state;
    go_on(S_US(5));
    bwe_stats(b, &stats);
    assert_in_range(stats.acked_bps, 790000, 810000);
    assert_in_range(stats.sent_bps, 760000, 820000);
    assert_in_range(stats.target_bps, 800000, 900000);
    assert_int_equal(stats.target_bps, stats.delay_bps);
    assert_int_equal(stats.loss_bps, 0);
    assert_int_equal(stats.loss, 0);
    assert_int_equal(stats.unknown, 0);
    assert_int_equal(stats.usage, BWE_NORMAL);
    assert_int_equal(stats.feedbacks, 100);
    assert_in_range(stats.rtt_us, MS_US(65), MS_US(75));
    bwe_rtt(b, MS_US(20));
    bwe_rtt(b, 0);
    bwe_rtt(b, S_US(11));
    bwe_stats(b, &stats);
    assert_int_equal(stats.rtt_us, MS_US(20));
    /* No more than the wrap of the sequence and of the time asks for. */
    go_on(S_US(900));
    bwe_stats(b, &stats);
    assert_int_equal(stats.overuses, 0);
    assert_int_equal(stats.unknown, 0);
}

static void resent_packets_count_once(void **state)
{
    (void)state;
    bwe_sent(b, 7, 1000, 0, now_us);
    bwe_sent(b, 8, 1000, 0, now_us + 1);
    bwe_sent(b, 7, 1000, 0, now_us + 2);
    struct rtcp_twcc_status one = {.seq = 7, .received = true, .arrival_us = 5};
    bwe_feedback(b, &one, 1, now_us + MS_US(50));
    bwe_stats(b, &stats);
    assert_int_equal(stats.unknown, 0);
    assert_int_equal(stats.rtt_us, MS_US(50));
}

static void falls_silent(void **state)
{
    (void)state;
    go_on(S_US(5));
    uint32_t before = bwe_target_bps(b);
    send_for(MS_US(900));
    assert_int_equal(bwe_target_bps(b), before);
    send_for(S_US(3));
    bwe_stats(b, &stats);
    assert_int_equal(stats.silences, 1);
    assert_true(stats.target_bps < before / 2 && stats.target_bps > before / 4);
    send_for(S_US(60));
    assert_int_equal(bwe_target_bps(b), BWE_MIN_BPS);
    /* It comes back, and a probe finds out. */
    bwe_set_wanted(b, 800000, 2000000, now_us);
    go_on(MS_US(100));
    struct bwe_cluster c;
    assert_true(bwe_probe(b, now_us, &c));
    assert_in_range(c.bps, before * 9 / 10, before);
    go_on(S_US(10));
    bwe_stats(b, &stats);
    assert_int_equal(stats.silences, 1);
    assert_int_equal(stats.loss_bps, 0);
}

static void nothing_sent_is_no_silence(void **state)
{
    (void)state;
    go_on(S_US(5));
    for (size_t i = 0; i < 30; i++) /* what is still out */
        st[i] = (struct rtcp_twcc_status){
            .seq = (uint16_t)(seq - 30 + i), .received = true, .arrival_us = now_us % S_US(900)};
    bwe_feedback(b, st, 30, now_us + MS_US(60));
    uint32_t before = bwe_target_bps(b);
    assert_true(bwe_next_us(b) == TIME_NEVER_US);
    bwe_tick(b, now_us + S_US(60));
    assert_int_equal(bwe_target_bps(b), before);
}

static void without_transport_cc(void **state)
{
    (void)state;
    bwe_remb(b, 500000, now_us);
    assert_int_equal(bwe_target_bps(b), 500000);
    bwe_remb(b, UINT64_MAX, now_us);
    assert_int_equal(bwe_target_bps(b), BWE_START_BPS);
    /* Without loss it grows, up to what REMB says. */
    bwe_remb(b, 900000, now_us);
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 100; k++)
            bwe_sent_other(b, 1000, now_us + MS_US(10 * k));
        now_us += S_US(1);
        bwe_loss(b, 0, 100, now_us);
    }
    assert_int_equal(bwe_target_bps(b), 900000);
    for (int i = 0; i < 3; i++) {
        now_us += S_US(1);
        bwe_loss(b, 128, 100, now_us);
    }
    assert_true(bwe_target_bps(b) < 700000);
    bwe_loss(b, 255, 0, now_us + S_US(9));
    bwe_loss(b, 255, UINT32_MAX, now_us + S_US(10));
    assert_true(bwe_target_bps(b) >= BWE_MIN_BPS);
    /* Little is sent: that nothing is lost shows nothing. */
    uint32_t before = bwe_target_bps(b);
    for (int i = 0; i < 10; i++) {
        now_us += S_US(1);
        bwe_sent_other(b, 100, now_us);
        bwe_loss(b, 0, 100, now_us);
    }
    assert_true(bwe_target_bps(b) <= before);
}

static void hostile_feedback(void **state)
{
    (void)state;
    struct rtcp_twcc_status s = {.seq = 5, .received = true, .arrival_us = 1};
    bwe_feedback(b, &s, 1, now_us); /* before anything was sent */
    bwe_feedback(b, NULL, 0, now_us);
    go_on(S_US(2));
    uint32_t before = bwe_target_bps(b);
    static const int64_t times[] = {
        0, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 39, -(INT64_C(1) << 39)};
    for (size_t i = 0; i < 4000; i++) {
        s = (struct rtcp_twcc_status){.seq = (uint16_t)(seq + i * 11),
                                      .received = i % 3,
                                      .arrival_us = times[i % ARRAY_LEN(times)]};
        bwe_feedback(b, &s, 1, now_us);
    }
    bwe_stats(b, &stats);
    assert_true(stats.unknown > 3000);
    assert_true(bwe_target_bps(b) <= before * 2);
    go_on(S_US(20)); /* it finds itself again */
    bwe_stats(b, &stats);
    assert_in_range(stats.acked_bps, 790000, 810000);
}

/* The receiver's clock is set; another receiver takes over. */
static void clock_is_set(void **state)
{
    (void)state;
    go_on(S_US(5));
    now_us += S_US(400); /* nothing arrives meanwhile either */
    go_on(S_US(5));
    bwe_stats(b, &stats);
    assert_in_range(stats.acked_bps, 790000, 810000);
    assert_int_equal(stats.queue_us, 0);
    assert_int_equal(stats.overuses, 0);
}

static void loss_is_told_once(void **state)
{
    (void)state;
    for (int k = 0; k < 100; k++) {
        for (size_t i = 0; i < 10; i++) {
            bwe_sent(b, seq, 1000, 0, now_us);
            st[i] = (struct rtcp_twcc_status){
                .seq = seq++, .received = i != 5, .arrival_us = (now_us + MS_US(30)) % S_US(900)};
            now_us += MS_US(10);
        }
        bwe_feedback(b, st, 10, now_us);
        bwe_feedback(b, st, 10, now_us);
        bwe_feedback(b, st, 10, now_us);
    }
    bwe_stats(b, &stats);
    assert_int_equal(stats.loss, 25); /* a tenth */
    /* They come after all. */
    for (int k = 0; k < 50; k++) {
        for (size_t i = 0; i < 10; i++) {
            bwe_sent(b, seq, 1000, 0, now_us);
            st[i] = (struct rtcp_twcc_status){
                .seq = seq++, .received = i != 5, .arrival_us = (now_us + MS_US(30)) % S_US(900)};
            now_us += MS_US(10);
        }
        bwe_feedback(b, st, 10, now_us);
        st[5].received = true;
        st[5].arrival_us = now_us % S_US(900);
        bwe_feedback(b, st, 10, now_us);
    }
    bwe_stats(b, &stats);
    assert_int_equal(stats.loss, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(begins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(grows_with_feedback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resent_packets_count_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(falls_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_sent_is_no_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_transport_cc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_feedback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clock_is_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loss_is_told_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
