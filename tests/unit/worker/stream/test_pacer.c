#include "worker/stream/pacer.h"

#include "lib/clock.h"
#include "lib/rand.h"
#include "tests/unit/check.h"

static struct pacer *p;
static int owners[3];

static void start(uint32_t bps)
{
    pacer_new(&p, bps, 0);
}

static void wait_for(unsigned owner, uint16_t seq, uint32_t bytes)
{
    struct pacer_entry e = {.owner = &owners[owner], .entry.seq = seq, .bytes = bytes};
    assert_true(pacer_wait(p, &e));
}

static void a_burst_goes_at_once(void **state)
{
    (void)state;
    start(2000000); /* 10000 bytes in 40 ms */
    unsigned sent = 0;
    while (pacer_may_send(p, 0)) {
        pacer_sent(p, 1000, true, 0);
        sent++;
    }
    assert_int_equal(sent, 10);
    assert_false(pacer_may_send(p, 0));
    assert_true(pacer_may_send(p, MS_US(1)));
    assert_int_equal(pacer_next_us(p, false), TIME_NEVER_US);
    /* At a low rate still some packets. */
    pacer_set_rate(p, 0, S_US(60));
    pacer_sent(p, PACER_BURST_MIN - 1, true, S_US(60));
    assert_true(pacer_may_send(p, S_US(60)));
    pacer_free(p);
    pacer_free(NULL);
}

static void the_rest_waits_in_order(void **state)
{
    (void)state;
    struct pacer_entry e;
    start(2000000);
    pacer_sent(p, 10000, true, 0);
    for (uint16_t i = 0; i < 20; i++)
        wait_for(i % 2, i, 1000);
    assert_int_equal(pacer_waiting(p), 20);
    assert_int_equal(pacer_delay_us(p), 80000);
    assert_false(pacer_take(p, 0, &e));
    assert_int_equal(pacer_next_us(p, false), 20000); /* half a burst */
    unsigned taken = 0;
    for (int64_t now_us = 0; pacer_waiting(p); now_us = pacer_next_us(p, false)) {
        while (pacer_take(p, now_us, &e)) {
            assert_int_equal(e.entry.seq, taken++);
            pacer_sent(p, e.bytes, true, now_us);
        }
        assert_true(now_us <= 100000);
    }
    assert_int_equal(taken, 20);
    assert_int_equal(pacer_next_us(p, false), TIME_NEVER_US);
    pacer_free(p);
}

static void what_waits_is_bounded_and_forgotten(void **state)
{
    (void)state;
    struct pacer_entry e = {.owner = &owners[2], .bytes = 100};
    start(1000000);
    for (uint16_t i = 0; i < PACER_MAX - 1; i++)
        wait_for(i % 3, i, 100);
    assert_true(pacer_wait(p, &e));
    assert_false(pacer_wait(p, &e));
    pacer_forget(p, &owners[2]);
    pacer_forget(p, &owners[0]);
    unsigned n = 0;
    for (int64_t now_us = 0; pacer_waiting(p); now_us += MS_US(100)) {
        while (pacer_take(p, now_us, &e)) {
            assert_ptr_equal(e.owner, &owners[1]);
            assert_int_equal(e.entry.seq, 1 + 3 * n++);
            pacer_sent(p, 100, true, now_us);
        }
    }
    assert_int_equal(n, (PACER_MAX - 1) / 3);
    assert_int_equal(pacer_delay_us(p), 0);
    pacer_free(p);
}

/* Whatever is poured in: over any time no more leaves than the rate lets, and a burst, and a packet. */
static void the_rate_is_kept(void **state)
{
    (void)state;
    struct pacer_entry e;
    start(4000000);
    int64_t sent = 0;
    for (int64_t now_us = 0; now_us < S_US(20); now_us += rand_u32() % 3000) {
        if (rand_u32() % 10 == 0) {
            for (unsigned i = rand_u32() % 40; i > 0; i--) {
                e = (struct pacer_entry){.owner = owners, .bytes = 200 + rand_u32() % 1000};
                pacer_wait(p, &e);
            }
        }
        while (pacer_take(p, now_us, &e)) {
            pacer_sent(p, e.bytes, true, now_us);
            sent += e.bytes;
        }
        assert_true(sent <= now_us / 2 + 20000 + 1200);
    }
    assert_true(sent > INT64_C(9) * 1000000);
    pacer_free(p);
}

static void a_probe_is_padded(void **state)
{
    (void)state;
    const struct pacer_probe probe = {.id = 7, .bps = 2000000, .min_packets = 5, .min_bytes = 3750};
    start(1000000);
    assert_int_equal(pacer_padding(p, 0), 0);
    pacer_probe(p, &probe, S_US(1));
    assert_int_equal(pacer_probe_id(p), 7);
    assert_int_equal(pacer_next_us(p, false), S_US(1));
    unsigned packets = 0;
    int64_t now_us = S_US(1);
    while (pacer_probe_id(p)) {
        size_t lacking = pacer_padding(p, now_us);
        assert_true(lacking > 0);
        for (; lacking > 0 && pacer_probe_id(p); lacking = lacking > 250 ? lacking - 250 : 0) {
            pacer_sent(p, 250, true, now_us);
            packets++;
        }
        now_us = pacer_next_us(p, false);
    }
    assert_int_equal(packets, 15);
    assert_int_equal(now_us, TIME_NEVER_US);
    /* Media makes padding needless; a probe that is not out in time ends. */
    pacer_probe(p, &probe, S_US(2));
    pacer_sent(p, 3000, true, S_US(2));
    pacer_sent(p, 3000, false, S_US(2)); /* shows nothing */
    assert_int_equal(pacer_padding(p, S_US(2)), 0);
    assert_int_equal(pacer_next_us(p, false), S_US(2) + 12000);
    assert_true(pacer_padding(p, S_US(2) + 14000) > 0);
    assert_int_equal(pacer_padding(p, S_US(2) + PACER_PROBE_US + 1), 0);
    assert_int_equal(pacer_probe_id(p), 0);
    pacer_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_at_once),
        cmocka_unit_test(the_rest_waits_in_order),
        cmocka_unit_test(what_waits_is_bounded_and_forgotten),
        cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(a_probe_is_padded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
