#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/wire/rtcp.h"

#include <errno.h>
#include <string.h>

static struct rtcp_packet packet_of(const uint8_t *data, size_t len)
{
    struct rtcp_iter it = rtcp_iter_of(data, len);
    struct rtcp_packet p;
    assert_true(rtcp_next(&it, &p));
    return p;
}

static void reads_every_kind_of_chunk(void **state)
{
    (void)state;
    const uint8_t b[] = {
        0x8f, 205,  0,   8, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfe, /* base 65534 */
        0,    12,                                               /* twelve statuses */
        0,    0,    2,   5, /* reference 2 * 64 ms, feedback 5 */
        0x20, 3,            /* run: three with a small delta */
        0xd2, 0x00,         /* two bits: 01 00 10 00 00 00 00 */
        0xa0, 0,            /* one bit: 1 0 ... (of which two count) */
        4,    8,    12,  1, /* run: 1, 2, 3 ms; 0.25 ms */
        0xff, 0xfc, 255,    /* -1 ms; 63.75 ms */
        0,    0,    0,
    };
    struct rtcp_twcc t;
    struct rtcp_twcc_status st[16];
    size_t n;
    struct rtcp_packet p = packet_of(b, sizeof(b));
    assert_int_equal(rtcp_parse_twcc(&p, &t, st, 16, &n), 0);
    assert_int_equal(n, 12);
    assert_int_equal(t.base_seq, 65534);
    assert_int_equal(t.count, 5);
    static const struct {
        bool received;
        int64_t us;
    } want[12] = {{true, 129000}, {true, 131000}, {true, 134000}, {true, 134250},
                  {false, 0},     {true, 133250}, {false, 0},     {false, 0},
                  {false, 0},     {false, 0},     {true, 197000}, {false, 0}};
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(st[i].seq, (uint16_t)(65534 + i));
        assert_int_equal(st[i].received, want[i].received);
        assert_int_equal(st[i].arrival_us, want[i].us);
    }
    assert_int_equal(rtcp_parse_twcc(&p, &t, st, 11, &n), -EMSGSIZE);
    p.len -= 4;
    assert_int_equal(rtcp_parse_twcc(&p, &t, st, 16, &n), -EBADMSG);
}

static void refuses_what_is_absurd(void **state)
{
    (void)state;
#define HEAD(count)                                                                                \
    0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, (count) >> 8, (count)&255, 0, 0, 0, 0
    static const struct {
        const char *what;
        int err;
        uint8_t b[24];
    } rows[] = {
        {"65535 statuses", -EMSGSIZE, {HEAD(65535), 0x3f, 0xff, 0x3f, 0xff}},
        {"no statuses", -EBADMSG, {HEAD(0), 0x20, 1, 0, 0}},
        {"empty runs", -EBADMSG, {HEAD(100), 0, 0, 0, 0}},
        {"reserved symbol", -EBADMSG, {HEAD(1), 0x60, 1, 0, 0}},
        {"deltas missing", -EBADMSG, {HEAD(100), 0x20, 100, 0, 0}},
        {"chunks missing", -EBADMSG, {HEAD(100), 0x00, 9, 0x00, 9}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static struct rtcp_twcc_status st[1000];
        struct rtcp_twcc t;
        size_t n = 1;
        struct rtcp_packet p = packet_of(rows[i].b, sizeof(rows[i].b));
        if (rtcp_parse_twcc(&p, &t, st, 1000, &n) != rows[i].err || n)
            fail_msg("%s", rows[i].what);
    }
}

/* Random arrivals with loss, bursts, steps back and pauses. */
static void random_statuses(struct rtcp_twcc_status *st, size_t n, unsigned loss,
                            unsigned spread_us)
{
    uint16_t seq = (uint16_t)rand_u32();
    int64_t t = 1000000000 + rand_u32() % 1000000;
    for (size_t i = 0; i < n; i++) {
        st[i].seq = (uint16_t)(seq + i);
        st[i].received = i == 0 || i == n - 1 || rand_u32() % 100 >= loss;
        t += rand_u32() % spread_us;
        if (rand_u32() % 50 == 0)
            t -= rand_u32() % 20000;
        if (rand_u32() % 200 == 0)
            t += rand_u32() % 3000000;
        st[i].arrival_us = t;
    }
}

static void goes_round(void **state)
{
    (void)state;
    static struct rtcp_twcc_status in[RTCP_TWCC_MAX], out[RTCP_TWCC_MAX];
    static const unsigned losses[] = {0, 2, 30, 90, 100};
    for (int round = 0; round < 600; round++) {
        size_t total = 1 + rand_u32() % 600;
        random_statuses(in, total, losses[round % 5], round & 1 ? 3000 : 100000);
        size_t cap = round % 3 ? 1200 : 24 + rand_u32() % 200;
        for (size_t done = 0; done < total;) {
            if (!in[done].received) {
                done++;
                continue;
            }
            uint8_t b[1200];
            struct writer w = writer_of(b, cap);
            struct rtcp_twcc t;
            size_t n;
            size_t took = rtcp_write_twcc(&w, 1, 2, (uint8_t)round, in + done, total - done);
            assert_true(took && !w.bad && writer_len(&w) <= cap);
            struct rtcp_packet p = packet_of(b, writer_len(&w));
            assert_int_equal(p.len + 4, writer_len(&w));
            assert_int_equal(rtcp_parse_twcc(&p, &t, out, RTCP_TWCC_MAX, &n), 0);
            assert_int_equal(n, took);
            assert_int_equal(t.base_seq, in[done].seq);
            int64_t shift = in[done].arrival_us / 250 * 250 - out[0].arrival_us;
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(out[i].received, in[done + i].received);
                if (out[i].received)
                    assert_int_equal(out[i].arrival_us + shift,
                                     in[done + i].arrival_us / 250 * 250);
            }
            done += took;
        }
    }
}

static void fills_a_packet_well(void **state)
{
    (void)state;
    static struct rtcp_twcc_status in[RTCP_TWCC_MAX];
    for (size_t i = 0; i < RTCP_TWCC_MAX; i++)
        in[i] = (struct rtcp_twcc_status){
            .seq = (uint16_t)i, .received = true, .arrival_us = (int64_t)i * 1000};
    uint8_t b[1200];
    struct writer w = writer_of(b, sizeof(b));
    /* A run takes two bytes and each delta one. */
    assert_int_equal(rtcp_write_twcc(&w, 1, 2, 0, in, RTCP_TWCC_MAX), 1200 - 20 - 2);
    w = writer_of(b, 20);
    assert_int_equal(rtcp_write_twcc(&w, 1, 2, 0, in, 1), 0);
    assert_false(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_chunk),
        cmocka_unit_test(refuses_what_is_absurd),
        cmocka_unit_test(goes_round),
        cmocka_unit_test(fills_a_packet_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
