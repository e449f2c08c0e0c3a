#include "lib/clock.h"
#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/stream/nack.h"

#include <errno.h>

#define BASE 65536

static struct nack *new_nack(size_t max)
{
    struct nack *n;
    assert_int_equal(nack_new(&n, max), 0);
    return n;
}

static void asks_after_a_delay_and_each_round_trip(void **state)
{
    (void)state;
    struct nack *n = new_nack(NACK_MAX);
    uint16_t seqs[8];
    nack_received(n, BASE + 65534, false, 0);
    assert_true(nack_next_us(n) == TIME_NEVER_US);
    nack_received(n, BASE + 65538, false, MS_US(1));
    assert_int_equal(nack_missing(n), 3);
    assert_true(nack_next_us(n) == MS_US(11));
    assert_int_equal(nack_due(n, MS_US(10), seqs, 8), 0);
    nack_received(n, BASE + 65536, false, MS_US(10)); /* only late */
    assert_int_equal(nack_due(n, MS_US(11), seqs, 8), 2);
    assert_int_equal(seqs[0], 65535);
    assert_int_equal(seqs[1], 1);
    assert_int_equal(nack_due(n, MS_US(110), seqs, 8), 0);
    nack_set_rtt(n, MS_US(50));
    assert_int_equal(nack_due(n, MS_US(111), seqs, 8), 2);
    assert_true(nack_next_us(n) == MS_US(161));
    nack_received(n, BASE + 65535, false, MS_US(120));
    nack_received(n, BASE + 65537, false, MS_US(120));
    assert_true(nack_next_us(n) == TIME_NEVER_US);
    nack_free(n);
    nack_free(NULL);
}

static void gives_up_after_ten_times(void **state)
{
    (void)state;
    struct nack *n = new_nack(NACK_MAX);
    uint16_t seq;
    size_t asked = 0;
    nack_received(n, BASE, false, 0);
    nack_received(n, BASE + 2, false, 0);
    for (int64_t t = 0; t < S_US(20) && nack_missing(n); t = nack_next_us(n))
        asked += nack_due(n, t, &seq, 1);
    assert_int_equal(asked, NACK_RETRIES);
    assert_int_equal(nack_missing(n), 0);
    nack_free(n);
}

static void hands_out_what_has_room(void **state)
{
    (void)state;
    struct nack *n = new_nack(NACK_MAX);
    uint16_t seqs[10];
    nack_received(n, BASE, false, 0);
    nack_received(n, BASE + 26, false, 0);
    assert_int_equal(nack_due(n, MS_US(20), seqs, 10), 10);
    assert_int_equal(nack_due(n, MS_US(20), seqs, 10), 10);
    assert_int_equal(seqs[0], 11);
    assert_int_equal(nack_due(n, MS_US(20), seqs, 10), 5);
    assert_int_equal(nack_due(n, MS_US(20), seqs, 10), 0);
    nack_free(n);
}

static void is_bounded(void **state)
{
    (void)state;
    struct nack *n = new_nack(100);
    /* A gap before a key frame is given up when another needs its room. */
    nack_received(n, BASE, false, 0);
    nack_received(n, BASE + 60, false, 0);
    nack_received(n, BASE + 61, true, 0);
    assert_int_equal(nack_missing(n), 59);
    nack_received(n, BASE + 120, false, 0);
    assert_int_equal(nack_missing(n), 58);
    assert_false(nack_needs_key(n));
    /* No key frame helps here. */
    nack_received(n, BASE + 180, false, 0);
    assert_int_equal(nack_missing(n), 0);
    assert_true(nack_needs_key(n));
    assert_false(nack_needs_key(n));
    /* A gap that no list can hold. */
    nack_received(n, BASE + 1000, false, 0);
    assert_int_equal(nack_missing(n), 0);
    assert_true(nack_needs_key(n));
    /* But this one is a key frame itself. */
    nack_received(n, BASE + 2000, true, 0);
    assert_false(nack_needs_key(n));
    /* Age. */
    nack_received(n, BASE + 2002, false, 0);
    for (int64_t s = 2003; s <= 2001 + NACK_MAX_AGE; s++)
        nack_received(n, BASE + s, false, 0);
    assert_int_equal(nack_missing(n), 1);
    nack_received(n, BASE + 2002 + NACK_MAX_AGE, false, 0);
    assert_int_equal(nack_missing(n), 0);
    nack_free(n);
    assert_int_equal(nack_new(&n, 0), -EINVAL);
    assert_int_equal(nack_new(&n, NACK_MAX + 1), -EINVAL);
}

/* 10 % loss and reordering with a sender that answers after 40 ms, losing as much again: nearly all comes in the end. */
static void repairs_a_lossy_stream(void **state)
{
    (void)state;
    struct nack *n = new_nack(NACK_MAX);
    static int64_t answer_at[70000];
    static bool here[70000];
    nack_set_rtt(n, MS_US(40));
    int64_t sent = 0;
    for (int64_t t = 0; sent < 60000 || nack_missing(n); t += MS_US(2)) {
        if (sent < 60000 && (rand_u32() % 10 || sent == 0)) {
            nack_received(n, BASE + sent, false, t);
            here[sent] = true;
        }
        sent += sent < 60000;
        uint16_t seqs[64];
        size_t k = nack_due(n, t, seqs, 64);
        for (size_t i = 0; i < k; i++)
            if (rand_u32() % 10)
                answer_at[seqs[i]] = t + MS_US(40);
        for (int64_t s = sent > 2000 ? sent - 2000 : 0; s < sent; s++) {
            if (!answer_at[s] || answer_at[s] > t)
                continue;
            answer_at[s] = 0;
            here[s] = true;
            nack_received(n, BASE + s, false, t);
        }
        assert_true(t < S_US(200));
    }
    size_t lost = 0;
    for (int64_t s = 0; s < 59990; s++)
        lost += !here[s];
    assert_int_equal(lost, 0);
    nack_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_after_a_delay_and_each_round_trip),
        cmocka_unit_test(gives_up_after_ten_times),
        cmocka_unit_test(hands_out_what_has_room),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(repairs_a_lossy_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
