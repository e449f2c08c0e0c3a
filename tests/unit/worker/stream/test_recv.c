#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/stream/recv.h"

#include <errno.h>

static int64_t got;

static enum recv_result packet(struct recv *r, uint16_t seq, uint32_t ts, int64_t now_us)
{
    struct rtp h = {.seq = seq, .ts = ts};
    return recv_packet(r, &h, 100, now_us, &got);
}

static enum recv_result rtx(struct recv *r, uint16_t seq)
{
    struct rtp h = {.seq = seq};
    return recv_rtx_packet(r, &h, 100, 0, &got);
}

static struct recv *new_recv(void)
{
    struct recv *r;
    assert_int_equal(recv_new(&r, 7, 90000), 0);
    return r;
}

static void extends_across_the_wrap(void **state)
{
    (void)state;
    struct recv *r = new_recv();
    assert_true(recv_newest(r) == -1);
    assert_int_equal(packet(r, 65534, 0, 1), RECV_NEW);
    int64_t base = got;
    assert_int_equal(packet(r, 1, 0, 2), RECV_NEW);
    assert_true(got == base + 3);
    assert_int_equal(packet(r, 0, 0, 3), RECV_NEW);
    assert_true(got == base + 2);
    assert_int_equal(packet(r, 0, 0, 3), RECV_DUPLICATE);
    assert_int_equal(packet(r, 65533, 0, 3), RECV_NEW); /* before the first */
    assert_true(got == base - 1);
    assert_true(recv_newest(r) == base + 3);
    struct rtcp_report rep;
    recv_report(r, 10, &rep);
    assert_int_equal(rep.max_seq, 65537);
    assert_int_equal(rep.lost, 1); /* 65535 */
    assert_int_equal(rep.fraction, 256 / 5);
    recv_report(r, 10, &rep);
    assert_int_equal(rep.fraction, 0);
    recv_free(r);
    recv_free(NULL);
}

static void starts_anew_after_two_in_a_row(void **state)
{
    (void)state;
    struct recv *r = new_recv();
    packet(r, 100, 0, 1);
    int64_t before = got;
    assert_int_equal(packet(r, 20000, 0, 2), RECV_DROPPED);
    assert_int_equal(packet(r, 30000, 0, 2), RECV_DROPPED);
    assert_int_equal(packet(r, 101, 0, 2), RECV_NEW);
    assert_int_equal(packet(r, 30001, 0, 2), RECV_DROPPED); /* the one before was in between */
    assert_int_equal(packet(r, 30002, 0, 2), RECV_RESTARTED);
    assert_true(got > before + 65536);
    assert_int_equal((uint16_t)got, 30002);
    assert_int_equal(packet(r, 30003, 0, 2), RECV_NEW);
    struct recv_stats s;
    recv_stats(r, &s);
    assert_int_equal(s.lost, 0);
    assert_int_equal(s.discarded, 3);
    assert_int_equal(s.packets, 4);
    recv_free(r);
}

static void goes_on_under_another_ssrc(void **state)
{
    (void)state;
    struct recv *r = new_recv();
    struct rtcp_report rep;
    packet(r, 100, 0, 1);
    packet(r, 102, 0, 1);
    int64_t before = got;
    recv_change_ssrc(r, 8);
    assert_false(recv_started(r));
    assert_int_equal(rtx(r, 101), RECV_DROPPED);
    assert_int_equal(packet(r, 103, 0, 2), RECV_RESTARTED);
    assert_true(got > before + 65536);
    assert_true(recv_started(r));
    assert_int_equal(packet(r, 104, 0, 2), RECV_NEW);
    recv_report(r, 2, &rep);
    assert_int_equal(rep.ssrc, 8);
    assert_int_equal(rep.lost, 1);
    recv_free(r);
    r = new_recv();
    recv_change_ssrc(r, 8); /* before any packet */
    assert_int_equal(packet(r, 1, 0, 2), RECV_NEW);
    recv_free(r);
}

static void limits_dropout_and_misorder(void **state)
{
    (void)state;
    static const struct {
        int delta;
        enum recv_result result;
    } rows[] = {{2999, RECV_NEW}, {3000, RECV_DROPPED}, {-1499, RECV_NEW}, {-1500, RECV_DROPPED}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct recv *r = new_recv();
        packet(r, 10000, 0, 1);
        assert_int_equal(packet(r, (uint16_t)(10000 + rows[i].delta), 0, 1), rows[i].result);
        recv_free(r);
    }
}

