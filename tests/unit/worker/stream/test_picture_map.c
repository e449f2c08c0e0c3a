#include "tests/unit/check.h"
#include "worker/stream/picture_map.h"

static struct picture_map m;
static uint16_t id;
static uint8_t tl0;

static struct frame_info frame(uint16_t picture_id, uint8_t t, bool wide)
{
    return (struct frame_info){.picture_id = picture_id,
                               .tl0picidx = t,
                               .has_picture_id = true,
                               .has_tl0picidx = true,
                               .wide_picture_id = wide};
}

static bool map(uint16_t picture_id, uint8_t t)
{
    struct frame_info f = frame(picture_id, t, true);
    return picture_map_frame(&m, &f, &id, &tl0);
}

static void drop(uint16_t picture_id)
{
    struct frame_info f = frame(picture_id, 0, true);
    picture_map_drop(&m, &f);
}

static void passes_a_stream_that_is_whole(void **state)
{
    (void)state;
    picture_map_init(&m);
    assert_true(map(32766, 254) && id == 32766 && tl0 == 254);
    assert_true(map(32766, 254) && id == 32766);
    assert_true(map(32767, 254) && id == 32767);
    assert_true(map(0, 255) && id == 0 && tl0 == 255);
    assert_true(map(2, 0) && id == 2 && tl0 == 0); /* 1 was lost */
    assert_true(map(1, 255) && id == 1 && tl0 == 255);
}

static void closes_gaps_of_dropped_frames(void **state)
{
    (void)state;
    picture_map_init(&m);
    assert_true(map(10, 1) && id == 10);
    drop(11);
    drop(11);
    assert_true(map(12, 2) && id == 11);
    drop(13);
    assert_true(map(14, 3) && id == 12 && tl0 == 3);
    assert_false(map(13, 2)); /* a late packet of a frame that was dropped */
    assert_true(map(12, 2) && id == 11);
    for (uint16_t i = 15; i < 200; i++)
        assert_true(map(i, 4));
    assert_false(map(12, 2)); /* too old */
}

static void goes_on_after_a_switch(void **state)
{
    (void)state;
    picture_map_init(&m);
    picture_map_switch(&m);
    assert_true(map(100, 50) && id == 100 && tl0 == 50);
    assert_true(map(101, 51));
    picture_map_switch(&m);
    assert_true(map(30000, 7) && id == 102 && tl0 == 52);
    assert_true(map(30002, 8) && id == 104 && tl0 == 53);
    assert_true(map(30001, 7) && id == 103 && tl0 == 52);
    picture_map_switch(&m);
    assert_true(map(5, 0) && id == 105 && tl0 == 54);
}

static void unwraps_seven_bits(void **state)
{
    (void)state;
    picture_map_init(&m);
    for (unsigned i = 100; i < 1000; i++) {
        struct frame_info f = frame(i & 127, 0, false);
        assert_true(picture_map_frame(&m, &f, &id, &tl0));
        assert_int_equal(id, i);
    }
}

static void takes_a_sender_that_starts_anew(void **state)
{
    (void)state;
    picture_map_init(&m);
    assert_true(map(20000, 9) && id == 20000);
    assert_false(map(10000, 3));
    struct frame_info key = frame(10001, 4, true);
    key.keyframe = true;
    assert_true(picture_map_frame(&m, &key, &id, &tl0));
    assert_int_equal(id, 20001);
    assert_int_equal(tl0, 10);
    assert_true(map(10002, 4) && id == 20002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_a_stream_that_is_whole),
        cmocka_unit_test(closes_gaps_of_dropped_frames),
        cmocka_unit_test(goes_on_after_a_switch),
        cmocka_unit_test(unwraps_seven_bits),
        cmocka_unit_test(takes_a_sender_that_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
