#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/stream/speaker.h"
#include "worker/stream/volume.h"

#define PTIME_US MS_US(20)

struct talk {
    struct speakers ss;
    struct speaker who[3];
    int64_t now_us, next_us;
    unsigned changes;
};

static void start(struct talk *t)
{
    *t = (struct talk){.now_us = S_US(1000)};
    for (int i = 0; i < 3; i++)
        speakers_add(&t->ss, &t->who[i]);
}

/* For so long, with these levels (0: nothing is sent). */
static void talk(struct talk *t, int64_t us, uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t levels[] = {a, b, c};
    for (int64_t end_us = t->now_us + us; t->now_us < end_us; t->now_us += PTIME_US) {
        for (int i = 0; i < 3; i++)
            if (levels[i])
                speaker_level(&t->who[i], levels[i], t->now_us);
        if (t->now_us < t->next_us)
            continue;
        t->next_us = t->now_us + MS_US(300);
        t->changes += speakers_choose(&t->ss, t->now_us);
    }
}

static void the_one_who_speaks_is_dominant(void **state)
{
    (void)state;
    struct talk t;
    start(&t);
    talk(&t, S_US(3), 20, 20, 20);
    assert_null(t.ss.dominant); /* noise is no speech */
    talk(&t, S_US(2), 20, 110, 20);
    assert_ptr_equal(t.ss.dominant, &t.who[1]);
    talk(&t, S_US(5), 20, 20, 20);
    assert_ptr_equal(t.ss.dominant, &t.who[1]); /* silence changes nothing */
    talk(&t, S_US(2), 20, 20, 115);
    assert_ptr_equal(t.ss.dominant, &t.who[2]);
    assert_int_equal(t.changes, 2);
}

static void a_cough_takes_no_floor(void **state)
{
    (void)state;
    struct talk t;
    start(&t);
    talk(&t, S_US(2), 20, 20, 20);
    talk(&t, S_US(3), 110, 20, 20);
    assert_ptr_equal(t.ss.dominant, &t.who[0]);
    for (int i = 0; i < 10; i++) {
        talk(&t, MS_US(60), 110, 127, 20);
        talk(&t, MS_US(940), 110, 20, 20);
    }
    assert_int_equal(t.changes, 1);
}

/* Both speak: the floor does not change hands all the time. */
static void two_at_once_do_not_alternate(void **state)
{
    (void)state;
    struct talk t;
    start(&t);
    talk(&t, S_US(2), 20, 20, 20);
    talk(&t, S_US(20), 110, 112, 20);
    assert_int_equal(t.changes, 1);
}

static void who_is_muted_or_gone_is_not_chosen(void **state)
{
    (void)state;
    struct talk t;
    start(&t);
    t.who[0].muted = true;
    talk(&t, S_US(1), 20, 20, 20);
    talk(&t, S_US(3), 120, 100, 20);
    assert_ptr_equal(t.ss.dominant, &t.who[1]);
    assert_false(speakers_remove(&t.ss, &t.who[2]));
    assert_true(speakers_remove(&t.ss, &t.who[1]));
    assert_null(t.ss.dominant);
    t.now_us += S_US(3600);
    assert_false(speakers_choose(&t.ss, t.now_us));
}

/* Packets of 60 ms count as much as those of 20, and a gap in them (DTX) is silence. */
static void slots_are_time_not_packets(void **state)
{
    (void)state;
    struct speakers ss = {0};
    struct speaker s = {0};
    speakers_add(&ss, &s);
    int64_t now_us = S_US(5);
    for (int i = 0; i < 20; i++, now_us += MS_US(60))
        speaker_level(&s, 100, now_us);
    for (unsigned i = 0; i < SPEAKER_SLOTS; i++)
        assert_int_equal(s.levels[i], 100);
    speaker_level(&s, 90, now_us + S_US(1) / 2);
    assert_int_equal(s.levels[0], 90);
    assert_int_equal(s.levels[1], 0);
    speaker_level(&s, 80, now_us + S_US(1) / 2);
    assert_int_equal(s.levels[0], 90);
    speaker_level(&s, 80, now_us); /* late */
    assert_int_equal(s.levels[0], 90);
}

static void volumes_are_means(void **state)
{
    (void)state;
    struct volume v = {0};
    int dbov = 1;
    for (int i = 0; i < 9; i++)
        volume_packet(&v, 30);
    assert_false(volume_take(&v, &dbov));
    for (int i = 0; i < 10; i++)
        volume_packet(&v, i % 2 ? 30 : 41);
    assert_true(volume_take(&v, &dbov));
    assert_int_equal(dbov, -36);
    assert_false(volume_take(&v, &dbov));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_who_speaks_is_dominant),
        cmocka_unit_test(a_cough_takes_no_floor),
        cmocka_unit_test(two_at_once_do_not_alternate),
        cmocka_unit_test(who_is_muted_or_gone_is_not_chosen),
        cmocka_unit_test(slots_are_time_not_packets),
        cmocka_unit_test(volumes_are_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
