#include "server/ortc/h264.h"
#include "server/ortc/ortc.h"
#include "tests/unit/check.h"

static void knows_profiles_and_levels(void **state)
{
    (void)state;
    static const struct {
        const char *id, *canonical; /* NULL: there is no such id */
        enum h264_profile profile;
        int level;
    } rows[] = {
        {"42e01f", "42e01f", H264_CONSTRAINED_BASELINE, 31},
        {"42E01F", "42e01f", H264_CONSTRAINED_BASELINE, 31},
        {"4d801f", "42e01f", H264_CONSTRAINED_BASELINE, 31},
        {"58c034", "42e034", H264_CONSTRAINED_BASELINE, 52},
        {"42001f", "42001f", H264_BASELINE, 31},
        {"58801e", "42001e", H264_BASELINE, 30},
        {"4d0032", "4d0032", H264_MAIN, 50},
        {"640c1f", "640c1f", H264_CONSTRAINED_HIGH, 31},
        {"64001f", "64001f", H264_HIGH, 31},
        {"f40028", "f40028", H264_PREDICTIVE_HIGH_444, 40},
        {"42f00b", "42f00b", H264_CONSTRAINED_BASELINE, H264_LEVEL_1B},
        {"42100b", "42100b", H264_BASELINE, H264_LEVEL_1B},
        {"42e00b", "42e00b", H264_CONSTRAINED_BASELINE, 11},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h264_profile_level pl;
        char id[H264_ID_SIZE];
        assert_true(h264_parse(rows[i].id, &pl));
        assert_int_equal(pl.profile, rows[i].profile);
        assert_int_equal(pl.level, rows[i].level);
        assert_true(h264_format(&pl, id));
        assert_string_equal(id, rows[i].canonical);
    }
}

static void refuses_what_is_no_id(void **state)
{
    (void)state;
    static const char *const rows[] = {"",       "42e0",   "42e01f0", "42e01g", "0x4200", "000000",
                                       "42e000", "42e0ff", "ffe01f",  "640800", " 2e01f", "42e0-1"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h264_profile_level pl;
        assert_false(h264_parse(rows[i], &pl));
    }
    char id[H264_ID_SIZE];
    assert_false(h264_format(&(struct h264_profile_level){H264_HIGH, H264_LEVEL_1B}, id));
}

static void orders_1b_between_1_and_1_1(void **state)
{
    (void)state;
    assert_int_equal(h264_lower_level(H264_LEVEL_1B, 10), 10);
    assert_int_equal(h264_lower_level(11, H264_LEVEL_1B), H264_LEVEL_1B);
    assert_int_equal(h264_lower_level(H264_LEVEL_1B, 31), H264_LEVEL_1B);
    assert_int_equal(h264_lower_level(52, 31), 31);
}

static void reads_scalability_modes(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        uint32_t spatial, temporal;
    } rows[] = {
        {"L1T3", 1, 3}, {"L3T3_KEY", 3, 3}, {"S2T1", 2, 1},  {"L12T10", 12, 10},
        {NULL, 1, 1},   {"", 1, 1},         {"L", 1, 1},     {"L0T3", 1, 1},
        {"L1T", 1, 1},  {"L1T0", 1, 1},     {"X2T2", 1, 1},  {"L 2T2", 1, 1},
        {"l2T2", 1, 1}, {"L123T1", 1, 1},   {"L2T-1", 1, 1}, {"L2T3foo", 2, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t s = 9, t = 9;
        ortc_scalability(rows[i].mode, &s, &t);
        assert_int_equal(s, rows[i].spatial);
        assert_int_equal(t, rows[i].temporal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_profiles_and_levels),
        cmocka_unit_test(refuses_what_is_no_id),
        cmocka_unit_test(orders_1b_between_1_and_1_1),
        cmocka_unit_test(reads_scalability_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
