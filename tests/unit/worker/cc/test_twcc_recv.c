#include "lib/clock.h"
#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/cc/twcc_recv.h"
#include "worker/wire/rtcp.h"

#include <string.h>

static struct rtcp_twcc head;
static struct rtcp_twcc_status st[RTCP_TWCC_MAX];
static size_t n;

/* Takes one feedback packet; whether there is another. */
static bool feedback(struct twcc_recv *t, int64_t now_us)
{
    uint8_t b[1500];
    struct writer w = writer_of(b, sizeof(b));
    bool more = twcc_recv_feedback(t, 9, now_us, &w);
    assert_in_range(writer_len(&w), 4, TWCC_RECV_PACKET_BYTES);
    struct rtcp_iter it = rtcp_iter_of(b, writer_len(&w));
    struct rtcp_packet p;
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(rtcp_parse_twcc(&p, &head, st, RTCP_TWCC_MAX, &n), 0);
    return more;
}

static struct twcc_recv *new_recv(void)
{
    struct twcc_recv *t;
    assert_int_equal(twcc_recv_new(&t), 0);
    return t;
}

static void reports_every_100_ms(void **state)
{
    (void)state;
    struct twcc_recv *t = new_recv();
    uint8_t b[100];
    struct writer w = writer_of(b, sizeof(b));
    assert_true(twcc_recv_next_us(t) == TIME_NEVER_US);
    assert_false(twcc_recv_feedback(t, 9, 0, &w));
    assert_int_equal(writer_len(&w), 0);
    twcc_recv_packet(t, 65535, 7, S_US(1));
    twcc_recv_packet(t, 2, 8, S_US(1) + MS_US(10));
    assert_true(twcc_recv_next_us(t) == S_US(1) + MS_US(100));
    assert_false(feedback(t, S_US(1) + MS_US(100)));
    assert_int_equal(n, 4);
    assert_int_equal(head.base_seq, 65535);
    assert_int_equal(head.media_ssrc, 8);
    assert_int_equal(head.count, 0);
    assert_true(st[0].received && !st[1].received && !st[2].received && st[3].received);
    assert_int_equal(st[3].arrival_us - st[0].arrival_us, MS_US(10));
    assert_true(twcc_recv_next_us(t) == TIME_NEVER_US);
    /* What is missing before the next one is told with it. */
    twcc_recv_packet(t, 4, 8, S_US(2));
    assert_false(feedback(t, S_US(3)));
    assert_int_equal(head.base_seq, 3);
    assert_int_equal(head.count, 1);
    assert_true(!st[0].received && st[1].received);
    /* Twice the same is one. */
    twcc_recv_packet(t, 4, 8, S_US(3));
    assert_true(twcc_recv_next_us(t) == TIME_NEVER_US);
    twcc_recv_free(t);
    twcc_recv_free(NULL);
}

static void goes_back_for_a_late_one(void **state)
{
    (void)state;
    struct twcc_recv *t = new_recv();
    twcc_recv_packet(t, 10, 7, S_US(1));
    twcc_recv_packet(t, 13, 7, S_US(1) + MS_US(3));
    feedback(t, S_US(2));
    twcc_recv_packet(t, 11, 7, S_US(1) + MS_US(400));
    assert_false(feedback(t, S_US(2)));
    assert_int_equal(head.base_seq, 11);
    assert_int_equal(n, 3);
    assert_true(st[0].received && !st[1].received && st[2].received);
    assert_int_equal(st[0].arrival_us - st[2].arrival_us, MS_US(397));
    /* Too late to matter. */
    twcc_recv_packet(t, 12, 7, S_US(1) + MS_US(600));
    assert_true(twcc_recv_next_us(t) == TIME_NEVER_US);
    twcc_recv_free(t);
}

static void is_bounded(void **state)
{
    (void)state;
    struct twcc_recv *t = new_recv();
    for (unsigned i = 0; i < 30000; i++)
        twcc_recv_packet(t, (uint16_t)i, 7, S_US(1) + (int64_t)i * 10000);
    size_t total = 0, packets = 0;
    bool more;
    do {
        more = feedback(t, S_US(400));
        total += n;
        packets++;
    } while (more);
    assert_int_equal(total, TWCC_RECV_SLOTS);
    assert_in_range(packets, 2, 3);
    /* A jump over everything, then a sender that starts anew. */
    twcc_recv_packet(t, 50000, 7, S_US(500));
    assert_false(feedback(t, S_US(501)));
    assert_true(n <= TWCC_RECV_SLOTS);
    for (uint16_t i = 0; i < 60; i++)
        twcc_recv_packet(t, (uint16_t)(30000 + i), 7, S_US(502));
    assert_false(feedback(t, S_US(503)));
    assert_int_equal(head.base_seq, 30050);
    twcc_recv_free(t);
}

/* Every packet that arrives is reported as such, at its time, in the end; every other one as lost. */
static void tells_the_truth(void **state)
{
    (void)state;
    static int64_t arrived[20000], told[20000];
    for (int round = 0; round < 10; round++) {
        struct twcc_recv *t = new_recv();
        memset(arrived, 0, sizeof(arrived));
        memset(told, 0, sizeof(told));
        int64_t now = S_US(10), shift = -1;
        for (unsigned i = 0; i < 20000; i++, now += rand_u32() % 3000) {
            unsigned seq = i > 30 && rand_u32() % 10 == 0 ? i - rand_u32() % 20 : i;
            if (i > 0 && rand_u32() % 12 == 0)
                continue;
            if (!arrived[seq])
                arrived[seq] = now;
            twcc_recv_packet(t, (uint16_t)(seq + 60000), 7, now);
            bool more = twcc_recv_next_us(t) <= now;
            while (more) {
                more = feedback(t, now);
                for (size_t k = 0; k < n; k++) {
                    uint16_t q = (uint16_t)(st[k].seq - 60000);
                    if (shift < 0 && st[k].received)
                        shift = arrived[q] / 250 * 250 - st[k].arrival_us;
                    told[q] = st[k].received ? st[k].arrival_us + shift : -1;
                }
            }
        }
        for (unsigned i = 0; i < 19800; i++) {
            if (arrived[i])
                assert_int_equal(told[i], arrived[i] / 250 * 250);
            else
                assert_int_equal(told[i], -1);
        }
        twcc_recv_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_every_100_ms),
        cmocka_unit_test(goes_back_for_a_late_one),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(tells_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
