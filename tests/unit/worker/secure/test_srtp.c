#include "tests/unit/check.h"
#include "worker/secure/srtp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const enum srtp_profile profiles[] = {
    SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80,
    SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32,
    SRTP_PROFILE_AEAD_AES_128_GCM,
    SRTP_PROFILE_AEAD_AES_256_GCM,
};
static const enum srtp_backend backends[] = {SRTP_BACKEND_EVP, SRTP_BACKEND_LIBSRTP};

static struct srtp_key random_key(enum srtp_profile profile)
{
    struct srtp_key k = {.profile = profile};
    for (size_t i = 0; i < sizeof(k.key); i++)
        k.key[i] = (uint8_t)rand();
    for (size_t i = 0; i < sizeof(k.salt); i++)
        k.salt[i] = (uint8_t)rand();
    return k;
}

struct packet {
    uint8_t header[12 + 60];
    size_t header_len;
    uint8_t payload[1400];
    size_t head_len, payload_len, pad_len; /* the head is the payload's first bytes */
};

static void make_packet(struct packet *p, uint32_t ssrc, uint16_t seq)
{
    memset(p, 0, sizeof(*p));
    p->header_len = 12;
    p->header[0] = 0x80;
    p->header[1] = 96;
    p->header[2] = (uint8_t)(seq >> 8);
    p->header[3] = (uint8_t)seq;
    for (unsigned i = 0; i < 4; i++)
        p->header[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    if (rand() % 2) { /* an extension block of some words */
        size_t words = (size_t)rand() % 10;
        p->header[0] |= 0x10;
        p->header[12] = 0xbe;
        p->header[13] = 0xde;
        p->header[15] = (uint8_t)words;
        p->header_len += 4 + 4 * words;
    }
    p->payload_len = (size_t)rand() % 1300;
    p->head_len = p->payload_len ? (size_t)rand() % p->payload_len % 12 : 0;
    p->pad_len = rand() % 3 ? 0 : 1 + (size_t)rand() % 30;
    if (p->pad_len)
        p->header[0] |= 0x20;
    for (size_t i = 0; i < p->payload_len; i++)
        p->payload[i] = (uint8_t)rand();
}

static size_t seal(struct srtp_tx *tx, const struct packet *p, uint32_t roc, uint8_t *out)
{
    memcpy(out, p->header, p->header_len);
    memcpy(out + p->header_len, p->payload, p->head_len);
    struct srtp_job job = {.tx = tx,
                           .out = out,
                           .payload = p->payload + p->head_len,
                           .aad_len = (uint32_t)p->header_len,
                           .head_len = (uint32_t)p->head_len,
                           .payload_len = (uint32_t)(p->payload_len - p->head_len),
                           .pad_len = (uint32_t)p->pad_len,
                           .roc = roc};
    srtp_tx_rtp(&job, 1);
    return job.out_len;
}

/* Both backends against each other, all profiles, over a wrap of the sequence number. */
static void the_backends_agree(void **state)
{
    (void)state;
    srand(1);
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct srtp_key key = random_key(profiles[i]);
        struct srtp_tx *tx[2];
        struct srtp_rx *rx[2];
        for (size_t b = 0; b < 2; b++) {
            assert_int_equal(srtp_tx_new(&tx[b], &key, backends[b]), 0);
            assert_int_equal(srtp_rx_new(&rx[b], &key, backends[b]), 0);
        }
        for (uint32_t n = 65000; n < 66000; n++) {
            struct packet p;
            uint8_t a[2048], b[2048], plain[2048];
            make_packet(&p, 0x1234 + n % 3, (uint16_t)n);
            size_t len = seal(tx[0], &p, n >> 16, a);
            assert_int_equal(len,
                             p.header_len + p.payload_len + p.pad_len + srtp_tag_len(profiles[i]));
            assert_int_equal(seal(tx[1], &p, n >> 16, b), len);
            assert_memory_equal(a, b, len);
            for (size_t r = 0; r < 2; r++) {
                size_t out;
                assert_int_equal(
                    srtp_rx_rtp(rx[r], a, len, p.header_len, plain, sizeof(plain), &out), 0);
                assert_int_equal(out, p.header_len + p.payload_len + p.pad_len);
                assert_memory_equal(plain, p.header, p.header_len);
                assert_memory_equal(plain + p.header_len, p.payload, p.payload_len);
                if (p.pad_len)
                    assert_int_equal(plain[out - 1], p.pad_len);
                assert_int_equal(
                    srtp_rx_rtp(rx[r], a, len, p.header_len, plain, sizeof(plain), &out),
                    -EALREADY);
            }
        }
        for (size_t b = 0; b < 2; b++) {
            srtp_tx_free(tx[b]);
            srtp_rx_free(rx[b]);
        }
    }
}

