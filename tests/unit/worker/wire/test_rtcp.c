#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/wire/rtcp.h"

#include <errno.h>
#include <string.h>

static struct rtcp_packet only(const uint8_t *data, size_t len)
{
    struct rtcp_iter it = rtcp_iter_of(data, len);
    struct rtcp_packet p, q;
    assert_true(rtcp_next(&it, &p));
    assert_false(rtcp_next(&it, &q));
    assert_false(it.bad);
    return p;
}

static void iterates_a_compound(void **state)
{
    (void)state;
    const uint8_t b[] = {0x80, 201, 0, 1, 0,    0,   0, 1, 0x81, 203, 0, 1,
                         0,    0,   0, 1, 0xa0, 204, 0, 1, 0,    0,   0, 4};
    struct rtcp_iter it = rtcp_iter_of(b, sizeof(b));
    struct rtcp_packet p;
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(p.pt, 201);
    assert_int_equal(p.len, 4);
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(p.count, 1);
    assert_true(rtcp_next(&it, &p));
    assert_int_equal(p.len, 0); /* all of it padding */
    assert_false(rtcp_next(&it, &p));
    assert_false(it.bad);
}

static void stops_at_what_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t len;
        uint8_t b[8];
    } rows[] = {
        {"cut header", 3, {0x80, 200, 0}},
        {"past the end", 8, {0x80, 200, 0, 2}},
        {"version", 4, {0x40, 200, 0, 0}},
        {"padding in nothing", 4, {0xa0, 200, 0, 0}},
        {"padding of 0", 8, {0xa0, 200, 0, 1}},
        {"padding too long", 8, {0xa0, 200, 0, 1, 0, 0, 0, 5}},
        {"longest", 8, {0x80, 200, 0xff, 0xff}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rtcp_iter it = rtcp_iter_of(rows[i].b, rows[i].len);
        struct rtcp_packet p;
        if (rtcp_next(&it, &p) || !it.bad || rtcp_next(&it, &p))
            fail_msg("taken: %s", rows[i].what);
    }
}

static void reports_go_round(void **state)
{
    (void)state;
    struct rtcp_report in[40], out[RTCP_REPORTS_MAX];
    rand_bytes(in, sizeof(in));
    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        in[i].lost = i & 1 ? -(int32_t)(rand_u32() % 0x800000) : (int32_t)(rand_u32() % 0x800000);
    struct rtcp_sr sr = {0x0102030405060708ull, 1, 2, 3, 4}, sr2;
    for (size_t n = 0; n < ARRAY_LEN(in); n++) {
        uint8_t b[2048];
        struct writer w = writer_of(b, sizeof(b));
        uint32_t sender;
        size_t got;
        if (n & 1)
            rtcp_write_sr(&w, &sr, in, n);
        else
            rtcp_write_rr(&w, 1, in, n);
        assert_false(w.bad);
        struct rtcp_packet p = only(b, writer_len(&w));
        if (n & 1) {
            assert_int_equal(rtcp_parse_sr(&p, &sr2), 0);
            assert_true(sr2.ntp == sr.ntp && sr2.ssrc == 1 && sr2.rtp_ts == 2 && sr2.packets == 3 &&
                        sr2.octets == 4);
        } else {
            assert_int_equal(rtcp_parse_sr(&p, &sr2), -EBADMSG);
        }
        assert_int_equal(rtcp_parse_reports(&p, &sender, out, &got), 0);
        assert_int_equal(sender, 1);
        assert_int_equal(got, n < 31 ? n : 31);
        for (size_t i = 0; i < got; i++)
            assert_true(out[i].ssrc == in[i].ssrc && out[i].lost == in[i].lost &&
                        out[i].max_seq == in[i].max_seq && out[i].fraction == in[i].fraction &&
                        out[i].jitter == in[i].jitter && out[i].lsr == in[i].lsr &&
                        out[i].dlsr == in[i].dlsr);
        /* One block fewer than said. */
        if (n && n < 31) {
            p.len -= 4;
            assert_int_equal(rtcp_parse_reports(&p, &sender, out, &got), -EBADMSG);
            assert_int_equal(got, 0);
        }
    }
}

