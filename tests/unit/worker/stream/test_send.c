#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/stream/capture.h"
#include "worker/stream/send.h"

#include <errno.h>

static struct send *new_send(size_t slots)
{
    struct send *s;
    assert_int_equal(send_new(&s, 7, 90000, slots), 0);
    return s;
}

static void sent(struct send *s, uint16_t seq, size_t bytes, int64_t now_us)
{
    const struct send_entry e = {
        .in_seq = 100000 + seq, .ts = seq * 10u, .seq = seq, .twcc = seq, .marker = 1};
    send_sent(s, &e, bytes, now_us);
}

static void answers_from_its_history(void **state)
{
    (void)state;
    struct send *s = new_send(8);
    assert_null(send_nacked(s, 0, S_US(1)));
    for (unsigned i = 0; i < 20; i++)
        sent(s, (uint16_t)(65530 + i), 1000, S_US(1));
    assert_null(send_nacked(s, 5, S_US(1)));
    const struct send_entry *e = send_nacked(s, 6, S_US(1));
    assert_non_null(e);
    assert_int_equal(e->in_seq, 100006);
    assert_int_equal(e->twcc, 6);
    struct send_stats st;
    send_stats(s, &st);
    assert_int_equal(st.nack_misses, 2);
    assert_int_equal(st.packets, 20);
    send_free(s);
    send_free(NULL);
    assert_int_equal(send_new(&s, 7, 90000, 7), -EINVAL);
    assert_int_equal(send_new(&s, 7, 90000, 65536), -EINVAL);
    assert_int_equal(send_new(&s, 7, 0, 8), -EINVAL);
}

static void resends_once_a_round_trip_ten_times(void **state)
{
    (void)state;
    struct send *s = new_send(8);
    sent(s, 1, 1000, S_US(1));
    unsigned resent = 0;
    for (int64_t t = S_US(1); t < S_US(4); t += MS_US(1)) {
        if (send_nacked(s, 1, t)) {
            send_resent(s, 1, 1002, t);
            resent++;
        }
    }
    struct send_stats st;
    send_stats(s, &st);
    assert_int_equal(resent, SEND_RESENDS_MAX);
    assert_int_equal(st.retransmitted, 10);
    assert_int_equal(st.repaired, 1);
    assert_int_equal(st.rtx_bytes, 10020);
    assert_true(st.nack_guarded > 900);
    assert_true(st.nack_refused > 900);
    send_free(s);
}

static void spends_no_more_than_half_of_the_media(void **state)
{
    (void)state;
    struct send *s = new_send(32768);
    size_t media = 0, rtx = 0;
    uint16_t seq = 0;
    /* Everything of the last seconds is asked for every 20 ms. */
    for (int64_t t = S_US(1); t < S_US(11); t += MS_US(20)) {
        for (int i = 0; i < 5; i++, seq++) {
            sent(s, seq, 1000, t);
            media += 1000;
        }
        for (unsigned k = 0; k < 1000; k++) {
            uint16_t q = (uint16_t)(seq - k);
            if (send_nacked(s, q, t)) {
                send_resent(s, q, 1000, t);
                rtx += 1000;
            }
        }
    }
    assert_true(rtx <= media / 2 + SEND_BURST_BYTES);
    assert_true(rtx > media / 2);
    send_free(s);
}

static void measures_the_round_trip(void **state)
{
    (void)state;
    struct send *s = new_send(8);
    struct rtcp_sr sr;
    struct score_counts c;
    assert_false(send_make_report(s, NULL, 0, S_US(3900000000), S_US(1), &sr)); /* nothing sent */
    sent(s, 1, 1012, S_US(1) - SEND_LINE_US);
    sent(s, 2, 1012, S_US(1) - 1);
    assert_false(send_make_report(s, NULL, 0, S_US(3900000000), S_US(1) - 1, &sr));
    sent(s, 3, 1012, S_US(1));
    assert_true(send_make_report(s, NULL, 0, S_US(3900000000), S_US(1), &sr));
    assert_int_equal(sr.ntp >> 32, 3900000000u);
    assert_int_equal(sr.packets, 3);
    assert_int_equal(sr.octets, 3000);
    assert_int_equal(sr.rtp_ts, 30);
    struct rtcp_report r = {.ssrc = 7,
                            .lsr = (uint32_t)(sr.ntp >> 16),
                            .dlsr = 65536 / 10,
                            .lost = 3,
                            .fraction = 9,
                            .jitter = 4};
    assert_true(send_report(s, &r, S_US(1) + MS_US(150), &c));
    assert_in_range(send_rtt_us(s), 49900, 50100);
    assert_int_equal(c.expected, 3);
    assert_int_equal(c.lost, 3);
    assert_false(send_report(s, &r, S_US(1) + MS_US(150), &c)); /* nothing since */
    /* Impossible ones. */
    r.dlsr = UINT32_MAX;
    send_report(s, &r, S_US(2), &c);
    assert_int_equal(send_rtt_us(s), 1000);
    r.lsr = 12345;
    r.dlsr = 0;
    send_report(s, &r, S_US(2), &c);
    assert_int_equal(send_rtt_us(s), 1000);
    assert_false(send_make_report(s, NULL, 0, 0, S_US(4), &sr)); /* idle */
    send_free(s);
}

static void reports_on_the_senders_line(void **state)
{
    (void)state;
    struct send *s = new_send(8);
    struct rtcp_sr sr;
    struct capture c = {0};
    sent(s, 1, 1000, S_US(2));
    capture_report(&c, 90000, (uint64_t)3900000000u << 32, 5000, S_US(1));
    assert_true(send_make_report(s, &c, 777, 0, S_US(2), &sr));
    assert_int_equal(sr.ntp >> 32, 3900000001u);
    assert_int_equal(sr.rtp_ts, 5000 + 90000 + 777);
    sent(s, 2, 1000, S_US(20));
    assert_true(send_make_report(s, &c, 777, 0, S_US(20), &sr)); /* an old line is still its own */
    assert_int_equal(sr.ntp >> 32, 3900000019u);
    assert_false(send_make_report(s, NULL, 777, 0, S_US(20), &sr));
    send_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_from_its_history),
        cmocka_unit_test(resends_once_a_round_trip_ten_times),
        cmocka_unit_test(spends_no_more_than_half_of_the_media),
        cmocka_unit_test(measures_the_round_trip),
        cmocka_unit_test(reports_on_the_senders_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
