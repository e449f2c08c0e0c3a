#include "tests/unit/check.h"
#include "worker/stream/pool.h"

#include <errno.h>

static void counts_its_slots(void **state)
{
    (void)state;
    struct pool *p;
    assert_int_equal(pool_new(&p, 0), -EINVAL);
    assert_int_equal(pool_new(&p, 3), 0);
    struct packet *a = pool_get(p), *b = pool_get(p), *c = pool_get(p);
    assert_true(a && b && c && a != b && b != c);
    assert_null(pool_get(p));
    assert_int_equal(pool_used(p), 3);
    packet_ref(b);
    packet_unref(b);
    assert_null(pool_get(p));
    b->ext_seq = 9;
    packet_unref(b);
    assert_int_equal(pool_used(p), 2);
    struct packet *d = pool_get(p);
    assert_ptr_equal(d, b);
    assert_int_equal(d->ext_seq, 0);
    packet_unref(NULL);
    packet_unref(a);
    packet_unref(c);
    packet_unref(d);
    assert_int_equal(pool_used(p), 0);
    assert_int_equal(pool_slots(p), 3);
    pool_free(p);
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_its_slots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
