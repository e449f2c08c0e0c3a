#include "lib/buf.h"
#include "tests/unit/check.h"

#include <string.h>

static void grows(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "%04d ", i);
    assert_int_equal(b.len, 25000);
    assert_memory_equal(b.data + 24995, "4999 ", 5);
    buf_clear(&b);
    buf_puts(&b, "");
    buf_puts(&b, "ab");
    buf_add(&b, "\0c", 2);
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "ab\0c", 4);
    buf_free(&b);
    assert_int_equal(b.len, 0);
}

static void stops_at_its_bound(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    buf_puts(&b, "12345678");
    assert_false(b.full);
    buf_puts(&b, "9");
    assert_true(b.full);
    assert_int_equal(b.len, 8);
    buf_printf(&b, "%s", "");
    assert_int_equal(b.len, 8);
    buf_clear(&b);
    buf_printf(&b, "%s", "123456789");
    assert_true(b.full);
    assert_int_equal(b.len, 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(stops_at_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
