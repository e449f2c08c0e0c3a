#include "lib/cursor.h"
#include "tests/unit/check.h"

static void reads_what_was_written(void **state)
{
    (void)state;
    uint8_t buf[32];
    struct writer w = writer_of(buf, sizeof(buf));
    writer_u8(&w, 0x01);
    writer_u16(&w, 0x0203);
    writer_u24(&w, 0x040506);
    writer_u32(&w, 0x0708090a);
    writer_u64(&w, 0x0b0c0d0e0f101112);
    writer_bytes(&w, "ab", 2);
    assert_false(w.bad);
    assert_int_equal(writer_len(&w), 20);

    struct reader r = reader_of(buf, writer_len(&w));
    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u16(&r), 0x0203);
    assert_int_equal(reader_u24(&r), 0x040506);
    assert_int_equal(reader_u32(&r), 0x0708090a);
    assert_true(reader_u64(&r) == 0x0b0c0d0e0f101112);
    struct reader sub = reader_sub(&r, 2);
    assert_int_equal(reader_u8(&sub), 'a');
    assert_int_equal(reader_left(&sub), 1);
    assert_int_equal(reader_left(&r), 0);
    assert_false(r.bad);
}

static void stays_bad_past_the_end(void **state)
{
    (void)state;
    uint8_t buf[4] = {1, 2, 3, 4};
    struct reader r = reader_of(buf, 3);
    assert_int_equal(reader_u32(&r), 0);
    assert_true(r.bad);
    assert_int_equal(reader_u8(&r), 0);
    struct reader sub = reader_sub(&r, 1);
    assert_true(sub.bad);

    struct writer w = writer_of(buf, 3);
    writer_u32(&w, 9);
    writer_u8(&w, 9);
    assert_true(w.bad);
    assert_int_equal(writer_len(&w), 0);
    assert_int_equal(buf[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(stays_bad_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