/* What libsrtp's own test driver expects of these keys and this packet. */
static void seals_the_known_packets(void **state)
{
    (void)state;
    static const uint8_t plain[28] = {0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe,
                                      0xba, 0xbe, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab,
                                      0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab};
    static const struct {
        struct srtp_key key;
        const char *sealed;
        size_t len;
    } rows[] = {
        {{SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80,
          "\xe1\xf9\x7a\x0d\x3e\x01\x8b\xe0\xd6\x4f\xa3\x2c\x06\xde\x41\x39",
          "\x0e\xc6\x75\xad\x49\x8a\xfe\xeb\xb6\x96\x0b\x3a\xab\xe6"},
         "\x4e\x55\xdc\x4c\xe7\x99\x78\xd8\x8c\xa4\xd2\x15\x94\x9d\x24\x02"
         "\xb7\x8d\x6a\xcc\x99\xea\x17\x9b\x8d\xbb",
         26},
        {{SRTP_PROFILE_AEAD_AES_128_GCM,
          "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
          "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab"},
         "\xc5\x00\x2e\xde\x04\xcf\xdd\x2e\xb9\x11\x59\xe0\x88\x0a\xa0\x6e"
         "\xd2\x97\x68\x26\xf7\x96\xb2\x01\xdf\x31\x31\xa1\x27\xe8\xa3\x92",
         32},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct srtp_tx *tx;
        uint8_t out[64];
        assert_int_equal(srtp_tx_new(&tx, &rows[i].key, SRTP_BACKEND_EVP), 0);
        memcpy(out, plain, 12);
        struct srtp_job job = {
            .tx = tx, .out = out, .payload = plain + 12, .aad_len = 12, .payload_len = 16};
        srtp_tx_rtp(&job, 1);
        assert_int_equal(job.out_len, 12 + rows[i].len);
        assert_memory_equal(out + 12, rows[i].sealed, rows[i].len);
        srtp_tx_free(tx);
    }
}

static void a_packet_sent_again_is_identical(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct srtp_key key = random_key(profiles[i]);
        struct srtp_tx *tx;
        struct packet old, newer;
        uint8_t a[2048], b[2048];
        assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
        make_packet(&old, 7, 65530);
        make_packet(&newer, 7, 3);
        size_t len = seal(tx, &old, 0, a);
        seal(tx, &newer, 1, b);
        assert_int_equal(seal(tx, &old, 0, b), len);
        assert_memory_equal(a, b, len);
        srtp_tx_free(tx);
    }
}