static void counts_repairs_apart(void **state)
{
    (void)state;
    struct recv *r = new_recv();
    assert_int_equal(rtx(r, 5), RECV_DROPPED);
    for (uint16_t s = 0; s < 100; s++)
        if (s % 10 != 5)
            packet(r, s, 0, 1);
    assert_int_equal(rtx(r, 5), RECV_NEW);
    assert_int_equal(rtx(r, 5), RECV_DUPLICATE);
    assert_int_equal(rtx(r, 6), RECV_DUPLICATE);
    assert_int_equal(rtx(r, 40000), RECV_DROPPED);
    assert_int_equal(rtx(r, 40001), RECV_DROPPED); /* never a new start */
    struct recv_stats s;
    struct score_counts c;
    struct rtcp_report rep;
    recv_stats(r, &s);
    assert_int_equal(s.retransmitted, 6);
    assert_int_equal(s.repaired, 1);
    assert_int_equal(s.rtx_discarded, 5);
    assert_int_equal(s.lost, 9);
    recv_report(r, 0, &rep);
    assert_int_equal(rep.lost, 10); /* repairs do not count for the media's SSRC */
    recv_interval(r, &c);
    assert_int_equal(c.expected, 100);
    assert_int_equal(c.received, 90);
    assert_int_equal(c.lost, 10);
    assert_int_equal(c.repaired, 1);
    assert_int_equal(c.retransmitted, 6);
    recv_interval(r, &c);
    assert_int_equal(c.expected, 0);
    recv_free(r);
}

static void unwraps_retransmissions(void **state)
{
    (void)state;
    uint8_t data[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 9};
    struct rtp h = {.pt = 97, .ssrc = 2, .seq = 1, .payload_off = 12, .payload_len = 3};
    assert_int_equal(recv_rtx_unwrap(data, &h, 96, 1), 0);
    assert_int_equal(h.seq, 0x1234);
    assert_int_equal(h.pt, 96);
    assert_int_equal(h.ssrc, 1);
    assert_int_equal(h.payload_off, 14);
    assert_int_equal(h.payload_len, 1);
    assert_int_equal(recv_rtx_unwrap(data, &h, 96, 1), -EBADMSG);
    h.payload_len = 0;
    assert_int_equal(recv_rtx_unwrap(data, &h, 96, 1), -ENODATA);
}

static void measures_jitter(void **state)
{
    (void)state;
    struct recv *r = new_recv();
    struct recv_stats s;
    /* A frame each 33 ms in three packets: steady, whatever the spread within a frame. */
    for (unsigned i = 0; i < 300; i++)
        packet(r, (uint16_t)i, i / 3 * 2970, 1 + i / 3 * 33000 + i % 3 * 4000);
    recv_stats(r, &s);
    assert_int_equal(s.jitter, 0);
    /* Every second frame 10 ms late: 900 ticks. */
    for (unsigned i = 300; i < 900; i++)
        packet(r, (uint16_t)i, i * 2970, 1 + i * 33000 + i % 2 * 10000);
    recv_stats(r, &s);
    assert_in_range(s.jitter, 850, 910);
    recv_free(r);
}

static void names_the_last_sender_report(void **state)
{
    (void)state;
    struct recv *r = new_recv();
    struct rtcp_report rep;
    packet(r, 1, 0, 1);
    recv_report(r, 5, &rep);
    assert_int_equal(rep.lsr, 0);
    assert_int_equal(rep.dlsr, 0);
    recv_sender_report(r, 0x1122334455667788ull, S_US(10));
    recv_report(r, S_US(10) + 500000, &rep);
    assert_int_equal(rep.lsr, 0x33445566);
    assert_int_equal(rep.dlsr, 32768);
    assert_int_equal(rep.ssrc, 7);
    recv_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extends_across_the_wrap),
        cmocka_unit_test(starts_anew_after_two_in_a_row),
        cmocka_unit_test(goes_on_under_another_ssrc),
        cmocka_unit_test(limits_dropout_and_misorder),
        cmocka_unit_test(counts_repairs_apart),
        cmocka_unit_test(unwraps_retransmissions),
        cmocka_unit_test(measures_jitter),
        cmocka_unit_test(names_the_last_sender_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
