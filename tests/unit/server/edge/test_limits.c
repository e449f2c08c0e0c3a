#include "server/edge/limits.h"

#include <stdio.h>

#include "lib/clock.h"
#include "server/edge/bucket.h"
#include "tests/unit/check.h"

static const struct limits_conf conf = {
    .sessions_per_address = 3, .sessions_per_second = 2, .connections_per_address = 2};

static void counts_by_address(void **state)
{
    (void)state;
    struct limits *l;
    limits_new(&l, &conf, 0);
    struct limits_entry *a = limits_take_connection(l, "192.0.2.1", 0);
    struct limits_entry *b = limits_take_connection(l, "::ffff:192.0.2.1", 0);
    assert_ptr_equal(a, b);
    assert_null(limits_take_connection(l, "192.0.2.1", 0));
    assert_non_null(limits_take_connection(l, "192.0.2.2", 0));
    limits_drop_connection(a);
    assert_non_null(limits_take_connection(l, "192.0.2.1", 0));

    struct limits_entry *six = limits_take_session(l, "2001:db8::1", 0);
    assert_ptr_equal(six, limits_take_session(l, "2001:db8::2", 0));
    assert_ptr_equal(six, limits_take_session(l, "2001:db8::3", 0));
    assert_null(limits_take_session(l, "2001:db8::4", 0));
    assert_non_null(limits_take_session(l, "2001:db8:0:1::1", 0));
    limits_drop_session(NULL);
    limits_free(l);
    limits_free(NULL);
}

static void limits_the_rate(void **state)
{
    (void)state;
    struct limits *l;
    limits_new(&l, &conf, 0);
    for (int i = 0; i < 10; i++)
        limits_drop_session(limits_take_session(l, "192.0.2.1", 0));
    assert_null(limits_take_session(l, "192.0.2.1", 0));
    struct limits_entry *entry = limits_take_session(l, "192.0.2.1", S_US(1));
    assert_non_null(entry);
    limits_drop_session(entry);
    limits_free(l);
}

static void forgets_and_bounds(void **state)
{
    (void)state;
    struct limits *l;
    limits_new(&l, &conf, 0);
    struct limits_entry *kept = limits_take_session(l, "192.0.2.1", 0);
    for (unsigned i = 0; i < LIMITS_ENTRIES_MAX + 1000; i++) {
        char ip[32];
        snprintf(ip, sizeof(ip), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        struct limits_entry *entry = limits_take_session(l, ip, 0);
        limits_drop_session(entry);
    }
    assert_int_equal(limits_count(l), LIMITS_ENTRIES_MAX);
    limits_sweep(l, S_US(10));
    assert_int_equal(limits_count(l), 1);
    limits_drop_session(kept);
    limits_sweep(l, S_US(20));
    assert_int_equal(limits_count(l), 0);
    limits_free(l);
}

static void fills_a_bucket(void **state)
{
    (void)state;
    struct bucket b;
    bucket_init(&b, 10, 2, 0);
    assert_true(bucket_take(&b, 1, 0));
    assert_true(bucket_take(&b, 1, 0));
    assert_false(bucket_take(&b, 1, 0));
    assert_false(bucket_take(&b, 1, MS_US(99)));
    assert_true(bucket_take(&b, 1, MS_US(101)));
    assert_true(bucket_take(&b, 2, S_US(100)));
    assert_false(bucket_take(&b, 1, S_US(100)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_address),
        cmocka_unit_test(limits_the_rate),
        cmocka_unit_test(forgets_and_bounds),
        cmocka_unit_test(fills_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
