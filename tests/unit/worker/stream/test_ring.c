#include "lib/clock.h"
#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/stream/pool.h"
#include "worker/stream/ring.h"

#include <errno.h>

static bool put(struct ring *r, struct pool *p, int64_t seq, int64_t now_us)
{
    struct packet *pk = pool_get(p);
    assert_non_null(pk);
    pk->ext_seq = seq;
    pk->rx_us = now_us;
    bool taken = ring_put(r, pk);
    packet_unref(pk);
    return taken;
}

static void keeps_the_newest(void **state)
{
    (void)state;
    struct pool *p;
    struct ring *r;
    pool_new(&p, 100);
    assert_int_equal(ring_new(&r, 0, 1), -EINVAL);
    assert_int_equal(ring_new(&r, RING_SLOTS_MAX + 1, 1), -EINVAL);
    assert_int_equal(ring_new(&r, 5, S_US(2)), 0); /* eight */
    assert_true(ring_oldest_us(r) == TIME_NEVER_US);
    assert_false(ring_drop_oldest(r));
    for (int64_t s = 100; s < 108; s++)
        assert_true(put(r, p, s, s));
    assert_int_equal(ring_count(r), 8);
    assert_false(put(r, p, 103, 1));
    assert_false(put(r, p, 99, 1));
    assert_true(put(r, p, 109, 109));
    assert_null(ring_get(r, 101));
    assert_non_null(ring_get(r, 102));
    assert_null(ring_get(r, 108));
    assert_true(put(r, p, 108, 110)); /* late */
    assert_true(ring_oldest_us(r) == 102);
    assert_true(ring_drop_oldest(r));
    assert_null(ring_get(r, 102));
    assert_int_equal(ring_count(r), 7);
    assert_int_equal(pool_used(p), 7);
    /* Far ahead: nothing old stays. */
    assert_true(put(r, p, 1000000, 120));
    assert_int_equal(ring_count(r), 1);
    assert_int_equal(pool_used(p), 1);
    ring_clear(r);
    assert_true(put(r, p, 5, 130)); /* the stream starts anew */
    ring_free(r);
    assert_int_equal(pool_used(p), 0);
    ring_free(NULL);
    pool_free(p);
}

static void forgets_by_age(void **state)
{
    (void)state;
    struct pool *p;
    struct ring *r;
    pool_new(&p, 100);
    ring_new(&r, 64, S_US(1));
    for (int64_t s = 0; s < 20; s++)
        put(r, p, s * 2, MS_US(s * 100));
    ring_expire(r, MS_US(1900));
    assert_int_equal(ring_count(r), 11);
    assert_null(ring_get(r, 16));
    assert_non_null(ring_get(r, 18));
    assert_true(put(r, p, 17, MS_US(1900))); /* repaired, within the range */
    assert_non_null(ring_get(r, 17));
    ring_expire(r, S_US(100));
    assert_int_equal(ring_count(r), 0);
    assert_int_equal(pool_used(p), 0);
    ring_free(r);
    pool_free(p);
}

/* Against a plain table. */
static void does_as_a_table_does(void **state)
{
    (void)state;
    struct pool *p;
    struct ring *r;
    static bool here[100000];
    pool_new(&p, 65);
    ring_new(&r, 64, S_US(1));
    int64_t newest = 1000;
    here[newest] = put(r, p, newest, 0);
    for (int i = 0; i < 20000; i++) {
        int64_t s = newest + (int64_t)(rand_u32() % 80) - 70;
        bool fits = s > newest - 64 || s > newest;
        bool was = s >= 0 && here[s];
        if (s > newest)
            newest = s;
        assert_int_equal(put(r, p, s, 0), fits && !was);
        here[s] |= fits;
        for (int64_t k = newest - 200; k <= newest - 64; k++)
            here[k] = false;
        for (int64_t k = newest - 63; k <= newest; k++)
            assert_int_equal(ring_get(r, k) != NULL, here[k]);
        if (newest > 90000)
            break;
    }
    ring_free(r);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(forgets_by_age),
        cmocka_unit_test(does_as_a_table_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