/* Any bit flipped, any length cut: not authentic, and the stream goes on. */
static void takes_nothing_that_was_touched(void **state)
{
    (void)state;
    srand(2);
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
        for (size_t k = 0; k < ARRAY_LEN(backends); k++) {
            struct srtp_key key = random_key(profiles[i]), other = random_key(profiles[i]);
            struct srtp_tx *tx, *stranger;
            struct srtp_rx *rx;
            struct packet p;
            uint8_t sealed[2048], plain[2048];
            size_t out, len;
            assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
            assert_int_equal(srtp_tx_new(&stranger, &other, SRTP_BACKEND_EVP), 0);
            assert_int_equal(srtp_rx_new(&rx, &key, backends[k]), 0);
            do
                make_packet(&p, 9, 100);
            while (p.payload_len < 20 || p.payload_len > 100);
            len = seal(tx, &p, 0, sealed);
            for (size_t bit = 0; bit < len * 8; bit++) {
                if (bit / 8 < p.header_len && bit / 8 != 5) /* these change the parse itself */
                    continue;
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(
                    srtp_rx_rtp(rx, sealed, len, p.header_len, plain, sizeof(plain), &out),
                    -EBADMSG);
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            for (size_t cut = p.header_len; cut < len; cut++)
                assert_int_equal(
                    srtp_rx_rtp(rx, sealed, cut, p.header_len, plain, sizeof(plain), &out),
                    -EBADMSG);
            seal(stranger, &p, 0, plain);
            uint8_t copy[2048];
            memcpy(copy, plain, len);
            assert_int_equal(srtp_rx_rtp(rx, copy, len, p.header_len, plain, sizeof(plain), &out),
                             -EBADMSG);
            assert_int_equal(srtp_rx_rtp(rx, sealed, len, p.header_len, plain, sizeof(plain), &out),
                             0);
            assert_int_equal(srtp_rx_rtp(rx, sealed, len, p.header_len, plain, 20, &out),
                             -EMSGSIZE);
            srtp_tx_free(tx);
            srtp_tx_free(stranger);
            srtp_rx_free(rx);
        }
}

static void follows_loss_and_reordering_over_many_wraps(void **state)
{
    (void)state;
    srand(3);
    struct srtp_key key = random_key(SRTP_PROFILE_AEAD_AES_128_GCM);
    struct srtp_tx *tx;
    struct srtp_rx *rx;
    assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
    assert_int_equal(srtp_rx_new(&rx, &key, SRTP_BACKEND_EVP), 0);
    for (uint32_t n = 1000; n < 300000; n += 1 + (uint32_t)rand() % 90) {
        /* Forwards and back by a little, each once. */
        static const int steps[] = {3, 0, 2, 1};
        for (size_t j = 0; j < 4; j++) {
            struct packet p;
            uint8_t sealed[2048], plain[2048];
            size_t out;
            uint32_t index = n * 4 + (uint32_t)steps[j];
            make_packet(&p, 1, (uint16_t)index);
            size_t len = seal(tx, &p, index >> 16, sealed);
            assert_int_equal(srtp_rx_rtp(rx, sealed, len, p.header_len, plain, sizeof(plain), &out),
                             0);
        }
    }
    srtp_tx_free(tx);
    srtp_rx_free(rx);
}

static void the_window_is_bounded(void **state)
{
    (void)state;
    struct srtp_key key = random_key(SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80);
    static const struct {
        uint16_t seq;
        int err;
    } rows[] = {
        {2000, 0},         {2000, -EALREADY}, {2000 - 1023, 0}, {2000 - 1024, -EALREADY},
        {1999, 0},         {3000, 0},         {1977, 0},        {1976, -EALREADY},
        {1999, -EALREADY}, {9000, 0},         {8999, 0},        {9000, -EALREADY},
    };
    struct srtp_tx *tx;
    struct srtp_rx *rx;
    assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
    assert_int_equal(srtp_rx_new(&rx, &key, SRTP_BACKEND_EVP), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct packet p;
        uint8_t sealed[2048], plain[2048];
        size_t out;
        make_packet(&p, 1, rows[i].seq);
        size_t len = seal(tx, &p, 0, sealed);
        assert_int_equal(srtp_rx_rtp(rx, sealed, len, p.header_len, plain, sizeof(plain), &out),
                         rows[i].err);
    }
    srtp_tx_free(tx);
    srtp_rx_free(rx);
}

static void many_ssrcs_push_out_the_silent(void **state)
{
    (void)state;
    struct srtp_key key = random_key(SRTP_PROFILE_AEAD_AES_128_GCM);
    struct srtp_tx *tx;
    struct srtp_rx *rx;
    assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
    assert_int_equal(srtp_rx_new(&rx, &key, SRTP_BACKEND_EVP), 0);
    struct packet keep, p;
    uint8_t sealed[2048], plain[2048];
    size_t out;
    for (uint32_t i = 0; i < 3 * SRTP_SSRCS_MAX; i++) {
        make_packet(&p, 1000 + i, 5);
        size_t len = seal(tx, &p, 0, sealed);
        assert_int_equal(srtp_rx_rtp(rx, sealed, len, p.header_len, plain, sizeof(plain), &out), 0);
        make_packet(&keep, 1, (uint16_t)i);
        len = seal(tx, &keep, 0, sealed);
        assert_int_equal(srtp_rx_rtp(rx, sealed, len, keep.header_len, plain, sizeof(plain), &out),
                         0);
        assert_int_equal(srtp_rx_rtp(rx, sealed, len, keep.header_len, plain, sizeof(plain), &out),
                         -EALREADY);
    }
    srtp_tx_free(tx);
    srtp_rx_free(rx);
}

static void rtcp_goes_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct srtp_key key = random_key(profiles[i]);
        struct srtp_tx *tx;
        struct srtp_rx *rx;
        uint8_t pkt[64] = {0x80, 201, 0, 1, 0, 0, 0, 9}, copy[64];
        size_t len = 8;
        assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
        assert_int_equal(srtp_rx_new(&rx, &key, SRTP_BACKEND_EVP), 0);
        assert_int_equal(srtp_tx_rtcp(tx, pkt, &len, 20), -EMSGSIZE);
        assert_int_equal(srtp_tx_rtcp(tx, pkt, &len, sizeof(pkt)), 0);
        assert_true(len > 8 && len <= 8 + SRTP_TRAILER_MAX);
        memcpy(copy, pkt, sizeof(pkt));
        size_t n = len;
        copy[9] ^= 1;
        assert_int_equal(srtp_rx_rtcp(rx, copy, &n), -EBADMSG);
        memcpy(copy, pkt, sizeof(pkt));
        n = len;
        assert_int_equal(srtp_rx_rtcp(rx, copy, &n), 0);
        assert_int_equal(n, 8);
        assert_int_equal(copy[7], 9);
        n = len;
        assert_int_equal(srtp_rx_rtcp(rx, pkt, &n), -EALREADY);
        srtp_tx_free(tx);
        srtp_rx_free(rx);
    }
}