static void descriptions_and_goodbyes_go_round(void **state)
{
    (void)state;
    char long_name[300];
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = 0;
    const char *const names[] = {"", "a", "ab", "abc", "user@host", long_name};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        uint8_t b[512];
        struct writer w = writer_of(b, sizeof(b));
        struct rtcp_cname c[RTCP_SSRCS_MAX];
        size_t n, len = strlen(names[i]) < 255 ? strlen(names[i]) : 255;
        rtcp_write_sdes(&w, 77, names[i]);
        struct rtcp_packet p = only(b, writer_len(&w));
        assert_int_equal(rtcp_parse_sdes(&p, c, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(c[0].ssrc, 77);
        assert_int_equal(c[0].len, len);
        assert_memory_equal(c[0].name, names[i], len);
    }
    /* Two chunks; the first has no CNAME; then one without an end. */
    const uint8_t two[] = {0x82, 202, 0, 5, 0, 0, 0,   1, 2, 1, 'x', 0,
                           0,    0,   0, 2, 1, 1, 'y', 0, 0, 0, 0,   0};
    struct rtcp_cname c[RTCP_SSRCS_MAX];
    size_t n;
    struct rtcp_packet p = only(two, sizeof(two));
    assert_int_equal(rtcp_parse_sdes(&p, c, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(c[0].ssrc, 2);
    const uint8_t endless[] = {0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'x', 'y'};
    p = only(endless, sizeof(endless));
    assert_int_equal(rtcp_parse_sdes(&p, c, &n), -EBADMSG);

    uint8_t b[64];
    struct writer w = writer_of(b, sizeof(b));
    uint32_t out[RTCP_SSRCS_MAX];
    rtcp_write_bye(&w, (const uint32_t[]){5, 6}, 2);
    p = only(b, writer_len(&w));
    assert_int_equal(rtcp_parse_bye(&p, out, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(out[1], 6);
    p.count = 3;
    assert_int_equal(rtcp_parse_bye(&p, out, &n), -EBADMSG);
}

static void extended_reports_go_round(void **state)
{
    (void)state;
    uint8_t b[128];
    struct writer w = writer_of(b, sizeof(b));
    struct rtcp_xr x;
    rtcp_write_rrt(&w, 9, 0x1122334455667788ull);
    struct rtcp_packet p = only(b, writer_len(&w));
    assert_int_equal(rtcp_parse_xr(&p, &x), 0);
    assert_true(x.has_rrt && x.rrt_ntp == 0x1122334455667788ull && x.ssrc == 9 && x.n_dlrr == 0);
    w = writer_of(b, sizeof(b));
    rtcp_write_dlrr(&w, 9, (const struct rtcp_dlrr[]){{1, 2, 3}, {4, 5, 6}}, 2);
    p = only(b, writer_len(&w));
    assert_int_equal(rtcp_parse_xr(&p, &x), 0);
    assert_true(!x.has_rrt && x.n_dlrr == 2 && x.dlrr[1].ssrc == 4 && x.dlrr[1].dlrr == 6);
    /* An unknown block, then one past the end. */
    const uint8_t bad[] = {0x80, 207, 0, 3, 0, 0, 0, 1, 99, 0, 0, 0, 4, 0, 0, 2};
    p = only(bad, sizeof(bad));
    assert_int_equal(rtcp_parse_xr(&p, &x), -EBADMSG);
}

static void asks_for_packets(void **state)
{
    (void)state;
    /* RFC 4585 6.2.1: PID and the sixteen after it. */
    const uint8_t b[] = {0x81, 205, 0,    4,    0,    0,    0, 1,   0, 0,
                         0,    2,   0xff, 0xff, 0x80, 0x01, 0, 100, 0, 0};
    struct rtcp_packet p = only(b, sizeof(b));
    uint16_t seqs[16];
    uint32_t media;
    size_t n;
    assert_int_equal(rtcp_parse_nack(&p, &media, seqs, 16, &n), 0);
    assert_int_equal(n, 4);
    assert_int_equal(media, 2);
    assert_int_equal(seqs[0], 65535);
    assert_int_equal(seqs[1], 0);
    assert_int_equal(seqs[2], 15);
    assert_int_equal(seqs[3], 100);
    assert_int_equal(rtcp_parse_nack(&p, &media, seqs, 2, &n), 0);
    assert_int_equal(n, 2);
    p.len -= 2;
    assert_int_equal(rtcp_parse_nack(&p, &media, seqs, 16, &n), -EBADMSG);
}

static void nacks_go_round(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        uint16_t in[200], out[200];
        uint16_t s = (uint16_t)rand_u32();
        for (size_t i = 0; i < ARRAY_LEN(in); i++) {
            s = (uint16_t)(s + 1 + rand_u32() % 30);
            in[i] = s;
        }
        size_t done = 0;
        while (done < ARRAY_LEN(in)) {
            uint8_t b[100];
            struct writer w = writer_of(b, sizeof(b));
            uint32_t media;
            size_t n, took = rtcp_write_nack(&w, 1, 2, in + done, ARRAY_LEN(in) - done);
            assert_true(took && !w.bad);
            struct rtcp_packet p = only(b, writer_len(&w));
            assert_int_equal(rtcp_parse_nack(&p, &media, out + done, ARRAY_LEN(out) - done, &n), 0);
            assert_int_equal(n, took);
            done += took;
        }
        assert_memory_equal(in, out, sizeof(in));
    }
}

static void key_frame_requests_go_round(void **state)
{
    (void)state;
    uint8_t b[64];
    uint32_t media;
    size_t n;
    struct rtcp_fir f[RTCP_SSRCS_MAX];
    struct writer w = writer_of(b, sizeof(b));
    rtcp_write_pli(&w, 1, 2);
    struct rtcp_packet p = only(b, writer_len(&w));
    assert_int_equal(rtcp_parse_pli(&p, &media), 0);
    assert_int_equal(media, 2);
    assert_int_equal(rtcp_parse_fir(&p, f, &n), -EBADMSG);
    w = writer_of(b, sizeof(b));
    rtcp_write_fir(&w, 1, 2, 9);
    p = only(b, writer_len(&w));
    assert_int_equal(rtcp_parse_fir(&p, f, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(f[0].ssrc, 2);
    assert_int_equal(f[0].seq, 9);
    p.len -= 4;
    assert_int_equal(rtcp_parse_fir(&p, f, &n), -EBADMSG);
}

static void rates_go_round(void **state)
{
    (void)state;
    static const uint64_t rates[] = {0, 1, 0x3ffff, 0x40000, 2500000, 0x7fffffffffffffffull};
    struct rtcp_remb r;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        uint8_t b[64];
        struct writer w = writer_of(b, sizeof(b));
        rtcp_write_remb(&w, 1, rates[i], (const uint32_t[]){7, 8}, 2);
        struct rtcp_packet p = only(b, writer_len(&w));
        assert_int_equal(rtcp_parse_remb(&p, &r), 0);
        assert_true(r.bitrate <= rates[i] && rates[i] - r.bitrate <= rates[i] >> 17);
        assert_int_equal(r.n_ssrcs, 2);
        assert_int_equal(r.ssrcs[1], 8);
        p.len -= 4;
        assert_int_equal(rtcp_parse_remb(&p, &r), -EBADMSG);
    }
    /* 2^63 and over. */
    const uint8_t huge[] = {0x8f, 206, 0,   4,   0,   0,   0, 1,    0,    0,
                            0,    0,   'R', 'E', 'M', 'B', 0, 0xff, 0xff, 0xff};
    struct rtcp_packet p = only(huge, sizeof(huge));
    assert_int_equal(rtcp_parse_remb(&p, &r), 0);
    assert_true(r.bitrate == INT64_MAX);
    const uint8_t other[] = {0x8f, 206, 0,   4,   0,   0,   0, 1,    0,    0,
                             0,    0,   'R', 'E', 'M', 'C', 0, 0xff, 0xff, 0xff};
    p = only(other, sizeof(other));
    assert_int_equal(rtcp_parse_remb(&p, &r), -EBADMSG);
}

static void composers_respect_the_room(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 100; cap++) {
        uint8_t b[100];
        struct rtcp_report rep = {0};
        struct rtcp_sr sr = {0};
        struct writer w = writer_of(b, cap);
        rtcp_write_sr(&w, &sr, &rep, 1);
        assert_int_equal(w.bad, cap < 52);
        rtcp_write_pli(&w, 1, 2);
        rtcp_write_sdes(&w, 1, "name");
        rtcp_write_remb(&w, 1, 1000, (const uint32_t[]){7}, 1);
        assert_true(writer_len(&w) <= cap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iterates_a_compound),
        cmocka_unit_test(stops_at_what_is_malformed),
        cmocka_unit_test(reports_go_round),
        cmocka_unit_test(descriptions_and_goodbyes_go_round),
        cmocka_unit_test(extended_reports_go_round),
        cmocka_unit_test(asks_for_packets),
        cmocka_unit_test(nacks_go_round),
        cmocka_unit_test(key_frame_requests_go_round),
        cmocka_unit_test(rates_go_round),
        cmocka_unit_test(composers_respect_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
