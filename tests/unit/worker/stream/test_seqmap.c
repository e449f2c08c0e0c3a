#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/stream/seqmap.h"

#include <string.h>

static struct seqmap m;
static int64_t out;

static void starts_low_and_counts_on(void **state)
{
    (void)state;
    static const uint16_t randoms[] = {0, 1, 31767, 31768, 65535};
    for (size_t i = 0; i < ARRAY_LEN(randoms); i++) {
        seqmap_init(&m, randoms[i]);
        assert_false(seqmap_map(&m, 5, &out));
        seqmap_switch(&m, 70000, false);
        assert_true(seqmap_map(&m, 70000, &out));
        assert_in_range(out, 1000, 32767);
        int64_t first = out;
        assert_true(seqmap_map(&m, 70001, &out) && out == first + 1);
        assert_true(seqmap_map(&m, 70005, &out) && out == first + 5); /* a gap stays one */
        assert_true(seqmap_map(&m, 70003, &out) && out == first + 3);
        assert_false(seqmap_map(&m, 69999, &out));
    }
}

static void closes_the_gaps_of_what_is_dropped(void **state)
{
    (void)state;
    seqmap_init(&m, 0);
    seqmap_switch(&m, 100, false);
    assert_true(seqmap_map(&m, 100, &out) && out == 1000);
    seqmap_drop(&m, 101);
    seqmap_drop(&m, 102);
    assert_true(seqmap_map(&m, 103, &out) && out == 1001);
    /* 104 is lost, 105 dropped, 104 comes late. */
    seqmap_drop(&m, 105);
    assert_true(seqmap_map(&m, 106, &out) && out == 1003);
    assert_true(seqmap_map(&m, 104, &out) && out == 1002);
    assert_false(seqmap_map(&m, 105, &out));
    assert_false(seqmap_map(&m, 101, &out));
    /* A late one that is dropped leaves its gap. */
    assert_true(seqmap_map(&m, 108, &out) && out == 1005);
    seqmap_drop(&m, 107);
    assert_true(seqmap_map(&m, 109, &out) && out == 1006);
}

static void goes_on_after_a_switch(void **state)
{
    (void)state;
    seqmap_init(&m, 0);
    seqmap_switch(&m, 100, false);
    seqmap_map(&m, 100, &out);
    seqmap_map(&m, 110, &out);
    assert_true(out == 1010);
    seqmap_switch(&m, 5000000, false);
    assert_true(seqmap_map(&m, 5000000, &out) && out == 1011);
    assert_false(seqmap_map(&m, 111, &out));
    seqmap_switch(&m, 200, true);
    assert_true(seqmap_map(&m, 200, &out) && out == 1013);
}

static void keeps_its_promises_on_random_input(void **state)
{
    (void)state;
    static int64_t given[40000];
    static bool used[80000], sent[40000];
    for (int round = 0; round < 8; round++) {
        seqmap_init(&m, (uint16_t)rand_u32());
        int64_t in = 0, highest = 0;
        memset(used, 0, sizeof(used));
        memset(given, 0, sizeof(given));
        memset(sent, 0, sizeof(sent));
        seqmap_switch(&m, 0, false);
        while (in < 39000) {
            in += rand_u32() % 50 == 0 ? 2 : 1;
            int64_t at = rand_u32() % 5 == 0 && in > 20 ? in - rand_u32() % 20 : in;
            if (sent[at])
                continue;
            sent[at] = true;
            if (rand_u32() % 3 == 0) {
                seqmap_drop(&m, at);
                continue;
            }
            if (!seqmap_map(&m, at, &out)) {
                assert_true(at < in); /* never the newest */
                continue;
            }
            assert_false(used[out]);
            used[out] = true;
            if (at == in) {
                assert_true(out > highest);
                assert_true(out - highest <= 25 || highest == 0);
                highest = out;
            }
            given[at] = out;
            int64_t again;
            assert_true(seqmap_map(&m, at, &again) && again == out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_low_and_counts_on),
        cmocka_unit_test(closes_the_gaps_of_what_is_dropped),
        cmocka_unit_test(goes_on_after_a_switch),
        cmocka_unit_test(keeps_its_promises_on_random_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