/* The number that SRTCP carries in the clear (RFC 3711 3.4): where it stands says whether the stream was kept. */
static uint32_t rtcp_index(struct srtp_tx *tx, uint8_t ssrc)
{
    uint8_t pkt[64] = {0x80, 201, 0, 1, 0, 0, 0, ssrc};
    size_t len = 8;
    assert_int_equal(srtp_tx_rtcp(tx, pkt, &len, sizeof(pkt)), 0);
    return (uint32_t)pkt[len - 2] << 8 | pkt[len - 1];
}

static void a_forgotten_ssrc_is_freed(void **state)
{
    (void)state;
    struct srtp_key key = random_key(SRTP_PROFILE_AEAD_AES_128_GCM);
    struct srtp_tx *tx;
    assert_int_equal(srtp_tx_new(&tx, &key, SRTP_BACKEND_EVP), 0);
    assert_int_equal(rtcp_index(tx, 7), 1);
    assert_int_equal(rtcp_index(tx, 8), 1);
    assert_int_equal(rtcp_index(tx, 7), 2);
    srtp_tx_forget(tx, 7);
    srtp_tx_forget(tx, 99);
    assert_int_equal(rtcp_index(tx, 8), 2);
    assert_int_equal(rtcp_index(tx, 7), 1);
    srtp_tx_free(tx);
}

static void a_clear_session_changes_nothing(void **state)
{
    (void)state;
    struct srtp_tx *tx;
    struct srtp_rx *rx;
    srtp_tx_new_clear(&tx);
    srtp_rx_new_clear(&rx);
    for (uint16_t seq = 0; seq < 50; seq++) {
        struct packet p;
        uint8_t wire[2000], out[2000];
        size_t len;
        make_packet(&p, 5, seq);
        size_t n = seal(tx, &p, 0, wire);
        assert_int_equal(n, p.header_len + p.payload_len + p.pad_len);
        assert_memory_equal(wire + p.header_len, p.payload, p.payload_len);
        if (p.pad_len)
            assert_int_equal(wire[n - 1], p.pad_len);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(srtp_rx_rtp(rx, wire, n, p.header_len, out, sizeof(out), &len), 0);
            assert_int_equal(len, n);
            assert_memory_equal(out, wire, n);
        }
    }
    uint8_t rtcp[8] = {0x80, 201, 0, 1, 0, 0, 0, 5};
    size_t len = sizeof(rtcp);
    assert_int_equal(srtp_tx_rtcp(tx, rtcp, &len, sizeof(rtcp)), 0);
    assert_int_equal(srtp_rx_rtcp(rx, rtcp, &len), 0);
    assert_int_equal(len, sizeof(rtcp));
    srtp_tx_forget(tx, 5);
    srtp_tx_free(tx);
    srtp_rx_free(rx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_backends_agree),
        cmocka_unit_test(seals_the_known_packets),
        cmocka_unit_test(a_packet_sent_again_is_identical),
        cmocka_unit_test(takes_nothing_that_was_touched),
        cmocka_unit_test(follows_loss_and_reordering_over_many_wraps),
        cmocka_unit_test(the_window_is_bounded),
        cmocka_unit_test(many_ssrcs_push_out_the_silent),
        cmocka_unit_test(rtcp_goes_round),
        cmocka_unit_test(a_forgotten_ssrc_is_freed),
        cmocka_unit_test(a_clear_session_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
